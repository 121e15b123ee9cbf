(** * chi2/reward, (C): the spread of the reward in the place of the advantage

    xi(s, a) = rho_new new - rho_old new - y old is what the occupancy of state and action moves beyond first order, y the
    first-order change of the visitation.  eta(new) - L = sum r xi, and xi^2 / (rho_old old) sums to at most
    gamma c^2 / ((1 - gamma)^2 (1 - gamma (1 + c))).  *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From TRPO Require Import definitions kernel performance_difference chi_square.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Reward.

Variables (R : realFieldType) (S A : finType) (M : mdp R S A).
Local Notation P := (transition M).
Local Notation r := (reward M).
Local Notation rho0 := (start M).
Local Notation g := (discount M).

Variables (old new : S -> A -> R) (V_old V_new rho_old rho_new : S -> R).
Hypotheses (oldP : policy old) (newP : policy new).
Hypotheses (V_oldP : is_value M old V_old) (V_newP : is_value M new V_new).
Hypotheses (rho_oldP : is_visitation M old rho_old) (rho_newP : is_visitation M new rho_new).
Hypothesis new_old : forall s a, 0 < rho_old s -> old s a = 0 -> new s a = 0.

Variable c : R.
Hypothesis chi2_le : forall s, 0 < rho_old s -> chi2 (new s) (old s) <= c.
Hypothesis c_small : g * (1 + c) < 1.

Let d_gt0 : 0 < 1 - g := one_minus_discount_gt0 M.
Let d_neq0 : 1 - g != 0 := lt0r_neq0 d_gt0.
Let g_ge0 : 0 <= g := discount_ge0 M.
Let P_ge0 s a t : 0 <= P s a t. Proof. by case: (transition_law M s a). Qed.
Let old_ge0 s a : 0 <= old s a. Proof. by case: (oldP s). Qed.
Let rho_old_ge0 : forall s, 0 <= rho_old s := is_visitation_ge0 oldP rho_oldP.
Let visited s : rho_old s != 0 -> 0 < rho_old s.
Proof. by move=> nz; rewrite lt_neqAle eq_sym nz rho_old_ge0. Qed.
Let gone s : rho_old s = 0 -> rho_new s = 0 := new_visits oldP newP rho_oldP rho_newP new_old (t := s).

(** The first-order change of the visitation. *)
Let shift t := g * (\sum_s rho_old s * (\sum_a (new s a - old s a) * P s a t)).
Variable y : S -> R.
Hypothesis yE : visitation_equation (discounted_chain M old) shift y.

Let xi s a := rho_new s * new s a - rho_old s * new s a - y s * old s a.
Let z s := rho_new s - rho_old s - y s.

Lemma chainE pi s t : discounted_chain M pi s t = \sum_a g * (pi s a * P s a t).
Proof. by rewrite /discounted_chain /chain_of mulr_sumr. Qed.

Lemma zE t : z t = g * (\sum_s \sum_a xi s a * P s a t).
Proof.
have rho_oldK : visitation_equation (discounted_chain M old) rho0 rho_old by apply/visitation_kernel.
have rho_newK : visitation_equation (discounted_chain M new) rho0 rho_new by apply/visitation_kernel.
rewrite /z rho_newK rho_oldK yE opprD addrACA subrr add0r /shift opprD addrA mulr_sumr -!sumrB mulr_sumr.
apply: eq_bigr => s _; rewrite !chainE !mulr_sumr -!sumrB; apply: eq_bigr => a _; rewrite /xi; ring.
Qed.

(** y vanishes where old does not visit. *)
Lemma y_gone t : rho_old t = 0 -> y t = 0.
Proof.
move=> t0; pose e s := if rho_old s == 0 then `|y s| else 0.
have e_ge0 s : 0 <= e s by rewrite /e; case: ifP.
have K_ge0 := discounted_chain_ge0 M oldP.
have zeroE : visitation_equation (discounted_chain M old) (fun=> 0) (fun=> 0).
  by move=> s; rewrite add0r big1 // => u _; rewrite mul0r.
have reached s u a : rho_old u = 0 -> rho_old s != 0 -> g * (old s a * P s a u) = 0.
  move=> u0 s_neq0; have rho_oldK : visitation_equation (discounted_chain M old) rho0 rho_old by apply/visitation_kernel.
  have := rho_oldK u; rewrite u0 => /esym/eqP; rewrite paddr_eq0; last 2 first.
  - by case: (start_law M).
  - by apply: sumr_ge0 => v _; rewrite mulr_ge0.
  case/andP=> _; rewrite psumr_eq0 => [/allP /(_ s (mem_index_enum s)) /= | v _]; last by rewrite mulr_ge0.
  rewrite mulf_eq0 (negPf s_neq0) /= chainE psumr_eq0 => [/allP /(_ a (mem_index_enum a)) /eqP // | b _].
  by rewrite !mulr_ge0.
have shift0 u : rho_old u = 0 -> shift u = 0.
  move=> u0; rewrite /shift mulr_sumr big1 // => s _; have [-> | s0] := eqVneq (rho_old s) 0; first by rewrite mul0r mulr0.
  rewrite mulrCA mulr_sumr big1 ?mulr0 // => a _; have := reached s u a u0 s0.
  move/eqP; rewrite !mulf_eq0 => /orP [/eqP -> | /orP [/eqP o0 | /eqP ->]]; rewrite ?(mul0r, mulr0) //.
  by rewrite o0 (new_old (visited s0) o0) subrr mul0r mulr0.
have e_le s : e s <= 0 + \sum_u e u * discounted_chain M old u s.
  rewrite add0r {1}/e; case: eqP => [s0 | _]; last by apply: sumr_ge0 => u _; rewrite mulr_ge0.
  rewrite yE shift0 // add0r; apply: le_trans (ler_norm_sum _ _ _) _; apply: ler_sum => u _.
  rewrite normrM [`|discounted_chain _ _ _ _|]ger0_norm // /e; case: eqP => // /eqP u0.
  by rewrite chainE big1 ?mulr0 ?mul0r // => a _; apply: reached.
