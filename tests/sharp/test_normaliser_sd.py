"""The sharp gap over σ = max_s √(Σ_a old A_old²): closed forms, a search over trees by another optimiser, files, refusals."""

import json
from math import comb, inf

import mpmath
import numpy as np
import pytest
from cheap import long, sampled
from scipy.optimize import minimize

import trpo_theory as tt
from trpo_theory.cli import main
from trpo_theory.errors import InvalidInput
from trpo_theory.sharp.divergences import DIVERGENCES

CHI2, CLIP = "reverse-max-chi2", "max-ratio-deviation"


def certified(divergence, gamma, radius, **options):
    return tt.sharp_gap(divergence, gamma, radius, "sd", certify=True, **options)


# --- closed forms -------------------------------------------------------------------------------------------------


def two_values(gamma, c):
    """l = 0 or 1 + c in every state: X_t is 0 or (1 + c)^t, so that E |X_t − 1| = 2 − 2 (1 + c)^−t."""
    total = mpmath.nsum(lambda t: gamma**t * (2 - 2 / (1 + mpmath.mpf(c)) ** t), [0, mpmath.inf])
    return float(mpmath.sqrt(c) * total)


def ceiling(gamma, c, times=40_000):
    """√c Σ γᵗ sup E |X − 1| over X ≥ 0 with E X = 1 and E X² ≤ (1 + c)ᵗ."""
    t = np.arange(times)
    v = np.expm1(np.minimum(t * np.log1p(c), 700))
    return float(np.sqrt(c) * (gamma**t * np.where(v <= 1, np.sqrt(v), 2 * v / (1 + v))).sum())


def rms_constant(gamma, c):
    """(A) over rms(A) ≤ σ."""
    rest = 1 - gamma * (1 + c)
    return c * np.sqrt(gamma) / ((1 - gamma) * np.sqrt(rest)) if rest > 0 else inf


def walk(gamma, e, times):
    """e Σ γᵗ E |X_t − 1|, X_t a product of independent ratios 1 ± e."""
    ratios = [[(1 + e) ** j * (1 - e) ** (t - j) for j in range(t + 1)] for t in range(times)]
    means = [sum(comb(t, j) * abs(x - 1) for j, x in enumerate(row)) / 2**t for t, row in enumerate(ratios)]
    return e * sum(gamma**t * mean for t, mean in enumerate(means))


@sampled("gamma", [0.5, 0.9, pytest.param(0.99, marks=pytest.mark.slow)], every=4)
@pytest.mark.parametrize("c", [1.0, 2.0])
def test_from_one_on_chi2_has_a_closed_form(gamma, c):
    gap, exact = certified(CHI2, gamma, c), two_values(gamma, c)
    assert gap.lower <= exact * (1 + 1e-12)
    assert exact * (1 - 1e-12) <= gap.upper <= gap.lower * 1.001
    assert exact == pytest.approx(2 * gamma * c**1.5 / ((1 - gamma) * (1 + c - gamma)), rel=1e-12)


@sampled("gamma", [0.5, 0.9], every=4)
@pytest.mark.parametrize("c", [1e-4, long(1e-2), 0.2])
def test_small_radii_tend_to_a_polylogarithm_and_second_moments_are_above(gamma, c):
    gap = certified(CHI2, gamma, c)
    assert gap.lower <= ceiling(gamma, c) <= rms_constant(gamma, c)
    assert gap.upper <= gap.lower * 1.001
    if c < 1e-3:
        assert gap.upper / c == pytest.approx(float(mpmath.polylog(-0.5, gamma)), rel=2e-3)


@pytest.mark.slow
@sampled("e", [0.2, 1e-3], every=2)
def test_a_clip_below_one_has_the_walks_series(e):
    gap, exact = certified(CLIP, 0.5, e), walk(0.5, e, 60)
    assert gap.lower <= exact * (1 + 1e-12)
    assert exact * (1 - 1e-12) <= gap.upper <= exact * 1.001
    assert gap.upper <= gap.lower * 1.005  # a clip has few nodes


@pytest.mark.slow
@sampled("e", [1.0, 2.0], every=2)
def test_a_clip_from_one_on_has_that_of_chi2(e):
    gap, exact = certified(CLIP, 0.5, e), two_values(0.5, e)
    assert gap.lower <= exact * (1 + 1e-12)
    assert exact * (1 - 1e-12) <= gap.upper <= gap.lower * 1.003


@pytest.mark.parametrize(
    ("divergence", "radius", "c", "width"), [(CHI2, 0.1, 0.1, 1e-3), (CHI2, 3.0, 3.0, 1e-3), (CLIP, 0.5, 0.25, 1e-2)]
)
def test_two_steps_are_the_largest_total_variation(divergence, radius, c, width):
    """γ √c sup E |l − 1|, at l = 1 ± √c, for c ≥ 1 at 0 and 1 + c."""
    gap = certified(divergence, 1, radius, horizon=2, width=width)
    exact = np.sqrt(c) * (np.sqrt(c) if c < 1 else 2 * c / (1 + c))
    assert gap.lower <= exact * (1 + 1e-12)
    assert exact * (1 - 1e-12) <= gap.upper <= gap.lower * (1 + width)


# --- another optimiser --------------------------------------------------------------------------------------------


def tree_gap(p, q, sign):
    """L − η(new) at γ = 1 of a binary tree of three steps with σ = 1, from its definition: probabilities of the nodes.

    A state's advantages are those of standard deviation 1, ±; its reward is A, so that V_old = 0.
    """
    spread = np.sqrt(p * (1 - p))
    expected = sign * (q - p) / spread  # Σ new A with A = ((1 − p), −p)/√(p (1 − p))
    by_old, by_new = np.ones(7), np.ones(7)
    for i in range(1, 7):
        parent, first = (i - 1) // 2, i % 2 == 1
        by_old[i] = by_old[parent] * (p[parent] if first else 1 - p[parent])
        by_new[i] = by_new[parent] * (q[parent] if first else 1 - q[parent])
    return float(((by_old - by_new) * expected).sum())


