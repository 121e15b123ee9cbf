(** * The inequality in two variables under the linear mean-KL theorems, in Coq's reals

    With z = l - 1, m = |x - 1|, f(l) = l - 1 - ln l and a = gamma / (1 - gamma) >= a0,
      H = a (K f(l) - 4 k x^2 z^2 / ((x + 1)^2 (x l + 1))) + k m^2 / (x + 1) + m (M z - |z + N|) >= 0
    for all x >= 0 and l > 0.  Here that follows, for any constants, from what [works] lists: numbers, inequalities in one
    variable, and H >= 0 on two rectangles, to be cut into boxes. *)

From Coq Require Import Reals Lra Psatz.
From TRPO Require Import logarithm.
Local Open Scope R_scope.

Definition f (l : R) := l - 1 - ln l.

Lemma pos_mul_le p q c : 0 < c -> p * c <= q -> p <= q / c.
Proof. intros c_gt0 le; apply Rmult_le_reg_r with c; [easy|]; unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra. Qed.

Lemma div_le_mul p q c : 0 < c -> p <= q * c -> p / c <= q.
Proof. intros c_gt0 le; apply Rmult_le_reg_r with c; [easy|]; unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra. Qed.

(** f(l) >= 3 z^2 / (2 (1 + 2 l)). *)
Definition f_below (l : R) := 3 * (l - 1) ^ 2 / (2 * (1 + 2 * l)).

Lemma f_lower l : 0 < l -> f_below l <= f l.
Proof.
intros l_gt0; generalize (ln_pade (/ l) (Rinv_0_lt_compat _ l_gt0)).
rewrite ln_Rinv by easy; unfold f, f_below.
replace ((/ l - 1) * (5 * / l + 1) / (2 * / l * (/ l + 2))) with ((1 - l) * (5 + l) / (2 * (1 + 2 * l))).
- replace (3 * (l - 1) ^ 2 / (2 * (1 + 2 * l))) with (l - 1 + (1 - l) * (5 + l) / (2 * (1 + 2 * l))); [lra|].
  field; lra.
- field; repeat split; try lra; apply Rgt_not_eq; nra.
Qed.

Lemma ln_tangent t l : 0 < t -> 0 < l -> ln l <= ln t + (l - t) / t.
Proof.
intros t_gt0 l_gt0; assert (le : ln (l / t) <= l / t - 1) by (apply ln_le_sub1, Rdiv_lt_0_compat; easy).
unfold Rdiv at 1 in le; rewrite ln_mult, ln_Rinv in le by (try apply Rinv_0_lt_compat; easy).
replace ((l - t) / t) with (l / t - 1) by (field; lra); lra.
Qed.

(** f decreases below 1. *)
Lemma f_small t l : t <= 1 -> 0 < l <= t -> f t <= f l.
Proof.
intros t_le [l_gt0 l_le]; assert (t_gt0 : 0 < t) by lra; generalize (ln_tangent t l t_gt0 l_gt0); unfold f.
assert ((l - t) / t <= l - t) by (apply div_le_mul; nra); lra.
Qed.

(** ** The constants, and what has to be checked of them *)

Record constants := Constants { factor : R; weight : R; steep : R; bend : R; soft : R; near : R; least : R }.

Section Inequality.

Variable p : constants.
Local Notation K := (factor p).
Local Notation k := (weight p).
Local Notation b := (steep p).
Local Notation B := (bend p).
Local Notation c := (soft p).
Local Notation C := (near p).
Local Notation a0 := (least p).

Definition curvature (x l : R) := 4 * k * x ^ 2 * (l - 1) ^ 2 / ((x + 1) ^ 2 * (x * l + 1)).
(** [curvature] over z^2, in u = 1 / (x + 1); and what is left of 3 K / (2 (1 + 2 l)), times the denominators. *)
Definition curvature_share (u l : R) := 4 * k * (1 - u) ^ 2 * u / ((1 - u) * l + u).
Definition middle (u l : R) := 3 * K * ((1 - u) * l + u) - 8 * k * (1 - u) ^ 2 * u * (1 + 2 * l).

