"""What instances are drawn from: which regions are really entered, and that tiny steps are what floats say they are."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from cheap import in_this_process
from scipy.stats import beta, binom, expon, kstest

import trpo_theory as tt
from trpo_theory import claim
from trpo_theory.claims.from_file import read_claims
from trpo_theory.search.battery import SHAPES, battery, random_instances
from trpo_theory.search.draws.chains import chains_and_cycles
from trpo_theory.search.draws.families import family_instances, split_actions
from trpo_theory.search.draws.numbers import GAMMAS, gammas, scales
from trpo_theory.search.draws.rows import _exponential, largest_of, on_allowed, random_rows
from trpo_theory.search.draws.tiny_steps import exact_step, on_grid, tiny_made_exact
from trpo_theory.search.findings import Findings
from trpo_theory.search.impose import impose
from trpo_theory.search.mutation import mutated
from trpo_theory.step.instances import Instances, joined
from trpo_theory.zoo import families

MASKED = (3, 3)


def decades(values, least, most):
    """How many of the values lie in each decade from 10^least to 10^most."""
    values = np.asarray(values)
    return np.histogram(np.log10(values[values > 0]), bins=np.arange(least, most + 1))[0]


def masked(count, seed=0):
    return random_instances(np.random.default_rng(seed), count, *MASKED, masked=True)


def moved(instances):
    """TV of each instance, the largest over states."""
    return np.abs(instances.new - instances.old).sum(-1).max(-1) / 2


def exact(rows):
    return [[Fraction(float(x)) for x in row] for row in rows.reshape(-1, rows.shape[-1])]


@pytest.fixture(scope="module")
def whole():
    return battery(np.random.default_rng(1), 20_000)


# --- rows ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2, 3, 9])
def test_rows_that_are_spread_have_the_law_of_each_kind(size):
    """Of 16 rows three are even on their support, three are Dirichlet(1, ..., 1) on all entries: both laws in closed form."""
    rows = random_rows(np.random.default_rng(size), (160_000, size))
    np.testing.assert_allclose(rows.sum(1), 1, rtol=1e-14)
    count = (rows > 0).sum(1)
    even = (count > 1) & (np.ptp(np.where(rows > 0, rows, rows.max(1, keepdims=True)), axis=1) < 1e-12)
    held = binom(size - 1, 0.5).pmf(np.arange(1, size))  # one entry is, and each other with probability 1/2
    found = [(even & (count == k)).mean() for k in range(2, size + 1)]
    supports = np.inf if size < 8 else 2048  # of longer rows so many supports are drawn
    np.testing.assert_allclose(
        found, 3 / 16 * held, atol=4 * (np.sqrt(0.2 / len(rows)) + 3 / 16 * np.sqrt(0.25 / supports))
    )
    low, high = 0.9, 0.95  # of the first entry, which is Beta(1, size − 1)
    dense = np.diff(beta(1, size - 1).cdf([low, high]))[0] * 3 / 16
    others = ((rows[:, 0] > low) & (rows[:, 0] < high)).mean()
    assert others > dense - 4 * np.sqrt(dense / 160_000)


def test_exponentials_have_their_law():
    out = np.empty((1001, 3))
    _exponential(np.random.default_rng(0), out)
    assert kstest(out.ravel(), expon.cdf).pvalue > 0.01
    assert abs(np.corrcoef(out.T)[0, 1]) < 4 / np.sqrt(len(out))


@pytest.mark.parametrize("size", [1, 3, 8])
def test_the_largest_of_a_row_is_the_first_of_equal_ones(size):
    rows = np.random.default_rng(size).integers(0, 3, (500, 2, size)).astype(float)
    np.testing.assert_array_equal(largest_of(rows), rows.argmax(-1))


# --- tiny steps ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("actions", [2, 3, 6])
def test_on_the_grid_rows_sum_to_one_exactly_and_steps_to_zero(actions):
    generator = np.random.default_rng(actions)
    start, target = (random_rows(generator, (400, actions)) for _ in range(2))
    change = 10 ** generator.uniform(-12, -3, (400, 1)) * (target - start)
    old, new = exact_step(start, change)
    assert (old >= 0).all()
    assert (new >= 0).all()
    np.testing.assert_allclose(old, start, rtol=0, atol=actions * 2.0**-53)
    np.testing.assert_allclose(new - old, change, rtol=0, atol=actions * 2.0**-53)
    for before, after, step in zip(exact(old), exact(new), exact(new - old), strict=True):
        assert sum(before) == sum(after) == 1
        assert [b - a for a, b in zip(before, after, strict=True)] == step  # floats lose nothing
    np.testing.assert_array_equal(on_grid(old), old)


def test_steps_that_floats_lose_are_put_on_the_grid_and_rounding_is_no_step():
    third = 1 / 3
    old = np.array([[third, 1 - third], [third, 1 - third], [0.3, 0.7], [0.0, 1.0]])
    new = np.array([[third + 1e-12, 1 - third], [0.5, 0.5], [0.3, np.nextafter(0.7, 1)], [1e-30, 1.0]])
    one, other = tiny_made_exact(old, new)
    assert [sum(row) for row in exact(one)[:1] + exact(other)[:1]] == [1, 1]
    np.testing.assert_allclose((other - one)[0], [1e-12, -1e-12], rtol=1e-3)
    np.testing.assert_array_equal(one[1], old[1])
    np.testing.assert_array_equal(other[1], new[1])
    np.testing.assert_array_equal(other[2:], one[2:])


def test_floats_tell_every_step_of_the_battery(whole):
    """TV of the rows over their exact sums, in rationals."""
    count = 0
    for part in whole:
        for index in range(0, len(part), 9):
            for old, new in zip(part.old[index], part.new[index], strict=True):
                if (old == new).all():
                    continue
                rows = [exact(row[None])[0] for row in (old, new)]
                true = sum(abs(a / sum(rows[0]) - b / sum(rows[1])) for a, b in zip(*rows, strict=True)) / 2
                assert np.abs(new - old).sum() / 2 == pytest.approx(float(true), rel=1e-5)
                count += 1
    assert count > 2000


def test_tiny_steps_of_the_battery_are_exact_in_every_decade(whole):
    found = np.zeros(9, dtype=int)
    for part in whole:
        size = moved(part)
        tiny = np.flatnonzero((size > 0) & (size < 1e-3))
        pairs = zip(part.old[tiny], part.new[tiny], strict=True)
        sums = [{sum(row) for policy in pair for row in exact(policy)} for pair in pairs]
        found += decades(size[tiny[[found == {1} for found in sums]]], -12, -3)
    assert (found >= 50).all(), found


def test_the_family_f1_keeps_its_gap_at_steps_down_to_1e_minus_12():
    """gap = −4 e γ x² / ((1 − γ)(1 − γ (1 − x))), in rationals."""
    part = family_instances(np.random.default_rng(3), 300)[0].take(slice(300))  # F1, the first of the first size
    x = part.new[:, 0, 2]
    tiny = np.flatnonzero((x > 0) & (x < 1e-8))
    assert len(tiny) > 30
    gap = part.quantities().surrogate_gap
    for index in tiny:
        e, step, gamma = (Fraction(float(v)) for v in (part.reward[index, 0, 0], x[index], part.gamma[index]))
        wanted = -4 * e * gamma * step**2 / ((1 - gamma) * (1 - gamma * (1 - step)))
        assert gap[index] == pytest.approx(float(wanted), rel=1e-8)


# --- ranges ----------------------------------------------------------------------------------------------------


def test_discounts_are_listed_ones_or_anywhere_down_to_1e_minus_6_of_either_end():
    gamma = gammas(np.random.default_rng(0), 20_000)
    assert ((gamma >= 0) & (gamma <= 1 - 1e-6)).all()
    listed = np.isin(gamma, GAMMAS)
    assert 0.37 < listed.mean() < 0.43
    assert set(GAMMAS) == set(gamma[listed])
    assert (decades(gamma[~listed], -6, 0) > 250).all()
    assert (decades(1 - gamma[~listed], -6, 0) > 500).all()


def test_probabilities_go_down_to_1e_minus_100_in_every_field():
    """Of old's about 1.5 a battery are below 1e-90, in clusters: in one battery of six there is none, in eight of them 12."""
    several = [part for seed in range(8) for part in battery(np.random.default_rng(seed), 20_000)]
    for name in ("transition", "old", "new"):
        low = np.concatenate([getattr(part, name).ravel() for part in several if part.shape != (1, 2)])
        counts = np.histogram(np.log10(low[low > 0]), bins=np.arange(-100, 1, 10))[0]
        assert (counts >= [1, *[40] * 9]).all(), (name, counts)


