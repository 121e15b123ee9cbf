"""The catalogue of claims: identities, order, divergences, errors of estimates; each verdict on an instance worked by hand."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from cheap import sampled
from exact import nearest, policy_on, rational, rationals, step_on
from hypothesis import given
from hypothesis import strategies as st
from strategies_small import dyadic, random_mdp, random_rows, steps

import trpo_theory as tt
from trpo_theory import bounds, claims, zoo
from trpo_theory.numerics.ball.raw import precision
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.quantities import Quantities, compare

PLAIN = [record for record in claims.catalogue.values() if record.id not in bounds and not record.horizon]
"""Those over a horizon are tested in tests/bounds/test_tokens.py: the steps here have none."""
STEP_FREE = [
    record
    for record in claims.catalogue.values()
    if record.step is None and record.problem is None and not (record.temperature or record.agents)
]
OWN = [
    record
    for record in STEP_FREE
    if record in PLAIN and record.criterion == "discounted" and not record.id.startswith("rate/")
]


def step_of(mdp, old, new, *, noise=None, groups=None, size=None) -> Quantities:
    """As `compare`, with what some claims read besides; batches first, as there."""
    q = compare(mdp, old, new)
    if noise is not None:
        q.noise = np.moveaxis(np.asarray(noise, dtype=float), (-2, -1), (0, 1))
    if groups is not None:
        q.groups = np.moveaxis(np.asarray(groups), -1, 0)
    if size is not None:
        q.size = np.asarray(size, dtype=float)
    q.costs, q.cost_names = np.where(q.available, np.flip(q.reward, 0), 0.0)[:, :, None], ("c",)
    return q


def random_step(seed: int, states: int, actions: int, batch: int = 400, *, zeros: float = 0.3) -> Quantities:
    """A batch of MDPs with zeros everywhere, policies near and far, noise, groups and sizes."""
    rng = np.random.default_rng(seed)
    gamma = rng.choice([0.0, 0.1, 0.5, 0.9, 0.99], size=batch)
    mdp = random_mdp(rng, states, actions, gamma, batch=(batch,))
    old, target = (random_rows(rng, batch, states, actions, zeros=zeros) for _ in range(2))
    share = rng.choice([1.0, 0.5, 0.01, 1e-5], size=(batch, 1, 1))
    q = step_of(
        mdp,
        old,
        (1 - share) * old + share * target,
        noise=rng.normal(size=(batch, states, actions)) * rng.choice([0.0, 0.1, 1.0], size=(batch, 1, 1)),
        groups=rng.integers(0, 2, size=(batch, states)),
        size=rng.exponential(size=batch) ** 3 * 5,
    )
    other = np.moveaxis(random_mdp(rng, states, actions, gamma, batch=(batch,)).transition, 0, -1)
    return q.replace(model=q.transition + rng.choice([1.0, 0.1, 1e-4], size=batch) * (other - q.transition))


def in_unit_interval(q: Quantities) -> Quantities:
    """The same step with the rewards of each instance moved and scaled to [0, 1]."""
    low, high = (end(q.reward, axis=(0, 1)) for end in (np.min, np.max))
    return q.replace(reward=(q.reward - low) / (high - low))


def to_the_likeliest(q: Quantities) -> Quantities:
    """The step to the policy that takes new's likeliest action."""
    return q.with_new((np.arange(q.actions)[:, None] == q.new.argmax(1)[:, None]).astype(float))


def scale_of(q: Quantities) -> np.ndarray:
    return (1 + np.abs(q.value).max(0) + np.abs(q.noise).max((0, 1))) / (1 - q.gamma) ** 2


def judged(record, q: Quantities) -> tuple[np.ndarray, np.ndarray]:
    """The least entry of the slack of each instance, and where the hypotheses hold."""
    batch, q = q.batch_shape[0], record.posed(q)
    slack = np.asarray(record.slack(q)).reshape(-1, batch).min(0)
    return slack, np.broadcast_to(np.asarray(record.met(q)), (batch,))


# --- the catalogue ------------------------------------------------------------------------------------------------


