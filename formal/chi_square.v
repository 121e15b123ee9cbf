(** * Second-order theorems in chi-square: chi2/instance, (A'), (A), chi2/critic, the certificate

    No paths are needed.  x = rho_new / rho_old has phi = rho_old x^2 <= rho_0 + gamma M^T phi by Cauchy-Schwarz, M the second
    moments of the ratio of the policies, and a function u >= 1 + gamma M u bounds the sum of phi.  Everything is said of
    squares, so that no root has to exist. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From TRPO Require Import definitions kernel performance_difference.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(** ** Cauchy-Schwarz *)

Section CauchySchwarz.

Variable R : realFieldType.

Lemma discriminant (a b c : R) : (forall t u, 0 <= a * t ^+ 2 + 2 * b * t * u + c * u ^+ 2) -> b ^+ 2 <= a * c.
Proof.
move=> form_ge0.
have c_ge0 : 0 <= c by have := form_ge0 0 1; rewrite expr0n expr1n !mulr0 !mul0r !add0r mulr1.
have := c_ge0; rewrite le_eqVlt => /orP [/eqP c0 | c_gt0].
  have := form_ge0 (- b) ((a + 1) / 2); rewrite -c0 mulr0.
  have -> : a * (- b) ^+ 2 + 2 * b * (- b) * ((a + 1) / 2) + 0 * ((a + 1) / 2) ^+ 2 = - b ^+ 2 by field.
  by rewrite oppr_ge0.
have := form_ge0 c (- b).
have -> : a * c ^+ 2 + 2 * b * c * - b + c * (- b) ^+ 2 = c * (a * c - b ^+ 2) by ring.
by rewrite pmulr_rge0 // subr_ge0.
Qed.

Variables (T : finType) (w x y : T -> R).
Hypothesis w_ge0 : forall i, 0 <= w i.

Lemma weighted_squares t u :
  \sum_i w i * (t * x i + u * y i) ^+ 2 =
  (\sum_i w i * x i ^+ 2) * t ^+ 2 + 2 * (\sum_i w i * x i * y i) * t * u + (\sum_i w i * y i ^+ 2) * u ^+ 2.
Proof.
rewrite [2 * _]mulr_sumr !mulr_suml -!big_split /=; apply: eq_bigr => i _.
by ring.
Qed.

Lemma cauchy_schwarz : (\sum_i w i * x i * y i) ^+ 2 <= (\sum_i w i * x i ^+ 2) * (\sum_i w i * y i ^+ 2).
Proof.
apply: discriminant => t u; rewrite -weighted_squares.
by apply: sumr_ge0 => i _; rewrite mulr_ge0 // sqr_ge0.
Qed.

(** With one more term of weight [b] at which both factors are 1. *)
Lemma cauchy_schwarz_start b : 0 <= b ->
  (b + \sum_i w i * y i) ^+ 2 <= (b + \sum_i w i) * (b + \sum_i w i * y i ^+ 2).
Proof.
move=> b_ge0; apply: discriminant => t u.
have -> : (b + \sum_i w i) * t ^+ 2 + 2 * (b + \sum_i w i * y i) * t * u + (b + \sum_i w i * y i ^+ 2) * u ^+ 2 =
    b * (t + u) ^+ 2 + \sum_i w i * (t + u * y i) ^+ 2.
  have -> : \sum_i w i * (t + u * y i) ^+ 2 =
      (\sum_i w i) * t ^+ 2 + 2 * (\sum_i w i * y i) * t * u + (\sum_i w i * y i ^+ 2) * u ^+ 2.
    by rewrite [2 * _]mulr_sumr !mulr_suml -!big_split /=; apply: eq_bigr => i _; ring.
  by move: (\sum_i w i) (\sum_i w i * y i) (\sum_i w i * y i ^+ 2) => p q r; ring.
apply: addr_ge0; first by rewrite mulr_ge0 // sqr_ge0.
by apply: sumr_ge0 => i _; rewrite mulr_ge0 // sqr_ge0.
Qed.

End CauchySchwarz.

Section ChiSquare.

Variables (R : realFieldType) (S A : finType) (M : mdp R S A).
Local Notation P := (transition M).
Local Notation rho0 := (start M).
Local Notation g := (discount M).

Variables (old new : S -> A -> R) (V_new rho_old rho_new : S -> R).
Hypotheses (oldP : policy old) (newP : policy new) (V_newP : is_value M new V_new).
Hypotheses (rho_oldP : is_visitation M old rho_old) (rho_newP : is_visitation M new rho_new).

(** Where old visits, new takes only actions that old takes. *)
Hypothesis new_old : forall s a, 0 < rho_old s -> old s a = 0 -> new s a = 0.

Let d_gt0 : 0 < 1 - g := one_minus_discount_gt0 M.
Let d_neq0 : 1 - g != 0 := lt0r_neq0 d_gt0.
Let g_ge0 : 0 <= g := discount_ge0 M.
Let P_ge0 s a t : 0 <= P s a t. Proof. by case: (transition_law M s a). Qed.
Let old_ge0 s a : 0 <= old s a. Proof. by case: (oldP s). Qed.
Let new_ge0 s a : 0 <= new s a. Proof. by case: (newP s). Qed.
Let rho0_ge0 s : 0 <= rho0 s. Proof. by case: (start_law M). Qed.
Let rho_old_ge0 : forall s, 0 <= rho_old s := is_visitation_ge0 oldP rho_oldP.
Let rho_new_ge0 : forall s, 0 <= rho_new s := is_visitation_ge0 newP rho_newP.
Let visited s : rho_old s <> 0 -> 0 < rho_old s.
Proof. by move=> /eqP nz; rewrite lt_neqAle eq_sym nz rho_old_ge0. Qed.

(** ** New visits no state that old does not visit *)

Lemma new_visits t : rho_old t = 0 -> rho_new t = 0.
Proof.
move=> rho_t0; pose e s := if rho_old s == 0 then rho_new s else 0.
have e_ge0 s : 0 <= e s by rewrite /e; case: ifP.
have K_ge0 := discounted_chain_ge0 M newP.
have zeroE : visitation_equation (discounted_chain M new) (fun=> 0) (fun=> 0).
  by move=> s; rewrite add0r big1 // => u _; rewrite mul0r.
have e_le s : e s <= 0 + \sum_u e u * discounted_chain M new u s.
  rewrite add0r {1}/e; case: eqP => [rho_s0 | _]; last by apply: sumr_ge0 => u _; rewrite mulr_ge0.
  have rho_oldK : visitation_equation (discounted_chain M old) rho0 rho_old by apply/visitation_kernel.
  have rho_newK : visitation_equation (discounted_chain M new) rho0 rho_new by apply/visitation_kernel.
  have old_term_ge0 u : 0 <= rho_old u * discounted_chain M old u s.
    by rewrite mulr_ge0 // (discounted_chain_ge0 M oldP).
  have := rho_oldK s; rewrite rho_s0 => /esym/eqP.
  rewrite paddr_eq0 ?sumr_ge0 // => /andP [/eqP rho0_s sum0].
  rewrite rho_newK rho0_s add0r; apply: ler_sum => u _; rewrite /e.
  case: eqP => // /visited rho_u; rewrite mul0r.
  suff -> : discounted_chain M new u s = 0 by rewrite mulr0.
  move: sum0; rewrite psumr_eq0 // => /allP /(_ u (mem_index_enum u)) /=.
  rewrite mulf_eq0 gt_eqF //= /discounted_chain mulf_eq0 => /orP [/eqP -> | ]; first by rewrite mul0r.
  rewrite /chain_of psumr_eq0; last by move=> a _; rewrite mulr_ge0.
  move=> /allP old0; rewrite big1 ?mulr0 // => a _.
  have := old0 a (mem_index_enum a); rewrite mulf_eq0 => /orP [/eqP o0 | /eqP ->]; last by rewrite mulr0.
  by rewrite new_old // mul0r.
have := visitation_comparison K_ge0 (discounted_chain_row M newP) (discount_lt1 M) zeroE e_le t.
by rewrite /e rho_t0 eqxx => le0; apply/eqP; rewrite eq_le le0 rho_new_ge0.
Qed.

(** ** Second moments *)

(** gamma M(s, t), M(s, t) = sum_a new^2 / old P(t | s, a). *)
Definition second_moments s t := g * (\sum_a new s a ^+ 2 / old s a * P s a t).

Lemma second_moments_ge0 s t : 0 <= second_moments s t.
Proof. by rewrite mulr_ge0 // sumr_ge0 // => a _; rewrite mulr_ge0 // divr_ge0 // sqr_ge0. Qed.

Lemma second_moments_row s : 0 < rho_old s -> \sum_t second_moments s t = g * (1 + chi2 (new s) (old s)).
Proof.
move=> rho_s; rewrite -mulr_sumr exchange_big /=; congr (_ * _).
under eq_bigr => a _ do rewrite -mulr_sumr (proj2 (transition_law M s a)) mulr1.
have -> : 1 = \sum_a (2 * new s a - old s a).
  rewrite sumrB -mulr_sumr (proj2 (oldP s)) (proj2 (newP s)); ring.
rewrite /chi2 -big_split /=; apply: eq_bigr => a _.
have [o0 | o_neq0] := eqVneq (old s a) 0; last by field.
by rewrite o0 (new_old rho_s o0) expr0n !mul0r mulr0 !subr0 expr0n mul0r addr0.
Qed.

(** phi = rho_new^2 / rho_old. *)
Let phi s := rho_new s ^+ 2 / rho_old s.

Lemma phi_ge0 s : 0 <= phi s. Proof. by rewrite divr_ge0 // sqr_ge0. Qed.

Lemma phi_le t : phi t <= rho0 t + \sum_s phi s * second_moments s t.
Proof.
have [rho_t0 | /eqP/visited rho_t] := eqVneq (rho_old t) 0.
  rewrite /phi rho_t0 invr0 mulr0 addr_ge0 // sumr_ge0 // => s _.
  by rewrite mulr_ge0 ?second_moments_ge0 // phi_ge0.
rewrite /phi ler_pdivr_mulr // mulrC.
pose w (i : S * A) := g * (rho_old i.1 * (old i.1 i.2 * P i.1 i.2 t)).
pose y (i : S * A) := rho_new i.1 / rho_old i.1 * (new i.1 i.2 / old i.1 i.2).
have w_ge0 i : 0 <= w i by rewrite !mulr_ge0.
have := cauchy_schwarz_start y w_ge0 (rho0_ge0 t).
have -> : rho0 t + \sum_i w i = rho_old t.
  rewrite rho_oldP -(pair_bigA _ (fun s a => w (s, a))) /w /= mulr_sumr; congr (_ + _).
  by apply: eq_bigr => s _; rewrite -!mulr_sumr.
have -> : rho0 t + \sum_i w i * y i = rho_new t.
  rewrite [RHS]rho_newP -(pair_bigA _ (fun s a => w (s, a) * y (s, a))) /w /y /= mulr_sumr; congr (_ + _).
  apply: eq_bigr => s _; rewrite !mulr_sumr; apply: eq_bigr => a _.
  have [rho_s0 | rho_s] := eqVneq (rho_old s) 0.
    by rewrite rho_s0 (new_visits rho_s0) !(mulr0, mul0r).
  have [o0 | o_neq0] := eqVneq (old s a) 0; last by field; rewrite o_neq0.
  by rewrite (new_old (visited (elimN eqP rho_s)) o0) !(mulr0, mul0r).
have -> : \sum_i w i * y i ^+ 2 = \sum_s phi s * second_moments s t => //.
rewrite -(pair_bigA _ (fun s a => w (s, a) * y (s, a) ^+ 2)) /w /y /=.
apply: eq_bigr => s _; rewrite /second_moments mulrCA !mulr_sumr; apply: eq_bigr => a _; rewrite /phi.
have [rho_s0 | rho_s] := eqVneq (rho_old s) 0.
  by rewrite rho_s0 invr0 !(mulr0, mul0r).
have [o0 | o_neq0] := eqVneq (old s a) 0; last by field; rewrite o_neq0.
by rewrite o0 invr0 !(mulr0, mul0r).
Qed.

(** What u >= 1 + gamma M u says of the sum of phi. *)
Lemma phi_sum u : (forall s, 0 <= u s) -> (forall s, 0 < rho_old s -> 1 + \sum_t second_moments s t * u t <= u s) ->
  \sum_s phi s <= \sum_s rho0 s * u s.
Proof.
move=> u_ge0 u_super.
apply: (@le_trans _ _ (\sum_s phi s * (u s - \sum_t second_moments s t * u t))).
  apply: ler_sum => s _; have [rho_s0 | /eqP/visited rho_s] := eqVneq (rho_old s) 0.
    by rewrite /phi rho_s0 invr0 mulr0 mul0r.
  by rewrite -{1}[phi s]mulr1 ler_wpmul2l ?phi_ge0 // ler_subr_addr u_super.
under eq_bigr => s _ do rewrite mulrBr mulr_sumr.
rewrite sumrB exchange_big /= -sumrB; apply: ler_sum => t _.
under eq_bigr => s _ do rewrite mulrA.
by rewrite -mulr_suml -mulrBl ler_wpmul2r // ler_subl_addr phi_le.
Qed.

(** ** The visitation, in chi-square *)

Local Notation visitation_chi2 := (\sum_s rho_old s * (rho_new s / rho_old s - 1) ^+ 2).

Lemma visitation_chi2E : visitation_chi2 = \sum_s phi s - (1 - g)^-1.
Proof.
have -> : (1 - g)^-1 = \sum_s (2 * rho_new s - rho_old s).
  by rewrite sumrB -mulr_sumr (is_visitation_sum newP rho_newP) (is_visitation_sum oldP rho_oldP); ring.
rewrite -sumrB; apply: eq_bigr => s _; rewrite /phi; have [rho_s0 | rho_s] := eqVneq (rho_old s) 0.
  by rewrite rho_s0 (new_visits rho_s0) invr0 !(mulr0, mul0r, subr0).
by field.
Qed.

(** For every y >= 0 with y >= gamma M y + gamma / (1 - gamma) chi in the visited states. *)
Lemma visitation_chi2_instance (y : S -> R) :
  (forall s, 0 <= y s) ->
  (forall s, 0 < rho_old s ->
    \sum_t second_moments s t * y t + g / (1 - g) * chi2 (new s) (old s) <= y s) ->
  visitation_chi2 <= \sum_s rho0 s * y s.
Proof.
move=> y_ge0 y_super; rewrite visitation_chi2E ler_subl_addr.
have -> : \sum_s rho0 s * y s + (1 - g)^-1 = \sum_s rho0 s * (y s + (1 - g)^-1).
  under [RHS]eq_bigr => s _ do rewrite mulrDr.
  by rewrite big_split /= -[X in _ = _ + X]mulr_suml (proj2 (start_law M)) mul1r.
apply: phi_sum => [s | s rho_s]; first by rewrite addr_ge0 // invr_ge0 ltW.
under eq_bigr => t _ do rewrite mulrDr.
rewrite big_split /= -[X in _ + (_ + X)]mulr_suml second_moments_row //.
apply: le_trans (_ : _ <= \sum_t second_moments s t * y t + g / (1 - g) * chi2 (new s) (old s) + (1 - g)^-1) _.
  rewrite le_eqVlt; apply/orP; left; apply/eqP.
  by move: (\sum_t _) => z; field.
by rewrite ler_add2r y_super.
Qed.

Variable c : R.
Hypothesis chi2_le : forall s, 0 < rho_old s -> chi2 (new s) (old s) <= c.

Lemma visited_exists : exists s, 0 < rho_old s.
Proof.
have [s rho_s | none] := pickP (fun s => 0 < rho_old s); first by exists s.
have := is_visitation_sum oldP rho_oldP; rewrite big1 => [/esym/eqP | s _]; first by rewrite invr_eq0 (negPf d_neq0).
by apply/eqP; rewrite eq_le rho_old_ge0 leNgt none.
Qed.

Lemma chi2_ge0 s : 0 <= chi2 (new s) (old s).
Proof. by apply: sumr_ge0 => a _; rewrite divr_ge0 // sqr_ge0. Qed.

Lemma c_ge0 : 0 <= c.
Proof. by have [s rho_s] := visited_exists; apply: le_trans (chi2_ge0 s) (chi2_le rho_s). Qed.

(** chi2/occupancy, for rho = d / (1 - gamma):
    sum_s (rho_new - rho_old)^2 / rho_old <= gamma c / ((1 - gamma)(1 - gamma (1 + c))). *)
Theorem chi2_occupancy : g * (1 + c) < 1 -> visitation_chi2 <= g * c / ((1 - g) * (1 - g * (1 + c))).
Proof.
move=> c_small; have e_gt0 : 0 < 1 - g * (1 + c) by rewrite subr_gt0.
have e_neq0 := lt0r_neq0 e_gt0.
pose y := g * c / ((1 - g) * (1 - g * (1 + c))).
have y_ge0 : 0 <= y by rewrite divr_ge0 ?mulr_ge0 ?c_ge0 // ltW.
apply: le_trans (visitation_chi2_instance (fun=> y_ge0) _) _; last first.
  by rewrite -mulr_suml (proj2 (start_law M)) mul1r.
move=> s rho_s; rewrite -mulr_suml second_moments_row //.
have {2}-> : y = g * (1 + c) * y + g / (1 - g) * c by rewrite /y; field; rewrite e_neq0 d_neq0.
apply: ler_add; last by rewrite ler_wpmul2l ?chi2_le // divr_ge0 // ltW.
by rewrite ler_wpmul2r // ler_wpmul2l // ler_add2l chi2_le.
Qed.

(** ** The gap.  [V] is any critic; for V = V_old, delta is Abar and the surrogate is L. *)

Variable V : S -> R.
Local Notation delta := (expected_advantage M V new).
Local Notation gap := (return_of M V_new - surrogate M V rho_old new).

Lemma gap_sqr_le m : gap ^+ 2 <= (\sum_s rho_old s * (delta s - m) ^+ 2) * visitation_chi2.
Proof.
have -> : gap = \sum_s rho_old s * (delta s - m) * (rho_new s / rho_old s - 1).
  rewrite (gap_identity V rho_old newP V_newP rho_newP).
  have -> : \sum_s (rho_new s - rho_old s) * delta s = \sum_s (rho_new s - rho_old s) * (delta s - m).
    under [RHS]eq_bigr => s _ do rewrite mulrBr.
    rewrite sumrB -[X in _ = _ - X]mulr_suml sumrB (is_visitation_sum newP rho_newP) (is_visitation_sum oldP rho_oldP).
    by rewrite subrr mul0r subr0.
  apply: eq_bigr => s _; have [rho_s0 | rho_s] := eqVneq (rho_old s) 0.
    by rewrite rho_s0 (new_visits rho_s0) subrr !mul0r.
  by field.
exact: cauchy_schwarz.
Qed.

Let spread_ge0 m : 0 <= \sum_s rho_old s * (delta s - m) ^+ 2.
Proof. by apply: sumr_ge0 => s _; rewrite mulr_ge0 // sqr_ge0. Qed.

(** chi2/instance, as the record computes it; no condition on the spectral radius of M is left. *)
Theorem chi2_instance (y : S -> R) m :
  (forall s, 0 <= y s) ->
  (forall s, 0 < rho_old s ->
    \sum_t second_moments s t * y t + g / (1 - g) * chi2 (new s) (old s) <= y s) ->
  gap ^+ 2 <= (\sum_s rho_old s * (delta s - m) ^+ 2) * (\sum_s rho0 s * y s).
Proof.
move=> y_ge0 y_super; apply: le_trans (gap_sqr_le m) _.
by apply: ler_wpmul2l => //; apply: visitation_chi2_instance.
Qed.

(** (A'), chi2/expected-advantage, with any constant m; chi2/critic for other V:
    (eta(new) - L)^2 <= gamma c / ((1 - gamma)(1 - gamma (1 + c))) sum_s rho_old(s) (Abar(s) - m)^2. *)
Theorem chi2_expected_advantage m : g * (1 + c) < 1 ->
  gap ^+ 2 <= (\sum_s rho_old s * (delta s - m) ^+ 2) * (g * c / ((1 - g) * (1 - g * (1 + c)))).
Proof.
move=> c_small; apply: le_trans (gap_sqr_le m) _.
by apply: ler_wpmul2l => //; apply: chi2_occupancy.
Qed.

(** update/cv-certificate: with mean and variance of Abar over d_old = (1 - gamma) rho_old, mean > 0 and
    gamma c (1 + variance / mean^2) < 1 - gamma make eta(new) > eta(old). *)
Theorem coefficient_of_variation (mean := (1 - g) * (\sum_s rho_old s * delta s))
  (variance := (1 - g) * (\sum_s rho_old s * (delta s - mean) ^+ 2)) :
  0 < mean -> g * c * (1 + variance / mean ^+ 2) < 1 - g -> return_of M V < return_of M V_new.
Proof.
move=> mean_gt0 small; rewrite ltNge; apply/negP => worse.
have variance_ge0 : 0 <= variance by rewrite mulr_ge0 // ltW.
have c_small : g * (1 + c) < 1.
  rewrite mulrDr mulr1 -ltr_subr_addl; apply: le_lt_trans small.
  by rewrite -[X in X <= _]mulr1 ler_wpmul2l ?mulr_ge0 ?c_ge0 // ler_addl divr_ge0 // sqr_ge0.
have e_gt0 : 0 < 1 - g * (1 + c) by rewrite subr_gt0.
have mean_le : mean / (1 - g) <= - gap.
  rewrite opprB /surrogate.
  have -> : \sum_s rho_old s * delta s = mean / (1 - g) by rewrite /mean mulrC mulKf.
  by rewrite [return_of M V + _]addrC -addrA ler_addl subr_ge0.
have : (mean / (1 - g)) ^+ 2 <= gap ^+ 2.
  by rewrite -[gap ^+ 2]sqrrN ler_expn2r // nnegrE ?(le_trans _ mean_le) // divr_ge0 // ltW.
move/le_trans/(_ (chi2_expected_advantage mean c_small)).
have -> : \sum_s rho_old s * (delta s - mean) ^+ 2 = variance / (1 - g) by rewrite /variance mulrC mulKf.
have -> : variance / (1 - g) * (g * c / ((1 - g) * (1 - g * (1 + c)))) =
    (g * c * variance / (1 - g * (1 + c))) / (1 - g) ^+ 2 by field; rewrite (lt0r_neq0 e_gt0) d_neq0.
rewrite expr_div_n ler_pmul2r ?invr_gt0 ?exprn_gt0 // ler_pdivl_mulr // leNgt => /negP; apply.
have mean2_gt0 : 0 < mean ^+ 2 by rewrite exprn_gt0.
move: small; rewrite -(ltr_pmul2r mean2_gt0).
have -> : g * c * (1 + variance / mean ^+ 2) * mean ^+ 2 = g * c * mean ^+ 2 + g * c * variance.
  by field; rewrite lt0r_neq0.
by rewrite -ltr_subr_addl; congr (_ < _); ring.
Qed.

(** (A), chi2/advantage, for the old value: Abar^2 <= chi2 sum_a old A^2 in every visited state. *)
Hypothesis V_oldP : is_value M old V.

Theorem chi2_advantage : g * (1 + c) < 1 ->
  gap ^+ 2 <= (\sum_s rho_old s * (\sum_a old s a * advantage M V s a ^+ 2)) *
    (g * c ^+ 2 / ((1 - g) * (1 - g * (1 + c)))).
Proof.
move=> c_small; have e_gt0 : 0 < 1 - g * (1 + c) by rewrite subr_gt0.
apply: le_trans (chi2_expected_advantage 0 c_small) _.
have -> : g * c ^+ 2 / ((1 - g) * (1 - g * (1 + c))) = c * (g * c / ((1 - g) * (1 - g * (1 + c)))).
  by field; rewrite (lt0r_neq0 e_gt0) d_neq0.
rewrite [X in _ <= X]mulrA; apply: ler_wpmul2r; first by rewrite divr_ge0 ?mulr_ge0 ?c_ge0 // ltW.
rewrite mulr_suml; apply: ler_sum => s _; rewrite subr0 -mulrA.
have [rho_s0 | /eqP/visited rho_s] := eqVneq (rho_old s) 0; first by rewrite rho_s0 !mul0r.
apply: ler_wpmul2l => //.
have -> : delta s = \sum_a old s a * advantage M V s a * (new s a / old s a - 1).
  rewrite (expected_advantage_difference new oldP V_oldP); apply: eq_bigr => a _.
  have [o0 | o_neq0] := eqVneq (old s a) 0; last by field.
  by rewrite o0 (new_old rho_s o0) subrr !mul0r.
apply: le_trans (cauchy_schwarz _ _ (old_ge0 s)) _.
apply: ler_wpmul2l; first by apply: sumr_ge0 => a _; rewrite mulr_ge0 // sqr_ge0.
apply: le_trans (chi2_le rho_s); rewrite le_eqVlt; apply/orP; left; apply/eqP.
apply: eq_bigr => a _; have [o0 | o_neq0] := eqVneq (old s a) 0; last by field.
by rewrite o0 invr0 !(mulr0, mul0r).
Qed.

End ChiSquare.
