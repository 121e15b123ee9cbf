"""The types of what claims and bounds are made of: a number, a condition, a formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from trpo_theory.step.quantities import Quantities

if TYPE_CHECKING:
    Numbers: TypeAlias = float | np.ndarray
    Truth: TypeAlias = bool | np.bool_ | np.ndarray
else:  # in proofs also a `Ball`, and in searches a number with its derivative, types that formulas do not name
    Numbers = Truth = object
"""Numbers: what a formula computes with, a number or an array (*batch), (S, *batch) or (S, A, *batch).
Truth: a condition on them."""

Formula: TypeAlias = Callable[[Quantities], Numbers]
"""The mathematics of one instance, such as `lambda q: q.max_abs_advantage * q.max_tv**2`; it runs on a batch and in balls."""

Condition: TypeAlias = Callable[[Quantities], Truth]
"""A hypothesis on an instance, such as `lambda q: q.gamma >= 0.5`."""
