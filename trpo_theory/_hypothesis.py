"""The hook that Hypothesis runs when it is imported: strategies for `FiniteMDP` and `Instance`, at no cost until they are used.

It may import neither: NumPy and SciPy are not to be loaded for every user of Hypothesis on whose machine this package lies.
So it waits for them. When a submodule has been imported, Python binds it in its parent package; the package is watched for
those bindings. Source: the Python reference, "The import system", 5.4.2.
"""

from __future__ import annotations

import sys
from typing import Any

_PACKAGE = sys.modules[__package__ or ""]
_HOMES = {"mdp": ("FiniteMDP", "mdps"), "zoo": ("Instance", "instances")}
"""Submodule: the type it defines, and the strategy for it."""


def register() -> None:
    """Register what is imported already, and watch for the rest."""
    _PACKAGE.__class__ = _Watched
    for submodule in _HOMES.keys() & vars(_PACKAGE).keys():
        _register(submodule)


class _Watched(type(_PACKAGE)):
    """The package, which registers the types of its submodules as these are bound in it."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in _HOMES:
            _register(name)


def _register(submodule: str) -> None:
    from hypothesis.strategies import register_type_strategy

    type_name, maker = _HOMES[submodule]
    register_type_strategy(getattr(vars(_PACKAGE)[submodule], type_name), lambda _: _strategy(maker))


def _strategy(maker: str) -> Any:
    from trpo_theory.search import strategies

    return getattr(strategies, maker)()
