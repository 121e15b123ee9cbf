"""The sharp gap's upper bound, proved: a checker of a supersolution that was found elsewhere, in floats.

With l = new/old of an action, x the likelihood ratio of the path so far and f the divergence's generator, the
program (*) of docs/theory.md, "The program", is
    v(x) = (T v)(x) = sup { E[|x − 1| (l − 1) A + γ v(x l)] : E l = 1, E A = 0, |A| ≤ 1, E f(l) ≤ D },    G(γ, D) = v(1).
Given are nodes 0 = x_0 < ... < x_N with values w(x_i), and a slope s. Line k runs through the nodes k and k+1, the last line
through x_N with slope s; W is the maximum of the lines: convex, W ≥ w, and equal but for rounding if w is convex. S is the
steepest line's slope, s if w is convex. Proved is
    |x − 1| (l − 1) A + γ W(x l) + λ (D − f(l)) − μ (l − 1) − ν A ≤ w(x)      for every node x, A = ±1 and l ≥ 0,        (1)
            (l − 1) A + γ S l    + λ (D − f(l)) − μ (l − 1) − ν A ≤ s         for A = ±1 and l ≥ 0 (the place ∞).        (2)

Why nodes suffice.
* The mean of (1) over a law that the constraints of T allow (|A| < 1 is a mixture of ±1) gives (T W)(x_i) ≤ w(x_i), as λ ≥ 0.
* T W is convex: a law with E(l − 1)A < 0 is beaten by the one with −A, and for any other the bracket is convex in x, since
  |x − 1| and W are; a supremum of convex functions is convex. So between nodes T W is below the chord of w, which is a line of W.
* The mean of (2), with W(y) ≤ S y + const, gives (T W)(x) ≤ s x + const: beyond x_N the convex T W rises no faster than
  the last line.
* So T W ≤ W, and T is monotone. |W| ≤ c (1 + x) for some c, and E(1 + x l) = 1 + x; hence what is earned in n steps is at most
  Tⁿ 0 ≤ Tⁿ W + γⁿ c (1 + x) ≤ W + γⁿ c (1 + x). Therefore v ≤ W, and G = (T v)(1) ≤ (T W)(1) ≤ w(1).
* Actions that old never takes (l = ∞) are a limit of laws with finite l: docs/theory.md, "The upper argument" and, for a
  mean divergence, docs/theory.md, "Mean divergences".

Variants. For a mean divergence λ is one number and paid for once: (1) without D, (2) with λ = 0, as λ E f(l) ≥ λ f(1) = 0 does
not grow with x; G ≤ w(1) + λ D/(1 − γ).
Normalised by max|Ā| the reward is |x − 1| instead of |x − 1| (l − 1) A, in (2) it is 1, and ν is 0. As
|Ā(s)| ≤ √E (l − 1)² sd_s(A), that bound times the root of the largest E (l − 1)² is one on the gap over max_s sd_s(A).

No segment needs a search: for each line what stands on the left is c l + b − λ f(l), whose supremum over l ≥ 0 is b plus a
conjugate of f in closed form, and the maximum over the lines is the left side's own. c and b are balls, and where these leave an
inequality open exact rationals. The slopes and offsets are the data's: nothing is taken from the float code that made them.
Where w is convex, W is w, and a chord from one node to another further on is above W between the two: if the inequality holds
with the chord, it holds for all lines between; else the block of lines is halved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.io.evidence_files import exact_content
from trpo_theory.numerics.ball import rationals
from trpo_theory.numerics.ball.raw import arb, fmpq, fraction, precision, raw
from trpo_theory.sharp import divergences
from trpo_theory.sharp.inequality import Ahead, Blocks, OneLine, Piecewise, Place
from trpo_theory.sharp.normaliser import Normaliser

KIND = "sharp-gap/supersolution"
_BITS = 128
"""Of the balls. Chosen: more than twice a float's 53, so that an inequality with a float's room above rounding is decided."""
_LARGEST = 10**300
"""Numbers beyond the floats' range would make the balls' exponents, and the time, grow without limit."""
_NORMALISER = ("normaliser", "expected")
"""What says which, the second one in files of earlier versions."""
_ONE, _ZERO = fmpq(1), fmpq(0)


@dataclass(frozen=True)
class ProvedBound:
    """What was proved: G(γ, D) ≤ bound, for all finite MDPs.

    Attributes:
        normaliser: ε.
        bound: on gap/ε, exactly.
        checks: how many inequalities, each over all l ≥ 0, prove it.
        precision: bits of the balls.
    """

    normaliser: Normaliser
    bound: Fraction
    checks: int
    precision: int


def check_supersolution(fields: Mapping[str, Any]) -> ProvedBound:
    """Prove an upper bound on the sharp gap from a proof object, every inequality in ball arithmetic or exact rationals.

    Args:
        fields: as `io.files.read_fields` returns them: kind ("sharp-gap/supersolution"), divergence (a name of
            `divergences.BY_NAME`), mean, normaliser (earlier versions wrote expected, true or false), gamma, radius, nodes
            (0, x_1, ..., x_N; one of them 1), w (N+1 values), slope, and price, mu, nu: λ, μ, ν at each node and last at ∞.
            Over a horizon T: horizon, and steps, a list of T mappings with the fields from nodes on, that with one step left
            first. Numbers are rationals, or floats, each the decimal that it is written as.

    Returns:
        A `ProvedBound`, on L_old(new) − η(new) over the normaliser's ε.

    Raises:
        NotSolved: if an inequality is not proved: which of them by most, and by how much.
        InvalidInput: for fields that are no such object.
    """
    content = exact_content(fields)
    with precision(_BITS):
        if content.get("horizon") is not None:
            return _check_steps(content)
        data = _Data(content)
        checks = _check(_places(data, data))
        budget = data.multiplier[0] * data.radius / (1 - data.gamma) if data.mean else _ZERO
        return ProvedBound(data.normaliser, fraction((data.at_one + budget) * data.factor), checks, _BITS)


def _check_steps(content: Mapping[str, Any]) -> ProvedBound:
    """Over a horizon: (1) and (2) for w_k with W_{k−1} ahead, k = 1, ..., T, and W_0 = 0; G_T ≤ w_T(1). γ may be 1."""
    steps, horizon = content.get("steps"), content["horizon"]
    if not (isinstance(horizon, int) and not isinstance(horizon, bool) and isinstance(steps, list | tuple)):
        raise InvalidInput(
            got=f"horizon = {rationals.shown(horizon)}",
            wanted="an integer, and a list of steps",
            fix="change horizon or steps",
        )
    if len(steps) != horizon or horizon < 1 or not all(isinstance(step, Mapping) for step in steps):
        raise InvalidInput(
            got=f"{len(steps)} steps, horizon {horizon}", wanted="as many steps, at least one", fix="change either"
        )
    head = {name: content.get(name) for name in ("kind", "divergence", "mean", *_NORMALISER, "gamma", "radius")}
    checks, ahead = 0, None
    for step in steps:
        data = _Data(head | dict(step), horizon=True)
        checks += _check(_places(data, ahead or _Nothing(data.gamma)))
        ahead = data
    assert ahead is not None
    return ProvedBound(ahead.normaliser, fraction(ahead.at_one * ahead.factor), checks, _BITS)


def _check(places: Iterator[Place]) -> int:
    """How many inequalities prove those of all places.

    Raises:
        NotSolved: where one is not proved.
    """
    checks, worst, where = 0, arb(0), ""
    for place in places:
        if place.multiplier < 0:
            raise NotSolved("got a negative price, the multiplier lambda; wanted at least 0; fix: set it to 0")
        count, failed = place.check()
        checks += count
        for excess in failed:
            worst = excess if not where or not excess <= worst else worst
            where = f"{place.name}, A = {place.sign:+d}" if worst is excess else where
    if where:
        raise NotSolved(
            f"got a supersolution whose inequality is not proved at {where}: it may fail by {worst.str(5)}; wanted all "
            "proved; fix: lift w by c (1 + x) and mu by gamma c x, with c (1 - gamma)(1 + x) above that"
        )
    return checks


def _places(data: _Data, future: _Data | _Nothing) -> Iterator[Place]:
    """Each node and ∞, with each A; `future` has the function that γ multiplies."""
    last, blocks, of_states = len(data.nodes), Blocks(future), data.normaliser.of_states
    for i, (multiplier, mu, nu) in enumerate(zip(data.multiplier, data.mu, data.nu, strict=True)):
        x: Any = _ONE
        ahead: Ahead = blocks
        if i == 0:
            name, weight, left, ahead = "x = 0", _ONE, data.w[0], OneLine(_ZERO, data.gamma * future.at_zero)
        elif i == last:
            name, weight, left, ahead = "x = inf", _ONE, data.slope, OneLine(data.gamma * future.steepest, _ZERO)
            multiplier = _ZERO if data.mean else multiplier
        else:
            x, left = data.nodes[i], data.w[i]
            name, weight = f"node {i}, x = {float(fraction(x)):.6g}", abs(x - 1)
        budget = _ZERO if data.mean else multiplier * data.radius
        for sign in (1,) if of_states else (1, -1):
            reward = _ZERO if of_states else weight * sign
            level = budget + mu - reward + (weight if of_states else -nu * sign)
            yield Place(name, sign, data.divergence, multiplier, left, ahead, x, reward - mu, level)


class _Nothing(Piecewise):
    """W_0 = 0: what follows the last step."""

    def __init__(self, gamma: Any) -> None:
        super().__init__(gamma, [_ZERO, _ONE], [_ZERO, _ZERO], _ZERO, is_convex=True)
        self.steepest, self.at_zero = _ZERO, _ZERO


class _Data(Piecewise):
    """The proof object in exact rationals (fmpq), and whether w is convex: then W is w."""

    def __init__(self, fields: Mapping[str, Any], *, horizon: bool = False) -> None:
        wanted = ("kind", "divergence", "mean", "gamma", "radius", "nodes", "w", "slope", "price", "mu", "nu")
        if missing := [name for name in wanted if fields.get(name) is None]:
            raise InvalidInput(got=f"no {', '.join(missing)}", wanted=", ".join(wanted), fix="add them")
        if fields["kind"] != KIND or fields["divergence"] not in tuple(divergences.BY_NAME):
            raise InvalidInput(
                got=f"kind {rationals.shown(fields['kind'])}, divergence {rationals.shown(fields['divergence'])}",
                wanted=f"kind {KIND!r}, divergence one of {', '.join(divergences.BY_NAME)}",
                fix="pass the proof object of a supersolution",
            )
        self.mean, self.normaliser = _one_of(fields, "mean", {False: False, True: True}), _normaliser(fields)
        self.gamma, self.radius = (raw(rationals.number(fields[n], n)) for n in ("gamma", "radius"))
        self.divergence = divergences.BY_NAME[fields["divergence"]].at(fraction(self.radius))
        self.normaliser.check(self.divergence, mean=self.mean)
        self.factor = self.normaliser.factor(self.divergence, fraction(self.radius))
        self.slope = raw(rationals.fractions(fields["slope"], "slope", ())[()])
        self.nodes, self.w = _vector(fields, "nodes"), _vector(fields, "w", like="nodes")
        self.multiplier, self.mu, self.nu = (
            _vector(fields, name, like="nodes", more=1) for name in ("price", "mu", "nu")
        )
        steps = list(zip(self.nodes, self.nodes[1:], strict=False))
        numbers = (self.radius, self.slope, *self.nodes, *self.w, *self.multiplier, *self.mu, *self.nu)
        sound = {
            "0 <= gamma < 1, or 1 over a horizon": 0 <= self.gamma < 1 or (horizon and self.gamma == 1),
            "a largest divergence, over a horizon": not (horizon and self.mean),
            "radius >= 0": self.radius >= 0,
            "numbers in the range of floats": max(map(abs, numbers)) <= _LARGEST,
            "nodes 0 = x_0 < x_1 < ...": self.nodes[0] == 0 and all(x < y for x, y in steps),
            "1 among the nodes": _ONE in self.nodes,
            "the same price at every node, for a mean": not self.mean
            or all(one == self.multiplier[0] for one in self.multiplier[:-1]),
        }
        for condition, holds in sound.items():
            if not holds:
                raise InvalidInput(got="fields where that is not so", wanted=condition, fix="correct the proof object")
        slopes = [(v - u) / (y - x) for (x, y), u, v in zip(steps, self.w, self.w[1:], strict=False)] + [self.slope]
        self.steepest = max(slopes)
        self.at_zero = max(v - slope * x for slope, x, v in zip(slopes, self.nodes, self.w, strict=True))
        self.at_one = self.w[self.nodes.index(_ONE)]
        self.is_convex = all(one <= next_one for one, next_one in pairwise(slopes))


def _normaliser(fields: Mapping[str, Any]) -> Normaliser:
    stated = [name for name in _NORMALISER if fields.get(name) is not None]
    if len(stated) != 1:
        raise InvalidInput(
            got=f"{len(stated)} of {', '.join(_NORMALISER)}", wanted="one of them", fix="correct the file"
        )
    if stated == ["expected"]:
        return _one_of(fields, "expected", {False: Normaliser.MAX, True: Normaliser.EXPECTED})
    return _one_of(fields, "normaliser", {one.value: one for one in Normaliser})


def _one_of(fields: Mapping[str, Any], name: str, known: Mapping[Any, Any]) -> Any:
    for key, value in known.items():
        if type(fields[name]) is type(key) and fields[name] == key:
            return value
    wanted = "true or false" if True in known else f"one of {', '.join(known)}"
    raise InvalidInput(got=f"{name} = {rationals.shown(fields[name])}", wanted=wanted, fix="correct the proof object")


def _vector(fields: Mapping[str, Any], name: str, like: str = "", more: int = 0) -> list[Any]:
    entries = rationals.fractions(fields[name], name)
    size = len(fields[like]) + more if like else max(entries.size, 1)
    if entries.shape != (size,):
        raise InvalidInput(got=f"{name} of shape {entries.shape}", wanted=f"({size},)", fix=f"check {name} and nodes")
    return [raw(entry) for entry in entries]
