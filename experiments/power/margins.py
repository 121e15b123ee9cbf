"""The margin that a search finds in nine cases of ten, by what a penalty reads and the discounts of the bound."""

from __future__ import annotations

from typing import Any

import pandas as pd

from experiments.power.case import REGIONS

_CASES = 0.9
"""Nine of ten."""


def margins(frame: Any) -> pd.DataFrame:
    """One row a family and region: the least margin such that it and all larger ones were found in nine cases of ten; else 1.

    Bounds only, with hypotheses about the discount at most.
    """
    bounds = frame[frame["family"].str.contains("max_|mixture") & frame["region"].isin(REGIONS) & (frame["margin"] > 0)]
    rows: list[dict[str, Any]] = []
    for (family, region), group in bounds.groupby(["family", "region"], sort=False):
        found = (group["verdict"] == "refuted").groupby(group["margin"]).mean()
        least = 1.0
        for margin, share in found.sort_index(ascending=False).items():
            if share < _CASES:
                break
            least = float(str(margin))
        rows.append({"reads": family, "gamma": region, "cases": len(group), "margin": least})
    return pd.DataFrame(rows)
