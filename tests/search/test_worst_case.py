"""`worst_case` against closed forms, the zoo's families, exact rationals, and its own file read back; bad input."""

import json
import subprocess
import sys
import warnings
from fractions import Fraction

import numpy as np
import pytest
from cheap import sample, sampled
from exact import nearest, rational, step_on

from trpo_theory import cli, zoo
from trpo_theory.bounds import Bound, all_bounds, get
from trpo_theory.bounds.decorator import claim
from trpo_theory.cli import worst  # noqa: F401  (registers the verb)
from trpo_theory.errors import ClaimFailed, InvalidInput
from trpo_theory.io.files import read_fields
from trpo_theory.search.battery import random_instances
from trpo_theory.search.climbing import _Chart, ascend
from trpo_theory.search.forms import FORMS, LEVELS, REWARDS, formed
from trpo_theory.search.worst_cases import evolve as ratio_search
from trpo_theory.search.worst_cases.finding import ratio_of, worst_case
from trpo_theory.search.worst_cases.ratio import Ratio
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.instances import Instances
from trpo_theory.step.quantities import compare

worst_case_room = sys.modules["trpo_theory.search.worst_cases.finding"]


@pytest.fixture(autouse=True, scope="module")
def shorter():
    """Short searches: closed forms are found at once, or from the families."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ratio_search, "_ROUNDS", 1)
        patch.setattr(ratio_search, "_GENERATIONS", 5)
        patch.setattr(ratio_search, "_CLIMBERS", 3)
        patch.setattr(ratio_search, "_INSTANCES", 300)
        patch.setattr(worst_case_room, "CHAMPIONS", 1)
        yield


def exact_step(instance):
    """The step in the rationals of tests/oracles/exact.py."""
    part = {name: getattr(instance, name) for name in ("transition", "reward", "gamma", "initial")}
    mdp = type("Mdp", (), part | {"available": np.ones(instance.old.shape, dtype=bool)})
    return step_on(mdp, instance.old, instance.new)


def exact_ratio(instance, penalty):
    """(L − η(new))/penalty by tests/oracles/exact.py; penalty is a function of its step, γ and TV by states."""
    step = exact_step(instance)
    tv = [
        sum(abs(rational(a - b)) for a, b in zip(*rows, strict=True)) / 2
        for rows in zip(instance.old, instance.new, strict=True)
    ]
    return nearest(-step.surrogate_gap / penalty(step, rational(instance.gamma), tv))


def epsilon(step):
    return max(abs(a) for a in step.advantage.ravel())


def coupling_tv(step, g, tv):
    return 4 * epsilon(step) * g * max(tv) ** 2 / ((1 - g) * (1 - g * (1 - max(tv))))


def cpo_mean_tv(step, g, tv):
    own = max(abs(a) for a in step.expected_advantage)
    mean = sum((1 - g) * rho * t for rho, t in zip(step.old.visitation, tv, strict=True))
    return 2 * g * own / (1 - g) ** 2 * mean


# --- closed forms -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_coupling_is_attained_by_f1_and_the_witness_is_exact():
    found = worst_case("coupling/tv", gamma=0.5, states=2, actions=3, effort=1)
    assert abs(found.ratio - 1) <= 1e-6
    assert not found.refutes
    assert found.ratio == pytest.approx(exact_ratio(found.witness, coupling_tv), rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("gamma", ["1/10", 0.5])
def test_kakade_langford_is_attained_by_f4(gamma):
    found = worst_case("kakade-langford", gamma=gamma, states=2, actions=2, effort=1)
    assert 1 - 1e-3 <= found.ratio <= 1
    assert found.enclosure[1] <= 1


@pytest.mark.slow
def test_starts_at_which_the_ratio_is_not_finite_are_left_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found = worst_case("trpo/tv", gamma=Fraction(1, 3), states=2, actions=3, effort=1)
    assert 0.99 < found.ratio <= 1


@pytest.mark.slow
def test_half_the_constant_of_theorem_1_is_refuted_by_a_factor_2():
    """F1: gap over 2 ε γ α²/(1 − γ)² is 2 (1 − γ)/(1 − γ(1 − x)), which tends to 2 as x → 0."""
    found = worst_case("trpo/tv-2", gamma="1/10", states=2, actions=3, effort=1)
    assert found.refutes
    assert 1.99 < found.ratio < 2
    assert found.ratio == pytest.approx(
        exact_ratio(found.witness, lambda step, g, tv: 2 * epsilon(step) * g / (1 - g) ** 2 * max(tv) ** 2), rel=1e-12
    )


@pytest.mark.slow
@pytest.mark.parametrize("gamma", [0.5, 0.9])
def test_cpo_ratio_tends_to_1_as_in_f5(gamma):
    found = worst_case("cpo/mean-tv", gamma=gamma, effort=1)
    assert 0.99 < found.ratio < 1
    assert found.ratio == pytest.approx(exact_ratio(found.witness, cpo_mean_tv), rel=1e-12)


@pytest.mark.slow
@sampled("bound", ["pinsker/kl", "chain-rule/kl"], every=2)
def test_at_least_what_the_families_give(bound):
    x = np.linspace(1e-4, 0.45, 100)
    best = 0.0
    for family in (zoo.f2(gamma=0.5, x=x), zoo.f3(gamma=0.5, a=x, b=x / 2), zoo.walk(gamma=0.5, x=x, n=1)):
        if family.old.shape[-1] == 2:
            q = compare(family.mdp, family.old, family.new)
            best = max(best, float((-family.gap / get(bound).penalty(q)).max()))
    found = worst_case(bound, gamma=0.5, effort=1)
    assert best < found.ratio * (1 + 1e-6)
    assert found.ratio < 1


@pytest.mark.slow
@sampled("bound", ["trpo/kl", "geppo", "pirotta/q", "mixing/mean-tv", "cpo/mean-kl", "span/tv"], every=4)
def test_a_true_bound_uses_no_more_than_its_penalty(bound):
    found = worst_case(bound, gamma="9/10", states=2, actions=2, effort=1)
    assert 0 < found.enclosure[0] <= found.enclosure[1] <= 1
    assert (1 - 2e-3) * found.ratio_found <= found.ratio


# --- the parts ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_ascent_rises_and_keeps_rows_and_zeros():
    ratio = Ratio(get("coupling/tv"))
    start = random_instances(np.random.default_rng(3), 60, 3, 2)
    start = ratio.stripped(start.replace(gamma=np.full(60, 0.5)))
    start = start.take(np.flatnonzero(ratio(start) > 0)[:5])
    forms = np.array([0, 1, 1, 5, 6])
    before = ratio(formed(start, forms))
    reached, after = ascend(ratio, start, forms, steps=15)
    assert (after >= before).all()
    assert (after > before + 0.01).any()
    assert (after <= 1 + 1e-7).all()
    np.testing.assert_array_equal(ratio(reached), after)
    for name in ("transition", "initial", "old", "new"):
        rows, first = getattr(reached, name), getattr(start, name)
        np.testing.assert_allclose(rows.sum(-1), 1, atol=1e-12)
        if name != "new":  # levelling moves new along new − old
            assert (rows[first == 0] == 0).all()


DIVERGENCES = {
    "chi2": Bound("chi2", lambda q: q.max_abs_advantage * q.sqrt(q.max_s(q.chi2)), "s", "t"),
    "jensen-shannon": Bound("jensen-shannon", lambda q: q.max_abs_advantage * q.sum_s(q.jensen_shannon), "s", "t"),
    "hellinger": Bound("hellinger", lambda q: q.exp(q.max_abs_advantage) + q.log(1 + q.min_s(q.hellinger2)), "s", "t"),
}


@pytest.mark.slow
@sampled(
    "bound",
    [
        *("trpo/tv", "kakade-langford", "chain-rule/mean-kl", "pinsker/reverse-kl", "span/tv-q", "geppo", "mixing/tv"),
        *DIVERGENCES,
    ],
    every=2,
)
def test_the_exact_gradient_is_the_limit_of_differences(bound):
    """Of all forms of steps and rewards, at random points; where differences of two sizes disagree is a kink."""
    generator = np.random.default_rng(7)
    count, states, actions = 2 * FORMS, 3, 3

    def rows(*shape):
        return generator.dirichlet(np.full(shape[-1], 2.0), shape[:-1])

    policies = [rows(count, states, actions) for _ in range(3)]
    reward, gamma = generator.normal(size=(count, states, actions)), generator.uniform(0.3, 0.9, count)
    ratio = Ratio(DIVERGENCES.get(bound) or get(bound))
    start = Instances.of_arrays(
        *(rows(count, states, actions, states), reward, gamma, rows(count, states)),
        *policies[:2],
        reference=policies[2],
    )
    chart = _Chart(ratio, ratio.stripped(start), np.arange(count) % FORMS, True)
    x = generator.normal(size=(count, chart.size)) / 10

    def slopes(size):
        unit = size * np.eye(chart.size)
        around = x[:, None] + np.concatenate([unit, -unit])
        q = chart.at(around).quantities()
        told = np.asarray(ratio.bound.ratio(q, ratio.bound.penalty(q))).reshape(count, 2, -1)
        return (told[:, 0] - told[:, 1]) / (2 * size)

    with np.errstate(all="ignore"):
        coarse, fine = slopes(1e-4), slopes(1e-5)
    exact, scale = chart._adjoint(x), np.abs(fine).max(1, keepdims=True)
    apart = np.abs(coarse - fine)
    smooth = (apart < 1e-5 * scale).all(1)
    assert smooth.sum() > count / 2
    assert (np.abs(exact - coarse) <= 2 * apart + 1e-8 * scale)[smooth].all()


@pytest.mark.slow
@pytest.mark.sampled
def test_every_bound_can_be_traced():
    """In every form."""
    generator = np.random.default_rng(9)
    start = random_instances(generator, FORMS, 3, 2).take(generator.permutation(FORMS))  # kinds come in blocks
    for bound in sample((bound for bound in all_bounds.values() if not bound.setting), 18):
        ratio = Ratio(bound)
        chart = _Chart(ratio, ratio.stripped(start), np.arange(FORMS), True)
        slope = chart._adjoint(np.zeros((FORMS, chart.size)))
        assert np.isfinite(slope).all(), bound.id
        told = ratio(chart.at(np.zeros((FORMS, 1, chart.size))))
        assert slope.any() or not (np.isfinite(told) & (abs(told) > 1e-6)).any(), bound.id


def test_a_formula_that_cannot_be_traced_is_differenced():
    ratio = Ratio(
        Bound("np", lambda q: np.add.reduce(np.asarray(q.tv, dtype=float), axis=0) * q.max_abs_advantage, "s", "t")
    )
    start = ratio.stripped(random_instances(np.random.default_rng(8), 4, 3, 2))
    chart = _Chart(ratio, start, np.zeros(4, dtype=int), True)
    with pytest.raises((TypeError, ValueError)):
        chart._adjoint(np.zeros((4, chart.size)))
    np.testing.assert_array_equal(
        chart.gradient(np.zeros((4, chart.size))), chart._difference(np.zeros((4, chart.size)))
    )


@pytest.mark.parametrize("level", LEVELS[1:])
def test_levelled_steps_have_one_divergence(level):
    made = random_instances(np.random.default_rng(5), 300, 3, 3)
    near = made.replace(new=made.old + 0.01 * (made.new - made.old))
    q = formed(near, np.full(300, LEVELS.index(level) * len(REWARDS))).quantities()
    moves = (near.new != near.old).any(2).all(1) & (near.old > 0).all((1, 2))
    sizes = getattr(q, level)[:, moves]
    assert moves.sum() > 20
    assert np.median(sizes.max(0) / sizes.min(0)) < 1 + 1e-6


def test_forms_of_the_reward_have_their_normaliser():
    made = random_instances(np.random.default_rng(6), 200, 3, 2)
    made = made.replace(new=0.5 * made.old + 0.5 / 2)

    def quantities(reward):
        return formed(made, np.full(200, REWARDS.index(reward))).quantities()

    assert quantities("worst").max_abs_advantage.max() <= 1 + 1e-9
    balanced = abs(quantities("balanced").expected_advantage)
    moved = quantities("own").tv > 1e-3
    largest = np.broadcast_to(balanced.max(0), balanced.shape)
    np.testing.assert_allclose(balanced[moved], largest[moved], rtol=1e-6)
    assert abs(quantities("signed").q_value).max() <= 1 + 1e-9
    raised = quantities("raised").q_value
    assert raised.min() >= -1e-9
    assert raised.max() <= 2 + 1e-9


def test_form_numbers_cover_the_pairs():
    assert len(REWARDS) * len(LEVELS) == FORMS


def test_a_formula_that_cannot_be_batched_gives_the_same_ratios():
    def penalty(q):
        return 4 * float(str(float(q.max_abs_advantage))) * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2

    slow, fast = Ratio(Bound("mine/slow", penalty, "s", "")), Ratio(get("trpo/tv"))
    made = random_instances(np.random.default_rng(7), 40, 3, 2)
    made = made.take(made.quantities().max_abs_advantage > 1e-9)  # else rounding over rounding
    assert not slow.batched
    assert fast.batched
    np.testing.assert_allclose(slow(made), fast(made), rtol=1e-9)


# --- bounds of one's own ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_own_bounds_claims_and_penalties_are_one():
    @claim("mine/tv", statement="s")
    def mine(q):
        return q.surrogate_gap + 4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2

    def penalty(q):
        return 4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2

    found = worst_case(penalty, gamma="1/2", states=2, actions=3, effort=1)
    instance = found.witness
    expected = exact_ratio(instance, lambda step, g, tv: 4 * epsilon(step) * g / (1 - g) ** 2 * max(tv) ** 2)
    assert 0.9 < expected < 1
    others = [
        worst_case(one, gamma="1/2", states=2, actions=3, effort=1)
        for one in (Bound("mine/tv", penalty, "s", ""), mine)
    ]
    assert all(one.ratio > 0.99 for one in (found, *others))
    assert float(ratio_of(get("trpo/tv"), instance).lower) == pytest.approx(expected, rel=1e-12)


def test_an_error_of_ones_own_names_the_bound():
    with pytest.raises(ClaimFailed, match="mine/broken"):
        worst_case(Bound("mine/broken", lambda q: q.no_such_thing, "s", ""), gamma=0.5)


@pytest.mark.slow
def test_deterministic_for_a_seed():
    one, other = (worst_case("trpo/tv", gamma=0.3, states=2, effort=1, seed=4).to_fields() for _ in range(2))
    assert one == other


# --- the file and the command line --------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_file_reads_back_to_the_printed_ratio(tmp_path, capsys):
    path = tmp_path / "witness.json"
    arguments = ["worst-case", "coupling/tv", "--gamma", "2/3", "--states", "2", "--actions", "3", "--effort", "1"]
    assert cli.main([*arguments, "--out", str(path), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed.keys() >= {"bound", "gamma", "ratio", "witness"}
    fields = read_fields(path)
    assert json.loads(path.read_text()) == printed["witness"]
    assert fields["bound"] == "coupling/tv"
    instance = ExactInstance.from_fields(fields)
    assert instance.gamma == Fraction(2, 3)
    again = exact_ratio(instance, coupling_tv)
    assert printed["ratio"] == pytest.approx(again, rel=1e-12)
    lower, upper = (Fraction(end) for end in printed["enclosure"])
    assert lower - Fraction(1, 10**12) <= Fraction(again) <= upper + Fraction(1, 10**12)
    command = [sys.executable, "-m", "trpo_theory.cli", "bound", path, "--old", "old", "--new", "new", "--json"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    bounds = {row["id"]: row for row in json.loads(told.stdout)["bounds"]}
    row = bounds["coupling/tv"]
    assert 1 - row["slack"] / row["penalty"] == pytest.approx(printed["ratio"], abs=1e-9)


@pytest.mark.slow
def test_a_person_reads_ratio_and_witness(capsys):
    assert (
        cli.main(["worst-case", "trpo/tv-2", "--gamma", "0.1", "--states", "2", "--actions", "3", "--effort", "1"]) == 0
    )
    out = capsys.readouterr().out
    assert "refutes it" in out
    assert "gamma = 1/10" in out
    assert "; proved: ratio = " in out
    assert "state 1:" in out
    assert "slack" not in out


@pytest.mark.slow
def test_a_bound_of_a_file_that_is_refuted_exits_with_1(tmp_path, capsys):
    file = tmp_path / "mine.py"
    file.write_text(
        "from trpo_theory import claim\n"
        "@claim('mine/one', statement='s')\n"
        "def one(q):\n"
        "    return q.surrogate_gap + q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2\n"
    )
    size = ["--gamma", "0.1", "--states", "2", "--actions", "3", "--effort", "1"]
    assert cli.main(["worst-case", "mine/one", "--from", str(file), *size, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ratio"] > 3.9


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["coupling/tw", "--gamma", "0.5"], ["coupling/tw", "did you mean 'coupling/tv'"]),
        (["trpo/tv", "--gamma", "1"], ["gamma = 1", "[0, 1)"]),
        (["trpo/tv", "--gamma", "-1/2"], ["gamma = -0.5"]),
        (["trpo/tv", "--gamma", "half"], ["half"]),
        (["trpo/tv", "--gamma", "0.5", "--states", "0"], ["states = 0"]),
        (["trpo/tv", "--gamma", "0.5", "--actions", "0"], ["actions = 0"]),
        (["trpo/tv", "--gamma", "0.5", "--seed", "-1"], ["seed = -1"]),
        (["trpo/tv", "--gamma", "0.5", "--out", "witness.npz"], ["witness.npz", ".json"]),
        (["trpo/tv", "--gamma", "0", "--effort", "1"], ["no instance", "gamma = 0"]),
        (["trpo/tv", "--gamma", "0.5", "--actions", "1", "--effort", "1"], ["no instance", "1 actions"]),
    ],
)
def test_bad_input_is_one_message(arguments, parts, capsys):
    assert cli.main(["worst-case", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.strip().splitlines()) == 1
    assert "fix: " in captured.err
    for part in parts:
        assert part in captured.err


def test_what_is_no_bound_is_refused():
    with pytest.raises(InvalidInput, match="a int as a bound"):
        worst_case(3, gamma=0.5)


@pytest.mark.slow
def test_one_state_leaves_nothing_to_use():
    found = worst_case("trpo/tv", gamma=0.5, states=1, effort=1)
    assert found.enclosure == (0, 0)
    assert found.witness.largest_denominator < 10**6
