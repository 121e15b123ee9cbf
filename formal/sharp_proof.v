(** * A proof file of [sharp --proof], checked in integers

    w is piecewise linear: nodes x_i with values w_i, and a slope s beyond the last.  At each node, and at infinity, the file has
    multipliers.  [proves] is a finite list of comparisons of integers; where it computes to true, the inequality holds on
    each line of w, at every node and so, being affine in x, between the nodes: w is a supersolution.  No function on the reals
    is computed, and no axiom is used. *)

From Coq Require Import ZArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ zify ring.
From TRPO Require Import definitions kernel performance_difference sharp_gap.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(** ** What a file has, and its comparisons *)

(** Total variation, and chi2(old || new). *)
Inductive divergence := TV | Chi2_old_new.

(** x, w, lambda, mu, nu of a node, and rise, run and left end (x, w) of a line, all times [unit]. *)
Definition node := (Z * Z * Z * Z * Z)%type.
Definition line := (Z * Z * Z * Z)%type.

Record file := File {
  kind : divergence; unit : Z; gamma_top : Z; gamma_bottom : Z; radius_top : Z; radius_bottom : Z;
  slope : Z; nodes : seq node; infinity : Z * Z * Z }.

Definition place (n : node) : Z := let: (x, _, _, _, _) := n in x.
Definition height (n : node) : Z := let: (_, w, _, _, _) := n in w.

Section Comparisons.

Local Open Scope Z_scope.

Variable p : file.
Local Notation d := (unit p).
Local Notation S := (slope p).

Fixpoint lines (ns : seq node) : seq line :=
  match ns with
  | [::] => [::]
  | [:: n] => [:: (S, d, place n, height n)]
  | n :: (m :: _) as rest => (height m - height n, place m - place n, place n, height n) :: lines rest
  end.

(** In order, 1 not inside a line, and the last node at 1 or beyond. *)
Fixpoint in_order (ns : seq node) : bool :=
  match ns with
  | [::] => false
  | [:: n] => d <=? place n
  | n :: (m :: _) as rest => [&& place n <? place m, (place m <=? d) || (d <=? place n) & in_order rest]
  end.

(** q2 l^2 + q1 l + q0 <= 0 for all l >= 0. *)
Definition not_positive q2 q1 q0 := [&& q2 <=? 0, q0 <=? 0 & (q1 <=? 0) || (q1 * q1 <=? 4 * (q2 * q0))].

(** C l + B <= L f(l) for all l >= 0. *)
Definition line_below (k : divergence) C B L :=
  match k with
  | TV => [&& 2 * B <=? L, C + B <=? 0 & 2 * C <=? L]
  | Chi2_old_new => not_positive (C - L) (B + 2 * L) (- L)
  end.

Definition slope_twice (k : divergence) := match k with TV => 1 | Chi2_old_new => 2 end.

(** The inequality at x = X / d, with |x - 1| = K / d, on one line of the future, for one sign. *)
Definition below_on_line K X W L M N (sign : Z) (l : line) :=
  let: (rise, run, X0, W0) := l in
  let q := gamma_bottom p * run in
  line_below (kind p)
    (radius_bottom p * ((sign * K - M) * q + gamma_top p * X * rise))
    (radius_bottom p * ((- (sign * K) + M - sign * N - W) * q + gamma_top p * (W0 * run - rise * X0)) + L * radius_top p * q)
    (L * radius_bottom p * q).

Definition below_at_infinity K X L M (sign : Z) :=
  2 * ((sign * K - M) * d * gamma_bottom p + gamma_top p * X * S) <=? L * d * gamma_bottom p * slope_twice (kind p).

Definition below K X W L M N (ls : seq line) (sign : Z) :=
  all (below_on_line K X W L M N sign) ls && below_at_infinity K X L M sign.

Definition below_at (ls : seq line) (n : node) := let: (X, W, L, M, N) := n in
  [&& 0 <=? W, 0 <=? L, below (Z.abs (X - d)) X W L M N ls 1 & below (Z.abs (X - d)) X W L M N ls (-1)].

Definition below_beyond := let: (L, M, N) := infinity p in
  [&& 0 <=? L, below d d S L M N [:: (S, d, 0, 0)] 1 & below d d S L M N [:: (S, d, 0, 0)] (-1)].

Definition not_steeper (l : line) := let: (rise, run, _, _) := l in [&& 0 <? run & rise * d <=? S * run].

