"""Runs and their files: nothing is lost or bent, every correction is reported, and bad input gets its one message."""

import io
import json
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp

import trpo_theory as tt
from trpo_theory.errors import InvalidInput
from trpo_theory.integrations import Recorder, record
from trpo_theory.io import read_run, run_of, write_fields, write_run

S, A, T = 6, 3, 5


def an_mdp(kind="dense", seed=0):
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.ones(S), (S, A))
    reward = rng.normal(size=(S, A))
    if "unavailable" in kind:
        reward[2, 1] = -np.inf
    if "sparse" in kind:
        transition[transition < 0.1] = 0.0
        transition /= transition.sum(-1, keepdims=True)
        transition = sp.csr_array(transition.reshape(-1, S))
    labels = [f"s{state}-é" for state in range(S)] if "labels" in kind else None
    return tt.FiniteMDP(transition, reward, 0.97, rng.dirichlet(np.ones(S)), state_labels=labels)


def some_policies(mdp, seed=1, dtype=np.float64):
    weights = np.random.default_rng(seed).exponential(size=(T, S, A)) * mdp.available
    return (weights / weights.sum(-1, keepdims=True)).astype(dtype)


def a_run(kind="dense", dtype=np.float64):
    mdp = an_mdp(kind)
    logged = {"kl": [0.1, np.nan, 1 / 3, np.inf], "n_updates": np.arange(4)}
    about = {"algorithm": "TRPO", "seed": 3, "clip": 1 / 3, "note": "Łódź \x00 end"}
    return run_of(some_policies(mdp, dtype=dtype), mdp, logged=logged, about=about)


def content(run):
    parts = ("data", "indices", "indptr") if run.mdp.is_sparse else ()
    arrays = [getattr(run.mdp.transition, part) for part in parts] or [run.mdp.transition]
    arrays += [run.policies, run.mdp.reward, run.mdp.initial, run.mdp.available, *run.logged.values()]
    texts = (run.mdp.gamma, run.mdp.state_labels, list(run.logged), run.about, run.renormalised)
    return [array.tobytes() for array in arrays], texts


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", ["dense", "sparse", "dense unavailable labels", "sparse unavailable labels"])
def test_round_trip_is_bit_exact(tmp_path, kind, dtype):
    run = a_run(kind, dtype)
    write_run(run, tmp_path / "run.npz")
    again = read_run(tmp_path / "run.npz")
    assert content(again) == content(run)
    assert {name: type(value) for name, value in again.about.items()} == {
        "algorithm": str,
        "seed": int,
        "clip": float,
        "note": str,
    }
    write_run(again, tmp_path / "twice.npz")
    assert (tmp_path / "twice.npz").read_bytes() == (tmp_path / "run.npz").read_bytes()


