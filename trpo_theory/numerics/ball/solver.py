"""`EnclosedSolver`: A x = b for one matrix of balls and many right-hand sides, each solution verified.

x̂ comes from LU in floats, refined with residuals r = b − A x̂ in balls. Nothing of that is believed. How far it is from x:

    A = I − N, N ≥ 0, and w > 0 with A w > 0:   |x̂ − x| ≤ w max_i |r_i|/(A w)_i         (A is then an M-matrix, A⁻¹ ≥ 0)
    ‖I − R A‖ ≤ q < 1 in the maximum norm:      |x̂ − x| ≤ max |R r|/(1 − q)

The first has w = 1 and A w = 1 − γ for a discounted chain, and expected lengths of runs for one that ends; the second is for
kernels with negative entries, as of average rewards, where R is the inverse in floats. Where neither proves anything, the ball
library's own elimination is left. Source: docs/theory.md, "Linear systems in balls".
"""

from __future__ import annotations

import warnings
from functools import cached_property

import numpy as np
from flint import arb, arb_mat

from trpo_theory.errors import NotSolved
from trpo_theory.numerics.ball.raw import Undecided, precision
from trpo_theory.numerics.ball.verified import max_of, refined

_ELIMINATED = 24
"""States up to which the ball library eliminates. Measured: a millisecond there, and above refining floats is faster."""
_NORM_BITS = 64
"""Of ‖I − R A‖, for which floats would do. Chosen: above their precision."""


