// The policy square as SVG: x is the probability of action 1 in state 0, y that in state 1.

const SIDE = 400;
const LEFT = 64;
const TOP = 12;
const LEVELS = 12;
const MARKS = { penalty: "M0-6.5 6.5 0 0 6.5-6.5 0Z", "max-kl": "M-5-5H5V5H-5Z", "mean-kl": "M0-6.5 6 4.5H-6Z" };

function windowOf(name, setting, result) {
  if (name === "whole") return { x: [0, 1], y: [0, 1] };
  const spans =
    name === "trust"
      ? setting.old.map((_, s) => {
          const weight = (1 - setting.gamma) * result.visitation[s];
          const reach = reachOf(setting.old, setting.delta / Math.min(Math.max(weight, 1e-3), 1))[s];
          return Math.max(...reach.map(Math.abs)) * 1.1;
        })
      : result.steps.penalty.change.map((c) => Math.abs(c) * 3);
  const widest = Math.max(...spans);
  if (!(widest > 0)) return { x: [0, 1], y: [0, 1] };
  const [x, y] = spans.map((span, s) => {
    const wide = Math.max(span, 0.2 * widest);
    return [Math.max(setting.old[s] - wide, 0), Math.min(setting.old[s] + wide, 1)];
  });
  return { x, y };
}

function drawSquare(svg, setting, result, viewName) {
  const view = windowOf(viewName, setting, result);
  const toX = (x) => LEFT + (SIDE * (x - view.x[0])) / (view.x[1] - view.x[0]);
  const toY = (y) => TOP + SIDE - (SIDE * (y - view.y[0])) / (view.y[1] - view.y[0]);
  const place = ([x, y]) => `${toX(x).toFixed(2)} ${toY(y).toFixed(2)}`;
  const part = (name) => svg.querySelector(`[data-part="${name}"]`);
  const closed = (points) => (points.length ? `M${points.map(place).join("L")}Z` : "");

  const values = returnsOn(setting, view);
  const flat = values.flat();
  const [low, high] = [Math.min(...flat), Math.max(...flat)];
  part("shade").setAttribute("href", shaded(values, low, high));
  const base = result.expected_return_old;
  const step = (high - low) / LEVELS;
  const levels = [];
  if (high - low > 1e-12 * Math.max(1, Math.abs(base))) {
    for (let k = -LEVELS; k <= LEVELS; k++) if (k !== 0) levels.push(k * step);
  }
  const onGrid = ([i, j]) => `${(LEFT + (SIDE * i) / GRID).toFixed(2)} ${(TOP + SIDE - (SIDE * j) / GRID).toFixed(2)}`;
  const curves = (rises) =>
    rises.flatMap((rise) => contour(values, base + rise).map(([p, q]) => `M${onGrid(p)}L${onGrid(q)}`)).join("");
  part("return").setAttribute("d", curves(levels));
  part("return-old").setAttribute("d", levels.length ? curves([0]) : "");
  const slope = result.visitation.map((rho, s) => rho * result.pull[s]);
  const lines = levels.length ? [0, ...levels].map((rise) => lineIn(view, setting.old, slope, rise)) : [];
  part("surrogate").setAttribute("d", lines.map((ends) => (ends.length ? `M${ends.map(place).join("L")}` : "")).join(""));

  const [reach0, reach1] = reachOf(setting.old, setting.delta);
  const [p0, p1] = setting.old;
  const box = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([i, j]) => [p0 + reach0[i], p1 + reach1[j]]);
  part("max-kl").setAttribute("d", closed(box));
  part("mean-kl").setAttribute("d", closed(meanRegion(setting, result)));
  part("minoriser").setAttribute("d", closed(minoriserRegion(setting, result)));

  for (const [name, shape] of Object.entries(MARKS)) {
    const policy = result.steps[name].policy;
    part(`path-${name}`).setAttribute("d", `M${place(setting.old)}L${place(policy)}`);
    part(`step-${name}`).setAttribute("d", shape);
    part(`step-${name}`).setAttribute("transform", `translate(${place(policy)})`);
    part(`step-${name}`).classList.toggle("outside", ![view.x, view.y].every(([a, b], s) => policy[s] >= a && policy[s] <= b));
  }
  part("old").setAttribute("transform", `translate(${place(setting.old)})`);
  drawAxes(part("axes"), view);
}

function drawAxes(group, view) {
  const wide = Math.max(view.x[1] - view.x[0], view.y[1] - view.y[0]);
  const digits = Math.min(Math.max(2, 2 - Math.floor(Math.log10(wide))), 12);
  const relative = digits > 5;
  const marks = [];
  for (let k = 0; k <= 4; k++) {
    const [x, y] = [view.x, view.y].map(([a, b]) => a + ((b - a) * k) / 4);
    const [ax, ay] = [LEFT + (SIDE * k) / 4, TOP + SIDE - (SIDE * k) / 4];
    const edge = k === 0 ? "start" : k === 4 ? "end" : "middle";
    const [tx, ty] = relative
      ? [offset(x - (view.x[0] + view.x[1]) / 2), offset(y - (view.y[0] + view.y[1]) / 2)]
      : [x.toFixed(digits), y.toFixed(digits)];
    marks.push(`<path d="M${ax} ${TOP + SIDE}v5M${LEFT} ${ay}h-5"/>`);
    marks.push(`<text x="${ax}" y="${TOP + SIDE + 19}" text-anchor="${edge}">${tx}</text>`);
    marks.push(`<text x="${LEFT - 8}" y="${ay + 4}" text-anchor="end">${ty}</text>`);
  }
  group.innerHTML = marks.join("");
}

const offset = (value) => (value === 0 ? "0" : value.toExponential(0).replace("-", "−").replace("e-", "e−"));

function shaded(values, low, high) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = GRID + 1;
  const context = canvas.getContext("2d");
  const image = context.createImageData(GRID + 1, GRID + 1);
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--shade").trim().split(/\s+/).map(Number);
  for (let j = 0; j <= GRID; j++) {
    for (let i = 0; i <= GRID; i++) {
      const level = high > low ? (values[GRID - j][i] - low) / (high - low) : 0;
      image.data.set([...ink.slice(0, 3), Math.round(ink[3] * level)], 4 * (j * (GRID + 1) + i));
    }
  }
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}
