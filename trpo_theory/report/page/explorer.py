"""`Explorer`: an interactive two-state MDP, computed by the page's own JavaScript."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trpo_theory.report.page.templating import render

Pair = tuple[float, float]


@dataclass(frozen=True)
class Explorer:
    """Sliders for a two-state, two-action MDP, the policy square, and the numbers of the penalty, max-KL and mean-KL steps.

    Attributes:
        gamma: the initial discount.
        log10_delta: the decimal logarithm of the initial radius in nats.
        initial: the probability of starting in state 1.
        reward: r(s, a).
        next: the probability of going to state 1 from s under a.
        old: the old policy's probability of action 1 in each state.
    """

    gamma: float = 0.7
    log10_delta: float = -1.0
    initial: float = 0.3
    reward: tuple[Pair, Pair] = ((0.2, -0.1), (0.3, 0.9))
    next: tuple[Pair, Pair] = ((0.1, 0.8), (0.3, 0.6))
    old: Pair = (0.35, 0.4)

    def to_html(self) -> str:
        """The controls, the picture and the table of numbers."""
        return render("explorer.html.j2", groups=self._groups(), steps=_STEPS, quantities=_QUANTITIES)

    def _groups(self) -> list[dict[str, Any]]:
        common = [
            _slider("gamma", "Discount γ", 0.05, 0.99, self.gamma),
            _slider("delta", "Radius δ, nats", -4, 0, self.log10_delta, 0.02),
            _slider("initial", "Start in state 1", 0, 1, self.initial),
        ]
        groups = [{"title": "Problem", "sliders": common}]
        for s in range(2):
            sliders = [_slider(f"old-{s}", f"π(1 | {s}), old policy", 0.01, 0.99, self.old[s])]
            sliders += [_slider(f"reward-{s}-{a}", f"Reward of action {a}", -1, 1, self.reward[s][a]) for a in range(2)]
            sliders += [_slider(f"next-{s}-{a}", f"Action {a} leads to 1", 0, 1, self.next[s][a]) for a in range(2)]
            sliders = [{**slider, "of": f" in state {s}"} for slider in sliders]
            groups.append({"title": f"State {s}", "sliders": sliders})
        return groups


def _slider(name: str, label: str, least: float, most: float, value: float, step: float = 0.01) -> dict[str, Any]:
    return {"name": name, "label": label, "min": least, "max": most, "value": value, "step": step, "of": ""}


_STEPS = (
    ("penalty", "penalty", "L − C max-KL"),
    ("max-kl", "max-KL", "max-KL ≤ δ"),
    ("mean-kl", "mean-KL", "mean-KL ≤ δ"),
)
_QUANTITIES = (
    ("policy-0", "π̃(1 | 0)"),
    ("policy-1", "π̃(1 | 1)"),
    ("expected_return_new", "η(π̃)"),
    ("return_gain", "η(π̃) − η(π)"),
    ("surrogate", "L(π̃)"),
    ("surrogate_gain", "L(π̃) − η(π)"),
    ("max_kl", "max-KL"),
    ("mean_kl", "mean-KL"),
)