_TABLES = (
    (
        "id",
        (
            "performance-difference",
            "advantage-mean",
            "flow",
            "gradient",
            "raw-partials",
            "second-order",
            "importance",
            "importance-any",
            "q-for-a",
        ),
    ),
    ("errata", ("eta-with-advantage",)),
    ("id", ("eta-with-old-advantage",)),
    ("order", ("upper", "surrogate-up")),
    ("trpo", ("tv",)),
    ("divergence", ("pinsker",)),
    ("chain-rule", ("occupancy",)),
    (
        "update",
        (
            "penalty-monotone",
            "max-kl-monotone",
            "mean-kl-monotone",
            "coefficient-needed",
            "step-tiny",
            "max-kl-hard",
            "softmax-gradient",
            "npg",
            "ppo-clip",
            "clip-gain",
        ),
    ),
    ("rate", ("npg", "npg-sharper", "pmd-linear")),
    ("error", ("raw", "centred", "greedy", "eps-hat")),
)


def test_the_catalogue_has_each_bound_and_each_row_of_the_tables():
    ids = list(claims)
    assert len(ids) == len(set(ids)) == len(claims)
    assert set(bounds.catalogue) | set(bounds.folklore) <= set(ids)
    rows = [f"{room}/{name}" for room, names in _TABLES for name in names]
    assert [name for name in ids if name in rows] == rows, "and in the order of the tables"
    counts = [len(bounds.catalogue), len(bounds.folklore)]
    rooms = (
        claims.identities,
        claims.order,
        claims.divergences,
        claims.chi_square,
        claims.occupancies,
        claims.rules,
        claims.clips,
        claims.steps,
        claims.tilts,
        claims.multi_step,
        claims.projections,
        claims.average_moves,
        claims.joint_steps,
        claims.optimality,
        claims.smoothness,
        claims.models,
        claims.costs,
        claims.average,
        claims.tokens,
        claims.updates,
        claims.rates,
        claims.errors,
        claims.entropy,
        claims.soft_npg,
        claims.soft_optimum,
        claims.agents,
    )
    assert len(claims) == sum(counts) + sum(len(room.CLAIMS) for room in rooms), "no id hides another"


def test_it_reads_as_a_mapping():
    assert claims["trpo/tv"].id == "trpo/tv"
    assert "trpo/tv" in claims
    assert "trpo/vt" not in claims
    with pytest.raises(tt.InvalidInput, match=r"the claim 'id/flwo'.*did you mean 'id/flow'"):
        claims["id/flwo"]
    with pytest.raises(TypeError):
        claims.catalogue["id/flow"] = claims["id/flow"]


def test_records_say_where_they_come_from():
    for record in claims.catalogue.values():
        assert record.source, record.id
        assert record.provenance in ("S", "M", "D"), record.id
        assert record.statement.count("{") == record.statement.count("}"), record.id
        assert record.expected is not False or "half" in record.id or record.source, record.id


def test_as_a_frame():
    frame = claims.to_frame()
    assert list(frame.columns) == ["id", "expected", "provenance", "source", "statement"]
    assert list(frame["id"]) == list(claims)
    assert set(frame["expected"]) == {True, False, "open"}


# --- true ones hold, batched and single ---------------------------------------------------------------------------


@sampled("record", [r for r in OWN if r.expected is True], ids=lambda r: r.id, every=4)
def test_a_true_claim_holds(record):
    effective = 0
    for seed, (states, actions) in enumerate([(2, 2), (3, 3), (4, 2), (1, 3), (5, 4), (2, 3), (3, 2)]):
        for zeros in (0.3, 0.0):
            q = random_step(seed, states, actions, zeros=zeros)
            q = in_unit_interval(q) if "unit-reward" in record.needs else q
            q = to_the_likeliest(q) if "optimal-new" in record.needs else q
            slack, met = judged(record, q)
            assert (slack[met] >= -1e-12 * scale_of(q)[met]).all(), record.id
            effective += met.sum()
    assert effective >= 1000


