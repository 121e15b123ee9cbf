"""Tables: what a person reads, what LaTeX compiles, what a script reads back."""

import io

import numpy as np
import pandas as pd
import pytest

import trpo_theory as tt
from trpo_theory.report import Table, show, write

FRAME = pd.DataFrame(
    {"id": ["a_b", "50%"], "value": [-1234.5678, 1.5e-7], "slack": [np.inf, 0.0], "holds": [True, False]}
)
TABLE = Table(FRAME, "A caption.", "tab:x", headings={"value": (r"$M$", "M")}, digits={"value": 3})


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.058213, 4, "0.05821"),
        (-12.3, 4, "-12.30"),
        (1.3e-7, 4, "1.300e-7"),
        (-17612.0, 3, "-1.76e4"),
        (0.5, 1, "0.5"),
        (9.9996, 4, "10.00"),
        (np.inf, 4, "inf"),
        (0.0, 4, "0"),
        (3, 4, "3"),
        ("", 4, ""),
        (True, 4, "True"),
    ],
)
def test_show(value, digits, text):
    assert show(value, digits) == text


def test_csv_keeps_every_digit():
    back = pd.read_csv(io.StringIO(TABLE.to_csv()))
    assert (back["value"] == FRAME["value"]).all()
    assert (back["slack"] == FRAME["slack"]).all()


def test_latex():
    text = TABLE.to_latex()
    for part in (r"\toprule", r"\midrule", r"\bottomrule", r"\caption{A caption.}", r"\label{tab:x}", "{lrrl}"):
        assert part in text
    assert r"a\_b & $-$1235 & $\infty$ & True" in text
    assert r"50\% & $1.50\cdot10^{-7}$ & 0 & False" in text
    assert "& $M$ &" in text


def test_markdown():
    lines = TABLE.to_markdown().splitlines()
    assert lines[0] == "A caption."
    assert [cell.strip() for cell in lines[2].strip("|").split("|")] == ["id", "M", "slack", "holds"]
    assert "-1235" in lines[4]


def test_write_makes_three_files_and_replaces_them_whole(tmp_path):
    paths = write(TABLE, tmp_path / "new", "x")
    assert sorted(path.name for path in paths) == ["x.csv", "x.md", "x.tex"]
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"x.csv", "x.md", "x.tex"}
    assert paths[0].read_text() == TABLE.to_latex()


def test_a_directory_that_cannot_be_made_is_one_message(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(tt.InvalidInput, match="to mend it"):
        write(TABLE, tmp_path / "file" / "x", "x")
