"""The policy square and the value polytope against exact rationals, mpmath and each other."""

from __future__ import annotations

import time

import mpmath
import numpy as np
import pytest
from exact import error, nearest, policy_on, step_on

import trpo_theory as tt
from trpo_theory import landscape
from trpo_theory.landscape import improvement_path, policies_at
from trpo_theory.report import policy_square

OLD = [[0.5, 0.5], [0.375, 0.625]]
DELTA = 0.05


@pytest.fixture(scope="module")
def square():
    return landscape.policy_square(tt.zoo.kakade(gamma=0.75), OLD, DELTA, resolution=9)


@pytest.fixture(scope="module")
def polytope():
    mdp = tt.zoo.kakade(gamma=0.75)
    return landscape.value_polytope(mdp, {"(12)": improvement_path(mdp, tt.MaxKL(0.1), 4)}, resolution=5)


def kl(old, new):
    old, new = mpmath.mpf(float(old)), mpmath.mpf(float(new))
    return old * mpmath.log(old / new) + (1 - old) * mpmath.log((1 - old) / (1 - new))


def test_the_square_has_the_numbers_of_exact_rationals(square):
    for i, j in ((0, 0), (1, 6), (4, 4), (7, 2), (8, 0), (8, 8)):
        p, q = square.nodes[i], square.nodes[j]
        exact = step_on(square.mdp, square.old, [[p, 1 - p], [q, 1 - q]])
        assert error(square.expected_return[i, j], exact.new.expected_return) < 1e-14 * 8
        assert error(square.surrogate[i, j], exact.surrogate) < 1e-14 * 8
    assert error(square.expected_return_old, policy_on(square.mdp, square.old).expected_return) < 1e-14 * 8
    assert square.expected_return.shape == square.max_kl.shape == square.lower_bound.shape == (9, 9)


def test_the_square_has_divergences_and_minoriser_by_mpmath(square):
    exact = policy_on(square.mdp, square.old)
    occupancy = 0.25 * nearest(exact.visitation)
    eps = float(np.abs(nearest(exact.advantage)).max())
    with mpmath.workdps(30):
        coefficient = 2 * eps * mpmath.polylog(mpmath.mpf(-1) / 2, mpmath.mpf("0.75"))
        for i, j in ((1, 6), (4, 4), (7, 2)):
            each = [kl(OLD[0][0], square.nodes[i]), kl(OLD[1][0], square.nodes[j])]
            assert float(square.max_kl[i, j]) == pytest.approx(float(max(each)), rel=1e-12)
            assert float(square.mean_kl[i, j]) == pytest.approx(float(occupancy @ each), rel=1e-12)
            minoriser = square.surrogate[i, j] - coefficient * max(each)
            assert float(square.lower_bound[i, j]) == pytest.approx(float(minoriser), rel=1e-11)
    assert np.isneginf(square.lower_bound[0, 3])


def test_the_boundaries_are_where_the_divergence_is_delta(square):
    occupancy = 0.25 * nearest(policy_on(square.mdp, square.old).visitation)
    low, high = square.max_kl_region[0], square.max_kl_region[2]
    for s in range(2):
        for end in (low[s], high[s]):
            assert float(kl(OLD[s][0], end)) == pytest.approx(DELTA, rel=1e-12)
        assert low[s] < OLD[s][0] < high[s]
    oval = square.mean_kl_region
    for point in oval[::40]:
        total = sum(d * kl(row[0], new) for d, row, new in zip(occupancy, OLD, point, strict=True))
        assert float(total) == pytest.approx(DELTA, rel=1e-12)
    angle = np.unwrap(np.arctan2(*(oval - square.old[:, 0]).T[::-1]))
    assert (np.diff(angle) > 0).all()
    assert angle[-1] - angle[0] == pytest.approx(2 * np.pi)


def test_the_oval_touches_the_box_where_the_whole_radius_is_spent_in_both(square):
    corner = square.max_kl_region[2]
    assert np.abs(square.mean_kl_region - corner).max(-1).min() < 0.01
    mdp, old = tt.zoo.kakade(gamma=0.75), np.array(OLD)
    assert float(tt.compare(mdp, old, policies_at(corner)).mean_kl) == pytest.approx(DELTA, rel=1e-11)


def test_the_region_of_sure_improvement_ends_where_m_is_eta_old(square):
    q = tt.compare(square.mdp, square.old, policies_at(square.improving_region))
    promise = np.asarray(tt.bounds["chain-rule/kl"].lower_bound(q)) - square.expected_return_old
    moved = np.abs(square.improving_region - square.old[:, 0]).max(-1)
    assert 0.1 < (moved > 1e-3).mean() < 0.9
    assert np.abs(promise[moved > 1e-3]).max() < 1e-12
    assert (promise[moved <= 1e-3] <= 1e-12).all()
    inside = policies_at(0.5 * (square.improving_region + square.old[:, 0]))
    gained = np.asarray(tt.compare(square.mdp, square.old, inside).expected_return_new) - square.expected_return_old
    assert (gained[moved > 1e-3] > 0).all()


def test_steps_are_inside_their_regions_and_a_section_passes_through_its_step(square):
    assert list(square.steps) == ["(11)", "(12)", "(13)", "TRPO"]
    low, high = square.max_kl_region[0], square.max_kl_region[2]
    end = square.steps["(12)"].policy[:, 0]
    assert np.minimum(np.abs(end - low), np.abs(end - high)).max() < 1e-9
    section = square.section("(11)", resolution=5)
    step = square.steps["(11)"].change[:, 0]
    for k in (0, 2):
        point = square.old[:, 0] + section.distance[k] * step / np.hypot(*step)
        exact = step_on(square.mdp, square.old, policies_at(point))
        assert error(section.expected_return[k], exact.new.expected_return) < 1e-13
        assert error(section.surrogate[k], exact.surrogate) < 1e-13
    assert (section.lower_bound <= section.expected_return + 1e-13).all()
    wall = square.old[:, 0] + section.distance[-1] * step / np.hypot(*step)
    assert min(wall.min(), (1 - wall).min()) == pytest.approx(0, abs=1e-15)


