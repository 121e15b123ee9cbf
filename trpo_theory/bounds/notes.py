"""What blogs, slides and lecture notes print, or make of the published bounds: false, but for one that is open."""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers, Truth
from trpo_theory.bounds.mean_kl import with_2, with_4
from trpo_theory.bounds.record import Bound
from trpo_theory.step.quantities import Quantities


def _half_of_tv(q: Quantities) -> Numbers:
    return 2 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2


def _half_of_pinsker(q: Quantities) -> Numbers:
    return q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_kl


def _own_advantage_kl(q: Quantities) -> Numbers:
    return 2 * q.max_abs_expected_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_kl


def _own_advantage_tv2(q: Quantities) -> Numbers:
    return 2 * q.max_abs_expected_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2


def _to_old_return(q: Quantities) -> Numbers:
    return -q.surrogate_gain


def _gamma_from_a_tenth(q: Quantities) -> Truth:
    return 10 * q.gamma >= 1


def _gamma_from_a_half(q: Quantities) -> Truth:
    return 2 * q.gamma >= 1


_MEAN_KL = r" - \frac{4\epsilon\gamma}{(1-\gamma)^2}\,\mathbb{E}_{s\sim d^\pi} D_{\mathrm{KL}}(\pi_s\|\tilde\pi_s)"
_FROM_L = r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi)"

BOUNDS = (
    Bound(
        "trpo/tv-2",
        _half_of_tv,
        _FROM_L + r" - \frac{2\epsilon\gamma}{(1-\gamma)^2}\alpha^2",
        "an early text of Schulman et al. 2015",
        expected=False,
        provenance="M",
    ),
    Bound(
        "pinsker/kl-1",
        _half_of_pinsker,
        _FROM_L + r" - \frac{\epsilon\gamma}{(1-\gamma)^2} D_{\mathrm{KL}}^{\max}(\pi,\tilde\pi)",
        "pinsker/kl with half its constant; false for gamma < 1/2",
        expected=False,
    ),
    Bound(
        "blog/own-advantage-kl",
        _own_advantage_kl,
        _FROM_L + r" - \frac{2\epsilon^{\tilde\pi}\gamma}{(1-\gamma)^2} D_{\mathrm{KL}}^{\max}(\pi,\tilde\pi)",
        "blogs: pinsker/kl with the advantage that the new policy expects",
        expected=False,
    ),
    Bound(
        "blog/own-advantage-tv2",
        _own_advantage_tv2,
        _FROM_L + r" - \frac{2\epsilon^{\tilde\pi}\gamma}{(1-\gamma)^2}\alpha^2",
        "blogs: cpo/max-tv with its distance squared",
        expected=False,
    ),
    Bound(
        "blog/no-surrogate",
        with_4,
        r"\eta(\tilde\pi) \ge \eta(\pi)" + _MEAN_KL,
        "slides: the return of the old policy in place of the surrogate",
        expected=False,
        provenance="S",
        shift=_to_old_return,
    ),
    Bound(
        "mean-kl/linear",
        with_4,
        _FROM_L + _MEAN_KL,
        "folklore: trpo/kl with the mean for the maximum; false for small gamma",
        expected=False,
    ),
    Bound(
        "mean-kl/linear-open",
        with_4,
        _FROM_L + _MEAN_KL + r",\quad \gamma \ge \tfrac1{10}",
        "folklore: mean-kl/linear for gamma from 1/10 on",
        given=_gamma_from_a_tenth,
        expected="open",
    ),
    Bound(
        "mean-kl/linear-2-half",
        with_2,
        _FROM_L + _MEAN_KL.replace("4", "2", 1) + r",\quad \gamma \ge \tfrac12",
        "mean-kl/linear-2 for gamma from 1/2 on, which steps next to old do not exclude; false at gamma = 1/2",
        given=_gamma_from_a_half,
        expected=False,
    ),
)
