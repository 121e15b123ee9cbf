"""The figures: artists against the records they draw."""

from __future__ import annotations

import itertools
import struct
import zlib

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Polygon

import trpo_theory as tt
from trpo_theory import landscape
from trpo_theory.landscape import improvement_path
from trpo_theory.report import figures, policy_square, style, value_polytope

OLD = [[0.5, 0.5], [0.375, 0.625]]
DELTA = 0.05


@pytest.fixture(scope="module")
def square():
    return landscape.policy_square(tt.zoo.kakade(gamma=0.75), OLD, DELTA, resolution=9)


@pytest.fixture(scope="module")
def polytope():
    mdp = tt.zoo.kakade(gamma=0.75)
    return landscape.value_polytope(mdp, {"(12)": improvement_path(mdp, tt.MaxKL(0.1), 4)}, resolution=5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: figures.lines(pd.DataFrame({"x": [1]}), "x", "z", xlabel="", ylabel=""), "column 'z'"),
        (lambda: figures.lines(pd.DataFrame({"x": []}), "x", "x", xlabel="", ylabel=""), "without rows"),
        (lambda: figures.lines(pd.DataFrame({"x": [1]}), "x", "x", xlabel="", ylabel="", log="z"), "log = 'z'"),
    ],
)
def test_bad_input_is_one_message(call, words):
    with pytest.raises(tt.InvalidInput, match="fix: ") as caught:
        call()
    assert words in str(caught.value)


def test_the_drawn_square_is_the_record(square):
    figure = policy_square.draw(square)
    axes = figure.axes[0]
    polygons = [patch.get_xy() for patch in axes.patches if isinstance(patch, Polygon)]
    for region in (square.improving_region, square.max_kl_region, square.mean_kl_region):
        assert any(len(xy) >= len(region) and np.array_equal(xy[: len(region)], region) for xy in polygons)
    points = {tuple(np.ravel(line.get_xydata())) for line in axes.lines if len(line.get_xydata()) == 1}
    assert points == {
        *(tuple(step.policy[:, 0]) for step in square.steps.values()),
        tuple(square.old[:, 0]),
        tuple(square.optimum.policy[:, 0]),
    }
    assert "stay | i" in axes.get_xlabel()
    assert "stay | j" in axes.get_ylabel()
    section = square.section("(11)")
    drawn = {line.get_label(): line.get_ydata() for line in figure.axes[2].lines}
    assert np.array_equal(drawn["η"], section.expected_return)
    assert np.array_equal(drawn["L"], section.surrogate)
    assert np.array_equal(drawn["M"], section.lower_bound)


def test_the_drawn_polytope_is_the_record(polytope):
    axes = value_polytope.draw(polytope).axes[0]
    lines = {line.get_label(): line.get_xydata() for line in axes.lines}
    assert np.array_equal(lines["max-KL"], polytope.paths["(12)"])
    fill, edges = axes.collections
    assert len(fill.get_paths()) == len(polytope.strips)
    assert np.array_equal([path.vertices for path in edges.get_paths()], polytope.edges)
    assert "value of state i" in axes.get_xlabel()
    assert "value of state j" in axes.get_ylabel()


RUNS = pd.DataFrame(
    [
        {"step": t, "rule": rule, "run": run, "eta": t * scale + run}
        for t in range(4)
        for run in range(5)
        for rule, scale in (("a", 1), ("b", 3))
    ]
)


def test_learning_curves_are_median_and_quantiles():
    summary = figures.median_and_band(RUNS, "step", "eta", "rule", band=(0.25, 0.75))
    row = summary[(summary["rule"] == "b") & (summary["step"] == 2)].iloc[0]
    assert (row["median"], row["low"], row["high"], row["runs"]) == (8, 7, 9, 5)
    figure = figures.learning_curves(RUNS, "step", "eta", "rule", xlabel="update", ylabel="return η (reward)")
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("update", "return η (reward)")
    assert np.array_equal(axes.lines[1].get_ydata(), [2, 5, 8, 11])
    assert [text.get_text() for text in axes.texts] == ["a", "b"]


