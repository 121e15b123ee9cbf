"""Inequalities between divergences of a row: with their best constants, a little more proved, and a little less refuted."""

import itertools
import json
from fractions import Fraction as F

import mpmath
import numpy as np
import pytest
from cheap import sampled

import trpo_theory as tt
from trpo_theory import claims
from trpo_theory.bounds.record import Claim
from trpo_theory.numerics.ball.raw import fmpq, precision
from trpo_theory.proofs.joint_range.cover import cover
from trpo_theory.proofs.joint_range.deciding import decided, read
from trpo_theory.proofs.joint_range.intervals import Interval, Jet
from trpo_theory.proofs.joint_range.one_row import NotOneRow, one_row
from trpo_theory.proofs.joint_range.rows import FIELDS, Box
from trpo_theory.proofs.joint_range.shape import is_concave
from trpo_theory.proofs.methods.joint_range import METHOD
from trpo_theory.proofs.proving import prove

LOG_2 = 0.6931471805599453


def proving(formula, **changes):
    return prove(Claim("mine/rows", formula, "s", **changes), methods=[METHOD])


BEST = {  # with the constant a in the place of the best one, which is 1
    "pinsker": lambda a: lambda q: a * q.kl / 2 - q.tv**2,
    "pinsker of maxima": lambda a: lambda q: q.sqrt(a * q.max_kl / 2) - q.max_tv,
    "pinsker of means": lambda a: lambda q: a * q.mean_kl / 2 - q.mean_tv**2,
    "pinsker in the worst state": lambda a: lambda q: -q.max_s(q.tv**2 - a * q.reverse_kl / 2),
    "chi2": lambda a: lambda q: a * q.chi2 / 4 - q.tv**2,
    "le cam, below": lambda a: lambda q: a * q.le_cam - q.tv**2,
    "le cam, above": lambda a: lambda q: a * q.tv - q.le_cam,
    "hellinger, above": lambda a: lambda q: a * q.tv - q.hellinger2,
    "jensen-shannon, above": lambda a: lambda q: a * LOG_2 * q.tv - q.jensen_shannon,
    "jensen-shannon and hellinger": lambda a: lambda q: a * q.hellinger2 - q.jensen_shannon,
    "hellinger and jensen-shannon": lambda a: lambda q: a * q.jensen_shannon / LOG_2 - q.hellinger2,
    "jeffreys and hellinger": lambda a: lambda q: a * q.jeffreys / 8 - q.hellinger2,
    "samson": lambda a: lambda q: 2 * a * q.kl - q.samson,
    "chi2 and kl": lambda a: lambda q: a * q.chi2 - q.kl,
    "squares": lambda a: lambda q: a * q.tv**2 - q.hellinger2**2,
    "quotient": lambda a: lambda q: a * q.kl / q.tv**2 - 2,
    "renyi": lambda a: lambda q: a * q.max_renyi_half - q.max_tv**2,
}


@sampled("name", BEST, every=4)
def test_a_little_more_than_the_best_constant_is_proved(name):
    found = proving(BEST[name](1.02))
    assert str(found.verdict) == "proved", found.note
    assert found.proof.kind == "joint range"
    assert found.proof.region.is_whole


@pytest.mark.parametrize("name", BEST)
def test_a_little_less_is_refuted_by_a_binary_pair(name):
    found = proving(BEST[name](0.98))
    assert str(found.verdict) == "refuted", found.note
    assert found.witness.instance.states == 1
    assert found.witness.instance.actions == 2
    assert found.witness.decision.upper < 0


@pytest.mark.parametrize("name", ["pinsker", "renyi-0.5"])
def test_the_catalogue_with_its_sharp_constants(name):
    """Equality to second order at old = new = (½, ½)."""
    assert str(prove(claims.get(f"divergence/{name}"), methods=[METHOD]).verdict) == "proved"


def test_a_constant_that_is_sharp_where_old_and_new_are_disjoint():
    """H² ≤ TV, of one box: both are 1 there."""
    assert str(proving(lambda q: q.tv - q.hellinger2).verdict) == "proved"


HALVES = [id for id in claims.catalogue if id.startswith("divergence/") and id.endswith("-half")]


@pytest.mark.parametrize("name", HALVES)
def test_the_false_twins_of_the_catalogue(name):
    assert str(prove(claims.get(name), methods=[METHOD]).verdict) == "refuted"


