"""The kept results: whole, as expected, of this code's experiments, and in the wheel."""

from __future__ import annotations

import dataclasses
import fnmatch
import json
import re
import tomllib
from pathlib import Path

import pytest

import trpo_theory as tt
from experiments import readme, report
from experiments.framework import Place, registry
from trpo_theory.cli import main
from trpo_theory.report import front, stored
from trpo_theory.report.names import in_prose
from trpo_theory.report.page.definitions import OTHERS, PROBLEMS, SETTING, STEP, VERDICTS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def kept():
    return stored.catalogue()


def test_the_kept_verdicts_are_as_expected_and_witnesses_are_there(kept):
    rows = {row["id"]: row for row in kept.rows}
    assert len(rows) == len(kept.rows) >= 400
    assert len(set(rows) & set(tt.claims.catalogue)) >= 0.95 * len(rows)
    for name, row in rows.items():
        claim = tt.claims.catalogue.get(name)
        if claim is not None and claim.expected in (True, False):
            assert (row["verdict"] == "refuted") is (not claim.expected), name
        assert (row["witness"] is not None) is (row["verdict"] == "refuted"), name
        assert bool(row["proof"]) is (row["verdict"] == "proved"), name


def test_it_says_of_when_and_of_what_it_is(kept):
    assert re.fullmatch(r"[0-9a-f]{7,}\+?", kept.commit)
    day = int(kept.date.rpartition("-")[2])
    assert re.search(
        rf"{len(kept.rows)} claims on {day} \w+ 20\d\d, by version {re.escape(kept.version)} \(commit `", kept.dated
    )


def test_it_says_what_was_added_since(kept):
    fewer = dataclasses.replace(kept, rows=kept.rows[3:])
    assert fewer.dated.endswith(f"Added since, and not among them: {len(set(tt.claims.catalogue) - _ids(fewer))}.")
    assert len(set(tt.claims.catalogue) - _ids(fewer)) >= 3


def _ids(kept):
    return {row["id"] for row in kept.rows}


def test_the_index_is_that_of_the_experiments():
    assert (readme.RESULTS / stored.INDEX).read_text(encoding="utf-8") == readme.index()


def test_a_kept_table_is_shown_with_every_cell():
    section = next(section for section in stored.sections() if section.id == "sharp-gaps")
    html = section.items[0].to_html()
    lines = (readme.RESULTS / "sharp-gaps.md").read_text(encoding="utf-8").splitlines()
    body = [line for line in lines if line.startswith("|")][2:]
    assert html.count("<tr>") == len(body) + 1
    first = [cell.strip() for cell in body[1].strip("|").split("|")]
    assert f'<td class="number">{first[2]}</td>' in html


def test_the_wheel_has_what_the_page_reads():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]
    assert wheel["sources"] == {"experiments/results": "trpo_theory/report/results"}
    index = json.loads((readme.RESULTS / stored.INDEX).read_text(encoding="utf-8"))
    names = [f"{name}.{suffix}" for of in index for name in of["tables"] for suffix in ("md", "csv")]
    for name in (*names, stored.INDEX, stored.CATALOGUE):
        path = f"/experiments/results/{name}"
        assert any(fnmatch.fnmatch(path, pattern) for pattern in wheel["include"]), path
        assert path not in wheel["exclude"]
        assert (ROOT / path[1:]).exists()


def test_the_verb_writes_the_page(tmp_path, capsys):
    assert main(["report", "--out", str(tmp_path / "new"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    page = Path(said["page"]).read_text(encoding="utf-8")
    assert said["sections"][:3] == ["explorer", "definitions", "pictures"]
    assert said["sections"][-1] == "catalogue"
    assert said["catalogue"]["claims"] == page.count('<tr role="row" data-verdict=') >= 400
    assert main(["report", "--out", str(tmp_path / "new")]) == 0
    assert str(tmp_path / "new" / "index.html") in capsys.readouterr().out


@pytest.mark.slow
def test_a_short_run_shows_the_whole_catalogue(tmp_path, kept):
    experiment = registry()["catalogue"]
    place = Place(experiment, tmp_path)
    place.run(experiment.Settings(claims=("trpo/tv-2",), instances=50, jobs=1))
    section = report.section(place)
    assert kept.dated in section.lead
    assert "1 claims: 1 refuted" in section.lead
    html = section.items[0].to_html()
    assert all(f"<code>{row['id'].replace('/', '/' + chr(0x200B))}</code>" in html for row in kept.rows)


GREEK = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "eta",
    "theta",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "Pi",
    "pi",
    "rho",
    "sigma",
    "tau",
    "chi",
    "Delta",
]


def test_letters_are_defined():
    """Every Greek letter of a statement, and of the leads and captions of the experiments."""
    known = " ".join(word + text for word, text in (*SETTING, *STEP, *PROBLEMS, *VERDICTS, *OTHERS))
    texts = [claim.statement for claim in tt.claims.catalogue.values()]
    for experiment in registry().values():
        texts += [experiment.LEAD, *experiment.captions().values()]
    used = {name for text in texts for name in re.findall(r"\\([A-Za-z]+)", text)} & {
        *GREEK,
        "zeta",
        "phi",
        "psi",
        "omega",
        "Phi",
    }
    assert used
    assert {name for name in used if not re.search(rf"\\{name}(?![a-zA-Z])", known)} == set()
    letters = dict(zip("αβγδεηθκλμνξΠπρστχΔ", GREEK, strict=True))
    written = {letter for text in texts for letter in text if "α" <= letter <= "ω"} - {"ς"}
    assert {letter for letter in written if not re.search(rf"\\{letters.get(letter)}(?![a-zA-Z])", known)} == set()


def test_problems_have_names_on_the_page():
    for experiment in registry().values():
        for text in (experiment.TITLE, experiment.LEAD, *experiment.captions().values()):
            assert not re.search(r"\(1[123]\)", in_prose(text)), text
    html = front.page().to_html()
    outside = re.sub(r'<section id="definitions".*?</section>', "", html, flags=re.DOTALL)
    outside = re.sub(r"<script>.*?</script>|<section id=\"catalogue\".*?</section>", "", outside, flags=re.DOTALL)
    assert not re.search(r"[^0-9]\(1[123]\)", outside)
