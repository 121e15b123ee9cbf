"""What the catalogue names as a proof is there: headings of docs/theory.md, and claims that are themselves proved."""

import re
from pathlib import Path

import pytest

from trpo_theory.bounds.decorator import claim
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.claims import catalogue
from trpo_theory.errors import InvalidInput
from trpo_theory.proofs.proving import prove

THEORY = (Path(__file__).parents[2] / "docs" / "theory.md").read_text(encoding="utf-8")
HEADINGS = set(re.findall(r"^#+ (.+)$", THEORY, re.MULTILINE))
PROVED = {id: claim.proof for id, claim in catalogue.items() if claim.proof is not None}


def test_every_section_that_proves_a_claim_is_a_heading():
    assert {proof.section for proof in PROVED.values() if proof.section} <= HEADINGS


def text_of(section):
    """What stands under a heading, as far as the next one of its level or above."""
    heading = re.search(rf"^(#+) {re.escape(section)}$", THEORY, re.MULTILINE)
    rest = THEORY[heading.end() :]
    after = re.search(rf"^#{{1,{len(heading[1])}}} ", rest, re.MULTILINE)
    return rest[: after.start()] if after else rest


@pytest.mark.parametrize("id", [id for id, proof in PROVED.items() if not proof.follows])
def test_the_section_names_the_claim(id):
    if not id.startswith("divergence/"):  # one section proves them all, each under the name of its inequality
        assert f"`{id}`" in text_of(PROVED[id].section)


def test_what_a_claim_follows_from_is_itself_proved():
    for id, proof in PROVED.items():
        assert set(proof.follows) <= set(PROVED), id


def test_no_claim_follows_from_itself():
    left = {id: set(proof.follows) for id, proof in PROVED.items()}
    while left:
        ground = {id for id, follows in left.items() if not follows & set(left)}
        assert ground, f"a circle among {sorted(left)}"
        left = {id: follows for id, follows in left.items() if id not in ground}


def test_the_true_claims_have_a_proof_and_no_others():
    assert set(PROVED) == {id for id, claim in catalogue.items() if claim.expected is True}


@pytest.mark.parametrize("wrong", [{}, {"follows": ("trpo/tv",)}, {"because": "TV² ≤ KL"}])
def test_a_theorem_names_its_section_or_what_it_follows_from_and_why(wrong):
    with pytest.raises(InvalidInput, match="the section that has the proof"):
        Theorem(**wrong)


def test_a_claim_of_ones_own_cannot_declare_itself_proved():
    own = Claim("mine/false", lambda q: -1 - q.max_tv, "-1 ≥ 0", proof=Theorem("Constants"))
    assert (prove(own).verdict, prove(own).proof) == ("refuted", None)


def test_the_decorator_takes_no_proof():
    with pytest.raises(InvalidInput, match=r"got claim\(\.\.\., proof=\.\.\.\)"):
        claim("mine/false", statement="-1 >= 0", proof=Theorem("Constants"))
