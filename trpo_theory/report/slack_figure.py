"""Histograms of a claim's slacks over random instances: how close to 0 it comes, and how often."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from trpo_theory.entries.kinds import each_of
from trpo_theory.errors import InvalidInput
from trpo_theory.report import style
from trpo_theory.verification.slack_sample import SlackSample

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 12
"""Claims in one figure. Chosen: four rows of panels fit a page."""
_BINS = 40
"""Bins of a panel. Chosen."""
_TITLE = 34
"""Characters of a panel's title. Chosen: its width."""
_LINEAR = 100.0
"""Absolute slacks whose largest is more than so many times their median have a logarithmic axis. Chosen: two powers of ten."""


def slack_histogram(samples: SlackSample | Sequence[SlackSample]) -> Figure:
    """A panel for each claim: how many instances have which slack, those below 0 in another colour and hatched.

    The slack is shown as a share of the claim's terms, of a bound slack/(|η(π̃) − L| + penalty): 0 is an equality, 1 means that
    nothing but the penalty counts. Where that share is not known the slack itself is shown, in units of the return.

    Args:
        samples: what `sampled_slacks` returned, for one claim or up to twelve.

    Raises:
        InvalidInput: for none, or more than twelve.
    """
    several: Any = [samples] if isinstance(samples, SlackSample) else samples
    samples = each_of(SlackSample, several, "samples", 'pass [tt.sampled_slacks("trpo/tv")], say')
    if not 0 < len(samples) <= MOST:
        raise InvalidInput(
            got=f"{len(samples)} claims in one histogram",
            wanted=f"1 to {MOST}",
            fix="name some of them, or make a figure for each",
        )
    columns = min(len(samples), 3)
    rows = math.ceil(len(samples) / columns)
    with style.styled():
        figure = style.new_figure(
            "column" if columns == 1 else "page", ratio=0.62 if columns == 1 else rows * 0.75 / columns
        )
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for panel in panels[len(samples) :]:
            panel.set_axis_off()
        for panel, sample in zip(panels, samples, strict=False):
            _panel(panel, sample)
    return figure


def _panel(axes: Axes, sample: SlackSample) -> None:
    values = sample.share[np.isfinite(sample.share)] if sample.is_relative else sample.slack
    least = None if sample.is_relative else _linear_up_to(values)
    edges: Any = _edges(values) if least is None else _powers(values, least)
    below = values < 0
    axes.hist(values[~below], edges, color=style.BLUE, linewidth=0, label="0 or more")
    if below.any():
        look = {"color": style.VERMILLION, "hatch": "////", "edgecolor": "white", "linewidth": 0}
        axes.hist(values[below], edges, **look, label="below 0")
        axes.legend(loc="best")
    if least is not None:
        axes.set_xscale("symlog", linthresh=least)
        axes.set_xticks([edges[0], 0.0, edges[-1]] if below.any() and not below.all() else [edges[0], edges[-1]])
        axes.minorticks_off()
    axes.axvline(0.0, color=style.GREY, linewidth=0.6)
    axes.set_title("\n".join(_wrapped(sample.id)), fontsize=7.5)
    axes.set_xlabel(_label(sample))
    axes.set_ylabel("instances")
    axes.margins(x=0)


def _edges(values: np.ndarray) -> np.ndarray:
    """Of bins of one width: 0 is one of them, so that no bin has slacks of both signs."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    width = (high - low) / _BINS or 1.0 / _BINS
    steps = math.ceil(-low / width - 1e-9), max(math.ceil(high / width - 1e-9), 1)
    edges = np.arange(-steps[0], steps[1] + 1) * width
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)  # the products are rounded
    return edges


def _linear_up_to(values: np.ndarray) -> float | None:
    """Of slacks over many powers of ten, where a logarithmic axis begins; None where a linear one shows them."""
    sizes = np.abs(values[values != 0])
    if not len(sizes) or sizes.max() <= _LINEAR * np.median(sizes):
        return None
    return float(10.0 ** np.floor(np.log10(np.quantile(sizes, 0.05))))


def _powers(values: np.ndarray, least: float) -> np.ndarray:
    """Of bins as wide as each other on such an axis, 0 among them."""

    def ends(part: np.ndarray) -> np.ndarray:
        if not len(part):
            return part
        powers = max(math.ceil(math.log10(float(part.max()) / least) + 1e-9), 1)
        return least * 10.0 ** (np.arange(2 * powers + 1) / 2)

    return np.concatenate([-ends(-values[values < 0])[::-1], [0.0], ends(values[values > 0])])


def _wrapped(claim_id: str) -> list[str]:
    """An id in lines that fit a panel, broken after slashes."""
    lines = [""]
    for part in claim_id.replace("/", "/ ").split(" "):
        if lines[-1] and len(lines[-1] + part) > _TITLE:
            lines.append("")
        lines[-1] += part
    return lines


def _label(sample: SlackSample) -> str:
    if not sample.is_relative:
        return "slack (units of the return)" if sample.is_return else "slack"
    if sample.is_bound:
        return r"slack / ($|\eta(\tilde\pi) - L|$ + penalty)"
    return "slack as a share of its terms"
