"""How fast the gradient of the return turns, in the policy itself and in logits, and what it says of the optimum."""

from __future__ import annotations

from typing import Any

from trpo_theory.bounds.formulas import Formula, Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.claims.rules import improvement, tilted
from trpo_theory.step.quantities import Quantities


def most_actions(q: Quantities) -> Numbers:
    """A, the largest number of actions that a state has, (*batch)."""
    return q.max_s(q.sum_a(0 * q.old + 1))


def _squared(q: Quantities, x: Numbers) -> Numbers:
    """Σ_{s,a} x², (*batch)."""
    return q.sum_s(q.sum_a(x**2))


def _direct(q: Quantities, constant: Numbers) -> Numbers:
    """constant γ/(1 − γ)³ ‖new − old‖₂² − |d²η/dt²| along old + t (new − old)."""
    ceiling = constant * q.gamma / (1 - q.gamma) ** 3 * _squared(q, q.new - q.old)
    return ceiling - abs(q.return_second_derivative)


def _direct_agarwal(q: Quantities) -> Numbers:
    return _direct(q, 2 * most_actions(q))


def _direct_simplex(q: Quantities) -> Numbers:
    return _direct(q, most_actions(q))


def _direct_quarter(q: Quantities) -> Numbers:
    return _direct(q, most_actions(q) / 4)


def _direct_no_actions(q: Quantities) -> Numbers:
    return _direct(q, 1)


def _direct_step(q: Quantities) -> Numbers:
    scale = most_actions(q) * q.gamma / (1 - q.gamma) ** 3
    return scale * _squared(q, q.new - q.old) - abs(q.surrogate_gap)


def _concave_direct(q: Quantities) -> Numbers:
    return -q.return_second_derivative


def _centred(q: Quantities) -> Numbers:
    """n − Σ_a old n, n = noise, (S, A, *batch): the score of the direction n of the logits."""
    return q.noise - q.sum_a(q.old * q.noise)[:, None]


def _score_variance(q: Quantities) -> Numbers:
    """Σ_a old (n − Σ_a old n)², (S, *batch)."""
    return q.sum_a(q.old * _centred(q) ** 2)


def logit_second_derivative(q: Quantities) -> Numbers:
    """d²/dt² η of old exp(t n) over its sum, at t = 0, n = noise, (*batch).

    With c = n − Σ_a old n: old' = old c and old'' = old (c² − Σ_a old c²), so that it is the second derivative in the policy
    along old' plus Σ_s ρ_old Σ_a old'' Q, where A_old may stand for Q and the variance drops out: Σ_s ρ_old Σ_a old c² A_old.
    """
    along = q.with_new(q.old * (1 + _centred(q)))
    bent = q.sum_s(q.visitation_old * q.sum_a(q.old * _centred(q) ** 2 * q.advantage))
    return along.return_second_derivative + bent


def _softmax(q: Quantities) -> Numbers:
    return 8 / (1 - q.gamma) ** 3 * _squared(q, q.noise) - abs(logit_second_derivative(q))


def _concave_softmax(q: Quantities) -> Numbers:
    return -logit_second_derivative(q)


def _fisher_metric(q: Quantities) -> Numbers:
    """Σ_s ρ_old(s) Var_old(n), (*batch): n · F n/(1 − γ), F the Fisher information of d_old × old."""
    return q.sum_s(q.visitation_old * _score_variance(q))


def _fisher(q: Quantities) -> Numbers:
    constant = q.max_abs_advantage * (1 + 2 * q.sqrt(q.gamma / (1 - q.gamma)))
    return constant * _fisher_metric(q) - abs(logit_second_derivative(q))


def _fisher_local(q: Quantities) -> Numbers:
    return q.max_abs_advantage * _fisher_metric(q) - abs(logit_second_derivative(q))


def logit_gradient(q: Quantities) -> Numbers:
    """∂η/∂θ(s, a) = ρ_old(s) old(a|s) A_old(s, a), (S, A, *batch)."""
    return q.visitation_old[:, None] * q.old * q.advantage


def _ascent(q: Quantities) -> Numbers:
    """A step of the softmax gradient of the length (1 − γ)³/8, (S, A, *batch)."""
    return tilted(q, q.old, (1 - q.gamma) ** 3 / 8 * logit_gradient(q))


def _ascends(q: Quantities) -> Numbers:
    return improvement(q) - (1 - q.gamma) ** 3 / 16 * _squared(q, logit_gradient(q))


