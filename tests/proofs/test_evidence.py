"""Every kind of evidence: what the command line writes it certifies, and a file that says anything else is rejected."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from cheap import sampled

import trpo_theory as tt
from trpo_theory.cli import main
from trpo_theory.proofs.certifying import CHECKERS
from trpo_theory.search.instruments import mutation
from trpo_theory.search.worst_cases import evolve
from trpo_theory.sharp.gap import sharp_gap
from trpo_theory.sharp.mean_kl.half_line import FROM_A_QUARTER
from trpo_theory.sharp.mean_kl.mesh import Mesh
from trpo_theory.sharp.mean_kl.search import Search

HEAD = ("kind", "statement", "theorem", "source", "enclosure", "made_by")
SHARP = ("sharp", "--divergence", "max-tv", "--gamma", "9/10", "--radius", "1/100")
REFUTATION, WORST, LOWER, UPPER, UPDATE = "refutation", "worst-case", "sharp-lower", "sharp-upper", "update-gap"
COVER, INTERVAL, IMPLICATION = "theorem-cover", "theorem-interval", "implication"
KINDS = (REFUTATION, WORST, LOWER, UPPER, UPDATE, COVER, INTERVAL, IMPLICATION)


@pytest.fixture(autouse=True, scope="module")
def shorter():
    """Short searches: what is tested is what is written of their results."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mutation, "GENERATIONS", 1)
        patch.setattr("trpo_theory.verification.falsifying.INSTANCES", 300)
        for name in ("_ROUNDS", "_GENERATIONS", "_CLIMBERS"):
            patch.setattr(evolve, name, 1)
        yield


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The text of a file of each kind, as the command line writes it."""
    where = tmp_path_factory.mktemp("evidence")
    calls = {
        REFUTATION: ("falsify", "trpo/tv-2", "--out"),
        WORST: ("worst-case", "coupling/tv", "--gamma", "9/10", "--states", "2", "--effort", "1", "--out"),
        LOWER: (*SHARP, "--out"),
        UPPER: (*SHARP, "--proof"),
        IMPLICATION: ("prove", "trpo/kl", "--gamma", "1/2:9/10", "--radius", "1e-6:1", "--out"),
    }
    mdp = tt.zoo.dirichlet(np.random.default_rng(0), states=3, actions=2, gamma=0.9)
    tt.io.write_mdp(mdp, where / "mdp.npz")
    update = ("update", str(where / "mdp.npz"), "--old", "uniform", "--problem", "max-kl", "--delta", "1/100")
    calls[UPDATE] = (*update, "--certify", "--out")
    files = {kind: where / f"{kind}.json" for kind in KINDS}
    for kind, call in calls.items():
        assert main([*call, str(files[kind])]) == 0
    FROM_A_QUARTER.write(files[COVER])
    search = Search((0.75, 0.8), 2.0, 0.3, Mesh(radius=0.01, growth=0.2, step=0.3, far=30.0, inner=10.0), 0.5)
    search.rounded(search.solve(), Fraction(2)).write(files[INTERVAL])
    return {kind: file.read_text() for kind, file in files.items()}


def certified(capsys, path, *options):
    """Exit status and the JSON of `certify`."""
    capsys.readouterr()
    status = main(["certify", str(path), *options, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_there_is_a_checker_for_each_kind_and_the_one_of_earlier_versions():
    assert set(CHECKERS) == {*KINDS, "sharp-gap/supersolution"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_certified(kind, written, tmp_path, capsys):
    fields = json.loads(written[kind])
    assert set(HEAD) <= fields.keys()
    assert fields["kind"] == kind
    (tmp_path / "file.json").write_text(written[kind])
    status, found = certified(capsys, tmp_path / "file.json")
    assert status == 0
    assert (found["kind"], found["certified"], found["disagreements"]) == (kind, True, [])
    assert found["theorem"] == fields["theorem"]
    assert found["verdict"] == ("refuted" if kind == REFUTATION else "proved")
    main(["certify", str(tmp_path / "file.json")])
    assert f"theorem: {fields['theorem']}" in capsys.readouterr().out


THEOREMS = {
    REFUTATION: ("trpo/tv-2 is false", "its slack is negative"),
    WORST: ("gamma = 9/10", "times the penalty of coupling/tv"),
    LOWER: ("there is a finite MDP", "gamma = 9/10, max-TV(old, new) <= 1/100", "max|A_old|"),
    UPPER: ("for every finite MDP with gamma = 9/10 and max-TV(old, new) <= 1/100: L_old(new) - eta(new) <= 0.03302",),
    COVER: (
        "for every finite MDP with gamma >= 1/4: L_old(new) - eta(new) <= 4 gamma/(1 - gamma)^2 mean-KL(old, new) max|A_old|",
    ),
    INTERVAL: (
        "for every finite MDP with 3/4 <= gamma <= 4/5: L_old(new) - eta(new) <= 2 gamma/(1 - gamma)^2 mean-KL(old, new)",
    ),
    IMPLICATION: (
        "trpo/kl holds for all finite MDPs and all policies old and new",
        "gamma in [1/2, 9/10], max-KL in [1e-06, 1]",
        "implied by ",
    ),
    UPDATE: ("gamma = 9/10", "subject to max-KL(old, new) <= 1/100", "is at least", "and at most"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_theorem_is_whole(kind, written):
    theorem = json.loads(written[kind])["theorem"]
    assert all(part in theorem for part in THEOREMS[kind])


def test_the_ends_are_on_the_right_side_of_the_closed_forms(written):
    """coupling/tv is attained at max-TV: G = 4 γ x²/((1 − γ)(1 − γ(1 − x))) at x = 1/100, γ = 9/10."""
    x, gamma = Fraction(1, 100), Fraction(9, 10)
    sharp = 4 * gamma * x**2 / ((1 - gamma) * (1 - gamma * (1 - x)))
    lower, upper = (json.loads(written[kind])["enclosure"] for kind in (LOWER, UPPER))
    assert Fraction(lower[0]) <= Fraction(lower[1]) <= sharp <= Fraction(upper[1])
    assert Fraction(upper[1]) - Fraction(lower[0]) < 1e-9


def shift(name, by):
    """The ends of an enclosure moved outward or inward by a relative number."""

    def changed(fields):
        ends = [Fraction(end) for end in fields[name]]
        step = Fraction(by) * max(abs(ends[0]), abs(ends[1]))
        return {name: [str(ends[0] - step), str(ends[1] + step)]}

    return changed


WORDS = {
    "theorem": lambda fields: {"theorem": fields["theorem"].replace("1", "2")},
    "another theorem": lambda fields: {"theorem": "every claim is true"},
    "theorem a number": lambda fields: {"theorem": 7},
    "wide": shift("enclosure", "1/100"),
    "narrow": lambda fields: {"enclosure": ["1/7", "1/7"]},
    "one end": lambda fields: {"enclosure": fields["enclosure"][:1]},
    "no list": lambda fields: {"enclosure": "x"},
}
STATEMENTS = {"statement": lambda fields: {"statement": "something else"}}
GAMMA = {"gamma": lambda fields: {"gamma": "8/10"}}
RADIUS = {"a smaller radius": lambda fields: {"radius": "1/101"}, "a larger radius": lambda fields: {"radius": "1/50"}}
OTHERS = {
    REFUTATION: {
        **GAMMA,
        "slack": shift("slack", "1/10"),
        "verdict": lambda fields: {"verdict": "proved"},
        "new is old": lambda fields: {"new": fields["old"]},
    },
    WORST: {
        **STATEMENTS,
        **GAMMA,
        "ratio": shift("ratio", "1/10"),
        "another bound": lambda fields: {"bound": "trpo/tv"},
        "new is old": lambda fields: {"new": fields["old"]},
    },
    LOWER: {
        **STATEMENTS,
        **GAMMA,
        **RADIUS,
        "another divergence": lambda fields: {"divergence": "mean-tv"},
        "another normaliser": lambda fields: {"normaliser": "expected"},
        "new is old": lambda fields: {"new": fields["old"]},
        "no reward": lambda fields: {"reward": (0 * np.array(fields["reward"])).tolist()},
    },
    UPPER: {
        **STATEMENTS,
        **GAMMA,
        **RADIUS,
        "a larger gamma": lambda fields: {"gamma": "91/100"},
        "another divergence": lambda fields: {"divergence": "max-kl"},
        "another normaliser": lambda fields: {"normaliser": "expected"},
        "lower w": lambda fields: {"w": [0.9 * value for value in fields["w"]]},
        "higher w": lambda fields: {"w": [1.0000001 * value for value in fields["w"]]},
        "no multipliers": lambda fields: {"price": [0.0 for _ in fields["price"]]},
    },
    UPDATE: {
        **STATEMENTS,
        **GAMMA,
        "delta": lambda fields: {"delta": "1/90"},
        "a smaller delta": lambda fields: {"delta": "1/110"},
        "another problem": lambda fields: {"problem": "mean-kl"},
        "a penalty": lambda fields: {"problem": "penalty", "coefficient": "1"},
        "multipliers": lambda fields: {"multiplier": [2 * value for value in fields["multiplier"]]},
        "reward": lambda fields: {"reward": (2 * np.array(fields["reward"])).tolist()},
        "new is old": lambda fields: {"new": fields["old"]},
    },
}
UNKNOWN = {
    "a bound of 0.001": lambda fields: {"bound": 0.001} if fields["kind"] != WORST else {"penalty": 0.001},
    "a mean": lambda fields: {"mean": True},
    "another field": lambda fields: {"upper": [0, 1]},
}
WORDS |= UNKNOWN
OTHERS[COVER] = {
    **STATEMENTS,
    "gamma": lambda fields: {"gamma": "1/5"},
    "a gamma below, but true": lambda fields: {"gamma": "249/1000"},
    "constant": lambda fields: {"constant": "3996/1000", "enclosure": ["0", "3996/1000"]},
    "k": lambda fields: {"k": "1"},
    "another tilt": lambda fields: {"tilt": ["1/2", "7/10"]},
}
OTHERS[INTERVAL] = {
    **STATEMENTS,
    "gamma": lambda fields: {"gamma": ["1/2", "4/5"]},
    "an interval within": lambda fields: {"gamma": ["76/100", "4/5"]},
    "constant": lambda fields: {"constant": "13/10", "enclosure": ["0", "13/10"]},
    "a smaller outer bend": lambda fields: {"outer_bend": "-100"},
    "a short reach": lambda fields: {"reach": "1/1000"},
    "other multipliers": lambda fields: {"nu": fields["mu"], "mu": fields["nu"]},
}
OTHERS[IMPLICATION] = {
    "wide": lambda fields: {"enclosure": ["-1", "inf"]},
    "a larger gamma": lambda fields: {"gamma": ["1/2", "91/100"]},
    "a smaller radius": lambda fields: {"radius": ["1/10000000", "1"]},
    "another divergence": lambda fields: {"divergence": "mean_kl"},
    "another bound": lambda fields: {"claim": "pinsker/kl", "statement": tt.claims.get("pinsker/kl").statement},
    "what implies it": lambda fields: {"by": "implied by trpo/tv-2"},
    "verdict": lambda fields: {"verdict": "refuted"},
    "another method": lambda fields: {"method": "identity"},
}
MUTATIONS = [(kind, name) for kind in KINDS for name in {**WORDS, **OTHERS[kind]}]


@pytest.mark.slow
@sampled(("kind", "name"), MUTATIONS, every=10, ids=lambda one: str(one).replace(" ", "-"))
def test_a_file_that_says_something_else_is_rejected(kind, name, written, tmp_path, capsys):
    fields = json.loads(written[kind])
    changes = {**WORDS, **OTHERS[kind]}[name](fields)
    assert any(fields.get(field) != value for field, value in changes.items())
    (tmp_path / "file.json").write_text(json.dumps(fields | changes))
    status, found = certified(capsys, tmp_path / "file.json")
    assert not found["certified"]
    assert status == (3 if found["verdict"] == "undecided" else 1)
    if found["verdict"] == "undecided":
        assert name not in {**WORDS, **STATEMENTS}
        assert found["theorem"] == ""
    if name in ("theorem", "new is old", "lower w", "k"):  # of each kind, one that the JSON tells and the sentence must
        main(["certify", str(tmp_path / "file.json")])
        assert "rejected" in capsys.readouterr().out


@pytest.mark.parametrize("kind", KINDS)
def test_another_source_is_a_note_for_every_kind(kind, written, tmp_path, capsys):
    fields = json.loads(written[kind])
    (tmp_path / "file.json").write_text(json.dumps(fields | {"source": "a paper that proves it all"}))
    status, found = certified(capsys, tmp_path / "file.json")
    assert (status, found["certified"], found["agrees"], len(found["notes"])) == (0, True, True, 1)
    assert found["theorem"] == fields["theorem"]
    assert fields["source"] in found["notes"][0]
    assert "proves it all" not in json.dumps(found)
    (tmp_path / "file.json").write_text(json.dumps(fields | {"source": 7}))
    assert main(["certify", str(tmp_path / "file.json")]) == 2
    assert "got source = 7; wanted text" in capsys.readouterr().err


BAD = {
    "kind": (LOWER, {"kind": "theorem"}, "kind of evidence"),
    "kind a number": (LOWER, {"kind": 3}, "kind = 3"),
    "divergence": (UPPER, {"divergence": "hellinger"}, "divergence = 'hellinger'"),
    "a mean": (UPPER, {"divergence": "mean-tv"}, "the same price"),
    "normaliser": (LOWER, {"normaliser": "mean"}, "normaliser = 'mean'"),
    "gamma": (UPPER, {"gamma": 1}, "gamma"),
    "negative multipliers": (UPDATE, {"multiplier": [-1, 1, 1]}, "negative multiplier"),
    "too few multipliers": (UPDATE, {"multiplier": [1, 1]}, "multiplier"),
    "negative delta": (UPDATE, {"delta": -1}, "delta = -1"),
    "problem": (UPDATE, {"problem": "max-tv"}, "problem = 'max-tv'"),
    "rows that differ in a group": (
        UPDATE,
        {"groups": [0, 0, 1], "new": [[0.6, 0.4], [0.5, 0.5], [0.5, 0.5]]},
        "within the group",
    ),
    "negative probabilities": (UPDATE, {"new": [["3/2", "-1/2"], [1, 0], [1, 0]]}, "new"),
    "bound": (WORST, {"bound": "coupling/tw"}, "no bound of the catalogue"),
    "bound a number": (WORST, {"bound": 3}, "without a bound"),
    "no transition": (WORST, {"transition": None}, "transition"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_file_of_its_kind_is_one_message(name, written, tmp_path, capsys):
    kind, changes, words = BAD[name]
    (tmp_path / "file.json").write_text(json.dumps(json.loads(written[kind]) | changes))
    assert main(["certify", str(tmp_path / "file.json")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert words in err


def test_the_witness_of_a_sharp_gap_is_an_mdp_that_bound_reads(written, tmp_path, capsys):
    path = tmp_path / "file.json"
    path.write_text(written[LOWER])
    assert main(["bound", str(path), "--old", "old", "--new", "new", "--json"]) == 0
    fields = json.loads(capsys.readouterr().out)
    gap = (fields["surrogate"] - fields["expected_return_new"]) / fields["max_abs_advantage"]
    lower, upper = (float(Fraction(end)) for end in json.loads(written[LOWER])["enclosure"])
    assert lower * (1 - 1e-12) <= gap <= upper * (1 + 1e-12)
    assert fields["max_tv"] <= 0.01


@pytest.mark.parametrize("kind", [REFUTATION, WORST])
def test_a_file_of_an_earlier_version_has_no_kind(kind, written, tmp_path, capsys):
    earlier = {"kind", "theorem", "enclosure", "made_by"} | ({"statement", "source"} if kind == WORST else set())
    fields = {name: value for name, value in json.loads(written[kind]).items() if name not in earlier}
    (tmp_path / "file.json").write_text(json.dumps(fields))
    status, found = certified(capsys, tmp_path / "file.json")
    assert (status, found["kind"], found["certified"]) == (0, kind, True)


def test_a_supersolution_of_an_earlier_version_is_read(tmp_path, capsys):
    gap = sharp_gap("mean-tv", 0.5, 0.25, nodes=10, certify=True)
    fields = gap.proof() | {"gamma": 0.5, "radius": 0.25}
    tt.io.write_fields(fields, tmp_path / "file.json")
    status, found = certified(capsys, tmp_path / "file.json")
    assert (status, found["kind"], found["certified"]) == (0, UPPER, True)
    assert (found["divergence"], found["normaliser"]) == ("mean-tv", "max")
    assert found["theorem"].startswith("for every finite MDP with gamma = 1/2 and mean-TV(old, new) <= 1/4: ")


@pytest.mark.parametrize(
    ("problem", "groups"),
    [
        (tt.Penalty(1.0), None),
        (tt.Penalty(bound="trpo/kl"), None),
        (tt.MeanKL(0.02), None),
        (tt.MaxKL(1e-18), [0, 0, 1]),
        (tt.ReverseMaxChi2(1.0), [0, 0, 1]),
        (tt.ReverseMeanChi2(1e-18), None),
    ],
    ids=str,
)
def test_every_problem_has_its_evidence(problem, groups):
    rng = np.random.default_rng(1)
    mdp = tt.zoo.dirichlet(rng, states=3, actions=3, gamma=0.5)
    aggregation = None if groups is None else tt.StateAggregation(groups)
    solution = tt.update(mdp, np.full((3, 3), 1 / 3), problem, aggregation=aggregation)
    fields = tt.certify_update(solution).to_fields()
    certificate = tt.certify(fields)
    assert certificate.certified
    assert ("share rows by groups" in certificate.theorem) == (groups is not None)
    lower, upper = (float(Fraction(end)) for end in fields["enclosure"])
    assert lower == pytest.approx(solution.objective, rel=1e-8)
    assert lower <= upper <= lower * (1 + 1e-8)


def test_a_worst_case_of_ones_own_bound_needs_its_file(tmp_path, capsys):
    own = tmp_path / "own.py"
    own.write_text(
        "from trpo_theory import claim\n"
        "@claim('mine/tv', statement='s', source='t')\n"
        "def mine(q):\n"
        "    return q.surrogate_gap + 9 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2\n"
    )
    call = ["worst-case", "mine/tv", "--gamma", "1/2", "--states", "2", "--effort", "1", "--from", str(own)]
    assert main([*call, "--out", str(tmp_path / "file.json")]) == 0
    capsys.readouterr()
    assert main(["certify", str(tmp_path / "file.json")]) == 2
    assert "--from" in capsys.readouterr().err
    status, found = certified(capsys, tmp_path / "file.json", "--from", str(own))
    assert (status, found["bound"], found["certified"]) == (0, "mine/tv", True)


def heavier(row, by="9/1000000000"):
    return [str(Fraction(row[0]) + Fraction(by)), *row[1:]]


HEAVIER = {
    "initial": lambda fields: heavier(fields["initial"]),
    "old": lambda fields: [heavier(fields["old"][0]), *fields["old"][1:]],
    "new": lambda fields: [heavier(fields["new"][0]), *fields["new"][1:]],
    "transition": lambda fields: [
        [heavier(row) if (s, sum(map(Fraction, row))) == (0, 1) else row for row in rows]
        for s, rows in enumerate(fields["transition"])
    ],
}


@pytest.mark.parametrize("name", HEAVIER)
@pytest.mark.parametrize("kind", [REFUTATION, WORST, LOWER, UPDATE])
def test_rows_of_every_file_sum_to_one_exactly(kind, name, written, tmp_path, capsys):
    """A row of 1.000000009 was certified, divided by its sum: a theorem about other numbers than the file's."""
    fields = json.loads(written[kind], parse_float=str)
    for field in ("initial", "old", "new"):
        rows = fields[field] if field != "initial" else [fields[field]]
        assert all(sum(map(Fraction, row)) == 1 for row in rows)
    (tmp_path / "file.json").write_text(json.dumps(fields | {name: HEAVIER[name](fields)}))
    assert main(["certify", str(tmp_path / "file.json")]) == 2
    err = capsys.readouterr().err
    assert f"got {name}" in err
    assert "sums to 1 + 9e-09" in err