OPEN = {
    "means of states": (lambda q: q.mean_tv - q.tv, "mean over states"),
    "two maxima": (lambda q: q.max_kl + q.max_chi2 - q.max_tv - q.max_hellinger2, "different states attain"),
    "no convex region": (lambda q: q.reverse_kl**2 + q.tv - q.hellinger2, "not seen to be convex"),
    "a root of what may be negative": (lambda q: q.sqrt(q.kl - q.tv), ">= 0"),
    "equal along a curve, with three divergences": (
        lambda q: q.jeffreys + 2 * q.log(1 - q.hellinger2) - q.kl,
        "near old = ",
    ),
}


@pytest.mark.slow
@sampled("name", OPEN, every=2, start=1)
def test_what_is_left_says_why(name):
    formula, why = OPEN[name]
    found = proving(formula)
    assert str(found.verdict) == "undecided"
    assert why in found.note


@pytest.mark.parametrize(
    "formula",
    [
        lambda q: q.surrogate_gap + q.max_tv,
        lambda q: q.max_abs_advantage * q.max_kl,
        lambda q: q.kl if q.tv > 0.5 else q.tv,
        lambda q: float(q.tv),
        lambda q: np.tanh(q.kl),
        lambda q: q.kl**q.tv,
        lambda q: 1,
    ],
)
def test_other_claims_are_not_its(formula):
    assert read(Claim("mine/other", formula, "s")) is None


def test_the_largest_of_several_states_may_belong_to_another_one():
    """max TV² ≤ max KL is one row's; max KL − max χ² is not, whichever way."""
    slack = read(Claim("mine/one", lambda q: q.max_kl - q.max_tv**2, "s"))
    assert {leaf.over for leaf in one_row(slack).leaves()} == {"row"}
    with pytest.raises(NotOneRow):
        one_row(read(Claim("mine/two", lambda q: -q.max_kl - q.max_chi2, "s")))


MP = {
    "kl": lambda p, q: p * mpmath.log(p / q),
    "reverse_kl": lambda p, q: q * mpmath.log(q / p),
    "chi2": lambda p, q: (p - q) ** 2 / q,
    "reverse_chi2": lambda p, q: (p - q) ** 2 / p,
    "hellinger2": lambda p, q: (mpmath.sqrt(p) - mpmath.sqrt(q)) ** 2 / 2,
    "jensen_shannon": lambda p, q: (p * mpmath.log(2 * p / (p + q)) + q * mpmath.log(2 * q / (p + q))) / 2,
    "le_cam": lambda p, q: (p - q) ** 2 / (p + q) / 2,
    "jeffreys": lambda p, q: (p - q) * mpmath.log(p / q),
    "samson": lambda p, q: (p - q) ** 2 / max(p, q),
    "renyi_half": lambda p, q: 2 * (p - mpmath.sqrt(p * q)),
    "renyi_tenth": lambda p, q: (p - p ** mpmath.mpf("0.1") * q ** mpmath.mpf("0.9")) / mpmath.mpf("0.9"),
    "renyi_nine_tenths": lambda p, q: (p - p ** mpmath.mpf("0.9") * q ** mpmath.mpf("0.1")) / mpmath.mpf("0.1"),
}


def test_the_oracle_has_every_divergence():
    assert MP.keys() == FIELDS.keys()


@pytest.mark.parametrize("name", MP)
@pytest.mark.parametrize(
    "sides",
    [
        (0, 1, 0, 1),
        ("1/4", "3/8", "1/8", "1/4"),
        (0, "1/16", 0, "1/16"),
        ("3/4", 1, "7/8", 1),
        ("1/2", "33/64", 0, "1/64"),
    ],
)
def test_a_box_encloses_every_pair_of_it(name, sides):
    """D/d² and D/d against 40 digits in 200 places, and near the corners."""
    c0, c1, d0, d1 = (F(side) for side in sides)
    rng = np.random.default_rng(0)
    with mpmath.workdps(40), precision(160):
        box = Box.of((_q(c0), _q(c1)), (_q(d0), _q(d1)))
        whole, chord = FIELDS[name].remainder(box), FIELDS[name].quotient(box)
        for u, v in rng.beta(0.3, 0.3, (200, 2)).clip(1e-9, 1 - 1e-9):
            c, d = mpmath.mpf(float(c0)) + u * float(c1 - c0), mpmath.mpf(float(d0)) + v * float(d1 - d0)
            p, q = c * (1 - d), c + (1 - c) * d
            true = MP[name](p, q) + MP[name](1 - p, 1 - q)
            for enclosure, value in ((whole, true / d**2), (chord, true / d)):
                assert float(enclosure.low) <= value * (1 + 1e-15)
                assert value * (1 - 1e-15) <= float(enclosure.high)


