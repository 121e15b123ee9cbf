"""The update problems (11), (12), (13) and their siblings, solved with certificates."""

from __future__ import annotations

from trpo_theory.updates.dual import Dual
from trpo_theory.updates.problems import MaxKL, MaxTV, MeanKL, Penalty, ReverseMaxKL, ReverseMeanKL
from trpo_theory.updates.solution import Status, UpdateSolution
from trpo_theory.updates.surrogate import Surrogate
from trpo_theory.updates.update import solve, update

__all__ = [
    "Dual",
    "MaxKL",
    "MaxTV",
    "MeanKL",
    "Penalty",
    "ReverseMaxKL",
    "ReverseMeanKL",
    "Status",
    "Surrogate",
    "UpdateSolution",
    "solve",
    "update",
]
