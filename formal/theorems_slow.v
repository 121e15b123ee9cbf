(** * What the slow part proves, and from which axioms: [check --slow] compares what this prints with theorems_slow.txt *)

From TRPO Require linear_mean_kl.
From mathcomp Require Import all_ssreflect all_algebra.
From TRPO Require Import definitions kullback_leibler.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.
Set Printing Width 110.
Unset Printing Implicit Defensive.

Check @linear_mean_kl.mean_kl_linear_4. Print Assumptions linear_mean_kl.mean_kl_linear_4.
Check @linear_mean_kl.mean_kl_linear_2. Print Assumptions linear_mean_kl.mean_kl_linear_2.
