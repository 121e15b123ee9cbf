"""Policies by a word, "uniform" and "optimal", wherever a policy is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from trpo_theory._checks import near_matches
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import uniform

WORDS = ("uniform", "optimal")
"""What stands for a policy of any MDP."""


def policy_named(
    word: str,
    mdp: FiniteMDP,
    name: str = "policy",
    *,
    criterion: str | None = None,
    horizon: int | None = None,
    temperature: float | None = None,
) -> np.ndarray:
    """The policy that a word stands for, (*batch, S, A); with a horizon the optimal one is a policy for each step.

    Args:
        word: "uniform": the available actions with the same probability; or "optimal".
        mdp: of which it is a policy.
        name: of the policy, for messages.
        criterion: what "optimal" maximises, as for `optimal`, and so the next two.
        horizon: T, or None.
        temperature: τ, or None.

    Raises:
        InvalidInput: for another word, a file's name among them.
    """
    if word == "uniform":
        return uniform(mdp.available)
    if word == "optimal":
        from trpo_theory.solve.control import optimal

        return np.array(optimal(mdp, criterion=criterion, horizon=horizon, temperature=temperature).policy)
    fix = near_matches(word, WORDS)
    if Path(word).suffix:
        fix = f"pass load_policy({word!r}, mdp)"
    elif word in ("old", "new"):
        fix = (
            "pass an array (S, A); the policies of a file or a family are read on the command line, by --old and --new"
        )
    raise InvalidInput(got=f"{name} {word!r}", wanted='"uniform", "optimal" or an array (S, A)', fix=fix)


def policy_or_named(value: Any, mdp: FiniteMDP, name: str = "policy", **setting: Any) -> Any:
    """What a word stands for, as `policy_named`; anything else as it is."""
    return policy_named(value, mdp, name, **setting) if isinstance(value, str) else value


def with_arrays(
    policies: dict[str, Any], mdp: FiniteMDP, criterion: str | None, horizon: int | None, temperature: float | None
) -> dict[str, Any]:
    """Policies by what messages call them, with an array for each word; a word that stands twice is one array."""
    found: dict[str, np.ndarray] = {}
    for name, value in policies.items():
        if isinstance(value, str) and value not in found:
            setting: dict[str, Any] = {"criterion": criterion, "horizon": horizon, "temperature": temperature}
            found[value] = policy_named(value, mdp, name, **setting)
    return {name: found[value] if isinstance(value, str) else value for name, value in policies.items()}