def test_numpy_alone_reads_what_is_written_and_without_pickle(tmp_path):
    run = a_run()
    write_run(run, tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz", allow_pickle=False) as file:
        fields = dict(file)
    expected = {"policies", "transition", "reward", "gamma", "initial", "logged_kl", "logged_n_updates", "about"}
    assert set(fields) == {*expected, "renormalised"}
    assert np.array_equal(fields["policies"], run.policies)
    assert np.array_equal(fields["logged_kl"], [0.1, np.nan, 1 / 3, np.inf], equal_nan=True)
    assert json.loads(str(fields["about"])) == run.about


def test_a_plain_savez_is_read_with_the_mdp_given_or_in_it(tmp_path):
    mdp, other = an_mdp(), an_mdp(seed=7)
    policies = some_policies(mdp)
    np.savez(tmp_path / "bare.npz", policies=policies)
    run = read_run(tmp_path / "bare.npz", mdp=mdp)
    assert run.mdp is mdp
    assert np.array_equal(run.policies, policies)
    assert (run.updates, dict(run.logged), dict(run.about), run.renormalised) == (4, {}, {}, 0.0)
    assert read_run(tmp_path / "bare.npz", mdp=mdp, gamma=0.5).mdp.gamma == 0.5
    parts = {"transition": mdp.transition, "reward": mdp.reward, "initial": mdp.initial}
    np.savez(tmp_path / "whole.npz", policies=policies, extra=[1, 2], **parts)
    assert read_run(tmp_path / "whole.npz", gamma=0.5).mdp.gamma == 0.5
    assert read_run(tmp_path / "whole.npz", mdp=other).mdp is other
    with pytest.raises(InvalidInput, match=r"no gamma .*whole\.npz"):
        read_run(tmp_path / "whole.npz")


def test_single_precision_is_mended_and_by_how_much_is_told():
    """Row sums of the float32 numbers in exact arithmetic are the oracle."""
    mdp = an_mdp()
    single = some_policies(mdp, dtype=np.float32)
    run = run_of(single, mdp)
    exact = [[[Fraction(float(p)) for p in row] for row in policy] for policy in single]
    worst = max(abs(sum(row) - 1) for policy in exact for row in policy)
    assert worst > Fraction(1, 10**8)
    assert abs(Fraction(run.renormalised) - worst) < Fraction(1, 10**15)
    for policy, mended in zip(exact, run.policies, strict=True):
        for row, got in zip(policy, mended, strict=True):
            for p, q in zip(row, got, strict=True):
                assert abs(p / sum(row) - Fraction(float(q))) <= Fraction(1, 10**15)
    assert run.policies.dtype == np.float64
    assert f"renormalised={float(worst):.3g}" in repr(run)


def test_rows_that_sum_to_one_to_rounding_are_left_alone():
    mdp, policies = an_mdp(), np.full((2, S, A), 1 / 3)
    run = run_of(policies, mdp)
    assert run.policies.tobytes() == policies.tobytes()
    assert run.renormalised == 0.0


def test_a_run_is_its_own():
    """Nobody changes a run from outside, nor by what it was made of."""
    mdp = an_mdp()
    policies, kl = some_policies(mdp), np.zeros(T - 1)
    run = run_of(policies, mdp, logged={"kl": kl})
    policies[:], kl[:] = 0.0, 1.0
    assert run.policies.sum() == pytest.approx(T * S)
    assert run.logged["kl"].sum() == 0
    with pytest.raises(ValueError, match="read-only"):
        run.policies[0, 0, 0] = 1.0
    with pytest.raises(AttributeError):
        run.mdp = mdp


def changed(**entries):
    policies = some_policies(an_mdp())
    for index, value in entries.values():
        policies[index] = value
    return policies


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        (np.full((S, A), 1 / A), rf"a run with one policy.*wanted shape \(T, {S}, {A}\).*before the first update too"),
        (np.full((1, S, A), 1 / A), r"a run with one policy.*T at least 2"),
        (np.full((T, A, S), 1 / S), rf"shape \({T}, {A}, {S}\); wanted shape \(T, {S}, {A}\).*order of the axes"),
        (np.full((2, T, S, A), 1 / A), r"shape \(2, 5, 6, 3\)"),
        (changed(nan=((3, 2, 1), np.nan)), r"nan in policies at \[3, 2, 1\]; wanted finite"),
        (changed(inf=((0, 0, 0), np.inf)), r"inf in policies at \[0, 0, 0\]"),
        (changed(negative=((1, 4), [1.5, -0.5, 0.0])), r"policies\[1, 4, 1\] = -0.5; wanted probabilities"),
        (changed(short=((4, 5), [0.5, 0.25, 0.2498])), r"policies row \[4, 5\] that sums to 0.9998.*within 0.0001"),
        ([["left"]], "policies that is not a rectangular array of real numbers"),
        ([[[1, 0, 0]], [[1, 0]]], "policies that is not a rectangular array"),
        ([], "an empty policies"),
        (None, "policies that is not a rectangular array"),
    ],
)
def test_policies_that_are_no_run_are_refused(policies, message):
    with pytest.raises(InvalidInput, match=message):
        run_of(policies, an_mdp())


def test_rows_within_the_tolerance_are_mended():
    run = run_of(changed(short=((4, 5), [0.5, 0.25, 0.24995])), an_mdp())
    assert run.renormalised == pytest.approx(5e-5, rel=1e-9)
    assert run.policies[4, 5].sum() == pytest.approx(1.0, abs=1e-15)


