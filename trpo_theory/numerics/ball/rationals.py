"""Checked arrays of exact rationals: what an `ExactInstance` is made of. The exact twin of `_checks`."""

from __future__ import annotations

import decimal
import math
import numbers
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.expected import expect_numbers
from trpo_theory.entries.foreign import native
from trpo_theory.entries.sparse import is_sparse
from trpo_theory.errors import InvalidInput
from trpo_theory.io._json import parse_rational
from trpo_theory.model import decimals
from trpo_theory.model.types import RealLike

_ATOL = Fraction(1, 10**8)
"""How far a row of probabilities may be from summing to 1: `_checks.ROW_SUM_ATOL`."""
_DIGITS = 10
"""Significant digits of a rational in a message: chosen, as those of an enclosure that a person reads."""


def fractions(
    value: RealLike | None,
    name: str,
    shape: tuple[int, ...] | None = None,
    *,
    minus_inf: bool = False,
) -> np.ndarray:
    """An object array of `Fraction`, floats being the dyadic rationals that they are; with minus_inf, None for −∞."""
    given: Any = value
    given = native(given.toarray() if is_sparse(given) else given, name)
    expect_numbers(given, name)
    try:
        array = np.asarray(given, dtype=object)
        out = np.empty(array.shape, dtype=object)
        out.ravel()[:] = [_as_fraction(entry, name, minus_inf) for entry in array.ravel()]
    except ValueError as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(
            got=f"a ragged {name}", wanted="a rectangular array", fix="check that all its rows have the same length"
        ) from None
    if shape is not None and out.shape != shape:
        raise InvalidInput(
            got=f"{name} of shape {out.shape}", wanted=f"shape {shape}", fix=f"check that {name} is of this MDP"
        )
    return out


def _as_fraction(x: Any, name: str, minus_inf: bool = False) -> Any:
    number = parse_rational(x) if isinstance(x, str) else x
    if isinstance(number, Fraction):
        return number
    if isinstance(number, bool | np.bool_ | numbers.Integral):
        return Fraction(int(number))
    if isinstance(number, float | np.floating) and np.isfinite(number):
        return decimals.dyadic(number)
    if isinstance(number, decimal.Decimal) and number.is_finite():
        return Fraction(number)
    if minus_inf and isinstance(number, float | np.floating) and number == -math.inf:
        return None
    if isinstance(x, list | tuple):
        raise ValueError
    raise InvalidInput(
        got=f"{x!r} in {name}", wanted="finite real numbers", fix='pass floats, integers, fractions or "p/q"'
    )


def number(value: RealLike | None, name: str) -> Fraction:
    """One number, such as a discount: a float is the decimal that it is written as."""
    entry: Any = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
    out: Any = fractions(written(entry), name, ())
    return out[()]


def amount(value: RealLike | None, name: str) -> Fraction:
    """A radius or a coefficient: a rational, 0 or more, that rounds to a finite float, as results show it."""
    out = number(value, name)
    if out < 0 or is_beyond_floats(out):
        raise InvalidInput(got=f"{name} = {_terse(out)}", wanted="0 or more, at most 1.8e308", fix=f"change {name}")
    return out


def is_beyond_floats(x: Fraction | int) -> bool:
    """Whether it rounds to an infinite float."""
    return math.isinf(decimals.nearest_float(x))


def discount(value: RealLike | None, name: str = "gamma") -> Fraction:
    """γ in [0, 1): the rational is compared, since -1e-400 is 0 as a float."""
    gamma = number(value, name)
    if not 0 <= gamma < 1:
        raise InvalidInput(got=f"{name} = {_terse(gamma)}", wanted="0 <= gamma < 1", fix="pass 0.99, say")
    return gamma


def discount_or_one(value: RealLike | None, name: str = "gamma") -> Fraction:
    """γ in [0, 1], likewise: 1 for MDPs that end, or whose rewards are averaged."""
    gamma = number(value, name)
    if not 0 <= gamma <= 1:
        raise InvalidInput(got=f"{name} = {_terse(gamma)}", wanted="0 <= gamma <= 1", fix="pass 0.99, say")
    return gamma


def count(value: RealLike | None, name: str) -> Fraction:
    """A whole number, 1 or more."""
    out = number(value, name)
    if out.denominator != 1 or out < 1:
        raise InvalidInput(got=f"{name} = {_terse(out)}", wanted="a whole number, 1 or more", fix="pass 10, say")
    return out


def written(value: Any) -> Any:
    """Numbers, or nested lists of them as a file has them, with every float as the decimal that it is written as."""
    if isinstance(value, list):
        return [written(entry) for entry in value]
    if isinstance(value, Mapping):
        return {name: written(entry) for name, entry in value.items()}
    if isinstance(value, float | np.floating) and np.isfinite(value):
        return decimals.as_written(value)
    return value


