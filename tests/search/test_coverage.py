"""Counts of instances that put a claim to the test, and what they covered: against loops over them in plain Python."""

import dataclasses
import itertools
import json
import math
from fractions import Fraction

import numpy as np
import pytest

from trpo_theory.bounds.record import Claim
from trpo_theory.claims import catalogue
from trpo_theory.search.battery import battery, random_instances
from trpo_theory.search.coverage import Counts, Coverage, describe
from trpo_theory.search.reading import fields_read
from trpo_theory.search.screen import Screen
from trpo_theory.step.instances import Instances, joined
from trpo_theory.zoo.families import coupling_tight

MDP = ("transition", "reward", "gamma", "initial", "old")


def made(formula, **details):
    return Claim("mine/made", formula, "a statement", **details)


def drawn(count, states, actions, seed=0):
    """Instances with dense rows, all of whose numbers differ."""
    generator = np.random.default_rng(seed)

    def rows(*shape):
        return generator.dirichlet(np.ones(shape[-1]), shape[:-1])

    policies = [rows(count, states, actions) for _ in range(3)]
    made = Instances.of_arrays(
        rows(count, states, actions, states),
        generator.normal(size=(count, states, actions)),
        generator.uniform(0.1, 0.95, count),
        rows(count, states),
        *policies[:2],
        reference=policies[2],
        noise=generator.normal(size=(count, states, actions)),
    )
    return made.replace(size=10 ** generator.uniform(-2, 2, count))


def numbers(instances, index, fields):
    """What makes an instance, as nested lists of Python floats; −0 is 0."""
    return repr([(instances.arrays()[name][index] + 0.0).tolist() for name in fields])


def counted(claim, batches):
    """The counts of a claim on batches, by name of the instrument."""
    screen = Screen(claim)
    counts = Counts(screen.reads)
    masks = [counts.add(name, instances, screen(instances)) for name, instances in batches]
    return counts, masks


def with_duplicates(parts, seed=0):
    """Every batch twice over in another order, a tenth of it with new = old."""
    generator = np.random.default_rng(seed)
    out = []
    for part in parts:
        order = generator.integers(0, len(part), 2 * len(part))
        twice = part.take(order)
        still = generator.random(len(order)) < 0.1
        out.append(twice.replace(new=np.where(still[:, None, None], twice.old, twice.new)))
    return [*parts, *out]


def test_steps_are_measured_the_same_by_a_claims_own_quantities():
    from scipy.special import rel_entr

    batch = random_instances(np.random.default_rng(3), 300, 3, 2)
    kl = rel_entr(batch.old, batch.new).sum(-1).max(-1)
    tv = np.abs(batch.old - batch.new).sum(-1).max(-1) / 2
    q = batch.quantities()
    for known in (False, True):
        fresh = batch.take(np.arange(300))
        if known:
            describe(fresh, q)
        screen = Screen(catalogue["pinsker/kl"])
        counts = Counts(screen.reads)
        effective = counts.add("", fresh, screen(fresh))
        for name, values in (("kl", kl), ("tv", tv)):
            ends = (values[effective].min(), values[effective].max())
            assert counts.coverage.ranges[name] == pytest.approx(ends, rel=1e-6)


# --- what counts -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_effective_and_trivial_are_what_a_loop_over_the_instances_counts():
    parts = with_duplicates(battery(np.random.default_rng(1), 300))
    parts.append(parts[0].replace(initial=-0.0 * (parts[0].initial == 0) + parts[0].initial))  # −0 for 0: the same
    claim = made(lambda q: q.max_tv, given=lambda q: q.gamma < 0.9)
    counts, masks = counted(claim, [("drawn", part) for part in parts])
    known, effective, met = set(), 0, 0
    low, high = math.inf, -math.inf
    for part, mask in zip(parts, masks, strict=True):
        for i in range(len(part)):
            key = numbers(part, i, (*MDP, "new"))
            meets = float(part.gamma[i]) < 0.9
            counts_here = meets and part.old[i].tolist() != part.new[i].tolist() and key not in known
            assert mask[i] == counts_here
            met += meets
            if counts_here:
                known.add(key)
                effective += 1
                low, high = min(low, float(part.gamma[i])), max(high, float(part.gamma[i]))
    assert (counts.instances, counts.effective) == (sum(map(len, parts)), effective)
    assert counts.effective + counts.trivial == met
    assert 0 < counts.effective < met < counts.instances
    assert counts.coverage.ranges["gamma"] == (low, high)
    assert counts.coverage.tried == {"drawn": counts.instances}