def test_an_action_is_almost_given_up_by_steps_of_finite_kl():
    """TV below a tenth and KL above 5: old(a) < 1/10 times at least e⁻⁵⁰."""
    instances = random_instances(np.random.default_rng(2), 20_000, 1, 3)
    old, new = instances.old, instances.new
    with np.errstate(divide="ignore", invalid="ignore"):
        kl = np.where(old > 0, old * np.log(old / new), 0.0).sum(-1).max(-1)
    assert ((kl > 5) & np.isfinite(kl) & (moved(instances) < 0.1)).sum() >= 20


def test_rewards_have_every_scale():
    counts = decades(scales(np.random.default_rng(0), 20_000), -6, 6)
    assert (counts > 150).all()
    assert counts.max() > 15_000


@pytest.mark.slow
def test_the_battery_has_the_sizes_up_to_walks_of_63_states(whole):
    sizes = {part.shape: len(part) for part in whole}
    assert set(SHAPES) <= set(sizes)
    assert {(4, 2), (5, 2), (7, 2)} <= set(sizes)
    parts = [family_instances(np.random.default_rng(seed), 4) for seed in range(30)]
    longest = {max(part.shape[0] for part in families) for families in parts}
    assert longest <= {2 * n + 1 for n in range(7, 32)}
    assert len(longest) > 10
    assert max(longest) >= 57
    assert all(size <= 4 for (states, _), size in sizes.items() if states > 13)


