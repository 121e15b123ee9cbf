"""The machinery of the search: worst rewards, the battery, the float screen, descent, the hunt and shrinking."""

import dataclasses
import functools
import itertools
import math
import random
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from cheap import sampled, two_instruments
from exact import rational, step_on
from scipy.optimize import linprog

import trpo_theory as tt
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.record_checks import NEEDS
from trpo_theory.claims import catalogue
from trpo_theory.claims.from_file import read_claims
from trpo_theory.errors import ClaimFailed
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.settle import settle
from trpo_theory.search import shrink as shrinking
from trpo_theory.search.battery import GAMMAS, SHAPES, battery, random_instances
from trpo_theory.search.findings import Findings
from trpo_theory.search.hunt import Hunt
from trpo_theory.search.impose import impose
from trpo_theory.search.instruments import mutation, run_all
from trpo_theory.search.instruments.mutation import descend
from trpo_theory.search.mutation import mutated
from trpo_theory.search.scales import least_of, scaled
from trpo_theory.search.screen import Screen
from trpo_theory.search.shrink import shrink
from trpo_theory.search.simple_numbers import cost, number_at, row_at
from trpo_theory.search.worst_reward import worst_reward
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.fields import EXTRAS
from trpo_theory.step.instances import Instances, joined

ROWS = ("transition", "initial", "old", "new", "reference")


def drawn(count, states, actions, seed=0):
    return random_instances(np.random.default_rng(seed), count, states, actions)


def made(formula, **details):
    return Claim("mine/made", formula, "a statement", **details)


def chains(instances, i):
    """(I − γ P_π)⁻¹ of old and of new, by NumPy's solver."""
    out = []
    for policy in (instances.old[i], instances.new[i]):
        chain = np.einsum("sa,sat->st", policy, instances.transition[i])
        out.append(np.linalg.inv(np.eye(len(chain)) - instances.gamma[i] * chain))
    return out


def assert_rows(instances):
    for name in ROWS:
        rows = getattr(instances, name)
        assert (rows >= 0).all()
        masked = name == "transition" and instances.available is not None
        np.testing.assert_allclose(rows.sum(-1), instances.available if masked else 1, atol=1e-13)
    assert ((instances.gamma >= 0) & (instances.gamma < 1)).all()
    assert all(np.isfinite(array).all() for array in instances.arrays().values())
    if instances.available is not None:
        assert instances.available.any(-1).all()
        for name in ("old", "new", "reference", "reward", "noise"):
            assert (getattr(instances, name)[~instances.available] == 0).all(), name


# --- the worst reward ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("states", "actions"), [(1, 2), (2, 2), (2, 3), (3, 4)])
def test_the_worst_reward_solves_the_linear_programme_of_every_state(states, actions):
    instances = drawn(12, states, actions)
    worst = np.moveaxis(worst_reward(instances.quantities()), -1, 0)
    assert np.abs(worst).max() <= 1
    np.testing.assert_allclose((instances.old * worst).sum(-1), 0, atol=1e-14)
    checked = 0
    for i, s in itertools.product(range(12), range(states)):
        resolvents = chains(instances, i)
        change = instances.initial[i] @ (resolvents[1] - resolvents[0])
        if abs(change[s]) < 1e-9:
            continue
        weight = np.sign(change[s]) * instances.new[i, s]
        programme = linprog(weight, A_eq=instances.old[i, s][None], b_eq=[0], bounds=[(-1, 1)] * actions)
        assert programme.status == 0
        assert weight @ worst[i, s] == pytest.approx(programme.fun, abs=1e-9)
        checked += 1
    assert checked >= (6 if states > 1 else 0)


def test_no_other_reward_of_that_size_makes_the_gap_lower_and_old_is_worth_nothing():
    instances, generator = drawn(40, 3, 3, seed=1), np.random.default_rng(2)
    worst = np.moveaxis(worst_reward(instances.quantities()), -1, 0)

    def gap(i, advantage):
        """η(new) − L where the reward is its own advantage."""
        old, new = (instances.initial[i] @ resolvent for resolvent in chains(instances, i))
        return (new - old) @ (instances.new[i] * advantage).sum(-1)

    for i in range(40):
        old, least = instances.old[i], gap(i, worst[i])
        assert least <= 1e-12
        for _ in range(20):
            other = generator.choice([generator.normal(size=(3, 3)), generator.integers(-1, 2, (3, 3)) * 1.0])
            other = other - (old * other).sum(-1, keepdims=True)
            other /= max(1, np.abs(other).max())
            assert gap(i, other) >= least - 1e-11
        value = chains(instances, i)[0] @ (old * worst[i]).sum(-1)
        np.testing.assert_allclose(value, 0, atol=1e-10)


