// The explorer: sliders in, picture and numbers out. window.explorer has compute, setting, set and result.

const STEPS = ["penalty", "max-kl", "mean-kl"];

function startExplorer(root) {
  const inputs = [...root.querySelectorAll("input[type=range]")];
  const first = new Map(inputs.map((input) => [input.name, input.value]));
  const svg = root.querySelector("svg[data-square]");
  let last = null;
  let waiting = false;

  const number = (name) => {
    const value = inputs.find((input) => input.name === name).valueAsNumber;
    return name === "delta" ? 10 ** value : value;
  };
  const setting = () => ({
    gamma: number("gamma"),
    delta: number("delta"),
    initial: number("initial"),
    reward: [0, 1].map((s) => [number(`reward-${s}-0`), number(`reward-${s}-1`)]),
    next: [0, 1].map((s) => [number(`next-${s}-0`), number(`next-${s}-1`)]),
    old: [number("old-0"), number("old-1")],
  });

  const draw = () => {
    waiting = false;
    const view = root.querySelector("input[name=view]:checked").value;
    drawSquare(svg, setting(), last, view);
  };
  const refresh = () => {
    for (const input of inputs) {
      const shown = input.name === "delta" ? brief(number("delta"), 3) : input.valueAsNumber.toFixed(2);
      input.parentElement.querySelector("output").textContent = shown.replace("-", "−");
      if (input.name === "delta") input.setAttribute("aria-valuetext", `${shown} nats`);
    }
    last = compute(setting());
    readOut(root, last);
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(draw);
    }
  };

  root.addEventListener("input", refresh);
  root.querySelector("[data-action=reset]").addEventListener("click", () => {
    inputs.forEach((input) => (input.value = first.get(input.name)));
    refresh();
  });
  root.querySelector("[data-action=random]").addEventListener("click", () => {
    for (const input of inputs) {
      if (input.name === "gamma" || input.name === "delta") continue;
      input.value = Number(input.min) + Math.random() * (Number(input.max) - Number(input.min));
    }
    refresh();
  });
  document.addEventListener("themechange", refresh);
  refresh();
  window.explorer = { compute, setting, result: () => last };
}

function readOut(root, result) {
  const put = (name, value) => {
    const cell = root.querySelector(`[data-number="${name}"]`);
    cell.textContent = brief(value, 6);
    cell.dataset.value = String(value);
    cell.title = String(value);
  };
  put("expected_return_old", result.expected_return_old);
  put("max_abs_advantage", result.max_abs_advantage);
  put("penalty_coefficient", result.penalty_coefficient);
  for (const step of STEPS) {
    const { policy, ...numbers } = result.steps[step];
    policy.forEach((p, s) => put(`${step}/policy-${s}`, p));
    for (const [name, value] of Object.entries(numbers)) if (name !== "change") put(`${step}/${name}`, value);
  }
}

// 0.05821, 1.300e−7, ∞: so many significant digits.
function brief(value, digits) {
  if (value === Infinity) return "∞";
  if (value === 0) return "0";
  const power = Math.floor(Math.log10(Math.abs(value)));
  const text = power < -4 || power >= 6 ? value.toExponential(Math.min(digits, 4) - 1) : value.toPrecision(digits);
  return text.replaceAll("-", "−").replace("e+", "e");
}

document.querySelectorAll("[data-explorer]").forEach(startExplorer);
