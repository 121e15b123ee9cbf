(** * The linear mean-KL theorems: eta(new) >= L - K eps gamma / (1 - gamma)^2 mean-KL

    For any constants that [works] admits, from gamma = a0 / (1 + a0) on; then for K = 4 and for K = 2. *)

From Coq Require Import Reals.
From mathcomp Require Import all_ssreflect all_algebra ring.
From mathcomp.analysis Require Import Rstruct.
From TRPO Require Import definitions kernel performance_difference sharp_gap kullback_leibler chain_rule.
From TRPO Require linear_inequality linear_supersolution linear_constants.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Local Notation real := R_realFieldType.
Local Notation f := linear_inequality.f.
Local Notation w := linear_supersolution.linear_w.
Local Notation slope := linear_supersolution.linear_slope.
Local Notation price := linear_supersolution.linear_price.
Local Notation least p := (linear_inequality.least p : real).
Local Notation factor p := (linear_inequality.factor p : real).

Lemma literal n : IZR (Z.of_nat n) = n%:R :> real.
Proof. by rewrite -INR_IZR_INZ INRE. Qed.

Lemma fE (l : real) : f l = l - 1 - log l. Proof. by reflexivity. Qed.

Section LinearMeanKL.

Variable p : linear_inequality.constants.
Hypothesis good : linear_inequality.works p.