# --- the battery -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole():
    return battery(np.random.default_rng(5), 4000)


def test_the_battery_is_of_probabilities_one_batch_a_size_and_as_large_as_asked(whole):
    for part in whole:
        assert_rows(part)
    shapes = [part.shape for part in whole]
    assert len(set(shapes)) == len(shapes)
    assert set(shapes) >= set(SHAPES)
    assert sum(map(len, whole)) == pytest.approx(4000, rel=0.05)
    assert sum(map(len, battery(np.random.default_rng(0), 1))) < 50


def test_the_battery_has_every_kind(whole):
    gammas = np.concatenate([part.gamma for part in whole])
    assert set(GAMMAS) <= set(gammas.tolist())
    assert ((gammas > 0.2) & (gammas < 0.3)).any()
    counts = dict.fromkeys(
        ("old one-hot", "new one-hot", "sparse", "shared", "apart", "near", "far", "kl inf", "V 0"), 0
    )
    for part in whole:
        if part.shape[0] < 2:
            continue
        tv = np.abs(part.new - part.old).sum(-1).max(-1) / 2
        same = (part.groups[:, :, None] == part.groups[:, None, :]).sum((1, 2)) > part.shape[0]
        together = (part.groups[:, :1] == part.groups).all(1)
        np.testing.assert_array_equal(
            part.old[together], np.broadcast_to(part.old[together][:, :1], part.old[together].shape)
        )
        value = np.array([chains(part, i)[0] @ (part.old[i] * part.reward[i]).sum(-1) for i in range(0, len(part), 10)])
        some = np.abs(part.reward[::10]).max((1, 2)) > 0.5
        for name, mask in {
            "old one-hot": (part.old.max(-1) == 1).all(-1),
            "new one-hot": (part.new.max(-1) == 1).all(-1),
            "sparse": ((part.transition == 0).any(-1) & (part.transition.max(-1) < 1)).any((1, 2)),
            "shared": same,
            "apart": ~same,
            "near": (tv > 0) & (tv < 1e-3),
            "far": tv > 0.5,
            "kl inf": ((part.old > 0) & (part.new == 0)).any((1, 2)),
            "V 0": some & (np.abs(value).max(1) < 1e-9),
        }.items():
            counts[name] += int(mask.sum())
    assert min(counts.values()) >= 20, counts


def test_states_of_a_random_group_share_their_rows():
    instances = drawn(400, 4, 3)
    for i, s, t in itertools.product(range(400), range(4), range(4)):
        if instances.groups[i, s] == instances.groups[i, t]:
            for name in ("old", "new", "reference"):
                rows = getattr(instances, name)[i]
                np.testing.assert_array_equal(rows[s], rows[t])


@pytest.mark.parametrize("needs", [frozenset(), frozenset({"one-row"}), frozenset({"unit-reward", "optimal-new"})])
def test_the_battery_depends_on_its_generator_only(needs):
    one, other = (battery(np.random.default_rng(3), 200, needs) for _ in range(2))
    another = battery(np.random.default_rng(4), 200, needs)
    for part, same, different in zip(one, other, another, strict=True):
        for name, array in part.arrays().items():
            np.testing.assert_array_equal(array, getattr(same, name))
        assert not np.array_equal(part.gamma, different.gamma)


def test_needs_are_built_in_exactly():
    for part in battery(np.random.default_rng(6), 400, frozenset({"unit-reward", "uniform-old"})):
        assert part.reward.min() == 0
        assert part.reward.max() == 1
        assert ((part.reward >= 0) & (part.reward <= 1)).all()
        able = np.ones(part.old.shape) if part.available is None else part.available
        assert (part.old == able / able.sum(-1, keepdims=True)).all()
    for part in battery(np.random.default_rng(6), 400, frozenset({"one-row"})):
        assert (part.groups == 0).all()
        for rows in (part.old, part.new):
            assert (rows == rows[:, :1]).all()


@pytest.mark.parametrize(("states", "actions"), [(2, 2), (2, 3), (3, 2)])
def test_optimal_new_is_the_best_of_all_deterministic_policies(states, actions):
    instances = impose(drawn(30, states, actions), frozenset({"optimal-new"}))
    assert_rows(instances)
    for i in range(30):
        plain = instances.take([i])
        best = np.full(states, -np.inf)
        for choice in itertools.product(range(actions), repeat=states):
            policy = np.eye(actions)[list(choice)]
            value = chains(plain.replace(new=policy[None]), 0)[1] @ (policy * instances.reward[i]).sum(-1)
            best = np.maximum(best, value)
        value = chains(plain, 0)[1] @ (instances.new[i] * instances.reward[i]).sum(-1)
        scale = 1 + np.abs(instances.reward[i]).max() / (1 - instances.gamma[i])
        np.testing.assert_allclose(value, best, atol=1e-9 * scale)


