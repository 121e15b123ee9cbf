"""`math.sqrt` and the like, in formulas that are run with numbers of a box."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from trpo_theory.numerics.plain.kinds import kind
from trpo_theory.numerics.plain.rewired import Rewiring
from trpo_theory.proofs.penalties.number import Number


def _of_number(name: str, ours: Callable[[Number], Any]) -> Callable[..., Any]:
    original = getattr(math, name)
    return lambda x, *more: ours(x) if isinstance(x, Number) and not more else original(x, *more)


def _power(x: Any, exponent: Any) -> Any:
    return x**exponent if isinstance(x, Number) or isinstance(exponent, Number) else math.pow(x, exponent)


_REWIRING = Rewiring(
    names={
        "float": kind(float, lambda x=0.0: x if isinstance(x, Number) else float(x), lambda x: isinstance(x, Number))
    },
    modules={
        "math": {
            "sqrt": _of_number("sqrt", Number.sqrt),
            "exp": _of_number("exp", Number.exp),
            "expm1": _of_number("expm1", Number.expm1),
            "log": _of_number("log", Number.log),
            "log1p": _of_number("log1p", Number.log1p),
            "fabs": _of_number("fabs", abs),
            "pow": _power,
        }
    },
)


def rewired(function: Callable[..., Any]) -> Callable[..., Any]:
    """A claim's function whose own code, where it is not of the package, calls the `math.sqrt`, ... of numbers of a box."""
    return _REWIRING.rewired(function, everywhere=False)