def test_what_is_the_same_depends_on_what_the_claim_reads():
    """Instances that differ in one field only: new, reference, noise, groups and size count where they are read."""
    one, other = drawn(1, 3, 2), drawn(1, 3, 2, seed=1)
    other = other.replace(groups=np.array([[0, 0, 1]]))
    formulas = {
        "new": lambda q: q.max_tv,
        "reference": lambda q: q.max_s(q.max_a(abs(q.reference))) + q.max_tv,
        "noise": lambda q: q.max_s(q.max_a(abs(q.noise))) + q.max_tv,
        "groups": lambda q: q.max_s(q.groups) + 1 + q.max_tv,
        "size": lambda q: q.size + q.max_tv,
    }
    for changed, read in itertools.product(formulas, formulas):
        pair = joined([one, one.replace(**{changed: getattr(other, changed)})])
        counts, _ = counted(made(formulas[read]), [("pair", pair)])
        assert counts.effective == (2 if changed in ("new", read) else 1), (changed, read)
    value_only = made(lambda q: 1 / (1 - q.gamma) - q.max_s(abs(q.value)) / (1 + q.max_s(q.max_a(abs(q.reward)))))
    counts, _ = counted(value_only, [("pair", joined([one, one.replace(new=other.new)]))])
    assert counts.effective == 1
    for field in MDP:
        counts, _ = counted(value_only, [("pair", joined([one, one.replace(**{field: getattr(other, field)})]))])
        assert counts.effective == 2, field


def test_duplicates_are_found_between_batches_of_one_size():
    part = drawn(40, 2, 2)
    moved = int((part.old != part.new).any((1, 2)).sum())
    counts, masks = counted(made(lambda q: q.max_tv), [("a", part), ("b", part.take(slice(0, 10))), ("c", part)])
    assert counts.effective == moved == masks[0].sum()
    assert not masks[1].any()
    assert not masks[2].any()
    assert counts.coverage.tried == {"a": 40, "b": 10, "c": 40}


@pytest.mark.parametrize("batched", [True, False])
def test_nought_is_nought_and_new_is_old_are_trivial(batched):
    """At γ = 0 the gap is 0 and so is the penalty; where new = old all is 0; a claim about one policy is tested by both."""
    part = drawn(12, 3, 2)
    part = part.replace(
        gamma=np.where(np.arange(12) < 4, 0.0, 0.5),
        new=np.where(np.arange(12)[:, None, None] >= 8, part.old, np.roll(part.old, 1, axis=2) * 0.5 + 0.25),
    )
    assert (part.new[:8] != part.old[:8]).any((1, 2)).all()

    def tv_bound(q):
        return q.surrogate_gap + 4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2

    screen = Screen(made(tv_bound))
    screen.batched = batched
    assert screen(part).moved.tolist() == [False] * 4 + [True] * 4 + [False] * 4
    assert Screen(made(lambda q: q.max_s(abs(q.value)) + 0 * q.gamma))(part).moved.all()
    assert Screen(made(lambda q: q.max_tv + q.gamma))(part).moved.tolist() == [True] * 8 + [False] * 4
    assert (
        Screen(made(lambda q: 0 * q.max_tv))(part).moved.tolist() == [True] * 8 + [False] * 4
    )  # nothing about the gap
    violated = Screen(made(lambda q: q.max_tv - 1e-3))(part)  # false where new = old: no triviality
    assert violated.tests.all()
    assert (violated.negative == (np.arange(12) >= 8)).all()


def test_a_claim_with_a_step_is_about_the_new_of_its_step():
    part = drawn(6, 3, 2)
    stays = made(lambda q: q.max_tv, step=lambda q: q.old)
    counts, _ = counted(stays, [("drawn", part)])
    assert (counts.effective, counts.trivial) == (0, 6)
    value = made(lambda q: q.max_s(abs(q.value)), step=lambda q: q.old)
    assert counted(value, [("drawn", part)])[0].effective == 6
    goes = made(lambda q: q.max_tv, step=lambda q: q.old[:, ::-1] * 0.25 + q.old * 0.75)
    again = part.replace(new=part.old)  # another new that the step does not read: the same instance
    counts, _ = counted(goes, [("drawn", part), ("again", again)])
    moves = int((part.old[:, :, ::-1] != part.old).any((1, 2)).sum())
    assert (counts.effective, counts.trivial) == (moves, 12 - moves)
    assert "tv" not in counts.coverage.ranges


