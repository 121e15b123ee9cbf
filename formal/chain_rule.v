(** * chain-rule/kl: the laws of the state drift apart like the square root of time

    p_t and q_t, the laws of the state at time t under old and new, have KL(p_t || q_t) <= t D; Pinsker makes that a distance of
    sqrt(2 t D), and the gap is at most 2 eps D sum_t sqrt(t) gamma^t. *)

From Coq Require Import Reals.
From mathcomp Require Import all_ssreflect all_algebra ring.
From mathcomp.analysis Require Import Rstruct.
From TRPO Require Import definitions kernel performance_difference total_variation supersolution logarithm kullback_leibler.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Local Notation real := R_realFieldType.

(** ** The logarithm, in the words of the ordered field *)

Lemma log_le (x : real) : 0 < x -> log x <= x - 1.
Proof. by move=> /RltP x_gt0; apply/RleP; apply: ln_le_sub1. Qed.

Lemma logM (x y : real) : 0 < x -> 0 < y -> log (x * y) = log x + log y.
Proof. by move=> /RltP x_gt0 /RltP y_gt0; apply: ln_mult. Qed.

Lemma logV (x : real) : 0 < x -> log (x^-1) = - log x.
Proof.
move=> x_gt0; have xV_gt0 : 0 < x^-1 by rewrite invr_gt0.
have := logM x_gt0 xV_gt0; rewrite (_ : x * x^-1 = 1); last by apply: mulfV; rewrite lt0r_neq0.
by rewrite /log ln_1 => /esym/eqP; rewrite addrC addr_eq0 => /eqP.
Qed.

(** The log-sum inequality. *)
Lemma log_sum (T : finType) (p q : T -> real) :
  (forall i, 0 <= p i) -> (forall i, 0 <= q i) -> (forall i, q i = 0 -> p i = 0) ->
  (\sum_i p i) * log ((\sum_i p i) / (\sum_i q i)) <= \sum_i p i * log (p i / q i).
