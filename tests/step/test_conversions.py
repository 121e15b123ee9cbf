"""The conversions between the records of a step: batches of floats, exact rationals, `Quantities`, flat numbers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from trpo_theory import zoo
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.numerics.layout import batch_first, batch_last
from trpo_theory.search.battery import random_instances
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.instances import Instances, joined
from trpo_theory.step.quantities import compare, quantities_of

MASKED = FiniteMDP(
    [[[0.25, 0.75], [0, 0]], [[0.5, 0.5], [1, 0]]],
    [[1.0, -np.inf], [2.0, -1.0]],
    0.5,
    [1, 0],
    available=[[1, 0], [1, 1]],
)
OLD, NEW = np.array([[1, 0], [0.5, 0.5]]), np.array([[1, 0], [0.25, 0.75]])


def drawn(count: int = 5) -> Instances:
    return random_instances(np.random.default_rng(7), count, 3, 2)


@pytest.mark.parametrize("axes", [0, 1, 2])
def test_the_batch_goes_last_and_comes_back(axes):
    array = np.arange(120).reshape(2, 3, 4, 5)
    last = batch_last(array, axes)
    assert last.shape == (*array.shape[axes:], *array.shape[:axes])
    assert np.shares_memory(last, array)
    np.testing.assert_array_equal(batch_first(last, axes), array)
    np.testing.assert_array_equal(last, np.moveaxis(array, range(axes), range(-axes, 0)))


def test_packed_numbers_are_the_instance_float_for_float():
    instances = drawn()
    for index in range(len(instances)):
        again = Instances.unpacked(instances.packed(index), *instances.shape)
        for name, array in instances.take([index]).arrays().items():
            np.testing.assert_array_equal(again.arrays()[name], array, err_msg=name)
            assert again.arrays()[name].dtype == array.dtype


def test_exact_instances_and_back():
    instances = drawn()
    back = Instances.of_exact([instances.exact(index) for index in range(len(instances))])
    for name, array in instances.arrays().items():
        np.testing.assert_allclose(back.arrays()[name], array, rtol=1e-14, err_msg=name)


def test_a_mask_of_actions_survives_every_conversion():
    instances = joined([Instances.of(MASKED, OLD, NEW)] * 2)
    want = compare(MASKED, OLD, NEW)
    exact = instances.exact(1)
    assert exact.available.tolist() == [[True, False], [True, True]]
    for q in (instances.quantities(), Instances.of_exact([exact, exact]).quantities()):
        np.testing.assert_allclose(q.max_abs_advantage, float(want.max_abs_advantage), rtol=1e-14)
        np.testing.assert_allclose(q.surrogate_gap, float(want.surrogate_gap), rtol=1e-13)
    assert instances.one(0).max_abs_advantage == pytest.approx(float(want.max_abs_advantage), rel=1e-14)
    assert exact.quantities().max_abs_advantage.midpoint == pytest.approx(float(want.max_abs_advantage), rel=1e-14)
    assert (ExactInstance.of(MASKED, OLD, NEW).available == MASKED.available).all()


def test_what_is_known_to_be_valid_is_not_checked_again():
    mdp, bad = zoo.kakade(), np.array([[0.5, 0.6], [0.5, 0.5]])
    with pytest.raises(InvalidInput):
        compare(mdp, bad, bad)
    assert np.isfinite(quantities_of(mdp, bad, bad).surrogate)
    good = np.array([[0.5, 0.5], [0.5, 0.5]])
    assert quantities_of(mdp, good, good[None, ::-1]).surrogate == compare(mdp, good, good[None, ::-1]).surrogate


def test_an_exchanged_field_is_checked_and_the_others_are_kept():
    one = ExactInstance.of(MASKED, OLD, NEW)
    assert one.mdp.gamma == 0.5
    other = one.replace(gamma="9/10", new=OLD.tolist(), size=None)
    assert (other.gamma, other.mdp.gamma, other.size) == (Fraction(9, 10), 0.9, 1)
    assert (other.new == one.old).all()
    assert one.gamma == Fraction(1, 2)
    assert other.transition is one.transition
    for changes in ({"gamma": 2}, {"new": [[0, 1], [1, 0]]}, {"initial": [1, 1]}, {"groups": [0]}, {"reward": [[1]]}):
        with pytest.raises(InvalidInput):
            one.replace(**changes)
    assert one.replace(reward=[[3, 0], [0, 0]]).reward[0, 0] == 3


def test_an_exchanged_reward_is_that_of_a_new_instance():
    """In each form of a reward: the actions that −∞ takes away leave the policies, too."""
    one = ExactInstance.of(MASKED, NEW, NEW)
    fields = {name: getattr(one, name) for name in ("transition", "gamma", "initial", "old", "new", "available")}
    by_successor = np.arange(8.0).reshape(2, 2, 2)
    for reward in ([[3, 0], [0, "1/3"]], [1, 2], by_successor):
        assert (one.replace(reward=reward).reward == ExactInstance(reward=reward, **fields).reward).all()
    only = ExactInstance(transition=[[[1], [1]]], reward=[[1, 2]], gamma=0, initial=[1], old=[[1, 0]], new=[[1, 0]])
    left = only.replace(reward=[[3, -np.inf]], gamma="1/2")
    assert (left.available.tolist(), left.reward.tolist(), left.gamma) == ([[True, False]], [[3, 0]], Fraction(1, 2))
    with pytest.raises(InvalidInput, match="not available"):
        only.replace(reward=[[-np.inf, 3]])
