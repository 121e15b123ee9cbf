"""`tests/oracles/check_proof.py` proves fresh files of every kind again, and both checkers reject each mutation of one."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
from cheap import sampled
from check_proof import check
from proof_claims import CLAIMS, STEPS
from proof_numbers import polylog

import trpo_theory as tt
from trpo_theory.search.worst_cases import evolve
from trpo_theory.sharp.gap import sharp_gap
from trpo_theory.sharp.mean_kl.half_line import FROM_A_QUARTER, FROM_FOUR_FIFTHS
from trpo_theory.sharp.mean_kl.mesh import Mesh
from trpo_theory.sharp.mean_kl.search import Search

ROOT = Path(__file__).parent.parent
DIVERGENCES = ("max-kl", "reverse-max-kl", "max-chi2", "max-tv", "mean-kl", "mean-tv")
PROBLEMS = {
    "penalty": (tt.Penalty(1.0), None),
    "penalty of trpo/kl": (tt.Penalty(bound="trpo/kl"), None),
    "max-kl": (tt.MaxKL(0.01), None),
    "mean-kl": (tt.MeanKL(0.02), None),
    "max-kl, groups": (tt.MaxKL(0.01), [0, 0, 1]),
    "mean-kl, groups": (tt.MeanKL(0.05), [0, 1, 1]),
    "reverse-max-chi2": (tt.ReverseMaxChi2(0.1), None),
    "reverse-mean-chi2, some actions lost": (tt.ReverseMeanChi2(1.0), None),
    "reverse-mean-chi2, a slack radius": (tt.ReverseMeanChi2(50.0), None),
    "reverse-max-chi2, groups": (tt.ReverseMaxChi2(0.6), [0, 0, 1]),
}
WRITTEN_AGAIN = {*CLAIMS, *STEPS}
"""The claims that the checker knows."""


def assert_proved(path):
    """The theorem that is proved is the one that the file states."""
    assert check(path) == (True, json.loads(path.read_text())["theorem"])


def update_file(problem, groups, path):
    mdp = tt.zoo.dirichlet(np.random.default_rng(0), states=3, actions=3, gamma=0.9)
    old = np.full((3, 3), 1 / 3) if groups else tt.zoo.random_policy(np.random.default_rng(1), (3, 3))
    aggregation = tt.StateAggregation(groups) if groups else None
    tt.certify_update(tt.update(mdp, old, problem, aggregation=aggregation)).write(path)


def witness_file(path):
    """An earlier witness, read and written anew."""
    from trpo_theory import bounds
    from trpo_theory.io.files import read_fields
    from trpo_theory.proofs.settle import settle
    from trpo_theory.proofs.witness import Witness
    from trpo_theory.step.exact import ExactInstance

    claim = bounds.get("trpo/tv-2")
    instance = ExactInstance.from_fields(read_fields(ROOT / "witnesses" / "trpo--tv-2.json"))
    Witness(claim, instance, settle(claim, instance)).write(path)


def worst_file(path):
    from trpo_theory.io.evidence_files import write_evidence
    from trpo_theory.proofs.bound_ratio import as_bound, ratio_evidence, ratio_of
    from trpo_theory.step.exact import ExactInstance

    bound = as_bound("coupling/tv")
    step = tt.zoo.coupling_tight(gamma=0.5, x=0.25)
    instance = ExactInstance.of(step.mdp, step.old, step.new)
    write_evidence(ratio_evidence(bound, instance, ratio_of(bound, instance)), path)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A small file of each kind, with at least one other number in each field than 0 and 1."""
    where = tmp_path_factory.mktemp("fresh")
    names = (
        "refutation",
        "worst-case",
        "sharp-lower",
        "sharp-upper",
        "update-gap",
        "theorem-cover",
        "theorem-interval",
    )
    paths = {name: where / f"{name}.json" for name in names}
    witness_file(paths["refutation"])
    worst_file(paths["worst-case"])
    gap = sharp_gap("max-kl", 0.5, 0.1, nodes=10)
    gap.write(paths["sharp-lower"])
    gap.write_proof(paths["sharp-upper"])
    update_file(*PROBLEMS["max-kl"], paths["update-gap"])
    FROM_A_QUARTER.write(paths["theorem-cover"])
    search = Search((0.75, 0.8), 2.0, 0.3, Mesh(radius=0.01, growth=0.2, step=0.3, far=30.0, inner=10.0), 0.5)
    search.rounded(search.solve(), Fraction(2)).write(paths["theorem-interval"])
    return paths