def test_greedy_mixture_moves_one_share_of_every_row_to_a_greedy_action():
    start = drawn(60, 3, 3, seed=7)
    instances = impose(start, frozenset({"greedy-mixture"}))
    assert_rows(instances)
    np.testing.assert_allclose(instances.old, start.old, rtol=0, atol=3e-16)  # rows of tiny steps are put on a grid
    for i in range(60):
        old, reward = instances.old[i], instances.reward[i]
        value = chains(instances, i)[0] @ (old * reward).sum(-1)
        q_value = reward + instances.gamma[i] * instances.transition[i] @ value
        scale = np.abs(q_value).max() + 1
        weight = np.abs(start.new[i] - old).max()
        for s in range(3):
            moved = instances.new[i, s] - (1 - weight) * old[s]
            assert moved.max() == pytest.approx(weight, abs=1e-12)
            assert q_value[s, np.argmax(moved)] >= q_value[s].max() - 1e-9 * scale or weight < 1e-12
            assert np.sort(moved)[:-1] == pytest.approx(0, abs=1e-12)


# --- instances -------------------------------------------------------------------------------------------------


def test_exact_instances_are_the_floats_and_come_back():
    instances = drawn(6, 3, 2, seed=8)
    for i in range(6):
        exact = instances.exact(i)
        assert exact.gamma == Fraction(repr(float(instances.gamma[i])))
        assert exact.reward[2, 1] == Fraction(float(instances.reward[i, 2, 1]))
        for name in ROWS:
            rows = getattr(exact, name)
            floats = getattr(instances, name)[i]
            if rows is None:
                assert name == "reference"
                continue
            total = sum(Fraction(float(x)) for x in floats.reshape(-1, floats.shape[-1])[0])
            assert rows.reshape(-1, rows.shape[-1])[0, 0] == Fraction(float(floats.ravel()[0])) / total
        back = Instances.of_exact([exact])
        for name, array in back.arrays().items():
            np.testing.assert_allclose(array[0], getattr(instances, name)[i], rtol=1e-14, atol=1e-300)
        again = back.exact(0)
        assert (again.reward == exact.reward).all()
        assert again.groups == exact.groups


def test_what_is_neutral_is_left_out_of_an_exact_instance():
    plain = drawn(3, 2, 2)
    neutral = plain.replace(
        reference=plain.old, noise=np.zeros_like(plain.noise), groups=np.array([[0, 1]] * 3), size=np.ones(3)
    ).exact(0)
    assert (neutral.reference, neutral.noise, neutral.groups, neutral.size) == (None, None, None, 1)
    screened = plain.replace(groups=np.zeros((3, 2), dtype=int), old=plain.old[:, [0, 0]]).exact(1)
    assert screened.groups == (0, 0)
    assert screened.noise is not None
    assert screened.reference is not None


def test_batches_are_taken_joined_and_read_one_at_a_time():
    instances = drawn(5, 3, 2)
    parts = joined([instances.take([3]), instances.take([1, 0])])
    np.testing.assert_array_equal(parts.old, instances.old[[3, 1, 0]])
    q, batch = instances.one(2), instances.quantities()
    for name in ("advantage", "kl", "visitation_new", "surrogate_gap"):
        np.testing.assert_allclose(getattr(q, name), getattr(batch, name)[..., 2], rtol=1e-9, atol=1e-12)


# --- the screen ------------------------------------------------------------------------------------------------

AMBIGUOUS = ((3, 3, 2), (2, 3, 2))
"""B, S, A: as many instances as states, and as actions."""


@pytest.mark.slow
@sampled("id", catalogue, every=8)
def test_a_claim_says_of_a_batch_what_it_says_of_each(id):
    claim = catalogue[id]
    screen, found_out = Screen(claim), Screen(claim, known=False)
    assert found_out.batched
    assert not found_out.written_for_one
    assert (screen.batched, screen.reads) == (found_out.batched, found_out.reads)
    for count, states, actions in AMBIGUOUS:
        instances = impose(drawn(count, states, actions, seed=9), claim.instance_needs)
        screened = screen(instances)
        for i in range(count):
            with np.errstate(all="ignore"):
                q = claim.stepped(instances.one(i))
                slack, met = float(np.min(claim.slack(q))), bool(np.all(claim.met(q)))
            assert screened.met[i] == met
            scale = 1 + abs(q.expected_return_old) + q.max_abs_advantage * q.longest**2
            if met:  # where a hypothesis fails, as where a KL is infinite, a slack is not read
                assert screened.slack[i] == pytest.approx(slack, rel=1e-6, abs=1e-9 * scale)


