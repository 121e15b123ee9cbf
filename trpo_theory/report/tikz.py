r"""A small MDP as a TikZ picture for a paper: states are circles, actions are arrows, labelled with rewards and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from trpo_theory.errors import InvalidInput
from trpo_theory.report.diagram_layout import STATE, Curve, Layout, Move, Point, laid_out
from trpo_theory.report.instance_fields import Instance, as_instance, short

MOST_STATES = 12
"""More states are refused: their arrows can no longer be told apart. Chosen by eye; up to 6 are read with ease."""


def tikz_diagram(source: Any) -> str:
    r"""The transition diagram of a witness, or of any small MDP, as a `tikzpicture`; needs \usepackage{tikz}, no library.

    A certain successor has one arrow, labelled with the action and its reward; several have a dot with an arrow each, labelled
    with its probability. Actions that do the same share an arrow. States where an episode may start have a thick outline.
    Numbers of more than nine characters are rounded (≈): `witness_latex` has them whole.

    Args:
        source: a `Witness`, the content of its file, or the path of a .json file; anything with transition, reward and initial.

    Raises:
        InvalidInput: for a source that has no MDP, or one of more than 12 states.

    >>> one = {"transition": [[[1, 0], [0, 1]], [[0, 1], [0, 1]]], "reward": [[0, 1], [0, 0]], "initial": [1, 0]}
    >>> print(tikz_diagram(one).splitlines()[3])
    \begin{tikzpicture}[>=stealth, semithick, font=\footnotesize, state/.style={draw, circle, minimum size=0.72cm, inner sep=0pt}]
    """
    instance = as_instance(source)
    if instance.states > MOST_STATES:
        raise InvalidInput(
            got=f"an MDP of {instance.states} states as a diagram",
            wanted=f"at most {MOST_STATES}",
            fix="print its matrices (--latex, witness_latex), or ask for a smaller witness",
        )
    return _picture(instance, laid_out(instance.states, moves_of(instance)))


def moves_of(instance: Instance) -> list[Move]:
    """What is drawn: actions of a state that have the same certain successor share an arrow, a line of its label each."""
    certain: dict[tuple[int, int], list[str]] = {}
    spread: list[Move] = []
    for s in range(instance.states):
        for a in range(instance.actions):
            if not instance.is_available(s, a):
                continue
            row = [(t, p) for t, p in enumerate(instance.transition[s][a]) if p]
            label = f"$a_{{{a}}},\\ {_signed(instance.reward[s][a])}$"
            if len(row) == 1:
                certain.setdefault((s, row[0][0]), []).append(label)
            else:
                spread.append(Move(s, (label,), tuple((t, f"${short(p)}$") for t, p in row)))
    return [Move(s, tuple(lines), ((t, ""),)) for (s, t), lines in certain.items()] + spread


def _signed(reward: Fraction) -> str:
    """With an explicit sign, which tells a reward from a probability."""
    text = short(reward)
    return text if reward <= 0 or text.startswith(r"\approx") else f"+{text}"


def _picture(instance: Instance, layout: Layout) -> str:
    starts = [p > 0 for p in instance.initial]
    lines = [
        r"% \usepackage{tikz}",
        "% A thick circle: a state where an episode may start. At an arrow: action, reward; probabilities beyond a dot.",
        f"% {instance.states} states, {instance.actions} actions",
        r"\begin{tikzpicture}[>=stealth, semithick, font=\footnotesize, state/.style={draw, circle, "
        f"minimum size={2 * STATE:.2f}cm, inner sep=0pt}}]",
        *(rf"\draw {_path(curve)};" for curve in layout.stems),
        *(rf"\draw[->] {_path(curve)};" for curve in layout.arrows),
        *(rf"\fill {_at(dot)} circle[radius=1.7pt];" for dot in layout.dots),
        *(
            rf"\node[state{', very thick' if start else ''}] at {_at(place)} {{{s}}};"
            for s, (place, start) in enumerate(zip(layout.states, starts, strict=True))
        ),
        *(
            rf"\node[fill=white, inner sep=1pt, align=left] at {_at(label.centre)} {{{_lines(label.lines)}}};"
            for label in layout.labels
        ),
        r"\end{tikzpicture}",
    ]
    return "\n".join(lines) + "\n"


def _lines(lines: Sequence[str]) -> str:
    return r"\\ ".join(lines)


def _path(curve: Curve) -> str:
    start, one, other, end = map(_at, curve)
    return f"{start} .. controls {one} and {other} .. {end}"


def _at(point: Point) -> str:
    x, y = (0.0 if abs(part) < 5e-4 else part for part in point)
    return f"({x:.3f},{y:.3f})"
