"""A small MDP as a transition diagram: inline SVG, states as circles, actions as dots between a state and its successors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from html import escape
from typing import Any

from trpo_theory.entries.kinds import MAPPING, TEXT, expect
from trpo_theory.errors import InvalidInput

# Sizes in SVG user units and angles; chosen by eye, so that labels of witnesses do not overlap.
_STATE = 19.0  # radius of a state
_DOT = 3.2  # radius of an action's dot
_REACH = 52.0  # distance of the dot from the centre of its state
_LETTER = 5.6  # estimated width of a letter of a label
_LINE = 11.0  # height of a label
_TURN = math.radians(38)  # between actions that lead to the same state
_ASIDE = math.radians(20)  # of the first of them, from the straight line to that state
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

Point = tuple[float, float]


def transition_diagram(fields: Mapping[str, Any], *, title: str = "") -> str:
    """A witness, or any small MDP, as an `<svg>` element for a page.

    An action is a dot between its state and its successors, labelled with its name and reward; an arrow is labelled with its
    probability if that is less than 1. Possible initial states have a heavy outline.

    Args:
        fields: transition (S, A, S), reward (S, A) and initial (S,), of numbers or of strings such as "1/3": the
            result of `Witness.to_fields`, or the content of its file.
        title: the text for screen readers; by default the size of the MDP.

    Returns:
        The element, drawn in `currentColor` and the classes `state`, `start`, `action`, `arrow`, `label`, `share`.

    Raises:
        InvalidInput: if one of the three is missing.
    """
    expect(MAPPING, fields=fields)
    expect(TEXT, title=title)
    missing = [name for name in ("transition", "reward", "initial") if name not in fields]
    if missing:
        raise InvalidInput(
            got=f"fields without {', '.join(missing)}",
            wanted="transition, reward and initial",
            fix="pass the content of a witness file",
        )
    transition = [[[Fraction(str(p)) for p in row] for row in rows] for rows in fields["transition"]]
    drawing = _Drawing(_positions(len(transition)))
    for s, rows in enumerate(transition):
        for (a, row), angle in zip(enumerate(rows), _angles(s, rows, drawing.places), strict=True):
            drawing.action(s, angle, f"a{a}".translate(_SUBSCRIPTS) + f"  {_signed(fields['reward'][s][a])}", row)
    for s, share in enumerate(fields["initial"]):
        drawing.state(s, start=Fraction(str(share)) > 0)
    return drawing.element(title or f"Transition diagram of {len(transition)} states")


def _signed(reward: Any) -> str:
    """A reward as a label, with an explicit sign, which distinguishes it from a probability."""
    text = str(reward)
    return f"−{text[1:]}" if text.startswith("-") else f"+{text}" if Fraction(text) else "0"


def _positions(states: int) -> list[Point]:
    if states == 1:
        return [(0.0, 0.0)]
    radius = 88.0 if states == 2 else 62.0 / math.sin(math.pi / states) + 18.0
    turn = math.pi if states == 2 else -math.pi / 2
    angles = [turn + 2 * math.pi * s / states for s in range(states)]
    return [(radius * math.cos(angle), radius * math.sin(angle)) for angle in angles]


def _angles(s: int, rows: Sequence[Sequence[Fraction]], places: Sequence[Point]) -> list[float]:
    """The directions in which the actions leave a state: beside the line to their most probable successor."""
    aims = [max(range(len(row)), key=lambda t: (row[t], t != s)) for row in rows]
    outward = math.atan2(places[s][1], places[s][0]) if len(places) > 1 else -math.pi / 2
    angles = []
    for a, aim in enumerate(aims):
        rank, count = aims[:a].count(aim), aims.count(aim)
        if aim == s:
            angles.append(outward + (rank - (count - 1) / 2) * 1.9 * _TURN)
        else:
            toward = math.atan2(places[aim][1] - places[s][1], places[aim][0] - places[s][0])
            angles.append(toward - _ASIDE - rank * _TURN)
    return angles


@dataclass
class _Drawing:
    """The parts of a diagram, and the points that determine its extent."""

    places: list[Point]
    lines: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    corners: list[Point] = field(default_factory=list)

    def state(self, s: int, *, start: bool) -> None:
        x, y = self.places[s]
        self._reach((x - _STATE - 2, y - _STATE - 2), (x + _STATE + 2, y + _STATE + 2))
        style = "state start" if start else "state"
        self.marks.append(f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="{_STATE:g}"/>')
        self.marks.append(f'<text class="name" x="{x:.1f}" y="{y + 4.5:.1f}" text-anchor="middle">{s}</text>')

    def action(self, s: int, angle: float, name: str, row: Sequence[Fraction]) -> None:
        centre, way = self.places[s], _unit(angle)
        dot = _along(centre, way, _REACH)
        leave = _along(centre, _unit(angle - 0.35) if row[s] == 1 else way, _STATE)
        bend = (
            _along(_along(centre, _unit(angle - 0.5), _REACH * 0.85), way, 0.0) if row[s] == 1 else _middle(leave, dot)
        )
        self.lines.append(f'<path class="arrow" d="M{_at(leave)}Q{_at(bend)} {_at(dot)}"/>')
        for t, share in enumerate(row):
            if share:
                self._arrow(dot, angle, s, t, share)
        self.marks.append(f'<circle class="action" cx="{dot[0]:.1f}" cy="{dot[1]:.1f}" r="{_DOT:g}"/>')
        self._label(dot, angle if row[s] == 1 else angle - math.pi / 2, name)

    def _arrow(self, dot: Point, angle: float, s: int, t: int, share: Fraction) -> None:
        target = self.places[t]
        if t == s:
            bend = _along(self.places[s], _unit(angle + 0.55), _REACH * 0.9)
        else:
            bend = _along(dot, _unit(angle), 0.42 * math.dist(dot, target))
        tip = _along(target, _unit(math.atan2(bend[1] - target[1], bend[0] - target[0])), _STATE + 1.5)
        self.lines.append(f'<path class="arrow" d="M{_at(dot)}Q{_at(bend)} {_at(tip)}"/>')
        back = math.atan2(bend[1] - tip[1], bend[0] - tip[0])
        wings = [_along(tip, _unit(back + turn), 7.5) for turn in (-0.4, 0.4)]
        self.lines.append(f'<path class="head" d="M{_at(tip)}L{_at(wings[0])}L{_at(wings[1])}Z"/>')
        middle = tuple(0.25 * a + 0.5 * b + 0.25 * c for a, b, c in zip(dot, bend, tip, strict=True))
        self._reach((middle[0] - 4, middle[1] - 4), (middle[0] + 4, middle[1] + 4))
        if share != 1:
            text = (
                f'<text class="share" x="{middle[0]:.1f}" y="{middle[1] + 3.5:.1f}" text-anchor="middle">{share}</text>'
            )
            self.marks.append(text)

    def _label(self, dot: Point, angle: float, text: str) -> None:
        x, y = _along(dot, _unit(angle), 9.0)
        across, width = math.cos(angle), len(text) * _LETTER
        anchor = "start" if across > 0.35 else "end" if across < -0.35 else "middle"
        left = {"start": x, "end": x - width, "middle": x - width / 2}[anchor]
        base = y + 3.6 + 4.5 * math.sin(angle)
        self._reach((left, base - _LINE), (left + width, base + 3))
        self.marks.append(
            f'<text class="label" x="{x:.1f}" y="{base:.1f}" text-anchor="{anchor}" xml:space="preserve">'
            f"{escape(text)}</text>"
        )

    def _reach(self, *points: Point) -> None:
        self.corners.extend(points)

    def element(self, title: str) -> str:
        """The SVG element, cropped to its content."""
        xs, ys = ([corner[axis] for corner in self.corners] for axis in (0, 1))
        left, top = min(xs) - 4, min(ys) - 4
        width, height = max(xs) + 4 - left, max(ys) + 4 - top
        return (
            f'<svg class="diagram" role="img" aria-label="{escape(title)}" xmlns="http://www.w3.org/2000/svg" '
            f'viewBox="{left:.1f} {top:.1f} {width:.1f} {height:.1f}" width="{width:.0f}" height="{height:.0f}">'
            f"{''.join(self.lines)}{''.join(self.marks)}</svg>"
        )


def _unit(angle: float) -> Point:
    return math.cos(angle), math.sin(angle)


def _along(point: Point, way: Point, length: float) -> Point:
    return point[0] + length * way[0], point[1] + length * way[1]


def _middle(p: Point, q: Point) -> Point:
    return (p[0] + q[0]) / 2, (p[1] + q[1]) / 2


def _at(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"
