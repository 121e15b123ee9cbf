"""Tables and the figure of the search's power, from the frames alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.power.margins import margins
from experiments.power.running import NAME
from trpo_theory.report import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "The power of the search"
LEAD = (
    "Claims that are false by a known margin, most of them bounds whose constant is a share of the least true one, and "
    "`verify` with its default settings: how many it refutes, by margin, and after how many CPU seconds. True claims that "
    "are as close stand beside them, and none of these may be refuted."
)
_BINS = (0.5, 0.1, 0.03, 0.01, 0.001, 0.0001)
"""Lower ends of the margins that are shown as one: chosen, the margins that most claims have."""


def kind(row: Any) -> str:
    """Of a row of the frame, in the words of the table."""
    family, region = str(row["family"]), str(row["region"])
    if not any(word in family for word in ("max_", "mixture", "chi2")):
        return family
    if region == "hypothesis":
        return "penalties, in a thin region"
    if region != "any":
        return "penalties, gamma restricted"
    if "max_abs_advantage" in family:
        return "penalties in max |A|"
    return "penalties in second moments" if "chi2" in family else "penalties in max |Abar|"


def joined(frames: dict[str, Any]) -> tuple[Any, Any]:
    """Before and after, one row a claim and seed, with the kind, and whether it was found."""
    after = frames[""].merge(frames["timing"], on=["id", "seed"])
    both = []
    for frame in (frames["before-timing"], after):
        kinds = [kind(row) for row in frame.to_dict("records")]
        both.append(frame.assign(kind=kinds, found=frame["verdict"] == "refuted"))
    return both[0], both[1]


def tables(frames: dict[str, Any]) -> dict[str, Table]:
    """Before and after by kind; what is missed; the margins found in nine cases of ten."""
    before, after = joined(frames)
    return {NAME: _by_kind(before, after), f"{NAME}-missed": _missed(after), f"{NAME}-margins": _margins(frames[""])}


def _by_kind(before: Any, after: Any) -> Table:
    rows = []
    groups = [(name, after[(after["kind"] == name) & (after["margin"] > 0)]) for name in dict.fromkeys(after["kind"])]
    false, true = after[after["margin"] > 0], after[after["margin"] == 0]
    for name, group in [*groups, ("all false claims", false), ("true claims", true)]:
        if group.empty:
            continue
        earlier = before[before["id"].isin(set(group["id"]))]
        rows.append(
            {
                "claims": name,
                "number": group["id"].nunique(),
                "before": earlier["found"].mean(),
                "after": group["found"].mean(),
                "seconds before": earlier["seconds"].median() if earlier["found"].any() else "",
                "seconds after": group["seconds"].median() if group["found"].any() else "",
                "all before": earlier["total"].median(),
                "all after": group["total"].median(),
            }
        )
    words = (
        "How many of the claims with known margins `verify` refutes with its default settings, as a share of claims and seeds, "
        "by the search before and after its instruments became one search; medians of the CPU seconds until the "
        "counterexample is proved, where there is one, and of the whole verification."
    )
    digits = {
        "before": 2,
        "after": 2,
        **dict.fromkeys(("seconds before", "seconds after", "all before", "all after"), 2),
    }
    return Table(pd.DataFrame(rows), caption=words, label=f"tab:{NAME}", digits=digits)


def _missed(after: Any) -> Table:
    false = after[after["margin"] > 0]
    found = false.groupby("id", sort=False)["found"].mean()
    rows = [
        {"claim": id.removeprefix("power/"), "margin": group["margin"].iloc[0], "found": found[id]}
        for id, group in false.groupby("id", sort=False)
        if found[id] < 1
    ]
    words = "The false claims that some seed misses: the margin, and the share of the seeds that find them."
    frame = pd.DataFrame(rows, columns=["claim", "margin", "found"])
    return Table(frame, caption=words, label=f"tab:{NAME}-missed", digits={"margin": 2, "found": 2})


def _margins(frame: Any) -> Table:
    words = (
        "By what a penalty reads and by the discounts that the bound is stated for: the least margin such that it and every "
        "larger one of the set was found in nine cases of ten. This is what `verify` prints of a bound that stands."
    )
    return Table(margins(frame), caption=words, label=f"tab:{NAME}-margins", digits={"margin": 3})


def figures(frames: dict[str, Any]) -> dict[str, Callable[[], Figure]]:
    """The share found by margin, and by CPU seconds."""
    return {NAME: lambda: _draw(*joined(frames))}


def captions() -> dict[str, str]:
    """Two sentences a figure."""
    return {
        NAME: "False claims with known margins, and `verify` with its default settings, before and after. Left: the share that "
        "is refuted, by the margin, which is how much of the least true constant is missing; right: the share that is refuted "
        "within so many CPU seconds."
    }


def _draw(before: Any, after: Any) -> Figure:
    from trpo_theory.report import style

    with style.styled():
        figure = style.new_figure("page", ratio=0.4)
        by_margin, by_time = figure.subplots(1, 2, sharey=True)
        for k, (name, frame) in enumerate((("before", before), ("after", after))):
            false = frame[frame["margin"] > 0]
            marker = {"marker": style.MARKERS[k], "mec": "white", "mew": 0.4, "ls": style.DASHES[k]}
            radius = false["family"].str.contains("radius") | false["id"].str.contains("mean-kl from")
            discount = false["kind"].str.contains("penalties") & (false["region"] != "hypothesis") & ~radius
            groups = {"sharp gap at a radius": radius, "least constant": discount, "others": ~radius & ~discount}
            for colour, (words, which) in zip(style.COLOURS, groups.items(), strict=False):
                bins = np.array([_bin(margin) for margin in false["margin"][which]])
                shares = false[which].groupby(bins)["found"].mean()
                by_margin.plot(shares.index, shares, label=f"{words}, {name}", color=colour, **marker)
            seconds = np.sort(false["seconds"].dropna())
            heights = np.arange(1, len(seconds) + 1) / len(false)
            by_time.step(seconds, heights, where="post", label=name, color=style.COLOURS[6], ls=style.DASHES[k])
        by_margin.set_xlabel("margin, at least")
        by_margin.set_ylabel("share of the claims refuted")
        by_time.set_xlabel("CPU seconds until the counterexample is proved")
        for axes in (by_margin, by_time):
            axes.set_xscale("log")
            axes.set_ylim(-0.02, 1.02)
            axes.grid(visible=True, axis="y")
            place, title = (
                ("lower right", "verify") if axes is by_time else ("lower left", "kind of false claim, verify")
            )
            axes.legend(loc=place, title=title)
    return figure


def _bin(margin: float) -> float:
    return next((low for low in _BINS if margin >= low * (1 - 1e-9)), _BINS[-1])


def summary(frames: dict[str, Any]) -> str:
    """What was found before and after, and how soon."""
    before, after = (frame[frame["margin"] > 0] for frame in joined(frames))
    true = int((joined(frames)[1].query("margin == 0")["found"]).sum())
    return (
        f"{after['id'].nunique()} false claims: {before['found'].mean():.1%} found before, {after['found'].mean():.1%} now, "
        f"in a median of {before['seconds'].median():.2f} and {after['seconds'].median():.2f} CPU seconds. "
        f"Of the true ones {true or 'none'} refuted."
    )


def passed(frames: dict[str, Any]) -> bool:
    """Whether no true claim is refuted."""
    frame = frames[""]
    return not (frame["verdict"][frame["margin"] == 0] == "refuted").any()
