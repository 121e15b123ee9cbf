"""Dual with its certificate against CVXPY, small problems one by one and in a batch, and how cost grows with S.

`python -m experiments.benchmarks.updates [--full] [--out DIR]`: prints ratios measured in one run. --full times Clarabel at
S = 5000, A = 10 (about two minutes), and Dual up to S = 10⁶; the table of growth and its figure go to DIR. ECOS, the fastest
conic peer from S = 100 on, is timed beside Clarabel where it is installed, as it solves by default, to 1e-8.

What a conic solver says of its answer stands beside its gap. Under (11) with pinsker/kl the two disagree: that C allows a KL of
some 1e-5 nats, which an exponential cone holds as a difference of numbers near 1, so that no tolerance of the solver brings the
gap down to 1e-9: it grows as 1/KL. The same problem with the C at which KL is 0.01, as under (12), stands below it.

Rows alone in compiled code gain 1.7 on five states and nothing on 500, certificate and chain of old included; all three together,
`Dual(compiled=True)`, more than four times on five states: `python -m experiments.benchmarks.waits compiled`.
"""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import cvxpy
import numpy as np
import pandas as pd
from rich.console import Console

from experiments.benchmarks.processes import cpu
from experiments.benchmarks.tables import present
from trpo_theory.io._atomic import atomic_write
from trpo_theory.report import Table
from trpo_theory.updates import CVXPY, MaxKL, MeanKL, Penalty, ReverseMaxChi2, ReverseMeanChi2, Surrogate, solve, update
from trpo_theory.zoo import dirichlet, random_policy

PROBLEMS = {"(11) pinsker/kl": Penalty(bound="pinsker/kl"), "(12) max-KL": MaxKL(0.01), "(13) mean-KL": MeanKL(0.01)}
TIMED = {**PROBLEMS, "max chi2(new, old)": ReverseMaxChi2(0.01), "mean chi2(new, old)": ReverseMeanChi2(0.01)}


def surrogate(states: int, actions: int, batch: int = 1, gamma: float = 0.9) -> Surrogate:
    """Random advantages, visitation and old policy."""
    generator = np.random.default_rng(0)
    old = np.moveaxis(random_policy(generator, (batch, states, actions)), (2, 1), (0, 1))
    advantage = generator.standard_normal((actions, states, batch))
    advantage -= (old * advantage).sum(0)
    visitation = random_policy(generator, (batch, states)).T / (1 - gamma)
    return Surrogate(
        old=np.ascontiguousarray(old),
        advantage=advantage,
        available=np.ones(old.shape, dtype=bool),
        visitation=visitation,
        gamma=np.full(batch, gamma),
        max_abs_advantage=np.abs(advantage).max((0, 1)),
        batch_shape=(batch,) if batch > 1 else (),
    )


