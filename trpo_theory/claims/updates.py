"""What is claimed of problems (11), (12) and (13): that they never lower the return, how far they go, how hard they are."""

from __future__ import annotations

from typing import Any

from trpo_theory.bounds.formulas import Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.claims.rules import improvement
from trpo_theory.step.quantities import Quantities
from trpo_theory.updates.problems import MaxKL, MeanKL, Penalty


def shared_row_maximiser(q: Quantities) -> Numbers:
    """The exact solution of (11), (12) and (13) where all states share one row; rational where old, A and size are.

    new(a) = λ old(a) / (ν − A_g(a)), ν = max_a A_g + u, u = size > 0, A_g = Σ_s ρ(s) A(s, ·) / Σ_s ρ(s).
    By the conditions of docs/theory.md, "One row in closed form", it maximises (12) and (13) at
    δ = KL(old‖new), and (11) at C = λ/(1 − γ), λ = 1 / Σ_a old(a)/(ν − A_g(a)).
    """
    mean = q.sum_s(q.visitation_old[:, None] * q.advantage)[None] / q.sum_s(q.visitation_old)
    weight = q.old / (q.max_a(mean + 0 * q.old)[:, None] + q.size - mean)
    return weight / q.sum_a(weight)[:, None]


def one_row(q: Quantities) -> Truth:
    """Whether old is the same in all states, (*batch)."""
    return q.close(q.old, q.old[:1]).all((0, 1))


def _one_row_step(q: Quantities) -> Truth:
    return one_row(q) & (q.size > 0)


def _visited(q: Quantities) -> Truth:
    """ρ_old(s) > 0 in every state, (*batch)."""
    return (q.visitation_old > 0).all(0)


def _prop_1(q: Quantities) -> Numbers:
    return improvement(q) + q.sqrt(2 * q.size) * q.gamma * q.max_abs_expected_advantage / (1 - q.gamma) ** 2


def _tiny(q: Quantities) -> Numbers:
    return (1 - q.gamma) ** 2 - 2 * q.gamma**2 * q.max_kl


def shortfall_bound(q: Quantities) -> Numbers:
    """An upper bound on how much more any policy with max-KL ≤ D gains than new, D that of new: (12)'s gap, by duality.

    For any λ_s ≥ 0 and ν_s ≥ max_a A (> where old has mass), row by row,
        max_p Σ_a p A − λ KL(old‖p) ≤ ν − λ + λ Σ_a old log(λ/(ν − A)).
    At an optimum new = λ old/(ν − A), whence λ = Ā/χ²(old‖new) and ν = λ + Ā: read off new itself, so that no root is
    sought, and the bound is proved for whatever new is.
    """
    where, chi2, best = q.arithmetic.where, q.chi2, q.max_a(q.advantage)
    moved = (chi2 > 0) & (q.expected_advantage > 0)
    multiplier = where(moved, q.expected_advantage, 1) / where(moved, chi2, 1)
    level = q.maximum(multiplier + q.expected_advantage, best)
    played = (q.old > 0) & moved[:, None]
    distance = where(played, level[:, None] - q.advantage, 1)
    sound = moved & (q.min_a(distance) > 0)
    logs = q.sum_a(where(played, q.old * q.log(multiplier[:, None] / where(distance > 0, distance, 1)), 0))
    dual = level - multiplier + multiplier * (logs + q.max_kl)
    bound = where(sound, q.minimum(dual, best), best)
    return q.sum_s(q.visitation_old * (bound - q.expected_advantage))


def _falls_short(q: Quantities) -> Numbers:
    return shortfall_bound(q) - q.surrogate_gain / 10**6


def _gains(q: Quantities) -> Truth:
    """L rises, in two states at least, so that there is something to separate, and δ = max-KL is finite."""
    moving = (q.tv > 0) & (q.visitation_old > 0)
    return (q.surrogate_gain > 0) & (moving.sum(0) >= 2) & (q.max_kl < float("inf"))


def _chi2_claim() -> Claim:
    return Claim(
        "update/chi2-monotone",
        improvement,
        r"\eta(\tilde\pi) \ge \eta(\pi) \text{ for } \tilde\pi \in \arg\max L_\pi - \mathrm{rms}(A_\pi)"
        r"\tfrac{c\sqrt\gamma}{(1-\gamma)\sqrt{1-\gamma(1+c)}}\text{, }c=\max_s\chi^2(\tilde\pi_s\|\pi_s)\text{, in any class}",
        'derived in docs/theory.md, "The step of the largest promise"',
        problem=lambda size: Penalty(bound="chi2/advantage"),
        provenance="D",
        tabular=False,
        proof=Theorem("Improvement by any true penalty"),
    )


def _penalty_claim(suffix: str, bound: str) -> Claim:
    return Claim(
        f"update/penalty-monotone{suffix}",
        improvement,
        r"\eta(\tilde\pi) \ge \eta(\pi) \text{ for } \tilde\pi \in \arg\max L_\pi - C D_{\mathrm{KL}}^{\max}"
        rf"\text{{, }} C \text{{ that of {bound}, in any class}}",
        "Schulman et al. 2015, arXiv:1502.05477, Algorithm 1; equations (10) and (11)",
        problem=lambda size: Penalty(bound=bound),
        provenance="S",
        tabular=False,
        proof=Theorem("Improvement by any true penalty"),
    )


