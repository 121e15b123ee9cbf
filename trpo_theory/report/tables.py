"""A DataFrame as a table of a paper: rounded numbers, a caption and a label."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any

import pandas as pd

from trpo_theory import _checks
from trpo_theory._outward import Toward
from trpo_theory.entries.kinds import MAPPING, SERIES, TEXT, TRUTH, expect, expect_type
from trpo_theory.errors import InvalidInput
from trpo_theory.report import cells
from trpo_theory.report.cells import show
from trpo_theory.report.mathematics import inline, is_formula

__all__ = ["Table", "show"]

_PROSE = 0.3
"""Share of the text's width that columns of sentences have together. Chosen: five short columns fit beside them."""
_MANY_COLUMNS = 10
"""A table with more columns is set in a smaller font in LaTeX; chosen: so many fit a page."""

_FIELDS = (
    ("caption", "label", "plain_caption"),
    ("scientific", "mark", "prose", "mathematics"),
    ("headings", "digits", "outward", "uncertainty", "widths"),
)
"""Fields of a `Table` that are texts, several, and mappings."""


@dataclass(frozen=True, eq=False)
class Table:
    """A table with its caption, label, headings and the format of its numbers.

    Attributes:
        frame: the data; the CSV has the same columns, unrounded.
        caption, label: for LaTeX and Markdown.
        headings: for each column, its heading in LaTeX and in plain text (Markdown, HTML and the terminal).
        digits: significant digits shown, by column; 4 for the others.
        scientific: columns shown with powers of ten throughout, so that numbers of very different size align.
        outward: columns of proved ends, each with the direction in which its digits are rounded; the others to nearest.
        uncertainty: for a column, the column of its standard errors; both are shown in one, 0.123 ± 0.004.
        mark: cells shown in bold, as (position of the row, column).
        prose: columns of sentences, whose lines are broken in LaTeX so that the table fits the text's width.
        widths: of those columns, as shares of the text's width; by default they have 0.3 of it together.
        mathematics: columns of formulas in LaTeX.
        long: whether it may be broken over pages in LaTeX.
        plain_caption: the caption without LaTeX, for Markdown and HTML; by default the caption itself.

    Raises:
        InvalidInput: for an option that names a missing column or row.
    """

    frame: pd.DataFrame
    caption: str
    label: str
    headings: dict[str, tuple[str, str]] = field(default_factory=dict)
    digits: dict[str, int] = field(default_factory=dict)
    scientific: tuple[str, ...] = ()
    outward: dict[str, Toward] = field(default_factory=dict)
    uncertainty: dict[str, str] = field(default_factory=dict)
    mark: tuple[tuple[int, str], ...] = ()
    plain_caption: str = ""
    prose: tuple[str, ...] = ()
    widths: dict[str, float] = field(default_factory=dict)
    mathematics: tuple[str, ...] = ()
    long: bool = False

    def __post_init__(self) -> None:
        self._check_types()
        columns = [str(name) for name in self.frame.columns]
        used = [
            *(*self.prose, *self.widths, *self.mathematics),
            *self.scientific,
            *self.outward,
            *self.uncertainty,
            *self.uncertainty.values(),
            *(column for _, column in self.mark),
        ]
        for name in used:
            _checks.known_name("column", name, columns)
        for row, column in self.mark:
            if not 0 <= row < len(self.frame) or column in self.uncertainty.values():
                raise InvalidInput(
                    got=f"a mark at row {row}, column {column!r}",
                    wanted=f"a row from 0 to {len(self.frame) - 1} and a column that is shown",
                    fix="give positions, not labels of the index",
                )

    def _check_types(self) -> None:
        expect_type(pd.DataFrame, self.frame, "the data of a table", "pass a DataFrame of pandas")
        texts, series, mappings = _FIELDS
        for kind, names in ((TEXT, texts), (SERIES, series), (MAPPING, mappings), (TRUTH, ("long",))):
            expect(kind, **{name: getattr(self, name) for name in names})
        for one in self.mark:
            if not (isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], int)):
                raise InvalidInput(
                    got=f"mark = {one!r}", wanted="pairs (row, column)", fix='write mark=((0, "holds"),), say'
                )

    def heading(self, column: str, *, latex: bool = False) -> str:
        """The heading of a column."""
        default = (cells.latex(column), column)
        return self.headings.get(column, default)[0 if latex else 1]

    def shown(self) -> pd.DataFrame:
        """The frame as strings, rounded; a column of standard errors is merged into the column it belongs to."""
        errors = set(self.uncertainty.values())
        return pd.DataFrame({name: self._shown(name) for name in self.frame if name not in errors})

    def _shown(self, name: Any) -> list[str]:
        digits = self.digits.get(name, 4)
        if name in self.uncertainty:
            pairs = zip(self.frame[name], self.frame[self.uncertainty[name]], strict=True)
            return [cells.show_uncertain(value, error, digits) for value, error in pairs]
        how: Any = {"scientific": name in self.scientific, "toward": self.outward.get(name)}
        return [show(value, digits, **how) for value in self.frame[name]]

    def _cells(self, name: Any, texts: Any, form: Any) -> list[str]:
        if name in self.mathematics and form in _FORMULAS:
            return [_FORMULAS[form](text) for text in texts]
        marked = {row for row, column in self.mark if column == name}
        return [form(text, bold=row in marked) for row, text in enumerate(texts)]

    def to_markdown(self) -> str:
        """A Markdown table under its caption."""
        frame = self.shown()
        align = ["right" if _numeric(frame[name]) else "left" for name in frame]
        frame = pd.DataFrame({name: self._cells(name, frame[name], cells.markdown) for name in frame})
        frame = frame.rename(columns=self.heading)
        caption = self.plain_caption or self.caption
        return f"{caption}\n\n{frame.to_markdown(index=False, disable_numparse=True, colalign=align)}\n"

    def to_latex(self) -> str:
        r"""A table environment with booktabs' rules and siunitx' alignment, which compiles in any document class.

        It needs \usepackage{booktabs,siunitx,amsmath}; for columns of sentences array, for formulas amssymb, and longtable where
        it is long. `packages` has those of this table.

        A column is aligned at its decimal marker (S) where that is possible, else at the right (numbers) or the left.
        """
        frame = self.shown()
        formats, headings, columns = [], [], {}
        for name in frame:
            aligned = cells.table_format(frame[name])
            formats.append(self._column_format(name, aligned, _numeric(frame[name])))
            columns[name] = self._cells(name, frame[name], cells.siunitx if aligned else cells.latex)
            if name in self.widths:
                columns[name] = [_breakable(text) for text in columns[name]]
            heading = self.heading(name, latex=True)
            headings.append(f"{{{heading}}}" if aligned else heading)
        frame = pd.DataFrame(columns)
        frame.columns = headings
        kind: dict[str, Any] = {"environment": "longtable"} if self.long else {"position_float": "centering"}
        text = frame.style.hide(axis="index").to_latex(
            column_format="".join(formats),
            hrules=True,
            caption=cells.caption(self.caption),
            label=self.label,
            position=None if self.long else "tbp",
            **kind,
        )
        if self.widths:  # rows of several lines each
            head, rule, body = text.partition("\\midrule\n")
            text = (
                head
                + rule
                + body.replace("\\\\\n", "\\\\\\addlinespace\n").replace(
                    "\\addlinespace\n\\bottomrule", "\n\\bottomrule"
                )
            )
        settings = self._settings(formats)
        if self.long:
            return f"{{{settings}\n{text.rstrip()}\n}}\n"
        return text.replace(r"\begin{tabular}", f"{settings}\n\\begin{{tabular}}").replace(
            r"\centering", "\\centering\\setlength{\\belowcaptionskip}{4pt}"
        )

    @property
    def packages(self) -> tuple[str, ...]:
        """Of LaTeX, which `to_latex` needs."""
        names = ["booktabs", "siunitx", "amsmath"]
        names += ["array"] if self.prose or self.widths else []
        names += ["amssymb"] if self.mathematics or r"\mathbb" in self.to_latex() else []
        return (*names, *(["longtable"] if self.long else []))

    def _column_format(self, name: Any, aligned: str | None, numeric: bool) -> str:
        if name in self.prose or name in self.widths:
            share = self.widths.get(name, _PROSE / max(len(self.prose), 1))
            return rf">{{\raggedright\arraybackslash}}p{{{share:.2f}\textwidth}}"
        return aligned or ("r" if numeric else "l")

    def _settings(self, formats: list[str]) -> str:
        text = r"\footnotesize\setlength{\tabcolsep}{3pt}"
        if len(formats) > _MANY_COLUMNS:
            text = r"\scriptsize\setlength{\tabcolsep}{2pt}\medmuskip=1mu"
        if any(column.startswith("S") for column in formats):
            bold = ", detect-weight, mode=text" if self.mark else ""
            text += rf"\sisetup{{exponent-product=\cdot, group-minimum-digits=20{bold}}}"
        return text

    def to_html(self, *, caption: bool = False) -> str:
        """A `<table>`: numbers have the class "number", with the unrounded value in a `<data>` element.

        Args:
            caption: whether to add a `<caption>`, for a table outside a page.
        """
        frame = self.shown()
        numeric = {name: _numeric(frame[name]) for name in frame}
        kind = {name: ' class="number"' if numeric[name] else "" for name in frame}
        head = "".join(f'<th scope="col"{kind[name]}>{escape(self.heading(name))}</th>' for name in frame)
        tag = {name: "td" if column or numeric[name] else 'th scope="row"' for column, name in enumerate(frame)}
        columns = [
            [
                f"<{tag[name] if inside else 'td'}{kind[name]}>{_data(inside, value) if numeric[name] else inside}"
                f"</{tag[name][:2] if inside else 'td'}>"
                for inside, value in zip(self._cells(name, frame[name], cells.html), self.frame[name], strict=True)
            ]
            for name in frame
        ]
        lines = [
            f'<table id="{escape(self.label)}">',
            *([f"<caption>{escape(self.plain_caption or self.caption)}</caption>"] if caption else []),
            f"<thead>\n<tr>{head}</tr>\n</thead>",
            "<tbody>",
            *(f"<tr>{''.join(row)}</tr>" for row in zip(*columns, strict=True)),
            "</tbody>\n</table>",
        ]
        return "\n".join(lines) + "\n"

    def to_csv(self) -> str:
        """All digits, so that the same settings give the same bytes."""
        return self.frame.to_csv(index=False, lineterminator="\n")


