"""How far published bounds are from the truth: the sharp gap over T steps, and at discounts, proved from both sides."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import trpo_theory as tt
from experiments.contract import Frames
from experiments.parallel import in_parallel
from trpo_theory._outward import Toward, float_toward
from trpo_theory.model.decimals import as_written
from trpo_theory.numerics.ball.balls import Balls
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.numerics.ball.raw import precision
from trpo_theory.report import Table, style
from trpo_theory.step.partial import KnownQuantities

NAME = "horizons"
TITLE = "Sharp gaps over a horizon, and how far published bounds are from them"
LEAD = (
    "The worst gap over all MDPs that end after T steps, without a discount, and at discounts without an end, between two "
    "proved numbers; beside them what published bounds subtract."
)
OVER_STEPS = {
    "horizon/tv": "TV, T(T − 1)",
    "horizon/pinsker": "Pinsker, T(T − 1)",
    "horizon/coupling": "coupling",
    "horizon/chain-rule": "chain rule",
}
"""Bounds over T steps, and their names in the figure."""
OVER_DISCOUNTS = {
    "trpo/kl": "TRPO, Theorem 1",
    "pinsker/kl": "TRPO with Pinsker",
    "coupling/tv": "coupling",
    "chain-rule/kl": "chain rule",
}
"""Likewise, at a discount."""
_KEYS = ["divergence", "radius", "horizon", "gamma"]


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes:
        horizons, radii: of max-KL and max-TV, each pair, without a discount.
        short: horizons of reverse-max-χ², whose program is slower.
        gammas, radius: of max-KL without a horizon.
        width: the two ends are aimed to be at most so far apart.
        long, long_width: from so many steps on, and so far.
        certify: prove both ends.
        jobs: workers.
    """

    horizons: tuple[int, ...] = (2, 3, 5, 10, 20, 100)
    radii: tuple[float, ...] = (0.001, 0.01, 0.1)
    short: tuple[int, ...] = (2, 3, 5, 10)
    gammas: tuple[float, ...] = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)
    radius: float = 0.01
    width: float = 1e-3
    long: int = 50
    long_width: float = 2e-2
    certify: bool = True
    jobs: int = 2


def quick(settings: Settings) -> Settings:
    """Three horizons, one radius and two discounts, in floats."""
    short = (2, 3, 5)
    return replace(
        settings, horizons=short, radii=(0.01,), short=(), gammas=(0.5, 0.9), width=0.01, certify=False, jobs=1
    )


class _Gap(NamedTuple):
    """One that is computed, for a frame."""

    frame: str
    divergence: str
    gamma: float
    radius: float
    horizon: int
    width: float
    certify: bool


def _gaps(settings: Settings) -> list[_Gap]:
    gaps = []
    steps = {"max-kl": settings.horizons, "max-tv": settings.horizons, "reverse-max-chi2": settings.short}
    for divergence, horizons in steps.items():
        for radius in settings.radii:
            for horizon in horizons:
                width = settings.width if horizon < settings.long else settings.long_width
                gaps.append(_Gap("", divergence, 1.0, radius, horizon, width, settings.certify))
    for gamma in settings.gammas:
        gaps.append(_Gap("discounts", "max-kl", gamma, settings.radius, 0, settings.width, settings.certify))
    return gaps


def total(settings: Settings) -> int:
    """One advance() for each gap."""
    return len(_gaps(settings))


def run(settings: Settings, advance: Callable[[], None] = lambda: None) -> Frames:
    """The frames: "" a row a divergence, radius and horizon, "discounts" a discount; "timing" the seconds of both."""
    frames: dict[str, list[dict[str, Any]]] = {}
    gaps = _gaps(settings)
    found = in_parallel(_timed, ((gap,) for gap in gaps), settings.jobs)
    for gap, (row, seconds) in zip(gaps, found, strict=True):
        advance()
        frames.setdefault(gap.frame, []).append(row)
        frames.setdefault("timing", []).append({name: row[name] for name in _KEYS} | {"seconds": seconds})
    return {name: pd.DataFrame(rows) for name, rows in frames.items()}


