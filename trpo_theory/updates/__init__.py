"""The update problems (11), (12), (13) and their siblings, solved with certificates."""

from __future__ import annotations

from trpo_theory.updates.importance import ImportanceEstimate, importance_sampled
from trpo_theory.updates.improving import Reason, Step, Trace, improve
from trpo_theory.updates.problems import MaxKL, MaxTV, MeanKL, Penalty, ReverseMaxKL, ReverseMeanKL
from trpo_theory.updates.solution import Status, UpdateSolution
from trpo_theory.updates.solvers.cvxpy import CVXPY
from trpo_theory.updates.solvers.dual import Dual
from trpo_theory.updates.solvers.trpo_step import TRPOStep, shipped
from trpo_theory.updates.surrogate import Surrogate
from trpo_theory.updates.updating import solve, update

__all__ = [
    "CVXPY",
    "Dual",
    "ImportanceEstimate",
    "MaxKL",
    "MaxTV",
    "MeanKL",
    "Penalty",
    "Reason",
    "ReverseMaxKL",
    "ReverseMeanKL",
    "Status",
    "Step",
    "Surrogate",
    "TRPOStep",
    "Trace",
    "UpdateSolution",
    "importance_sampled",
    "improve",
    "shipped",
    "solve",
    "update",
]
