"""How far the law of small radii, G(gamma, D) <= 2 h(0) D/f''(1), is proved: from which radius on, and up to a factor below."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from time import perf_counter
from typing import Any

import pandas as pd

from experiments.contract import no_captions, no_figures
from experiments.parallel import rows_and_times
from trpo_theory._outward import Toward, float_toward
from trpo_theory.errors import NotSolved
from trpo_theory.report import Table
from trpo_theory.sharp.limit import sharp_limit
from trpo_theory.sharp.radius_interval import proved_on, supersolution_on

NAME = "small-radius"
TITLE = "The law of small radii at every radius"
LEAD = (
    "Of divergences with f(1 + z) >= f''(1)/2 z^2/(1 + theta z): from which radius on the sharp gap is proved to be at most "
    "2 h(0) D/f''(1), h(0) the constant of small radii, and by which factor at most it is above that at smaller ones."
)
_OF = {"2/3": "KL(old, new)", "1/2": "squared Hellinger, JS, Le Cam, Jeffreys", "1/3": "KL(new, old)"}
"""The divergences of each theta."""
_GRAIN, _START, _GROWTH = 10**5, 8, Fraction(5, 4)
"""Ends of intervals are multiples of 1/_GRAIN; the first is 1/_START of the whole, and each the longer by _GROWTH until one
fails, when it is halved. Chosen."""
_SHORTEST = Fraction(3, 10**4)
"""Of an interval of sigma: a shorter one costs more than it brings. Chosen."""


@dataclass(frozen=True)
class Row:
    """One discount and theta, decimals or quotients.

    Attributes:
        gamma, theta: of the row.
        width: of the proved ends of h(0).
        per_step: nodes in a step of the program, first and where that fails.
        least: sigma = sqrt(2D/f''(1)) down to which intervals are tried.
        below: their length below.
    """

    gamma: str
    theta: str
    width: float
    per_step: tuple[float, float]
    least: str
    below: str


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes:
        rows: the rows.
        jobs: workers.
    """

    rows: tuple[Row, ...] = field(
        default=tuple(Row("0.5", theta, 1e-4, (24.0, 64.0), "0.1", "1/100") for theta in ("2/3", "1/2"))
    )
    jobs: int = 2


def quick(settings: Settings) -> Settings:
    """One row, roughly."""
    return replace(settings, rows=(Row("0.5", "1/2", 2e-3, (8.0, 16.0), "0.3", "1/10"),), jobs=1)


def total(settings: Settings) -> int:
    """One advance() for each row."""
    return len(settings.rows)


def run(settings: Settings, advance: Callable[[], None] = lambda: None) -> dict[str, pd.DataFrame]:
    """The frames: "" has a row for each of the settings', "timing" the seconds."""
    return rows_and_times(_row, ((one,) for one in settings.rows), settings.jobs, advance)


def _row(one: Row) -> tuple[dict[str, Any], dict[str, Any]]:
    start = perf_counter()
    gamma, theta = Fraction(one.gamma), Fraction(one.theta)
    limit = sharp_limit(gamma, certify=True, width=one.width)
    h = Fraction(limit.lower)
    least, above = _down_from_the_largest(gamma, theta, h, one)
    edges = [least]
    while edges[-1] > 0:
        edges.append(max(edges[-1] - Fraction(one.below), Fraction(0)))
    ends = [_proved(gamma, theta, low, high, one.per_step[0]) for high, low in pairwise(edges)]
    row = {
        "divergences": _OF[one.theta],
        "gamma": float(gamma),
        "theta": float(theta),
        "h_lower": limit.lower,
        "from": float_toward(least**2 / 2, Toward.UP),
        "factor": float_toward(Fraction(max(ends) / h), Toward.UP),
        "intervals": above + len(ends),
    }
    return row, {"gamma": float(gamma), "theta": float(theta), "seconds": perf_counter() - start}


def _down_from_the_largest(gamma: Fraction, theta: Fraction, h: Fraction, one: Row) -> tuple[Fraction, int]:
    """The sigma from which on G <= h sigma^2 is proved, and in how many intervals.

    Beyond the first, h sigma^2 >= 2 gamma/(1 - gamma) is above every gap.
    """
    high = Fraction(math.ceil(1 + _GRAIN * math.sqrt(2 * gamma / (1 - gamma) / h)), _GRAIN)
    assert h * high**2 >= 2 * gamma / (1 - gamma)
    step, count = high / _START, 0
    while high > Fraction(one.least) and step >= _SHORTEST:
        low = Fraction(math.floor((high - step) * _GRAIN), _GRAIN)
        if low > 0 and any(_proved(gamma, theta, low, high, fine) <= h for fine in one.per_step):
            high, step, count = low, step * _GROWTH, count + 1
        else:
            step /= 2
    return high, count


def _proved(gamma: Fraction, theta: Fraction, low: Fraction, high: Fraction, per_step: float) -> Fraction | float:
    """K f''(1)/2, where G <= K D is proved for sigma in [low, high]; infinite where nothing is."""
    try:
        return proved_on(supersolution_on(gamma, theta, low, high, per_step))
    except NotSolved:
        return math.inf


def tables(frames: dict[str, pd.DataFrame]) -> dict[str, Table]:
    """One row a discount and theta."""
    columns = ["divergences", "gamma", "theta", "h_lower", "from", "factor", "intervals"]
    return {
        NAME: Table(
            pd.DataFrame(frames[""][columns]),
            caption=r"How far $G(\gamma,D)\le2h(0)D/\varphi$, $\varphi=f''(1)$, is proved: for $D\ge\varphi r$, and up to the "
            r"factor below that, by so many supersolutions, each for an interval of radii.",
            label=f"tab:{NAME}",
            headings={
                "gamma": (r"$\gamma$", "gamma"),
                "theta": (r"$\theta$", "theta"),
                "h_lower": (r"$h(0)\ge$", "h(0), at least"),
                "from": ("$r$", "r"),
            },
            digits={"gamma": 3, "theta": 3, "h_lower": 6, "from": 3, "factor": 5},
            outward={"h_lower": Toward.DOWN, "from": Toward.UP, "factor": Toward.UP},
        )
    }


figures = no_figures


captions = no_captions


def summary(frames: dict[str, pd.DataFrame]) -> str:
    """The largest factor and first radius."""
    rows = frames[""]
    return (
        f"G <= 2 h(0) D/f''(1) proved from D = {rows['from'].max():.2g} f''(1) on, and up to a factor {rows['factor'].max():.4f} "
        f"below, in {len(rows)} settings."
    )


def passed(frames: dict[str, pd.DataFrame]) -> bool:
    """Whether every row has a finite factor."""
    return bool((frames[""]["factor"] < math.inf).all())
