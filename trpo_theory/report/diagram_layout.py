"""Where a transition diagram of a paper has its states, actions, arrows and labels, without overlaps. In centimetres."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

Point = tuple[float, float]
Curve = tuple[Point, Point, Point, Point]
"""A cubic Bézier curve: ends and controls."""

# Lengths in centimetres, chosen by eye for labels of 8 points.
STATE = 0.36  # radius of a state
DOT = 0.06  # radius of an action's dot
_REACH = 1.35  # from a state's centre to the dot of an action of its
_SIDE = 3.9  # between neighbouring states
_LETTER, _LINE = 0.145, 0.34  # width of a letter, height of a line
_CLEAR = 0.06  # around a label
_ANGLES = 24  # directions that are tried
_SAMPLES = 24  # points of a curve


@dataclass(frozen=True)
class Move:
    """What some actions do in a state: one label, and the successors with their probabilities (as labels).

    Attributes:
        state: the state.
        label: the lines of its label.
        successors: (state, label of its probability); one without a label is certain.
    """

    state: int
    label: tuple[str, ...]
    successors: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Label:
    """Lines of text around a centre, and how far they extend."""

    lines: tuple[str, ...]
    centre: Point
    half: Point

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top."""
        (x, y), (w, h) = self.centre, self.half
        return x - w, y - h, x + w, y + h


@dataclass
class Layout:
    """A finished layout.

    Attributes:
        states: the centre of each.
        dots: of actions with several successors.
        arrows: curves with a head at their ends.
        stems: lines from a state to a dot.
        labels: what is written.
    """

    states: list[Point]
    dots: list[Point] = field(default_factory=list)
    arrows: list[Curve] = field(default_factory=list)
    stems: list[Curve] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)

    def clashes(self) -> list[str]:
        """Pairs of labels that overlap, and labels that cover a state or a dot."""
        found = [
            f"{one.lines} and {other.lines}"
            for k, one in enumerate(self.labels)
            for other in self.labels[:k]
            if _overlap(one.corners, other.corners)
        ]
        discs = [(centre, STATE) for centre in self.states] + [(dot, DOT) for dot in self.dots]
        return found + [
            f"{one.lines} and a disc at {centre}"
            for one in self.labels
            for centre, radius in discs
            if _covers(one.corners, centre, radius)
        ]


def laid_out(states: int, moves: Sequence[Move]) -> Layout:
    """States on a circle; an arrow for a certain successor, a dot with an arrow each for several; then the labels."""
    layout = Layout(_on_a_circle(states))
    waiting: list[tuple[tuple[str, ...], Curve]] = []
    crowded: list[list[float]] = [[] for _ in range(states)]  # directions that are taken, by state
    pairs = {(move.state, move.successors[0][0]) for move in moves if len(move.successors) == 1}
    for (s, t), move in ((_pair(move), move) for move in moves if len(move.successors) == 1):
        if s != t:
            bend = 0.22 if (t, s) in pairs else 0.12
            curve = _between(layout.states[s], layout.states[t], bend)
            crowded[s].append(_angle(layout.states[s], curve[1]))
            crowded[t].append(_angle(layout.states[t], curve[2]))
            layout.arrows.append(curve)
            waiting.append((move.label, curve))
    for move in (move for move in moves if len(move.successors) > 1):
        waiting += _branch(layout, move, crowded[move.state])
    for move in (move for move in moves if _pair(move) == (move.state, move.state)):
        way = _freest(layout, move.state, crowded[move.state], wanted=_outward(layout.states, move.state))
        crowded[move.state].append(way)
        curve = _loop(layout.states[move.state], way)
        layout.arrows.append(curve)
        waiting.append((move.label, curve))
    lines = np.array(
        [_at(curve, k / _SAMPLES) for curve in (*layout.arrows, *layout.stems) for k in range(_SAMPLES + 1)]
    )
    for words, curve in sorted(waiting, key=lambda pair: -sum(map(len, pair[0]))):
        layout.labels.append(_placed(layout, words, curve, lines))
    return layout


def _pair(move: Move) -> tuple[int, int]:
    return (move.state, move.successors[0][0]) if len(move.successors) == 1 else (move.state, -1)


def _branch(layout: Layout, move: Move, taken: list[float]) -> list[tuple[tuple[str, ...], Curve]]:
    """Add the dot of an action, its stem and its arrows; the labels that wait for a place, with their curves."""
    s, centre = move.state, layout.states[move.state]
    others = [layout.states[t] for t, _ in move.successors if t != s]
    mean = (sum(x for x, _ in others) / len(others), sum(y for _, y in others) / len(others))
    way = _freest(layout, s, taken, wanted=_angle(centre, mean))
    taken.append(way)
    dot = _along(centre, way, _REACH)
    stem = _straight(_along(centre, way, STATE), dot)
    layout.dots.append(dot)
    layout.stems.append(stem)
    waiting = [(move.label, stem)]
    for t, share in move.successors:
        if t == s:
            control = _along(centre, way + 0.6, _REACH * 0.95)
            curve = (dot, _along(dot, way + math.pi / 2, 0.45), control, _along(centre, way + 0.5, STATE))
        else:
            end = layout.states[t]
            start = _along(dot, way, 0.35)
            tip = _along(end, _angle(end, start), STATE)
            curve = (dot, start, _along(tip, _angle(end, start), 0.5), tip)
        layout.arrows.append(curve)
        waiting.append(((share,), curve))
    return waiting


