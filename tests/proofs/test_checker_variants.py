"""Every kind and variant of proof file that the toolkit writes is known to the independent checker, and proved by it."""

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path

import check_proof
import pytest
from cheap import is_whole, sample, sampled
from check_proof import check
from proof_divergences import SUPREMA, kind_of
from proof_implications import METHODS as KNOWN_METHODS
from proof_own_claims import read

import trpo_theory as tt
from trpo_theory.claims.from_file import read_claims
from trpo_theory.proofs.certifying import CHECKERS, FIELDS
from trpo_theory.proofs.methods import METHODS
from trpo_theory.sharp.divergences import BY_NAME, DIVERGENCES
from trpo_theory.sharp.gap import sharp_gap

HEAD = {"kind", "statement", "theorem", "source", "enclosure", "made_by"}
OF_OTHER_CRITERIA = {"costs", "horizon", "model", "references", "temperature", "weights"}
"""Fields of an instance beyond a discounted one with one reward: refutations may have them, other kinds of files not."""
CLAIMS = """
import math
from trpo_theory import bounds, claim

@claim("mine/hundred", statement="a")
def hundred(q):
    return q.surrogate_gap + 400 * q.max_abs_advantage * q.gamma * q.max_tv**2

@claim("mine/four", statement="a")
def four(q):
    return q.surrogate_gap + 4 * q.max_s(q.max_a(abs(q.advantage))) * q.gamma * math.sqrt(q.max_tv) ** 4

@claim("mine/near-one", statement="a", given=lambda q: q.gamma <= 0.9)
def near_one(q):
    return q.expected_return_new - q.surrogate + 1.5 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_kl

@claim("mine/jeffreys", statement="a")
def jeffreys(q):
    return q.max_kl + q.reverse_max_kl - 4 * q.max_tv**2

@claim("mine/jensen-shannon", statement="a")
def jensen_shannon(q):
    return q.mean_jensen_shannon - 0.4 * q.mean_tv**2

half = bounds.Bound("mine/half", lambda q: q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2, "a")
"""


def test_no_kind_and_no_field_is_forgotten():
    assert {*check_proof.KINDS} == {*CHECKERS}
    for kind, (_, names) in check_proof.KINDS.items():
        assert {*names.split(), "gamma"} == FIELDS[kind] | HEAD | {"gamma"}, kind


def test_no_method_of_proof_and_no_divergence_is_forgotten():
    without_files = {"theorem", "identity"}  # a proof on paper; no proof
    assert {*KNOWN_METHODS} == {method.name for method in METHODS} - without_files
    assert {kind_of(name)[0].replace("_", "-") for name in DIVERGENCES} == {*BY_NAME}
    assert {kind.replace("_", "-") for kind in SUPREMA} == {*BY_NAME}


def both(fields, path, file=None):
    """Whether each checker says that the file is proved, and the theorem of the independent one."""
    path.write_text(json.dumps(fields))
    try:
        certified = tt.certify(path, claims=None if file is None else read_claims(file)).certified
    except tt.InvalidInput:
        certified = False
    holds, text = check(path, None if file is None else read(file))
    return certified, holds, text


def assert_both(fields, path, file=None):
    assert both(fields, path, file) == (True, True, fields["theorem"])


@pytest.mark.slow
@sampled("divergence", DIVERGENCES, every=8)
def test_both_ends_in_every_divergence(divergence, tmp_path):
    gap = sharp_gap(divergence, Fraction(3, 5), Fraction(1, 20), nodes=10)
    for name, write in (("lower", gap.write), ("upper", gap.write_proof)):
        write(tmp_path / f"{name}.json")
        fields = json.loads((tmp_path / f"{name}.json").read_text(), parse_float=str)
        assert_both(fields, tmp_path / f"{name}.json")
        lies = ({"radius": "49/1000" if name == "lower" else "51/1000"}, {"gamma": "601/1000"})
        for lie in (*lies, {"theorem": fields["theorem"].replace("1/20", "1/2")}):
            assert both(fields | lie, tmp_path / "lie.json")[:2] == (False, False), lie