def _timed(gap: _Gap) -> tuple[dict[str, Any], float]:
    begin = time.process_time()
    row = _row(gap)
    return row, time.process_time() - begin


def _row(wanted: _Gap) -> dict[str, Any]:
    gap = tt.sharp_gap(
        *(wanted.divergence, wanted.gamma, wanted.radius),
        certify=wanted.certify,
        width=wanted.width,
        horizon=wanted.horizon or None,
    )
    row = {name: getattr(wanted, name) for name in _KEYS}
    row |= {"lower": gap.lower, "upper": gap.upper}
    row["apart"] = float_toward(Fraction(gap.upper) / Fraction(gap.lower) - 1, Toward.UP)
    row |= {"states": gap.witness.mdp.states, "proved": gap.certified}
    for id in OVER_STEPS if wanted.horizon else OVER_DISCOUNTS:
        row |= _beside(gap, id, wanted)
    return row


def _beside(gap: tt.SharpGap, id: str, wanted: _Gap) -> dict[str, float]:
    """lower/penalty and penalty/upper at ε = 1, both rounded down; NaN where the bound does not read the divergence."""
    names = id, f"{id} excess"
    with precision(128):  # chosen: more than twice a float's bits
        radius = Ball(as_written(wanted.radius))
        known: dict[str, Any] = {"gamma": Ball(as_written(wanted.gamma)), "max_abs_advantage": Ball(Fraction(1))}
        if wanted.divergence == "max-kl":
            known |= {"max_kl": radius, "max_tv": (radius / 2).sqrt()}  # by Pinsker's inequality
        elif wanted.divergence == "max-tv":
            known["max_tv"] = radius
        if wanted.horizon:
            known["horizon"] = wanted.horizon
        try:
            penalty = Ball(tt.bounds.get(id).penalty(KnownQuantities(Balls(), **known)))
        except tt.errors.NotKnown:
            return dict.fromkeys(names, np.nan)
        quotients = Fraction(gap.lower) / penalty.upper, penalty.lower / Fraction(gap.upper)
    return dict(zip(names, (float_toward(one, Toward.DOWN) for one in quotients), strict=True))


_OUTWARD = {"lower": Toward.DOWN, "upper": Toward.UP, "apart": Toward.UP}
_DIGITS = {"radius": 1, "lower": 5, "upper": 5, "apart": 2, "seconds": 2}
_HEADINGS = {"gamma": (r"$\gamma$", "gamma"), "radius": (r"$D$", "radius"), "horizon": (r"$T$", "T")}


def tables(frames: Frames) -> dict[str, Table]:
    """One for horizons and one for discounts."""
    steps, discounts = (_table(frames, name) for name in ("", "discounts"))
    caption = (
        r"The worst $(L - \eta(\tilde\pi))/\epsilon$ over all MDPs that end after $T$ steps, $\gamma = 1$, with the divergence "
        r"at most $D$ in every state and step, between two bounds; and of each bound's penalty the share that the witness uses. "
        r"Bounds in total variation are read at $\sqrt{D/2}$ for max-KL (Pinsker): that of $T(T-1)$ is then the next "
        "column. Seconds of one core."
    )
    columns = [*_KEYS[:3], "lower", "upper", "apart", "states", "seconds"]
    keep = {"horizon/tv": ["max-tv"]}
    for id, divergences in keep.items():
        steps.loc[~steps["divergence"].isin(divergences), id] = np.nan
    return {
        NAME: _shown(steps, columns, list(OVER_STEPS), caption, f"tab:{NAME}"),
        f"{NAME}-discounts": _shown(
            discounts,
            ["gamma", "radius", *columns[3:]],
            list(OVER_DISCOUNTS),
            "The same of max-KL at discounts, without a horizon.",
            f"tab:{NAME}-discounts",
        ),
    }


def _table(frames: Frames, name: str) -> pd.DataFrame:
    return frames[name].merge(frames["timing"], on=_KEYS)