def test_the_fields_that_claims_of_the_catalogue_read():
    probe = drawn(2, 3, 2)
    extra = {"reference", "noise", "groups", "size"}
    for id, wanted, of_new in (
        ("trpo/tv", set(), True),
        ("geppo", {"reference"}, True),
        ("error/raw", {"noise"}, True),
        ("update/npg", {"size"}, True),
        ("id/flow", set(), False),
    ):
        reads, by_formula = fields_read(catalogue[id], [probe.one(index) for index in range(len(probe))])
        assert (reads & extra, "new" in by_formula) == (wanted, of_new), id
        assert "reward" in by_formula or id == "id/flow"
        assert ("new" in reads) == (of_new and catalogue[id].step is None)


# --- what was covered ------------------------------------------------------------------------------------------


def test_ranges_are_those_of_the_effective_instances():
    part = drawn(60, 3, 2, seed=5)
    part = part.replace(new=np.where(np.arange(60)[:, None, None] < 20, part.old, part.new))
    claim = made(lambda q: q.max_tv, given=lambda q: q.gamma > 0.3)
    counts, (mask,) = counted(claim, [("drawn", part)])
    gammas, tvs, kls, rewards = [], [], [], []
    for i in np.flatnonzero(mask):
        gammas.append(float(part.gamma[i]))
        rewards.append(max(abs(x) for row in part.reward[i].tolist() for x in row))
        rows = list(zip(part.old[i].tolist(), part.new[i].tolist(), strict=True))
        tvs.append(max(sum(abs(p - r) for p, r in zip(*row, strict=True)) / 2 for row in rows))
        kls.append(
            max(sum(p * (math.log(p / r) if r else math.inf) for p, r in zip(*row, strict=True) if p) for row in rows)
        )
    found = counts.coverage.ranges
    for name, values in (("gamma", gammas), ("reward", rewards), ("tv", tvs), ("kl", kls)):
        assert found[name] == pytest.approx((min(values), max(values)), rel=1e-6, abs=1e-12), name
    assert found["one_minus_gamma"] == pytest.approx((1 - max(gammas), 1 - min(gammas)), rel=1e-12)
    assert counts.coverage.sizes == ((3, 2),)
    assert min(gammas) > 0.3


def test_coverages_add_up_in_any_order_and_survive_their_fields():
    parts = [
        Coverage(((2, 2),), {"gamma": (0.5, 0.9), "one_minus_gamma": (0.1, 0.5), "kl": (1e-9, math.inf)}, {"b": 3}),
        Coverage(((1, 2), (2, 2)), {"gamma": (0.1, 0.7), "one_minus_gamma": (0.3, 0.9)}, {"a": 2, "b": 1}),
        Coverage((), {}, {"c": 5}),
    ]
    wanted = Coverage(
        ((1, 2), (2, 2)),
        {"gamma": (0.1, 0.9), "one_minus_gamma": (0.1, 0.9), "kl": (1e-9, math.inf)},
        {"a": 2, "b": 4, "c": 5},
    )
    for one, two, three in itertools.permutations(parts):
        total = one + two + three
        assert total == one + (two + three) == wanted
        assert list(total.tried) == ["a", "b", "c"]
        assert Coverage.of_fields(json.loads(json.dumps(total.to_fields(), allow_nan=False))) == total
    assert wanted.to_fields() == {
        "sizes": [[1, 2], [2, 2]],
        "states": [1, 2],
        "actions": [2, 2],
        **{"gamma": [0.1, 0.9], "one_minus_gamma": [0.1, 0.9], "tv": None, "kl": [1e-9, "inf"], "reward": None},
        "instances": {"a": 2, "b": 4, "c": 5},
    }


def test_the_line_never_says_more_than_was_covered():
    near_one = 1 - 2.34567e-6
    covered = Coverage(
        ((1, 2), (64, 6)),
        {
            "gamma": (1.2345e-6, near_one),
            "one_minus_gamma": (1 - near_one, 1 - 1.2345e-6),
            "tv": (1.239e-12, 0.99999),
            "kl": (0.0, math.inf),
        },
        {"mutation": 90_000, "random instances": 52_000},
    )
    assert covered.text == (
        "1-64 states, 2-6 actions, gamma 1.3e-06 .. 1-2.4e-06, TV 1.3e-12 .. 0.99, KL 0 .. inf; "
        "mutation 90,000, random instances 52,000"
    )
    assert Coverage(((1, 2),), {}, {"zoo": 1}).text == "1 state, 2 actions; zoo 1"
    assert Coverage().text == ""
    for value in np.random.default_rng(0).uniform(0, 1, 50) ** 9:
        ends = Coverage(((1, 2),), {"tv": (value, value)}, {}).text.rpartition("TV ")[2].split(" .. ")
        assert Fraction(ends[1]) <= Fraction(float(value)) <= Fraction(ends[0])


