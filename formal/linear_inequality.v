(** * The inequality in two variables under mean-kl/linear-4, in Coq's reals

    With z = l - 1, m = |x - 1|, f(l) = l - 1 - ln l and a = gamma / (1 - gamma) >= 1/3,
      H = a (4 f(l) - 8 x^2 z^2 / ((x + 1)^2 (x l + 1))) + 2 m^2 / (x + 1) + m (M z - |z + N|) >= 0
    for all x >= 0 and l > 0.  Rational arguments do for x next to 1 or large and for l small or large; the rest, two
    rectangles, is cut into boxes and checked in interval arithmetic. *)

From Coq Require Import Reals Lra Psatz.
From Interval Require Import Tactic.
From TRPO Require Import logarithm.
Local Open Scope R_scope.

Definition f (l : R) := l - 1 - ln l.
Definition curvature (x l : R) := 8 * x ^ 2 * (l - 1) ^ 2 / ((x + 1) ^ 2 * (x * l + 1)).
Definition near_one (m : R) := if Rle_dec m (1 / 20) then true else false.
Definition multiplier (m : R) := if near_one m then 0 else 13 / 10 * m / (m + 7 / 10).
Definition tilt (m : R) := if near_one m then 0 else m ^ 2 / (m ^ 2 + 9 / 10).
Definition H (a x l : R) := let m := Rabs (x - 1) in
  a * (4 * f l - curvature x l) + 2 * m ^ 2 / (x + 1) + m * (multiplier m * (l - 1) - Rabs (l - 1 + tilt m)).

Lemma pos_mul_le p q c : 0 < c -> p * c <= q -> p <= q / c.
Proof. intros c_gt0 le; apply Rmult_le_reg_r with c; [easy|]; unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra. Qed.

Lemma div_le_mul p q c : 0 < c -> p <= q * c -> p / c <= q.
Proof. intros c_gt0 le; apply Rmult_le_reg_r with c; [easy|]; unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra. Qed.

(** f(l) >= 3 z^2 / (2 (1 + 2 l)). *)
Lemma f_lower l : 0 < l -> 3 * (l - 1) ^ 2 / (2 * (1 + 2 * l)) <= f l.
Proof.
intros l_gt0; generalize (ln_pade (/ l) (Rinv_0_lt_compat _ l_gt0)).
rewrite ln_Rinv by easy; unfold f.
replace ((/ l - 1) * (5 * / l + 1) / (2 * / l * (/ l + 2))) with ((1 - l) * (5 + l) / (2 * (1 + 2 * l))).
- replace (3 * (l - 1) ^ 2 / (2 * (1 + 2 * l))) with (l - 1 + (1 - l) * (5 + l) / (2 * (1 + 2 * l))); [lra|].
  field; lra.
- field; repeat split; try lra; apply Rgt_not_eq; nra.
Qed.

Lemma f_small l : 0 < l <= 1 / 20 -> 409 / 200 <= f l.
Proof.
intros [l_gt0 l_le]; unfold f.
assert (le : ln (20 * l) <= 20 * l - 1) by (apply ln_le_sub1; lra).
rewrite ln_mult in le by lra.
assert (599 / 200 <= ln 20) by interval; lra.
Qed.

Lemma curvature_le x l : 0 <= x -> 0 < l -> 1 / 20 <= l -> curvature x l <= 4 * (3 * (l - 1) ^ 2 / (2 * (1 + 2 * l))).
Proof.
intros x_ge0 l_gt0 l_ge; unfold curvature.
assert (d_gt0 : 0 < (x + 1) ^ 2 * (x * l + 1)) by (apply Rmult_lt_0_compat; nra).
apply div_le_mul; [easy|].
replace (4 * (3 * (l - 1) ^ 2 / (2 * (1 + 2 * l))) * ((x + 1) ^ 2 * (x * l + 1)))
  with ((6 * (l - 1) ^ 2 * ((x + 1) ^ 2 * (x * l + 1))) / (1 + 2 * l)) by (field; lra).