@pytest.mark.parametrize("record", OWN, ids=lambda r: r.id)
def test_a_batch_is_its_instances(record):
    rng = np.random.default_rng(3)
    gamma = np.array([0.0, 0.5, 0.9])
    mdp = random_mdp(rng, 3, 3, gamma, batch=(3,))
    old, new = random_rows(rng, 3, 3, 3), random_rows(rng, 3, 3, 3, zeros=0.0)
    noise, groups = rng.normal(size=(3, 3, 3)), rng.integers(0, 2, size=(3, 3))
    whole = step_of(mdp, old, new, noise=noise, groups=groups, size=np.array([0.5, 1.0, 2.0]))
    batched, met = np.asarray(record.slack(whole)), np.broadcast_to(record.met(whole), (3,))
    for i in range(3):
        one = tt.FiniteMDP(mdp.transition[i], mdp.reward[i], float(gamma[i]), mdp.initial[i])
        q = step_of(one, old[i], new[i], noise=noise[i], groups=groups[i], size=[0.5, 1.0, 2.0][i])
        single = np.asarray(record.slack(q))
        assert batched[..., i].shape == single.shape
        np.testing.assert_allclose(batched[..., i], single, rtol=1e-11, atol=1e-11)
        assert bool(met[i]) == bool(record.met(q))


@pytest.mark.slow
@given(steps())
def test_identities_hold_where_actions_are_missing_and_states_unreached(case):
    mdp, old, new = case
    q = step_of(mdp, old, new, noise=np.where(mdp.available, 1.0 + mdp.reward, 0.0), groups=[0] * mdp.states)
    scale = (1 + np.abs(mdp.reward).max()) / (1 - mdp.gamma) ** 2
    for record in OWN:
        if record.expected is True and record.is_discounted and record.met(q):
            assert np.min(record.slack(q)) >= -1e-12 * scale, record.id


# --- false ones, on the instance that is named, with its numbers ----------------------------------------------------


@pytest.mark.slow
@given(steps())
def test_raw_partials_differ_by_rho_times_v(case):
    """∂η/∂π(a|s) by a difference quotient in exact rationals, π not confined to the simplex."""
    mdp, old, new = case
    slack = claims["id/raw-partials"](compare(mdp, old, new))
    s, a = mdp.states - 1, int(np.argmax(mdp.available[-1]))
    before = policy_on(mdp, old)
    nudged = rationals(old)
    step = rational(2.0**-60)
    nudged[s, a] += step
    gained = (policy_on(mdp, nudged).expected_return - before.expected_return) / step
    surrogate = before.visitation[s] * before.advantage[s, a]
    scale = (1 + np.abs(mdp.reward).max()) / (1 - mdp.gamma) ** 2
    assert nearest(gained - surrogate) == pytest.approx(slack[s, a], rel=1e-9, abs=1e-9 * scale)


def test_the_second_order_of_eta():
    """F1's sibling in closed form: one state, two actions, r = (1, 0), a2 ends. η(t) = p/(1 − γp), p = 1/2 + t/4, γ = 1/2."""
    mdp = tt.FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[1, 0], [0, 0]], 0.5, [1, 0])
    q = compare(mdp, [[0.5, 0.5]] * 2, [[0.75, 0.25]] * 2)
    # η'' in t is p'² · 2γ/(1 − γp)³
    assert float(claims["id/second-order"](q)) == pytest.approx(1 / 16 * 1.0 / 0.75**3, rel=1e-13)
    assert float(claims["id/second-order"].slack(q)) < 0


def test_importance_sampling_misses_what_old_never_plays():
    """F1 at γ = 1/2, x = 1/4: the sum is 1, the importance-weighted one 1/2."""
    made = zoo.f1(gamma=0.5, x=0.25)
    q = compare(made.mdp, made.old, made.new)
    assert float(q.surrogate_gain) == pytest.approx(1.0, rel=1e-14)
    assert float(claims["id/importance-any"](q)) == pytest.approx(0.5, rel=1e-14)
    assert not claims["id/importance"].met(q)
    assert claims["id/importance"].met(compare(made.mdp, made.new, made.old))