@pytest.fixture(scope="module")
def over_a_horizon(tmp_path_factory):
    path, found = tmp_path_factory.mktemp("horizon"), {}
    gap = sharp_gap("max-kl", 1, Fraction(1, 50), horizon=3, nodes=10)
    for name, write in (("lower", gap.write), ("upper", gap.write_proof)):
        write(path / f"{name}.json")
        found[name] = json.loads((path / f"{name}.json").read_text(), parse_float=str)
    return found


def step_changed(**changes):
    def change(fields):
        *before, last = fields["steps"]
        return {"steps": [*before, last | {name: f(last[name]) for name, f in changes.items()}]}

    return change


def smaller(numbers):
    return [str(float(x) * 0.999) for x in numbers]


HORIZON_LIES = {
    "upper": {
        "a horizon of one more": lambda fields: {"horizon": 4},
        "a step left out": lambda fields: {"horizon": 2, "steps": fields["steps"][:2]},
        "smaller values": step_changed(w=smaller),
        "an end inside": lambda fields: {"enclosure": ["0", str(float(fields["enclosure"][1]) * 0.999)]},
        "a larger radius": lambda fields: {"radius": "21/1000"},
        "no horizon": lambda fields: {"horizon": None},
        "a larger discount": lambda fields: {"gamma": "1001/1000"},
        "a mean": lambda fields: {"divergence": "mean-kl"},
        "an infinite price": step_changed(price=lambda x: [f"-{y}" for y in x]),
    },
    "lower": {
        "a horizon of one less": lambda fields: {"horizon": 1},
        "a smaller radius": lambda fields: {"radius": "19/1000"},
        "a law that is none": lambda fields: {"initial": ["1/2"] * 2 + ["1/3"] * (len(fields["initial"]) - 2)},
        "another discount": lambda fields: {"gamma": "9/10"},
        "a sparse transition beside": lambda fields: {"transition_data": [1]},
        "a larger end": lambda fields: {"enclosure": [str(float(x) * 1.001) for x in fields["enclosure"]]},
        "a theorem for no horizon": lambda fields: {
            "theorem": fields["theorem"].replace(" that ends after 3 steps", "")
        },
    },
}


def test_both_ends_over_a_horizon(over_a_horizon, tmp_path):
    for fields in over_a_horizon.values():
        assert "ends after 3 steps" in fields["theorem"]
        assert_both(fields, tmp_path / "file.json")
    assert "gamma = 1 " in over_a_horizon["upper"]["theorem"]


@pytest.mark.parametrize(("end", "lie"), [(end, lie) for end in HORIZON_LIES for lie in HORIZON_LIES[end]])
def test_lies_over_a_horizon(end, lie, over_a_horizon, tmp_path):
    fields = over_a_horizon[end]
    changed = {name: value for name, value in (fields | HORIZON_LIES[end][lie](fields)).items() if value is not None}
    assert both(changed, tmp_path / "file.json")[:2] == (False, False)


@pytest.mark.whole
@pytest.mark.slow
def test_a_sparse_witness(tmp_path):
    sharp_gap("max-kl", Fraction(9, 10), Fraction(1, 100), nodes=200).write(tmp_path / "file.json")
    fields = json.loads((tmp_path / "file.json").read_text(), parse_float=str)
    assert "transition" not in fields
    assert_both(fields, tmp_path / "file.json")
    (often, _), *_ = Counter(fields["transition_indices"]).most_common()
    moved = [0 if x == often else x for x in fields["transition_indices"]]
    for lie in (
        {"transition_data": fields["transition_data"][:-1]},
        {"transition_indices": moved},
        {"gamma": "89/100"},
    ):
        assert both(fields | lie, tmp_path / "file.json")[:2] == (False, False)


def test_a_supersolution_of_an_earlier_version(tmp_path):
    fields = json.loads((Path(__file__).parent / "max-tv.json").read_text())
    assert fields["kind"] == "sharp-gap/supersolution"
    assert both(fields, tmp_path / "file.json")[:2] == (True, True)
    for lie in ({"mean": True}, {"expected": True}, {"radius": "1"}, {"divergence": "kl"}, {"slope": "0"}):
        assert both(fields | lie, tmp_path / "file.json")[:2] == (False, False), lie


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "mine.py").write_text(CLAIMS)
    return tmp_path / "mine.py"