def _shown(rows: pd.DataFrame, columns: list[str], bounds: list[str], caption: str, label: str) -> Table:
    shown: Any = rows[columns + bounds].astype(dict.fromkeys(bounds, object))
    shown = shown.where(shown.notna(), "")
    return Table(
        shown,
        caption=caption,
        label=label,
        headings={name: heading for name, heading in _HEADINGS.items() if name in columns},
        digits=_DIGITS | dict.fromkeys(bounds, 3),
        outward=_OUTWARD | dict.fromkeys(bounds, Toward.DOWN),
    )


def figures(frames: Frames) -> dict[str, Callable[[], Any]]:
    """Penalty over sharp gap, against T and against the discount."""
    return {f"{NAME}-excess": lambda: _excess(frames)}


def _excess(frames: Frames) -> Any:
    radius = frames["discounts"]["radius"].iloc[0]
    kl = frames[""]["divergence"] == "max-kl"
    steps: Any = frames[""][kl & (frames[""]["radius"] == radius)]
    steps = steps.sort_values("horizon")
    discounts = frames["discounts"].sort_values("gamma")
    with style.styled():
        figure = style.new_figure("page", ratio=0.4)
        left, right = figure.subplots(1, 2, sharey=True)
        names = {id: words for id, words in OVER_STEPS.items() if id != "horizon/tv"}  # at √(D/2) it is Pinsker's
        _panel(left, steps["horizon"], steps, names, looks=(1, 2, 3))
        _panel(right, 1 / (1 - discounts["gamma"]), discounts, OVER_DISCOUNTS, looks=(0, 1, 2, 3))
        left.set_ylim(0.5, 700)  # chosen: all points, and room for the legends above them
        left.set(xlabel="steps T, no discount", ylabel="bound / sharp gap", title=f"(a) horizon T, max-KL ≤ {radius:g}")
        right.set(xlabel="1/(1 − γ)", title=f"(b) discount γ, max-KL ≤ {radius:g}")
    return figure


_BELOW: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "va": "top", "fontsize": 7}


def _panel(axes: Any, x: Any, rows: pd.DataFrame, names: dict[str, str], looks: tuple[int, ...]) -> None:
    for (id, words), k in zip(names.items(), looks, strict=True):
        look: dict[str, Any] = {"color": style.COLOURS[k], "ls": style.DASHES[k], "marker": style.MARKERS[k]}
        axes.plot(x, rows[f"{id} excess"], **look, mec="white", mew=0.4, label=words, zorder=3)
    axes.axhline(1, color=style.BLACK, lw=1.0, zorder=2)
    axes.annotate("the truth", (0.99, 1), xycoords=("axes fraction", "data"), xytext=(0, -3), **_BELOW)
    axes.set(xscale="log", yscale="log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_formatter(lambda value, _: "")
    axes.grid(visible=True, axis="y")
    axes.legend(loc="upper left")


def captions() -> dict[str, str]:
    """What the figure shows."""
    return {
        f"{NAME}-excess": "How many times larger than the proved sharp gap the penalties of published bounds are, at one "
        "max-KL, for T steps without a discount and for discounts without an end. 1 is a bound that cannot be improved.",
    }


def summary(frames: Frames) -> str:
    """How many, how far apart, and the chain rule's largest excess."""
    rows = pd.concat([frames[""], frames["discounts"]])
    kind = "proved" if bool(rows["proved"].all()) else "in floats"
    kl = frames[""][frames[""]["divergence"] == "max-kl"]
    most = kl.loc[kl["horizon"].idxmax()]
    return (
        f"{len(rows)} sharp gaps, {kind}, at most {100 * rows['apart'].max():.2f} % apart: over {most['horizon']} steps at "
        f"max-KL {most['radius']:g} the T(T - 1) bound is {most['horizon/pinsker excess']:.1f} times the gap, the chain rule's "
        f"{most['horizon/chain-rule excess']:.2f}."
    )


def passed(frames: Frames) -> bool:
    """Whether no lower end exceeds an upper one, and no penalty is exceeded."""
    for name, ids in (("", OVER_STEPS), ("discounts", OVER_DISCOUNTS)):
        rows = frames[name]
        shares = rows[list(ids)].to_numpy(float)
        ordered = bool((rows["lower"] <= rows["upper"]).to_numpy().all())
        if not (ordered and bool((np.isnan(shares) | (shares <= 1 + 1e-9)).all())):
            return False
    return True
