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

import itertools
from typing import Any

import numpy as np
from hypothesis import strategies as st

from trpo_theory import _checks
from trpo_theory.bounds.record import Claim
from trpo_theory.entries.kinds import MAPPING, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import StateAggregation
from trpo_theory.model.shapes import Float
from trpo_theory.solve.criteria import DISCOUNTED
from trpo_theory.step.quantities import Quantities, compare
from trpo_theory.testing import _draws, _options
from trpo_theory.testing._posed import step_in_setting
from trpo_theory.testing._settings import options_of
from trpo_theory.testing._warm_up import warm_up
from trpo_theory.zoo import Instance

__all__ = [
    "classes",
    "exact_instances",
    "instances",
    "mdps",
    "pairs",
    "policies",
    "quantities",
    "quantities_for",
    "rounded",
]

_OF_MDPS = (
    *("states", "actions", "gamma", "weights", "successors", "start_anywhere"),
    *("reward", "denominator", "unit", "unavailable"),
)
_OF_CLASSES = (*_OF_MDPS, "aggregation", "deterministic", "full_support")
_OF_INSTANCES = (*_OF_CLASSES, "mixture", "near", "trivial", "criterion")


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
        criterion: "episodic" or "average", as of `quantities`: pass it on to what reads the instance.
        near: a mixture of small weight, 1/2, 1/10, 1/100 or 1/1000 if True; a number is the largest weight, so that
            max_s TV(old_s, new_s) ≤ near.

    Raises:
        InvalidInput: for an unknown option, a value outside its range, or two that exclude each other.

    >>> from hypothesis import find
    >>> instance = find(instances(gamma=0.9), lambda drawn: True)
    >>> instance.mdp, instance.old.tolist(), instance.new.tolist()
    (FiniteMDP(states=2, actions=2, gamma=0.9, dense), [[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]])
    """
    return _floats(_of_pairs("instances", options, _OF_INSTANCES))


def pairs(**options: Any) -> st.SearchStrategy[tuple[FiniteMDP, np.ndarray, np.ndarray]]:
    """(mdp, old, new): as `instances`, with its options, in a tuple."""
    return _floats(_of_pairs("pairs", options, _OF_INSTANCES)).map(lambda drawn: (drawn.mdp, drawn.old, drawn.new))


def quantities(**options: Any) -> st.SearchStrategy[Quantities]:
    """compare(mdp, old, new), what claims read, in any setting: every step that is drawn meets its hypotheses.

    Args:
        **options: those of `instances`, and those below. Where returns are not discounted γ = 1 is one, and the first.
        criterion: "discounted", "episodic": the last state is an end that both policies reach from everywhere; or "average":
            both have one closed class of states.
        horizon: steps of a run, an integer or (least, most); True for 2 to 5. The states of q are then (t, s).
        temperature: the price of entropy: a number, a sequence or a strategy; True samples 1, 1/2, 1/10, 2.
        costs: names of costs, drawn as rewards are: q.cost("c").
        model: whether there is a second transition, q.model.
        references: whether there are policies of the past, two of them: q.references and q.weights.
        agents: how many actions each of several agents has, such as (2, 2): policies are products.

    Raises:
        InvalidInput: as `instances`.

    >>> from hypothesis import find
    >>> q = find(quantities(criterion="average"), lambda q: True)
    >>> q.criterion.name, q.states, bool(q.surrogate_gap != 0)
    ('average', 2, True)
    """
    return _quantities(_of_pairs("quantities", options))


def quantities_for(claim: Claim, **options: Any) -> st.SearchStrategy[Quantities]:
    """`quantities` in the setting of a claim, of the catalogue or one's own; rewards are in [0, 1] if its hypotheses need that.

    Args:
        claim: such as tt.claims["average/mixing-tv"], or a function decorated with `claim`.
        **options: those of `quantities`; they go before the claim's own.

    Raises:
        InvalidInput: as `quantities`; and for a claim whose hypotheses need steps of another kind, such as greedy ones.
    """
    return _quantities(_of_pairs("quantities_for", {**options_of(claim), **options}))


def exact_instances(**options: Any) -> st.SearchStrategy[dict[str, Any]]:
    """The numbers of an instance before they are rounded; options as for `quantities`.

    Returns:
        A dict: transition (S, A, S), reward (S, A), initial (S,), old and new (S, A), object arrays of Fractions whose
        rows sum to exactly 1; gamma, a Fraction; available (S, A), booleans; groups (S,), integers: states with the same one
        share rows. `rounded` makes the `Instance` of it that `instances` would give. In a setting also horizon, an integer;
        temperature, a Fraction; costs, (S, A) by name; model, as transition; references, a list of policies, and weights (J,).
    """
    return _draws.instance(_of_pairs("exact_instances", options))


def rounded(exact: dict[str, Any]) -> Instance:
    """The instance whose floats are the nearest to those of `exact_instances`.

    Raises:
        InvalidInput: for a dict that lacks a field.
    """
    expect(MAPPING, exact=exact)
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


def _of_pairs(maker: str, options: dict[str, Any], allowed: tuple[str, ...] | None = None) -> Any:
    warm_up()
    return _options.of(maker, {"trivial": False, **options}, allowed=allowed)


@st.composite
def _floats(draw: Any, options: Any) -> Any:
    fields = draw(_draws.instance(options))
    both = [_nearest(fields[name]) for name in ("old", "new")]
    return draw(st.builds(Instance, _mdp(fields), *map(st.just, both)))


@st.composite
def _quantities(draw: Any, options: Any) -> Any:
    """By `compare` where it can be, whose call can be pasted: it takes lists."""
    setting = options.setting
    fields = draw(_draws.instance(options))
    both = [st.just(_nearest(fields[name]).tolist()) for name in ("old", "new")]
    given: dict[str, Any] = {} if setting.criterion == DISCOUNTED.name else {"criterion": setting.criterion}
    given |= {name: fields[name] for name in ("horizon",) if name in fields}
    given |= {name: float(fields[name]) for name in ("temperature",) if name in fields}
    further = {name: _nearest(fields[name]).tolist() for name in ("model", "references", "weights") if name in fields}
    words = {name: st.just(value) for name, value in (given | further).items()}
    return draw(st.builds(step_in_setting if further else compare, _mdp(fields, setting.agents), *both, **words))


def _mdp(fields: Any, agents: tuple[int, ...] = ()) -> Any:
    """By st.builds, whose call Hypothesis prints: the numbers of a failing example, not only its sizes."""
    more: dict[str, Any] = {} if fields["available"].all() else {"available": fields["available"].tolist()}
    if "costs" in fields:
        more["costs"] = {name: _nearest(cost).tolist() for name, cost in fields["costs"].items()}
    if agents:
        more["action_labels"] = list(itertools.product(*([str(n) for n in range(size)] for size in agents)))
    return st.builds(
        FiniteMDP, *map(st.just, _numbers_of(fields)), **{name: st.just(value) for name, value in more.items()}
    )


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