def test_instances_that_differ_in_one_digit_are_two():
    """The hash tells every pair apart: whole numbers, last bits, and places exchanged."""
    base = Instances.of_arrays(
        np.full((2, 2, 2), 0.5), np.zeros((2, 2)), 0.5, [1, 0], [[0.5, 0.5]] * 2, [[1, 0], [0.5, 0.5]]
    )
    rewards = [np.reshape(bits, (1, 2, 2)) for bits in itertools.product((0.0, 1.0, -1.0, 2.0**-40, 1e300), repeat=4)]
    last_bits = [np.nextafter(reward, 9) for reward in rewards[:50]]
    batch = joined([base.replace(reward=reward) for reward in (*rewards, *last_bits)])
    distinct = len({repr(reward.tolist()) for reward in (*rewards, *last_bits)})
    counts, _ = counted(made(lambda q: q.max_tv), [("a", batch)])
    assert counts.effective == distinct
    assert dataclasses.replace(Counts(frozenset())).effective == 0


# --- how close to 0, as a share --------------------------------------------------------------------------------


def test_the_share_is_the_slack_over_the_terms_of_its_formula():
    """The terms by NumPy's solver and Python's logarithm, one instance at a time; F1's gap is the penalty with constant 4."""
    part = drawn(25, 3, 2, seed=4)

    def penalty(q, constant):
        return constant * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2

    bounds, pinsker = [], []
    for i in range(25):
        value, visits = {}, {}
        for name in ("old", "new"):
            policy = part.arrays()[name][i]
            resolvent = np.linalg.inv(np.eye(3) - part.gamma[i] * np.einsum("sa,sat->st", policy, part.transition[i]))
            value[name] = resolvent @ (policy * part.reward[i]).sum(1)
            visits[name] = part.initial[i] @ resolvent
        advantage = part.reward[i] + part.gamma[i] * part.transition[i] @ value["old"] - value["old"][:, None]
        gap = (visits["new"] - visits["old"]) @ (part.new[i] * advantage).sum(1)
        tv = abs(part.new[i] - part.old[i]).sum(1) / 2
        size = 6 * abs(advantage).max() * part.gamma[i] / (1 - part.gamma[i]) ** 2 * tv.max() ** 2
        bounds.append((gap + size) / (abs(gap) + size))
        pairs = [zip(part.old[i, s], part.new[i, s], strict=True) for s in range(3)]
        kl = [sum(p * math.log(p / r) for p, r in pair) for pair in pairs]
        pinsker.append(min((k / 2 - t**2) / (k / 2 + t**2) for k, t in zip(kl, tv, strict=True)))
    cases = (
        (lambda q: q.surrogate_gap + penalty(q, 6), bounds),
        (lambda q: q.surrogate_gap + Fraction(6) * penalty(q, 1), bounds),
        (lambda q: -(-q.surrogate_gap - penalty(q, 6)), bounds),
        (lambda q: q.kl / 2 - q.tv**2, pinsker),
    )
    for formula, wanted in cases:
        np.testing.assert_allclose(Screen(made(formula))(part).share, wanted, rtol=1e-9, atol=1e-12)
    identity = Screen(made(lambda q: q.surrogate_gap + penalty(q, 6), relation="="))(part)
    np.testing.assert_allclose(identity.share, -np.abs(bounds), rtol=1e-9)
    unknown = Screen(made(lambda q: (q.surrogate_gap + penalty(q, 6)) * q.gamma))(part)
    assert np.isnan(unknown.share).all()

    tight = coupling_tight(gamma=np.full(3, 0.9), x=np.array([1e-3, 1e-4, 1e-5]))
    screened = Screen(made(lambda q: q.surrogate_gap + penalty(q, 6)))(Instances.of(tight.mdp, tight.old, tight.new))
    np.testing.assert_allclose(screened.share, 1 / 5, rtol=0.05)  # (6 - 4)/(6 + 4), in the limit of small x
