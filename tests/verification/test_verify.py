"""`verify`, `falsify` and `check`: what their verdicts say, and that they depend on the claims and the seed only."""

import math
import re
import sys
import zlib
from fractions import Fraction

import numpy as np
import pytest
from cheap import two_instruments

import trpo_theory as tt
from trpo_theory import claim
from trpo_theory.bounds import Bound
from trpo_theory.bounds.record import Claim
from trpo_theory.errors import ClaimFailed, InvalidInput
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.search import hunt as hunting
from trpo_theory.search.battery import battery
from trpo_theory.search.instruments import mutation
from trpo_theory.step.exact import ExactInstance
from trpo_theory.verification import judging, search_task
from trpo_theory.verification.falsifying import check, falsify
from trpo_theory.verification.tally import Tally
from trpo_theory.verification.verdict import Verdict
from trpo_theory.verification.verifying import verify

verifying = sys.modules["trpo_theory.verification.verifying"]


def made(formula, id="mine/made", **details):
    return Claim(id, formula, "a statement", **details)


@pytest.fixture(autouse=True, scope="module")
def shorter():
    """Descents of ten generations, not fifty: time for the search is not what is tested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mutation, "GENERATIONS", 10)
        yield


@pytest.fixture
def short(monkeypatch):
    """Two instruments, and descents of two generations."""
    two_instruments(monkeypatch)
    monkeypatch.setattr(mutation, "GENERATIONS", 2)
    monkeypatch.setattr(mutation, "_ONE_BY_ONE", 2)
    monkeypatch.setattr("trpo_theory.verification.falsifying.INSTANCES", 200)


def judged(formula, **details):
    return verify(made(formula, **details), instances=200)["mine/made"]


def same(one, other):
    """All fields of two verifications, witnesses as the content of their files."""
    return [verdict.to_fields() for verdict in one] == [verdict.to_fields() for verdict in other]


FALSE = (
    "trpo/tv-2",
    "order/upper",
    "id/importance-any",
    "update/npg-aggregated",
    "divergence/chi2-half",
)
TRUE = ("coupling/tv", "update/step-tiny")


@pytest.fixture(scope="module")
def verification():
    return verify([*FALSE, *TRUE], instances=300)


# --- what verdicts say -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_claims_of_the_catalogue_come_out_as_expected(verification):
    assert verification.as_expected
    for verdict in verification:
        assert verdict.as_expected
        assert verdict.verdict == ("refuted" if verdict.id in FALSE else "proved")
        assert verdict.expected is (verdict.id in TRUE)
        assert (verdict.witness is not None) == (verdict.verdict == "refuted")
        assert (verdict.min_slack < 0) == (verdict.verdict == "refuted")
        assert 0 < verdict.effective <= verdict.instances
        assert verdict.near >= 0


@pytest.mark.slow
def test_the_sharp_claim_has_slack_0_and_the_false_one_half_of_its_gap(verification):
    """coupling/tv is attained; trpo/tv-2 falls short by at most half, in the limit of small steps."""
    assert verification["coupling/tv"].min_slack == 0
    assert verification["coupling/tv"].min_ratio == 0
    assert -0.5 <= verification["trpo/tv-2"].min_ratio < -0.35


def test_a_verification_is_a_table(verification):
    assert len(verification) == len(FALSE) + len(TRUE)
    assert [verdict.id for verdict in verification] == [*FALSE, *TRUE]
    frame = verification.to_frame()
    assert list(frame["id"]) == [*FALSE, *TRUE]
    assert list(frame["verdict"]) == ["refuted"] * len(FALSE) + ["proved"] * len(TRUE)
    assert frame["witness"][0] == verification["trpo/tv-2"].witness.size_text
    assert frame["witness"].iloc[-1] == ""
    assert repr(verification) == "Verification(5 refuted, 2 proved; all as expected)"
    with pytest.raises(InvalidInput, match="did you mean 'trpo/tv-2'"):
        verification["trpo/tv-3"]


def test_the_fields_are_the_contract(verification):
    fields = verification["trpo/tv-2"].to_fields()
    assert {"id", "verdict", "expected", "instances", "effective", "min_slack", "witness"} <= fields.keys()
    assert fields["witness"]["claim"] == "trpo/tv-2"
    assert {"transition", "reward", "gamma", "initial", "old", "new", "slack"} <= fields["witness"].keys()
    assert Fraction(fields["witness"]["slack"][1]) < 0
    assert verification["coupling/tv"].to_fields()["witness"] is None
    assert tt.certify(verification["trpo/tv-2"].witness).certified


# --- what they depend on ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_order_and_company_of_the_claims_is_irrelevant(verification):
    some = ["divergence/chi2-half", "order/upper", "trpo/tv-2"]
    assert same([verification[id] for id in some], verify(some, instances=300))


@pytest.mark.slow
def test_the_number_of_processes_is_irrelevant_and_the_seed_is_not(monkeypatch):
    monkeypatch.setattr(mutation, "GENERATIONS", 50)  # as in other processes
    some = ["id/importance-any", "divergence/chi2-half", "order/upper"]
    one = verify(some, instances=100)
    assert same(one, verify(some, instances=100, jobs=2))
    other = verify(some, instances=100, seed=1)
    assert not same(one, other)
    assert other.as_expected


@pytest.mark.slow
def test_claims_of_a_file_and_of_this_one_run_in_other_processes(tmp_path, capfd, monkeypatch):
    from trpo_theory.claims.from_file import read_claims

    (tmp_path / "sibling.py").write_text("TWO = 2\n")
    file = tmp_path / "mine.py"
    file.write_text(
        "import sibling\nfrom trpo_theory import claim\n"
        "def helper(q):\n    return sibling.TWO - q.max_tv\n"
        "@claim('mine/six-fifths', statement='s')\ndef fifths(q):\n    print('looking')\n    return helper(q) - 1.2\n"
        "@claim('mine/half', statement='s')\ndef half(q):\n    return helper(q) - 1.5\n"
    )
    monkeypatch.setattr(mutation, "GENERATIONS", 50)  # as in other processes
    own = [*read_claims(file), made(lambda q: q.max_tv - 0.5, expected=False)]
    one = verify(own, instances=100)
    capfd.readouterr()
    two = verify(own, instances=100, jobs=2)
    assert same(one, two)
    assert [verdict.verdict for verdict in two] == ["refuted", "refuted", "refuted"]
    assert capfd.readouterr().out == ""  # a process's stdout is everybody's


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_a_formula_that_writes_into_its_arrays_hurts_no_other_claim():
    def vandal(q):
        for array in (q.gamma, q.old, q.reward, q.advantage, q.visitation_old):
            if isinstance(array, np.ndarray) and array.dtype != object:
                array *= 0
        return q.max_tv

    def clumsy_vandal(q):
        return float(vandal(q))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hunting, "ONE_BY_ONE_SHARE", 1.0)
        patch.setattr(mutation, "_ONE_BY_ONE", 0)  # generations of a formula that is not batched
        company = [made(vandal, id="mine/a"), made(clumsy_vandal, id="mine/b"), "order/upper"]
        together = verify(company, instances=100)
        assert same([together["order/upper"]], verify("order/upper", instances=100))


@pytest.mark.slow
def test_progress_is_told_once_a_claim():
    told = []
    verify(["order/upper", "trpo/tv-2"], instances=100, advance=lambda: told.append(1))
    assert len(told) == 2


# --- one's own claims ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("short")
def test_hypotheses_that_nothing_meets_leave_a_claim_undecided():
    verdict = judged(lambda q: -1, given=lambda q: q.gamma > 1)
    assert (verdict.verdict, verdict.effective) == ("undecided", 0)
    assert "no instance met the hypotheses" in verdict.note
    assert not verdict.as_expected
    assert verdict.witness is None


@pytest.mark.slow
def test_effective_counts_distinct_ones_that_meet_the_hypotheses(monkeypatch):
    two_instruments(monkeypatch)
    monkeypatch.setattr(mutation, "GENERATIONS", 0)
    parts = battery(np.random.default_rng([0, zlib.crc32(b"")]), 200)
    verdict = judged(lambda q: 1 + q.max_tv, given=lambda q: q.gamma < 0.5)
    known, met = set(), 0
    for part in parts:
        for i in np.flatnonzero(part.gamma < 0.5):
            met += 1
            if part.old[i].tolist() != part.new[i].tolist():
                fields = (part.transition, part.reward, part.gamma, part.initial, part.old, part.new)
                known.add(repr([(array[i] + 0.0).tolist() for array in fields]))
    assert verdict.instances == sum(map(len, parts))
    assert (verdict.effective, verdict.trivial) == (len(known), met - len(known))
    assert verdict.effective < met
    assert 1 <= verdict.min_slack < 1.1
    assert verdict.searched.ranges["gamma"][1] < 0.5
    monkeypatch.setattr(mutation, "GENERATIONS", 1)
    longer = judged(lambda q: 1 + q.max_tv)
    assert longer.instances == longer.effective + longer.trivial == verdict.instances + 5 * 360
    assert longer.searched.tried == {
        "mutation": 5 * 360,
        "random instances and zoo families": verdict.instances,
    }


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_an_identity_that_holds_is_unrefuted_and_counts_no_ties():
    verdict = judged(lambda q: q.available * (q.q_value - q.advantage - q.value[:, None]), relation="=")
    assert (verdict.verdict, verdict.min_slack) == ("unrefuted", 0)
    assert verdict.note == "identity, checked at 100 exact instances"


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_equality_of_transcendental_numbers_is_a_tie_and_not_undecided():
    """log(1 + γ)² = log(1 + γ) log(1 + γ): no precision tells it from an inequality; floats err to either side."""

    def formula(q):
        return q.log(1 + q.gamma) / 3 - (2 * q.log(1 + q.gamma) - q.log((1 + q.gamma) ** 2) / 3 * 2.5)

    verdict = judged(formula)
    assert verdict.verdict == "unrefuted"
    assert verdict.min_slack == 0
    assert "instances where it is an equality to 300 digits" in verdict.note


@pytest.mark.slow
@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    ("shift", "expected", "verdict", "as_expected"),
    [
        (0, True, "unrefuted", True),
        (0, False, "unrefuted", False),
        (0, "open", "unrefuted", True),
        (-0.5, True, "refuted", False),
        (-0.5, False, "refuted", True),
        (-0.5, "open", "refuted", True),
    ],
)
def test_as_expected(shift, expected, verdict, as_expected, monkeypatch):
    monkeypatch.setattr(search_task, "_HARD", 1)

    def slack(q):  # reads more than a divergence: no method proves it
        return q.max_tv + shift + 0 * q.expected_return_new

    judgement = judged(slack, expected=expected)
    assert (judgement.verdict, judgement.as_expected, judgement.expected) == (verdict, as_expected, expected)
    assert verify(made(slack, expected=expected), instances=50).as_expected == as_expected


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_a_slack_that_is_nowhere_a_number_decides_nothing():
    for formula in (lambda q: q.sqrt(-1 - q.max_tv), lambda q: q.gamma + np.inf):
        verdict = judged(formula)
        assert verdict.verdict == "undecided"
        assert "nowhere a finite number" in verdict.note


def test_a_slack_of_minus_infinity_refutes_and_is_certified(tmp_path):
    verdict = judged(lambda q: 1 - q.max_kl)
    assert verdict.verdict == "refuted"
    old, new = verdict.witness.instance.old, verdict.witness.instance.new
    assert any(x > 0 and y == 0 for x, y in zip(old.ravel(), new.ravel(), strict=True)) or math.isfinite(
        verdict.min_slack
    )
    verdict.witness.write(tmp_path / "witness.json")
    certificate = tt.certify(tmp_path / "witness.json", claims=[made(lambda q: 1 - q.max_kl)])
    assert certificate.certified
    changed = dict(verdict.to_fields()["witness"], slack=["-7", "-7"])
    assert not tt.certify(changed, claims=[made(lambda q: 1 - q.max_kl)]).certified


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_digits_that_floats_lose_are_told_and_refute_nothing():
    verdict = judged(lambda q: (q.gamma + 1e20) - 1e20 - q.gamma + q.gamma * 1e-3)
    assert verdict.verdict == "unrefuted"
    assert "its slack is negative in floats, and ball arithmetic proves that it is not" in verdict.note


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_a_formula_that_balls_cannot_compute_is_undecided_with_the_reason():
    verdict = verify(made(lambda q: math.gamma(1 + q.gamma) - 2), instances=40)["mine/made"]
    assert verdict.verdict == "undecided"
    assert "write q.sqrt(x)" in verdict.note
    assert "one instance at a time" in verdict.note


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_bounds_are_claims_too():
    bound = Bound(
        "mine/bound", lambda q: 3 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2, "M", "me"
    )
    verdict = verify(bound, instances=400)["mine/bound"]
    assert verdict.verdict == "refuted"
    assert not verdict.as_expected
    assert same(verify([bound], instances=400), [verdict])
    with pytest.raises(AssertionError, match="mine/bound is refuted"):
        check(bound, instances=400)


# --- what cannot be verified -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("which", "options", "message"),
    [
        ("trpo/tw", {}, "did you mean 'trpo/tv'"),
        (["trpo/tv", "nonsense"], {}, "nonsense"),
        ([], {}, "got no claims"),
        ([lambda q: q.tv], {}, "decorate the function"),
        (["trpo/tv", 3], {}, "as a claim; wanted a Claim or a str"),
        ("trpo/tv", {"instances": 0}, "instances = 0"),
        ("trpo/tv", {"seed": -1}, "seed = -1"),
        ("trpo/tv", {"jobs": 0}, "jobs = 0"),
    ],
)
def test_bad_input_is_refused(which, options, message):
    with pytest.raises(InvalidInput, match=message):
        verify(which, **options)


def test_falsify_and_check_refuse_bad_input_too():
    for options in ({"seed": -1}, {"effort": 0}):
        with pytest.raises(InvalidInput, match=next(iter(options))):
            falsify("trpo/tv-2", **options)
    for options in ({"seed": -1}, {"instances": 0}):
        with pytest.raises(InvalidInput, match=next(iter(options))):
            check("trpo/tv-2", **options)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_claim_whose_code_fails_is_named(jobs):
    bad = made(lambda q: q.max_tv + q.nonsense, id="mine/bad")
    found = verify([bad, made(lambda q: q.max_tv - 1)], instances=50, jobs=jobs)
    assert [verdict.verdict for verdict in found] == ["error", "refuted"]
    assert re.search(r"AttributeError.*nonsense", found["mine/bad"].note)
    assert not found["mine/bad"].as_expected
    assert falsify(bad).verdict == "error"
    with pytest.raises(ClaimFailed, match=r"mine/bad raised .*AttributeError.*nonsense"):
        check(bad)


# --- falsify and check -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_falsify_stops_at_the_first_counterexample():
    verdict = falsify("order/upper")
    assert verdict.verdict == "refuted"
    assert same([verdict], verify("order/upper"))


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_falsify_adds_up_its_searches(monkeypatch):
    monkeypatch.setattr(search_task, "_HARD", 1)

    def slack(q):  # reads more than a divergence: no method proves it
        return q.max_tv + 0 * q.expected_return_new

    alone = [falsify(made(slack), effort=1, seed=seed) for seed in (0, 1)]
    both = falsify(made(slack), effort=2)
    assert both.verdict == "unrefuted"
    assert both.instances > alone[0].instances + 200
    assert both.instances == sum(verdict.instances for verdict in alone) == both.effective + both.trivial
    assert both.effective == sum(verdict.effective for verdict in alone)
    assert sum(both.searched.tried.values()) == both.instances
    assert both.min_slack == min(verdict.min_slack for verdict in alone) < 1e-6


@pytest.mark.parametrize("which", [0, 1, 2])
def test_falsify_does_not_forget_what_one_of_its_searches_left_open(which, monkeypatch):
    def verdict(name, effective=5, note=""):
        return Verdict("mine/made", True, Outcome(name), 10, effective, 0.0, 0.0, 0, note=note)

    told = iter([verdict("undecided", note="hard") if n == which else verdict("unrefuted") for n in range(3)])
    monkeypatch.setattr("trpo_theory.verification.falsifying._verdict", lambda *_, **__: next(told))
    found = falsify(made(lambda q: 0), effort=3)
    assert (found.verdict, found.note, found.instances) == ("undecided", "hard", 30)

    vacuous = iter([verdict("undecided", effective=0) if n == which else verdict("unrefuted") for n in range(3)])
    monkeypatch.setattr("trpo_theory.verification.falsifying._verdict", lambda *_, **__: next(vacuous))
    assert falsify(made(lambda q: 0), effort=3).verdict == "unrefuted"


@pytest.mark.slow
def test_check_is_an_assertion_with_the_witness():
    @claim("mine/three", statement="s")
    def three(q):
        return q.surrogate_gap + 3 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2

    with pytest.raises(AssertionError) as caught:
        check(three, instances=300)
    message = str(caught.value)
    assert "mine/three is refuted, proved in ball arithmetic (2 states, 2 actions" in message
    for part in ("gamma = ", "initial = ", "state 0:", "state 1:", "action 1:", "reward", "old", "new"):
        assert part in message
    assert check(made(lambda q: q.max_tv), instances=20).verdict == "unrefuted"


@pytest.mark.usefixtures("short")
def test_check_does_not_pass_what_is_undecided():
    with pytest.raises(AssertionError, match="mine/made is undecided: no instance met the hypotheses"):
        check(made(lambda q: 1, given=lambda q: q.gamma > 1), instances=50)


def test_a_counterexample_that_is_none_the_next_time_is_an_error_of_that_claim_alone():
    moved = ExactInstance(
        transition=[[[1], [1]]], reward=[[0, 0]], gamma=Fraction(1, 2), initial=[1], old=[[1, 0]], new=[[0, 1]]
    )
    fickle = made(lambda q: q.max_tv)  # 1 of this step: nothing that refutes it
    verdict = judging.judged(fickle, Tally(fickle.id, refuted=moved), Tally(fickle.id))
    assert (verdict.verdict, verdict.witness) == (Outcome.ERROR, None)
    assert "counters" in verdict.note