@pytest.mark.slow
@given(steps(gammas=(0.0, 0.5, 0.9)))
def test_the_sum_of_advantages_is_zero_and_not_the_return(case):
    mdp, old, new = case
    true = policy_on(mdp, old)
    slack = float(claims["errata/eta-with-advantage"](compare(mdp, old, new)))
    assert slack == pytest.approx(-nearest(true.expected_return), rel=1e-9, abs=1e-11)


def test_the_surrogate_is_no_upper_bound():
    """F1 with the sign of its reward flipped."""
    made = zoo.f1(gamma=0.5, x=0.25, scale=-1.0)
    q = compare(made.mdp, made.old, made.new)
    assert float(claims["order/upper"](q)) == pytest.approx(-0.4, rel=1e-13)


def test_a_small_step_up_the_surrogate_may_go_down():
    """Old stays in G; leaking to B pays 1/2, but in B the same shift costs 100, which L does not see: old is never there."""
    mdp = tt.FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[0, 0.5], [0, -100]], 0.9, [1, 0])
    x = 0.0099
    q = compare(mdp, [[1, 0]] * 2, [[1 - x, x]] * 2)
    record = claims["order/surrogate-up"]
    assert record.met(q)
    assert float(q.surrogate_gain) == pytest.approx(10 * x * 0.5, rel=1e-12)
    true = step_on(mdp, [[1, 0]] * 2, [[1 - x, x]] * 2)
    fall = nearest(true.new.expected_return - true.old.expected_return)
    # Σ ρ_new Ā: ρ_new(G) = 1/(1 − γ(1 − x)), ρ_new(B) = γ x ρ_new(G)/(1 − γ)
    at_g = 1 / (1 - 0.9 * (1 - x))
    assert fall == pytest.approx(at_g * x * 0.5 - 0.9 * x * at_g / 0.1 * 100 * x, rel=1e-9)
    assert float(record(q)) == pytest.approx(fall, rel=1e-9)
    assert fall < -0.3
    assert not record.met(compare(mdp, [[1, 0]] * 2, [[0.98, 0.02]] * 2))


# --- divergences ---------------------------------------------------------------------------------------------------


def one_state(old, new) -> Quantities:
    actions = len(old)
    return compare(tt.FiniteMDP(np.ones((1, actions, 1)), np.zeros((1, actions)), 0.5), [old], [new])


def ceilings(p, q) -> dict[str, float]:
    """From the definitions, in plain Python."""
    pairs = list(zip(p, q, strict=True))

    def kl(pairs):
        return math.fsum(a * math.log(a / b) for a, b in pairs if a > 0)

    middles = [(a, (a + b) / 2) for a, b in pairs], [(b, (a + b) / 2) for a, b in pairs]
    affinity = math.fsum(math.sqrt(a * b) for a, b in pairs)
    out = {
        "pinsker": kl(pairs) / 2,
        "jeffreys": (kl(pairs) + kl([(b, a) for a, b in pairs])) / 4,
        "chi2": math.fsum((a - b) ** 2 / b for a, b in pairs) / 4,
        "jensen-shannon": 2 * (kl(middles[0]) + kl(middles[1])) / 2,
        "hellinger": 1 - affinity**2,
    }
    for order in (0.1, 0.5, 0.9):
        out[f"renyi-{order}"] = (
            math.log(math.fsum(a**order * b ** (1 - order) for a, b in pairs)) / (order - 1) / 2 / order
        )
    return out


@pytest.mark.parametrize(("p", "r"), [((0.5, 0.3, 0.2), (0.2, 0.2, 0.6)), ((0.9, 0.1), (0.3, 0.7))])
def test_divergences_are_their_definitions(p, r):
    q, squared = one_state(p, r), (sum(abs(a - b) for a, b in zip(p, r, strict=True)) / 2) ** 2
    expected = ceilings(p, r)
    assert {f"divergence/{name}" for name in expected} | {f"divergence/{name}-half" for name in expected} == {
        name for name in claims if name.startswith("divergence/")
    }
    for name, ceiling in expected.items():
        assert claims[f"divergence/{name}"](q) == pytest.approx([ceiling - squared], rel=1e-12)
        assert claims[f"divergence/{name}-half"](q) == pytest.approx([ceiling / 2 - squared], rel=1e-12)