@pytest.fixture
def refuted(mine, tmp_path):
    """mine/four is false on a chain of two states."""
    from trpo_theory.proofs.settle import settle
    from trpo_theory.proofs.witness import Witness
    from trpo_theory.step.exact import ExactInstance

    half = [["1/2", "1/2"]] * 2
    content = {"transition": [[[1, 0], [0, 1]], [[0, 1], [0, 1]]], "reward": [[0, 1], [0, -1]], "gamma": "1/2"}
    content |= {"initial": [1, 0], "old": [[1, 0], [1, 0]], "new": half}
    claim, instance = read_claims(mine)[1], ExactInstance.from_fields(content)
    Witness(claim, instance, settle(claim, instance)).write(tmp_path / "file.json")
    return json.loads((tmp_path / "file.json").read_text(), parse_float=str)


def test_a_refutation_of_a_claim_of_ones_own(refuted, mine, tmp_path):
    assert_both(refuted, tmp_path / "file.json", mine)
    assert both(refuted, tmp_path / "file.json")[:2] == (False, False)  # without the file of claims
    for lie in (
        {"claim": "mine/hundred"},
        {"gamma": "1/20"},
        {"new": refuted["old"]},
        {"slack": ["-1/5", "-1/5"]},
        {"enclosure": ["-1/5", "-1/5"], "slack": ["-1/5", "-1/5"]},
        {"file_sha256": "0" * 64},
        {"claim": "trpo/tv"},
        {"theorem": refuted["theorem"].replace("mine/four", "trpo/tv")},
        {"initial": ["1/2", "1/3"]},
    ):
        assert both(refuted | lie, tmp_path / "file.json", mine)[:2] == (False, False), lie


def test_a_worst_case_of_a_bound_of_ones_own(refuted, mine, tmp_path):
    from trpo_theory.io.evidence_files import write_evidence
    from trpo_theory.proofs.bound_ratio import as_bound, ratio_evidence, ratio_of
    from trpo_theory.step.exact import ExactInstance

    names = ("transition", "reward", "gamma", "initial", "old", "new")
    bound = as_bound(next(one for one in read_claims(mine) if one.id == "mine/half"))
    instance = ExactInstance.from_fields({name: refuted[name] for name in names})
    write_evidence(ratio_evidence(bound, instance, ratio_of(bound, instance)), tmp_path / "file.json")
    fields = json.loads((tmp_path / "file.json").read_text(), parse_float=str)
    assert_both(fields, tmp_path / "file.json", mine)
    for lie in ({"gamma": "1/3"}, {"bound": "trpo/tv"}, {"ratio": ["1", "1"]}, {"old": fields["new"]}):
        assert both(fields | lie, tmp_path / "file.json", mine)[:2] == (False, False), lie


IMPLICATIONS = {
    "trpo/tv": {},
    "trpo/kl": {},
    "pinsker/kl": {},
    "bh/kl": {},
    "mixed/tv": {},
    "cpo/mean-kl": {},
    "cpo/max-tv": {},
    "mine/hundred": {"gamma": ("1/2", "9/10"), "radius": ("1/100", "1")},
    "mine/near-one": {"gamma": ("1/2", "1/2"), "radius": ("1/100", "1/10")},
}
BY_ROWS = ("mine/jensen-shannon", "divergence/renyi-0.5")
IMPLICATION_LIES = (
    {"by": "implied by mean-kl/linear"},
    {"by": "implied by chain-rule/reverse-kl"},
    {"verdict": "refuted"},
    {"enclosure": ["1", "inf"]},
    {"gamma": ["1/2", "1/3"]},
    {"gamma": ["0", "1"]},
    {"radius": ["1/100", "2"]},
    {"divergence": "reverse_max_kl"},
    {"method": "theorem"},
    {"relation": "="},
    {"theorem": "it holds everywhere"},
    {"claim": "trpo/tv-2"},
)
ANOTHER_METHOD = {"method": "sharp gap"}
"""A lie too, for which one checker computes gaps, for a second: said of two claims, and of all in a whole run."""


