(** * The constants of mean-kl/linear-4 and mean-kl/linear-2, checked box by box in interval arithmetic: slow *)

From Coq Require Import Reals Lra.
From Interval Require Import Tactic.
From TRPO Require Import linear_inequality.
Local Open Scope R_scope.

Definition four := Constants 4 2 (13 / 10) (7 / 10) (9 / 10) (21 / 10) (1 / 3).
Definition two := Constants 2 (31 / 20) (11 / 10) (1 / 5) (6 / 5) (163 / 100) 4.

(** An inequality in one number of an interval, in numbers of two, or at one end of the first. *)
Ltac in_one := let x := fresh "x" in intros x ?; interval with (i_bisect x, i_depth 30).
Ltac in_two depth :=
  let x := fresh "x" in let y := fresh "y" in intros x y ? ?; interval with (i_bisect x, i_bisect y, i_depth depth).
Ltac at_ends :=
  let x := fresh "x" in let y := fresh "y" in intros x y ? [-> | ->]; interval with (i_bisect x, i_depth 30).

Ltac by_boxes p :=
  split; in_numbers p;
  [ lra | split; interval | interval | in_two 30%nat | at_ends | split; interval | interval
  | in_one | in_one | in_one | in_one | split; interval | in_one | in_one
  | in_two 40%nat | in_two 40%nat | in_two 40%nat | in_two 40%nat | in_two 40%nat | in_two 40%nat ].

Lemma works_four : works four.
Proof. by_boxes four. Qed.

Lemma works_two : works two.
Proof. by_boxes two. Qed.