def seconds(problem: Any, rows: Surrogate, solver: Any = None, repeats: int = 1) -> tuple[float, Any]:
    """The median time of solve with its certificate, and the solution."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        solution = solve(rows, problem, solver=solver)
        times.append(time.perf_counter() - start)
    return float(np.median(times)), solution


def against_cones(full: bool) -> pd.DataFrame:
    """One row a size and problem: the times, their ratios, the recomputed gaps."""
    out = []
    for states, actions in ((5, 3), (100, 4), (500, 4), *(((5000, 10),) if full else ())):
        rows = surrogate(states, actions)
        penalty, *others = TIMED.items()
        for name, problem in (penalty, ("(11) C, KL 0.01", _same_step(rows)), *others):
            ours, dual = seconds(problem, rows, repeats=25)
            row = {"S": states, "A": actions, "problem": name, "dual": ours, "dual gap": dual.relative_gap}
            for peer, solver in conic_peers().items():
                theirs, conic = seconds(problem, rows, solver)
                row |= {peer: theirs, f"{peer} ratio": theirs / ours, f"{peer} gap": conic.relative_gap}
                row[f"{peer} says"] = conic.note.removeprefix(f"{peer}: ").split(" after ")[0]
            out.append(row)
    return pd.DataFrame(out)


def _same_step(rows: Surrogate) -> Penalty:
    """(11) with the C that has the step of (12): C = Σ ρ λ."""
    of_radius = solve(rows, PROBLEMS["(12) max-KL"])
    return Penalty(float((rows.visitation * of_radius.multiplier_rows).sum()))


def conic_peers() -> dict[str, CVXPY]:
    """The conic solvers that are installed, of the two."""
    return {name.lower(): CVXPY(name) for name in ("CLARABEL", "ECOS") if name in cvxpy.installed_solvers()}


def small(batch: int = 1000) -> pd.DataFrame:
    """`update` of a five-state MDP, everything included: milliseconds of a call, and of one in a batch."""
    generator = np.random.default_rng(0)
    mdps = [dirichlet(generator, batch=shape) for shape in ((), (batch,))]
    olds = [random_policy(generator, mdp.reward.shape) for mdp in mdps]
    out = []
    for name, problem in TIMED.items():
        alone, together = (cpu(partial(update, *pair, problem)) for pair in zip(mdps, olds, strict=True))
        out.append({"problem": name, "ms": 1e3 * alone, "ms in a batch": 1e3 * together / batch})
    return pd.DataFrame(out)


def batched(size: int = 10_000) -> pd.DataFrame:
    """Five-state problems in one batch, against one by one (a tenth of them, times ten)."""
    rows, out = surrogate(5, 3, size), []
    for name, problem in TIMED.items():
        ours, together = seconds(problem, rows, repeats=3)
        start = time.perf_counter()
        alone = [solve(_instance(rows, i), problem).objective for i in range(size // 10)]
        loop = 10 * (time.perf_counter() - start)
        difference = float(np.abs(np.array(alone) / together.objective[: size // 10] - 1).max())
        out.append({"problem": name, "batch": ours, "one by one": loop, "ratio": loop / ours, "difference": difference})
    return pd.DataFrame(out)


def _instance(rows: Surrogate, i: int) -> Surrogate:
    names = ("old", "advantage", "available", "visitation", "gamma", "max_abs_advantage")
    parts: dict[str, Any] = {name: np.ascontiguousarray(getattr(rows, name)[..., i : i + 1]) for name in names}
    return Surrogate(**parts)


def growth(full: bool) -> pd.DataFrame:
    """Seconds against S for both solvers, A = 10; Clarabel up to where it takes a minute."""
    out = []
    for states in (10, 100, 1000, 10_000, 100_000, 1_000_000) if full else (10, 100, 1000):
        rows = surrogate(states, 10)
        for name, problem in TIMED.items():
            ours, dual = seconds(problem, rows, repeats=5 if states < 10_000 else 1)
            row = {"S": states, "problem": name, "dual": ours, "dual gap": dual.relative_gap}
            theirs = seconds(problem, rows, CVXPY("CLARABEL"))[0] if states <= 1000 else float("nan")
            out.append({**row, "clarabel": theirs})
    return pd.DataFrame(out)


def figure(frame: pd.DataFrame, directory: Path) -> list[Path]:
    """Time against S, log-log, as PDF and PNG."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    shades = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9")  # Okabe and Ito's
    colours = dict(zip(TIMED, shades, strict=True))
    picture, axes = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
    for name, rows in frame.groupby("problem", sort=False):
        axes.loglog(rows["S"], rows["dual"], "o-", color=colours[str(name)], label=f"{name}, dual")
        axes.loglog(
            rows["S"], rows["clarabel"], "s--", color=colours[str(name)], mfc="white", label=f"{name}, Clarabel"
        )
    axes.set_xlabel("states S (A = 10 actions)")
    axes.set_ylabel("time, certificate included [s]")
    axes.grid(visible=True, which="major", linewidth=0.3)
    axes.legend(fontsize=7, frameon=False)
    paths = []
    for suffix in ("pdf", "png"):
        path = directory / f"update-growth.{suffix}"
        with atomic_write(path) as stream:
            picture.savefig(stream, format=suffix, dpi=200)
        paths.append(path)
    plt.close(picture)
    return paths


def main(arguments: list[str] | None = None) -> int:
    """Run everything; 1 if a solution of Dual is not optimal to 1e-10."""
    parser = argparse.ArgumentParser("python -m experiments.benchmarks.updates", description=__doc__)
    parser.add_argument("--full", action="store_true", help="the large sizes too, in some minutes")
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")
    options = parser.parse_args(arguments)
    console = Console(width=120)
    frames = {
        "update-small": small(),
        "update-conic": against_cones(options.full),
        "update-batch": batched(),
        "update-growth": growth(options.full),
    }
    for name, frame in frames.items():
        table = Table(frame, caption=f"{name}: times in seconds, in one run.", label=f"tab:{name}")
        present(console, table, options.out, name)
    figure(frames["update-growth"], options.out)
    console.print(f"tables and the figure update-growth are in {options.out}")
    gaps = np.concatenate([frames[name]["dual gap"].to_numpy() for name in ("update-conic", "update-growth")])
    return 0 if (np.abs(gaps) <= 1e-10).all() else 1


if __name__ == "__main__":
    sys.exit(main())
