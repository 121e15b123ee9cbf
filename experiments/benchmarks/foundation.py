"""Batched comparison against a plain loop, the float screen's pace, and sparse evaluation against SciPy and QuantEcon.

`python -m experiments.benchmarks.foundation`: prints ratios measured in one run; exit status 1 if two sides disagree.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla
from rich.console import Console
from rich.table import Table

import trpo_theory as tt
from trpo_theory.numerics.polylog import polylog
from trpo_theory.search.screen import Screen
from trpo_theory.step.instances import Instances

_REPEATS = 5
_BY_HAND = ("trpo/tv", "trpo/kl", "pinsker/kl", "coupling/tv", "chain-rule/kl", "cpo/mean-tv", "cpo/mean-kl")
"""The bounds that the plain loop computes, in its order."""
SCREENED = (
    *("trpo/tv", "trpo/kl", "pinsker/kl", "coupling/tv", "bh/kl", "span/tv", "span/tv-q", "chain-rule/kl"),
    *("cpo/max-tv", "pirotta/span", "pirotta/q"),
)
"""The true bounds in max-KL or max-TV alone that cost no solve for each state."""
_SCREENED_WITH_MIXING = (*SCREENED, "mixing/tv", "mixing/kl")


def main() -> int:
    """Run the comparisons, and time the screen."""
    generator = np.random.default_rng(0)
    table = Table("what", "ours", "the other's", "ratio", "largest difference")
    rows = [batch_against_loop(generator), *sparse_against_scipy(generator), sparse_against_quantecon(generator)]
    for what, ours, other, difference in rows:
        table.add_row(what, f"{ours:.4f} s", f"{other:.4f} s", f"{other / ours:.2f}", f"{difference:.1e}")
    console = Console(width=140)
    console.print(table)
    for ids in (SCREENED, _SCREENED_WITH_MIXING):
        console.print(screen_pace(generator, ids), highlight=False, soft_wrap=True)
    return 0 if all(row[3] < 1e-8 for row in rows) else 1


def batch_against_loop(generator: np.random.Generator, size: int = 20_000) -> tuple[str, float, float, float]:
    """`compare` and seven bounds on a batch, S = 5 and A = 3, against plain NumPy, one instance at a time."""
    gamma = generator.uniform(0.1, 0.99, size)
    mdp = tt.zoo.dirichlet(generator, states=5, actions=3, gamma=gamma, batch=(size,))
    old, new = (tt.zoo.random_policy(generator, (size, 5, 3)) for _ in range(2))
    bounds = [tt.bounds.get(bound) for bound in _BY_HAND]

    def batched() -> list[tt.bounds.BoundCheck]:
        q = tt.compare(mdp, old, new)
        return [bound.check(q) for bound in bounds]

    ours, checks = timed(batched)
    polylogs = np.asarray(polylog(-0.5, gamma))  # given to the loop for nothing
    loop, slacks = timed(lambda: _plain_loop(mdp, old, new, gamma, polylogs), repeats=1)
    difference = max(np.abs(check.slack / slacks[:, k] - 1).max() for k, check in enumerate(checks))
    return f"{size} instances, S=5 A=3: compare and {len(checks)} bounds, against a NumPy loop", ours, loop, difference


def _plain_loop(
    mdp: tt.FiniteMDP, old: np.ndarray, new: np.ndarray, gamma: np.ndarray, polylogs: np.ndarray
) -> np.ndarray:
    slacks = []
    identity = np.eye(mdp.states)
    for p, r, rho0, pi, nu, g, li in zip(
        mdp.transition, mdp.reward, mdp.initial, old, new, gamma, polylogs, strict=True
    ):
        p_old, p_new = np.einsum("sa,sat->st", pi, p), np.einsum("sa,sat->st", nu, p)
        value = np.linalg.solve(identity - g * p_old, (pi * r).sum(1))
        advantage = r + g * p @ value - value[:, None]
        rho_old = np.linalg.solve(identity - g * p_old.T, rho0)
        rho_new = np.linalg.solve(identity - g * p_new.T, rho0)
        expected = (nu * advantage).sum(1)
        gap = (rho_new * (nu * r).sum(1)).sum() - rho0 @ value - rho_old @ expected
        kl, tv = (pi * np.log(pi / nu)).sum(1), 0.5 * np.abs(pi - nu).sum(1)
        eps, eps_new, alpha, d = np.abs(advantage).max(), np.abs(expected).max(), tv.max(), kl.max()
        mean_tv, mean_kl = (1 - g) * rho_old @ tv, (1 - g) * rho_old @ kl
        square = g / (1 - g) ** 2
        penalties = (
            *(4 * eps * square * alpha**2, 4 * eps * square * d, 2 * eps * square * d),
            4 * eps * g * alpha**2 / ((1 - g) * (1 - g * (1 - alpha))),
            *(2 * eps * li * d, 2 * eps_new * square * mean_tv, 2 * eps_new * square * np.sqrt(mean_kl / 2)),
        )
        slacks.append([gap + penalty for penalty in penalties])
    return np.array(slacks)


def screen_pace(generator: np.random.Generator, ids: tuple[str, ...], size: int = 20_000) -> str:
    """How many instances a second one core puts through the float screen of these claims, from arrays to slacks."""
    seconds, least = screen_seconds(generator, ids, size)
    return (
        f"screen of {len(ids)} max-KL and max-TV bounds, S=5 A=3, a batch of {size}: {size / seconds:,.0f} instances a "
        f"second of one core ({len(ids) * size / seconds:,.0f} checks); least slack {least:.1e}"
    )


def screen_seconds(
    generator: np.random.Generator, ids: tuple[str, ...], size: int, repeats: int = _REPEATS
) -> tuple[float, float]:
    """The seconds that a batch of instances takes through the float screen of these claims, and the least slack.

    In CPU time of all threads, so that a second core does not count.
    """
    drawn = Instances.of_arrays(
        generator.dirichlet(np.ones(5), (size, 5, 3)),
        generator.standard_normal((size, 5, 3)),
        generator.uniform(0.1, 0.99, size),
        generator.dirichlet(np.ones(5), size),
        *(generator.dirichlet(np.ones(3), (size, 5)) for _ in range(2)),
    )
    screens = [Screen(tt.claims.get(bound)) for bound in ids]

    def screened() -> float:
        q = drawn.quantities()
        return min(float(screen(drawn, q).slack.min()) for screen in screens)

    least = screened()  # which also finds out, once, that the formulas can be batched
    seconds, _ = timed(screened, repeats, clock=time.process_time)
    return seconds, least


def sparse_against_scipy(generator: np.random.Generator) -> list[tuple[str, float, float, float]]:
    """`evaluate(...).value` from the MDP against each of SciPy's iterative solvers given the assembled matrix."""
    states, gamma = 100_000, 0.99
    mdp = tt.zoo.garnet(generator, states=states, actions=4, branching=5, gamma=gamma)
    policy = tt.zoo.random_policy(generator, (states, 4))
    ours, value = timed(lambda: tt.evaluate(mdp, policy).value)
    weights = sp.csr_array((policy.ravel(), np.arange(4 * states), np.arange(0, 4 * states + 1, 4)))
    matrix = sp.csr_array(sp.eye_array(states) - gamma * (weights @ mdp.transition))
    reward = (policy * mdp.reward).sum(1)
    rows = []
    for solver in (spla.bicgstab, spla.gmres, spla.lgmres, spla.cgs, spla.tfqmr, spla.gcrotmk):
        seconds, (other, failed) = timed(lambda solver=solver: solver(matrix, reward, rtol=1e-13))
        name = f"S=1e5 A=4, 5 successors, gamma .99: evaluate, against {solver.__name__} on the assembled matrix"
        rows.append((name + " (failed)" * bool(failed), ours, seconds, float(np.abs(value - other).max())))
    return rows


def sparse_against_quantecon(generator: np.random.Generator) -> tuple[str, float, float, float]:
    """`evaluate(...).value` against QuantEcon's evaluate_policy, both sparse, S = 10⁴."""
    states, gamma = 10_000, 0.99
    mdp = tt.zoo.garnet(generator, states=states, actions=4, branching=5, gamma=gamma)
    action = generator.integers(4, size=states)
    policy = np.eye(4)[action]
    ours, value = timed(lambda: tt.evaluate(mdp, policy).value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ddp = tt.io.to_quantecon(mdp)
        seconds, other = timed(lambda: ddp.evaluate_policy(action), repeats=1)
    name = "S=1e4 A=4, 5 successors, gamma .99: evaluate, against QuantEcon's sparse evaluate_policy"
    return name, ours, seconds, float(np.abs(value - other).max())


def timed(
    function: Callable[[], Any], repeats: int = _REPEATS, clock: Callable[[], float] = time.perf_counter
) -> tuple[float, Any]:
    """The median of the seconds that a call takes, and its result."""
    seconds = []
    for _ in range(repeats):
        start = clock()
        result = function()
        seconds.append(clock() - start)
    return float(np.median(seconds)), result


if __name__ == "__main__":
    sys.exit(main())
