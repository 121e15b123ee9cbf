"""Tables and figures of the comparison of (11), (12) and (13), from its frames alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.updates.running import NAME
from trpo_theory.report import Table
from trpo_theory.report.names import named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "The penalty, max-KL and mean-KL problems side by side"
LEAD = (
    "One update and several from the same policy: the penalty problem with the paper's C is provably monotone and hardly "
    "moves; the max-KL and the mean-KL problem move as far as their radius. The max-KL problem is not hard: it separates by "
    "state; what is hard is to solve the penalty problem as gamma nears 1, where a general conic solver loses all digits and "
    "the dual none."
)
_LOOKS = {"dual": 1, "clarabel": 0, "scs": 2}
_FLOOR = 1e-17


def tables(frames: dict[str, Any]) -> dict[str, Table]:
    """The three problems on each MDP; (12) by state; the conic solvers as γ → 1; the times."""
    return {
        NAME: _problems(frames[""]),
        f"{NAME}-separate": _separate(frames["separate"]),
        f"{NAME}-conic": _conic(frames["conic"]),
        f"{NAME}-timing": _timing(frames["timing"]),
    }


def _problems(frame: Any) -> Table:
    columns = ["mdp", "problem", "surrogate_gain", "improvement", "max_kl", "mean_kl", "relative_gap", "share"]
    shown = frame[[*columns, "share_later", "falls"]].copy()
    shown["relative_gap"] = shown["relative_gap"].abs()
    smallest = frame.groupby("mdp", sort=False)["share"].idxmin()
    words = (
        "One update by each problem: the surrogate's gain L - eta(old), the gain in return, max-KL and mean-KL (nats), the "
        "relative duality gap, recomputed; then the share of the gain of the optimal policy that one update and several "
        "bring, and how many of these lowered the return. Bold: the smallest share."
    )
    return Table(
        shown,
        caption=words.replace("L - eta(old)", r"$L - \eta(\pi)$"),
        plain_caption=words,
        label=f"tab:{NAME}",
        headings={
            "mdp": ("MDP", "MDP"),
            "surrogate_gain": (r"$L - \eta(\pi)$", "L - eta(old)"),
            "improvement": (r"$\eta(\tilde\pi) - \eta(\pi)$", "eta(new) - eta(old)"),
            "max_kl": ("max-KL", "max-KL"),
            "mean_kl": ("mean-KL", "mean-KL"),
            "relative_gap": ("rel. gap", "rel. gap"),
            "share": ("one update", "one update"),
            "share_later": ("several", "several"),
        },
        digits={**dict.fromkeys(("surrogate_gain", "improvement", "max_kl", "mean_kl", "share", "share_later"), 3)}
        | {"relative_gap": 1},
        scientific=("relative_gap",),
        mark=tuple((int(row), "share") for row in smallest),
    )


def _separate(frame: Any) -> Table:
    words = (
        "Problem (12) as one problem, and as one for each state: the sum of the states' optima, and how far the two "
        "objectives (relatively) and policies (at most, where the old one goes) are apart; last, what a conic solver that "
        "is given all constraints at once misses of that sum. Bold: the largest differences."
    )
    differences = ("relative_difference", "policy_difference", "conic_difference")
    worst = [(int(frame[name].argmax()), name) for name in differences if frame[name].max() > 0]
    return Table(
        frame[["mdp", "states", "whole", "by_state", *differences]],
        caption=words,
        label=f"tab:{NAME}-separate",
        headings={
            "mdp": ("MDP", "MDP"),
            "by_state": ("state by state", "state by state"),
            "relative_difference": ("rel. difference", "rel. difference"),
            "policy_difference": ("of policies", "of policies"),
            "conic_difference": ("conic, at once", "conic, at once"),
        },
        digits={"whole": 6, "by_state": 6, **dict.fromkeys(differences, 1)},
        scientific=differences,
        mark=tuple(worst),
    )


def _conic(frame: Any) -> Table:
    solvers = list(dict.fromkeys(frame["solver"]))
    first = frame[frame["solver"] == solvers[0]].reset_index(drop=True)
    shown = first[["one_minus_gamma", "coefficient", "max_kl", "optimum"]].copy()
    for solver in solvers:
        rows = frame[frame["solver"] == solver].reset_index(drop=True)
        shown[solver] = _gaps(rows)
    words = (
        "Problem (11) with the paper's C as gamma nears 1: C, the max-KL of the solution (nats), the optimum (what its dual "
        "certificate proves), and of each solver how much of it is missing, from the objective recomputed from its policy: 1 "
        "means no gain at all, more a loss; 'failed' where it says itself that it has no answer. Bold: the worst of each."
    )
    worst = []
    for solver in solvers:
        values = shown[solver].map(lambda value: value if isinstance(value, float) else -np.inf)
        worst.append((int(values.argmax()), solver))
    return Table(
        shown,
        caption=words.replace("gamma", r"$\gamma$").replace(" C ", " $C$ ").replace(" C,", " $C$,"),
        plain_caption=words,
        label=f"tab:{NAME}-conic",
        headings={
            "one_minus_gamma": (r"$1 - \gamma$", "1 - gamma"),
            "coefficient": ("$C$", "C"),
            "max_kl": ("max-KL", "max-KL"),
        },
        digits={"one_minus_gamma": 1, "coefficient": 3, "max_kl": 3, "optimum": 3, **dict.fromkeys(solvers, 2)},
        scientific=("one_minus_gamma", "coefficient", "max_kl", "optimum", *solvers),
        mark=tuple(worst),
    )


def _gaps(rows: Any) -> list[Any]:
    pairs = zip(rows["relative_gap"], rows["status"], strict=True)
    return ["failed" if status == "failed" else max(float(gap), 0.0) for gap, status in pairs]


def _timing(frame: Any) -> Table:
    wide = frame.pivot_table(index="states", columns=["problem", "solver"], values="seconds", sort=False)
    wide.columns = [f"{problem} {solver}" for problem, solver in wide.columns]
    shown = wide.reset_index()
    shown = shown.astype(object).where(shown.notna(), "")
    shown["(12)/(13)"] = wide["(12) dual"].to_numpy() / wide["(13) dual"].to_numpy()
    words = (
        "Seconds for (12) and (13), certificate included, against the number of states; and (12) over (13) by the dual."
    )
    return Table(
        shown,
        caption=words,
        label=f"tab:{NAME}-timing",
        digits=dict.fromkeys([str(name) for name in shown if name != "states"], 2),
    )


def figures(frames: dict[str, Any]) -> dict[str, Callable[[], Figure]]:
    """The missing share of (11) over 1 − γ, and times over the number of states."""
    return {
        f"{NAME}-conic": lambda: _draw_conic(frames["conic"]),
        f"{NAME}-timing": lambda: _draw_timing(frames["timing"]),
    }


def captions() -> dict[str, str]:
    """Two sentences a figure."""
    return {
        f"{NAME}-conic": "How much of the optimum of (11) each solver misses as gamma nears 1 (to the right), from recomputed "
        "objectives; above the dotted line its step is worse than none, a cross marks where it says "
        "that it failed, and 0 is drawn at 1e-17. "
        "Left, the optimal max-KL, which is why: the conic solvers hold their cones to an absolute accuracy.",
        f"{NAME}-timing": "Seconds for the max-KL and the mean-KL problem, certificate included, against the number of states. "
        "By the dual the first, with a constraint for every state, costs no more than the second, with one; "
        "a conic solver does not see that it separates.",
    }


def _draw_conic(frame: Any) -> Figure:
    from trpo_theory.report import style

    with style.styled():
        figure = style.new_figure("page", ratio=0.4)
        left, right = figure.subplots(1, 2)
        own = frame[frame["solver"] == "dual"]
        left.loglog(own["one_minus_gamma"], own["max_kl"], color=style.BLACK, marker="o", mec="white", mew=0.4)
        left.set_ylabel("max-KL of the solution (nats)")
        for solver, rows in frame.groupby("solver", sort=False):
            k = _LOOKS.get(str(solver), 3)
            look = {"color": style.COLOURS[k], "marker": style.MARKERS[k], "ls": style.DASHES[k]}
            failed = (rows["status"] == "failed").to_numpy()
            gap = np.where(failed, np.nan, np.maximum(rows["relative_gap"], _FLOOR))
            right.loglog(rows["one_minus_gamma"], gap, label=str(solver), mec="white", mew=0.4, **look)
            if failed.any():
                places = rows["one_minus_gamma"].to_numpy()[failed]
                right.plot(places, np.ones(len(places)), "x", color=look["color"], ms=6, mew=1.4)
        right.axhline(1.0, color=style.GREY, lw=0.8, ls=":")
        right.set_ylabel("missing share of the optimum")
        for axes in (left, right):
            axes.invert_xaxis()
            axes.set_xlabel("1 − γ")
            axes.grid(visible=True)
        figure.legend(*right.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def _draw_timing(frame: Any) -> Figure:
    from trpo_theory.report import style

    with style.styled():
        figure = style.new_figure("column", ratio=0.85)
        axes = figure.add_subplot()
        for (problem, solver), rows in frame.groupby(["problem", "solver"], sort=False):
            k = _LOOKS.get(str(solver), 3)
            first = problem == "(12)"
            axes.loglog(
                *(rows["states"], rows["seconds"]),
                color=style.COLOURS[k],
                marker=style.MARKERS[k],
                ls="-" if first else style.DASHES[1],
                mfc=None if first else "white",
                label=f"{named(str(problem))}, {solver}",
            )
        axes.set_xlabel("states")
        axes.set_ylabel("time, certificate included (s)")
        axes.grid(visible=True)
        figure.legend(loc="outside upper center", ncols=2)
    return figure


def summary(frames: dict[str, Any]) -> str:
    """What one update of each brings, that (12) separates, and where the conic solvers are lost."""
    rows, separate, conic = frames[""], frames["separate"], frames["conic"]
    shares = ", ".join(f"{name} {part['share'].median():.2g}" for name, part in rows.groupby("problem"))
    lost = []
    for name, part in conic[conic["solver"] != "dual"].groupby("solver", sort=False):
        bad = part[(part["status"] == "failed") | (part["relative_gap"] > 1e-6)]
        words = f"from 1 - gamma = {bad['one_minus_gamma'].max():g} on" if len(bad) else "nowhere"
        lost.append(f"{name} misses more than 1e-6 of the optimum of (11) {words}")
    return (
        f"Median share of the possible gain in one update: {shares}. The max-KL problem solved state by state agrees to "
        f"{separate['relative_difference'].max():.0e} on {len(separate)} MDPs. {'; '.join(lost)}; the dual's largest gap "
        f"is {conic[conic['solver'] == 'dual']['relative_gap'].abs().max():.0e}."
    )
