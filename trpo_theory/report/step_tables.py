"""One step as tables of a paper: its bounds, and what is known of an update."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, SupportsFloat

import pandas as pd

from trpo_theory._outward import Toward
from trpo_theory.entries.kinds import MAPPING, TEXT, TRUTH, brief, each_of, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.report.cells import show
from trpo_theory.report.symbols import in_text
from trpo_theory.report.tables import Table

_LONG = 40
"""Rows beyond which a table may be broken over pages in LaTeX; chosen: so many fit a page."""
_QUANTITIES = {
    "problem": ("problem", ""),
    "solver": ("solver", ""),
    "bound": ("certifying bound", ""),
    "objective": ("gain on standing still", ""),
    "upper_bound": ("upper bound of that gain", ""),
    "proved_objective": ("gain on standing still, proved", ""),
    "proved_upper_bound": ("upper bound of that gain, proved", ""),
    "relative gap": ("relative gap", ""),
    "radius": ("certified radius", r"$\delta$"),
    "promise": ("proved increase of the return", ""),
    "surrogate": ("surrogate", r"$L_\pi(\tilde\pi)$"),
    "surrogate_gain": ("gain on the surrogate", r"$L_\pi(\tilde\pi)-\eta(\pi)$"),
    "expected_return_old": ("expected return of the old policy", r"$\eta(\pi)$"),
    "expected_return_new": ("expected return of the new policy", r"$\eta(\tilde\pi)$"),
    "max_kl": ("largest KL divergence (nats)", r"$\max_s D_{\mathrm{KL}}(\pi_s\|\tilde\pi_s)$"),
    "reverse_max_kl": ("largest reverse KL divergence (nats)", r"$\max_s D_{\mathrm{KL}}(\tilde\pi_s\|\pi_s)$"),
    "mean_kl": ("mean KL divergence (nats)", r"$\mathbb{E}_{s\sim d_\pi} D_{\mathrm{KL}}(\pi_s\|\tilde\pi_s)$"),
    "max_tv": ("largest total variation", r"$\max_s D_{\mathrm{TV}}(\pi_s,\tilde\pi_s)$"),
    "reverse_max_chi2": ("largest reverse chi-square divergence", r"$\max_s \chi^2(\tilde\pi_s\|\pi_s)$"),
    "max_abs_advantage": ("largest absolute advantage", r"$\max_{s,a}|A_\pi(s,a)|$"),
    "rms_advantage": ("root mean square of the advantage", r"$(\mathbb{E}_{d_\pi,\pi} A_\pi^2)^{1/2}$"),
    "status": ("status", ""),
}
"""What quantities of a step are called, and their symbols: the names of JSON are no headings."""


def _attribute(record: object, name: str) -> Any:
    return getattr(record, name, None)


def bounds_table(rows: Sequence[Any], *, setting: str = "", proved: bool = False, shifted: Sequence[str] = ()) -> Table:
    """One row a bound on one step.

    Args:
        rows: what `tt.bounds.check_all(q)` or `tt.certify_bounds` returned, or the fields that `bound --json` has.
        setting: words on the step for the caption, such as "FrozenLake, discount 0.99, uniform to optimal".
        proved: whether signs are proved, as with `bound --certify`; slacks are then enclosures, where a row has one.
        shifted: ids of the bounds that have another centre than L, for the caption.

    Returns:
        The table: bound, penalty, lower bound, slack (all in units of the return) and whether it holds.
    """
    rows = each_of(object, rows, "rows", "")
    for row in rows:
        if not isinstance(row, Mapping) and not hasattr(row, "penalty"):
            raise InvalidInput(
                got=f"{brief(row)} as the row of a bound",
                wanted="a BoundCheck, a CertifiedBound, or the fields of one",
                fix="pass what tt.bounds.check_all(q) or tt.certify_bounds returned",
            )
    shifted = each_of(str, shifted, "shifted", "write ids of bounds")
    expect(TEXT, setting=setting)
    expect(TRUTH, proved=proved)
    words = {True: "proved" if proved else "yes", False: "refuted" if proved else "no", None: "undecided"}
    read: list[Callable[[str], Any]] = [
        row.get if isinstance(row, Mapping) else functools.partial(_attribute, row) for row in rows
    ]
    holds = [None if of("holds") is None else bool(of("holds")) for of in read]
    frame = pd.DataFrame(
        {
            "bound": [of("id") for of in read],
            "penalty": [float(of("penalty")) for of in read],
            "lower bound": [float(of("lower_bound")) for of in read],
            "slack": [(proved and of("enclosure")) or float(of("slack")) for of in read],
            "holds": [
                "says nothing" if one and math.isinf(of("penalty")) else words[one]
                for of, one in zip(read, holds, strict=True)
            ],
        }
    )
    also = f" (with a shift of $L$: {', '.join(map(in_text, shifted))})" if shifted else ""
    about = (
        r"Lower bounds on the return of the new policy: $\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \text{penalty}$" + also
    )
    return Table(
        frame,
        caption=f"{about}{f' ({in_text(setting)})' if setting else ''}.",
        label="tab:bounds",
        mark=tuple((k, "holds") for k, one in enumerate(holds) if not one),
        plain_caption="Lower bounds on the return of the new policy: eta(new) >= L - penalty"
        + (f" ({setting})." if setting else "."),
        long=len(rows) > _LONG,
    )


def quantities_table(
    fields: Mapping[str, str | SupportsFloat],
    *,
    caption: str,
    label: str,
    setting: str = "",
    outward: Mapping[str, Toward] | None = None,
) -> Table:
    """Named quantities of a step, in words, with their symbols.

    Args:
        fields: names as `update --json` and `bound --json` have them, and values; a name that is not one of theirs stands for
            itself.
        caption: of the table, in LaTeX, without its full stop.
        label: of the table.
        setting: words on the step, which the caption ends with.
        outward: proved ends, and the direction in which their digits are rounded.
    """
    expect(MAPPING, fields=fields)
    expect(MAPPING.or_none, outward=outward)
    expect(TEXT, caption=caption, label=label, setting=setting)
    known = {name: _QUANTITIES.get(name, (name, "")) for name in fields}
    frame = pd.DataFrame(
        {
            "quantity": [known[name][0] for name in fields],
            "symbol": [known[name][1] for name in fields],
            "value": [
                value if isinstance(value, str) else show(float(value), 6, toward=(outward or {}).get(name))
                for name, value in fields.items()
            ],
        }
    )
    if not any(frame["symbol"]):
        frame = frame.drop(columns="symbol")
    return Table(
        frame,
        caption=f"{caption}{f' ({in_text(setting)})' if setting else ''}.",
        label=label,
        plain_caption=f"{caption}{f' ({setting})' if setting else ''}.",
    )


def worst_case_table(rows: Sequence[Mapping[str, Any]], *, setting: str = "") -> Table:
    """The worst case over all MDPs, one row a distance of the step.

    Args:
        rows: what `SharpOfStep.to_fields` has: distance, radius, gamma, horizon or None, minorisation, and both ends.
        setting: words on the step for the caption.

    Returns:
        The table: distance, radius (nats, or total variation), and between which ends the largest L − η(new) lies, in units of
        the return. The ends are of floats, and not proved.
    """
    known = dict.fromkeys(_shared(row) for row in rows)
    return Table(
        pd.DataFrame(
            {
                "distance": [row["divergence"] for row in rows],
                "radius": [float(row["radius"]) for row in rows],
                "attained": [show(float(row["lower"]), 6) for row in rows],
                "at most": [show(float(row["upper"]), 6) for row in rows],
            }
        ),
        caption=r"The largest $L_\pi(\tilde\pi) - \eta(\tilde\pi)$ over all MDPs with the step's "
        f"{' or '.join(known)}, $\\epsilon$ and distance, in floats{f' ({in_text(setting)})' if setting else ''}.",
        label="tab:worst-case",
        plain_caption=f"The largest L - eta(new) over all MDPs with the step's epsilon and distance ({setting or 'floats'}).",
    )


def _shared(row: Mapping[str, Any]) -> str:
    """What those MDPs share with the step, in LaTeX."""
    if row["minorisation"] < 1:
        return r"$\beta$ ($P \ge \beta\nu$)"
    return r"$\gamma$" if row["horizon"] is None else r"$\gamma$, $T$"
