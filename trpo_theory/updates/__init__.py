"""The update problems (11), (12), (13) and their siblings, solved with certificates."""

from __future__ import annotations

from trpo_theory.updates.certified import Certified
from trpo_theory.updates.certified_path import CertifiedStep, certified_step
from trpo_theory.updates.certified_updating import CertifiedUpdate
from trpo_theory.updates.constrained import ConstrainedUpdate, constrained_update
from trpo_theory.updates.cv import CVCertificate, cv_certificate
from trpo_theory.updates.importance import ImportanceEstimate, importance_sampled
from trpo_theory.updates.improving import Reason, Step, Trace, improve
from trpo_theory.updates.names import SOLVERS, problem_names, solver_named, with_radius
from trpo_theory.updates.problems import (
    MaxKL,
    MaxTV,
    MeanKL,
    Penalty,
    Problem,
    ReverseMaxChi2,
    ReverseMaxKL,
    ReverseMeanChi2,
    ReverseMeanKL,
    TrustRegion,
    trust_regions,
)
from trpo_theory.updates.sharp_penalty import SHARP
from trpo_theory.updates.solution import UpdateSolution
from trpo_theory.updates.solvers.answer import Answer
from trpo_theory.updates.solvers.cvxpy import CVXPY
from trpo_theory.updates.solvers.dual import Dual
from trpo_theory.updates.solvers.protocol import Solver
from trpo_theory.updates.solvers.trpo_step import TRPOStep, shipped
from trpo_theory.updates.solving import solve
from trpo_theory.updates.status import Status
from trpo_theory.updates.step_certificate import StepCertificate, certificate
from trpo_theory.updates.surrogate import Surrogate
from trpo_theory.updates.updating import update

__all__ = [
    "CVXPY",
    "SHARP",
    "SOLVERS",
    "Answer",
    "CVCertificate",
    "Certified",
    "CertifiedStep",
    "CertifiedUpdate",
    "ConstrainedUpdate",
    "Dual",
    "ImportanceEstimate",
    "MaxKL",
    "MaxTV",
    "MeanKL",
    "Penalty",
    "Problem",
    "Reason",
    "ReverseMaxChi2",
    "ReverseMaxKL",
    "ReverseMeanChi2",
    "ReverseMeanKL",
    "Solver",
    "Status",
    "Step",
    "StepCertificate",
    "Surrogate",
    "TRPOStep",
    "Trace",
    "TrustRegion",
    "UpdateSolution",
    "certificate",
    "certified_step",
    "constrained_update",
    "cv_certificate",
    "importance_sampled",
    "improve",
    "problem_names",
    "shipped",
    "solve",
    "solver_named",
    "trust_regions",
    "update",
    "with_radius",
]