def _ascends_in_full(q: Quantities) -> Numbers:
    return improvement(q) - (1 - q.gamma) ** 3 / 8 * _squared(q, logit_gradient(q))


def _lojasiewicz(*, states: bool = True, least: bool = True, mismatch: bool = True) -> Formula:
    """‖∇η‖₂ − min_s old(a*(s)|s) (η(new) − η(old)) / (√S max_s d_new/d_old), or without one of the factors."""

    def slack(q: Quantities) -> Numbers:
        norm = q.sqrt(_squared(q, logit_gradient(q)))
        factor: Any = 1
        if least:
            factor = factor * q.min_s(q.sum_a(q.old * q.new))
        if states:
            factor = factor / q.sqrt(q.sum_s(0 * q.visitation_old + 1))
        if mismatch:
            factor = factor / q.max_s(q.visitation_new / q.visitation_old)
        return norm - factor * improvement(q)

    return slack


def _reached(q: Quantities) -> Truth:
    """new is deterministic and ρ_old > 0 in every state, (*batch)."""
    return q.is_deterministic_new & (q.visitation_old > 0).all(0)


def _unit_rewards(q: Quantities) -> Truth:
    return q.unit_rewards


def _smooth(id: str, formula: Formula, statement: str, source: str, **details: Any) -> Claim:
    """A claim of rewards in [0, 1]."""
    needs = frozenset({"unit-reward"})
    if details.get("expected", True) is True:
        details = {"proof": Theorem("Smoothness of the return")} | details
    return Claim(id, formula, statement + r",\quad r\in[0,1]", source, given=_unit_rewards, needs=needs, **details)


_AGARWAL = "Agarwal, Kakade, Lee and Mahajan 2021, arXiv:1908.00261, the smoothness of the direct parametrisation"
_MEI = "Mei, Xiao, Szepesvari and Schuurmans 2020, arXiv:2005.06392, "
_ALONG = r"\Bigl|\tfrac{d^2}{dt^2}\eta(\pi + t(\tilde\pi-\pi))\bigr|_0\Bigr| \le %s\|\tilde\pi-\pi\|_2^2"
_LOGITS = r"\pi_{\theta+tn} \propto \pi e^{tn}"
_BENT = r"\Bigl|\tfrac{d^2}{dt^2}\eta(\pi_{\theta+tn})\bigr|_0\Bigr| \le %s,\quad " + _LOGITS
_RISES = (
    r"\eta(\tilde\pi) \ge \eta(\pi) + \tfrac{(1-\gamma)^3}{%s}\|\nabla_\theta\eta\|_2^2"
    r" \text{ for } \tilde\pi \propto \pi\exp\bigl(\tfrac{(1-\gamma)^3}{8}\nabla_\theta\eta\bigr)"
)
_DOMINATES = (
    r"\|\nabla_\theta\eta(\pi)\|_2 \ge %s[\eta(\pi^*) - \eta(\pi)],\quad"
    r" \pi^* \text{ deterministic, } \rho_\pi > 0"
)
_LEAST, _STATES, _MISMATCH = r"\min_s\pi(a^*(s)|s)", r"\sqrt{|\mathcal{S}|}", r"\max_s\frac{d^{\pi^*}(s)}{d^\pi(s)}"
_COMPARATOR = "Claimed of every deterministic comparator new; an optimal one makes it the strongest."


def _domination(suffix: str, formula: Formula, factor: str, source: str, **details: Any) -> Claim:
    return Claim(
        "softmax/lojasiewicz" + suffix,
        formula,
        _DOMINATES % factor,
        source,
        given=_reached,
        needs=frozenset({"optimal-new"}),
        **details,
    )


