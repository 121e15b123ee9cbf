(** * What the theorems speak of

    These lines are all that has to be believed of the model: laws, Markov decision processes, policies, values and
    visitations, the surrogate, divergences.  [S] and [A] are finite sets of states and actions, [R] is any ordered field
    (the rationals, the reals).  Functions stand for vectors and matrices; [\sum_s f s] is a sum over all of [S].  *)

From mathcomp Require Import all_ssreflect all_algebra.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(** A probability law on a finite set. *)
Definition law (R : realFieldType) (T : finType) (p : T -> R) := (forall x, 0 <= p x) /\ \sum_x p x = 1.

(** A finite Markov decision process: the law [transition s a] of the next state, rewards [reward s a], the law [start] of
    the first state, the discount. *)
Record mdp (R : realFieldType) (S A : finType) := MDP {
  transition : S -> A -> S -> R;
  reward : S -> A -> R;
  start : S -> R;
  discount : R;
  transition_law : forall s a, law (transition s a);
  start_law : law start;
  discount_range : 0 <= discount < 1 }.

Section Definitions.

Variables (R : realFieldType) (S A : finType) (M : mdp R S A).

(** [pi s a] is the probability of action [a] in state [s]. *)
Definition policy (pi : S -> A -> R) := forall s, law (pi s).

(** Reward and transitions under a policy. *)
Definition reward_of (pi : S -> A -> R) s := \sum_a pi s a * reward M s a.
Definition chain_of (pi : S -> A -> R) s t := \sum_a pi s a * transition M s a t.

(** V = r_pi + gamma P_pi V: Bellman's equation.  rho = rho_0 + gamma P_pi^T rho: expected discounted visits. *)
Definition is_value pi (V : S -> R) := forall s, V s = reward_of pi s + discount M * (\sum_t chain_of pi s t * V t).
Definition is_visitation pi (rho : S -> R) :=
  forall t, rho t = start M t + discount M * (\sum_s rho s * chain_of pi s t).

(** The expected discounted return, eta = rho_0 . V. *)
Definition return_of (V : S -> R) := \sum_s start M s * V s.

(** A(s, a) = r(s, a) + gamma E V(s') - V(s), and its mean under a policy in a state. *)
Definition advantage (V : S -> R) s a := reward M s a + discount M * (\sum_t transition M s a t * V t) - V s.
Definition expected_advantage (V : S -> R) (pi : S -> A -> R) s := \sum_a pi s a * advantage V s a.

(** The surrogate of a policy [new] at an old one of value [V] and visitation [rho], equation (7):
    L(new) = eta(old) + sum_s rho_old(s) sum_a new(a | s) A_old(s, a). *)
Definition surrogate (V rho : S -> R) (new : S -> A -> R) := return_of V + \sum_s rho s * expected_advantage V new s.

(** Divergences of two laws.  ([x / 0] is 0 here: a theorem that reads [chi2 q p] says where p may be 0.) *)
Definition total_variation (p q : A -> R) := 2^-1 * (\sum_a `|p a - q a|).
Definition chi2 (q p : A -> R) := \sum_a (q a - p a) ^+ 2 / p a.

(** sum_a p f(q / p); an action with p = 0 counts q times [slope], the limit of f(l) / l. *)
Definition f_divergence (f : R -> R) (slope : R) (p q : A -> R) :=
  \sum_a (if p a == 0 then q a * slope else p a * f (q a / p a)).

End Definitions.
