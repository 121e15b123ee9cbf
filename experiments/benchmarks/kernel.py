"""Where the float kernel's time goes: S = 5, A = 3, all true max-KL and max-TV bounds, part by part, and its floor.

`python -m experiments.benchmarks.kernel [--instances N]`: CPU seconds of all threads, medians, in one run. The floor is what any
kernel pays: drawing the numbers, and reading and writing them once.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import trpo_theory as tt
from experiments.benchmarks.foundation import SCREENED, batch_against_loop, timed
from experiments.benchmarks.peers import against_peers
from trpo_theory.numerics.floats import policy_transition
from trpo_theory.search.battery import random_instances
from trpo_theory.search.screen import Screen
from trpo_theory.step.instances import Instances

STATES, ACTIONS = 5, 3
REPEATS = 7


def parts(instances: int, seed: int = 0) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of each part of the kernel, in order, and of the floor's two parts."""
    generator = np.random.default_rng(seed)
    screens = [Screen(tt.claims.get(bound)) for bound in SCREENED]
    drawing, drawn = _cpu(lambda: random_instances(generator, instances, STATES, ACTIONS))
    steps: list[tuple[str, Callable[[Any], Any]]] = [
        ("policies' chains, P_pi", lambda q: [policy_transition(q.transition, policy) for policy in (q.old, q.new)]),
        ("elimination", lambda q: [q._old.resolvent, q._new.resolvent]),
        ("three solves", lambda q: [q.value, q.visitation_old, q.visitation_change]),
        ("Q, A and gap", lambda q: [q.q_value, q.advantage, q.expected_advantage, q.surrogate_gap]),
        ("divergences", lambda q: [q.kl, q.tv, q.max_kl, q.max_tv, q.mean_kl]),
        ("reductions", lambda q: [q.max_abs_advantage, q.max_abs_expected_advantage, q.surrogate]),
        (f"{len(screens)} bounds and their screens", lambda q: [screen(drawn, q) for screen in screens]),
    ]
    rounds = [_round(drawn, steps) for _ in range(REPEATS)]
    seconds = {name: float(np.median([one[name] for one in rounds])) for name in rounds[0]}
    chains = seconds["policies' chains, P_pi"]
    seconds["elimination"] = max(0.0, seconds["elimination"] - chains)  # which makes the chains again
    return {"random generation": drawing, **seconds}, floor_of(generator, drawn)


def _round(drawn: Instances, steps: list[tuple[str, Callable[[Any], Any]]]) -> dict[str, float]:
    begin = time.process_time()
    q = drawn.quantities()
    found = {"batch turned last": time.process_time() - begin}
    for name, step in steps:
        begin = time.process_time()
        step(q)
        found[name] = time.process_time() - begin
    return found


def floor_of(generator: np.random.Generator, drawn: Instances) -> dict[str, float]:
    """One exponential for each probability, one normal for each reward; and each array copied once."""
    sizes = {name: array.size for name, array in drawn.arrays().items()}
    probabilities = sum(sizes[name] for name in ("transition", "initial", "old", "new"))
    numbers, _ = _cpu(
        lambda: [generator.standard_exponential(probabilities), generator.standard_normal(sizes["reward"])]
    )
    used = [array for name, array in drawn.arrays().items() if name not in ("reference", "noise", "groups", "size")]
    copies, _ = _cpu(lambda: [array.copy() for array in used])
    return {"random numbers": numbers, "memory, once through": copies}


def _cpu(function: Callable[[], Any]) -> tuple[float, Any]:
    return timed(function, REPEATS, clock=time.process_time)


def main(arguments: list[str] | None = None) -> int:
    """Print the shares, the floor, and the ratios against what a user would pick instead."""
    parser = argparse.ArgumentParser("python -m experiments.benchmarks.kernel", description=__doc__)
    parser.add_argument("--instances", type=int, default=20_000, metavar="N")
    count = parser.parse_args(arguments).instances
    console = Console(width=130)
    kernel, floor = parts(count)
    screen = sum(kernel.values()) - kernel["random generation"]
    table = Table("part", "seconds", "share", title=f"{count} instances, S={STATES} A={ACTIONS}")
    for name, seconds in kernel.items():
        table.add_row(name, f"{seconds:.4f}", f"{seconds / (screen + kernel['random generation']):.1%}")
    for name, seconds in floor.items():
        table.add_row(f"floor: {name}", f"{seconds:.4f}", f"{seconds / (screen + kernel['random generation']):.1%}")
    console.print(table)
    whole, least = screen + kernel["random generation"], sum(floor.values())
    console.print(
        f"instances a second of one core: {count / screen:,.0f} from arrays to slacks, {count / whole:,.0f} with their "
        f"generation; the floor {count / least:,.0f}, {whole / least:.1f} times faster"
    )
    others = Table("against", "ours", "theirs", "ratio", "largest difference")
    what, ours, theirs, difference = batch_against_loop(np.random.default_rng(1), count)
    others.add_row(what, f"{ours:.4f}", f"{theirs:.4f}", f"{theirs / ours:.1f}", f"{difference:.0e}")
    for row in against_peers(0, count, 300):
        ratio = f"{row.theirs / row.ours:.1f}" if row.theirs else ""
        others.add_row(
            f"{row.what}: {row.peer}", f"{row.ours:.4f}", f"{row.theirs:.4f}", ratio, f"{row.difference:.0e}"
        )
    console.print(others)
    return 0 if difference < 1e-8 else 1


if __name__ == "__main__":
    sys.exit(main())
