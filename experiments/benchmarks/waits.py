"""What a user waits for: an older checkout, this one, the best peer and a floor, in one run.

`python -m experiments.benchmarks.waits [--before CHECKOUT] [--full] [--out DIR] [PATTERN ...]`: CPU seconds of all threads, each
side in a process of its own, in turn, the least of some repeats. A peer's time is that of its core.
--full adds what takes minutes: the whole catalogue, `improve` with a million states, the bounds of a thousand states.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

import trpo_theory as tt
from experiments.benchmarks import optimum
from experiments.benchmarks.peers import installed
from experiments.benchmarks.processes import ROOT, checkout_at, command, cpu, in_process
from experiments.benchmarks.tables import present
from trpo_theory.report import Table

_CLAIMS = ("trpo/kl", "coupling/tv", "order/upper", "id/flow")
"""Claims of several kinds, in both catalogues."""


_OPTIMA = (
    "slippery grid 300x300, γ .99",
    "slippery grid 300x300, γ .9999",
    "Garnet(1e5, 4, 5), γ .99",
    "near-ties (1e-9), 1e5, γ .999",
    "tandem queues 200x200, γ .9999",
)
"""Of `optimum`: one of each kind that the peers differ on."""
_WORDS = (
    "What a user waits for: CPU seconds or microseconds of an older checkout, of this one, of the best peer's core, without what "
    "sets its problem up or checks its answer, and of a floor: compiled scalar code for the rows of an update, the imports of "
    "NumPy and SciPy for a command, one evaluation and backup for an optimum, the drawing of the numbers for an instance. "
    "Blank: none, or refused there."
)


@dataclass(frozen=True)
class Wait:
    """A piece of work: seconds by side, (1,) or more of one kind each a unit of work."""

    unit: str
    ours: Callable[[], float]
    peers: dict[str, Callable[[], float]] = field(default_factory=dict[str, Callable[[], float]])
    floor: Callable[[], float] | None = None
    full: bool = False


def _verb(*words: str) -> float:
    return command("-m", "trpo_theory.cli", *words)


def _claims() -> float:
    """A claim, command to verdict: the mean of some."""
    return float(np.mean([_verb("verify", claim) for claim in _CLAIMS]))


def _mdp(batch: tuple[int, ...] = ()) -> tuple[tt.FiniteMDP, np.ndarray]:
    generator = np.random.default_rng(0)
    mdp = tt.zoo.dirichlet(generator, batch=batch)
    return mdp, tt.zoo.random_policy(generator, mdp.reward.shape)


def _solver(compiled: bool) -> Any:
    """Compiled, where the checkout knows how."""
    return tt.Dual(**({"compiled": True} if compiled and "compiled" in tt.Dual.__dataclass_fields__ else {}))


def _one_update(problem: Any, compiled: bool = False) -> float:
    return cpu(partial(tt.update, *_mdp(), problem, solver=_solver(compiled)))


def _in_a_batch(problem: Any, size: int = 1000) -> float:
    return cpu(partial(tt.update, *_mdp((size,)), problem)) / size


def _rows(states: int, actions: int) -> Any:
    from experiments.benchmarks.updates import surrogate

    return surrogate(states, actions)


def _surrogate_alone(problem: Any, compiled: bool = False) -> float:
    """Each call sees the rows anew, so that none finds what another has computed."""
    from dataclasses import replace

    rows = _rows(500, 4)
    solver = _solver(compiled)
    return cpu(lambda: tt.updates.solve(replace(rows), problem, solver=solver))


def _conic(name: str, states: int, actions: int, problem: Any) -> float:
    """A conic solver's own time for the program that CVXPY has made of it."""
    from trpo_theory.updates.penalties import linear_coefficient
    from trpo_theory.updates.solvers.conic_program import ConicProgram, ScaledRows

    rows = _rows(states, actions)
    linear = linear_coefficient(rows, problem) if isinstance(problem, tt.Penalty) else None
    program = ConicProgram.of(ScaledRows.of(rows, problem, 0, 0.0 if linear is None else float(linear[0]))).program
    times = []
    for _ in range(20):
        program.solve(solver=name)  # pyright: ignore[reportUnknownMemberType] - CVXPY has no stubs
        times.append(program.solver_stats.solve_time)
    return float(min(times))


