"""Tables and figures of the comparison with peers and of the growth with size, from the frames alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.benchmarks.foundation import SCREENED
from experiments.benchmarks.peers import NOT_INSTALLED
from experiments.scaling.running import NAME
from trpo_theory.report import Table
from trpo_theory.report.names import named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Scaling and speed"
LEAD = (
    "Seconds of this toolkit and of its peers for the same task in one run, after their numbers were compared; and how "
    "evaluation, updates and the check of bounds grow. Times are of one machine: read the ratios."
)


def tables(frames: dict[str, Any]) -> dict[str, Table]:
    """Against peers; bounds a second; evaluation and updates over sizes."""
    return {
        f"{NAME}-peers": _peers(frames),
        f"{NAME}-kernel": _kernel_table(frames["kernel-timing"]),
        f"{NAME}-screen": _screen(frames["screen-timing"]),
        f"{NAME}-sparse": _sparse(frames),
        f"{NAME}-update": _update(frames),
    }


def _peers(frames: dict[str, Any]) -> Table:
    shown = frames["peers-timing"].drop(columns="status").copy()
    shown["ratio"] = shown["theirs"] / shown["ours"]
    shown["difference"] = frames[""]["difference"]
    left_out = ~frames[""]["status"].eq("run")
    shown = shown[~left_out].reset_index(drop=True)
    words = (
        "The same task by this toolkit and by its peers: seconds of both (the peers' objects made beforehand), their ratio "
        "(above 1: faster than the peer), and the largest difference of the numbers, relative to the largest of them. Bold: "
        "the least ratio." + "".join(f" {peer} is not installed, and left out." for peer in _missing(frames[""]))
    )
    return Table(
        shown,
        caption=words,
        label=f"tab:{NAME}-peers",
        headings={
            "what": ("task", "task"),
            "ours": ("ours [s]", "ours [s]"),
            "theirs": ("peer [s]", "peer [s]"),
            "difference": ("rel. difference", "rel. difference"),
        },
        digits={"ours": 2, "theirs": 2, "ratio": 2, "difference": 1},
        scientific=("ours", "theirs", "difference"),
        mark=((int(shown["ratio"].argmin()), "ratio"),) if len(shown) else (),
    )


def _missing(frame: Any) -> list[str]:
    return list(dict.fromkeys(frame.loc[frame["status"] == NOT_INSTALLED, "peer"]))


def _kernel_table(frame: Any) -> Table:
    instances = int(frame["instances"].iloc[0])
    own = ~frame["part"].str.startswith("floor")
    drawn = frame["part"].eq("random generation")
    whole, screen = (float(frame.loc[which, "cpu_seconds"].sum()) for which in (own, own & ~drawn))
    words = (
        f"Where the time of a float screen goes: {instances} instances of S = 5, A = 3 against {len(SCREENED)} bounds on one "
        f"core, {instances / screen:.2g} instances a second from arrays to slacks, {instances / whole:.2g} with their random "
        "generation. The floor is what any kernel pays: drawing the numbers, and reading and writing them once."
    )
    return Table(
        pd.DataFrame(
            {"part": frame["part"], "cpu_seconds": frame["cpu_seconds"], "share": frame["cpu_seconds"] / whole * 100}
        ),
        caption=words,
        label=f"tab:{NAME}-kernel",
        headings={"cpu_seconds": ("CPU time [s]", "CPU time [s]"), "share": (r"share [\%]", "share, %")},
        digits={"cpu_seconds": 2, "share": 2},
        scientific=("cpu_seconds",),
    )


def _screen(frame: Any) -> Table:
    bounds = int(frame["bounds"].iloc[0])
    words = f"Bounds checked a second of one core: {bounds} bounds on batches of random instances (S = 5, A = 3)."
    return Table(
        frame.drop(columns="bounds"),
        caption=words,
        label=f"tab:{NAME}-screen",
        headings={
            "cpu_seconds": ("CPU time [s]", "CPU time [s]"),
            "checks_per_second": ("checks a second", "checks a second"),
        },
        digits={"cpu_seconds": 2, "checks_per_second": 2},
        scientific=("cpu_seconds", "checks_per_second"),
    )


def _sparse(frames: dict[str, Any]) -> Table:
    shown = frames["sparse-timing"].merge(frames["sparse"], on="states")
    words = (
        "A random policy evaluated on sparse Garnet MDPs (A = 4, 5 successors): seconds for the value and then for the "
        "visitation, and the Bellman residual relative to the largest value. Bold: the largest residual."
    )
    return Table(
        shown,
        caption=words,
        label=f"tab:{NAME}-sparse",
        headings={
            "value": ("$V$ [s]", "V [s]"),
            "visitation": (r"$\rho$ [s]", "rho [s]"),
            "residual": ("residual", "residual"),
        },
        digits={"value": 2, "visitation": 2, "residual": 1},
        scientific=("value", "visitation", "residual"),
        mark=((int(shown["residual"].argmax()), "residual"),),
    )


def _update(frames: dict[str, Any]) -> Table:
    frame = frames["update-timing"].merge(frames["update"], on=["states", "problem", "solver"])
    keys = ["states", "problem"]
    dual, conic = (frame[frame["solver"] == name] for name in ("dual", "clarabel"))
    shown = dual.merge(conic, on=keys, how="left", suffixes=("_dual", "_conic"))
    shown["ratio"] = shown["seconds_conic"] / shown["seconds_dual"]
    shown["relative_gap_dual"] = shown["relative_gap_dual"].abs()
    names = ["seconds_dual", "relative_gap_dual", "seconds_conic", "relative_gap_conic", "ratio"]
    shown = shown[[*keys, *names]]
    worst = int(shown["relative_gap_conic"].argmax())
    blank = shown["seconds_conic"].isna()
    for column in names[2:]:
        shown[column] = shown[column].astype(object).where(~blank, "")
    words = (
        "Problems (11), (12) and (13) with their certificates: seconds and relative duality gap by the dual and, up to where "
        "it is affordable, by Clarabel through CVXPY (A = 10). Bold: the largest gap."
    )
    return Table(
        shown,
        caption=words,
        label=f"tab:{NAME}-update",
        headings={
            "seconds_dual": ("dual [s]", "dual [s]"),
            "relative_gap_dual": ("its gap", "its gap"),
            "seconds_conic": ("Clarabel [s]", "Clarabel [s]"),
            "relative_gap_conic": ("its gap", "its gap"),
        },
        digits={"seconds_dual": 2, "relative_gap_dual": 1, "seconds_conic": 2, "relative_gap_conic": 1, "ratio": 2},
        scientific=("seconds_dual", "relative_gap_dual", "seconds_conic", "relative_gap_conic"),
        mark=((worst, "relative_gap_conic"),),
    )


def figures(frames: dict[str, Any]) -> dict[str, Callable[[], Figure]]:
    """Time over the number of states: of the updates, and of evaluation."""
    return {
        f"{NAME}-update": lambda: _draw_updates(frames["update-timing"]),
        f"{NAME}-sparse": lambda: _draw_sparse(frames["sparse-timing"]),
    }


def captions() -> dict[str, str]:
    """Two sentences a figure."""
    return {
        f"{NAME}-update": "Seconds for the penalty, max-KL and mean-KL problems, certificate included, over the number "
        "of states, by the "
        "dual (filled) and by Clarabel (open). The grey line grows in proportion to the number of states.",
        f"{NAME}-sparse": "Seconds to evaluate a random policy on sparse MDPs, over the number of states: the value, "
        "and after "
        "it the visitation. The grey line grows in proportion to the number of states.",
    }


def _draw_updates(frame: Any) -> Figure:
    from trpo_theory.report import style

    with style.styled():
        figure = style.new_figure("column", ratio=0.95)
        axes = figure.add_subplot()
        for k, (problem, rows) in enumerate(frame.groupby("problem", sort=False)):
            colour, marker = style.UPDATES[k]
            for solver, dashes in (("dual", "-"), ("clarabel", style.DASHES[1])):
                line = rows[rows["solver"] == solver]
                look: dict[str, Any] = {"color": colour, "marker": marker, "ls": dashes}
                name = f"{named(str(problem).partition(' ')[0])}, {solver}"
                axes.plot(line["states"], line["seconds"], mfc=None if dashes == "-" else "white", label=name, **look)
        _proportional(axes, frame["states"], frame.loc[frame["solver"] == "dual", "seconds"])
        axes.set_ylabel("time, certificate included (s)")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=3, columnspacing=1.0)
    return figure


def _draw_sparse(frame: Any) -> Figure:
    from trpo_theory.report import style

    with style.styled():
        figure = style.new_figure("column", ratio=0.8)
        axes = figure.add_subplot()
        for k, (column, name) in enumerate((("value", "value V"), ("visitation", "visitation ρ"))):
            look = {"color": style.COLOURS[k], "marker": style.MARKERS[k], "ls": style.DASHES[k]}
            axes.plot(frame["states"], frame[column], label=name, mec="white", mew=0.4, **look)
        _proportional(axes, frame["states"], frame["value"])
        axes.set_ylabel("time (s)")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def _proportional(axes: Any, states: Any, times: Any) -> None:
    """A grey line of slope 1 through the largest."""
    from trpo_theory.report import style

    ends = np.array([states.min(), states.max()], dtype=np.float64)
    axes.plot(ends, times.max() * ends / ends[1], color=style.GREY, lw=0.8, ls=":", zorder=1)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("states")
    axes.grid(visible=True)


def summary(frames: dict[str, Any]) -> str:
    """Ratios against each peer, bounds a second, the largest sizes, and who is missing."""
    timing = frames["peers-timing"]
    ran = timing[timing["status"] == "run"]
    ratios = ran["theirs"] / ran["ours"]
    words = [
        f"{task}: {ratio:.2g} × {peer}" for task, peer, ratio in zip(ran["what"], ran["peer"], ratios, strict=True)
    ]
    pace = frames["screen-timing"]["checks_per_second"].max()
    sparse = frames["sparse-timing"].iloc[-1]
    missing = "".join(f" {peer} is not installed: left out." for peer in _missing(timing))
    return (
        f"Speed (above 1: faster than the peer): {'; '.join(words)}. {pace:.2g} bounds a second of one core. A policy on "
        f"{sparse['states']:.0f} states is evaluated in {sparse['value']:.2g} s. Numbers agree to "
        f"{frames['']['difference'].max():.0e}.{missing}"
    )
