"""Figures of DataFrames: lines over a parameter, learning curves with their spread, and bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from trpo_theory import _checks
from trpo_theory.entries.kinds import SERIES, TEXT, TRUTH, brief, expect, expect_type, expect_word
from trpo_theory.errors import InvalidInput
from trpo_theory.report import style
from trpo_theory.report.colours import as_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_APART = 8.0
"""The least distance of two labels at the ends of lines, in points; chosen: a line of 7-point text."""


def lines(
    frame: pd.DataFrame,
    x: str,
    y: str,
    by: str | None = None,
    *,
    xlabel: str,
    ylabel: str,
    low: str | None = None,
    high: str | None = None,
    log: str = "",
    labels: str = "direct",
    markers: bool = True,
    width: str = "column",
    ratio: float = 0.75,
) -> Figure:
    """One line for each value of the column `by`, distinguished by colour, dashes and marker.

    Args:
        frame: one row for each point; rows without a finite y leave a gap.
        x: the column of abscissas.
        y: the column of ordinates.
        by: the column that names the lines, or None for one line.
        xlabel: the label of the x axis, with its unit.
        ylabel: the label of the y axis, with its unit.
        low: the column of the lower edge of a band.
        high: the column of its upper edge.
        log: the axes with a logarithmic scale: "", "x", "y" or "xy".
        labels: "direct" (each name at the end of its line) or "legend".
        markers: whether points are marked.
        width: "column" or "page".
        ratio: height over width.

    Raises:
        InvalidInput: for an unknown column, a frame without rows, or an unknown option.
    """
    _check(frame, [x, y], [by, low, high], log, labels)
    expect(TEXT, xlabel=xlabel, ylabel=ylabel)
    expect(TRUTH, markers=markers)
    with style.styled():
        figure = style.new_figure(width, ratio=ratio)
        axes = figure.add_subplot()
        _scales(axes, log)
        for index, (name, rows) in enumerate(_groups(frame, by)):
            rows = rows.sort_values(x, kind="stable")
            k = index % len(style.COLOURS)
            look = {"color": style.COLOURS[k], "ls": style.DASHES[k], "marker": style.MARKERS[k] if markers else None}
            axes.plot(rows[x], rows[y], **look, mec="white", mew=0.4, label=name, zorder=3)
            if low is not None and high is not None:
                axes.fill_between(rows[x], rows[low], rows[high], color=style.COLOURS[k], alpha=0.18, lw=0, zorder=2)
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.grid(visible=True, axis="y")
        if by is not None:
            _name(figure, axes, labels)
    return figure


def learning_curves(
    frame: pd.DataFrame,
    x: str,
    y: str,
    by: str,
    *,
    xlabel: str,
    ylabel: str,
    band: tuple[float, float] = (0.1, 0.9),
    **options: str | float | bool | None,
) -> Figure:
    """The median of y at each x for each value of `by`, with a band between two quantiles; options as for `lines`."""
    summary = median_and_band(frame, x, y, by, band=band)
    return lines(
        summary,
        x,
        "median",
        by,
        xlabel=xlabel,
        ylabel=ylabel,
        low="low",
        high="high",
        **cast(Any, {"markers": False, **options}),
    )


def median_and_band(
    frame: pd.DataFrame, x: str, y: str, by: str, *, band: tuple[float, float] = (0.1, 0.9)
) -> pd.DataFrame:
    """One row for each x and `by`: median, low and high (quantiles, linear between order statistics), and the number of runs."""
    _check(frame, [x, y, by], [], "", "direct")
    if by in (x, y):
        raise InvalidInput(
            got=f"by = {by!r}, the column of an axis", wanted="another column", fix="name the runs' column"
        )
    if not SERIES.fits(band) or len(band) != 2:
        raise InvalidInput(got=f"band = {brief(band)}", wanted="two quantiles", fix="write band=(0.1, 0.9), say")
    first, last = (_checks.number_between(level, "band", 0.0, 1.0) for level in band)
    group = frame.groupby([by, x], sort=False)[y]
    columns = {
        "median": group.median(),
        "low": group.quantile(first),
        "high": group.quantile(last),
        "runs": group.size(),
    }
    return pd.DataFrame(columns).reset_index()


def bars(
    frame: pd.DataFrame,
    x: str,
    y: str,
    by: str | None = None,
    *,
    xlabel: str,
    ylabel: str,
    log: str = "",
    width: str = "column",
    ratio: float = 0.75,
) -> Figure:
    """Horizontal bars: a group for each value of x, with a bar of length y for each value of `by`, hatched for print.

    Args:
        frame: one row for each bar.
        x: the column of the groups' names.
        y: the column of lengths.
        by: the column that names the bars of a group, or None for single bars.
        xlabel: the label of the names.
        ylabel: the label of the lengths, with its unit.
        log: "" or "y", for the lengths.
        width: "column" or "page".
        ratio: height over width.

    Raises:
        InvalidInput: as for `lines`.
    """
    _check(frame, [x, y], [by], log, "legend")
    expect(TEXT, xlabel=xlabel, ylabel=ylabel)
    names = list(dict.fromkeys(frame[x]))
    with style.styled():
        figure = style.new_figure(width, ratio=ratio)
        axes = figure.add_subplot()
        groups = _groups(frame, by)
        thick = 0.8 / len(groups)
        for index, (name, rows) in enumerate(groups):
            k = index % len(style.COLOURS)
            places = [names.index(value) + (index - (len(groups) - 1) / 2) * thick for value in rows[x]]
            axes.barh(
                *(places, rows[y]),
                height=thick * 0.92,
                color=style.COLOURS[k],
                hatch=style.HATCHES[k],
                edgecolor="white",
                linewidth=0.3,
                label=name,
                zorder=3,
            )
        axes.set_yticks(range(len(names)), [str(name) for name in names])
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        if "y" in log:
            axes.set_xscale("log")
        axes.set_xlabel(ylabel)
        axes.set_ylabel(xlabel)
        axes.grid(visible=True, axis="x")
        if by is not None:
            _legend(figure, axes)
    return figure


def _check(frame: pd.DataFrame, columns: list[str], others: list[str | None], log: str, labels: str) -> None:
    expect_type(pd.DataFrame, frame, "the table of a figure", "pass a DataFrame of pandas")
    for column in [*columns, *(one for one in others if one is not None)]:
        _checks.known_name("column", column, [str(name) for name in frame.columns])
    if frame.empty:
        raise InvalidInput(got="a table without rows", wanted="one row or more", fix="check the settings of the run")
    expect_word(("", "x", "y", "xy"), log=log)
    expect_word(("direct", "legend"), labels=labels)


def _groups(frame: pd.DataFrame, by: str | None) -> list[tuple[str, pd.DataFrame]]:
    if by is None:
        return [("", frame)]
    return [(str(name), rows) for name, rows in frame.groupby(by, sort=False)]


def _scales(axes: Axes, log: str) -> None:
    if "x" in log:
        axes.set_xscale("log")
    if "y" in log:
        axes.set_yscale("log")


def _name(figure: Figure, axes: Axes, labels: str) -> None:
    if labels == "legend" or len(axes.lines) > 8:
        _legend(figure, axes)
    else:
        _direct_labels(figure, axes)


def _legend(figure: Figure, axes: Axes) -> None:
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=3, columnspacing=1.4)


def _direct_labels(figure: Figure, axes: Axes) -> None:
    """Each name at the right of the last point of its line, moved apart where two would overlap."""
    from matplotlib.colors import to_hex

    ends = []
    axes.autoscale_view()
    for line in axes.lines:
        points = pd.DataFrame(line.get_xydata()).dropna()
        if len(points):
            x, y = points.iloc[-1]
            height = axes.transAxes.inverted().transform(axes.transData.transform((x, y)))[1]
            ends.append((float(height), line))
    ends.sort(key=lambda end: end[0])
    points_high = figure.get_figheight() * 72 * 0.75
    heights = _apart([height for height, _ in ends], _APART / points_high)
    for place, (_, line) in zip(heights, ends, strict=True):
        axes.annotate(
            *(str(line.get_label()), (1.0, place)),
            xycoords="axes fraction",
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
            color=as_text(to_hex(line.get_color())),
        )


def _apart(places: list[float], least: float) -> list[float]:
    """Sorted positions moved at least `least` apart; each cluster keeps its mean."""
    groups: list[list[float]] = []
    for place in places:
        groups.append([place])
        while len(groups) > 1 and _lowest(groups[-1], least) - _highest(groups[-2], least) < least:
            groups[-2:] = [groups[-2] + groups[-1]]
    return [_lowest(group, least) + i * least for group in groups for i in range(len(group))]


def _lowest(group: list[float], least: float) -> float:
    return sum(group) / len(group) - least * (len(group) - 1) / 2


def _highest(group: list[float], least: float) -> float:
    return _lowest(group, least) + least * (len(group) - 1)
