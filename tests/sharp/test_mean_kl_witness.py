"""Witnesses of the least linear constant: their ratio from the definitions in exact rationals, and what is known of it."""

from __future__ import annotations

import math
from fractions import Fraction

import flint
import mpmath
import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory.errors import NotSolved
from trpo_theory.io.evidence_files import exact_content
from trpo_theory.sharp.mean_kl.mesh import Mesh
from trpo_theory.sharp.mean_kl.witness import linear_witness

COARSE = Mesh(radius=0.01, growth=0.5, step=0.5, far=100.0, near=30.0)


def ratio_from_the_definitions(witness):
    """gap (1 − γ)²/(ε γ mean-KL): linear systems in rationals, logarithms in 40 digits; V_old = 0 is not presumed."""
    arrays = {name: np.array(exact_content(value), dtype=object) for name, value in witness.arrays().items()}
    exact = np.vectorize(lambda one: Fraction(one), otypes=[object])
    lead, reward, start, old, new = (exact(arrays[name]) for name in ("transition", "reward", "initial", "old", "new"))
    states, gamma = len(start), witness.gamma

    def solved(policy, right, transposed=False):
        moves = (policy[..., None] * lead).sum(1)
        system = np.eye(states, dtype=int).astype(object) - gamma * (moves.T if transposed else moves)
        matrix = flint.fmpq_mat(
            states, states, [flint.fmpq(x.numerator, x.denominator) for x in map(Fraction, system.ravel())]
        )
        vector = flint.fmpq_mat(states, 1, [flint.fmpq(x.numerator, x.denominator) for x in map(Fraction, right)])
        return [Fraction(int(x.p), int(x.q)) for x in matrix.solve(vector).entries()]

    value, value_new = (np.array(solved(one, (one * reward).sum(1))) for one in (old, new))
    visits = np.array(solved(old, start, transposed=True))
    advantage = reward + gamma * (lead * value).sum(2) - value[:, None]
    taken = (old > 0) | (new > 0)
    gap = (start * (value - value_new)).sum() + (visits * (new * advantage).sum(1)).sum()
    spent = mpmath.mpf(0)
    for s, a in zip(*np.nonzero(old), strict=True):
        p, q = old[s, a], new[s, a]
        term = visits[s] * p * (1 - gamma)
        spent += (
            mpmath.mpf(term.numerator)
            / term.denominator
            * mpmath.log(mpmath.mpf((p / q).numerator) / (p / q).denominator)
        )
    scale = gap / max(abs(advantage[taken])) * (1 - gamma) ** 2 / gamma
    return mpmath.mpf(scale.numerator) / scale.denominator / spent


@pytest.mark.parametrize("gamma", ["1/4", "9/10"])
def test_the_enclosure_is_that_of_the_definitions(gamma):
    witness = linear_witness(Fraction(gamma), COARSE)
    low, high = witness.enclosure()
    with mpmath.workdps(40):
        ratio = ratio_from_the_definitions(witness)
        assert mpmath.mpf(low.numerator) / low.denominator <= ratio <= mpmath.mpf(high.numerator) / high.denominator
    assert high - low < Fraction(1, 10**9)
    assert float(low) == pytest.approx(witness.constant, rel=1e-6)


@pytest.mark.parametrize("gamma", [0.1, 0.5, 0.99])
def test_a_leak_needs_1_at_every_discount(gamma):
    """A leak of probability p to a state that old never sees: gap p γ/((1 − γ)(1 − γ(1 − p))), mean-KL −log(1 − p)."""
    p = 1e-5
    mdp = tt.FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[0, 0], [1, -1]], gamma, [1, 0])
    q = tt.compare(mdp, [[1, 0], [0.5, 0.5]], [[1 - p, p], [0, 1]])
    gap, spent = p * gamma / ((1 - gamma) * (1 - gamma * (1 - p))), -math.log1p(-p)
    assert (float(-q.surrogate_gap), float(q.mean_kl)) == pytest.approx((gap, spent), rel=1e-9)
    assert float(q.max_abs_advantage) == pytest.approx(1)
    assert gap / (gamma / (1 - gamma) ** 2 * spent) == pytest.approx(1, rel=2 * p / (1 - gamma))


@pytest.mark.slow
@pytest.mark.parametrize(("gamma", "known"), [(0.8, 1.326), (0.9, 1.155), (0.99, 1.021)])
def test_it_is_above_what_one_step_or_a_leak_needs_and_below_what_is_enough(gamma, known):
    """At least 1, which a leak needs where the last node is far, and the local bound less what few scales lose; `known` is of
    supersolutions that another program sampled."""
    low, _ = linear_witness(
        Fraction(str(gamma)), Mesh(radius=0.003, growth=0.2, step=0.2, far=1e6, near=100.0)
    ).enclosure()
    assert max(1, 1.8 * math.sqrt(1 / gamma - 1)) < low < known


def test_too_few_nodes_are_refused():
    with pytest.raises(NotSolved, match="more nodes"):
        linear_witness(Fraction(1, 2), Mesh(radius=0.5, growth=5.0, step=5.0, far=3.0, near=3.0))


@pytest.mark.slow
def test_2_is_not_enough_at_one_half():
    low, _ = linear_witness(Fraction(1, 2), Mesh(radius=1e-4, growth=0.3, step=0.3, far=100.0, near=50.0)).enclosure()
    assert low > 2
