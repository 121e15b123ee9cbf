"""The verdict "proved": what it takes, what it never covers up, and what a proof of a part leaves."""

from dataclasses import replace
from fractions import Fraction

import pytest

import trpo_theory as tt
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.proofs import proving
from trpo_theory.proofs.method import Attempt
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.proof import Proof
from trpo_theory.proofs.region import EVERYTHING, Box, Interval, Region
from trpo_theory.proofs.settle import settle
from trpo_theory.search.instruments.samples import Samples
from trpo_theory.step.exact import ExactInstance
from trpo_theory.verification import attempts, search_task
from trpo_theory.verification import proving as proving_of_the_user
from trpo_theory.verification.verdict import Verdict, Verification
from trpo_theory.verification.verifying import verify

HALF, NINE = Fraction(1, 2), Fraction(9, 10)
PART = Region(Interval(HALF, NINE), Interval(Fraction(1, 1000), Fraction(1)), "max_kl")
INSTANCE = ExactInstance(
    transition=[[[1], [1]]], reward=[["1", 0]], gamma="1/2", initial=[1], old=[["1/2", "1/2"]], new=[[1, 0]]
)
"""TV 1/2: the slack TV − 3/4 is −1/4 there."""


class Answering:
    """A method of proof that answers the same to every claim."""

    def __init__(self, answer, name="answering", seconds=0.0):
        self.name, self.seconds, self.files, self.answer = name, seconds, {}, answer

    def attempt(self, claim, region):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def whole(kind="answering"):
    return Attempt(Proof(kind, "a lemma", EVERYTHING))


