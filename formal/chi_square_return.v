(** * chi2/return, (B): a finite horizon, any return of the path

    T steps, no discount; the return [F] reads the whole path, its state-action pairs and its last state.  With
    L = eta(old) + E_old [F sum_t (l_t - 1)], (eta(new) - L)^2 <= Var_old(F) ((1 + c)^T - 1 - T c). *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From TRPO Require Import definitions chi_square.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Paths.

Variables (R : realFieldType) (S A : finType) (M : mdp R S A).
Local Notation P := (transition M).
Local Notation path := (seq (S * A)).
Implicit Types (F G : path -> S -> R) (pi : S -> A -> R) (h : path).

(** The mean of F over the T steps from state s, and from the first state's law. *)
Fixpoint mean_from pi T s F : R :=
  if T is T'.+1 then \sum_a pi s a * (\sum_t P s a t * mean_from pi T' t (fun h => F ((s, a) :: h))) else F [::] s.

Definition mean pi T F := \sum_s start M s * mean_from pi T s F.

Variables (old new : S -> A -> R).
Hypotheses (oldP : policy old) (newP : policy new).

(** What is asked of the policies is asked in a set of states that old does not leave. *)
Variable reached : S -> Prop.
Hypothesis reached_start : forall s, start M s != 0 -> reached s.
Hypothesis reached_next : forall s a t, reached s -> old s a != 0 -> P s a t != 0 -> reached t.
Hypothesis new_old : forall s a, reached s -> old s a = 0 -> new s a = 0.

Variable c : R.
Hypothesis chi2_le : forall s, reached s -> chi2 (new s) (old s) <= c.

Let P_ge0 s a t : 0 <= P s a t. Proof. by case: (transition_law M s a). Qed.
Let old_ge0 s a : 0 <= old s a. Proof. by case: (oldP s). Qed.

Local Notation l s a := (new s a / old s a).
Definition likelihood_ratio h : R := \prod_(i <- h) l i.1 i.2.
Definition first_order h : R := \sum_(i <- h) (l i.1 i.2 - 1).

(** ** The mean is monotone and linear *)

Lemma mean_from_le T s F G : reached s -> (forall h t, reached t -> F h t <= G h t) ->
  mean_from old T s F <= mean_from old T s G.
Proof.
elim: T s F G => [|T IH] s F G s_in FG /=; first exact: FG.
apply: ler_sum => a _; have [-> | o0] := eqVneq (old s a) 0; first by rewrite !mul0r.
apply: ler_wpmul2l => //; apply: ler_sum => t _; have [-> | p0] := eqVneq (P s a t) 0; first by rewrite !mul0r.
apply: ler_wpmul2l => //; apply: IH => [|h u u_in]; last exact: FG.
exact: reached_next s_in o0 p0.
Qed.

Lemma mean_le T F G : (forall h t, reached t -> F h t <= G h t) -> mean old T F <= mean old T G.
Proof.
move=> FG; apply: ler_sum => s _; have [-> | s0] := eqVneq (start M s) 0; first by rewrite !mul0r.
by apply: ler_wpmul2l; [case: (start_law M) | apply: mean_from_le => //; apply: reached_start].
Qed.

Lemma mean_eq T F G : (forall h t, reached t -> F h t = G h t) -> mean old T F = mean old T G.
Proof. by move=> FG; apply/eqP; rewrite eq_le !mean_le // => h t /FG ->. Qed.

Lemma mean_from_linear pi T s x F G :
  mean_from pi T s (fun h t => x * F h t + G h t) = x * mean_from pi T s F + mean_from pi T s G.
Proof.
elim: T s F G => [//|T IH] s F G /=; rewrite mulr_sumr -big_split /=; apply: eq_bigr => a _.
rewrite [x * _]mulrCA -mulrDr; congr (_ * _); rewrite mulr_sumr -big_split /=; apply: eq_bigr => t _.
by rewrite IH mulrDr mulrCA.
Qed.

Lemma mean_linear pi T x F G : mean pi T (fun h t => x * F h t + G h t) = x * mean pi T F + mean pi T G.
Proof.
rewrite /mean mulr_sumr -big_split /=; apply: eq_bigr => s _.
by rewrite mean_from_linear mulrDr mulrCA.
Qed.

Lemma mean_from_ext pi T s F G : (forall h t, F h t = G h t) -> mean_from pi T s F = mean_from pi T s G.
Proof.
elim: T s F G => [|T IH] s F G FG /=; first exact: FG.
by apply: eq_bigr => a _; congr (_ * _); apply: eq_bigr => t _; congr (_ * _); apply: IH => h u; apply: FG.
Qed.

Lemma mean_from_scale pi T s y F : mean_from pi T s (fun h t => y * F h t) = y * mean_from pi T s F.
Proof.
elim: T s F => [//|T IH] s F /=; rewrite mulr_sumr; apply: eq_bigr => a _.
by rewrite mulrCA; congr (_ * _); rewrite mulr_sumr; apply: eq_bigr => t _; rewrite IH mulrCA.
Qed.

Lemma mean_const T x : mean old T (fun _ _ => x) = x.
Proof.
have from s : mean_from old T s (fun _ _ => x) = x.
  elim: T s => [//|T IH] s /=; rewrite -[RHS]mul1r -(proj2 (oldP s)) mulr_suml; apply: eq_bigr => a _.
  under eq_bigr => t _ do rewrite IH.
  by rewrite -mulr_suml (proj2 (transition_law M s a)) mul1r.
rewrite /mean; under eq_bigr => s _ do rewrite from.
by rewrite -mulr_suml (proj2 (start_law M)) mul1r.
Qed.

Lemma mean_fromS pi T s F : mean_from pi T.+1 s F =
  \sum_a pi s a * (\sum_t P s a t * mean_from pi T t (fun h => F ((s, a) :: h))).
Proof. by []. Qed.

(** The last step, given all before. *)
Lemma mean_from_last pi T s F : mean_from pi T.+1 s F =
  mean_from pi T s (fun h t => \sum_a pi t a * (\sum_u P t a u * F (rcons h (t, a)) u)).
Proof.
elim: T s F => [//|T IH] s F; rewrite (mean_fromS pi T.+1) (mean_fromS pi T); apply: eq_bigr => a _.
by congr (_ * _); apply: eq_bigr => t _; rewrite IH.
Qed.

Lemma mean_last T F : mean old T.+1 F =
  mean old T (fun h t => \sum_a old t a * (\sum_u P t a u * F (rcons h (t, a)) u)).
Proof. by apply: eq_bigr => s _; rewrite mean_from_last. Qed.

(** ** Change of measure *)

Lemma change_from T s F : reached s ->
  mean_from new T s F = mean_from old T s (fun h t => likelihood_ratio h * F h t).
Proof.
elim: T s F => [|T IH] s F s_in /=; first by rewrite /likelihood_ratio big_nil mul1r.
apply: eq_bigr => a _; have [o0 | o0] := eqVneq (old s a) 0; first by rewrite o0 (new_old s_in o0) !mul0r.
have -> : new s a = old s a * l s a by field.
rewrite -mulrA; congr (_ * _); rewrite mulr_sumr; apply: eq_bigr => t _.
have [-> | p0] := eqVneq (P s a t) 0; first by rewrite !mul0r mulr0.
rewrite mulrCA IH; last exact: reached_next s_in o0 p0.
congr (_ * _); rewrite -mean_from_scale; apply: mean_from_ext => h u.
by rewrite /likelihood_ratio big_cons /= mulrA.
Qed.

Lemma change_of_measure T F : mean new T F = mean old T (fun h t => likelihood_ratio h * F h t).
Proof.
apply: eq_bigr => s _; have [-> | s0] := eqVneq (start M s) 0; first by rewrite !mul0r.
by rewrite change_from //; apply: reached_start.
Qed.

(** ** Moments of the ratio *)

Lemma chi2_nonneg t : 0 <= chi2 (new t) (old t).
Proof. by apply: sumr_ge0 => a _; rewrite divr_ge0 // sqr_ge0. Qed.

Lemma c_ge0_of_reached : 0 <= c.
Proof.
have [s s0 | none] := pickP (fun s => start M s != 0).
  by apply: le_trans (chi2_nonneg s) (chi2_le _); apply: reached_start.
have := proj2 (start_law M); rewrite big1 => [/eqP | s _]; first by rewrite eq_sym oner_eq0.
by apply/eqP; move: (none s) => /negbFE.
Qed.

Lemma one_plus_c_ge0 : 0 <= 1 + c.
Proof. by rewrite addr_ge0 ?ler01 ?c_ge0_of_reached. Qed.

Let x h := likelihood_ratio h - 1.
Let z h := x h - first_order h.

Lemma ratio_mean t : reached t -> \sum_a old t a * (l t a - 1) = 0.
Proof.
move=> t_in; transitivity (\sum_a (new t a - old t a)); last by rewrite sumrB (proj2 (oldP t)) (proj2 (newP t)) subrr.
apply: eq_bigr => a _; have [o0 | o0] := eqVneq (old t a) 0; last by field.
by rewrite o0 (new_old t_in o0) subrr mul0r.
Qed.

Lemma ratio_square t : reached t -> \sum_a old t a * (l t a - 1) ^+ 2 = chi2 (new t) (old t).
Proof.
move=> t_in; apply: eq_bigr => a _; have [o0 | o0] := eqVneq (old t a) 0; last by field.
by rewrite o0 invr0 !(mulr0, mul0r).
Qed.

Lemma x_rcons h t a : x (rcons h (t, a)) = x h + (x h + 1) * (l t a - 1).
Proof. by rewrite /x /likelihood_ratio -cats1 big_cat big_seq1 /=; ring. Qed.

Lemma z_rcons h t a : z (rcons h (t, a)) = z h + x h * (l t a - 1).
Proof. by rewrite /z x_rcons /first_order -cats1 big_cat big_seq1 /=; ring. Qed.

(** One more step, of a polynomial in l - 1 of degree 2. *)
Lemma last_step t (p q r : R) : reached t ->
  \sum_a old t a * (\sum_u P t a u * (p + q * (l t a - 1) + r * (l t a - 1) ^+ 2)) = p + r * chi2 (new t) (old t).
Proof.
move=> t_in; under eq_bigr => a _ do rewrite -mulr_suml (proj2 (transition_law M t a)) mul1r.
transitivity (\sum_a (p * old t a + q * (old t a * (l t a - 1)) + r * (old t a * (l t a - 1) ^+ 2))).
  by apply: eq_bigr => a _; ring.
by rewrite !big_split /= -!mulr_sumr ratio_mean // ratio_square // (proj2 (oldP t)) mulr1 mulr0 addr0.
Qed.

Lemma x_mean T : mean old T (fun h _ => x h) = 0.
Proof.
elim: T => [|T IH].
  rewrite /mean /= /x /likelihood_ratio big_nil subrr; apply: big1 => s _; exact: mulr0.
rewrite mean_last -[RHS]IH; apply: mean_eq => h t t_in.
have := last_step (x h) (x h + 1) 0 t_in; rewrite mul0r addr0 => <-.
by apply: eq_bigr => a _; congr (_ * _); apply: eq_bigr => u _; rewrite x_rcons mul0r addr0.
Qed.

Lemma z_mean T : mean old T (fun h _ => z h) = 0.
Proof.
elim: T => [|T IH].
  rewrite /mean /= /z /x /likelihood_ratio /first_order !big_nil !subrr; apply: big1 => s _; exact: mulr0.
rewrite mean_last -[RHS]IH; apply: mean_eq => h t t_in.
have := last_step (z h) (x h) 0 t_in; rewrite mul0r addr0 => <-.
by apply: eq_bigr => a _; congr (_ * _); apply: eq_bigr => u _; rewrite z_rcons mul0r addr0.
Qed.

Lemma x_square T : mean old T (fun h _ => x h ^+ 2) <= (1 + c) ^+ T - 1.
Proof.
elim: T => [|T IH].
  rewrite /mean /= /x /likelihood_ratio big_nil !subrr expr0n /= big1 // => s _; exact: mulr0.
rewrite mean_last; apply: (@le_trans _ _ (mean old T (fun h _ => (1 + c) * x h ^+ 2 + (2 * c * x h + c)))).
  apply: mean_le => h t t_in.
  apply: (@le_trans _ _ (x h ^+ 2 + (x h + 1) ^+ 2 * chi2 (new t) (old t))).
    rewrite -(last_step (x h ^+ 2) (2 * x h * (x h + 1)) _ t_in) le_eqVlt; apply/orP; left; apply/eqP.
    by apply: eq_bigr => a _; congr (_ * _); apply: eq_bigr => u _; rewrite x_rcons; ring.
  have -> : (1 + c) * x h ^+ 2 + (2 * c * x h + c) = x h ^+ 2 + (x h + 1) ^+ 2 * c by ring.
  by rewrite ler_add2l; apply: ler_wpmul2l; [apply: sqr_ge0 | apply: chi2_le].
rewrite mean_linear mean_linear x_mean mulr0 add0r mean_const.
have {1}-> : (1 + c) ^+ T.+1 - 1 = (1 + c) * ((1 + c) ^+ T - 1) + c by rewrite exprS; ring.
by rewrite ler_add2r; apply: ler_wpmul2l => //; apply: one_plus_c_ge0.
Qed.

Lemma z_square T : mean old T (fun h _ => z h ^+ 2) <= (1 + c) ^+ T - 1 - T%:R * c.
Proof.
elim: T => [|T IH].
  rewrite /mean /= /z /x /likelihood_ratio /first_order !big_nil !subrr expr0n /= mul0r subr0 big1 // => s _.
  exact: mulr0.
rewrite mean_last; apply: (@le_trans _ _ (mean old T (fun h _ => c * x h ^+ 2 + z h ^+ 2))).
  apply: mean_le => h t t_in.
  apply: (@le_trans _ _ (z h ^+ 2 + x h ^+ 2 * chi2 (new t) (old t))).
    rewrite -(last_step (z h ^+ 2) (2 * z h * x h) _ t_in) le_eqVlt; apply/orP; left; apply/eqP.
    by apply: eq_bigr => a _; congr (_ * _); apply: eq_bigr => u _; rewrite z_rcons; ring.
  by rewrite addrC ler_add2r mulrC; apply: ler_wpmul2r; [apply: sqr_ge0 | apply: chi2_le].
rewrite mean_linear.
have -> : (1 + c) ^+ T.+1 - 1 - T.+1%:R * c = c * ((1 + c) ^+ T - 1) + ((1 + c) ^+ T - 1 - T%:R * c).
  by rewrite exprS mulrSr; ring.
by apply: ler_add => //; apply: ler_wpmul2l; [apply: c_ge0_of_reached | apply: x_square].
Qed.

(** ** The theorem *)

Variables (T : nat) (F : path -> S -> R).

(** (B), with any constant m in the place of the mean of F. *)
Theorem chi2_return m :
  (mean new T F - (mean old T F + mean old T (fun h t => F h t * first_order h))) ^+ 2 <=
    mean old T (fun h t => (F h t - m) ^+ 2) * ((1 + c) ^+ T - 1 - T%:R * c).
Proof.
have -> : mean new T F - (mean old T F + mean old T (fun h t => F h t * first_order h)) =
    mean old T (fun h t => (F h t - m) * z h).
  have -> : mean old T (fun h t => (F h t - m) * z h) =
      mean old T (fun h t => (- m) * z h + (- 1 * (F h t * first_order h)
        + ((- 1) * F h t + likelihood_ratio h * F h t))).
    by apply: mean_eq => h t _; rewrite /z /x; ring.
  rewrite mean_linear z_mean mulr0 add0r mean_linear mean_linear change_of_measure.
  by move: (mean _ _ _) (mean _ _ _) (mean _ _ _) => p q r; ring.
have moment_ge0 : 0 <= mean old T (fun h t => (F h t - m) ^+ 2).
  by rewrite -(mean_const T 0); apply: mean_le => h t _; apply: sqr_ge0.
apply: le_trans (_ : _ <= mean old T (fun h t => (F h t - m) ^+ 2) * mean old T (fun h t => z h ^+ 2)) _; last first.
  by apply: ler_wpmul2l => //; apply: z_square.
apply: discriminant => t u.
have -> : mean old T (fun h s => (F h s - m) ^+ 2) * t ^+ 2 + 2 * mean old T (fun h s => (F h s - m) * z h) * t * u
    + mean old T (fun h s => z h ^+ 2) * u ^+ 2 = mean old T (fun h s => (t * (F h s - m) + u * z h) ^+ 2).
  have -> : mean old T (fun h s => (t * (F h s - m) + u * z h) ^+ 2) =
      mean old T (fun h s => t ^+ 2 * (F h s - m) ^+ 2 + (2 * t * u * ((F h s - m) * z h)
        + (u ^+ 2 * z h ^+ 2 + 0))).
    by apply: mean_eq => h s _; ring.
  by rewrite 3!mean_linear mean_const; ring.
by rewrite -(mean_const T 0); apply: mean_le => h s _; apply: sqr_ge0.
Qed.

End Paths.