have := visitation_comparison K_ge0 (discounted_chain_row M oldP) (discount_lt1 M) zeroE e_le t.
by rewrite /e t0 eqxx normr_le0 => /eqP.
Qed.

(** ** xi sums to 0, and so does z *)

Lemma xi_row s : \sum_a xi s a = z s.
Proof. by rewrite /xi !sumrB -!mulr_sumr (proj2 (oldP s)) (proj2 (newP s)) !mulr1. Qed.

Lemma xi_sum : \sum_s \sum_a xi s a = 0.
Proof.
under eq_bigr => s _ do rewrite xi_row.
have z_sum : \sum_t z t = g * \sum_t z t.
  under [LHS]eq_bigr => t _ do rewrite zE.
  rewrite -mulr_sumr exchange_big /=; congr (_ * _); apply: eq_bigr => s _.
  rewrite exchange_big /= -xi_row; apply: eq_bigr => a _.
  by rewrite -mulr_sumr (proj2 (transition_law M s a)) mulr1.
move/eqP: z_sum; rewrite -subr_eq0 -{1}[\sum_t z t]mul1r -mulrBl mulf_eq0 (negPf d_neq0) /=.
by move/eqP.
Qed.

(** eta(new) - L = sum r xi. *)
Lemma gap_reward : return_of M V_new - surrogate M V_old rho_old new = \sum_s \sum_a r s a * xi s a.
Proof.
have V_oldK : value_equation (discounted_chain M old) (reward_of M old) V_old by apply/value_kernel.
have rho_oldK : visitation_equation (discounted_chain M old) rho0 rho_old by apply/visitation_kernel.
have shift_value : \sum_s shift s * V_old s =
    \sum_s rho_old s * (\sum_t discounted_chain M new s t * V_old t - \sum_t discounted_chain M old s t * V_old t).
  rewrite /shift; under eq_bigr => t _ do rewrite mulr_sumr mulr_suml.
  rewrite exchange_big /=; apply: eq_bigr => s _; rewrite -sumrB mulr_sumr; apply: eq_bigr => t _.
  rewrite -mulrBl !chainE -sumrB [in RHS]mulr_suml mulrCA -!mulrA; congr (_ * _).
  by rewrite mulrA mulr_sumr mulr_suml; apply: eq_bigr => a _; ring.
