"""Bounds on joint updates of several agents: HATRPO's sequential one, and simultaneous updates, which lack a term.

Proofs: docs/theory.md, "Several agents". Old and new are products π = Π_i π^i and π̃ = Π_i π̃^i; α_i and D_i are the largest TV and
KL(π^i ‖ π̃^i) over states.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from trpo_theory.bounds.formulas import Numbers
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.numerics.arithmetic import Array
from trpo_theory.step.quantities import Quantities

TWO = (2, 2)
"""Actions of the agents on the instances that are searched. Chosen: the fewest."""


def alone(q: Quantities) -> Iterator[Quantities]:
    """The steps in which one agent moves, one for each."""
    return (q.moved([agent]) for agent in range(len(q.agents)))


def own_gains(q: Quantities) -> Array:
    """Σ_i (L_π(π̃^i, π^{−i}) − η(π)): every agent's surrogate gain, the others acting by old."""
    return sum(one.surrogate_gain for one in alone(q))


def sum_of_max_kl(q: Quantities) -> Array:
    """Σ_i D_i."""
    return sum(one.max_kl for one in alone(q))


def penalty_unit(q: Quantities) -> Array:
    """εγ/(1 − γ)²."""
    return q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2


def pairs(q: Quantities) -> Array:
    """max_s Σ_{j<i} TV_j(s) TV_i(s), TV_i(s) of π^i and π̃^i."""
    tv = [one.tv for one in alone(q)]
    return q.max_s(sum(tv[i] * tv[j] for i in range(len(tv)) for j in range(i)))


def _hatrpo(q: Quantities) -> Numbers:
    return 4 * penalty_unit(q) * sum_of_max_kl(q)


def _pinsker(q: Quantities) -> Numbers:
    return 2 * penalty_unit(q) * sum_of_max_kl(q)


def _pinsker_max(q: Quantities) -> Numbers:
    return 2 * penalty_unit(q) * reduce(q.maximum, [one.max_kl for one in alone(q)])


def _tv(q: Quantities) -> Numbers:
    return 4 * penalty_unit(q) * sum(one.max_tv for one in alone(q)) ** 2


def _tv_squares(q: Quantities) -> Numbers:
    return 4 * penalty_unit(q) * sum(one.max_tv**2 for one in alone(q))


def _apart(q: Quantities) -> Array:
    """Σ_i (L_π(π̃^i, π^{−i}) − η(π)) − (L_π(π̃) − η(π))."""
    return own_gains(q) - q.surrogate_gain


def _simultaneous(q: Quantities) -> Numbers:
    return _hatrpo(q) + 4 * q.max_abs_advantage / (1 - q.gamma) * pairs(q)


_FROM_L = r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - "
_FROM_OWN = r"\eta(\tilde\pi) \ge \eta(\pi) + \sum_i\bigl(L_\pi(\tilde\pi^i,\pi^{-i}) - \eta(\pi)\bigr) - "
_UNIT = r"\tfrac{\epsilon\gamma}{(1-\gamma)^2}"
_SUM_KL = r"\sum_i D_{\mathrm{KL}}^{\max}(\pi^i\|\tilde\pi^i)"
_HATRPO = "Kuba et al. 2022, arXiv:2109.11251"
_THEOREM = Theorem("Several agents")

BOUNDS = (
    Bound(
        "agents/hatrpo",
        _hatrpo,
        _FROM_L
        + rf"4{_UNIT}{_SUM_KL}"
        + r",\quad L_\pi(\tilde\pi)-\eta(\pi)=\sum_i L_\pi^{1:i}(\tilde\pi^{1:i-1},\tilde\pi^i)",
        f"{_HATRPO}, Lemma 2 and Theorem 2",
        provenance="M",
        agents=TWO,
        proof=_THEOREM,
        sharp="no: agents/pinsker is half of it",
    ),
    Bound(
        "agents/pinsker",
        _pinsker,
        _FROM_L + rf"2{_UNIT}{_SUM_KL}",
        'trpo/tv, Pinsker\'s inequality and the chain rule; docs/theory.md, "Several agents": half the constant of agents/hatrpo',
        agents=TWO,
        proof=_THEOREM,
    ),
    Bound(
        "agents/pinsker-max",
        _pinsker_max,
        _FROM_L + rf"2{_UNIT}\max_i D_{{\mathrm{{KL}}}}^{{\max}}(\pi^i\|\tilde\pi^i)",
        "derived here: agents/pinsker with the largest of the agents' divergences for their sum",
        expected=False,
        agents=TWO,
    ),
    Bound(
        "agents/tv",
        _tv,
        _FROM_L + rf"4{_UNIT}\Bigl(\sum_i\alpha_i\Bigr)^2",
        'trpo/tv and TV of products; docs/theory.md, "Several agents"',
        agents=TWO,
        proof=_THEOREM,
    ),
    Bound(
        "agents/tv-squares",
        _tv_squares,
        _FROM_L + rf"4{_UNIT}\sum_i\alpha_i^2",
        "derived here: agents/tv with the sum of squares for the square of the sum",
        expected=False,
        agents=TWO,
    ),
    Bound(
        "agents/simultaneous-cross",
        _simultaneous,
        _FROM_OWN
        + rf"4{_UNIT}{_SUM_KL}"
        + r" - \tfrac{4\epsilon}{1-\gamma}\max_s\sum_{j<i}\mathrm{TV}_j(s)\,\mathrm{TV}_i(s)",
        'derived in docs/theory.md, "Several agents": what simultaneous updates lose against sequential ones',
        agents=TWO,
        shift=_apart,
        proof=_THEOREM,
    ),
    Bound(
        "agents/simultaneous",
        _hatrpo,
        _FROM_OWN + rf"4{_UNIT}{_SUM_KL}",
        f"agents/hatrpo with every agent's advantage taken as if the others did not move, which {_HATRPO}, section 3, warns of",
        expected=False,
        agents=TWO,
        shift=_apart,
        note="At γ = 0 the penalty is 0, and two agents that each improve alone may lose together.",
    ),
)
