"""False bounds that are so in a thin region only: tiny and huge steps, extreme discounts, unusual policies, many actions."""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

from experiments.power import examples
from experiments.power.case import Case, Formula, weakened
from experiments.power.other_penalties import MEAN_TV, MIXTURE, kakade_langford, mean_tv
from experiments.power.penalties import KL, OTHER, TV, coupling, one_step, pinsker
from trpo_theory import Quantities

H = F(1, 2)
INFINITE = float("inf")


def _largest_reward(q: Quantities) -> Any:
    return q.max_s(q.max_a(abs(q.reward)))


def _deterministic(policy: Any) -> Any:
    return ((policy == 0) | (policy == 1)).all((0, 1))


def _where(what: str, family: str, penalty: Formula, example: Any, given: Formula, shares: Any = (0.9,)) -> list[Case]:
    """A sharp penalty with a smaller constant, under a hypothesis."""
    return weakened(f"where {what}", family, penalty, shares, example, "attained in that region", given=given)


def _f1(**details: Any) -> Any:
    return lambda: examples.coupling(H, F(1, 4), **details)


def _f2(gamma: F = F(1, 1000), x: F = F(1, 200)) -> Any:
    return lambda: examples.pinsker(gamma, x)


def _steps() -> list[Case]:
    def nearly_all(left: F) -> Any:
        """F1 at ½ − left: KL(old‖new) = ½ log(½/left) and more."""
        return lambda: examples.coupling(H, H - left)

    tiny, tiniest = F(1, 10**10), F(1, 10**12)
    f4, f5 = lambda: examples.mixture(H, tiny), lambda: examples.leaving(H, tiny, F(10**16))
    return [
        *_where("max_tv <= 1e-9", TV, coupling, lambda: examples.coupling(H, tiny), lambda q: q.max_tv <= 1e-9),
        *_where("max_kl <= 1e-12", KL, pinsker, _f2(x=F(1, 10**7)), lambda q: q.max_kl <= 1e-12),
        *_where("max_kl <= 1e-20", KL, pinsker, _f2(x=F(1, 10**11)), lambda q: q.max_kl <= 1e-20, (0.5, 0.9)),
        *_where("mixture_weight <= 1e-9", MIXTURE, kakade_langford, f4, lambda q: q.mixture_weight <= 1e-9),
        *_where("mean_tv <= 1e-9", MEAN_TV, mean_tv, f5, lambda q: q.mean_tv <= 1e-9),
        *_where("max_kl is in [3, inf)", TV, coupling, nearly_all(F(1, 10**4)), _kl_from(3)),
        *_where("max_kl is in [10, inf)", TV, coupling, nearly_all(tiniest), _kl_from(10)),
        *_where("max_kl is in [30, inf)", TV, coupling, nearly_all(F(1, 10**30)), _kl_from(30)),
    ]


def _kl_from(least: float) -> Formula:
    return lambda q: (q.max_kl >= least) & (q.max_kl < INFINITE)


def _discounts() -> list[Case]:
    def f1(gamma: F, x: F) -> Any:
        return lambda: examples.coupling(gamma, x)

    trpo: Formula = lambda q: 4 * one_step(q) * q.max_tv**2  # noqa: E731
    return [
        *_where("gamma <= 1e-4", TV, trpo, f1(F(1, 10**5), F(1, 10)), lambda q: 10**4 * q.gamma <= 1, (0.9, 0.99)),
        *_where("0 < gamma <= 1e-6", TV, trpo, f1(F(1, 10**7), F(1, 10)), lambda q: 10**6 * q.gamma <= 1),
        *_where("gamma >= 0.99999", TV, trpo, f1(1 - F(1, 10**5), F(1, 10**8)), lambda q: 10**5 * (1 - q.gamma) <= 1),
        *_where(
            *("gamma >= 0.99999, any step", TV, coupling, f1(1 - F(1, 10**5), F(1, 4))),
            lambda q: 10**5 * (1 - q.gamma) <= 1,
        ),
        *_where(
            *("gamma is in [0.62, 0.63]", TV, coupling, f1(F(5, 8), F(1, 4))),
            lambda q: (100 * q.gamma >= 62) & (100 * q.gamma <= 63),
            (0.9, 0.99),
        ),
    ]


def _policies() -> list[Case]:
    half: Formula = lambda q: coupling(q) / 2  # noqa: E731
    most: Formula = lambda q: 2 * q.max_abs_advantage * q.gamma / (1 - q.gamma)  # noqa: E731
    return [
        *_where("an action is unavailable", TV, coupling, _f1(cut=True), _some_unavailable),
        *_where("a state is unvisited", TV, coupling, _f1(), lambda q: (q.visitation_old == 0).any(0)),
        *_where("all are visited", TV, coupling, _f1(elsewhere=F(1, 100)), lambda q: (q.visitation_old > 0).all(0)),
        *_where("rewards are large", TV, coupling, _f1(scale=10**6), lambda q: _largest_reward(q) >= 1e5),
        *_where("rewards are small", TV, coupling, _f1(scale=F(1, 10**6)), lambda q: _largest_reward(q) <= 1e-5),
        *_where(
            *("old is deterministic", TV, half, lambda: examples.mixture(H, F(1, 4)), lambda q: _deterministic(q.old)),
            (0.9, 0.99),
        ),
        *_where(
            *("new is deterministic", "max_abs_advantage", most, lambda: examples.coupling(H, F(1))),
            *(lambda q: _deterministic(q.new), (0.9, 0.99)),
        ),
        *_where("all advantages are 1 or -1", TV, coupling, _f1(), lambda q: (abs(q.advantage) == 1).all((0, 1))),
        *_where("V_old = 0", TV, coupling, _f1(), lambda q: q.max_s(abs(q.value)) <= 1e-12 * _largest_reward(q)),
        *_where("tv is the same everywhere", TV, coupling, _f1(), lambda q: q.close(q.tv, q.max_tv).all(0)),
        *_where("L = eta(old)", KL, pinsker, _f2(), lambda q: abs(q.surrogate_gain) <= 1e-12 * q.max_abs_advantage),
        *_where(
            "old is uniform",
            KL,
            pinsker,
            _f2(),
            lambda q: q.close(q.old, 1 / q.sum_a(1 + 0 * q.old)[:, None]).all((0, 1)),
        ),
    ]


def _some_unavailable(q: Quantities) -> Any:
    return q.min_s(q.sum_a(1 + 0 * q.old)) < q.actions


def _actions() -> list[Case]:
    def squares(actions: int) -> Formula:
        """A εγ/(1 − γ)² max_s Σ_a (new − old)²: 4 TV² ≤ A Σ_a (new − old)²."""
        return lambda q: actions * one_step(q) * q.max_s(q.sum_a((q.new - q.old) ** 2))

    def at_most(actions: int) -> Formula:
        return lambda q: (q.gamma >= 0) & (q.actions <= actions)

    def split(actions: int) -> Any:
        """F2 with each action cut into equal parts."""
        return lambda: examples.divided(examples.pinsker(F(1, 1000), F(1, 200)), actions // 2)

    return [
        case
        for n in (2, 4, 6)
        for case in _where(f"there are at most {n} actions", OTHER, squares(n), split(n), at_most(n), (0.9, 0.99))
    ]


CASES = [*_steps(), *_discounts(), *_policies(), *_actions()]
