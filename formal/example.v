(** * The certificate, applied to one MDP over the rationals and computed

    Two states and two actions, [true] and [false]; the action taken is the next state; action [true] pays 1 in state
    [true].  Old is uniform, new takes [true] with probability 11/20.  Nothing is assumed: the value and the visitation of old
    are given and checked, and the conclusion holds for whatever solves Bellman's equation of new. *)

From mathcomp Require Import all_ssreflect all_algebra.
From TRPO Require Import definitions kernel performance_difference chi_square.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Definition half : rat := 1 / 2%:Q.

Definition example_transition (_ a t : bool) : rat := (t == a)%:R.
Definition example_reward (s a : bool) : rat := (s && a)%:R.
Definition example_start (_ : bool) : rat := half.

Lemma example_transition_law s a : law (example_transition s a).
Proof. by split=> [[]|]; [case: a | case: a | rewrite big_bool; case: a]. Qed.

Lemma example_start_law : law example_start.
Proof. by split=> [[]|] //; rewrite big_bool. Qed.

Lemma example_discount : 0 <= half < 1. Proof. by []. Qed.

Definition example : mdp rat_realFieldType bool_finType bool_finType :=
  MDP example_reward example_transition_law example_start_law example_discount.

Definition example_old (_ a : bool) : rat := half.
Definition example_new (_ a : bool) : rat := if a then 11%:Q / 20%:Q else 9%:Q / 20%:Q.
Definition example_value (s : bool) : rat := if s then 3%:Q / 4%:Q else 1 / 4%:Q.
Definition example_visitation (_ : bool) : rat := 1.

Lemma example_old_policy : policy example_old.
Proof. by move=> s; split=> [[]|] //; rewrite big_bool. Qed.

Lemma example_new_policy : policy example_new.
Proof. by move=> s; split=> [[]|] //; rewrite big_bool. Qed.

Lemma example_value_solves : is_value example example_old example_value.
Proof. by case; rewrite /reward_of /chain_of !big_bool ?big_bool; apply/eqP; vm_compute. Qed.

Lemma example_visitation_solves : is_visitation example example_old example_visitation.
Proof. by case; rewrite /chain_of !big_bool ?big_bool; apply/eqP; vm_compute. Qed.

(** The certificate's three numbers: c = 1/100, the mean 3/80 and the variance 1/1600 of Abar. *)
Lemma example_expected_advantage s :
  expected_advantage example example_value example_new s = if s then 1 / 16%:Q else 1 / 80%:Q.
Proof. by case: s; rewrite /expected_advantage /advantage !big_bool ?big_bool; apply/eqP; vm_compute. Qed.

Theorem example_improves V_new rho_new :
  is_value example example_new V_new -> is_visitation example example_new rho_new ->
  return_of example example_value < return_of example V_new.
Proof.
move=> V_newP rho_newP.
have support s a : 0 < example_visitation s -> example_old s a = 0 -> example_new s a = 0 by [].
have chi2_le s : 0 < example_visitation s -> chi2 (example_new s) (example_old s) <= 1 / 100%:Q.
  by move=> _; rewrite /chi2 big_bool.
apply: (coefficient_of_variation example_old_policy example_new_policy V_newP example_visitation_solves rho_newP
  support chi2_le) => //; rewrite !big_bool !example_expected_advantage; by vm_compute.
Qed.
