"""Cassandra's format and CSV: small files written by hand against arrays written by hand."""

import numpy as np
import pytest

from trpo_theory.errors import InvalidInput
from trpo_theory.io import from_triplets, read_cassandra, read_triplets
from trpo_theory.io._rules import ANY, Rules
from trpo_theory.model.policy import uniform
from trpo_theory.solve.evaluation import evaluate

TRANSITION = np.array([[[0.5, 0.5], [1, 0]], [[0.25, 0.75], [0, 1]]])
REWARD = np.array([[0.5 * 1 + 0.5 * 2, 1], [3.0, -4.0]])
HEAD = "discount: 0.9\nvalues: reward\nstates: low high\nactions: go stay\n"
FORMS = {
    "entries": HEAD
    + """start: low
T: go : low : low 0.5
T: go : low : high 0.5   # a comment: with a colon
T:go:high:low 0.25
T:go:high:high 0.75
T: stay : low : low 1.0
T: stay : high : high 1.0
R: go : low : low 1.0
R: go : low : high 2.0
R: go : high : * 3.0
R: stay : low : * 1
R: stay : high : high -4e0
""",
    "rows and matrices": HEAD
    + """start: 1.0 0.0
T: go : low
0.5 0.5
T: go : high 0.25
0.75
T: stay
identity
R: go : low 1 2
R: go : 1
3 3
R: 1
1 7
7 -4
""",
    "wildcards and overrides": HEAD
    + """start include: 0
T: * uniform
T: go : high
0.25 0.75
T: stay : * : * 0.0
T: stay : low : low 1.0
T: 1 : 1 : 1 1.0
R: * : * : * 99
R: go : * : * 3
R: go : low : low 1
R: go : low : high 2
R: stay : low : * : * 1
R: stay : high : * -4
""",
    "numbers, costs, reset": """
values: cost
actions: 2
discount: 0.9
states: 2
start exclude: 1
T: 0
0.5 0.5
0.25 0.75
T: 1 : 0
reset
T: 1 : 1 : 0 0
T: 1 : 1 : 1 1
R: 0 : 0 : 0 -1
R: 0 : 0 : 1 -2
R: 0 : 1 : * -3
R: 1 : 0 : * -1
R: 1 : 1 : * 4
""",
    "fully observed": HEAD.replace("actions", "observations: see-low see-high\nactions")
    + """start: low
T: go
0.5 0.5
0.25 0.75
T: stay identity
O: * identity
R: * : * : * : * 50
R: go : low
1 8
9 2
R: go : high : low
3 9
R: go : * : high : see-low 77
R: go : high : high : see-high 3
R: stay : low : * : * 1
R: stay : high : * : high 9
R: stay : high : high : see-high -4
""".replace("R: stay : high : * : high 9\n", ""),
    "observed by entries": HEAD.replace("actions", "observations: 2\nactions")
    + """start: 0
T: go
0.5 0.5
0.25 0.75
T: stay identity
O: go : low : 0 1.0
O: go : high : 1 1.0
O: stay : low
1 0
O: stay : high uniform
O: stay : high
0 1
R: go : low : * : 0 1
R: go : low : *
1 2
R: go : high : * : * 3
R: stay : low : * : * 1
R: stay : high : * : * -4
""",
}


@pytest.mark.parametrize("form", FORMS)
def test_one_mdp_in_many_forms(tmp_path, form):
    path = tmp_path / "model.POMDP"
    path.write_text(FORMS[form])
    mdp = read_cassandra(path)
    assert np.array_equal(mdp.transition, TRANSITION)
    assert np.array_equal(mdp.reward, REWARD)
    assert np.array_equal(mdp.initial, [1, 0])
    assert mdp.gamma == 0.9
    assert mdp.state_labels == (None if "numbers" in form else ("low", "high"))
    assert read_cassandra(path, 0.5).gamma == 0.5


TIGER = """discount: 0.75
values: reward
states: tiger-left tiger-right
actions: listen open-left open-right
observations: tiger-left tiger-right
T: listen
identity
T: open-left
uniform
T: open-right
uniform
O: listen
0.85 0.15
0.15 0.85
O: open-left
uniform
O: open-right
uniform
R: listen : * : * : * -1
R: open-left : tiger-left : * : * -100
"""


@pytest.mark.parametrize(
    "text", [TIGER, TIGER.replace("observations: tiger-left tiger-right", "observations: 1").split("O: listen")[0]]
)
def test_the_tiger_is_refused_as_partially_observed(tmp_path, text):
    (tmp_path / "tiger.POMDP").write_text(text)
    with pytest.raises(InvalidInput, match="partially observed"):
        read_cassandra(tmp_path / "tiger.POMDP")