def implication(name, mine, path, region):
    claim = next((one for one in read_claims(mine) if one.id == name), name)
    tt.prove(claim, with_evidence=True, **region).proof.evidence.write(path)
    return json.loads(path.read_text(), parse_float=str)


@pytest.mark.slow
@pytest.mark.sampled
@sampled("name", IMPLICATIONS, every=4)
def test_implications_by_bounds(name, mine, tmp_path):
    fields = implication(name, mine, tmp_path / "file.json", IMPLICATIONS[name])
    assert fields["method"] == "implied"
    assert_both(fields, tmp_path / "file.json", mine)
    slow = [ANOTHER_METHOD] if is_whole() or name in ("trpo/tv", "mine/hundred") else []
    for lie in (*sample(IMPLICATION_LIES, 3, start=list(IMPLICATIONS).index(name)), *slow):
        assert both(fields | lie, tmp_path / "file.json", mine)[:2] == (False, False), lie


@pytest.mark.slow
@sampled("name", BY_ROWS, every=2)
def test_implications_by_rows(name, mine, tmp_path):
    fields = implication(name, mine, tmp_path / "file.json", {})
    assert fields["method"] == "joint range"
    assert_both(fields, tmp_path / "file.json", mine)
    for lie in ({"by": "binary pairs"},):
        assert both(fields | lie, tmp_path / "file.json", mine)[:2] == (False, False), lie


FALSE = {
    "implied by trpo/tv": "q.surrogate_gap + 399 * q.max_abs_advantage * q.gamma * q.max_tv**2",
    "implied by trpo/tv ": "q.surrogate_gap + (400 if q.gamma < 0.9 else 3) * q.max_abs_advantage * q.gamma * q.max_tv**2",
    "implied by coupling/tv": "q.surrogate_gap + 400 * q.max_abs_advantage * q.gamma * q.max_tv**3",
}


@pytest.mark.slow
@sampled("by", FALSE, every=3)
def test_a_false_formula_is_not_proved(by, mine, tmp_path):
    """The last discount and the least radius of the region are in it."""
    mine.write_text(
        f"from trpo_theory import claim\n@claim('mine/hundred', statement='a')\ndef one(q):\n    return {FALSE[by]}"
    )
    theorem = "mine/hundred holds for all finite MDPs and all policies old and new, gamma in [1/2, 9/10], max-TV in [1/100, 1]"
    fields = {
        "kind": "implication",
        "claim": "mine/hundred",
        "method": "implied",
        "by": by.strip(),
        "divergence": "max_tv",
    }
    fields |= {"theorem": f"{theorem}: its slack is not negative; {by.strip()}"}
    fields |= {"gamma": ["1/2", "9/10"], "radius": ["1/100", "1"], "enclosure": ["0", "inf"]}
    assert both(fields, tmp_path / "file.json", mine)[:2] == (False, False)


@pytest.mark.parametrize("name", sorted(OF_OTHER_CRITERIA))
def test_a_field_of_another_setting_is_rejected(name, refuted, mine, tmp_path):
    (tmp_path / "file.json").write_text(json.dumps(refuted | {name: 3}))
    holds, text = check(tmp_path / "file.json", read(mine))
    assert (holds, text) == (False, "rejected: a field of another setting, or none of this one")
    worst = {name: 3, "kind": "worst-case", "bound": "trpo/tv"} | {
        one: refuted[one] for one in ("transition", "reward", "gamma", "initial", "old", "new")
    }
    (tmp_path / "file.json").write_text(json.dumps(worst))
    assert check(tmp_path / "file.json") == (False, "rejected: a field of another setting, or none of this one")


# --- a claim in each setting: that new is no worse than old, which is false ------------------------------------

