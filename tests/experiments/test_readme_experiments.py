"""What the README and docs/ show of the experiments is current: tables as committed, committed numbers as they come out again."""

import json
import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from cheap import sampled

import trpo_theory as tt
from experiments import curves, errata, horizons, lower_bound, pictures, power, trusted_steps
from experiments.framework import read_frame
from experiments.readme import CHAPTER, DATA, DOCUMENTS, DRAWN, FIGURES, KEPT, MEASURED, RESULTS, TABLES, spliced
from trpo_theory.report import style

TEXTS = {path: path.read_text(encoding="utf-8") for path in DOCUMENTS}
TEXT = "\n".join(TEXTS.values())


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_shows_its_tables_as_they_are_committed(path):
    shown = set(re.findall(r"<!-- experiments: (\S+) -->", TEXTS[path]))
    assert shown <= {*TABLES, *KEPT, *MEASURED}
    assert spliced(TEXTS[path]) == TEXTS[path]


def test_each_table_and_figure_is_shown():
    assert set(re.findall(r"<!-- experiments: (\S+) -->", TEXT)) >= set(TABLES)
    for name in FIGURES:
        assert f"experiments/results/{name}.png" in TEXT
        assert (RESULTS / f"{name}.png").exists()


def test_the_chapter_shows_each_table_as_it_is_committed():
    text = CHAPTER.read_text(encoding="utf-8")
    shown = set(re.findall(r"<!-- experiments: (\S+) -->", text))
    assert len(shown) > 2
    assert shown <= set(KEPT)
    assert spliced(text) == text
    for name in DRAWN:
        assert f"experiments/results/{name}.png" in text
        assert (RESULTS / f"{name}.png").exists()


@pytest.mark.slow
def test_certified_steps_and_clips_come_out_again():
    settings = trusted_steps.Settings()
    frames = trusted_steps.run(replace(settings, cases=settings.cases[:1], penalty_cap=1, cap=1))
    found = {name: table.frame for name, table in trusted_steps.tables(frames).items()}
    _same(found["trusted-steps-clips"], read_frame(RESULTS / "trusted-steps-clips.csv"))
    for name in ("trusted-steps-kl", "trusted-steps-radius", "trusted-steps-penalty"):
        committed = read_frame(RESULTS / f"{name}.csv")
        _same(found[name], committed[committed.columns[:2]])


def test_the_numbers_of_the_chapter_are_those_of_the_results():
    text = " ".join(CHAPTER.read_text(encoding="utf-8").split())
    updates = read_frame(RESULTS / "trusted-steps-updates.csv")
    proved = updates["kind"].isin(["certified", "penalty"])
    made, fell = updates["made"], updates["falls"]
    assert fell[proved].sum() == 0
    assert f"Of {made[proved].sum():,} updates that are certified or by (11)" in text
    assert f"none lowered it; of {made[~proved].sum():,} others, {fell[~proved].sum()}." in text
    runs = read_frame(RESULTS / "trusted-runs.csv")
    real = runs[runs["algorithm"] != "exact TRPO"]
    assert (
        f"Of the {real['updates'].sum()} updates of TRPO and PPO {real['fell'].mean():.0%}".replace("%", " %") in text
    )
    for bound in ("transition/second-order", "chi2/second-order"):
        share = real[bound].mean()
        assert f"{share:.0%}".replace("%", " %") in text
        assert f"{share / (1 - real['fell'].mean()):.0%}".replace("%", " %") in text  # of the others none is certified
    assert f"M2 certifies {real['chi2/mean-max'].mean():.0%}".replace("%", " %") in text


def test_a_table_that_is_not_current_is_seen():
    first = (RESULTS / "errata.md").read_text(encoding="utf-8")
    assert spliced(TEXT.replace(first.splitlines()[-1], "| changed |")) != TEXT.replace(
        first.splitlines()[-1], "| changed |"
    )


@pytest.mark.whole
@pytest.mark.slow
def test_the_table_of_all_bounds_comes_out_again():
    found = lower_bound.by_bound(lower_bound.run(lower_bound.Settings())[""])
    _same(found, read_frame(RESULTS / "lower-bound-bounds.csv"))


@pytest.mark.slow
def test_a_sharp_gap_comes_out_again():
    rows = read_frame(RESULTS / "sharp-gaps.csv")
    assert (rows["lower"] < rows["upper"]).all()
    assert (rows["apart"] < 0.01).all()
    (row,) = rows[(rows["gamma"] == 0.5) & (rows["radius"] == 1)].to_dict("records")
    told = tt.sharp_gap("max-kl", 0.5, 1.0, certify=True, nodes=30)
    assert told.lower <= row["upper"] * (1 + 1e-4)  # rounded to some digits
    assert told.upper >= row["lower"] * (1 - 1e-4)
    assert told.lower == pytest.approx(row["lower"], rel=3e-3)


