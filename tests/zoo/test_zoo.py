"""The zoo against closed forms: gaps by exact rationals, values from the textbooks."""

from fractions import Fraction as F

import mpmath
import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory import zoo


def exact_gap(transition, reward, gamma, initial, old, new):
    """eta(new) - L in mpmath at 60 digits, from the definitions, with plain loops."""
    with mpmath.workdps(60):
        states, actions = len(reward), len(reward[0])

        def chain(policy):
            step = [
                [sum(policy[s][a] * transition[s][a][t] for a in range(actions)) for t in range(states)]
                for s in range(states)
            ]
            matrix = mpmath.matrix(states, states)
            for s in range(states):
                for t in range(states):
                    matrix[s, t] = (s == t) - gamma * step[s][t]
            return matrix

        def solve(matrix, b):
            return mpmath.lu_solve(matrix, mpmath.matrix(b))

        def expected(policy):
            return [sum(policy[s][a] * reward[s][a] for a in range(actions)) for s in range(states)]

        value = solve(chain(old), expected(old))
        value_new = solve(chain(new), expected(new))
        rho = solve(chain(old).T, initial)
        surrogate = sum(initial[s] * value[s] for s in range(states))
        for s in range(states):
            for a in range(actions):
                q = reward[s][a] + gamma * sum(transition[s][a][t] * value[t] for t in range(states))
                surrogate += rho[s] * new[s][a] * (q - value[s])
        return sum(initial[s] * value_new[s] for s in range(states)) - surrogate


def as_mp(array):
    return [as_mp(row) for row in array] if np.ndim(array) else mpmath.mpf(float(array))


@pytest.mark.parametrize("gamma", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        *(("coupling-tight", {"x": x}) for x in (0.0, 0.01, 0.25, 0.5, 0.75, 1.0)),
        *(("pinsker-tight", {"x": x}) for x in (0.001, 0.1, 0.49)),
        *(("equal-kl", {"a": a, "b": b}) for a, b in ((0.1, 0.1), (0.5, 0.0), (0.01, 0.4))),
        *(("kakade-langford-tight", {"x": x}) for x in (0.01, 0.25, 1.0)),
        *(("cpo-tight", {"x": x, "scale": m}) for x, m in ((0.1, 100.0), (0.5, 2.0))),
        *(("aliased", {"p": p, "p_new": p2}) for p, p2 in ((0.4, 0.7), (0.5, 0.1))),
        *(("drunkards-walk", {"x": x, "n": n}) for x, n in ((0.01, 1), (0.1, 3), (0.3, 6), (0.5, 4))),
    ],
)
def test_closed_form_gap_is_the_exact_gap(name, options, gamma):
    made = zoo.make(name, gamma=gamma, **options)
    mdp = made.mdp
    exact = exact_gap(*map(as_mp, (mdp.transition, mdp.reward, gamma, mdp.initial, made.old, made.new)))
    assert made.gap == pytest.approx(float(exact), rel=1e-12, abs=1e-14 * float(np.abs(mdp.reward).max()))
    q = tt.compare(mdp, made.old, made.new)
    assert float(q.surrogate_gap) == pytest.approx(made.gap, rel=1e-12, abs=1e-14 * float(np.abs(mdp.reward).max()))


def test_the_earlier_ids_of_the_families_are_aliases():
    names = {
        "f1": "coupling-tight",
        "f2": "pinsker-tight",
        "f3": "equal-kl",
        "f4": "kakade-langford-tight",
        "f5": "cpo-tight",
        "f6": "aliased",
        "walk": "drunkards-walk",
    }
    assert names == zoo.ALIASES
    for old, name in names.items():
        assert getattr(zoo, old) is getattr(zoo, name.replace("-", "_"))
        assert zoo.FAMILIES[old] is zoo.FAMILIES[name]
        assert old in zoo.NAMES
        first, second = zoo.make(old, gamma=0.7), zoo.make(name, gamma=0.7)
        assert (first.new == second.new).all()
        assert first.gap == second.gap
        loaded = tt.load(f"zoo:{old}?gamma=7/10")
        assert (loaded.transition == second.mdp.transition).all()


def test_f2_attains_pinskers_constant_in_the_limit():
    made = zoo.pinsker_tight(gamma=1e-6, x=1e-3)
    penalty = float(tt.bounds["pinsker/kl"].penalty(tt.compare(*_parts(made))))
    assert -made.gap / penalty == pytest.approx(1.0, abs=1e-5)


def test_families_batch_over_their_parameters():
    gamma, x = np.array([0.5, 0.9])[:, None], np.linspace(0, 1, 7)
    batch = zoo.f1(gamma=gamma, x=x)
    assert batch.mdp.batch_shape == (2, 7)
    for i, g in enumerate((0.5, 0.9)):
        for j, value in enumerate(x):
            one = zoo.f1(gamma=g, x=value)
            assert batch.gap[i, j] == pytest.approx(one.gap, rel=1e-14)
            assert (batch.new[i, j] == one.new).all()


