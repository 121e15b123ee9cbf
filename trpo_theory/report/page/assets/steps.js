// Problems (11), (12) and (13) for rows of two actions, by scalar roots.
// A row has mass good on its better action and bad on the other; a move takes the share y = 1 − exp(−w) of bad away.
//   KL(w) is convex, dKL/dw = bad y / (good + bad y);   λ = pull (good + bad y) / (eʷ − 1)

function rowOf(p, pull, visitation) {
  const up = pull > 0;
  return { up, pull: Math.abs(pull), good: up ? p : 1 - p, bad: up ? 1 - p : p, visitation };
}

const canMove = (row) => row.pull > 0 && row.bad > 0 && row.visitation > 0;
const stay = (row) => ({ w: 0, y: 0, change: 0, good: row.good, bad: row.bad, kl: 0 });

function moveTo(row, change, bad, w) {
  const good = row.good + change;
  const kl = klTerm(row.good, good, change) + klTerm(row.bad, bad, -change);
  return { w, y: change / row.bad, change, good, bad, kl };
}

function moveBy(row, w) {
  return moveTo(row, -row.bad * Math.expm1(-w), row.bad * Math.exp(-w), w);
}

// The best move of a row with KL ≤ radius: Newton from the right on a convex function.
function atRadius(row, radius) {
  if (!(canMove(row) && radius > 0)) return stay(row);
  if (row.good === 0) return moveBy(row, radius);
  let w = Math.sqrt((2 * row.good * radius) / row.bad);
  let move = moveBy(row, w);
  while (move.kl < radius) move = moveBy(row, (w *= 2));
  for (let round = 0; round < 200; round++) {
    const next = w - ((move.kl - radius) * move.good) / move.change;
    if (!(next < w && next > 0)) break;
    move = moveBy(row, (w = next));
  }
  return move;
}

// The best move of a row against λ KL: pull c² + (λ − pull (bad − good)) c = pull good bad.
function atMultiplier(row, multiplier) {
  if (!canMove(row)) return { ...stay(row), steep: 0 };
  const { pull, good, bad } = row;
  const middle = multiplier - pull * (bad - good);
  const root = Math.sqrt((pull - multiplier) ** 2 + 4 * pull * multiplier * good);
  const change = middle >= 0 ? (2 * pull * good * bad) / (middle + root) : (root - middle) / (2 * pull);
  if (!(change > 0)) return { ...stay(row), steep: 0 };
  const move = moveTo(row, change, (2 * multiplier * bad) / (pull + multiplier + root), NaN);
  return { ...move, steep: (pull * change) / root };
}

const logMultiplier = (row, move) => Math.log(row.pull * move.good) - move.w - Math.log(move.y);

// The root of a decreasing function by Newton in a bracket; probe gives value and slope.
function decreasingRoot(probe, start, low, high) {
  let x = Number.isFinite(start) ? Math.min(Math.max(start, low), high) : 0;
  for (let round = 0; round < 400; round++) {
    const { value, slope } = probe(x);
    if (value > 0) low = x;
    else high = x;
    let guess = x - value / slope;
    if (!(guess > low && guess < high)) guess = 0.5 * (low + high);
    if (Math.abs(guess - x) <= 4e-16 * Math.max(Math.abs(x), 1)) break;
    x = guess;
  }
  return x;
}

// (13): the rows share one multiplier, the root of Σ d KL(λ) = δ.
function meanMoves(rows, scale, delta) {
  const moving = rows.filter(canMove);
  if (!(moving.length && delta > 0)) return rows.map(stay);
  const sum = (term) => moving.reduce((total, row) => total + scale * row.visitation * term(row), 0);
  const variance = sum((row) => row.pull ** 2 * row.good * row.bad);
  const probe = (logged) => {
    const moves = new Map(moving.map((row) => [row, atMultiplier(row, Math.exp(logged))]));
    const mean = sum((row) => moves.get(row).kl);
    return { value: Math.log(mean / delta), slope: -sum((row) => moves.get(row).steep) / mean };
  };
  const multiplier = Math.exp(decreasingRoot(probe, 0.5 * Math.log(variance / (2 * delta)), -600, 600));
  const moves = rows.map((row) => atMultiplier(row, multiplier));
  return spendTheRest(rows, moves, scale, delta, multiplier);
}

// Where old never takes the better action KL = log(pull/λ) is finer than λ tells: that row gets what is left of δ.
function spendTheRest(rows, moves, scale, delta, multiplier) {
  const leaving = rows.filter((row) => canMove(row) && row.good === 0 && multiplier <= row.pull * (1 + 1e-12));
  if (!leaving.length) return moves;
  const chosen = rows.indexOf(leaving.reduce((a, b) => (b.visitation > a.visitation ? b : a)));
  const others = rows.reduce((total, row, s) => total + (s === chosen ? 0 : scale * row.visitation * moves[s].kl), 0);
  const radius = Math.max((delta - others) / (scale * rows[chosen].visitation), 0);
  return moves.map((move, s) => (s === chosen ? atRadius(rows[s], radius) : move));
}

// (11): the rows share one radius t, the root of Σ ρ λ(t) = C.
function penaltyMoves(rows, coefficient) {
  const moving = rows.filter(canMove);
  if (coefficient === 0) return rows.map((row) => (canMove(row) ? moveTo(row, row.bad, 0, Infinity) : stay(row)));
  const sum = (term) => moving.reduce((total, row) => total + row.visitation * term(row), 0);
  const steepest = moving.some((row) => row.good > 0) ? Infinity : sum((row) => row.pull);
  if (!(steepest > coefficient)) return rows.map(stay);
  const probe = (logged) => {
    const radius = Math.exp(logged);
    const parts = new Map(
      moving.map((row) => {
        const move = atRadius(row, radius);
        const multiplier = Math.exp(logMultiplier(row, move));
        return [row, { multiplier, fall: (radius * (row.good / move.y ** 2 + row.bad)) / row.bad }];
      }),
    );
    const total = sum((row) => parts.get(row).multiplier);
    const slope = -sum((row) => parts.get(row).multiplier * parts.get(row).fall) / total;
    return { value: Math.log(total / coefficient), slope };
  };
  const deviation = sum((row) => row.pull * Math.sqrt(row.good * row.bad));
  const radius = Math.exp(decreasingRoot(probe, 2 * Math.log(deviation / coefficient) - Math.LN2, -690, 9));
  return rows.map((row) => atRadius(row, radius));
}

// Moves of the better action as changes of the probability of action 1.
function assembled(old, rows, moves) {
  const change = moves.map((move, s) => (rows[s].up ? move.change : -move.change));
  const policy = moves.map((move, s) => (move.change === 0 ? old[s] : rows[s].up ? move.good : move.bad));
  return { change, policy, kl: moves.map((move) => move.kl) };
}
