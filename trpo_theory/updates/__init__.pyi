from .certified import Certified
from .certified_path import CertifiedStep, certified_step
from .certified_updating import CertifiedUpdate
from .constrained import ConstrainedUpdate, constrained_update
from .cv import CVCertificate, cv_certificate
from .importance import ImportanceEstimate, importance_sampled
from .improving import Reason, Step, Trace, improve
from .names import SOLVERS, problem_names, solver_named, with_radius
from .problems import (
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
from .sharp_penalty import SHARP
from .solution import UpdateSolution
from .solvers.answer import Answer
from .solvers.cvxpy import CVXPY
from .solvers.dual import Dual
from .solvers.protocol import Solver
from .solvers.trpo_step import TRPOStep, shipped
from .solving import solve
from .status import Status
from .step_certificate import StepCertificate, certificate
from .surrogate import Surrogate
from .updating import update

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
