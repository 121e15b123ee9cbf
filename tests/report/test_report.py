"""Tables: what a person reads, what LaTeX compiles, what a script reads back."""

import io
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

import trpo_theory as tt
from trpo_theory.report import Table, cells, show, write

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
    with pytest.raises(tt.InvalidInput, match="fix: "):
        write(TABLE, tmp_path / "file" / "x", "x")


def test_a_column_of_decimals_is_aligned_by_siunitx():
    frame = pd.DataFrame({"M": [-12.5, 0.25, np.inf], "gap": [1.5e-7, -3.25e-12, 0.0], "n": [1, 20, 300]})
    text = Table(frame, "C.", "t", digits={"M": 3}, scientific=("gap",), mark=((1, "M"),)).to_latex()
    assert "{S[table-format=-2.3]S[table-format=-1.3e-2]r}" in text
    assert r"-12.5 & 1.500e-7 & 1 \\" in text
    assert r"\bfseries 0.250 & -3.250e-12 & 20 \\" in text
    assert r"{$\infty$} & 0 & 300 \\" in text
    assert "{M} & {gap} & n" in text


@pytest.mark.parametrize(
    ("value", "error", "text", "latex"),
    [
        (0.1234567, 0.0042, "0.123 ± 0.004", "0.123(4)"),
        (0.1234567, 0.0142, "0.123 ± 0.014", "0.123(14)"),
        (12.3456, 0.098, "12.3 ± 0.1", "12.3(1)"),
        (-12.3456, 1.5, "-12.3 ± 1.5", "-12.3(15)"),
        (123.4, 31.0, "(1.2 ± 0.3)e2", "1.2(3)e2"),
        (123.4, 3.1, "123 ± 3", "123(3)"),
        (1.2345e-7, 1.5e-9, "(1.235 ± 0.015)e-7", "1.235(15)e-7"),
        (0.0, 0.03, "0.00 ± 0.03", "0.00(3)"),
        (0.5, 0.0, "0.5000", "0.5000"),
        (np.inf, 0.1, "inf", r"$\infty$"),
    ],
)
def test_a_standard_error_sets_the_digits(value, error, text, latex):
    table = Table(pd.DataFrame({"x": [value], "se": [error]}), "C.", "t", uncertainty={"x": "se"})
    assert table.shown().to_dict("list") == {"x": [text]}
    assert f"\n{latex} " in table.to_latex()
    assert "se" in table.to_csv()


def test_html_is_read_back_with_its_classes_and_unrounded_numbers():
    text = Table(FRAME, "A <caption>.", "tab:x", headings={"value": (r"$M$", "M")}, mark=((1, "slack"),)).to_html(
        caption=True
    )
    root = ElementTree.fromstring(text)
    assert root.find("caption").text == "A <caption>."
    assert [(cell.text, cell.get("class"), cell.get("scope")) for cell in root.iter("th")] == [
        ("id", None, "col"),
        ("M", "number", "col"),
        ("slack", "number", "col"),
        ("holds", None, "col"),
        ("a_b", None, "row"),
        ("50%", None, "row"),
    ]
    texts = [["".join(cell.itertext()) for cell in row] for row in root.find("tbody")]
    assert texts == [["a_b", "−1235", "∞", "True"], ["50%", "1.500×10−7", "0", "False"]]
    values = [data.get("value") for data in root.iter("data")]
    assert [float(value) for value in values] == [-1234.5678, np.inf, 1.5e-7, 0.0]
    assert [strong.text for strong in root.iter("strong")] == ["0"]
    assert "style=" not in text
    assert root.find("tbody").findall("tr")[1][1].find("data/sup").text == "−7"


def test_special_characters_are_text_and_mathematics_is_kept():
    frame = pd.DataFrame({"a&b": ["50% {x}^2 ~ \\d <|>", "$x_1$ & y", "5$", "η ≥ M"]})
    text = Table(frame, "C.", "t").to_latex()
    assert r"a\&b" in text
    assert r"50\% \{x\}\textasciicircum{}2 \textasciitilde{} \textbackslash{}d $<$$|$$>$" in text
    assert r"$x_1$ \& y" in text
    assert r"5\$" in text
    assert r"$\eta$ $\geq$ M" in text


def test_marks_in_markdown_and_a_caption_without_latex():
    text = Table(FRAME, r"$\eta$.", "t", mark=((0, "id"),), plain_caption="The return.").to_markdown()
    assert text.startswith("The return.\n")
    assert "**a_b**" in text


@pytest.mark.parametrize(
    "options",
    [{"mark": ((2, "id"),)}, {"mark": ((0, "ids"),)}, {"uncertainty": {"value": "se"}}, {"scientific": ("x",)}],
)
def test_options_on_what_is_not_there_are_refused(options):
    with pytest.raises(tt.InvalidInput, match="fix: "):
        Table(FRAME, "C.", "t", **options)


def test_html_is_written_on_request(tmp_path):
    (path,) = write(TABLE, tmp_path, "x", suffixes=(".html",))
    assert path.read_text(encoding="utf-8") == TABLE.to_html(caption=True)


def test_a_caption_compiles_as_text_and_keeps_its_mathematics_and_commands():
    told = cells.caption(r"target_kl is 5% of \emph{it} \& η: $\max_s x_1 > 0$, q < 1; 10\% as it is.")
    assert told == r"target\_kl is 5\% of \emph{it} \& $\eta$: $\max_s x_1 > 0$, q $<$ 1; 10\% as it is."
    frame = pd.DataFrame({"a": [1.5]})
    assert r"{target\_kl}" in Table(frame, caption="target_kl", label="x").to_latex()
    assert Table(frame, caption="target_kl", label="x").to_markdown().startswith("target_kl")
