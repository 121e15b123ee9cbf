"""Steps whose length a formula gives, or that pay for each move, and what they gain for sure."""

from __future__ import annotations

from typing import Any

from trpo_theory.bounds.formulas import Formula, Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.claims.rules import improvement, tilted
from trpo_theory.step.quantities import Quantities


def _mixed(q: Quantities, share: Numbers) -> Quantities:
    """The step to (1 − share) old + share new."""
    return q.with_new(q.old + share * (q.new - q.old))


def _largest_reward(q: Quantities) -> Numbers:
    return q.max_s(q.max_a(q.reward))


def _conservative(q: Quantities, constant: int) -> Numbers:
    """The gain of the share (1 − γ) 𝔸/(4R) less 𝔸²/(constant (1 − γ) R); 𝔸 = (1 − γ)² (L − η(old)), of returns times 1 − γ."""
    advantage, largest = (1 - q.gamma) ** 2 * q.surrogate_gain, _largest_reward(q)
    scale = q.arithmetic.where(largest > 0, largest, 1)
    share = q.maximum((1 - q.gamma) * advantage / (4 * scale), 0 * advantage)
    gained = improvement(_mixed(q, q.minimum(share, 1 + 0 * share)))
    return gained - advantage**2 / (constant * scale * (1 - q.gamma))


def _promising(q: Quantities) -> Truth:
    """r ≥ 0 and L > η(old), so that R = max r > 0."""
    return (q.min_s(q.min_a(q.reward)) >= 0) & (q.surrogate_gain > 0) & (_largest_reward(q) > 0)


def _uspi_share(q: Quantities) -> tuple[Numbers, Numbers]:
    """𝔸 = L − η(old), and γ ‖new − old‖ span(Ā)/(1 − γ)²."""
    span = q.max_s(q.expected_advantage) - q.min_s(q.expected_advantage)
    return q.surrogate_gain, q.gamma / (1 - q.gamma) ** 2 * 2 * q.max_tv * span


def _uspi_gain(q: Quantities, part: int) -> Numbers:
    """The gain of the share α = min{1, 𝔸/cost} less α 𝔸 − part α² cost/2."""
    gain, cost = _uspi_share(q)
    rise = q.maximum(gain, 0 * gain)
    share = q.arithmetic.where(cost > rise, rise / q.arithmetic.where(cost > rise, cost, 1), 1)
    return improvement(_mixed(q, share)) - share * gain + part * share**2 * cost / 2


def _uspi(q: Quantities) -> Numbers:
    return _uspi_gain(q, 1)


def _uspi_in_full(q: Quantities) -> Numbers:
    return _uspi_gain(q, 0)


def _rises(q: Quantities) -> Truth:
    """𝔸 = L − η(old) > 0, (*batch)."""
    return q.surrogate_gain > 0


def _mirror(q: Quantities) -> Numbers:
    """∝ old exp(h A): the argmax of Σ_a new A − KL(new ‖ old)/h in every state, h = size."""
    return tilted(q, q.old, q.size * q.advantage)


def _drift_gain(visits: Formula) -> Formula:
    """η(new) − η(old) − Σ_s visits KL(new_s ‖ old_s)/h."""
    return lambda q: improvement(q) - q.sum_s(visits(q) * q.reverse_kl) / q.size


def _forward(q: Quantities) -> Truth:
    return q.size > 0


def _paying(q: Quantities) -> Numbers:
    """New where Ā ≥ size · TV(old, new), old elsewhere, (S, A, *batch)."""
    pays = q.expected_advantage >= q.size * q.tv
    return q.arithmetic.where(pays[:, None], q.new, q.old)


def _any_drift(q: Quantities) -> Numbers:
    return improvement(q) - q.size * q.sum_s(q.visitation_new * q.tv)


def _pays_on_average(q: Quantities) -> Truth:
    """Σ_s d_old (Ā − size TV) ≥ 0, size ≥ 0."""
    return (q.mean_expected_advantage >= q.size * q.mean_tv) & (q.size >= 0)


def _not_negative(q: Quantities) -> Truth:
    return q.size >= 0


