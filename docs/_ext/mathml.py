"""Formulas as MathML, made when the pages are built: they need neither JavaScript nor a network."""

from __future__ import annotations

import re
from html import escape
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from trpo_theory.report.page.statement import mathml

LOGGER = logging.getLogger(__name__)
TAG = re.compile(r"\\tag\{(.*?)\}")
FENCE = re.compile(
    r"\\(?P<size>[bB]igg?)(?P<side>[lr]?)\s*(?P<of>\\[lr]?[vV]ert|\\[lr]brace|\\[{}|]|[|(\[\])])|\\(?P<plain>[lr][vV]ert)(?![A-Za-z])"
)
"""A delimiter of a given size, and a bar that says on which side it stands: the converter knows neither well."""
SIZES = {"big": "1.2em", "Big": "1.62em", "bigg": "2.05em", "Bigg": "2.47em"}
FIRST = 0xE000
"""Of the private characters that stand for fences until the formula is converted."""


def inline(writer: Any, node: nodes.Element) -> None:
    """A formula within a line."""
    writer.body.append(_converted(node, node.astext()))
    raise nodes.SkipNode


def display(writer: Any, node: nodes.Element) -> None:
    r"""A formula on a line of its own, its \tag beside it."""
    latex = node.astext()
    tags = "".join(f'<span class="tag">({escape(tag)})</span>' for tag in TAG.findall(latex))
    formula = _converted(node, TAG.sub("", latex), block=True)
    writer.body.append(f'<div class="formula"><div class="scroll">{formula}</div>{tags}</div>')
    raise nodes.SkipNode


def _converted(node: nodes.Element, latex: str, *, block: bool = False) -> str:
    try:
        return converted(latex, block=block)
    except Exception as error:
        LOGGER.warning("a formula that cannot be converted: %s (%r)", latex, error, location=node)
        return f"<code>{escape(latex)}</code>"


def converted(latex: str, *, block: bool = False) -> str:
    """LaTeX as MathML, with fences and the limits of max and min as TeX has them."""
    fences: list[dict[str, str]] = []

    def stand_in(match: re.Match[str]) -> str:
        fences.append(_fence(match))
        return chr(FIRST + len(fences) - 1)

    root = ElementTree.fromstring(mathml(FENCE.sub(stand_in, latex), block=block))
    for element in root.iter():
        text = element.text or ""
        if len(text) == 1 and FIRST <= ord(text) < FIRST + len(fences):
            attributes = fences[ord(text) - FIRST]
            element.tag, element.text, element.attrib = "mo", attributes["glyph"], {**attributes}
            del element.attrib["glyph"]
        elif element.tag == "mo" and text in ("|", "‖") and "form" not in element.attrib:
            element.attrib |= {"lspace": "0", "rspace": "0"}
        elif element.tag == "mo" and text == "∞":
            element.tag = "mi"
        elif element.tag == "mo" and len(text) > 1 and text.isalpha():
            element.attrib |= {"lspace": "0.1em", "rspace": "0.17em", "movablelimits": "true"}
    for element in root.iter("msub"):
        if block and (element[0].text or "") in ("max", "min", "sup", "inf", "lim", "liminf"):
            element.tag = "munder"
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)


def _fence(match: re.Match[str]) -> dict[str, str]:
    """The attributes of an <mo>, and its glyph."""
    name = (match["of"] or match["plain"]).lstrip("\\")
    glyph = {"vert": "|", "lvert": "|", "rvert": "|", "Vert": "‖", "lVert": "‖", "rVert": "‖", "|": "‖"}.get(name)
    glyph = glyph or {"lbrace": "{", "rbrace": "}"}.get(name, name if match["of"] != r"\|" else "‖")
    if match["of"] == "|":
        glyph = "|"
    side = match["side"] or (name[0] if name[:1] in ("l", "r") else "")
    form = {"l": "prefix", "r": "postfix"}.get(side, "postfix")
    size = SIZES.get(match["size"] or "")
    sized = {"stretchy": "true", "minsize": size, "maxsize": size} if size else {"stretchy": "false"}
    return {"glyph": glyph, "form": form, "lspace": "0", "rspace": "0", "fence": "true", **sized}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
