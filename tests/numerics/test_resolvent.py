"""Each route of the resolvent against exact rationals, closed forms or a direct banded solver."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp
import scipy.sparse.linalg
from cheap import sampled
from exact import error, nearest, rationals, relative_error
from exact import resolvent as exact_resolvent
from strategies_small import random_rows

from trpo_theory.errors import NotSolved
from trpo_theory.numerics import resolvent as linear
from trpo_theory.numerics import sparse_resolvent
from trpo_theory.numerics.sparse_resolvent import SparseResolvent

ROUTES = {
    "single": (linear._Lapack, (1, 2, 7, 31, 40)),
    "eliminated": (linear._Eliminated, (1, 2, 7, 31)),
    "batched": (linear._BatchedLapack, (32, 40)),
    "sparse": (SparseResolvent, (1, 2, 7, 40)),
    "sparse-lu": (SparseResolvent, (1, 2, 7, 40)),
}
CASES = [(route, states) for route, (_, sizes) in ROUTES.items() for states in sizes]
every_route = pytest.mark.parametrize(("route", "states"), CASES)


def answer_krylov_with(monkeypatch, value: float, info: int) -> None:
    """Whichever Krylov method the package prefers, its answer is now this constant, with this status."""
    for name in ("bicgstab", "gmres", "lgmres", "gcrotmk", "tfqmr"):
        monkeypatch.setattr(scipy.sparse.linalg, name, lambda A, b, **_: (np.full_like(b, value), info))


class Solver:
    """One chain, or a few, put through one route; right-hand sides and answers are (S,), one a chain."""

    def __init__(self, route: str, chains: list[np.ndarray], gammas: list[float], monkeypatch) -> None:
        kind = ROUTES[route][0]
        self._batched = route in ("eliminated", "batched")
        if self._batched:
            self._solvers = [linear.resolvent(np.stack(chains, -1), np.array(gammas))]
        else:
            form = sp.csr_array if route.startswith("sparse") else np.array
            self._solvers = [linear.resolvent(form(P), g) for P, g in zip(chains, gammas, strict=True)]
        if route == "sparse-lu":
            answer_krylov_with(monkeypatch, np.nan, 1)
        assert all(type(solver) is kind for solver in self._solvers)

    def __call__(self, right: list[np.ndarray], *, transposed: bool) -> list[np.ndarray]:
        method = "solve_transposed" if transposed else "solve"
        if self._batched:
            return list(np.moveaxis(getattr(self._solvers[0], method)(np.stack(right, -1)), -1, 0))
        return [getattr(solver, method)(b) for solver, b in zip(self._solvers, right, strict=True)]


def chains_of(rng: np.random.Generator, states: int) -> tuple[list[np.ndarray], list[float]]:
    return [random_rows(rng, states, states, zeros=0.5) for _ in range(4)], [0.0, 0.5, 0.9, 0.99]


@every_route
def test_values_are_exact_to_rounding(route, states, monkeypatch):
    rng = np.random.default_rng(states)
    chains, gammas = chains_of(rng, states)
    right = [rng.normal(size=states) for _ in chains]
    got = Solver(route, chains, gammas, monkeypatch)(right, transposed=False)
    for P, gamma, b, x in zip(chains, gammas, right, got, strict=True):
        want = exact_resolvent(P, gamma, b)
        assert error(x, want) <= 1e-13 / (1 - gamma) * np.abs(b).max()
        assert error(x, want) <= 1e-12 * np.abs(nearest(want)).max()


@every_route
def test_visitations_are_exact_to_rounding(route, states, monkeypatch):
    rng = np.random.default_rng(states)
    chains, gammas = chains_of(rng, states)
    right = [random_rows(rng, states) for _ in chains]
    got = Solver(route, chains, gammas, monkeypatch)(right, transposed=True)
    for P, gamma, b, y in zip(chains, gammas, right, got, strict=True):
        want = exact_resolvent(P, gamma, b, transposed=True)
        assert np.abs(nearest(rationals(y) - want)).sum() <= 1e-13 / (1 - gamma)


def two_islands(states: int) -> np.ndarray:
    """The first half is never left; the second half leads into it. A ring inside each."""
    half = states // 2
    P = np.zeros((states, states))
    for s in range(states):
        low, high = (0, half) if s < half else (half, states)
        P[s, low + (s + 1 - low) % (high - low)] += 0.5
        P[s, low + (s + 2 - low) % (high - low)] += 0.25
        P[s, s % half] += 0.25
    return P


@pytest.mark.parametrize("transitions", ["up", "down"])
@pytest.mark.parametrize(("route", "states"), [case for case in CASES if case[1] >= 6])
def test_states_that_cannot_be_reached_have_a_visitation_of_exactly_zero(route, states, transitions, monkeypatch):
    P, half = two_islands(states), states // 2
    order = np.arange(states) if transitions == "up" else np.arange(states)[::-1]
    start = np.zeros(states)
    start[0] = start[half - 1] = 0.5
    chains, gammas = [P[order][:, order]] * 2, [0.9, 0.9999]
    for gamma, y in zip(
        gammas, Solver(route, chains, gammas, monkeypatch)([start[order]] * 2, transposed=True), strict=True
    ):
        y = y[order]
        assert (y[half:] == 0.0).all()
        assert (y[:half] > 0.0).all()
        assert y.sum() == pytest.approx(1 / (1 - gamma), rel=1e-12)


def walk(states: int, right: float) -> sp.csr_array:
    """The walk on a line that stays put at the walls."""
    s = np.arange(states)
    to = np.concatenate([np.maximum(s - 1, 0), np.minimum(s + 1, states - 1)])
    probability = np.concatenate([np.full(states, 1 - right), np.full(states, right)])
    return sp.csr_array((probability, (np.concatenate([s, s]), to)), shape=(states, states))


@pytest.mark.parametrize("route", ROUTES)
@sampled(("right", "gamma"), [(0.1, 0.9), (0.01, 0.5), (0.2, 0.99), (0.02, 0.99999)], every=3)
def test_a_visitation_is_never_negative_however_small(route, right, gamma, monkeypatch):
    states = {"eliminated": 31, "sparse": 120, "sparse-lu": 120}.get(route, 60)
    P, start = walk(states, right).toarray(), np.eye(1, states)[0]
    (y,) = Solver(route, [P], [gamma], monkeypatch)([start], transposed=True)
    want = nearest(exact_resolvent(P, gamma, start, transposed=True))
    assert (want > 0).all()
    assert want.min() < 1e-13 * want.max()
    assert (y >= 0).all(), f"{(y < 0).sum()} negative, the least {y.min():.1e}"
    np.testing.assert_allclose(y, want, rtol=0, atol=1e-14 * (1 + 1 / (1 - gamma)) * want.sum())


@pytest.mark.parametrize("scale", [1e-30, 1e-150, 1e-200, 1e-300])
@pytest.mark.parametrize("route", ROUTES)
def test_tiny_right_hand_sides_lose_nothing(route, scale, monkeypatch):
    rng = np.random.default_rng(1)
    states = ROUTES[route][1][-1]
    P, b = random_rows(rng, states, states, zeros=0.0), scale * (1 + rng.random(states))
    solver = Solver(route, [P], [0.9], monkeypatch)
    for transposed in (False, True):
        (x,) = solver([b], transposed=transposed)
        assert relative_error(x, exact_resolvent(P, 0.9, b, transposed=transposed)) <= 1e-13


@pytest.mark.parametrize("route", ROUTES)
def test_a_zero_right_hand_side_gives_zero(route, monkeypatch):
    states = ROUTES[route][1][-1]
    P = random_rows(np.random.default_rng(2), states, states)
    for transposed in (False, True):
        (x,) = Solver(route, [P], [0.99], monkeypatch)([np.zeros(states)], transposed=transposed)
        assert (x == 0.0).all()


def test_the_chain_and_the_right_hand_side_are_left_alone():
    rng = np.random.default_rng(3)
    for P, b in (
        (random_rows(rng, 4, 4), np.ones(4)),
        (np.moveaxis(random_rows(rng, 3, 4, 4), 0, -1), np.ones((4, 3))),
        (np.moveaxis(random_rows(rng, 3, 40, 40), 0, -1), np.ones((40, 3))),
        (sp.csr_array(random_rows(rng, 4, 4)), np.ones(4)),
    ):
        before, solver = P.copy(), linear.resolvent(P, 0.9)
        solver.solve(b), solver.solve_transposed(b)
        assert (b == 1.0).all()
        assert not abs(P - before).sum()


@pytest.mark.parametrize("states", [5, 40])
def test_batched_routes_broadcast_over_one_chain_many_gammas_and_many_right_hand_sides(states):
    rng = np.random.default_rng(4)
    P, gammas, b = random_rows(rng, states, states), np.array([[0.5], [0.9]]), rng.normal(size=(states, 1, 3))
    x = linear.resolvent(P[..., None, None], gammas).solve(b)
    assert x.shape == (states, 2, 3)
    for i, j in np.ndindex(2, 3):
        want = nearest(exact_resolvent(P, gammas[i, 0], b[:, 0, j]))
        np.testing.assert_allclose(x[:, i, j], want, rtol=0, atol=1e-13 * np.abs(want).max())


@pytest.mark.parametrize("stays", [0.0, 0.25])
def test_chains_that_never_go_back(stays):
    rng = np.random.default_rng(5)
    chains = np.triu(rng.random((3, 6, 6)), 1) / 6
    chains[:, np.arange(6), np.arange(6)] = stays
    b = rng.normal(size=6)
    solved = linear.resolvent(np.moveaxis(chains, 0, -1), np.full(3, 0.75))
    got = solved.solve(b[:, None]), solved.solve_transposed(b[:, None])
    for i, P in enumerate(chains):
        for x, transposed in zip(got, (False, True), strict=True):
            want = nearest(exact_resolvent(P, 0.75, b, transposed=transposed))
            np.testing.assert_allclose(x[:, i], want, rtol=0, atol=1e-14 * np.abs(want).max())


# --- large sparse chains ------------------------------------------------------------------------------------------


def ring(states: int) -> sp.csr_array:
    s = np.arange(states)
    return sp.csr_array((np.ones(states), (s, (s + 1) % states)), shape=(states, states))


def expander(rng: np.random.Generator, states: int, degree: int = 4) -> sp.csr_array:
    rows, to = np.repeat(np.arange(states), degree), rng.integers(0, states, states * degree)
    return sp.csr_array((np.full(states * degree, 1 / degree), (rows, to)), shape=(states, states))


def refuse(*_args, **_options):
    raise AssertionError("sparse LU of a chain that mixes: its fill-in is quadratic")


@pytest.mark.parametrize("gamma", [0.9, 0.99999])
def test_a_long_ring_has_its_closed_form(gamma):
    """BiCGSTAB cannot follow a ring of 2000 states at γ = 0.99999: sparse LU takes over."""
    states = 2000
    start, solver = np.eye(1, states)[0], linear.resolvent(ring(states), gamma)
    with np.errstate(under="ignore"):
        want = gamma ** np.arange(states) / -np.expm1(states * np.log(gamma))
    y = solver.solve_transposed(start)
    assert np.abs(y - want).sum() <= 1e-11 / (1 - gamma)
    x = solver.solve(start)  # from state s, state 0 is S − s steps away
    assert np.abs(x - np.concatenate([want[:1], want[:0:-1]])).max() <= 1e-11 / (1 - gamma)


@pytest.mark.parametrize(("right", "gamma"), [(0.5, 0.9), (0.5, 0.99999), (0.3, 0.9999), (0.6, 0.999)])
def test_a_long_walk_agrees_with_a_banded_solver(right, gamma):
    states = 3000
    P, b = walk(states, right), np.random.default_rng(5).normal(size=states)
    solver, dense_diagonal = linear.resolvent(P, gamma), 1 - gamma * P.diagonal()
    up, down = np.full(states, -gamma * right), np.full(states, -gamma * (1 - right))
    for transposed, y in ((False, solver.solve(b)), (True, solver.solve_transposed(b))):
        above, below = (down, up) if transposed else (up, down)
        bands = np.array([above, dense_diagonal, below])
        want = scipy.linalg.solve_banded((1, 1), bands, b)
        assert np.abs(y - want).max() <= 1e-11 * np.abs(want).max()


@pytest.mark.slow
@pytest.mark.parametrize("gamma", [0.9, 0.99, 0.999, 0.99999])
@pytest.mark.parametrize("right", ["reward", "uniform start", "single start", "single reward"])
def test_an_expander_is_solved_without_sparse_lu(right, gamma, monkeypatch):
    monkeypatch.setattr(scipy.sparse.linalg, "splu", refuse)
    rng, states = np.random.default_rng(6), 1500
    P, transposed = expander(rng, states), right.endswith("start")
    point = np.eye(1, states)[0]
    b = {"reward": rng.normal(size=states), "uniform start": np.full(states, 1 / states)}.get(right, point)
    solver = linear.resolvent(P, gamma)
    got = solver.solve_transposed(b) if transposed else solver.solve(b)
    dense = np.eye(states) - gamma * (P.T if transposed else P).toarray()
    want = np.linalg.solve(dense, b)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-14 * (1 + 1 / (1 - gamma)) * np.abs(want).max())


def test_a_tiny_right_hand_side_does_not_send_an_expander_to_sparse_lu(monkeypatch):
    monkeypatch.setattr(scipy.sparse.linalg, "splu", refuse)
    rng, states = np.random.default_rng(6), 300
    P, b = expander(rng, states), rng.normal(size=states)
    got, want = linear.resolvent(P, 0.99).solve(1e-200 * b), np.linalg.solve(np.eye(states) - 0.99 * P.toarray(), b)
    np.testing.assert_allclose(got * 1e200, want, rtol=0, atol=1e-12 * np.abs(want).max())


@pytest.mark.parametrize("transposed", [False, True])
def test_not_solved_is_raised_when_neither_method_converges(transposed, monkeypatch):
    class Useless:
        def solve(self, b, **_):
            return np.zeros_like(b)

    answer_krylov_with(monkeypatch, 0.0, 0)
    monkeypatch.setattr(scipy.sparse.linalg, "splu", lambda *_, **__: Useless())
    solver = linear.resolvent(ring(5), 0.9)
    with pytest.raises(NotSolved, match=r"got a residual .* wanted .* fix: "):
        (solver.solve_transposed if transposed else solver.solve)(np.ones(5))


def test_a_wrong_krylov_answer_is_noticed_and_mended_by_lu(monkeypatch):
    answer_krylov_with(monkeypatch, 3.0, 0)
    b = np.arange(5.0)
    np.testing.assert_allclose(
        linear.resolvent(ring(5), 0.9).solve(b), np.linalg.solve(np.eye(5) - 0.9 * ring(5).toarray(), b), rtol=1e-13
    )


def random_chain(states: int, successors: int) -> sp.csr_array:
    generator = np.random.default_rng(11)
    rows = np.repeat(np.arange(states), successors)
    columns, weights = generator.integers(states, size=rows.size), generator.dirichlet(np.ones(successors), states)
    return sp.csr_array(sp.coo_array((weights.ravel(), (rows, columns)), shape=(states, states)))


@pytest.mark.parametrize("gamma", [0.5, 0.99, 0.9995])
def test_sweeps_in_single_precision_lose_no_digit(gamma, monkeypatch):
    """Against LAPACK: the residual is of rounding, forward and transposed."""
    monkeypatch.setattr(sparse_resolvent, "_SINGLE_FROM", 0)
    states = 300
    chain, generator = random_chain(states, 6), np.random.default_rng(12)
    solver, matrix = linear.resolvent(chain, gamma), np.eye(states) - gamma * chain.toarray()
    for b in (generator.standard_normal(states), np.eye(states)[7]):
        x, y = solver.solve(b), solver.solve_transposed(b)
        want = np.linalg.solve(matrix, b)
        assert np.abs(b - matrix @ x).max() <= 1e-14 * max(np.abs(want).max(), np.abs(b).max())
        np.testing.assert_allclose(x, want, rtol=0, atol=1e-13 * np.abs(want).max() / (1 - gamma))
        want = np.linalg.solve(matrix.T, b)
        assert np.abs(b - matrix.T @ y).sum() <= 1e-14 * np.abs(want).sum()
        np.testing.assert_allclose(y, want, rtol=0, atol=1e-13 * np.abs(want).sum() / (1 - gamma))


def drift(size: int) -> sp.csr_array:
    """Moves on a grid towards one corner, which is never left."""
    row, column = np.divmod(np.arange(size**2), size)
    up, left = np.maximum(row - 1, 0) * size + column, row * size + np.maximum(column - 1, 0)
    here = np.arange(size**2)
    parts = (np.repeat([0.6, 0.3, 0.1], size**2), (np.tile(here, 3), np.concatenate([up, left, here])))
    return sp.csr_array(sp.coo_array(parts, shape=(size**2, size**2)))


def test_a_chain_that_bicgstab_gains_nothing_on_is_factorised():
    """V = Σ γᵗ of the steps outside of the corner, against a direct solver."""
    chain, gamma = drift(60), 0.9999
    b = np.ones(chain.shape[0])
    b[0] = 0.0
    matrix = sp.csc_array(sp.eye_array(len(b)) - gamma * chain)
    np.testing.assert_allclose(
        linear.resolvent(chain, gamma).solve(b), scipy.sparse.linalg.spsolve(matrix, b), rtol=1e-11, atol=1e-11
    )


def test_where_sparse_lu_fills_little():
    """In the plane, and not of a random graph."""
    assert SparseResolvent(drift(60), 0.9)._fills_little
    assert not SparseResolvent(random_chain(5000, 5), 0.9)._fills_little
