"""The least linear constant of mean-KL, K*(gamma), between a proved witness and a proved supersolution at each discount."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from time import perf_counter
from typing import Any

import pandas as pd

from experiments.contract import no_captions, no_figures
from experiments.parallel import rows_and_times
from trpo_theory._outward import Toward, float_toward
from trpo_theory.report import Table
from trpo_theory.sharp.mean_kl.mesh import Mesh
from trpo_theory.sharp.mean_kl.search import supersolution
from trpo_theory.sharp.mean_kl.witness import linear_witness

NAME = "linear-mean-kl"
TITLE = "The least linear constant of mean-KL"
LEAD = (
    "The least K with eta(new) >= L - K eps gamma/(1 - gamma)^2 mean-KL for all finite MDPs of one discount: at least what the "
    "witness needs, an MDP that is solved in balls, or the local bound, and at most what the supersolution proves."
)


@dataclass(frozen=True)
class Discount:
    """One row.

    Attributes:
        gamma: the discount, a decimal.
        most: K of the supersolution, a decimal; found by trial, as the least that its mesh proves, to some digits.
        upper: its mesh.
        lower: the mesh of the witness.
        bend: B of the supersolution; found by trial.
    """

    gamma: str
    most: str
    upper: Mesh
    lower: Mesh
    bend: float = 0.5


_LOCAL = Mesh(radius=0.02, growth=0.3, step=0.3, far=20.0, near=20.0, inner=8.0)
"""Below gamma = 0.3 the local bound decides, and nodes far away cost nothing."""
_MIDDLE = Mesh(radius=0.001, growth=0.08, step=0.08, far=300.0, near=100.0)
_CLOSER = Mesh(radius=0.003, growth=0.1, step=0.1, far=50.0, near=50.0)
_FAR = Mesh(radius=0.02, growth=0.08, step=0.1, far=300.0, near=100.0, inner=10.0)
_MANY_SCALES = Mesh(radius=1e-12, growth=0.189207, step=0.3, far=30.0, near=30.0)
"""There a witness comes near the bound as slowly as pi^2 over the square of the logarithm of its scales."""
_NEAR_ONE = Mesh(radius=1e-4, growth=0.15, step=0.1, far=1e4, near=100.0)
_UNIT = 10**12
"""Decimals of the local bound."""
_LEAKS = Mesh(radius=1e-3, growth=0.1, step=0.1, far=1e6, near=100.0)
"""Witnesses at large discounts leak to states that old does not see, which must be far."""


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes:
        discounts: the rows.
        jobs: workers.
    """

    discounts: tuple[Discount, ...] = field(
        default=(
            Discount("0.1", "6", _LOCAL, _MANY_SCALES, 2.25),
            Discount("0.2", "4", _LOCAL, _MANY_SCALES, 1.5),
            Discount(
                "0.25", "3.4642", replace(_LOCAL, growth=0.15, step=0.15, far=50.0, near=50.0), _MANY_SCALES, 0.866
            ),
            Discount("0.3", "3.056", _CLOSER, _MANY_SCALES, 0.76),
            Discount("0.4", "2.475", _MIDDLE, replace(_NEAR_ONE, radius=1e-7), 0.0),
            Discount("0.5", "2.075", _MIDDLE, replace(_NEAR_ONE, radius=1e-6), 0.0),
            Discount("0.6", "1.774", replace(_FAR, radius=0.01, growth=0.1), _NEAR_ONE),
            Discount("0.7", "1.5335", _FAR, _NEAR_ONE, 0.4),
            Discount("0.8", "1.331", _FAR, _NEAR_ONE, 0.4),
            Discount("0.9", "1.16", _FAR, replace(_LEAKS, radius=1e-4), 0.4),
            Discount("0.95", "1.083", replace(_FAR, far=1000.0), _LEAKS, 0.4),
            Discount("0.99", "1.022", replace(_FAR, radius=0.01, growth=0.1, far=1e4), _LEAKS),
        )
    )
    jobs: int = 2


