"""One style for every figure: the widths of a paper, colours that are safe for colour-blind readers, and reproducible files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trpo_theory._checks import known_name, number_between
from trpo_theory.entries.kinds import PATH, TEXT, expect, expect_type
from trpo_theory.errors import InvalidInput
from trpo_theory.io._atomic import atomic_write
from trpo_theory.io._source import expect_no_device
from trpo_theory.report.table_files import made_directory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHORT_LOG = 30.0
"""A logarithmic axis over less than this ratio has 1, 2 and 5 of its powers, as plain numbers. Chosen: a decade and a half."""

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE = (
    *("#000000", "#E69F00", "#56B4E9", "#009E73"),
    *("#F0E442", "#0072B2", "#D55E00", "#CC79A7"),
)
"""Okabe and Ito's colours (2008): distinguishable with every kind of colour blindness."""
COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK)
"""In the order of the series; yellow is too pale for a line on white."""
MARKERS = ("o", "s", "D", "^", "v", "P", "X")
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (1, 1)),
    (0, (5, 1.5, 1, 1.5)),
    (0, (8, 2)),
    (0, (3, 1, 1, 1, 1, 1)),
    "-",
)
UPDATES = ((VERMILLION, "o"), (BLUE, "s"), (GREEN, "D"), (PURPLE, "^"), (ORANGE, "v"))
"""Colour and marker of update problems, in the order (11), (12), (13), the practical step, others."""
HATCHES = ("", "///", "...", "\\\\\\", "xxx", "---", "ooo")
GREY = "0.35"

_NOTHING: dict[str, dict[str, Any]] = {
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    ".png": {"Software": None},
}
"""The metadata of files by their suffix: no date and no version."""

WIDTH = {"column": 3.4, "page": 7.0}
"""Inches: one column of a two-column paper, and both."""
_RATIOS = 0.01, 100.0
"""Of height over width. Chosen: what any figure is within."""

_SETTINGS: dict[str, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "mathtext.fontset": "dejavusans",
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8.0,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "legend.fontsize": 7.0,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "grid.linewidth": 0.4,
    "grid.color": "0.88",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.0,
    "hatch.linewidth": 0.5,
}


@contextmanager
def styled() -> Iterator[None]:
    """A context in which figures are drawn in this style; matplotlib's settings are restored at its end."""
    import matplotlib

    settings: Any = {**matplotlib.rcParamsDefault, **_SETTINGS}
    settings.pop("backend", None)
    with matplotlib.rc_context(settings):
        yield


def new_figure(width: str = "column", *, ratio: float = 0.75) -> Figure:
    """An empty figure of a paper's width ("column" or "page") and of height ratio × width, not registered with pyplot."""
    from matplotlib.figure import Figure

    inches = WIDTH[known_name("width of a figure", width, WIDTH)]
    ratio = number_between(ratio, "ratio", *_RATIOS)
    return Figure(figsize=(inches, inches * ratio), layout="constrained")


def save(figure: Figure, directory: str | Path, name: str) -> list[Path]:
    """Write NAME.pdf (vectors, embedded TrueType) and NAME.png (300 dpi), each atomically.

    The same figure gives the same bytes: the files contain no date and no version.
    """
    expect(TEXT, name=name)
    directory = made_directory(directory)
    return [save_as(figure, directory / f"{name}{suffix}") for suffix in _NOTHING]


def save_as(figure: Figure, path: str | Path) -> Path:
    """Write one file, .pdf or .png, atomically.

    Raises:
        InvalidInput: for another suffix.
    """
    from matplotlib.figure import Figure

    path = checked_figure_path(path)
    expect_type(Figure, figure, "the figure", "pass what a function of trpo_theory.report drew")
    number_short_log_axes(figure)
    with styled(), atomic_write(path) as file:
        figure.savefig(file, format=path.suffix[1:].lower(), metadata=_NOTHING[path.suffix.lower()])
    return path


def checked_figure_path(path: str | Path) -> Path:
    """The path of a figure.

    Raises:
        InvalidInput: for a suffix that is not .pdf or .png, and a directory that is not there.
    """
    expect(PATH, path=path)
    path = Path(path)
    expect_no_device(path, tuple(_NOTHING))
    if path.suffix.lower() not in _NOTHING:
        raise InvalidInput(
            got=f"the figure {str(path)!r}",
            wanted="a name that ends in .pdf or .png",
            fix=f"write {path.stem or 'figure'}.pdf",
        )
    if not path.parent.is_dir():
        raise InvalidInput(
            got=f"the figure {str(path)!r}, whose directory is not there",
            wanted="a directory that exists",
            fix="make it first",
        )
    return path


def number_short_log_axes(figure: Figure) -> None:
    """Few plain numbers where matplotlib writes 2×10⁰, 3×10⁰, 4×10⁰, ... one over the other."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = axis.get_view_interval()
        if axis.get_scale() == "log" and 0 < low < high < _SHORT_LOG * low:
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(NullFormatter())
