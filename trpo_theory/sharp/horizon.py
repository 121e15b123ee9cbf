"""The sharp gap over a horizon: T steps of the program from v₀ = 0, each with laws of its own.

docs/theory.md, "A finite horizon".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trpo_theory.sharp.ends import Ends, chords_of, of_two_atoms
from trpo_theory.sharp.iteration import first_laws, improved, scale_of
from trpo_theory.sharp.laws import Atoms, Laws, Prices
from trpo_theory.sharp.pricing import Stage
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.space import Chords, Space
from trpo_theory.sharp.supersolution import Supersolution, bounded, hull

_EXACT = 1e-10
"""Columns that gain less, relative to m² (1 + x), are not exchanged: chosen, a step adds some m² to the gap."""
_AGAIN = 4
"""Times that laws are improved once more, at most. Measured: once, to no avail, and once more where a basis was degenerate."""
_ROOM = 1e-12
"""Of the values, by which each step is lifted beyond its need: nodes on a line, up to rounding, are left out of the next one."""


@dataclass(frozen=True, eq=False)
class Step:
    """One step of the program, with k steps left after it.

    Attributes:
        stage: with the function ahead, v_k.
        laws, masses: at each node.
        prices: their duals.
        values: v_{k+1} at the nodes.
        ends: v_{k+1} at x = 0 and ∞.
    """

    stage: Stage
    laws: Laws
    masses: np.ndarray
    prices: Prices
    values: np.ndarray
    ends: Ends

    @property
    def setting(self) -> Setting:
        """Which gap."""
        return self.stage.setting

    @property
    def space(self) -> Space:
        """Of the nodes."""
        return self.stage.space


def steps(setting: Setting, space: Space) -> list[Step]:
    """The T steps, that with nothing after it first.

    Args:
        setting: which gap, with its horizon; of a largest divergence.
        space: the nodes, of every step.
    """
    assert setting.horizon is not None
    laws, nodes = first_laws(setting, space, None, 0.0), np.arange(space.size)
    tolerance = _EXACT * setting.width**2 * scale_of(space)
    values, ends = np.zeros(space.size), _ends(setting, 0)
    found: list[Step] = []
    for k in range(setting.horizon):
        stage = Stage(setting, chords_of(space, values, ends), setting.gamma)
        laws = Laws(setting, Atoms(*(part.copy() for part in laws.atoms)))
        prices, values = _best(stage, laws, nodes, tolerance)
        ends = _ends(setting, k + 1)
        found.append(Step(stage, laws, laws.masses(), prices, values, ends))
    return found


def _best(stage: Stage, laws: Laws, nodes: np.ndarray, tolerance: np.ndarray) -> tuple[Prices, np.ndarray]:
    """The duals of the best laws and their values; where exchanges gained nothing for a while they are tried again."""

    def once() -> tuple[Prices, np.ndarray]:
        prices = improved(stage, laws, nodes, tolerance, lattice=False)
        return prices, prices.value + prices.multiplier * stage.setting.radius

    prices, values = once()
    for _ in range(_AGAIN):
        before = values
        prices, values = once()
        if (values <= before + tolerance).all():
            break
    return prices, values


def _ends(setting: Setting, count: int) -> Ends:
    """At x = 0 and ∞, with so many steps left: what the best law earns at once in each."""
    gain = 1.0 if setting.expected else setting.width
    worth = gain * float((setting.gamma ** np.arange(count)).sum())
    free = Prices(*(np.zeros(1) for _ in Prices._fields))
    if not setting.expected:
        free = of_two_atoms(setting, setting.width)
    ahead = gain * float((setting.gamma ** np.arange(max(count - 1, 0))).sum())
    return Ends(worth, worth, free, free._replace(mu=free.mu + setting.gamma * ahead))


@dataclass(frozen=True, eq=False)
class HorizonSupersolution:
    """w_1, ..., w_T with w_k ≥ T w_{k−1} and w_0 = 0: G_T ≤ w_T(1).

    Attributes:
        setting: which gap.
        steps: each with its multipliers.
    """

    setting: Setting
    steps: tuple[Supersolution, ...]

    @property
    def bound(self) -> float:
        """The upper bound on G_T."""
        return self.steps[-1].bound

    def lifted(self, lift: float, spare: float = 0.0) -> HorizonSupersolution:
        """w_k + (1 + γ + ... + γ^(k−1)) lift (1 + x): every inequality gains lift (1 + x), a share of which goes into μ."""
        made: list[Supersolution] = []
        gamma, total = self.setting.gamma, 0.0
        for step in self.steps:
            x = step.nodes
            before, total = total, gamma * total + lift
            up = gamma * before * np.append(x, 1.0) + spare * lift * (1 + np.append(x, 0.0))
            made.append(replace(step, w=step.w + total * (1 + x), slope=step.slope + total, mu=step.mu + up))
        return replace(self, steps=tuple(made))


def horizon_supersolution(found: list[Step]) -> HorizonSupersolution:
    """The steps' values, each lifted by what it and those before it lack."""
    return HorizonSupersolution(found[-1].setting, tuple(_supersolutions(found)))


def _supersolutions(found: list[Step]) -> list[Supersolution]:
    made: list[Supersolution] = []
    lift = 0.0
    for step in found:
        setting, space = step.stage.setting, step.stage.space
        x = np.append(0.0, 1 + space.positions)
        before = _with_zero(step.stage.chords)
        tilt = setting.divergence.tilt
        multiplier, mu, nu = (
            np.concatenate(
                [getattr(step.ends.zero, name), getattr(step.prices, name), getattr(step.ends.infinity, name)]
            )
            for name in ("multiplier", "mu", "nu")
        )
        values = np.append(step.ends.value, step.values)
        one = Supersolution(
            setting,
            x,
            values,
            step.ends.slope,
            multiplier,
            mu + tilt * multiplier,
            nu,
            (before, step.stage.chords.right),
        )
        one, short = bounded(one)
        before_lift, lift = lift, setting.gamma * lift + short + _ROOM * float((values / (1 + x)).max())
        kept = hull(x, values.copy(), step.ends.slope, keep=1 + space.start)
        at = np.append(kept, len(x))
        made.append(
            replace(
                one,
                nodes=x[kept],
                w=(values + lift * (1 + x))[kept],
                slope=step.ends.slope + lift,
                multiplier=one.multiplier[at],
                mu=(one.mu + setting.gamma * before_lift * np.append(x, 1.0))[at],
                nu=one.nu[at],
                ahead=None,
            )
        )
    return made


def _with_zero(chords: Chords) -> np.ndarray:
    """Values at x = 0 and at the nodes."""
    space = chords.space
    return np.append(chords.values[0] + chords.left * (space.floor - space.positions[0]), chords.values)
