"""Where the batch axes are: first in public arrays, as NumPy has it, and last in formulas, where axis 0 is S and axis 1 is A."""

from __future__ import annotations

from trpo_theory.numerics.arithmetic import Array


def batch_last(x: Array, axes: int = 1) -> Array:
    """A view of x, whose first `axes` axes are the batch, with the batch last: (*batch, S, ...) -> (S, ..., *batch).

    >>> import numpy as np
    >>> batch_last(np.zeros((10, 3, 2))).shape, batch_last(np.zeros((4, 5, 3)), 2).shape
    ((3, 2, 10), (3, 4, 5))
    """
    return x.transpose((*range(axes, x.ndim), *range(axes)))


def batch_first(x: Array, axes: int = 1) -> Array:
    """A view of x, whose last `axes` axes are the batch, with the batch first: the inverse of `batch_last`.

    >>> import numpy as np
    >>> batch_first(np.zeros((3, 2, 10))).shape
    (10, 3, 2)
    """
    core = x.ndim - axes
    return x.transpose((*range(core, x.ndim), *range(core)))