KINDS = ("refutation", "worst-case", "sharp-lower", "sharp-upper", "update-gap", "theorem-cover", "theorem-interval")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_fresh_file_of_each_kind_is_proved_by_both(kind, files):
    theorem = json.loads(files[kind].read_text())["theorem"]
    certificate = tt.certify(files[kind])
    assert check(files[kind]) == (True, theorem) == (certificate.certified, certificate.theorem)


def test_available_of_a_sharp_witness_is_checked_by_both(files, tmp_path):
    fields = json.loads(files["sharp-lower"].read_text())
    taken = fields["available"]
    assert not all(map(all, taken))
    lead_on = [[row if any(row) else fields["initial"] for row in rows] for rows in fields["transition"]]
    for available, same in ((taken, True), ([[True] * len(row) for row in taken], False), (None, False)):
        (tmp_path / "file.json").write_text(json.dumps(fields | {"transition": lead_on, "available": available}))
        assert check(tmp_path / "file.json")[0] == same
        assert tt.certify(tmp_path / "file.json").certified == same


@pytest.mark.slow
@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_both_ends_of_each_sharp_gap(divergence, tmp_path):
    """Over max|Ā|; over max|A|, every divergence is in test_checker_variants.py."""
    gap = sharp_gap(divergence, 0.6, 0.05, "expected", nodes=10)
    gap.write(tmp_path / "lower.json")
    gap.write_proof(tmp_path / "upper.json")
    for end in ("lower", "upper"):
        assert_proved(tmp_path / f"{end}.json")


def test_both_ends_over_the_standard_deviation(tmp_path):
    gap = sharp_gap("reverse-max-chi2", 0.6, 0.05, "sd", nodes=10)
    gap.write(tmp_path / "lower.json")
    gap.write_proof(tmp_path / "upper.json")
    for end in ("lower", "upper"):
        assert_proved(tmp_path / f"{end}.json")
        fields = json.loads((tmp_path / f"{end}.json").read_text())
        (tmp_path / "file.json").write_text(json.dumps(fields | {"normaliser": "expected"}))
        assert not check(tmp_path / "file.json")[0]


@pytest.mark.parametrize("name", PROBLEMS)
def test_update_gaps(name, tmp_path):
    update_file(*PROBLEMS[name], tmp_path / "file.json")
    assert_proved(tmp_path / "file.json")


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """An update-gap file of an MDP whose states and actions have names, by each kind of amount."""
    path, mdp = tmp_path_factory.mktemp("labelled") / "file.json", tt.load("zoo:forest")
    named = tt.FiniteMDP(
        mdp.transition,
        mdp.reward,
        mdp.gamma,
        mdp.initial,
        state_labels=("young", "middle", "old"),
        action_labels=list("ab"),
    )
    tt.certify_update(tt.update(named, np.full((3, 2), 0.5), tt.MaxKL(0.01))).write(path)
    return json.loads(path.read_text(), parse_float=str)


def both(fields, path):
    """Whether each checker says that the file is proved."""
    path.write_text(json.dumps(fields))
    try:
        certified = tt.certify(path).certified
    except tt.InvalidInput:
        certified = False
    return certified, check(path)[0]


LIES = {
    "as many labels as states": {"state_labels": ["young", "old"]},
    "distinct labels": {"action_labels": ["a", "a"]},
    "labels that are a list": {"action_labels": "ab"},
    "labels that are texts": {"action_labels": [1, 2]},
    "no labels that are null": {"state_labels": None},
    "the amount of another problem": {"coefficient": "1"},
    "what only a claim reads: size": {"size": "2"},
    "what only a claim reads: noise": {"noise": [[1, 2]] * 3},
    "what only a claim reads: reference": {"reference": [["1/2", "1/2"]] * 3},
    "truth values": {"available": [["yes", "no"]] * 3},
    "digits of ASCII": {"gamma": "\uff19/10"},
    "groups that are integers": {"groups": ["1/2", 0, 3]},
}


def test_labels_are_no_part_of_a_theorem(labelled, tmp_path):
    assert labelled["state_labels"] == ["young", "middle", "old"]
    assert both(labelled, tmp_path / "file.json") == (True, True)
    bare = {name: value for name, value in labelled.items() if not name.endswith("_labels")}
    assert both(bare | {"groups": None, "available": [[1, 1]] * 3}, tmp_path / "file.json") == (True, True)


