"""The supersolutions that are part of the package: what proves mean-kl/linear-2 and -4 below the discounts of `half_line`.

Each is an evidence file, which `trpo-theory certify` proves again; `python -m experiments.linear_mean_kl` made them.
"""

from __future__ import annotations

from pathlib import Path

from trpo_theory.io.evidence_files import exact_content
from trpo_theory.io.files import read_fields
from trpo_theory.sharp.mean_kl.supersolution import LinearOnInterval

FOLDER = Path(__file__).parent / "proofs"
"""Of the files, one a bound: mean-kl/linear-2 is proved by linear-2.json."""


def shipped(name: str) -> LinearOnInterval:
    """That of a bound, such as "linear-2", not proved again."""
    return LinearOnInterval.from_fields(exact_content(read_fields(FOLDER / f"{name}.json", exact=True, what="a proof")))
