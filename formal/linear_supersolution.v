(** * The supersolution of the linear mean-KL theorems, in Coq's reals: w(x) = k / (1 - gamma) (x - 1)^2 / (x + 1) *)

From Coq Require Import Reals Lra Psatz.
From TRPO Require Import linear_inequality.
Local Open Scope R_scope.

Section Supersolution.

Variables (p : constants) (g : R).
Local Notation K := (factor p).
Local Notation k := (weight p).
Local Notation a0 := (least p).
Hypotheses (good : works p) (g_ge : a0 / (1 + a0) <= g) (g_lt1 : g < 1).

Definition linear_w (y : R) := k / (1 - g) * ((y - 1) ^ 2 / (y + 1)).
Definition linear_slope := k / (1 - g).
Definition linear_price := K * g / (1 - g).

Let k_ge : 1 <= k. Proof. generalize (signs p good); lra. Qed.
Let K_ge : k <= K. Proof. generalize (signs p good); lra. Qed.
Let a0_gt0 : 0 < a0. Proof. generalize (signs p good); lra. Qed.
Let g_gt0 : 0 < g.
Proof. apply Rlt_le_trans with (2 := g_ge), Rdiv_lt_0_compat; lra. Qed.

Let a := g / (1 - g).
Let a_ge : a0 <= a.
Proof.
unfold a; apply pos_mul_le; [lra|].
apply (Rmult_le_compat_r (1 + a0)) in g_ge; [|lra].
replace (a0 / (1 + a0) * (1 + a0)) with a0 in g_ge by (field; lra); lra.
Qed.

Lemma linear_w_ge0 x : 0 <= x -> 0 <= linear_w x.
Proof.
intros x_ge0; unfold linear_w; apply Rmult_le_pos.
- apply pos_mul_le; lra.
- apply pos_mul_le; [lra|]; rewrite Rmult_0_l; apply pow2_ge_0.
Qed.

Lemma linear_price_ge0 : 0 <= linear_price.
Proof. unfold linear_price; apply pos_mul_le; [lra|]; rewrite Rmult_0_l; apply Rmult_le_pos; lra. Qed.

Lemma linear_at x : 0 <= x -> exists mu nu,
  (forall l A, 0 < l -> A = 1 \/ A = -1 ->
    Rabs (x - 1) * (l - 1) * A + g * linear_w (x * l) - linear_price * f l - mu * (l - 1) - nu * A <= linear_w x) /\
  (forall A, A = 1 \/ A = -1 -> Rabs (x - 1) * A + g * (x * linear_slope) - linear_price * 1 - mu <= 0).
Proof.
intros x_ge0; set (m := Rabs (x - 1)); set (M := multiplier p m); set (N := tilt p m).
assert (m_ge0 : 0 <= m) by apply Rabs_pos.
assert (m2 : m ^ 2 = (x - 1) ^ 2) by apply pow2_abs.
exists (k * a * x * (1 - 4 / (x + 1) ^ 2) + m * M), (- (m * N)); split.
- intros l A l_gt0 A_sign.
  generalize (H_ge0 p good a x l a_ge x_ge0 l_gt0); unfold H, rest; fold m M N; rewrite m2; intros H_ge.
  assert (xl_ge0 : 0 <= x * l) by (apply Rmult_le_pos; lra).
  assert (sign : m * (A * (l - 1 + N)) <= m * Rabs (l - 1 + N)).
  { apply Rmult_le_compat_l; [easy|]; destruct A_sign as [-> | ->].
    - rewrite Rmult_1_l; apply Rle_abs.
    - rewrite <- Rabs_Ropp; replace (-1 * (l - 1 + N)) with (- (l - 1 + N)) by ring; apply Rle_abs. }
  assert (identity : linear_w x - (m * (l - 1) * A + g * linear_w (x * l) - linear_price * f l
      - (k * a * x * (1 - 4 / (x + 1) ^ 2) + m * M) * (l - 1) - - (m * N) * A) =
    a * (K * f l - curvature p x l) + k * (x - 1) ^ 2 / (x + 1) + m * (M * (l - 1)) - m * (A * (l - 1 + N))).
  { unfold linear_w, linear_price, curvature, a; field; repeat split; lra. }
  lra.
- intros A A_sign.
  assert (x_part : 4 * x / (x + 1) ^ 2 <= 1).
  { apply div_le_mul; [apply pow_lt; lra|]; generalize (pow2_ge_0 (x - 1)); lra. }
  generalize (H_infinite p good m m_ge0); fold M; intros m_part.
  assert (m * A <= m) by (destruct A_sign as [-> | ->]; lra).
  replace (m * A + g * (x * linear_slope) - linear_price * 1 - (k * a * x * (1 - 4 / (x + 1) ^ 2) + m * M))
    with (m * A - m * M - a * (K - k * (4 * x / (x + 1) ^ 2))) by (unfold linear_slope, linear_price, a; field; lra).
  assert (k * (4 * x / (x + 1) ^ 2) <= k * 1) by (apply Rmult_le_compat_l; lra).
  assert (a0 * (K - k) <= a * (K - k * (4 * x / (x + 1) ^ 2))) by (apply Rmult_le_compat; lra).
  lra.
Qed.

Lemma linear_at_infinity : exists mu nu,
  (forall l A, 0 <= l -> A = 1 \/ A = -1 -> (l - 1) * A + g * (linear_slope * l) - mu * (l - 1) - nu * A <= linear_slope) /\
  (forall A, A = 1 \/ A = -1 -> A + g * linear_slope - mu <= 0).
Proof.
assert (slopeE : linear_slope = k + k * a) by (unfold linear_slope, a; field; lra).
assert (g_slope : g * linear_slope = k * a) by (unfold linear_slope, a; field; lra).
exists (k * a + 1), (-1); split.
- intros l A l_ge0 A_sign; rewrite <- Rmult_assoc, g_slope, slopeE; destruct A_sign as [-> | ->]; lra.
- intros A A_sign; rewrite g_slope; destruct A_sign as [-> | ->]; lra.
Qed.

End Supersolution.
