"""Steps of two agents with two actions each: one after the other, at the same time, or by one policy that both share.

Source: Kuba et al. 2022, arXiv:2109.11251. Proofs: docs/theory.md, "Several agents".
"""

from __future__ import annotations

import numpy as np

from trpo_theory.bounds.formulas import Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.claims.agents import TWO
from trpo_theory.claims.rules import improvement, tilted
from trpo_theory.numerics.arithmetic import Array, Policy
from trpo_theory.step.quantities import Quantities


def _simultaneous(q: Quantities) -> Policy:
    """Each π^i ∝ old^i exp(h A^i), h = size, the other acting by old."""
    return tilted(q, q.old, q.size * (q.agent_advantage(0) + q.agent_advantage(1)))


def _sequential(q: Quantities) -> Policy:
    """π¹ ∝ old¹ exp(h A¹), then π² ∝ old² exp(h E_{π¹} A), h = size."""
    first = tilted(q, q.old, q.size * q.agent_advantage(0))
    own = q.marginal(first, 0)
    ahead = own[:, :1] * q.advantage[:, :2] + own[:, 1:] * q.advantage[:, 2:]
    return tilted(q, first, q.size * np.concatenate([ahead, ahead], axis=1))


def _forward(q: Quantities) -> Truth:
    return q.size > 0


def _agree(q: Quantities, policy: Policy) -> Array:
    """½ − P(a¹ ≠ a²) in every state, (S, *batch)."""
    return (1 - 2 * (policy[:, 1] + policy[:, 2])) / 2


def _shared(q: Quantities) -> Numbers:
    own = q.marginal(q.new, 0)
    return _agree(q, q.product([own, own]))


def _each_its_own(q: Quantities) -> Numbers:
    return _agree(q, q.new)


_HATRPO = "Kuba et al. 2022, arXiv:2109.11251"
_IMPROVES = r"\eta(\tilde\pi) \ge \eta(\pi)\text{ for any step size},\quad "
_XOR = r"\mathbb{P}_{\tilde\pi}(a^1\ne a^2|s) \le \tfrac12"

CLAIMS = (
    Claim(
        "agents/sequential-npg",
        improvement,
        _IMPROVES + r"\tilde\pi^1\propto\pi^1e^{hA^1},\ \tilde\pi^2\propto\pi^2e^{h\mathbb{E}_{\tilde\pi^1}A}",
        f'the sequential scheme of {_HATRPO}, with natural gradient steps: docs/theory.md, "Several agents"',
        given=_forward,
        step=_sequential,
        provenance="D",
        agents=TWO,
        proof=Theorem("Several agents"),
    ),
    Claim(
        "agents/simultaneous-npg",
        improvement,
        _IMPROVES + r"\tilde\pi^1\propto\pi^1e^{hA^1},\ \tilde\pi^2\propto\pi^2e^{hA^2}",
        f"{_HATRPO}, Figure 1: updates that improve each agent by itself lower the return together",
        given=_forward,
        expected=False,
        step=_simultaneous,
        provenance="S",
        agents=TWO,
    ),
    Claim(
        "agents/shared",
        _shared,
        _XOR
        + r"\text{ where both agents act by one policy: a reward for unequal actions is }1\text{, shared at most }\tfrac12",
        f"{_HATRPO}, Proposition 1, for two agents",
        provenance="M",
        agents=TWO,
        proof=Theorem("Several agents"),
        sharp="attained by p = 1/2",
    ),
    Claim(
        "agents/shared-apart",
        _each_its_own,
        _XOR + r"\text{ whatever the two policies are}",
        "derived here: agents/shared without the sharing",
        expected=False,
        provenance="D",
        agents=TWO,
    ),
)