Proof.
move=> p_ge0 q_ge0 support; set sp := \sum_i p i; set sq := \sum_i q i.
have sp_ge0 : 0 <= sp by apply: sumr_ge0.
have sq_ge0 : 0 <= sq by apply: sumr_ge0.
have [sp0 | sp_neq0] := eqVneq sp 0.
  rewrite sp0 mul0r; have p0 i : p i = 0.
    move/eqP: sp0; rewrite psumr_eq0 => [/allP /(_ i (mem_index_enum i)) /eqP // | j _]; exact: p_ge0.
  by rewrite big1 // => i _; rewrite p0 mul0r.
have sp_gt0 : 0 < sp by rewrite lt_neqAle eq_sym sp_neq0.
have sq_gt0 : 0 < sq.
  rewrite lt_neqAle sq_ge0 andbT eq_sym; apply/eqP => sq0; move/eqP: sp_neq0; apply.
  rewrite /sp big1 // => i _; apply: support; move/eqP: sq0.
  by rewrite psumr_eq0 => [/allP /(_ i (mem_index_enum i)) /eqP // | j _]; exact: q_ge0.
rewrite -subr_le0 mulr_suml -sumrB.
apply: (@le_trans _ _ (\sum_i (sp / sq * q i - p i))); last first.
  by rewrite sumrB -mulr_sumr -/sp -/sq divfK ?lt0r_neq0 // subrr.
apply: ler_sum => i _; have [p0 | p_neq0] := eqVneq (p i) 0.
  by rewrite p0 !mul0r !subr0 mulr_ge0 // divr_ge0.
have p_gt0 : 0 < p i by rewrite lt_neqAle eq_sym p_neq0 p_ge0.
have q_gt0 : 0 < q i.
  by rewrite lt_neqAle q_ge0 andbT eq_sym; apply/eqP => q0; move/eqP: p_neq0; apply; apply: support.
rewrite -mulrBr.
have -> : log (sp / sq) - log (p i / q i) = log (sp / sq * q i / p i).
  by rewrite -[sp / sq * q i / p i]mulrA [RHS]logM ?divr_gt0 // -[q i / p i]invf_div logV ?divr_gt0.
have := log_le (_ : 0 < sp / sq * q i / p i).
have y_gt0 : 0 < sp / sq * q i / p i by rewrite divr_gt0 // mulr_gt0 // divr_gt0.
move=> /(_ y_gt0) le; apply: le_trans (ler_wpmul2l (ltW p_gt0) le) _.
by rewrite le_eqVlt; apply/orP; left; apply/eqP; field; rewrite p_neq0 lt0r_neq0.
Qed.

Section ChainRule.

Variables (S A : finType) (M : mdp real S A).
Local Notation P := (transition M).
Local Notation g := (discount M).

(** The law of the state at time t. *)
Fixpoint law_at (pi : S -> A -> real) (t : nat) : S -> real :=
  if t is t'.+1 then fun u => \sum_s law_at pi t' s * chain_of M pi s u else start M.

(** What is visited from time t on, undiscounted at t. *)
Fixpoint visits_from (pi : S -> A -> real) (rho : S -> real) (t : nat) : S -> real :=
  if t is t'.+1 then fun u => \sum_s visits_from pi rho t' s * chain_of M pi s u else rho.

Lemma law_at_law pi t : policy pi -> law (law_at pi t).
Proof.
move=> piP; elim: t => [|t [IH_ge0 IH_sum]]; first exact: start_law.
split=> [u|]; first by apply: sumr_ge0 => s _; rewrite mulr_ge0 ?IH_ge0 ?chain_ge0.
by rewrite exchange_big /= -IH_sum; apply: eq_bigr => s _; rewrite -mulr_sumr chain_row // mulr1.
Qed.

Lemma visits_from_split pi rho t u : is_visitation M pi rho ->
  visits_from pi rho t u = law_at pi t u + g * visits_from pi rho t.+1 u.
Proof.
move=> rhoP; elim: t u => [|t IH] u; first exact: rhoP.
rewrite [LHS]/= [law_at _ _ _]/= [visits_from pi rho t.+2 u]/= mulr_sumr -big_split /=; apply: eq_bigr => s _.
by rewrite IH mulrDl mulrA.
Qed.

Lemma visits_from_ge0 pi rho t u : policy pi -> is_visitation M pi rho -> 0 <= visits_from pi rho t u.
Proof.
move=> piP rhoP; elim: t u => [|t IH] u; first exact: is_visitation_ge0 piP rhoP u.
by apply: sumr_ge0 => s _; rewrite mulr_ge0 ?chain_ge0.
Qed.

Lemma visits_from_sum pi rho t : policy pi -> is_visitation M pi rho -> \sum_u visits_from pi rho t u = (1 - g)^-1.
Proof.
move=> piP rhoP; elim: t => [|t IH]; first exact: is_visitation_sum piP rhoP.
rewrite exchange_big /= -IH; apply: eq_bigr => s _.
by rewrite -mulr_sumr chain_row // mulr1.
Qed.

Lemma visitation_series pi rho N u : is_visitation M pi rho ->
  rho u = (\sum_(t < N) g ^+ t * law_at pi t u) + g ^+ N * visits_from pi rho N u.
Proof.
move=> rhoP; elim: N => [|N IH]; first by rewrite big_ord0 add0r mul1r.
by rewrite IH big_ord_recr /= -addrA; congr (_ + _); rewrite (visits_from_split N u rhoP) mulrDr exprSr mulrA.
Qed.

Variables (old new : S -> A -> real).
Hypotheses (oldP : policy old) (newP : policy new).
Variable D : real.
Hypothesis support : forall s a, new s a = 0 -> old s a = 0.
Hypothesis kl_le : forall s, KL (old s) (new s) <= D.

Let P_ge0 s a t : 0 <= P s a t. Proof. by case: (transition_law M s a). Qed.
Let old_ge0 s a : 0 <= old s a. Proof. by case: (oldP s). Qed.
Let new_ge0 s a : 0 <= new s a. Proof. by case: (newP s). Qed.

(** Where new never is, old never is. *)
Lemma law_at_support t u : law_at new t u = 0 -> law_at old t u = 0.
Proof.
elim: t u => [//|t IH] u /= /eqP; rewrite psumr_eq0; last first.
  by move=> s _; rewrite mulr_ge0 ?chain_ge0 //; case: (law_at_law t newP).
move=> /allP none; rewrite big1 // => s _.
have := none s (mem_index_enum s); rewrite mulf_eq0 => /orP [/eqP /IH -> | ]; first by rewrite mul0r.
rewrite /chain_of psumr_eq0 => [/allP no_action | a _]; last by rewrite mulr_ge0.
rewrite [\sum_a _]big1 ?mulr0 // => a _; have := no_action a (mem_index_enum a).
by rewrite mulf_eq0 => /orP [/eqP /support -> | /eqP ->]; rewrite ?mul0r ?mulr0.
Qed.

(** The chain rule, with the log-sum inequality for the step from (s, a, u) to u. *)
Lemma kl_step t : KL (law_at old t.+1) (law_at new t.+1) <= KL (law_at old t) (law_at new t) + D.
Proof.
have [p_ge0 p_sum] := law_at_law t oldP; have [q_ge0 _] := law_at_law t newP.
pose p u (i : S * A) := law_at old t i.1 * (old i.1 i.2 * P i.1 i.2 u).
pose q u (i : S * A) := law_at new t i.1 * (new i.1 i.2 * P i.1 i.2 u).
have sum_p u : law_at old t.+1 u = \sum_i p u i.
  rewrite -(pair_bigA _ (fun s a => p u (s, a))) /=; apply: eq_bigr => s _.
  by rewrite /chain_of mulr_sumr.
have sum_q u : law_at new t.+1 u = \sum_i q u i.
  rewrite -(pair_bigA _ (fun s a => q u (s, a))) /=; apply: eq_bigr => s _.
  by rewrite /chain_of mulr_sumr.
have pq_support u i : q u i = 0 -> p u i = 0.
  case: i => s a /eqP; rewrite /p /q /= !mulf_eq0 => /or3P [/eqP /law_at_support -> | /eqP /support -> | /eqP ->];
  by rewrite !(mul0r, mulr0).
have p_nn u i : 0 <= p u i by rewrite !mulr_ge0.
have q_nn u i : 0 <= q u i by rewrite !mulr_ge0.
apply: (@le_trans _ _ (\sum_u \sum_i p u i * log (p u i / q u i))).
  by apply: ler_sum => u _; rewrite sum_p sum_q; apply: (log_sum (p_nn u) (q_nn u) (pq_support u)).
apply: (@le_trans _ _ (\sum_u \sum_i p u i * (log (law_at old t i.1 / law_at new t i.1) + log (old i.1 i.2 / new i.1 i.2)))).
  apply: ler_sum => u _; apply: ler_sum => -[s a] _; rewrite le_eqVlt; apply/orP; left; apply/eqP.
  have [p0 | p_neq0] := eqVneq (p u (s, a)) 0; first by rewrite p0 !mul0r.
  have q_neq0 : q u (s, a) != 0 by apply: contra p_neq0 => /eqP /pq_support ->.
  move: (p_neq0) (q_neq0); rewrite /p /q /= !mulf_eq0 !negb_or => /and3P [p0 o0 P0] /and3P [q0 n0 _].
  have pos (x : real) : 0 <= x -> x != 0 -> 0 < x by move=> x_ge0 x0; rewrite lt_neqAle eq_sym x0.
  rewrite -logM ?divr_gt0 ?pos //; congr (_ * log _); field.
  by rewrite q0 n0 P0.
rewrite exchange_big /= -(pair_bigA _ (fun s a => \sum_u p u (s, a) * (log (law_at old t s / law_at new t s) + log (old s a / new s a)))) /=.
have -> : KL (law_at old t) (law_at new t) + D =
    \sum_s (law_at old t s * log (law_at old t s / law_at new t s) + law_at old t s * D).
  by rewrite big_split /= -mulr_suml p_sum mul1r.
apply: ler_sum => s _.
have -> : \sum_a \sum_u p u (s, a) * (log (law_at old t s / law_at new t s) + log (old s a / new s a)) =
    law_at old t s * log (law_at old t s / law_at new t s) + law_at old t s * KL (old s) (new s).
  rewrite /KL -[law_at old t s * log _]mulr1 -(proj2 (oldP s)) !mulr_sumr -big_split /=; apply: eq_bigr => a _.
  rewrite -mulr_suml /p /= -!mulr_sumr (proj2 (transition_law M s a)); ring.
by rewrite ler_add2l ler_wpmul2l.
Qed.

Lemma kl_at t : KL (law_at old t) (law_at new t) <= t%:R * D.
Proof.
elim: t => [|t IH].
  rewrite mul0r /KL big1 // => s _ /=; have [-> | s0] := eqVneq (start M s) 0; first by rewrite mul0r.
  by rewrite divff // /log ln_1 mulr0.
apply: le_trans (kl_step t) _.
by rewrite mulrSr mulrDl mul1r ler_add2r.
Qed.

Variables (V_old V_new rho_old rho_new : S -> real).
Hypotheses (V_oldP : is_value M old V_old) (V_newP : is_value M new V_new).
Hypotheses (rho_oldP : is_visitation M old rho_old) (rho_newP : is_visitation M new rho_new).
Variable eps : real.
Hypothesis advantage_le : forall s a, `|advantage M V_old s a| <= eps.
Local Notation Abar := (expected_advantage M V_old new).

Lemma radius_ge0 : 0 <= D.
Proof.
have [s _] := law_inhabited (start_law M); have /le_trans := pinsker (oldP s) (newP s) (support (s := s)).
move=> /(_ _ (kl_le s)); apply: le_trans; by rewrite mulr_ge0 ?ler0n // sqr_ge0.
Qed.

Let root := Num.sqrt (D / 2%:R).

Lemma tv_root s : total_variation (old s) (new s) <= root.
Proof.
have /le_trans /(_ (kl_le s)) D_ge := pinsker (oldP s) (newP s) (support (s := s)).
exact: total_variation_root.
Qed.

Lemma law_distance t : \sum_u `|law_at new t u - law_at old t u| <= 2%:R * (Num.sqrt t%:R * root).
Proof.
have [old_law new_law] := (law_at_law t oldP, law_at_law t newP).
have := pinsker old_law new_law (law_at_support (t := t)) => /le_trans /(_ (kl_at t)) D_ge.
have -> : \sum_u `|law_at new t u - law_at old t u| = 2%:R * total_variation (law_at old t) (law_at new t).
  rewrite /total_variation mulrA divff ?pnatr_eq0 // mul1r.
  by apply: eq_bigr => u _; rewrite distrC.
rewrite ler_wpmul2l ?ler0n // -sqrtrM ?ler0n // mulrA.
exact: total_variation_root.
Qed.

(** |eta(new) - L| <= 2 eps K D for every K above the partial sums of sum_t sqrt(t) gamma^t. *)
Theorem chain_rule_kl K : (forall N, \sum_(t < N) Num.sqrt (t%:R : real) * g ^+ t <= K) ->
  `|return_of M V_new - surrogate M V_old rho_old new| <= 2%:R * eps * K * D.
Proof.
move=> K_ge; rewrite (gap_identity V_old rho_old newP V_newP rho_newP) -subr_le0.
have root_ge0 : 0 <= root by apply: sqrtr_ge0.
have [s0 _] := law_inhabited (start_law M).
have Abar_le s : `|Abar s| <= 2%:R * eps * root := expected_advantage_le oldP V_oldP tv_root advantage_le s.
have m_ge0 : 0 <= 2%:R * eps * root := le_trans (normr_ge0 _) (Abar_le s0).
pose c := 2%:R / (1 - g) * (2%:R * eps * root).
apply: (below_all_powers (R := R_realArchiFieldType) (discount_range M) (c := c)) => N; rewrite ler_subl_addr.
apply: le_trans (ler_norm_sum _ _ _) _.
apply: (@le_trans _ _ ((\sum_u `|rho_new u - rho_old u|) * (2%:R * eps * root))).
  by rewrite mulr_suml; apply: ler_sum => u _; rewrite normrM ler_wpmul2l.