class EnclosedSolver:
    """Solves A x = b and Aᵀ y = b.

    Args:
        matrix: A, in balls at the precision at which it is solved.
    """

    def __init__(self, matrix: arb_mat) -> None:
        self._matrix, self._size = matrix, matrix.nrows()
        self._rows = _Side(self, matrix, 0)

    @cached_property
    def _columns(self) -> _Side:
        return _Side(self, self._matrix.transpose(), 1)

    def solve(self, b: list[arb]) -> list[arb]:
        """The x with A x = b; 0 itself where no entry of b that is not 0 is reached.

        Raises:
            Undecided: where it is open at this precision whether A is regular.
        """
        return self._rows.solve(b)

    def solve_transposed(self, b: list[arb]) -> list[arb]:
        """The y with Aᵀ y = b, likewise."""
        return self._columns.solve(b)

    def inverse(self) -> list[list[arb]]:
        """A⁻¹ by rows, likewise: by elimination, which costs a tenth of as many solutions; by these where it fails."""
        unit = [[arb(int(s == t)) for t in range(self._size)] for s in range(self._size)]
        try:
            rows = self._matrix.inv().tolist()
        except ZeroDivisionError:
            columns = [self.solve(b) for b in unit]
            return [list(row) for row in zip(*columns, strict=True)]
        reached = zip(*(self._rows.reaching(b) for b in unit), strict=True)
        return [[x if yes else arb(0) for x, yes in zip(*one, strict=True)] for one in zip(rows, reached, strict=True)]

    @property
    def is_convergent(self) -> bool:
        """Whether A = I − N is proved to be an M-matrix, so that Σ_n Nⁿ converges to its inverse."""
        return self._rows.weights is not None

    @property
    def has_negative_rest(self) -> bool:
        """Whether no entry beside the diagonal is positive: A = I − N, N ≥ 0."""
        return self._read[0]

    @property
    def edges(self) -> np.ndarray:
        """Where an entry is not 0."""
        return self._read[1]

    @property
    def floats(self) -> np.ndarray:
        """A, about."""
        return self._read[2]

    @cached_property
    def _read(self) -> tuple[bool, np.ndarray, np.ndarray]:
        """The three, of entries that are listed once and not kept: of 1,000 states they are 100 MB."""
        entries, shape = self._matrix.entries(), (self._size, self._size)
        edges = ~np.fromiter(map(arb.is_zero, entries), bool, len(entries)).reshape(shape)
        floats = np.fromiter(map(float, entries), float, len(entries)).reshape(shape)
        del entries[:: self._size + 1]  # the diagonal
        return all(map(arb(0).__ge__, entries)), edges, floats

    @cached_property
    def factors(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Of A in floats; None where it is singular in them."""
        from scipy.linalg import LinAlgWarning, lu_factor

        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", LinAlgWarning)
            factors = lu_factor(self.floats, check_finite=False)
        return factors if np.isfinite(factors[0]).all() and np.diag(factors[0]).all() else None


class _Side:
    """A, or its transpose: trans is 0 or 1."""

    def __init__(self, whole: EnclosedSolver, matrix: arb_mat, trans: int) -> None:
        self._whole, self._matrix, self._trans, self._size = whole, matrix, trans, matrix.nrows()

    def solve(self, b: list[arb]) -> list[arb]:
        found = self._refined(b) if self._size > _ELIMINATED else None
        if found is None:
            found = self._eliminated(b)
        return [x if yes else arb(0) for x, yes in zip(found, self.reaching(b), strict=True)]

    def _eliminated(self, b: list[arb]) -> list[arb]:
        try:
            return self._matrix.solve(arb_mat(self._size, 1, b)).entries()
        except ZeroDivisionError:
            raise Undecided("a linear system in balls could not be solved: raise the precision") from None

    def _refined(self, b: list[arb]) -> list[arb] | None:
        """Enclosures, or None where floats do not get near a solution or nothing is proved of it."""
        if self._whole.factors is None or (self.weights is None and self._inverse is None):
            return None
        right = arb_mat(self._size, 1, b)
        try:
            x, left = refined(
                lambda x: (right - self._matrix * arb_mat(self._size, 1, x)).entries(),
                self._solved_in_floats,
                self._size,
                arb(0),
            )
        except (NotSolved, OverflowError, ValueError):  # numbers beyond floats
            return None
        return [v + (-radius).union(radius) for v, radius in zip(x, self._radii(left), strict=True)]

    def _radii(self, left: list[arb]) -> list[arb]:
        """How far each entry is from the solution at most, by the residual."""
        if self.weights is not None:
            weights, gained = self.weights
            top = max_of((abs(r).abs_upper() / g).abs_upper() for r, g in zip(left, gained, strict=True))
            return [(w * top).abs_upper() for w in weights]
        assert self._inverse is not None
        inverse, rate = self._inverse
        products = (inverse * arb_mat(self._size, 1, left)).entries()
        top = max_of(abs(x).abs_upper() for x in products)
        return [(top / (1 - rate)).abs_upper()] * self._size

    def _solved_in_floats(self, right: np.ndarray) -> np.ndarray:
        from scipy.linalg import lu_solve

        with np.errstate(all="ignore"):
            return np.asarray(lu_solve(self._whole.factors, right, trans=self._trans, check_finite=False))

    @cached_property
    def weights(self) -> tuple[list[arb], list[arb]] | None:
        """w > 0 and lower bounds of A w > 0; None where A is no M-matrix, or floats find no such w."""
        if self._whole.factors is None or not self._whole.has_negative_rest:
            return None
        weights = self._solved_in_floats(np.ones(self._size))
        if not (np.isfinite(weights).all() and (weights > 0).all()):
            return None
        w = [arb(x) for x in weights.tolist()]
        gained = [x.lower() for x in (self._matrix * arb_mat(self._size, 1, w)).entries()]
        return (w, gained) if all(x > 0 for x in gained) else None

    @cached_property
    def _inverse(self) -> tuple[arb_mat, arb] | None:
        """R and ‖I − R A‖ < 1; None where floats find no such R."""
        n, unit = self._size, np.eye(self._size)
        found = self._solved_in_floats(unit)
        if not np.isfinite(found).all():
            return None
        inverse = arb_mat(n, n, found.ravel().tolist())
        with precision(_NORM_BITS):
            left = (arb_mat(n, n, unit.ravel().tolist()) - inverse * self._matrix).entries()
            sums = (sum((abs(x).abs_upper() for x in left[s * n : (s + 1) * n]), arb(0)) for s in range(n))
            rate = max_of(x.abs_upper() for x in sums)
        return (inverse, rate) if rate < 1 else None

    def reaching(self, b: list[arb]) -> list[bool]:
        """Whether a row leads, over entries that are not 0, to an entry of b that is not 0."""
        found = last = np.array([not x.is_zero() for x in b])
        edges = self._whole.edges.T if self._trans else self._whole.edges
        while last.any() and not found.all():
            last = edges[:, last].any(1) & ~found
            found = found | last
        return found.tolist()