def reward(value: RealLike, available: RealLike | None, transition: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """r(s,a), and the mask of the available actions."""
    shape = transition.shape[:2]
    reward = fractions(value, "reward", minus_inf=True)
    mask = np.ones(shape, dtype=bool)
    if available is not None:
        mask = _checks.actions_available(fractions(available, "available", shape))
    if reward.shape == shape:
        mask = mask & np.array([[entry is not None for entry in row] for row in reward], dtype=bool)
    elif reward.shape not in (shape[:1], transition.shape) or any(entry is None for entry in reward.flat):
        raise InvalidInput(
            got=f"reward of shape {reward.shape}" + (" with -inf" if None in reward.ravel() else ""),
            wanted=f"{shape}, or finite {shape[:1]} or {transition.shape}",
            fix="give one reward a state and action",
        )
    _checks.expect_an_action(mask)
    if reward.ndim == 1:
        reward = np.repeat(reward[:, None], shape[1], axis=1)
    elif reward.ndim == 3:
        reward = (rows(select(mask, transition), "transition", mask) * reward).sum(2)
    return select(mask, reward), mask


def floats(value: np.ndarray | Fraction) -> np.ndarray:
    """The nearest floats of rationals: as `astype(float)`, in a third of the time."""
    array = np.asarray(value, dtype=object)
    flat = [entry.numerator / entry.denominator for entry in array.flat]
    return np.array(flat, dtype=np.float64).reshape(array.shape)


def select(mask: np.ndarray, array: np.ndarray) -> np.ndarray:
    """The entries where the mask is true, else 0."""
    out = array.copy()
    out[~mask] = Fraction(0)
    return out


def nonnegative(array: np.ndarray, name: str) -> np.ndarray:
    """The array of `Fraction`, after a check of each entry."""
    negative = np.array([entry.numerator < 0 for entry in array.flat], dtype=bool).reshape(array.shape)
    if negative.any():
        index = _checks.first_index(negative)
        raise InvalidInput(
            got=f"{name}{_checks.show_index(index)} = {short(array[index])}",
            wanted="probabilities, none negative",
            fix="look for a sign error where it was computed",
        )
    return array


def row_atol(value: Any) -> Fraction:
    """How far rows of these numbers may be from summing to 1: as `_checks.row_sum_atol`, more in narrow formats."""
    return max(_ATOL, decimals.as_written(_checks.row_sum_atol(value)))


def rows(array: np.ndarray, name: str, where: np.ndarray | None = None, *, atol: Fraction = _ATOL) -> np.ndarray:
    """Probabilities along the last axis, each row over its exact sum; rows outside `where` are left alone."""
    out = nonnegative(array, name).copy()
    for index in np.ndindex(array.shape[:-1]):
        total = sum(array[index].tolist(), Fraction(0))
        if total == 1 or (where is not None and not where[index]):
            continue
        if abs(total - 1) > atol:
            raise InvalidInput(
                got=f"{name}{' row ' * bool(index)}{_checks.show_index(index)} that sums to {short(total)}"
                f"{_checks.meaning(index, name)}",
                wanted=f"each row to sum to 1 (within {float(atol):g})",
                fix="divide the row by its sum",
            )
        out[index] = array[index] / total
    return out


def policy(array: np.ndarray, name: str, available: np.ndarray, *, atol: Fraction = _ATOL) -> np.ndarray:
    """Rows of probabilities without mass on unavailable actions."""
    stray = (array != 0).astype(bool) & ~available
    if stray.any():
        index = _checks.first_index(stray)
        raise InvalidInput(
            got=f"{name}{_checks.show_index(index)} = {short(array[index])} for an action that is not available there",
            wanted="no mass on unavailable actions",
            fix="move it to the available ones",
        )
    return rows(array, name, atol=atol)


def groups(value: RealLike | None, states: int) -> tuple[int, ...] | None:
    """One integer a state."""
    if value is None:
        return None
    entries = fractions(value, "groups", (states,))
    if not all(entry.denominator == 1 for entry in entries):
        raise InvalidInput(got="groups that are not integers", wanted="one integer a state", fix="round them")
    return tuple(int(entry) for entry in entries)


def shown(value: Any, digits: int = _DIGITS) -> str:
    """What a file says, for a message: rationals as a reader writes them, also in lists; anything else as Python does."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(shown(entry, digits) for entry in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name!r}: {shown(entry, digits)}' for name, entry in value.items())}}}"
    if isinstance(value, Fraction):
        return _terse(value) if is_beyond_floats(value) else short(value, digits)
    return repr(value)


def short(x: Fraction | int, digits: int = _DIGITS) -> str:
    """A rational for a message, with so many significant digits where it is long."""
    if max(abs(x.numerator), x.denominator) < 10**12:
        return str(x)
    with decimal.localcontext(prec=digits + 2):
        text = f"{decimal.Decimal(x.numerator) / x.denominator:.{digits}g}"
    return f"about {text}"


def _terse(x: Fraction) -> str:
    """A rational for a message: a long one that is a decimal as that, 1e400."""
    text = f"{(decimal.Decimal(x.numerator) / x.denominator).normalize():g}"
    return text.replace("e+", "e") if "about" in short(x) and Fraction(text) == x else short(x)
