"""The statement of a claim as inline mathematics of a paper, whatever its author wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trpo_theory.report.symbols import in_mathematics, in_text

_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|.", re.DOTALL)
_GAPS = (r"\quad", r"\qquad", r"\ ", r"\;")
_TEXTS = (r"\text", r"\textrm", r"\textit", r"\textbf", r"\mbox")
_LONG = (r"\max", r"\min", r"\sum", r"\sqrt", r"\mathbb")
"""Before these, after a fraction, a line may end, too, where nothing better is left."""
_LAST_RESORT = r"\penalty900 "
"""Of such an end. Derived: above TeX's 500 after a relation and 700 after a sign, and below 10000, which forbids it."""
_PAIRS = {"{": "}", r"\left": r"\right"}
_FORMULA = re.compile(r"\\[A-Za-z]|[\^_]")


def inline(statement: str) -> str:
    r"""A statement in LaTeX: inline mathematics, in which a line may end after a relation, a sign or a comma.

    Plain words, and words with $mathematics$, are set as text; what TeX would stop at (braces that do not match, two subscripts
    in a row) is shown as it was written.

    >>> print(inline(r"x \ge 0,\ \text{ for all } a_b"))
    $x \ge 0,$ $\ $ for all $a_b$
    >>> print(inline("L - ..."), inline("a_b%c"), inline(r"\frac{1"))
    L - ... $a_b\%c$ \texttt{\textbackslash{}frac\{1}
    """
    if "$" in statement:
        pieces = statement.split("$")
        if len(pieces) % 2 == 0 or not all(map(_is_safe, pieces[1::2])):
            return _as_written(statement)
        return "".join(_formula(piece) if i % 2 else in_text(piece) for i, piece in enumerate(pieces))
    if not is_formula(statement):
        return in_text(statement)
    return _formula(statement) if _is_safe(statement) else _as_written(statement)


def is_formula(statement: str) -> bool:
    """Whether a statement is one formula in LaTeX, not words, or words with $mathematics$."""
    return "$" not in statement and bool(_FORMULA.search(statement))


def _as_written(statement: str) -> str:
    return rf"\texttt{{{in_text(statement)}}}"


def _formula(latex: str) -> str:
    """In pieces between which a line may end: the outermost texts, and commas before a gap."""
    shown = " ".join(f"${piece}$" if kind == "math" else piece for kind, piece in _pieces(latex))
    return re.sub(r"\$ ([,.;:)])", r"$\1", shown)


def _pieces(latex: str) -> Iterator[tuple[str, str]]:
    tokens, current, depth, place = _TOKEN.findall(in_mathematics(latex)), list[str](), 0, 0
    while place < len(tokens):
        token = tokens[place]
        place += 1
        depth += (token in _PAIRS) - (token in _PAIRS.values())
        if depth == 0 and token == r"\text" and tokens[place : place + 1] == ["{"]:
            end = _closing(tokens, place)
            yield from _mathematics(current)
            yield "text", "".join(tokens[place + 1 : end]).strip()
            current, place = [], end + 1
        elif depth == 0 and token in _GAPS:
            yield from _mathematics(current)
            current = [token + (" " if token[-1].isalpha() else "")]
        else:
            long = depth == 0 and token in _LONG and current[-1:] == ["}"]
            current += [_LAST_RESORT, token] if long else [token]
    yield from _mathematics(current)


def _mathematics(tokens: list[str]) -> Iterator[tuple[str, str]]:
    text = "".join(tokens).lstrip()
    if text.strip():
        yield "math", text if text.endswith("\\ ") else text.rstrip()


def _closing(tokens: list[str], opening: int) -> int:
    """The place of the brace that matches the one at `opening`."""
    depth = 0
    for place in range(opening, len(tokens)):
        depth += (tokens[place] == "{") - (tokens[place] == "}")
        if depth == 0:
            return place
    raise ValueError("braces that do not match")


def _is_safe(latex: str) -> bool:
    """Whether TeX can set it, so far as that is seen without its macros: pairs match, no script follows one of its kind."""
    tokens = [token for token in _TOKEN.findall(latex) if not token.isspace()]
    expected: list[str] = []
    for place, token in enumerate(tokens):
        if token in _PAIRS:
            expected.append(_PAIRS[token])
        elif token in _PAIRS.values() and (not expected or expected.pop() != token):
            return False
        if token in _TEXTS and not _is_plain(tokens, place + 1):
            return False
    return not expected and tokens[-1:] != ["\\"] and _scripts_are_single(tokens)


def _is_plain(tokens: list[str], opening: int) -> bool:
    """Whether a text has no scripts, which TeX knows in mathematics only."""
    if tokens[opening : opening + 1] != ["{"]:
        return True
    try:
        inside = tokens[opening : _closing(tokens, opening)]
    except ValueError:
        return False
    return not {"^", "_", "$"} & set(inside)


def _scripts_are_single(tokens: list[str]) -> bool:
    """Whether no base has two subscripts or two superscripts, and each script has something to raise or lower."""
    seen: set[str] = set()
    place = 0
    while place < len(tokens):
        token = tokens[place]
        place += 1
        if token not in ("^", "_"):
            seen = {*seen, "'"} if token == "'" and "^" not in seen else seen if token == "}" else set()
            if token == "'" and not seen:
                return False
            continue
        following = tokens[place : place + 1]
        if token in seen or not following or following[0] in ("^", "_", "}", r"\right"):
            return False
        seen.add(token)
        if following == ["{"]:
            end = _closing(tokens, place)
            if not _scripts_are_single(tokens[place + 1 : end]):
                return False
            place = end + 1
        else:
            place += 1
    return True
