"""Files as other programs write them: small ones written here, with values in closed form."""

import os

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp

import trpo_theory as tt
from trpo_theory.errors import InvalidInput
from trpo_theory.io import from_mdptoolbox
from trpo_theory.loading.sources import open_source

HEAD = "discount: 0.5\nvalues: reward\nstates: here there\nactions: go\n"
RULES = "T: go : here : there 1\nT: go : there : there 1\nR: go : here : there 1\nR: go : there : there 2\n"
VALUES = [1 + 0.5 * 4, 4.0]
"""V(there) = 2 / (1 - 1/2), V(here) = 1 + V(there)/2."""


def value_of(tmp_path, text, name="one.POMDP"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return tt.optimal(tt.load(path, gamma=0.5)).value


@pytest.mark.parametrize(
    "text",
    [
        HEAD + RULES,
        HEAD.replace("reward", "rewards") + RULES,
        HEAD.replace("reward", "costs")
        + RULES.replace("there 1\nR", "there -1\nR")
        .replace("there 2", "there -2")
        .replace("T: go : there : there -1", "T: go : there : there 1"),
        HEAD + RULES.replace("there 1", "there : 1").replace("there 2", "there : 2"),
        HEAD + RULES.replace(": there 2", ": there + 2"),
        HEAD.replace("discount: 0.5", "discount:0.5\r").replace("\n", "\r\n") + RULES.replace("\n", "\r\n"),
        HEAD + "start: here there\n" + RULES,
        HEAD + "start: 0\n" + RULES,
        HEAD + "start include: here\n" + RULES,
    ],
    ids=[
        "plain",
        "rewards",
        "costs",
        "a colon before the number",
        "a sign apart",
        "CRLF",
        "names",
        "a number",
        "include",
    ],
)
def test_dialects_of_cassandras_format(tmp_path, text):
    np.testing.assert_allclose(value_of(tmp_path, text), VALUES, rtol=1e-14)


def test_several_states_to_start_from(tmp_path):
    (tmp_path / "two.POMDP").write_text(HEAD + "start: here there\n" + RULES)
    assert tt.load(tmp_path / "two.POMDP").initial.tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    "start", ["start: 0", "start: 1", "start: 1.0", "start: only", "start: uniform", "start include: 0", ""]
)
def test_one_state_has_one_start(tmp_path, start):
    text = f"discount: 0.5\nvalues: reward\nstates: only\nactions: go\n{start}\nT: go identity\nR: go : only : only 3\n"
    assert value_of(tmp_path, text) == pytest.approx([6.0])
    text = text.replace("states: only", "states: 1").replace("only", "0")
    assert value_of(tmp_path, text) == pytest.approx([6.0])


def test_a_start_that_is_none_is_refused_with_advice_that_works(tmp_path):
    text = "discount: 0.5\nvalues: reward\nstates: 1\nactions: 1\nstart: 0.5\nT: 0 identity\nR: 0 : 0 : 0 3\n"
    with pytest.raises(InvalidInput, match="fix: write start: 0"):
        value_of(tmp_path, text)
    assert value_of(tmp_path, text.replace("start: 0.5", "start: 0")) == pytest.approx([6.0])


SEEN = HEAD + "observations: warm cold\n"


def test_advice_about_observations_works_when_it_is_followed(tmp_path):
    """O says warm with probability 3/4: R = 3/4 · 4 + 1/4 · 8 = 5 a step there, and 1 here."""
    rules = "O: *\n0.75 0.25\n0.75 0.25\n" + RULES.partition("R:")[0]
    rewards = "R: go : here : * : * 1\nR: go : there : there : warm 4\nR: go : there : there : cold 8\n"
    with pytest.raises(InvalidInput, match="partially observed") as caught:
        value_of(tmp_path, SEEN + rules + rewards)
    assert all(word in caught.value.fix for word in ("delete observations:", "rules O", "R: a : s : s' r", "expected"))
    mended = HEAD + RULES.partition("R:")[0] + "R: go : here : * 1\nR: go : there : there 5\n"
    np.testing.assert_allclose(value_of(tmp_path, mended), [1 + 0.5 * 10, 10.0], rtol=1e-14)
    half = HEAD + RULES.partition("R:")[0] + rewards
    with pytest.raises(InvalidInput, match=r"an observation in a file without.*expected reward") as caught:
        value_of(tmp_path, half)


# --- transitions line by line ---------------------------------------------------------------------------------------

LINES = "0,0,1,1,1\n1,0,1,1,2\n"


