"""How small an error of a bound `verify` would have found: what was measured of bounds that read the same quantities.

Source: experiments/power, whose table of margins is experiments/results/power-margins.csv.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trpo_theory.bounds.record import Bound, Claim
from trpo_theory.errors import NotKnown
from trpo_theory.step.partial import KnownQuantities

ANY = "any"
"""All discounts."""

MARGINS: Mapping[str, Mapping[str, float]] = {
    "max_tv, max_abs_advantage": {"any": 0.001, "gamma >= 0.99": 0.001, "gamma >= 0.999": 0.1, "gamma <= 0.01": 0.01},
    "max_tv, max_abs_advantage, mean_tv": {"any": 0.01},
    "max_tv, max_abs_advantage, mixing_new": {"any": 0.01},
    "max_kl, max_abs_advantage": {"any": 0.001, "gamma >= 0.9": 0.05, "gamma >= 0.99": 0.01, "gamma >= 0.999": 0.1},
    "reverse_max_kl, max_abs_advantage": {"any": 0.01, "gamma >= 0.9": 0.1},
    "mean_kl, max_abs_advantage": {
        "gamma <= 0.3": 0.3,
        "gamma >= 0.99": 0.1,
        "gamma >= 0.5": 0.1,
        "gamma >= 0.8": 0.1,
        "gamma >= 0.9": 0.03,
    },
    "max_chi2, max_abs_advantage": {"any": 0.01},
    "reverse_max_chi2, max_abs_advantage": {"any": 0.01},
    "mean_tv, max_abs_expected_advantage": {"any": 0.001, "gamma >= 0.99": 0.01, "gamma <= 0.01": 0.01},
    "mean_tv, max_abs_expected_advantage, mixing_new": {"any": 0.01},
    "max_tv, max_abs_expected_advantage": {"any": 0.01, "gamma >= 0.99": 0.01},
    "mean_kl, max_abs_expected_advantage": {"any": 0.01, "gamma >= 0.99": 0.01},
    "mixture_weight, max_abs_target_advantage": {"any": 0.001, "gamma >= 0.99": 0.01},
}
"""By the quantities that a penalty reads beside γ, and by the discounts that the bound is stated for: the least margin such that
bounds with it and with every larger one were found to be false in nine cases of ten, at the default settings of `verify`; 1
where none was. The margin of a false bound is the share of the least true constant that it lacks. Measured: experiments/power."""

_REGIONS = {ANY: (0.0, 1.0), "gamma <= 0.01": (0.0, 0.01), "gamma <= 0.3": (0.0, 0.3)} | {
    f"gamma >= {least:g}": (least, 1.0) for least in (0.5, 0.8, 0.9, 0.99, 0.999)
}
"""The discounts of `MARGINS`."""
_DISCOUNTS = (1e-4, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999)
"""At which a hypothesis is evaluated, to know for which discounts a bound is stated. Chosen: the regions' ends and between."""
_GAP = "surrogate_gap"
"""η(new) − L, which a claim that is a bound has to read."""
_SCALES = ("max_abs_advantage", "max_abs_expected_advantage", "max_abs_target_advantage")
"""What a penalty is proportional to, one of these."""
_LINEAR = ("max_kl", "reverse_max_kl", "mean_kl", "max_chi2", "reverse_max_chi2")
"""Divergences in which the measured penalties in max |A| were linear: at a given radius the worst case is another."""


def margin_found(claim: Claim) -> float | None:
    """The margin that the default search finds in nine cases of ten of bounds like this one; None if that was not measured.

    Bounds are like this one if their penalties read the same quantities, linearly where those are divergences of the second
    order, and if they are stated for some or all of its discounts, or for more; of several such the largest margin counts, as
    nobody knows at which discount a false bound fails. A claim η(new) − L + penalty ≥ 0 is a bound, too.
    """
    read = penalty_reads(claim)
    stated = None if read is None else _stated_for(claim)
    measured = None if read is None else next((rows for key, rows in MARGINS.items() if _names(key) == read), None)
    if measured is None or stated is None:
        return None
    low, high = stated
    like = [
        margin
        for name, margin in measured.items()
        for least, most in [_REGIONS[name]]
        if (least <= low and high <= most) or (low <= least and most <= high)
    ]
    return max(like, default=None)


def sentence(claim: Claim, margin: float) -> str:
    """What that margin says, for a reader: of which bounds, with which settings, by which measurement."""
    read = ", ".join(sorted(penalty_reads(claim) or ()))
    found = (
        f"with a constant {100 * margin:.3g} % too small" if margin < 1 else "with half of the least true constant not"
    )
    return f"false bounds in {read} {found} are found in nine cases of ten with default settings (experiments/power)"


def penalty_reads(claim: Claim) -> frozenset[str] | None:
    """The quantities beside γ that the penalty of a bound reads; None for what is no bound in numbers of the step alone."""
    if isinstance(claim, Bound):
        if claim.shift is not None or claim.residual is not None:
            return None
        return _reads(claim, None)
    if claim.relation != ">=" or claim.step is not None or claim.problem is not None:
        return None
    return _reads(claim, _GAP)


def _names(key: str) -> frozenset[str]:
    return frozenset(key.split(", "))


def _reads(claim: Claim, gap: str | None) -> frozenset[str] | None:
    """What a formula reads beside γ and this gap, in which it is linear; None if it is not, or reads what no numbers are."""
    allowed = {name for key in MARGINS for name in _names(key)}
    gaps = {} if gap is None else {gap: 0.0}
    known: dict[str, Any] = {"gamma": 0.5, **gaps}
    while isinstance(value := _value(claim, known), str):
        if value not in allowed or value in known:
            return None
        known[value] = 0.01
    read = frozenset(known) - {"gamma", *gaps}
    scales = read & set(_SCALES)
    if value is None or len(scales) != 1:
        return None
    (scale,) = scales
    linear = [scale, *(name for name in _LINEAR if name in read and scale == "max_abs_advantage")]
    doubled = [_value(claim, known | {name: 2 * known[name]}) for name in linear]
    moved = [_value(claim, known | {name: 1.0}) for name in gaps]
    right = np.allclose(doubled, 2 * value, rtol=1e-9, atol=0) and np.allclose(np.subtract(moved, value), 1)
    return read if right else None


def _value(claim: Claim, known: Mapping[str, float]) -> Any:
    """The formula at known quantities; the name of one that it wants as well; None if it fails."""
    given: dict[str, Any] = {name: np.full(1, value) for name, value in known.items()}
    q = KnownQuantities(**given)
    try:
        with np.errstate(all="ignore"):
            return float(np.asarray(claim.formula(q)).item())
    except NotKnown as error:
        return error.name
    except Exception:  # what a formula raises on such quantities says nothing of it
        return None


def _stated_for(claim: Claim) -> tuple[float, float] | None:
    """The least and the largest discount that meet the hypotheses, 0 and 1 for no limit; None if these read anything else."""
    if claim.given is None:
        return _REGIONS[ANY]
    met = []
    for gamma in _DISCOUNTS:
        try:
            if np.all(claim.given(KnownQuantities(gamma=np.full(1, gamma)))):
                met.append(gamma)
        except Exception:  # it reads other quantities
            return None
    if not met:
        return None
    return 0.0 if met[0] == _DISCOUNTS[0] else met[0], 1.0 if met[-1] == _DISCOUNTS[-1] else met[-1]
