"""Sharp gaps: the worst (L - eta(new))/eps over all finite MDPs, proved from both sides, over each bound's penalty."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import joblib
import numpy as np
import pandas as pd

import trpo_theory as tt
from trpo_theory._outward import Toward, float_toward
from trpo_theory.model.decimals import as_written
from trpo_theory.numerics.ball.balls import Balls
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.numerics.ball.raw import precision
from trpo_theory.report import Table
from trpo_theory.report.figures import lines
from trpo_theory.step.partial import KnownQuantities

NAME = "sharp-gaps"
TITLE = "Sharp gaps: how tight a bound can be"
LEAD = (
    "For each discount and radius, the worst gap over all finite MDPs lies between the two proved numbers; a bound's ratio is "
    "how much of its penalty some MDP really uses. No bound that reads only max-KL and max|A| can be below the gap."
)
BOUNDS = ("trpo/kl", "pinsker/kl", "bh/kl", "chain-rule/kl")


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes:
        gammas, radii, nodes: max-KL at each pair; nodes has a row a discount, chosen so that the two bounds are within 1 %.
        small, limit_nodes: the radius that stands for the limit 0, and the nodes there, one a discount of gammas.
        means, mean_nodes: (discount, radius) of mean-KL's linear constant, radii small enough to show the limit's.
        grid_gammas, grid_radii, grid_nodes: a grid in floats, for the figures and the order of the two bounds; its nodes
            grow with the horizon as grid_nodes/(1 - gamma)^(1/4).
        certify: prove both bounds, but for the grid's.
        jobs: workers.
    """

    gammas: tuple[float, ...] = (0.5, 0.9, 0.99, 0.999)
    radii: tuple[float, ...] = (1e-4, 1e-2, 1e-1, 1.0)
    nodes: tuple[tuple[int, ...], ...] = ((60,) * 4, (80,) * 4, (120,) * 4, (360, 160, 160, 120))
    small: float = 1e-6
    limit_nodes: tuple[int, ...] = (80, 100, 160, 300)
    means: tuple[tuple[float, float], ...] = (
        (0.05, 1e-4),
        (0.1, 1e-4),
        (0.15, 1e-5),
        (0.2, 1e-3),
        (0.5, 1e-3),
        (0.8, 1e-2),
        (0.9, 1e-2),
    )
    mean_nodes: int = 60
    grid_gammas: tuple[float, ...] = (
        *(0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7),
        *(0.75, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.97, 0.98, 0.99),
    )
    grid_radii: tuple[float, ...] = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0)
    grid_nodes: int = 10
    certify: bool = True
    jobs: int = 2


def quick(settings: Settings) -> Settings:
    """Two discounts, two radii, few nodes, in floats."""
    return replace(
        settings,
        gammas=(0.5, 0.9),
        radii=(0.1, 1.0),
        nodes=((12, 12), (12, 12)),
        limit_nodes=(),
        means=(),
        grid_gammas=(),
        certify=False,
        jobs=1,
    )


def total(settings: Settings) -> int:
    """One advance() for each gap."""
    return len(_gaps(settings))


def run(settings: Settings, advance: Callable[[], None] = lambda: None) -> dict[str, pd.DataFrame]:
    """The frames: "" and "grid" one row a discount and radius, "limit" and "mean" one a discount."""
    frames: dict[str, list[dict[str, Any]]] = {}
    workers = joblib.Parallel(n_jobs=settings.jobs, return_as="generator")
    gaps = _gaps(settings)
    found = workers(joblib.delayed(_row)(*gap, certify=settings.certify and gap[0] != "grid") for gap in gaps)
    for (frame, *_), row in zip(gaps, found, strict=True):
        frames.setdefault(frame, []).append(dict(row or {}))
        advance()
    return {name: pd.DataFrame(rows) for name, rows in frames.items()}


def _gaps(settings: Settings) -> list[tuple[str, str, float, float, int]]:
    """Frame, divergence, discount, radius and nodes of each gap."""
    gaps = [
        ("", "max-kl", gamma, radius, count)
        for gamma, counts in zip(settings.gammas, settings.nodes, strict=True)
        for radius, count in zip(settings.radii, counts, strict=True)
    ]
    small = zip(settings.gammas, settings.limit_nodes, strict=False)
    gaps += [("limit", "max-kl", gamma, settings.small, count) for gamma, count in small]
    gaps += [("mean", "mean-kl", gamma, radius, settings.mean_nodes) for gamma, radius in settings.means]
    for gamma, radius in itertools.product(settings.grid_gammas, settings.grid_radii):
        gaps.append(("grid", "max-kl", gamma, radius, round(settings.grid_nodes / (1 - gamma) ** 0.25)))
    return gaps