# --- structures ------------------------------------------------------------------------------------------------


def reached(transition, policy, initial):
    """The states that the policy comes to, by following what has positive probability."""
    step = ((policy[..., None] > 0) & (transition > 0)).any(1)
    found = initial > 0
    for _ in found:
        found = found | step[found].any(0)
    return found


def test_structures_that_chance_seldom_brings_are_there():
    instances = random_instances(np.random.default_rng(4), 4000, 3, 3)
    whole = np.ones(4000, dtype=bool)
    for name in ("transition", "initial", "old", "new"):
        rows = getattr(instances, name)
        whole &= ((rows == 0) | (rows == 1)).reshape(4000, -1).all(1)
    assert (whole & (moved(instances) > 0)).sum() > 80
    transition, reward = instances.transition, instances.reward
    alike = (transition[:, :, 0] == transition[:, :, 2]).all((1, 2)) & (reward[:, :, 0] == reward[:, :, 2]).all(1)
    assert (alike & (transition[:, :, 0] != transition[:, :, 1]).any((1, 2))).sum() > 40
    twins = (transition[:, 0] == transition[:, 2]).all((1, 2)) & (reward[:, 0] == reward[:, 2]).all(1)
    assert twins.sum() > 40
    unvisited = [not (reached(transition[i], instances.old[i], instances.initial[i])).all() for i in range(0, 4000, 10)]
    assert sum(unvisited) > 40
    uniform = (instances.old == 1 / 3).all((1, 2)) & (instances.new.max(-1) == 1).all(1)
    assert uniform.sum() > 80


def test_from_uniform_to_greedy_in_a_bandit_takes_the_best_arm():
    instances = random_instances(np.random.default_rng(5), 2000, 1, 4)
    chosen = (instances.old == 0.25).all((1, 2)) & (instances.new.max((1, 2)) == 1)
    best = instances.reward[:, 0] == instances.reward[:, 0].max(-1, keepdims=True)
    took = (best & (instances.new[:, 0] == 1)).any(-1)
    assert (chosen & took).sum() > 200


def test_chains_and_cycles_go_through_all_their_states():
    instances = chains_and_cycles(np.random.default_rng(6), 500, 6)
    assert ((instances.transition == 0) | (instances.transition == 1)).all()
    assert (instances.initial == np.eye(6)[0]).all()
    onward = np.zeros((6, 2))
    onward[:, 0] = 1
    assert all(
        reached(P, onward, start).all() for P, start in zip(instances.transition, instances.initial, strict=True)
    )
    ends = instances.transition[:, -1, 0].argmax(-1)
    assert set(ends.tolist()) == {0, 5}
    certain = ((instances.old == 0) | (instances.old == 1)).all((1, 2))
    assert 150 < certain.sum() < 450
    assert (certain & (instances.old[:, :, 0] == 1).all(1)).sum() > 60


def test_returns_of_some_chains_cross_more_than_once_as_the_discount_varies():
    instances = chains_and_cycles(np.random.default_rng(7), 1000, 4)
    rewards = instances.reward[:, :3, 0]  # of going on, at times 0, 1 and 2
    crossing = (instances.reward[:, :, 1] == 0).all(1) & (rewards != 0).all(1) & (instances.reward[:, 3, 0] == 0)
    crossing &= (np.abs(instances.old[:, 0] - instances.new[:, 0]) == 1).all(1) & (instances.gamma > 1e-3)
    good = 0
    for index in np.flatnonzero(crossing):
        zeros = np.roots(rewards[index, ::-1]).real
        power = np.log(np.abs(zeros)) / np.log(instances.gamma[index])
        good += bool(((power > 0.4) & (power < 2.6)).all())
    assert good > 100


