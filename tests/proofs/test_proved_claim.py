"""Files of kind "implication": proved again by `certify`, and never for anything else than what is true and stated."""

import json

import pytest

import trpo_theory as tt
from trpo_theory.errors import InvalidInput

HUNDRED = "def hundred(q):\n    return q.surrogate_gap + 400 * q.max_abs_advantage * q.gamma * q.max_tv**2\n"
"""400 ε γ TV² is trpo/tv's penalty at γ = 9/10: more than it below, less than is true beyond (4/(1 − γ)² is 40,000 at 99/100)."""


@pytest.fixture
def claims(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        f"from trpo_theory import claim\n@claim('mine/hundred', statement='a')\n{HUNDRED}"
        f"@claim('mine/four', statement='a')\n{HUNDRED.replace('hundred', 'four').replace('400', '4')}"
    )
    from trpo_theory.claims.from_file import read_claims

    return read_claims(file)


@pytest.fixture
def fields(claims, tmp_path):
    proof = tt.prove(claims[0], gamma=(0.5, 0.9), radius=("1/100", 1)).proof
    proof.evidence.write(tmp_path / "proof.json")
    return json.loads((tmp_path / "proof.json").read_text())


def test_a_file_is_proved_again_from_its_claim_and_region(claims, fields, tmp_path):
    assert {"kind", "statement", "theorem", "source", "gamma", "enclosure", "made_by"} <= fields.keys()
    assert (fields["kind"], fields["gamma"], fields["radius"]) == ("implication", ["1/2", "9/10"], ["1/100", "1"])
    certificate = tt.certify(tmp_path / "proof.json", claims=claims)
    assert certificate.certified, certificate.summary
    assert certificate.theorem == fields["theorem"]
    assert "gamma in [1/2, 9/10], max-TV in [1/100, 1]" in certificate.theorem
    assert certificate.to_fields()["proof"]["region"]["gamma"] == ["1/2", "9/10"]


def test_a_theorem_of_the_catalogue_has_a_file_where_another_bound_implies_it():
    found = tt.prove("trpo/kl", with_evidence=True)
    assert found.proof.kind == "implied"
    assert tt.certify(found.proof.evidence).certified
    assert tt.prove("trpo/kl").proof.evidence is None


def test_a_claim_of_a_file_needs_that_file(fields):
    with pytest.raises(InvalidInput, match=r"no code is run because a data file names it; fix: pass --from mine\.py"):
        tt.certify(fields)


@pytest.mark.parametrize(
    "change",
    [
        {"gamma": ["1/2", "99/100"]},
        {"gamma": ["1/2", "99/100"], "theorem": None},
        {"gamma": None, "theorem": None},
        {"claim": "mine/four"},
        {"claim": "mine/four", "theorem": None, "file": None, "file_sha256": None},
        {"radius": ["1/100", "2"]},
        {"radius": None},
        {"divergence": "max_kl"},
        {"by": "implied by mean-kl/linear"},
        {"verdict": "refuted"},
        {"theorem": "mine/hundred holds everywhere"},
        {"enclosure": ["1", "inf"]},
        {"file_sha256": "0" * 64},
        {"method": "sharp gap", "gamma": ["99/100", "99/100"], "radius": ["1/100", "1/100"], "theorem": None},
        {"proof": "trust me"},
    ],
    ids=str,
)
def test_a_changed_file_is_rejected(claims, fields, change):
    changed = {name: value for name, value in (fields | change).items() if value is not None}
    assert not tt.certify(changed, claims=claims).certified


@pytest.mark.parametrize(
    ("change", "got"),
    [
        ({"method": "theorem"}, "the method of proof 'theorem'"),
        ({"method": ["implied"]}, "method = "),
        ({"gamma": "1/2"}, "gamma = '1/2'"),
        ({"gamma": ["9/10", "1/2"]}, "an interval from 9/10 to 1/2"),
        ({"gamma": ["1/2", "1"]}, "gamma = 1"),
        ({"statement": "another"}, "statement = 'another' in a proof of mine/hundred"),
        ({"relation": "="}, "relation = "),
        ({"claim": "mine/unknown"}, "the claim 'mine/unknown'"),
    ],
    ids=str,
)
def test_what_is_no_such_file_is_refused(claims, fields, change, got):
    with pytest.raises(InvalidInput, match=got):
        tt.certify(fields | change, claims=claims)


def test_a_formula_that_answers_a_proof_otherwise_is_not_certified(fields):
    """It asks for the number of states, which no proof knows and every instance has."""
    from trpo_theory import claim

    @claim("mine/hundred", statement="a")
    def otherwise(q):
        try:
            states = q.states
        except Exception:
            return q.surrogate_gap + 400 * q.max_abs_advantage * q.gamma * q.max_tv**2
        return q.surrogate_gap - states

    fields = {name: value for name, value in fields.items() if name not in ("file", "file_sha256")}
    certificate = tt.certify(fields, claims=[otherwise])
    assert (certificate.certified, certificate.undecided) == (False, True)


def test_a_claim_that_has_changed_is_proved_by_what_it_is_now(fields, tmp_path):
    """The same id and statement with 4 in the place of 400, which is false: nothing is certified."""
    (tmp_path / "mine.py").write_text(
        f"from trpo_theory import claim\n@claim('mine/hundred', statement='a')\n{HUNDRED.replace('400', '4')}"
    )
    from trpo_theory.claims.from_file import read_claims

    certificate = tt.certify(fields, claims=read_claims(tmp_path / "mine.py"))
    assert (certificate.certified, certificate.undecided) == (False, True)


def test_a_divergence_that_no_radius_is_of_is_rejected():
    fields = tt.prove("trpo/kl", with_evidence=True).proof.evidence.to_fields()
    assert tt.certify(fields).certified
    assert not tt.certify(fields | {"divergence": "reverse_max_kl"}).certified