def _markdown_formula(text: str) -> str:
    return cells.markdown(f"${text}$") if is_formula(text) else cells.markdown(text)


def _html_formula(text: str) -> str:
    from trpo_theory.report.page.statement import typeset

    return typeset(text) if is_formula(text) else escape(text)


_FORMULAS: dict[Any, Callable[[str], str]] = {
    cells.latex: inline,
    cells.markdown: _markdown_formula,
    cells.html: _html_formula,
}
"""How a cell of a column of formulas is written, by how another one is."""


def _breakable(text: str) -> str:
    """An id in a narrow column: a line may end after a slash."""
    return text if " " in text or "$" in text else text.replace("/", r"/\allowbreak{}")


def _numeric(column: Any) -> bool:
    """Whether every cell is a number, a number in brackets, or empty."""
    return all(not cell or cells.is_number(cell) or cells.is_number(cell.strip("()")) for cell in column)


def _data(inside: str, value: Any) -> str:
    """The shown number in a `<data>` element with its unrounded value, for scripts (infinity is Infinity)."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return inside
    exact = repr(float(value)) if isinstance(value, float) else str(value)
    if isinstance(value, float) and math.isinf(value):
        exact = "Infinity" if value > 0 else "-Infinity"
    return f'<data value="{exact}">{inside}</data>'