def test_f1_attains_coupling_tv():
    made = zoo.f1(gamma=F(1, 2), x=F(1, 4))
    exact = -4 * F(1, 2) * F(1, 16) / (F(1, 2) * (1 - F(1, 2) * F(3, 4)))
    assert made.gap == float(exact) == -0.4
    q = tt.compare(made.mdp, made.old, made.new)
    assert float(tt.bounds["coupling/tv"].penalty(q)) == pytest.approx(0.4, rel=1e-14)


def test_f2_and_f3_have_the_stated_kl():
    x = 0.1
    q = tt.compare(*_parts(zoo.f2(x=x)))
    assert np.asarray(q.kl) == pytest.approx(-0.5 * np.log(1 - 4 * x * x), rel=1e-13)
    q = tt.compare(*_parts(zoo.f3(a=0.2, b=0.1)))
    assert q.kl[0] == pytest.approx(q.kl[1], rel=1e-12)


def test_f5_tends_to_the_cpo_bound():
    ratios = []
    for scale in (1e1, 1e3, 1e5):
        made = zoo.f5(gamma=0.9, x=0.1, scale=scale)
        ratios.append(-made.gap / float(tt.bounds["cpo/mean-tv"].penalty(tt.compare(*_parts(made)))))
    assert ratios == sorted(ratios)
    assert ratios[-1] == pytest.approx(1.0, abs=1e-3)
    assert ratios[-1] <= 1


def test_f6_return_is_gamma_p_one_minus_p():
    made = zoo.f6(gamma=0.9, p=0.4, p_new=0.7)
    q = tt.compare(*_parts(made))
    assert float(q.expected_return_old) == pytest.approx(0.216, rel=1e-14)
    assert float(q.expected_return_new) == pytest.approx(0.189, rel=1e-14)


def test_walk_is_symmetric_and_worst_near_its_limit():
    """Its ratio gap/(eps D) over 2 Li_{-1/2}(gamma) is .86 at gamma .5 and .80 at .9 as x -> 0."""
    for gamma, ratio in ((0.5, 0.86), (0.9, 0.80)):
        made = zoo.walk(gamma=gamma, x=1e-4, n=400)
        q = tt.compare(*_parts(made))
        assert np.abs(q.value).max() < 1e-15
        li = float(mpmath.polylog(-0.5, gamma))
        assert -made.gap / (float(q.max_kl) * 2 * li) == pytest.approx(ratio, abs=5e-3)


@pytest.mark.parametrize(
    ("name", "gamma", "value"),
    [
        ("puterman", 0.95, [-60 / 7, -20]),
        ("forest", 0.9, [26.244, 29.484, 33.484]),
        ("toymaker", 0.9, [22.2, 12.3]),
        ("taxicab", 0.9, [121.65, 135.31, 122.84]),
        ("kakade", 0.9, [18, 20]),
    ],
)
def test_textbook_optimal_values(name, gamma, value):
    digits = 2 if name == "taxicab" else 1 if name == "toymaker" else 11
    assert np.round(tt.optimal(zoo.make(name, gamma=gamma)).value, digits) == pytest.approx(np.round(value, digits))


@pytest.mark.peers
def test_forest_is_pymdptoolboxs():
    import mdptoolbox.example

    for states in (3, 6):
        transition, reward = mdptoolbox.example.forest(S=states)
        mdp = zoo.forest(states=states)
        assert (mdp.transition == transition.swapaxes(0, 1)).all()
        assert (mdp.reward == reward).all()


def test_grid_sparse_is_dense():
    sparse, dense = zoo.grid(size=50), zoo.grid(size=26)
    assert sparse.is_sparse
    assert not dense.is_sparse
    assert sparse.transition.sum(axis=1) == pytest.approx(1.0)
    assert sparse.transition[[4 * 51], :].toarray()[0, [1, 50, 52]] == pytest.approx([0.8, 0.1, 0.1])


def test_queue_conserves_customers_in_the_mean():
    mdp = zoo.queue(capacity=50, arrival=0.3, slow=0.4, fast=0.8)
    drift = mdp.transition[10] @ np.arange(51) - 10
    assert drift == pytest.approx([0.3 - 0.4, 0.3 - 0.8])


def test_random_ones_depend_on_the_seed_only():
    a, b, c = (zoo.make("garnet", seed=seed, states=30) for seed in (1, 1, 2))
    assert (a.transition == b.transition).all()
    assert (a.transition != c.transition).any()
    assert ((a.transition > 0).sum(-1) <= 5).all()


@pytest.mark.parametrize(
    ("name", "options", "fix"),
    [
        ("f7", {}, "did you mean"),
        ("f1", {"y": 1}, "choose one of"),
        ("f1", {"x": 2}, "change x"),
        ("f1", {"x": "a"}, "change x"),
        ("walk", {"n": 2.5}, "pass n=60"),
        ("garnet", {"states": 0}, "change states"),
        ("garnet", {"seed": -1}, "change seed"),
        ("forest", {"fire": 2}, "change fire"),
        ("puterman", {"gamma": 1.5}, "0.99"),
        ("f1", {"gamma": 1.0}, "0.99"),
    ],
)
def test_bad_options_are_refused(name, options, fix):
    with pytest.raises(tt.InvalidInput, match="fix: ") as error:
        zoo.make(name, **options)
    assert fix in str(error.value)


def _parts(made):
    return made.mdp, made.old, made.new