def test_mass_on_an_unavailable_action_is_refused():
    mdp = an_mdp("unavailable")
    policies = some_policies(mdp)
    policies[3, 2] = [0.5, 1e-6, 0.499999]
    with pytest.raises(InvalidInput, match=r"policies\[3, 2, 1\] = 1e-06 for an action that is not available there"):
        run_of(policies, mdp)


def test_an_mdp_is_one_mdp():
    mdp = an_mdp()
    batch = tt.FiniteMDP(np.stack([mdp.transition] * 2), np.stack([mdp.reward] * 2), 0.9)
    with pytest.raises(InvalidInput, match=r"got a batch of MDPs, .*; wanted one MDP"):
        run_of(some_policies(mdp), batch)


@pytest.mark.parametrize(
    ("logged", "message"),
    [
        ({"kl": np.zeros(T)}, rf"logged kl with shape \({T},\); wanted one number for each update, shape \({T - 1},\)"),
        ({"kl": 0.1}, r"logged kl with shape \(\)"),
        ({"kl": ["a"] * (T - 1)}, "logged kl with no numbers"),
        ({"kl": [None] * (T - 1)}, "logged kl with no numbers"),
        ({"kl": [[1], [2, 3]]}, "logged kl with no numbers"),
        ({"train/kl": np.zeros(T - 1)}, "the name 'train/kl' of a logged number.*rename it"),
        ({"": np.zeros(T - 1)}, "the name '' of a logged number"),
    ],
)
def test_logged_numbers_are_one_an_update(logged, message):
    with pytest.raises(InvalidInput, match=message):
        run_of(some_policies(an_mdp()), an_mdp(), logged=logged)


@pytest.mark.parametrize("value", [np.nan, np.inf, None, [1], {"a": 1}, b"text", 1j])
def test_about_holds_strings_and_finite_numbers(value):
    with pytest.raises(InvalidInput, match=r"about what = .*wanted a string or a finite number"):
        run_of(some_policies(an_mdp()), an_mdp(), about={"what": value})


def test_about_takes_numpy_numbers_as_python_ones():
    about = run_of(some_policies(an_mdp()), an_mdp(), about={"seed": np.int64(3), "x": np.float32(0.5)}).about
    assert about == {"seed": 3, "x": 0.5}
    assert [type(value) for value in about.values()] == [int, float]


def whole(**changes):
    mdp = an_mdp()
    parts = {"transition": mdp.transition, "reward": mdp.reward, "gamma": mdp.gamma, "initial": mdp.initial}
    fields = {"policies": some_policies(mdp), **parts, **changes}
    return {name: value for name, value in fields.items() if value is not ...}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            whole(policies=..., policy=np.full((S, A), 1 / A)),
            "no policies .found 'transition'.*wanted policies of shape",
        ),
        (whole(transition=...), "policies without an MDP.*--mdp gym:FrozenLake-v1"),
        (whole(reward=...), "no reward"),
        (whole(policies=np.full((1, S, A), 1 / A)), "a run with one policy"),
        (whole(about=np.array("[1, 2]")), "about = .*the text of a JSON object"),
        (whole(about=np.array("{")), "about = '{'"),
        (whole(about=np.array("[" * 100_000)), "about = "),
        (whole(about=np.array(['{"a": 1}', '{"a": 2}'])), "about = "),
        (whole(about=np.array('{"a": NaN}')), "about a = nan"),
        (whole(about=np.array('{"a": null}')), "about a = None"),
        (whole(about=np.array('{"": 1}')), "'' as a key of about"),
        (whole(renormalised=2.0), "renormalised = 2.0"),
        (whole(renormalised=np.nan), "renormalised = nan"),
        (whole(renormalised=np.zeros(2)), "renormalised = "),
        (whole(renormalised="x"), "renormalised = 'x'"),
        (whole(logged_kl=np.zeros(T)), "logged kl with shape"),
        (whole(**{"logged_train/kl": np.zeros(T - 1)}), "the name 'train/kl'"),
    ],
)
def test_files_that_are_no_run_are_refused_and_named(tmp_path, fields, message):
    with open(tmp_path / "run.npz", "wb") as stream:
        np.savez(stream, **fields)
    with pytest.raises(InvalidInput, match=message) as caught:
        read_run(tmp_path / "run.npz")
    assert "run.npz" in str(caught.value)


