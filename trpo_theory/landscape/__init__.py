"""All policies of a small MDP at once: the square of policies, and the polytope of their values."""

from __future__ import annotations

from trpo_theory.landscape.polytope import ValuePolytope, improvement_path, value_polytope
from trpo_theory.landscape.square import PolicySquare, Section, policies_at, policy_square

__all__ = [
    "PolicySquare",
    "Section",
    "ValuePolytope",
    "improvement_path",
    "policies_at",
    "policy_square",
    "value_polytope",
]
