(** * Pinsker's inequality and equation (9), over Coq's real numbers *)

From Coq Require Import Reals.
From mathcomp Require Import all_ssreflect all_algebra ring.
From mathcomp.analysis Require Import Rstruct.
From TRPO Require Import definitions kernel performance_difference total_variation chi_square logarithm.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Local Notation real := R_realFieldType.

(** The natural logarithm; log 0 = 0 in Coq, where nothing below reads it. *)
Definition log (x : real) : real := ln x.

(** KL(p || q) = sum_a p log(p / q).  An action with p = 0 counts 0; theorems ask that q = 0 only where p = 0: elsewhere the
    divergence is infinite, and they say nothing. *)
Definition KL (A : finType) (p q : A -> real) : real := \sum_a p a * log (p a / q a).

Lemma numeralE (n : nat) : n%:R = INR n :> real. Proof. by rewrite INRE. Qed.

Lemma kl_term_ge (p q : real) : 0 <= p -> 0 <= q -> (q = 0 -> p = 0) ->
  3%:R * (p - q) ^+ 2 / (4%:R * q + 2%:R * p) <= p * log (p / q) - p + q.
Proof.
move=> p_ge0 q_ge0 pq; have [q0 | q_neq0] := eqVneq q 0.
  by rewrite q0 (pq q0) !(mulr0, mul0r, subr0, addr0, expr0n).
have q_gt0 : 0 < q by rewrite lt_neqAle eq_sym q_neq0.
have [p0 | p_neq0] := eqVneq p 0.
  rewrite p0 mul0r !subr0 sub0r add0r mulr0 addr0 sqrrN.
  have -> : 3%:R * q ^+ 2 / (4%:R * q) = 3%:R / 4%:R * q by field.
  by rewrite -[X in _ <= X]mul1r ler_wpmul2r // ler_pdivr_mulr ?ltr0n // mul1r ler_nat.
have p_gt0 : 0 < p by rewrite lt_neqAle eq_sym p_neq0.
have d_neq0 : 4%:R * q + 2%:R * p != 0 by rewrite gt_eqF // addr_gt0 // mulr_gt0 ?ltr0n.
have := kl_term p q (elimT (RltP 0 p) p_gt0) (elimT (RltP 0 q) q_gt0).
move=> H; apply/RleP; rewrite /log -(RdivE _ q_neq0) -(RdivE _ d_neq0) -RpowE !numeralE !INR_IZR_INZ.
exact: H.
Qed.

Lemma total_variation_root (A : finType) (p q : A -> real) d :
  2%:R * total_variation p q ^+ 2 <= d -> total_variation p q <= Num.sqrt (d / 2%:R).
Proof.
move=> le; rewrite -[X in X <= _]ger0_norm; last by rewrite mulr_ge0 ?invr_ge0 ?ler0n // sumr_ge0.
by rewrite -sqrtr_sqr ler_wsqrtr // ler_pdivl_mulr ?ltr0n // mulrC.
Qed.

Section Pinsker.

Variables (A : finType) (p q : A -> real).
Hypotheses (pP : law p) (qP : law q) (support : forall a, q a = 0 -> p a = 0).

Let p_ge0 a : 0 <= p a. Proof. by case: pP. Qed.
Let q_ge0 a : 0 <= q a. Proof. by case: qP. Qed.

