"""`python tests/helpers/missing_witnesses.py [SEED]`: a file in tests/witnesses for each refuted claim that has none."""

from __future__ import annotations

import sys
from pathlib import Path

import trpo_theory as tt
from trpo_theory.verification.falsifying import falsify

FOLDER = Path(__file__).resolve().parent.parent / "witnesses"


def main(seed: int = 0) -> None:
    for claim in tt.claims.catalogue.values():
        file = FOLDER / f"{claim.id.replace('/', '--')}.json"
        if claim.expected is not False or file.exists():
            continue
        verdict = falsify(claim, seed=seed)
        if verdict.witness is not None:
            verdict.witness.write(file)
        sys.stdout.write(f"{claim.id}: {verdict.verdict}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
