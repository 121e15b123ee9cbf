"""`Expression`: a claim's formula as a tree over divergences, found by running it on a record that has nothing else."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, NoReturn

import numpy as np

from trpo_theory.errors import NotKnown
from trpo_theory.numerics.ball.raw import Real, arb, fmpq, fraction, raw
from trpo_theory.proofs.joint_range.rows import FIELDS, REDUCED, TV, power_field


class Untraceable(TypeError):
    """What a formula does with a quantity that no tree can hold, such as a comparison."""


@dataclass(frozen=True, eq=False)
class Expression:
    """A node.

    Attributes:
        op: "constant", "field", "+", "*", "power", "log", "exp", "abs", "min", "max", "max_s" or "min_s".
        args: the nodes below.
        value: a constant's number, exact or a ball; a power's exponent; a field's name.
        over: of a field: "state" (one entry a state), "max" or "mean" over states, or "row".
    """

    op: str
    args: tuple[Expression, ...] = ()
    value: Any = None
    over: str = ""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        function = _UFUNCS.get(ufunc)
        if method != "__call__" or options or function is None:
            return NotImplemented
        return function(*(_node(x) for x in inputs))

    @cached_property
    def _key(self) -> tuple[object, ...]:
        value = self.value.str(radius=True, more=True) if isinstance(self.value, arb) else self.value
        return self.op, self.args, value, self.over

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __add__(self, other: object) -> Expression:
        return _sum(self, _node(other))

    def __radd__(self, other: object) -> Expression:
        return _sum(_node(other), self)

    def __sub__(self, other: object) -> Expression:
        return _sum(self, -_node(other))

    def __rsub__(self, other: object) -> Expression:
        return _sum(_node(other), -self)

    def __mul__(self, other: object) -> Expression:
        return _product(self, _node(other))

    def __rmul__(self, other: object) -> Expression:
        return _product(_node(other), self)

    def __truediv__(self, other: object) -> Expression:
        return _product(self, _node(other) ** -1)

    def __rtruediv__(self, other: object) -> Expression:
        return _product(_node(other), self**-1)

    def __neg__(self) -> Expression:
        return _product(_node(-1), self)

    def __pos__(self) -> Expression:
        return self

    def __abs__(self) -> Expression:
        return Expression("abs", (self,))

    def __pow__(self, other: object) -> Expression:
        exponent = _node(other)
        if exponent.op != "constant" or not isinstance(exponent.value, fmpq):
            raise Untraceable("a power whose exponent is no rational")
        power = fraction(exponent.value)
        if power == 0:
            return _node(1)
        if power == 1:
            return self
        if self.op == "constant" and power.denominator == 1:
            return Expression("constant", value=self.value ** int(power))
        return Expression("power", (self,), power)

    def _refused(self, *_: object) -> NoReturn:
        raise Untraceable("a comparison, an index, or a conversion to a number")

    __lt__: ClassVar[Callable[..., NoReturn]] = _refused
    __le__: ClassVar[Callable[..., NoReturn]] = _refused
    __gt__: ClassVar[Callable[..., NoReturn]] = _refused
    __ge__: ClassVar[Callable[..., NoReturn]] = _refused
    __bool__: ClassVar[Callable[..., NoReturn]] = _refused
    __float__: ClassVar[Callable[..., NoReturn]] = _refused
    __int__: ClassVar[Callable[..., NoReturn]] = _refused
    __getitem__: ClassVar[Callable[..., NoReturn]] = _refused
    __iter__: ClassVar[Callable[..., NoReturn]] = _refused
    __len__: ClassVar[Callable[..., NoReturn]] = _refused

    @property
    def is_constant(self) -> bool:
        """Whether it is a number."""
        return self.op == "constant"

    def leaves(self) -> Iterator[Expression]:
        """Its fields and reductions over states, the outermost ones, each as often as it occurs."""
        if self.op in ("field", "max_s", "min_s"):
            yield self
        else:
            for arg in self.args:
                yield from arg.leaves()

    def replaced(self, old: Expression, new: Expression) -> Expression:
        """With one node in the place of another."""
        if self == old:
            return new
        return Expression(self.op, tuple(arg.replaced(old, new) for arg in self.args), self.value, self.over)

    def substituted(self, by: Mapping[Expression, Expression]) -> Expression:
        """With other nodes in the places of several at once."""
        if self in by:
            return by[self]
        if not self.args:
            return self
        return Expression(self.op, tuple(arg.substituted(by) for arg in self.args), self.value, self.over)


def constant(value: Real) -> Expression:
    """A number."""
    return _node(value)


def field(name: str, over: str = "row") -> Expression:
    """A divergence."""
    return Expression("field", value=name, over=over)


def _node(x: object) -> Expression:
    if isinstance(x, Expression):
        return x
    number = raw(x)
    if not isinstance(number, fmpq | arb):
        raise Untraceable(f"no finite number: {x!r}")
    return Expression("constant", value=number)


def _sum(x: Expression, y: Expression) -> Expression:
    if x.is_constant and y.is_constant:
        return Expression("constant", value=x.value + y.value)
    if x.is_constant and x.value == 0:
        return y
    return x if y.is_constant and y.value == 0 else Expression("+", (x, y))


def _product(x: Expression, y: Expression) -> Expression:
    if x.is_constant and y.is_constant:
        return Expression("constant", value=x.value * y.value)
    if y.is_constant:
        x, y = y, x
    if x.is_constant:
        if x.value == 0:
            return x
        if x.value == 1:
            return y
        if y.op == "*" and y.args[0].is_constant:
            return _product(_product(x, y.args[0]), y.args[1])
    return Expression("*", (x, y))


def _divergence(name: str, over: str) -> Expression:
    """A field of `Quantities`: a leaf, or Rényi's function of one."""
    order = FIELDS[name].order if name in FIELDS else None
    return field(name, over) if order is None else _renyi(order, over)