_KAKADE = "Kakade and Langford 2002 (ICML), "
_SHARE = (
    r"\eta((1-\alpha)\pi+\alpha\tilde\pi) - \eta(\pi) \ge \frac{\mathbb{A}^2}{%s(1-\gamma)R},"
    r"\ \alpha = \frac{(1-\gamma)\mathbb{A}}{4R},\ \mathbb{A} = (1-\gamma)\,\mathbb{E}_{s\sim d^\pi}\bar A(s) \ge 0,\ r\in[0,R]"
)
_USPI = (
    r"\eta((1-\alpha)\pi+\alpha\tilde\pi) - \eta(\pi) \ge \alpha\mathbb{A}%s,\ \alpha = \min\{1, \mathbb{A}/K\},"
    r"\ K = \tfrac{\gamma}{(1-\gamma)^2}\|\tilde\pi-\pi\|_\infty\,\mathrm{span}(\bar A)"
    r",\ \mathbb{A} = L_\pi(\tilde\pi)-\eta(\pi) > 0"
)
_PIROTTA = "Pirotta et al. 2013 (ICML), unique-parameter safe policy iteration"
_DRIFT = r"\tilde\pi \propto \pi e^{hA_\pi}"
_KUBA = "Kuba, Schroeder de Witt and Foerster 2022, arXiv:2201.02373 (Mirror Learning)"


def false_twin(id: str, formula: Formula, statement: str, source: str, **details: Any) -> Claim:
    """A claim derived here, with one thing exchanged."""
    return Claim(id, formula, statement, source, expected=False, provenance="D", **details)


CLAIMS = (
    Claim(
        "kakade-langford/step",
        lambda q: _conservative(q, 8),
        _SHARE % "8",
        _KAKADE + "Corollary 4.2",
        given=_promising,
        provenance="M",
        needs=frozenset({"unit-reward"}),
        note="Their returns are those here times 1 − γ.",
        proof=Theorem("Steps of a safe length"),
    ),
    false_twin(
        "kakade-langford/step-4",
        lambda q: _conservative(q, 4),
        _SHARE % "4",
        "kakade-langford/step with twice the gain",
        given=_promising,
        needs=frozenset({"unit-reward"}),
    ),
    Claim(
        "pirotta/uspi",
        _uspi,
        _USPI % r" - \tfrac12\alpha^2K",
        _PIROTTA,
        given=_rises,
        provenance="M",
        proof=Theorem("Steps of a safe length"),
    ),
    false_twin(
        "pirotta/uspi-in-full",
        _uspi_in_full,
        _USPI % "",
        "pirotta/uspi with the whole of the first order",
        given=_rises,
    ),
    Claim(
        "mirror-learning/kl",
        _drift_gain(lambda q: q.visitation_new),
        rf"\eta(\tilde\pi) \ge \eta(\pi) + \tfrac1h\sum_s\rho_{{\tilde\pi}}(s)D_{{\mathrm{{KL}}}}(\tilde\pi_s\|\pi_s)"
        rf",\quad {_DRIFT}",
        _KUBA + ", with a KL as the drift",
        given=_forward,
        step=_mirror,
        provenance="M",
        proof=Theorem("Mirror learning"),
    ),
    false_twin(
        "mirror-learning/kl-old",
        _drift_gain(lambda q: q.visitation_old),
        rf"\eta(\tilde\pi) \ge \eta(\pi) + \tfrac1h\sum_s\rho_\pi(s)D_{{\mathrm{{KL}}}}(\tilde\pi_s\|\pi_s)"
        rf",\quad {_DRIFT}",
        "mirror-learning/kl with the visits of the old policy",
        given=_forward,
        step=_mirror,
    ),
    Claim(
        "mirror-learning/drift",
        _any_drift,
        r"\bar A(s) \ge h\mathrm{TV}(\pi_s,\tilde\pi_s) \text{ for all } s"
        r"\ \Rightarrow\ \eta(\tilde\pi) \ge \eta(\pi) + h\sum_s\rho_{\tilde\pi}(s)\mathrm{TV}(\pi_s,\tilde\pi_s)",
        _KUBA + ", with total variation as the drift",
        given=_not_negative,
        step=_paying,
        provenance="M",
        proof=Theorem("Mirror learning"),
    ),
    false_twin(
        "mirror-learning/drift-mean",
        improvement,
        r"\mathbb{E}_{s\sim d^\pi}[\bar A(s) - h\mathrm{TV}(\pi_s,\tilde\pi_s)] \ge 0"
        r"\ \Rightarrow\ \eta(\tilde\pi) \ge \eta(\pi)",
        "mirror-learning/drift with a mean over states, as samples give it",
        given=_pays_on_average,
    ),
)
