"""The second-order bounds in chi-square, against THEORY's test instance, and against plain sums over time in mpmath."""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest
from mpmath import mpf

import trpo_theory as tt
from trpo_theory import bounds
from trpo_theory.bounds.time_resolved import penalty_by_time
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.partial import KnownQuantities

TIMED = ("chi2/time-resolved", "chi2/mean-max", "chi2/second-order")
CHAINS = ("transition/time-resolved", "transition/mean-max", "transition/second-order")
IDS = (
    *("chi2/expected-advantage", "chi2/advantage", "chi2/reward", "chi2/instance", "chi2/critic"),
    *("chi2/ratio-clip", "chi2/ratio-cap", *TIMED, *CHAINS),
)


def three_states() -> tuple[tt.FiniteMDP, np.ndarray, np.ndarray]:
    """s0, s1 and an end: the instance that docs/theory.md prints numbers of."""
    transition = np.zeros((3, 2, 3))
    transition[0] = [[0, 0.5, 0.5], [0.5, 0.5, 0]]
    transition[1] = [[0.5, 0, 0.5], [0, 0, 1]]
    transition[2, :, 2] = 1
    reward = np.zeros((3, 2))
    reward[1, 1] = 1
    new = np.array([[0.4, 0.6], [0.4, 0.6], [0.5, 0.5]])
    return tt.FiniteMDP(transition, reward, 0.5, [1, 0, 0]), np.full((3, 2), 0.5), new


def test_the_instance_with_known_numbers():
    q = tt.compare(*three_states())
    rounded = {
        "chi2/expected-advantage": 0.0193145715,
        "chi2/time-resolved": 0.0238928698,
        "chi2/mean-max": 0.0241802634,
        "chi2/second-order": 0.0335310018,
        "transition/time-resolved": 0.0265642298,
        "transition/mean-max": 0.0269756150,
        "transition/second-order": 0.0335699714,
    }
    got = {name: bounds.get(name).lower_bound(q) - q.expected_return_old for name in rounded}
    assert got == pytest.approx(rounded, abs=6e-11, rel=0)
    assert q.expected_return_new - q.expected_return_old == pytest.approx(0.0336700337, abs=6e-11)
    np.testing.assert_allclose(q.transition_chi2[:2], [0.02, 0.01 / 0.75], rtol=1e-13)
    np.testing.assert_allclose(q.expected_advantage_value[:2], [0.03292181, 0.10041152], atol=6e-9)


@pytest.mark.parametrize(
    ("gamma", "c", "constant"),
    [
        *((0.5, 0.001, 0.00200100), (0.5, 0.1, 0.210819), (0.9, 0.001, 0.0301359), (0.9, 0.01, 0.314485)),
        *((0.9, 0.1, 9.48683), (0.99, 0.001, 1.048227), (0.99, 0.01, 99.49874)),
    ],
)
def test_the_constant_of_the_advantage_form(gamma, c, constant):
    q = KnownQuantities(gamma=gamma, rms_advantage=1.0, reverse_max_chi2=c)
    assert bounds.get("chi2/advantage").formula(q) == pytest.approx(constant, rel=3e-6)


def random_step(seed: int, states: int = 4, actions: int = 3) -> tuple[tt.FiniteMDP, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.full(states, 0.5), (states, actions))
    gamma = float(np.round(1 - 10 ** rng.uniform(-2, -0.1), 3))
    mdp = tt.FiniteMDP(transition, rng.normal(size=(states, actions)), gamma, rng.dirichlet(np.ones(states)))
    old = rng.dirichlet(np.ones(actions), states)
    size = 10 ** rng.uniform(-3, -0.5)
    return mdp, old, (1 - size) * old + size * rng.dirichlet(np.ones(actions), states)


