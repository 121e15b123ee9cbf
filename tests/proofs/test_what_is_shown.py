"""What a reader sees of a proof, word for word, and what is refused, with the message."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory.errors import ClaimFailed
from trpo_theory.io.evidence_files import number_text
from trpo_theory.proofs import update_rows
from trpo_theory.proofs.bound_ratio import as_bound, ratio_of
from trpo_theory.proofs.certified_bounds import COSTLY_STATES, certify_bounds, check_certifiable, too_costly
from trpo_theory.proofs.certified_file import Certificate, differing
from trpo_theory.proofs.decide import decide
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.settle import settle
from trpo_theory.proofs.update_evidence import prove_optimum, update_evidence
from trpo_theory.proofs.witness import Witness, instance_lines
from trpo_theory.step.exact import ExactInstance
from trpo_theory.updates.penalties import linear_coefficient

HALF, QUARTER = F(1, 2), F(1, 4)


def coupling_tight(**changes):
    """gamma = 1/2, x = 1/4: the gap is -2/5, epsilon 1, alpha 1/4, max-KL log(4/3)/2."""
    fields = {
        "transition": [[[1, 0], [1, 0], [0, 1]], [[0, 1]] * 3],
        "reward": [[1, -1, 1]] * 2,
        "gamma": HALF,
        "initial": [1, 0],
        "old": [[HALF, HALF, 0]] * 2,
        "new": [[HALF, QUARTER, QUARTER], [QUARTER, F(3, 4), 0]],
    }
    return ExactInstance(**{**fields, **changes})


# --- witnesses --------------------------------------------------------------------------------------------------------


def witness_of(claim, instance):
    return Witness(claim, instance, settle(claim, instance))


def test_a_witness_as_a_person_reads_it():
    instance = coupling_tight(
        transition=[[[HALF, HALF], [1, 0], [0, 1]], [[0, 1]] * 3], reference=[[1, 0, 0]] * 2, groups=[3, 3]
    )
    claim = tt.claim("mine/gap", statement="s")(lambda q: q.surrogate_gap - 1)
    witness = witness_of(claim, instance)
    assert witness.text.splitlines() == [
        f"gamma = 1/2, initial = (1, 0), slack = {witness.decision.enclosure}",
        "state 0:",
        "  action 0: 1/2 to 0 and 1/2 to 1, reward 1, old 1/2, new 1/2, reference 1",
        "  action 1: to 0, reward -1, old 1/2, new 1/4, reference 0",
        "  action 2: to 1, reward 1, old 0, new 1/4, reference 0",
        "state 1:",
        "  action 0: to 1, reward 1, old 1/2, new 1/4, reference 1",
        "  action 1: to 1, reward -1, old 1/2, new 3/4, reference 0",
        "  action 2: to 1, reward 1, old 0, new 0, reference 0",
        "states share rows by groups [3, 3]",
    ]
    assert "/" in witness.decision.enclosure
    assert witness.size_text == "2 states, 3 actions, denominators to 4"
    lower, upper = witness.slack
    assert lower <= witness.decision.lower <= witness.decision.upper <= upper < -1
    assert not any("new" in line for line in instance_lines(instance, with_new=False))


def test_joint_actions_are_named_by_what_each_agent_does():
    one = ExactInstance(
        transition=[[[1]] * 6],
        reward=[[0, 0, 0, 1, 0, 0]],
        gamma=0,
        initial=[1],
        old=[[1, 0, 0, 0, 0, 0]],
        new=[[0, 0, 0, 1, 0, 0]],
    )
    claim = tt.claim("mine/joint", statement="s", agents=(2, 3))(
        lambda q: q.expected_return_old - q.expected_return_new
    )
    witness = witness_of(claim, one)
    assert witness.text.splitlines()[5] == "  action (1, 0): to 0, reward 1, old 0, new 1"
    assert witness.size_text == "1 state, 6 actions, integers"


def test_one_state_is_written_as_one():
    one = ExactInstance(transition=[[[1]]], reward=[[1]], gamma=HALF, initial=[1], old=[[1]], new=[[1]])
    claim = tt.claim("mine/one", statement="s")(lambda q: -q.expected_return_new)
    witness = witness_of(claim, one)
    assert witness.size_text == "1 state, 1 action, denominators to 2"
    assert witness.slack == (-2, -2)
    assert witness.to_fields()["theorem"].startswith(
        "mine/one is false: for the MDP of this file (1 state, 1 action, gamma = 1/2) and its policies old and new, "
    )


def test_an_infinite_slack_has_no_ends():
    claim = tt.claim("mine/infinite", statement="s")(lambda q: 1 - q.reverse_max_kl)
    witness = witness_of(claim, coupling_tight())
    assert witness.slack is None
    assert witness.to_fields()["slack"] == ["-inf", "-inf"]


@pytest.mark.parametrize("exact", [True, False])
def test_the_step_of_a_claim_is_written_as_it_is_made(exact):
    """A step in rationals stays one; one with a root is written in 15 decimals that sum to one."""

    def step(q):
        weight = QUARTER if exact else q.sqrt(q.gamma) / 4  # 0.17677669529663688...
        moved = q.old * (1 - weight)
        return moved + (np.array([[0, 0, 1]] * 2) * weight)

    claim = tt.Claim("mine/step", lambda q: -q.max_tv, "s", step=step)
    witness = witness_of(claim, coupling_tight(size=F(1, 3)))
    assert witness.decision.verdict is Outcome.REFUTED
    new = witness.to_fields()["new"]
    if exact:
        assert new == [["3/8", "3/8", "1/4"]] * 2
    else:
        assert new == [["0.411611652351682", "0.411611652351682", "0.176776695296636"]] * 2
    assert "new: the step of size 1/3" in witness.text.splitlines()
    assert "its policy old and the step that the claim speaks of" in witness.to_fields()["theorem"]


def test_the_theorem_says_what_fails():
    def theorem(**options):
        claim = tt.Claim("mine/gap", lambda q: q.surrogate_gap, "s", **options)
        return witness_of(claim, coupling_tight()).to_fields()["theorem"]

    assert theorem().endswith("and its policies old and new, its slack is negative")
    assert theorem(relation="=").endswith("and its policies old and new, its two sides differ")
    given = theorem(given=lambda q: q.gamma > 0)
    assert given.endswith("and its policies old and new, its hypotheses hold and its slack is negative")


def test_only_a_size_that_is_not_one_is_written():
    claim = tt.claim("mine/gap", statement="s")(lambda q: q.surrogate_gap)
    assert "size" not in witness_of(claim, coupling_tight()).to_fields()
    assert witness_of(claim, coupling_tight(size=F(1, 3))).to_fields()["size"] == "1/3"


@pytest.mark.parametrize(("off", "same"), [(F(1, 10**10), True), (F(1, 10**8), False), (F(1, 8), False)])
def test_a_file_whose_new_is_not_the_step_is_rejected(off, same):
    claim = tt.Claim("mine/step", lambda q: -q.max_tv, "s", step=lambda q: q.new)
    fields = dict(witness_of(claim, coupling_tight()).to_fields())
    shifted = [[HALF, QUARTER + off, QUARTER - off], [QUARTER, F(3, 4), 0]]
    fields["new"] = [[str(entry) for entry in row] for row in shifted]
    moved = tt.Claim("mine/step", lambda q: -q.max_tv, "s", step=lambda q: coupling_tight().quantities().new)
    certificate = tt.certify(fields, claims=[moved])
    assert (certificate.verdict, certificate.certified) == (Outcome.REFUTED, same)
    assert ("the file's new is not the claim's step" in certificate.disagreements) is not same


def test_a_step_that_is_never_decided_shows_no_quantities():
    """Its own comparison is of equal transcendental numbers: what it would make is not known at any precision."""

    def step(q):
        return q.old if q.log(F(24, 25)) + q.log(F(25, 24)) >= 0 else q.new

    claim = tt.Claim("mine/open", lambda q: q.max_tv, "s", step=step)
    decision = settle(claim, coupling_tight())
    assert (decision.verdict, decision.met, decision.enclosure) == (Outcome.UNDECIDED, True, "unknown")
    fields = dict(coupling_tight().to_fields(), claim="mine/open", slack=["-1", "-1"])
    certificate = tt.certify(fields, claims=[claim])
    assert (certificate.verdict, dict(certificate.quantities), certificate.undecided) == (Outcome.UNDECIDED, {}, True)
    assert certificate.summary.startswith("rejected: not proved: the file's slack is ['-1', '-1']")


# --- decisions --------------------------------------------------------------------------------------------------------


def test_a_slack_too_large_to_write_is_decided_all_the_same():
    decision = decide(lambda q: q.exp(10**9), coupling_tight())
    assert (decision.verdict, decision.lower, decision.upper) == (Outcome.PROVED, None, None)
    assert decision.enclosure.startswith("Ball([")
    assert repr(decide(lambda q: q.gamma, coupling_tight())) == "Decision(proved, slack 1/2, met=True, precision=64)"
    assert repr(Outcome.PROVED) == "'proved'"


def test_a_certificate_in_a_sentence():
    common = {
        "kind": "k",
        "id": "i",
        "theorem": "t",
        "wanted": Outcome.PROVED,
        "number": "slack",
        "enclosure": "[1, 2]",
    }
    sentences = {
        (Outcome.PROVED, ()): "certified: proved, slack in [1, 2]",
        (Outcome.PROVED, ("a", "b")): "rejected: proved, but a; b",
        (Outcome.UNDECIDED, ("a", "b")): "rejected: not proved: a; b",
        (Outcome.UNDECIDED, ()): "rejected: it is not proved, slack in [1, 2]",
        (Outcome.VACUOUS, ()): "rejected: the claim's hypotheses do not hold on this instance, slack in [1, 2]",
    }
    for (verdict, disagreements), sentence in sentences.items():
        certificate = Certificate(**common, verdict=verdict, disagreements=disagreements)
        assert certificate.summary == sentence
        assert certificate.certified is sentence.startswith("certified")
        assert certificate.to_fields()["verdict"] == verdict.value
    refuted = Certificate(**{**common, "wanted": Outcome.REFUTED, "enclosure": ""}, verdict=Outcome.PROVED)
    assert refuted.summary == "rejected: the claim holds on this instance"


def test_how_a_file_differs():
    proved = {"ends": (F(1, 3), F(1, 2)), "checks": 4, "theorem": "t", "absent": 1}
    same = {"ends": ["1/3", 0.5], "checks": 4, "theorem": "t"}
    assert differing(same, proved) == ()
    for name, value, sentence in (
        ("ends", ["1/3", "0.51"], "the file's ends is ['1/3', '0.51'], not [1/3, 1/2]"),
        ("ends", ["1/3"], "the file's ends is ['1/3'], not [1/3, 1/2]"),
        ("ends", "1/3", "the file's ends is '1/3', not [1/3, 1/2]"),
        ("ends", ["1/3", "junk"], "the file's ends is ['1/3', 'junk'], not [1/3, 1/2]"),
        ("checks", 4.0, "the file's checks is 4.0, not 4"),
        ("checks", True, "the file's checks is True, not 4"),
        ("theorem", "u", "the file's theorem is 'u', not 't'"),
    ):
        assert differing({**same, name: value}, proved) == (sentence,)
    assert differing({"one": True}, {"one": F(1)}) == ("the file's one is True, not 1",)


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_a_claim_a_penalty_and_a_bound_have_the_same_ratio():
    """Of trpo/tv: the gap 2/5 over 4 · 1/2 / (1/4) · 1/16 = 1/2."""

    def penalty(q):
        return 4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2

    claim = tt.Claim(
        "mine/tv", lambda q: q.surrogate_gap + penalty(q), "s", "t", lambda q: q.gamma > 0, expected="open"
    )
    for one in ("trpo/tv", tt.bounds["trpo/tv"], penalty, claim):
        decision = ratio_of(as_bound(one), coupling_tight())
        assert (decision.lower, decision.upper, decision.met) == (F(4, 5), F(4, 5), True)
    bound = as_bound(claim)
    assert (bound.id, bound.statement, bound.source, bound.given, bound.expected) == (
        *("mine/tv", "s", "t"),
        *(claim.given, "open"),
    )
    assert as_bound(replace(claim, origin="/mine.py")).file == "/mine.py"  # whose lines errors name
    assert (as_bound(penalty).id, as_bound(penalty).expected) == ("penalty", "open")
    standing = coupling_tight(new=[[HALF, HALF, 0]] * 2)
    assert ratio_of(as_bound("trpo/tv"), standing).met is False


@pytest.mark.parametrize(
    ("one", "got"),
    [
        (tt.Claim("mine/equal", abs, "s", relation="="), "mine/equal as a bound"),
        (tt.Claim("mine/step", abs, "s", step=abs), "mine/step as a bound"),
        (3, "a int as a bound"),
    ],
    ids=["identity", "step", "number"],
)
def test_what_is_no_bound(one, got):
    with pytest.raises(tt.InvalidInput, match=f"^got {got}; wanted the id of a bound"):
        as_bound(one)


def test_a_worst_case_of_an_unknown_bound_or_of_one_that_fails():
    fields = dict(coupling_tight().to_fields(), kind="worst-case", bound="mine/tb", ratio=["1", "1"])
    mine = tt.Claim("mine/tv", lambda q: q.nothing_of_the_kind, "s")
    with pytest.raises(tt.InvalidInput, match="did you mean 'mine/tv'"):
        tt.certify(fields, claims=[mine])
    with pytest.raises(tt.InvalidInput, match="pass --from FILE"):
        tt.certify(fields)
    with pytest.raises(ClaimFailed, match=r"mine/tv.*nothing_of_the_kind"):
        tt.certify({**fields, "bound": "mine/tv"}, claims=[mine])


def test_a_ratio_too_large_to_write_is_undecided():
    """Of a penalty of exp(-10⁹), which is positive and finite."""
    mine = tt.Claim("mine/tiny", lambda q: q.surrogate_gap + q.exp(-(10**9)), "s")
    fields = dict(coupling_tight().to_fields(), kind="worst-case", bound="mine/tiny", ratio=["1", "1"])
    certificate = tt.certify(fields, claims=[mine])
    assert (certificate.verdict, certificate.theorem, certificate.certified) == (Outcome.UNDECIDED, "", False)


def test_bounds_that_cost_a_solve_a_state_are_skipped_from_65_states_on():
    def ring(states):
        return tt.FiniteMDP(np.roll(np.eye(states), 1, axis=1)[:, None], np.zeros((states, 1)), 0.5)

    check_certifiable(ring(1000))
    with pytest.raises(
        tt.InvalidInput, match=r"1001 states; wanted a dense MDP of at most 1000 .* take about \d+ min and .* GB"
    ):
        check_certifiable(ring(1001))
    check_certifiable(ring(100), 10)
    with pytest.raises(
        tt.InvalidInput, match="100 states over 11 steps; wanted a dense MDP of at most 1000 states, of all"
    ):
        check_certifiable(ring(100), 11)
    assert COSTLY_STATES == 64
    assert too_costly(ring(64)) == []
    assert too_costly(ring(65)) == ["mixing/mean-tv", "mixing/tv", "mixing/kl", "chi2/floor"]
    one = np.ones((2, 1))
    chosen = certify_bounds(ring(2), one, one, [tt.bounds["trpo/tv"]])
    assert [(bound.id, bound.penalty, bound.slack, bound.holds) for bound in chosen] == [("trpo/tv", 0.0, 0.0, True)]


# --- updates ----------------------------------------------------------------------------------------------------------


def update_fields(**changes):
    """A bandit at gamma = 0 with rewards 1 and 0 from the uniform policy: the penalty 1/2, and new = (3/4, 1/4)."""
    fields = {
        **{"transition": [[[1], [1]]], "reward": [[1, 0]], "gamma": 0, "initial": [1]},
        **{"old": [["1/2", "1/2"]], "new": [["3/4", "1/4"]], "problem": "penalty", "coefficient": "1/2"},
        "multiplier": ["1/2"],
    }
    return {**fields, **changes}


def test_the_optimum_of_a_bandit():
    """max p - 1/2 + C log(4 p (1 - p))/2 at C = 1/2: 4 p² - 2 p = 1, p = (1 + √5)/4."""
    proved, p = prove_optimum(update_fields()), (1 + 5**0.5) / 4
    optimum = p - 0.5 + np.log(4 * p * (1 - p)) / 4
    assert proved.upper == pytest.approx(optimum, rel=1e-12)
    assert proved.lower == pytest.approx(0.25 + (np.log(1.5) + np.log(0.5)) / 4, rel=1e-12)
    assert (proved.states, proved.actions, proved.grouped) == (1, 2, False)
    assert proved.theorem.startswith(
        "for the MDP of this file (1 states, 2 actions, gamma = 0) and its policy old, the maximum of "
        "L_old(new) - eta(old) - 1/2 max-KL(old, new), among all policies, is at least "
    )


def test_the_certificate_of_an_update_has_both_ends():
    proved = prove_optimum(update_fields())
    certificate = tt.certify(update_fields(kind="update-gap"))
    assert certificate.enclosure == f"[{number_text(proved.lower)}, {number_text(proved.upper)}]"
    assert proved.lower < proved.upper
    assert certificate.details["objective"] == pytest.approx(float(proved.lower), rel=1e-12)
    assert certificate.details["upper_bound"] == pytest.approx(float(proved.upper), rel=1e-12)
    assert (certificate.details["coefficient"], certificate.details["gamma"]) == (0.5, 0.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"problem": "max-tv"}, "got problem = 'max-tv'; wanted one of penalty, max-kl, mean-kl"),
        ({"coefficient": "-1/3"}, "got coefficient = -1/3; wanted 0 or more"),
        ({"problem": "max-kl", "delta": -1}, "got delta = -1; wanted 0 or more"),
        ({"multiplier": [-1]}, "got a negative multiplier"),
        ({"multiplier": [1, 1]}, r"got multiplier of shape \(2,\); wanted shape \(1,\)"),
    ],
    ids=["problem", "coefficient", "delta", "negative", "shape"],
)
def test_what_is_no_update(changes, message):
    with pytest.raises(tt.InvalidInput, match=message):
        prove_optimum(update_fields(**changes))


def test_rows_that_differ_within_a_group():
    two = {
        **{"transition": [[[1, 0], [0, 1]]] * 2, "reward": [[1, 0]] * 2, "gamma": "1/2", "initial": ["1/2", "1/2"]},
        **{"old": [["1/2", "1/2"]] * 2, "new": [["3/4", "1/4"]] * 2, "groups": [7, 7]},
    }
    assert prove_optimum(update_fields(**two)).grouped
    for name in ("old", "new"):
        with pytest.raises(tt.InvalidInput, match=f"got {name} that differs within the group 7"):
            prove_optimum(update_fields(**two) | {name: [["1/2", "1/2"], ["1/4", "3/4"]]})


def test_an_update_that_drops_an_action_has_no_finite_gap():
    certificate = tt.certify(update_fields(kind="update-gap", new=[[1, 0]]))
    assert (certificate.verdict, certificate.certified, certificate.theorem) == (Outcome.UNDECIDED, False, "")
    assert certificate.summary == (
        "rejected: not proved: got an update whose gap is infinite; wanted a finite one; fix: solve with Dual()"
    )


def test_evidence_of_an_update_needs_its_mdp(monkeypatch):
    one = np.ones((65, 1))
    options = {"step": {"old": one, "new": one}, "amount": F(1), "multiplier": one[:, 0], "groups": None}
    options["reduction"] = prove_optimum(update_fields()).problem.reduction
    with pytest.raises(tt.InvalidInput, match="surrogate alone"):
        update_evidence(None, **options)
    monkeypatch.setattr(update_rows, "MOST_ENTRIES", 4000)
    large = tt.FiniteMDP(np.eye(65)[:, None], np.zeros((65, 1)), 0.5)
    message = "a proof for an MDP of 65 states and 1 actions; wanted at most 4,000 entries"
    with pytest.raises(tt.InvalidInput, match=message):
        update_evidence(large, **options)
    with pytest.raises(tt.InvalidInput, match=message):
        prove_optimum(
            {
                **{"problem": "max-kl", "delta": 1, "multiplier": one[:, 0], "gamma": "1/2", "initial": np.eye(65)[0]},
                **{"transition": np.eye(65)[:, None], "reward": np.zeros((65, 1)), "old": one, "new": one},
            }
        )


def test_the_gap_of_an_update_relative_to_what_can_be_gained():
    mdp = tt.FiniteMDP([[[1.0], [1.0]]], [[1.0, 0.0]], 0.0)
    gap = tt.certify_update(tt.update(mdp, [[0.5, 0.5]], tt.MaxKL(0.1)))
    assert gap.kind == "update-gap"
    assert 0 <= gap.gap == gap.upper_bound - gap.objective
    assert gap.relative_gap == gap.gap / gap.upper_bound <= 1e-12
    none = tt.certify_update(tt.update(mdp, [[0.5, 0.5]], tt.MaxKL(0.0)))
    assert (none.objective, none.upper_bound, none.relative_gap) == (0.0, 0.0, 0.0)


def test_a_penalty_that_is_no_multiple_of_max_kl_is_not_certified():
    mdp = tt.FiniteMDP([[[1, 0], [0, 1]], [[1, 0], [0, 1]]], [[1.0, 0.0]] * 2, 0.5)
    solution = tt.update(mdp, [[0.5, 0.5]] * 2, tt.Penalty(bound="bh/kl"))
    assert linear_coefficient(solution.surrogate, solution.problem) is None
    with pytest.raises(tt.InvalidInput, match="not a coefficient times max-KL"):
        tt.certify_update(solution)