have first : \sum_s y s * reward_of M old s = \sum_s shift s * V_old s := test_visitation yE V_oldK.
rewrite (return_visitation V_newP rho_newP) /surrogate.
have -> : return_of M V_old = \sum_s rho_old s * reward_of M old s by rewrite (return_visitation V_oldP rho_oldP).
have -> : \sum_s rho_old s * expected_advantage M V_old new s =
    \sum_s rho_old s * (reward_of M new s - reward_of M old s) + \sum_s y s * reward_of M old s.
  rewrite first shift_value -big_split /=; apply: eq_bigr => s _; rewrite (expected_advantageE M V_old newP) -mulrDr.
  have -> : g * (\sum_t chain_of M new s t * V_old t) = \sum_t discounted_chain M new s t * V_old t.
    by rewrite mulr_sumr; apply: eq_bigr => t _; rewrite mulrA.
  have -> : V_old s = reward_of M old s + \sum_t discounted_chain M old s t * V_old t by rewrite {1}(V_oldK s).
  by move: (\sum_t _) (\sum_t _) => p q; congr (_ * _); ring.
transitivity (\sum_s (rho_new s * reward_of M new s - rho_old s * reward_of M new s - y s * reward_of M old s)).
  rewrite !sumrB; under [X in _ - (_ + (X + _))]eq_bigr => s _ do rewrite mulrBr.
  by rewrite sumrB; ring.
apply: eq_bigr => s _; rewrite /reward_of !mulr_sumr -!sumrB; apply: eq_bigr => a _; rewrite /xi; ring.
Qed.

(** ** The spread of xi *)

Let u s := rho_new s / rho_old s - 1.
Let v s := z s / rho_old s.
Let l s a := new s a / old s a.
Let weight s a := rho_old s * old s a.
Let f s a := u s * (l s a - 1) + v s.

Lemma weight_ge0 s a : 0 <= weight s a. Proof. by rewrite mulr_ge0. Qed.

Lemma xiE s a : xi s a = weight s a * f s a.
Proof.
rewrite /xi /weight /f /u /v /l /z; have [s0 | s_neq0] := eqVneq (rho_old s) 0.
  by rewrite s0 (gone s0) (y_gone s0) !mul0r !subr0.
have [o0 | o_neq0] := eqVneq (old s a) 0; last by field; rewrite o_neq0 s_neq0.
by rewrite o0 (new_old (visited s_neq0) o0) !(mulr0, mul0r, subr0).
Qed.

(** Given the state, the mean of f^2 is chi u^2 + v^2. *)
Lemma f_square s : 0 < rho_old s -> \sum_a old s a * f s a ^+ 2 = chi2 (new s) (old s) * u s ^+ 2 + v s ^+ 2.
Proof.
move=> s_vis; transitivity (\sum_a ((new s a - old s a) ^+ 2 / old s a * u s ^+ 2
    + v s ^+ 2 * old s a + 2 * u s * v s * (new s a - old s a))).
  apply: eq_bigr => a _; rewrite /f /l; have [o0 | o_neq0] := eqVneq (old s a) 0; last by field.
  by rewrite o0 (new_old s_vis o0) !(mulr0, mul0r, subr0, addr0, expr0n).
rewrite !big_split /= -mulr_suml -!mulr_sumr sumrB (proj2 (oldP s)) (proj2 (newP s)) subrr mulr0 addr0 mulr1.
by [].
Qed.

Let moved := \sum_s rho_old s * u s ^+ 2.
Let second := \sum_s rho_old s * v s ^+ 2.

Lemma moved_ge0 : 0 <= moved. Proof. by apply: sumr_ge0 => s _; rewrite mulr_ge0 // sqr_ge0. Qed.

