"""Stable-Baselines3 trained for real, for seconds: every policy and number recorded is the model's own."""

import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from later import Later

import trpo_theory as tt
from experiments import audit_runs
from trpo_theory.errors import InvalidInput
from trpo_theory.integrations import Recorder
from trpo_theory.io import read_run

torch, sb3, contrib = Later("torch"), Later("stable_baselines3"), Later("sb3_contrib")
PolicyRecorder = Later("trpo_theory.integrations.sb3", "PolicyRecorder")
Witness, OneHot = Later("sb3_parts", "Witness"), Later("sb3_parts", "OneHot")
on_one_hot_states = Later("sb3_parts", "on_one_hot_states")
callbacks, environments = (Later(f"stable_baselines3.common.{name}") for name in ("callbacks", "env_util"))
pytestmark = [pytest.mark.peers, pytest.mark.slow]

LAKE = "FrozenLake-v1"
STEPS = {"TRPO": 128, "PPO": 128, "A2C": 5}
QUICK = {"TRPO": {"batch_size": 128, "n_critic_updates": 1}, "PPO": {"batch_size": 128, "n_epochs": 2}, "A2C": {}}


def model_of(algorithm, env=LAKE, **options):
    kind = contrib.TRPO if algorithm == "TRPO" else getattr(sb3, algorithm)
    settings = {"n_steps": STEPS[algorithm], **QUICK[algorithm], "seed": 0, "device": "cpu", "gamma": 0.9, **options}
    return kind("MlpPolicy", env, **settings)


@pytest.fixture(autouse=True, scope="module")
def _peers_are_installed():
    for module in ("torch", "stable_baselines3", "sb3_contrib"):
        pytest.importorskip(module)


@pytest.mark.parametrize("algorithm", ["TRPO", "PPO", "A2C"])
def test_every_policy_of_a_training_is_recorded(algorithm, tmp_path):
    model, recorder, witness = model_of(algorithm), PolicyRecorder(path=tmp_path / "run.npz"), Witness()
    model.learn(5 * STEPS[algorithm], callback=[recorder, witness])
    run = recorder.run()
    assert run.updates == 5
    final = on_one_hot_states(model)
    for got, wanted in zip(run.policies, [*witness.tables, final], strict=True):
        assert got == pytest.approx(wanted, abs=1e-6)
    assert len({policy.tobytes() for policy in run.policies}) == 6
    assert run.mdp.gamma == 0.9
    table = tt.io.from_gym(LAKE, 0.9)
    assert np.array_equal(run.mdp.transition, table.transition)
    assert np.array_equal(run.mdp.reward, table.reward)
    assert run.about == {
        "algorithm": algorithm,
        "gamma": 0.9,
        "environment": LAKE,
        "seed": 0,
        "steps_per_update": STEPS[algorithm],
    }
    assert list(run.logged["timesteps"]) == [STEPS[algorithm] * k for k in range(1, 6)]
    assert 0 < run.renormalised < 1e-6
    assert np.array_equal(read_run(tmp_path / "run.npz").policies, run.policies)


def test_the_recorder_and_the_models_own_distribution_agree():
    """`get_distribution`, asked about one state after the other."""
    model, recorder = model_of("PPO", "CliffWalking-v1"), PolicyRecorder()
    model.learn(128, callback=recorder)
    rows = [
        model.policy.get_distribution(torch.tensor([state])).distribution.probs.detach().numpy()[0]
        for state in range(48)
    ]
    assert recorder.run().policies[-1] == pytest.approx(np.array(rows), abs=1e-6)


@pytest.mark.whole
def test_trpos_logged_divergence_is_the_reverse_one_over_its_rollout():
    """KL(new‖old), averaged over the states visited, from the recorded policies: the number that TRPO logs, to float32."""
    model, recorder, witness = model_of("TRPO", n_steps=256), PolicyRecorder(), Witness()
    model.learn(3 * 256, callback=[recorder, witness])
    run = recorder.run()
    assert (run.logged["target_kl"] == 0.01).all()
    forward = []
    for k, visited in enumerate(witness.visited):
        old, new = run.policies[k], run.policies[k + 1]
        reverse = (new * np.log(new / old)).sum(-1)[visited].mean()
        forward.append((old * np.log(old / new)).sum(-1)[visited].mean())
        assert run.logged["kl_divergence_loss"][k] == pytest.approx(reverse, rel=1e-3)
        assert 0 < reverse < 0.01
    assert np.abs(run.logged["kl_divergence_loss"] / forward - 1).max() > 2e-3