Variables (S A : finType) (M : mdp real S A).
Local Notation g := (discount M).
Variables (old new : S -> A -> real) (V_old V_new rho_old rho_new : S -> real).
Hypotheses (oldP : policy old) (newP : policy new).
Hypotheses (V_oldP : is_value M old V_old) (V_newP : is_value M new V_new).
Hypotheses (rho_oldP : is_visitation M old rho_old) (rho_newP : is_visitation M new rho_new).
Variable eps : real.
Hypothesis advantage_le : forall s a, `|advantage M V_old s a| <= eps.

(** Elsewhere the mean divergence is infinite, and nothing is said. *)
Hypothesis support : forall s a, 0 < rho_old s -> new s a = 0 -> old s a = 0.

Hypothesis g_ge : least p / (1 + least p) <= g.

Let least_gt0 : 0 < least p.
Proof. by apply/RltP; case: (linear_inequality.signs p good) => _ [_ [_ []]]. Qed.

Let g_geR : Rle (Rdiv (linear_inequality.least p) (Rplus 1 (linear_inequality.least p))) g.
Proof. by apply/RleP; rewrite RdivE // lt0r_neq0 // addr_gt0 ?ltr01. Qed.

Let g_lt1R : Rlt g 1. Proof. by apply/RltP; exact: discount_lt1. Qed.

Lemma linear_mean_supersolution :
  mean_supersolution (R := R_realArchiFieldType) g f 1 (fun l => 0 < l) (price p g) (w p g) (slope p g).
Proof.
split.
- by move=> x /RleP x_ge0; apply/RleP; apply: linear_supersolution.linear_w_ge0.
- move=> x /RleP x_ge0; have [mu [nu [finite infinite]]] := linear_supersolution.linear_at p g good g_geR g_lt1R x x_ge0.
  exists mu, nu; split=> [l b _ /RltP l_gt0 b_sign | b b_sign]; apply/RleP.
    exact: finite l b l_gt0 b_sign.
  exact: infinite b b_sign.
- have [mu [nu [finite infinite]]] := linear_supersolution.linear_at_infinity p g good g_lt1R.
  exists mu, nu; split=> [l b /RleP l_ge0 b_sign | b b_sign]; apply/RleP.
    exact: finite l b l_ge0 b_sign.
  exact: infinite b b_sign.
Qed.

(** sum_s d_old(s) KL(old || new), d_old = (1 - gamma) rho_old. *)
Definition mean_KL : real := (1 - g) * (\sum_s rho_old s * KL (old s) (new s)).

(** The centred form of KL, sum p (l - 1 - log l), is KL. *)
Lemma centred_KL s : 0 < rho_old s -> f_divergence f 1 (old s) (new s) = KL (old s) (new s).
Proof.
move=> s_vis; transitivity (\sum_a ((new s a - old s a) + old s a * log (old s a / new s a))); last first.
  by rewrite big_split sumrB /= (proj2 (oldP s)) (proj2 (newP s)) subrr add0r.
apply: eq_bigr => a _; have [o0 | o_neq0] := eqVneq (old s a) 0; first by rewrite o0 mul0r addr0 subr0 mulr1.
have n_neq0 : new s a != 0 by apply: contra o_neq0 => /eqP n0; apply/eqP; apply: support s_vis n0.
have pos (x : real) : 0 <= x -> x != 0 -> 0 < x by move=> x_ge0 x0; rewrite lt_neqAle eq_sym x0.
have o_gt0 : 0 < old s a by apply: pos => //; case: (oldP s).
have n_gt0 : 0 < new s a by apply: pos => //; case: (newP s).
rewrite fE.
have -> : log (new s a / old s a) = - log (old s a / new s a) by rewrite -logV ?divr_gt0 // invf_div.
by move: (log _) => y; field.
Qed.

Theorem mean_kl_linear :
  surrogate M V_old rho_old new - return_of M V_new <= factor p * eps * g / (1 - g) ^+ 2 * mean_KL.
Proof.
have d_gt0 := one_minus_discount_gt0 M.
have price_ge0 : 0 <= price p g.
  by apply/RleP; exact: linear_supersolution.linear_price_ge0 g_geR g_lt1R.
have f_ge0 (l : real) : 0 <= l -> 0 < l -> 0 <= f l.
  by move=> _ l_gt0; rewrite fE subr_ge0 log_le.
have allowed s a : 0 < rho_old s -> old s a != 0 -> 0 < new s a / old s a.
  move=> s_vis o_neq0; have n_neq0 : new s a != 0 by apply: contra o_neq0 => /eqP n0; apply/eqP; apply: support s_vis n0.
  by rewrite lt_neqAle eq_sym mulf_neq0 ?invr_eq0 // divr_ge0 //; [case: (newP s) | case: (oldP s)].
have := sharp_gap_mean (R := R_realArchiFieldType) oldP newP V_oldP V_newP rho_oldP rho_newP advantage_le price_ge0
  linear_mean_supersolution f_ge0 ler01 allowed.
have -> : \sum_s rho_old s * f_divergence f 1 (old s) (new s) = \sum_s rho_old s * KL (old s) (new s).
  apply: eq_bigr => s _; have [-> | s_neq0] := eqVneq (rho_old s) 0; first by rewrite !mul0r.
  by rewrite centred_KL // lt_neqAle eq_sym s_neq0 (is_visitation_ge0 oldP rho_oldP).
have -> : w p g 1 = 0.
  by rewrite /linear_supersolution.linear_w Rminus_eq_0 pow_ne_zero // /Rdiv !(Rmult_0_l, Rmult_0_r).
have -> : price p g = factor p * g / (1 - g).
  by rewrite /linear_supersolution.linear_price RdivE ?lt0r_neq0.
rewrite add0r /mean_KL; move: (\sum_s _) (factor p) => kl k; congr (_ <= _).
by field; rewrite lt0r_neq0.
Qed.

End LinearMeanKL.

(** ** The two theorems *)

Section Instances.

Variables (S A : finType) (M : mdp real S A) (old new : S -> A -> real) (V_old V_new rho_old rho_new : S -> real).
Hypotheses (oldP : policy old) (newP : policy new).
Hypotheses (V_oldP : is_value M old V_old) (V_newP : is_value M new V_new).
Hypotheses (rho_oldP : is_visitation M old rho_old) (rho_newP : is_visitation M new rho_new).
Variable eps : real.
Hypothesis advantage_le : forall s a, `|advantage M V_old s a| <= eps.
Hypothesis support : forall s a, 0 < rho_old s -> new s a = 0 -> old s a = 0.

Local Notation proved good := (mean_kl_linear good oldP newP V_oldP V_newP rho_oldP rho_newP advantage_le support).

Theorem mean_kl_linear_4 : 4%:R^-1 <= discount M ->
  surrogate M V_old rho_old new - return_of M V_new <=
  4%:R * eps * discount M / (1 - discount M) ^+ 2 * mean_KL M old new rho_old.
Proof.
have := proved linear_constants.works_four; rewrite /= RdivE ?(literal 1, literal 3, literal 4) ?pnatr_eq0 //.
by have -> : 1%:R / 3%:R / (1 + 1%:R / 3%:R) = 4%:R^-1 :> real by field.
Qed.

Theorem mean_kl_linear_2 : 4%:R / 5%:R <= discount M ->
  surrogate M V_old rho_old new - return_of M V_new <=
  2%:R * eps * discount M / (1 - discount M) ^+ 2 * mean_KL M old new rho_old.
Proof.
have := proved linear_constants.works_two; rewrite /= ?(literal 2, literal 4).
by have -> : 4%:R / (1 + 4%:R) = 4%:R / 5%:R :> real by field.
Qed.

End Instances.