def _row(frame: str, divergence: str, gamma: float, radius: float, nodes: int, *, certify: bool) -> dict[str, Any]:
    gap = tt.sharp_gap(divergence, gamma, radius, certify=certify, nodes=nodes)
    row = {"gamma": gamma, "radius": radius}
    if frame == "limit":
        return row | _quotients(gap, ("lower", "upper"), _chain_rule(gap)) | {"proved": gap.certified}
    if frame == "mean":
        discount = as_written(gamma)
        unit = discount / (1 - discount) ** 2 * as_written(radius)
        return row | _ends(gap) | _quotients(gap, ("least", "most"), (unit, unit))
    return row | _ends(gap) | {row["id"]: row["ratio"] for row in gap.bounds if row["id"] in BOUNDS}


def _quotients(gap: tt.SharpGap, names: tuple[str, str], unit: tuple[Fraction, Fraction]) -> dict[str, float]:
    """The two ends over a number that lies between two rationals, rounded outward."""
    ends = Fraction(gap.lower) / unit[1], Fraction(gap.upper) / unit[0]
    return {name: float_toward(end, how) for name, end, how in zip(names, ends, (Toward.DOWN, Toward.UP), strict=True)}


def _chain_rule(gap: tt.SharpGap) -> tuple[Fraction, Fraction]:
    """What the penalty of chain-rule/kl lies between, at ε = 1."""
    with precision(128):  # chosen: more than twice a float's bits
        discount, radius = Ball(as_written(gap.gamma)), Ball(as_written(gap.radius))
        known = KnownQuantities(Balls(), gamma=discount, max_kl=radius, max_abs_advantage=1)
        penalty = Ball(tt.bounds.get("chain-rule/kl").penalty(known))
    return penalty.lower, penalty.upper


def _ends(gap: tt.SharpGap) -> dict[str, Any]:
    return {
        "lower": gap.lower,
        "upper": gap.upper,
        "apart": float_toward(Fraction(gap.upper) / Fraction(gap.lower) - 1, Toward.UP),
        "states": gap.witness.mdp.states,
        "proved": gap.certified,
    }


_GAP_HEADINGS = {
    "gamma": (r"$\gamma$", "gamma"),
    "radius": (r"$D$", "radius"),
    "lower": ("proved lower", "lower"),
    "upper": ("proved upper", "upper"),
    "apart": (r"apart", "apart"),
    "states": ("states", "states"),
}


def tables(frames: dict[str, pd.DataFrame]) -> dict[str, Table]:
    """The gaps with the bounds' ratios, the limit, and mean-KL's constant."""
    gaps = frames[""]
    out = {
        NAME: Table(
            pd.DataFrame(gaps[[*_GAP_HEADINGS, *BOUNDS]]),
            caption=r"The worst $(L - \eta(\tilde\pi))/\epsilon$ over all finite MDPs at $D_{\mathrm{KL}}^{\max} \le D$ nats, "
            "between two bounds, and of each bound's penalty the share that the witness uses.",
            label=f"tab:{NAME}",
            headings=_GAP_HEADINGS,
            digits={"gamma": 3, "radius": 1, "lower": 5, "upper": 5, "apart": 2, **dict.fromkeys(BOUNDS, 3)},
            outward={
                "lower": Toward.DOWN,
                "upper": Toward.UP,
                "apart": Toward.UP,
                **dict.fromkeys(BOUNDS, Toward.DOWN),
            },
        )
    }
    if "limit" in frames:
        out[f"{NAME}-limit"] = Table(
            frames["limit"],
            caption=r"Small radii: the sharp gap over the chain rule's penalty $2\,\mathrm{Li}_{-1/2}(\gamma)\,D$; "
            r"$\sqrt{2/\pi} = 0.7979$ is the drunkard's walk's as $\gamma \to 1$.",
            label=f"tab:{NAME}-limit",
            headings={"gamma": (r"$\gamma$", "gamma"), "radius": (r"$D$", "radius")},
            digits={"gamma": 3, "radius": 1, "lower": 4, "upper": 4},
            outward={"lower": Toward.DOWN, "upper": Toward.UP},
        )
    if "mean" in frames:
        out[f"{NAME}-mean"] = Table(
            pd.DataFrame(frames["mean"][["gamma", "radius", "least", "most", "states", "proved"]]).assign(
                needed=lambda frame: 2 * ((1 - frame["gamma"]) / frame["gamma"]) ** 0.5
            ),
            caption=r"Mean-KL: the sharp gap over $\gamma D/(1-\gamma)^2$, between two bounds; it falls as $D$ grows. Where the "
            "least is above 4, no bound that is linear with the constant 4 is true. As $D \\to 0$ at least "
            r"$2\sqrt{(1-\gamma)/\gamma}$ is needed, the local bound; 4 is enough for $\gamma \ge 21/100$, and 2 for "
            r"$\gamma \ge 21/40$.",
            label=f"tab:{NAME}-mean",
            headings={
                "gamma": (r"$\gamma$", "gamma"),
                "radius": (r"$D$", "radius"),
                "needed": (r"$2\sqrt{(1-\gamma)/\gamma}$", "local bound, D to 0"),
            },
            digits={"gamma": 2, "radius": 1, "least": 4, "most": 4, "needed": 4},
            outward={"least": Toward.DOWN, "most": Toward.UP},
        )
    return out