def _compiled(states: int, actions: int, problem: Any) -> float:
    """Scalar code, compiled: the rows alone."""
    from experiments.benchmarks import floors
    from trpo_theory.updates.penalties import linear_coefficient

    rows = _rows(states, actions)
    old, advantage = (np.ascontiguousarray(part[..., 0].T) for part in (rows.old, rows.advantage))
    deficit, rho = advantage.max(1, keepdims=True) - advantage, np.ascontiguousarray(rows.visitation[:, 0])
    if isinstance(problem, tt.Penalty):
        linear = linear_coefficient(rows, problem)
        assert linear is not None
        return cpu(partial(floors.penalty, old, deficit, rho, float(linear[0])))
    if isinstance(problem, tt.MaxKL):
        return cpu(partial(floors.max_kl, old, deficit, rho, problem.radius))
    return cpu(partial(floors.mean_kl, old, deficit, float(rows.complement[0]) * rho, problem.radius))


def _instances(count: int = 20_000) -> float:
    """A random instance, from the seed to the slacks of all max-KL and max-TV bounds."""
    from experiments.benchmarks.foundation import SCREENED
    from trpo_theory.search.battery import random_instances
    from trpo_theory.search.screen import Screen

    screens, generator = [Screen(tt.claims.get(bound)) for bound in SCREENED], np.random.default_rng(0)

    def work() -> None:
        drawn = random_instances(generator, count, 5, 3)
        q = drawn.quantities()
        for screen in screens:
            screen(drawn, q)

    return cpu(work) / count


def _drawing(count: int = 20_000) -> float:
    """The numbers of an instance drawn, and read and written once."""
    from experiments.benchmarks.kernel import floor_of
    from trpo_theory.search.battery import random_instances

    return (
        sum(floor_of(np.random.default_rng(0), random_instances(np.random.default_rng(0), count, 5, 3)).values())
        / count
    )


def _catalogue(ids: list[str]) -> float:
    """Verdicts of the claims that both catalogues have, a second core left idle."""
    begin = time.process_time()
    for claim in ids:
        tt.verify(claim)
    return time.process_time() - begin


def _improve() -> float:
    mdp = tt.zoo.grid(size=1000, gamma=0.99)
    return cpu(lambda: tt.improve(mdp, tt.MaxKL(0.01), 2), rounds=2)


_CATALOGUE = "the claims of both catalogues"


def _problems() -> dict[str, Any]:
    return {
        "(11) pinsker/kl": tt.Penalty(bound="pinsker/kl"),
        "(12) max-KL": tt.MaxKL(0.01),
        "(13) mean-KL": tt.MeanKL(0.01),
    }


def waits() -> dict[str, Wait]:
    """By name, in the order of the table."""
    imports = partial(command, "-c", "import numpy, scipy.linalg, scipy.sparse")
    found = {"one claim, command to verdict": Wait("s", _claims, floor=imports)}
    for name, problem in _problems().items():
        cores = {"Clarabel": partial(_conic, "CLARABEL", 5, 3, problem)}
        floor = partial(_compiled, 5, 3, problem)
        for compiled in (False, True):
            words = f"update {name}, 5 states{', compiled' * compiled}"
            found[words] = Wait("us", partial(_one_update, problem, compiled), cores, floor)
        found[f"update {name}, 5 states, in a batch"] = Wait("us", partial(_in_a_batch, problem), {}, floor)
    for name, problem in _problems().items():
        cores = {peer: partial(_conic, peer.upper(), 500, 4, problem) for peer in ("Clarabel", "ECOS")}
        floor = partial(_compiled, 500, 4, problem)
        for compiled in (False, True):
            words = f"solve {name}, 500 states{', compiled' * compiled}"
            found[words] = Wait("us", partial(_surrogate_alone, problem, compiled), cores, floor)
    for states, full in ((16, False), (32, False), (64, True), (256, True), (1000, True)):
        kind = "garnet" if states < 1000 else "dirichlet"  # such a Garnet is sparse, which proofs are not for
        words = (f"zoo:{kind}?states={states}", "--old", "uniform", "--new", "optimal", "--certify")
        found[f"bound --certify, {states} states"] = Wait("s", partial(_verb, "bound", *words), full=full)
    for words in ("max-kl --gamma 9/10 --radius 1/100", "mean-kl --gamma 9/10 --radius 1/100"):
        found[f"sharp {words}"] = Wait("s", partial(_verb, "sharp", "--certify", "--divergence", *words.split()))
    found["a random instance and its slacks"] = Wait("us", _instances, floor=_drawing)
    found["improve, a million states, two steps"] = Wait("s", _improve, full=True)
    return found


