"""Update rules in closed form, as steps in any arithmetic: softmax gradient, natural policy gradient, PPO's clip.

Each is judged with all policies allowed, and where the states of a group of `groups` share a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.bounds.formulas import Formula, Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.step.quantities import Quantities


def improvement(q: Quantities) -> Numbers:
    """η(new) − η(old) as Σ_s ρ_new(s) Ā(s), equation (6), which keeps its digits and its sign where the step is small."""
    return q.sum_s(q.visitation_new * q.expected_advantage)


def pooled(q: Quantities, x: Any) -> Any:
    """Σ x(s') over the states s' of the group of s, (S, ...): the states of a group get the same."""
    same = q.groups[:, None] == q.groups[None]
    if np.ndim(x) > np.ndim(q.visitation_old):
        same = same[:, :, None]
    return q.arithmetic.sum(q.arithmetic.where(same, x[None], 0), 1)


def shared_advantage(q: Quantities) -> Numbers:
    """A_g(a) = Σ_{s ∈ g} ρ_old(s) A_old(s, a) / Σ_{s ∈ g} ρ_old(s), (S, A, *batch); 0 for a group that old never visits."""
    weight = pooled(q, q.visitation_old)[:, None]
    total = pooled(q, q.visitation_old[:, None] * q.advantage)
    return total / q.arithmetic.where(weight > 0, weight, 1)


def shares_rows(q: Quantities) -> Truth:
    """Whether old is the same in all states of a group, (*batch)."""
    same = (q.groups[:, None] == q.groups[None])[:, :, None]
    return (~same | q.close(q.old[:, None], q.old[None])).all((0, 1, 2))


def _forward(q: Quantities) -> Truth:
    """h > 0: a step against the gradient is no step of the rule."""
    return q.size > 0


def _forward_and_shared(q: Quantities) -> Truth:
    return shares_rows(q) & _forward(q)


def tilted(q: Quantities, policy: Numbers, exponent: Numbers) -> Numbers:
    """The policy ∝ policy · exp(exponent), (S, A, *batch): the largest exponent is taken out first, against overflow."""
    top = q.max_a(exponent, where=policy > 0)[:, None]
    weight = policy * q.exp(q.arithmetic.where(policy > 0, exponent - top, 0))
    return weight / q.sum_a(weight)[:, None]


def clip_maximiser(q: Quantities, up: Numbers, down: Numbers, clip: Numbers) -> Numbers:
    """The policy that maximises Σ_a up(a) min(new, (1 + c) old) − down(a) max(new, (1 − c) old) in every row.

    With up = Σ_s ρ max(A, 0) and down = Σ_s ρ max(−A, 0) over the states that share the row, this is PPO's clipped
    surrogate Σ ρ Σ_a min(new A, clip(new, (1 − c) old, (1 + c) old) A). Each action's term is concave and piecewise linear
    in new(a), with slope up below (1 − c) old, up − down between, −down above; so that handing out the mass 1 piece by
    piece in order of falling slope is optimal (a fractional knapsack). Many maximisers tie. This one fills, of equal
    slopes, first what lies below (1 − c) old, then up to old, up to (1 + c) old, beyond, and last the actions that
    old never takes: where all ties, it stays at old.

    Args:
        q: for old and the arithmetic.
        up: what an action gains, ≥ 0, (S, A, *batch).
        down: what it loses, likewise.
        clip: c in (0, 1), (*batch).
    """
    old, none = q.old, 0 * q.old
    beyond = q.minimum(clip * old, 1 - old)
    slopes: Numbers = np.concatenate(np.broadcast_arrays(up, up - down, up - down, -down, -down), axis=1)
    lengths = ((1 - clip) * old, clip * old, beyond, 1 - old - beyond)
    lengths = [q.arithmetic.where(old > 0, length, none) for length in lengths]
    lengths.append(q.arithmetic.where(q.available & ~(old > 0), none + 1, none))
    length = np.concatenate(np.broadcast_arrays(*lengths), axis=1)
    position = np.arange(int(slopes.shape[1]))
    earlier = (position[:, None] > position)[(None, ..., *(None,) * (np.ndim(old) - 2))]
    mine, other = slopes[:, :, None], slopes[:, None]
    before = (other > mine) | (~(mine > other) & earlier)
    left = 1 - q.arithmetic.sum(q.arithmetic.where(before, length[:, None], 0), 2)
    filled = q.minimum(q.maximum(left, 0 * left), length)
    return sum(np.split(filled, 5, axis=1))


def _softmax_gradient(q: Quantities) -> Numbers:
    return tilted(q, q.old, q.size * q.old * q.visitation_old[:, None] * q.advantage)


def _softmax_gradient_aggregated(q: Quantities) -> Numbers:
    """∂η/∂θ(g, a) = Σ_{s ∈ g} ρ(s) old(a|g) A(s, a), new ∝ old · exp(size · ∂η/∂θ)."""
    return tilted(q, q.old, q.size * q.old * pooled(q, q.visitation_old[:, None] * q.advantage))


def _npg(q: Quantities) -> Numbers:
    return tilted(q, q.old, q.size * q.advantage / (1 - q.gamma))


def _npg_aggregated(q: Quantities) -> Numbers:
    return tilted(q, q.old, q.size * shared_advantage(q) / (1 - q.gamma))


def _parts(q: Quantities) -> tuple[Numbers, Numbers]:
    """ρ max(A, 0) and ρ max(−A, 0)."""
    weighted = q.visitation_old[:, None] * q.advantage
    return q.maximum(weighted, 0 * weighted), q.maximum(-weighted, 0 * weighted)


def ppo_clip(q: Quantities) -> Numbers:
    """The maximiser of PPO's clipped surrogate that stays nearest to old, c = h/(1 + h), h = size."""
    return clip_maximiser(q, *_parts(q), q.size / (1 + q.size))


def _ppo_clip_aggregated(q: Quantities) -> Numbers:
    up, down = _parts(q)
    return clip_maximiser(q, pooled(q, up), pooled(q, down), q.size / (1 + q.size))


def _clip_gain(q: Quantities) -> Numbers:
    """Σ_s ρ_old Σ_a min(new A, clip(new, 0.8 old, 1.2 old) A)."""
    clipped = q.minimum(q.maximum(q.new, q.old * 4 / 5), q.old * 6 / 5)
    return q.sum_s(q.visitation_old * q.sum_a(q.minimum(q.new * q.advantage, clipped * q.advantage)))


def _clip_gain_positive(q: Quantities) -> Truth:
    return _clip_gain(q) > 0


_SOFTMAX = "policy gradient, equation (1); Sutton et al. 2000"
_NPG = "Kakade 2001; exact form in Agarwal et al. 2021, arXiv:1908.00261"
_PPO = "Schulman et al. 2017, arXiv:1707.06347, equation 7"


def _pair(
    name: str, source: str, what: str, step: Formula, shared_step: Formula, note: str, section: str, tables: str = ""
) -> tuple[Claim, Claim]:
    """The rule with all policies allowed (true: Ā ≥ 0 in every state), and in a class that shares rows (false).

    note is on the latter, tables on the former.
    """
    improves = r"\eta(\tilde\pi) \ge \eta(\pi)"
    tabular = Claim(
        name,
        improvement,
        improves + rf"\text{{ for any step size, }} {what}",
        source + '; docs/theory.md, "Why improvement is easy in tables"',
        given=_forward,
        step=step,
        provenance="D",
        note=tables,
        proof=Theorem(section),
    )
    shared = Claim(
        f"{name}-aggregated",
        improvement,
        improves + rf"\text{{ for any step size, }} {what}\text{{, where states share a row }} g",
        source,
        given=_forward_and_shared,
        expected=False,
        step=shared_step,
        provenance="D",
        tabular=False,
        needs=frozenset({"one-row"}),
        note=note,
    )
    return tabular, shared


CLAIMS = (
    *_pair(
        "update/softmax-gradient",
        _SOFTMAX,
        r"\tilde\pi \propto \pi\exp(h\,\partial_\theta\eta)",
        _softmax_gradient,
        _softmax_gradient_aggregated,
        "F6, p = 0.4: a step of 20 takes η from 0.216 to 0.150, one of 40 to 0.039; with the one logit of a sigmoid "
        "instead of two, steps are twice as long for the same move.",
        "The exponential rules in tables",
    ),
    *_pair(
        "update/npg",
        _NPG,
        r"\tilde\pi \propto \pi\exp(h A_\pi/(1-\gamma))",
        _npg,
        _npg_aggregated,
        "",
        "The exponential rules in tables",
    ),
    *_pair(
        "update/ppo-clip",
        _PPO,
        r"\tilde\pi \in \arg\max \sum_s \rho_\pi \sum_a \min\{\tilde\pi A_\pi, "
        r"\mathrm{clip}(\tilde\pi, (1-c)\pi, (1+c)\pi) A_\pi\},\ c = h/(1+h)",
        ppo_clip,
        _ppo_clip_aggregated,
        "Of the many maximisers the one nearest to old, as clip_maximiser documents; F6, p = 0.4: c above 1/2 lowers η.",
        "The clipped surrogate in tables",
        "Of the many maximisers the one that stays at old in states that old never visits.",
    ),
    Claim(
        "update/clip-gain",
        improvement,
        r"\sum_s \rho_\pi \sum_a \min\{\tilde\pi A_\pi, \mathrm{clip}(\tilde\pi, 0.8\pi, 1.2\pi) A_\pi\} > 0"
        r"\ \Rightarrow\ \eta(\tilde\pi) \ge \eta(\pi)",
        "folklore on PPO, arXiv:1707.06347",
        given=_clip_gain_positive,
        expected=False,
        provenance="D",
    ),
)
