"""What is timed, on what sizes, after the numbers were compared; and the check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

import trpo_theory as tt
from experiments.benchmarks.foundation import SCREENED, batch_against_loop, screen_seconds, timed
from experiments.benchmarks.kernel import parts
from experiments.benchmarks.peers import Row, against_peers
from experiments.benchmarks.updates import PROBLEMS, seconds, surrogate

NAME = "scaling"


@dataclass(frozen=True)
class Settings:
    """The sizes.

    Attributes:
        seed: of all random MDPs.
        batch: small MDPs at once, against peers.
        screened: instances put through the bounds at once.
        kernel: instances whose time is broken down by part.
        dense: states of the MDP whose optimum is sought.
        sparse: states of Garnet MDPs (A = 4, 5 successors, γ = 0.99) that a policy is evaluated on.
        sizes: states of the surrogates (A = 10) that (11)-(13) are solved on.
        conic_most: of them, the most that Clarabel is given.
        gamma: of those.
    """

    seed: int = 0
    batch: int = 10_000
    screened: tuple[int, ...] = (100, 1000, 10_000, 100_000)
    kernel: int = 20_000
    dense: int = 300
    sparse: tuple[int, ...] = (1000, 10_000, 100_000, 1_000_000)
    sizes: tuple[int, ...] = (10, 100, 1000, 10_000, 100_000)
    conic_most: int = 1000
    gamma: float = 0.99


def quick(settings: Settings) -> Settings:
    """Sizes of at most 10⁴."""
    small = {"batch": 1000, "screened": (100, 1000), "kernel": 1000, "dense": 100, "conic_most": 100}
    return replace(settings, **small, sparse=(1000, 10_000), sizes=(10, 100, 1000))


def total(settings: Settings) -> int:
    """One for the peers, one for the kernel's parts, and one a size."""
    return 2 + len(settings.screened) + len(settings.sparse) + len(settings.sizes)


def run(settings: Settings, advance: Callable[[], Any] = lambda: None) -> dict[str, pd.DataFrame]:
    """The frames.

    "": a row a comparison, how far the two sides' numbers are apart; "peers-timing": its seconds; "kernel-timing": those of the
    parts of the screen; "screen-timing", "sparse-timing" and "update-timing": seconds over sizes; "sparse" and "update": the
    residuals and gaps there.
    """
    rows = against_peers(settings.seed, settings.batch, settings.dense)
    what, ours, loop, difference = batch_against_loop(np.random.default_rng(settings.seed), settings.batch)
    rows.append(Row(what.partition(",")[0] + ", S=5 A=3, and 7 bounds", "NumPy loop", ours, loop, difference, "run"))
    advance()
    kernel = _kernel(settings)
    advance()
    screens, sparse, updates = [], [], []
    for size in settings.screened:
        screens.append(_screened(size, settings))
        advance()
    for states in settings.sparse:
        sparse.append(_evaluated(states, settings))
        advance()
    for states in settings.sizes:
        updates += _updated(states, settings)
        advance()
    frame: Any = pd.DataFrame(rows)
    evaluated: Any = pd.DataFrame(sparse)
    updated: Any = pd.DataFrame(updates)
    return {
        "": frame[["what", "peer", "status", "difference"]],
        "sparse": evaluated[["states", "residual"]],
        "update": updated[["states", "problem", "solver", "relative_gap"]],
        "peers-timing": frame[["what", "peer", "status", "ours", "theirs"]],
        "kernel-timing": kernel,
        "screen-timing": pd.DataFrame(screens),
        "sparse-timing": evaluated.drop(columns="residual"),
        "update-timing": updated.drop(columns="relative_gap"),
    }


def _kernel(settings: Settings) -> pd.DataFrame:
    """CPU seconds of each part of drawing and screening a batch, and of the floor: the numbers drawn, and copied once."""
    kernel, floor = parts(settings.kernel, settings.seed)
    rows = [*kernel.items(), *((f"floor: {name}", time) for name, time in floor.items())]
    return pd.DataFrame(rows, columns=["part", "cpu_seconds"]).assign(instances=settings.kernel)


def _screened(size: int, settings: Settings) -> dict[str, Any]:
    generator = np.random.default_rng([settings.seed, size])
    time, _ = screen_seconds(generator, SCREENED, size, repeats=3)
    bounds = len(SCREENED)
    return {"instances": size, "bounds": bounds, "cpu_seconds": time, "checks_per_second": bounds * size / time}


def _evaluated(states: int, settings: Settings) -> dict[str, Any]:
    """V, and after it ρ, of a random policy on a Garnet MDP, from the MDP to a checked answer."""
    generator = np.random.default_rng([settings.seed, states])
    mdp = tt.zoo.garnet(generator, states=states, actions=4, branching=5, gamma=settings.gamma)
    policy = tt.zoo.random_policy(generator, (states, 4))
    time, here = timed(lambda: _with_value(mdp, policy), 3 if states <= 10_000 else 1)
    visits, _ = timed(lambda: here.visitation, 1)
    residual = float(here.residual) / float(np.abs(here.value).max())
    return {"states": states, "value": time, "visitation": visits, "residual": residual}


def _with_value(mdp: tt.FiniteMDP, policy: np.ndarray) -> tt.Evaluation:
    here = tt.evaluate(mdp, policy)
    _ = here.value  # computed when it is first asked for
    return here


def _updated(states: int, settings: Settings) -> list[dict[str, Any]]:
    rows, out = surrogate(states, 10), []
    if states == min(settings.sizes):
        seconds(PROBLEMS["(12) max-KL"], rows, tt.CVXPY("CLARABEL"))  # once for nothing: the first call of all imports
    for label, problem in PROBLEMS.items():
        solvers: list[Any] = [tt.Dual(), *([tt.CVXPY("CLARABEL")] if states <= settings.conic_most else [])]
        for solver in solvers:
            own = isinstance(solver, tt.Dual)
            time, step = seconds(problem, rows, solver, repeats=3 if own and states <= 10_000 else 1)
            head = {"states": states, "problem": label, "solver": str(solver)}
            out.append({**head, "seconds": time, "relative_gap": float(step.relative_gap)})
    return out


def passed(frames: dict[str, Any]) -> bool:
    """Whether all numbers agree to 1e-8, residuals are below 1e-12 and the dual's gaps below 1e-9. No time can fail."""
    run_rows = frames[""][frames[""]["status"] == "run"]
    dual = frames["update"][frames["update"]["solver"] == "dual"]
    return (
        bool((run_rows["difference"] <= 1e-8).all())
        and bool((frames["sparse"]["residual"] <= 1e-12).all())
        and bool((dual["relative_gap"].abs() <= 1e-9).all())
    )
