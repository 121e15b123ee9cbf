"""LaTeX as MathML for a page that works offline, in pieces between which a line may break."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from html import escape
from itertools import pairwise
from xml.etree import ElementTree

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
_GROUPS = {"{": 1, "}": -1, r"\left": 1, r"\right": -1}
_FENCES = {"(": 1, "[": 1, r"\{": 1, ")": -1, "]": -1, r"\}": -1}
_BREAKS = {"=", "<", ">", "+", "-"} | {
    rf"\{name}" for name in ("ge", "le", "geq", "leq", "in", "Rightarrow", "propto", "approx")
}
_GAPS = {r"\quad", r"\qquad", r"\ ", r"\;"}
_LEAST, _LONG = 5, 20
"""Tokens before a relation, and before a comma, at which a formula may break; chosen by eye."""
_PROSE = re.compile(r"\$([^$]+)\$|`([^`]+)`")
_CLINGING = re.compile(r"[,.;:)\]’]+")

Piece = tuple[str, str]


@functools.lru_cache(maxsize=4096)
def typeset(latex: str) -> str:
    r"""A statement in LaTeX as HTML: MathML, and plain text for each outer \text; a line may break at relations.

    MathML does not break lines by itself. LaTeX that cannot be converted is shown as source.
    """
    return f'<span class="statement">{_joined(_set(latex), "<wbr>")}</span>'


def prose(text: str) -> str:
    """Plain text as HTML, with $LaTeX$ typeset and `code` marked."""
    pieces: list[Piece] = []
    end = 0
    for found in _PROSE.finditer(text):
        pieces.append(("text", escape(text[end : found.start()], quote=False)))
        pieces += _set(found[1]) if found[1] else [("code", f"<code>{escape(found[2], quote=False)}</code>")]
        end = found.end()
    return _joined([*pieces, ("text", escape(text[end:], quote=False))])


def _set(latex: str) -> list[Piece]:
    """Pieces of HTML, each math or text."""
    try:
        return [(kind, escape(one, quote=False) if kind == "text" else mathml(one)) for kind, one in _pieces(latex)]
    except Exception:
        return [("code", f'<code class="latex">{escape(latex, quote=False)}</code>')]


def _joined(pieces: list[Piece], between: str = "") -> str:
    """The pieces joined, without a line break between a formula and the comma that follows it."""
    parts: list[str] = []
    last = ""
    for kind, html in pieces:
        clinging = _CLINGING.match(html) if kind == "text" and last == "math" else None
        if clinging:
            parts[-1] = f'<span class="keep">{parts[-1]}{clinging[0]}</span>'
            html = html[clinging.end() :]
        parts.append(html)
        last = kind
    return between.join(part for part in parts if part)


def _pieces(latex: str) -> Iterator[Piece]:
    """("math", LaTeX) and ("text", text), cut at outer texts and gaps, before outer relations, and in long ones at commas."""
    tokens, current, groups, fences, position = _TOKEN.findall(latex), [], 0, 0, 0
    while position < len(tokens):
        token = tokens[position]
        position += 1
        outer = groups == 0 and fences == 0
        if outer and token == r"\text" and tokens[position : position + 1] == ["{"]:
            end = _matching(tokens, position)
            yield from _math(current)
            yield "text", "".join(tokens[position + 1 : end])
            current, position = [], end + 1
        elif outer and token in _GAPS:
            yield from _math(current)
            yield "text", "\u2003" if "quad" in token else " "
            current = []
        elif outer and token in _BREAKS and sum(not part.isspace() for part in current) >= _LEAST:
            yield from _math(current)
            current = ["{}", token, " "]
        elif groups == 0 and token == "," and len(current) > _LONG:
            yield from _math([*current, token])
            current = []
        else:
            groups = max(groups + _GROUPS.get(token, 0), 0)
            fences = max(fences + _FENCES.get(token, 0), 0)
            current.append(token)
    yield from _math(current)


def _math(tokens: list[str]) -> Iterator[Piece]:
    text = "".join(tokens).strip()
    if text:
        yield "math", text


def _matching(tokens: list[str], opening: int) -> int:
    depth = 0
    for position in range(opening, len(tokens)):
        depth += (tokens[position] == "{") - (tokens[position] == "}")
        if depth == 0:
            return position
    raise ValueError("braces that do not match")


def mathml(latex: str, *, block: bool = False) -> str:
    """A `<math>` element, within a line or as a block of its own."""
    from latex2mathml.converter import convert

    element = convert(latex, display="block" if block else "inline")
    root = ElementTree.fromstring(element.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', ""))
    for element in list(root.iter()):
        _repair(element)
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)


def _repair(element: ElementTree.Element) -> None:
    """Repair the converter's output: backslashes of unknown names, words split into letters, accents."""
    if element.text and re.fullmatch(r"\\[A-Za-z]+", element.text):
        element.text = element.text[1:]
    letters = list(element)
    if element.tag == "mrow" and len(letters) > 1 and all(_is_roman(child) for child in letters):
        letters[0].text = "".join(child.text or "" for child in letters)
        for child in letters[1:]:
            element.remove(child)
    for before, name in reversed(list(pairwise(element))):
        if name.tag == "mi" and len(name.text or "") > 1 and before.tag != "mo":
            element.insert(list(element).index(name), ElementTree.Element("mspace", width="0.17em"))
    if element.tag == "mover" and len(letters) == 2 and (letters[1].text or "") in "~^¯‾ˉ":
        element.set("accent", "true")


def _is_roman(element: ElementTree.Element) -> bool:
    return element.tag == "mi" and element.get("mathvariant") == "normal" and len(element) == 0
