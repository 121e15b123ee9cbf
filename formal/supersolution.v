(** * The supersolution theorem under every sharp gap

    w is a supersolution if multipliers lambda, mu, nu exist, at every x >= 0, with
      |x - 1| (l - 1) A + gamma w(x l) + lambda (D - f(l)) - mu (l - 1) - nu A <= w(x)   for all ratios l and A = 1, -1.
    Then L - eta(new) <= eps w(1) for every MDP of this discount and all policies whose f-divergence is at most D in every
    state.  New may take actions that old never takes: then w has a slope [w_slope] at infinity with inequalities of its own. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From TRPO Require Import definitions kernel performance_difference.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(** ** A power of gamma is small *)

Section Powers.

Variable R : archiFieldType.

Lemma bernoulli (h : R) n : 0 <= h -> 1 + n%:R * h <= (1 + h) ^+ n.
Proof.
move=> h_ge0; elim: n => [|n IH]; first by rewrite mul0r addr0 expr0.
rewrite exprS; apply: le_trans (_ : _ <= (1 + h) * (1 + n%:R * h)) _.
  rewrite mulrSr; have -> : (1 + h) * (1 + n%:R * h) = 1 + (n%:R + 1) * h + n%:R * h * h by ring.
  by rewrite ler_addl !mulr_ge0 ?ler0n.
by apply: ler_wpmul2l; rewrite ?addr_ge0 ?ler01.
Qed.

Lemma below_all_powers (g y c : R) : 0 <= g < 1 -> (forall n, y <= g ^+ n * c) -> y <= 0.
Proof.
case/andP=> g_ge0 g_lt1 y_le; rewrite leNgt; apply/negP => y_gt0.
have c_gt0 : 0 < c by apply: lt_le_trans y_gt0 _; have := y_le 0%N; rewrite mul1r.
move: g_ge0; rewrite le_eqVlt => /orP [/eqP g0 | g_gt0].
  by have := y_le 1%N; rewrite -g0 mul0r leNgt y_gt0.
pose h := g^-1 - 1.
have h_gt0 : 0 < h by rewrite subr_gt0 invf_gt1.
have gE : g = (1 + h)^-1 by rewrite /h addrC subrK invrK.
pose n := Num.bound (c / (y * h)).
have big : c < y * (1 + n%:R * h).
  have : c / (y * h) < n%:R by apply: archi_boundP; rewrite divr_ge0 ?mulr_ge0 // ltW.
  rewrite ltr_pdivr_mulr ?mulr_gt0 // => /lt_le_trans; apply.
  have -> : y * (1 + n%:R * h) = n%:R * (y * h) + y by ring.
  by rewrite ler_addl ltW.
have := y_le n; rewrite gE exprVn mulrC ler_pdivl_mulr; last first.
  by rewrite exprn_gt0 // addr_gt0 ?ltr01.
apply/negP; rewrite -ltNge; apply: lt_le_trans big _.
by rewrite ler_pmul2l // bernoulli // ltW.
Qed.

End Powers.

Section Supersolution.

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

Local Notation Abar := (expected_advantage M V_old new).
Local Notation ratio s a := (new s a / old s a).
Local Notation visited s := (0 < rho_old s).

Let g_ge0 : 0 <= g := discount_ge0 M.
Let P_ge0 s a t : 0 <= P s a t. Proof. by case: (transition_law M s a). Qed.
Let old_ge0 s a : 0 <= old s a. Proof. by case: (oldP s). Qed.
Let new_ge0 s a : 0 <= new s a. Proof. by case: (newP s). Qed.
Let rho0_ge0 s : 0 <= rho0 s. Proof. by case: (start_law M). Qed.
Let rho_old_ge0 : forall s, 0 <= rho_old s := is_visitation_ge0 oldP rho_oldP.

(** ** What old may reach is visited *)

Lemma start_visited s : rho0 s != 0 -> visited s.
Proof.
move=> s0; rewrite rho_oldP ltr_spaddl //; first by rewrite lt_neqAle eq_sym s0 rho0_ge0.
by rewrite mulr_ge0 // sumr_ge0 // => u _; rewrite mulr_ge0 ?rho_old_ge0 ?chain_ge0.
Qed.

Lemma successor_visited s a t : visited s -> g != 0 -> old s a != 0 -> P s a t != 0 -> visited t.
Proof.
move=> s_vis g0 o0 p0; rewrite rho_oldP ltr_paddl //.
apply: mulr_gt0; first by rewrite lt_neqAle eq_sym g0 g_ge0.
rewrite (bigD1 s) //= ltr_spaddl //; last first.
  by apply: sumr_ge0 => u _; rewrite mulr_ge0 ?rho_old_ge0 ?chain_ge0.
rewrite mulr_gt0 // /chain_of (bigD1 a) //= ltr_spaddl //.
  by rewrite mulr_gt0 // lt_neqAle eq_sym ?o0 ?p0 ?old_ge0 ?P_ge0.
by apply: sumr_ge0 => b _; rewrite mulr_ge0.
Qed.

(** ** The gap from a state, at likelihood ratio x *)

Let K_old_ge0 := discounted_chain_ge0 M oldP.
Let K_new_ge0 := discounted_chain_ge0 M newP.
Let K_old_row := discounted_chain_row M oldP.
Let K_new_row := discounted_chain_row M newP.

Variables (F_old F_new : S -> R).
Hypothesis F_oldE : value_equation (discounted_chain M old) Abar F_old.
Hypothesis F_newE : value_equation (discounted_chain M new) Abar F_new.

Lemma surrogate_gap : surrogate M V_old rho_old new - return_of M V_new = \sum_s rho0 s * (F_old s - 1 * F_new s).
Proof.
have rho_oldK : visitation_equation (discounted_chain M old) rho0 rho_old by apply/visitation_kernel.
have rho_newK : visitation_equation (discounted_chain M new) rho0 rho_new by apply/visitation_kernel.
rewrite -[LHS]opprK opprB (gap_identity V_old rho_old newP V_newP rho_newP).
under eq_bigr => s _ do rewrite mulrBl.
under [RHS]eq_bigr => s _ do rewrite mul1r mulrBr.
by rewrite !sumrB (test_visitation rho_oldK F_oldE) (test_visitation rho_newK F_newE) opprB.
Qed.

Lemma one_step s x : F_old s - x * F_new s = (1 - x) * Abar s +
  g * (\sum_a (if old s a == 0 then - (x * new s a) * (\sum_t P s a t * F_new t)
               else old s a * (\sum_t P s a t * (F_old t - x * ratio s a * F_new t)))).
Proof.
rewrite F_oldE {1}F_newE !discounted_chain_sum.
have -> : \sum_a (if old s a == 0 then - (x * new s a) * (\sum_t P s a t * F_new t)
               else old s a * (\sum_t P s a t * (F_old t - x * ratio s a * F_new t))) =
   \sum_a old s a * (\sum_t P s a t * F_old t) - x * (\sum_a new s a * (\sum_t P s a t * F_new t)).
  rewrite mulr_sumr -sumrB; apply: eq_bigr => a _; case: eqP => [-> | /eqP o0]; first by ring.
  have -> : \sum_t P s a t * (F_old t - x * ratio s a * F_new t) =
      \sum_t P s a t * F_old t - x * ratio s a * (\sum_t P s a t * F_new t).
    by rewrite mulr_sumr -sumrB; apply: eq_bigr => t _; ring.
  by move: (\sum_t _) (\sum_t _) => p q; field.
by move: (\sum_a _) (\sum_a _) => p q; ring.
Qed.

(** ** The barrier *)

Variables (U : S -> R -> R) (slope : R).
Hypothesis U_ge0 : forall s x, 0 <= x -> 0 <= U s x.
Hypothesis F_new_ge : forall s, - F_new s <= slope.
Hypothesis U_super : forall s x, visited s -> 0 <= x ->
  (1 - x) * Abar s + g * (\sum_a (if old s a == 0 then x * new s a * slope
                                  else old s a * (\sum_t P s a t * U t (x * ratio s a)))) <= U s x.

Lemma barrier s : visited s -> F_old s - 1 * F_new s <= U s 1.
Proof.
move=> s_vis; rewrite -subr_le0.
pose c := \sum_s (`|F_old s| + `|F_new s|).
have c_ge0 : 0 <= c by apply: sumr_ge0 => t _; rewrite addr_ge0.
have F_le t : `|F_old t| + `|F_new t| <= c.
  by rewrite /c (bigD1 t) //= ler_addl sumr_ge0 // => u _; rewrite addr_ge0.
suff main n t x : visited t -> 0 <= x -> F_old t - x * F_new t - U t x <= g ^+ n * (c * (1 + x)).
  by apply: (below_all_powers (discount_range M) (c := c * (1 + 1))) => n; apply: main; rewrite ?ler01.
elim: n t x {s s_vis} => [|n IH] s x s_vis x_ge0.
  rewrite expr0 mul1r ler_subl_addr.
  apply: (@le_trans _ _ (`|F_old s| + x * `|F_new s|)).
    by rewrite ler_add ?ler_norm // -mulrN ler_wpmul2l // -normrN ler_norm.
  apply: (@le_trans _ _ (c * (1 + x))); last by rewrite ler_addl U_ge0.
  have := F_le s; have := normr_ge0 (F_old s); have := normr_ge0 (F_new s).
  move: `|F_old s| `|F_new s| => p q q_ge0 p_ge0 pq.
  rewrite mulrDr mulr1 ler_add //; first by apply: le_trans pq; rewrite ler_addl.
  by rewrite mulrC ler_wpmul2r //; apply: le_trans pq; rewrite ler_addr.
rewrite one_step; apply: le_trans (ler_sub (lexx _) (U_super s_vis x_ge0)) _.
rewrite opprD addrACA subrr add0r -mulrBr -sumrB exprS -mulrA.
have [-> | g_neq0] := eqVneq g 0; first by rewrite !mul0r.
apply: ler_wpmul2l => //.
have -> : g ^+ n * (c * (1 + x)) = \sum_a g ^+ n * c * (old s a + x * new s a).
  by rewrite -mulr_sumr big_split /= -mulr_sumr (proj2 (oldP s)) (proj2 (newP s)) mulr1 mulrA.
have gc_ge0 : 0 <= g ^+ n * c by rewrite mulr_ge0 // exprn_ge0.
apply: ler_sum => a _; case: eqP => [o0 | /eqP o0].
  apply: (@le_trans _ _ 0); last by rewrite mulr_ge0 // addr_ge0 // mulr_ge0.
  rewrite subr_le0 mulNr -mulrN ler_wpmul2l ?mulr_ge0 // -sumrN.
  rewrite -[slope]mul1r -(proj2 (transition_law M s a)) mulr_suml; apply: ler_sum => t _.
  by rewrite -mulrN ler_wpmul2l.
rewrite -mulrBr -sumrB.
have -> : g ^+ n * c * (old s a + x * new s a) = old s a * (\sum_t P s a t * (g ^+ n * (c * (1 + x * ratio s a)))).
  by rewrite -mulr_suml (proj2 (transition_law M s a)) mul1r; field.
apply: ler_wpmul2l => //; apply: ler_sum => t _; rewrite -mulrBr.
have [-> | p0] := eqVneq (P s a t) 0; first by rewrite !mul0r.
apply: ler_wpmul2l => //; apply: IH; first exact: successor_visited s_vis g_neq0 o0 p0.
by rewrite mulr_ge0 // divr_ge0.
Qed.

Lemma gap_below_barrier : surrogate M V_old rho_old new - return_of M V_new <= \sum_s rho0 s * U s 1.
Proof.
rewrite surrogate_gap; apply: ler_sum => s _.
have [-> | s0] := eqVneq (rho0 s) 0; first by rewrite !mul0r.
by apply: ler_wpmul2l => //; apply: barrier; apply: start_visited.
Qed.

(** ** A supersolution's inequality, averaged over the actions of a state *)

Variables (f : R -> R) (f_slope : R) (allowed : R -> Prop).
Local Notation div s := (f_divergence f f_slope (old s) (new s)).

(** X + Y A <= 0 at A = 1 and -1 holds at every A in [-1, 1]. *)
Lemma between_signs X Y a sign : X + Y <= 0 -> X - Y <= 0 -> `|a| <= eps -> `|sign| <= 1 -> eps * X + sign * a * Y <= 0.
Proof.
move=> XY XNY a_le sign_le.
have eps_ge0 : 0 <= eps := le_trans (normr_ge0 _) a_le.
apply: (@le_trans _ _ (eps * X + eps * `|Y|)).
  rewrite ler_add2l; apply: le_trans (ler_norm _) _; rewrite !normrM ler_wpmul2r //.
  by rewrite -[eps]mul1r ler_pmul.
rewrite -mulrDr mulr_ge0_le0 //.
by case: (lerP 0 Y) => [/ger0_norm -> | /ltr0_norm ->].
Qed.

Lemma sum_of_terms (F1 F2 F3 F4 F5 F6 : A -> R) (c1 c2 c3 D c5 c6 c7 : R) :
  \sum_a (c1 * F1 a + c2 * F2 a + c3 * (D * F3 a - F4 a) - c5 * F5 a - c6 * F3 a - c7 * F6 a) =
  c1 * (\sum_a F1 a) + c2 * (\sum_a F2 a) + c3 * (D * (\sum_a F3 a) - \sum_a F4 a)
    - c5 * (\sum_a F5 a) - c6 * (\sum_a F3 a) - c7 * (\sum_a F6 a).
Proof. by rewrite !sumrB !big_split /= -!mulr_sumr sumrB -mulr_sumr. Qed.

Lemma averaged (k lam D mu nu here next_slope sign : R) (next : R -> R) s :
  `|sign| <= 1 ->
  (forall a, old s a != 0 -> allowed (ratio s a)) ->
  (forall l A, 0 <= l -> allowed l -> A = 1 \/ A = -1 ->
     k * (l - 1) * A + g * next l + lam * (D - f l) - mu * (l - 1) - nu * A <= here) ->
  (forall A, A = 1 \/ A = -1 -> k * A + g * next_slope - lam * f_slope - mu <= 0) ->
  k * sign * Abar s + eps * g * (\sum_a (if old s a == 0 then new s a * next_slope else old s a * next (ratio s a)))
    + eps * lam * (D - div s) <= eps * here.
Proof.
move=> sign_le all_allowed finite infinite.
rewrite -subr_le0.
have -> : k * sign * Abar s
      + eps * g * (\sum_a (if old s a == 0 then new s a * next_slope else old s a * next (ratio s a)))
      + eps * lam * (D - div s) - eps * here =
    \sum_a (if old s a == 0
      then new s a * (eps * (g * next_slope - lam * f_slope - mu) + sign * advantage M V_old s a * k)
      else old s a * (eps * (g * next (ratio s a) + lam * (D - f (ratio s a)) - mu * (ratio s a - 1) - here)
        + sign * advantage M V_old s a * (k * (ratio s a - 1) - nu))).
  transitivity (\sum_a (k * sign * ((new s a - old s a) * advantage M V_old s a)
      + eps * g * (if old s a == 0 then new s a * next_slope else old s a * next (ratio s a))
      + eps * lam * (D * old s a - (if old s a == 0 then new s a * f_slope else old s a * f (ratio s a)))
      - eps * mu * (new s a - old s a) - eps * here * old s a - nu * sign * (old s a * advantage M V_old s a))).
    rewrite sum_of_terms -(expected_advantage_difference new oldP V_oldP) sumrB (proj2 (oldP s)) (proj2 (newP s)).
    rewrite -/(expected_advantage M V_old old s) (old_advantage_mean oldP V_oldP) -/(div s).
    by move: (\sum_a _) => z; ring.
  by apply: eq_bigr => a _; case: eqP => [-> | /eqP o0]; [ring | field].
rewrite -oppr_ge0 -sumrN; apply: sumr_ge0 => a _; rewrite oppr_ge0; case: eqP => [o0 | /eqP o0].
  rewrite mulr_ge0_le0 //; apply: between_signs => //.
    by have := infinite 1 (or_introl erefl); congr (_ <= 0); ring.
  by have := infinite (-1) (or_intror erefl); congr (_ <= 0); ring.
have l_ge0 : 0 <= ratio s a by rewrite divr_ge0.
rewrite mulr_ge0_le0 //; apply: between_signs => //.
  have := finite _ 1 l_ge0 (all_allowed a o0) (or_introl erefl); rewrite -subr_le0.
  by congr (_ <= 0); ring.
have := finite _ (-1) l_ge0 (all_allowed a o0) (or_intror erefl); rewrite -subr_le0.
by congr (_ <= 0); ring.
Qed.

End Supersolution.
