"""What is computed: sharp gaps between two proved ends, and the share of each bound's penalty that they are."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import trpo_theory as tt
from experiments.parallel import in_parallel
from trpo_theory._outward import Toward, float_toward
from trpo_theory.model.decimals import as_written
from trpo_theory.numerics.ball.balls import Balls
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.numerics.ball.raw import precision
from trpo_theory.step.partial import KnownQuantities

NAME = "sharp-gaps"
BOUNDS = ("trpo/kl", "pinsker/kl", "bh/kl", "chain-rule/kl")


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes:
        gammas, radii, width: max-KL at each pair, the two ends at most so far apart. The least radius stands for the limit 0.
        means, mean_width: (discount, radius) of mean-KL's linear constant, radii small enough to show the limit's.
        grid_gammas, grid_radii, grid_width: a grid in floats, for the figures and the order of the two bounds.
        certify: prove both bounds, but for the grid's.
        jobs: workers.
    """

    gammas: tuple[float, ...] = (0.5, 0.9, 0.99, 0.999)
    radii: tuple[float, ...] = (1e-6, 1e-4, 1e-2, 1e-1, 1.0)
    width: float = 1e-3
    means: tuple[tuple[float, float], ...] = (
        (0.05, 1e-4),
        (0.1, 1e-4),
        (0.15, 1e-5),
        (0.2, 1e-3),
        (0.5, 1e-3),
        (0.8, 1e-2),
        (0.9, 1e-2),
    )
    mean_width: float = 5e-3
    grid_gammas: tuple[float, ...] = (
        *(0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7),
        *(0.75, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.97, 0.98, 0.99),
    )
    grid_radii: tuple[float, ...] = (1e-6, 1e-2, 1.0)
    grid_width: float = 1e-2
    certify: bool = True
    jobs: int = 2


def quick(settings: Settings) -> Settings:
    """Two discounts, two radii, the ends far apart, in floats."""
    return replace(
        settings,
        gammas=(0.5, 0.9),
        radii=(0.1, 1.0),
        width=0.03,
        means=(),
        grid_gammas=(),
        certify=False,
        jobs=1,
    )


class _Gap(NamedTuple):
    """One that is computed, for a frame."""

    frame: str
    divergence: str
    gamma: float
    radius: float
    width: float
    certify: bool


def total(settings: Settings) -> int:
    """One advance() for each gap."""
    return len(_gaps(settings))


def run(settings: Settings, advance: Callable[[], None] = lambda: None) -> dict[str, pd.DataFrame]:
    """The frames: "" and "grid" a row a discount and radius, "mean" a discount; "timing" the seconds of ""."""
    frames: dict[str, list[dict[str, Any]]] = {}
    gaps = _gaps(settings)
    found = in_parallel(_timed, ((gap,) for gap in gaps), settings.jobs)
    for gap, (row, seconds) in zip(gaps, found, strict=True):
        advance()
        frames.setdefault(gap.frame, []).append(row)
        if not gap.frame:
            times = {"gamma": gap.gamma, "radius": gap.radius, "seconds": seconds}
            frames.setdefault("timing", []).append(times)
    return {name: pd.DataFrame(rows) for name, rows in frames.items()}


def _gaps(settings: Settings) -> list[_Gap]:
    gaps = [
        _Gap("", "max-kl", gamma, radius, settings.width, settings.certify)
        for gamma, radius in itertools.product(settings.gammas, settings.radii)
    ]
    gaps += [_Gap("mean", "mean-kl", *pair, settings.mean_width, settings.certify) for pair in settings.means]
    for gamma, radius in itertools.product(settings.grid_gammas, settings.grid_radii):
        gaps.append(_Gap("grid", "max-kl", gamma, radius, settings.grid_width, False))
    return gaps


def _timed(gap: _Gap) -> tuple[dict[str, Any], float]:
    begin = time.perf_counter()
    row = _row(gap)
    return row, time.perf_counter() - begin


def _row(wanted: _Gap) -> dict[str, Any]:
    frame, divergence, gamma, radius, width, certify = wanted
    gap = tt.sharp_gap(divergence, gamma, radius, certify=certify, width=width)
    row = {"gamma": gamma, "radius": radius}
    if frame == "mean":
        discount = as_written(gamma)
        unit = discount / (1 - discount) ** 2 * as_written(radius)
        return row | _ends(gap) | _quotients(gap, ("least", "most"), (unit, unit))
    shares = {row["id"]: row["ratio"] for row in gap.bounds if row["id"] in BOUNDS}
    return row | _ends(gap) | shares | _quotients(gap, ("least", "most"), _chain_rule(gap))


def _quotients(gap: tt.SharpGap, names: tuple[str, str], unit: tuple[Fraction, Fraction]) -> dict[str, float]:
    """The two ends over a number that lies between two rationals, rounded outward."""
    ends = Fraction(gap.lower) / unit[1], Fraction(gap.upper) / unit[0]
    return {name: float_toward(end, how) for name, end, how in zip(names, ends, (Toward.DOWN, Toward.UP), strict=True)}


def _chain_rule(gap: tt.SharpGap) -> tuple[Fraction, Fraction]:
    """What the penalty of chain-rule/kl lies between, at ε = 1."""
    with precision(128):  # chosen: more than twice a float's bits
        discount, radius = Ball(as_written(gap.gamma)), Ball(as_written(gap.radius))
        known = KnownQuantities(Balls(), gamma=discount, max_kl=radius, max_abs_advantage=1)
        penalty = Ball(tt.bounds.get("chain-rule/kl").penalty(known))
    return penalty.lower, penalty.upper


def _ends(gap: tt.SharpGap) -> dict[str, Any]:
    return {
        "lower": gap.lower,
        "upper": gap.upper,
        "apart": float_toward(Fraction(gap.upper) / Fraction(gap.lower) - 1, Toward.UP),
        "states": gap.witness.mdp.states,
        "proved": gap.certified,
    }


def passed(frames: dict[str, pd.DataFrame]) -> bool:
    """Whether no lower bound exceeds an upper one, and no true bound is exceeded."""
    ordered = all((frame["lower"] <= frame["upper"]).all() for frame in frames.values() if "lower" in frame)
    return (
        ordered
        and bool((frames[""][list(BOUNDS)] <= 1 + 1e-9).to_numpy().all())
        and bool(np.isfinite(frames[""]["upper"]).all())
    )
