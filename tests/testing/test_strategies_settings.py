"""Steps that are drawn in a setting meet its hypotheses, by NumPy alone; false claims of each are refuted, and shrink small."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from cheap import sampled
from hypothesis import HealthCheck, Phase, given, seed, settings

import trpo_theory as tt
from trpo_theory.errors import InvalidInput
from trpo_theory.testing import strategies, targeted

every = settings(suppress_health_check=[])
"""No health check is left out: nothing is filtered."""
assert set(HealthCheck)


def chain(policy: Any, transition: Any) -> np.ndarray:
    return np.einsum("sa,sat->st", np.asarray(policy, dtype=float), np.asarray(transition, dtype=float))


def policies(exact: dict[str, Any]) -> list[Any]:
    return [exact["old"], exact["new"], *exact.get("references", ())]


def transitions(exact: dict[str, Any]) -> list[Any]:
    return [exact[name] for name in ("transition", "model") if name in exact]


@pytest.mark.slow
@every
@given(strategies.exact_instances(criterion="episodic", costs=("c",), model=True, references=True, unavailable=True))
def test_an_end_is_reached_from_everywhere_by_matrix_powers(exact: Any) -> None:
    states = len(exact["initial"])
    assert not exact["reward"][-1].any()
    assert not exact["costs"]["c"][-1].any()
    for transition, policy in itertools.product(transitions(exact), policies(exact)):
        moves = chain(policy, transition)
        assert (transition[-1][exact["available"][-1], -1] == 1).all()
        assert (np.linalg.matrix_power(moves, states)[:, -1] > 0).all()
        assert (np.abs(np.linalg.eigvals(moves[:-1, :-1])) < 1 - 1e-9).all()


@pytest.mark.slow
@every
@given(strategies.exact_instances(criterion="average", model=True, references=True, unavailable=True))
def test_one_is_a_simple_eigenvalue(exact: Any) -> None:
    assert exact["gamma"] == 1
    for transition, policy in itertools.product(transitions(exact), policies(exact)):
        moves = chain(policy, transition)
        assert np.linalg.matrix_rank(np.eye(len(moves)) - moves, tol=1e-9) == len(moves) - 1


@pytest.mark.slow
@every
@given(
    strategies.exact_instances(
        horizon=(2, 4), temperature=[0.5, 2], costs=("c", "d"), model=True, references=True, aggregation=True
    )
)
def test_fields_of_a_setting_are_what_was_asked_for(exact: Any) -> None:
    states, actions = exact["available"].shape
    assert 2 <= exact["horizon"] <= 4
    assert exact["temperature"] in (Fraction(1, 2), 2)
    assert set(exact["costs"]) == {"c", "d"}
    assert all(cost.shape == (states, actions) for cost in exact["costs"].values())
    assert (exact["model"].sum(2) == 1).all()
    assert len(exact["references"]) == len(exact["weights"]) == 2
    assert sum(exact["weights"]) == 1
    for policy in policies(exact):
        assert (policy.sum(1) == 1).all()
        for s, t in itertools.combinations(range(states), 2):
            assert exact["groups"][s] != exact["groups"][t] or (policy[s] == policy[t]).all()


@pytest.mark.slow
@every
@given(strategies.exact_instances(agents=(2, 3)), strategies.exact_instances(agents=(2, 2), full_support=True))
def test_policies_of_several_agents_are_products(exact: Any, full: Any) -> None:
    for policy in policies(exact):
        for row in policy:
            joint = row.reshape(2, 3)
            assert (joint == joint.sum(1)[:, None] * joint.sum(0)).all()
    for row in (*full["old"], *full["new"]):
        assert (row > 0).all()
        assert np.linalg.matrix_rank(row.reshape(2, 2).astype(float)) == 1


SETTINGS: list[dict[str, Any]] = [
    {"criterion": "episodic"},
    {"criterion": "average"},
    {"horizon": True},
    {"horizon": 2, "criterion": "episodic"},
    {"agents": (2, 2)},
    {"criterion": "average", "near": True, "aggregation": True},
    {"criterion": "episodic", "full_support": True, "states": 2, "actions": 2},
]


def gap(exact: dict[str, Any], setting: dict[str, Any]) -> float:
    """η(new) − L by NumPy: stationary laws and biases, the inverse of I − γP where it does not end, or sums over the steps."""
    transition, reward = exact["transition"].astype(float), exact["reward"].astype(float)
    old, new, start = (exact[name].astype(float) for name in ("old", "new", "initial"))
    gamma, states = float(exact["gamma"]), len(start)
    moves = [chain(policy, transition) for policy in (old, new)]
    if setting.get("criterion") == "average":
        laws = [
            np.linalg.lstsq(np.vstack([np.eye(states) - p.T, np.ones(states)]), np.eye(states + 1)[-1])[0]
            for p in moves
        ]
        gain = laws[0] @ (old * reward).sum(1)
        bias = np.linalg.lstsq(np.eye(states) - moves[0], (old * reward).sum(1) - gain)[0]
        advantage = reward - gain + transition @ bias - bias[:, None]
        return float((laws[1] - laws[0]) @ (new * advantage).sum(1))
    if "horizon" not in exact:
        goes_on = (transition[range(states), :, range(states)] != 1).any(1) | (gamma < 1)
        inside = np.ix_(goes_on, goes_on)
        resolvents = [np.linalg.inv(np.eye(goes_on.sum()) - gamma * p[inside]) for p in moves]
        value = np.zeros(states)
        value[goes_on] = resolvents[0] @ (old * reward).sum(1)[goes_on]
        advantage = reward + gamma * transition @ value - value[:, None]
        return float(start[goes_on] @ (resolvents[1] - resolvents[0]) @ (new * advantage).sum(1)[goes_on])
    steps = exact["horizon"]
    values = [np.zeros(states)]
    for _ in range(steps):
        values.append((old * (reward + gamma * transition @ values[-1])).sum(1))
    total, seen = 0.0, [start, start]
    for left in range(steps - 1, -1, -1):
        advantage = reward + gamma * transition @ values[left] - values[left + 1][:, None]
        total += (seen[1] - seen[0]) @ (new * advantage).sum(1)
        seen = [gamma * law @ p for law, p in zip(seen, moves, strict=True)]
    return total


@pytest.mark.slow
@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_every_step_has_a_gap_and_quantities_are_those_of_numpy(setting: Any) -> None:
    @settings(max_examples=40)
    @given(strategies.exact_instances(**setting))
    def check(exact: Any) -> None:
        expected = gap(exact, setting)
        assert abs(expected) > 1e-12
        criterion = setting.get("criterion")
        one = strategies.rounded(exact)
        q = tt.compare(one.mdp, one.old, one.new, criterion=criterion, horizon=exact.get("horizon"))
        assert float(q.surrogate_gap) == pytest.approx(expected, rel=1e-6)

    check()


# --- false claims -------------------------------------------------------------------------------------------------


def shrunk(strategy: Any, slack: Any, examples: int, number: int) -> Any:
    """The step that is left of those on which a draft fails, and what Hypothesis prints; None if it stands."""
    seen: list[Any] = []

    @seed(number)
    @settings(max_examples=examples, database=None, phases=set(Phase) - {Phase.explain}, deadline=None)
    @given(strategy)
    def draft(q: Any) -> None:
        seen.append(q)
        assert targeted(slack, q) >= -1e-9

    try:
        draft()
    except AssertionError as error:
        return seen[-1], "\n".join(error.__notes__)
    return None


def refuted(strategy: Any, slack: Any, examples: int = 200) -> Any:
    """With the first seed that finds a step on which it fails."""
    found = next((one for number in range(4) if (one := shrunk(strategy, slack, examples, number))), None)
    assert found, "not refuted"
    return found


@pytest.mark.slow
@sampled(
    ("name", "shown"),
    [
        ("average/mixing-half", "criterion='average'"),
        ("average/greedy-mean", "criterion='average'"),
        ("model/simulation-bound-half", "model="),
    ],
    every=3,
)
def test_a_false_claim_of_each_setting_is_refuted_and_shrinks_small(name: str, shown: str) -> None:
    claim = tt.claims[name]
    q, notes = refuted(strategies.quantities_for(claim), claim)
    assert q.states <= 3
    assert q.actions <= 3
    assert shown in notes
    assert "FiniteMDP(" in notes


@pytest.mark.slow
@sampled(
    ("options", "draft"),
    [
        ({"criterion": "episodic"}, lambda q: q.surrogate_gap + q.max_abs_advantage * q.max_tv**2 / 2),
        ({"horizon": True}, lambda q: q.surrogate_gap + q.max_abs_advantage * q.max_tv**2 / 2),
        ({"costs": ("c",)}, lambda q: q.cost("c").surrogate_gap),
        ({"references": True}, lambda q: q.surrogate_gap + q.sum_s(abs(q.references[:, 0, 0] - q.old[:, 0])) / 100),
        ({"temperature": True}, lambda q: q.expected_return_new - q.surrogate),
        ({"agents": (2, 2)}, lambda q: q.surrogate_gap + q.max_abs_advantage * q.max_tv**2 * q.gamma / 2),
    ],
    ids=["episodic", "horizon", "costs", "references", "temperature", "agents"],
    every=6,
)
def test_a_draft_of_ones_own_is_refuted(options: Any, draft: Any) -> None:
    q, _ = refuted(strategies.quantities(**options), draft)
    assert q.states <= (15 if "horizon" in options else 3)


@pytest.mark.parametrize(
    "name", ["horizon/tv", "average/mixing-tv", "entropy/tv", "agents/tv", "geppo/mixture", "cost/upper"]
)
def test_a_true_claim_of_each_setting_stands(name: str) -> None:
    claim = tt.claims[name]

    @settings(max_examples=25, deadline=None)
    @given(strategies.quantities_for(claim))
    def check(q: Any) -> None:
        assert claim.reads(q)
        assert targeted(claim, q) >= -1e-9 * (1 + float(np.max(np.abs(q.surrogate_gap))))

    check()


# --- options ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"criterion": "averag"}, "did you mean 'average'"),
        ({"criterion": "average", "gamma": 0.5}, "leave gamma out"),
        ({"criterion": "average", "horizon": 3}, "leave one out"),
        ({"horizon": 0}, "pass horizon=3"),
        ({"horizon": (3, 2)}, "pass horizon=3"),
        ({"temperature": -1}, "temperature = -1"),
        ({"costs": (1,)}, 'pass costs=("c",)'),
        ({"agents": 2}, "pass agents=(2, 2)"),
        ({"agents": (2, 2), "actions": 3}, "leave actions out"),
        ({"agents": (2, 2), "near": True}, "leave near out"),
        ({"agents": (2, 2), "unavailable": True}, "leave unavailable out"),
        ({"model": 1}, "pass model=True"),
    ],
    ids=str,
)
def test_a_bad_option_of_a_setting_is_refused(options: Any, words: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        strategies.quantities(**options)
    assert words in str(raised.value)


def test_what_no_option_draws_is_refused_with_what_does() -> None:
    needy = next(one for one in map(tt.claims.get, tt.claims) if "optimal-new" in one.needs)
    with pytest.raises(InvalidInput, match=r"ask tt\.check"):
        strategies.quantities_for(needy)
    with pytest.raises(InvalidInput, match="the option of instances 'horizon'"):
        strategies.instances(horizon=3)
