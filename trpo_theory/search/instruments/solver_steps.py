"""Claims about the update problems: new comes from the real solver, over all policies and over aggregated classes."""

from __future__ import annotations

import dataclasses

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import StateAggregation
from trpo_theory.search.battery import random_instances, share
from trpo_theory.search.hunt import Hunt
from trpo_theory.search.instrument import Instrument
from trpo_theory.step.instances import Instances

_SHAPES = ((2, 2), (3, 2), (3, 3), (5, 3))
"""(S, A) of the instances whose update is solved. Chosen."""
_SIZES = (1e-6, 1e-4, 0.01, 0.1, 0.5, 2.0)
"""Radii and coefficients of the problems. Chosen: from steps near 0 to beyond any divergence."""
_SHARE = 10
"""A solve costs so many times what an instance of a battery costs, and there are so many times fewer. Chosen."""
_SHARE_OF_PROVED = 30
"""The same of a claim that has a proof. Chosen."""
_NEAR_ONE = 1e-3
"""1 − γ below which a solver's numbers are made in ball arithmetic, up to a hundred times as slowly."""
_SOME_NEAR_ONE = 1
"""Instances of one shape and size that have such a discount, over all policies. Chosen: half of the time is theirs at most."""
_SOLVER_NOISE = 100.0
"""The solver's own accuracy, a relative 1e-10 of the objective, in units of the screen's noise, with a margin."""


class SolverSteps(Instrument):
    """Solves the claim's problem on random instances, old policies and classes, and evaluates the claim on the answers.

    New is the solver's, optimal to about 1e-10 of the objective and not exactly: a slack below that counts as 0, and one
    clearly negative is reported as undecided, since it is no proof: unless the claim's slack is sound for any new.
    """

    name = "solver steps"
    goes_on = False

    def suits(self, claim: Claim) -> bool:
        """Those about a problem that only a solver solves."""
        return claim.is_solved

    def run(self, hunt: Hunt, effort: int) -> None:
        """Every size of step, on every pattern of shared rows; where the claim has a proof, on one in turn."""
        claim, false = hunt.claim, 0
        patterns = 1 if claim.tabular else 3
        share = _SHARE_OF_PROVED if hunt.proved else _SHARE
        each = max(8, hunt.instances // (share * len(_SHAPES) * len(_SIZES) * patterns))
        for turn, (states, actions) in enumerate(_SHAPES):
            for number, pattern in enumerate(_patterns(hunt.generator, states)[:patterns]):
                for size in _SIZES[(number + turn) % patterns :: patterns] if hunt.proved else _SIZES:
                    drawn = random_instances(hunt.generator, each, states, actions)
                    drawn = _few_near_one(drawn, 0 if number else _SOME_NEAR_ONE)
                    solved = _solved(claim, drawn, pattern, size)
                    screened = hunt.screen(solved)
                    screened = dataclasses.replace(screened, noise=_SOLVER_NOISE * screened.coarse_noise)
                    hunt.count(solved, screened)
                    false += int(screened.negative.sum())
        if claim.sound_for_any_new:
            hunt.prove()
            hunt.prove_near()
        elif false:
            hunt.findings.undecided = false
        hunt.findings.forget_near()


def _patterns(generator: np.random.Generator, states: int) -> list[np.ndarray]:
    """All policies, policies of two groups, policies of one row."""
    return [np.arange(states), generator.permutation(np.arange(states) % 2), np.zeros(states, dtype=int)]


def _few_near_one(drawn: Instances, some: int) -> Instances:
    """So many of the discounts near 1 as they are, the others a little farther from it."""
    near = 1 - drawn.gamma < _NEAR_ONE
    many = near & (np.cumsum(near) > some)
    return drawn.replace(gamma=np.where(many, 1 - _NEAR_ONE, drawn.gamma))


def _solved(claim: Claim, drawn: Instances, pattern: np.ndarray, size: float) -> Instances:
    from trpo_theory.updates import update  # few claims are about solutions

    assert claim.problem is not None
    groups = np.broadcast_to(pattern, (len(drawn), len(pattern)))
    old = share(drawn.old, groups)
    mdp = FiniteMDP(drawn.transition, drawn.reward, drawn.gamma, drawn.initial)
    aggregation = StateAggregation(pattern) if len(set(pattern.tolist())) < len(pattern) else None
    solution = update(mdp, old, claim.problem(size), aggregation=aggregation)
    return drawn.replace(
        old=old, new=np.array(solution.policy), groups=np.array(groups), size=np.full(len(drawn), size)
    )
