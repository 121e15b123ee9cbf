"""Both ends of an update in balls, against closed forms: two even actions of advantage 1 and -1, where ν² - λν = 1."""

from __future__ import annotations

from fractions import Fraction as F

import mpmath
import pytest

from trpo_theory.errors import NotSolved
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.numerics.ball.raw import arb, fmpq, precision
from trpo_theory.proofs.update_ends import EnclosedRow, ExactProblem, Reduction, lower_end, normalised, upper_end

HALF, ONE, TENTH = fmpq(1, 2), fmpq(1), fmpq(1, 10)
CLOSE = mpmath.mpf(10) ** -40


@pytest.fixture(autouse=True)
def _digits():
    with mpmath.workdps(60), precision(192):
        yield


def enclosed(rho, old, new, advantage):
    return EnclosedRow(arb(rho), old, new, [arb(a) for a in advantage])


def row(x=TENTH, rho=ONE):
    return enclosed(rho, [HALF, HALF], [HALF + x, HALF - x], [ONE, -ONE])


def ends(ball):
    return [mpmath.mpf(end.numerator) / end.denominator for end in (Ball(ball).lower, Ball(ball).upper)]


def close_above(ball, truth):
    """An upper bound, and as good as Newton's two steps make it."""
    low, high = ends(ball)
    return truth <= high and abs(low - truth) < CLOSE and high - low < CLOSE


def dual(multiplier):
    """max_p 2p - 1 - λ KL(½‖p) = ν - λ + λ/2 log(λ/ν)."""
    m = mpmath.mpf(int(multiplier.p)) / int(multiplier.q)
    nu = (m + mpmath.sqrt(m * m + 4)) / 2
    return nu - m + m / 2 * mpmath.log(m / nu)


def kl(x):
    """KL(½‖½ ± x)."""
    return -mpmath.log(1 - 4 * mpmath.mpf(int(x.p)) ** 2 / int(x.q) ** 2) / 2


@pytest.mark.parametrize("multiplier", [fmpq(1, 1000), fmpq(1, 10), fmpq(3, 2), fmpq(50), fmpq(10**6)], ids=str)
def test_the_bound_of_a_row_is_its_maximum(multiplier):
    assert close_above(row().bound(multiplier), dual(multiplier))


def test_a_multiplier_of_zero_gives_the_best_action():
    assert Ball(row().bound(fmpq(0))).fraction == 1
    assert Ball(enclosed(fmpq(1), [fmpq(1, 4), fmpq(3, 4)], [HALF, HALF], [fmpq(2), fmpq(0)]).bound(fmpq(0))) == F(3, 2)


@pytest.mark.parametrize(("multiplier", "moves"), [(fmpq(1, 4), True), (fmpq(9, 10), True), (fmpq(4), False)], ids=str)
def test_a_best_action_that_old_never_takes(multiplier, moves):
    """m - λ(-log(1 - m)) is largest at m = 1 - λ, or at 0 where λ >= 1."""
    one = enclosed(fmpq(1), [fmpq(1), fmpq(0)], [fmpq(1), fmpq(0)], [fmpq(0), fmpq(1)])
    m = mpmath.mpf(int(multiplier.p)) / int(multiplier.q)
    assert close_above(one.bound(multiplier), 1 - m + m * mpmath.log(m) if moves else 0)


def test_equal_advantages_leave_nothing_to_gain():
    even = enclosed(fmpq(1), [HALF, HALF], [HALF, HALF], [fmpq(3), fmpq(3)])
    assert close_above(even.bound(fmpq(7, 3)), 0)
    assert (even.mean, even.gain) == (3, 0)


def test_the_numbers_of_a_row():
    one = enclosed(fmpq(2), [fmpq(1, 4), fmpq(3, 4)], [HALF, HALF], [fmpq(3), fmpq(-2)])
    assert (Ball(one.mean).fraction, Ball(one.gain).fraction) == (F(-3, 4), F(5, 4))
    truth = mpmath.log(mpmath.mpf(1) / 2) / 4 + 3 * mpmath.log(mpmath.mpf(3) / 2) / 4
    low, high = ends(one.kl)
    assert low <= truth <= high
    assert not enclosed(fmpq(1), [HALF, HALF], [fmpq(1), fmpq(0)], [fmpq(0)] * 2).kl.is_finite()
    assert Ball(enclosed(fmpq(1), [fmpq(1), fmpq(0)], [HALF, HALF], [fmpq(0)] * 2).kl).midpoint == pytest.approx(
        float(mpmath.log(2)), rel=1e-15
    )
    assert normalised([fmpq(1), fmpq(3)]) == [fmpq(1, 4), fmpq(3, 4)]


# --- chi-square: with l = 1 ± x the row is max x - λ x² over |x| <= 1 --------------------------------------------------


def chi2_dual(multiplier):
    m = mpmath.mpf(int(multiplier.p)) / int(multiplier.q)
    return 1 / (4 * m) if m >= 0.5 else 1 - m