def test_what_the_logger_has_at_each_update_is_kept():
    model, recorder = model_of("PPO"), PolicyRecorder()
    seen = []

    class Reader(callbacks.BaseCallback):
        def _on_step(self):
            return True

        def _on_rollout_start(self):
            seen.append(self.logger.name_to_value.get("train/approx_kl"))

    model.learn(3 * 128, callback=[recorder, Reader()])
    logged = recorder.run().logged
    assert {"approx_kl", "policy_gradient_loss", "value_loss", "clip_fraction", "entropy_loss"} <= set(logged)
    assert seen[0] is None
    assert list(logged["approx_kl"]) == pytest.approx([*seen[1:], model.logger.name_to_value["train/approx_kl"]])
    assert list(logged["n_updates"]) == [2, 4, 6]
    assert "target_kl" not in logged


@pytest.mark.whole
def test_training_is_the_same_with_and_without_a_recorder():
    alone = model_of("TRPO").learn(256)  # the seed is the whole process's, set when a model is made
    watched = model_of("TRPO").learn(256, callback=PolicyRecorder())
    for one, other in zip(alone.policy.parameters(), watched.policy.parameters(), strict=True):
        assert torch.equal(one, other)


def test_parallel_environments_and_a_training_that_goes_on():
    model, recorder = model_of("PPO", environments.make_vec_env(LAKE, 4, seed=1), n_steps=32), PolicyRecorder()
    model.learn(2 * 128, callback=recorder)
    model.learn(1 * 128, callback=recorder, reset_num_timesteps=False)
    run = recorder.run()
    assert run.updates == 3
    assert run.policies[-1] == pytest.approx(on_one_hot_states(model), abs=1e-6)
    assert list(run.logged["n_updates"]) == [2, 4, 6]
    assert run.about["steps_per_update"] == 128


def test_a_training_that_is_stopped_in_a_rollout_adds_no_update():
    model, recorder = model_of("PPO"), PolicyRecorder()
    model.learn(100_000, callback=[recorder, callbacks.StopTrainingOnMaxEpisodes(max_episodes=40)])
    run = recorder.run()
    assert run.updates == model.num_timesteps // 128
    assert run.policies[-1] == pytest.approx(on_one_hot_states(model), abs=1e-6)
    assert (np.abs(np.diff(run.policies, axis=0)).max((1, 2)) > 0).all()


def test_observations_of_another_kind_are_given_beside_the_mdp():
    mdp, env = tt.load(f"gym:{LAKE}", gamma=0.5), OneHot(gymnasium.make(LAKE))
    model, recorder = model_of("PPO", env), PolicyRecorder(mdp, observations=np.eye(16, dtype=np.float32))
    model.learn(128, callback=recorder)
    assert recorder.run().mdp is mdp
    assert recorder.run().policies[-1] == pytest.approx(on_one_hot_states(model), abs=1e-6)
    with pytest.raises(InvalidInput, match=r"the observation space Box.*PolicyRecorder\(observations"):
        model.learn(128, callback=PolicyRecorder(mdp))
    with pytest.raises(InvalidInput, match=r"wrapper OneHot.*or pass the MDP that it is: PolicyRecorder\(mdp\)"):
        model.learn(128, callback=PolicyRecorder())


def test_an_environment_without_a_table_is_told():
    with pytest.raises(InvalidInput, match=r"publishes no table P.*or pass the MDP"):
        model_of("PPO", "CartPole-v1").learn(128, callback=PolicyRecorder())


def test_an_undiscounted_training_is_told():
    with pytest.raises(InvalidInput, match="gamma = 1; wanted a discount"):
        model_of("PPO", gamma=1.0).learn(128, callback=PolicyRecorder())


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: sb3.DQN("MlpPolicy", LAKE, device="cpu"), "DQN"),
        (lambda: sb3.PPO("MlpPolicy", "Pendulum-v1", device="cpu"), "PPO.*Box"),
        (lambda: contrib.RecurrentPPO("MlpLstmPolicy", "CartPole-v1", device="cpu"), "RecurrentPPO"),
    ],
)
def test_policies_that_are_no_table_are_told(make, kind):
    with pytest.raises(InvalidInput, match=f"{kind}.*wanted TRPO, PPO or A2C"):
        make().learn(128, callback=PolicyRecorder())


def test_a_recorder_belongs_to_one_training():
    recorder = PolicyRecorder()
    with pytest.raises(InvalidInput, match=r"has seen no training.*learn"):
        recorder.run()
    model_of("A2C").learn(5, callback=recorder)
    with pytest.raises(InvalidInput, match="has recorded another model"):
        model_of("A2C").learn(5, callback=recorder)


