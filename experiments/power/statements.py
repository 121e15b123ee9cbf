"""False claims about values and visits, folklore of policy improvement, and updates."""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

from experiments.power import examples
from experiments.power.case import FOLKLORE, UPDATES, VALUES, Case, Formula, stated
from trpo_theory import Quantities

H = F(1, 2)


def _rise(q: Quantities) -> Any:
    """η(new) − η(old)."""
    return q.expected_return_new - q.expected_return_old


def _times(factor: float, formula: Formula) -> Formula:
    return lambda q: factor * formula(q)


def _values() -> list[Case]:
    moved: Formula = lambda q: q.sum_s(abs(q.visitation_change))  # noqa: E731
    largest: Formula = lambda q: q.max_s(q.max_a(abs(q.reward)))  # noqa: E731

    def coupled(q: Quantities) -> Any:
        return 2 * q.gamma * q.max_tv / ((1 - q.gamma) * (1 - q.gamma * (1 - q.max_tv)))

    def deterministic(q: Quantities) -> Any:
        single = (q.initial == 1).any(0) & (q.visitation_old > 0).all(0)
        return (
            single
            & ((q.transition == 0) | (q.transition == 1)).all((0, 1, 2))
            & ((q.old == 0) | (q.old == 1)).all((0, 1))
        )

    level = lambda: examples.rows([F(1), F(0)], [F(0), F(1)], reward=[F(0), F(1)])  # noqa: E731
    swing = lambda: examples.rows([H, H], [F(1), F(0)], reward=[F(1), F(-1)])  # noqa: E731
    leave = lambda: examples.mixture(H, F(1, 4))  # noqa: E731
    f = VALUES
    return [
        stated(
            "visits move at most 0.99 of the coupling's", f, _times(0.99, coupled), moved, 0.01, leave, "F4 attains it"
        ),
        stated(
            "visits move at most 0.99 of the mean's",
            f,
            lambda q: 0.99 * 2 * q.gamma / (1 - q.gamma) ** 2 * q.mean_tv,
            moved,
            0.01,
            lambda: examples.leaving(H, F(1, 4), F(10**9)),
            "F5 attains it as its second step falls",
        ),
        stated(
            "|V| at most 0.999 of the horizon",
            f,
            lambda q: 0.999 * largest(q) / (1 - q.gamma),
            lambda q: q.max_s(abs(q.value)),
            0.001,
            lambda: examples.rows([F(0), F(1)], [F(0), F(1)], reward=[F(0), F(1)]),
            "a reward of one size",
        ),
        stated(
            "|A| at most 1.98 of the horizon",
            f,
            lambda q: 1.98 * largest(q) / (1 - q.gamma),
            lambda q: q.max_abs_advantage,
            0.01,
            _escape,
            "from -1 for ever to 1 for ever",
        ),
        stated(
            "eta rises by at most 0.999 of max Abar",
            f,
            lambda q: 0.999 * q.max_abs_expected_advantage / (1 - q.gamma),
            _rise,
            0.001,
            level,
            "one state attains it",
        ),
        stated(
            "eta rises by at most 0.99 of 2 alpha max|A|",
            f,
            lambda q: 0.99 * 2 * q.max_tv * q.max_abs_advantage / (1 - q.gamma),
            _rise,
            0.01,
            swing,
            "one state attains it",
        ),
        stated(
            "the performance difference, with rho_old for a thousandth",
            f,
            _rise,
            lambda q: q.sum_s((0.999 * q.visitation_new + 0.001 * q.visitation_old) * q.expected_advantage),
            0.001,
            leave,
            "F4",
            relation="=",
            size=lambda q: abs(q.surrogate_gap),
        ),
        stated(
            "rho_old at least gamma^6 on deterministic paths",
            f,
            lambda q: q.min_s(q.visitation_old),
            lambda q: q.gamma**6,
            1.0,
            lambda: _cycle(F(1, 1000), 8),
            "a cycle of 8 states: gamma^7/(1 - gamma^8)",
            given=deterministic,
        ),
        stated(
            *("rho_old at least gamma^4 on deterministic paths", f, lambda q: q.min_s(q.visitation_old)),
            *(lambda q: q.gamma**4, 1.0, lambda: _cycle(F(1, 1000), 6), "a cycle of 6 states: gamma^5/(1 - gamma^6)"),
            given=deterministic,
        ),
        *(_spread(states) for states in (4, 6, 8)),
    ]