have -> : 2%:R * eps * K * D = (2%:R * root * K) * (2%:R * eps * root).
  have : root ^+ 2 = D / 2%:R by rewrite sqr_sqrtr // divr_ge0 ?ler0n ?radius_ge0.
  move=> rootE; have -> : D = 2%:R * root ^+ 2 by rewrite rootE; field.
  by ring.
rewrite /c [g ^+ N * _]mulrA -mulrDl ler_wpmul2r //.
apply: (@le_trans _ _ (\sum_u (\sum_(t < N) g ^+ t * `|law_at new t u - law_at old t u|
    + g ^+ N * (visits_from new rho_new N u + visits_from old rho_old N u)))).
  apply: ler_sum => u _; rewrite (visitation_series N u rho_newP) (visitation_series N u rho_oldP).
  rewrite opprD addrACA -sumrB -mulrBr; apply: le_trans (ler_norm_add _ _) _; apply: ler_add.
    apply: le_trans (ler_norm_sum _ _ _) _; apply: ler_sum => t _.
    by rewrite -mulrBr normrM ger0_norm // exprn_ge0 // discount_ge0.
  rewrite normrM ger0_norm ?exprn_ge0 ?discount_ge0 // ler_wpmul2l ?exprn_ge0 ?discount_ge0 //.
  by apply: le_trans (ler_norm_sub _ _) _; rewrite !ger0_norm ?visits_from_ge0.
rewrite big_split /= -mulr_sumr big_split /= !visits_from_sum // addrC; apply: ler_add.
  by rewrite le_eqVlt; apply/orP; left; apply/eqP; field; rewrite lt0r_neq0 // one_minus_discount_gt0.
rewrite exchange_big /=; apply: (@le_trans _ _ (2%:R * root * \sum_(t < N) Num.sqrt (t%:R : real) * g ^+ t)); last first.
  by rewrite ler_wpmul2l // mulr_ge0 ?ler0n.
rewrite mulr_sumr; apply: ler_sum => t _; rewrite -mulr_sumr.
have -> : 2%:R * root * (Num.sqrt (t%:R : real) * g ^+ t) = g ^+ t * (2%:R * (Num.sqrt (t%:R : real) * root)) by ring.
by rewrite ler_wpmul2l ?law_distance // exprn_ge0 // discount_ge0.
Qed.

End ChainRule.