apply pos_mul_le; [lra|].
assert (0 <= x * l * (3 * x ^ 2 - 2 * x + 3) + (3 + 6 * x - x ^ 2)).
{ assert (x * (1 / 20) * (3 * x ^ 2 - 2 * x + 3) <= x * l * (3 * x ^ 2 - 2 * x + 3)).
  { apply Rmult_le_compat_r; [nra|]; apply Rmult_le_compat_l; lra. }
  assert (0 <= x * (1 / 20) * (3 * x ^ 2 - 2 * x + 3) + (3 + 6 * x - x ^ 2)); [|lra].
  replace (x * (1 / 20) * (3 * x ^ 2 - 2 * x + 3) + (3 + 6 * x - x ^ 2))
    with (x * (3 / 20 * (x - 11 / 3) ^ 2 + (6 + 3 / 20 - 3 / 20 * (11 / 3) ^ 2)) + 3) by field.
  apply Rplus_le_le_0_compat; [apply Rmult_le_pos; [easy|] | lra]; nra. }
replace (6 * (l - 1) ^ 2 * ((x + 1) ^ 2 * (x * l + 1)))
  with (8 * x ^ 2 * (l - 1) ^ 2 * (1 + 2 * l) + 2 * (l - 1) ^ 2 * (x * l * (3 * x ^ 2 - 2 * x + 3) + (3 + 6 * x - x ^ 2))) by ring.
assert (0 <= (l - 1) ^ 2 * (x * l * (3 * x ^ 2 - 2 * x + 3) + (3 + 6 * x - x ^ 2))); [|lra].
apply Rmult_le_pos; [apply pow2_ge_0 | easy].
Qed.

Lemma curvature_small x l : 0 <= x -> 0 < l <= 1 / 20 -> curvature x l <= 8 * x ^ 2 / (x + 1) ^ 2.
Proof.
intros x_ge0 [l_gt0 l_le]; unfold curvature.
replace (8 * x ^ 2 * (l - 1) ^ 2 / ((x + 1) ^ 2 * (x * l + 1)))
  with (8 * x ^ 2 / (x + 1) ^ 2 * ((l - 1) ^ 2 / (x * l + 1))) by (field; split; nra).
rewrite <- Rmult_1_r; apply Rmult_le_compat_l.
- apply Rmult_le_pos; [nra|]; apply Rlt_le, Rinv_0_lt_compat; nra.
- apply div_le_mul; nra.
Qed.

(** The coefficient of a is not negative: it is enough to look at a = 1/3. *)
Lemma coefficient_ge0 x l : 0 <= x -> 0 < l -> 0 <= 4 * f l - curvature x l.
Proof.
intros x_ge0 l_gt0; destruct (Rle_lt_dec (1 / 20) l) as [l_ge|l_lt].
- generalize (curvature_le x l x_ge0 l_gt0 l_ge) (f_lower l l_gt0); lra.
- generalize (curvature_small x l x_ge0 (conj l_gt0 (Rlt_le _ _ l_lt))) (f_small l (conj l_gt0 (Rlt_le _ _ l_lt))).
  assert (8 * x ^ 2 / (x + 1) ^ 2 <= 8) by (apply div_le_mul; nra); lra.
Qed.

Lemma H_increasing a x l : 1 / 3 <= a -> 0 <= x -> 0 < l -> H (1 / 3) x l <= H a x l.
Proof.
intros a_ge x_ge0 l_gt0; generalize (coefficient_ge0 x l x_ge0 l_gt0); intros c_ge0.
unfold H; apply Rplus_le_compat_r, Rplus_le_compat_r, Rmult_le_compat_r; easy.
Qed.

(** ** x within 1/20 of 1: a quadratic form in |z| and m *)

