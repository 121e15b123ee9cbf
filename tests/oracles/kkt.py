"""The oracle of the update problems: the Karush-Kuhn-Tucker conditions in 80 digits, from the definitions alone.

Each problem is convex, so that a feasible p with multipliers that satisfy the conditions is a maximiser. A row g (a state,
or a group of states) has weight ρ; with the multiplier λ_g of the solver and D its divergence from old,

    stationarity        A(a) − λ ∂D/∂p(a) = ν where p(a) > 0, ≤ ν where p(a) = 0        for some ν of the row
    dual feasibility    λ ≥ 0, and what the problem says of the λ of different rows
    complementarity     λ · (bound on D − D) = 0
    primal feasibility  p a distribution on the actions that are allowed, D within bounds

Floats are taken as the dyadic rationals that they are. p is given twice, as p − old and as p: the first carries small
steps, the second small probabilities. Violations are relative to the sizes named, and should be of the order of 1e-13.
It shares no code with the package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mpmath

mp = mpmath.MPContext()
mp.dps = 80

PROBLEMS = (
    *("penalty", "max-kl", "mean-kl", "reverse-max-kl", "reverse-mean-kl", "max-tv"),
    *("reverse-max-chi2", "reverse-mean-chi2"),
)
"""Those whose divergence and derivative are written below."""

NOTHING = mp.mpf("1e-200")
"""A multiplier this small (relative to the spread of A) is 0: what it multiplies is lost to float underflow."""


@dataclass
class Row:
    """One row of the policy, old and new."""

    old: list[Any]
    change: list[Any]
    new: list[Any]
    advantage: list[Any]
    available: list[bool]
    rho: Any
    multiplier: Any

    @property
    def scale(self) -> Any:
        """max A − min A over the actions that matter."""
        known = [a for a, o, ok in zip(self.advantage, self.old, self.available, strict=True) if ok or o > 0]
        return max(known) - min(known)

    @property
    def moved(self) -> Any:
        return mp.fsum(abs(c) for c in self.change)

    @property
    def gain(self) -> Any:
        """Σ (p − old) A, with A centred: Σ (p − old) = 0 but for the rounding of the answer."""
        mean = mp.fsum(o * a for o, a in zip(self.old, self.advantage, strict=True)) / mp.fsum(self.old)
        return mp.fsum(c * (a - mean) for c, a in zip(self.change, self.advantage, strict=True) if c != 0)


def number(x: Any) -> Any:
    return mp.mpf(float(x))


def rows_of(old: Any, advantage: Any, available: Any, rho: Any, change: Any, new: Any, multiplier: Any) -> list[Row]:
    """From (G, A) arrays; rho and multiplier (G,)."""
    return [
        Row(
            [number(x) for x in old[g]],
            [number(x) for x in change[g]],
            [number(x) for x in new[g]],
            [number(x) for x in advantage[g]],
            [bool(x) for x in available[g]],
            number(rho[g]),
            number(multiplier[g]),
        )
        for g in range(len(rho))
    ]


def log_ratio(o: Any, c: Any, n: Any) -> Any:
    """log(p/old), from whichever of p − old and p tells it better."""
    return mp.log(n / o) if 2 * n < o else mp.log1p(c / o)


def forward_kl(row: Row) -> Any:
    """KL(old‖p) = Σ old (x − log(1 + x)), x = p/old − 1, the generalised KL of rows that sum to 1 only to rounding."""
    total = mp.mpf(0)
    for o, c, n in zip(row.old, row.change, row.new, strict=True):
        if o > 0 and n == 0:
            return mp.inf
        total += c if o == 0 else c - o * log_ratio(o, c, n)
    return total


def reverse_kl(row: Row) -> Any:
    """KL(p‖old) = Σ p log(p/old) − p + old."""
    total = mp.mpf(0)
    for o, c, n in zip(row.old, row.change, row.new, strict=True):
        if o == 0 and n > 0:
            return mp.inf
        if o > 0:
            p = n if 2 * n < o else o + c
            total += (p * log_ratio(o, c, n) if p > 0 else 0) - c
    return total


def reverse_chi2(row: Row) -> Any:
    """χ²(p‖old) = Σ (p − old)²/old."""
    if any(o == 0 and n > 0 for o, n in zip(row.old, row.new, strict=True)):
        return mp.inf
    return mp.fsum(c * c / o for o, c in zip(row.old, row.change, strict=True) if o > 0)


def total_variation(row: Row) -> Any:
    return row.moved / 2


def divergence(name: str, row: Row) -> Any:
    """The divergence that the problem of that name holds down."""
    if name == "max-tv":
        return total_variation(row)
    if name.endswith("chi2"):
        return reverse_chi2(row)
    return reverse_kl(row) if name.startswith("reverse") else forward_kl(row)


def _nu_interval(name: str, row: Row, a: int) -> tuple[Any, Any]:
    """The ν that action a allows, [low, high]; for the forward KL, ν − λ (so that a large λ cancels nothing)."""
    o, c, n = row.old[a], row.change[a], row.new[a]
    here, lam = row.advantage[a], row.multiplier
    if name == "max-tv":
        low = here - lam / 2 if c >= 0 else here + lam / 2
        high = here - lam / 2 if c > 0 else here + lam / 2
        return low, high if n > 0 else mp.inf
    if name.startswith("reverse"):
        if o == 0:
            return -mp.inf, mp.inf
        if name.endswith("chi2"):
            slope = here - 2 * lam * c / o
            return slope, slope if n > 0 else mp.inf
        if n == 0:  # smaller than any float, so that ∂D/∂p lies below its value at the least float
            return here - lam * mp.log(mp.mpf(5e-324) / o), mp.inf
        slope = here - lam * log_ratio(o, c, n)
        return slope, slope
    if n == 0:
        return here - lam, mp.inf
    slope = here - lam * c / n
    return slope, slope


def stationarity(name: str, row: Row) -> Any:
    """By how much no ν suits all actions, relative to the spread of A."""
    allowed = [a for a, ok in enumerate(row.available) if ok or row.old[a] > 0]
    intervals = [_nu_interval(name, row, a) for a in allowed]
    excess = max(low for low, _ in intervals) - min(high for _, high in intervals)
    return max(excess, 0) / (row.scale if row.scale > 0 else 1)


@dataclass
class Violations:
    """How far from optimal, each relative to its own size; zero but for rounding."""

    primal: float
    dual: float
    stationarity: float
    complementarity: float

    @property
    def worst(self) -> float:
        return max(self.primal, self.dual, self.stationarity, self.complementarity)


def _is_distribution(row: Row, reverse: bool) -> Any:
    """Σ (p − old) = 0 and p ≥ 0; nothing where old is 0 and p may not go; p = old + change."""
    worst = abs(mp.fsum(row.change)) / (row.moved if row.moved > 0 else 1)
    for o, c, n, ok in zip(row.old, row.change, row.new, row.available, strict=True):
        if n < 0 or (o == 0 and n > 0 and (reverse or not ok)):
            return mp.inf
        worst = max(worst, abs(o + c - n) / max(o, n, mp.mpf("1e-300")))
    return worst


def _excess(value: Any, bound: Any) -> Any:
    """(value − bound)/bound where positive."""
    return max(value - bound, 0) / bound if bound > 0 else (mp.inf if value > 0 else mp.mpf(0))


def _unused(row: Row, spent: Any, bound: Any) -> Any:
    """λ (bound − D), relative to λ bound + nothing much."""
    return abs(row.multiplier * (bound - spent)) / (row.multiplier * bound + NOTHING * row.scale + mp.mpf("1e-300"))


def violations(name: str, rows: list[Row], gamma: float, *, delta: Any = None, coefficient: Any = None) -> Violations:
    """Of problem `name`, at radius delta or, for the penalty, coefficient C."""
    if name not in PROBLEMS:
        raise KeyError(f"got the problem {name}; wanted one of {', '.join(PROBLEMS)}; fix: write its conditions here")
    spent = [divergence(name, row) for row in rows]
    seen = [(row, d) for row, d in zip(rows, spent, strict=True) if row.rho > 0]
    primal = max(_is_distribution(row, name.startswith("reverse")) for row in rows)
    dual = max([max(-row.multiplier, 0) for row in rows])
    weight = 1 - number(gamma)
    if name == "penalty":
        bound = max(spent)
        primal = max(primal, 0 if mp.isfinite(bound) or coefficient == 0 else mp.inf)
        total, size = (
            mp.fsum(row.rho * row.multiplier for row, _ in seen),
            mp.fsum(row.rho * row.scale for row, _ in seen),
        )
        aim = number(coefficient)
        apart = total - aim if bound == 0 else abs(total - aim)
        dual = max(dual, apart / (aim + NOTHING * size + mp.mpf("1e-300")))
        left = [_unused(row, d, bound) for row, d in seen if mp.isfinite(bound)]
    elif "mean" in name:
        bound, mean = number(delta), mp.fsum(weight * row.rho * d for row, d in seen)
        primal = max(primal, _excess(mean, bound))
        moving = [row.multiplier for row, _ in seen if row.scale > 0]
        shared = max(moving, default=mp.mpf(0))
        # A row whose every action that matters ties is indifferent to its λ.
        rest = [row.multiplier for row, d in seen if row.scale > 0 and not _tied(name, row)]
        dual = max([dual, *((shared - lam) / shared for lam in rest if shared > 0)])
        left = [_unused(row, mean, bound) for row, _ in seen]
    else:
        bound = number(delta)
        primal = max(primal, max(_excess(d, bound) for d in spent))
        left = [_unused(row, d, bound) for row, d in seen]
    seen_rows = [row for row, _ in seen]
    return Violations(
        float(primal),
        float(dual),
        float(max([stationarity(name, row) for row in seen_rows], default=0)),
        float(max(left, default=0)),
    )


def _tied(name: str, row: Row) -> bool:
    """Whether nothing can be gained in the row: no allowed action beats one that old takes."""
    taken = [a for a, o in zip(row.advantage, row.old, strict=True) if o > 0]
    free = [a for a, o, ok in zip(row.advantage, row.old, row.available, strict=True) if ok or o > 0]
    return min(taken) >= max(taken if name.startswith("reverse") else free)


def objective(name: str, rows: list[Row], *, coefficient: Any = None) -> Any:
    """Σ ρ Σ (p − old) A, less the penalty."""
    gain = mp.fsum(row.rho * row.gain for row in rows)
    if name != "penalty" or coefficient == 0:
        return gain
    return gain - number(coefficient) * max(forward_kl(row) for row in rows)


def dual_value(name: str, rows: list[Row], gamma: float, *, delta: Any = None) -> Any:
    """The dual function at the rows' multipliers: what no policy can exceed. Gains over old; for the penalty Σ ρ v(λ)."""
    total = mp.mpf(0)
    for row in rows:
        if row.rho > 0:
            total += row.rho * _row_value(name, row)
    if name == "penalty":
        return total
    if "mean" in name:
        return total + max(row.multiplier for row in rows if row.rho > 0) * number(delta) / (1 - number(gamma))
    return total + mp.fsum(row.rho * row.multiplier * number(delta) for row in rows)


