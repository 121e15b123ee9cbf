(** * Bounds in total variation: trpo/tv and coupling/tv

    How far the visitation moves when the policy does, and what this does to the surrogate.  *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From TRPO Require Import definitions kernel performance_difference.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section TotalVariation.

Variables (R : realFieldType) (S A : finType) (M : mdp R S A).
Local Notation P := (transition M).
Local Notation rho0 := (start M).
Local Notation g := (discount M).

Variables (old new : S -> A -> R) (V_old V_new rho_old rho_new : S -> R).
Hypotheses (oldP : policy old) (newP : policy new).
Hypotheses (V_oldP : is_value M old V_old) (V_newP : is_value M new V_new).
Hypotheses (rho_oldP : is_visitation M old rho_old) (rho_newP : is_visitation M new rho_new).

Let d_gt0 : 0 < 1 - g := one_minus_discount_gt0 M.
Let d_neq0 : 1 - g != 0 := lt0r_neq0 d_gt0.

Lemma norm1_tv s : \sum_a `|new s a - old s a| = 2 * total_variation (old s) (new s).
Proof.
rewrite /total_variation mulrA divff ?pnatr_eq0 // mul1r.
by apply: eq_bigr => a _; rewrite distrC.
Qed.

Lemma tv_ge0 s : 0 <= total_variation (old s) (new s).
Proof. by rewrite mulr_ge0 ?invr_ge0 ?ler0n // sumr_ge0. Qed.

(** rho_new - rho_old is visited by the new chain from where old and new part. *)
Lemma visitation_change_equation :
  visitation_equation (discounted_chain M new)
    (fun t => g * (\sum_s rho_old s * (\sum_a (new s a - old s a) * P s a t)))
    (fun s => rho_new s - rho_old s).
Proof.
move=> t; rewrite rho_newP rho_oldP opprD addrACA subrr add0r -mulrBr.
have -> : \sum_s (rho_new s - rho_old s) * discounted_chain M new s t =
    g * (\sum_s (rho_new s - rho_old s) * chain_of M new s t).
  by rewrite mulr_sumr; apply: eq_bigr => s _; rewrite mulrCA.
rewrite -mulrDr -big_split -sumrB /=; congr (_ * _); apply: eq_bigr => s _.
have -> : \sum_a (new s a - old s a) * P s a t = chain_of M new s t - chain_of M old s t.
  by rewrite -sumrB; apply: eq_bigr => a _; rewrite mulrBl.
by ring.
Qed.

Theorem visitation_change_mean :
  \sum_s `|rho_new s - rho_old s| <= 2 * g / (1 - g) * (\sum_s rho_old s * total_variation (old s) (new s)).
Proof.
have rho_ge0 := is_visitation_ge0 oldP rho_oldP.
apply: le_trans (visitation_norm1 (discounted_chain_ge0 M newP) (discounted_chain_row M newP) (discount_lt1 M)
  visitation_change_equation) _.
rewrite -mulrA [_^-1 * _]mulrC mulrA ler_pmul2r ?invr_gt0 //.
have g_ge0 := discount_ge0 M.
have -> : 2 * g * (\sum_s rho_old s * total_variation (old s) (new s)) =
    g * (\sum_s rho_old s * (\sum_a `|new s a - old s a|)).
  rewrite mulrAC mulrC; congr (_ * _); rewrite mulr_sumr; apply: eq_bigr => s _.
  by rewrite norm1_tv mulrCA.
under eq_bigr => t _ do rewrite normrM ger0_norm //.
rewrite -mulr_sumr; apply: ler_wpmul2l => //.
apply: (@le_trans _ _ (\sum_t \sum_s rho_old s * (\sum_a `|new s a - old s a| * P s a t))).
  apply: ler_sum => t _; apply: le_trans (ler_norm_sum _ _ _) _; apply: ler_sum => s _.
  rewrite normrM ger0_norm //; apply: ler_wpmul2l => //; apply: le_trans (ler_norm_sum _ _ _) _.
  by apply: ler_sum => a _; rewrite normrM [`|P s a t|]ger0_norm //; case: (transition_law M s a).
rewrite exchange_big /=; apply: ler_sum => s _; rewrite -mulr_sumr; apply: ler_wpmul2l => //.
rewrite exchange_big /=; apply: ler_sum => a _; rewrite -mulr_sumr.
by rewrite (proj2 (transition_law M s a)) mulr1.
Qed.

Section Maximum.

Variable alpha : R.
Hypothesis tv_le : forall s, total_variation (old s) (new s) <= alpha.

Lemma alpha_ge0 : 0 <= alpha.
Proof.
have [s _] := law_inhabited (start_law M).
exact: le_trans (tv_ge0 s) (tv_le s).
Qed.

(** The visitation changes by at most 2 gamma alpha / (1 - gamma)^2 in the 1-norm. *)
Theorem visitation_change : \sum_s `|rho_new s - rho_old s| <= 2 * g * alpha / (1 - g) ^+ 2.
Proof.
apply: le_trans visitation_change_mean _.
have -> : 2 * g * alpha / (1 - g) ^+ 2 = 2 * g / (1 - g) * (alpha / (1 - g)) by field; rewrite d_neq0.
apply: ler_wpmul2l; first by rewrite divr_ge0 ?mulr_ge0 ?discount_ge0 ?ler0n // ltW.
rewrite mulrC -(is_visitation_sum oldP rho_oldP) mulr_suml; apply: ler_sum => s _.
by apply: ler_wpmul2l; rewrite ?tv_le // (is_visitation_ge0 oldP rho_oldP).
Qed.

(** The same by letting both chains run on what old and new have in common. *)
Theorem visitation_change_coupling :
  \sum_s `|rho_new s - rho_old s| <= 2 * g * alpha / ((1 - g) * (1 - g * (1 - alpha))).
Proof.
pose common s a := (old s a + new s a - `|old s a - new s a|) / 2.
have common_old s a : common s a <= old s a.
  rewrite ler_pdivr_mulr ?ltr0n // ler_subl_addr mulr_natr mulr2n -addrA ler_add2l.
  by rewrite -ler_subl_addl distrC ler_norm.