def _python_max(q):
    return max(q.max_tv, q.gamma) - 0.5


def _branch(q):
    return q.gamma if q.max_tv > 0.5 else -q.gamma


CLUMSY = {
    "max over everything": lambda q: 0.5 - q.tv.max(),
    "Python's max": _python_max,
    "an if": _branch,
    "float": lambda q: float(q.gamma) - 0.5,
    "sum over the last axis": lambda q: q.tv.sum(-1) - 1,
    "a product of matrices": lambda q: 0.5 - q.occupancy_old.T @ q.tv,
    "a dot product": lambda q: 0.5 - np.dot(q.occupancy_old, q.tv),
    "the largest of each row": lambda q: 1 - q.advantage.max(-1),
    "reshaped": lambda q: q.tv.reshape(len(q.old)).mean() - 0.5,
    "a flat list": lambda q: [*q.tv.ravel(), 1.0],
}


CANNOT = {
    "a text": lambda q: float(f"{float(q.gamma):.17g}") - 0.5,
    "a text, then floats": lambda q: float(str(float(q.max_tv))) - q.gamma,
    "a function of math that is not NumPy's": lambda q: math.gamma(1 + q.gamma) - 0.9,
}


@pytest.mark.parametrize("name", [*CLUMSY, *CANNOT])
def test_formulas_for_one_instance_are_run_on_batches_as_far_as_they_can(name):
    claim = made((CLUMSY | CANNOT)[name])
    screen = Screen(claim)
    assert screen.batched == (name in CLUMSY)
    # of one instance, of copies of one, of as many as states and actions: none of these can tell
    several = drawn(3, 3, 2, seed=10)
    for instances in (several, several.take([0]), several.take([1, 1, 1, 1, 1, 1, 1]), drawn(2, 2, 2), drawn(1, 1, 2)):
        screened = screen(instances)
        for i in range(len(instances)):
            assert screened.slack[i] == pytest.approx(np.min(claim.formula(instances.one(i))), rel=1e-12)


def test_a_constant_and_arrays_over_states_can_be_batched():
    instances = drawn(4, 3, 2)
    for formula, expected in {
        (lambda q: 1): np.ones(4),
        (lambda q: q.tv - 0.25): (np.abs(instances.new - instances.old).sum(-1) / 2).min(1) - 0.25,
        (lambda q: -abs(q.reward)): -np.abs(instances.reward).max((1, 2)),
    }.items():
        screen = Screen(made(formula))
        assert screen.batched
        np.testing.assert_allclose(screen(instances).slack, expected, atol=1e-15)


@pytest.mark.parametrize(
    "given",
    [
        lambda q: len(set(q.reward.ravel())) == 1,
        lambda q: all(x == 1 for x in q.reward.ravel()),
        lambda q: q.reward.tolist() == [[1, 1], [1, 1], [1, 1]],
        lambda q: q.states >= 3 and len(np.unique(q.reward)) == 1,
    ],
)
def test_hypotheses_that_answer_once_for_a_whole_batch_are_asked_of_each_instance(given):
    instances = drawn(40, 3, 2)
    reward = instances.reward.copy()
    reward[::2] = 1
    screened = Screen(made(lambda q: q.gamma - 0.5, given=given))(instances.replace(reward=reward))
    assert screened.met.tolist() == [True, False] * 20


def test_hypotheses_on_the_size_alone_are_for_batches():
    screen = Screen(made(lambda q: q.gamma - 0.5, given=lambda q: q.states >= 3))
    assert (screen.batched, screen.written_for_one) == (True, False)


def test_available_has_a_shape_of_its_own_where_every_action_is():
    screen = Screen(made(lambda q: q.max_tv, given=lambda q: q.available.all((0, 1)) & q.available[0, 1]))
    assert screen(drawn(5, 3, 2)).met.all()
    assert drawn(5, 3, 2).one(0).available.shape == (3, 2)


def test_where_a_claim_says_nothing_its_slack_is_infinite_and_an_identity_is_one_sided():
    instances = drawn(5, 2, 2)
    nothing = Screen(made(lambda q: 0 * (q.gamma - q.gamma) / (q.gamma - q.gamma)))(instances)
    assert (nothing.slack == np.inf).all()
    identity = Screen(made(lambda q: q.gamma - 0.5, relation="="))(instances)
    np.testing.assert_array_equal(identity.slack, -np.abs(instances.gamma - 0.5))