class Path:
    """The step in 40 digits, and sums over time as they are written."""

    def __init__(self, mdp: tt.FiniteMDP, old: np.ndarray, new: np.ndarray) -> None:
        self.states = range(mdp.states)
        self.gamma = mpf(repr(float(mdp.gamma)))
        rows = [[[mpf(float(x)) for x in row] for row in table] for table in (old, new)]
        (self.old, self.new) = [[[x / sum(row) for x in row] for row in table] for table in rows]
        actions = range(mdp.actions)
        move = [[[mpf(float(x)) for x in mdp.transition[s, a]] for a in actions] for s in self.states]
        move = [[[x / sum(row) for x in row] for row in rows] for rows in move]
        reward = [[mpf(float(mdp.reward[s, a])) for a in actions] for s in self.states]
        self.start = [mpf(float(x)) for x in mdp.initial]
        self.start = [x / sum(self.start) for x in self.start]

        def chain(policy):
            return [[sum(policy[s][a] * move[s][a][t] for a in actions) for t in self.states] for s in self.states]

        self.p_old, self.p_new = chain(self.old), chain(self.new)
        value = self.solve(
            self.p_old, [sum(x * r for x, r in zip(self.old[s], reward[s], strict=True)) for s in self.states]
        )
        ahead = [[sum(p * v for p, v in zip(move[s][a], value, strict=True)) for a in actions] for s in self.states]
        advantage = [[reward[s][a] + self.gamma * ahead[s][a] - value[s] for a in actions] for s in self.states]
        self.abar = [sum(x * y for x, y in zip(self.new[s], advantage[s], strict=True)) for s in self.states]

    def solve(self, chain, b):
        matrix = mpmath.matrix([[int(s == t) - self.gamma * chain[s][t] for t in self.states] for s in self.states])
        return list(mpmath.lu_solve(matrix, mpmath.matrix(b)))

    def residual(self):
        u = self.solve(self.p_old, self.abar)
        return [
            self.gamma * sum((y - x) * w for x, y, w in zip(self.p_old[s], self.p_new[s], u, strict=True))
            for s in self.states
        ]

    def chi2(self, old, new):
        return [sum((y - x) ** 2 / x for x, y in zip(old[s], new[s], strict=True) if x) for s in self.states]

    def timed(self, a, chi2, *, by_mean: bool, most: int, span=mpmath.inf):
        """Σ_{t<most} γᵗ min(sd_t(a) √v_t, span)."""

        def moments(f):
            mean = sum(p * x for p, x in zip(law, f, strict=True))
            return mean, mpmath.sqrt(sum(p * (x - mean) ** 2 for p, x in zip(law, f, strict=True)))

        law, v, total, c = self.start, mpf(0), mpf(0), max(chi2)
        for t in range(most):
            total += self.gamma**t * min(moments(a)[1] * mpmath.sqrt(v), span)
            step = c * (1 + v)
            if by_mean:
                mean, sd = moments(chi2)
                step = min(step, mean + 2 * sd * mpmath.sqrt(v) + c * v)
            v += step
            law = [sum(law[s] * self.p_old[s][t2] for s in self.states) for t2 in self.states]
        return total


@pytest.mark.parametrize("seed", range(3))
def test_sums_over_time_are_those_of_mpmath(seed):
    """With steps enough that nothing is left over; what is taken as a block can only add, and never more than (A') has."""
    step = random_step(seed)
    q = tt.compare(*step)
    with mpmath.workdps(40):
        path = Path(*step)
        policies, chains = path.chi2(path.old, path.new), path.chi2(path.p_old, path.p_new)
        for name, chi2 in zip((*TIMED, *CHAINS), (policies,) * 3 + (chains,) * 3, strict=True):
            a = path.residual() if name.endswith("second-order") else path.abar
            first = path.timed(a, chi2, by_mean=not name.endswith("time-resolved"), most=250)
            penalty = float(bounds.get(name).penalty(q))
            assert penalty >= float(first) * (1 - 1e-9)
            if q.gamma <= 0.9 and q.gamma * (1 + float(max(chi2))) < 0.95:
                assert penalty == pytest.approx(float(first), rel=1e-4)


@pytest.mark.parametrize("gamma", [0.9, 0.999999])
@pytest.mark.parametrize("seed", range(3))
def test_rare_states_keep_their_digits_in_floats(seed, gamma):
    """An end takes nearly all mass, while E (X_t - 1)^2 grows without bound: what multiplies it must not be rounding."""
    mdp, old, _ = random_step(seed, states=3, actions=4)
    transition = mdp.transition.copy()
    transition[:, :, 2] += 1
    transition[2] = [0, 0, 1]
    mdp = tt.FiniteMDP(transition / transition.sum(2, keepdims=True), mdp.reward, gamma, [0.7, 0.3, 0])
    new = np.random.default_rng(seed).dirichlet(np.ones(4), 3)
    q = tt.compare(mdp, old, new)
    with mpmath.workdps(60):
        path = Path(mdp, old, new)
        residual = path.residual()
        assert np.asarray(q.second_order_residual)[:2] == pytest.approx([float(x) for x in residual[:2]], rel=1e-8)
        assert q.second_order_residual[2] == 0
        last = 32 * int(min(8, np.ceil(np.log(1e-6) / np.log(gamma) / 32)))
        for name, a, rows in (
            ("transition/second-order", residual, (path.p_old, path.p_new)),
            ("chi2/second-order", residual, (path.old, path.new)),
            ("chi2/time-resolved", path.abar, (path.old, path.new)),
        ):
            first = path.timed(
                a, path.chi2(*rows), by_mean=name.endswith("second-order"), most=last, span=max(a) - min(a)
            )
            found = penalty_by_time(q, name)
            assert float(sum(found[:-1])) == pytest.approx(float(first), rel=1e-7)


def test_each_form_is_below_the_one_that_it_refines():
    for seed in range(60):
        q = tt.compare(*random_step(seed))
        penalty = {name: bounds.get(name).penalty(q) for name in IDS}
        chains = ("chi2/expected-advantage", "chi2/time-resolved", "chi2/mean-max", "transition/mean-max")
        order = [
            chains,
            ("chi2/expected-advantage", "chi2/instance"),
            ("chi2/time-resolved", "transition/time-resolved"),
        ]
        for line in order:
            for looser, tighter in itertools.pairwise(line):
                assert penalty[tighter] <= penalty[looser] * (1 + 1e-12), (seed, tighter, looser)