def test_split_actions_leave_the_process_and_halve_the_squared_step():
    made = families.pinsker_tight(gamma=np.full(3, 0.3), x=np.array([0.1, 0.01, 2.0**-30]))
    plain = Instances.of(made.mdp, made.old, made.new)
    double = split_actions(plain)
    assert double.shape == (3, 4)
    np.testing.assert_allclose(double.quantities().surrogate_gap, made.gap, rtol=1e-12)
    squares = [((part.new - part.old) ** 2).sum(-1) for part in (plain, double)]
    np.testing.assert_allclose(squares[1], squares[0] / 2, rtol=1e-12)


# --- unavailable actions ---------------------------------------------------------------------------------------


def assert_masked(instances):
    able = instances.available
    assert able is not None
    assert able.any(-1).all()
    for name in ("old", "new", "reference", "reward", "noise"):
        assert (getattr(instances, name)[~able] == 0).all(), name
    np.testing.assert_allclose(instances.transition.sum(-1), able, atol=1e-13)
    for name in ("old", "new", "reference"):
        np.testing.assert_allclose(getattr(instances, name).sum(-1), 1, atol=1e-13)


def test_unavailable_actions_are_never_taken_and_pay_nothing():
    instances = masked(600)
    assert_masked(instances)
    assert instances.available is not None
    count = instances.available.sum(-1)
    assert {1, 2, 3} == set(count.ravel().tolist())
    assert 0.2 < (count == 3).all(-1).mean() < 0.6
    together = instances.groups[:, :, None] == instances.groups[:, None, :]
    unlike = (instances.available[:, :, None] != instances.available[:, None]).any(-1)
    assert not (together & unlike).any()
    np.testing.assert_allclose(on_allowed(instances.old, instances.available), instances.old, rtol=1e-15)


def test_children_keep_to_what_is_available_which_changes_at_times():
    generator, instances = np.random.default_rng(1), masked(300)
    start = instances.available
    for _ in range(20):
        instances = mutated(instances, generator)
        assert_masked(instances)
    assert start is not None
    assert instances.available is not None
    gone, come = (start & ~instances.available).sum(), (~start & instances.available).sum()
    assert min(gone, come) > 5


@pytest.mark.parametrize("needs", ["unit-reward", "uniform-old", "greedy-mixture", "optimal-new"])
def test_needs_respect_what_is_available(needs):
    start = masked(200, seed=3)
    instances = impose(start, frozenset({needs}))
    assert_masked(instances)
    able = instances.available
    assert able is not None
    if needs == "unit-reward":
        assert instances.reward.min() == 0
        assert instances.reward.max() == 1
    if needs == "uniform-old":
        np.testing.assert_array_equal(instances.old, able / able.sum(-1, keepdims=True))
    if needs == "greedy-mixture":
        advantage = np.moveaxis(instances.quantities().advantage, -1, 0)
        best = np.where(able, advantage, -np.inf).max(-1, keepdims=True)
        raised = able & (instances.new > instances.old + 1e-9)
        size = 1e-9 * (1 + np.abs(instances.quantities().value).max(0))[:, None, None]
        assert (advantage >= best - size)[raised].all()
    if needs == "optimal-new":
        assert (instances.new.max(-1) == 1).all()


def test_one_row_for_all_states_makes_every_action_available():
    instances = impose(masked(200, seed=4), frozenset({"one-row"}))
    assert instances.available is None
    np.testing.assert_allclose(instances.transition.sum(-1), 1, atol=1e-13)
    assert (instances.old == instances.old[:, :1]).all()


def test_packed_instances_keep_their_mask_and_older_ones_are_still_read():
    instances = masked(40, seed=5)
    assert instances.available is not None
    for index in range(40):
        numbers = instances.packed(index)
        back = Instances.unpacked(numbers, *MASKED)
        for name, array in back.arrays().items():
            np.testing.assert_array_equal(array[0], getattr(instances, name)[index])
        all_of_them = instances.available[index].all()
        assert (back.available is None) == all_of_them
        older = 9 * 3 + 9 + 1 + 3 + 4 * 9 + 3 + 1  # transition, reward, γ, ρ₀, four tables, groups, size
        assert len(numbers) == older + (0 if all_of_them else 9)


