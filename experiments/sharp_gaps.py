"""Sharp gaps: the worst (L - eta(new))/eps over all finite MDPs, proved from both sides, and what each bound makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import joblib
import numpy as np
import pandas as pd

import trpo_theory as tt
from trpo_theory.report import Table
from trpo_theory.report.figures import lines

NAME = "sharp-gaps"
TITLE = "Sharp gaps: how tight a bound can be"
LEAD = (
    "For each discount and radius, the worst gap over all finite MDPs lies between the two proved numbers; a bound's ratio is "
    "how much of its penalty some MDP really uses. No bound that reads only max-KL and max|A| can be below the gap."
)
BOUNDS = ("trpo/kl", "pinsker/kl", "bh/kl", "chain-rule/kl")


@dataclass(frozen=True)
class Settings:
    """What is computed: max-KL at gammas x radii (`nodes` by gamma), the limit of small radii, and mean-KL's linear constant."""

    gammas: tuple[float, ...] = (0.5, 0.9, 0.99, 0.999)
    radii: tuple[float, ...] = (1e-4, 1e-2, 1e-1, 1.0)
    nodes: tuple[int, ...] = (60, 80, 120, 240)
    small: float = 1e-6
    limit_nodes: tuple[int, ...] = (60, 80, 120, 240)
    means: tuple[tuple[float, float], ...] = (
        (0.05, 1e-4),
        (0.1, 1e-4),
        (0.15, 1e-4),
        (0.2, 1e-3),
        (0.5, 1e-3),
    )
    mean_nodes: int = 60
    certify: bool = True
    jobs: int = 2


def quick(settings: Settings) -> Settings:
    """Two discounts, two radii, few nodes, in floats."""
    return replace(
        settings,
        gammas=(0.5, 0.9),
        radii=(0.1, 1.0),
        nodes=(12, 12),
        limit_nodes=(),
        means=(),
        certify=False,
        jobs=1,
    )


def total(settings: Settings) -> int:
    """One advance() for each gap."""
    return len(settings.gammas) * len(settings.radii) + len(settings.limit_nodes) + len(settings.means)


def run(settings: Settings, advance: Callable[[], None] = lambda: None) -> dict[str, pd.DataFrame]:
    """The frames: "" one row a discount and radius, "limit" one a discount, "mean" one a discount."""
    nodes = dict(zip(settings.gammas, settings.nodes, strict=True))
    asked = [("", "max-kl", gamma, radius, nodes[gamma]) for gamma in settings.gammas for radius in settings.radii]
    small = zip(settings.gammas, settings.limit_nodes, strict=False)
    asked += [("limit", "max-kl", gamma, settings.small, count) for gamma, count in small]
    asked += [("mean", "mean-kl", gamma, radius, settings.mean_nodes) for gamma, radius in settings.means]
    frames: dict[str, list[dict[str, Any]]] = {}
    workers = joblib.Parallel(n_jobs=settings.jobs, return_as="generator")
    found = workers(joblib.delayed(_row)(*one, certify=settings.certify) for one in asked)
    for (frame, *_), row in zip(asked, found, strict=True):
        frames.setdefault(frame, []).append(dict(row or {}))
        advance()
    return {name: pd.DataFrame(rows) for name, rows in frames.items()}


def _row(frame: str, divergence: str, gamma: float, radius: float, nodes: int, *, certify: bool) -> dict[str, Any]:
    gap = tt.sharp_gap(divergence, gamma, radius, certify=certify, nodes=nodes)
    row = {"gamma": gamma, "radius": radius}
    if frame == "limit":
        penalty = next(row["penalty"] for row in gap.bounds if row["id"] == "chain-rule/kl")
        return row | {"lower": gap.lower / penalty, "upper": gap.upper / penalty, "proved": gap.certified}
    if frame == "mean":
        unit = gamma / (1 - gamma) ** 2 * radius
        return row | _ends(gap) | {"least": gap.lower / unit, "most": gap.upper / unit}
    return row | _ends(gap) | {row["id"]: row["ratio"] for row in gap.bounds if row["id"] in BOUNDS}


def _ends(gap: Any) -> dict[str, Any]:
    return {
        "lower": gap.lower,
        "upper": gap.upper,
        "apart": gap.upper / gap.lower - 1,
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
        )
    if "mean" in frames:
        out[f"{NAME}-mean"] = Table(
            pd.DataFrame(frames["mean"][["gamma", "radius", "least", "most", "states", "proved"]]),
            caption=r"Mean-KL: the sharp gap over $\gamma D/(1-\gamma)^2$, between two bounds. Where the least is above 4, "
            "no bound that is linear with the constant 4 is true.",
            label=f"tab:{NAME}-mean",
            headings={"gamma": (r"$\gamma$", "gamma"), "radius": (r"$D$", "radius")},
            digits={"gamma": 2, "radius": 1, "least": 4, "most": 4},
        )
    return out


def figures(frames: dict[str, pd.DataFrame]) -> dict[str, Callable[[], Any]]:
    """Each bound's ratio over the discount, at the smallest and at the largest radius."""
    gaps = frames[""]

    def ratios() -> Any:
        radius = gaps["radius"].min()
        some = gaps[gaps["radius"] == radius].assign(horizon=lambda frame: 1 / (1 - frame["gamma"]))
        long = some.melt(id_vars="horizon", value_vars=list(BOUNDS), var_name="bound", value_name="ratio")
        return lines(
            long,
            "horizon",
            "ratio",
            "bound",
            xlabel="1/(1 − γ), steps",
            ylabel=f"share of the penalty used at D = {radius:g}",
            log="xy",
        )

    def shrinking() -> Any:
        long = gaps.assign(gamma="γ = " + gaps["gamma"].astype(str))
        return lines(
            long,
            "radius",
            "chain-rule/kl",
            "gamma",
            xlabel="max-KL, nats",
            ylabel="sharp gap / chain-rule penalty",
            log="x",
        )

    return {f"{NAME}-over-gamma": ratios, f"{NAME}-over-radius": shrinking}


def captions() -> dict[str, str]:
    """What the figures show."""
    return {
        f"{NAME}-over-gamma": "How much of its penalty each bound can be made to use, over the horizon. The chain rule's keeps "
        "about four fifths; the others lose with the root of the horizon.",
        f"{NAME}-over-radius": "The sharp gap over the chain rule's penalty. It is linear in the radius only "
        "while the radius is far below 1 - gamma.",
    }


def summary(frames: dict[str, pd.DataFrame]) -> str:
    """The worst distance between the two ends, and what was proved of mean-KL."""
    gaps = frames[""]
    kind = "proved" if bool(np.all(gaps["proved"])) else "in floats"
    text = f"{len(gaps)} sharp gaps, {kind}: upper and lower at most {100 * gaps['apart'].max():.2f} % apart."
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
