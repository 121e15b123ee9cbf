(** * What a supersolution proves: the sharp gap for the largest and for the mean divergence *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From TRPO Require Import definitions kernel performance_difference supersolution.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Statements.

Variables (R : archiFieldType) (g : R) (f : R -> R) (f_slope : R) (allowed : R -> Prop).

(** Whatever law of (l, A) is played, with E l = 1, E A = 0 and E f(l) <= D, what is earned now, k (l - 1) A, and what [next]
    says of gamma times the rest is at most [here].  [next_slope] is for ratios l = infinity, as [f_slope] is for f. *)
Definition bounds_all_laws (k D : R) (next : R -> R) (next_slope here : R) :=
  exists lam mu nu : R, [/\ 0 <= lam,
    forall l A, 0 <= l -> allowed l -> A = 1 \/ A = -1 ->
      k * (l - 1) * A + g * next l + lam * (D - f l) - mu * (l - 1) - nu * A <= here &
    forall A, A = 1 \/ A = -1 -> k * A + g * next_slope - lam * f_slope - mu <= 0].

(** w, with slope [w_slope] at infinity, is a supersolution at radius D. *)
Definition supersolution (D : R) (w : R -> R) (w_slope : R) := [/\
  forall x, 0 <= x -> 0 <= w x,
  forall x, 0 <= x -> bounds_all_laws `|x - 1| D (fun l => w (x * l)) (x * w_slope) (w x) &
  bounds_all_laws 1 D (fun l => w_slope * l) w_slope w_slope].

(** For a mean the multiplier lam is one number, D is not there, and at infinity the divergence does not count. *)
Definition mean_supersolution (lam : R) (w : R -> R) (w_slope : R) := [/\
  forall x, 0 <= x -> 0 <= w x,
  forall x, 0 <= x -> exists mu nu : R,
    (forall l A, 0 <= l -> allowed l -> A = 1 \/ A = -1 ->
      `|x - 1| * (l - 1) * A + g * w (x * l) - lam * f l - mu * (l - 1) - nu * A <= w x) /\
    (forall A, A = 1 \/ A = -1 -> `|x - 1| * A + g * (x * w_slope) - lam * f_slope - mu <= 0) &
  exists mu nu : R,
    (forall l A, 0 <= l -> A = 1 \/ A = -1 -> (l - 1) * A + g * (w_slope * l) - mu * (l - 1) - nu * A <= w_slope) /\
    (forall A, A = 1 \/ A = -1 -> A + g * w_slope - mu <= 0)].

End Statements.

Section SharpGap.

Variables (R : archiFieldType) (S A : finType) (M : mdp R S A).
Local Notation P := (transition M).
Local Notation rho0 := (start M).
Local Notation g := (discount M).

Variables (old new : S -> A -> R) (V_old V_new rho_old rho_new : S -> R).
Hypotheses (oldP : policy old) (newP : policy new).
Hypotheses (V_oldP : is_value M old V_old) (V_newP : is_value M new V_new).
Hypotheses (rho_oldP : is_visitation M old rho_old) (rho_newP : is_visitation M new rho_new).
Variable eps : R.
Hypothesis advantage_le : forall s a, `|advantage M V_old s a| <= eps.

Variables (f : R -> R) (f_slope : R) (allowed : R -> Prop).
Local Notation Abar := (expected_advantage M V_old new).
Local Notation ratio s a := (new s a / old s a).
Local Notation div s := (f_divergence f f_slope (old s) (new s)).

Let g_ge0 : 0 <= g := discount_ge0 M.

Lemma eps_ge0 : 0 <= eps.
Proof.
have [s _] := law_inhabited (start_law M); have [a _] := law_inhabited (oldP s).
exact: le_trans (normr_ge0 _) (advantage_le s a).
Qed.

Lemma expected_advantage_value pi : policy pi -> exists F, value_equation (discounted_chain M pi) Abar F.
Proof. by move=> piP; apply: value_exists (discounted_chain_ge0 M piP) (discounted_chain_row M piP) (discount_lt1 M) _. Qed.

(** At infinity: if eps w_slope pays for -Abar in every state, it is above the new value of -Abar. *)
Lemma slope_bound F_new w_slope : value_equation (discounted_chain M new) Abar F_new ->
  (forall s, - Abar s <= (1 - g) * (eps * w_slope)) -> forall s, - F_new s <= eps * w_slope.
Proof.
move=> F_newE Abar_ge.
have constE : value_equation (discounted_chain M new) (fun=> (1 - g) * (eps * w_slope)) (fun=> eps * w_slope).
  by move=> s; rewrite -mulr_suml -mulr_sumr chain_row // mulr1; ring.
apply: (value_comparison (discounted_chain_ge0 M newP) (discounted_chain_row M newP) (discount_lt1 M) constE) => s.
under eq_bigr => t _ do rewrite mulrN.
by rewrite sumrN {1}F_newE opprD ler_add2r.
Qed.

Lemma slope_sum s w_slope :
  \sum_a (if old s a == 0 then new s a * w_slope else old s a * (w_slope * ratio s a)) = w_slope.
Proof.
rewrite -[RHS]mul1r -(proj2 (newP s)) mulr_suml; apply: eq_bigr => a _; case: eqP => // /eqP o0.
by field.
Qed.

Lemma sign_of x : `|x - 1| * (- Num.sg (x - 1)) = 1 - x :> R.
Proof. by rewrite mulrN mulrC -numEsg opprB. Qed.

Lemma sign_le1 (x : R) : `|- Num.sg x| <= 1.
Proof. by rewrite normrN; case: sgrP; rewrite ?normr0 ?normrN ?normr1 ?ler01. Qed.

(** ** The largest divergence *)

Theorem sharp_gap_max D w w_slope :
  supersolution g f f_slope allowed D w w_slope ->
  (forall s a, old s a != 0 -> allowed (ratio s a)) -> (forall s, div s <= D) ->
  surrogate M V_old rho_old new - return_of M V_new <= eps * w 1.
Proof.
move=> [w_ge0 super super_slope] all_allowed div_le.
have [F_old F_oldE] := expected_advantage_value oldP; have [F_new F_newE] := expected_advantage_value newP.
have pay_ge0 lam s : 0 <= lam -> 0 <= eps * lam * (D - div s).
  by move=> lam_ge0; rewrite !mulr_ge0 ?eps_ge0 // subr_ge0.
have F_new_ge : forall s, - F_new s <= eps * w_slope.
  apply: slope_bound F_newE _ => s; have [lam [mu [nu [lam_ge0 finite infinite]]]] := super_slope.
  have := averaged oldP newP V_oldP advantage_le (sign := -1) _ (all_allowed s) finite infinite.
  rewrite slope_sum normrN normr1 mulrN1 mulN1r => /(_ (lexx _)) average.
  have := pay_ge0 lam s lam_ge0; rewrite mulrBl mul1r ler_subr_addr => pay.
  apply: le_trans average; rewrite -[X in X <= _]addr0; apply: ler_add pay.
  by rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
have U_ge0 (s : S) x : 0 <= x -> 0 <= eps * w x by move=> x_ge0; rewrite mulr_ge0 ?eps_ge0 ?w_ge0.
apply: le_trans (gap_below_barrier (U := fun=> fun x => eps * w x) oldP newP V_newP rho_oldP rho_newP F_oldE F_newE
  U_ge0 F_new_ge _) _; last first.
  by rewrite -mulr_suml (proj2 (start_law M)) mul1r.
move=> s x _ x_ge0; have [lam [mu [nu [lam_ge0 finite infinite]]]] := super x x_ge0.
have := averaged oldP newP V_oldP advantage_le (sign_le1 (x - 1)) (all_allowed s) finite infinite.
rewrite sign_of => average; apply: le_trans average; rewrite -[X in X <= _]addr0; apply: ler_add; last exact: pay_ge0.
rewrite ler_add2l -mulrA mulrCA ler_wpmul2l // mulr_sumr; apply: ler_sum => a _; case: eqP => _.
  by rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
by rewrite -mulr_suml (proj2 (transition_law M s a)) mul1r mulrCA.
Qed.

(** ** The mean divergence *)

Theorem sharp_gap_mean lam w w_slope :
  0 <= lam -> mean_supersolution g f f_slope allowed lam w w_slope ->
  (forall l, 0 <= l -> allowed l -> 0 <= f l) -> 0 <= f_slope ->
  (forall s a, 0 < rho_old s -> old s a != 0 -> allowed (ratio s a)) ->
  surrogate M V_old rho_old new - return_of M V_new <= eps * (w 1 + lam * (\sum_s rho_old s * div s)).
Proof.
move=> lam_ge0 [w_ge0 super super_slope] f_ge0 f_slope_ge0 all_allowed.
have [F_old F_oldE] := expected_advantage_value oldP; have [F_new F_newE] := expected_advantage_value newP.
have F_new_ge : forall s, - F_new s <= eps * w_slope.
  apply: slope_bound F_newE _ => s; have [mu [nu [finite infinite]]] := super_slope.
  have finite' l b : 0 <= l -> True -> b = 1 \/ b = -1 ->
      1 * (l - 1) * b + g * (w_slope * l) + 0 * (0 - (fun=> 0) l) - mu * (l - 1) - nu * b <= w_slope.
    by move=> l_ge0 _ bP; have := finite l b l_ge0 bP; congr (_ <= _); ring.
  have infinite' b : b = 1 \/ b = -1 -> 1 * b + g * w_slope - 0 * 0 - mu <= 0.
    by move=> bP; have := infinite b bP; congr (_ <= _); ring.
  have sign1 : `|-1 : R| <= 1 by rewrite normrN normr1.
  have := averaged oldP newP V_oldP advantage_le (allowed := fun=> True) sign1 (fun a _ => I) finite' infinite' (s := s).
  rewrite /= slope_sum mulr0 mul0r addr0 mulrN1 mulN1r => average.
  by rewrite mulrBl mul1r ler_subr_addr; apply: le_trans average; rewrite ler_add2l mulrCA mulrA.
pose cost s := if 0 < rho_old s then div s else 0.
have [F_div F_divE] := value_exists (discounted_chain_ge0 M oldP) (discounted_chain_row M oldP) (discount_lt1 M) cost.
have old_ge0 s a : 0 <= old s a by case: (oldP s).
have new_ge0 s a : 0 <= new s a by case: (newP s).
have cost_ge0 s : 0 <= cost s.
  rewrite /cost; case: ifP => // s_vis; apply: sumr_ge0 => a _; case: eqP => [_ | /eqP o0]; first by rewrite mulr_ge0.
  by rewrite mulr_ge0 //; apply: f_ge0; [rewrite divr_ge0 | apply: all_allowed].
have F_div_ge0 := value_ge0 (discounted_chain_ge0 M oldP) (discounted_chain_row M oldP) (discount_lt1 M) F_divE cost_ge0.
have U_ge0 s x : 0 <= x -> 0 <= eps * (w x + lam * F_div s).
  by move=> x_ge0; rewrite mulr_ge0 ?eps_ge0 // addr_ge0 ?w_ge0 // mulr_ge0.
apply: le_trans (gap_below_barrier (U := fun s x => eps * (w x + lam * F_div s)) oldP newP V_newP rho_oldP rho_newP
  F_oldE F_newE U_ge0 F_new_ge _) _; last first.
  have rho_oldK : visitation_equation (discounted_chain M old) rho0 rho_old by apply/visitation_kernel.
  have -> : \sum_s rho_old s * div s = \sum_s rho0 s * F_div s.
    rewrite -(test_visitation rho_oldK F_divE); apply: eq_bigr => s _; rewrite /cost; case: ifP => // /negbT.
    rewrite -leNgt => le0; have := is_visitation_ge0 oldP rho_oldP s => ge0.
    by have -> : rho_old s = 0 by [apply/eqP; rewrite eq_le le0 ge0]; rewrite !mul0r.
  rewrite le_eqVlt; apply/orP; left; apply/eqP.
  under eq_bigr => s _ do rewrite mulrCA mulrDr.
  rewrite -mulr_sumr big_split /= -mulr_suml (proj2 (start_law M)) mul1r mulr_sumr; congr (_ * (_ + _)).
  by apply: eq_bigr => s _; rewrite mulrCA.
move=> s x s_vis x_ge0; have [mu [nu [finite infinite]]] := super x x_ge0.
have finite' l b : 0 <= l -> allowed l -> b = 1 \/ b = -1 ->
    `|x - 1| * (l - 1) * b + g * w (x * l) + lam * (0 - f l) - mu * (l - 1) - nu * b <= w x.
  by move=> l_ge0 l_allowed bP; rewrite sub0r mulrN; apply: finite.
have := averaged oldP newP V_oldP advantage_le (next := fun l => w (x * l)) (sign_le1 (x - 1))
  (fun a => all_allowed s a s_vis) finite' infinite.
rewrite /= sign_of => average.
rewrite mulrDr {1}F_divE /cost s_vis.
rewrite discounted_chain_sum.
have -> : \sum_a (if old s a == 0 then x * new s a * (eps * w_slope)
      else old s a * (\sum_t P s a t * (eps * (w (x * ratio s a) + lam * F_div t)))) =
    eps * (\sum_a (if old s a == 0 then new s a * (x * w_slope) else old s a * w (x * ratio s a)))
    + eps * lam * (\sum_a old s a * (\sum_t P s a t * F_div t)).
  rewrite !mulr_sumr -big_split /=; apply: eq_bigr => a _; case: eqP => [-> | _]; first by ring.
  have -> : \sum_t P s a t * (eps * (w (x * ratio s a) + lam * F_div t)) =
      eps * w (x * ratio s a) + eps * lam * (\sum_t P s a t * F_div t).
    rewrite -[eps * w _]mul1r -(proj2 (transition_law M s a)) mulr_suml mulr_sumr -big_split /=.
    by apply: eq_bigr => t _; ring.
  by move: (\sum_t _) => z; ring.
move: average; rewrite sub0r.
move: (\sum_a (if _ then _ else _)) (\sum_a _ * _) (div s) => p q d average.
rewrite -subr_ge0; move: average; rewrite -subr_ge0; congr (0 <= _); ring.
Qed.

End SharpGap.
