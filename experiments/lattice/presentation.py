"""The tables and the Hasse diagram, from the frames alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from experiments.lattice.running import NAME
from trpo_theory._outward import Toward
from trpo_theory.report import Table
from trpo_theory.report.hasse import hasse_diagram

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "The lattice of bounds"
LEAD = (
    "Which bound follows from which other one, each pair proved by comparing penalties in exact arithmetic for all discounts "
    "and radii; and how much of each penalty the sharp gap is, the least penalty that any theorem of its form can have."
)

_LINE = (
    "A line leads from a bound down to one that implies it, for every discount and radius. "
    "Below a name: how much of its penalty the sharp gap is at gamma 0.9."
)


def tables(frames: dict[str, Any]) -> dict[str, Table]:
    """What follows from what; how tight each bound is; claims with known margins."""
    return {NAME: _implications(frames), f"{NAME}-shares": _shares(frames), f"{NAME}-claims": _claims(frames)}


def _implications(frames: dict[str, Any]) -> Table:
    edges = frames[""]
    shown = edges[edges["hasse"] | ~edges["everywhere"]][["id", "premise", "by", "region"]].reset_index(drop=True)
    return Table(
        shown,
        caption="Bounds that follow from another one: for every discount and radius, those of which no two make a third, and "
        "those that follow in a region only.",
        label=f"tab:{NAME}",
        headings={"id": ("bound", "bound"), "premise": ("follows from", "follows from"), "by": ("with", "with")},
    )


def _shares(frames: dict[str, Any]) -> Table:
    shares = frames["shares"].dropna(subset=["lower"])
    gammas = sorted(shares["gamma"].unique())
    wide: dict[str, Any] = {"id": list(dict.fromkeys(shares["id"]))}
    outward: dict[str, Toward] = {}
    for gamma in gammas:
        rows = shares[shares["gamma"] == gamma].set_index("id")
        for end, toward in (("lower", Toward.DOWN), ("upper", Toward.UP)):
            name = f"{gamma:g} {end}"
            wide[name] = [rows[end].get(id) for id in wide["id"]]
            outward[name] = toward
    radius = float(shares["radius"].iloc[0]) if len(shares) else 0.0
    return Table(
        pd.DataFrame(wide),
        caption=f"The sharp gap over each penalty at a radius of {radius:g}, proved on both sides: 1 is a bound that cannot be "
        "improved there.",
        label=f"tab:{NAME}-shares",
        headings={"id": ("bound", "bound")},
        digits=dict.fromkeys(outward, 4),
        outward=outward,
    )


def _claims(frames: dict[str, Any]) -> Table:
    keys = ["divergence", "gamma", "factor"]
    shown = frames["claims"].merge(frames["claims-timing"], on=keys)
    return Table(
        shown[[*keys, "verdict", "by", "seconds"]],
        caption="Claims whose constant is so many times the one that is needed, at one discount and radius: what is above 1 "
        "is proved, what is below refuted. Seconds on one core.",
        label=f"tab:{NAME}-claims",
        digits={"seconds": 2},
    )


def figures(frames: dict[str, Any]) -> dict[str, Callable[[], Figure]]:
    """The Hasse diagram."""
    return {f"{NAME}-hasse": lambda: hasse_diagram(_pairs(frames), labels=_labels(frames), caption=_LINE)}


def _pairs(frames: dict[str, Any]) -> list[tuple[str, str]]:
    edges = frames[""]
    kept = edges[edges["hasse"]]
    return list(zip(kept["id"], kept["premise"], strict=True))


def _labels(frames: dict[str, Any]) -> dict[str, str]:
    """Under each bound, the sharp gap's share of it at the largest discount below .95."""
    shares = frames["shares"].dropna(subset=["lower"])
    gammas = [gamma for gamma in shares["gamma"].unique() if gamma < 0.95]
    if not gammas:
        return {}
    rows = shares[shares["gamma"] == max(gammas)]
    return {row["id"]: f"{(row['lower'] + row['upper']) / 2:.2f}" for _, row in rows.iterrows()}


def captions() -> dict[str, str]:
    """Two sentences."""
    return {
        f"{NAME}-hasse": "The lattice of bounds that are functions of the discount, the advantage and divergences: a bound "
        "follows from each one that a line leads down to, for every discount and radius. Under a bound, what share of its "
        "penalty the sharp gap is at gamma 0.9, where that is known.",
    }


def summary(frames: dict[str, Any]) -> str:
    """How many pairs, and how many claims came out as known."""
    edges, claims = frames[""], frames["claims"]
    counts = claims["verdict"].value_counts()
    return (
        f"{int(edges['everywhere'].sum())} implications between bounds hold for every discount and radius, "
        f"{int((~edges['everywhere']).sum())} in a region; of {len(claims)} claims with known margins "
        f"{int(counts.get('proved', 0))} are proved and {int(counts.get('refuted', 0))} refuted."
    )