def _freest(layout: Layout, s: int, taken: Iterable[float], wanted: float) -> float:
    """A direction near the wanted one, apart from those taken, with room for a dot or a loop."""
    centre, taken = layout.states[s], list(taken)
    others = [place for t, place in enumerate(layout.states) if t != s] + layout.dots

    def cost(way: float) -> float:
        room = min((math.dist(_along(centre, way, _REACH), place) for place in others), default=9.0)
        apart = min((_turn(way, other) for other in taken), default=math.pi)
        return _turn(way, wanted) + 40 * max(0.0, 0.7 - apart) + 12 * max(0.0, 1.1 - room)

    return min((wanted + 2 * math.pi * k / _ANGLES for k in range(_ANGLES)), key=cost)


def _placed(layout: Layout, words: tuple[str, ...], curve: Curve, lines: np.ndarray) -> Label:
    """A label beside its curve, where it covers nothing and hides as little of lines (points of them) as can be."""
    half = (max(map(letters, words)) * _LETTER / 2 + _CLEAR, len(words) * _LINE / 2)
    best: tuple[float, Label] | None = None
    for step in range(3, 18):
        share = step / 20
        foot, normal = _at(curve, share), _normal(curve, share)
        for side in (0.0, 1.0, -1.0, 1.8, -1.8):
            away = side * (abs(normal[0]) * half[0] + abs(normal[1]) * half[1] + 0.04)
            label = Label(words, (foot[0] + away * normal[0], foot[1] + away * normal[1]), half)
            hidden = int((np.abs(lines - label.centre) <= half).all(1).sum())
            clash = sum(_overlap(label.corners, other.corners) for other in layout.labels)
            clash += sum(_covers(label.corners, place, STATE + 0.03) for place in layout.states)
            clash += sum(_covers(label.corners, place, DOT + 0.03) for place in layout.dots)
            cost = 1000.0 * clash + hidden + 3 * abs(share - 0.5) + 1.5 * max(0.0, abs(side) - 1)
            if best is None or cost < best[0]:
                best = (cost, label)
    assert best is not None
    return best[1]


def letters(text: str) -> int:
    r"""How many letters wide a label in LaTeX is, about: commands count as one, `\frac`s are not used here."""
    count, inside = 0, False
    for character in text:
        if character == "\\":
            count, inside = count + 1, True
        elif inside and character.isalpha():
            continue
        else:
            inside = False
            count += character not in "${}_^ "
    return count


def _on_a_circle(states: int) -> list[Point]:
    if states == 1:
        return [(0.0, 0.0)]
    radius = _SIDE / (2 * math.sin(math.pi / states))
    turn = math.pi if states == 2 else math.pi / 2
    return [_along((0.0, 0.0), turn - 2 * math.pi * s / states, radius) for s in range(states)]


def _outward(states: Sequence[Point], s: int) -> float:
    return math.pi / 2 if len(states) == 1 else math.atan2(states[s][1], states[s][0])


def _between(a: Point, b: Point, bend: float) -> Curve:
    """An arrow from state to state, bent to its left."""
    length, way = math.dist(a, b), _angle(a, b)
    middle = _along(((a[0] + b[0]) / 2, (a[1] + b[1]) / 2), way + math.pi / 2, bend * length)
    start, tip = _along(a, _angle(a, middle), STATE), _along(b, _angle(b, middle), STATE)
    return start, _along(start, _angle(a, middle), 0.3 * length), _along(tip, _angle(b, middle), 0.3 * length), tip


def _straight(a: Point, b: Point) -> Curve:
    way, third = _angle(a, b), math.dist(a, b) / 3
    return a, _along(a, way, third), _along(b, way + math.pi, third), b


def _loop(centre: Point, way: float) -> Curve:
    start, tip = (_along(centre, way + turn, STATE) for turn in (0.5, -0.5))
    return start, _along(centre, way + 0.45, 1.5), _along(centre, way - 0.45, 1.5), tip


def _at(curve: Curve, share: float) -> Point:
    weights = ((1 - share) ** 3, 3 * share * (1 - share) ** 2, 3 * share**2 * (1 - share), share**3)
    x, y = (sum(w * point[axis] for w, point in zip(weights, curve, strict=True)) for axis in (0, 1))
    return x, y


def _normal(curve: Curve, share: float) -> Point:
    way = _angle(_at(curve, share - 0.01), _at(curve, share + 0.01)) + math.pi / 2
    return math.cos(way), math.sin(way)


def _along(point: Point, way: float, length: float) -> Point:
    return point[0] + length * math.cos(way), point[1] + length * math.sin(way)


def _angle(a: Point, b: Point) -> float:
    return math.atan2(b[1] - a[1], b[0] - a[0])


def _turn(one: float, other: float) -> float:
    """The angle between two directions."""
    return abs(math.remainder(one - other, 2 * math.pi))


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _covers(corners: tuple[float, float, float, float], point: Point, radius: float) -> bool:
    """Whether a rectangle comes within a radius of a point."""
    left, bottom, right, top = corners
    x, y = max(left - point[0], 0.0, point[0] - right), max(bottom - point[1], 0.0, point[1] - top)
    return math.hypot(x, y) <= radius