@pytest.mark.parametrize(
    "text",
    [
        "state,action,successor,probability,reward\n" + LINES,
        "idstatefrom,idaction,idstateto,probability,reward\n" + LINES,
        "State,Action,Next State,Prob,Reward\n" + LINES,
        "s,a,s',p,r\n" + LINES,
        "from_state,action,to_state,probability,reward\n" + LINES,
        "state;action;next_state;probability;reward\n" + LINES.replace(",", ";"),
        "state\taction\tnext_state\tprobability\treward\n" + LINES.replace(",", "\t"),
        ",state,action,next_state,probability,reward\n0,0,0,1,1.0,1\n1,1,0,1,1.0,2\n",
        "\ufeffstate,action,successor,probability,reward\n0 ,0 ,1 ,1.0 ,1\n1 ,0 ,1 ,1 ,2\n",
        "reward,probability,successor,action,state\n1,1,1,0,0\n2,1,1,0,1\n",
        "state,action,successor,probability,reward\n" + LINES + "0,0,-1,0,5\n1,0,99,0.0,5\n",
    ],
    ids=lambda text: text.partition("\n")[0],
)
def test_headers_and_separators(tmp_path, text):
    np.testing.assert_allclose(value_of(tmp_path, text, "one.csv"), VALUES, rtol=1e-14)


@pytest.mark.parametrize(
    "header", ["s,s,a,p,r", "state,action,reward,done", "state,action,next_state,probability,reward,done"]
)
def test_headers_that_are_none(tmp_path, header):
    with pytest.raises(InvalidInput, match="got the header") as caught:
        value_of(tmp_path, header + "\n" + LINES, "one.csv")
    assert "put that header on the first line" in caught.value.fix


def test_a_successor_of_probability_0_is_not_a_state():
    mdp = tt.io.from_triplets([0, 0, 1], [0, 0, 0], [1, 50, 1], [1, 0, 1], [1, 7, 2], 0.5)
    np.testing.assert_allclose(tt.optimal(mdp).value, VALUES, rtol=1e-14)


# --- MATLAB and pymdptoolbox ----------------------------------------------------------------------------------------


def forest():
    """The example of both toolboxes: V = (26.244, 29.484, 33.484) at the discount 0.9, which they print."""
    transition = np.zeros((3, 3, 2))
    transition[:, :, 0] = [[0.1, 0.9, 0], [0.1, 0, 0.9], [0.1, 0, 0.9]]
    transition[:, 0, 1] = 1
    return transition, np.array([[0.0, 0], [0, 1], [4, 2]])


FOREST = [26.244, 29.484, 33.484]


@pytest.mark.parametrize("form", ["array", "cell", "sparse cell", "rewards of transitions"])
def test_mat_files(tmp_path, form):
    transition, reward = forest()
    fields = {"P": transition, "R": reward, "discount": 0.9}
    if form in ("cell", "sparse cell"):
        fields["P"] = np.empty((1, 2), dtype=object)
        for a in range(2):
            fields["P"][0, a] = sp.csc_array(transition[:, :, a]) if form == "sparse cell" else transition[:, :, a]
    elif form == "rewards of transitions":
        fields["R"] = np.repeat(reward[:, None, :], 3, axis=1)
    scipy.io.savemat(tmp_path / "forest.mat", fields)
    mdp = tt.load(tmp_path / "forest.mat")
    np.testing.assert_allclose(tt.optimal(mdp).value, FOREST, rtol=1e-12)
    assert tt.load(tmp_path / "forest.mat", gamma=0.5).gamma == 0.5
    read = scipy.io.loadmat(tmp_path / "forest.mat")
    if form in ("cell", "sparse cell"):
        np.testing.assert_allclose(tt.optimal(from_mdptoolbox(read["P"], read["R"], 0.9)).value, FOREST, rtol=1e-12)


def test_an_array_in_matlabs_order_is_refused_with_advice_that_works():
    transition, reward = forest()
    with pytest.raises(InvalidInput, match=r"np.moveaxis\(x, 2, 0\)"):
        from_mdptoolbox(transition, reward, 0.9)
    np.testing.assert_allclose(tt.optimal(from_mdptoolbox(np.moveaxis(transition, 2, 0), reward, 0.9)).value, FOREST)


