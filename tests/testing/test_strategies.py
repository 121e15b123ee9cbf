"""The public strategies: what they draw is valid exactly, their options are honoured, and failures shrink to something small."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from cheap import sampled
from hypothesis import HealthCheck, Phase, find, given, settings, target
from hypothesis import strategies as st

from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import StateAggregation
from trpo_theory.testing import strategies
from trpo_theory.zoo import Instance

OPTIONS = (
    {},
    {"unavailable": True, "trivial": True},
    {"aggregation": True, "unavailable": True},
    {"mixture": True, "unavailable": True},
    {"near": True, "aggregation": True},
    {"successors": 2, "start_anywhere": True, "deterministic": "old"},
    {"states": (2, 3), "actions": 2, "weights": 9, "full_support": True, "unit": True},
)
drawn_with = pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options) or "default")


def is_distribution(row: Any) -> bool:
    return sum(row) == 1 and all(entry >= 0 for entry in row)


SHRINK = settings(max_examples=1000, phases=(Phase.generate, Phase.shrink), database=None, report_multiple_bugs=False)


def exists(strategy: Any, condition: Any) -> None:
    """Draw until the condition is met; no shrinking."""
    find(strategy, condition, settings=settings(SHRINK, phases=[Phase.generate]))


def for_all(strategy: Any, condition: Any) -> None:
    @given(strategy)
    def check(drawn: Any) -> None:
        assert condition(drawn)

    check()


def total_variation(old: Any, new: Any) -> Any:
    """The largest of a state."""
    return max(sum(abs(p - q) for p, q in zip(*rows, strict=True)) / 2 for rows in zip(old, new, strict=True))


@pytest.mark.slow
@drawn_with
@settings(max_examples=30)
@given(data=st.data())
def test_exact_instances_are_distributions_in_fractions_and_floats_their_correctly_rounded_quotients(
    options: Any, data: Any
) -> None:
    exact = data.draw(strategies.exact_instances(**options))
    transition, available = exact["transition"], exact["available"]
    states, actions = available.shape
    assert transition.shape == (states, actions, states)
    numbers = [
        exact["gamma"],
        *(x for name in ("transition", "reward", "initial", "old", "new") for x in exact[name].flat),
    ]
    assert all(isinstance(x, Fraction) for x in numbers)
    assert 0 <= exact["gamma"] < 1
    assert is_distribution(exact["initial"])
    assert available.any(1).all()
    for s in range(states):
        for policy in (exact["old"], exact["new"]):
            assert is_distribution(policy[s])
            assert all(x == 0 for x in policy[s][~available[s]])
        for a in range(actions):
            assert is_distribution(transition[s, a]) if available[s, a] else not transition[s, a].any()
            assert available[s, a] or exact["reward"][s, a] == 0
    instance = strategies.rounded(exact)
    assert isinstance(instance, Instance)
    fields = {name: getattr(instance.mdp, name) for name in ("transition", "reward", "initial", "gamma", "available")}
    for name, floats in {**fields, "old": instance.old, "new": instance.new}.items():
        for x, quotient in zip(np.ravel(floats), np.ravel(exact[name]), strict=True):
            assert x == (quotient if name == "available" else quotient.numerator / quotient.denominator)


@pytest.mark.slow
@given(strategies.instances(unavailable=True), strategies.pairs(), strategies.mdps(unavailable=True), st.data())
def test_the_other_strategies_draw_what_they_say(instance: Any, pair: Any, mdp: Any, data: Any) -> None:
    assert isinstance(instance, Instance)
    assert instance.gap is None
    assert isinstance(pair[0], FiniteMDP)
    for one, policy in ((instance.mdp, instance.old), (pair[0], pair[1]), (pair[0], pair[2])):
        assert policy.shape == (one.states, one.actions)
        assert policy.dtype == np.float64
    policy = data.draw(strategies.policies(mdp))
    assert policy.shape == mdp.available.shape
    assert not policy[~mdp.available].any()
    np.testing.assert_allclose(policy.sum(1), 1, rtol=1e-15)
    only = data.draw(strategies.policies(mdp.available, deterministic=True))
    assert set(only.ravel()) <= {0.0, 1.0}
    full = data.draw(strategies.policies(mdp.available, full_support=True))
    assert ((full > 0) == mdp.available).all()


# --- options -----------------------------------------------------------------------------------------------------


@given(strategies.exact_instances(states=(2, 3), actions=3, gamma=0.25, reward=(-0.5, 2), denominator=6, weights=2))
def test_sizes_gamma_reward_and_weights_are_as_asked(exact: Any) -> None:
    states, actions = exact["available"].shape
    assert states in (2, 3)
    assert actions == 3
    assert exact["gamma"] == Fraction(1, 4)
    assert all(-0.5 <= r <= 2 and (6 * r).denominator == 1 for r in exact["reward"].flat)
    for row in (*exact["old"], *exact["new"], exact["initial"], *exact["transition"].reshape(-1, states)):
        assert max(x.denominator for x in row) <= 2 * len(row)


@pytest.mark.parametrize(
    ("gamma", "trivial", "values"),
    [
        (Fraction(1, 3), False, {Fraction(1, 3)}),
        ([0, 0.5], False, {Fraction(0), Fraction(1, 2)}),
        (st.sampled_from([0.75, 0.25]), False, {Fraction(1, 4), Fraction(3, 4)}),
        (None, True, {Fraction(x) for x in ("0", "1/10", "1/2", "9/10", "99/100")}),
        (None, False, {Fraction(x) for x in ("1/10", "1/2", "9/10", "99/100")}),
    ],
)
def test_every_gamma_that_was_asked_for_is_drawn_and_no_other(gamma: Any, trivial: bool, values: set[Fraction]) -> None:
    drawn = strategies.exact_instances(gamma=gamma, states=1, actions=1, trivial=trivial)
    for value in values:
        exists(drawn, lambda exact: exact["gamma"] == value)  # noqa: B023 (called at once)
    for_all(drawn, lambda exact: exact["gamma"] in values)


@pytest.mark.slow
@given(strategies.exact_instances(successors=1), strategies.exact_instances(successors=2, states=(3, 5)))
def test_successors_is_the_most_next_states(one: Any, two: Any) -> None:
    assert set(one["transition"].flat) <= {0, 1}
    assert (two["transition"] != 0).sum(-1).max() <= 2


@given(strategies.exact_instances(unit=True), strategies.exact_instances(start_anywhere=True))
def test_unit_rewards_and_start_anywhere(unit: Any, anywhere: Any) -> None:
    assert all(0 <= r <= 1 and (4 * r).denominator == 1 for r in unit["reward"].flat)
    assert all(anywhere["initial"] > 0)


@pytest.mark.slow
@pytest.mark.parametrize("which", [True, "old", "new"])
@given(data=st.data())
def test_deterministic_and_full_support_of_one_policy_or_both(which: Any, data: Any) -> None:
    hot = data.draw(strategies.exact_instances(deterministic=which, unavailable=True))
    full = data.draw(strategies.exact_instances(full_support=which, unavailable=True))
    for name in ("old", "new") if which is True else (which,):
        assert set(hot[name].flat) <= {0, 1}
        assert ((full[name] > 0) == full["available"]).all()


@pytest.mark.parametrize("other", ["old", "new"])
def test_an_option_of_one_policy_leaves_the_other_free(other: str) -> None:
    which = {"old": "new", "new": "old"}[other]
    exists(strategies.exact_instances(deterministic=which), lambda exact: any(0 < x < 1 for x in exact[other].flat))
    exists(strategies.exact_instances(full_support=which), lambda exact: any(x == 0 for x in exact[other].flat))


@given(strategies.exact_instances(mixture=Fraction(1, 3), deterministic="new"))
def test_a_mixture_is_one_third_of_a_target(exact: Any) -> None:
    target = 3 * exact["new"] - 2 * exact["old"]
    assert set(target.flat) <= {0, 1}


@pytest.mark.parametrize("near", [True, 1, 0.5, Fraction(1, 7), 1e-3, 1e-6])
@given(data=st.data())
def test_near_pairs_are_no_further_apart_than_asked(near: Any, data: Any) -> None:
    exact = data.draw(strategies.exact_instances(near=near))
    assert total_variation(exact["old"], exact["new"]) <= (Fraction(1, 2) if near is True else Fraction(near))
    assert near == 1 or ((exact["old"] == 0) | (exact["new"] > 0)).all()


@pytest.mark.parametrize("trivial", [True, False])
def test_near_pairs_reach_what_was_asked(trivial: bool) -> None:
    seen = set()
    for_all(
        strategies.exact_instances(near=0.05, states=1, actions=2, deterministic=True, trivial=trivial),
        lambda exact: seen.add(total_variation(exact["old"], exact["new"])) is None,
    )
    assert seen - {0} == {Fraction(0.05), Fraction(1, 100), Fraction(1, 1000)}
    assert (0 in seen) == trivial


@given(strategies.exact_instances(aggregation=True, unavailable=True, states=(1, 5)))
def test_aggregated_pairs_share_rows(exact: Any) -> None:
    instance, aggregation = strategies.rounded(exact), StateAggregation(exact["groups"])
    for array in (instance.old, instance.new, instance.mdp.available):
        assert aggregation.contains(array.astype(float))


@pytest.mark.slow
@given(strategies.classes(states=(1, 5), unavailable=True), strategies.classes(aggregation=[0, 1, 0]), st.data())
def test_classes_contain_their_policy(drawn: Any, fixed: Any, data: Any) -> None:
    mdp, aggregation, old = drawn
    assert len(aggregation.group) == mdp.states
    assert aggregation.contains(old)
    assert aggregation.contains(data.draw(strategies.policies(mdp, aggregation=aggregation)))
    assert fixed[0].states == 3
    assert (fixed[2][0] == fixed[2][2]).all()


@pytest.mark.slow
def test_groups_of_every_kind_are_drawn() -> None:
    for groups in ([0, 0, 0], [0, 1, 2], [0, 1, 0], [0, 1, 1]):
        exists(strategies.classes(states=3), lambda case, g=groups: case[1].group.tolist() == g)
    exists(strategies.classes(states=2, actions=2), lambda case: (case[2][0] != case[2][1]).any())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"state": 3}, "did you mean 'states'"),
        ({"states": 0}, "got states = 0; wanted an integer, 1 or more, or (least, most)"),
        ({"states": (4, 2)}, "pass states=(2, 4)"),
        ({"actions": 2.5}, "got actions = 2.5"),
        ({"gamma": 1}, "a discount gamma in [0, 1)"),
        ({"gamma": []}, "one number or more to sample from"),
        ({"gamma": "0.9"}, "got gamma = '0.9'"),
        ({"weights": 0}, "got weights = 0"),
        ({"successors": 0}, "got successors = 0"),
        ({"reward": (2, 1)}, "write the smaller bound first"),
        ({"reward": 3}, "wanted (least, largest)"),
        ({"reward": (float("nan"), 1)}, "a finite number"),
        ({"unit": True, "reward": (0, 1)}, "unit=True is reward=(0, 1)"),
        ({"denominator": 0}, "got denominator = 0"),
        ({"unavailable": 1}, "wanted True or False"),
        ({"trivial": None}, "got trivial = None; wanted True or False"),
        ({"deterministic": "both"}, 'True, False, "old" or "new"'),
        ({"deterministic": True, "full_support": "new"}, "got a new policy that is deterministic and of full support"),
        ({"mixture": 1.5}, "a weight in [0, 1]"),
        ({"near": 0}, "the largest total variation, in (0, 1]"),
        ({"near": 0.1, "mixture": 0.1}, "near is a mixture of small weight"),
        ({"aggregation": [0, 0, 1], "states": 2}, "pass states=3"),
        ({"aggregation": [[0]]}, "one integer a state"),
    ],
    ids=str,
)
def test_a_bad_option_is_refused_when_the_strategy_is_made(options: Any, words: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        strategies.instances(**options)
    assert words in str(raised.value)


def test_other_bad_arguments() -> None:
    with pytest.raises(InvalidInput, match="the option of mdps 'near'"):
        strategies.mdps(near=True)
    with pytest.raises(InvalidInput, match="the option of mdps 'trivial'"):
        strategies.mdps(trivial=False)
    with pytest.raises(InvalidInput, match="the option of classes 'mixture'"):
        strategies.classes(mixture=True)
    with pytest.raises(InvalidInput, match="wanted one MDP, or booleans"):
        strategies.policies([[1, 0]])
    with pytest.raises(InvalidInput, match="wanted one MDP, or booleans"):
        strategies.policies(FiniteMDP(np.ones((2, 1, 1, 1)), np.ones((2, 1, 1)), 0.5))
    with pytest.raises(InvalidInput, match="split the group"):
        strategies.policies(np.array([[True, True], [True, False]]), aggregation=StateAggregation([0, 0]))
    with pytest.raises(InvalidInput, match="the aggregation map of shape"):
        strategies.policies(np.array([[True, True]]), aggregation=StateAggregation([0, 0]))
    with pytest.raises(InvalidInput, match="an exact instance without gamma, new"):
        strategies.rounded(dict.fromkeys(("transition", "reward", "initial", "available", "old")))
    with pytest.raises(InvalidInput, match="a discount gamma"):
        find(strategies.instances(gamma=st.just(1)), lambda _: True)


# --- shrinking ---------------------------------------------------------------------------------------------------


def gap_and_penalty(instance: Instance) -> tuple[float, float]:
    """η(new) − L and 2 ε γ/(1 − γ)² α², by NumPy alone."""
    mdp, old, new = instance.mdp, instance.old, instance.new
    chain = [np.einsum("sa,sat->st", policy, mdp.transition) for policy in (old, new)]
    resolvent = [np.linalg.inv(np.eye(mdp.states) - mdp.gamma * one) for one in chain]
    value = resolvent[0] @ (old * mdp.reward).sum(1)
    advantage = mdp.reward + mdp.gamma * mdp.transition @ value - value[:, None]
    visitation = [mdp.initial @ one for one in resolvent]
    gap = (visitation[1] - visitation[0]) @ (new * advantage).sum(1)
    alpha = np.abs(new - old).sum(1).max() / 2
    return gap, 2 * np.abs(advantage).max() * mdp.gamma / (1 - mdp.gamma) ** 2 * alpha**2


@pytest.mark.whole
@pytest.mark.slow
def test_a_false_claim_shrinks_to_two_states_two_actions_and_halves() -> None:
    """The constant 2 for 4 in trpo/tv, as in early texts of TRPO: gap ≥ −2 e γ/(1 − γ)² α²."""
    failures = []

    @settings(
        max_examples=4000, phases=(Phase.generate, Phase.target, Phase.shrink), suppress_health_check=[*HealthCheck]
    )
    @given(strategies.instances(gamma=[0.1, 0.5], successors=1))
    def claim(instance: Any) -> None:
        gap, penalty = gap_and_penalty(instance)
        if penalty > 0:
            target(-gap / penalty)
        holds = gap >= -penalty - 1e-9
        if not holds:
            failures.append(instance)
        assert holds

    with pytest.raises(AssertionError) as raised:
        claim()
    last = failures[-1]
    assert last.mdp.states <= 3
    assert last.mdp.actions <= 3
    for row in (*last.old, *last.new, last.mdp.initial, *last.mdp.transition.reshape(-1, last.mdp.states)):
        assert set(row) <= {0.0, 0.5, 1.0}
    assert np.abs(last.mdp.reward).max() <= 2
    note = "\n".join(raised.value.__notes__)
    assert "FiniteMDP(\n" in note  # the numbers, not only the sizes
    assert str(last.mdp.gamma) in note


@pytest.mark.slow
@sampled(
    ("condition", "transition", "old", "new"),
    [
        (lambda i: True, [[[1.0]]], [[1.0]], [[1.0]]),
        (lambda i: 0 < i.old[0, 0] < 1, [[[1.0], [1.0]]], [[0.5, 0.5]], [[1.0, 0.0]]),
        (lambda i: i.new[-1, -1] == 1 and i.mdp.states == 2, [[[1, 0]]] * 2, [[1]] * 2, [[1]] * 2),
        (lambda i: i.mdp.transition[0, 0, -1] == 0, [[[1, 0]]] * 2, [[1]] * 2, [[1]] * 2),
    ],
    every=4,
)
def test_the_simplest_instance_that_meets_a_condition(condition: Any, transition: Any, old: Any, new: Any) -> None:
    instance = find(strategies.instances(trivial=True), condition, settings=SHRINK)
    assert instance.mdp.transition.tolist() == transition
    assert instance.old.tolist() == old
    assert instance.new.tolist() == new
    assert instance.mdp.gamma == 0
    assert not instance.mdp.reward.any()


@pytest.mark.whole
@pytest.mark.slow
def test_a_state_of_no_importance_goes_though_it_lies_between_others() -> None:
    """Rewards 1 and 3 in two states: no third is left over."""

    def matters(instance: Any) -> bool:
        return 3 in instance.mdp.reward and 1 in instance.mdp.reward and instance.mdp.actions == 1

    instance = find(strategies.instances(states=(1, 4), trivial=True), matters, settings=SHRINK)
    assert sorted(instance.mdp.reward.ravel()) == [1, 3]


# --- types -------------------------------------------------------------------------------------------------------

FROM_TYPE = """
import sys
{imports}
from hypothesis import Phase, find, settings, strategies as st
alone = settings(database=None, phases=[Phase.generate])  # the tests above shrink
mdp = find(st.from_type(FiniteMDP), lambda mdp: mdp.states == 2, settings=alone)
instance = find(st.from_type(Instance), lambda instance: True, settings=alone)
assert type(mdp) is FiniteMDP and type(instance) is Instance
print(mdp.states)
"""


@pytest.mark.slow
@sampled(
    "imports",
    [
        "import hypothesis; from trpo_theory.model.mdp import FiniteMDP; from trpo_theory.zoo import Instance",
        "from trpo_theory.model.mdp import FiniteMDP; from trpo_theory.zoo import Instance; import hypothesis",
        "from trpo_theory.zoo import Instance; import hypothesis; from trpo_theory import FiniteMDP",
    ],
    ids=["hypothesis-first", "hypothesis-last", "between"],
    every=4,
)
def test_from_type_knows_mdps_and_instances(imports: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FROM_TYPE.format(imports=imports)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == "2\n"


@pytest.mark.slow
def test_the_hook_loads_nothing_until_it_is_needed() -> None:
    code = "import sys, hypothesis\nassert 'trpo_theory.testing.hypothesis_plugin' in sys.modules\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "scipy", "jaxtyping", "trpo_theory.model.mdp", "trpo_theory.search"} & set(loaded)


@pytest.mark.slow
@given(st.from_type(FiniteMDP), st.from_type(Instance))
def test_from_type_in_this_process_too(mdp: Any, instance: Any) -> None:
    assert isinstance(mdp, FiniteMDP)
    assert isinstance(instance.mdp, FiniteMDP)