@pytest.mark.slow
@sampled("c", [0.05, 0.5], every=2)
def test_the_best_tree_that_another_optimiser_finds_is_between_the_ends(c):
    """Sequential quadratic programming over binary trees, from many starts: none is above the upper end, and one is near it."""
    gap = certified(CHI2, 1, c, horizon=3)
    rng, best = np.random.default_rng(0), 0.0

    def policies(z):
        return z[:7], z[7:]

    def loss(z, sign):
        return -tree_gap(*policies(z), sign)

    def left(z):
        p, q = policies(z)
        return c * (1 - 1e-5) - (q - p) ** 2 / (p * (1 - p))

    for _ in range(30):
        p = rng.uniform(0.05, 0.95, 7)
        step = rng.choice([-1.0, 1.0], 7) * np.sqrt(c * p * (1 - p)) * 0.99
        q = np.clip(p + step, 1e-3, 1 - 1e-3)
        sign = np.where(rng.random(7) < 0.5, -1.0, 1.0)
        found = minimize(
            loss,
            np.concatenate([p, q]),
            (sign,),
            method="SLSQP",
            bounds=[(1e-3, 1 - 1e-3)] * 14,
            constraints=[{"type": "ineq", "fun": left}],
            options={"maxiter": 300},
        ).x
        if left(found).min() >= -1e-6 * c:
            best = max(best, -loss(found, sign))
    assert best <= gap.upper * (1 + 1e-6)
    assert best >= 0.95 * gap.lower


# --- witnesses and files ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sd")
    lower, upper = folder / "lower.json", folder / "upper.json"
    call = ["sharp", "--divergence", CHI2, "--gamma", "0.9", "--radius", "0.2", "--normaliser", "sd", "--certify"]
    assert main([*call, "--width", "0.05", "--out", str(lower), "--proof", str(upper)]) == 0
    return lower, upper


def test_the_witness_has_its_gap_by_the_definitions(files):
    fields = tt.io.read_fields(files[0])
    mdp, (old, new) = tt.io.mdp_from_fields(fields), (np.array(fields[name], dtype=float) for name in ("old", "new"))
    p = np.asarray(mdp.transition.todense() if mdp.is_sparse else mdp.transition).reshape(*old.shape, -1)
    chains = [np.eye(len(old)) - 0.9 * np.einsum("sa,sat->st", one, p) for one in (old, new)]
    value = [np.linalg.solve(chain, (one * mdp.reward).sum(1)) for chain, one in zip(chains, (old, new), strict=True)]
    advantage = mdp.reward + 0.9 * p @ value[0] - value[0][:, None]
    surrogate = np.linalg.solve(chains[0].T, mdp.initial) @ ((new - old) * advantage).sum(1)
    gap = surrogate - mdp.initial @ (value[1] - value[0])
    sigma = np.sqrt((old * advantage**2).sum(1).max())
    taken = old > 0
    assert (new[~taken] == 0).all()
    chi2 = np.divide((new - old) ** 2, old, out=np.zeros_like(old), where=taken).sum(1)
    assert chi2.max() <= 0.2 * (1 + 1e-12)
    assert float(fields["enclosure"][0]) == pytest.approx(gap / sigma, rel=1e-9)


def test_files_over_a_horizon_are_proved_again(tmp_path, capsys):
    gap = tt.sharp_gap(CHI2, 1, 0.5, "sd", horizon=3, width=0.02)
    assert 0.98 * gap.upper <= gap.lower <= gap.upper  # in floats, too
    gap.write(tmp_path / "lower.json")
    gap.write_proof(tmp_path / "upper.json")
    for end in ("lower", "upper"):
        assert main(["certify", str(tmp_path / f"{end}.json")]) == 0
    capsys.readouterr()


def test_its_files_are_proved_again_and_altered_ones_are_not(files, tmp_path, capsys):
    for path in files:
        fields = json.loads(path.read_text())
        assert main(["certify", str(path), "--json"]) == 0
        printed = json.loads(capsys.readouterr().out)
        assert printed["certified"]
        assert "max_s sqrt(sum_a old(a|s) A_old(s, a)^2)" in printed["theorem"]
        for normaliser in ("expected", "max"):
            (tmp_path / "other.json").write_text(json.dumps(fields | {"normaliser": normaliser}))
            assert main(["certify", str(tmp_path / "other.json")]) in (1, 3)  # it states another theorem
            capsys.readouterr()
    fields["w"] = [0.99 * w for w in fields["w"]]
    (tmp_path / "lower.json").write_text(json.dumps(fields))
    assert main(["certify", str(tmp_path / "lower.json")]) == 3


def test_a_proof_of_another_divergence_is_refused():
    proof = tt.sharp_gap("max-kl", 0.5, 0.1, "expected", nodes=10).proof()
    from trpo_theory.sharp.prove_upper import check_supersolution

    assert check_supersolution(proof).bound > 0
    with pytest.raises(InvalidInput, match="sd with max-kl"):
        check_supersolution(proof | {"normaliser": "sd"})


@pytest.mark.parametrize("divergence", [name for name in DIVERGENCES if name not in (CHI2, CLIP)])
def test_other_divergences_are_refused_as_their_gap_is_infinite(divergence):
    with pytest.raises(InvalidInput, match=rf"no bound.*{CHI2} or {CLIP}|no bound.*{CLIP} or {CHI2}"):
        tt.sharp_gap(divergence, 0.5, 0.1, "sd")