def _pair(name: str, problem: Any, maximised: str, source: str, note: str) -> tuple[Claim, Claim]:
    """A problem that never lowers η with all policies allowed and ρ_old > 0, and may in a class that shares rows."""
    improves = r"\eta(\tilde\pi) \ge \eta(\pi) \text{ for } \tilde\pi \in " + maximised
    tabular = Claim(
        name,
        improvement,
        improves + r"\text{, all policies allowed, } \rho_\pi > 0",
        source + '; docs/theory.md, "Why improvement is easy in tables"',
        given=_visited,
        problem=problem,
        provenance="D",
        proof=Theorem("Trust regions and penalties in tables"),
    )
    shared = Claim(
        f"{name}-aggregated",
        improvement,
        improves + r"\text{, where states share a row}",
        source,
        given=_one_row_step,
        expected=False,
        step=shared_row_maximiser,
        problem=problem,
        provenance="D",
        tabular=False,
        needs=frozenset({"one-row"}),
        note=note,
    )
    return tabular, shared


CLAIMS = (
    _penalty_claim("", "pinsker/kl"),
    _penalty_claim("/trpo-kl", "trpo/kl"),
    _penalty_claim("/chain-rule", "chain-rule/kl"),
    _chi2_claim(),
    *_pair(
        "update/max-kl-monotone",
        MaxKL,
        r"\arg\max \{L_\pi : D_{\mathrm{KL}}^{\max} \le \delta\}",
        "Schulman et al. 2015, arXiv:1502.05477, equation 11; equation (12)",
        "F6: γ = 0.9, p 0.4 -> 0.7 at δ = 0.192 takes η from 0.216 to 0.189. "
        "In a witness δ is KL(old‖new), and size the u of ν = max A + u.",
    ),
    *_pair(
        "update/mean-kl-monotone",
        MeanKL,
        r"\arg\max \{L_\pi : \mathbb{E}_{s\sim d_\pi} D_{\mathrm{KL}} \le \delta\}",
        "Schulman et al. 2015, arXiv:1502.05477, equation 12; equation (13)",
        "As for update/max-kl-monotone-aggregated: with one row the two problems are one.",
    ),
    *_pair(
        "update/coefficient-needed",
        Penalty,
        r"\arg\max L_\pi - C D_{\mathrm{KL}}^{\max} \text{ for any } C \ge 0",
        "Schulman et al. 2015, arXiv:1502.05477, section 4; equation (11)",
        "F6: C of about γ/4 is needed, where theory asks for 2εγ/(1 − γ)². "
        "In a witness C = λ/(1 − γ), and size the u of ν = max A + u.",
    ),
    Claim(
        "cpo/prop-1",
        _prop_1,
        r"\eta(\tilde\pi) - \eta(\pi) \ge -\frac{\sqrt{2\delta}\,\gamma\epsilon^{\tilde\pi}}{(1-\gamma)^2}"
        r"\text{ for } \tilde\pi \in \arg\max \{L_\pi : \mathbb{E}_{s\sim d_\pi} D_{\mathrm{KL}} \le \delta\}"
        r"\text{, in any class}",
        "Achiam et al. 2017, arXiv:1705.10528, Proposition 1, which has KL the other way round",
        problem=MeanKL,
        provenance="S",
        tabular=False,
        proof=Theorem("The expected advantage and a mean"),
    ),
    Claim(
        "update/step-tiny",
        _tiny,
        r"D_{\mathrm{KL}}^{\max}(\pi, \tilde\pi) \le \frac{(1-\gamma)^2}{2\gamma^2}"
        r"\text{ for } \tilde\pi \in \arg\max L_\pi - \frac{2\epsilon\gamma}{(1-\gamma)^2} D_{\mathrm{KL}}^{\max}",
        'the prose of Schulman et al. 2015, arXiv:1502.05477, section 4 ("very small"), made a theorem here: '
        'docs/theory.md, "Three problems"',
        problem=lambda size: Penalty(bound="pinsker/kl"),
        provenance="D",
        note="Where ε = 0 all policies maximise, and old is meant. "
        "With f(D) the largest gain at max-KL D: f is concave, f(0) = 0 and f(D) ≤ √2 ε √D/(1 − γ), and at the "
        "optimum C D ≤ f(D). Measured at γ = 0.5, 0.9, 0.99 "
        "from a uniform old, median of 8 Dirichlet MDPs (5 states, 3 actions): 2.5e-2, 2.9e-4, 2.3e-6 nats; trpo/kl a quarter "
        "of that; chain-rule/kl 5.3e-2, 3.5e-3, 2.9e-4; river-swim at 0.99: 2.9e-9, 7e-10 and 3.7e-7.",
        proof=Theorem("How far the penalty lets a step go"),
    ),
    Claim(
        "update/max-kl-hard",
        _falls_short,
        r"\max \{L_\pi(\pi') : D_{\mathrm{KL}}^{\max}(\pi, \pi') \le \delta\} - L_\pi(\tilde\pi) \ge "
        r"10^{-6} (L_\pi(\tilde\pi) - \eta(\pi)) \text{ for } \tilde\pi \text{ solved row by row}",
        "Schulman et al. 2015, arXiv:1502.05477, section 4: impractical for its many constraints; equation (12)",
        given=_gains,
        expected=False,
        problem=MaxKL,
        sound_for_any_new=True,
        provenance="D",
        note="It separates by state. The slack is computed with an upper bound on the maximum (shortfall_bound), so that "
        "a negative one refutes the claim of this instance.",
    ),
)