def test_batches_with_and_without_a_mask_join():
    plain, other = random_instances(np.random.default_rng(0), 5, *MASKED), masked(5)
    both = joined([plain, other])
    assert both.available is not None
    assert both.available[:5].all()
    np.testing.assert_array_equal(both.available[5:], other.available)


CLAIMS = """
from trpo_theory import claim
@claim("every-action", statement="false where one is not available", expected=False, relation="=")
def every(q): return q.sum_a(q.available + 0 * q.old) - q.old.shape[1]
@claim("two-each", statement="false where a state has one", expected=False)
def two(q): return q.min_s(q.sum_a(q.available + 0 * q.old)) - 2
"""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "actions"), [(0, 2), (1, 1)])
def test_a_witness_with_an_unavailable_action_is_shrunk_with_its_mask(tmp_path, monkeypatch, number, actions):
    in_this_process(monkeypatch)
    file = tmp_path / "claims.py"
    file.write_text(CLAIMS)
    (verdict,) = tt.verify([read_claims(file)[number]], jobs=1).verdicts
    assert verdict.witness is not None
    witness = verdict.witness.instance
    assert (witness.states, witness.actions) == (1, actions)
    assert witness.available.sum() == 1
    assert (witness.old[~witness.available] == 0).all()


# --- mutation --------------------------------------------------------------------------------------------------


def test_children_go_over_the_same_ranges():
    generator = np.random.default_rng(2)
    made = families.coupling_tight(gamma=np.full(300, 0.5), x=np.full(300, 0.1))
    instances = Instances.of(made.mdp, made.old, made.new)
    sizes, gamma, certain, alone = [], [], 0, 0
    for _ in range(25):
        instances = mutated(instances, generator)
        sizes.append(moved(instances))
        gamma.append(instances.gamma)
        certain += int(((instances.transition == 0) | (instances.transition == 1)).all((1, 2, 3)).sum())
        alone += int(((instances.new != instances.old).any(-1).sum(-1) == 1).sum())
    assert (decades(np.concatenate(sizes), -12, 0) >= 20).all()
    assert (decades(1 - np.concatenate(gamma), -6, 0) >= 20).all()
    assert (decades(np.concatenate(gamma), -5, 0) >= 20).all()
    assert ((np.concatenate(gamma) >= 1e-6) & (np.concatenate(gamma) <= 1 - 1e-6)).all()
    assert min(certain, alone) > 100


def test_steps_of_children_stay_exact_where_they_are_tiny():
    generator = np.random.default_rng(3)
    made = families.coupling_tight(gamma=np.full(200, 0.9), x=np.full(200, 2.0**-36))
    children = mutated(Instances.of(made.mdp, made.old, made.new), generator)
    size = moved(children)
    tiny = np.flatnonzero((size > 0) & (size < 1e-9))
    assert len(tiny) > 30
    for index in tiny:
        for old, new in zip(exact(children.old[index]), exact(children.new[index]), strict=True):
            assert abs(sum(old) - sum(new)) <= 1e-6 * max(abs(a - b) for a, b in zip(old, new, strict=True))


def test_children_with_copies_have_ties():
    instances = random_instances(np.random.default_rng(8), 3000, 2, 2)
    before = (instances.transition[:, :, 0] == instances.transition[:, :, 1]).all((1, 2))
    fresh = instances.take(~before)
    children = mutated(fresh, np.random.default_rng(9))
    same = (children.transition[:, :, 0] == children.transition[:, :, 1]).all((1, 2))
    assert same.sum() >= 5


# --- hypotheses with a tolerance -------------------------------------------------------------------------------


def test_what_holds_only_since_close_allows_for_1e_minus_9_is_not_left_open():
    """p = ½ exactly is the hypothesis; of ½ + 1e-10 floats say that it holds, and of 0.5 × (1 + 2⁻⁵²) rightly by rounding."""
    subject = claim("draws/close", statement="p = 1/2", given=lambda q: q.close(q.old[0, 0], 0.5))(
        lambda q: 0.5 - q.old[0, 0]
    )

    def undecided(p):
        findings = Findings(">=")
        one = Instances.of_arrays([[[1.0], [1.0]]], [[1.0, 0.0]], 0.5, [1.0], [[p, 1 - p]], [[0.5, 0.5]])
        findings._refutes(subject, one.exact(0), negative=True)
        return findings.undecided

    assert undecided(0.5 + 1e-10) == 0
    assert undecided(0.5 + 2.0**-53 * 4) == 1
