"""Several agents: marginals, products, conditional advantages and labels, against sums over arrays with an axis an agent."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory.errors import InvalidInput
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.instances import Instances

AGENTS = (2, 3, 2)
STATES, GAMMA = 3, 0.7
LABELS = list(itertools.product("ab", "xyz", "01"))


def rows(generator, *shape):
    weights = generator.random(shape) + 0.05
    return weights / weights.sum(-1, keepdims=True)


def game(seed=0):
    """(mdp, the agents' old policies, the agents' new policies)."""
    generator = np.random.default_rng(seed)
    mdp = tt.FiniteMDP(
        rows(generator, STATES, 12, STATES),
        generator.normal(size=(STATES, 12)),
        GAMMA,
        rows(generator, STATES),
        action_labels=LABELS,
    )
    old, new = ([rows(generator, STATES, size) for size in AGENTS] for _ in range(2))
    return mdp, old, new


def joint(policies):
    return np.einsum("sa,sb,sc->sabc", *policies).reshape(STATES, -1)


def q_old(mdp, policy):
    """Q by plain linear algebra, with an axis an agent."""
    chain = np.einsum("sa,sat->st", policy, mdp.transition)
    value = np.linalg.solve(np.eye(STATES) - GAMMA * chain, (policy * mdp.reward).sum(1))
    return (mdp.reward + GAMMA * mdp.transition @ value).reshape(STATES, *AGENTS)


def test_agents_follow_from_labels_that_are_tuples():
    mdp, _, _ = game()
    assert mdp.agents == AGENTS
    assert mdp.with_gamma(0.5).agents == AGENTS
    assert tt.FiniteMDP(np.ones((1, 12, 1)), np.zeros((1, 12)), 0.5).agents == ()


@pytest.mark.parametrize(
    "labels",
    [list("abcd"), [("a", "x"), ("b", "x"), ("a", "y"), ("b", "y")], [("a",), ("b",), ("c",), ("d",)]],
    ids=["texts", "the first agent's first", "one agent"],
)
def test_other_labels_are_of_a_single_agent(labels):
    mdp = tt.FiniteMDP(np.ones((1, 4, 1)), np.zeros((1, 4)), 0.5, action_labels=labels)
    assert mdp.agents == ()
    even = np.full((1, 4), 0.25)
    with pytest.raises(InvalidInput, match="single agent"):
        tt.compare(mdp, even, even).marginal(even, 0)


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_files_keep_joint_actions(tmp_path, suffix):
    from trpo_theory.io.files import read_mdp, write_mdp

    mdp, _, _ = game()
    path = tmp_path / f"game{suffix}"
    write_mdp(mdp, path)
    again = read_mdp(path)
    assert again.action_labels == tuple(LABELS)
    assert again.agents == AGENTS


def test_marginals_and_products():
    mdp, old, new = game()
    q = tt.compare(mdp, joint(old), joint(new))
    assert q.agents == AGENTS
    assert q.is_product
    for i, policy in enumerate(old):
        np.testing.assert_allclose(q.marginal(q.old, i), policy, rtol=1e-13)
    np.testing.assert_allclose(q.product(new), joint(new), rtol=1e-13)
    np.testing.assert_allclose(q.moved([0, 2]).new, joint([new[0], old[1], new[2]]), rtol=1e-13)


def test_a_policy_that_is_no_product():
    mdp, old, _ = game()
    generator = np.random.default_rng(1)
    correlated = rows(generator, STATES, 12)
    q = tt.compare(mdp, joint(old), correlated)
    assert not q.is_product
    cube = correlated.reshape(STATES, *AGENTS)
    own = [cube.sum(tuple({1, 2, 3} - {axis})) for axis in (1, 2, 3)]
    factored = q.factored(AGENTS)
    np.testing.assert_allclose(factored.new, joint(own), rtol=1e-13)
    assert factored.is_product


def test_conditional_advantages():
    mdp, old, new = game()
    q = tt.compare(mdp, joint(old), joint(new))
    cube = q_old(mdp, joint(old))
    after_first = np.einsum("sabc,sb,sc->sa", cube, *old[1:])[:, :, None, None]
    after_last = np.einsum("sabc,sa,sb->sc", cube, *old[:2])[:, None, None, :]
    after_ends = np.einsum("sabc,sb->sac", cube, old[1])[:, :, None, :]
    value = np.einsum("sabc,sa,sb,sc->s", cube, *old)[:, None, None, None]

    def flat(x):
        return np.broadcast_to(x, cube.shape).reshape(STATES, -1)

    np.testing.assert_allclose(q.agents_q_value([0]), flat(after_first), atol=1e-12)
    np.testing.assert_allclose(q.agents_q_value([]), flat(value), atol=1e-12)
    np.testing.assert_allclose(q.agents_q_value([0, 2]), flat(after_ends), atol=1e-12)
    np.testing.assert_allclose(q.agent_advantage(0), flat(after_first - value), atol=1e-12)
    np.testing.assert_allclose(q.agent_advantage(2, after=[0]), flat(after_ends - after_first), atol=1e-12)
    np.testing.assert_allclose(q.agent_advantage(0, after=[2]), flat(after_ends - after_last), atol=1e-12)
    np.testing.assert_allclose(q.agent_advantage(1, after=[0, 2]), flat(cube - after_ends), atol=1e-12)


def test_a_batch_says_what_single_instances_say():
    made = [game(seed) for seed in range(3)]
    parts = [Instances.of(mdp, joint(old), joint(new)) for mdp, old, new in made]
    batch = Instances(**{name: np.concatenate([part.arrays()[name] for part in parts]) for name in parts[0].arrays()})
    together = batch.quantities().factored(AGENTS)
    for index, (mdp, old, new) in enumerate(made):
        one = tt.compare(mdp, joint(old), joint(new))
        found = np.asarray(together.agent_advantage(1, after=[0]))[..., index]
        np.testing.assert_allclose(found, one.agent_advantage(1, after=[0]), atol=1e-12)
        np.testing.assert_allclose(np.asarray(together.moved([1]).kl)[..., index], one.moved([1]).kl, rtol=1e-9)


def test_exact_rationals():
    third = Fraction(1, 3)
    instance = ExactInstance(
        transition=np.ones((1, 4, 1), dtype=int),
        reward=np.array([[6, -3, 0, 9]]),
        gamma=Fraction(0),
        initial=np.array([1]),
        old=np.array([[third / 4, third * 3 / 4, 2 * third / 4, 2 * third * 3 / 4]]),  # (1/3, 2/3) x (1/4, 3/4)
        new=np.array([[Fraction(1), 0, 0, 0]]),
    )
    q = instance.quantities().factored((2, 2))
    value = third / 4 * 6 - third * 3 / 4 * 3 + 2 * third * 3 / 4 * 9
    first = Fraction(6 - 3 * 3, 4)
    assert all(q.agent_advantage(0)[0, a] == first - value for a in (0, 1))
    assert q.agent_advantage(1, after=[0])[0, 0] == 6 - first
    assert q.old[0, 3] == Fraction(1, 2)


def test_sizes_that_do_not_fit_are_refused():
    mdp, old, new = game()
    q = tt.compare(mdp, joint(old), joint(new))
    with pytest.raises(InvalidInput, match="12 actions for agents with 2, 2"):
        q.with_agents((2, 2))
    for agents in ((2,), 4, (2, 0), ("2", 2)):
        with pytest.raises(InvalidInput, match="how many actions each of several agents has"):
            tt.claim("mine/agents", statement="x", agents=agents)(lambda q: q.surrogate_gap)