@pytest.mark.parametrize(
    "multiplier", [fmpq(1, 10**300), fmpq(1, 10), HALF, fmpq(3, 2), fmpq(50), fmpq(10**30)], ids=str
)
def test_the_chi_square_bound_of_a_row_is_its_maximum(multiplier):
    assert close_above(row().chi2_bound(multiplier), chi2_dual(multiplier))


def test_the_chi_square_bound_does_not_see_what_old_never_takes():
    one = enclosed(ONE, [HALF, HALF, fmpq(0)], [HALF, HALF, fmpq(0)], [ONE, -ONE, fmpq(9)])
    for multiplier in (fmpq(1, 10), fmpq(3, 2)):
        assert close_above(one.chi2_bound(multiplier), chi2_dual(multiplier))
    assert Ball(one.chi2_bound(fmpq(0))).fraction == 1
    assert not enclosed(ONE, [ONE, fmpq(0)], [HALF, HALF], [ONE, ONE]).reverse_chi2.is_finite()
    spent = enclosed(ONE, [fmpq(1, 4), fmpq(3, 4)], [HALF, HALF], [ONE, ONE]).reverse_chi2
    assert Ball(spent).lower <= F(1, 3) <= Ball(spent).upper <= F(1, 3) + F(1, 10**40)


def test_an_advantage_that_is_only_enclosed_gives_a_chi_square_bound_for_every_number_in_its_ball():
    around = arb(fmpq(-1, 10**6)).union(arb(fmpq(1, 10**6)))
    wide = EnclosedRow(arb(1), [HALF, HALF], [HALF, HALF], [arb(1) + around, arb(-1) + around])
    for multiplier in (fmpq(1, 10), HALF, fmpq(2)):  # at 1/2 the worse action is just lost
        low, high = ends(wide.chi2_bound(multiplier))
        assert low <= chi2_dual(multiplier) <= high
        assert high - low < 1e-5


def test_both_ends_of_the_chi_square_problems():
    rows = [row(fmpq(1, 10), fmpq(3, 2)), row(fmpq(1, 5), HALF)]  # χ² of 1/25 and 4/25, γ = 1/2
    prices = [fmpq(1, 2), fmpq(3, 2)]
    of_max = ExactProblem(Reduction.REVERSE_MAX_CHI2, fmpq(4, 25), HALF)
    truth = 3 * chi2_dual(HALF) / 2 + chi2_dual(fmpq(3, 2)) / 2 + (mpmath.mpf(3) / 4 + mpmath.mpf(3) / 4) * 4 / 25
    assert close_above(upper_end(of_max, rows, prices), truth)
    of_mean = ExactProblem(Reduction.REVERSE_MEAN_CHI2, fmpq(7, 100), HALF)  # (3/2 · 1/25 + 1/2 · 4/25)/2
    truth = 2 * chi2_dual(fmpq(3, 2)) + mpmath.mpf(3) / 2 * 7 / 100 * 2
    assert close_above(upper_end(of_mean, rows, prices), truth)
    for problem in (of_max, of_mean):
        assert Ball(lower_end(problem, rows)).midpoint == pytest.approx(0.5, rel=1e-15)
        with pytest.raises(NotSolved, match="over its constraint"):
            lower_end(ExactProblem(problem.reduction, problem.amount * fmpq(999, 1000), HALF), rows)


# --- the upper end: Σ ρ (bound of the row), and what the multipliers cost --------------------------------------------

TWO = [row(rho=fmpq(3, 2)), row(rho=HALF), row(rho=fmpq(0))]
PRICES = [fmpq(1, 2), fmpq(3, 2), fmpq(100)]


def test_the_upper_end_of_a_maximum():
    """Σ ρ λ δ is added; a row that is never visited does not count."""
    problem = ExactProblem(Reduction.MAX, fmpq(1, 7), HALF)
    truth = 3 * dual(HALF) / 2 + dual(fmpq(3, 2)) / 2 + (mpmath.mpf(3) / 4 + mpmath.mpf(3) / 4) / 7
    assert close_above(upper_end(problem, TWO, PRICES), truth)


def test_the_upper_end_of_a_mean_takes_the_largest_multiplier():
    """λ δ/(1 - γ) with one λ."""
    problem = ExactProblem(Reduction.MEAN, fmpq(1, 7), fmpq(3, 4))
    assert problem.horizon == 4
    truth = 2 * dual(fmpq(3, 2)) + 3 * mpmath.mpf(4) / 2 / 7
    assert close_above(upper_end(problem, TWO, PRICES), truth)