have common_new s a : common s a <= new s a.
  rewrite ler_pdivr_mulr ?ltr0n // ler_subl_addr mulr_natr mulr2n addrC -addrA ler_add2l.
  by rewrite -ler_subl_addl ler_norm.
have common_ge0 s a : 0 <= common s a.
  rewrite divr_ge0 ?ler0n // subr_ge0; apply: le_trans (ler_norm_sub _ _) _.
  by rewrite !ger0_norm //; [case: (newP s) | case: (oldP s)].
pose K s t := g * (\sum_a common s a * P s a t).
have g_ge0 := discount_ge0 M.
have P_ge0 s a t : 0 <= P s a t by case: (transition_law M s a).
have K_ge0 s t : 0 <= K s t by rewrite mulr_ge0 // sumr_ge0 // => a _; rewrite mulr_ge0.
have K_rowE s : \sum_t K s t = g * (1 - total_variation (old s) (new s)).
  rewrite -mulr_sumr; congr (_ * _); rewrite exchange_big /=.
  under eq_bigr => a _ do rewrite -mulr_sumr (proj2 (transition_law M s a)) mulr1.
  rewrite -mulr_suml sumrB big_split /= (proj2 (oldP s)) (proj2 (newP s)).
  under eq_bigr => a _ do rewrite distrC.
  by rewrite norm1_tv; set tv := total_variation _ _; field.
have K_row s : \sum_t K s t <= g by rewrite K_rowE -{2}[g]mulr1 ler_wpmul2l // ger_addl oppr_le0 tv_ge0.
have [x xE] := visitation_exists K_ge0 K_row (discount_lt1 M) rho0.
have rho0_ge0 : forall s, 0 <= rho0 s by case: (start_law M).
have x_ge0 := visitation_ge0 K_ge0 K_row (discount_lt1 M) xE rho0_ge0.
have below pi rho : policy pi -> is_visitation M pi rho -> (forall s a, common s a <= pi s a) -> forall s, x s <= rho s.
  move=> piP /visitation_kernel rhoE common_pi.
  apply: (visitation_comparison (discounted_chain_ge0 M piP) (discounted_chain_row M piP) (discount_lt1 M) rhoE).
  move=> t; rewrite {1}xE ler_add2l; apply: ler_sum => s _; apply: ler_wpmul2l => //.
  by apply: ler_wpmul2l => //; apply: ler_sum => a _; apply: ler_wpmul2r.
have x_old := below _ _ oldP rho_oldP common_old.
have x_new := below _ _ newP rho_newP common_new.
have e_gt0 : 0 < 1 - g * (1 - alpha).
  by rewrite mulrBr mulr1 opprB addrA addrAC ltr_spaddl // mulr_ge0 // alpha_ge0.