(** 2 TV^2 <= KL. *)
Theorem pinsker : 2%:R * total_variation p q ^+ 2 <= KL p q.
Proof.
pose w a := (4%:R * q a + 2%:R * p a) / 3%:R.
pose y a := `|p a - q a| / w a.
have w_ge0 a : 0 <= w a by rewrite divr_ge0 ?ler0n // addr_ge0 // mulr_ge0 ?ler0n.
have w_eq0 a : w a = 0 -> p a = 0 /\ q a = 0.
  move/eqP; rewrite mulf_eq0 invr_eq0 pnatr_eq0 orbF paddr_eq0 ?mulr_ge0 ?ler0n // !mulf_eq0 !pnatr_eq0 /=.
  by case/andP=> /eqP -> /eqP ->.
have := cauchy_schwarz (fun=> 1) y w_ge0.
have -> : \sum_a w a * 1 ^+ 2 = 2%:R.
  under eq_bigr => a _ do rewrite expr1n mulr1.
  by rewrite -mulr_suml big_split /= -!mulr_sumr (proj2 pP) (proj2 qP); field.
have -> : \sum_a w a * 1 * y a = 2%:R * total_variation p q.
  rewrite /total_variation mulrA divff ?pnatr_eq0 // mul1r; apply: eq_bigr => a _; rewrite mulr1 /y.
  have [w0 | w_neq0] := eqVneq (w a) 0; last by rewrite mulrC divfK.
  by have [-> ->] := w_eq0 a w0; rewrite w0 mul0r subrr normr0.
move=> le; apply: (@le_trans _ _ (\sum_a w a * y a ^+ 2)).
  have : 2%:R * (2%:R * total_variation p q ^+ 2) <= 2%:R * \sum_a w a * y a ^+ 2.
    by apply: le_trans le; rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
  by rewrite ler_pmul2l ?ltr0n.
have -> : KL p q = \sum_a (p a * log (p a / q a) - p a + q a).
  by rewrite big_split sumrB /= (proj2 pP) (proj2 qP) subrK.
apply: ler_sum => a _; have := kl_term_ge (p_ge0 a) (q_ge0 a) (@support a); apply: le_trans.
rewrite le_eqVlt; apply/orP; left; apply/eqP; rewrite /y /w.
have [w0 | w_neq0] := eqVneq (w a) 0.
  by have [-> ->] := w_eq0 a w0; rewrite subrr normr0 !(mulr0, mul0r, addr0, expr0n).
have -> : (p a - q a) ^+ 2 = `|p a - q a| ^+ 2 by rewrite real_normK ?num_real.
by move: w_neq0; rewrite /w mulf_eq0 invr_eq0 pnatr_eq0 orbF => nz; field.
Qed.

End Pinsker.

Section EquationNine.

Variables (S A : finType) (M : mdp real S A).
Local Notation g := (discount M).
Variables (old new : S -> A -> real) (V_old V_new rho_old rho_new : S -> real).
Hypotheses (oldP : policy old) (newP : policy new).
Hypotheses (V_oldP : is_value M old V_old) (V_newP : is_value M new V_new).
Hypotheses (rho_oldP : is_visitation M old rho_old) (rho_newP : is_visitation M new rho_new).
Variables (eps D : real).
Hypothesis advantage_le : forall s a, `|advantage M V_old s a| <= eps.

Lemma nine_of_total_variation : (forall s, 2%:R * total_variation (old s) (new s) ^+ 2 <= D) ->
  `|return_of M V_new - surrogate M V_old rho_old new| <= 2%:R * eps * g * D / (1 - g) ^+ 2.
Proof.
move=> tv2_le; have tv_le s := total_variation_root (tv2_le s).
have := trpo_tv oldP newP V_oldP V_newP rho_oldP rho_newP tv_le advantage_le.
rewrite sqr_sqrtr; first by congr (_ <= _); field; rewrite lt0r_neq0 // one_minus_discount_gt0.
have [s _] := law_inhabited (start_law M).
by rewrite divr_ge0 ?ler0n //; apply: le_trans (tv2_le s); rewrite mulr_ge0 ?ler0n // sqr_ge0.
Qed.

(** Equation (9), pinsker/kl: |eta(new) - L| <= 2 eps gamma D / (1 - gamma)^2, D the largest KL(old || new). *)
Theorem equation_nine :
  (forall s a, new s a = 0 -> old s a = 0) -> (forall s, KL (old s) (new s) <= D) ->
  `|return_of M V_new - surrogate M V_old rho_old new| <= 2%:R * eps * g * D / (1 - g) ^+ 2.
Proof.
move=> support kl_le; apply: nine_of_total_variation => s.
by have /le_trans := pinsker (oldP s) (newP s) (support s); apply; exact: kl_le.
Qed.

(** pinsker/reverse-kl: the same for the largest KL(new || old). *)
Theorem equation_nine_reverse :
  (forall s a, old s a = 0 -> new s a = 0) -> (forall s, KL (new s) (old s) <= D) ->
  `|return_of M V_new - surrogate M V_old rho_old new| <= 2%:R * eps * g * D / (1 - g) ^+ 2.
Proof.
move=> support kl_le; apply: nine_of_total_variation => s.
have -> : total_variation (old s) (new s) = total_variation (new s) (old s).
  by rewrite /total_variation; congr (_ * _); apply: eq_bigr => a _; rewrite distrC.
by have /le_trans := pinsker (newP s) (oldP s) (support s); apply; exact: kl_le.
Qed.

End EquationNine.
