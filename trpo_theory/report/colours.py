"""Colours of a figure on dark paper and as text: the same hue, at a lightness at which it can be read."""

from __future__ import annotations

import functools
import math
from itertools import pairwise

Rgb = tuple[float, float, float]

_GREYISH = 0.09
"""Chroma below which a colour is ink, paper or a pale field, whose lightness is inverted. Chosen: below Okabe and Ito's."""
_PALE = (0.85, 0.15)
"""Above this lightness and below this chroma a colour is of a pale field, too. Chosen: between it and Okabe and Ito's yellow."""
_INVERTED = ((0.0, 0.91), (0.5, 0.63), (0.62, 0.42), (1.0, 0.21))
"""Lightness on white, and on dark paper. The ends are the page's --ink and --paper; between them, chosen: greys of letters stay
legible, and fields behind lines are dim."""
_BRIGHT = 0.70
"""The least lightness of a colour on dark paper. Chosen: a contrast above 4.5 with it for every hue."""
TEXT_CONTRAST = 4.5
"""The contrast of text with its ground that WCAG 2.2 asks for, level AA."""
_OUTSIDE = 1e-4
"""How far a part may be outside the gamut: a level is 1/255."""
_STEPS = 24
"""Of a bisection: far below the 256 levels of a channel."""


@functools.cache
def on_dark(colour: str) -> str:
    """What a colour on white becomes on dark paper: ink and pale fields are inverted, the others at least bright."""
    lightness, chroma, hue = _lch(_rgb(colour))
    if chroma < _GREYISH or (lightness > _PALE[0] and chroma < _PALE[1]):
        return _hex(_in_gamut(_inverted(lightness), chroma, hue))
    return _hex(_in_gamut(max(lightness, _BRIGHT), chroma, hue))


def _inverted(lightness: float) -> float:
    """Linear between the points of the table."""
    for (start, above), (end, below) in pairwise(_INVERTED):
        if lightness <= end:
            return above + (below - above) * (lightness - start) / (end - start)
    return _INVERTED[-1][1]


@functools.cache
def as_text(colour: str) -> str:
    """A colour darkened until text in it is legible on white (contrast 4.5)."""
    _, chroma, hue = lch = _lch(_rgb(colour))
    if contrast(colour, "#ffffff") >= TEXT_CONTRAST:
        return colour
    low, high = 0.0, lch[0]
    for _ in range(_STEPS):
        middle = (low + high) / 2
        legible = contrast(_hex(_in_gamut(middle, chroma, hue)), "#ffffff") >= TEXT_CONTRAST
        low, high = (middle, high) if legible else (low, middle)
    return _hex(_in_gamut(low, chroma, hue))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21: WCAG 2.2, "contrast ratio"."""
    bright, dim = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _rgb(colour: str) -> Rgb:
    return tuple(int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))  # pyright: ignore[reportReturnType]


def _hex(rgb: Rgb) -> str:
    return "#" + "".join(f"{round(255 * min(max(part, 0.0), 1.0)):02x}" for part in rgb)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _encoded(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def _luminance(rgb: Rgb) -> float:
    red, green, blue = map(_linear, rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _lch(rgb: Rgb) -> Rgb:
    """Lightness, chroma and hue in Oklab (Ottosson 2020, the matrices of his page)."""
    r, g, b = map(_linear, rgb)
    long = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    medium = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    green_red = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    blue_yellow = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, math.hypot(green_red, blue_yellow), math.atan2(blue_yellow, green_red)


def _from_lch(lightness: float, chroma: float, hue: float) -> Rgb:
    """The inverse of `_lch`; parts outside 0 to 1 are not in the gamut."""
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _in_gamut(lightness: float, chroma: float, hue: float) -> Rgb:
    """The colour of this lightness and hue, its chroma reduced as far as a screen needs it."""
    low, high, kept = 0.0, chroma, chroma
    for _ in range(_STEPS):
        if all(-_OUTSIDE <= part <= 1 + _OUTSIDE for part in _from_lch(lightness, kept, hue)):
            low = kept
        else:
            high = kept
        kept = (low + high) / 2
    return tuple(_encoded(min(max(part, 0.0), 1.0)) for part in _from_lch(lightness, high, hue))  # pyright: ignore[reportReturnType]
