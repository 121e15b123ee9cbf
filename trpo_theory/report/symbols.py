"""Characters in LaTeX: what TeX gives a meaning is escaped, symbols beyond ASCII become commands."""

from __future__ import annotations

import unicodedata

_SPECIAL = {
    **{character: "\\" + character for character in "&%#_{}$"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": "$<$", ">": "$>$", "|": "$|$", "[": "{[}", "]": "{]}"},  # after the end of a row [ begins an argument
}
"""ASCII in text."""
_SMALL = (
    "alpha beta gamma delta zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon varphi chi psi omega"
)
_LARGE = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
_GREEK = {
    **dict(zip("αβγδζηθικλμνξπρστυφχψω", _SMALL.split(), strict=True)),
    **dict(zip("ΓΔΘΛΞΠΣΥΦΨΩ", _LARGE.split(), strict=True)),
    **{"ε": "epsilon", "ϵ": "epsilon", "ϑ": "vartheta", "ϕ": "phi", "ς": "varsigma", "µ": "mu", "ℓ": "ell"},
}
_OPERATORS = {
    **{"≤": "leq", "≥": "geq", "≠": "ne", "≈": "approx", "≡": "equiv", "∼": "sim", "∝": "propto", "≪": "ll", "≫": "gg"},
    **{
        "±": "pm",
        "∓": "mp",
        "×": "times",
        "·": "cdot",
        "⋅": "cdot",
        "÷": "div",
        "∘": "circ",
        "∗": "ast",
        "⊗": "otimes",
    },
    **{"∞": "infty", "√": "surd", "∂": "partial", "∇": "nabla", "∑": "sum", "∏": "prod", "∫": "int", "†": "dagger"},
    **{"→": "to", "←": "leftarrow", "⇒": "Rightarrow", "⇔": "Leftrightarrow", "↦": "mapsto", "∈": "in", "∉": "notin"},
    **{
        "∀": "forall",
        "∃": "exists",
        "∅": "emptyset",
        "∪": "cup",
        "∩": "cap",
        "⊂": "subset",
        "⊆": "subseteq",
        "∧": "wedge",
    },
    **{
        "‖": "|",
        "⟨": "langle",
        "⟩": "rangle",
        "…": "ldots",
        "⋯": "cdots",
        "⊤": "top",
        "⊥": "perp",
        "¬": "neg",
        "∨": "vee",
    },
}
_WRITTEN = {
    "−": "-",
    "′": "'",
    "½": r"\tfrac12",
    "¼": r"\tfrac14",
    "¾": r"\tfrac34",
    "ℝ": r"\mathbb{R}",
    "𝔼": r"\mathbb{E}",
}
_SYMBOLS = {
    **{character: "\\" + name for character, name in (_GREEK | _OPERATORS).items()},
    **{"ℕ": r"\mathbb{N}", **_WRITTEN},
    **{character: f"^{digit}" for digit, character in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    **{character: f"_{digit}" for digit, character in enumerate("₀₁₂₃₄₅₆₇₈₉")},
}
"""Beyond ASCII, in mathematics; `\\mathbb` needs amssymb."""
_TEXT = {"–": "--", "—": "---", "‘": "`", "’": "'", "“": "``", "”": "''", "\u00a0": "~", "\u2011": "-", "\u202f": r"\,"}
_COMBINING = {"\u0303": "tilde", "\u0302": "hat", "\u0304": "bar", "\u0305": "bar", "\u0307": "dot"}
"""Accents of mathematics, which follow their letter: π̃."""
_LATIN = 0x180
"""Letters before this, Latin-1 and Latin Extended-A, are known to LaTeX as they are."""


def in_text(text: str, kept: str = "") -> str:
    """Plain text in LaTeX: it is printed as it stands.

    A character that pdfTeX has no glyph for stands by its number, U+4E2D.

    Args:
        text: the text.
        kept: special characters that are LaTeX already.
    """
    parts: list[str] = []
    text = unicodedata.normalize("NFC", text)
    for place, character in enumerate(text):
        following, before = text[place + 1 : place + 2], text[place - 1 : place]
        if character in _COMBINING:
            continue
        if character in kept:
            parts.append(character)
        elif following in _COMBINING and following:
            parts.append(rf"$\{_COMBINING[following]}{{{_SYMBOLS.get(character, character)}}}$")
        elif character == "-" and before == "-":  # two of them would be a dash
            parts.append("{}-")
        elif character == '"':
            parts.append("''" if before and before not in " ([" else "``")
        else:
            parts.append(_in_text(character))
    return "".join(parts)


def _in_text(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character in _SYMBOLS:
        return f"${_SYMBOLS[character]}$"
    if character in _TEXT:
        return _TEXT[character]
    if character.isspace():
        return " "
    if character.isprintable() and (ord(character) < 0x7F or 0xC0 <= ord(character) < _LATIN):
        return character
    return rf"\texttt{{U+{ord(character):04X}}}"


def in_mathematics(text: str) -> str:
    r"""A formula in which symbols beyond ASCII are commands and what would end or comment out a part is escaped.

    >>> print(in_mathematics("η(π̃) ≥ 50%"))
    \eta (\tilde{\pi }) \geq  50\%
    """
    parts: list[str] = []
    text = " ".join(unicodedata.normalize("NFC", text).split())
    for place, character in enumerate(text):
        following, escaped = text[place + 1 : place + 2], (len(text[:place]) - len(text[:place].rstrip("\\"))) % 2 == 1
        if character in _COMBINING:
            continue
        shown = f"{_SYMBOLS[character]} " if character in _SYMBOLS else character
        if (character in "%#" or (character == "&" and r"\begin" not in text)) and not escaped:
            shown = "\\" + character
        elif following in _COMBINING and following:
            shown = rf"\{_COMBINING[following]}{{{shown}}}"
        elif ord(character) >= 0x7F and character not in _SYMBOLS:
            shown = rf"\text{{{_in_text(character)}}}"
        parts.append(shown)
    return "".join(parts)