def test_a_division_by_zero_is_no_error_of_one_instance_where_it_is_none_of_a_batch():
    instances = drawn(3, 2, 2).replace(gamma=np.array([0.25, 0.5, 0.75]))
    for formula in (lambda q: 1 / (1 - 2 * q.gamma), lambda q: [1 / (1 - 2 * q.gamma), 9.0][0 if q.max_tv < 2 else 1]):
        np.testing.assert_array_equal(Screen(made(formula))(instances).slack, [2, np.inf, -2])


def test_a_step_may_divide_by_zero_without_a_warning():
    claim = made(lambda q: q.surrogate_gap, step=lambda q: q.old + 0 * (q.new / (q.new - q.new)))
    Screen(claim)(drawn(3, 2, 2))


@pytest.mark.parametrize(
    ("formula", "given", "complaint"),
    [
        (lambda q: q.surrogate_gap >= -q.max_tv, None, "the slack is"),
        (lambda q: None, None, "the slack is None"),
        (lambda q: q.max_tv, lambda q: None, "`given` is None"),
        (lambda q: "a", None, "TypeError"),
        (lambda q: q.tv[7], None, "IndexError"),
        (lambda q: np.empty((0, *np.shape(q.gamma))), None, "Error"),
        (lambda q: random.random(), None, "once and .* the next time"),
    ],
)
def test_what_is_no_slack_is_an_error_and_not_a_verdict(formula, given, complaint):
    with pytest.raises(ClaimFailed, match=complaint) as caught:
        Screen(made(formula, given=given))
    assert caught.value.claim_id == "mine/made"


def test_an_exception_is_told_with_the_line_of_the_file(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from trpo_theory import claim\n"
        "@claim('mine/one', statement='s')\n"
        "def one(q):\n"
        "    x = 1 / q.max_kl\n"
        "    return x + undefined_name\n"
    )
    with pytest.raises(ClaimFailed, match=r"NameError.*undefined_name.*line 5: return x \+ undefined_name"):
        Screen(read_claims(file)[0])


# --- descent ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("needs", [frozenset(), *(frozenset({word}) for word in sorted(NEEDS))], ids=str)
def test_descent_keeps_instances_instances_and_never_loses_the_best(needs):
    claim = made(lambda q: q.surrogate_gap + 3 * q.max_tv, needs=needs)
    hunt = Hunt(claim, np.random.default_rng(0), instances=60)
    before = hunt.try_out(impose(drawn(60, 3, 2, seed=11), needs))
    descend(hunt, (3, 2), generations=6)
    best, screened = hunt.best((3, 2))
    assert_rows(best)
    counts = hunt.findings.counts
    assert counts.instances == counts.effective + counts.trivial == 60 + 6 * 360
    assert counts.effective > counts.instances / 2
    for scale in ("gap", "reward"):
        assert scaled(screened, scale).min() <= scaled(before, scale).min()
    again = Screen(claim)(best)
    np.testing.assert_allclose(screened.slack, again.slack, rtol=1e-9, atol=1e-9)
    if "one-row" in needs:
        assert (best.old == best.old[:, :1]).all()
        assert (best.groups == 0).all()
    if "uniform-old" in needs:
        assert (best.old == 0.5).all()
    if "unit-reward" in needs:
        assert ((best.reward >= 0) & (best.reward <= 1)).all()


def test_children_are_instances_whose_groups_share_rows():
    instances, generator = drawn(300, 4, 3, seed=12), np.random.default_rng(1)
    for _ in range(30):
        instances = mutated(instances, generator)
        assert_rows(instances)
        same = instances.groups[:, :, None] == instances.groups[:, None, :]
        for rows in (instances.old, instances.new):
            assert not (same & (rows[:, :, None] != rows[:, None]).any(-1)).any()
    assert (instances.size > 0).all()


def test_descent_counts_only_what_meets_the_hypotheses():
    claim = made(lambda q: q.surrogate_gap, given=lambda q: q.gamma < 0.5)
    hunt = Hunt(claim, np.random.default_rng(0), instances=50)
    hunt.try_out(drawn(50, 2, 2))
    descend(hunt, (2, 2), generations=5)
    counts = hunt.findings.counts
    assert counts.instances == 50 + 5 * 360
    assert 0 < counts.effective < counts.effective + counts.trivial < counts.instances
    best, screened = hunt.best((2, 2))
    np.testing.assert_array_equal(screened.met, best.gamma < 0.5)


