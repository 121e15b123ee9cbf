"""Quantities of which only some are known, for bounds that are functions of those alone."""

from __future__ import annotations

from typing import Any

from trpo_theory.numerics.floats import Floats
from trpo_theory.step.quantities import Quantities

_FUNCTIONS = frozenset({"arithmetic", "sqrt", "log", "exp", "minimum", "maximum", "polylog"})


class KnownQuantities(Quantities):
    """Quantities of which only those given are known; a formula that reads another gets an AttributeError.

    >>> from trpo_theory import bounds
    >>> q = KnownQuantities(gamma=0.5, max_abs_advantage=1.0, max_tv=0.25)
    >>> float(bounds.get("coupling/tv").formula(q))
    0.4
    """

    def __init__(self, **known: Any) -> None:
        self.arithmetic = Floats()
        vars(self).update(known, _known=frozenset(known))

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_") or name in _FUNCTIONS or name in vars(self)["_known"]:
            return super().__getattribute__(name)
        raise AttributeError(f"{name} is not known", name=name, obj=self)
