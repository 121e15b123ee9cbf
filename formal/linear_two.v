(** * The constants of mean-kl/linear-2, checked box by box in interval arithmetic: slow *)

From Coq Require Import Reals Lra.
From Interval Require Import Tactic.
From TRPO Require Import linear_inequality.
Local Open Scope R_scope.

Definition two := Constants 2 (31 / 20) (11 / 10) (1 / 5) (6 / 5) (163 / 100) 4.

Lemma works_two : works two.
Proof.
split; in_numbers two.
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
