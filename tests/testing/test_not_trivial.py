"""Default draws put a claim to the test: the gap η(new) − L is not 0, in exact rationals, whatever the options.

The oracle is `exact`, and no draw is thrown away.
"""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from cheap import is_whole, sampled
from exact import ExactPolicy
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as st

import trpo_theory as tt
from trpo_theory.testing import strategies, targeted

OPTIONS = (
    {},
    {"states": 2, "actions": 2, "weights": 1},
    {"unavailable": True, "start_anywhere": True},
    {"aggregation": True, "unavailable": True},
    {"aggregation": [0, 0, 0], "deterministic": True},
    {"aggregation": [0, 1, 0], "near": True, "successors": 1},
    {"deterministic": "old", "full_support": "new", "unavailable": True},
    {"deterministic": "new", "mixture": True, "unit": True},
    {"full_support": True, "weights": 2, "reward": (3, 4)},
    {"gamma": Fraction(1, 3), "successors": 1, "deterministic": True},
    {"near": 1e-6, "unavailable": True, "aggregation": True},
)
only_draws = settings(suppress_health_check=[*HealthCheck], phases=[Phase.generate])


def gap_of(exact: dict[str, Any]) -> Any:
    """Σ_s (ρ_new − ρ_old)(s) Σ_a new(a|s) A_old(s,a), in rationals."""
    mdp = {name: exact[name] for name in ("transition", "reward", "gamma", "initial")}
    old, new = (ExactPolicy(**mdp, policy=exact[name]) for name in ("old", "new"))
    available = exact["available"]
    advantage = np.where(available, old.advantage, 0 * old.advantage)
    return ((new.visitation - old.visitation) * (new.policy * advantage).sum(1)).sum()


@pytest.mark.slow
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options) or "default")
def test_the_gap_is_never_0(options: Any) -> None:
    drawn = 0

    @only_draws
    @given(strategies.exact_instances(**options))
    def check(exact: Any) -> None:
        nonlocal drawn
        drawn += 1
        assert min(exact["available"].shape) >= 2
        assert exact["gamma"] > 0
        assert (exact["old"] != exact["new"]).any()
        assert gap_of(exact) != 0
        for row in exact["transition"][exact["available"]]:
            assert sum(row) == 1
            assert (row != 0).sum() <= options.get("successors", 4)
        if "reward" in options:
            assert set(exact["reward"][exact["available"]]) <= {3, 4}

    check()
    assert drawn >= 0.8 * settings.default.max_examples


@pytest.mark.slow
@pytest.mark.sampled
def test_of_500_default_draws_none_is_trivial() -> None:
    draws, examples = [], 500 if is_whole() else 150

    @settings(only_draws, max_examples=examples)
    @given(strategies.quantities())
    def look(q: Any) -> None:
        draws.append((q.states, q.actions, q.gamma, np.abs(q.new - q.old).max(), abs(q.surrogate_gap)))

    look()
    least = np.array(draws, dtype=float).min(0)
    assert len(draws) == examples
    assert (least >= [2, 2, 0.1, 0.01, 1e-7]).all()


@pytest.mark.parametrize(
    ("options", "moved"),
    [
        ({"states": 1}, True),
        ({"gamma": 0}, True),
        ({"reward": (2, 2)}, True),
        ({"states": (1, 2), "unavailable": True}, True),
        ({"actions": 1}, False),
        ({"mixture": 0}, False),
        ({"full_support": True, "weights": 1}, False),
        ({"near": True, "deterministic": True, "states": 1}, True),
    ],
    ids=str,
)
@settings(only_draws, max_examples=20)
@given(data=st.data())
def test_what_the_options_rule_out_is_not_asked_for(options: Any, moved: bool, data: Any) -> None:
    exact = data.draw(strategies.exact_instances(**options))
    assert (exact["old"] != exact["new"]).any() == moved
    if len(exact["initial"]) > 1 and not {"gamma", "reward", "actions", "mixture", "full_support"} & options.keys():
        assert gap_of(exact) != 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("condition", "transition", "reward", "old", "new"),
    [
        (lambda q: True, [[[1, 0], [0, 1]], [[1, 0], [1, 0]]], [[1, 0], [0, 0]], [[1, 0], [1, 0]], [[0, 1], [1, 0]]),
        (
            lambda q: q.surrogate_gap < 0,
            *([[[1, 0], [0, 1]], [[1, 0], [1, 0]]], [[0, 0], [1, 0]], [[1, 0], [1, 0]], [[0, 1], [1, 0]]),
        ),
    ],
)
def test_the_simplest_draw(condition: Any, transition: Any, reward: Any, old: Any, new: Any) -> None:
    shrink = settings(max_examples=1000, phases=(Phase.generate, Phase.shrink), report_multiple_bugs=False)
    q = find(strategies.quantities(), condition, settings=shrink)
    assert [x.tolist() for x in (q.transition, q.reward, q.old, q.new)] == [transition, reward, old, new]
    assert q.gamma == 0.5