def _q(x):
    return fmpq(x.numerator, x.denominator)


@pytest.mark.parametrize("name", MP)
def test_kernels_do_not_rise(name):
    """K and K* on [0, 1], which the enclosures of a box rest on; times t they do not fall."""
    with precision(256):
        for star in (True, False):
            values = [float(FIELDS[name].kernel(fmpq(k, 64), star)) for k in range(65)]
            assert all(x >= y for x, y in itertools.pairwise(values))
            weighted = [float(FIELDS[name].weighted(fmpq(k, 64), star)) for k in range(65)]
            assert all(x <= y for x, y in itertools.pairwise(weighted))
            assert abs(float(FIELDS[name].weighted(fmpq(1, 2**100), star)) - weighted[0]) < 1e-5


@pytest.mark.parametrize("name", MP)
def test_the_expansion_about_equal_rows_is_below_and_agrees_to_third_order(name):
    with precision(256), mpmath.workdps(60):
        for k in (4, 8):
            s, d = fmpq(1, 64), fmpq(1, 2**k)
            jets = Jet.variable(Interval.at(s), 0, 2), Jet.variable(Interval.at(d), 1, 2)
            below = FIELDS[name].below(*jets).value
            p = mpmath.mpf(1) / 2 + mpmath.mpf(1) / 64 - mpmath.mpf(2) ** -k / 2
            q = p + mpmath.mpf(2) ** -k
            true = (MP[name](p, q) + MP[name](1 - p, 1 - q)) * mpmath.mpf(4) ** k
            assert float(below.low) == float(below.high) or below.high - below.low < 1e-60
            assert -1e-15 <= true - mpmath.mpf(float(below.low)) <= 200 * mpmath.mpf(8) ** -k


def test_the_region_of_a_convex_slack_is_not_taken_for_convex():
    squares = read(Claim("mine/squares", lambda q: q.hellinger2**2 - q.le_cam, "s"))
    assert not is_concave(one_row(squares))
    assert is_concave(one_row(read(Claim("mine/roots", lambda q: q.sqrt(q.kl) - q.exp(q.tv), "s"))))


def test_its_evidence_is_proved_again_by_the_claims_own_formula(tmp_path):
    claim = Claim("mine/rows", BEST["hellinger, above"](1), r"H^2 \le TV", source="mine")
    path = tmp_path / "proof.json"
    prove(claim, methods=[METHOD]).proof.evidence.write(path)
    certificate = tt.certify(path, claims=[claim])
    assert certificate.certified
    assert certificate.theorem.startswith(
        "mine/rows holds for all finite MDPs and all policies old and new, every gamma"
    )
    fields = json.loads(path.read_text())
    (tmp_path / "lie.json").write_text(json.dumps(fields | {"by": "binary pairs: the region is convex"}))
    assert not tt.certify(tmp_path / "lie.json", claims=[claim]).certified
    other = Claim("mine/rows", BEST["hellinger, above"](0.9), r"H^2 \le TV", source="mine")
    assert not tt.certify(path, claims=[other]).certified


def test_fewer_boxes_than_it_takes_prove_nothing():
    with precision(160):
        found = cover(one_row(read(Claim("mine/rows", BEST["pinsker"](1.02), "s"))), 10)
    assert not found.is_proved
    assert found.left is not None


def test_the_pair_that_refutes_is_one():
    p, q = decided(read(Claim("mine/rows", BEST["pinsker"](0.9), "s"))).refuted
    with mpmath.workdps(40):
        x, y = (mpmath.mpf(one.numerator) / one.denominator for one in (p, q))
        assert 0.9 * (MP["kl"](x, y) + MP["kl"](1 - x, 1 - y)) / 2 < (x - y) ** 2


def test_numpys_functions_are_read_as_the_arithmetics_own():
    def ours(q):
        return q.sqrt(2 * q.max_hellinger2) - q.max_tv + q.exp(-q.max_kl) - q.minimum(q.max_tv, q.max_kl)

    def numpys(q):
        return np.sqrt(np.float64(2) * q.max_hellinger2) - q.max_tv + np.exp(-q.max_kl) - np.minimum(q.max_tv, q.max_kl)

    trees = [read(Claim("mine/rows", formula, "s")) for formula in (ours, numpys)]
    assert trees[0] is not None
    assert trees[0] == trees[1]
    assert str(proving(lambda q: np.sqrt(2 * q.max_hellinger2) - q.max_tv).verdict) == "proved"
