"""Names of the update problems for readers, who know penalty, max-KL and mean-KL, and not the numbers (11), (12), (13)."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from trpo_theory.report.tables import Table

PROBLEMS = {"(11)": "penalty", "(12)": "max-KL", "(13)": "mean-KL"}
"""By the number in docs/theory.md, which frames have as a key."""


def named(label: str) -> str:
    """A label with names in place of numbers.

    >>> named("(11) chain-rule/kl"), named("(12) max-KL"), named("(13), 0.01")
    ('penalty chain-rule/kl', 'max-KL', 'mean-KL, 0.01')
    """
    for number, name in PROBLEMS.items():
        label = label.replace(f"{number} {name}", name).replace(number, name)
    return label


def in_prose(text: str) -> str:
    """Sentences with names in place of numbers.

    >>> in_prose("Problem (11) is monotone; the radius of (12) and (13)")
    'The penalty problem is monotone; the radius of the max-KL and the mean-KL problem'
    """
    text = re.sub(r"\bof (\(1[123]\)) and (\(1[123]\))", r"of the \1 and the \2 problem", text)
    text = re.sub(r"\b([Pp])roblem (\(1[123]\))", lambda found: f"{_ARTICLE[found[1]]} {found[2]} problem", text)
    return named(re.sub(r"\bof (\(1[123]\))(?! (?:problem|and))", r"of the \1 problem", text))


_ARTICLE = {"P": "The", "p": "the"}


def with_names(table: Table) -> Table:
    """A table whose cells, plain headings and plain caption have names in place of numbers."""

    def cell(value: Any) -> Any:
        return named(value) if isinstance(value, str) else value

    frame = table.frame.map(cell)
    headings = {name: (latex, named(plain)) for name, (latex, plain) in table.headings.items()}
    for name in map(str, table.frame.columns):
        if name not in headings and named(name) != name:
            headings[name] = (named(name), named(name))
    plain = in_prose(table.plain_caption or table.caption)
    return dataclasses.replace(table, frame=frame, headings=headings, plain_caption=plain)