Definition far_multiplier (m : R) := b * m / (m + B).
Definition far_tilt (m : R) := m ^ 2 / (m ^ 2 + c).
Definition near_one (m : R) := if Rle_dec m (1 / 20) then true else false.
Definition multiplier (m : R) := if near_one m then 0 else far_multiplier m.
Definition tilt (m : R) := if near_one m then 0 else far_tilt m.
Definition rest (M N m x l : R) := k * m ^ 2 / (x + 1) + m * (M * (l - 1) - Rabs (l - 1 + N)).
Definition H (a x l : R) := a * (K * f l - curvature x l)
  + (let m := Rabs (x - 1) in rest (multiplier m) (tilt m) m x l).
Definition H_far (m x l : R) := a0 * (K * f l - curvature x l) + rest (far_multiplier m) (far_tilt m) m x l.

(** Below H_far; z^2 is taken out, so that intervals next to l = 1 are narrow. *)
Definition H_middle (m x l : R) :=
  a0 * ((3 * K / (2 * (1 + 2 * l)) - 4 * k * x ^ 2 / ((x + 1) ^ 2 * (x * l + 1))) * (l - 1) ^ 2)
  + rest (far_multiplier m) (far_tilt m) m x l.

(** What is below H_far for l <= 1/100. *)
Definition H_low (m x : R) := a0 * (K * f (1 / 100) - 4 * k * x ^ 2 / (x + 1) ^ 2) + k * m ^ 2 / (x + 1)
  - m * (far_multiplier m + (101 / 100 - far_tilt m)).

(** Of a K f(l) - a k z, which is below the first term of H for l >= 30, the slope in l and the value, at 30. *)
Definition large_slope := a0 * (K - k) - a0 * K / 30.
Definition large_value := 29 * (a0 * (K - k)) - a0 * K * ln 30.

Record works : Prop := {
  signs : 1 <= k <= K /\ 0 < b /\ 0 < B /\ 0 < c /\ 0 < a0;
  far_numbers : 1 <= far_multiplier 11 /\ 1 + b <= k * (11 / 13) + far_tilt 11;
  short_steps : 4 * k <= K * f (1 / 100);
  low_ratios u l : 0 <= u <= 1 -> 1 / 100 <= l <= 3 / 10 -> 0 <= K * f l - curvature_share u l * (l - 1) ^ 2;
  middle_ratios u l : 0 <= u <= 1 -> l = 3 / 10 \/ l = 61 / 5 -> 0 <= middle u l;
  high_ratios : 5 / 61 * K <= K - k /\ K * ln (61 / 5) <= (K - k) * (56 / 5);
  near_number : 4 * k * (21 / 41) ^ 2 <= C;
  near_steps l : 0 <= l <= 6 / 5 ->
    1 <= 4 * (20 * k / 41) * (a0 * (3 * K / (2 * (1 + 2 * l)) - C / (19 / 20 * l + 1)));
  near_long_steps l : 6 / 5 <= l <= 30 -> 0 <= a0 * (K * f l - C * ((l - 1) ^ 2 / (19 / 20 * l + 1))) - (l - 1) / 20;
  small_left x : 0 <= x <= 19 / 20 -> 0 <= H_low (1 - x) x;
  small_right x : 21 / 20 <= x <= 12 -> 0 <= H_low (x - 1) x;
  large_numbers : 1 / 20 <= large_slope /\ 29 / 20 <= large_value;
  large_slopes m : 1 / 20 <= m <= 11 -> 0 <= large_slope - m * (1 - far_multiplier m);
  large_values m : 1 / 20 <= m <= 11 -> 0 <= large_value - 29 * (m * (1 - far_multiplier m)) - m * far_tilt m;
  left_low x l : 0 <= x <= 19 / 20 -> 1 / 100 <= l <= 1 / 2 -> 0 <= H_far (1 - x) x l;
  left_middle x l : 0 <= x <= 19 / 20 -> 1 / 2 <= l <= 2 -> 0 <= H_middle (1 - x) x l;
  left_high x l : 0 <= x <= 19 / 20 -> 2 <= l <= 30 -> 0 <= H_far (1 - x) x l;
  right_low x l : 21 / 20 <= x <= 12 -> 1 / 100 <= l <= 1 / 2 -> 0 <= H_far (x - 1) x l;
  right_middle x l : 21 / 20 <= x <= 12 -> 1 / 2 <= l <= 2 -> 0 <= H_middle (x - 1) x l;
  right_high x l : 21 / 20 <= x <= 12 -> 2 <= l <= 30 -> 0 <= H_far (x - 1) x l }.

