(** * Inequalities of the logarithm, in Coq's reals *)

From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
Local Open Scope R_scope.

(** ln x >= (x - 1)(5 x + 1) / (2 x (x + 2)): side by side at 1, and the difference has the derivative
    (x - 1)^3 / (x (x + 2))^2. *)
Lemma ln_pade x : 0 < x -> (x - 1) * (5 * x + 1) / (2 * x * (x + 2)) <= ln x.
Proof.
intros x_gt0.
pose (phi := fun y => ln y - (y - 1) * (5 * y + 1) / (2 * y * (y + 2))).
pose (dphi := fun y => (y - 1) ^ 3 / (y * (y + 2)) ^ 2).
destruct (MVT_gen phi 1 x dphi) as [c [[c_ge c_le] phiE]].
- intros y [y_gt y_lt].
  assert (y_pos : 0 < y) by (apply Rlt_trans with (2 := y_gt); apply Rmin_case; lra).
  unfold phi, dphi; auto_derive.
  + repeat split; try lra; apply Rgt_not_eq; nra.
  + field; split; lra.
- intros y [y_ge y_le].
  assert (y_pos : 0 < y) by (apply Rlt_le_trans with (2 := y_ge); apply Rmin_case; lra).
  apply derivable_continuous_pt, ex_derive_Reals_0; unfold phi; auto_derive.
  repeat split; try lra; apply Rgt_not_eq; nra.
- assert (phi1 : phi 1 = 0) by (unfold phi; rewrite ln_1; field).
  assert (c_pos : 0 < c) by (apply Rlt_le_trans with (2 := c_ge); apply Rmin_case; lra).
  assert (0 <= phi x); [|unfold phi in H; lra].
  rewrite phi1 in phiE; replace (phi x) with (dphi c * (x - 1)) by lra.
  unfold dphi; replace ((c - 1) ^ 3 / (c * (c + 2)) ^ 2 * (x - 1))
    with ((c - 1) ^ 2 / (c * (c + 2)) ^ 2 * ((c - 1) * (x - 1))) by (field; lra).
  apply Rmult_le_pos.
  + apply Rmult_le_pos; [apply pow2_ge_0|].
    apply Rlt_le, Rinv_0_lt_compat, pow_lt; nra.
  + revert c_ge c_le; unfold Rmin, Rmax; destruct (Rle_dec 1 x); intros; nra.
Qed.

(** p ln(p / q) - p + q >= 3 (p - q)^2 / (4 q + 2 p). *)
Lemma kl_term p q : 0 < p -> 0 < q -> 3 * (p - q) ^ 2 / (4 * q + 2 * p) <= p * ln (p / q) - p + q.
Proof.
intros p_gt0 q_gt0.
assert (x_gt0 : 0 < p / q) by (apply Rdiv_lt_0_compat; lra).
generalize (ln_pade (p / q) x_gt0); intros H.
apply (Rmult_le_compat_l p) in H; [|lra].
replace (3 * (p - q) ^ 2 / (4 * q + 2 * p))
  with (p * ((p / q - 1) * (5 * (p / q) + 1) / (2 * (p / q) * (p / q + 2))) - p + q); [lra|].
field; repeat split; try lra; apply Rgt_not_eq; nra.
Qed.

Lemma ln_le_sub1 x : 0 < x -> ln x <= x - 1.
Proof.
intros x_gt0; generalize (exp_ineq1_le (ln x)); rewrite exp_ln; lra.
Qed.
