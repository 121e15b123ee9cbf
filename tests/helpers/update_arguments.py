"""Valid arguments of the updates, of sharp gaps and of the search, for `wrong_arguments.py`."""

import inspect

import numpy as np

import trpo_theory as tt
from trpo_theory import updates

MDP = tt.FiniteMDP(
    [[[0.5, 0.5], [0, 1]], [[0, 1], [1, 0]]], [[0, 1], [2, 0]], 0.9, [1, 0], costs={"c": [[0, 1], [1, 0]]}
)
OLD, NEW = np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([[0.25, 0.75], [0.5, 0.5]])
STEP = tt.compare(MDP, OLD, NEW)
UPDATE = {"mdp": MDP, "old": OLD, "problem": tt.MaxKL(0.01)}


def defaults(function, **given):
    """The arguments of a function at their defaults, but for those given."""
    parameters = inspect.signature(function).parameters.values()
    known = {one.name: one.default for one in parameters if one.default is not one.empty}
    return {**known, **given}


def of_updates():
    """The entries of the updates."""
    problems = {name: getattr(updates, name) for name in updates.__all__}
    radii = [
        name for name, one in problems.items() if isinstance(one, type) and one in updates.trust_regions().values()
    ]
    return {
        **{name: (problems[name], {"delta": 0.01, "costs": {"c": 3.0}}) for name in radii},
        "Penalty": (updates.Penalty, {"coefficient": None, "bound": "chain-rule/kl"}),
        "Penalty, C": (updates.Penalty, {"coefficient": 2.0, "bound": None}),
        "Certified": (updates.Certified, defaults(updates.Certified, bound="chi2/expected-advantage")),
        "TRPOStep": (updates.TRPOStep, defaults(updates.TRPOStep, delta=0.01)),
        "CVXPY": (updates.CVXPY, {"name": "CLARABEL"}),
        "certificate": (updates.certificate, {"q": STEP}),
        "certified_step": (
            updates.certified_step,
            defaults(updates.certified_step, mdp=MDP, old=OLD, direction=NEW, bound="chain-rule/kl"),
        ),
        "updates.constrained_update": (
            updates.constrained_update,
            defaults(updates.constrained_update, **UPDATE, limits={"c": 9.0}),
        ),
        "cv_certificate": (updates.cv_certificate, {"gamma": 0.9, "c": 0.1, "mean": 1.0, "sd": 1.0}),
        "importance_sampled": (
            updates.importance_sampled,
            {
                **defaults(updates.importance_sampled, mdp=MDP, old=OLD, new=NEW, trajectories=2),
                "generator": np.random.default_rng(0),
            },
        ),
        "improve": (updates.improve, defaults(updates.improve, **{**UPDATE, "steps": 1})),
        "updates.shipped": (updates.shipped, defaults(updates.shipped, delta=0.01)),
        "updates.solve": (
            updates.solve,
            defaults(updates.solve, surrogate=updates.Surrogate.of(STEP), problem=tt.MaxKL(0.01)),
        ),
        "updates.solver_named": (updates.solver_named, {"name": "dual"}),
        "update": (updates.update, defaults(updates.update, **UPDATE)),
        "update, costs": (
            updates.update,
            defaults(updates.update, **{**UPDATE, "problem": tt.MaxKL(0.01, costs={"c": 9.0})}),
        ),
    }


def of_searches():
    """The entries of sharp gaps and of the search, of a second at most."""
    return {
        "sharp_gap": (tt.sharp_gap, defaults(tt.sharp_gap, divergence="max-kl", gamma=0.5, radius=0.1, nodes=10)),
        "sharp_limit": (tt.sharp_limit, defaults(tt.sharp_limit, gamma=0.5, width=0.1)),
        "SharpLimit.of": (tt.sharp_limit(0.5, width=0.1).of, {"divergence": "max-kl"}),
        "worst_case": (tt.worst_case, defaults(tt.worst_case, bound="trpo/kl", gamma=0.5, states=2, effort=1)),
        "falsify": (tt.falsify, {"claim": "id/flow", "seed": 0, "effort": 1}),
    }