def quick(settings: Settings) -> Settings:
    """One discount, on few nodes."""
    coarse = Mesh(radius=0.003, growth=0.15, step=0.15, far=300.0)
    return replace(settings, discounts=(Discount("0.9", "1.18", coarse, replace(coarse, far=1e4)),), jobs=1)


def total(settings: Settings) -> int:
    """One advance() for each discount."""
    return len(settings.discounts)


def run(settings: Settings, advance: Callable[[], None] = lambda: None) -> dict[str, pd.DataFrame]:
    """The frames: "" has a row a discount, "timing" the seconds and the sizes of the files."""
    return rows_and_times(_row, ((one,) for one in settings.discounts), settings.jobs, advance)


def _row(one: Discount) -> tuple[dict[str, Any], dict[str, Any]]:
    gamma, most, start = Fraction(one.gamma), Fraction(one.most), perf_counter()
    witness = linear_witness(gamma, one.lower)
    found = perf_counter()
    needed, _ = witness.enclosure()
    least = max(needed, _local(gamma))
    enclosed = perf_counter()
    proof = supersolution((gamma,), most, one.upper, one.bend)
    searched = perf_counter()
    checks = proof.prove()
    row = {
        "gamma": float(gamma),
        "local": 2 * math.sqrt(1 / float(gamma) - 1),
        "witness": float_toward(needed, Toward.DOWN),
        "least": float_toward(least, Toward.DOWN),
        "most": float(most),  # the decimal itself
        "apart": float_toward(most / least - 1, Toward.UP),
        "states": witness.mdp.states,
        "nodes": len(proof.nodes),
        "inequalities": checks,
        "bytes": len(json.dumps(proof.content())),
    }
    seconds = {
        "gamma": float(gamma),
        "witness": found - start,
        "enclosure": enclosed - found,
        "supersolution": searched - enclosed,
        "proof": perf_counter() - searched,
    }
    return row, seconds


def _local(gamma: Fraction) -> Fraction:
    """2 sqrt((1 - gamma)/gamma), rounded down."""
    squared = 4 * (1 / gamma - 1) * _UNIT**2
    return Fraction(math.isqrt(math.floor(squared)), _UNIT)


def tables(frames: dict[str, pd.DataFrame]) -> dict[str, Table]:
    """K* at each discount."""
    return {
        NAME: Table(
            pd.DataFrame(
                frames[""][["gamma", "local", "witness", "least", "most", "apart", "states", "nodes", "bytes"]]
            ),
            caption=r"The least $K$ with $\eta(\tilde\pi) \ge L - K\epsilon\gamma/(1-\gamma)^2\cdot$ mean-KL for all finite MDPs "
            r"of discount $\gamma$, between two proved bounds: the larger one of what a witness with so many states needs and "
            "the local bound, which is from steps next to the likelihood ratio 1 and which witnesses approach slowly; and "
            "that of a supersolution on so many nodes, in a file of so many bytes.",
            label=f"tab:{NAME}",
            headings={"gamma": (r"$\gamma$", "gamma"), "local": (r"$2\sqrt{(1-\gamma)/\gamma}$", "local bound")},
            digits={"gamma": 3, "local": 5, "witness": 5, "least": 5, "most": 5, "apart": 2},
            outward={"witness": Toward.DOWN, "least": Toward.DOWN, "apart": Toward.UP},
        )
    }


figures = no_figures


captions = no_captions


def summary(frames: dict[str, pd.DataFrame]) -> str:
    """How far the ends are apart at most."""
    rows = frames[""]
    return f"K* at {len(rows)} discounts, proved from both sides: at most {100 * rows['apart'].max():.2f} % apart."


def passed(frames: dict[str, pd.DataFrame]) -> bool:
    """Whether no lower end exceeds an upper one, and no upper one is below the local bound or 1, which are necessary."""
    rows = frames[""]
    return bool((rows["least"] <= rows["most"]).all() and (rows["most"] >= rows["local"].clip(lower=1)).all())
