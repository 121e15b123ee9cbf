"""The Hasse diagram: orders whose levels are known."""

from __future__ import annotations

from itertools import combinations

from trpo_theory.report.hasse import hasse_diagram, levels


def test_levels_are_the_longest_chains_below() -> None:
    """The divisors of 12: 12 covers 4 and 6, 4 covers 2, 6 covers 2 and 3, 2 and 3 cover 1."""
    pairs = [("12", "4"), ("12", "6"), ("4", "2"), ("6", "2"), ("6", "3"), ("2", "1"), ("3", "1")]
    found = levels(pairs)
    assert [sorted(row) for row in found] == [["1"], ["2", "3"], ["4", "6"], ["12"]]
    place = {name: (k, level) for level, row in enumerate(found) for k, name in enumerate(row)}
    crossings = [
        1
        for (a, b), (c, d) in combinations(pairs, 2)
        if place[a][1] == place[c][1]
        and place[b][1] == place[d][1]
        and (place[a][0] - place[c][0]) * (place[b][0] - place[d][0]) < 0
    ]
    assert not crossings


def test_figure_has_each_element_and_line_once() -> None:
    figure = hasse_diagram([("a", "b"), ("a", "c")], labels={"b": "0.88"})
    (axes,) = figure.axes
    assert sorted(text.get_text() for text in axes.texts) == ["a", "b\n0.88", "c"]
    assert len(axes.lines) == 2
    heights = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert heights["a"] > heights["c"]
