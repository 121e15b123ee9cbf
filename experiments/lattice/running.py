"""What is computed: the pairs of bounds, the share of the sharp gap in each bound, and verdicts on claims with known margins."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import pandas as pd

import trpo_theory as tt
from experiments.contract import Frames
from trpo_theory.bounds.record import Claim
from trpo_theory.proofs.lattice import lattice, reduced, sharp_share
from trpo_theory.proofs.methods import below_penalty, implied
from trpo_theory.proofs.penalties.reading import Penalty
from trpo_theory.proofs.proving import prove

NAME = "lattice"
METHODS = (implied.METHOD, below_penalty.METHOD)
"""Of proof: what follows from another bound, and what the sharp gap decides."""


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes:
        bounds: ids of bounds that are compared; all that are functions of γ, ε and divergences, if empty.
        gammas, radius: where the sharp gap is compared with each penalty.
        factors: a claim's constant over the one that is needed, by the field of its divergence.
        claim_gammas, claim_radius: where these claims are to be proved.
    """

    bounds: tuple[str, ...] = ()
    gammas: tuple[float, ...] = (0.5, 0.9)
    radius: float = 1e-3
    factors: tuple[float, ...] = (0.8, 0.97, 1.01, 1.1, 1.5, 3.0)
    claim_gammas: tuple[float, ...] = (0.5, 0.9)
    claim_radius: float = 1e-3


def quick(settings: Settings) -> Settings:
    """Six bounds, one discount, two factors."""
    few = ("trpo/tv", "coupling/tv", "trpo/kl", "pinsker/kl", "bh/kl", "chain-rule/kl")
    return replace(settings, bounds=few, gammas=(0.5,), factors=(0.8, 1.5), claim_gammas=(0.5,))


_NEEDED: dict[str, dict[float, float]] = {
    "max_tv": {},
    "max_kl": {0.5: 2 * 1.18517, 0.9: 2 * 21.051},
    "reverse_max_kl": {0.5: 2 * 1.18517, 0.9: 2 * 21.051},
    "max_chi2": {0.5: 1.18517, 0.9: 21.051},
}
"""The least constants in front of ε D as D goes to 0, by discount, to a part in a thousand: 2 h(0)/f''(1), h(0) between 1.184981
and 1.185335 at 1/2, 21.0430 and 21.0590 at 9/10 (docs/theory.md). Of TV the least penalty is known exactly."""


def total(settings: Settings) -> int:
    """One for the pairs, one a bound and discount, one a claim."""
    return 1 + len(settings.gammas) * len(_ids(settings)) + len(_claims(settings))


def _ids(settings: Settings) -> list[str]:
    ids = settings.bounds or tuple(tt.bounds.plain())
    return [id for id in ids if Penalty.of(tt.bounds.get(id)) is not None]


def run(settings: Settings, advance: Callable[[], None] = lambda: None) -> Frames:
    """The edges (and which of them the Hasse diagram has), the shares, the claims and how long each took."""
    edges = lattice(_ids(settings))
    kept = {(edge.id, edge.premise) for edge in reduced(edges)}
    advance()
    rows = [
        {
            "id": edge.id,
            "premise": edge.premise,
            "by": "; ".join(edge.by),
            "region": edge.region.text,
            "everywhere": edge.everywhere,
            "hasse": (edge.id, edge.premise) in kept,
        }
        for edge in edges
    ]
    shares = _shares(settings, advance)
    verdicts, timing = _verdicts(settings, advance)
    return {"": pd.DataFrame(rows), "shares": shares, "claims": verdicts, "claims-timing": timing}


def _shares(settings: Settings, advance: Callable[[], None]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for id in _ids(settings):
        penalty = Penalty.of(tt.bounds.get(id))
        assert penalty is not None
        for gamma in settings.gammas:
            share = sharp_share(penalty, gamma, settings.radius)
            ends = {"lower": None, "upper": None} if share is None else {key: share[key] for key in ("lower", "upper")}
            rows.append({"id": id, "gamma": gamma, "radius": settings.radius, **ends})
            advance()
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class _Case:
    """A claim whose constant is known to be too small or large enough."""

    field: str
    gamma: float
    factor: float
    claim: Claim


def _claims(settings: Settings) -> list[_Case]:
    """One a divergence, discount and factor, where the needed constant is known."""
    return [
        _Case(field, gamma, factor, _claim(field, gamma, factor, needed.get(gamma)))
        for field, needed in _NEEDED.items()
        for gamma in settings.claim_gammas
        for factor in settings.factors
    ]


def _claim(field: str, gamma: float, factor: float, needed: float | None) -> Claim:
    """η(new) ≥ L − factor · needed · ε D; of TV factor times coupling/tv."""
    exact = Fraction(str(factor))
    if needed is None:

        def slack(q: Any) -> Any:
            return q.surrogate_gap + exact * tt.bounds.get("coupling/tv").formula(q)

    else:
        constant = exact * Fraction(str(needed))

        def slack(q: Any) -> Any:
            return q.surrogate_gap + constant * q.max_abs_advantage * getattr(q, field)

    return tt.claim(f"lattice/{field}-{gamma}-{factor}", statement=r"\eta(\tilde\pi) \ge L - c\,\epsilon D")(slack)


def _verdicts(settings: Settings, advance: Callable[[], None]) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows, seconds = [], []
    for case in _claims(settings):
        start = time.perf_counter()
        at = (case.gamma, case.gamma)
        within = (settings.claim_radius, settings.claim_radius)
        found = prove(case.claim, gamma=at, radius=within, methods=METHODS)
        keys = {"divergence": case.field, "gamma": case.gamma, "factor": case.factor}
        how = "" if found.proof is None else found.proof.by
        rows.append({**keys, "verdict": str(found.verdict), "by": how})
        seconds.append({**keys, "seconds": time.perf_counter() - start})
        advance()
    return pd.DataFrame(rows), pd.DataFrame(seconds)


def passed(frames: Frames) -> bool:
    """Whether what is above the needed constant is proved and what is below it refuted, and no share is above 1."""
    claims, shares = frames["claims"], frames["shares"]
    right = claims["verdict"] == claims["factor"].map(lambda factor: "proved" if factor > 1 else "refuted")
    return bool(right.all() and (shares["lower"].dropna() <= 1).all())