have x_sum : (1 - g * (1 - alpha))^-1 <= \sum_s x s.
  have [u uE] := value_exists K_ge0 K_row (discount_lt1 M) (fun=> 1).
  under eq_bigr => s _ do rewrite -[x s]mulr1.
  rewrite (test_visitation xE uE).
  apply: (@le_trans _ _ (\sum_s rho0 s * (1 - g * (1 - alpha))^-1)).
    by rewrite -mulr_suml (proj2 (start_law M)) mul1r.
  apply: ler_sum => s _; apply: ler_wpmul2l => //; move: s.
  apply: (value_comparison K_ge0 K_row (discount_lt1 M) uE) => s.
  rewrite /= -mulr_suml K_rowE.
  apply: (@le_trans _ _ (1 + g * (1 - alpha) * (1 - g * (1 - alpha))^-1)).
    by rewrite le_eqVlt; apply/orP; left; apply/eqP; field; rewrite lt0r_neq0.
  by rewrite ler_add2l ler_pmul2r ?invr_gt0 // ler_wpmul2l // ler_add2l ler_opp2.
apply: (@le_trans _ _ (\sum_s ((rho_new s - x s) + (rho_old s - x s)))).
  apply: ler_sum => s _.
  have -> : rho_new s - rho_old s = (rho_new s - x s) - (rho_old s - x s) by ring.
  by apply: le_trans (ler_norm_sub _ _) _; rewrite !ger0_norm ?subr_ge0.
rewrite big_split /= !sumrB (is_visitation_sum oldP rho_oldP) (is_visitation_sum newP rho_newP).
have -> : 2 * g * alpha / ((1 - g) * (1 - g * (1 - alpha))) =
    ((1 - g)^-1 - (1 - g * (1 - alpha))^-1) + ((1 - g)^-1 - (1 - g * (1 - alpha))^-1).
  by field; rewrite d_neq0 lt0r_neq0.
by apply: ler_add; rewrite ler_add2l ler_opp2.
Qed.

Variable eps : R.
Hypothesis advantage_le : forall s a, `|advantage M V_old s a| <= eps.

Lemma expected_advantage_le s : `|expected_advantage M V_old new s| <= 2 * eps * alpha.
Proof.
have [a _] := law_inhabited (oldP s).
have eps_ge0 : 0 <= eps := le_trans (normr_ge0 _) (advantage_le s a).
rewrite (expected_advantage_difference new oldP V_oldP); apply: le_trans (ler_norm_sum _ _ _) _.
apply: (@le_trans _ _ (\sum_a `|new s a - old s a| * eps)).
  by apply: ler_sum => b _; rewrite normrM; apply: ler_wpmul2l.
rewrite -mulr_suml norm1_tv mulrAC; apply: ler_wpmul2l; last exact: tv_le.
by rewrite mulr_ge0 ?ler0n.
Qed.

Lemma gap_le_visitation_change c : \sum_s `|rho_new s - rho_old s| <= c ->
  `|return_of M V_new - surrogate M V_old rho_old new| <= c * (2 * eps * alpha).
Proof.
move=> le_c; rewrite (gap_identity V_old rho_old newP V_newP rho_newP).
apply: le_trans (ler_norm_sum _ _ _) _.
apply: (@le_trans _ _ ((\sum_s `|rho_new s - rho_old s|) * (2 * eps * alpha))); last first.
  apply: ler_wpmul2r => //.
  have [s _] := law_inhabited (start_law M).
  exact: le_trans (normr_ge0 _) (expected_advantage_le s).
rewrite mulr_suml; apply: ler_sum => s _; rewrite normrM; apply: ler_wpmul2l => //.
exact: expected_advantage_le.
Qed.

(** trpo/tv: |eta(new) - L| <= 4 eps gamma alpha^2 / (1 - gamma)^2. *)
Theorem trpo_tv :
  `|return_of M V_new - surrogate M V_old rho_old new| <= 4 * eps * g * alpha ^+ 2 / (1 - g) ^+ 2.
Proof.
apply: le_trans (gap_le_visitation_change visitation_change) _.
by rewrite le_eqVlt; apply/orP; left; apply/eqP; field; rewrite d_neq0.
Qed.

(** coupling/tv: |eta(new) - L| <= 4 eps gamma alpha^2 / ((1 - gamma)(1 - gamma (1 - alpha))). *)
Theorem coupling_tv :
  `|return_of M V_new - surrogate M V_old rho_old new|
    <= 4 * eps * g * alpha ^+ 2 / ((1 - g) * (1 - g * (1 - alpha))).
Proof.
apply: le_trans (gap_le_visitation_change visitation_change_coupling) _.
have e_gt0 : 0 < 1 - g * (1 - alpha).
  rewrite mulrBr mulr1 opprB addrA addrAC ltr_spaddl // mulr_ge0 ?discount_ge0 //.
  exact: alpha_ge0.
by rewrite le_eqVlt; apply/orP; left; apply/eqP; field; rewrite d_neq0 lt0r_neq0.
Qed.

End Maximum.
End TotalVariation.
