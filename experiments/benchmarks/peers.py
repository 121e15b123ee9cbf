"""Against the libraries that solve MDPs: QuantEcon, pymdptoolbox, mdpsolver, and plain NumPy; numbers checked, then times.

A peer that is not installed is left out, and its row says so.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import trpo_theory as tt
from experiments.benchmarks.foundation import timed

NOT_INSTALLED = "not installed"


@dataclass(frozen=True)
class Row:
    """One comparison: seconds of both sides, and the largest difference of their numbers, relative to the largest number.

    Attributes:
        what: the task.
        peer: the other side.
        ours, theirs: seconds, NaN where the peer is not installed.
        difference: likewise.
        status: "run" or "not installed".
    """

    what: str
    peer: str
    ours: float = float("nan")
    theirs: float = float("nan")
    difference: float = float("nan")
    status: str = NOT_INSTALLED


def installed(module: str) -> bool:
    """Whether a peer can be imported."""
    return importlib.util.find_spec(module) is not None


def against_peers(seed: int, size: int, states: int, repeats: int = 3) -> list[Row]:
    """V of a batch of small MDPs, and the optimal policy of one larger one, against each peer.

    Args:
        seed: of the MDPs.
        size: MDPs in the batch, S = 5 and A = 3.
        states: of the larger one, dense, A = 4.
        repeats: of each of our own times; the peers' are taken once, after a warm-up.
    """
    generator = np.random.default_rng([seed, size])
    many = tt.zoo.dirichlet(generator, states=5, actions=3, gamma=0.95, batch=(size,))
    action = generator.integers(3, size=(size, 5))
    batch = f"V of {size} policies, S=5 A=3"
    ours, values = timed(lambda: np.array(tt.evaluate(many, np.eye(3)[action]).value), repeats)
    rows = [
        _row(batch, "NumPy loop", None, lambda: (ours, values), lambda: numpy_values(many, action)),
        _row(batch, "QuantEcon", "quantecon", lambda: (ours, values), lambda: quantecon_values(many, action)),
    ]
    one = tt.zoo.dirichlet(np.random.default_rng([seed, states]), states=states, actions=4, gamma=0.99)
    best = f"optimal policy, S={states} A=4 dense, gamma .99"
    solved = timed(lambda: np.array(tt.optimal(one).value), repeats)
    tasks: tuple[tuple[str, str, Callable[[tt.FiniteMDP], Callable[[], np.ndarray]]], ...] = (
        ("QuantEcon", "quantecon", quantecon_optimum),
        ("pymdptoolbox", "mdptoolbox", mdptoolbox_optimum),
        ("mdpsolver", "mdpsolver", mdpsolver_optimum),
    )
    for peer, module, prepare in tasks:
        rows.append(_row(best, peer, module, lambda: solved, lambda prepare=prepare: prepare(one)))
    return rows


def _row(what: str, peer: str, module: str | None, ours: Any, prepare: Callable[[], Callable[[], np.ndarray]]) -> Row:
    if module is not None and not installed(module):
        return Row(what, peer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        solve = prepare()
        solve()
        theirs, other = timed(solve, 1)
    seconds, values = ours()
    difference = float(np.abs(values - other).max() / np.abs(values).max())
    return Row(what, peer, seconds, theirs, difference, "run")


def numpy_values(many: tt.FiniteMDP, action: np.ndarray) -> Callable[[], np.ndarray]:
    """V by np.linalg.solve, one MDP after another."""
    gamma, here = float(np.ravel(many.gamma)[0]), np.arange(many.states)

    def solve() -> np.ndarray:
        rows = zip(many.transition, many.reward, action, strict=True)
        eye = np.eye(many.states)
        return np.array([np.linalg.solve(eye - gamma * p[here, a], r[here, a]) for p, r, a in rows])

    return solve


def quantecon_values(many: tt.FiniteMDP, action: np.ndarray) -> Callable[[], np.ndarray]:
    """V by DiscreteDP.evaluate_policy, one MDP after another; the objects are made beforehand."""
    from quantecon.markov import DiscreteDP

    gamma = float(np.ravel(many.gamma)[0])
    made = [DiscreteDP(r, p, gamma) for p, r in zip(many.transition, many.reward, strict=True)]

    def solve() -> np.ndarray:
        return np.array([ddp.evaluate_policy(a) for ddp, a in zip(made, action, strict=True)])

    return solve


def quantecon_optimum(one: tt.FiniteMDP) -> Callable[[], np.ndarray]:
    """V* by DiscreteDP's policy iteration."""
    from quantecon.markov import DiscreteDP

    ddp = DiscreteDP(one.reward, one.transition, float(one.gamma))
    return lambda: np.asarray(ddp.solve(method="policy_iteration").v)


def mdptoolbox_optimum(one: tt.FiniteMDP) -> Callable[[], np.ndarray]:
    """V* by PolicyIteration, which checks its input when it is made: that is left out of the time."""
    import mdptoolbox.mdp

    arrays = np.ascontiguousarray(one.transition.swapaxes(0, 1)), np.array(one.reward)
    made = [mdptoolbox.mdp.PolicyIteration(*arrays, float(one.gamma)) for _ in range(2)]

    def solve() -> np.ndarray:
        solver = made.pop()
        solver.run()
        return np.array(solver.V)

    return solve


def mdpsolver_optimum(one: tt.FiniteMDP) -> Callable[[], np.ndarray]:
    """V* by mdpsolver's policy iteration in C++, to 1e-12; the lists that it takes are made beforehand."""
    model = importlib.import_module("mdpsolver").model()
    model.mdp(discount=float(one.gamma), rewards=one.reward.tolist(), tranMatWithZeros=one.transition.tolist())

    def solve() -> np.ndarray:
        model.solve(algorithm="pi", tolerance=1e-12, verbose=False)
        return np.array(model.getValueVector())

    return solve
