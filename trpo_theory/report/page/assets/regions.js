// Curves in the policy square, as lists of points; a window is { x: [low, high], y: [low, high] }.

const DIRECTIONS = 160;
const BISECTIONS = 50;
const GRID = 56;

// How far each probability of action 1 may move within a KL radius: [down, up] for each state.
function reachOf(old, radius) {
  return old.map((p) => {
    const row = (up) => ({ ...rowOf(p, up ? 1 : -1, 1) });
    return [-atRadius(row(false), radius).change, atRadius(row(true), radius).change];
  });
}

// The boundary of a convex set of changes that holds centre, by rays; scale gives the rays their aspect.
function boundary(old, centre, scale, inside) {
  const points = [];
  for (let k = 0; k < DIRECTIONS; k++) {
    const angle = (2 * Math.PI * k) / DIRECTIONS;
    const ray = [Math.cos(angle) * scale[0], Math.sin(angle) * scale[1]];
    let high = Infinity;
    ray.forEach((part, s) => {
      const room = part > 0 ? 1 - old[s] - centre[s] : -old[s] - centre[s];
      if (part !== 0) high = Math.min(high, room / part);
    });
    const at = (t) => [centre[0] + t * ray[0], centre[1] + t * ray[1]];
    let low = 0;
    if (inside(at(high))) low = high;
    else {
      for (let round = 0; round < BISECTIONS; round++) {
        const middle = 0.5 * (low + high);
        if (inside(at(middle))) low = middle;
        else high = middle;
      }
    }
    const [x, y] = at(low);
    points.push([old[0] + x, old[1] + y]);
  }
  return points;
}

function meanRegion(setting, result) {
  const weight = result.visitation.map((rho) => (1 - setting.gamma) * rho);
  const scale = reachOf(setting.old, setting.delta).map(([down, up]) => Math.max(up, -down));
  const mean = (change) => change.reduce((t, c, s) => t + weight[s] * klOfChange(setting.old[s], c), 0);
  return boundary(setting.old, [0, 0], scale, (change) => mean(change) <= setting.delta);
}

// Where L − C max-KL is no less than η(old).
function minoriserRegion(setting, result) {
  const { visitation, pull, penalty_coefficient: coefficient, steps } = result;
  const centre = steps.penalty.change;
  if (!(steps.penalty.surrogate_gain > 0) || coefficient === 0) return [];
  const size = Math.max(...centre.map(Math.abs));
  const inside = (change) => {
    const gain = change.reduce((t, c, s) => t + visitation[s] * pull[s] * c, 0);
    return gain >= coefficient * Math.max(...change.map((c, s) => klOfChange(setting.old[s], c)));
  };
  return boundary(setting.old, centre, centre.map((c) => Math.max(Math.abs(c), 0.05 * size)), inside);
}

function returnsOn(setting, view) {
  const at = ([low, high], k) => low + ((high - low) * k) / GRID;
  return Array.from({ length: GRID + 1 }, (_, j) =>
    Array.from({ length: GRID + 1 }, (_, i) => chainOf(setting, [at(view.x, i), at(view.y, j)]).expectedReturn),
  );
}

// Marching squares: segments, in grid units, along which values equal level.
function contour(values, level) {
  const segments = [];
  for (let j = 0; j < GRID; j++) {
    for (let i = 0; i < GRID; i++) {
      const corners = [
        [i, j, values[j][i]],
        [i + 1, j, values[j][i + 1]],
        [i + 1, j + 1, values[j + 1][i + 1]],
        [i, j + 1, values[j + 1][i]],
      ];
      const crossings = [];
      corners.forEach(([x0, y0, v0], k) => {
        const [x1, y1, v1] = corners[(k + 1) % 4];
        if (v0 < level === v1 < level) return;
        const t = (level - v0) / (v1 - v0);
        crossings.push([x0 + t * (x1 - x0), y0 + t * (y1 - y0)]);
      });
      for (let k = 0; k + 1 < crossings.length; k += 2) segments.push([crossings[k], crossings[k + 1]]);
    }
  }
  return segments;
}

// The line Σ slope (x − old) = rise within a window, or nothing.
function lineIn(view, old, slope, rise) {
  const [a, b] = slope;
  const ends = [];
  const keep = (x, y) => {
    const within = (v, [low, high]) => v >= low - 1e-9 * (high - low) && v <= high + 1e-9 * (high - low);
    if (within(x, view.x) && within(y, view.y)) ends.push([x, y]);
  };
  if (b !== 0) view.x.forEach((x) => keep(x, old[1] + (rise - a * (x - old[0])) / b));
  if (a !== 0) view.y.forEach((y) => keep(old[0] + (rise - b * (y - old[1])) / a, y));
  if (ends.length < 2) return [];
  const far = ends.reduce((best, end) => (distance(end, ends[0]) > distance(best, ends[0]) ? end : best));
  return [ends[0], far];
}

const distance = (p, q) => Math.hypot(p[0] - q[0], p[1] - q[1]);
