(** * Values and visitations exist; the performance difference, equations (3) and (6) *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From TRPO Require Import definitions kernel.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(** A set that bears a law has an element. *)
Lemma law_inhabited (R : realFieldType) (T : finType) (p : T -> R) : law p -> exists x : T, True.
Proof.
case=> _ p_sum; have [x _ | none] := pickP (fun _ : T => true); first by exists x.
by move: p_sum; rewrite big_pred0 // => /eqP; rewrite eq_sym oner_eq0.
Qed.

Section PerformanceDifference.

Variables (R : realFieldType) (S A : finType) (M : mdp R S A).
Local Notation P := (transition M).
Local Notation r := (reward M).
Local Notation rho0 := (start M).
Local Notation g := (discount M).
Implicit Types (pi old new : S -> A -> R) (V rho : S -> R).

Lemma discount_ge0 : 0 <= g. Proof. by case/andP: (discount_range M). Qed.
Lemma discount_lt1 : g < 1. Proof. by case/andP: (discount_range M). Qed.
Lemma one_minus_discount_gt0 : 0 < 1 - g. Proof. by rewrite subr_gt0 discount_lt1. Qed.

(** ** The discounted chain of a policy is a kernel with row sums gamma *)

Definition discounted_chain pi s t := g * chain_of M pi s t.

Lemma chain_ge0 pi : policy pi -> forall s t, 0 <= chain_of M pi s t.
Proof.
move=> piP s t; apply: sumr_ge0 => a _; apply: mulr_ge0; first by case: (piP s).
by case: (transition_law M s a).
Qed.

Lemma chain_row pi : policy pi -> forall s, \sum_t chain_of M pi s t = 1.
Proof.
move=> piP s; rewrite exchange_big /= -(proj2 (piP s)); apply: eq_bigr => a _.
by rewrite -mulr_sumr (proj2 (transition_law M s a)) mulr1.
Qed.

Lemma discounted_chain_ge0 pi : policy pi -> forall s t, 0 <= discounted_chain pi s t.
Proof. by move=> piP s t; rewrite mulr_ge0 ?discount_ge0 // chain_ge0. Qed.

Lemma discounted_chain_row pi : policy pi -> forall s, \sum_t discounted_chain pi s t <= g.
Proof. by move=> piP s; rewrite -mulr_sumr chain_row // mulr1. Qed.

Lemma discounted_chain_sum pi s F :
  \sum_t discounted_chain pi s t * F t = g * (\sum_a pi s a * (\sum_t P s a t * F t)).
Proof.
rewrite /discounted_chain /chain_of; under eq_bigr => t _ do rewrite mulr_sumr mulr_suml.
rewrite exchange_big mulr_sumr /=; apply: eq_bigr => a _; rewrite !mulr_sumr.
by apply: eq_bigr => t _; rewrite !mulrA.
Qed.

Lemma value_kernel pi V :
  is_value M pi V <-> value_equation (discounted_chain pi) (reward_of M pi) V.
Proof.
by split=> VE s; rewrite {1}VE; congr (_ + _); rewrite mulr_sumr; apply: eq_bigr => t _; rewrite mulrA.
Qed.

Lemma visitation_kernel pi rho :
  is_visitation M pi rho <-> visitation_equation (discounted_chain pi) rho0 rho.
Proof.
by split=> rhoE t; rewrite {1}rhoE; congr (_ + _); rewrite mulr_sumr; apply: eq_bigr => s _; rewrite mulrCA.
Qed.

(** ** Nothing below is vacuous *)

Theorem value_exists_unique pi : policy pi ->
  exists V, is_value M pi V /\ forall V', is_value M pi V' -> forall s, V' s = V s.
Proof.
move=> piP; have K_ge0 := discounted_chain_ge0 piP; have K_row := discounted_chain_row piP.
have [V VE] := value_exists K_ge0 K_row discount_lt1 (reward_of M pi).
exists V; split; first by apply/value_kernel.
by move=> V' /value_kernel V'E; apply: (value_unique K_ge0 K_row discount_lt1 V'E VE).
Qed.

Theorem visitation_exists_unique pi : policy pi ->
  exists rho, is_visitation M pi rho /\ forall rho', is_visitation M pi rho' -> forall s, rho' s = rho s.
Proof.
move=> piP; have K_ge0 := discounted_chain_ge0 piP; have K_row := discounted_chain_row piP.
have [rho rhoE] := visitation_exists K_ge0 K_row discount_lt1 rho0.
exists rho; split; first by apply/visitation_kernel.
by move=> rho' /visitation_kernel rho'E; apply: (visitation_unique K_ge0 K_row discount_lt1 rho'E rhoE).
Qed.

Lemma is_visitation_ge0 pi rho : policy pi -> is_visitation M pi rho -> forall s, 0 <= rho s.
Proof.
move=> piP /visitation_kernel rhoE.
apply: (visitation_ge0 (discounted_chain_ge0 piP) (discounted_chain_row piP) discount_lt1 rhoE).
by case: (start_law M).
Qed.

Lemma is_visitation_sum pi rho : policy pi -> is_visitation M pi rho -> \sum_s rho s = (1 - g)^-1.
Proof.
move=> piP /visitation_kernel rhoE.
have oneE : value_equation (discounted_chain pi) (fun=> 1) (fun=> (1 - g)^-1).
  move=> s; rewrite -mulr_suml -mulr_sumr chain_row // mulr1.
  by field; rewrite gt_eqF // one_minus_discount_gt0.
under eq_bigr => s _ do rewrite -[rho s]mulr1.
by rewrite (test_visitation rhoE oneE) -mulr_suml (proj2 (start_law M)) mul1r.
Qed.

(** eta = rho . r_pi *)
Lemma return_visitation pi V rho : is_value M pi V -> is_visitation M pi rho ->
  return_of M V = \sum_s rho s * reward_of M pi s.
Proof. by move=> /value_kernel VE /visitation_kernel rhoE; rewrite (test_visitation rhoE VE). Qed.

(** ** The performance difference *)

Lemma expected_advantageE V pi : policy pi -> forall s,
  expected_advantage M V pi s = reward_of M pi s - (V s - g * (\sum_t chain_of M pi s t * V t)).
Proof.
move=> piP s; rewrite /expected_advantage /advantage.
under eq_bigr => a _ do rewrite mulrBr mulrDr.
rewrite sumrB big_split /= -mulr_suml (proj2 (piP s)) mul1r opprB addrA; congr (_ + _ - _).
transitivity (\sum_a \sum_t g * (pi s a * P s a t * V t)).
  by apply: eq_bigr => a _; rewrite mulrCA !mulr_sumr; apply: eq_bigr => t _; rewrite -mulrA.
by rewrite exchange_big mulr_sumr; apply: eq_bigr => t _; rewrite -mulr_sumr -mulr_suml.
Qed.

(** Any function V in the place of the old value. *)
Theorem performance_difference_of_critic new V V_new rho_new :
  policy new -> is_value M new V_new -> is_visitation M new rho_new ->
  return_of M V_new = return_of M V + \sum_s rho_new s * expected_advantage M V new s.
Proof.
move=> newP VE rhoE; rewrite (return_visitation VE rhoE).
have critic : value_equation (discounted_chain new) (fun s => V s - g * (\sum_t chain_of M new s t * V t)) V.
  move=> s; rewrite mulr_sumr; under [X in _ - X]eq_bigr => t _ do rewrite mulrA.
  by rewrite subrK.
have rhoK : visitation_equation (discounted_chain new) rho0 rho_new by apply/visitation_kernel.
under [X in _ + X]eq_bigr => s _ do rewrite (expected_advantageE V newP) mulrBr.
by rewrite sumrB (test_visitation rhoK critic) /return_of addrCA subrr addr0.
Qed.

(** Equation (6): eta(new) = eta(old) + sum_s rho_new(s) sum_a new(a | s) A_old(s, a); (3) is the same sum, path by path. *)
Theorem performance_difference new V_old V_new rho_new :
  policy new -> is_value M new V_new -> is_visitation M new rho_new ->
  return_of M V_new = return_of M V_old + \sum_s rho_new s * expected_advantage M V_old new s.
Proof. exact: performance_difference_of_critic. Qed.

(** What the surrogate misses: eta(new) - L = sum_s (rho_new - rho_old)(s) Abar(s). *)
Theorem gap_identity new V V_new rho_old rho_new :
  policy new -> is_value M new V_new -> is_visitation M new rho_new ->
  return_of M V_new - surrogate M V rho_old new = \sum_s (rho_new s - rho_old s) * expected_advantage M V new s.
Proof.
move=> newP VE rhoE; rewrite (performance_difference_of_critic V newP VE rhoE) /surrogate opprD addrACA subrr add0r.
under [RHS]eq_bigr => s _ do rewrite mulrBl.
by rewrite sumrB.
Qed.

(** Under the old policy the expected advantage of its own value is zero. *)
Lemma old_advantage_mean old V_old : policy old -> is_value M old V_old ->
  forall s, expected_advantage M V_old old s = 0.
Proof. by move=> oldP VE s; rewrite expected_advantageE // {1}VE addrK subrr. Qed.

Lemma expected_advantage_difference old new V_old : policy old -> is_value M old V_old ->
  forall s, expected_advantage M V_old new s = \sum_a (new s a - old s a) * advantage M V_old s a.
Proof.
move=> oldP VE s; rewrite -[LHS]subr0 -[X in _ - X = _](old_advantage_mean oldP VE s).
under [RHS]eq_bigr => a _ do rewrite mulrBl.
by rewrite sumrB.
Qed.

End PerformanceDifference.
