"""Inequalities between divergences, by which a bound in one implies a bound in another."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.proofs.penalties.range import Range
from trpo_theory.step.quantities import Quantities

LARGEST: dict[str, Range] = {
    "kl": Range(fmpq(0), math.inf),
    "tv": Range(fmpq(0), fmpq(1)),
    "chi2": Range(fmpq(0), math.inf),
    "hellinger2": Range(fmpq(0), fmpq(1)),
    "jensen_shannon": Range(fmpq(0), Range.of(arb(2).log()).high),
    "le_cam": Range(fmpq(0), fmpq(1)),
    "jeffreys": Range(fmpq(0), math.inf),
    "renyi_tenth": Range(fmpq(0), math.inf),
    "renyi_half": Range(fmpq(0), math.inf),
    "renyi_nine_tenths": Range(fmpq(0), math.inf),
    "ratio_deviation": Range(fmpq(0), math.inf),
}
"""What a divergence of two rows can be, by its field in `Quantities`; the reverse of one likewise."""


@dataclass(frozen=True)
class Divergence:
    """A field of `Quantities` that is a divergence over all states.

    Attributes:
        field: such as "reverse_max_kl".
        row: of one state, such as "reverse_kl".
        mean: whether it is the mean under d_old, and not the largest.
        values: what it can be.
    """

    field: str
    row: str
    mean: bool
    values: Range


@functools.cache
def divergences() -> dict[str, Divergence]:
    """Those that `Quantities` has, by field."""
    found: dict[str, Divergence] = {}
    for row, values in LARGEST.items():
        for reverse in ("", "reverse_"):
            for mean in (False, True):
                name = f"{reverse}{'mean' if mean else 'max'}_{row}"
                if name in Quantities.names():
                    found[name] = Divergence(name, reverse + row, mean, values)
    return found


@dataclass(frozen=True)
class Inequality:
    """smaller ≤ f(larger) for the two rows of a state; f increases and is concave, so that it holds of means, too (Jensen).

    Attributes:
        smaller, larger: rows.
        function: f, of the quantities (for their √ and the like) and a number.
        text: for people.
    """

    smaller: str
    larger: str
    function: Callable[[Any, Any], Any]
    text: str


def _both_directions(row: str, function: Callable[[Any, Any], Any], text: str) -> tuple[Inequality, ...]:
    return tuple(Inequality("tv", f"{reverse}{row}", function, text) for reverse in ("", "reverse_"))


INEQUALITIES: tuple[Inequality, ...] = (
    *_both_directions("kl", lambda q, x: q.sqrt(x / 2), "TV^2 <= KL/2 (Pinsker)"),
    *_both_directions("kl", lambda q, x: q.sqrt(1 - q.exp(-x)), "TV^2 <= 1 - exp(-KL) (Bretagnolle and Huber)"),
    *_both_directions("chi2", lambda q, x: q.sqrt(x) / 2, "TV^2 <= chi2/4 (Cauchy and Schwarz)"),
    Inequality("kl", "chi2", lambda q, x: x, "KL <= chi2"),
    Inequality("reverse_kl", "reverse_chi2", lambda q, x: x, "KL <= chi2"),
    Inequality("tv", "hellinger2", lambda q, x: q.sqrt(x * (2 - x)), "TV^2 <= H^2 (2 - H^2) (Le Cam)"),
    Inequality("tv", "jensen_shannon", lambda q, x: q.sqrt(2 * x), "TV^2 <= 2 JS"),
    Inequality("tv", "jeffreys", lambda q, x: q.sqrt(x) / 2, "TV^2 <= J/4"),
    Inequality("kl", "jeffreys", lambda q, x: x, "KL <= J"),
    Inequality("reverse_kl", "jeffreys", lambda q, x: x, "KL <= J"),
    Inequality("tv", "renyi_tenth", lambda q, x: q.sqrt(5 * x), "TV^2 <= 5 D_.1 (Gilardoni)"),
    Inequality("tv", "renyi_half", lambda q, x: q.sqrt(x), "TV^2 <= D_.5 (Gilardoni)"),
    Inequality("tv", "renyi_nine_tenths", lambda q, x: q.sqrt(5 * x) / 3, "TV^2 <= D_.9/1.8 (Gilardoni)"),
    Inequality("tv", "ratio_deviation", lambda q, x: x / 2, "TV <= max|new/old - 1|/2"),
    Inequality("tv", "le_cam", lambda q, x: q.sqrt(x), "TV^2 <= the Le Cam divergence (Cauchy and Schwarz)"),
)
"""Each is proved in docs/theory.md, "Divergences of a row"."""


@dataclass(frozen=True)
class Ceiling:
    """What a quantity is at most, as a function of the quantities that are known.

    Attributes:
        value: of the quantities.
        texts: the inequalities that are used.
    """

    value: Callable[[Any], Any]
    texts: tuple[str, ...]


def ceilings(field: str, known: frozenset[str]) -> Iterator[Ceiling]:
    """What a divergence or an ε is at most in terms of known quantities: itself, if it is one."""
    if field in known:
        yield Ceiling(lambda q: getattr(q, field), ())
    elif field == "max_abs_expected_advantage":
        if "max_abs_advantage" not in known:
            return
        for tv in ceilings("max_tv", known):
            yield Ceiling(lambda q, tv=tv: 2 * tv.value(q) * q.max_abs_advantage, ("|Abar| <= 2 TV max|A|", *tv.texts))
        yield Ceiling(lambda q: q.max_abs_advantage, ("|Abar| <= max|A|",))
    elif field in divergences():
        yield from _of_divergence(divergences()[field], known)


def _of_divergence(one: Divergence, known: frozenset[str]) -> Iterator[Ceiling]:
    if one.row == "tv" and {"max_kl", "reverse_max_kl"} <= known:
        yield Ceiling(lambda q: q.sqrt(q.max_kl + q.reverse_max_kl) / 2, ("TV^2 <= (KL(old, new) + KL(new, old))/4",))
    for other in divergences().values():
        if other.field not in known or (other.mean and not one.mean):
            continue  # no maximum is at most a function of a mean
        mean = ("a mean is at most the maximum",) if one.mean and not other.mean else ()
        if other.row == one.row:
            yield Ceiling(lambda q, name=other.field: getattr(q, name), mean)
        for inequality in INEQUALITIES:
            if (inequality.smaller, inequality.larger) == (one.row, other.row):
                yield Ceiling(
                    lambda q, f=inequality.function, name=other.field: f(q, getattr(q, name)),
                    (inequality.text, *mean),
                )


def limits(field: str) -> Range:
    """What a divergence can be."""
    return divergences()[field].values
