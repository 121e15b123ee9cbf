(** * The supersolution of mean-kl/linear-4, in Coq's reals: w(x) = 2 / (1 - gamma) (x - 1)^2 / (x + 1) *)

From Coq Require Import Reals Lra Psatz.
From TRPO Require Import logarithm linear_inequality linear_rectangles.
Local Open Scope R_scope.

Theorem H_ge0 a x l : 1 / 3 <= a -> 0 <= x -> 0 < l -> 0 <= H a x l.
Proof.
intros a_ge x_ge0 l_gt0; apply Rle_trans with (2 := H_increasing a x l a_ge x_ge0 l_gt0).
destruct (Rle_lt_dec (Rabs (x - 1)) (1 / 20)) as [m_le|m_gt]; [apply H_near; easy|].
destruct (Rle_lt_dec 12 x) as [x_ge|x_lt]; [apply H_large_x; easy|].
assert (x_in : 0 <= x <= 12) by lra.
destruct (Rle_lt_dec l (1 / 20)) as [l_le|l_gt]; [apply H_small_l; easy|].
destruct (Rle_lt_dec 30 l) as [l_ge|l_lt]; [apply H_large_l; easy|].
assert (l_in : 1 / 20 <= l <= 30) by lra.
unfold H, f, curvature; destruct (far_multiplier _ m_gt) as [-> ->].
destruct (Rle_lt_dec x 1) as [x_le1|x_gt1].
- destruct (below_one x x_ge0 m_gt x_le1) as [-> x_lt']; apply H_left; lra.
- destruct (above_one x m_gt x_gt1) as [-> x_gt']; apply H_right; lra.
Qed.

Section Supersolution.

Variable g : R.
Hypothesis g_range : 1 / 4 <= g < 1.

Definition linear_w (y : R) := 2 / (1 - g) * ((y - 1) ^ 2 / (y + 1)).
Definition linear_slope := 2 / (1 - g).
Definition linear_price := 4 * g / (1 - g).

Let a := g / (1 - g).
Let a_ge : 1 / 3 <= a.
Proof. unfold a; apply pos_mul_le; lra. Qed.

Lemma linear_w_ge0 x : 0 <= x -> 0 <= linear_w x.
Proof.
intros x_ge0; unfold linear_w; apply Rmult_le_pos.
- apply pos_mul_le; lra.
- apply pos_mul_le; [lra|]; rewrite Rmult_0_l; apply pow2_ge_0.
Qed.

Lemma linear_price_ge0 : 0 <= linear_price.
Proof. unfold linear_price; apply pos_mul_le; lra. Qed.

Lemma linear_at x : 0 <= x -> exists mu nu,
  (forall l A, 0 < l -> A = 1 \/ A = -1 ->
    Rabs (x - 1) * (l - 1) * A + g * linear_w (x * l) - linear_price * f l - mu * (l - 1) - nu * A <= linear_w x) /\
  (forall A, A = 1 \/ A = -1 -> Rabs (x - 1) * A + g * (x * linear_slope) - linear_price * 1 - mu <= 0).
Proof.
intros x_ge0; set (m := Rabs (x - 1)); set (M := multiplier m); set (N := tilt m).
assert (m_ge0 : 0 <= m) by apply Rabs_pos.
assert (m2 : m ^ 2 = (x - 1) ^ 2) by apply pow2_abs.
exists (2 * a * x * (1 - 4 / (x + 1) ^ 2) + m * M), (- (m * N)); split.
- intros l A l_gt0 A_sign.
  generalize (H_ge0 a x l a_ge x_ge0 l_gt0); unfold H; fold m M N; rewrite m2; intros H_ge.
  assert (xl_ge0 : 0 <= x * l) by (apply Rmult_le_pos; lra).
  assert (sign : m * (A * (l - 1 + N)) <= m * Rabs (l - 1 + N)).
  { apply Rmult_le_compat_l; [easy|]; destruct A_sign as [-> | ->].
    - rewrite Rmult_1_l; apply Rle_abs.
    - rewrite <- Rabs_Ropp; replace (-1 * (l - 1 + N)) with (- (l - 1 + N)) by ring; apply Rle_abs. }
  assert (identity : linear_w x - (m * (l - 1) * A + g * linear_w (x * l) - linear_price * f l
      - (2 * a * x * (1 - 4 / (x + 1) ^ 2) + m * M) * (l - 1) - - (m * N) * A) =
    a * (4 * f l - curvature x l) + 2 * (x - 1) ^ 2 / (x + 1) + m * (M * (l - 1)) - m * (A * (l - 1 + N))).
  { unfold linear_w, linear_price, curvature, a; field; repeat split; lra. }
  lra.
- intros A A_sign.
  assert (x_part : 4 * x / (x + 1) ^ 2 <= 1).
  { apply div_le_mul; [apply pow_lt; lra|]; generalize (pow2_ge_0 (x - 1)); lra. }
  assert (m_part : m * (1 - M) <= 2 / 3).
  { unfold M, multiplier, near_one; destruct (Rle_dec m (1 / 20)); [lra|].
    replace (m * (1 - 13 / 10 * m / (m + 7 / 10))) with (m * (7 / 10 - 3 / 10 * m) / (m + 7 / 10)) by (field; lra).
    apply div_le_mul; [lra|]; nra. }
  assert (m * A <= m) by (destruct A_sign as [-> | ->]; lra).
  replace (m * A + g * (x * linear_slope) - linear_price * 1 - (2 * a * x * (1 - 4 / (x + 1) ^ 2) + m * M))
    with (m * A - m * M - 4 * a + 2 * (a * (4 * x / (x + 1) ^ 2))) by (unfold linear_slope, linear_price, a; field; lra).
  assert (a * (4 * x / (x + 1) ^ 2) <= a * 1) by (apply Rmult_le_compat_l; lra).
  lra.
Qed.

Lemma linear_at_infinity : exists mu nu,
  (forall l A, 0 <= l -> A = 1 \/ A = -1 -> (l - 1) * A + g * (linear_slope * l) - mu * (l - 1) - nu * A <= linear_slope) /\
  (forall A, A = 1 \/ A = -1 -> A + g * linear_slope - mu <= 0).
Proof.
assert (slopeE : linear_slope = 2 + 2 * a) by (unfold linear_slope, a; field; lra).
assert (g_slope : g * linear_slope = 2 * a) by (unfold linear_slope, a; field; lra).
exists (2 * a + 1), 0; split.
- intros l A l_ge0 A_sign; rewrite <- Rmult_assoc, g_slope, slopeE; destruct A_sign as [-> | ->]; lra.
- intros A A_sign; rewrite g_slope; destruct A_sign as [-> | ->]; lra.
Qed.

End Supersolution.