Definition at_one (bound : Z) (l : line) := let: (rise, run, X0, W0) := l in W0 * run + rise * (d - X0) <=? bound * run.

Definition proves (bound : Z) :=
  let: ls := lines (nodes p) in
  [&& 0 <? d, 0 <? gamma_bottom p, 0 <? radius_bottom p, 0 <=? gamma_top p, 0 <=? radius_top p, 0 <=? S,
      if nodes p is n :: _ then place n =? 0 else false, in_order (nodes p), all not_steeper ls,
      all (below_at ls) (nodes p), below_beyond & all (at_one bound) ls].

End Comparisons.

(** ** Integers in an ordered field *)

Section Soundness.

Variable R : archiFieldType.

Definition real (z : Z) : R := (int_of_Z z)%:~R.
Definition quotient (a b : Z) : R := real a / real b.

Lemma realD (a b : Z) : real (Z.add a b) = real a + real b.
Proof. by rewrite /real -rmorphD /=; congr (_%:~R); lia. Qed.

Lemma realM (a b : Z) : real (Z.mul a b) = real a * real b.
Proof. by rewrite /real -rmorphM /=; congr (_%:~R); lia. Qed.

Lemma realN (a : Z) : real (Z.opp a) = - real a.
Proof. by rewrite /real -rmorphN /=; congr (_%:~R); lia. Qed.

Lemma realB (a b : Z) : real (Z.sub a b) = real a - real b.
Proof. by rewrite realD realN. Qed.

Definition realE := (realD, realM, realN, realB).

Lemma real0 : real 0 = 0. Proof. by []. Qed.
Lemma real1 : real 1 = 1. Proof. by []. Qed.
Lemma real2 : real 2 = 2%:R. Proof. by []. Qed.
Lemma real4 : real 4 = 4%:R. Proof. by []. Qed.

Lemma real_le (a b : Z) : Z.leb a b -> real a <= real b.
Proof. by rewrite /real ler_int => ?; lia. Qed.

Lemma real_lt (a b : Z) : Z.ltb a b -> real a < real b.
Proof. by rewrite /real ltr_int => ?; lia. Qed.

Lemma real_abs (a : Z) : real (Z.abs a) = `|real a|.
Proof. by rewrite /real -intr_norm; congr (_%:~R); lia. Qed.

Lemma sum_le0 (a b : R) : a <= 0 -> b <= 0 -> a + b <= 0.
Proof. by move=> a_le b_le; rewrite -oppr_ge0 opprD addr_ge0 ?oppr_ge0. Qed.

(** ** Divergences *)

Definition generator (k : divergence) (l : R) :=
  match k with
  | TV => `|l - 1| / 2%:R
  | Chi2_old_new => (l - 1) ^+ 2 / l
  end.

Definition at_infinity k : R := real (slope_twice k) / 2%:R.
Lemma end_tv : at_infinity TV = 2%:R^-1. Proof. by rewrite /at_infinity /slope_twice (_ : real 1 = 1) ?div1r. Qed.

Lemma end_chi2 : at_infinity Chi2_old_new = 1.
Proof. by rewrite /at_infinity /slope_twice (_ : real 2 = 2%:R) ?divff ?pnatr_eq0. Qed.

Definition allowed k (l : R) := match k with Chi2_old_new => 0 < l | _ => True end.

Lemma not_positive_sound q2 q1 q0 (l : R) : not_positive q2 q1 q0 -> 0 <= l -> real q2 * l ^+ 2 + real q1 * l + real q0 <= 0.
Proof.
case/and3P=> /real_le; rewrite real0 => q2_le /real_le; rewrite real0 => q0_le.
case/orP=> /real_le; rewrite ?realE ?real0 ?real4 => q1_le l_ge0.
  by rewrite !sum_le0 // mulr_le0_ge0 // sqr_ge0.
move: q2_le q0_le q1_le; move: (real q2) (real q1) (real q0) => a b c a_le c_le disc.
have [a0 | a_neq0] := eqVneq a 0.
  have b0 : b = 0.
    by apply/eqP; rewrite -sqrf_eq0 eq_le sqr_ge0 andbT expr2; apply: le_trans disc _; rewrite a0 mul0r mulr0.
  by rewrite a0 b0 !mul0r !add0r.