@pytest.mark.parametrize("name", ceilings((0.5, 0.5), (0.25, 0.75)))
@pytest.mark.parametrize("x", [0.01, 1e-6])
def test_no_constant_can_be_halved_and_none_improved(name, x):
    """(1/2, 1/2) against (1/2 − x, 1/2 + x): TV² = x² and every ceiling is x² (1 + O(x²))."""
    q = one_state([0.5, 0.5], [0.5 - x, 0.5 + x])
    assert claims[f"divergence/{name}-half"](q)[0] == pytest.approx(-(x**2) / 2, rel=1e-3)
    assert -1e-9 <= claims[f"divergence/{name}"](q)[0] / x**2 <= 5 * x**2 + 1e-9


def test_the_occupancy_moves_by_the_chain_rule():
    """F2: d_old = (1 − γ)(1, γ/(2(1−γ)), …), new shifts x from G to B: KL(d_old‖d_new) = γ KL at s0 alone."""
    made = zoo.f2(gamma=0.5, x=0.25)
    q = compare(made.mdp, made.old, made.new)
    kl = -0.5 * math.log(1 - 4 / 16)
    assert float(claims["chain-rule/occupancy"](q)) == pytest.approx(0.5 / 0.5 * kl - 0.5 * kl, rel=1e-12)


# --- errors of an estimate -------------------------------------------------------------------------------------------


def test_the_raw_error_is_attained():
    """F1 attains coupling/tv; Â = A + x adds x to every state that old visits."""
    made = zoo.f1(gamma=0.5, x=0.25)
    q = step_of(made.mdp, made.old, made.new, noise=np.full((2, 3), 0.75))
    assert float(claims["error/raw"](q)) == pytest.approx(0, abs=1e-14)
    l_hat = float(q.surrogate) + 0.75 * 2  # Σ ρ = 2
    assert float(q.expected_return_new) == pytest.approx(l_hat - 0.75 * 2 - 0.4, rel=1e-13)


def test_the_centred_error_is_attained():
    mdp = random_mdp(np.random.default_rng(0), 3, 2, 0.9)
    q = step_of(mdp, [[0.5, 0.5]] * 3, [[0.25, 0.75]] * 3, noise=[[-0.5, 0.5]] * 3)
    assert float(2 * q.max_tv * 0.5 / (1 - q.gamma)) == pytest.approx(2.5)
    assert float(claims["error/centred"](q)) == pytest.approx(0, abs=1e-13)


def test_the_greedy_loss_is_attained():
    """One state, r = A = (−2x, 0), old plays a2; Â ties at −x, and the first is taken: it loses 2x at every step."""
    mdp = tt.FiniteMDP([[[1.0], [1.0]]], [[-0.5, 0.0]], 0.5)
    record = claims["error/greedy"]
    q = step_of(mdp, [[0, 1]], [[0, 1]], noise=[[0.25, -0.25]])
    stepped = record.stepped(q)
    np.testing.assert_array_equal(stepped.new, [[1, 0]])
    assert float(stepped.expected_return_new - q.expected_return_old) == -1.0 == -2 * 0.25 / 0.5
    assert float(record.slack(stepped)) == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_a_greedy_step_loses_no_more(seed):
    record, q = claims["error/greedy"], random_step(seed, 4, 3)
    stepped = record.stepped(q)
    for i in range(0, 400, 40):
        estimate = (q.advantage + q.noise)[..., i]
        np.testing.assert_array_equal(stepped.new[..., i].argmax(1), estimate.argmax(1))
    np.testing.assert_array_equal(np.sort(stepped.new, axis=1)[:, :-1], 0)
    slack, _ = judged(record, stepped)
    assert (slack >= -1e-12 * scale_of(q)).all()