def _renyi(order: Fraction, over: str) -> Expression:
    """−log(1 − b E f)/b, b = 1 − a; of the largest E f, where the largest is meant, as it increases."""
    b = 1 - order
    return Expression("log", (1 - b * field(power_field(order), over),)) / -b


_UFUNCS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.true_divide: operator.truediv,
    np.power: operator.pow,
    np.negative: operator.neg,
    np.absolute: abs,
    np.square: lambda x: x**2,
    np.sqrt: lambda x: x ** Fraction(1, 2),
    np.log: lambda x: Expression("log", (x,)),
    np.exp: lambda x: Expression("exp", (x,)),
    np.minimum: lambda x, y: Expression("min", (x, y)),
    np.maximum: lambda x, y: Expression("max", (x, y)),
}
"""NumPy's functions as `RowRecord` has them: a formula may write either."""


class RowRecord:
    """What a formula reads instead of `Quantities`: divergences as fields of a tree; any other quantity raises `NotKnown`."""

    def __getattr__(self, name: str) -> Expression:
        if name == TV or name in FIELDS:
            return _divergence(name, "state")
        if name in REDUCED:
            return _divergence(*REDUCED[name])
        raise NotKnown(name)

    def renyi(self, order: object) -> Expression:
        """D_order, by Σ old^order new^(1−order)."""
        exact = raw(order)
        if not isinstance(exact, fmpq) or not 0 < exact < 1:
            raise Untraceable("a Rényi divergence whose order is no rational between 0 and 1")
        return _renyi(fraction(exact), "state")

    def max_s(self, x: object) -> Expression:
        """The largest over states."""
        return Expression("max_s", (_node(x),))

    def min_s(self, x: object) -> Expression:
        """The least over states."""
        return Expression("min_s", (_node(x),))

    def sqrt(self, x: object) -> Expression:
        """√x."""
        return _node(x) ** Fraction(1, 2)

    def log(self, x: object) -> Expression:
        """log x."""
        return Expression("log", (_node(x),))

    def exp(self, x: object) -> Expression:
        """eˣ."""
        return Expression("exp", (_node(x),))

    def minimum(self, x: object, y: object) -> Expression:
        """The smaller."""
        return Expression("min", (_node(x), _node(y)))

    def maximum(self, x: object, y: object) -> Expression:
        """The larger."""
        return Expression("max", (_node(x), _node(y)))
