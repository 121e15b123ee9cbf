"""Fewer states for a refuted instance: merges against chains lumped by hand, and shrunk witnesses in exact rationals."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from cheap import sampled
from exact import rational, step_on

from trpo_theory.bounds.record import Claim
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.search import smaller as module
from trpo_theory.search.closed_forms import walks
from trpo_theory.search.hunt import Hunt
from trpo_theory.search.instruments.witnesses import SharpWitnesses
from trpo_theory.search.screen import Screen
from trpo_theory.search.shrink import shrink
from trpo_theory.search.smaller import smaller
from trpo_theory.step.instances import Instances

MP = mpmath.mp.clone()
MP.dps = 50


def mean_kl_one(q):
    return q.surrogate_gap + q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.mean_kl


def chain(share):
    return lambda q: q.surrogate_gap + share * 2 * q.max_abs_advantage * q.polylog(-0.5, q.gamma) * q.max_kl


def claimed(formula, gamma):
    percent = round(100 * gamma)
    return Claim("test/gap", formula, "a gap", "a test", given=lambda q: 100 * q.gamma >= percent, expected=False)


def slack(instance, penalty):
    """η(new) − L + penalty in exact rationals, the penalty at 50 digits."""
    step = step_on(instance, instance.old, instance.new)
    kl = [
        MP.fsum(_log(p, q) for p, q in zip(*rows, strict=True) if p)
        for rows in zip(instance.old, instance.new, strict=True)
    ]
    gamma = _real(instance.gamma)
    largest = max(abs(_real(x)) for x in step.advantage.ravel())
    visits = [_real(x) for x in step.old.visitation]
    mean = MP.fsum(d * k for d, k in zip(visits, kl, strict=True) if d) * (1 - gamma)
    return _real(step.surrogate_gap) + largest * penalty(gamma, mean, max(kl))


def _real(x):
    x = rational(x)
    return MP.mpf(int(x.p)) / int(x.q)


def _log(p, q):
    return _real(p) * MP.log(_real(p) / _real(q)) if q else MP.inf


CASES = {
    "the mean KL with constant 1": (
        claimed(mean_kl_one, 0.9),
        6,
        lambda gamma, mean, most: gamma / (1 - gamma) ** 2 * mean,
    ),
    ".78 of the chain rule's at .9": (
        claimed(chain(Fraction(78, 100)), 0.9),
        11,
        lambda gamma, mean, most: MP.mpf(78) / 50 * MP.polylog(-0.5, gamma) * most,
    ),
    ".75 of the chain rule's at .99": (
        claimed(chain(Fraction(75, 100)), 0.99),
        25,
        lambda gamma, mean, most: MP.mpf(3) / 2 * MP.polylog(-0.5, gamma) * most,
    ),
}


@pytest.mark.slow
@sampled("name", CASES, every=4)
def test_what_the_sharp_gap_refutes_is_refuted_by_few_states(name):
    claim, states, penalty = CASES[name]
    hunt = Hunt(claim, np.random.default_rng(0), instances=0)
    SharpWitnesses().run(hunt, 1)
    assert hunt.findings.refuted is not None
    small, decision = shrink(claim, *hunt.findings.refuted)
    assert decision.verdict is Outcome.REFUTED
    assert small.states <= states
    exact = slack(small, penalty)
    assert exact < 0
    assert float(decision.lower) == pytest.approx(float(exact), rel=1e-6)


def test_a_walk_is_merged_as_long_as_it_refutes():
    claim = claimed(chain(0.6), 0.9)
    start = walks(np.array([0.9]), np.array([1e-2]), 10)
    shapes = [start.shape]
    for one in smaller(Screen(claim), start):
        shapes.append(one.shape)
        gap = float(one.quantities().surrogate_gap[0])
        old, new = one.old[0], one.new[0]
        kl = (old * np.log(np.where(old > 0, old, 1) / np.where(old > 0, new, 1))).sum(1).max()
        assert gap + 1.2 * np.abs(one.quantities().advantage).max() * float(mpmath.polylog(-0.5, 0.9)) * kl < 0
    sizes = [states * actions for states, actions in shapes]
    assert sizes == sorted(set(sizes), reverse=True)
    assert shapes[-1][0] <= 5  # a walk with two states on each side has .678


def lumped(transition, gone, heir):
    """The rows of a chain without a state whose successors go to another, from the definition."""
    kept = [s for s in range(len(transition)) if s != gone]
    found = np.zeros((len(kept), transition.shape[1], len(kept)))
    for i, s in enumerate(kept):
        for t, p in enumerate(transition[s].T):
            found[i, :, kept.index(heir if t == gone else t)] += p
    return found


def test_a_merge_sends_what_led_to_one_state_to_the_other():
    generator = np.random.default_rng(3)
    transition = generator.dirichlet(np.ones(4), (4, 2))
    old, new = generator.dirichlet(np.ones(2), (2, 4))
    one = Instances.of_arrays(transition, generator.normal(size=(4, 2)), 0.8, [0.1, 0.2, 0.3, 0.4], old, new)
    pairs = np.array([[0, 2], [3, 1], [2, 0]])
    batch = module._merged(one, pairs)
    assert batch.shape == (3, 2)
    for i, (gone, heir) in enumerate(pairs):
        kept = [s for s in range(4) if s != gone]
        np.testing.assert_allclose(batch.transition[i], lumped(transition, gone, heir), rtol=0, atol=1e-15)
        initial = one.initial[0].copy()
        initial[heir] += initial[gone]
        np.testing.assert_allclose(batch.initial[i], initial[kept], rtol=0, atol=1e-15)
        for name in ("reward", "old", "new"):
            np.testing.assert_array_equal(getattr(batch, name)[i], getattr(one, name)[0][kept])
    both = module._merged_all(one, [(3, 1), (0, 2)])
    np.testing.assert_allclose(both.transition[0], lumped(lumped(transition, 3, 1), 0, 2), rtol=0, atol=1e-15)
    assert [
        name for name in ("old", "new") if not np.array_equal(getattr(both, name)[0], getattr(one, name)[0][[1, 2]])
    ] == []