def test_an_estimated_epsilon_is_no_epsilon():
    """F1's shape with |A| = 3/2 and errors of 1/2 that hide it: ε̂ = 1, and the penalty is too small by 1/10.

    G: a1 stays (A = 1/2), a2 stays (A = −3/2), a3 leads to B (A = 1/2), old (3/4, 1/4, 0), new moves 1/4 from a2 to a3, Â = A
    + 1/2. B: A = ±3/2, old (1/2, 1/2), Â = ±1. Σ ρ_new Ā − Σ ρ_old Ā = −ρ_new(B) (Ā(G) − Ā(B)) with ρ_new(B) = 2/5.
    """
    half = 0.5
    mdp = tt.FiniteMDP([[[1, 0], [1, 0], [0, 1]], [[0, 1]] * 3], [[half, -1.5, half], [1.5, -1.5, 1.5]], 0.5, [1, 0])
    old, new = [[0.75, 0.25, 0], [half, half, 0]], [[0.75, 0, 0.25], [0.25, 0.75, 0]]
    noise = [[half, half, half], [-half, half, -half]]
    q = step_of(mdp, old, new, noise=noise)
    assert np.abs(q.estimate).max() == 1.0
    assert float(q.max_abs_advantage) == 1.5
    assert float(q.surrogate_gap) == pytest.approx(-0.4 * (0.5 + 0.75), rel=1e-13)
    assert float(claims["error/eps-hat"](q)) == pytest.approx(-0.5 + 0.4, rel=1e-12)
    assert float(claims["error/raw"](q)) == pytest.approx(-0.5 + 0.6, rel=1e-12)
    true, l_hat = step_on(mdp, old, new), 0
    for s in range(2):
        for a in range(3):
            estimate = true.advantage[s, a] + rational(noise[s][a])
            l_hat += true.old.visitation[s] * true.new.policy[s, a] * estimate
    floor = true.old.expected_return + l_hat - rational(half) * 2 - rational(2) / 5
    assert true.new.expected_return - floor == rational(-1) / 10


@given(st.integers(0, 10**6), st.sampled_from([0.5, 0.9]))
def test_estimates_without_error_cost_nothing(seed, gamma):
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 3, 2, gamma)
    old, new = dyadic(0.1 + rng.random((3, 2))), dyadic(0.1 + rng.random((3, 2)))
    q = step_of(mdp, old, new)
    expected = float(bounds["coupling/tv"].slack(q))
    for name in ("error/raw", "error/eps-hat"):
        assert float(claims[name](q)) == pytest.approx(expected, rel=1e-12)


# --- the same formulas in exact rationals and balls ------------------------------------------------------------------


def exact_instance(seed: int, *, one_row: bool = False) -> dict:
    """Three states, three actions, in sixteenths; old plays everything (but where one_row is asked for: one row)."""
    rng = np.random.default_rng(seed)

    def rows(*shape):
        return dyadic(rng.integers(1, 6, size=shape).astype(float), 16)

    old = rows(3, 3)
    transition, reward = rows(3, 3, 3), rng.integers(0, 9, size=(3, 3)) / 8
    return {
        "transition": transition,
        "reward": reward,
        "costs": np.flip(reward, 0)[:, :, None],
        "gamma": 0.5,
        "initial": rows(3),
        "old": np.repeat(old[:1], 3, axis=0) if one_row else old,
        "new": rows(3, 3),
        "noise": rng.integers(-4, 5, size=(3, 3)) / 16,
        "groups": [0, 0, 0] if one_row else [0, 1, 1],
        "size": 0.75,
    }


def middle(x) -> np.ndarray:
    return np.array([entry.midpoint for entry in np.ravel(np.asarray(x, dtype=object))])