def test_paths_that_lead_to_no_run_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match=r"'run.json' for a run; wanted a name that ends in .npz; fix: convert"):
        read_run("run.json")
    with pytest.raises(InvalidInput, match=r"No such file.*the file of a run"):
        read_run(tmp_path / "missing.npz")
    (tmp_path / "empty.npz").touch()
    with pytest.raises(InvalidInput, match="the empty file"):
        read_run(tmp_path / "empty.npz")
    with pytest.raises(InvalidInput, match="for a run"):
        write_run(a_run(), tmp_path / "run.npy")
    with pytest.raises(InvalidInput, match="directory that does not exist"):
        write_run(a_run(), tmp_path / "nowhere" / "run.npz")


def test_pickles_are_not_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return pytest.fail, ("a pickle was opened",)

    policies = np.empty((2, S, A), dtype=object)
    policies[...] = Trap()
    with open(tmp_path / "run.npz", "wb") as stream:
        np.savez(stream, allow_pickle=True, **whole(policies=policies))
    with pytest.raises(InvalidInput, match="pickled Python objects as 'policies'"):
        read_run(tmp_path / "run.npz")


def test_every_mutation_of_a_file_is_refused_or_reads_as_a_run(tmp_path):
    """A zip's checksums see most of them; stored without compression, bytes of the arrays' headers are hit too."""
    stream = io.BytesIO()
    np.savez(stream, **whole(about=np.array('{"seed": 1}'), renormalised=1e-7, logged_kl=np.zeros(T - 1)))
    good, rng = stream.getvalue(), np.random.default_rng(5)
    path, refused = tmp_path / "run.npz", []
    cuts = [good[: int(cut)] for cut in rng.integers(1, len(good), 40)]
    for position in rng.integers(0, len(good), 260):
        mutated = bytearray(good)
        mutated[position] ^= int(rng.integers(1, 256))
        cuts.append(bytes(mutated))
    for mutation in cuts:
        path.write_bytes(mutation)
        try:
            run = read_run(path)
        except InvalidInput as error:
            refused.append(str(error))
        else:
            assert run.policies.shape == (T, S, A)
    assert len(refused) > 200
    assert all("run.npz" in message for message in refused)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    run, path = a_run(), tmp_path / "run.npz"
    write_run(run, path)
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(InvalidInput, match="No space left"):
        write_run(run, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]


class Tensor:
    """What NumPy knows of a JAX array: `__array__`; with a device, what it knows of PyTorch's."""

    def __init__(self, array):
        self._array = array

    def __array__(self, dtype=None, copy=None):
        return np.array(self._array, dtype=dtype)


def test_a_recorder_takes_arrays_and_functions_of_states(tmp_path):
    mdp = an_mdp()
    policies = some_policies(mdp)
    recorder = Recorder(mdp, about={"algorithm": "mine"})
    recorder.add(policies[0])
    recorder.add(policies[1].tolist(), kl=0.5)
    recorder.add(lambda states: policies[2][states], kl=Tensor(np.float32(0.25)))
    recorder.add(Tensor(policies[3]), objective=1)
    recorder.add(type("Categorical", (), {"probs": Tensor(policies[4])})())
    assert len(recorder) == T
    run = recorder.write(tmp_path / "run.npz")
    for made in (run, recorder.run(), read_run(tmp_path / "run.npz")):
        assert made.policies == pytest.approx(policies, abs=1e-15)
        assert np.array_equal(made.logged["kl"], [0.5, 0.25, np.nan, np.nan], equal_nan=True)
        assert np.array_equal(made.logged["objective"], [np.nan, np.nan, 1, np.nan], equal_nan=True)
        assert made.about == {"algorithm": "mine"}


def test_a_function_is_called_with_the_observations_given():
    mdp, weights = an_mdp(), some_policies(an_mdp())
    recorder = Recorder(mdp, states=np.eye(S))
    for layer in weights:
        recorder.add(lambda one_hot, layer=layer: one_hot @ layer)
    assert recorder.run().policies == pytest.approx(weights, abs=1e-15)


