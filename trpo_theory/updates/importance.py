"""Equation (14): the surrogate by importance sampling, exactly and from sampled trajectories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.kinds import GENERATOR, TRUTH, expect
from trpo_theory.entries.sparse import sp
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.step.quantities import compare


@dataclass(frozen=True)
class ImportanceEstimate:
    """E_{s~ρ_old, a~old}[new/old A_old], the surrogate gain where new is absolutely continuous with respect to old.

    Attributes:
        exact: the expectation itself, from the definition.
        surrogate_gain: Σ ρ_old Σ new A, equation (7); differs from exact by what new does where old never acts.
        supported: whether new is absolutely continuous with respect to old wherever ρ_old > 0 and A ≠ 0.
        mean, standard_error: from trajectories; None if none were sampled.
    """

    exact: float
    surrogate_gain: float
    supported: bool
    mean: float | None = None
    standard_error: float | None = None
    trajectories: int = 0


def importance_sampled(
    mdp: FiniteMDP,
    old: Any,
    new: Any,
    *,
    trajectories: int = 0,
    generator: np.random.Generator | None = None,
    use_q: bool = False,
    require_support: bool = True,
) -> ImportanceEstimate:
    """Equation (14), and its estimate from trajectories of the old policy.

    A trajectory goes on with probability γ after each step, so that the plain sum of new/old A_old along it has the
    discounted expectation, without truncation.

    Args:
        mdp: one MDP.
        old: the policy that acts, (S, A).
        new: the candidate, (S, A).
        trajectories: how many to sample; 0 gives the exact value only, else a Generator is needed.
        generator: the source of randomness.
        use_q: weigh Q_old instead of A_old, which adds Σ ρ_old V_old, whatever new is.
        require_support: refuse pairs of which (14) is not equation (7).

    Raises:
        InvalidInput: if new acts where old never does, in a state that old visits, with A ≠ 0.
    """
    expect(TRUTH, use_q=use_q, require_support=require_support)
    expect(GENERATOR.or_none, generator=generator)
    trajectories = _checks.integer(trajectories, "trajectories", least=0)
    q = compare(mdp, old, new)
    if q.batch_shape:
        raise InvalidInput(got=f"a batch {q.batch_shape}", wanted="one instance", fix="loop over them")
    old, new = np.asarray(q.old), np.asarray(q.new)
    weighed = np.asarray(q.q_value if use_q else q.advantage)
    stray = (old == 0) & (new > 0) & (weighed != 0) & (np.asarray(q.visitation_old) > 0)[:, None]
    if stray.any() and require_support:
        state, action = _checks.first_index(stray)
        raise InvalidInput(
            got=f"new[{state}, {action}] = {new[state, action]:.6g} where old never acts, but visits the state",
            wanted="new absolutely continuous with respect to old: there (14) differs from (7)",
            fix="mix some of the uniform policy into old, or pass require_support=False to see by how much",
        )
    ratio = np.divide(new, old, out=np.zeros_like(new), where=old > 0)
    score = ratio * weighed
    exact = float((np.asarray(q.visitation_old) * (old * score).sum(1)).sum())
    gain = float((np.asarray(q.visitation_old) * (new * weighed).sum(1)).sum())
    if trajectories == 0:
        return ImportanceEstimate(exact, gain, not stray.any())
    _checks.integer(trajectories, "trajectories", least=2)
    if generator is None:
        raise InvalidInput(
            got="trajectories without a generator", wanted="generator=", fix="pass numpy.random.default_rng(0)"
        )
    sums = _sampled_sums(mdp, old, score, trajectories, generator)
    error = float(sums.std(ddof=1) / np.sqrt(trajectories))
    return ImportanceEstimate(exact, gain, not stray.any(), float(sums.mean()), error, trajectories)


def _sampled_sums(
    mdp: FiniteMDP, old: np.ndarray, score: np.ndarray, trajectories: int, generator: np.random.Generator
) -> np.ndarray:
    """Σ_t score(s_t, a_t) along each trajectory, all of them a step at a time."""
    table: Any = mdp.transition
    if not mdp.is_sparse:
        table = sp.csr_array(table.reshape(-1, mdp.states))
    step = _Sampler(table)
    act = _Sampler(sp.csr_array(old))
    start = _Sampler(sp.csr_array(np.atleast_2d(mdp.initial)))
    state = start.draw(np.zeros(trajectories, dtype=np.int64), generator)
    sums, alive = np.zeros(trajectories), np.arange(trajectories)
    while len(alive):
        action = act.draw(state, generator)
        sums[alive] += score[state, action]
        goes_on = generator.random(len(alive)) < mdp.gamma
        alive, state, action = alive[goes_on], state[goes_on], action[goes_on]
        state = step.draw(state * mdp.actions + action, generator)
    return sums


class _Sampler:
    """Draws columns of a sparse matrix of probability rows, by one search in the running sum of all its entries."""

    def __init__(self, rows: Any) -> None:
        self._indices, self._indptr = rows.indices, rows.indptr
        self._sums = np.concatenate([[0.0], np.cumsum(rows.data)])

    def draw(self, row: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        first, last = self._sums[self._indptr[row]], self._sums[self._indptr[row + 1]]
        place = np.searchsorted(self._sums, first + generator.random(len(row)) * (last - first), side="right") - 1
        return self._indices[np.clip(place, self._indptr[row], self._indptr[row + 1] - 1)].astype(np.int64)