def _spread(states: int) -> Case:
    """Σ_s √d(s) ≤ √S, with 0.95 of it: for S states that are visited alike."""
    return stated(
        *(f"sum of sqrt(d_old) at most 0.95 of that of {states} states", VALUES),
        *(lambda q: 0.95 * states**0.5 + 0 * q.gamma, lambda q: q.sum_s(q.sqrt(q.occupancy_old)), 0.05),
        lambda: _cycle(F(99999, 100000), states),
        "equal visits: a cycle and a long horizon",
        given=lambda q: (q.gamma >= 0) & (q.states <= states),
    )


def _escape() -> examples.Example:
    """Old stays where it is paid −1; another action is paid 1 and leads to where 1 is paid for ever."""
    stay, go = examples.to(0, 2), examples.to(1, 2)
    row = [F(1), F(0)]
    return examples.Example(
        H, [[stay, go], [go, go]], [[F(-1), F(1)], [F(1), F(1)]], [row, row], [row, row], [F(1), F(0)]
    )


def _cycle(gamma: F, states: int) -> examples.Example:
    steps = [[examples.to((s + 1) % states, states)] for s in range(states)]
    one = [[F(1)]] * states
    return examples.Example(gamma, steps, [[F(0)]] * states, one, one, examples.to(0, states))


def _folklore() -> list[Case]:
    def at(q: Quantities, gamma: Any) -> Any:
        return _rise(q.replaced(gamma=gamma))

    def halfway(q: Quantities) -> Any:
        return _rise(q.replaced(new=(q.old + q.new) / 2))

    def ties(q: Quantities) -> Any:
        return 0.01 * q.max_tv * q.max_abs_advantage

    def never_worse(q: Quantities) -> Any:
        return (q.expected_advantage >= 0) | (q.visitation_old == 0)

    zero: Formula = lambda q: 0 * q.gamma  # noqa: E731
    pays = [F(27, 80), F(-6, 5), F(1)]  # (γ − 9/20)(γ − 3/4) = γ² − 6/5 γ + 27/80, times γ
    f = FOLKLORE
    return [
        stated(
            *("better at gamma and gamma/2, so between", f, lambda q: at(q, 3 * q.gamma / 4), zero, 1.0),
            lambda: examples.lottery(pays, F(4, 5)),
            "three payments: γ(γ − 0.45)(γ − 0.75) is positive at 0.4 and 0.8 and negative at 0.6",
            given=lambda q: (_rise(q) >= 0) & (at(q, q.gamma / 2) >= 0),
            size=_rise,
        ),
        stated(
            *("better at gamma, gamma/2 and gamma/3, so between", f, lambda q: at(q, 3 * q.gamma / 4), zero, 0.02),
            lambda: examples.lottery(_roots(F(33, 100), F(36, 100), F(47, 100), F(84, 100)), F(9, 10)),
            "five payments: a polynomial that is positive at 0.3, 0.45 and 0.9 and negative at 0.675",
            given=lambda q: (_rise(q) >= 0) & (at(q, q.gamma / 2) >= 0) & (at(q, q.gamma / 3) >= 0),
            size=_rise,
        ),
        stated(
            *("better, so half-way is not worse", f, halfway, zero, 0.5, _half),
            "go and pay 1, or go and be fined 3: half-way −1/2",
            given=lambda q: _rise(q) >= 0,
            size=_rise,
        ),
        stated(
            *("expected advantages where old goes, so better", f, _rise, zero, 1.0, _unseen),
            "new leaves for a state that old never saw, and is bad there",
            given=lambda q: never_worse(q).all(0) & (q.surrogate_gain > 0),
            size=lambda q: q.surrogate_gain,
        ),
        stated(
            *("old optimal, so new is strictly worse", f, lambda q: -_rise(q), ties, 1.0, _tie),
            "two actions tie and a third is bad",
            given=lambda q: (q.max_a(q.advantage) <= 0).all(0) & (q.max_tv > 0) & (q.max_abs_advantage > 0),
            size=ties,
        ),
        stated(
            *("L promises as much the way back", f, lambda q: -_back(q), lambda q: 0.5 * q.surrogate_gain, 0.5),
            lambda: examples.mixture(H, F(1)),
            "F4: L_old(new) − η(old) = 2, L_new(old) − η(new) = 0",
            given=lambda q: q.surrogate_gain > 0,
            size=lambda q: q.surrogate_gain,
        ),
        stated(
            *("a tenth of L's gain for max_tv <= 0.01", f, _rise, lambda q: 0.1 * q.surrogate_gain, 0.9),
            lambda: examples.coupling(F(999, 1000), F(1, 100)),
            "F1: the gap is of the order of γα/(1 − γ) times the gain",
            given=lambda q: (q.max_tv <= 0.01) & (q.surrogate_gain > 0),
            size=lambda q: q.surrogate_gain,
        ),
    ]