have a_lt : a < 0 by rewrite lt_neqAle a_neq0.
have scaled : 0 <= 4%:R * a * (a * l ^+ 2 + b * l + c).
  have -> : 4%:R * a * (a * l ^+ 2 + b * l + c) = (2%:R * a * l + b) ^+ 2 + (4%:R * (a * c) - b * b) by ring.
  by rewrite addr_ge0 ?sqr_ge0 // subr_ge0.
by move: scaled; rewrite nmulr_rge0 // pmulr_rlt0 // ltr0n.
Qed.

Lemma line_below_sound k C B L (l : R) : line_below k C B L -> 0 <= l -> allowed k l ->
  real C * l + real B <= real L * generator k l.
Proof.
case: k; rewrite /line_below /generator /allowed.
- case/and3P=> /real_le; rewrite realE real2 => low /real_le; rewrite realE real0 => mid /real_le.
  rewrite realE real2 => high l_ge0 _; move: low mid high; move: (real C) (real B) (real L) => c b lam low mid high.
  have -> : lam * (`|l - 1| / 2%:R) = lam / 2%:R * `|l - 1| by rewrite mulrA mulrAC.
  have low' : b <= lam / 2%:R by rewrite ler_pdivl_mulr ?ltr0n // mulrC.
  have high' : c <= lam / 2%:R by rewrite ler_pdivl_mulr ?ltr0n // mulrC.
  move: low' high'; move: (lam / 2%:R) => h low' high'; rewrite -subr_le0; case: (lerP 1 l) => l1.
    have l1' : 0 <= l - 1 by rewrite subr_ge0.
    have -> : c * l + b - h * (l - 1) = (c + b) + (c - h) * (l - 1) by ring.
    by rewrite sum_le0 // mulr_le0_ge0 // subr_le0.
  have l1' : 0 <= 1 - l by rewrite subr_ge0 ltW.
  have -> : c * l + b - h * (1 - l) = (c + b) * l + (b - h) * (1 - l) by ring.
  by rewrite sum_le0 // mulr_le0_ge0 // subr_le0.
- move=> /not_positive_sound sound l_ge0 l_gt0; have := sound l l_ge0; rewrite !realE real2.
  move: (real C) (real B) (real L) => c b lam le.
  have -> : lam * ((l - 1) ^+ 2 / l) = lam * (l - 1) ^+ 2 / l by rewrite mulrA.
  rewrite ler_pdivl_mulr // -subr_le0; apply: le_trans le; rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
Qed.

(** ** From the comparisons to the inequalities *)

Section Proof.

Variables (p : file) (bound : Z).
Hypothesis good : proves p bound.
Local Notation d := (real (unit p)).
Local Notation g := (quotient (gamma_top p) (gamma_bottom p)).
Local Notation D := (quotient (radius_top p) (radius_bottom p)).
Local Notation s := (quotient (slope p) (unit p)).
Local Notation f := (generator (kind p)).
Local Notation F := (at_infinity (kind p)).
Local Notation all_lines := (lines p (nodes p)).

Let d_gt0 : 0 < d. Proof. by case/and5P: good => /real_lt. Qed.
Let q_gt0 : 0 < real (gamma_bottom p). Proof. by case/and5P: good => _ /real_lt. Qed.
Let b_gt0 : 0 < real (radius_bottom p). Proof. by case/and5P: good => _ _ /real_lt. Qed.
Let g_ge0 : 0 <= g.
Proof. by case/and5P: good => _ _ _ /real_le t_ge0 _; rewrite divr_ge0 // ltW. Qed.
Let s_ge0 : 0 <= s.
Proof. by case/and5P: good => _ _ _ _ /and3P [_ /real_le S_ge0 _]; rewrite divr_ge0 // ltW. Qed.

Definition value (l : line) (y : R) : R :=
  let: (rise, run, X0, W0) := l in real W0 / d + quotient rise run * (y - real X0 / d).

Lemma on_line K X W L M N (sign : Z) rise run X0 W0 (l : R) : 0 < real run ->
  below_on_line p K X W L M N sign (rise, run, X0, W0) -> 0 <= l -> allowed (kind p) l ->
  real K / d * (l - 1) * real sign + g * value (rise, run, X0, W0) (real X / d * l) + real L / d * (D - f l)
    - real M / d * (l - 1) - real N / d * real sign <= real W / d.
Proof.
move=> run_gt0 /line_below_sound sound l_ge0 l_allowed; move: (sound l l_ge0 l_allowed); rewrite !realE -subr_le0 => le.
pose scale := d * real (gamma_bottom p) * real (radius_bottom p) * real run.
have scale_gt0 : 0 < scale by rewrite !mulr_gt0.
rewrite -subr_le0 -(pmulr_rle0 _ scale_gt0); apply: le_trans le.
rewrite le_eqVlt; apply/orP; left; apply/eqP; rewrite /scale /value /quotient.
by field; rewrite !lt0r_neq0.
Qed.

Lemma at_end K X L M (sign : Z) : below_at_infinity p K X L M sign ->
  real K / d * real sign + g * (real X / d * s) - real L / d * F - real M / d <= 0.
Proof.
move=> /real_le le; rewrite !realE real2 -subr_le0 in le.
pose scale := 2%:R * d * d * real (gamma_bottom p).
have scale_gt0 : 0 < scale by rewrite !mulr_gt0 // ltr0n.
rewrite -(pmulr_rle0 _ scale_gt0); apply: le_trans le.
rewrite le_eqVlt; apply/orP; left; apply/eqP; rewrite /scale /quotient /at_infinity.
by field; rewrite !lt0r_neq0.
Qed.

(** The inequalities at one x, with its multipliers, on each of some lines. *)
Definition fine (ls : seq line) (k x left lam mu nu : R) := [/\ 0 <= lam,
  forall ln l A, ln \in ls -> 0 <= l -> allowed (kind p) l -> A = 1 \/ A = -1 ->
    k * (l - 1) * A + g * value ln (x * l) + lam * (D - f l) - mu * (l - 1) - nu * A <= left &
  forall A, A = 1 \/ A = -1 -> k * A + g * (x * s) - lam * F - mu <= 0].

Lemma below_fine ls K X W L M N : all (not_steeper p) ls -> Z.leb 0 L -> below p K X W L M N ls (Zpos xH) ->
  below p K X W L M N ls (Zneg xH) -> fine ls (real K / d) (real X / d) (real W / d) (real L / d) (real M / d) (real N / d).
Proof.
move=> /allP steep /real_le L_ge0 /andP [/allP plus plus_end] /andP [/allP minus minus_end].
have minus1 : real (Zneg xH) = -1 by [].
split.
- by rewrite divr_ge0 // ltW.
- move=> ln l A ln_in l_ge0 l_allowed signs; have := steep ln ln_in; have := plus ln ln_in; have := minus ln ln_in.
  case: ln {ln_in} => [[[rise run] X0] W0] ok_minus ok_plus /andP [/real_lt run_gt0 _].
  case: signs => ->; first by have := on_line run_gt0 ok_plus l_ge0 l_allowed; rewrite real1.
  by have := on_line run_gt0 ok_minus l_ge0 l_allowed; rewrite minus1.
- by move=> A [] ->; [have := at_end plus_end; rewrite real1 | have := at_end minus_end; rewrite minus1].
Qed.

Lemma value_mix ln (t u y z : R) : t + u = 1 -> value ln (t * y + u * z) = t * value ln y + u * value ln z.
Proof. by move=> tu; have -> : t = 1 - u; [rewrite -tu addrK | case: ln => [[[rise run] X0] W0] /=; ring]. Qed.

Lemma fine_mix ls (t u k k' x x' left left' lam lam' mu mu' nu nu' : R) : 0 <= t -> 0 <= u -> t + u = 1 ->
  fine ls k x left lam mu nu -> fine ls k' x' left' lam' mu' nu' ->
  fine ls (t * k + u * k') (t * x + u * x') (t * left + u * left') (t * lam + u * lam') (t * mu + u * mu') (t * nu + u * nu').
Proof.
move=> t_ge0 u_ge0 tu [lam_ge0 at_l at_inf] [lam_ge0' at_l' at_inf']; split.
- by rewrite addr_ge0 // mulr_ge0.
- move=> ln l A ln_in l_ge0 l_allowed signs.
  have := ler_add (ler_wpmul2l t_ge0 (at_l ln l A ln_in l_ge0 l_allowed signs))
    (ler_wpmul2l u_ge0 (at_l' ln l A ln_in l_ge0 l_allowed signs)).
  rewrite [(t * x + u * x') * l]mulrDl -!mulrA (value_mix _ _ _ tu); apply: le_trans.
  by rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
- move=> A signs; have := sum_le0 (mulr_ge0_le0 t_ge0 (at_inf A signs)) (mulr_ge0_le0 u_ge0 (at_inf' A signs)).
  by apply: le_trans; rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
Qed.

Definition last_line : line := (slope p, unit p, Z0, Z0).

Lemma value_beyond ln (y z : R) : not_steeper p ln -> 0 <= z -> value ln (y + z) <= value ln y + s * z.
Proof.
case: ln => [[[rise run] X0] W0] /andP [/real_lt run_gt0 /real_le]; rewrite !realE => steep z_ge0.
rewrite /value addrAC mulrDr addrA ler_add2l ler_wpmul2r // /quotient.
by rewrite ler_pdivr_mulr // mulrAC ler_pdivl_mulr.
Qed.

Lemma value_last l : value last_line (1 * l) = s * l.
Proof. by rewrite /value /last_line real0 !mul0r subr0 add0r mul1r. Qed.

Lemma fine_beyond ls (r k x left lam lam' mu mu' nu nu' : R) : 0 <= r -> all (not_steeper p) ls ->
  fine ls k x left lam mu nu -> fine [:: last_line] 1 1 s lam' mu' nu' ->
  fine ls (k + r) (x + r) (left + r * s) (lam + r * lam') (mu + r * mu') (nu + r * nu').
Proof.
move=> r_ge0 /allP steep [lam_ge0 at_l at_inf] [lam_ge0' at_l' at_inf']; split.
- by rewrite addr_ge0 // mulr_ge0.
- move=> ln l A ln_in l_ge0 l_allowed signs.
  have := ler_add (at_l ln l A ln_in l_ge0 l_allowed signs)
    (ler_wpmul2l r_ge0 (at_l' _ l A (mem_head _ _) l_ge0 l_allowed signs)).
  have rl_ge0 : 0 <= r * l by rewrite mulr_ge0.
  have := ler_wpmul2l g_ge0 (value_beyond (x * l) (steep ln ln_in) rl_ge0).
  rewrite value_last.
  rewrite -mulrDl; move: (value _ _) (value _ _) => v v' v_le le; apply: le_trans le.
  rewrite -subr_le0 in v_le; rewrite -subr_le0; apply: le_trans v_le.
  by rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
- move=> A signs; have := sum_le0 (at_inf A signs) (mulr_ge0_le0 r_ge0 (at_inf' A signs)).
  by apply: le_trans; rewrite le_eqVlt; apply/orP; left; apply/eqP; ring.
Qed.

(** ** w is the largest line *)

Fixpoint top (ls : seq line) (y : R) : R :=
  match ls with
  | [::] => 0
  | [:: ln] => value ln y
  | ln :: rest => Num.max (value ln y) (top rest y)
  end.

Lemma topE ln ln' rest y : top [:: ln, ln' & rest] y = Num.max (value ln y) (top (ln' :: rest) y).
Proof. by []. Qed.

Lemma top_ge ls ln y : ln \in ls -> value ln y <= top ls y.
Proof.
elim: ls => [|l [|l' rest] IH] //; first by rewrite inE => /eqP ->.
by rewrite inE topE le_maxr => /orP [/eqP -> | /IH ->]; rewrite ?lexx ?orbT.
Qed.

Lemma top_is ls y : ls != [::] -> exists2 ln, ln \in ls & top ls y = value ln y.
Proof.
elim: ls => [|l [|l' rest] IH] // _; first by exists l; rewrite ?mem_head.
have [// | ln ln_in topl] := IH _; rewrite topE; case: (leP (value l y) (top (l' :: rest) y)) => _.
  by exists ln => //; rewrite inE ln_in orbT.
by exists l => //; rewrite mem_head.
Qed.

Lemma fine_bounds ls k x left lam mu nu here : ls != [::] -> fine ls k x left lam mu nu -> left <= here ->
  bounds_all_laws g f F (allowed (kind p)) k D (fun l => top ls (x * l)) (x * s) here.
Proof.
move=> some [lam_ge0 at_l at_inf] left_le; exists lam, mu, nu; split=> // l A l_ge0 l_allowed signs.
have [ln ln_in ->] := top_is (x * l) some.
exact: le_trans (at_l ln l A ln_in l_ge0 l_allowed signs) left_le.
Qed.

(** ** Where x is among the nodes *)

Local Notation at_ n := (real (place n) / d).
Local Notation high n := (real (height n) / d).
Definition chord n m : line := (Z.sub (height m) (height n), Z.sub (place m) (place n), place n, height n).
Definition ray n : line := (slope p, unit p, place n, height n).

Lemma located ns (x : R) : in_order p ns -> (if ns is n :: _ then at_ n <= x else false) ->
  (exists n m, [/\ n \in ns, m \in ns, chord n m \in lines p ns, at_ n <= x < at_ m & at_ m <= 1 \/ 1 <= at_ n]) \/
  (exists n, [/\ n \in ns, ray n \in lines p ns, 1 <= at_ n & at_ n <= x]).
Proof.
elim: ns => [|n [|m rest] IH] // order x_ge.
  right; exists n; rewrite !mem_head; split=> //.
  by rewrite ler_pdivl_mulr // mul1r; apply: real_le.
case/and3P: order => _ side order.
have [x_m | m_x] := ltrP x (at_ m).
  left; exists n, m; split=> //; rewrite ?mem_head // ?inE ?eqxx ?orbT //.
  - by rewrite x_ge.
  - case/orP: side => /real_le le; [left | right].
      by rewrite ler_pdivr_mulr // mul1r.
    by rewrite ler_pdivl_mulr // mul1r.
have [[n' [m' [n_in m_in c_in x_in sides]]] | [n' [n_in r_in one x_in]]] := IH order m_x.
  by left; exists n', m'; split=> //; rewrite inE ?n_in ?m_in ?orbT //; apply/orP; right.
by right; exists n'; split=> //; rewrite inE ?n_in ?orbT //; apply/orP; right.
Qed.

Let steep : all (not_steeper p) all_lines.
Proof. by case/and5P: good => _ _ _ _ /and5P [_ _ _ _ /andP []]. Qed.

Let checked : all (below_at p all_lines) (nodes p) && below_beyond p && all (at_one p bound) all_lines.
Proof. by case/and5P: good => _ _ _ _ /and5P [_ _ _ _ /and4P [_ -> -> ->]]. Qed.

Lemma fine_node n : n \in nodes p -> 0 <= high n /\
  exists lam mu nu, fine all_lines `|at_ n - 1| (at_ n) (high n) lam mu nu.
Proof.
case/andP: checked => /andP [/allP checks _] _ /checks; case: n => [[[[X W] L] M] N].
case/and4P=> /real_le W_ge0 L_ge0 plus minus; rewrite /place /height; split; first by rewrite divr_ge0 // ltW.
exists (real L / d), (real M / d), (real N / d).
have := below_fine steep L_ge0 plus minus; congr (fine _ _ _ _ _ _ _).
rewrite real_abs realB -[X in _ / X]gtr0_norm // -normf_div; congr (`|_|).
by field; rewrite lt0r_neq0.
Qed.

Lemma all_lines_some : all_lines != [::].
Proof. by case/and5P: good => _ _ _ _ /and5P [_ _ _ + _]; case: (nodes p) => [|n [|m rest]]. Qed.

Lemma fine_infinity : exists lam mu nu, fine [:: last_line] 1 1 s lam mu nu.
Proof.
case/andP: checked => /andP [_ beyond] _; move: beyond; rewrite /below_beyond.
case: (infinity p) => [[L M] N] /and3P [L_ge0 plus minus].
have S_ok : all (not_steeper p) [:: last_line].
  case/and5P: good => d_ok _ _ _ _; rewrite /= andbT; apply/andP; split=> //.
  exact: Z.leb_refl.
exists (real L / d), (real M / d), (real N / d).
by have := below_fine S_ok L_ge0 plus minus; rewrite divff // lt0r_neq0.
Qed.

Lemma fine_everywhere x : 0 <= x -> exists left lam mu nu,
  [/\ 0 <= left, left <= top all_lines x & fine all_lines `|x - 1| x left lam mu nu].
Proof.
move=> x_ge0.
have order : in_order p (nodes p) by case/and5P: good => _ _ _ _ /and5P [_ _ _ -> _].
have first_le : is_true (if nodes p is n :: _ then at_ n <= x else false).
  case/and5P: good => _ _ _ _ /and5P [_ _ + _ _]; case: (nodes p) => // n _ /Z.eqb_eq ->.
  by rewrite real0 mul0r.
have [[n [m [n_in m_in c_in /andP [n_x x_m] sides]]] | [n [n_in r_in one n_x]]] := located order first_le.
- have [n_ge0 [lam [mu [nu fine_n]]]] := fine_node n_in; have [m_ge0 [lam' [mu' [nu' fine_m]]]] := fine_node m_in.
  pose width := at_ m - at_ n; have width_gt0 : 0 < width by rewrite subr_gt0; apply: le_lt_trans n_x x_m.
  pose t := (at_ m - x) / width; pose u := (x - at_ n) / width.
  have t_ge0 : 0 <= t by apply: divr_ge0; [rewrite subr_ge0|]; apply: ltW.
  have u_ge0 : 0 <= u by apply: divr_ge0; [rewrite subr_ge0|apply: ltW].
  have tu : t + u = 1 by rewrite /t /u -mulrDl addrA subrK divff // lt0r_neq0.
  have xE : t * at_ n + u * at_ m = x.
    by rewrite /t /u; move: width_gt0; rewrite /width; move: (at_ m) (at_ n) => a b ab; field; rewrite lt0r_neq0.
  have mixed := fine_mix t_ge0 u_ge0 tu fine_n fine_m.
  exists (t * high n + u * high m), (t * lam + u * lam'), (t * mu + u * mu'), (t * nu + u * nu'); split.
  + by rewrite addr_ge0 // mulr_ge0.
  + apply: le_trans (top_ge x c_in); rewrite /value /chord /quotient !realB le_eqVlt; apply/orP; left; apply/eqP.
    have run_neq0 : real (place m) - real (place n) != 0.
      by apply: contraTneq width_gt0; rewrite /width -mulrBl => ->; rewrite mul0r ltxx.
    by rewrite /t /u /width; field; rewrite run_neq0 lt0r_neq0.
  + move: mixed; rewrite xE; congr (fine _ _ _ _ _ _ _); case: sides => side.
      have n_le : at_ n <= 1 by apply: le_trans n_x (le_trans (ltW x_m) side).
      have x_le : x <= 1 by apply: le_trans (ltW x_m) side.
      by rewrite !ler0_norm ?subr_le0 // !opprB -[in RHS]xE -[in RHS]tu; ring.
    have m_ge : 1 <= at_ m by apply: le_trans side (le_trans n_x (ltW x_m)).
    have x_ge1 : 1 <= x by apply: le_trans side n_x.
    by rewrite !ger0_norm ?subr_ge0 // -[in RHS]xE -[in RHS]tu; ring.
- have [n_ge0 [lam [mu [nu fine_n]]]] := fine_node n_in; have [lam' [mu' [nu' fine_end]]] := fine_infinity.
  have r_ge0 : 0 <= x - at_ n by rewrite subr_ge0.
  have mixed := fine_beyond r_ge0 steep fine_n fine_end; do 4 eexists; split; last first.
  + move: mixed; have -> : at_ n + (x - at_ n) = x by rewrite addrC subrK.
    have -> : `|at_ n - 1| + (x - at_ n) = `|x - 1|; last exact.
    have x_ge1 : 1 <= x by apply: le_trans one n_x.
    by rewrite !ger0_norm ?subr_ge0 //; ring.
  + by apply: le_trans (top_ge x r_in); rewrite [_ * s]mulrC.
  + by rewrite addr_ge0 // mulr_ge0.
Qed.

(** ** The theorem *)

Lemma file_supersolution : supersolution g f F (allowed (kind p)) D (top all_lines) s.
Proof.
split=> [x x_ge0 | x x_ge0 |].
- have [left [_ [_ [_ [left_ge0 left_le _]]]]] := fine_everywhere x_ge0; exact: le_trans left_ge0 left_le.
- have [left [lam [mu [nu [_ left_le fine_x]]]]] := fine_everywhere x_ge0.
  exact: fine_bounds all_lines_some fine_x left_le.
- have [lam [mu [nu [lam_ge0 at_l at_inf]]]] := fine_infinity; exists lam, mu, nu; split=> // [l A l_ge0 l_allowed signs | A signs].
    by have := at_l _ l A (mem_head _ _) l_ge0 l_allowed signs; rewrite value_last.
  by have := at_inf A signs; rewrite !mul1r.
Qed.

Lemma top_at_one : top all_lines 1 <= quotient bound (unit p).
Proof.
have [ln ln_in ->] := top_is 1 all_lines_some.
case/andP: checked => _ /allP ones; have := ones ln ln_in; have := allP steep ln ln_in.
case: ln {ln_in} => [[[rise run] X0] W0] /andP [/real_lt run_gt0 _] /real_le; rewrite !realE => le.
have scale_gt0 : 0 < d * real run by rewrite mulr_gt0.
rewrite -subr_le0 -(pmulr_rle0 _ scale_gt0); rewrite -subr_le0 in le; apply: le_trans le.
rewrite le_eqVlt; apply/orP; left; apply/eqP; rewrite /value /quotient.
by field; rewrite !lt0r_neq0.
Qed.

Variables (S A : finType) (M : mdp R S A) (old new : S -> A -> R) (V_old V_new rho_old rho_new : S -> R).
Hypothesis discountE : discount M = g.
Hypotheses (oldP : policy old) (newP : policy new).
Hypotheses (V_oldP : is_value M old V_old) (V_newP : is_value M new V_new).
Hypotheses (rho_oldP : is_visitation M old rho_old) (rho_newP : is_visitation M new rho_new).
Variable eps : R.
Hypothesis advantage_le : forall s a, `|advantage M V_old s a| <= eps.

Lemma below_bound : (forall s a, old s a != 0 -> allowed (kind p) (new s a / old s a)) ->
  (forall s, f_divergence f F (old s) (new s) <= D) ->
  surrogate M V_old rho_old new - return_of M V_new <= eps * quotient bound (unit p).
Proof.
move=> all_allowed div_le; have super := file_supersolution; rewrite -discountE in super.
have gap := sharp_gap_max oldP newP V_oldP V_newP rho_oldP rho_newP advantage_le super all_allowed div_le.
by apply: le_trans gap _; rewrite ler_wpmul2l ?top_at_one // (eps_ge0 oldP advantage_le).
Qed.

Let old_gt0 s a : old s a != 0 -> 0 < old s a.
Proof. by move=> o0; rewrite lt_neqAle eq_sym o0 /=; case: (oldP s). Qed.

Theorem proved_tv : kind p = TV -> (forall s, total_variation (old s) (new s) <= D) ->
  surrogate M V_old rho_old new - return_of M V_new <= eps * quotient bound (unit p).
Proof.
move=> is_tv tv_le; apply: below_bound; rewrite is_tv // => s; apply: le_trans (tv_le s).
rewrite /f_divergence /total_variation mulr_sumr le_eqVlt; apply/orP; left; apply/eqP; apply: eq_bigr => a _.
rewrite distrC /generator; have [-> | o0] := eqVneq (old s a) 0.
  by rewrite end_tv subr0 ger0_norm; [exact: mulrC | case: (newP s)].
have -> : new s a - old s a = old s a * (new s a / old s a - 1) by rewrite mulrBr mulr1 mulrCA divff ?mulr1.
by rewrite normrM (gtr0_norm (old_gt0 o0)) [2%:R^-1 * _]mulrC mulrA.
Qed.

Theorem proved_chi2 : kind p = Chi2_old_new -> (forall s a, new s a = 0 -> old s a = 0) ->
  (forall s, chi2 (old s) (new s) <= D) ->
  surrogate M V_old rho_old new - return_of M V_new <= eps * quotient bound (unit p).
Proof.
move=> is_chi2 support chi2_le; have new_neq0 s a : old s a != 0 -> new s a != 0.
  by apply: contra => /eqP n0; rewrite (support s a n0).
apply: below_bound; rewrite is_chi2; [move=> s a o0 | move=> s].
  by rewrite /allowed divr_gt0 ?old_gt0 // lt_neqAle eq_sym new_neq0 //=; case: (newP s).
apply: le_trans (chi2_le s); rewrite le_eqVlt; apply/orP; left; apply/eqP; apply: eq_bigr => a _.
rewrite /generator; have [-> | o0] := eqVneq (old s a) 0; last first.
  by move: (old s a) (new s a) o0 (new_neq0 s a o0) => o n o0 n0; field; rewrite o0 n0.
rewrite sub0r sqrrN end_chi2 mulr1.
by have [-> | n0] := eqVneq (new s a) 0; [rewrite expr0n mul0r | rewrite expr2 -mulrA divff ?mulr1].
Qed.

End Proof.

End Soundness.
