r"""A witness as the mathematics of a paper: its matrices in exact rationals, its discount and its policies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from typing import Any

from trpo_theory.entries.kinds import TEXT, expect, expect_type
from trpo_theory.io.evidence_files import number_text
from trpo_theory.report.instance_fields import Instance, as_instance, numbers
from trpo_theory.report.mathematics import inline
from trpo_theory.report.symbols import in_text
from trpo_theory.verification.verdict import Verdict

_WIDTH = 68
"""Digits that a line of a plain article has room for. Chosen: 345 points, 5 of them a digit."""
_GROUP = 10
"""Digits of a long number after which a line may end. Chosen."""
_POLICIES = {"old": r"\pi", "new": r"\tilde\pi", "reference": r"\beta", "noise": r"\hat A - A"}
"""Fields (S, A), and their symbols in docs/glossary.md."""
_NUMBERS = {"horizon": "T", "temperature": r"\tau", "size": "h"}

Matrix = list[list[Fraction | None]]
"""None where an action cannot be taken."""


def witness_latex(source: Any) -> str:
    r"""The statement that a witness refutes, and the witness: P, r, γ, ρ₀ and the policies, as matrices of rationals.

    It needs \usepackage{amsmath,amssymb}. A matrix that is wider than a line is written entry by entry, and no number is cut.

    Args:
        source: a `Witness`, the content of its file, or the path of a .json file; anything with transition, reward and initial.

    Raises:
        InvalidInput: for a source that has no MDP.

    >>> one = {"transition": [[[1, 0], [0, 1]], [[0, 1], [0, 1]]], "reward": [[0, 1], [0, 0]], "initial": [1, 0], "gamma": "1/2"}
    >>> print(*witness_latex(one).splitlines()[3:5])
    $\gamma = \frac{1}{2}$, $\rho_0 = \left(\begin{array}{cc}1 & 0\end{array}\right)$,
    """
    instance = as_instance(source)
    parts = list(_parts(instance))
    lines = [r"% \usepackage{amsmath,amssymb}", r"{\raggedright", *_head(instance)]
    lines += [f"{part}{'.' if k == len(parts) - 1 else ','}" for k, part in enumerate(parts)]
    return "\n".join([*lines, *_foot(instance), r"\par}"]) + "\n"


def verdict_latex(verdict: Verdict, source: str = "") -> str:
    r"""A claim's statement, source and verdict as a paragraph; its witness is not in it. It needs \usepackage{amsmath,amssymb}.

    Args:
        verdict: of `verify` or `falsify`.
        source: where the claim is stated.
    """
    expect_type(Verdict, verdict, "the verdict", 'pass one, such as tt.falsify("trpo/tv-2")')
    expect(TEXT, source=source)
    said = f": {in_text(verdict.how)}" if verdict.how else ""
    lines = [
        r"% \usepackage{amsmath,amssymb}",
        rf"{{\raggedright\noindent {claim_name(verdict.id)}: {inline(verdict.statement)}.",
        *([f"Source: {in_text(source)}."] if source else []),
        f"Verdict: {in_text(str(verdict.verdict))}{said}.",
        r"\par}",
    ]
    return "\n".join(lines) + "\n"


def claim_name(claim_id: str) -> str:
    """An id in LaTeX, in which a line may end after a slash or a hyphen."""
    broken = in_text(claim_id).replace("/", r"/\allowbreak{}").replace("-", r"-\allowbreak{}")
    return rf"\texttt{{{broken}}}"


def _head(instance: Instance) -> Iterator[str]:
    fields = instance.fields
    size = f"{_plural(instance.states, 'state')}, {_plural(instance.actions, 'action')}"
    name = fields.get("claim") or fields.get("bound")
    if isinstance(name, str):
        statement = f": {inline(str(fields['statement']))}" if fields.get("statement") else ""
        kind = "refutes" if fields.get("kind") == "refutation" else "is for"
        yield rf"\noindent This MDP ({size}) {kind} {claim_name(name)}{statement}."
    else:
        yield rf"\noindent An MDP of {size}:"


def _foot(instance: Instance) -> Iterator[str]:
    masked = not all(instance.is_available(s, a) for s in range(instance.states) for a in range(instance.actions))
    yield (
        r"Entry $(s, s')$ of $P_a$ is $P(s' \mid s, a)$; rows of other matrices are states, columns actions, from 0 on"
        + (", with a dash where an action cannot be taken." if masked else ".")
    )
    slack = instance.fields.get("slack")
    if isinstance(slack, (list, tuple)) and len(slack) == 2:
        low, high = map(_bare, numbers(list(slack)))
        yield f"The slack is ${low}$." if low == high else rf"The slack is in $[{low}, {high}]$."


def _parts(instance: Instance) -> Iterator[str]:
    """Each number, vector and matrix, as inline mathematics."""
    fields, rows = instance.fields, range(instance.states)
    if fields.get("gamma") is not None:
        yield rf"$\gamma = {_number(numbers(fields['gamma']))}$"
    for name, symbol in _NUMBERS.items():
        if fields.get(name) is not None and (name != "size" or numbers(fields[name]) != 1):
            yield f"${symbol} = {_number(numbers(fields[name]))}$"
    yield _set(r"\rho_0", [list(instance.initial)], ("s",))
    for name, symbol in (("transition", "P"), ("model", r"\hat P")):
        if fields.get(name) is not None:
            table = numbers(fields[name])
            for a in range(instance.actions):
                able = [instance.is_available(s, a) for s in rows]
                matrix: Matrix = [table[s][a] if able[s] else [None] * instance.states for s in rows]
                yield _set(f"{symbol}_{{{a}}}", matrix, ("s", "s'"))
    yield _by_action(instance, "r", instance.reward)
    for name, symbol in _POLICIES.items():
        if fields.get(name) is not None:
            yield from _steps(instance, symbol, numbers(fields[name]))
    for name, symbol in (("costs", "c"), ("references", r"\pi")):
        if fields.get(name) is not None:
            yield from _layers(instance, symbol, fields[name])
    if fields.get("weights") is not None:
        yield _set("w", [numbers(fields["weights"])], ("k",))
    if fields.get("groups") is not None:
        yield f"states share rows by the groups $({', '.join(map(str, fields['groups']))})$"


def _steps(instance: Instance, symbol: str, table: Any) -> Iterator[str]:
    """A policy, or one for each step."""
    if not isinstance(table[0][0], list):
        yield _by_action(instance, symbol, table)
        return
    for t, one in enumerate(table):
        yield _by_action(instance, f"{symbol}_{{{t}}}", one)


def _layers(instance: Instance, symbol: str, value: Any) -> Iterator[str]:
    """Costs by name or along the last axis, and references along the last axis."""
    if hasattr(value, "items"):
        for name, table in value.items():
            yield _by_action(instance, rf"{symbol}_{{\text{{{in_text(str(name))}}}}}", numbers(table))
        return
    table = numbers(value)
    for k in range(len(table[0][0])):
        yield _by_action(instance, f"{symbol}_{{{k}}}", [[entry[k] for entry in row] for row in table])


def _by_action(instance: Instance, symbol: str, table: Sequence[Sequence[Fraction]]) -> str:
    matrix: Matrix = [
        [entry if instance.is_available(s, a) else None for a, entry in enumerate(row)] for s, row in enumerate(table)
    ]
    return _set(symbol, matrix, ("s", "a"))


def _set(symbol: str, matrix: Matrix, axes: tuple[str, ...]) -> str:
    """symbol = matrix; entry by entry where the matrix is wider than a line."""
    columns = list(zip(*matrix, strict=True))
    wide = sum(max(map(_letters, column)) + 2 for column in columns) + len(symbol)
    if wide > _WIDTH:
        return ", ".join(_entries(symbol, matrix, row=len(axes) == 1))
    body = r"\\".join(" & ".join(map(_number, row)) for row in matrix)
    stretch = r"\renewcommand{\arraystretch}{1.5}" if any("frac" in _number(x) for row in matrix for x in row) else ""
    text = rf"\left(\begin{{array}}{{{'c' * len(columns)}}}{body}\end{{array}}\right)"
    return f"${{{stretch}{symbol} = {text}}}$" if stretch and len(matrix) > 1 else f"${symbol} = {text}$"


def _entries(symbol: str, matrix: Matrix, *, row: bool) -> Iterator[str]:
    """Entries other than 0 in a text, in which lines may end within a long number."""
    for s, entries in enumerate(matrix):
        for a, entry in enumerate(entries):
            place = f"{a}" if row else f"{s}, {a}"
            if entry is not None and entry:
                yield f"${symbol}({place}) = {_broken(entry)}$"
    yield f"and 0 for the other entries of ${symbol}$"


def _letters(entry: Fraction | None) -> float:
    """The width of a number, in digits."""
    if entry is None or not isinstance(entry, Fraction):
        return 1
    parts = len(str(abs(entry.numerator))), len(str(entry.denominator))
    return (entry < 0) + (parts[0] if entry.denominator == 1 else 0.8 * max(parts))


def _number(entry: Fraction | None) -> str:
    r"""A rational: -\frac{1}{3}; a dash where there is none."""
    if not isinstance(entry, Fraction):
        return "-" if entry is None else r"-\infty"
    if entry.denominator == 1:
        return str(entry.numerator)
    return rf"{'-' * (entry < 0)}\frac{{{abs(entry.numerator)}}}{{{entry.denominator}}}"


def _bare(entry: Fraction) -> str:
    """A number of a text: a short rational as a fraction, a decimal as one."""
    if _letters(entry) <= _GROUP / 2:
        return _number(entry)
    text = number_text(entry)
    return _broken(entry) if "/" in text else text


def _broken(entry: Fraction) -> str:
    """A long rational as a/b, in which a line may end after every ten digits."""
    parts = [str(entry.numerator)] + ([str(entry.denominator)] if entry.denominator != 1 else [])
    return r"/\allowbreak ".join(r"\allowbreak ".join(_tens(part)) for part in parts)


def _tens(digits: str) -> Iterable[str]:
    for _, group in groupby(enumerate(digits), key=lambda pair: pair[0] // _GROUP):
        yield "".join(digit for _, digit in group)


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