@pytest.mark.parametrize("name", IDS)
def test_a_batch_is_its_instances(name):
    steps = [random_step(seed) for seed in range(8)]
    fields = ("transition", "reward", "gamma", "initial")
    mdp = tt.FiniteMDP(*(np.stack([getattr(step[0], field) for step in steps]) for field in fields))
    batch = bounds.get(name).penalty(tt.compare(mdp, *(np.stack([step[k] for step in steps]) for k in (1, 2))))
    single = [bounds.get(name).penalty(tt.compare(*step)) for step in steps]
    np.testing.assert_allclose(batch, single, rtol=1e-11)


@pytest.mark.parametrize("name", IDS)
def test_one_old_serves_a_batch_of_new_ones_or_of_mdps(name):
    mdp, old, new = random_step(2)
    news = np.stack([new, 0.5 * old + 0.5 * new])
    many = tt.FiniteMDP(np.stack([mdp.transition] * 2), np.stack([mdp.reward] * 2), mdp.gamma, mdp.initial)
    single = [bounds.get(name).penalty(tt.compare(mdp, old, one)) for one in news]
    for each in (mdp, many):
        np.testing.assert_allclose(bounds.get(name).penalty(tt.compare(each, old, news)), single, rtol=1e-11)


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("seed", [3, 4])
def test_balls_enclose_what_floats_compute(name, seed):
    step = random_step(seed)
    exact = bounds.get(name).penalty(ExactInstance.of(*step).quantities())
    assert exact.midpoint == pytest.approx(float(bounds.get(name).penalty(tt.compare(*step))), rel=1e-9)


def test_a_move_to_where_old_never_goes_is_not_bounded():
    """Old stays; new leaks to a state that old never visits, where it loses: no function of the step on old's path sees it."""
    transition = np.zeros((2, 2, 2))
    transition[0, 0, 0] = transition[0, 1, 1] = transition[1, :, 1] = 1
    mdp = tt.FiniteMDP(transition, [[0, 0], [0, -1]], 0.9, [1, 0])
    q = tt.compare(mdp, [[1, 0], [1, 0]], [[0.9, 0.1], [0, 1]])
    assert q.surrogate_gap < -1
    assert all(np.isinf(bounds.get(name).penalty(q)) for name in IDS)


@pytest.mark.parametrize("name", IDS)
def test_nothing_is_at_stake_without_a_future(name):
    transition = np.full((2, 2, 2), 0.5)
    mdp = tt.FiniteMDP(transition, [[0, 1], [1, 0]], 0.0, [0.5, 0.5])
    q = tt.compare(mdp, [[1, 0], [1, 0]], [[0, 1], [0.5, 0.5]])
    nothing_said = name in ("chi2/ratio-clip", "chi2/ratio-cap")  # their hypothesis, new ≪ old, fails
    assert bounds.get(name).penalty(q) == (np.inf if nothing_said else 0)


@pytest.mark.parametrize("name", IDS)
def test_states_that_old_never_visits_do_not_matter_to_the_timed_forms(name):
    mdp, old, new = three_states()
    transition = np.zeros((4, 2, 4))
    transition[:3, :, :3], transition[3, :, 0] = mdp.transition, 1
    wider = tt.FiniteMDP(transition, np.vstack([mdp.reward, [5, -5]]), 0.5, [1, 0, 0, 0])
    q = tt.compare(wider, np.vstack([old, [1, 0]]), np.vstack([new, [0, 1]]))
    same = bounds.get(name).penalty(tt.compare(mdp, old, new))
    if name in (*TIMED, *CHAINS, "chi2/instance"):
        assert bounds.get(name).penalty(q) == pytest.approx(float(same), rel=1e-12)
    else:
        assert bounds.get(name).penalty(q) == np.inf


def test_beyond_the_barrier_what_dies_out_is_still_bounded():
    """γ(1 + c) > 1, but old ends soon: sums over time converge where (A') says nothing."""
    transition = np.zeros((2, 2, 2))
    transition[0, 0], transition[0, 1], transition[1, :, 1] = [0.5, 0.5], [0.25, 0.75], 1
    mdp = tt.FiniteMDP(transition, [[0, 1], [0, 0]], 0.99, [1, 0])
    step = (mdp, np.full((2, 2), 0.5), np.array([[0.6, 0.4], [0.5, 0.5]]))
    q = tt.compare(*step)
    assert bounds.get("chi2/expected-advantage").penalty(q) == np.inf
    with mpmath.workdps(40):
        path = Path(*step)
        total = path.timed(path.abar, [path.chi2(path.old, path.new)[0], mpf(0)], by_mean=False, most=600)
    assert float(bounds.get("chi2/time-resolved").penalty(q)) == pytest.approx(float(total), rel=1e-9)