def one(name: str, side: str, claims: list[str] | None = None) -> float | list[str]:
    """Seconds of a side: "ours", "floor", or a peer; of the catalogue those of the claims that are named, or their names."""
    if name == _CATALOGUE:
        return list(tt.claims.known) if claims is None else _catalogue(claims)
    wait = waits()[name]
    work = {"ours": wait.ours, "floor": wait.floor, **wait.peers}[side]
    assert work is not None
    return work()


def row(name: str, before: Path | None) -> dict[str, Any]:
    """One row of the table, in the unit of the work."""
    wait = waits()[name]
    scale = {"s": 1.0, "us": 1e6}[wait.unit]

    def seconds(side: str, place: Path = ROOT) -> float:
        found = in_process("waits", [name, side], place)
        return scale * found if found else np.nan

    peers = {peer: seconds(peer) for peer in wait.peers if installed(peer.lower())}
    best = quickest(peers)
    return _cells(
        f"{name}, {wait.unit}",
        np.nan if before is None else seconds("ours", before),
        seconds("ours"),
        best,
        peers.get(best, np.nan),
        seconds("floor") if wait.floor else np.nan,
    )


def quickest(peers: dict[str, float]) -> str:
    """The peer of the least time, of those that have one; "" of none."""
    timed = {peer: taken for peer, taken in peers.items() if np.isfinite(taken)}
    return min(timed, key=lambda peer: timed[peer], default="")


def _cells(work: str, before: float, now: float, peer: str, theirs: float, floor: float) -> dict[str, Any]:
    numbers = {"before": before, "now": now, "before / now": before / now, "best peer": theirs, "floor": floor}
    return {
        "work": work,
        **{name: "" if np.isnan(number) else number for name, number in numbers.items()},
        "peer": peer,
    }


def catalogue_row(before: Path) -> dict[str, Any]:
    """Of the claims that both checkouts have."""
    theirs, ours = (in_process("waits", [_CATALOGUE, "ours"], place) for place in (before, ROOT))
    both = [claim for claim in theirs if claim in ours]
    then, now = (in_process("waits", [_CATALOGUE, "ours", both], place) or np.nan for place in (before, ROOT))
    return _cells(f"verdicts on {len(both)} claims, s", then, now, "", np.nan, np.nan)


def optimum_rows(before: Path | None, full: bool) -> list[dict[str, Any]]:
    """`optimal` on large sparse MDPs."""
    found = [optimum.row(name, before, 120.0) for name in optimum.PROBLEMS if full or name in _OPTIMA]
    rows = []
    for one_row in found:
        peers = {peer: one_row[peer] for peer in optimum.PEERS}
        best = quickest(peers)
        times = (one_row.get("before", np.nan), one_row["ours"], best, peers.get(best, np.nan), one_row["floor"])
        rows.append(_cells(f"optimal, {one_row['problem']}, s", *times))
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Run the works whose names contain one of the patterns; print and write the table."""
    parser = argparse.ArgumentParser("python -m experiments.benchmarks.waits", description=__doc__)
    parser.add_argument("patterns", nargs="*", metavar="PATTERN")
    parser.add_argument("--before", type=checkout_at, metavar="CHECKOUT")
    parser.add_argument("--full", action="store_true", help="what takes minutes, too")
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")
    options = parser.parse_args(arguments)

    def wanted(name: str) -> bool:
        return not options.patterns or any(part in name for part in options.patterns)

    rows, console = [], Console(width=150)
    for name, wait in waits().items():
        if wanted(name) and (options.full or not wait.full):
            rows.append(row(name, options.before))
            console.print(rows[-1])
    if wanted("optimal"):
        rows += optimum_rows(options.before, options.full)
    if options.full and options.before is not None and wanted(_CATALOGUE):
        rows.append(catalogue_row(options.before))
    table = Table(pd.DataFrame(rows), caption=_WORDS, label="tab:waits")
    present(console, table, options.out, "waits", words=("work", "peer"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
