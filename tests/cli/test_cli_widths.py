"""Tables fit the columns that COLUMNS names, on a page and in a pipe; a width of the sharp gap that is missed is said."""

import re

import pytest
from cheap import sample
from rich.table import Table

from trpo_theory import claims
from trpo_theory.cli import main
from trpo_theory.cli.terminal import literal, new_console, print_table
from trpo_theory.sharp import solving


@pytest.mark.parametrize("columns", [60, 80])
def test_piped_tables_fit_the_columns_that_are_asked_for(columns, capsys, monkeypatch):
    verb = ["bound", "zoo:coupling-tight", "--gamma", "0.5", "--old", "old", "--new", "new", "--certify"]
    monkeypatch.delenv("COLUMNS", raising=False)
    assert main(verb) == 0
    wide = capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(verb) == 0
    narrow = capsys.readouterr().out
    rows = [line for line in narrow.splitlines() if line.startswith("  ")]
    assert max(map(len, rows)) <= columns
    table = wide.partition("penalty   ")[2]
    for cell in re.findall(r"[^\s─]+", table):  # nothing is lost or broken
        assert cell in narrow
    assert len([row for row in rows if row.startswith("  trpo/kl ")]) > 1  # each part has the names


def test_a_width_that_is_missed_is_said_with_what_helps(capsys, monkeypatch):
    most = solving._MOST_NODES
    monkeypatch.setattr(solving, "_MOST_NODES", 50)
    ask = ["sharp", "--divergence", "max-kl", "--gamma", "0.5", "--radius", "0.1"]
    assert main([*ask, "--width", "1e-4"]) == 0
    found = capsys.readouterr()
    assert "note: " not in found.out
    match = re.search(
        r"note: the ends are (\S+) apart \(upper/lower - 1\), where 0.0001 was asked for; --nodes N with", found.err
    )
    assert match
    lower, upper = (float(re.search(rf"{end} +(\S+)", found.out)[1]) for end in ("lower", "upper"))
    assert float(match[1]) == pytest.approx(upper / lower - 1, rel=0.05)
    above = int(re.search(r"N above (\d+)", found.err)[1])
    monkeypatch.setattr(solving, "_MOST_NODES", most)
    assert main([*ask, "--nodes", str(4 * above)]) == 0  # the fix works
    found = capsys.readouterr()
    assert found.err == ""
    lower, upper = (float(re.search(rf"{end} +(\S+)", found.out)[1]) for end in ("lower", "upper"))
    assert upper / lower - 1 < float(match[1]) / 4


def test_a_width_that_is_reached_needs_no_note(capsys):
    assert main(["sharp", "--divergence", "max-tv", "--gamma", "0.5", "--radius", "0.25"]) == 0
    assert capsys.readouterr().err == ""


def test_the_table_of_a_paper_has_columns_that_fit_a_page(tmp_path, capsys):
    assert main(["verify", "trpo/kl", "trpo/tv-2", "--instances", "300", "--out", str(tmp_path)]) in (0, 1)
    latex = (tmp_path / "verdicts.tex").read_text()
    heads = re.search(r"\\toprule\n(.*?) \\\\", latex)[1].split(" & ")
    assert heads == ["claim", "statement", "verdict", "least slack", "proof or witness"]
    shares = [float(share) for share in re.findall(r"p\{([\d.]+)\\textwidth\}", latex)]
    assert len(shares) == 3
    assert sum(shares) < 0.7  # beside them a verdict and a number: test_latex compiles such a table
    assert rf"${claims['trpo/kl'].statement}$" in latex
    assert "theorem, machine-checked (docs/theory.md" in latex
    assert len((tmp_path / "verdicts.csv").read_text().splitlines()[0].split(",")) == 16
    page = (tmp_path / "verdicts.md").read_text().splitlines()[2]
    heads = [cell.strip() for cell in page.strip("|").split("|")]
    assert heads == ["claim", "statement", "expected", "verdict", "effective", "least slack", "proof or witness"]


VERBS = (
    ["claims", "chi2/*", "average/doeblin/kakade*"],
    ["claims", "--by-paper", "trm/*"],
    ["fields"],
    ["evaluate", "gym:FrozenLake-v1", "--gamma", "0.99"],
    ["evaluate", "zoo:queue", "--criterion", "average"],
    ["bound", "zoo:coupling-tight?x=1/4", "--gamma", "1/2", "--old", "old", "--new", "new"],
    [
        "update",
        "zoo:queue",
        "--criterion",
        "average",
        "--old",
        "uniform",
        "--problem",
        "max-kl",
        "--delta",
        "0.1",
        "--cost",
        "fast:0.39",
    ],
    ["improve", "zoo:coupling-tight", "--gamma", "1/2", "--problem", "mean-kl", "--delta", "0.01", "--steps", "2"],
    ["sharp", "--divergence", "max-tv", "--gamma", "1/2", "--radius", "1/4"],
    ["prove", "trpo/kl"],
    ["report", "--help"],
)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: " ".join(verb)[:30])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_cut(verb, capsys, monkeypatch):
    """Each word of the unfolded output is there, whole or folded, and no number is broken."""
    monkeypatch.delenv("COLUMNS", raising=False)
    assert main(verb) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = {number - 1 for number, line in enumerate(lines) if line.strip() and set(line) <= {" ", "─"}}
    words = [word for number, line in enumerate(lines) if number not in heads for word in line.split()]
    words = [word for word in words if not set(word) <= set("─╭╮╰╯│")]
    for columns in sample((40, 60, 80, 100, 200), 2):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert main(verb) == 0
        text = capsys.readouterr().out
        assert max(map(len, (line.rstrip() for line in text.splitlines()))) <= columns
        assert "…" not in text
        if verb[-1] == "--help":
            continue
        folded = "".join(text.split())
        assert [word for word in words if word not in folded] == []
        whole = set(text.replace(",", " ").replace(";", " ").split())
        numbers = {word.strip(",;") for word in words if re.fullmatch(r"-?\d[\d.e+-]*", word.strip(",;"))}
        assert numbers <= {word.strip("().:") for word in whole} | whole


def test_ids_are_folded_after_a_slash_and_numbers_never(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["show", "average/doeblin/kakade-langford/greedy-any"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("average/doeblin/kakade-langford/\n  greedy-any, expected false:")
    assert all(len(line) <= 40 for line in text.splitlines())


@pytest.mark.parametrize("columns", ["", "60"])
def test_names_between_colons_are_printed_as_they_are(columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    console = new_console()
    table = Table("claim")
    table.add_row("mine/:bug:")
    print_table(console, table)
    console.print(literal(":100:.json") + " [b]written[/b]")
    out = capsys.readouterr().out
    assert "mine/:bug:" in out
    assert ":100:.json written" in out