@sampled("record", [r for r in PLAIN if not r.agents], ids=lambda r: r.id, every=6)  # agents: test_claims_agents.py
@pytest.mark.parametrize("seed", [0, 1])
def test_a_claim_says_in_balls_what_it_says_in_floats(record, seed):
    parts = exact_instance(seed, one_row="one-row" in record.needs)
    if "uniform-old" in record.needs:
        parts["old"] = [["1/3"] * 3] * 3
    if record.temperature:
        parts["temperature"] = "3/4"
    with precision(256):
        exact = record.stepped(ExactInstance(**parts).quantities())
        inexact = {name: parts.pop(name) for name in ("noise", "groups", "size")}
        mdp = tt.FiniteMDP(parts["transition"], parts["reward"], 0.5, parts["initial"])
        old = np.full((3, 3), 1 / 3) if "uniform-old" in record.needs else parts["old"]
        q = step_of(mdp, old, parts["new"], **inexact)
        floats = record.stepped(q.replace(temperature=0.75) if record.temperature else q)
        assert bool(np.all(record.met(exact))) == bool(np.all(record.met(floats)))
        slack = np.ravel(np.asarray(record.slack(exact), dtype=object))
        np.testing.assert_allclose(middle(slack), np.ravel(record.slack(floats)), rtol=1e-9, atol=1e-13)
        assert all(entry.upper - entry.lower < 2**-150 for entry in slack)
        if record.relation == "=" and record.expected is True and record.met(exact):
            exactly = not record.temperature  # logarithms are enclosed
            assert all(entry.fraction == 0 if exactly else entry.lower <= 0 <= entry.upper for entry in slack)


F1 = {
    "transition": [[[1, 0], [1, 0], [0, 1]], [[0, 1]] * 3],
    "reward": [[1, -1, 1]] * 2,
    "gamma": "1/2",
    "initial": [1, 0],
    "old": [["1/2", "1/2", 0]] * 2,
    "new": [["1/2", "1/4", "1/4"], ["1/4", "3/4", 0]],
}
F6 = {
    "transition": [[[0, 1, 0], [0, 0, 1]], [[0, 0, 1]] * 2, [[0, 0, 1]] * 2],
    "reward": [[0, 0], [0, 1], [0, 0]],
    "gamma": "9/10",
    "initial": [1, 0, 0],
    "old": [["2/5", "3/5"]] * 3,
    "new": [["7/10", "3/10"]] * 3,
    "groups": [0, 0, 0],
}
EPS_HAT = {
    "reward": [["1/2", "-3/2", "1/2"], ["3/2", "-3/2", "3/2"]],
    "old": [["3/4", "1/4", 0], ["1/2", "1/2", 0]],
    "new": [["3/4", 0, "1/4"], ["1/4", "3/4", 0]],
    "noise": [["1/2"] * 3, ["-1/2", "1/2", "-1/2"]],
}


@pytest.mark.parametrize(
    ("name", "fields", "slack"),
    [
        ("id/importance-any", F1, Fraction(-1, 2)),
        ("order/upper", F1 | {"reward": [[-1, 1, -1]] * 2}, Fraction(-2, 5)),
        ("error/raw", F1 | {"noise": [[3] * 3] * 2}, Fraction(0)),
        ("error/eps-hat", F1 | EPS_HAT, Fraction(-1, 10)),
        ("update/clip-gain", F1 | {"reward": [[1, -1, 1], [10, -10, 10]]}, Fraction(-6, 5)),
        # 0.4/u : 0.6/(u + 0.018) = 7 : 3 at u = 0.0072
        ("update/max-kl-monotone-aggregated", F6 | {"size": "9/1250"}, Fraction(189 - 216, 1000)),
        ("update/mean-kl-monotone-aggregated", F6 | {"size": "9/1250"}, Fraction(189 - 216, 1000)),
        ("update/coefficient-needed-aggregated", F6 | {"size": "9/1250"}, Fraction(189 - 216, 1000)),
        (
            "update/ppo-clip-aggregated",
            F6 | {"size": 3},
            Fraction(9, 10) * Fraction(7, 10) * Fraction(3, 10) - Fraction(216, 1000),
        ),
    ],
)
def test_named_instances_exactly(name, fields, slack):
    record = claims[name]
    q = record.stepped(ExactInstance(**fields).quantities())
    assert record.met(q)
    assert record.slack(q).fraction == slack