CLAIMS = (
    _smooth(
        "direct/smooth",
        _direct_agarwal,
        _ALONG % r"\frac{2\gamma|\mathcal{A}|}{(1-\gamma)^3}",
        _AGARWAL,
        provenance="M",
        sharp="no: direct/smooth-simplex is half of it",
    ),
    _smooth(
        "direct/smooth-simplex",
        _direct_simplex,
        _ALONG % r"\frac{\gamma|\mathcal{A}|}{(1-\gamma)^3}",
        'direct/smooth with half its constant: docs/theory.md, "Smoothness of the return"',
        provenance="D",
    ),
    _smooth(
        "direct/smooth-quarter",
        _direct_quarter,
        _ALONG % r"\frac{\gamma|\mathcal{A}|}{4(1-\gamma)^3}",
        "direct/smooth with an eighth of its constant",
        expected=False,
        provenance="D",
    ),
    _smooth(
        "direct/smooth-no-actions",
        _direct_no_actions,
        _ALONG % r"\frac{\gamma}{(1-\gamma)^3}",
        "direct/smooth-simplex without the number of actions",
        expected=False,
        provenance="D",
    ),
    _smooth(
        "direct/step",
        _direct_step,
        r"|\eta(\tilde\pi) - L_\pi(\tilde\pi)| \le \frac{\gamma|\mathcal{A}|}{(1-\gamma)^3}\|\tilde\pi-\pi\|_2^2",
        _AGARWAL + "; the surrogate of Vaswani et al. 2022, arXiv:2108.05828, with the Euclidean mirror map",
        provenance="M",
        proof=Theorem(follows=("direct/smooth",), because="Taylor's formula along the segment from old to new"),
    ),
    Claim(
        "direct/concave",
        _concave_direct,
        r"\tfrac{d^2}{dt^2}\eta(\pi + t(\tilde\pi-\pi))\bigr|_0 \le 0",
        "folklore; refuted in Agarwal et al. 2021, arXiv:1908.00261",
        expected=False,
        provenance="M",
    ),
    _smooth("softmax/smooth", _softmax, _BENT % r"\frac{8}{(1-\gamma)^3}\|n\|_2^2", _MEI + "Lemma 7", provenance="S"),
    Claim(
        "softmax/concave",
        _concave_softmax,
        r"\tfrac{d^2}{dt^2}\eta(\pi_{\theta+tn})\bigr|_0 \le 0,\quad " + _LOGITS,
        "folklore; refuted in Agarwal et al. 2021, arXiv:1908.00261, and by " + _MEI + "for bandits",
        expected=False,
        provenance="M",
    ),
    Claim(
        "softmax/fisher",
        _fisher,
        _BENT % (r"\epsilon\Bigl(1 + 2\sqrt{\tfrac{\gamma}{1-\gamma}}\Bigr)\sum_s\rho_\pi(s)\mathrm{Var}_\pi(n)"),
        'derived: docs/theory.md, "Smoothness of the return"; smoothness relative to the Fisher information, as mirror '
        "ascent in logits asks for, Vaswani et al. 2022, arXiv:2108.05828",
        provenance="D",
        proof=Theorem("Smoothness of the return"),
    ),
    Claim(
        "softmax/fisher-local",
        _fisher_local,
        _BENT % r"\epsilon\sum_s\rho_\pi(s)\mathrm{Var}_\pi(n)",
        "softmax/fisher as for one step",
        expected=False,
        provenance="D",
    ),
    _smooth("softmax/ascent", _ascends, _RISES % "16", _MEI + "the ascent lemma", step=_ascent, provenance="M"),
    _smooth(
        "softmax/ascent-in-full",
        _ascends_in_full,
        _RISES % "8",
        "softmax/ascent with the whole of the first order",
        step=_ascent,
        expected=False,
        provenance="D",
    ),
    _domination(
        "",
        _lojasiewicz(),
        rf"\frac{{{_LEAST}}}{{{_STATES}}}\Bigl[{_MISMATCH}\Bigr]^{{-1}}",
        _MEI + "Lemma 8",
        provenance="S",
        note=_COMPARATOR,
        proof=Theorem("Gradient domination"),
    ),
    _domination(
        "-no-states",
        _lojasiewicz(states=False),
        rf"{_LEAST}\Bigl[{_MISMATCH}\Bigr]^{{-1}}",
        "softmax/lojasiewicz without the number of states",
        expected=False,
        provenance="D",
    ),
    _domination(
        "-no-least",
        _lojasiewicz(least=False),
        rf"\frac{{1}}{{{_STATES}}}\Bigl[{_MISMATCH}\Bigr]^{{-1}}",
        "softmax/lojasiewicz without the probability of the optimal action",
        expected=False,
        provenance="D",
    ),
    _domination(
        "-no-mismatch",
        _lojasiewicz(mismatch=False),
        rf"\frac{{{_LEAST}}}{{{_STATES}}}",
        "softmax/lojasiewicz without the mismatch of occupancies",
        expected=False,
        provenance="D",
    ),
)
