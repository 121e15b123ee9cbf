"""The catalogue paper by paper, against what the sources say."""

from __future__ import annotations

import re

from trpo_theory import claims
from trpo_theory.claims import papers


def test_every_source_with_a_number_has_its_paper():
    """Each arXiv number of a source is a mark of exactly one paper; no mark stands for nothing."""
    numbers = {
        number for record in claims.catalogue.values() for number in re.findall(r"arXiv:(\d{4}\.\d{5})", record.source)
    }
    marks = [mark for paper in papers.PAPERS for mark in paper.marks]
    assert len(marks) == len(set(marks))
    assert numbers <= set(marks)
    for mark in marks:
        assert any(mark in record.source for record in claims.catalogue.values()), mark


def test_a_paper_is_the_first_that_a_source_names():
    named = {
        name: papers.paper_of(claims.catalogue[name])
        for name in ("trpo/tv", "kakade-langford", "agents/shared", "id/flow")
    }
    found = {name: paper and paper.name for name, paper in named.items()}
    assert found == {
        "trpo/tv": "Schulman et al. 2015 (TRPO)",
        "kakade-langford": "Kakade and Langford 2002",
        "agents/shared": "Kuba et al. 2022 (HATRPO)",
        "id/flow": None,
    }


def test_twins_are_false_and_belong_to_a_true_claim():
    twins = {name: papers.twin_of(record) for name, record in claims.catalogue.items()}
    for name, of in twins.items():
        if of is not None:
            assert (claims.catalogue[name].expected, of.expected) == (False, True)
            assert name in papers.twins(of)
    assert papers.twins(claims.catalogue["cpo/mean-tv"]) == ("cpo/mean-tv-1",)
    assert twins["ppo/clip-kl"] is None  # what a paper refutes is its own


def test_rows_are_statements_of_papers():
    rows = papers.paper_rows()
    assert len({row["claim"] for row in rows}) == len(rows) >= 120
    one = next(row for row in rows if row["claim"] == "cpo/any-critic-lower")
    assert (one["where"], one["wording"], one["setting"]) == ("Theorem 1", "seen", "discounted")
    assert one["seen"].startswith("OmniSafe")
    assert one["twins"] == ["cpo/any-critic-old"]
    assert next(row for row in rows if row["claim"] == "dppo/error")["sharp"] == "identity"
    assert {row["setting"] for row in rows} >= {"average", "costs", "horizon", "temperature", "model", "agents 2x2"}
    assert all(row["wording"] in papers.WORDINGS.values() for row in rows)
    assert [row["claim"] for row in papers.paper_rows([claims.catalogue["trpo/tv"]])] == ["trpo/tv"]


def test_what_is_known_of_sharpness_names_claims_that_are_true():
    for record in claims.catalogue.values():
        for word in re.findall(r"[a-z0-9-]+/[a-z0-9-]+", record.sharp):
            if not re.fullmatch(r"\d+/\d+", word):
                assert claims.catalogue[word].expected is True, record.id
