"""What makes drawn policies allowed by a criterion, in place: an end that is reached, or one state that all lead to."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory.testing._settings import Setting

_HALF = Fraction(1, 2)


def repaired(fields: dict[str, Any], setting: Setting) -> None:
    """Let every policy lead from every state to the end, or where returns are averages to one state, in every transition.

    A row leads there with probability 1/2 where that is missing, which takes from no other policy what it had: a policy that
    plays the row leads there, and others do not play it. So every policy is proper, or has one closed class.
    """
    if not (setting.is_episodic or setting.is_average):
        return
    home = len(fields["initial"]) - 1 if setting.is_episodic else several(fields["available"])
    transitions = [fields[name] for name in ("transition", "model") if name in fields]
    if setting.is_episodic:
        fields["reward"][home] = Fraction(0)
        for cost in fields.get("costs", {}).values():
            cost[home] = Fraction(0)
        for transition in transitions:
            transition[home][fields["available"][home]] = unit(len(fields["initial"]), home)
    policies = [fields[name] for name in ("old", "new") if name in fields] + list(fields.get("references", ()))
    for transition in transitions:
        for policy in policies:
            _lead(transition, policy, home)


def several(available: np.ndarray) -> int:
    """The first state with more than one action; 0 if there is none."""
    return int(np.argmax(available.sum(1) > 1))


def unit(size: int, entry: int) -> np.ndarray:
    """A row that is all on one entry."""
    row = np.full(size, Fraction(0), dtype=object)
    row[entry] = Fraction(1)
    return row


def _lead(transition: np.ndarray, policy: np.ndarray, home: int) -> None:
    while (stuck := np.flatnonzero(~_reaching(transition, policy, home))).size:
        row = int(stuck[0]), int(np.argmax(policy[stuck[0]] > 0))
        transition[row] = _HALF * (transition[row] + unit(len(policy), home))


def _reaching(transition: np.ndarray, policy: np.ndarray, home: int) -> np.ndarray:
    """The states that lead to a state, (S,)."""
    steps = ((policy > 0)[:, :, None] & (transition > 0)).any(1)
    found = np.arange(len(policy)) == home
    for _ in range(len(policy)):
        found = found | (steps & found).any(1)
    return found
