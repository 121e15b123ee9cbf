(** * The constants of mean-kl/linear-4, checked box by box in interval arithmetic: slow *)

From Coq Require Import Reals Lra.
From Interval Require Import Tactic.
From TRPO Require Import linear_inequality.
Local Open Scope R_scope.

Definition four := Constants 4 2 (13 / 10) (7 / 10) (9 / 10) (21 / 10) (1 / 3).

Lemma works_four : works four.
Proof.
split; in_numbers four.
- lra.
- split; interval.
- interval.
- intros u l u_in l_in; interval with (i_bisect u, i_bisect l, i_depth 30).
- intros u l u_in [-> | ->]; interval with (i_bisect u, i_depth 30).
- split; interval.
- interval.
- intros l l_in; interval with (i_bisect l, i_depth 30).
- intros l l_in; interval with (i_bisect l, i_depth 30).
- intros x x_in; interval with (i_bisect x, i_depth 30).
- intros x x_in; interval with (i_bisect x, i_depth 30).
- split; interval.
- intros m m_in; interval with (i_bisect m, i_depth 30).
- intros m m_in; interval with (i_bisect m, i_depth 30).
- intros x l x_in l_in; interval with (i_bisect x, i_bisect l, i_depth 40).
- intros x l x_in l_in; interval with (i_bisect x, i_bisect l, i_depth 40).
- intros x l x_in l_in; interval with (i_bisect x, i_bisect l, i_depth 40).
- intros x l x_in l_in; interval with (i_bisect x, i_bisect l, i_depth 40).
- intros x l x_in l_in; interval with (i_bisect x, i_bisect l, i_depth 40).
- intros x l x_in l_in; interval with (i_bisect x, i_bisect l, i_depth 40).
Qed.