def _roots(*roots: F) -> list[F]:
    """The coefficients of Π (γ − root), the constant one first."""
    product = [F(1)]
    for root in roots:
        product = [low - root * high for low, high in zip([F(0), *product], [*product, F(0)], strict=True)]
    return product


def _back(q: Quantities) -> Any:
    """L_new(old) − η(new)."""
    return q.replaced(old=q.new, new=q.old).surrogate_gain


def _half() -> examples.Example:
    end, go = examples.to(2, 3), examples.to(1, 3)
    stay, move = [F(1), F(0)], [F(0), F(1)]
    reward = [[F(0), F(0)], [F(-3), F(1)], [F(0), F(0)]]
    return examples.Example(
        H, [[end, go], [end, end], [end, end]], reward, [stay, stay, stay], [move, move, stay], examples.to(0, 3)
    )


def _unseen() -> examples.Example:
    """F4 at x = 1 with a smaller reward for leaving: A(G) = 1/2, A(B) = −1."""
    leave = examples.mixture(H, F(1))
    return examples.Example(H, leave.transition, [[F(0), H], [F(0), F(-1)]], leave.old, leave.new, leave.initial)


def _tie() -> examples.Example:
    return examples.rows([F(1), F(0), F(0)], [F(0), F(1), F(0)], reward=[F(0), F(0), F(-1)])


def _updates() -> list[Case]:
    def certified(q: Quantities, share: float) -> Any:
        """c γ (E² + sd²) < share (1 − γ) E², E = E_d Ā > 0."""
        mean = (1 - q.gamma) * q.surrogate_gain
        square = mean**2 + q.expected_advantage_sd**2
        return (mean > 0) & (q.reverse_max_chi2 * q.gamma * square <= share * (1 - q.gamma) * mean**2)

    def exponential(q: Quantities) -> Any:
        """new ∝ old e^{size A}."""
        weight = q.old * q.exp(q.size * q.advantage)
        return weight / q.sum_a(weight)[:, None]

    def wanted(share: float) -> Case:
        """Ā = 1 − β (X − 1), β = (1 + excess)/(γ c (1 − γ)): the return falls by excess/(1 − γ), where L rises by 1/(1 − γ)."""
        margin, gamma, root = share**0.5 - 1, F(1, 1000), F(1, 10)
        slope = (1 + F(round(900 * margin), 1000)) / (gamma * root**2 * (1 - gamma))
        return stated(
            *(f"the CV certificate with {share:g} times its radius", UPDATES, _rise, lambda q: 0 * q.gamma, margin),
            lambda: examples.fork(gamma, root, mean=F(1), slope=slope),
            "the chain on which it cannot be widened, with two times, for small γ",
            given=lambda q: certified(q, share),
            size=lambda q: q.surrogate_gain,
        )

    return [
        wanted(1.1),
        wanted(1.5),
        stated(
            *("an exponential step keeps half of L's gain", UPDATES, _rise, lambda q: 0.5 * q.surrogate_gain, 0.5),
            lambda: examples.gate(F(9, 10), F(1, 10), F(20)),
            "new leaves at once what old would have stayed with: rise/gain → 1 − γ(1 − δ)",
            step=exponential,
            size=lambda q: q.surrogate_gain,
        ),
    ]


CASES = [*_values(), *_folklore(), *_updates()]
