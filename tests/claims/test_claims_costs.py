"""The claims cost/... on two states, where returns are rational functions written out here."""

from fractions import Fraction

import pytest

import trpo_theory as tt
from trpo_theory.step.exact import ExactInstance

GAMMA, X, Y = Fraction(1, 2), Fraction(1, 2), Fraction(1, 4)


def leaky(sign=1):
    """State 0 leaks into state 1 (absorbing) by action 1, taken with probability Y, then X; c is 1 in state 0, and in state
    1 by its second action, which old never takes and new takes with probability 1/3."""
    third = Fraction(1, 3)
    return ExactInstance(
        transition=[[[1, 0], [0, 1]], [[0, 1], [0, 1]]],
        reward=[[0, 0], [0, 0]],
        gamma=GAMMA,
        initial=[1, 0],
        old=[[1 - Y, Y], [1, 0]],
        new=[[1 - X, X], [1 - third, third]],
        costs=[[[sign], [sign]], [[0], [sign * 5]]],
    ).quantities()


def by_hand(sign=1):
    """J_c(new) − L_c, ε'_c and mean-TV."""
    third, g = Fraction(1, 3), GAMMA
    value_old = 1 / (1 - g * (1 - Y))  # of state 0; that of state 1 is 0
    visits_old = (value_old, g * Y * value_old / (1 - g))
    value_new_end = 5 * third / (1 - g)
    value_new = (1 + g * X * value_new_end) / (1 - g * (1 - X))
    moved = ((Y - X) * g * value_old, 5 * third)  # Ā: action 0 is worth g V more than action 1
    surrogate = value_old + visits_old[0] * moved[0] + visits_old[1] * moved[1]
    tv = (1 - g) * (visits_old[0] * abs(X - Y) + visits_old[1] * third)
    return sign * (value_new - surrogate), max(map(abs, moved)), tv


@pytest.mark.parametrize("sign", [1, -1])
def test_both_sides_and_the_twins_on_a_leaky_state(sign):
    q = leaky(sign)
    gap, largest, tv = by_hand(sign)
    penalty = 2 * GAMMA * largest * tv / (1 - GAMMA) ** 2
    wanted = {
        "cost/upper": penalty - gap,
        "cost/lower": penalty + gap,
        "cost/upper-1": penalty / 2 - gap,
        "cost/prop-2-constraint": -gap,
        "cost/performance-difference": 0,
        "cost/lagrangian": 0,
    }
    for name, slack in wanted.items():
        claim = tt.claims[name]
        assert str(claim.slack(claim.posed(q))) == f"Ball({slack})", name


def test_proposition_2_in_numbers():
    """One state, one step: δ and ε' from the definitions of KL."""
    mdp = tt.FiniteMDP([[[1], [1]]], [[0, 0]], 0.5, costs={"c": [[0, 1]]})
    q = tt.compare(mdp, [[0.5, 0.5]], [[0.25, 0.75]])
    # J_c(new) = 0.75/(1 − γ) = L_c: in one state the surrogate is exact, and the slack is the second term alone
    forward, reverse = 0.14384103622589045, 0.13081203594113697  # ½ log(4/3) ; ¼ log(1/2) + ¾ log(3/2)
    for name, kl in (("cost/prop-2", forward), ("cost/prop-2-reverse", reverse)):
        assert tt.claims[name].slack(q) == pytest.approx((2 * kl) ** 0.5 * 0.5 * 0.25 / 0.25, rel=1e-12)
    assert tt.claims["cost/chain-rule"].slack(q) == pytest.approx(0.25 / 0.5 * (2 * forward) ** 0.5, rel=1e-12)
    assert tt.claims["cost/prop-2-reward"].slack(q) == pytest.approx(0, abs=1e-15)
    assert all(tt.claims[name].reads(q) for name in tt.claims if name.startswith("cost/"))
    assert not tt.claims["cost/upper"].reads(tt.compare(tt.FiniteMDP([[[1], [1]]], [[0, 0]], 0.5), [[1, 0]], [[0, 1]]))