# --- the hunt --------------------------------------------------------------------------------------------------


def hunted(claim, instances=300):
    parts = battery(np.random.default_rng(0), instances, claim.needs)
    drawn = [(part, part.quantities()) for part in parts]
    hunt = Hunt(claim, np.random.default_rng(1), instances=instances, drawn=lambda: drawn)
    run_all(hunt)
    return hunt.findings


@pytest.fixture
def short(monkeypatch):
    """Descents of two generations."""
    monkeypatch.setattr(mutation, "GENERATIONS", 2)


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_false_alarms_of_floats_cannot_hide_a_counterexample():
    """Floats call it false everywhere, balls only in the largest instances, which come last."""

    def formula(q):
        return -1 if q.arithmetic.name == "float64" or q.old.shape[:2] == (5, 3) else 1

    found = hunted(made(formula))
    assert found.refuted is not None
    assert (found.refuted[0].states, found.refuted[0].actions) == (5, 3)


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_whatever_exception_balls_raise_leaves_an_instance_undecided(monkeypatch):
    two_instruments(monkeypatch)

    def formula(q):
        if q.arithmetic.name != "float64":
            raise LookupError("no balls today")
        return -q.gamma - 1

    found = hunted(made(formula))
    assert found.refuted is None
    assert found.undecided > 0
    assert "no balls today" in found.note


def test_the_smallest_counterexample_is_wanted():
    found = Findings()
    assert found.wants((3, 3))
    found.refuted = SimpleNamespace(states=2, actions=2), None
    assert found.wants((1, 2))
    assert not found.wants((2, 2))
    assert not found.wants((3, 2))


@pytest.mark.whole
@pytest.mark.slow
def test_slow_formulas_see_fewer_instances():
    found = hunted(made(CANNOT["a text"], given=lambda q: q.gamma > 2), instances=1000)
    assert not found.batched
    assert found.counts.instances < 50 + 25 * len(SHAPES) + 5 * 360
    assert found.counts.effective == found.counts.trivial == 0


# --- shrinking -------------------------------------------------------------------------------------------------


def whole_cost(instance):
    names = ("transition", "reward", "gamma", "initial", "old", "new", "reference", "noise", "size")
    values = [getattr(instance, name) for name in names]
    return sum(cost(x) for value in values if value is not None for x in np.ravel(np.asarray(value, dtype=object)))


SHRUNK = {
    "plain": catalogue["trpo/tv-2"],
    "a step with groups": catalogue["update/npg-aggregated"],
    "a reference": catalogue["geppo/old-tv"],
    "an identity": catalogue["id/second-order"],
    "hypotheses": catalogue["order/surrogate-up"],
    "noise": made(lambda q: q.max_tv + 1 - q.max_s(q.max_a(abs(q.estimate - q.advantage)))),
    "size": made(lambda q: 3 - q.size),
    "infinite": made(lambda q: 1 - q.max_kl),
}


@pytest.fixture(scope="module")
def refuted():
    """Of a name, what the hunt found: each is hunted when it is asked for."""
    return functools.cache(lambda name: hunted(SHRUNK[name], 600).refuted)


@pytest.mark.slow
@sampled("name", SHRUNK, every=2)
def test_what_is_shrunk_still_refutes_and_is_simpler(name, refuted):
    claim, (instance, decision) = SHRUNK[name], refuted(name)
    small, proof = shrink(claim, instance, decision)
    assert proof.verdict is Outcome.REFUTED
    assert settle(claim, small).verdict is Outcome.REFUTED
    assert small.states <= instance.states
    assert small.actions <= instance.actions
    assert whole_cost(small) < whole_cost(instance)
    assert small.largest_denominator <= 1000
    for rows in (small.old, small.new, small.transition, small.initial[None]):
        assert (rows.sum(-1) == 1).all()


def test_the_numbers_of_an_instance_of_many_states_become_simple_together():
    claim = made(lambda q: 7.5 - q.states + 0 * q.gamma)
    drawn = random_instances(np.random.default_rng(4), 1, 8, 2).exact(0)
    small, decision = shrink(claim, drawn, settle(claim, drawn), proofs=40)
    assert decision.verdict is Outcome.REFUTED
    assert (small.states, small.actions) == (8, 1)
    assert small.gamma == Fraction(1, 2)
    assert not small.reward.any()
    for rows in (small.transition, small.old, small.new, small.initial):
        assert set(rows.ravel()) <= {0, 1}