Lemma spread_le : \sum_s \sum_a weight s a * f s a ^+ 2 <= c * moved + second.
Proof.
rewrite /moved /second mulr_sumr -big_split /=; apply: ler_sum => s _.
under eq_bigr => a _ do rewrite /weight -mulrA.
rewrite -mulr_sumr; have [s0 | s_neq0] := eqVneq (rho_old s) 0; first by rewrite s0 !mul0r mulr0 addr0.
rewrite f_square ?visited // mulrDr ler_add2r [X in _ <= X]mulrCA ler_wpmul2l //.
by rewrite ler_wpmul2r ?sqr_ge0 // chi2_le // visited.
Qed.

Lemma second_le : second <= g * (c * moved + second).
Proof.
apply: (@le_trans _ _ (g * \sum_s \sum_a weight s a * f s a ^+ 2)); last by rewrite ler_wpmul2l // spread_le.
have -> : g * (\sum_s \sum_a weight s a * f s a ^+ 2) = \sum_t \sum_s \sum_a g * (weight s a * P s a t) * f s a ^+ 2.
  rewrite [RHS]exchange_big mulr_sumr /=; apply: eq_bigr => s _; rewrite exchange_big mulr_sumr /=.
  apply: eq_bigr => a _; rewrite -mulr_suml -!mulr_sumr (proj2 (transition_law M s a)) mulr1; ring.
rewrite /second; apply: ler_sum => t _.
have [t0 | t_neq0] := eqVneq (rho_old t) 0.
  rewrite t0 mul0r; apply: sumr_ge0 => s _; apply: sumr_ge0 => a _.
  by apply: mulr_ge0; [rewrite !mulr_ge0 ?weight_ge0 | apply: sqr_ge0].
pose w (i : S * A) := g * (weight i.1 i.2 * P i.1 i.2 t).
have w_ge0 i : 0 <= w i by rewrite !mulr_ge0 ?weight_ge0.
have w_sum : \sum_i w i <= rho_old t.
  have rho_oldK : visitation_equation (discounted_chain M old) rho0 rho_old by apply/visitation_kernel.
  rewrite rho_oldK -(pair_bigA _ (fun s a => w (s, a))) /= -[X in X <= _]add0r; apply: ler_add.
    by case: (start_law M).
  rewrite le_eqVlt; apply/orP; left; apply/eqP; apply: eq_bigr => s _; rewrite chainE mulr_sumr.
  by apply: eq_bigr => a _; rewrite /w /weight /=; ring.
have z_t : z t = \sum_i w i * 1 * f i.1 i.2.
  rewrite zE -(pair_bigA _ (fun s a => w (s, a) * 1 * f s a)) /= mulr_sumr; apply: eq_bigr => s _.
  by rewrite mulr_sumr; apply: eq_bigr => a _; rewrite xiE /w /=; ring.
rewrite (_ : \sum_s \sum_a _ = \sum_i w i * f i.1 i.2 ^+ 2); last by rewrite pair_bigA.
have -> : rho_old t * v t ^+ 2 = z t ^+ 2 / rho_old t by rewrite /v; field.
rewrite ler_pdivr_mulr ?visited // z_t mulrC.
apply: le_trans (cauchy_schwarz _ _ w_ge0) _.
under eq_bigr => i _ do rewrite expr1n mulr1.
by apply: ler_wpmul2r => //; apply: sumr_ge0 => i _; rewrite mulr_ge0 // sqr_ge0.
Qed.

(** (C), with any constant m:
    (eta(new) - L)^2 <= gamma c^2 / ((1 - gamma)^2 (1 - gamma (1 + c))) sum_{s, a} rho_old old (r - m)^2. *)
Theorem chi2_reward_given_shift m :
  (return_of M V_new - surrogate M V_old rho_old new) ^+ 2 <=
    (\sum_s rho_old s * (\sum_a old s a * (r s a - m) ^+ 2)) *
    (g * c ^+ 2 / ((1 - g) ^+ 2 * (1 - g * (1 + c)))).
