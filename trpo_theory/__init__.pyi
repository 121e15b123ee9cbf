from . import bounds, claims, io, report, updates, zoo
from .bounds.decorator import claim
from .bounds.record import Claim
from .errors import InvalidInput, NotSolved, RowsRescaled, TrpoTheoryError
from .loading.sources import load, load_aggregation, load_policy
from .model.mdp import FiniteMDP
from .model.policy import StateAggregation, greedy, mixture, softmax, uniform
from .numerics import divergence
from .proofs.certified_bounds import CertifiedBound, certify_bounds
from .proofs.certifying import certify
from .proofs.proving import Proving
from .proofs.update_gap import certify_update
from .recorded.auditing import audit
from .recorded.record import Audit
from .search.worst_cases.finding import WorstCase, worst_case
from .sharp.gap import SharpGap, sharp_gap
from .sharp.limit import SharpLimit, sharp_limit
from .solve.control import Optimum, optimal
from .solve.evaluation import Evaluation, evaluate
from .solve.layers import finite_horizon
from .step.quantities import Quantities, compare
from .testing import strategies
from .updates import (
    CVXPY,
    Certified,
    CertifiedStep,
    CertifiedUpdate,
    CVCertificate,
    Dual,
    MaxKL,
    MaxTV,
    MeanKL,
    Penalty,
    ReverseMaxChi2,
    ReverseMaxKL,
    ReverseMeanChi2,
    ReverseMeanKL,
    Status,
    StepCertificate,
    Surrogate,
    Trace,
    TRPOStep,
    UpdateSolution,
    certificate,
    certified_step,
    cv_certificate,
    importance_sampled,
    improve,
    update,
)
from .verification.falsifying import check, falsify
from .verification.proving import prove
from .verification.slack_sample import SlackSample, sampled_slacks
from .verification.verdict import Verdict, Verification
from .verification.verifying import verify

__version__: str

__all__ = [
    "CVXPY",
    "Audit",
    "CVCertificate",
    "Certified",
    "CertifiedBound",
    "CertifiedStep",
    "CertifiedUpdate",
    "Claim",
    "Dual",
    "Evaluation",
    "FiniteMDP",
    "InvalidInput",
    "MaxKL",
    "MaxTV",
    "MeanKL",
    "NotSolved",
    "Optimum",
    "Penalty",
    "Proving",
    "Quantities",
    "ReverseMaxChi2",
    "ReverseMaxKL",
    "ReverseMeanChi2",
    "ReverseMeanKL",
    "RowsRescaled",
    "SharpGap",
    "SharpLimit",
    "SlackSample",
    "StateAggregation",
    "Status",
    "StepCertificate",
    "Surrogate",
    "TRPOStep",
    "Trace",
    "TrpoTheoryError",
    "UpdateSolution",
    "Verdict",
    "Verification",
    "WorstCase",
    "audit",
    "bounds",
    "certificate",
    "certified_step",
    "certify",
    "certify_bounds",
    "certify_update",
    "check",
    "claim",
    "claims",
    "compare",
    "cv_certificate",
    "divergence",
    "evaluate",
    "falsify",
    "finite_horizon",
    "greedy",
    "importance_sampled",
    "improve",
    "io",
    "load",
    "load_aggregation",
    "load_policy",
    "mixture",
    "optimal",
    "prove",
    "report",
    "sampled_slacks",
    "sharp_gap",
    "sharp_limit",
    "softmax",
    "strategies",
    "uniform",
    "update",
    "updates",
    "verify",
    "worst_case",
    "zoo",
]
