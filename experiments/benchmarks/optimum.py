"""`optimal` on large sparse MDPs against QuantEcon, mdpsolver and pymdptoolbox, CPU seconds, each in a process.

`python -m experiments.benchmarks.optimum [--before CHECKOUT] [--limit SECONDS] [--out DIR] [PATTERN ...]`: each peer is asked for
an error of 1e-10 of the largest value, or 1e-12/(1 − γ) of it where that is more; every answer's Bellman residual is recomputed
from the MDP, relative to the largest value. The floor is what remains where the optimal policy is known: one exact evaluation and
one Bellman backup. --before times an older checkout as well. Exit status 1 if a residual of ours exceeds 1e-13.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from rich.console import Console

import trpo_theory as tt
from experiments.benchmarks.optimum_problems import PROBLEMS
from experiments.benchmarks.peers import installed
from experiments.benchmarks.processes import checkout_at, in_process
from experiments.benchmarks.tables import present
from trpo_theory.report import Table

PEERS = {
    "QuantEcon": "quantecon",
    "QuantEcon policy iteration": "quantecon",
    "mdpsolver": "mdpsolver",
    "pymdptoolbox": "mdptoolbox",
}
"""Names, and the modules that they are imported from."""
_MOST = 1e-13
"""Of a relative residual of ours. Chosen: a hundred roundings."""
_REPEATED_BELOW = 3.0
"""Seconds below which a run is repeated twice, for the least. Chosen."""


def one(problem: str, side: str, largest: float) -> dict[str, float]:
    """A problem solved by one side: its seconds, relative residual and largest value."""
    warnings.simplefilter("ignore")
    mdp = PROBLEMS[problem]()
    sides: dict[str, Callable[[tt.FiniteMDP, float], Callable[[], np.ndarray]]] = {
        "ours": _ours,
        "floor": _floor,
        "QuantEcon": _quantecon,
        "QuantEcon policy iteration": _policy_iteration,
        "mdpsolver": _mdpsolver,
        "pymdptoolbox": _mdptoolbox,
    }
    sides[side](tt.zoo.grid(size=60, gamma=0.9), 1.0)()  # imports, and what is compiled at the first call
    solve = sides[side](mdp, largest)
    seconds, value = np.inf, np.zeros(mdp.states)
    for _ in range(3):
        begin = time.process_time()
        value = solve()
        seconds = min(seconds, time.process_time() - begin)
        if seconds > _REPEATED_BELOW:
            break
    return {"seconds": seconds, "largest": float(np.abs(value).max()), "residual": _residual(mdp, value)}


def _residual(mdp: tt.FiniteMDP, value: np.ndarray) -> float:
    """max_s |max_a r + γ P V − V| over max |V|, from the definition."""
    backed_up = mdp.reward + mdp.gamma * (mdp.transition @ value).reshape(mdp.reward.shape)
    best = np.where(mdp.available, backed_up, -np.inf).max(1)
    return float(np.abs(best - value).max() / np.abs(value).max())


def _tolerance(mdp: tt.FiniteMDP, largest: float) -> float:
    return largest * max(1e-10, 1e-12 / (1 - float(mdp.gamma)))


def _ours(mdp: tt.FiniteMDP, largest: float) -> Callable[[], np.ndarray]:
    return lambda: np.asarray(tt.optimal(mdp).value)


def _quantecon(mdp: tt.FiniteMDP, largest: float) -> Callable[[], np.ndarray]:
    """Its object is made beforehand."""
    made, epsilon = tt.io.to_quantecon(mdp), _tolerance(mdp, largest)
    return lambda: np.asarray(made.solve(method="modified_policy_iteration", epsilon=epsilon, max_iter=10**7).v)


def _policy_iteration(mdp: tt.FiniteMDP, largest: float) -> Callable[[], np.ndarray]:
    """Exact; where actions tie to rounding it ends by its limit of iterations. Its object is made beforehand."""
    made = tt.io.to_quantecon(mdp)
    return lambda: np.asarray(made.solve(method="policy_iteration").v)


def _floor(mdp: tt.FiniteMDP, largest: float) -> Callable[[], np.ndarray]:
    """V of the optimal policy, which is found beforehand, and its Q."""
    policy = tt.optimal(mdp).policy

    def solve() -> np.ndarray:
        found = tt.evaluate(mdp, policy)
        return found.value if np.isfinite(found.q_value).all() else np.zeros(mdp.states)

    return solve


def _mdptoolbox(mdp: tt.FiniteMDP, largest: float) -> Callable[[], np.ndarray]:
    """Value iteration, its one method that makes no dense matrix; its bound on iterations would read P column by column."""
    module = importlib.import_module("mdptoolbox.mdp")  # of the extra [peers]

    class Unbounded(module.ValueIteration):
        def _boundIter(self, epsilon: float) -> None:
            pass

    parts = tuple(sp.csr_matrix(mdp.transition[action :: mdp.actions]) for action in range(mdp.actions))

    def made() -> Any:
        epsilon = _tolerance(mdp, largest)
        return Unbounded(parts, np.array(mdp.reward), float(mdp.gamma), epsilon, 10**9)

    ready = made()

    def solve() -> np.ndarray:
        ready.V, ready.iter = np.zeros(mdp.states), 0
        ready.run()
        return np.array(ready.V)

    return solve


def _mdpsolver(mdp: tt.FiniteMDP, largest: float) -> Callable[[], np.ndarray]:
    """One core; the lists that it takes are made beforehand."""
    mdpsolver = importlib.import_module("mdpsolver")  # of the extra [peers]
    matrix, model, rows = mdp.transition, mdpsolver.model(), range(mdp.states)
    ends, parts = matrix.indptr, (matrix.data.tolist(), matrix.indices.tolist())
    lists = [
        [[part[ends[k] : ends[k + 1]] for k in range(s * mdp.actions, (s + 1) * mdp.actions)] for s in rows]
        for part in parts
    ]
    model.mdp(discount=float(mdp.gamma), rewards=mdp.reward.tolist(), tranMatProbs=lists[0], tranMatColumns=lists[1])

    def solve() -> np.ndarray:
        model.solve(algorithm="mpi", tolerance=_tolerance(mdp, largest), verbose=False, parallel=False)
        return np.array(model.getValueVector())

    return solve


def row(problem: str, before: Path | None, limit: float) -> dict[str, Any]:
    """One row of the table."""
    ours = in_process("optimum", [problem, "ours", 1.0], limit=10 * limit)
    found: dict[str, Any] = {"problem": problem}
    if before is not None:
        found["before"] = in_process("optimum", [problem, "ours", 1.0], before, limit).get("seconds", np.nan)
    found |= {
        "ours": ours["seconds"],
        "floor": in_process("optimum", [problem, "floor", 1.0], limit=limit).get("seconds", np.nan),
    }
    residuals = {"residual": ours["residual"]}
    for peer, module in PEERS.items():
        possible = installed(module) and "episodic" not in problem  # they take no γ = 1
        theirs = in_process("optimum", [problem, peer, ours["largest"]], limit=limit) if possible else {}
        found[peer] = theirs.get("seconds", np.nan)
        residuals[f"{peer} residual"] = theirs.get("residual", np.nan)
    times = [found[peer] for peer in PEERS if np.isfinite(found[peer])]
    return found | {"ours / best peer": ours["seconds"] / min(times) if times else np.nan} | residuals


def main(arguments: list[str] | None = None) -> int:
    """Run the problems whose names contain one of the patterns; print and write the table."""
    parser = argparse.ArgumentParser("python -m experiments.benchmarks.optimum", description=__doc__)
    parser.add_argument("patterns", nargs="*", metavar="PATTERN")
    parser.add_argument("--before", type=checkout_at, metavar="CHECKOUT")
    parser.add_argument("--limit", type=float, default=120.0, metavar="SECONDS", help="CPU seconds of a process")
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")
    options = parser.parse_args(arguments)
    chosen = [name for name in PROBLEMS if not options.patterns or any(part in name for part in options.patterns)]
    console, rows = Console(width=170), []
    for name in chosen:
        rows.append(row(name, options.before, options.limit))
        console.print(rows[-1])
    frame = pd.DataFrame(rows)
    words = (
        "Optimal values of sparse MDPs: CPU seconds, least of up to three, of this toolkit, of modified policy iteration in "
        "QuantEcon and mdpsolver, of policy iteration in QuantEcon and of value iteration in pymdptoolbox, at about the same "
        "accuracy; the residuals are recomputed, relative to the largest value. The floor is one evaluation and backup of the "
        "optimal policy, where it is known. "
        f"Blank: not installed, no such criterion, or not done in {options.limit:g} CPU seconds with imports."
    )
    table = Table(frame, caption=words, label="tab:optimum")
    present(console, table, options.out, "optimum")
    return 0 if all(found["residual"] <= _MOST for found in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