def test_a_decimal_of_a_file_is_that_decimal(written, tmp_path, capsys):
    """0.1 + 0.2 + 0.7 is 1; the floats next to these are not."""
    fields = json.loads(written[UPDATE])
    thirds = [[0.1, 0.2, 0.7]] * 2
    fields |= {"transition": [thirds] * 3, "initial": [0.1, 0.2, 0.7], "old": [[0.1, 0.9]] * 3, "new": [[0.1, 0.9]] * 3}
    (tmp_path / "file.json").write_text(json.dumps(fields))
    status, found = certified(capsys, tmp_path / "file.json")
    assert (status, found["verdict"]) == (1, "proved")


@pytest.mark.whole
@pytest.mark.slow
def test_a_sharp_witness_of_199_states_is_certified(tmp_path, capsys):
    """`bound --certify` stops at 64 states."""
    gap = sharp_gap("max-kl", 0.9, 0.01, nodes=140)
    assert gap.witness.mdp.states > 190
    gap.write(tmp_path / "file.json")
    status, found = certified(capsys, tmp_path / "file.json")
    assert (status, found["certified"]) == (0, True)
    assert found["lower"] == pytest.approx(gap.lower, rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("normaliser", ["max", "expected"])
@pytest.mark.parametrize("divergence", ["max-tv", "mean-tv"])
def test_the_theorem_names_divergence_and_normaliser(divergence, normaliser, tmp_path, capsys):
    """Files of four theorems printed one sentence."""
    call = ["sharp", "--divergence", divergence, "--gamma", "9/10", "--radius", "1/100", "--normaliser", normaliser]
    lower, upper = tmp_path / "lower.json", tmp_path / "upper.json"
    assert main([*call, "--out", str(lower), "--proof", str(upper), "--certify", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["certified"]
    names = {"max-tv": "max-TV(old, new)", "mean-tv": "mean-TV(old, new)"}
    for path, end in ((lower, "lower"), (upper, "upper")):
        status, found = certified(capsys, path)
        assert (status, found["certified"]) == (0, True)
        assert f"{names[divergence]} <= 1/100" in found["theorem"]
        assert ("max_s |sum_a new(a|s)" in found["theorem"]) == (normaliser == "expected")
        assert found["gamma"] == 0.9
        assert found[end] == pytest.approx(printed[end], rel=1e-12)
    for other in ("mean-tv", "max-tv"):
        fields = json.loads(upper.read_text())
        if other != divergence:
            (tmp_path / "file.json").write_text(json.dumps(fields | {"divergence": other}))
            assert main(["certify", str(tmp_path / "file.json")]) in (1, 2, 3)


def test_the_bound_of_an_earlier_supersolution_is_compared(tmp_path, capsys):
    fields = json.loads((Path(__file__).parent / "max-tv.json").read_text())
    for name, changes in {"as it is": {}, "0.001": {"bound": 0.001}, "words": {"bound": "small"}}.items():
        (tmp_path / "file.json").write_text(json.dumps(fields | changes))
        status, found = certified(capsys, tmp_path / "file.json")
        assert found["verdict"] == "proved"
        assert (status, found["certified"]) == ((0, True) if name == "as it is" else (1, False))


def test_a_sparse_mdp_has_evidence_of_its_update():
    mdp = tt.zoo.dirichlet(np.random.default_rng(3), states=4, actions=2, gamma=0.5)
    sparse = tt.FiniteMDP(scipy.sparse.csr_array(mdp.transition.reshape(8, 4)), mdp.reward, 0.5, mdp.initial)
    fields = tt.certify_update(tt.update(sparse, np.full((4, 2), 0.5), tt.MaxKL(0.01))).to_fields()
    assert tt.certify(fields).certified


def test_a_sparse_witness_of_a_sharp_gap_is_certified_and_one_with_two_transitions_is_not(written):
    dense = json.loads(written[LOWER])
    rows = np.array([[[Fraction(p) for p in row] for row in state] for state in dense["transition"]], dtype=object)
    rows = rows.reshape(-1, rows.shape[-1])
    matrix = scipy.sparse.csr_array(rows.astype(float))
    parts = (matrix.data.tolist(), matrix.indices.tolist(), matrix.indptr.tolist(), list(matrix.shape))
    names = ("transition_data", "transition_indices", "transition_indptr", "transition_shape")
    both = dense | dict(zip(names, parts, strict=True))
    with pytest.raises(tt.InvalidInput, match="delete one of them"):
        tt.certify(both)
    del both["transition"]
    found = tt.certify(both)
    assert not found.disagreements, found.disagreements