def own(formula, id="mine/made", **details):
    return Claim(id, formula, "a statement", **details)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Random instances alone: how hard the search is is not what is tested."""
    monkeypatch.setattr(search_task, "run_all", lambda hunt, effort: Samples().use(hunt, 1))


@pytest.fixture
def methods(monkeypatch):
    """The methods that `verify` tries are those that a test names."""
    return lambda *named: monkeypatch.setattr(attempts, "METHODS", named)


def judged(formula, **details):
    return verify(own(formula, **details), instances=50)["mine/made"]


def of_the_record(monkeypatch, id):
    """A claim of the catalogue with a proof, whatever its record says."""
    record = tt.claims.get(id)
    monkeypatch.setitem(vars(record), "proof", Theorem("Constants"))
    return record


# --- what prove makes of the answers ---


def test_the_first_proof_of_all_that_is_asked_ends_the_attempts():
    part = Attempt(
        Proof("part", "half a lemma", PART), left=(Box(Interval(Fraction(0), HALF)),), note="gamma < 1/2 is left"
    )
    found = proving.prove(
        own(lambda q: q.max_tv), methods=[Answering(None), Answering(part), Answering(whole("second"))]
    )
    assert (found.verdict, found.proof.kind, found.left, found.note) == ("proved", "second", (), "")
    assert found.tried == ("answering", "answering")


def test_a_proof_of_a_part_is_enough_where_no_more_is_asked():
    methods = [Answering(Attempt(Proof("part", "half a lemma", PART)))]
    claim = own(lambda q: q.max_tv)
    inside = {"gamma": (0.6, 0.9), "radius": ("1/1000", 0.5)}
    assert proving.prove(claim, methods=methods, **inside).verdict == "proved"
    for asked in (
        {},
        {"gamma": (0.6, 0.9)},
        {"radius": (0.01, 0.5)},
        inside | {"gamma": (0.6, 0.91)},
        inside | {"radius": (0, 1)},
    ):
        found = proving.prove(claim, methods=methods, **asked)
        assert (found.verdict, found.proof.region, found.as_expected) == ("undecided", PART, False)


def test_what_is_left_is_no_proof_of_the_whole():
    answer = Attempt(Proof("part", "half a lemma", EVERYTHING), left=(Box(Interval(HALF, NINE)),))
    found = proving.prove(own(lambda q: q.max_tv), methods=[Answering(answer)])
    assert (found.verdict, len(found.left)) == ("undecided", 1)


LOW, HIGH = (Region.of(("1/2", middle) if one == 0 else (middle, "9/10")) for one, middle in enumerate(("3/4", "2/3")))


class Part(Answering):
    """A method that proves the part of what is asked that lies in one region."""

    def __init__(self, name, region):
        super().__init__(None)
        self.name, self.region = name, region

    def attempt(self, claim, region):
        return Attempt(Proof(self.name, f"{self.name} lemma", self.region))


def test_proofs_of_parts_are_joined_with_all_methods_named():
    """[1/2, 3/4] and [2/3, 9/10] make up [1/2, 9/10], in either order; neither does alone, nor both with what is beyond."""
    low, high = Part("low", LOW), Part("high", HIGH)
    for methods in ([low, high], [high, low]):
        found = proving.prove(own(lambda q: q.max_tv), gamma=("1/2", "9/10"), methods=methods)
        assert (found.verdict, found.left) == ("proved", ())
        assert found.proof.kind == " and ".join(method.name for method in methods)
        assert "low lemma, for gamma in [1/2, 3/4]" in found.proof.by
        assert "high lemma, for gamma in [2/3, 9/10]" in found.proof.by
        assert [part["kind"] for part in found.to_fields()["parts"]] == [method.name for method in methods]
        for more in (("1/2", "19/20"), ("1/3", "9/10")):
            wider = proving.prove(own(lambda q: q.max_tv), gamma=more, methods=methods)
            assert (wider.verdict, len(wider.parts)) == ("undecided", 2)
    assert proving.prove(own(lambda q: q.max_tv), gamma=("1/2", "9/10"), methods=[low]).verdict == "undecided"


def test_parts_of_a_radius_are_joined_only_where_they_cover():
    first, second, third = (
        Part(name, Region.of(*ends))
        for name, ends in {
            "first": (("0.5", "0.9"), ("0.1", "0.3")),
            "second": (("0.5", "0.7"), ("0.3", "0.5")),
            "third": (("0.7", "0.9"), ("0.2", "0.5")),
        }.items()
    )
    asked = {"gamma": ("0.5", "0.9"), "radius": ("0.1", "0.5")}
    assert proving.prove(own(lambda q: q.max_tv), **asked, methods=[first, second, third]).verdict == "proved"
    left = proving.prove(own(lambda q: q.max_tv), **asked, methods=[first, second])
    assert (left.verdict, len(left.parts)) == ("undecided", 2)


def test_an_instance_refutes_only_where_exact_arithmetic_says_so():
    answer = Attempt(None, refuted=INSTANCE)
    refuted = proving.prove(own(lambda q: q.max_tv - 0.75), methods=[Answering(answer)])
    assert (refuted.verdict, refuted.witness.decision.enclosure) == ("refuted", "-1/4")
    stands = proving.prove(own(lambda q: q.max_tv - 0.5), methods=[Answering(answer)])
    assert (stands.verdict, stands.witness) == ("undecided", None)
    assert stands.note == "answering: its instance does not refute the claim, slack 0"


def asks_for_states(q):
    """True where the number of states is not known, as in a proof; false wherever it is."""
    try:
        states = q.states
    except Exception:
        return q.surrogate_gap + 5 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2
    return q.surrogate_gap - states


@pytest.mark.parametrize("radius", [None, ("1e-6", "1/100")])
def test_a_formula_that_answers_a_proof_otherwise_is_refuted_by_an_instance(radius):
    found = tt.prove(own(asks_for_states), gamma=(0.5, 0.9), radius=radius)
    assert found.verdict == "refuted"
    assert Fraction(1, 2) <= found.witness.instance.gamma <= Fraction(9, 10)
    assert tt.certify(found.witness, claims=[own(asks_for_states)]).certified


def test_a_method_that_cannot_decide_leaves_it_to_the_others():
    found = proving.prove(own(lambda q: q.max_tv), methods=[Answering(NotSolved("too far")), Answering(whole())])
    assert found.verdict == "proved"
    assert (
        proving.prove(own(lambda q: q.max_tv), methods=[Answering(NotSolved("too far"))]).note == "answering: too far"
    )


@pytest.mark.parametrize(
    ("ends", "got"),
    [
        ({"gamma": (0.9, 0.5)}, "an interval from 9/10 to 1/2"),
        ({"gamma": (0.5, 1)}, "gamma = 1"),
        ({"radius": (-1, 1)}, "radius = -1"),
        ({"radius": (1, "inf")}, "'inf' in radius"),
    ],
)
def test_what_is_no_interval_is_refused(ends, got):
    with pytest.raises(InvalidInput, match=got):
        tt.prove("trpo/kl", **ends)


def test_regions_are_exact_in_text_and_fields():
    region = Region(Interval.of_discounts(0.1, "99/100"), Interval.of_radii(1e-7, 1), "reverse_max_kl", "old uniform")
    assert region.text == "gamma in [1/10, 99/100], reverse-max-KL in [1e-07, 1], old uniform"
    assert region.to_fields()["gamma"] == ["1/10", "99/100"]
    assert region.to_fields()["radius"] == ["1/10000000", "1"]
    assert EVERYTHING.text == "every gamma in [0, 1)"


# --- what verify makes of them ---


def test_a_proof_for_everything_is_the_verdict_with_its_kind_and_region(methods):
    methods(Answering(whole()))
    verdict = judged(lambda q: q.max_tv)
    assert (verdict.verdict, verdict.how, verdict.as_expected) == ("proved", "answering (a lemma)", True)
    assert verdict.to_fields()["proof"] == {"kind": "answering", "by": "a lemma", "region": EVERYTHING.to_fields()}
    assert verdict.effective > 0
    assert verdict.searched.text


def test_a_proof_for_a_part_leaves_the_claim_unrefuted_and_is_said(methods):
    methods(Answering(Attempt(Proof("part", "half a lemma", PART), note="gamma < 1/2 is left")))
    verdict = judged(lambda q: q.max_tv)
    assert (verdict.verdict, verdict.proof) == ("unrefuted", None)
    assert (
        verdict.note
        == f"proved for a part, part (half a lemma), {PART.text}; gamma < 1/2 is left; `trpo-theory prove mine/made` tries more"
    )


def test_what_a_method_refutes_comes_back_refuted_and_shrunk(methods):
    """The slack is −1 at γ = 3/8 alone, which no random instance has."""
    states = ExactInstance(
        transition=[[["1/2", "1/4", "1/4"]] * 2] * 3,
        reward=[[1, 0]] * 3,
        gamma="3/8",
        initial=["1/3"] * 3,
        old=[["1/2", "1/2"]] * 3,
        new=[["123457/200000", "76543/200000"]] * 3,
    )
    methods(Answering(Attempt(None, refuted=states, note="the sharp witness")))

    def formula(q):
        return q.arithmetic.where(abs(q.gamma - 0.375) <= 0, -1, q.gamma)

    verdict = judged(formula)
    assert (verdict.verdict, verdict.min_slack, verdict.note) == ("refuted", -1, "the sharp witness")
    assert verdict.witness.instance.states == 1
    assert verdict.witness.instance.gamma == Fraction(3, 8)
    assert tt.certify(verdict.witness, claims=[own(formula)]).certified


@pytest.mark.parametrize("radius", [None, ("1/8", "1/2")])
def test_a_witness_lies_in_the_region_that_was_asked_for(monkeypatch, radius):
    """A bound of a hundredth of what is needed is false for every γ and TV; the instance has γ = 9/10 and TV = 1/4."""
    family = tt.zoo.coupling_tight(x=0.25, gamma=0.9)
    kept = ExactInstance.of(family.mdp, family.old, family.new)
    monkeypatch.setattr(proving_of_the_user, "METHODS", [Answering(Attempt(None, refuted=kept))])

    def too_small(q):
        return q.surrogate_gap + q.max_abs_advantage * q.gamma / 100 * q.max_tv**2

    claim = own(too_small)
    assert settle(claim, kept).verdict == "refuted"
    witness = tt.prove(claim, gamma=(0.85, "19/20"), radius=radius).witness
    assert Fraction(17, 20) <= witness.instance.gamma <= Fraction(19, 20)
    moved = abs(witness.instance.new - witness.instance.old).sum(axis=1) / 2
    assert radius is None or Fraction(1, 8) <= max(moved) <= Fraction(1, 2)
    assert witness.claim is claim
    assert witness.instance.states <= kept.states


def test_methods_that_take_longer_are_not_tried(methods):
    methods(Answering(whole(), seconds=2 * attempts.FAST))
    assert judged(lambda q: q.max_tv).verdict == "unrefuted"


def test_a_refutation_that_is_found_wins_over_a_theorem_and_is_an_alarm(monkeypatch):
    of_the_record(monkeypatch, "trpo/tv-2")
    verdict = verify("trpo/tv-2", instances=500)["trpo/tv-2"]
    assert (verdict.verdict, verdict.proof) == ("refuted", None)
    assert verdict.note.startswith(
        'ALARM: it has a proof, theorem (docs/theory.md, "Constants"), which this witness contradicts'
    )


def test_a_theorem_of_the_catalogue_is_named_by_verify_and_check(monkeypatch):
    of_the_record(monkeypatch, "coupling/tv")
    verdict = verify("coupling/tv", instances=50)["coupling/tv"]
    assert (verdict.verdict, verdict.how) == ("proved", 'theorem (docs/theory.md, "Constants")')
    assert tt.check("coupling/tv", instances=50).verdict == "proved"
    assert tt.prove("coupling/tv").verdict == "proved"


def test_a_copy_of_a_record_has_no_theorem(monkeypatch):
    """What counts is the catalogue's own record, and not what any claim says of itself."""
    copy = replace(of_the_record(monkeypatch, "coupling/tv"), id="mine/copy")
    assert copy.proof is not None
    verdict = verify(copy, instances=50)["mine/copy"]
    assert (verdict.verdict, verdict.proof.kind) == ("proved", "implied")  # by what the copy says


