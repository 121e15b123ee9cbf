"""The supersolutions that are part of the package: what proves mean-kl/linear-2 and -4 below the discounts of `half_line`.

Each is an evidence file, which `trpo-theory certify` proves again. `search.supersolution` made them, for K, the
discounts from and to, a mesh and B:
    4, 1/5, 1/4, Mesh(radius=0.02, growth=0.3, step=0.3, far=20, near=20, inner=8), 1.5
    2, 21/40, 4/5, Mesh(radius=0.01, growth=0.1, step=0.1, far=300, near=100, inner=10), 0.5
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