def test_a_tiny_discount_is_exchanged_for_a_plain_one_where_that_refutes_as_well():
    claim = made(lambda q: q.surrogate_gap + 3.6 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2)
    instance = ExactInstance(
        transition=[[[0, 1], [1, 0]], [[1, 0], [0, 1]]],
        reward=[[1, -1], [1, -1]],
        gamma=Fraction(1, 500_000),
        initial=[1, 0],
        old=[[Fraction(1, 2)] * 2] * 2,
        new=[[0, 1], [1, 0]],
    )  # its slack is 0.9 γ/(1 − γ)² − γ/(1 − γ), below 0 for γ < 1/10
    small, decision = shrink(claim, instance, settle(claim, instance))
    assert decision.verdict is Outcome.REFUTED
    assert Fraction(1, 1000) <= small.gamma < Fraction(1, 10)


def test_merges_that_the_hypotheses_forbid_do_not_keep_an_action_from_being_dropped():
    claim = made(lambda q: 0.9 - q.max_tv, given=lambda q: q.states >= 5)
    rows = np.full((5, 3, 5), Fraction(1, 5))
    old, new = [[1, 0, 0]] * 5, [[0, 1, 0]] * 5
    instance = ExactInstance(
        transition=rows, reward=[[0] * 3] * 5, gamma=Fraction(1, 2), initial=[1, 0, 0, 0, 0], old=old, new=new
    )
    small, _ = shrink(claim, instance, settle(claim, instance))
    assert (small.states, small.actions) == (5, 2)


def test_rows_that_the_hypotheses_forbid_do_not_keep_a_number_from_being_simplified():
    claim = made(lambda q: 0.5 - q.gamma, given=lambda q: (q.max_tv > 0.3) & (q.max_tv < 0.3001))
    gamma, other = Fraction(4909056304986373, 5 * 10**15), Fraction(30005, 10**5)
    rows = [[[1, 0]] * 6, [[0, 1]] * 6]
    uniform = [Fraction(1, 4)] * 2 + [Fraction(1, 8)] * 4
    moved = [uniform[0] + other, *uniform[1:]]
    moved[1:] = [x - other / 5 for x in moved[1:]]
    instance = ExactInstance(
        transition=rows, reward=[[0] * 6] * 2, gamma=gamma, initial=[1, 0], old=[uniform] * 2, new=[moved] * 2
    )
    small, _ = shrink(claim, instance, settle(claim, instance))
    assert Fraction(1, 2) < small.gamma
    assert small.gamma.denominator <= 1000


@pytest.mark.slow
def test_shrinking_drops_what_the_claim_does_not_need_and_keeps_what_it_does(refuted):
    small = {name: shrink(SHRUNK[name], *refuted(name))[0] for name in ("plain", "a step with groups", "noise", "size")}
    assert (small["plain"].reference, small["plain"].noise, small["plain"].groups) == (None, None, None)
    assert (small["plain"].states, small["plain"].actions, small["plain"].size) == (2, 2, 1)
    assert len(set(small["a step with groups"].groups)) == 1
    rows = small["a step with groups"].old
    assert (rows == rows[0]).all()
    assert (small["a step with groups"].new == rows).all()  # the step makes new: what stands there is not read
    assert small["noise"].noise is not None
    assert (small["noise"].states, small["noise"].actions) == (1, 1)
    assert small["size"].size > 3


@pytest.mark.slow
def test_the_shrunk_witness_is_false_by_the_exact_oracle(refuted):
    small, proof = shrink(SHRUNK["plain"], *refuted("plain"))
    fields = {name: getattr(small, name) for name in ("transition", "reward", "gamma", "initial", "available")}
    step = step_on(SimpleNamespace(**fields), small.old, small.new)
    tv = max(
        sum(abs(rational(x - y)) for x, y in zip(*rows, strict=True)) for rows in zip(small.old, small.new, strict=True)
    )
    largest, gamma = max(abs(x) for x in step.advantage.ravel()), rational(small.gamma)
    slack = step.surrogate_gap + 2 * largest * gamma / (1 - gamma) ** 2 * (tv / 2) ** 2
    assert slack < 0
    assert rational(proof.lower) <= slack <= rational(proof.upper)


@pytest.mark.parametrize("proofs", [0, 1, 5])
def test_no_more_proofs_than_asked(proofs, refuted, monkeypatch):
    calls = []
    monkeypatch.setattr(shrinking, "settle", lambda *given: calls.append(1) or settle(*given))
    instance, decision = refuted("plain")
    small, proof = shrink(SHRUNK["plain"], instance, decision, proofs=proofs)
    assert len(calls) == proofs
    if proofs == 0:
        assert small is instance
        assert proof is decision