Lemma H_near x l : Rabs (x - 1) <= 1 / 20 -> 0 < l -> 0 <= H (1 / 3) x l.
Proof.
intros m_le l_gt0.
assert (x_ge : 19 / 20 <= x <= 21 / 20) by (revert m_le; unfold Rabs; destruct (Rcase_abs (x - 1)); lra).
unfold H, multiplier, tilt, near_one; destruct (Rle_dec (Rabs (x - 1)) (1 / 20)) as [_|no]; [|easy].
set (m := Rabs (x - 1)) in *; set (z := Rabs (l - 1)).
assert (m_ge0 : 0 <= m) by apply Rabs_pos.
assert (z_ge0 : 0 <= z) by apply Rabs_pos.
assert (zE : (l - 1) ^ 2 = z ^ 2) by (unfold z; rewrite pow2_abs; easy).
pose (alpha := (6 / (1 + 2 * l) - 21 / 10 / (19 / 20 * l + 1)) / 3).
assert (first : alpha * z ^ 2 <= 1 / 3 * (4 * f l - curvature x l)).
{ assert (curvature x l <= 21 / 10 / (19 / 20 * l + 1) * z ^ 2).
  { unfold curvature; rewrite zE; apply div_le_mul; [apply Rmult_lt_0_compat; nra|].
    replace (21 / 10 / (19 / 20 * l + 1) * z ^ 2 * ((x + 1) ^ 2 * (x * l + 1)))
      with (z ^ 2 * (21 / 10 * (x + 1) ^ 2 * ((x * l + 1) / (19 / 20 * l + 1)))) by (field; lra).
    set (q := (x * l + 1) / (19 / 20 * l + 1)).
    assert (q_ge : 1 <= q) by (unfold q; apply pos_mul_le; nra).
    assert (0 <= (21 / 20 - x) * (x - 19 / 20)) by (apply Rmult_le_pos; lra).
    assert (x_le : 8 * x ^ 2 <= 21 / 10 * (x + 1) ^ 2) by lra.
    assert (0 <= 21 / 10 * (x + 1) ^ 2 * (q - 1)) by (apply Rmult_le_pos; [nra | lra]).
    rewrite (Rmult_comm (8 * x ^ 2)); apply Rmult_le_compat_l; [apply pow2_ge_0 | lra]. }
  generalize (f_lower l l_gt0); rewrite zE; intros f_ge.
  replace (alpha * z ^ 2) with (1 / 3 * (4 * (3 * z ^ 2 / (2 * (1 + 2 * l))) - 21 / 10 / (19 / 20 * l + 1) * z ^ 2)).
  - lra.
  - unfold alpha; field; lra. }
assert (second : 39 / 40 * m ^ 2 <= 2 * m ^ 2 / (x + 1)) by (apply pos_mul_le; nra).
replace (l - 1 + 0) with (l - 1) by ring; fold z; replace (m * (0 * (l - 1) - z)) with (- (m * z)) by ring.
assert (0 <= alpha * z ^ 2 + 39 / 40 * m ^ 2 - m * z); [|lra].
destruct (Rle_lt_dec l (6 / 5)) as [l_le|l_gt].
- assert (alpha_ge : 10 / 39 <= alpha).
  { unfold alpha; apply pos_mul_le; [lra|].
    replace (6 / (1 + 2 * l) - 21 / 10 / (19 / 20 * l + 1))
      with ((6 * (19 / 20 * l + 1) - 21 / 10 * (1 + 2 * l)) / ((1 + 2 * l) * (19 / 20 * l + 1))) by (field; lra).
    assert (0 <= l * (6 / 5 - l)) by (apply Rmult_le_pos; lra).
    apply pos_mul_le; [apply Rmult_lt_0_compat; lra | lra]. }
  assert (0 <= 10 / 39 * (z - 39 / 20 * m) ^ 2) by (apply Rmult_le_pos; [lra | apply pow2_ge_0]).
  assert (10 / 39 * z ^ 2 <= alpha * z ^ 2) by (apply Rmult_le_compat_r; [apply pow2_ge_0 | easy]).
  lra.