SETTINGS = {
    "a horizon": ("horizon=True", {"horizon": 3, "gamma": 1}),
    "an end": ('criterion="episodic"', {"gamma": 1}),
    "an average": ('criterion="average"', {"gamma": 1}),
    "entropy": ("temperature=True", {"temperature": "1/7"}),
    "entropy, a horizon": ("temperature=True, horizon=True", {"temperature": "1/7", "horizon": 2}),
    "entropy, an end": ('temperature=True, criterion="episodic"', {"temperature": "1/7", "gamma": 1}),
    "entropy, an average": ('temperature=True, criterion="average"', {"temperature": "1/7", "gamma": 1}),
    "costs": ('costs=("heat",)', {"costs": [[[1], [2]], [[0], [1]], [[0], [0]]]}),
    "references": ("references=True", {"references": [[["1/2", 0], ["1/2", 1]]] * 3, "weights": ["1/3", "2/3"]}),
    "a model": ("model=True", {"model": [[[0, "1/2", "1/2"]] * 2, [["1/2", "1/2", 0]] * 2, [[0, 0, 1]] * 2]}),
}
IN_SETTINGS = """
from trpo_theory import claim

@claim("mine/better", statement="a", {})
def better(q):
    at = q.cost("heat") if "heat" in "{}" else q
    return at.expected_return_new - at.expected_return_old + at.max_abs_advantage * at.mean_tv / 1000
"""
ENDING = {
    "transition": [
        [["1/3", "1/3", "1/3"], ["1/2", "1/4", "1/4"]],
        [["1/5", 0, "4/5"], [0, "1/2", "1/2"]],
        [[0, 0, 1]] * 2,
    ],
    "reward": [[1, "-1/2"], ["2/3", 0], [0, 0]],
    "gamma": "9/10",
    "initial": ["1/2", "1/2", 0],
    "old": [["1/3", "2/3"], ["1/3", "2/3"], ["1/4", "3/4"]],
    "new": [["1/2", "1/2"], ["2/3", "1/3"], ["1/2", "1/2"]],
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_refutation_in_each_setting(setting, tmp_path):
    """Both checkers prove it, and reject other numbers, another setting and a policy that is as good."""
    from trpo_theory.proofs.settle import settle
    from trpo_theory.proofs.witness import Witness
    from trpo_theory.step.exact import ExactInstance

    words, fields = SETTINGS[setting]
    fields = ENDING | fields
    if "average" in setting:  # the last state leads back, and is worth most
        fields |= {"transition": [*ENDING["transition"][:2], [[1, 0, 0], [0, "1/2", "1/2"]]]}
        fields |= {"reward": [[0, 1], [0, 1], [0, 3]]}
    better = ENDING["old"], ENDING["new"]
    fields["old"], fields["new"] = better if setting in ("an average", "entropy, an average", "costs") else better[::-1]
    file = tmp_path / "mine.py"
    file.write_text(IN_SETTINGS.format(words, words.replace('"', "'")))
    (claim,), instance = read_claims(file), ExactInstance.from_fields(fields)
    Witness(claim, instance, settle(claim, instance)).write(tmp_path / "file.json")
    found = json.loads((tmp_path / "file.json").read_text(), parse_float=str)
    assert_both(found, tmp_path / "file.json", file)
    lies = [
        {"new": found["old"]},
        {"slack": ["-2", "-1"]},
        {"initial": ["1/2", "1/3", 0]},
        {"theorem": found["theorem"].replace("3 states", "2 states")},
        {"claim": "trpo/tv-2"},
        *({name: None} for name in fields if name in OF_OTHER_CRITERIA),
    ]
    if "horizon" in fields:
        lies += [{"horizon": fields["horizon"] + 1}, {"horizon": 0}]
    if "temperature" in fields:
        lies += [{"temperature": "1/8"}, {"temperature": "-1/7"}]
    if "weights" in fields:
        lies += [{"weights": ["1/3", "1/3"]}, {"references": fields["references"][:2]}]
    if "model" in fields:
        lies += [{"model": [[[0, "1/2", "1/3"]] * 2] * 3}]
    for lie in lies:
        assert both(found | lie, tmp_path / "lie.json", file)[:2] == (False, False), lie