# --- false drafts -------------------------------------------------------------------------------------------------


def with_mean_tv(q: Any) -> Any:
    """trpo/tv with mean-TV for max-TV."""
    return q.surrogate_gap + 4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.mean_tv**2


def without_abs(q: Any) -> Any:
    """trpo/tv with max A for max |A|."""
    return q.surrogate_gap + 4 * q.max_s(q.max_a(q.advantage)) * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2


def is_found(draft: Any, number: int) -> bool:
    @seed(number)
    @settings(
        max_examples=200, derandomize=False, suppress_health_check=[*HealthCheck], phases=[Phase.generate, Phase.target]
    )
    @given(strategies.quantities())
    def holds(q: Any) -> None:
        assert targeted(draft, q) >= -1e-9

    try:
        holds()
    except AssertionError:
        return True
    return False


@pytest.mark.whole
@pytest.mark.slow
@sampled("draft", [with_mean_tv, without_abs], every=2, start=1)
def test_a_false_draft_is_found_with_200_examples(draft: Any) -> None:
    """Of seeds 0 to 39 all but two find the first, and all find the second; here three, as each costs a second or two."""
    assert sum(is_found(draft, number) for number in range(3)) >= 2


@pytest.mark.whole
@pytest.mark.slow
@sampled("draft", [with_mean_tv, without_abs], every=2)
def test_a_false_draft_shrinks_to_two_states_and_two_actions(draft: Any) -> None:
    failures = []

    @settings(max_examples=400, phases=[Phase.generate, Phase.shrink])
    @given(strategies.quantities())
    def holds(q: Any) -> None:
        if targeted(draft, q) < -1e-9:
            failures.append(q)
            pytest.fail("false")

    with pytest.raises(pytest.fail.Exception) as raised:
        holds()
    last = failures[-1]
    assert "q=compare(\n        FiniteMDP(\n" in "\n".join(
        raised.value.__notes__
    )  # the numbers, and how to get at them
    assert (last.states, last.actions) == (2, 2)
    assert set(np.ravel([last.old, last.new])) <= {0, 0.25, 1 / 3, 0.5, 2 / 3, 0.75, 1}
    assert np.abs(last.reward).max() <= 1


def test_targeted_is_the_slack_of_a_claim_or_a_function() -> None:
    family = tt.zoo.coupling_tight(gamma=0.5, x=0.25)  # η(new) = 3/5, L = 1: gap −2/5, coupling/tv's penalty 2/5
    q = tt.compare(family.mdp, family.old, family.new)

    @tt.claim("mine/tiny", statement="0 >= 1", given=lambda q: q.max_tv < 0.1)
    def tiny(q: Any) -> Any:
        return q.gamma - 1

    @settings(max_examples=1)
    @given(st.just(q))
    def check(q: Any) -> None:
        assert targeted(tt.bounds["coupling/tv"], q) == pytest.approx(0, abs=1e-15)
        assert targeted(lambda q: q.surrogate_gap, q) == pytest.approx(-0.4)
        assert targeted(lambda q: q.max_tv - q.tv, q, label="by state") == pytest.approx(0)
        assert targeted(tiny, q) == np.inf

    check()


# --- time ---------------------------------------------------------------------------------------------------------

DEFAULT_SETTINGS = """
import time, hypothesis
from hypothesis import given, settings
settings.load_profile("default")
import trpo_theory as tt
took = []

@settings(database=None)
@given(tt.strategies.{strategy})
def test(drawn):
    start = time.perf_counter()
    q = drawn if hasattr(drawn, "surrogate_gap") else tt.compare(drawn.mdp, drawn.old, drawn.new)
    tt.bounds["chain-rule/kl"].check(q)
    tt.claims.get("id/flow").slack(q)
    took.append(time.perf_counter() - start)

test()
print(len(took), took[0])
"""


@pytest.mark.whole
@pytest.mark.slow
@sampled("strategy", ["instances(states=30, actions=4)", "quantities()"], every=2)
def test_a_fresh_process_passes_health_checks_and_is_far_from_the_deadline(strategy: str) -> None:
    code = DEFAULT_SETTINGS.format(strategy=strategy)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    count, first = run.stdout.split()
    assert int(count) >= 100
    assert float(first) < 0.1  # of 0.2 seconds