def test_the_upper_end_of_a_penalty_scales_the_multipliers_to_the_coefficient():
    """Σ ρ λ = 3/2; at a coefficient of 1/2 each is a third of it, at 2 they stay."""
    third = 3 * dual(fmpq(1, 6)) / 2 + dual(HALF) / 2
    assert close_above(upper_end(ExactProblem(Reduction.PENALTY, HALF, HALF), TWO, PRICES), third)
    whole = 3 * dual(HALF) / 2 + dual(fmpq(3, 2)) / 2
    assert close_above(upper_end(ExactProblem(Reduction.PENALTY, fmpq(2), HALF), TWO, PRICES), whole)
    free = ExactProblem(Reduction.PENALTY, fmpq(0), HALF)
    assert Ball(upper_end(free, TWO, PRICES)) == 2


@pytest.mark.parametrize("reduction", list(Reduction))
def test_a_negative_multiplier_is_refused_wherever_it_stands(reduction):
    problem = ExactProblem(reduction, fmpq(1, 7), HALF)
    for place in range(3):
        with pytest.raises(NotSolved, match="multiplier -1"):
            upper_end(problem, TWO, [fmpq(-1) if i == place else fmpq(1) for i in range(3)])


@pytest.mark.parametrize("wrong", [[fmpq(3, 2), fmpq(-1, 2)], [HALF, TENTH]])
def test_rows_that_are_no_distributions_are_refused(wrong):
    for old, new in ((wrong, [HALF, HALF]), ([HALF, HALF], wrong)):
        with pytest.raises(NotSolved, match="no distribution"):
            enclosed(ONE, old, new, [ONE, -ONE])


def test_an_advantage_that_is_only_enclosed_gives_a_bound_for_every_number_in_its_ball():
    around = arb(fmpq(-1, 10**6)).union(arb(fmpq(1, 10**6)))
    wide = EnclosedRow(arb(1), [HALF, HALF], [HALF, HALF], [arb(1) + around, arb(-1) + around])
    low, high = ends(wide.bound(HALF))
    assert low <= dual(HALF) <= high
    assert high - low < 1e-5


@pytest.mark.parametrize("reduction", [Reduction.MAX, Reduction.MEAN])
def test_a_radius_of_zero_allows_no_gain(reduction):
    assert Ball(upper_end(ExactProblem(reduction, fmpq(0), HALF), TWO, [fmpq(0)] * 3)) == 0


# --- the lower end: what new attains ------------------------------------------------------------------------------


def test_the_lower_end_of_a_penalty_pays_for_the_worst_row():
    rows = [row(fmpq(1, 10), fmpq(3, 2)), row(fmpq(1, 5), HALF)]
    gain = mpmath.mpf(3) / 2 * 2 / 10 + mpmath.mpf(1) / 5
    low, high = ends(lower_end(ExactProblem(Reduction.PENALTY, fmpq(3), HALF), rows))
    assert low <= gain - 3 * kl(fmpq(1, 5)) <= high
    assert high - low < CLOSE
    gone = enclosed(fmpq(1), [HALF, HALF], [fmpq(1), fmpq(0)], [fmpq(1), fmpq(-1)])
    assert Ball(lower_end(ExactProblem(Reduction.PENALTY, fmpq(0), HALF), [gone])) == 1
    assert not lower_end(ExactProblem(Reduction.PENALTY, fmpq(1), HALF), [gone]).is_finite()


def over(reduction, excess, rows, spent):
    """The ends of the lower end where the divergence is the radius times 1 + excess, nearly."""
    with mpmath.workdps(80):
        radius = spent / (1 + mpmath.mpf(excess))
        amount = fmpq(int(mpmath.floor(radius * mpmath.mpf(2) ** 180)), 2**180)
    end = Ball(lower_end(ExactProblem(reduction, amount, HALF), rows))
    return end.lower, end.upper


@pytest.mark.parametrize(
    ("bits", "retreat"), [(None, None), (60, 50), (49, 46), (45, 42), (41, 38), (37, 34), (33, 30), (30.5, 30)]
)
def test_a_step_that_is_over_by_little_moves_back_by_the_least_that_is_feasible(bits, retreat):
    excess = mpmath.mpf(-1) / 1000 if bits is None else mpmath.mpf(2) ** -mpmath.mpf(bits)
    rows = [row(fmpq(1, 10), fmpq(1)), row(fmpq(1, 5), fmpq(1))]
    left = F(3, 5) * (1 - (0 if retreat is None else F(1, 2**retreat)))
    mean = (kl(fmpq(1, 10)) + kl(fmpq(1, 5))) / 2
    for reduction, spent in ((Reduction.MAX, kl(fmpq(1, 5))), (Reduction.MEAN, mean)):
        lower, upper = over(reduction, excess, rows, spent)
        assert lower <= left <= upper <= lower + F(1, 2**100)


def test_a_step_that_is_over_by_more_is_refused():
    rows = [row(fmpq(1, 5), fmpq(2))]
    for reduction in (Reduction.MAX, Reduction.MEAN):
        with pytest.raises(NotSolved, match=r"over its constraint by more than 2\^-30"):
            over(reduction, mpmath.mpf(2) ** -29, rows, kl(fmpq(1, 5)))
