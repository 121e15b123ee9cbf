"""Claims on average rewards: they hold on random steps; a chain that alternates, in closed form, refutes the twins."""

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory.claims import average

TRUE = [record for record in average.CLAIMS if record.expected is True]


def alternating(reward):
    """P(1|0) = P(0|1) = 1 under old; new goes anywhere."""
    mdp = tt.FiniteMDP([[[1, 0], [0, 1]], [[1, 0], [0, 1]]], reward, 0.5, [1, 0])
    return tt.compare(mdp, [[0, 1], [1, 0]], [[0.5, 0.5], [0.5, 0.5]], criterion="average")


@pytest.mark.parametrize("record", TRUE, ids=lambda record: record.id)
def test_a_true_claim_holds(record):
    rng, size = np.random.default_rng(0), 400
    mdp = tt.FiniteMDP(rng.dirichlet(np.ones(3), (size, 3, 2)), rng.normal(size=(size, 3, 2)), 0.5, [0.5, 0.5, 0])
    q = tt.compare(mdp, *rng.dirichlet(np.ones(2), (2, size, 3)), criterion="average")
    slack, met = np.asarray(record.slack(q)), np.broadcast_to(record.met(q), (size,))
    assert (slack[..., met] >= -1e-11).all()
    assert met.sum() >= 20


def test_an_alternating_chain_in_closed_form():
    """r = 1 in state 0: the gain is 1/2, h = (1/4, -1/4), and one step from 0 earns 1/2 more than the gain, span(h)."""
    q = alternating([[1, 1], [0, 0]])
    by = {record.id.partition("/")[2]: record for record in average.CLAIMS}
    assert float(by["span"].slack(q).min()) == pytest.approx(0, abs=1e-15)
    assert np.asarray(by["span-half"].slack(q))[0] == pytest.approx([-0.25, -0.25], abs=1e-15)
    assert np.asarray(by["any-start-bias"].signed_slack(q))[0] == pytest.approx([0.25, -0.25], abs=1e-15)
    # from 0 the discounted sum is 1/(1 − 1/4), times 1/2
    assert float(by["discounted-start"].signed_slack(q)) == pytest.approx(2 / 3 - 1 / 2, rel=1e-14)
    assert np.asarray(by["flow-start"].signed_slack(q)) == pytest.approx([-0.25, 0.25], abs=1e-15)
    # new's chain forgets at once: tau = 1, kappa = 2
    assert float(by["tau-kemeny"].slack(q)) == pytest.approx(0, abs=1e-14)
    assert float(by["tau-forgetting"].slack(q)) == pytest.approx(0, abs=1e-14)
