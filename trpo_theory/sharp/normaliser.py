"""By what the gap L − η(new) is divided: `Normaliser`."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

from trpo_theory.errors import InvalidInput

if TYPE_CHECKING:
    from fractions import Fraction

    from trpo_theory.numerics.ball.raw import fmpq
    from trpo_theory.sharp.divergence import Divergence
    from trpo_theory.step.quantities import Quantities

_EPSILON = 2.0**-52
"""Of floats."""


def copies(radius: float, *, smooth: bool) -> float:
    """M of docs/theory.md, "Normalised by the expected advantage": two copies of an action with A = ±M make |Ā| = 1.

    That costs a divergence of about 1/M², or 1/(2M) for total variation, and Ā has a rounding error of some M 2⁻⁵²: M is such
    that this is about as small as the share of the radius that it costs.
    """
    return (1 / (radius * _EPSILON)) ** (1 / 3) if smooth else (1 / (2 * radius * _EPSILON)) ** (1 / 2)


class _Epsilon(NamedTuple):
    """How an ε is written: its field of `Quantities`, in the sentences of proof files, and in LaTeX."""

    field: str
    words: str
    latex: str


class Normaliser(enum.Enum):
    """What is written ε below the gap; the value is its name on the command line and in files.

    MAX: max_{s,a} |A_old(s,a)|, as in TRPO's bounds.
    EXPECTED: max_s |Ā(s)|, as in CPO's.
    SD: max_s σ(s), σ(s)² = Σ_a old(a|s) A_old(s,a)². As |Ā(s)| ≤ σ(s) √E (l − 1)², its gap is that of EXPECTED times r, the root
        of the largest E (l − 1)² at the radius: docs/theory.md, "Normalised by the standard deviation".
    """

    MAX = "max"
    EXPECTED = "expected"
    SD = "sd"

    @property
    def field(self) -> str:
        """The field of `Quantities`."""
        return _EPSILONS[self].field

    @property
    def words(self) -> str:
        """ε in a sentence."""
        return _EPSILONS[self].words

    @property
    def latex(self) -> str:
        """ε in LaTeX."""
        return _EPSILONS[self].latex

    @property
    def of_states(self) -> bool:
        """Whether the program is that of max|Ā|: it then has neither A nor ν, and the reward of (∗) is |x − 1|."""
        return self is not Normaliser.MAX

    def of(self, q: Quantities) -> float:
        """ε of one step."""
        return float(getattr(q, self.field))

    def factor(self, divergence: Divergence, radius: Fraction) -> fmpq:
        """What the program's value is multiplied by, rounded up: r for SD, else 1; of a divergence that passes `check`."""
        from trpo_theory.numerics.ball.raw import arb, end, fmpq, raw

        if self is not Normaliser.SD:
            return fmpq(1)
        assert divergence.largest_variance is not None  # `check`
        return end(arb(raw(divergence.largest_variance(radius))).sqrt(), "upper")

    def check(self, divergence: Divergence, *, mean: bool) -> None:
        """Refuse a divergence for which the gap over ε has no bound.

        Raises:
            InvalidInput: for SD and a divergence that does not bound E (l − 1)² in every state.
        """
        if self is Normaliser.SD and (mean or divergence.largest_variance is None):
            raise _infinite(f"{'mean' if mean else 'max'}-{divergence.name}")


_EPSILONS = {
    Normaliser.MAX: _Epsilon("max_abs_advantage", "max|A_old|", r"\max|A_\pi|"),
    Normaliser.EXPECTED: _Epsilon(
        "max_abs_expected_advantage", "max_s |sum_a new(a|s) A_old(s, a)|", r"\max_s|\bar A(s)|"
    ),
    Normaliser.SD: _Epsilon(
        "max_advantage_sd", "max_s sqrt(sum_a old(a|s) A_old(s, a)^2)", r"\max_s\sqrt{\sum_a\pi(a|s)A_\pi(s,a)^2}"
    ),
}


def _infinite(name: str) -> InvalidInput:
    from trpo_theory.sharp.divergences import DIVERGENCES

    bounded = [key for key, one in DIVERGENCES.items() if one.divergence.largest_variance and not one.reduction.mean]
    return InvalidInput(
        got=f"the normaliser sd with {name}, for which the gap over max_s sd_s(A) has no bound: rare actions whose ratio "
        "l = new/old is large make E (l - 1)^2 as large as one likes",
        wanted=f"a divergence that bounds E (l - 1)^2 in every state: {' or '.join(bounded)}",
        fix="pass one of these, or the normaliser max",
    )