def test_a_formula_that_fails_on_simple_instances_can_still_be_shrunk(refuted):
    def formula(q):
        if q.arithmetic.name == "float64":
            return q.gamma - 2
        if any(x == 0 for x in q.old.ravel()) or q.gamma == 0:
            raise ZeroDivisionError("too simple")
        return q.gamma - 2

    claim = made(formula)
    instance = drawn(1, 3, 3, seed=14).replace(old=np.full((1, 3, 3), 0.3) + np.eye(3) * 0.1).exact(0)
    small, _ = shrink(claim, instance, settle(claim, instance))
    assert all(x > 0 for x in small.old.ravel())
    assert small.states == 1


def test_a_formula_that_floats_cannot_compute_on_simple_instances_can_still_be_shrunk():
    def formula(q):
        if q.arithmetic.name == "float64" and q.gamma == 0.5:
            raise ZeroDivisionError("too simple")
        return q.gamma - 2

    instance = drawn(1, 3, 2, seed=15).replace(gamma=np.array([0.123])).exact(0)
    claim = made(formula)
    small, _ = shrink(claim, instance, settle(claim, instance))
    assert small.states == 1


def test_a_clumsy_formula_is_shrunk_as_well_as_a_good_one():
    good, clumsy = made(lambda q: 0.5 - q.max_tv), made(CLUMSY["max over everything"])
    instance = drawn(60, 3, 3, seed=16)
    index = int(np.argmax((np.abs(instance.new - instance.old).sum(-1) / 2).max(1)))
    exact = instance.exact(index)
    sizes = set()
    for claim in (good, clumsy):
        small, _ = shrink(claim, exact, settle(good, exact))
        sizes.add((small.states, small.actions, small.largest_denominator))
    assert len(sizes) == 1


def test_a_simple_instance_is_not_made_more_complicated():
    """Thirds and sevenths: rounding to one denominator would lose them for something worse."""
    third, claim = Fraction(1, 3), made(lambda q: (3 * q.old[0, 0] - 1) ** 2 + (7 * q.new[0, 0] - 1) ** 2 - 0.1)
    instance = ExactInstance(
        transition=[[[1], [1]]],
        reward=[[0, 0]],
        gamma=Fraction(1, 2),
        initial=[1],
        old=[[third, 1 - third]],
        new=[[Fraction(1, 7), Fraction(6, 7)]],
    )
    small, _ = shrink(claim, instance, settle(claim, instance))
    assert whole_cost(small) <= whole_cost(instance)


def test_rounding_keeps_rows_rows_and_numbers_near():
    generator = np.random.default_rng(0)
    for denominator in (1, 2, 3, 7, 100):
        weights = [Fraction(int(x)) for x in generator.integers(1, 50, 4)]
        row = np.array([weight / sum(weights) for weight in weights], dtype=object)
        rounded = row_at(row, denominator)
        assert sum(rounded) == 1
        assert all(x >= 0 and denominator % x.denominator == 0 for x in rounded)
        assert all(abs(x - y) < Fraction(1, denominator) for x, y in zip(row, rounded, strict=True))
        assert abs(number_at(row[0], denominator) - row[0]) <= Fraction(1, 2 * denominator)


def test_simpler_numbers_cost_less():
    ordered = [
        Fraction(0),
        Fraction(1),
        Fraction(-1),
        Fraction(1, 2),
        Fraction(1, 3),
        Fraction(17, 1000),
        Fraction(0.1),
    ]
    costs = [cost(x) for x in ordered]
    assert costs == sorted(costs)
    assert len(set(costs)) == len(costs)


def test_instances_hold_what_they_were_made_of():
    q = drawn(2, 2, 2).one(0)
    made_of = Instances.of_arrays(
        np.eye(2)[None].repeat(2, 0).swapaxes(0, 1), np.ones((2, 2)), 0.5, [1, 0], q.old, q.new
    )
    assert len(made_of) == 1
    assert made_of.noise.shape == (1, 2, 2)
    np.testing.assert_array_equal(made_of.reference[0], q.old)
    assert {field.name for field in dataclasses.fields(Instances)} == {*made_of.arrays(), "available", *EXTRAS}
    assert tt.claims.get("trpo/tv-2").needs <= NEEDS
    assert mutation.SMALL[0] == (1, 2)


@pytest.mark.parametrize("count", [1, 5, 40, 60])
def test_the_least_entries_are_those_of_a_stable_sort(count):
    order = np.random.default_rng(count).integers(0, 9, 50) / 4.0
    order[::7] = np.inf
    np.testing.assert_array_equal(least_of(order, count), np.argsort(order, kind="stable")[:count])
