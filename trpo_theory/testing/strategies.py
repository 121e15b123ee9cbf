"""Hypothesis strategies for MDPs, policies, pairs of policies and policy classes: `trpo_theory.strategies`.

A pair puts a claim to the test unless asked otherwise: η(new) ≠ L, so that new ≠ old, γ > 0, and there are two states and two
actions. Of a theorem ask `trpo_theory.check`, which searches for a counterexample where it is likely to be, decides in exact
arithmetic, and returns a proved witness; property tests, which see what is drawn in floats, are for code of one's own, and for
drafts. Numbers are quotients of small integers, drawn exactly and rounded once, so that a failure shrinks to few states, few
actions, rows such as (1/2, 1/2) or (1, 0), a simple γ and small rewards. `exact_instances` gives the quotients themselves.
Hypothesis knows two types of this package once both are imported: st.from_type(FiniteMDP) is mdps(), of zoo.Instance instances().
Making a strategy of pairs evaluates a first one, which takes a second and would be past Hypothesis' deadline inside a test.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from jaxtyping import Float

from trpo_theory import _checks
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import StateAggregation
from trpo_theory.step.quantities import Quantities, compare
from trpo_theory.testing import _draws, _options
from trpo_theory.testing._warm_up import warm_up
from trpo_theory.zoo import Instance

__all__ = ["classes", "exact_instances", "instances", "mdps", "pairs", "policies", "quantities", "rounded"]

_OF_MDPS = (
    *("states", "actions", "gamma", "weights", "successors", "start_anywhere"),
    *("reward", "denominator", "unit", "unavailable"),
)
_OF_CLASSES = (*_OF_MDPS, "aggregation", "deterministic", "full_support")


def instances(**options: Any) -> st.SearchStrategy[Instance]:
    """An MDP with an old and a new policy.

    Args:
        **options: any of those below.
        states, actions: how many, an integer or (least, most); if left out (2, 4) and (2, 3).
        gamma: γ: a number, a sequence to sample from, or a strategy; if left out 1/2, 1/10, 9/10 and 99/100.
        trivial: whether the gap η(new) − L may be 0, where most claims hold trivially. If True, states and actions that are
            left out are (1, 4) and (1, 3), γ may be 0, and new may be old. If False, and other options ask for one state,
            γ = 0 or one value for all rewards, new ≠ old is left of it; for one action or mixture=0, nothing.
        weights: rows of probabilities are integers 0..weights over their sum; 4 if left out.
        successors: at most so many next states of a state and action: 1 makes transitions deterministic. If left out any
            number, but of more than 8 states at most 4.
        start_anywhere: whether ρ₀ > 0 in every state (False: anything).
        reward: (least, largest), of which rewards are multiples of 1/denominator; (-4, 4) if left out.
        denominator: that one, 1 if left out.
        unit: rewards in [0, 1], by quarters unless denominator is given.
        unavailable: whether some actions may be unavailable in some states (False: none are).
        aggregation: whether states may be grouped, old and new sharing rows within a group; or a fixed map: a
            `StateAggregation`, or one integer a state. `classes` gives the map with the policy.
        deterministic: whether policies are: True, or "old" or "new" for that one only.
        full_support: whether policies take every available action with positive probability, likewise. With "new",
            KL(old‖new) is finite; with "old", new is absolutely continuous with respect to old.
        mixture: new = (1 − x) old + x target, for weights x given as gamma is; True samples 1, 1/2, 1/4, 3/4, 1/10. What
            is required of new (deterministic, full_support) is then required of the target.
        near: a mixture of small weight, 1/2, 1/10, 1/100 or 1/1000 if True; a number is the largest weight, so that
            max_s TV(old_s, new_s) ≤ near.

    Raises:
        InvalidInput: for an unknown option, a value outside its range, or two that exclude each other.

    >>> from hypothesis import find
    >>> instance = find(instances(gamma=0.9), lambda drawn: True)
    >>> instance.mdp, instance.old.tolist(), instance.new.tolist()
    (FiniteMDP(states=2, actions=2, gamma=0.9, dense), [[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]])
    """
    return _floats(_of_pairs("instances", options))


def pairs(**options: Any) -> st.SearchStrategy[tuple[FiniteMDP, np.ndarray, np.ndarray]]:
    """(mdp, old, new): as `instances`, with its options, in a tuple."""
    return _floats(_of_pairs("pairs", options)).map(lambda drawn: (drawn.mdp, drawn.old, drawn.new))


def quantities(**options: Any) -> st.SearchStrategy[Quantities]:
    """compare(mdp, old, new), what claims read: as `instances`, with its options."""
    return _floats(_of_pairs("quantities", options), compare)


def exact_instances(**options: Any) -> st.SearchStrategy[dict[str, Any]]:
    """The numbers of an instance before they are rounded; options as for `instances`.

    Returns:
        A dict: transition (S, A, S), reward (S, A), initial (S,), old and new (S, A), object arrays of Fractions whose
        rows sum to exactly 1; gamma, a Fraction; available (S, A), booleans; groups (S,), integers: states with the same one
        share rows. `rounded` makes the `Instance` of it that `instances` would give.
    """
    return _draws.instance(_of_pairs("exact_instances", options))


def rounded(exact: dict[str, Any]) -> Instance:
    """The instance whose floats are the nearest to those of `exact_instances`.

    Raises:
        InvalidInput: for a dict that lacks a field.
    """
    missing = {"transition", "reward", "gamma", "initial", "available", "old", "new"} - set(exact)
    if missing:
        raise InvalidInput(
            got=f"an exact instance without {', '.join(sorted(missing))}",
            wanted="all the fields that exact_instances draws",
            fix="pass what exact_instances drew",
        )
    mdp = FiniteMDP(*_numbers_of(exact), available=exact["available"])
    return Instance(mdp, _nearest(exact["old"]), _nearest(exact["new"]))


def mdps(**options: Any) -> st.SearchStrategy[FiniteMDP]:
    """An MDP; options: those of `instances` that concern MDPs, with the sizes and γ of trivial=True where they are left out."""
    checked = _options.of("mdps", options, allowed=_OF_MDPS)
    return _draws.mdp(checked).flatmap(_mdp)


def policies(
    mdp: Any, *, weights: int = 4, deterministic: bool = False, full_support: bool = False, aggregation: Any = None
) -> st.SearchStrategy[Float[np.ndarray, "S A"]]:
    """A policy on an MDP, (S, A).

    Args:
        mdp: a `FiniteMDP`, not a batch; or the booleans (S, A) of its available actions.
        weights: integers 0..weights over their sum make a row.
        deterministic: whether all of a row is on one action.
        full_support: whether every available action has positive probability.
        aggregation: a `StateAggregation` to which the policy is to belong; its groups must agree on what is available.

    Raises:
        InvalidInput: for a batch, or an aggregation map that does not fit.
    """
    available = _availability(mdp)
    groups = np.arange(len(available))
    if aggregation is not None:
        groups = _groups(aggregation, available)
    options = _options.Options(
        actions=available.shape[1], weights=weights, deterministic=deterministic, full_support=full_support
    )
    return _draws.policy(available, groups, options).map(_nearest)


def classes(**options: Any) -> st.SearchStrategy[tuple[FiniteMDP, StateAggregation, np.ndarray]]:
    """(mdp, aggregation, old): a class of policies that share rows, and one of them to stand at.

    Options as for `instances` with trivial=True, except those that concern new; aggregation is True if left out.
    """
    return _class(_options.of("classes", {"aggregation": True, **options}, allowed=_OF_CLASSES))


@st.composite
def _class(draw: Any, options: Any) -> Any:
    fields = draw(_draws.instance(options, with_new=False))
    aggregation = draw(st.builds(StateAggregation, st.just(fields["groups"].tolist())))
    return draw(_mdp(fields)), aggregation, _nearest(fields["old"])


def _of_pairs(maker: str, options: dict[str, Any]) -> Any:
    warm_up()
    return _options.of(maker, {"trivial": False, **options})


@st.composite
def _floats(draw: Any, options: Any, made: Any = Instance) -> Any:
    fields = draw(_draws.instance(options))
    both = [_nearest(fields[name]) for name in ("old", "new")]
    if made is compare:  # takes lists, which are printed as what can be pasted
        both = [policy.tolist() for policy in both]
    return draw(st.builds(made, _mdp(fields), *map(st.just, both)))


def _mdp(fields: Any) -> Any:
    """By st.builds, whose call Hypothesis prints: the numbers of a failing example, not only its sizes."""
    masked = {} if fields["available"].all() else {"available": st.just(fields["available"].tolist())}
    return st.builds(FiniteMDP, *map(st.just, _numbers_of(fields)), **masked)


def _numbers_of(fields: Any) -> Any:
    lists = [_nearest(fields[name]).tolist() for name in ("transition", "reward", "initial")]
    return lists[0], lists[1], float(fields["gamma"]), lists[2]


def _nearest(exact: Any) -> Any:
    """The nearest floats: one division of integers is rounded correctly."""
    return np.asarray(exact).astype(np.float64)


def _availability(mdp: Any) -> Any:
    available = mdp.available if isinstance(mdp, FiniteMDP) else mdp
    try:
        array = np.asarray(available)
    except ValueError:
        array = np.empty(0)
    if array.ndim != 2 or array.dtype != bool or not array.any(-1).all():
        raise InvalidInput(
            got=f"{mdp!r}"
            if isinstance(mdp, FiniteMDP)
            else f"available of shape {array.shape} and dtype {array.dtype}",
            wanted="one MDP, or booleans (S, A) with an available action in every state",
            fix="pass mdp.available, of one MDP of a batch",
        )
    return array


def _groups(aggregation: Any, available: Any) -> Any:
    aggregation = aggregation if isinstance(aggregation, StateAggregation) else StateAggregation(aggregation)
    _checks.expect_shape(aggregation.group, "the aggregation map", len(available), "S")
    if (available != available[[int(np.argmax(aggregation.group == g)) for g in aggregation.group]]).any():
        raise InvalidInput(
            got="states of one group with different available actions",
            wanted="the same available actions in all states of a group",
            fix="split the group",
        )
    return aggregation.group
