"""Numbers of a file keep their decimal or rational value in a proof on the command line."""

import json
from fractions import Fraction

import pytest

from trpo_theory.cli import main

ROWS = {"old": [[0.7, 0.3], [1, 0]], "new": [["1/7", "6/7"], [1, 0]]}


@pytest.fixture
def enclosures(tmp_path, capsys):
    def run(**changes):
        fields = {
            "transition": [[[0.1, 0.9], [1, 0]], [[0, 1], [0, 1]]],
            "reward": [[0.1, "1/3"], [0, 0]],
            "gamma": 0.9,
            "initial": [1, 0],
        }
        path = tmp_path / "one.json"
        path.write_text(json.dumps(fields | ROWS | changes))
        assert main(["bound", str(path), "--old", "old", "--new", "new", "--certify", "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)["bounds"]
        return {row["id"]: row["enclosure"] for row in rows}

    return run


def test_a_decimal_of_a_file_is_the_decimal_in_bound_certify(enclosures):
    decimal = enclosures()
    rational = enclosures(
        transition=[[["1/10", "9/10"], [1, 0]], [[0, 1], [0, 1]]],
        reward=[["1/10", "1/3"], [0, 0]],
        gamma="9/10",
        old=[["7/10", "3/10"], [1, 0]],
    )
    assert decimal == rational
    assert Fraction(decimal["trpo/tv"]).denominator < 10**12  # a rational of the file's own numbers, not of floats
