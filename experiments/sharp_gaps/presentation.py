"""The tables and figures, from the frames alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from experiments.sharp_gaps.running import BOUNDS, NAME
from trpo_theory._outward import Toward
from trpo_theory.report import Table
from trpo_theory.report.figures import lines

TITLE = "Sharp gaps: how tight a bound can be"
LEAD = (
    "For each discount and radius, the worst gap over all finite MDPs lies between the two proved numbers; a bound's ratio is "
    "how much of its penalty some MDP really uses. No bound that reads only max-KL and max|A| can be below the gap."
)

_GAP_HEADINGS = {
    "gamma": (r"$\gamma$", "gamma"),
    "radius": (r"$D$", "radius"),
    "lower": ("proved lower", "lower"),
    "upper": ("proved upper", "upper"),
    "apart": (r"apart", "apart"),
    "states": ("states", "states"),
    "seconds": ("seconds", "seconds"),
}


def tables(frames: dict[str, pd.DataFrame]) -> dict[str, Table]:
    """The gaps with the bounds' ratios, the limit of small radii, and mean-KL's constant."""
    out = {
        NAME: _gap_table(frames[""].merge(frames["timing"], on=["gamma", "radius"])),
        f"{NAME}-limit": _limit_table(frames[""]),
    }
    if "mean" in frames:
        out[f"{NAME}-mean"] = _mean_table(frames["mean"])
    return out


def _gap_table(gaps: pd.DataFrame) -> Table:
    return Table(
        pd.DataFrame(gaps[[*_GAP_HEADINGS, *BOUNDS]]),
        caption=r"The worst $(L - \eta(\tilde\pi))/\epsilon$ over all finite MDPs at $D_{\mathrm{KL}}^{\max} \le D$ nats, "
        "between two bounds, and of each bound's penalty the share that the witness uses. Seconds on a busy machine.",
        label=f"tab:{NAME}",
        headings=_GAP_HEADINGS,
        digits={"gamma": 4, "radius": 1, "lower": 5, "upper": 5, "apart": 2, "seconds": 2, **dict.fromkeys(BOUNDS, 3)},
        outward={**_OUTWARD, **dict.fromkeys(BOUNDS, Toward.DOWN)},
    )


def _limit_table(gaps: pd.DataFrame) -> Table:
    small: Any = gaps[gaps["radius"] == gaps["radius"].min()]
    return Table(
        small[["gamma", "radius", "least", "most", "proved"]].rename(columns={"least": "lower", "most": "upper"}),
        caption=r"Small radii: the sharp gap over the chain rule's penalty $2\,\mathrm{Li}_{-1/2}(\gamma)\,D$; "
        r"$\sqrt{2/\pi} = 0.7979$ is the drunkard's walk's as $\gamma \to 1$.",
        label=f"tab:{NAME}-limit",
        headings={"gamma": (r"$\gamma$", "gamma"), "radius": (r"$D$", "radius")},
        digits={"gamma": 4, "radius": 1, "lower": 4, "upper": 4},
        outward={"lower": Toward.DOWN, "upper": Toward.UP},
    )


def _mean_table(means: pd.DataFrame) -> Table:
    return Table(
        pd.DataFrame(means[["gamma", "radius", "least", "most", "states", "proved"]]).assign(
            needed=lambda frame: 2 * ((1 - frame["gamma"]) / frame["gamma"]) ** 0.5
        ),
        caption=r"Mean-KL: the sharp gap over $\gamma D/(1-\gamma)^2$, between two bounds; it falls as $D$ grows. Where the "
        "least is above 4, no bound that is linear with the constant 4 is true. As $D \\to 0$ at least "
        r"$2\sqrt{(1-\gamma)/\gamma}$ is needed, the local bound; 4 is enough for $\gamma \ge 1/5$, and 2 for "
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


_OUTWARD = {"lower": Toward.DOWN, "upper": Toward.UP, "apart": Toward.UP}


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
        every: Any = gaps.sort_values(["gamma", "radius"])
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
