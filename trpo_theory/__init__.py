"""The laboratory for policy-improvement theory: finite MDPs solved exactly, and the bounds behind TRPO put to the test.

>>> import trpo_theory as tt
>>> mdp = tt.load("gym:FrozenLake-v1", gamma=0.99)
>>> q = tt.compare(mdp, tt.load_policy("uniform", mdp), tt.load_policy("optimal", mdp))
>>> round(float(q.expected_return_new), 6)
0.542026

Names are imported when first used, so that `import trpo_theory` costs nothing.
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

from trpo_theory._modules import Importable

__version__ = "0.1.0"

_HOME = {
    "FiniteMDP": "mdp",
    "StateAggregation": "policy",
    "uniform": "policy",
    "softmax": "policy",
    "greedy": "policy",
    "mixture": "policy",
    "evaluate": "evaluation",
    "Evaluation": "evaluation",
    "optimal": "control",
    "Optimum": "control",
    "compare": "quantities",
    "Quantities": "quantities",
    "load": "sources",
    "load_policy": "sources",
    **dict.fromkeys(
        (
            *("update", "improve", "importance_sampled", "Dual", "CVXPY", "TRPOStep", "Surrogate", "UpdateSolution"),
            *("Penalty", "MaxKL", "MeanKL", "ReverseMaxKL", "ReverseMeanKL", "MaxTV", "Trace", "Status"),
        ),
        "updates",
    ),
    "certify_update": "certified",
    "Claim": "claims.claim",
    "claim": "claims.claim",
    **dict.fromkeys(("verify", "falsify", "check", "Verification", "Verdict"), "verify"),
    "certify": "certificate",
    **dict.fromkeys(("sharp_gap", "SharpGap"), "search.sharp_gap"),
    **dict.fromkeys(("worst_case", "WorstCase"), "search.worst_case"),
    **dict.fromkeys(("audit", "Audit"), "audit"),
    "strategies": "search.strategies",
    "load_aggregation": "sources",
    "InvalidInput": "errors",
    "NotSolved": "errors",
    "TrpoTheoryError": "errors",
}
_ROOMS = ("bounds", "certified", "claims", "divergence", "io", "report", "updates", "zoo")

__all__ = [*_HOME, *_ROOMS]

if TYPE_CHECKING:
    from trpo_theory import bounds, certified, claims, divergence, io, report, updates, zoo
    from trpo_theory.audit import Audit, audit
    from trpo_theory.certificate import certify
    from trpo_theory.certified import certify_update
    from trpo_theory.claims.claim import Claim, claim
    from trpo_theory.control import Optimum, optimal
    from trpo_theory.errors import InvalidInput, NotSolved, TrpoTheoryError
    from trpo_theory.evaluation import Evaluation, evaluate
    from trpo_theory.mdp import FiniteMDP
    from trpo_theory.policy import StateAggregation, greedy, mixture, softmax, uniform
    from trpo_theory.quantities import Quantities, compare
    from trpo_theory.search import strategies
    from trpo_theory.search.sharp_gap import SharpGap, sharp_gap
    from trpo_theory.search.worst_case import WorstCase, worst_case
    from trpo_theory.sources import load, load_aggregation, load_policy
    from trpo_theory.updates import (
        CVXPY,
        Dual,
        MaxKL,
        MaxTV,
        MeanKL,
        Penalty,
        ReverseMaxKL,
        ReverseMeanKL,
        Status,
        Surrogate,
        Trace,
        TRPOStep,
        UpdateSolution,
        importance_sampled,
        improve,
        update,
    )
    from trpo_theory.verify import Verdict, Verification, check, falsify, verify


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"trpo_theory.{name}")
    if name in _HOME:
        module = importlib.import_module(f"trpo_theory.{_HOME[name]}")
        value = module if name == "strategies" else getattr(module, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'trpo_theory' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(Importable):
    """Importing the room `trpo_theory.verify` must not hide the function `verify`: the names above win."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and name != "strategies" and isinstance(value, types.ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