def test_mat_files_that_are_none(tmp_path):
    scipy.io.savemat(tmp_path / "other.mat", {"x": 1.0})
    with pytest.raises(InvalidInput, match=r"got the variables x, in other.mat; wanted P and R"):
        tt.load(tmp_path / "other.mat", gamma=0.9)
    (tmp_path / "broken.mat").write_bytes(b"no" * 300)
    with pytest.raises(InvalidInput, match=r"broken\.mat"):
        tt.load(tmp_path / "broken.mat", gamma=0.9)
    transition, reward = forest()
    scipy.io.savemat(tmp_path / "undiscounted.mat", {"P": transition, "R": reward})
    with pytest.raises(InvalidInput, match="--gamma"):
        tt.load(tmp_path / "undiscounted.mat")


def test_what_pymdptoolbox_holds():
    transition, reward = forest()
    pair = np.moveaxis(transition, 2, 0), reward
    np.testing.assert_allclose(tt.optimal(tt.load(pair, gamma=0.9)).value, FOREST, rtol=1e-12)

    class Solver:
        """The attributes of mdptoolbox.mdp.MDP."""

        P, R, discount = tuple(pair[0]), tuple(reward.T), 0.9

    np.testing.assert_allclose(tt.optimal(tt.load(Solver())).value, FOREST, rtol=1e-12)
    with pytest.raises(InvalidInput, match="--gamma"):
        tt.load(pair)


@pytest.mark.peers
def test_pymdptoolbox_itself():
    example, mdp = pytest.importorskip("mdptoolbox.example"), pytest.importorskip("mdptoolbox.mdp")
    for source in (example.forest(), mdp.ValueIteration(*example.forest(), 0.9)):
        np.testing.assert_allclose(tt.optimal(tt.load(source, gamma=0.9)).value, FOREST, rtol=1e-12)


# --- files that are not there, or of another kind ---------------------------------------------------------------------


def test_a_dangling_link_is_told_as_what_it_is(tmp_path):
    os.symlink(tmp_path / "gone.json", tmp_path / "model.json")
    os.symlink(tmp_path / "gone.json", tmp_path / "modell.json")
    for name in ("model.json", "modell.json"):
        with pytest.raises(InvalidInput, match=r"it is a link to .*gone.json', which is not there") as caught:
            tt.load(tmp_path / name)
        assert "did you mean" not in caught.value.fix
    with pytest.raises(InvalidInput) as caught:
        tt.load(tmp_path / "modeel.json")
    assert "model" not in caught.value.fix.replace("modeel", "")  # neither of the links can be read
    (tmp_path / "gone.json").write_text('{"transition": [[[1]]], "reward": [[1]], "gamma": 0.5, "initial": [1]}')
    assert tt.load(tmp_path / "model.json").states == 1


def test_a_number_beyond_floats_is_named(tmp_path):
    path = tmp_path / "huge.json"
    for number in ("1" + "0" * 400, "1e400"):
        path.write_text(f'{{"transition": [[[1]]], "reward": [[{number}]], "gamma": 0.5, "initial": [1]}}')
        with pytest.raises(InvalidInput, match=r"the number 1(e400|0{11}\.\.\.).*range of floats.*fix: rescale it"):
            tt.load(path)


@pytest.mark.parametrize("name", ["mdp.txt", "mdp.tra", "mdp.gz", "mdp.npy", "mdp.pt", "mdp"])
def test_other_formats_have_advice(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InvalidInput, match="fix: "):
        tt.load(tmp_path / name, gamma=0.9)


def test_labels_that_are_tuples_but_no_joint_actions_are_noted():
    moves = [("0", "1"), ("1", "0"), ("0", "-1"), ("-1", "0")]
    mdp = tt.FiniteMDP(np.ones((1, 4, 1)), np.zeros((1, 4)), 0.5, action_labels=moves)
    assert any("not all 9 combinations" in note for note in open_source(mdp).notes)
    joint = tt.FiniteMDP(
        np.ones((1, 4, 1)), np.zeros((1, 4)), 0.5, action_labels=[("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")]
    )
    assert joint.agents == (2, 2)
    assert not open_source(joint).notes


@pytest.mark.parametrize("solve", [tt.evaluate, tt.optimal, tt.finite_horizon])
def test_a_horizon_that_cannot_fit_is_refused_with_advice_that_works(solve):
    mdp = tt.load("zoo:kakade", gamma=1)
    with pytest.raises(InvalidInput, match=r"horizon = 1000000000 .*at most 5000000 steps.*fix: pass horizon=5000000"):
        solve(mdp, *([np.full((2, 2), 0.5)] if solve is tt.evaluate else []), horizon=10**9)