Proof.
have e_gt0 : 0 < 1 - g * (1 + c) by rewrite subr_gt0.
have c_ge0' : 0 <= c := c_ge0 oldP rho_oldP chi2_le.
have -> : return_of M V_new - surrogate M V_old rho_old new =
    \sum_i weight i.1 i.2 * (r i.1 i.2 - m) * f i.1 i.2.
  rewrite gap_reward -[LHS]subr0 -[X in _ - X](mulr0 m) -[X in _ - _ * X]xi_sum mulr_sumr -sumrB.
  rewrite -(pair_bigA _ (fun s a => weight s a * (r s a - m) * f s a)) /=; apply: eq_bigr => s _.
  by rewrite mulr_sumr -sumrB; apply: eq_bigr => a _; rewrite xiE; ring.
apply: le_trans (cauchy_schwarz _ _ (fun i => weight_ge0 i.1 i.2)) _.
rewrite -(pair_bigA _ (fun s a => weight s a * (r s a - m) ^+ 2)) -(pair_bigA _ (fun s a => weight s a * f s a ^+ 2)) /=.
have -> : \sum_s \sum_a weight s a * (r s a - m) ^+ 2 = \sum_s rho_old s * (\sum_a old s a * (r s a - m) ^+ 2).
  by apply: eq_bigr => s _; rewrite mulr_sumr; apply: eq_bigr => a _; rewrite /weight mulrA.
apply: ler_wpmul2l.
  by apply: sumr_ge0 => s _; rewrite mulr_ge0 // sumr_ge0 // => a _; rewrite mulr_ge0 // sqr_ge0.
apply: le_trans spread_le _.
have second_small : second <= g * c * moved / (1 - g).
  rewrite ler_pdivl_mulr // mulrBr mulr1 ler_subl_addr; apply: le_trans second_le _.
  by rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
apply: (@le_trans _ _ (c * moved / (1 - g))).
  have -> : c * moved / (1 - g) = c * moved + g * c * moved / (1 - g) by field.
  by rewrite ler_add2l.
have moved_le : moved <= g * c / ((1 - g) * (1 - g * (1 + c))).
  have := chi2_occupancy oldP newP rho_oldP rho_newP new_old chi2_le c_small. exact.
have -> : g * c ^+ 2 / ((1 - g) ^+ 2 * (1 - g * (1 + c))) = c * (g * c / ((1 - g) * (1 - g * (1 + c)))) / (1 - g).
  by field; rewrite d_neq0 (lt0r_neq0 e_gt0).
by rewrite ler_pmul2r ?invr_gt0 // ler_wpmul2l.
Qed.

End Reward.

Theorem chi2_reward (R : realFieldType) (S A : finType) (M : mdp R S A) (old new : S -> A -> R)
    (V_old V_new rho_old rho_new : S -> R) (c m : R) (g := discount M) :
  policy old -> policy new -> is_value M old V_old -> is_value M new V_new ->
  is_visitation M old rho_old -> is_visitation M new rho_new ->
  (forall s a, 0 < rho_old s -> old s a = 0 -> new s a = 0) ->
  (forall s, 0 < rho_old s -> chi2 (new s) (old s) <= c) -> g * (1 + c) < 1 ->
  (return_of M V_new - surrogate M V_old rho_old new) ^+ 2 <=
    (\sum_s rho_old s * (\sum_a old s a * (reward M s a - m) ^+ 2)) *
    (g * c ^+ 2 / ((1 - g) ^+ 2 * (1 - g * (1 + c)))).
Proof.
move=> oldP newP V_oldP V_newP rho_oldP rho_newP new_old chi2_le c_small.
have [y yE] := visitation_exists (discounted_chain_ge0 M oldP) (discounted_chain_row M oldP) (discount_lt1 M)
  (fun t => g * (\sum_s rho_old s * (\sum_a (new s a - old s a) * transition M s a t))).
exact: chi2_reward_given_shift yE m.
Qed.
