"""The hook that Hypothesis runs when it is imported: strategies for `FiniteMDP` and `Instance`, at no cost until they are used.

It may import neither: NumPy and SciPy are not to be loaded for every user of Hypothesis on whose machine this package lies.
The two types announce themselves where they are defined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trpo_theory.model.announced import listen

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_STRATEGIES = {"FiniteMDP": "mdps", "Instance": "instances"}
"""The name of a type, and of the function of `strategies` that draws it."""


def register() -> None:
    """Register a strategy for each of these types, now or when it is defined."""
    listen(_register)


def _register(defined: type) -> None:
    from hypothesis.strategies import register_type_strategy

    maker = _STRATEGIES[defined.__name__]
    register_type_strategy(defined, lambda _: _strategy(maker))


def _strategy(maker: str) -> SearchStrategy:
    from trpo_theory.testing import strategies

    return getattr(strategies, maker)()
