(** * The two rectangles of linear_inequality.v, box by box: the slow file

    Interval arithmetic in Coq's native floats; some minutes. *)

From Coq Require Import Reals Lra.
From Interval Require Import Tactic.
Local Open Scope R_scope.

Lemma H_left x l : 0 <= x <= 19 / 20 -> 1 / 20 <= l <= 30 ->
  0 <= 1 / 3 * (4 * (l - 1 - ln l) - 8 * x ^ 2 * (l - 1) ^ 2 / ((x + 1) ^ 2 * (x * l + 1))) + 2 * (1 - x) ^ 2 / (x + 1)
    + (1 - x) * (13 / 10 * (1 - x) / (1 - x + 7 / 10) * (l - 1)
      - Rabs (l - 1 + (1 - x) ^ 2 / ((1 - x) ^ 2 + 9 / 10))).
Proof. intros x_in l_in; interval with (i_bisect x, i_bisect l, i_depth 40). Qed.

Lemma H_right x l : 21 / 20 <= x <= 12 -> 1 / 20 <= l <= 30 ->
  0 <= 1 / 3 * (4 * (l - 1 - ln l) - 8 * x ^ 2 * (l - 1) ^ 2 / ((x + 1) ^ 2 * (x * l + 1))) + 2 * (x - 1) ^ 2 / (x + 1)
    + (x - 1) * (13 / 10 * (x - 1) / (x - 1 + 7 / 10) * (l - 1)
      - Rabs (l - 1 + (x - 1) ^ 2 / ((x - 1) ^ 2 + 9 / 10))).
Proof. intros x_in l_in; interval with (i_bisect x, i_bisect l, i_depth 40). Qed.