def test_the_plain_recorder_takes_torch_tensors_and_modules():
    mdp = tt.load(f"gym:{LAKE}", gamma=0.9)
    network = torch.nn.Sequential(torch.nn.Linear(16, 4), torch.nn.Softmax(-1))
    recorder = Recorder(mdp, states=torch.eye(16))
    recorder.add(network)
    with torch.no_grad():
        network[0].weight += 1 - torch.eye(4, 16)
    recorder.add(network(torch.eye(16)), loss=torch.tensor(0.5, requires_grad=True))
    recorder.add(torch.distributions.Categorical(logits=torch.zeros(16, 4)))
    recorder.add(torch.full((16, 4), 0.25, dtype=torch.bfloat16))
    run = recorder.run()
    assert run.policies[1] == pytest.approx(network(torch.eye(16)).detach().numpy(), abs=1e-6)
    assert not np.allclose(run.policies[0], run.policies[1], atol=1e-3)
    assert (run.policies[2:] == 0.25).all()
    assert run.logged["loss"][0] == 0.5


def test_without_the_extra_one_message_says_how_to_install_it():
    code = (
        "import sys\n"
        "sys.modules['stable_baselines3'] = None\n"
        "import trpo_theory.integrations, trpo_theory.io\n"
        "import trpo_theory.integrations.sb3"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: got no working stable_baselines3")
    assert "python -m pip install '.[sb3]'" in last


TINY = audit_runs.Settings(
    environments=(("Lake", LAKE),),
    algorithms=("TRPO",),
    gammas=(0.9,),
    seeds=(3,),
    updates=2,
    steps=256,
    parallel=4,
    jobs=1,
)


def test_the_experiments_rows_follow_from_the_definitions():
    """η and d_old by running the chain, KL by its sum; the episodes of FrozenLake end in four holes and the goal."""
    run = audit_runs.train(TINY, LAKE, 0.9, "TRPO", 3)
    frame = audit_runs.updates_of(run)
    table, acts = tt.io.from_gym(LAKE, 0.9), np.ones(16, dtype=bool)
    acts[[5, 7, 11, 12, 15]] = False
    returns, visits = [], []
    for policy in run.policies:
        chain, reward = np.einsum("sa,sat->st", policy, table.transition), (policy * table.reward).sum(1)
        now, total, seen = table.initial.copy(), 0.0, np.zeros(16)
        for step in range(500):
            total += 0.9**step * now @ reward
            seen += 0.9**step * now
            now = now @ chain
        returns.append(total)
        visits.append(seen / seen.sum())
    assert list(frame["expected_return_old"]) == pytest.approx(returns[:-1], abs=1e-12)
    assert list(frame["expected_return_new"]) == pytest.approx(returns[1:], abs=1e-12)
    for k, row in enumerate(frame.to_dict("records")):
        old, new = run.policies[k][acts], run.policies[k + 1][acts]
        kl, weight = (old * np.log(old / new)).sum(1), visits[k][acts]
        assert row["mean_kl"] == pytest.approx(kl @ weight, rel=1e-6)
        assert row["acting_mean_kl"] == pytest.approx(kl @ weight / weight.sum(), rel=1e-6)
        assert row["max_kl"] == pytest.approx(kl.max(), rel=1e-6)
        assert row["decreased"] == (returns[k + 1] < returns[k])
        assert row["logged_kl"] == run.logged["kl_divergence_loss"][k]
        assert row["lower_bound trpo/kl"] < row["worst_return"] == 0.0
    assert (frame["failing_bounds"] == 0).all()


def test_the_experiment_says_what_it_found_and_fails_with_a_bound():
    frames = audit_runs.run(TINY)
    frame = frames[""]
    (shown,) = (table.frame.to_dict("records") for table in audit_runs.tables(frames).values())
    (row,) = shown
    assert (row["environment"], row["algorithm"], row["updates"]) == ("Lake", "TRPO", 2)
    assert row["share_decreased"] == frame["decreased"].sum() / 2
    assert row["largest_excess"] == max(frame["acting_mean_kl"]) / 0.01
    assert row["trpo/kl"] == pytest.approx(-frame["lower_bound trpo/kl"].mean() / frame["best_return"][0], rel=1e-9)
    assert "2 updates of 1 runs" in audit_runs.summary(frames)
    assert "All true bounds hold" in audit_runs.summary(frames)
    assert audit_runs.passed(frames)
    frame.loc[1, "failing_bounds"] = 3
    assert "3 bounds FAIL" in audit_runs.summary(frames)
    assert not audit_runs.passed(frames)


def test_without_the_extra_the_experiment_is_skipped_in_words(monkeypatch):
    assert audit_runs.missing() is None
    monkeypatch.setitem(sys.modules, "sb3_contrib", None)
    assert "fix: python -m pip install '.[sb3]'" in (audit_runs.missing() or "")