def test_a_recorder_keeps_what_a_loop_overwrites():
    mdp, policies = an_mdp(), some_policies(an_mdp())
    recorder, network = Recorder(mdp), np.empty((S, A))
    for policy in policies:
        network[:] = policy
        recorder.add(network)
    assert recorder.run().policies == pytest.approx(policies, abs=1e-15)


def test_record_reads_a_generator_as_it_trains():
    mdp = an_mdp()
    network = np.full((S, A), np.float32(1 / 3))

    def training():
        for k in range(4):
            network[:, 0] = np.float32(0.3 + 0.05 * k)
            network[:, 1:] = (1 - network[:, :1]) / 2
            yield lambda states: network[states]

    run = record(training(), mdp, logged={"kl": [1, 2, 3]}, about={"seed": 1})
    assert run.policies[:, 0, 0] == pytest.approx([0.3, 0.35, 0.4, 0.45], abs=1e-7)
    assert (list(run.logged["kl"]), run.about) == ([1, 2, 3], {"seed": 1})
    assert run.renormalised == pytest.approx(abs(network.astype(float).sum(-1) - 1).max(), abs=2e-7)
    assert record([network, network], mdp).renormalised == abs(network.astype(float).sum(-1) - 1).max()


def test_the_extra_state_of_an_environments_ends_is_no_observation():
    """`io.from_gym` may append a state "terminated"; a network has no row for it, and in it nothing matters."""
    transition = np.zeros((3, 2, 3))
    transition[:, :, 2] = 1.0
    mdp = tt.FiniteMDP(transition, [[1, 0], [0, 1], [0, 0]], 0.9, [1, 0, 0], state_labels=["0", "1", "terminated"])
    recorder = Recorder(mdp)
    recorder.add(lambda states: np.full((len(states), 2), 0.5))
    recorder.add([[1, 0], [0, 1]])
    assert np.array_equal(recorder.run().policies[1], [[1, 0], [0, 1], [0.5, 0.5]])


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (np.full((A, S), 1 / S), rf"a policy of shape \({A}, {S}\); wanted \({S}, {A}\).*not transposed"),
        (lambda states: np.full(A, 1 / A), "lambda states: .policy.state. for state in states"),
        (np.full((S, A), np.nan), "nan in policy"),
        (np.full((S, A), 1.0), "policy row .0. that sums to 3"),
        (-np.eye(S)[:, :A], "policy.0, 0. = -1; wanted probabilities"),
        ("optimal", "policy that is not a rectangular array of real numbers"),
    ],
)
def test_a_recorder_refuses_what_is_no_policy_when_it_is_added(policy, message):
    recorder = Recorder(an_mdp())
    with pytest.raises(InvalidInput, match=message):
        recorder.add(policy)
    assert len(recorder) == 0


def test_a_recorder_refuses_a_run_without_an_update():
    mdp = an_mdp()
    recorder = Recorder(mdp)
    with pytest.raises(InvalidInput, match="a run without a policy"):
        recorder.run()
    with pytest.raises(InvalidInput, match="a run without a policy"):
        record([], mdp)
    with pytest.raises(InvalidInput, match="kl logged with the first policy"):
        recorder.add(np.full((S, A), 1 / A), kl=0.0)
    recorder.add(np.full((S, A), 1 / A))
    with pytest.raises(InvalidInput, match="a run with one policy"):
        recorder.run()
    with pytest.raises(InvalidInput, match=r"kl = .* logged; wanted one number"):
        recorder.add(np.full((S, A), 1 / A), kl=[1, 2])
    assert len(recorder) == 1


def test_a_recorder_wants_an_observation_for_each_state():
    with pytest.raises(InvalidInput, match="5 states as the argument of policies; wanted 6"):
        Recorder(an_mdp(), states=np.eye(5))
    with pytest.raises(InvalidInput, match="int 6 as states"):
        Recorder(an_mdp(), states=6)


def test_fields_beside_a_run_are_left_alone(tmp_path):
    write_fields(whole(old=np.eye(S)), tmp_path / "run.npz")
    assert read_run(tmp_path / "run.npz").updates == T - 1