@pytest.mark.parametrize("lie", LIES)
def test_both_refuse_what_no_proof_is_about(lie, labelled, tmp_path):
    assert both(labelled | LIES[lie], tmp_path / "file.json") == (False, False)


@pytest.mark.parametrize("name", ["available", "noise", "groups", "slack and enclosure"])
def test_what_is_empty_or_missing_is_refused(name, tmp_path):
    """An empty list is not the neutral value, and a refutation without its slack is no proof that it tells."""
    fields = json.loads((ROOT / "witnesses" / "trpo--tv-2.json").read_text())
    assert both(fields | {"size": None, "noise": None}, tmp_path / "file.json") == (True, True)
    fields |= {name: []} if name in ("available", "noise", "groups") else {}
    bare = (
        {key: value for key, value in fields.items() if key not in name.split(" and ")} if "slack" in name else fields
    )
    assert both(bare, tmp_path / "file.json") == (False, False)


@pytest.mark.whole
@pytest.mark.slow
def test_the_other_cover(tmp_path):
    FROM_FOUR_FIFTHS.write(tmp_path / "file.json")
    assert_proved(tmp_path / "file.json")


COMMITTED = sorted((ROOT / "witnesses").glob("*.json"))
WITNESSES = [path for path in COMMITTED if json.loads(path.read_text())["claim"] in WRITTEN_AGAIN]


@pytest.mark.parametrize("path", WITNESSES, ids=lambda path: path.stem)
def test_every_witness_is_proved_again(path):
    assert check(path) == (True, tt.certify(path).theorem)


def test_a_witness_of_a_claim_that_it_does_not_know_is_rejected():
    for path in [path for path in COMMITTED if path not in WITNESSES]:
        holds, text = check(path)
        assert not holds, path
        assert text.startswith("rejected"), text


@pytest.mark.slow
@sampled("path", WITNESSES, ids=lambda path: path.stem, every=4)
def test_both_checkers_reject_a_false_slack_and_a_true_claim(path, tmp_path):
    fields = json.loads(path.read_text(), parse_float=str)
    for changes in (
        shifted("slack", "1/1000")(fields),
        {"claim": "trpo/tv"},  # a theorem
        {"verdict": "proved"},
        scaled(UP, "gamma")(fields),
    ):
        if changes.get("gamma") in ("0", fields["gamma"]) or ("gamma" in changes and "divergence" in path.stem):
            continue  # of what gamma does not enter
        (tmp_path / "file.json").write_text(json.dumps(fields | changes))
        assert not check(tmp_path / "file.json")[0]
        with contextlib.suppress(tt.InvalidInput):
            assert not tt.certify(tmp_path / "file.json").certified


def every_bound():
    """Each bound on an instance with other numbers for all that it reads; on one that meets its hypotheses."""
    from trpo_theory import bounds

    halves = [[Fraction(1, 2), Fraction(1, 2)]] * 3
    lead = [[[0, 1, 0], ["1/3", "1/3", "1/3"]], [[1, 0, 0], [0, 0, 1]], [["1/2", 0, "1/2"], [0, "1/4", "3/4"]]]
    fields = {"transition": lead, "reward": [[1, 0], ["1/2", 3], [0, 2]], "gamma": "9/10", "initial": ["1/2", "1/2", 0]}
    fields |= {"old": halves, "new": [["1/3", "2/3"], ["3/5", "2/5"], ["1/2", "1/2"]]}
    better = {"gamma": "1/10", "reward": [[9, 0], [8, 0], [7, 0]]}  # the first action, by far
    greedy = {"old": [[0, 1], ["1/2", "1/2"], [0, 1]], "new": [["1/4", "3/4"], ["5/8", "3/8"], ["1/4", "3/4"]]}
    reference = {"reference": [["1/4", "3/4"], ["1/2", "1/2"], [1, 0]]}
    other = {"geppo": reference, "geppo/old-tv": reference, "kakade-langford/greedy": better | greedy}
    other["chi2/critic"] = {"noise": [[1, 2], [0, 3], [-1, "1/2"]]}
    long = {"gamma": "19/20", "new": [["9/20", "11/20"], ["1/2", "1/2"], ["1/2", "1/2"]]}  # gamma (1 + c) < 1
    ends = {"transition": [[["1/2", 0, "1/2"], [0, 1, 0]], [[1, 0, 0], [0, 0, 1]], [[0, 0, 1]] * 2]}  # and above 1
    ends |= {"gamma": "19/20", "reward": [[1, 0], ["1/2", 3], [0, 0]]}
    other |= {"chi2/mean-max": long, "transition/second-order": long, "chi2/second-order": ends, "chi2/floor": ends}
    for one in (name for name, bound in bounds.all_bounds.items() if not bound.setting):
        near = {"gamma": "1/2"} if one.startswith(("chi2/", "transition/")) else {}
        yield one, fields | near | other.get(one, {})


