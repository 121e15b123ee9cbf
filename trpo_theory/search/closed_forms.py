"""Worst cases in closed form at fixed discounts and steps: walks of many lengths, the zoo's two-state families, χ² chains."""

from __future__ import annotations

import numpy as np

from trpo_theory.step.instances import Instances
from trpo_theory.zoo import chi_square_chains, families

GAMMAS = (1e-3, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999)
"""Discounts of all of them. Chosen."""
LENGTHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 22, 31)
"""States of a walk on each side of its start: 3 to 63 states. Chosen."""
_TILTS = (1e-3, 0.05, 0.5)
"""Of a walk's new policy, over √(1 − γ): by the last the walk has drifted away within a horizon. Chosen."""
_LARGEST_TILT = 0.45
"""At most: new must still go left with some probability. Chosen."""
_STEPS = (1e-6, 1e-3, 0.03, 0.1, 0.25, 0.45)
"""Total variation of two-state families. Chosen."""
_CHI2 = (0.01, 0.1, 0.5)
_CHAIN_GAMMAS = (0.1, 0.3, 0.5, 0.7, 0.9)
_TIMES = (4, 9)
"""Of chains: 11 and 46 states. Chosen: with nine times, a bound is attained to a few per cent up to γ = .7."""
_GOES = (1e-3, 3e-3, 1e-2)
"""Probabilities p of `_where_it_loses`. Chosen: with p of 0.03 a certificate a tenth too wide excludes the step."""
_BEYOND = (1.01, 1.1)
"""(κ_n CV)² of chains whose step is worse than old by that little: it refutes certificates that are too wide. Chosen."""
_SCALE = 1e3
"""Of the advantages of `cpo_tight`, whose ratio to its bound is 1 less the inverse of it."""


EVERY_SIZE = range(1 << 15)
"""More states than any witness has."""


def closed_form_witnesses(states: range = EVERY_SIZE) -> list[Instances]:
    """Those of so many states, all if left out, a batch for each family and size."""
    found = [_walks(n) for n in LENGTHS if 2 * n + 1 in states]
    found += _two_states() if 2 in states else []
    return [*found, *(part for n in _TIMES if n * (n + 1) // 2 + 1 in states for part in _chains(n))]


def walks(gamma: np.ndarray, x: np.ndarray, n: int) -> Instances:
    """Drunkard's walks on −n..n whose ends hold on less than for ever, as n of them are then worth more.

    As `zoo.families.drunkards_walk`, but at an end the action that leads inward does so with probability √(1 − γ). As x → 0 the
    ratio gap/(ε D) over 2 Li_{−1/2}(γ) at n = 12 and γ = .99 is .7711, where it is .7470 with absorbing ends; the best
    probability was found by trying.

    Args:
        gamma: the discounts, (B,).
        x: the tilts of new to the right, (B,).
        n: states on each side of the start.
    """
    sites = np.arange(-n, n + 1)
    transition = np.zeros((len(gamma), 2 * n + 1, 2, 2 * n + 1))
    for action, step in enumerate((-1, 1)):
        transition[:, sites + n, action, np.clip(sites + step, -n, n) + n] = 1
    inward = np.sqrt(1 - gamma)
    for end, inner, action in ((0, 1, 1), (2 * n, 2 * n - 1, 0)):
        transition[:, end, action, inner], transition[:, end, action, end] = inward, 1 - inward
    sign = np.sign(sites).astype(float)
    tilted = np.stack([0.5 - x, 0.5 + x], 1)[:, None]
    old = np.full((len(gamma), 2 * n + 1, 2), 0.5)
    return Instances.of_arrays(
        transition,
        np.stack([sign, -sign], 1),
        gamma,
        (sites == 0).astype(float),
        old,
        np.broadcast_to(tilted, old.shape),
    )


def _walks(n: int) -> Instances:
    gamma, tilt = (part.ravel() for part in np.meshgrid(GAMMAS, _TILTS))
    return walks(gamma, np.minimum(tilt * np.sqrt(1 - gamma), _LARGEST_TILT), n)


def _two_states() -> list[Instances]:
    gamma, x = (part.ravel() for part in np.meshgrid(GAMMAS, _STEPS))
    made = [
        families.coupling_tight(gamma=gamma, x=x),
        families.pinsker_tight(gamma=gamma, x=x),
        families.kakade_langford_tight(gamma=gamma, x=x),
        families.cpo_tight(gamma=gamma, x=x, scale=_SCALE),
    ]
    return [*(Instances.of(one.mdp, one.old, one.new) for one in made), _where_it_loses()]


def _where_it_loses() -> Instances:
    """New goes from the start, where old mostly stays, to a state where it forgoes what old earned there half of the time.

    At γ = p/100, with old(go) = p, L rises by about γ/2 and η falls by about γp/2: it refutes certificates a tenth too wide.
    """
    go = np.array(_GOES)
    return Instances.of_arrays(
        np.array([[[0, 1], [1, 0]], [[1, 0], [1, 0]]]),
        np.array([[0, 0], [0, 1]]),
        go / 100,
        [1, 0],
        np.stack([np.stack([go, 1 - go], 1), np.full((len(go), 2), 0.5)], 1),
        np.array([[1, 0], [1, 0]]),
    )


def _chains(n: int) -> list[Instances]:
    gamma, c = (part.ravel() for part in np.meshgrid(_CHAIN_GAMMAS, _CHI2))
    some = gamma * (1 + c) < 1
    gamma, c = gamma[some], c[some]
    made = [
        make(gamma=gamma, c=c, n=n)
        for make in (
            chi_square_chains.chi2_advantage_tight,
            chi_square_chains.chi2_reward_tight,
            chi_square_chains.chi2_time_resolved_tight,
        )
    ]
    made += [
        chi_square_chains.cv_certificate_tight(gamma=gamma, c=c, n=n, slope=np.sqrt(beyond) / _attained(gamma, c, n))
        for beyond in _BEYOND
    ]
    return [Instances.of(one.mdp, one.old, one.new) for one in made]


def _attained(gamma: np.ndarray, c: np.ndarray, n: int) -> np.ndarray:
    """κ_n² = (1 − γ) Σ_{t<n} γᵗ((1 + c)ᵗ − 1): where κ_n CV = 1, the gain of the chain of `cv_certificate_tight` is 0."""
    time = np.arange(n)[:, None]
    return (1 - gamma) * (gamma**time * ((1 + c) ** time - 1)).sum(0)
