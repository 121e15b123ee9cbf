"""The types of arrays with their shapes that annotations name: jaxtyping's, for type checkers and where it has been imported.

It is not imported for their sake alone, which would take longer than a small MDP is worked on: then `Float[np.ndarray, "S A"]`
is `np.ndarray`. Run-time checks of shapes import it first, as tests/conftest.py does.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    from jaxtyping import Bool, Float, Int, Real
else:

    class _AnyShape:
        """Any shape and kind of number of the type of arrays that is named."""

        def __class_getitem__(cls, item: tuple[Any, str]) -> Any:
            return item[0]

    Bool = Float = Int = Real = _AnyShape

__all__ = ["Bool", "Float", "Int", "Real"]
