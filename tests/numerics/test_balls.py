"""`Quantities` over balls: rational fields against the exact oracle, divergences against mpmath, instances read and written."""

from __future__ import annotations

import json
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from cheap import sampled
from exact import step_on
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mpf
from strategies_small import masks, steps

from trpo_theory import bounds, zoo
from trpo_theory.errors import InvalidInput
from trpo_theory.io.files import read_fields, write_fields
from trpo_theory.numerics.ball.arrays import balls
from trpo_theory.numerics.ball.balls import Balls
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.numerics.ball.raw import Undecided, precision
from trpo_theory.numerics.floats import Floats
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.quantities import compare

F = Fraction


@pytest.fixture(autouse=True)
def _digits():
    with mpmath.workdps(60):
        yield


# --- small instances, drawn ---------------------------------------------------------------------------------------


@st.composite
def rows(draw: st.DrawFn, support: list[bool], denominator: int) -> list[Fraction]:
    """A row on the support, of multiples of 1/denominator: zeros, and often one entry only."""
    places = [i for i, inside in enumerate(support) if inside]
    out = [F(0)] * len(support)
    for _ in range(denominator):
        out[draw(st.sampled_from(places))] += F(1, denominator)
    return out


@st.composite
def instances(draw: st.DrawFn) -> ExactInstance:
    states, actions = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    mask, everywhere = draw(masks(states, actions)), [True] * states
    denominators = st.sampled_from([1, 2, 3, 7])

    def policy() -> list[list[Fraction]]:
        return [draw(rows(list(row), draw(denominators))) for row in mask]

    return ExactInstance(
        transition=[[draw(rows(everywhere, draw(denominators))) for _ in range(actions)] for _ in range(states)],
        reward=[[F(draw(st.integers(-6, 6)), 3) for _ in range(actions)] for _ in range(states)],
        gamma=draw(st.sampled_from([F(0), F(1, 3), F(9, 10), F(999, 1000)])),
        initial=draw(rows(everywhere, draw(denominators))),
        old=policy(),
        new=policy(),
        available=mask,
    )


def fm(x: object) -> object:
    """Fractions as the oracle's rationals."""
    if isinstance(x, np.ndarray):
        out = np.empty(x.shape, dtype=object)
        out.ravel()[:] = [fm(entry) for entry in x.ravel()]
        return out
    return fmpq(x.numerator, x.denominator)


class Stored:
    """The instance as the oracle reads an MDP."""

    def __init__(self, instance: ExactInstance) -> None:
        self.transition, self.reward = fm(instance.transition), fm(instance.reward)
        self.gamma, self.initial, self.available = fm(instance.gamma), fm(instance.initial), instance.available


def fractions(x: object) -> object:
    """What balls are, each of them exact."""
    return x.fraction if isinstance(x, Ball) else [fractions(entry) for entry in x]


def as_fractions(x: object) -> object:
    return F(int(x.p), int(x.q)) if isinstance(x, fmpq) else [as_fractions(entry) for entry in x]


def mp(x: Fraction) -> mpf:
    return mpf(x.numerator) / x.denominator


def encloses(ball: Ball, truth: mpf) -> bool:
    """Within 55 digits of the truth, and it inside; ∞ is ∞, and what is 0 is exactly 0."""
    if mpmath.isinf(truth):
        return ball.midpoint == float(truth)
    if abs(truth) < mpf(10) ** -50:
        return ball.is_exact and ball.fraction == 0
    allowance = abs(truth) * mpf(10) ** -45
    tight = mp(ball.upper) - mp(ball.lower) <= allowance
    return tight and mp(ball.lower) - allowance / 1000 <= truth <= mp(ball.upper) + allowance / 1000


# --- V, Q, A, ρ, η, L ----------------------------------------------------------------------------------------------