def figures(frames: dict[str, pd.DataFrame]) -> dict[str, Callable[[], Any]]:
    """Each bound's ratio over the discount, at the smallest radius; the chain rule's over the radius."""
    gaps = frames[""]

    def ratios() -> Any:
        radius = gaps["radius"].min()
        every: Any = (
            pd.concat([gaps, frames["grid"]]).drop_duplicates(["gamma", "radius"]) if "grid" in frames else gaps
        )
        some = (
            every[every["radius"] == radius].sort_values("gamma").assign(horizon=lambda frame: 1 / (1 - frame["gamma"]))
        )
        long = some.melt(id_vars="horizon", value_vars=list(BOUNDS), var_name="bound", value_name="ratio")
        return lines(
            long, "horizon", "ratio", "bound", xlabel="1/(1 − γ), steps", ylabel="share of the penalty used", log="xy"
        )

    def shrinking() -> Any:
        ratio = "chain-rule/kl"
        parts: list[Any] = [gaps[["gamma", "radius", ratio]]]
        if "limit" in frames:
            parts.append(frames["limit"].rename(columns={"lower": ratio})[["gamma", "radius", ratio]])
        every: Any = pd.concat(parts).sort_values(["gamma", "radius"])
        return lines(
            every.assign(gamma="γ = " + every["gamma"].astype(str)),
            "radius",
            ratio,
            "gamma",
            xlabel="max-KL, nats",
            ylabel="sharp gap / chain-rule penalty",
            log="x",
        )

    return {f"{NAME}-over-gamma": ratios, f"{NAME}-over-radius": shrinking}


def captions() -> dict[str, str]:
    """What the figures show."""
    return {
        f"{NAME}-over-gamma": "How much of its penalty each bound can be made to use at the smallest radius, over the "
        "horizon. The chain rule's keeps about four fifths; the others lose with the root of the horizon.",
        f"{NAME}-over-radius": "The sharp gap over the chain rule's penalty. It is linear in the radius only "
        "while the radius is far below 1 - gamma.",
    }


def summary(frames: dict[str, pd.DataFrame]) -> str:
    """The worst distance between the two ends, and what was proved of mean-KL."""
    gaps = frames[""]
    kind = "proved" if bool(np.all(gaps["proved"])) else "in floats"
    text = f"{len(gaps)} sharp gaps, {kind}: upper and lower at most {100 * gaps['apart'].max():.2f} % apart."
    if "grid" in frames:
        grid = frames["grid"]
        text += (
            f" On a grid of {len(grid)} more, in floats, the lower one exceeds the upper one "
            f"{np.count_nonzero(grid['lower'] > grid['upper'])} times (median distance {100 * grid['apart'].median():.1f} %)."
        )
    above = frames["mean"].query("least > 4 and proved")["gamma"] if "mean" in frames else ()
    if len(above):
        text += f" mean-KL: a linear constant of 4 is refuted at gamma = {', '.join(f'{g:g}' for g in above)}."
    return text


def passed(frames: dict[str, pd.DataFrame]) -> bool:
    """Whether no lower bound exceeds an upper one, and no true bound is exceeded."""
    ordered = all((frame["lower"] <= frame["upper"]).all() for frame in frames.values())
    return (
        ordered
        and bool((frames[""][list(BOUNDS)] <= 1 + 1e-9).to_numpy().all())
        and bool(np.isfinite(frames[""]["upper"]).all())
    )
