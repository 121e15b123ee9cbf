"""Adding a divergence is one file: Samson's, from CONTRIBUTING.md, in a copy, seen from the command line."""

import json

import pytest
from additions import checkout_with, run

import trpo_theory

pytestmark = pytest.mark.slow
WRITTEN = "trpo_theory/sharp/divergences/samson.py"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the checkout with one file more, the one of CONTRIBUTING.md."""
    added = checkout_with("A divergence of the sharp gap", tmp_path_factory.mktemp("checkout"))
    assert (added / WRITTEN).is_file()
    return added


def verb(checkout, *arguments):
    return run(checkout, "trpo_theory.cli", *arguments)


@pytest.mark.whole
def test_it_is_certified_and_its_proof_file_is_checked(checkout):
    """Close to l = 1 the divergences agree, Samson's is 2 KL to leading order, and so must their gaps."""
    arguments = "--divergence max-samson --gamma .5 --radius .005 --certify --proof proof.json --out witness.json"
    printed = verb(checkout, "sharp", *arguments.split(), "--json")
    assert printed.returncode == 0, printed.stderr
    found = json.loads(printed.stdout)
    assert found["certified"]
    assert 0 < found["lower"] <= found["upper"] <= 1.05 * found["lower"]
    assert trpo_theory.sharp_gap("max-kl", 0.5, 0.0025).lower == pytest.approx(found["lower"], rel=0.05)
    proved = verb(checkout, "certify", "proof.json", "--json")
    assert proved.returncode == 0, proved.stderr
    assert "max-Samson(old, new) <= 1/200" in json.loads(proved.stdout)["theorem"]
    assert verb(checkout, "bound", "witness.json", "--old", "old", "--new", "new", "--json").returncode == 0


@pytest.mark.whole
def test_help_tables_and_messages_know_it(checkout):
    assert "max-samson" in verb(checkout, "sharp", "--help").stdout
    table = verb(checkout, "sharp", "--divergence", "max-samson", "--gamma", ".9", "--radius", ".01")
    assert "sharp gap of max-samson" in table.stdout
    misspelt = verb(checkout, "sharp", "--divergence", "max-samsn", "--gamma", ".9", "--radius", ".01")
    assert misspelt.returncode == 2
    assert "did you mean 'max-samson'" in misspelt.stderr


def test_the_tests_of_every_divergence_hold_for_it(checkout):
    """Its parts are put to the same oracles, from the copy, without another line."""
    found = run(checkout, "pytest", "-q", "-p", "no:cacheprovider", "-k", "samson", "tests/sharp/test_divergences.py")
    assert found.returncode == 0, found.stdout
    assert "deselected" in found.stdout


@pytest.mark.whole
def test_a_conjugate_that_is_wrong_fails_them(checkout):
    path = checkout / WRITTEN
    written = path.read_text(encoding="utf-8")
    path.write_text(written.replace("(4 * multiplier)", "(3 * multiplier)"), encoding="utf-8")
    try:
        found = run(
            checkout,
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            "-k",
            "samson",
            "tests/sharp/test_divergences.py",
        )
    finally:
        path.write_text(written, encoding="utf-8")
    assert found.returncode == 1, found.stdout