@pytest.mark.slow
@given(instances())
def test_rational_fields_are_the_oracles_exactly(instance):
    q, stored = instance.quantities(), Stored(instance)
    true = step_on(stored, fm(instance.old), fm(instance.new))
    usable = instance.available
    assert fractions(q.value) == as_fractions(true.old.value)
    assert fractions(q.q_value[usable]) == as_fractions(true.old.q_value[usable])
    assert fractions(q.advantage) == as_fractions(true.advantage)
    assert fractions(q.visitation_old) == as_fractions(true.old.visitation)
    assert fractions(q.visitation_new) == as_fractions(true.new.visitation)
    assert fractions(q.expected_return_old) == as_fractions(true.old.expected_return)
    assert fractions(q.expected_return_new) == as_fractions(true.new.expected_return)
    assert fractions(q.expected_advantage) == as_fractions(true.expected_advantage)
    assert fractions(q.surrogate) == as_fractions(true.surrogate)
    assert fractions(q.surrogate_gap) == as_fractions(true.surrogate_gap)
    assert fractions(q.max_abs_advantage) == max(abs(x) for x in np.ravel(as_fractions(true.advantage)))
    tv = [
        sum(abs(a - b) for a, b in zip(p, r, strict=True)) / 2 for p, r in zip(instance.old, instance.new, strict=True)
    ]
    assert fractions(q.tv) == tv
    assert fractions(q.max_tv) == max(tv)
    occupancy = [(1 - instance.gamma) * x for x in as_fractions(true.old.visitation)]
    assert fractions(q.mean_tv) == sum(d * t for d, t in zip(occupancy, tv, strict=True))
    unit = [F(int(i == j)) for i in range(instance.states) for j in range(instance.states)]
    assert np.ravel(fractions(Balls.identity(instance.states))).tolist() == unit


@given(instances())
def test_masks_are_numpys(instance):
    q = instance.quantities()
    assert (q.old > 0).dtype == bool
    assert (q.old > 0).tolist() == [[x > 0 for x in row] for row in instance.old]
    assert (q.visitation_old != 0).dtype == bool


# --- divergences ----------------------------------------------------------------------------------------------------


def kl(p: list[Fraction], r: list[Fraction]) -> mpf:
    total = mpf(0)
    for a, b in zip(p, r, strict=True):
        if a > 0 and b == 0:
            return mpmath.inf
        total += mp(a) * mpmath.log(mp(a) / mp(b)) if a else 0
    return total


def chi2(p: list[Fraction], r: list[Fraction]) -> mpf:
    if any(a > 0 and b == 0 for a, b in zip(p, r, strict=True)):
        return mpmath.inf
    return sum((mp((a - b) ** 2 / b) for a, b in zip(p, r, strict=True) if b), mpf(0))


def jensen_shannon(p: list[Fraction], r: list[Fraction]) -> mpf:
    middle = [(a + b) / 2 for a, b in zip(p, r, strict=True)]
    return (kl(p, middle) + kl(r, middle)) / 2


def hellinger2(p: list[Fraction], r: list[Fraction]) -> mpf:
    return 1 - sum((mpmath.sqrt(mp(a * b)) for a, b in zip(p, r, strict=True)), mpf(0))


def renyi(p: list[Fraction], r: list[Fraction], order: mpf) -> mpf:
    parts = [mpmath.power(mp(a), order) * mpmath.power(mp(b), 1 - order) for a, b in zip(p, r, strict=True)]
    return mpmath.log(sum(parts, mpf(0))) / (order - 1) if any(parts) else mpmath.inf


@pytest.mark.slow
@given(instances())
def test_divergences_enclose_mpmath(instance):
    pairs = list(zip(instance.old.tolist(), instance.new.tolist(), strict=True))
    q = instance.quantities()
    with precision(190):
        fields = {
            "kl": (q.kl, kl),
            "jensen_shannon": (q.jensen_shannon, jensen_shannon),
            "hellinger2": (q.hellinger2, hellinger2),
            "chi2": (q.chi2, chi2),
            "renyi(0.25)": (q.renyi(0.25), lambda p, r: renyi(p, r, mpf(1) / 4)),
            "renyi(1/3)": (Balls.renyi(q.old, q.new, F(1, 3), axis=1), lambda p, r: renyi(p, r, mpf(1) / 3)),
        }
        for name, (got, truth) in fields.items():
            for ball, pair in zip(got, pairs, strict=True):
                assert encloses(ball, truth(*pair)), (name, pair)
        for ball, (old, new) in zip(q.reverse_kl, pairs, strict=True):
            assert encloses(ball, kl(new, old))
        assert encloses(q.max_kl, max(kl(*pair) for pair in pairs))
        weights = [d for d in fractions(q.occupancy_old)]
        mean = sum((mp(d) * kl(*pair) for d, pair in zip(weights, pairs, strict=True) if d), mpf(0))
        assert encloses(q.mean_kl, mean)


