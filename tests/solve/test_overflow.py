"""Numbers that overflow are errors that say to rescale: no infinity, no nan, and no verdict on a bound."""

import json

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory.errors import NotSolved

OLD = np.full((2, 2), 0.5)
NEW = np.array([[0.25, 0.75], [0.5, 0.5]])


def mdp(reward: float, gamma: float) -> tt.FiniteMDP:
    transition = [[[1, 0], [0, 1]], [[0.5, 0.5], [0, 1]]]
    return tt.FiniteMDP(transition, reward * np.array([[0, 1], [1, 0]]), gamma, [1, 0])


READ = {
    "evaluate": lambda m: tt.evaluate(m, OLD).expected_return,
    "visitation times reward": lambda m: tt.evaluate(m, OLD).q_value,
    "optimal": tt.optimal,
    "compare": lambda m: tt.compare(m, OLD, NEW).surrogate,
    "bound": lambda m: tt.bounds.check_all(tt.compare(m, OLD, NEW)),
    "update": lambda m: tt.update(m, OLD, tt.MaxKL(0.01)),
    "improve": lambda m: tt.improve(m, tt.MaxKL(0.01), steps=1, old=OLD),
    "audit": lambda m: tt.audit(m, np.array([OLD, NEW])),
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize(("reward", "gamma"), [(1e300, 1 - 1e-12), (1e308, 0.9)])
def test_an_overflow_is_an_error_that_says_to_rescale(name, reward, gamma):
    with np.errstate(all="ignore"), pytest.raises(NotSolved, match="rescale the rewards"):
        READ[name](mdp(reward, gamma))


def test_bounds_whose_penalties_overflow_are_not_called_true_or_false():
    step = tt.compare(mdp(1e284, 1 - 1e-12), OLD, NEW)
    assert np.isfinite(step.surrogate)
    with pytest.raises(NotSolved, match="rescale the rewards"):
        tt.bounds.get("trpo/tv").check(step)


def test_large_rewards_that_do_not_overflow_scale():
    large, small = (tt.compare(mdp(reward, 0.9), OLD, NEW) for reward in (2.0**1000, 1.0))
    assert large.surrogate == 2.0**1000 * small.surrogate
    for one, other in zip(tt.bounds.check_all(large), tt.bounds.check_all(small), strict=True):
        assert bool(one.holds) is bool(other.holds) is True


@pytest.mark.parametrize("verb", [["evaluate"], ["bound", "--old", "uniform", "--new", "optimal"]])
def test_the_command_line_says_so_in_one_line(verb, tmp_path, capsys):
    from trpo_theory.cli import main

    path = tmp_path / "huge.json"
    m = mdp(1e300, 1 - 1e-12)
    fields = {"transition": m.transition.tolist(), "reward": m.reward.tolist(), "gamma": m.gamma, "initial": [1, 0]}
    path.write_text(json.dumps(fields))
    status = main([verb[0], str(path), *verb[1:]])
    printed = capsys.readouterr()
    assert (status, printed.out) == (3, "")
    assert printed.err.count("\n") == 1
    assert "rescale the rewards" in printed.err