@pytest.mark.slow
def test_a_large_model_is_sparse(tmp_path, monkeypatch):
    """A ring where each action a steps by a or by 7; the reward is 1 everywhere, then overridden on one transition."""
    monkeypatch.setattr("trpo_theory.io._rows.DENSE_ENTRIES", 3 * 400**2 - 1)
    states = 400
    lines = [f"discount: 0.5\nstates: {states}\nactions: 3\nR: * : * : * 1\n"]
    for s in range(states):
        lines += [f"T: {a} : {s} : {(s + a) % states} 0.25\nT: {a} : {s} : {(s + 7) % states} 0.75\n" for a in range(3)]
    (tmp_path / "ring.mdp").write_text("".join(lines) + "R: 2 : 9 : 16 5.0\n")
    mdp = read_cassandra(tmp_path / "ring.mdp")
    assert mdp.is_sparse
    here = np.arange(states)
    for a in range(3):
        expected = np.zeros((states, states))
        expected[here, (here + a) % states], expected[here, (here + 7) % states] = 0.25, 0.75
        assert np.array_equal(mdp.transition[a::3].toarray(), expected)
    reward = np.ones((states, 3))
    reward[9, 2] = 0.25 * 1 + 0.75 * 5
    assert np.array_equal(mdp.reward, reward)


def test_rules_agree_with_assignment_in_order():
    """The oracle is a dense array to which each rule is assigned when it is written."""
    rng = np.random.default_rng(3)
    for _ in range(200):
        sizes = tuple(int(size) for size in rng.integers(1, 4, 3))
        rules, dense = Rules(sizes, "x"), np.zeros(sizes)
        for _ in range(int(rng.integers(0, 12))):
            index = [int(rng.integers(-1, size)) for size in sizes]
            value = float(rng.integers(0, 3))
            rules.add(*index, value)
            dense[tuple(slice(None) if part == ANY else part for part in index)] = value
        i, j, k = (part.ravel() for part in np.indices(sizes))
        assert np.array_equal(rules.at(i, j, k), dense.ravel())
        *where, values = rules.support()
        assert np.array_equal(np.argwhere(dense), np.array(where).T)
        assert np.array_equal(values, dense[dense != 0])


def test_triplets_are_summed_and_averaged():
    # state 0, action 0: twice to state 1 (rewards 4 and 8, weights 1/4 and 1/2), once to 0; action 1 never in state 1
    mdp = from_triplets(
        [0, 0, 1, 0, 0], [0, 0, 0, 0, 1], [1, 1, 1, 0, 0], [0.25, 0.5, 1, 0.25, 1], [4, 8, 0.1, -4, 2], 0.5, [1, 0]
    )
    assert mdp.is_sparse
    assert np.array_equal(mdp.transition.toarray(), [[0.25, 0.75], [1, 0], [0, 1], [0, 0]])
    assert np.array_equal(mdp.reward, [[4, 2], [0.1, 0]])
    assert np.array_equal(mdp.available, [[True, True], [True, False]])
    assert from_triplets([0], [0], [0], [1], [1], 0.5, actions=2).actions == 2


@pytest.mark.parametrize(
    "header", ["idstatefrom,idaction,idstateto,probability,reward", "state,action,successor,probability,reward"]
)
def test_csv(tmp_path, header):
    path = tmp_path / "m.csv"
    path.write_text(
        f"{header}\r\n0,0,0,0.5,1\r\n0,0,1,0.5,2\r\n\r\n1,0,0,0.25,3\n1,0,1,0.75,3\n0,1,0,1.0,1\n1,1,1,1,-4\n"
    )
    mdp = read_triplets(path, 0.9, [1, 0])
    assert np.array_equal(mdp.transition.toarray().reshape(2, 2, 2), TRANSITION)
    assert np.array_equal(mdp.reward, REWARD)
    names = header.split(",")
    shuffled = "\n".join(
        ",".join(line.split(",")[i] for i in (3, 1, 4, 0, 2)) for line in path.read_text().split() if line
    )
    assert shuffled.startswith(names[3])
    path.write_text(shuffled)
    again = read_triplets(path, 0.9, [1, 0])
    assert np.array_equal(again.reward, mdp.reward)
    value = evaluate(mdp, uniform(mdp.available)).value
    matrix = np.eye(2) - 0.9 * TRANSITION.mean(1)
    np.testing.assert_allclose(value, np.linalg.solve(matrix, REWARD.mean(1)), rtol=1e-13)