def test_lines_differ_in_colour_dashes_and_marker_and_keep_their_data():
    frame = pd.DataFrame({"x": [10.0, 1.0, 10.0, 1.0], "y": [3.0, 2.0, 30.0, 20.0], "by": ["u", "u", "v", "v"]})
    figure = figures.lines(
        frame, "x", "y", "by", xlabel="horizon (steps)", ylabel="C (1/nat)", log="xy", labels="legend"
    )
    axes = figure.axes[0]
    looks = [(line.get_color(), line.get_linestyle(), line.get_marker()) for line in axes.lines]
    assert all(a != b for a, b in zip(*looks, strict=True) if a != "-")
    assert np.array_equal(axes.lines[1].get_xydata(), [[1, 20], [10, 30]])
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["u", "v"]


def test_bars_have_the_lengths_of_the_frame():
    frame = pd.DataFrame({"env": ["A", "A", "B"], "bound": ["u", "v", "v"], "ratio": [0.5, 2.0, 3.0]})
    axes = figures.bars(frame, "env", "ratio", "bound", xlabel="", ylabel="ratio").axes[0]
    assert sorted(bar.get_width() for bar in axes.patches) == [0.5, 2, 3]
    assert len({bar.get_hatch() for bar in axes.patches}) == 2
    assert [label.get_text() for label in axes.get_yticklabels()] == ["A", "B"]


@pytest.mark.parametrize(("places", "least"), [([0.1, 0.11, 0.12, 0.9], 0.05), ([0.5] * 4, 0.1), ([0.2, 0.8], 0.1)])
def test_labels_are_moved_apart_about_where_they_were(places, least):
    moved = figures._apart(places, least)
    assert (np.diff(moved) >= least - 1e-12).all()
    assert sum(moved) == pytest.approx(sum(places))


@pytest.mark.slow
def test_saved_files_are_the_same_bytes_twice_and_say_nothing_of_when(tmp_path, square):
    first = style.save(policy_square.draw(square, width="column"), tmp_path / "a", "square")
    again = style.save(policy_square.draw(square, width="column"), tmp_path / "b", "square")
    assert [path.name for path in first] == ["square.pdf", "square.png"]
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes()
    pdf, png = (path.read_bytes() for path in first)
    assert pdf.startswith(b"%PDF")
    assert not any(word in pdf for word in (b"CreationDate", b"Producer", b"/Type3"))
    width, height = struct.unpack(">II", png[16:24])
    assert (width, height) == (1020, 1428)
    assert len(set(_pixels(png))) > 100


def _pixels(png: bytes) -> bytes:
    data, at = b"", 8
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + size]
        at += 12 + size
    return zlib.decompress(data)


@pytest.mark.parametrize(
    ("values", "labels"), [((2, 4, 10), ["2", "5", "10"]), ((0.1, 0.3, 0.8), ["0.1", "0.2", "0.5"])]
)
def test_a_short_logarithmic_axis_has_few_plain_numbers_apart(values, labels, tmp_path):
    figure = style.new_figure()
    axes = figure.add_subplot()
    axes.plot(values, values)
    axes.set(xscale="log", yscale="log")
    style.save(figure, tmp_path, "short")
    low, high = axes.get_xlim()
    ticks = [tick.label1 for tick in (*axes.xaxis.get_major_ticks(), *axes.xaxis.get_minor_ticks())]
    shown = [label for label in ticks if label.get_text() and low <= label.get_position()[0] <= high]
    assert [label.get_text() for label in shown] == labels
    boxes = [label.get_window_extent() for label in shown]
    assert not any(first.overlaps(second) for first, second in itertools.pairwise(boxes))


def test_the_style_leaves_matplotlib_as_it_was():
    import matplotlib

    before = dict(matplotlib.rcParams)
    with style.styled():
        assert matplotlib.rcParams["pdf.fonttype"] == 42
    assert dict(matplotlib.rcParams) == before