def _row_value(name: str, row: Row) -> Any:
    """v(λ) = max_p Σ (p − old) A − λ D(p), each maximiser in closed form up to one root by bisection."""
    lam = row.multiplier
    free = [a for a, ok in enumerate(row.available) if (ok or row.old[a] > 0) and (row.old[a] > 0 or name[:3] != "rev")]
    best = max(row.advantage[a] for a in free)
    taken = [(o, best - a) for o, a in zip(row.old, row.advantage, strict=True) if o > 0]
    mean = mp.fsum(o * d for o, d in taken)
    if lam == 0:
        return mean
    if name == "max-tv":  # Σ (d − λ)⁺ old, for each unit of mass leaves or stays on its own
        return mp.fsum(o * max(d - lam, 0) for o, d in taken)
    if name.endswith("chi2"):
        return mean + _chi2_value(taken, lam)
    if name.startswith("reverse"):  # λ log Σ old exp(−d/λ)
        return mean + lam * mp.log(mp.fsum(o * mp.exp(-d / lam) for o, d in taken))
    outside, mass = all(d > 0 for _, d in taken), mp.fsum(o for o, _ in taken)
    u = mp.mpf(0)
    if not (outside and lam * mp.fsum(o / d for o, d in taken) <= mass):
        low, high = mp.mpf(0), lam  # Σ λ old/(d + u) falls in u, from above old's mass to below
        for _ in range(400):
            u = (low + high) / 2
            low, high = (u, high) if mp.fsum(lam * o / (d + u) for o, d in taken) > mass else (low, u)
    x = [(lam - d - u) / (d + u) for _, d in taken]
    moved = mp.fsum(o * y * (mean / mass - d) for (o, d), y in zip(taken, x, strict=True))
    left = -mp.fsum(o * y for (o, _), y in zip(taken, x, strict=True))
    kl = mp.fsum(o * (y - mp.log1p(y)) for (o, _), y in zip(taken, x, strict=True)) + left
    return moved + left * mean / mass - lam * kl


def _chi2_value(taken: list[tuple[Any, Any]], lam: Any) -> Any:
    """max_p −Σ p d − λ χ²(p‖old): p = old (1 + (b − d)/(2λ))⁺, with the b at which its mass is old's, by bisection."""
    mass, low, high = mp.fsum(o for o, _ in taken), mp.mpf(0), max(d for _, d in taken)
    low -= 2 * lam * max(mass / o for o, _ in taken)

    def row(b: Any) -> list[Any]:
        return [o * max(1 + (b - d) / (2 * lam), 0) for o, d in taken]

    for _ in range(400):
        b = (low + high) / 2
        low, high = (low, b) if mp.fsum(row(b)) > mass else (b, high)
    lost = mp.fsum(p * d for p, (_, d) in zip(row(high), taken, strict=True))
    return -lost - lam * mp.fsum((p - o) ** 2 / o for p, (o, _) in zip(row(high), taken, strict=True))
