"""Which bound implies which. The oracle: 1,000 random steps, on which every edge must hold with the penalties written again."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from cheap import is_whole

from trpo_theory import bounds, claim
from trpo_theory.errors import InvalidInput
from trpo_theory.proofs.lattice import Implied, lattice, placed, reduced
from trpo_theory.proofs.region import EVERYTHING

PENALTIES = {
    "trpo/tv": lambda g, s: 4 * s["e"] * g / (1 - g) ** 2 * s["tv"] ** 2,
    "trpo/kl": lambda g, s: 4 * s["e"] * g / (1 - g) ** 2 * s["kl"],
    "pinsker/kl": lambda g, s: 2 * s["e"] * g / (1 - g) ** 2 * s["kl"],
    "coupling/tv": lambda g, s: 4 * s["e"] * g * s["tv"] ** 2 / ((1 - g) * (1 - g * (1 - s["tv"]))),
    "pinsker/reverse-kl": lambda g, s: 2 * s["e"] * g / (1 - g) ** 2 * s["reverse"],
    "bh/kl": lambda g, s: -4 * s["e"] * g / (1 - g) ** 2 * math.expm1(-s["kl"]),
    "mixed/tv": lambda g, s: 4 * s["e"] * g / (1 - g) ** 2 * s["tv"] * s["mean_tv"],
    "chain-rule/kl": lambda g, s: 2 * s["e"] * _polylog(g) * s["kl"],
    "chain-rule/reverse-kl": lambda g, s: 2 * s["e"] * _polylog(g) * s["reverse"],
    "cpo/mean-tv": lambda g, s: 2 * s["e'"] * g / (1 - g) ** 2 * s["mean_tv"],
    "cpo/mean-kl": lambda g, s: 2 * s["e'"] * g / (1 - g) ** 2 * math.sqrt(s["mean_kl"] / 2),
    "cpo/mean-reverse-kl": lambda g, s: 2 * s["e'"] * g / (1 - g) ** 2 * math.sqrt(s["mean_reverse"] / 2),
    "cpo/max-tv": lambda g, s: 2 * s["e'"] * g / (1 - g) ** 2 * s["tv"],
    "chain-rule/mean-kl": lambda g, s: s["e'"] / (1 - g) * math.sqrt(2 * g / (1 - g) * s["mean_kl"]),
}
KNOWN = {
    ("trpo/kl", "pinsker/kl"): (),
    ("trpo/kl", "bh/kl"): (),
    ("pinsker/kl", "chain-rule/kl"): (),
    ("trpo/tv", "coupling/tv"): (),
    ("pinsker/kl", "trpo/tv"): ("TV^2 <= KL/2 (Pinsker)",),
    ("bh/kl", "trpo/tv"): ("TV^2 <= 1 - exp(-KL) (Bretagnolle and Huber)",),
    ("cpo/mean-kl", "cpo/mean-tv"): ("TV^2 <= KL/2 (Pinsker)",),
    ("cpo/max-tv", "cpo/mean-tv"): ("a mean is at most the maximum",),
}
"""What the literature says of these bounds, with the inequality that each step uses."""


def _polylog(gamma: float) -> float:
    """Σ √t γᵗ, summed."""
    t = np.arange(1, 4000)
    return float((np.sqrt(t) * gamma**t).sum())


def _step(rng: np.random.Generator) -> dict[str, float]:
    """Divergences, and the two ε, of two states with random rows and random advantages of mean 0."""
    weights, rows = rng.dirichlet([1, 1]), []
    for _ in range(2):
        old = rng.dirichlet([0.5] * 3)
        new = (1 - (size := 10 ** rng.uniform(-4, 0))) * old + size * rng.dirichlet([0.5] * 3)
        advantage = rng.normal(size=3)
        advantage -= old @ advantage
        rows.append((old, new, advantage))
    kl, reverse = ([float(p @ np.log(p / q)) for p, q in pairs] for pairs in _pairs(rows))
    tv = [float(abs(p - q).sum() / 2) for p, q, _ in rows]
    return {
        "e": max(float(abs(a).max()) for _, _, a in rows),
        "e'": max(abs(float(q @ a)) for _, q, a in rows),
        **{"kl": max(kl), "reverse": max(reverse), "tv": max(tv)},
        **{"mean_kl": float(weights @ kl), "mean_reverse": float(weights @ reverse), "mean_tv": float(weights @ tv)},
    }


def _pairs(rows: Any) -> Any:
    return [(p, q) for p, q, _ in rows], [(q, p) for p, q, _ in rows]


@pytest.fixture(scope="module")
def edges() -> list[Implied]:
    return lattice(PENALTIES)


@pytest.mark.slow
@pytest.mark.sampled
def test_every_edge_holds_on_random_steps(edges: list[Implied]) -> None:
    rng = np.random.default_rng(8)
    everywhere = [edge for edge in edges if edge.everywhere]
    assert len(everywhere) > 20
    for _ in range(1000 if is_whole() else 25):
        step, gamma = _step(rng), 1 - 10 ** rng.uniform(-2, -0.01)
        values = {id: penalty(gamma, step) for id, penalty in PENALTIES.items()}
        assert all(values[edge.id] >= values[edge.premise] * (1 - 1e-9) for edge in everywhere)


@pytest.mark.slow
def test_known_edges_are_there(edges: list[Implied]) -> None:
    found = {(edge.id, edge.premise): edge.by for edge in edges if edge.everywhere}
    assert KNOWN.items() <= found.items()
    # none of these follows from any other one
    assert not {"coupling/tv", "chain-rule/kl", "chain-rule/reverse-kl", "cpo/mean-tv"} & {id for id, _ in found}


@pytest.mark.slow
def test_edges_in_a_region_begin_at_their_thresholds(edges: list[Implied]) -> None:
    """pinsker/kl is above bh/kl from 2 D = 4 (1 − e^−D) on, D = 1.594; cpo/mean-kl above chain-rule/mean-kl from γ = 1/2 on."""
    regions = {(edge.id, edge.premise): edge.region for edge in edges if not edge.everywhere}
    crossing = mpmath.findroot(lambda d: d - 2 * (1 - mpmath.exp(-d)), 1.6)
    radius = regions["pinsker/kl", "bh/kl"].radius
    gamma = regions["cpo/mean-kl", "chain-rule/mean-kl"].gamma
    assert radius is not None
    assert gamma is not None
    assert float(crossing) <= radius.low <= float(crossing) + 0.02
    assert 0.5 <= gamma.low <= 0.52


def test_transitive_reduction() -> None:
    """Of a diamond a > b, c > d its four sides are left; of two that imply each other, one stands for both."""
    pairs = ["ab", "ac", "bd", "cd", "ad", "de", "ed", "ae", "be", "ce"]
    kept = reduced(Implied(one, other, (), EVERYTHING) for one, other in pairs)
    assert {(edge.id, edge.premise) for edge in kept} == {("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")}


def test_a_bound_of_ones_own_is_placed() -> None:
    """3.1 times the chain rule's penalty, by its own formula."""
    mine = claim("mine/three", statement=r"\eta(\tilde\pi) \ge L - \ldots")(
        lambda q: q.surrogate_gap + 6.2 * q.max_abs_advantage * q.polylog(-0.5, q.gamma) * q.max_kl
    )
    found = placed(mine, gammas=(0.99,), sharp=False)
    assert found.implied_by == "implied by chain-rule/kl"
    assert found.weaker[0]["id"] == "chain-rule/kl"
    assert found.weaker[0]["times"] == pytest.approx(3.1, rel=1e-12)
    assert "3.1 times chain-rule/kl at gamma 0.99: weaker" in found.text
    with pytest.raises(InvalidInput, match="reads more"):
        placed(bounds.get("span/tv"))


@pytest.mark.slow
def test_share_of_the_sharp_gap() -> None:
    """Of trpo/tv at γ = 1/2, α = 1/4 the sharp gap, in closed form, is (1 − γ)/(1 − γ(1 − α)) = 4/5."""
    (share,) = placed(bounds.get("trpo/tv"), gammas=(0.5,), radius=0.25).sharp
    assert share["lower"] <= 0.8 <= share["upper"]
    assert share["upper"] - share["lower"] < 0.01