@pytest.mark.parametrize(
    ("name", "fields"), list(every_bound()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_worst_case_of_every_bound(name, fields, tmp_path):
    from trpo_theory.io.evidence_files import write_evidence
    from trpo_theory.proofs.bound_ratio import as_bound, ratio_evidence, ratio_of
    from trpo_theory.step.exact import ExactInstance

    bound, instance = as_bound(name), ExactInstance.from_fields(fields)
    decision = ratio_of(bound, instance)
    assert decision.met
    write_evidence(ratio_evidence(bound, instance, decision), tmp_path / "file.json")
    assert_proved(tmp_path / "file.json")


@pytest.mark.parametrize("gamma", ["1/3", "9/10", "99/100"])
def test_the_polylogarithm(gamma):
    found = polylog(Fraction(gamma))
    with mpmath.workdps(90):
        value = mpmath.polylog(mpmath.mpf(-1) / 2, mpmath.mpmathify(gamma))
        assert mpmath.mpf(found.a) <= value <= mpmath.mpf(found.b)
        assert found.delta < value * mpmath.mpf(10) ** -20


def test_the_command(files, tmp_path):
    (tmp_path / "not.json").write_text("{")
    (tmp_path / "false.json").write_text(files["worst-case"].read_text().replace("coupling/tv", "trpo/tv"))
    names = ("worst-case", "sharp-lower")
    for paths, status in (
        ([files[name] for name in names], 0),
        ([files["worst-case"], tmp_path / "false.json"], 1),
        ([tmp_path / "false.json", tmp_path / "not.json"], 2),
        ([], 2),
    ):
        call = [sys.executable, str(ROOT / "oracles" / "check_proof.py"), *map(str, paths)]
        done = subprocess.run(call, capture_output=True, text=True, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (status, "")
        if status == 0:
            theorems = [json.loads(path.read_text())["theorem"] for path in paths]
            assert done.stdout == "".join(f"{p}: proved: {t}\n" for p, t in zip(paths, theorems, strict=True))


def scaled(by, *names):
    """Numbers multiplied throughout."""

    def times(value):
        if isinstance(value, list):
            return [times(one) for one in value]
        return str(Fraction(value) * Fraction(by))

    return lambda fields: {name: times(fields[name]) for name in names}


def shifted(name, by):
    """Both ends moved up by a share of their size."""

    def move(fields):
        lower, upper = map(Fraction, fields[name])
        step = Fraction(by) * max(abs(lower), abs(upper))
        return {name: [str(lower + step), str(upper + step)]}

    return move


def put(**changes):
    return lambda fields: changes


def a_row(name):
    """The first row with two entries or more, its mass moved by a thousandth."""

    def move(fields):
        rows = [[str(one) for one in row] for row in fields[name]]
        for row in rows:
            some = [i for i, one in enumerate(row) if Fraction(one) > 0]
            if len(some) > 1:
                i, j = some[:2]
                step = min(Fraction(row[i]), Fraction(row[j])) / 1000
                row[i], row[j] = str(Fraction(row[i]) + step), str(Fraction(row[j]) - step)
                return {name: rows}
        row = rows[0]
        row[:2] = (str(Fraction(row[0]) - Fraction(1, 1000) * (1 if Fraction(row[0]) else -1)), "1/1000")
        return {name: rows}

    return move


UP, DOWN = "1001/1000", "999/1000"
EVERY = {
    "enclosure up": shifted("enclosure", "1/1000"),
    "enclosure down": shifted("enclosure", "-1/1000"),
    "gamma up": scaled(UP, "gamma"),
    "gamma down": scaled(DOWN, "gamma"),
    "a bound": lambda fields: {"bound": 0.001} if "bound" not in fields else {"bound": "trpo/tv"},
    "a mean": put(mean=True),
    "another kind": lambda fields: {"kind": "sharp-upper" if fields["kind"] == "sharp-lower" else "sharp-lower"},
    "a theorem": lambda fields: {"theorem": fields["theorem"].replace("gamma", "gamma = 0 or gamma")},
}
STEP = {
    "reward": scaled("-1", "reward"),
    "new": a_row("new"),
    "old": a_row("old"),
    "new is old": lambda fields: {"new": fields["old"]},
    "a row too heavy": lambda fields: {
        "old": [[str(Fraction(x) * Fraction(UP)) for x in row] for row in fields["old"]]
    },
}
RADIUS = {"radius down": scaled(DOWN, "radius"), "radius up": scaled(UP, "radius")}
SHARP = {
    **RADIUS,
    "normaliser": put(normaliser="expected"),
    "another divergence": put(divergence="reverse-max-kl"),
    "the mean": put(divergence="mean-kl"),
}
MUTATIONS = {
    "refutation": {
        **EVERY,
        **STEP,
        "slack": shifted("slack", "1/1000"),
        "sign": lambda fields: {"slack": [str(-Fraction(x)) for x in reversed(fields["slack"])]},
        "another claim": put(claim="pinsker/kl-1"),
    },
    "worst-case": {**EVERY, **STEP, "ratio": shifted("ratio", "1/1000"), "another bound": put(bound="trpo/kl")},
    "sharp-lower": {**EVERY, **STEP, **SHARP},
    "sharp-upper": {
        **EVERY,
        **SHARP,
        "w": scaled(DOWN, "w"),
        "slope": scaled(DOWN, "slope"),
        "lambda down": scaled("9/10", "price"),
        "lambda up": scaled("11/10", "price"),
        "lambda's sign": scaled("-1", "price"),
        "mu": scaled("-1", "mu"),
        "nodes": scaled(UP, "nodes"),
    },
    "update-gap": {
        **EVERY,
        **STEP,
        "delta up": scaled(UP, "delta"),
        "delta down": scaled(DOWN, "delta"),
        "multipliers": scaled("9/10", "multiplier"),
        "negative multipliers": scaled("-1", "multiplier"),
        "mean-kl": put(problem="mean-kl"),
        "chi2": put(problem="reverse-max-chi2"),
        "a larger reward": scaled(UP, "reward"),
    },
    "theorem-cover": {
        **{name: change for name, change in EVERY.items() if name != "enclosure up"},
        "constant": scaled(DOWN, "constant"),
        "constant and enclosure": put(constant="3996/1000", enclosure=["0", "3996/1000"]),
        "k": put(k="1"),
        "no tilt": put(tilt=["0", "7/10"]),
        "a small x": put(largest="2"),
    },
    "theorem-interval": {
        **{name: change for name, change in EVERY.items() if name != "enclosure up"},
        "constant": scaled(DOWN, "constant"),
        "constant and enclosure": put(constant="13/10", enclosure=["0", "13/10"]),
        "curvature": scaled(DOWN, "curvature"),
        "bend": put(bend="2/5"),
        "outer bend": put(outer_bend="-100"),
        "a short reach": put(reach="1/1000"),
        "w": scaled(DOWN, "w"),
        "mu": scaled("9/10", "mu"),
        "nu": scaled("9/10", "nu"),
        "nodes": scaled(UP, "nodes"),
        "one end": lambda fields: {"gamma": fields["gamma"][:1]},
        "wider": put(gamma=["1/2", "4/5"]),
    },
}


@pytest.mark.slow
@sampled(("kind", "name"), [(kind, name) for kind in KINDS for name in MUTATIONS[kind]], every=8)
def test_both_checkers_reject_a_mutation(kind, name, files, tmp_path):
    fields = json.loads(files[kind].read_text(), parse_float=str)
    changes = MUTATIONS[kind][name](fields)
    assert any(fields.get(field) != value for field, value in changes.items())
    path = tmp_path / "file.json"
    path.write_text(json.dumps(fields | changes))
    assert not check(path)[0]
    with contextlib.suppress(tt.InvalidInput):
        assert not tt.certify(path).certified


@pytest.mark.slow
@sampled("bound", ["chi2/advantage", "chi2/expected-advantage", "chi2/reward"], every=3)
def test_a_worst_case_that_was_searched_for_and_its_mutations(bound, tmp_path, monkeypatch):
    path = tmp_path / "file.json"
    for name in (
        "_ROUNDS",
        "_GENERATIONS",
        "_CLIMBERS",
    ):  # a short search: what is tested is what is proved of its find
        monkeypatch.setattr(evolve, name, 1)
    tt.worst_case(bound, gamma=0.5, states=3, effort=1).write(path)
    assert_proved(path)
    fields = json.loads(path.read_text(), parse_float=str)
    assert both(fields, path) == (True, True)
    for name, change in MUTATIONS["worst-case"].items():
        assert both(fields | change(fields), path) == (False, False), name
