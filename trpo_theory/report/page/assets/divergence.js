// KL and the polylogarithm in float64, without cancellation.

const LOG1P_TERMS = Array.from({ length: 10 }, (_, k) => 1 / (2 * k + 3));
const BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6];

// x − log(1 + x): with s = x/(2 + x), log(1 + x) = 2 artanh(s).
function xMinusLog1p(x) {
  if (Math.abs(x) >= 0.25) return x - Math.log1p(x);
  const s = x / (2 + x);
  const square = s * s;
  let series = 0;
  for (let k = LOG1P_TERMS.length - 1; k >= 0; k--) series = series * square + LOG1P_TERMS[k];
  return s * (x - 2 * square * series);
}

// p log(p/q) − p + q, from change = q − p.
function klTerm(p, q, change) {
  if (p === 0) return change;
  if (q <= 0) return Infinity;
  if (Math.abs(change) < 0.25 * p) return p * xMinusLog1p(change / p);
  return change - p * Math.log(q / p);
}

// KL of the rows (1 − p, p) and (1 − p − change, p + change).
function klOfChange(p, change) {
  return klTerm(1 - p, 1 - p - change, -change) + klTerm(p, p + change, change);
}

// ζ(s) for s > 1, by Euler and Maclaurin.
function zeta(s) {
  const n = 12;
  let total = 0;
  for (let k = 1; k < n; k++) total += k ** -s;
  total += n ** (1 - s) / (s - 1) + n ** -s / 2;
  let factor = s * n ** (-s - 1);
  BERNOULLI.forEach((number, j) => {
    const order = 2 * j + 2;
    total += (number * factor) / factorial(order);
    factor *= ((s + order - 1) * (s + order)) / (n * n);
  });
  return total;
}

function factorial(n) {
  let product = 1;
  for (let k = 2; k <= n; k++) product *= k;
  return product;
}

// Li_{−1/2}(x) = Σ √k xᵏ; near 1, with μ = log x: Γ(3/2) (−μ)^{−3/2} + Σ ζ(−1/2 − k) μᵏ/k!   (DLMF 25.12.12)
function polylogMinusHalf(x) {
  if (x < 0.2) {
    let total = 0;
    for (let k = 30; k >= 1; k--) total = (total + Math.sqrt(k)) * x;
    return total;
  }
  const mu = Math.log(x);
  let total = 0;
  for (let k = ZETA_TERMS.length - 1; k >= 0; k--) total = total * mu + ZETA_TERMS[k];
  return total + (Math.sqrt(Math.PI) / 2) * (-mu) ** -1.5;
}

// ζ(−1/2 − k)/k!, by the functional equation.
const ZETA_TERMS = (() => {
  const terms = [];
  let gamma = Math.sqrt(Math.PI) / 2;
  for (let k = 0; k < 32; k++) {
    const s = -0.5 - k;
    terms.push((2 ** s * Math.PI ** (s - 1) * Math.sin((Math.PI * s) / 2) * gamma * zeta(1 - s)) / factorial(k));
    gamma *= 1.5 + k;
  }
  return terms;
})();
