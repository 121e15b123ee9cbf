"""Quantities of which only some are known, for bounds that are functions of those alone."""

from __future__ import annotations

from typing import Any

from trpo_theory.errors import NotKnown
from trpo_theory.numerics.arithmetic import Arithmetic, Array
from trpo_theory.numerics.floats import Floats
from trpo_theory.solve.criteria import DISCOUNTED
from trpo_theory.step.fields import no_quantity
from trpo_theory.step.quantities import Quantities

_FUNCTIONS = frozenset(
    {"arithmetic", "sqrt", "log", "exp", "minimum", "maximum", "polylog", "close", "criterion", "sum_t"}
)
"""What needs no quantity, or only `horizon`: the functions of `Notation`, but for reductions over states and actions."""


class KnownQuantities(Quantities):
    """Quantities of which only those given are known: what bounds that are functions of these alone can read.

    Reading another quantity raises `NotKnown`; a name that is no quantity at all raises an AttributeError.

    Args:
        arithmetic: of the numbers; floats, if left out.
        **known: quantities by the names that `Quantities` has for them, numbers or arrays of one batch.

    Raises:
        AttributeError: for a name that is no quantity.

    >>> from trpo_theory import bounds
    >>> q = KnownQuantities(gamma=0.5, max_abs_advantage=1.0, max_tv=0.25)
    >>> float(bounds.get("coupling/tv").formula(q))
    0.4
    >>> q.max_kl
    Traceback (most recent call last):
    ...
    trpo_theory.errors.NotKnown: the quantity max_kl is not known here
    """

    arithmetic: Arithmetic

    def __init__(self, arithmetic: Arithmetic | None = None, **known: Array) -> None:
        for name in known.keys() - Quantities.names():
            raise no_quantity(name, Quantities.names())
        self.arithmetic = arithmetic or Floats()
        vars(self).update(known, criterion=DISCOUNTED, _known=frozenset(known))

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_") or name in _FUNCTIONS:
            return super().__getattribute__(name)
        if name in vars(self)["_known"]:
            return vars(self)[name]  # also where it is a property, which has no place there
        raise NotKnown(name) if name in Quantities.names() else no_quantity(name, Quantities.names())
