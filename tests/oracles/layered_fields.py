"""The fields of a witness over a horizon, with states (t, s)."""

from __future__ import annotations

from typing import Any


def layered(given: dict[str, Any], steps: int) -> dict[str, Any]:
    """The fields with states (t, s)."""
    n = len(given["old"])
    out = {
        name: [row for _ in range(steps) for row in value]
        for name, value in given.items()
        if name in ("reward", "old", "new", "available", "costs", "references", "reference", "noise", "groups")
    }
    out["initial"] = given["initial"] + [0] * (n * (steps - 1))
    for name in {"transition", "model"} & given.keys():
        out[name] = [
            [[p if u == t + 1 else 0 for u in range(steps) for p in row] for row in rows]
            for t in range(steps)
            for rows in given[name]
        ]
    return given | out