- assert (zE' : z = l - 1) by (unfold z; rewrite Rabs_pos_eq; lra).
  assert (m <= alpha * z).
  { apply Rle_trans with (1 / 20); [easy|]; rewrite zE'; unfold alpha.
    replace ((6 / (1 + 2 * l) - 21 / 10 / (19 / 20 * l + 1)) / 3 * (l - 1))
      with ((l - 1) * (6 * (19 / 20 * l + 1) - 21 / 10 * (1 + 2 * l)) / (3 * ((1 + 2 * l) * (19 / 20 * l + 1)))) by (field; lra).
    assert (0 <= (l - 6 / 5) ^ 2) by apply pow2_ge_0.
    apply pos_mul_le; [apply Rmult_lt_0_compat; [lra | apply Rmult_lt_0_compat; lra] | lra]. }
  nra.
Qed.

(** ** l at most 1/20 *)

Lemma abs_between y lo hi b : lo <= y <= hi -> - b <= lo -> hi <= b -> Rabs y <= b.
Proof. intros [lo_le le_hi] b_lo hi_b; apply Rabs_le; lra. Qed.

Lemma tilt_range m : 0 <= m -> 0 <= tilt m <= 1.
Proof.
intros m_ge0; unfold tilt; destruct (near_one m); [lra|]; split.
- apply Rmult_le_pos; [nra|]; apply Rlt_le, Rinv_0_lt_compat; nra.
- apply div_le_mul; nra.
Qed.

Lemma multiplier_ge0 m : 0 <= m -> 0 <= multiplier m.
Proof.
intros m_ge0; unfold multiplier; destruct (near_one m); [lra|].
apply Rmult_le_pos; [lra|]; apply Rlt_le, Rinv_0_lt_compat; lra.
Qed.

Lemma far_multiplier m : 1 / 20 < m -> multiplier m = 13 / 10 * m / (m + 7 / 10) /\ tilt m = m ^ 2 / (m ^ 2 + 9 / 10).
Proof. intros m_gt; unfold multiplier, tilt, near_one; destruct (Rle_dec m (1 / 20)); [lra | easy]. Qed.

Lemma below_one x : 0 <= x -> 1 / 20 < Rabs (x - 1) -> x <= 1 -> Rabs (x - 1) = 1 - x /\ x < 19 / 20.
Proof. intros x_ge0; unfold Rabs; destruct (Rcase_abs (x - 1)); split; lra. Qed.

Lemma above_one x : 1 / 20 < Rabs (x - 1) -> 1 < x -> Rabs (x - 1) = x - 1 /\ 21 / 20 < x.
Proof. unfold Rabs; destruct (Rcase_abs (x - 1)); split; lra. Qed.

Lemma H_small_l x l : 0 <= x <= 12 -> 1 / 20 < Rabs (x - 1) -> 0 < l <= 1 / 20 -> 0 <= H (1 / 3) x l.
Proof.
intros [x_ge0 x_le] m_gt l_in; unfold H; set (m := Rabs (x - 1)) in *.
assert (m_ge0 : 0 <= m) by lra.
generalize (curvature_small x l x_ge0 l_in) (f_small l l_in) (tilt_range m m_ge0) (multiplier_ge0 m m_ge0).
intros c_le f_ge [N_ge0 N_le1] M_ge0; destruct l_in as [l_gt0 l_le].
assert (abs_le : Rabs (l - 1 + tilt m) <= 21 / 20 - tilt m).
{ apply abs_between with (tilt m - 1) (tilt m - 19 / 20); lra. }
apply Rle_trans with (1 / 3 * (409 / 50 - 8 * x ^ 2 / (x + 1) ^ 2) + 2 * m ^ 2 / (x + 1)
  + m * (- multiplier m - (21 / 20 - tilt m))).
- destruct (far_multiplier m m_gt) as [-> ->].
  destruct (Rle_lt_dec x 1) as [x_le1|x_gt1].
  + destruct (below_one x x_ge0 m_gt x_le1) as [mE x_lt]; fold m in mE; rewrite mE.
    interval with (i_bisect x, i_depth 20).
  + destruct (above_one x m_gt x_gt1) as [mE x_gt]; fold m in mE; rewrite mE.
    interval with (i_bisect x, i_depth 20).
- assert (m * (- multiplier m - (21 / 20 - tilt m)) <= m * (multiplier m * (l - 1) - Rabs (l - 1 + tilt m))).
  { apply Rmult_le_compat_l; [easy|].
    assert (- multiplier m <= multiplier m * (l - 1)) by nra; lra. }
  lra.
Qed.

(** ** l at least 30 *)

Lemma curvature_large x l : 0 <= x -> 1 <= l -> curvature x l <= 2 * (l - 1).
Proof.
intros x_ge0 l_ge; unfold curvature; apply div_le_mul; [apply Rmult_lt_0_compat; nra|].
assert (4 * x <= (x + 1) ^ 2) by (generalize (pow2_ge_0 (x - 1)); lra).
assert (0 <= x * (l - 1) <= x * l + 1) by (split; [apply Rmult_le_pos | ]; lra).
replace (8 * x ^ 2 * (l - 1) ^ 2) with (2 * (l - 1) * (4 * x * (x * (l - 1)))) by ring.
rewrite Rmult_assoc, (Rmult_assoc 2 (l - 1)); apply Rmult_le_compat_l; [lra|].
apply Rmult_le_compat_l; [lra|]; apply Rmult_le_compat; lra.
Qed.

Lemma ln_large l : 30 <= l -> ln l <= 3402 / 1000 + (l - 30) / 30.
Proof.
intros l_ge; assert (le : ln (l / 30) <= l / 30 - 1) by (apply ln_le_sub1; lra).
unfold Rdiv in le; rewrite ln_mult, ln_Rinv in le by lra.
assert (ln 30 <= 3402 / 1000) by interval; lra.
Qed.

Lemma H_large_l x l : 0 <= x <= 12 -> 1 / 20 < Rabs (x - 1) -> 30 <= l -> 0 <= H (1 / 3) x l.
Proof.
intros [x_ge0 x_le] m_gt l_ge; unfold H; set (m := Rabs (x - 1)) in *.
assert (m_in : 1 / 20 <= m <= 11) by (unfold m in *; revert m_gt; unfold Rabs; destruct (Rcase_abs (x - 1)); lra).
assert (m_ge0 : 0 <= m) by lra.
assert (x_pos : 0 < x + 1) by lra.
assert (l_ge1 : 1 <= l) by lra.
generalize (curvature_large x l x_ge0 l_ge1) (ln_large l l_ge) (tilt_range m m_ge0); intros c_le ln_le [N_ge0 _].
rewrite (Rabs_pos_eq (l - 1 + tilt m)) by lra.
assert (0 <= 2 * m ^ 2 / (x + 1)) by (apply Rmult_le_pos; [nra | apply Rlt_le, Rinv_0_lt_compat; easy]).
assert (slope : 0 <= 2 / 3 - 4 / 90 - m * (1 - multiplier m)).
{ destruct (far_multiplier m m_gt) as [-> _]; interval with (i_bisect m, i_depth 20). }
assert (constant : 0 <= 147 / 10 - 29 * (m * (1 - multiplier m)) - m * tilt m).
{ destruct (far_multiplier m m_gt) as [-> ->]; interval with (i_bisect m, i_depth 20). }
assert (0 <= (l - 30) * (2 / 3 - 4 / 90 - m * (1 - multiplier m))) by (apply Rmult_le_pos; lra).
unfold f.
replace (m * (multiplier m * (l - 1) - (l - 1 + tilt m)))
  with (- (l - 1) * (m * (1 - multiplier m)) - m * tilt m) by ring.
lra.
Qed.

(** ** x at least 12 *)

Lemma H_large_x x l : 12 <= x -> 0 < l -> 0 <= H (1 / 3) x l.
Proof.
intros x_ge l_gt0.
assert (x_ge0 : 0 <= x) by lra.
generalize (coefficient_ge0 x l x_ge0 l_gt0); intros c_ge0.
unfold H; set (m := Rabs (x - 1)).
assert (mE : m = x - 1) by (unfold m; rewrite Rabs_pos_eq; lra).
assert (m_gt : 1 / 20 < m) by lra.
assert (range : 1 <= multiplier m <= 13 / 10 /\ 99 / 100 <= tilt m <= 1).
{ destruct (far_multiplier m m_gt) as [-> ->]; repeat split.
  - apply pos_mul_le; lra.
  - apply div_le_mul; lra.
  - apply pos_mul_le; nra.
  - apply div_le_mul; nra. }
destruct range as [[M_ge M_le] [N_ge N_le]].
assert (rise : 22 / 13 * m <= 2 * m ^ 2 / (x + 1)) by (apply pos_mul_le; nra).
assert (0 <= m * (22 / 13 + multiplier m * (l - 1) - Rabs (l - 1 + tilt m))); [|lra].
apply Rmult_le_pos; [lra|].
unfold Rabs; destruct (Rcase_abs (l - 1 + tilt m)); nra.
Qed.
