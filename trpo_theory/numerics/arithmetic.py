"""`Arithmetic`: the operations that every formula is written with. Its implementations stand beside it.

| implementation | numbers | used for |
|---|---|---|
| `floats.Floats` | float64, one instance or a batch | the screen, `compare` |
| `derivatives.Traced` | float64 recorded by autograd, one batch | gradients of a bound's ratio |
| `running_error.RunningError` | float64 with a bound on its error, one instance or a batch | what of a slack is rounding |
| `graded.GradedFloats` | float64 whose comparisons say by how much they fail | how far hypotheses are from being met |
| `ball.balls.Balls` | exact rationals and rigorous intervals, one instance | proofs of ties |
| `ball.enclosing.EnclosingBalls` | rigorous intervals about exact data, one instance | proofs |

To add an arithmetic, write a class with these methods in a file of its own, and a row for it in
tests/numerics/test_arithmetics.py, which checks every operation against mpmath and exact rationals.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Protocol, TypeAlias, runtime_checkable

Array: TypeAlias = Any
"""A number of an arithmetic, or an array of them: float and float64 arrays, `Ball` and `BallArray`, what autograd records.

Formulas are written once for all of these, so that no type checker can know which it is; all have + − · / **, abs, comparisons,
indices and broadcasting as NumPy's arrays do.
"""

Policy: TypeAlias = Any
"""A policy in an arithmetic: an `Array` of shape (S, A, *batch), whose rows over axis 1 sum to 1."""


@runtime_checkable
class Resolvent(Protocol):
    """(I − γP)⁻¹ of a chain P, applied to a right-hand side of shape (S, *batch)."""

    def solve(self, b: Array) -> Array:
        """The x with x = b + γPx: values, for b the expected reward."""
        ...

    def solve_transposed(self, b: Array) -> Array:
        """The y with y = b + γPᵀy: visitation, for b the initial distribution."""
        ...


@runtime_checkable
class Refining(Protocol):
    """A resolvent that can begin from an x that is close, as that of a sparse chain can."""

    def solve_from(self, b: Array, start: Array) -> Array:
        """The x with x = b + γPx, by refinement from `start`."""
        ...


@runtime_checkable
class Inverting(Protocol):
    """A resolvent that has its matrix for less than a solution for each column, as that of balls has."""

    def inverse(self) -> Array:
        """(I − γP)⁻¹, (S, S)."""
        ...


def solved_from(resolvent: Resolvent, b: Array, start: Array | None) -> Array:
    """The x with x = b + γPx, from an x that is close where one is given and the resolvent can begin from it."""
    if start is None or not isinstance(resolvent, Refining):
        return resolvent.solve(b)
    return resolvent.solve_from(b, start)


@runtime_checkable
class Arithmetic(Protocol):
    """What `Quantities` asks of numbers.

    The S axis is 0, the A axis 1, and a batch, if any, is last: `transition` is (S, A, S', *batch), `policy` (S, A, *batch).
    Every function takes `Array`s that broadcast against each other. x/0 is ±∞; 0 · ∞ and the like is nan ("nothing").
    """

    name: str
    """Of the kind of numbers, for people."""

    # --- elementwise ---

    def sqrt(self, x: Array, /) -> Array:
        """√x."""
        ...

    def log(self, x: Array, /) -> Array:
        """The natural logarithm; −∞ at 0."""
        ...

    def exp(self, x: Array, /) -> Array:
        """eˣ."""
        ...

    def minimum(self, x: Array, y: Array, /) -> Array:
        """The smaller of two."""
        ...

    def maximum(self, x: Array, y: Array, /) -> Array:
        """The larger of two."""
        ...

    def where(self, condition: Array, x: Array, y: Array, /) -> Array:
        """x where the condition holds, else y: both are computed."""
        ...

    def close(self, x: Array, y: Array, /) -> Array:
        """Whether x = y: to a relative 1e-9 of the larger in floats, exactly elsewhere."""
        ...

    def nan_to_inf(self, x: Array, /) -> Array:
        """∞ where x is nan (0 · ∞): a bound with such a penalty says nothing."""
        ...

    def kl_div(self, p: Array, q: Array, /) -> Array:
        """The term p log(p/q) − p + q of KL(p‖q): q where p = 0, ∞ where p > 0 = q."""
        ...

    def polylog(self, order: float | Fraction, x: Array, /) -> Array:
        """Li_order(x) = Σ_{k≥1} xᵏ / k^order for 0 ≤ x < 1."""
        ...

    # --- along an axis ---

    def sum(self, x: Array, axis: int, where: Array | None = None) -> Array:
        """Σ along an axis, over the entries where `where` is true."""
        ...

    def max(self, x: Array, axis: int, where: Array | None = None) -> Array:
        """The largest along an axis, over the entries where `where` is true; −∞ where it never is."""
        ...

    def chi2(self, p: Array, q: Array, *, axis: int) -> Array:
        """χ²(p‖q) = Σ (p − q)²/q along an axis: ∞ where p > 0 = q."""
        ...

    def jensen_shannon(self, p: Array, q: Array, *, axis: int) -> Array:
        """½ KL(p‖m) + ½ KL(q‖m), m = (p + q)/2, along an axis."""
        ...

    def hellinger2(self, p: Array, q: Array, *, axis: int) -> Array:
        """H²(p, q) = ½ Σ (√p − √q)² along an axis."""
        ...

    def renyi(self, p: Array, q: Array, order: float | Fraction, *, axis: int) -> Array:
        """Rényi's D_order(p‖q) = log(Σ p^order q^(1−order)) / (order − 1) along an axis, 0.01 ≤ order ≤ 0.99."""
        ...

    # --- arrays ---

    def stack(self, arrays: list[Array], axis: int = 0) -> Array:
        """Arrays of one shape along a new axis."""
        ...

    def identity(self, n: int, /) -> Array:
        """The unit matrix, (n, n)."""
        ...

    def row_distance(self, matrix: Array, /) -> Array:
        """The largest L1 distance of two rows, max_{s,t} Σ_u |M(s,u) − M(t,u)|: (S, U, *batch) -> (*batch)."""
        ...

    # --- chains ---

    def resolvent(self, transition: Array, policy: Policy, gamma: Array) -> Resolvent:
        """(I − γ P_π)⁻¹, P_π(s, s') = Σ_a π(a|s) P(s'|s,a)."""
        ...

    def expect(self, transition: Array, value: Array) -> Array:
        """Σ_s' P(s'|s,a) value(s'): (S', *batch) -> (S, A, *batch)."""
        ...

    def push(self, transition: Array, weight: Array) -> Array:
        """Σ_{s,a} weight(s,a) P(s'|s,a): (S, A, *batch) -> (S', *batch)."""
        ...

    def laws(self, transition: Array, policy: Policy, start: Array, steps: int) -> Array:
        """The laws p_0, ..., p_{steps−1} of s_t from p_0 = start, p_{t+1} = P_πᵀ p_t: (steps, S, *batch)."""
        ...

    def moments(self, laws: Array, f: Array) -> tuple[Array, Array]:
        """Mean and variance of f (S, *batch) under each of laws (T, S, *batch), which sum to 1: (T, *batch) each.

        In balls exactly f and 0 where f is the same wherever a law is not 0.
        """
        ...

    def neumann_sum(self, transition: Array, weight: Array, b: Array) -> Array:
        """Σ_{n≥0} Mⁿ b for M(s, s') = Σ_a weight(s,a) P(s'|s,a), weight and b ≥ 0, (S, *batch); ∞ where it may diverge.

        It is the solution x of x = b + Mx where that is ≥ 0: every partial sum S_n is then below x, as S_{n+1} = b + M S_n.
        """
        ...

    def chain_chi2(self, transition: Array, new: Policy, old: Policy) -> Array:
        """χ²(P_new(·|s) ‖ P_old(·|s)) = Σ_s' (P_new − P_old)²/P_old, (S, *batch): ∞ where P_new > 0 = P_old."""
        ...

    # --- precision ---

    def enclosed(self, x: Array, /) -> Array:
        """x at working precision: in balls an enclosure in the place of a long rational, which would grow in a recursion."""
        ...

    def nearest_floats(self, x: Array, /) -> Array:
        """The nearest floats: for choices such as how many terms are summed, where a formula is true either way."""
        ...
