"""Sharp gaps of every divergence at one discount and radius, proved from both sides, over the least published penalty."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

import trpo_theory as tt
from experiments.contract import Frames, no_captions, no_figures
from experiments.parallel import rows_and_times
from trpo_theory._outward import Toward, float_toward
from trpo_theory.errors import InvalidInput
from trpo_theory.report import Table
from trpo_theory.sharp.divergences import DIVERGENCES
from trpo_theory.sharp.normaliser import Normaliser

NAME = "sharp-divergences"
TITLE = "Sharp gaps of every divergence"
LEAD = (
    "The worst gap over all finite MDPs at a discount, with each divergence at one radius: of most divergences no bound that "
    "reads it alone was published, and the upper number is one."
)
_KEYS = ["divergence", "normaliser", "gamma", "radius"]


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes:
        divergences: by name, as on the command line.
        normalisers: by max|A|, by max_s |E A|, and by max_s sd(A) where that is finite.
        points: (discount, radius).
        width, mean_width: how far apart the two ends are at most, of a largest divergence and of a mean.
        certify: prove both.
        jobs: workers.
    """

    divergences: tuple[str, ...] = tuple(DIVERGENCES)
    normalisers: tuple[str, ...] = tuple(one.value for one in Normaliser)
    points: tuple[tuple[float, float], ...] = ((0.9, 0.01),)
    width: float = 5e-3
    mean_width: float = 2e-2
    certify: bool = True
    jobs: int = 2


def quick(settings: Settings) -> Settings:
    """Two divergences in floats, the ends far apart."""
    some = "max-chi2", "max-kl"
    return replace(
        settings,
        divergences=some,
        normalisers=("max", "expected"),
        points=settings.points[:1],
        width=0.03,
        certify=False,
        jobs=1,
    )


def total(settings: Settings) -> int:
    """One advance() for each gap."""
    return len(_gaps(settings))


def _gaps(settings: Settings) -> list[tuple[str, str, float, float]]:
    pairs = list(itertools.product(settings.divergences, settings.normalisers))
    return [(*pair, *point) for point in settings.points for pair in pairs if _is_finite(*pair)]


def _is_finite(divergence: str, normaliser: str) -> bool:
    """Whether the worst case over this normaliser is finite: by the standard deviation it is for two divergences."""
    reduced = DIVERGENCES[divergence]
    try:
        Normaliser(normaliser).check(reduced.divergence, mean=reduced.reduction.mean)
    except InvalidInput:
        return False
    return True


def run(settings: Settings, advance: Callable[[], None] = lambda: None) -> Frames:
    """The frames: "" has a row a divergence, normaliser and radius, "timing" the seconds."""
    return rows_and_times(_timed, ((settings, *gap) for gap in _gaps(settings)), settings.jobs, advance)


def _timed(
    settings: Settings, divergence: str, normaliser: str, gamma: float, radius: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    begin = time.process_time()
    width = settings.mean_width if DIVERGENCES[divergence].reduction.mean else settings.width
    gap = tt.sharp_gap(divergence, gamma, radius, normaliser=normaliser, width=width, certify=settings.certify)
    row = {
        "divergence": divergence,
        "normaliser": normaliser,
        "gamma": gamma,
        "radius": radius,
        "lower": gap.lower,
        "upper": gap.upper,
        "apart": float_toward(Fraction(gap.upper) / Fraction(gap.lower) - 1, Toward.UP),
        "states": gap.witness.mdp.states,
        "proved": gap.certified,
    }
    times = {name: row[name] for name in _KEYS} | {"seconds": time.process_time() - begin}
    return row | _least_published(gap), times


def _least_published(gap: tt.SharpGap) -> dict[str, Any]:
    """The least penalty that was published, of those that read this divergence alone, and the share of it that is used."""
    rows = [row for row in gap.bounds if tt.bounds.get(row["id"]).provenance != "D"]
    least = min(rows, key=lambda row: row["penalty"], default=None)
    return {"bound": "", "share": np.nan} if least is None else {"bound": least["id"], "share": least["ratio"]}


def tables(frames: Frames) -> dict[str, Table]:
    """One row a gap."""
    gaps = frames[""].merge(frames["timing"], on=_KEYS)
    shown = pd.DataFrame(gaps[[*_KEYS, "lower", "upper", "apart", "states", "seconds", "bound", "share"]])
    texts: Any = shown.fillna({"bound": ""}).astype({"share": object})
    texts.loc[shown["share"].isna(), "share"] = ""
    return {
        NAME: Table(
            texts,
            caption=r"The sharp gap of every divergence, between two bounds, over $\max\vert A\vert$, "
            r"$\max_s\vert\mathbb E A\vert$ or $\max_s\mathrm{sd}(A)$; the least published penalty that reads this divergence "
            "alone, and the share of it that the witness uses. Seconds of one core.",
            label=f"tab:{NAME}",
            headings={
                "gamma": (r"$\gamma$", "gamma"),
                "radius": (r"$D$", "radius"),
                "bound": ("published", "published"),
            },
            digits={"radius": 1, "lower": 5, "upper": 5, "apart": 2, "seconds": 2, "share": 3},
            outward={"lower": Toward.DOWN, "upper": Toward.UP, "apart": Toward.UP, "share": Toward.DOWN},
        )
    }


figures = no_figures


captions = no_captions


def summary(frames: Frames) -> str:
    """How many, and how far apart the ends are."""
    gaps = frames[""]
    kind = "proved" if bool(gaps["proved"].all()) else "in floats"
    return (
        f"{len(gaps)} sharp gaps of {gaps['divergence'].nunique()} divergences, {kind}: "
        f"at most {100 * gaps['apart'].max():.2f} % apart."
    )


def passed(frames: Frames) -> bool:
    """Whether no lower end exceeds an upper one, and no published penalty is exceeded."""
    gaps = frames[""]
    return bool((gaps["lower"] <= gaps["upper"]).all() and (gaps["share"].dropna() <= 1 + 1e-9).all())