Hypothesis good : works.

Let k_gt0 : 0 < k. Proof. generalize (signs good); lra. Qed.
Let K_ge : k <= K. Proof. generalize (signs good); lra. Qed.
Let b_gt0 : 0 < b. Proof. generalize (signs good); lra. Qed.
Let B_gt0 : 0 < B. Proof. generalize (signs good); lra. Qed.
Let c_gt0 : 0 < c. Proof. generalize (signs good); lra. Qed.
Let a0_gt0 : 0 < a0. Proof. generalize (signs good); lra. Qed.

(** ** The coefficient of a is not negative: it is enough to look at a = a0 *)

Lemma curvature_small x l : 0 <= x -> 0 < l <= 1 -> curvature x l <= 4 * k * x ^ 2 / (x + 1) ^ 2.
Proof.
intros x_ge0 [l_gt0 l_le]; unfold curvature; assert (0 <= x * l) by (apply Rmult_le_pos; lra).
assert (pos : 0 < (x + 1) ^ 2) by (apply pow_lt; lra).
replace (4 * k * x ^ 2 * (l - 1) ^ 2 / ((x + 1) ^ 2 * (x * l + 1)))
  with (4 * k * x ^ 2 / (x + 1) ^ 2 * ((l - 1) ^ 2 / (x * l + 1))) by (field; split; lra).
rewrite <- (Rmult_1_r (4 * k * x ^ 2 / (x + 1) ^ 2)) at 2; apply Rmult_le_compat_l.
- apply pos_mul_le; [easy|]; rewrite Rmult_0_l; apply Rmult_le_pos; [lra | apply pow2_ge_0].
- apply div_le_mul; nra.
Qed.

Lemma curvature_large x l : 0 <= x -> 1 <= l -> curvature x l <= k * (l - 1).
Proof.
intros x_ge0 l_ge; unfold curvature; assert (0 <= x * l) by (apply Rmult_le_pos; lra).
apply div_le_mul; [apply Rmult_lt_0_compat; [apply pow_lt|]; lra|].
assert (4 * x <= (x + 1) ^ 2) by (generalize (pow2_ge_0 (x - 1)); lra).
assert (0 <= x * (l - 1) <= x * l + 1) by (split; [apply Rmult_le_pos | ]; lra).
replace (4 * k * x ^ 2 * (l - 1) ^ 2) with (k * (l - 1) * (4 * x * (x * (l - 1)))) by ring.
apply Rmult_le_compat_l; [apply Rmult_le_pos; lra|]; apply Rmult_le_compat; lra.
Qed.

Lemma curvature_in_u x l : 0 <= x -> 0 < l -> exists u,
  0 <= u <= 1 /\ 0 < (1 - u) * l + u /\ curvature x l = curvature_share u l * (l - 1) ^ 2.
Proof.
intros x_ge0 l_gt0; assert (0 <= x * l) by (apply Rmult_le_pos; lra).
exists (1 / (x + 1)).
assert (u_ge0 : 0 <= 1 / (x + 1)) by (apply pos_mul_le; lra).
assert (u_le : 1 / (x + 1) <= 1) by (apply div_le_mul; lra).
assert (denominator : (1 - 1 / (x + 1)) * l + 1 / (x + 1) = (x * l + 1) / (x + 1)) by (field; lra).
split; [easy|]; split.
- rewrite denominator; apply Rdiv_lt_0_compat; lra.
- unfold curvature, curvature_share; rewrite denominator; field; lra.
Qed.

Lemma middle_ge0 u l : 0 <= u <= 1 -> 3 / 10 <= l <= 61 / 5 -> 0 <= middle u l.
Proof.
intros u_in l_in.
generalize (middle_ratios good u (3 / 10) u_in (or_introl eq_refl)) (middle_ratios good u (61 / 5) u_in (or_intror eq_refl)).
intros low high; apply Rmult_le_reg_l with (119 / 10); [lra|]; rewrite Rmult_0_r.
replace (119 / 10 * middle u l) with ((61 / 5 - l) * middle u (3 / 10) + (l - 3 / 10) * middle u (61 / 5)) by (unfold middle; field).
apply Rplus_le_le_0_compat; apply Rmult_le_pos; lra.
Qed.