@pytest.mark.slow
def test_corners_of_the_square_are_old_policies_too():
    mdp = tt.zoo.kakade(gamma=0.75)
    square = landscape.policy_square(mdp, [[1, 0], [0.5, 0.5]], 0.1, resolution=5)
    low, high = square.max_kl_region[0], square.max_kl_region[2]
    assert (low[0], high[0]) == (pytest.approx(np.exp(-0.1), rel=1e-12), 1.0)
    assert square.mean_kl_region[:, 0].max() == 1.0
    at_best = landscape.policy_square(mdp, tt.optimal(mdp).policy, 0.0)
    assert at_best.section("(12)") is None
    assert np.ptp(at_best.max_kl_region, axis=0).max() == 0
    assert policy_square.draw(at_best).axes
    unvisited = tt.FiniteMDP([[[1, 0], [1, 0]], [[0, 1], [1, 0]]], [[1, 0], [2, 0]], 0.5, [1, 0])
    oval = landscape.policy_square(unvisited, OLD, 0.1, resolution=5).mean_kl_region
    assert (oval[:, 1].min(), oval[:, 1].max()) == (0, 1)


def test_a_grid_of_200_by_200_takes_less_than_two_seconds():
    start = time.perf_counter()
    square = landscape.policy_square(tt.zoo.toymaker(), OLD, DELTA, resolution=200)
    fields = (square.expected_return, square.surrogate, square.max_kl, square.mean_kl, square.lower_bound)
    assert all(field.shape == (200, 200) for field in fields)
    assert len(square.improving_region) == len(square.mean_kl_region)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: landscape.policy_square(tt.zoo.forest(), np.full((3, 2), 0.5), 0.1), "two states"),
        (lambda: landscape.policy_square(tt.zoo.puterman(), [[0.5, 0.5], [1, 0]], 0.1), "unavailable"),
        (lambda: landscape.policy_square(tt.zoo.kakade(), [[0.5, 0.6]] * 2, 0.1), "sums to"),
        (lambda: landscape.policy_square(tt.zoo.kakade(), [OLD, OLD], 0.1), "one policy"),
        (lambda: landscape.policy_square(tt.zoo.kakade(), OLD, -1), "delta = -1"),
        (lambda: landscape.policy_square(tt.zoo.kakade(), OLD, 0.1, bound="cpo/mean-tv"), "max_kl only"),
        (lambda: landscape.policy_square(tt.zoo.kakade(), OLD, 0.1, resolution=2), "3 or more"),
        (lambda: landscape.policy_square(tt.zoo.kakade(), OLD, 0.1).section("(14)"), "did you mean"),
        (lambda: landscape.value_polytope(tt.zoo.grid()), "two states"),
        (lambda: landscape.value_polytope(tt.zoo.kakade(), {"a": OLD}), "improvement_path"),
    ],
)
def test_bad_input_is_one_message(call, words):
    with pytest.raises(tt.InvalidInput, match="fix: ") as caught:
        call()
    assert words in str(caught.value)


def test_the_polytope_has_exact_vertices_and_straight_edges(polytope):
    mdp = polytope.mdp
    for choice, value in zip(polytope.choices, polytope.vertices, strict=True):
        assert error(value, policy_on(mdp, np.eye(2)[choice]).value) < 1e-13
    assert len(polytope.edges) == 4
    low, high = (policy_on(mdp, [[p, 1 - p], [1, 0]]).value for p in (0.0, 1.0))
    middle = policy_on(mdp, [[0.25, 0.75], [1, 0]]).value
    cross = (middle - low)[0] * (high - low)[1] - (middle - low)[1] * (high - low)[0]
    assert abs(nearest(cross)) == 0  # Dadashi's theorem, in rationals
    assert polytope.paths["(12)"].shape == (5, 2)
    assert error(polytope.paths["(12)"][0], policy_on(mdp, [[0.5, 0.5]] * 2).value) < 1e-13


def test_the_strips_cover_the_value_of_every_policy():
    from matplotlib.path import Path

    mdp = tt.zoo.dirichlet(np.random.default_rng(3), states=2, actions=3, concentration=0.4)
    strips = landscape.value_polytope(mdp).strips
    policies = tt.zoo.random_policy(np.random.default_rng(0), (40, 2, 3))
    for policy in policies:
        value = nearest(policy_on(mdp, policy).value)
        assert any(Path(strip).contains_point(value) for strip in strips)
    centre, spread = strips.mean((0, 1)), np.ptp(strips, axis=(0, 1))
    assert not any(Path(strip).contains_point(centre + spread * [0.3, -0.3]) for strip in strips)


def test_a_path_is_that_of_improve():
    mdp = tt.zoo.kakade(gamma=0.75)
    path = improvement_path(mdp, tt.MeanKL(0.1), 3, old=OLD)
    trace = tt.improve(mdp, tt.MeanKL(0.1), 3, old=OLD)
    returns = [nearest(policy_on(mdp, policy).expected_return) for policy in path]
    assert returns == pytest.approx([trace.initial_return, *(step.expected_return for step in trace.steps)], rel=1e-12)
    assert len(improvement_path(mdp, tt.MaxKL(50.0), 20)) < 20