def series(order: mpf, x: mpf) -> mpf:
    """Σ x^k / k^order, to 75 digits."""
    total, power, k = mpf(0), x, 1
    while power * k**3 > mpf(10) ** -75:
        total += power / mpf(k) ** order
        power, k = power * x, k + 1
    return total


@pytest.mark.slow
@sampled("x", [F(1, 3), F(9, 10), F(99, 100)], every=4)
@pytest.mark.parametrize("order", [-0.5, 0.5, F(-4, 3), 0, -1, 1])
def test_polylog_encloses_its_series(order, x):
    with precision(190), mpmath.workdps(80):
        got = Balls.polylog(order, Ball(x))
        assert encloses(got, series(mp(F(order)), mp(x)))
        assert got.is_exact is (order in (0, -1))
    assert Balls.polylog(order, Ball(0)).fraction == 0


def test_polylog_and_renyi_refuse_what_floats_refuse():
    for x in (1, -0.5, 2):
        for arithmetic in (Floats, Balls):
            with pytest.raises(InvalidInput, match=r"\[0, 1\)|0 <= x < 1"):
                arithmetic.polylog(-0.5, x)
    for order in (0, 1, 2):
        with pytest.raises(InvalidInput, match="order"):
            Balls.renyi([1], [1], order)


def test_equal_rows_have_divergence_exactly_zero():
    row = balls([F(1, 3), F(2, 3), 0])
    for divergence in (Balls.chi2, Balls.jensen_shannon, Balls.hellinger2):
        assert divergence(row, row).fraction == 0
    assert Balls.renyi(row, row, 0.3).fraction == 0
    assert fractions(Balls.kl_div(row, row)) == [0, 0, 0]


def test_elementwise_terms_of_the_generalised_divergence():
    got = Balls.kl_div([0, 1, 0, F(1, 2)], [F(1, 4), 0, 0, F(1, 4)])
    assert [got[0].fraction, got[1].midpoint, got[2].fraction] == [F(1, 4), np.inf, 0]
    assert encloses_at_53(got[3], mpmath.log(2) / 2 - mpf(1) / 4)


def encloses_at_53(ball: Ball, truth: mpf) -> bool:
    return mp(ball.lower) <= truth <= mp(ball.upper) and mp(ball.upper) - mp(ball.lower) < mpf(2) ** -48


# --- policies that are not rational -----------------------------------------------------------------------------------


@given(instances(), st.integers(-3, 3))
def test_a_softmax_update_is_solved_in_balls(instance, step):
    """(I − γ P) x = b in balls, against mpmath's own elimination."""
    q = instance.quantities()
    with precision(250):
        weights = q.old * q.exp(step * q.advantage)
        new = weights / q.sum_a(weights)[:, None]
        got = q.with_new(new).expected_return_new
    with mpmath.workdps(60):
        states = range(instance.states)
        advantage = np.array([[mp(x.fraction) for x in row] for row in q.advantage])
        weight = np.array(
            [
                [mp(p) * mpmath.exp(step * a) for p, a in zip(*rows, strict=True)]
                for rows in zip(instance.old, advantage, strict=True)
            ]
        )
        policy = weight / weight.sum(1)[:, None]
        P = [
            [sum(policy[s, a] * mp(instance.transition[s, a, t]) for a in range(instance.actions)) for t in states]
            for s in states
        ]
        r = [sum(policy[s, a] * mp(instance.reward[s, a]) for a in range(instance.actions)) for s in states]
        matrix = mpmath.matrix([[int(s == t) - mp(instance.gamma) * P[s][t] for t in states] for s in states])
        value = mpmath.lu_solve(matrix, mpmath.matrix(r))
        truth = sum(mp(instance.initial[s]) * value[s] for s in states)
        assert abs(mp(got.lower) - truth) < mpf(10) ** -45
        assert mp(got.lower) - mpf(10) ** -50 <= truth <= mp(got.upper) + mpf(10) ** -50


