"""Figures for the screen: colours on light and on dark, panels one below the other, ids of their own."""

from __future__ import annotations

import colorsys
import re
from itertools import pairwise

import pandas as pd
import pytest

from trpo_theory.report import figures, screen, style
from trpo_theory.report.colours import _in_gamut, _lch, as_text, contrast, on_dark

DARK = "#17181a"  # --paper of base.css
FRAME = pd.DataFrame({"x": [1.0, 10.0] * 2, "y": [1.0, 2.0, 3.0, 5.0], "by": ["a", "a", "b", "b"]})


def two_panels():
    with style.styled():
        figure = style.new_figure("page", ratio=0.4)
        left, right = figure.subplots(1, 2, sharey=True)
        for axes in (left, right):
            for k in range(4):
                axes.plot([1, 2], [k, 2], label=f"a rather long name, number {k}", color=style.COLOURS[k])
            axes.set_xlabel("steps")
        left.set_ylabel("return")
        figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


@pytest.mark.parametrize(
    ("colour", "lch"),  # the values of CSS Color 4 for red, lime and blue
    [
        ("#ff0000", (0.62796, 0.25768, 29.234)),
        ("#00ff00", (0.86644, 0.29483, 142.495)),
        ("#0000ff", (0.45201, 0.31321, -95.948)),
    ],
)
def test_oklch_as_published(colour, lch):
    rgb = tuple(int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    lightness, chroma, hue = _lch(rgb)
    assert (lightness, chroma, hue * 57.29577951) == pytest.approx(lch, abs=2e-3)
    assert _in_gamut(lightness, chroma, hue) == pytest.approx(rgb, abs=3e-3)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#ffffff", "#000000", 21.0), ("#777777", "#ffffff", 4.48), ("#0000ff", "#ffffff", 8.59)],
)
def test_contrast_as_published(one, other, ratio):
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize("colour", [*style.COLOURS, style.YELLOW, "#595959"])
def test_lines_and_letters_are_legible_on_both_papers(colour):
    colour = colour.lower()
    assert contrast(on_dark(colour), DARK) >= 4.5
    assert contrast(as_text(colour), "#ffffff") >= 4.5
    assert contrast(on_dark(as_text(colour)), DARK) >= 4.5
    if colour not in ("#000000", "#595959"):
        hues = [
            colorsys.rgb_to_hls(*(int(c[k : k + 2], 16) / 255 for k in (1, 3, 5)))[0] for c in (colour, on_dark(colour))
        ]
        assert abs(hues[0] - hues[1]) < 0.06


def test_white_and_black_change_places():
    assert contrast(on_dark("#ffffff"), DARK) < 1.05
    assert contrast(on_dark("#000000"), DARK) > 12
    pale = on_dark("#e0e0e0")
    assert contrast(pale, DARK) < 1.5  # a grid is as faint as it was


def test_a_drawing_follows_the_page_and_has_ids_of_its_own():
    content = screen.svg(two_panels(), "two")
    assert content == screen.svg(two_panels(), "two")
    one, other = (screen.inlined(content, name, "two panels") for name in ("one", "other"))
    ids = [set(re.findall(r' id="([^"]+)"', text)) for text in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for text, own in zip((one, other), ids, strict=True):
        assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text)) <= {(name, "") for name in own} | {
            ("", name) for name in own
        }
        assert len(re.findall(r' id="', text)) == len(own)
    assert f"light-dark({style.BLUE.lower()},{on_dark(style.BLUE.lower())})" in one
    plain = re.sub(r"light-dark\((#\w+),#\w+\)", "", one)
    assert not re.search(r"(?:fill|stroke): #", plain)
    assert 'role="img" aria-label="two panels"' in one


def test_panels_stand_below_each_other_and_nothing_is_cut():
    figure = two_panels()
    assert screen.is_wide(figure)
    screen.narrow(figure)
    assert figure.get_figwidth() == style.WIDTH["column"]
    figure.draw_without_rendering()
    first, second = (axes.get_position() for axes in figure.axes)
    assert first.y0 > second.y1
    assert [axes.get_ylabel() for axes in figure.axes] == ["return", "return"]
    width = figure.get_figwidth() * figure.dpi
    (legend,) = figure.legends
    for box in (legend.get_window_extent(), *(axes.get_tightbbox() for axes in figure.axes)):
        assert box.x0 >= -1
        assert box.x1 <= width + 1
    assert all(any(label.get_visible() for label in axes.get_yticklabels()) for axes in figure.axes)


def test_a_figure_says_what_it_shows():
    words = screen.described(two_panels())
    assert words.startswith("2 charts: 1, return over steps; 2, steps. Shown: a rather long name, number 0, ")
    bars = figures.bars(FRAME, "by", "y", xlabel="", ylabel="share, %")
    assert screen.described(bars) == "A chart of share, %."
    assert screen.title_of(screen.svg(bars, "bars")) == "A chart of share, %."


def test_both_drawings_are_written(tmp_path):
    names = [path.name for path in screen.save(two_panels(), tmp_path, "two")]
    assert names == ["two.svg", "two-narrow.svg"]
    column = figures.lines(FRAME, "x", "y", "by", xlabel="x", ylabel="y")
    assert [path.name for path in screen.save(column, tmp_path, "one")] == ["one.svg"]


def test_a_field_of_colours_stays_in_order():
    """The policy square's field: what is bright on white is dim on dark paper, all the way, so that lines can be read on it."""
    from matplotlib.colors import to_hex

    from trpo_theory.report.policy_square import _pale

    shades = [to_hex(shade) for shade in _pale()(range(0, 256, 8))]
    dark = [on_dark(shade) for shade in shades]
    brightness = [contrast(shade, "#000000") for shade in dark]
    assert all(later < former + 0.05 for former, later in pairwise(brightness))
    assert min(contrast(on_dark("#333333"), shade) for shade in dark) > 3  # the dashed lines of L, 0.2 of white
