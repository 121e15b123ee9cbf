"""Adding a divergence is one file: squared Hellinger, in a temporary copy of the package, from the command line."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import trpo_theory

HELLINGER = '''
"""The squared Hellinger distance 1 − Σ √(old new): f(l) = 1 − √l."""

from __future__ import annotations

import numpy as np

from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.sharp.divergence import Divergence, Reduction


def _peak(c: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """l = (λ/(2c))², for c < 0."""
    return np.where(c < 0, (multiplier / np.where(c < 0, 2 * c, 1.0)) ** 2, np.inf)


def _conjugate(c: fmpq, multiplier: fmpq) -> arb | fmpq:
    """−λ − λ²/(4c), for c < 0."""
    if multiplier == 0 or c >= 0:
        return fmpq(0) if multiplier == 0 and c <= 0 else arb("inf")
    return -multiplier - multiplier**2 / (4 * c)


def _largest_gain(radius: float) -> float:
    """√(1 − (2 (1 − D)² − 1)²): two atoms 1 ± m have √(1 + m) + √(1 − m) = 2 (1 − D)."""
    affinity = 2 * (1 - radius) ** 2 - 1
    return float(np.sqrt((1 - affinity) * (1 + affinity))) if affinity > 0 else 1.0


DIVERGENCE = Divergence(
    name="hellinger2",
    notation="H2(old, new)",
    unit="squared Hellinger",
    field="hellinger2",
    reductions=(Reduction("max-hellinger2"),),
    generator=lambda ratio: 1 - np.sqrt(ratio),
    at_zero=1.0,
    at_infinity=0.0,
    centred=lambda ratio: (np.sqrt(ratio) - 1) ** 2 / 2,
    tilt=0.5,
    peak=_peak,
    largest_gain=_largest_gain,
    enclosed=lambda ratio: (ratio + 1) / 2 - arb(ratio).sqrt(),
    conjugate=_conjugate,
    largest_radius=1.0,
)
'''


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The package and its tests of divergences, copied, with one file more."""
    folder = tmp_path_factory.mktemp("checkout")
    package = Path(trpo_theory.__file__).parent
    shutil.copytree(package, folder / "trpo_theory", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(Path(__file__).with_name("test_divergences.py"), folder)
    (folder / "trpo_theory/sharp/divergences/hellinger2.py").write_text(HELLINGER.lstrip(), encoding="utf-8")
    return folder


def run(checkout, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(checkout), "COLUMNS": "120", "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )


def verb(checkout, *arguments):
    return run(checkout, "trpo_theory.cli", *arguments)


def test_it_is_certified_and_its_proof_file_is_checked(checkout):
    """Close to l = 1 the divergences agree, KL = 4 (1 − BC) to leading order, and so must their gaps."""
    arguments = "--divergence max-hellinger2 --gamma .9 --radius .01 --certify --proof proof.json --out witness.json"
    printed = verb(checkout, "sharp", *arguments.split(), "--json")
    assert printed.returncode == 0, printed.stderr
    found = json.loads(printed.stdout)
    assert found["certified"]
    assert 0 < found["lower"] <= found["upper"] <= 1.05 * found["lower"]
    assert trpo_theory.sharp_gap("max-kl", 0.9, 0.04, nodes=24).lower == pytest.approx(found["lower"], rel=0.05)
    proved = verb(checkout, "certify", "proof.json", "--json")
    assert proved.returncode == 0, proved.stderr
    assert "max-H2(old, new) <= 1/100" in json.loads(proved.stdout)["theorem"]
    assert verb(checkout, "bound", "witness.json", "--old", "old", "--new", "new", "--json").returncode == 0


def test_help_tables_and_messages_know_it(checkout):
    assert "max-hellinger2" in verb(checkout, "sharp", "--help").stdout
    table = verb(checkout, "sharp", "--divergence", "max-hellinger2", "--gamma", ".9", "--radius", ".01")
    assert "sharp gap of max-hellinger2" in table.stdout
    misspelt = verb(checkout, "sharp", "--divergence", "max-helinger", "--gamma", ".9", "--radius", ".01")
    assert misspelt.returncode == 2
    assert "did you mean 'max-hellinger2'" in misspelt.stderr


def test_the_tests_of_every_divergence_hold_for_it(checkout):
    """Its parts are put to the same oracles, from the copy, without another line."""
    found = run(checkout, "pytest", "-q", "-p", "no:cacheprovider", "-k", "hellinger2", "test_divergences.py")
    assert found.returncode == 0, found.stdout
    assert "deselected" in found.stdout


def test_a_conjugate_that_is_wrong_fails_them(checkout):
    path = checkout / "trpo_theory/sharp/divergences/hellinger2.py"
    path.write_text(HELLINGER.replace("4 * c)", "3 * c)"), encoding="utf-8")
    try:
        found = run(checkout, "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", "hellinger2", "test_divergences.py")
    finally:
        path.write_text(HELLINGER, encoding="utf-8")
    assert found.returncode == 1, found.stdout
