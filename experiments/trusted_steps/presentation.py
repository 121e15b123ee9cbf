"""Tables of the trusted steps, from the frames alone."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from experiments.trusted_steps.running import EVERY, NAME
from trpo_theory.report import Table, show

TITLE = "How large a step can be trusted"
LEAD = (
    "A step is certified by a bound if the bound, evaluated at that very step, promises that the return does not fall. "
    "The certificates of the TRPO paper's family read max |A| and KL, those in χ² read spreads of Ā under the old policy "
    "and time by time; how large the largest certified step is, and how many such steps a return takes, is compared "
    "with TRPO's usual radius .01, which promises nothing."
)
_CASE = ["environment", "gamma"]


def tables(frames: dict[str, Any]) -> dict[str, Table]:
    """Certified steps by bound in KL, in χ², and penalties at a common step; updates of each case; clips."""
    bounds = frames["bounds"]
    cases = {
        f"{NAME}-{_slug(*case)}": _updates(rows, f"{NAME}-{_slug(*case)}", *case)
        for case, rows in _cases(frames["updates"])
    }
    return {
        f"{NAME}-kl": _by_bound(bounds, "max_kl", f"{NAME}-kl", _KL),
        f"{NAME}-radius": _by_bound(bounds, "radius", f"{NAME}-radius", _RADIUS),
        f"{NAME}-penalty": _by_bound(
            bounds.assign(ratio=bounds["common_penalty"] / bounds["common_gain"]), "ratio", f"{NAME}-penalty", _PENALTY
        ),
        **cases,
        f"{NAME}-clips": _clips(frames["clips"]),
    }


_KL = (
    "The max-KL (nats, old to new) of the largest step that each bound certifies, among the steps from the uniform policy that "
    "maximise L at a given max chi-square of (new, old). TRPO's usual radius is .01, in mean-KL. inf: the step takes actions to "
    "0. Bold: the largest."
)
_RADIUS = (
    "The same steps in their own divergence, the largest chi-square of (new, old) over the states. It is about twice the KL "
    "where that is small. Bold: the largest."
)
_PENALTY = (
    "One and the same step, the maximiser of L at max chi-square .01 (max-KL about .0054) from the uniform policy: how many "
    "times its gain each bound subtracts. Below 1 the bound certifies it. Bold: those."
)


def _cases(frame: Any) -> list[tuple[tuple[str, float], Any]]:
    return [(case, rows) for case, rows in frame.groupby(_CASE, sort=False)]


def _slug(environment: str, gamma: float) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", f"{environment} {gamma:g}".lower()).replace("0.", "0")


def _short(environment: str) -> str:
    return environment.replace("FrozenLake", "Lake").replace("CliffWalking", "Cliff")


def _by_bound(frame: Any, column: str, label: str, words: str) -> Table:
    """A row a bound, a column a case."""
    cases = list(dict.fromkeys(zip(frame["environment"], frame["gamma"], strict=True)))
    bounds = list(dict.fromkeys(frame["bound"]))
    values = frame.set_index([*_CASE, "bound"])[column]
    columns = {f"{name} {gamma:g}": [float(values[name, gamma, bound]) for bound in bounds] for name, gamma in cases}
    shown = pd.DataFrame({"bound": bounds, **columns})
    marks: list[tuple[int, str]] = []
    for name, line in columns.items():
        finite = np.where(np.isfinite(line), line, np.inf)
        chosen = np.flatnonzero(finite < 1) if column == "ratio" else [int(np.argmax(finite))]
        marks += [(int(row), name) for row in chosen]
    return Table(
        shown,
        caption=words,
        label=f"tab:{label}",
        headings={
            f"{name} {gamma:g}": (rf"{_short(name)}, {gamma:g}", f"{_short(name)}, {gamma:g}") for name, gamma in cases
        },
        digits=dict.fromkeys(columns, 3),
        mark=tuple(marks),
    )


def _updates(frame: Any, label: str, environment: str, gamma: float) -> Table:
    """A row a method, a column a class of policies; a cell has the updates to the shares, and the falls."""
    classes = list(dict.fromkeys(frame["policies"]))
    methods = list(dict.fromkeys(frame["method"]))
    cells = {(row["policies"], row["method"]): row for row in frame.to_dict("records")}
    shown = pd.DataFrame(
        {
            "algorithm": methods,
            **{name: [_cell(cells[name, method]) for method in methods] for name in classes},
        }
    )
    fell = [
        (index, name) for name in classes for index, method in enumerate(methods) if cells[name, method]["falls"] > 0
    ]
    best = ", ".join(
        f"{name} {cells[name, methods[0]]['best'] / cells[name, methods[0]]['optimal']:.3g}"
        for name in classes
        if name != EVERY and cells[name, methods[0]]["optimal"] > 0
    )
    words = (
        f"{environment}, gamma = {gamma:g}, from the uniform policy: updates to 50 / 90 / 99 % of the gain, which is that of "
        "the best policy of the class that any of them reached; > n (share) where n updates ended or stalled below. Bounds by "
        "their ids are certified radii. A class shares the policy in the states of a row, a column or a block of the grid. "
        "Bold, with the number: updates that lowered the return."
    )
    if best:
        words += f" Best return of a class over that of all policies: {best}."
    return Table(
        shown, caption=words.replace(" %", r"\ \%"), plain_caption=words, label=f"tab:{label}", mark=tuple(fell)
    )


def _cell(row: dict[str, Any]) -> str:
    reached = [row[name] for name in ("to_0.5", "to_0.9", "to_0.99")]
    parts = [f"{value:.0f}" for value in reached if np.isfinite(value)]
    text = " / ".join(parts)
    if len(parts) < len(reached):
        text = f"{text}{' / ' * bool(text)}> {row['made']} ({row['share']:.2g})"
    return text + (f"; {row['falls']} falls" if row["falls"] > 1 else "; 1 fall" if row["falls"] else "")


def _clips(frame: Any) -> Table:
    """A row a discount or horizon, columns by CV."""
    variations = list(dict.fromkeys(frame["cv"]))
    rows = []
    for (gamma, horizon), group in frame.groupby(["gamma", "horizon"], sort=False):
        row: dict[str, Any] = {"gamma": float(gamma), "horizon": "" if np.isinf(horizon) else f"{horizon:.0f}"}
        by_cv = group.set_index("cv")
        for cv in variations:
            row[f"pooled {cv:g}"] = float(np.sqrt(by_cv["pooled"][cv]))
            row[f"time {cv:g}"] = float(np.sqrt(by_cv["by_time"][cv]))
        row["kl"] = float(by_cv["by_time"][1.0] / 2) if 1.0 in variations else float("nan")
        rows.append(row)
    words = (
        "Certified clips: |new/old - 1| in every state up to which the return cannot fall, whatever the MDP, by gamma (or the "
        "horizon, without discount) and by the coefficient of variation CV of the expected advantage over the states. E: "
        "chi2/expected-advantage, in closed form; T: chi2/time-resolved, with that CV at every time. "
        "Last: the KL of T's step at CV 1, about chi-square/2. "
        "PPO's usual clip is .2, which its objective does not enforce; TRPO's usual KL is .01, a clip of about .14."
    )
    names = {
        f"{kind} {cv:g}": f"{kind[0].upper().replace('P', 'E')}, CV {cv:g}"
        for cv in variations
        for kind in ("pooled", "time")
    }
    return Table(
        pd.DataFrame(rows),
        caption=words,
        label=f"tab:{NAME}-clips",
        headings={name: (text, text) for name, text in names.items()}
        | {"gamma": (r"$\gamma$", "gamma"), "kl": ("KL", "KL")},
        digits=dict.fromkeys(names, 3) | {"gamma": 3, "kl": 2},
    )


def summary(frames: dict[str, Any]) -> str:
    """The steps of the first case, old and new certificates, and the falls of all updates."""
    bounds, updates = frames["bounds"], frames["updates"]
    first = bounds[(bounds[_CASE] == bounds[_CASE].iloc[0]).all(axis=1)].set_index("bound")["radius"]
    proved = updates[updates["kind"].isin(["certified", "penalty"])]
    others = updates[~updates["kind"].isin(["certified", "penalty"])]
    name, gamma = bounds["environment"].iloc[0], bounds["gamma"].iloc[0]
    return (
        f"On {name} at gamma {gamma:g} the largest certified step has max chi-square {show(float(first.iloc[0]), 2)} by "
        f"{first.index[0]} and {show(float(first.iloc[-1]), 2)} by {first.index[-1]}. Of {proved['made'].sum()} proved updates "
        f"{int(proved['falls'].sum()) or 'none'} lowered the return; of {others['made'].sum()} others, "
        f"{int(others['falls'].sum()) or 'none'}."
    )