Lemma coefficient_ge0 x l : 0 <= x -> 0 < l -> curvature x l <= K * f l.
Proof.
intros x_ge0 l_gt0; destruct (Rle_lt_dec (61 / 5) l) as [l_ge|l_lt].
- assert (l_ge1 : 1 <= l) by lra; generalize (curvature_large x l x_ge0 l_ge1); intros c_le.
  assert (t_gt0 : 0 < 61 / 5) by lra; generalize (ln_tangent (61 / 5) l t_gt0 l_gt0); intros ln_le.
  destruct (high_ratios good) as [rise value]; apply Rle_trans with (1 := c_le); unfold f.
  assert (K * ln l <= K * (ln (61 / 5) + (l - 61 / 5) / (61 / 5))) by (apply Rmult_le_compat_l; lra).
  assert (0 <= (l - 61 / 5) * (K - k - 5 / 61 * K)) by (apply Rmult_le_pos; lra).
  lra.
- destruct (Rle_lt_dec l (1 / 100)) as [l_le|l_gt].
  + assert (l_in : 0 < l <= 1) by lra; apply Rle_trans with (1 := curvature_small x l x_ge0 l_in).
    assert (f_ge : f (1 / 100) <= f l) by (apply f_small; lra).
    apply Rle_trans with (4 * k).
    * apply div_le_mul; [apply pow_lt; lra|]; apply Rmult_le_compat_l; [lra|]; apply pow_incr; lra.
    * apply Rle_trans with (1 := short_steps good); apply Rmult_le_compat_l; lra.
  + destruct (curvature_in_u x l x_ge0 l_gt0) as [u [u_in [d_gt0 ->]]].
    destruct (Rle_lt_dec l (3 / 10)) as [l_le|l_gt']; [generalize (low_ratios good u l u_in); lra|].
    assert (l_in : 3 / 10 <= l <= 61 / 5) by lra; generalize (middle_ge0 u l u_in l_in); unfold middle; intros enough.
    apply Rle_trans with (K * f_below l); [|apply Rmult_le_compat_l; [lra | apply f_lower; easy]].
    unfold f_below; replace (K * (3 * (l - 1) ^ 2 / (2 * (1 + 2 * l)))) with (3 * K / (2 * (1 + 2 * l)) * (l - 1) ^ 2)
      by (field; lra).
    apply Rmult_le_compat_r; [apply pow2_ge_0|]; unfold curvature_share; apply div_le_mul; [easy|].
    replace (3 * K / (2 * (1 + 2 * l)) * ((1 - u) * l + u)) with (3 * K * ((1 - u) * l + u) / (2 * (1 + 2 * l)))
      by (field; lra).
    apply pos_mul_le; lra.
Qed.

Lemma H_increasing a x l : a0 <= a -> 0 <= x -> 0 < l -> H a0 x l <= H a x l.
Proof.
intros a_ge x_ge0 l_gt0; generalize (coefficient_ge0 x l x_ge0 l_gt0); intros c_ge0.
unfold H; apply Rplus_le_compat_r, Rmult_le_compat_r; lra.
Qed.

Lemma far_equations m : 1 / 20 < m -> multiplier m = far_multiplier m /\ tilt m = far_tilt m.
Proof. intros m_gt; unfold multiplier, tilt, near_one; destruct (Rle_dec m (1 / 20)); [lra | easy]. Qed.

Lemma far_tilt_range m : 0 <= far_tilt m <= 1.
Proof.
assert (0 <= m ^ 2) by apply pow2_ge_0; unfold far_tilt; split.
- apply pos_mul_le; lra.
- apply div_le_mul; lra.
Qed.

Lemma far_multiplier_range m : 0 <= m -> 0 <= far_multiplier m <= b.
Proof.
intros m_ge0; unfold far_multiplier; split.
- apply pos_mul_le; [lra|]; rewrite Rmult_0_l; apply Rmult_le_pos; lra.
- apply div_le_mul; [lra|]; apply Rmult_le_compat_l; lra.
Qed.

Lemma far_multiplier_large m : 11 <= m -> 1 <= far_multiplier m.
Proof.
intros m_ge; destruct (far_numbers good) as [one _]; apply Rle_trans with (1 := one); unfold far_multiplier.
apply div_le_mul; [lra|]; replace (b * m / (m + B) * (11 + B)) with (b * m * (11 + B) / (m + B)) by (field; lra).
apply pos_mul_le; [lra|]; assert (0 <= b * B * (m - 11)); [|lra].
apply Rmult_le_pos; [apply Rmult_le_pos|]; lra.
Qed.

Lemma far_tilt_large m : 11 <= m -> far_tilt 11 <= far_tilt m.
Proof.
intros m_ge; unfold far_tilt; assert (m2 : 11 ^ 2 <= m ^ 2) by (apply pow_incr; lra).
assert (0 < 11 ^ 2 + c) by lra; assert (0 < m ^ 2 + c) by lra.
apply div_le_mul; [easy|].
replace (m ^ 2 / (m ^ 2 + c) * (11 ^ 2 + c)) with (m ^ 2 * (11 ^ 2 + c) / (m ^ 2 + c)) by (field; lra).
apply pos_mul_le; [easy|]; assert (0 <= c * (m ^ 2 - 11 ^ 2)) by (apply Rmult_le_pos; lra); lra.
Qed.

Lemma slopes m : 0 <= m <= 11 -> m * (1 - multiplier m) <= large_slope.
Proof.
intros [m_ge0 m_le]; destruct (large_numbers good) as [one _]; unfold multiplier, near_one.
destruct (Rle_dec m (1 / 20)); [lra|]; generalize (large_slopes good m); lra.
Qed.

Lemma values m : 0 <= m <= 11 -> 29 * (m * (1 - multiplier m)) + m * tilt m <= large_value.
Proof.
intros [m_ge0 m_le]; destruct (large_numbers good) as [_ one]; unfold multiplier, tilt, near_one.
destruct (Rle_dec m (1 / 20)); [lra|]; generalize (large_values good m); lra.
Qed.

(** ** l at least 30 *)

Lemma H_large_l x l : 0 <= x <= 12 -> 30 <= l -> 0 <= H a0 x l.
Proof.
intros [x_ge0 x_le] l_ge; unfold H, rest; set (m := Rabs (x - 1)).
assert (m_in : 0 <= m <= 11) by (unfold m, Rabs; destruct (Rcase_abs (x - 1)); lra).
assert (l_ge1 : 1 <= l) by lra; assert (l_gt0 : 0 < l) by lra; assert (thirty : 0 < 30) by lra.
generalize (curvature_large x l x_ge0 l_ge1) (ln_tangent 30 l thirty l_gt0) (slopes m m_in) (values m m_in).
assert (tilt_ge0 : 0 <= tilt m) by (unfold tilt; destruct (near_one m); [lra | apply far_tilt_range]).
rewrite (Rabs_pos_eq (l - 1 + tilt m)) by lra.
assert (0 <= k * m ^ 2 / (x + 1)).
{ apply pos_mul_le; [lra|]; rewrite Rmult_0_l; apply Rmult_le_pos; [lra | apply pow2_ge_0]. }
set (T := m * tilt m); set (Q := m * (1 - multiplier m)); intros c_le ln_le slope_ge value_ge.
replace (m * (multiplier m * (l - 1) - (l - 1 + tilt m))) with (- (l - 1) * Q - T) by (unfold Q, T; ring).
assert (first : a0 * (K * (l - 1 - (ln 30 + (l - 30) / 30)) - k * (l - 1)) <= a0 * (K * f l - curvature x l)).
{ apply Rmult_le_compat_l; [lra|]; assert (K * (l - 1 - (ln 30 + (l - 30) / 30)) <= K * f l); [|lra].
  apply Rmult_le_compat_l; unfold f; lra. }
assert (0 <= (l - 30) * (large_slope - Q)) by (apply Rmult_le_pos; lra).
replace (a0 * (K * (l - 1 - (ln 30 + (l - 30) / 30)) - k * (l - 1)))
  with (large_value + (l - 30) * large_slope) in first by (unfold large_value, large_slope; field).
lra.
Qed.

(** ** x within 1/20 of 1: a quadratic form in |z| and m *)

Lemma curvature_near x l : 19 / 20 <= x <= 21 / 20 -> 0 < l -> curvature x l <= C * ((l - 1) ^ 2 / (19 / 20 * l + 1)).
Proof.
intros x_in l_gt0; unfold curvature; assert (0 <= x * l) by (apply Rmult_le_pos; lra).
assert (pos : 0 < (x + 1) ^ 2) by (apply pow_lt; lra).
assert (share : x ^ 2 <= (21 / 41) ^ 2 * (x + 1) ^ 2) by (rewrite <- Rpow_mult_distr; apply pow_incr; lra).
replace (4 * k * x ^ 2 * (l - 1) ^ 2 / ((x + 1) ^ 2 * (x * l + 1)))
  with (4 * k * (x ^ 2 / (x + 1) ^ 2) * ((l - 1) ^ 2 / (x * l + 1))) by (field; lra).
apply Rmult_le_compat.
- apply Rmult_le_pos; [lra|]; apply pos_mul_le; [easy|]; rewrite Rmult_0_l; apply pow2_ge_0.
- apply pos_mul_le; [lra|]; rewrite Rmult_0_l; apply pow2_ge_0.
- apply Rle_trans with (2 := near_number good); apply Rmult_le_compat_l; [lra|]; apply div_le_mul; easy.
- apply Rmult_le_compat_l; [apply pow2_ge_0|]; apply Rinv_le_contravar; [lra|].
  apply Rplus_le_compat_r, Rmult_le_compat_r; lra.
Qed.

Lemma H_near x l : Rabs (x - 1) <= 1 / 20 -> 0 < l -> 0 <= H a0 x l.
Proof.
intros m_le l_gt0.
assert (x_in : 19 / 20 <= x <= 21 / 20) by (revert m_le; unfold Rabs; destruct (Rcase_abs (x - 1)); lra).
destruct (Rle_lt_dec 30 l) as [l_ge|l_lt]; [apply H_large_l; lra|].
unfold H, rest, multiplier, tilt, near_one; destruct (Rle_dec (Rabs (x - 1)) (1 / 20)) as [_|no]; [|easy].
set (m := Rabs (x - 1)) in *; set (z := Rabs (l - 1)).
assert (m_ge0 : 0 <= m) by apply Rabs_pos.
assert (zE : (l - 1) ^ 2 = z ^ 2) by (unfold z; rewrite pow2_abs; easy).
replace (l - 1 + 0) with (l - 1) by ring; fold z; replace (m * (0 * (l - 1) - z)) with (- (m * z)) by ring.
assert (second : 20 * k / 41 * m ^ 2 <= k * m ^ 2 / (x + 1)).
{ apply pos_mul_le; [lra|]; replace (20 * k / 41 * m ^ 2 * (x + 1)) with (k * m ^ 2 * (20 * (x + 1) / 41)) by field.
  rewrite <- (Rmult_1_r (k * m ^ 2)) at 2; apply Rmult_le_compat_l; [apply Rmult_le_pos; [lra | apply pow2_ge_0] | lra]. }
generalize (curvature_near x l x_in l_gt0); intros c_le.
destruct (Rle_lt_dec l (6 / 5)) as [l_le|l_gt].
- assert (l_in : 0 <= l <= 6 / 5) by lra; generalize (near_steps good l l_in) (f_lower l l_gt0).
  set (q := 3 * K / (2 * (1 + 2 * l)) - C / (19 / 20 * l + 1)); unfold f_below; intros root f_ge.
  assert (first : a0 * q * z ^ 2 <= a0 * (K * f l - curvature x l)).
  { rewrite Rmult_assoc; apply Rmult_le_compat_l; [lra|].
    assert (K * (3 * (l - 1) ^ 2 / (2 * (1 + 2 * l))) <= K * f l) by (apply Rmult_le_compat_l; lra).
    replace (q * z ^ 2) with (K * (3 * (l - 1) ^ 2 / (2 * (1 + 2 * l))) - C * ((l - 1) ^ 2 / (19 / 20 * l + 1))); [lra|].
    rewrite <- zE; unfold q; field; lra. }
  set (beta := 20 * k / 41) in *; set (alpha := a0 * q) in *; assert (beta_gt0 : 0 < beta) by (unfold beta; lra).
  assert (square : 0 <= alpha * z ^ 2 + beta * m ^ 2 - m * z); [|lra].
  apply Rmult_le_reg_l with (4 * beta); [lra|]; rewrite Rmult_0_r.
  replace (4 * beta * (alpha * z ^ 2 + beta * m ^ 2 - m * z))
    with ((4 * beta * alpha - 1) * z ^ 2 + (z - 2 * beta * m) ^ 2) by ring.
  apply Rplus_le_le_0_compat; [apply Rmult_le_pos; [lra|]|]; apply pow2_ge_0.
- assert (l_in : 6 / 5 <= l <= 30) by lra; generalize (near_long_steps good l l_in); intros long.
  assert (zl : z = l - 1) by (unfold z; rewrite Rabs_pos_eq; lra).
  assert (a0 * (K * f l - C * ((l - 1) ^ 2 / (19 / 20 * l + 1))) <= a0 * (K * f l - curvature x l)).
  { apply Rmult_le_compat_l; lra. }
  assert (m * z <= 1 / 20 * z) by (apply Rmult_le_compat_r; lra).
  assert (0 <= 20 * k / 41 * m ^ 2) by (apply Rmult_le_pos; [lra | apply pow2_ge_0]).
  lra.
Qed.

(** ** l at most 1/100 *)

Lemma H_small_l m x l : 0 <= m -> 0 <= x -> 0 < l <= 1 / 100 -> H_low m x <= H_far m x l.
Proof.
intros m_ge0 x_ge0 l_in; assert (l_in1 : 0 < l <= 1) by lra.
assert (f_ge : f (1 / 100) <= f l) by (apply f_small; lra).
generalize (curvature_small x l x_ge0 l_in1) (far_tilt_range m) (far_multiplier_range m m_ge0).
unfold H_low, H_far, rest; set (M := far_multiplier m); set (N := far_tilt m); intros c_le [N_ge0 N_le1] [M_ge0 _].
assert (abs_le : Rabs (l - 1 + N) <= 101 / 100 - N) by (apply Rabs_le; lra).
assert (a0 * (K * f (1 / 100) - 4 * k * x ^ 2 / (x + 1) ^ 2) <= a0 * (K * f l - curvature x l)).
{ apply Rmult_le_compat_l; [lra|]; assert (K * f (1 / 100) <= K * f l) by (apply Rmult_le_compat_l; lra); lra. }
assert (m * (- M - (101 / 100 - N)) <= m * (M * (l - 1) - Rabs (l - 1 + N))); [|lra].
apply Rmult_le_compat_l; [easy|]; assert (0 <= M * l) by (apply Rmult_le_pos; lra); lra.
Qed.

(** ** x at least 12 *)

Lemma H_large_x x l : 12 <= x -> 0 < l -> 0 <= H a0 x l.
Proof.
intros x_ge l_gt0; assert (x_ge0 : 0 <= x) by lra.
generalize (coefficient_ge0 x l x_ge0 l_gt0); intros c_ge0.
unfold H, rest; set (m := Rabs (x - 1)).
assert (mE : m = x - 1) by (unfold m; rewrite Rabs_pos_eq; lra).
assert (m_gt : 1 / 20 < m) by lra; assert (m_ge : 11 <= m) by lra; assert (m_ge0 : 0 <= m) by lra.
destruct (far_equations m m_gt) as [-> ->]; destruct (far_numbers good) as [_ enough].
generalize (far_multiplier_large m m_ge) (far_multiplier_range m m_ge0) (far_tilt_large m m_ge) (far_tilt_range m).
set (M := far_multiplier m); set (N := far_tilt m); intros M_ge [_ M_le] N_ge [_ N_le].
assert (rise : k * (11 / 13) * m <= k * m ^ 2 / (x + 1)).
{ apply pos_mul_le; [lra|]; replace (k * m ^ 2) with (k * m * m) by ring.
  replace (k * (11 / 13) * m * (x + 1)) with (k * m * (11 / 13 * (x + 1))) by ring.
  apply Rmult_le_compat_l; [apply Rmult_le_pos|]; lra. }
assert (0 <= a0 * (K * f l - curvature x l)) by (apply Rmult_le_pos; lra).
assert (0 <= m * (k * (11 / 13) + M * (l - 1) - Rabs (l - 1 + N))); [|lra].
apply Rmult_le_pos; [easy|]; assert (0 <= (M - 1) * l) by (apply Rmult_le_pos; lra).
unfold Rabs; destruct (Rcase_abs (l - 1 + N)); lra.
Qed.

Lemma H_far_middle m x l : 0 <= x -> 0 < l -> H_middle m x l <= H_far m x l.
Proof.
intros x_ge0 l_gt0; assert (0 <= x * l) by (apply Rmult_le_pos; lra).
unfold H_middle, H_far; apply Rplus_le_compat_r, Rmult_le_compat_l; [lra|].
assert (f_ge : K * f_below l <= K * f l) by (apply Rmult_le_compat_l; [lra | apply f_lower; easy]).
apply Rle_trans with (K * f_below l - curvature x l); [|lra].
right; unfold f_below, curvature; field; repeat split; lra.
Qed.

Lemma H_far_ge0 m x l : 1 / 100 <= l <= 30 -> 0 <= x <= 19 / 20 /\ m = 1 - x \/ 21 / 20 <= x <= 12 /\ m = x - 1 ->
  0 <= H_far m x l.
Proof.
intros l_in [[x_in ->] | [x_in ->]].
- destruct (Rle_lt_dec l (1 / 2)) as [l_le|l_gt]; [apply (left_low good); lra|].
  destruct (Rle_lt_dec 2 l) as [l_ge|l_lt]; [apply (left_high good); lra|].
  apply Rle_trans with (H_middle (1 - x) x l); [apply (left_middle good) | apply H_far_middle]; lra.
- destruct (Rle_lt_dec l (1 / 2)) as [l_le|l_gt]; [apply (right_low good); lra|].
  destruct (Rle_lt_dec 2 l) as [l_ge|l_lt]; [apply (right_high good); lra|].
  apply Rle_trans with (H_middle (x - 1) x l); [apply (right_middle good) | apply H_far_middle]; lra.
Qed.

Theorem H_ge0 a x l : a0 <= a -> 0 <= x -> 0 < l -> 0 <= H a x l.
Proof.
intros a_ge x_ge0 l_gt0; apply Rle_trans with (2 := H_increasing a x l a_ge x_ge0 l_gt0).
destruct (Rle_lt_dec (Rabs (x - 1)) (1 / 20)) as [m_le|m_gt]; [apply H_near; easy|].
destruct (Rle_lt_dec 12 x) as [x_ge|x_lt]; [apply H_large_x; easy|].
destruct (Rle_lt_dec 30 l) as [l_ge|l_lt]; [apply H_large_l; lra|].
unfold H; destruct (far_equations _ m_gt) as [-> ->].
apply Rle_trans with (H_far (Rabs (x - 1)) x l); [|unfold H_far; lra].
destruct (Rle_lt_dec x 1) as [x_le1|x_gt1].
- assert (mE : Rabs (x - 1) = 1 - x) by (rewrite Rabs_left1; lra); rewrite mE in *.
  destruct (Rle_lt_dec l (1 / 100)) as [l_le|l_gt]; [|apply H_far_ge0; lra].
  apply Rle_trans with (H_low (1 - x) x); [apply (small_left good) | apply H_small_l]; lra.
- assert (mE : Rabs (x - 1) = x - 1) by (rewrite Rabs_pos_eq; lra); rewrite mE in *.
  destruct (Rle_lt_dec l (1 / 100)) as [l_le|l_gt]; [|apply H_far_ge0; lra].
  apply Rle_trans with (H_low (x - 1) x); [apply (small_right good) | apply H_small_l]; lra.
Qed.

(** Ratios l = infinity. *)
Lemma H_infinite m : 0 <= m -> m * (1 - multiplier m) <= a0 * (K - k).
Proof.
intros m_ge0; assert (0 <= a0 * K) by (apply Rmult_le_pos; lra).
assert (0 <= a0 * (K - k)) by (apply Rmult_le_pos; lra).
destruct (Rle_lt_dec m 11) as [m_le|m_gt].
- assert (m_in : 0 <= m <= 11) by lra; generalize (slopes m m_in); unfold large_slope; lra.
- destruct (far_equations m) as [-> _]; [lra|]; assert (m_ge : 11 <= m) by lra.
  generalize (far_multiplier_large m m_ge); intros M_ge.
  assert (0 <= m * (far_multiplier m - 1)) by (apply Rmult_le_pos; lra); lra.
Qed.

End Inequality.

(** Makes of a goal of [works p] one that [interval] can read. *)
Ltac in_numbers p :=
  unfold large_slope, large_value, curvature_share, middle, H_low, H_far, H_middle, rest, curvature, far_multiplier, far_tilt, f, p;
  cbn [factor weight steep bend soft near least].
