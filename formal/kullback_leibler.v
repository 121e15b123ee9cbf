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

(** KL(p || q) = sum_a p ln(p / q).  An action with p = 0 counts 0; theorems ask that q = 0 only where p = 0: elsewhere the
    divergence is infinite, and they say nothing. *)
Definition KL (A : finType) (p q : A -> real) : real := \sum_a p a * ln (p a / q a).

Lemma numeralE (n : nat) : n%:R = INR n :> R. Proof. by rewrite INRE. Qed.

Lemma kl_term_ge (p q : real) : 0 <= p -> 0 <= q -> (q = 0 -> p = 0) ->
  3%:R * (p - q) ^+ 2 / (4%:R * q + 2%:R * p) <= p * ln (p / q) - p + q.
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
have := kl_term (elimT (RltP 0 p) p_gt0) (elimT (RltP 0 q) q_gt0).
rewrite (RdivE _ q_neq0) => H; apply/RleP; rewrite -(RdivE _ d_neq0) -RpowE !numeralE.
by have -> : INR 4 = 4%R by [rewrite /=; ring].
Qed.