def test_code_that_fails_is_an_error_whatever_is_proved(methods):
    methods(Answering(whole()))
    assert judged(lambda q: 1 / 0).verdict == "error"


def test_what_is_proved_and_was_expected_false_is_not_as_expected(methods):
    methods(Answering(whole()))
    verdict = judged(lambda q: q.max_tv, expected=False)
    assert (verdict.verdict, verdict.as_expected) == ("proved", False)


def test_a_claim_that_no_instance_meets_is_proved_all_the_same_and_the_note_stays(methods):
    methods(Answering(whole()))
    verdict = judged(lambda q: q.max_tv, given=lambda q: q.expected_return_old > q.expected_return_old + 1)
    assert (verdict.verdict, verdict.effective) == ("proved", 0)
    assert "no instance met the hypotheses" in verdict.note


def test_a_claim_whose_hypotheses_hold_nowhere_is_not_called_proved(methods):
    methods(Answering(whole()))
    verdict = judged(lambda q: q.max_tv, given=lambda q: q.gamma < 0)
    assert (verdict.verdict, verdict.effective) == ("undecided", 0)
    assert "the hypotheses hold nowhere in this region: the claim says nothing there" in verdict.note


def test_words_and_counts():
    def one(word, proof=None):
        return Verdict("mine/x", True, Outcome(word), 1, 1, 0.0, 0.0, 0, proof=proof)

    verification = Verification((one("proved", whole().proof), one("unrefuted"), one("unrefuted")))
    assert repr(verification) == "Verification(1 proved, 2 unrefuted; all as expected)"
    assert list(verification.to_frame()["proof"]) == ["answering (a lemma)", "", ""]


@pytest.mark.slow
def test_identities_are_checked_exactly_in_other_processes(tmp_path):
    """Σ ρ (1 − γ) = 1; the same with an error of 10⁻¹⁸ γ, which no float shows."""
    (tmp_path / "mine.py").write_text(
        "from trpo_theory import claim\n"
        "@claim('mine/flow', statement='a', relation='=')\n"
        "def flow(q):\n"
        "    return q.sum_s(q.visitation_old) * (1 - q.gamma) - 1\n"
        "@claim('mine/off', statement='a', relation='=')\n"
        "def off(q):\n"
        "    return q.sum_s(q.visitation_old) * (1 - q.gamma) - 1 + q.gamma * 1e-18\n"
    )
    from trpo_theory.claims.from_file import read_claims

    flow, off = verify(read_claims(tmp_path / "mine.py"), instances=50, jobs=2)
    assert (flow.verdict, flow.note) == ("unrefuted", "identity, checked at 100 exact instances")
    assert off.verdict == "refuted"
