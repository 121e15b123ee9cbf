"""The figure of an `Audit`: η and L, the KL of each update against the target, and the lower bounds, over the updates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from trpo_theory import bounds
from trpo_theory.entries.kinds import SERIES, expect, expect_type
from trpo_theory.recorded import Audit
from trpo_theory.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN_BOUNDS = ("trpo/kl", "pinsker/kl", "chain-rule/kl", "cpo/mean-kl")
"""From the bound of arXiv:1502.05477 to the tightest in common use; four lines can be distinguished."""


def audit_figure(audit: Audit, *, shown: Sequence[str] = SHOWN_BOUNDS, width: str = "page") -> Figure:
    """Three panels over the updates: returns with L, divergences against the target, and lower bounds.

    Args:
        audit: the audit of a run.
        shown: ids of the bounds in the last panel; a bound that says nothing at an update leaves a gap there.
        width: as for `style.new_figure`.

    Returns:
        The figure, not registered with pyplot; `style.save` writes it.

    Raises:
        InvalidInput: for an unknown id.
    """
    expect_type(Audit, audit, "the audit", "pass what tt.audit(run) returned")
    expect(SERIES, shown=shown)
    known = [name for name in shown if bounds.get(name).id in audit.bounds]
    with style.styled():
        figure = style.new_figure(width, ratio=0.95)
        returns, divergences, lower = figure.subplots(3, 1, sharex=True)
        _draw_returns(returns, audit)
        _draw_divergences(divergences, audit)
        _draw_bounds(lower, audit, known)
        for axes in (returns, divergences, lower):
            axes.grid(visible=True, axis="y")
            axes.margins(x=0.01)
            axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        lower.set_xlabel("updates done")
        figure.align_ylabels()
    return figure


def _draw_returns(axes: Axes, audit: Audit) -> None:
    after = np.arange(1, audit.updates + 1)
    returns = np.concatenate([audit.expected_return_old[:1], audit.expected_return_new])
    axes.plot(np.arange(audit.updates + 1), returns, color=style.BLUE, label="η of the policy")
    axes.plot(after, audit.surrogate, color=style.ORANGE, ls=style.DASHES[1], lw=1.0, label="L, before the update")
    fallen = np.flatnonzero(audit.decreased)
    if len(fallen):
        look = {"color": style.VERMILLION, "marker": "v", "ls": "none", "ms": 3.0}
        axes.plot(after[fallen], returns[fallen + 1], **look, label=f"η fell ({len(fallen)} of {audit.updates})")
    axes.axhline(audit.best_return, color=style.GREY, lw=0.8, ls=":", label="η of the best policy")
    axes.set_ylabel("discounted return")


def _draw_divergences(axes: Axes, audit: Audit) -> None:
    forward, reverse, words = audit.mean_kl, audit.reverse_mean_kl, ""
    if audit.has_idle_states:
        forward, reverse, words = audit.acting_mean_kl, audit.reverse_acting_mean_kl, ",\nwhere actions matter"
    series: tuple[tuple[np.ndarray, str, Any, str], ...] = (
        (audit.max_kl, style.GREEN, style.DASHES[2], "max KL(old‖new)"),
        (forward, style.BLUE, style.DASHES[0], f"mean KL(old‖new){words}"),
        (reverse, style.VERMILLION, style.DASHES[1], f"mean KL(new‖old){words}"),
    )
    axes.set_yscale("log")
    after = np.arange(1, audit.updates + 1)
    for values, colour, dashes, label in series:
        drawn = np.where(np.isfinite(values) & (values > 0), values, np.nan)
        axes.plot(after, drawn, color=colour, ls=dashes, lw=1.0, label=label)
        endless = np.flatnonzero(np.isinf(values))
        if len(endless):
            top = np.full(len(endless), 0.97)
            axes.plot(after[endless], top, "^", ms=3.5, color=colour, transform=axes.get_xaxis_transform())
    if any(np.isinf(values).any() for values, *_ in series):
        axes.plot([], [], "^", ms=3.5, color=style.GREY, label="infinite")
    if audit.target is not None:
        axes.axhline(audit.target, color=style.BLACK, lw=0.9, label=f"target {audit.target:.4g}")
    axes.set_ylabel("KL of an update (nats)")


def _draw_bounds(axes: Axes, audit: Audit, shown: Sequence[str]) -> None:
    from matplotlib.ticker import SymmetricalLogLocator

    after = np.arange(1, audit.updates + 1)
    linear = _linear_up_to(audit)
    axes.set_yscale("symlog", linthresh=linear, linscale=1.0)
    axes.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=1.001 * linear))
    axes.plot(after, audit.expected_return_new, color=style.BLACK, lw=1.3, label="η of the policy")
    for k, name in enumerate(shown):
        values = audit.bounds[name].lower_bound
        drawn = np.where(np.isfinite(values), values, np.nan)
        axes.plot(after, drawn, color=style.COLOURS[k], ls=style.DASHES[k], lw=1.0, label=name)
    axes.axhline(
        audit.worst_return, color=style.GREY, lw=0.8, ls=":", label="η of the worst policy:\nbelow it, vacuous"
    )
    axes.set_ylabel("lower bound (discounted return)")


def _linear_up_to(audit: Audit) -> float:
    """The end of the linear part of the axis: the power of ten that covers all returns; bounds far below are on a log scale."""
    largest = max(abs(audit.worst_return), abs(audit.best_return)) or 1.0
    return 10.0 ** math.ceil(math.log10(largest) - 1e-9)