def test_a_system_that_enclosures_leave_singular_is_undecided():
    zero = Ball(2).sqrt() - Ball(2).sqrt()
    resolvent = Balls().resolvent([[[1]]], [[1 + zero]], 1)
    with pytest.raises(Undecided, match="linear system"):
        resolvent.solve([1])


def test_an_exactly_singular_system_has_no_solution():
    """gamma = 1 and a chain that never leaves: I - P is 0, and no precision would change that."""
    with pytest.raises(ZeroDivisionError):
        Balls().resolvent([[[1]]], [[1]], 1).solve([1])


def test_infinite_right_hand_sides_are_solved_too():
    """State 0 stays, state 1 goes to it: the infinity of state 1 is not seen from 0, and is 0 · ∞ there."""
    resolvent = Balls().resolvent([[[1, 0]], [[1, 0]]], [[1], [1]], F(1, 2))
    first, second = resolvent.solve([1, np.inf])
    assert first.is_nothing
    assert second.midpoint == np.inf
    assert fractions(resolvent.solve_transposed([1, 1])) == [3, 1]


# --- one formula, every arithmetic ----------------------------------------------------------------------------------

REDUCTIONS = {
    "max_s max_a": lambda q: q.max_s(q.max_a(abs(q.advantage))),
    "min_a": lambda q: q.min_a(q.advantage),
    "min_s": lambda q: q.min_s(q.tv),
    "half": lambda q: 0.5 * q.max_tv,
    "root": lambda q: q.max_tv**0.5,
    "numpy root": lambda q: np.sqrt(q.max_tv),
    "where": lambda q: q.sum_s(q.tv, where=q.visitation_old > 1),
    "mask": lambda q: q.sum_a((q.advantage > 0) * q.advantage),
    "numpy maximum": lambda q: np.maximum(q.tv, 0.25),
    "maximum": lambda q: q.maximum(q.tv, q.max_tv / 2),
    "minimum": lambda q: q.minimum(q.mean_tv, 1),
    "methods": lambda q: q.tv.sum(0) + q.tv.max() + q.tv.mean(),
    "matmul": lambda q: q.visitation_old @ q.expected_advantage,
    "einsum": lambda q: np.einsum("s,sa,sa->", q.visitation_old, q.new, q.advantage),
    "stack": lambda q: np.stack([q.tv, q.tv / 2]).max(0),
    "mixture": lambda q: q.mixture_weight + q.max_abs_target_advantage,
    "target": lambda q: q.target,
    "mixing": lambda q: q.mixing_new,
    "derivative": lambda q: q.return_derivative + q.return_second_derivative,
    "discounted": lambda q: q.discounted_sum_new(q.advantage) - q.discounted_sum_old(q.estimate),
    "flow": lambda q: q.gamma * q.push(q.old * q.visitation_old[:, None]) + q.initial - q.visitation_old,
    "reference": lambda q: q.sum_s(q.visitation_reference * q.tv) * q.size,
    "log": lambda q: q.log(1 + q.max_tv) + q.exp(-q.tv),
    "polylog": lambda q: q.polylog(-0.5, q.gamma),
    "renyi": lambda q: q.renyi(0.5),
    "close": lambda q: 1 * q.close(q.tv, q.max_tv),
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_a_formula_runs_unchanged_in_balls(name):
    rng = np.random.default_rng(5)
    mdp = zoo.dirichlet(rng, states=3, actions=3, gamma=0.9)
    old, new = zoo.random_policy(rng, (3, 3)), zoo.random_policy(rng, (3, 3))
    q = ExactInstance(**arrays(mdp), old=old, new=new).quantities()
    got, expected = REDUCTIONS[name](q), REDUCTIONS[name](compare(mdp, old, new))
    midpoints = [x.midpoint for x in np.ravel(balls(got))]
    np.testing.assert_allclose(midpoints, np.ravel(expected), rtol=1e-11, atol=1e-13)


@pytest.mark.slow
@given(steps(max_states=3, gammas=(0.0, 0.5, 0.9)))
def test_every_bound_runs_unchanged_in_balls(case):
    mdp, old, new = case
    floats = compare(mdp, old, new)
    q = ExactInstance(**arrays(mdp), old=old, new=new).quantities()
    for bound in bounds.plain().values():
        with precision(192 if bound.id == "chi2/floor" else 53):  # of 53 bits its differences leave too few
            got, expected = bound.penalty(q).midpoint, float(bound.penalty(floats))
        assert got == pytest.approx(expected, rel=1e-9, abs=1e-12), bound.id


def arrays(mdp: object) -> dict[str, object]:
    return {name: getattr(mdp, name) for name in ("transition", "reward", "gamma", "initial", "available")}


def test_what_else_claims_speak_of():
    extra = {"reference": [["1/3", "2/3"]], "noise": [[F(1, 8), -1]], "groups": [4], "size": "1/7"}
    one = ExactInstance(
        transition=[[[1], [1]]], reward=[[1, 0]], gamma=F(1, 2), initial=[1], old=[[1, 0]], new=[[0, 1]], **extra
    )
    q = one.quantities()
    assert fractions(q.estimate) == [[F(1, 8), -2]]
    assert fractions(q.reference) == [[F(1, 3), F(2, 3)]]
    assert q.size.fraction == F(1, 7)
    assert q.groups.tolist() == [4]
    assert one.largest_denominator == 8


# --- instances ---------------------------------------------------------------------------------------------------------


def fields(**changes: object) -> dict[str, object]:
    base = {
        "transition": [[[1, 0], [0.25, 0.75]], [[0, 1], [0, 1]]],
        "reward": [[F(1, 3), 0], [1, -1]],
        "gamma": 0.5,
        "initial": [1, 0],
        "old": [[0.5, 0.5], [1, 0]],
        "new": [["1/3", "2/3"], [0, 1]],
    }
    return base | changes


def test_floats_are_what_they_are_and_rows_sum_to_one_exactly():
    third = 1 / 3
    one = ExactInstance(**fields(old=[[third, 2 * third], [0.1, 0.9]], new=np.array([[0.1, 0.9]] * 2)))
    assert one.reward[0, 0] == F(1, 3)
    assert (one.old.sum(1) == 1).all()
    assert (one.new.sum(1) == 1).all()
    assert one.old[0, 0] / one.old[0, 1] == F(third) / F(2 * third)
    assert all(type(x) is Fraction for x in one.old.ravel())
    assert one.transition[0, 1, 0] == F(1, 4)
    with pytest.raises(ValueError, match="read-only"):
        one.old[0, 0] = 0


@given(instances())
def test_json_gives_the_instance_back(tmp_path_factory, instance):
    path = tmp_path_factory.mktemp("json") / "instance.json"
    write_fields(instance.to_fields() | {"claim": "mine"}, path)
    for again in (
        ExactInstance.from_fields(read_fields(path)),
        ExactInstance.from_fields(json.loads(path.read_text())),
    ):
        for name in ("transition", "reward", "initial", "old", "new", "available"):
            assert getattr(again, name).tolist() == getattr(instance, name).tolist()
        assert (again.gamma, again.size, again.groups, again.noise) == (instance.gamma, 1, None, None)
        assert (again.states, again.actions) == (instance.states, instance.actions)


def test_json_keeps_what_is_optional(tmp_path):
    extra = {"reference": [[1, 0], [0, 1]], "noise": [[F(1, 9), 0], [0, 0]], "groups": (0, 0), "size": F(2, 3)}
    path = tmp_path / "instance.json"
    write_fields(ExactInstance(**fields(**extra)).to_fields(), path)
    again = ExactInstance.from_fields(read_fields(path))
    assert again.noise[0, 0] == F(1, 9)
    assert (again.groups, again.size, again.reference.tolist()) == ((0, 0), F(2, 3), [[1, 0], [0, 1]])


def test_floats_follow_what_is_replaced_and_are_the_readers_own():
    one = ExactInstance(**fields())
    one.floats()["old"][:] = 7
    assert one.floats()["old"].tolist() == [[float(x) for x in row] for row in one.old]
    other = one.replace(old=[[F(1, 3), F(2, 3)], [0, 1]], gamma=F(1, 7))
    assert other.floats()["old"].tolist() == [[1 / 3, 2 / 3], [0, 1]]
    assert (other.floats()["gamma"], other.mdp.gamma) == (1 / 7, 1 / 7)
    assert other.solution_bits != one.solution_bits


def test_floats_and_mdp_are_the_rounded_instance():
    one = ExactInstance(**fields(reward=[[F(1, 3), -np.inf], [1, -1]], new=[[1, 0], [0, 1]], old=[[1, 0], [1, 0]]))
    assert one.available.tolist() == [[True, False], [True, True]]
    assert one.floats()["reward"].tolist() == [[1 / 3, 0], [1, -1]]
    assert one.mdp.available.tolist() == one.available.tolist()
    assert one.mdp.gamma == 0.5
    assert compare(one.mdp, one.floats()["old"], one.floats()["new"]).surrogate == pytest.approx(
        one.quantities().surrogate.midpoint, rel=1e-13
    )


def test_rewards_of_states_and_of_transitions_are_reduced():
    assert ExactInstance(**fields(reward=[1, 2])).reward.tolist() == [[1, 1], [2, 2]]
    per_transition = ExactInstance(**fields(reward=np.arange(8).reshape(2, 2, 2)))
    assert per_transition.reward.tolist() == [[0, F(2) / 4 + F(3) * 3 / 4], [5, 7]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"transition": [[1, 0]]}, "shape"),
        ({"transition": [[[1, 0], [1]], [[0, 1], [0, 1]]]}, "ragged"),
        ({"old": [[0.5, 0.6], [1, 0]]}, r"old row \[0\] that sums to .*divide the row"),
        ({"old": [[1.5, -0.5], [1, 0]]}, r"old\[0, 1\] = -1/2.*negative"),
        ({"new": [[1, 0]]}, r"new of shape \(1, 2\)"),
        ({"initial": [0.5, 0.5 + 1e-6]}, "initial that sums to"),
        ({"gamma": 2}, "gamma = 2; wanted 0 <= gamma <= 1"),
        ({"gamma": -0.5}, "gamma = -1/2"),
        ({"gamma": np.nan}, "nan in gamma"),
        ({"reward": [[np.inf, 0], [0, 0]]}, "inf in reward"),
        ({"reward": [1, 2, 3]}, "reward of shape"),
        ({"reward": [["left", 0], [0, 0]]}, "'left' in reward"),
        ({"groups": [0, 0.5]}, "not integers"),
        ({"groups": [0]}, "groups of shape"),
        ({"noise": [1, 2]}, "noise of shape"),
        ({"available": [[2, 1], [1, 1]]}, "true or false"),
        ({"available": [[0, 0], [1, 1]]}, "no available action in state 0"),
        ({"available": [[0, 1], [1, 1]]}, r"old\[0, 0\] = 1/2 for an action that is not available"),
        ({"new": None}, "None in new"),
    ],
)
def test_what_is_no_instance_is_refused(changes, message):
    with pytest.raises(InvalidInput, match=message):
        ExactInstance(**fields(**changes))


def test_missing_fields_are_named():
    with pytest.raises(InvalidInput, match="without old, new"):
        ExactInstance.from_fields({name: value for name, value in fields().items() if name not in ("old", "new")})
