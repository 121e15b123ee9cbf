"""beartype as the tests use it: an int will do for a float (PEP 484's numeric tower), and a NumPy scalar for an array.

NumPy itself returns scalars where a result has no axes, whatever the arguments were.
"""

from typing import Annotated, Any

import numpy as np
from beartype import BeartypeConf, FrozenDict, beartype
from beartype.vale import Is

from trpo_theory.numerics.arithmetic import Arithmetic, Resolvent


def remembered(protocol: Any) -> Any:
    """`isinstance` of a protocol, asked once for a class that has its members itself: it takes half a millisecond."""
    names = {name for name in (*vars(protocol), *protocol.__annotations__) if not name.startswith("_")}
    known: set[type] = set()

    def conforms(x: Any) -> bool:
        if type(x) in known:
            return True
        found = isinstance(x, protocol)
        if found and all(hasattr(type(x), name) for name in names):
            known.add(type(x))
        return found

    return Annotated[object, Is[conforms]]


check = beartype(
    conf=BeartypeConf(
        is_pep484_tower=True,
        hint_overrides=FrozenDict(
            {np.ndarray: np.ndarray | np.generic, **{one: remembered(one) for one in (Arithmetic, Resolvent)}}
        ),
    )
)