@pytest.mark.slow
def test_the_cheap_curves_come_out_again():
    """(12), (13) and policy iteration in full; the rows of (11) take minutes: python -m experiments curves."""
    settings = curves.Settings(bounds=())
    found = curves.tables(curves.run(settings))["curves"].frame.reset_index(drop=True)
    committed = read_frame(RESULTS / "curves.csv")
    committed = committed[~committed["method"].str.startswith("(11)")].reset_index(drop=True)
    columns = ["environment", "method", "updates", "to_half", "to_most", "closed", "lowered"]
    _same(found[columns], committed[columns])


def test_each_witness_of_the_errata_is_proved_again():
    rows = read_frame(RESULTS / "errata.csv").set_index("claim")
    witnesses = read_frame(RESULTS / "errata-witnesses.csv").set_index("id")["content"]
    assert set(rows.index) == set(witnesses.index) == {one.claim for one in errata.ERRATA}
    for claim_id, content in witnesses.items():
        fields = json.loads(content)
        certificate = tt.certify(fields)
        assert certificate.certified, claim_id
        assert rows["witness"][claim_id] == len(fields["reward"])
        told = [float(Fraction(part)) for part in str(rows["slack"][claim_id]).split(" to ")]
        ends = [float(Fraction(end)) for end in fields["slack"]]
        assert told[0] == pytest.approx(ends[0], rel=1e-3)
        assert rows["holds"][claim_id] == next(one.holds for one in errata.ERRATA if one.claim == claim_id)


@pytest.mark.slow
def test_the_pictures_are_those_of_their_numbers():
    found = pictures.run(pictures.Settings())
    assert set(DATA["pictures"]) == set(found)
    for name, frame in found.items():
        _same(frame, read_frame(RESULTS / f"pictures-{name}.csv"))


@pytest.mark.slow
@sampled("name", FIGURES, every=2)
def test_a_picture_drawn_again_is_the_one_shown(name, tmp_path):
    from matplotlib.image import imread

    frames = {part: read_frame(RESULTS / f"pictures-{part}.csv") for part in DATA["pictures"]}
    timing = ["id", "seed", "seconds", "total"]
    after = read_frame(RESULTS / "power-after.csv")
    frames |= {"": after.drop(columns=timing[2:]), "timing": after[timing]}
    frames["before-timing"] = read_frame(RESULTS / "power-before.csv").merge(after[timing[:2]])  # of the same claims
    drawing = {"pictures": pictures, "power": power, "horizons": horizons}[FIGURES[name]]
    if drawing is horizons:
        frames = {"": _with_excess("horizons"), "discounts": _with_excess("horizons-discounts")}
    style.save(drawing.figures(frames)[name](), tmp_path, name)
    drawn, shown = (imread(directory / f"{name}.png")[..., :3] for directory in (tmp_path, RESULTS))
    assert drawn.shape == shown.shape
    assert np.abs(drawn - shown).mean() < 0.01  # fonts are matplotlib's own; edges may differ with its release


def _with_excess(name):
    """A table of horizons with penalty/upper, which the figure draws, from lower/penalty."""
    rows = read_frame(RESULTS / f"{name}.csv")
    shares = {id: pd.to_numeric(rows[id]) for id in rows if "/" in id}
    return rows.assign(**{f"{id} excess": rows["lower"] / share / rows["upper"] for id, share in shares.items()})


def _same(found, committed):
    assert list(found.columns) == list(committed.columns)
    assert len(found) == len(committed)
    for name in found:
        if pd.api.types.is_float_dtype(found[name]):
            assert found[name].to_numpy() == pytest.approx(
                committed[name].to_numpy(float), rel=1e-4, abs=1e-9, nan_ok=True
            )
        else:
            assert list(map(str, found[name])) == list(map(str, committed[name])), name


@pytest.mark.parametrize(
    ("name", "lower", "upper"),
    [("sharp-gaps", "lower", "upper"), ("sharp-gaps-limit", "lower", "upper"), ("sharp-gaps-mean", "least", "most")],
)
def test_proved_ends_are_printed_outward(name, lower, upper):
    """Of nearest digits 9 of 16 uppers were below what was proved, and 9 of 16 lowers above it."""
    rows = read_frame(RESULTS / f"{name}.csv")
    lines = (RESULTS / f"{name}.md").read_text().splitlines()
    names, *shown = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    shown = shown[1:]
    assert len(shown) == len(rows)
    columns = {lower: -1, upper: 1} | ({"apart": 1, "chain-rule/kl": -1} if name == "sharp-gaps" else {})
    for column, sign in columns.items():
        printed = [Fraction(line[names.index(column)]) for line in shown]
        assert all(sign * (text - Fraction(value)) >= 0 for text, value in zip(printed, rows[column], strict=True))
