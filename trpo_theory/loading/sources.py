"""`load` and its siblings: MDPs, policies and aggregations from a name, a file or another library's object."""

from __future__ import annotations

import dataclasses
import math
import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trpo_theory import _checks, io
from trpo_theory._checks import discount_or_one
from trpo_theory.entries.kinds import TRUTH, expect
from trpo_theory.entries.reading import reading
from trpo_theory.errors import InvalidInput
from trpo_theory.io._conversions import conversion
from trpo_theory.io._source import in_file
from trpo_theory.io.files import policy_table
from trpo_theory.loading.exactly import divided_exactly
from trpo_theory.loading.reader import Source, forms, rational, registry
from trpo_theory.model.mdp import FiniteMDP, expect_mdp
from trpo_theory.model.policy import StateAggregation
from trpo_theory.model.shapes import Float
from trpo_theory.model.types import PathLike, RealLike
from trpo_theory.solve.words import WORDS, policy_named

if TYPE_CHECKING:
    from trpo_theory.io.gym import Environment
    from trpo_theory.io.quantecon import DiscreteProgram

    Loadable = PathLike | FiniteMDP | Environment | DiscreteProgram
else:
    Loadable = object  # at run time the readers decide

_CARRIED = ("old", "new")


def load(source: Loadable, *, gamma: RealLike | None = None, strict: bool = False) -> FiniteMDP:
    """Load an MDP from a name, a file or another library's object.

    Args:
        source: "gym:FrozenLake-v1?map_name=8x8", "zoo:forest?fire=1/10"; a .npz, .json, .csv (triplets), .POMDP or
            .MDP file; a FiniteMDP, a QuantEcon DiscreteDP, or a Gymnasium environment with a table. `readers/` has them all.
        gamma: the discount; it overrides the source's own, and is needed where the source has none.
        strict: whether rows of probabilities that were rounded to few digits, as 0.333333 three times, are refused. By default
            they are divided by their sums, with the warning `RowsRescaled` that says how far off they were.

    Raises:
        InvalidInput: for anything that cannot be read.

    >>> load("zoo:puterman", gamma=0.9)
    FiniteMDP(states=2, actions=2, gamma=0.9, dense)
    """
    return open_source(source, gamma=gamma, strict=strict).mdp


def open_source(source: Loadable, *, gamma: RealLike | None = None, strict: bool = False) -> Source:
    """As `load`, with the policies and notes that come with the MDP, and what its text says exactly.

    Rows that were divided by their sums are so in `Source.exact`, too, in rationals: a proof is about those.
    """
    expect(TRUTH, strict=strict)
    given = None if gamma is None else rational(gamma, "gamma")
    if given is not None and not isinstance(given, Fraction):
        given = discount_or_one(given)
    with reading(strict=strict) as read:
        found = _opened(source, float(given) if isinstance(given, Fraction) else given)
    exact = divided_exactly(found.exact) if read.rescaled else found.exact
    if isinstance(given, Fraction):
        exact = {**exact, "gamma": given}
    return dataclasses.replace(found, exact=exact, notes=(*found.notes, *_of_agents(found.mdp)))


def _of_agents(mdp: FiniteMDP) -> tuple[str, ...]:
    """A note where action labels look like those of several agents, and are not."""
    joint = [label for label in mdp.action_labels or () if isinstance(label, tuple) and len(label) > 1]
    if not joint or mdp.agents:
        return ()
    every = math.prod(len(set(column)) for column in zip(*joint, strict=True))
    return (
        f"the {mdp.actions} action labels are tuples, but not all {every} combinations of their parts in the order of "
        "itertools.product: the MDP has a single agent",
    )


def _opened(source: Loadable, gamma: RealLike | None) -> Source:
    if isinstance(source, FiniteMDP):
        return Source(source if gamma is None else source.with_gamma(gamma))
    if isinstance(source, (str, os.PathLike)):
        return _open_named(os.fspath(source), gamma)
    if isinstance(source, np.ndarray) and source.dtype == object and source.ndim == 0:
        return _opened(source.item(), gamma)  # what numpy.save made of an object
    for reader in registry():
        if reader.recognises(source):
            return reader.read(source, gamma)
    raise InvalidInput(
        got=f"a {type(source).__name__} as the MDP",
        wanted=f"a FiniteMDP, {forms()}",
        fix="build a FiniteMDP(transition, reward, gamma, initial) from it",
    )


def _open_named(text: str, gamma: RealLike | None) -> Source:
    scheme, colon, rest = text.partition(":")
    suffix = Path(text).suffix.lower()
    for reader in registry():
        if colon and reader.scheme and reader.scheme == scheme:
            return reader.read(rest, gamma)
    for reader in registry():
        if suffix in [known.lower() for known in reader.suffixes]:
            return reader.read(Path(text), gamma)
    schemes = [f"{reader.scheme}:" for reader in registry() if reader.scheme]
    raise InvalidInput(
        got=f"{text!r} as the MDP",
        wanted=forms(named_only=True),
        fix=conversion(Path(text), "an MDP")
        or f"give the file its usual suffix, or write {' or '.join(schemes)} before the name",
    )


def load_policy(
    spec: PathLike | RealLike,
    source: Source | FiniteMDP,
    *,
    name: str = "policy",
    criterion: str | None = None,
    horizon: int | None = None,
    temperature: float | None = None,
    strict: bool = False,
) -> Float[np.ndarray, "*batch S A"]:
    """A policy from a word, a file or an array, checked against the MDP.

    Args:
        spec: "uniform", "optimal", the name of a policy that comes with the source ("old", "new"), a .npy, .npz (array
            `policy`) or .json file, or an array (S, A).
        source: the MDP, or what `open_source` returned.
        name: its name in error messages.
        criterion: what "optimal" maximises, as for `optimal`.
        horizon: likewise; "optimal" is then one policy for each step, (T, S, A).
        temperature: likewise; "optimal" is then the best policy with a price of entropy.
        strict: as for `load`, of a policy that is read from a file.

    Raises:
        InvalidInput: for an unknown word, a file that cannot be read, or an array that is not a policy of this MDP.
    """
    if not isinstance(source, Source):
        expect_mdp(source)
        source = Source(source)
    mdp = source.mdp
    if not isinstance(spec, (str, os.PathLike)):
        return _checks.policy_rows(spec, mdp.available, name)
    text = os.fspath(spec)
    if text in WORDS:
        return policy_named(text, mdp, name, criterion=criterion, horizon=horizon, temperature=temperature)
    if text in source.policies:
        with reading(strict=strict):
            return _checks.policy_rows(source.policies[text], mdp.available, name)
    if not Path(text).suffix:
        known = (*WORDS, *source.policies)
        if text in _CARRIED:
            raise InvalidInput(
                got=f"{name} {text!r}, but the MDP (its file, or its entry in the zoo) has no {text!r}",
                wanted="one of " + ", ".join(known) + ", or a .npy, .npz or .json file",
                fix=f"add the policy to the MDP's .json or .npz file as {text!r}, or name another policy",
            )
        raise InvalidInput(
            got=f"{name} {text!r}",
            wanted="one of " + ", ".join(known) + ", or a .npy, .npz or .json file",
            fix=_checks.near_matches(text, known),
        )
    content = io.policy_entries(text)
    with in_file(Path(text).name), reading(strict=strict):
        policy_table(content)
        return _checks.policy_rows(content, mdp.available, f"{name} (of {text})")


def exact_step(source: Source, **policies: str) -> dict[str, Any]:
    """What texts say exactly of an MDP and of policies on it, as `ExactInstance.from_fields` reads it.

    Args:
        source: the MDP.
        **policies: what `load_policy` was given, by the field that it fills: old="policy.json".
    """
    found = {name: value for name, value in source.exact.items() if name not in source.policies}
    for field, spec in policies.items():
        if spec in WORDS:
            continue
        if spec in source.policies:
            found |= divided_exactly({field: source.exact[spec]}) if spec in source.exact else {}
        elif Path(spec).suffix.lower() == ".json":
            found |= divided_exactly({field: io.policy_entries(spec)})
    return found


def load_aggregation(spec: PathLike | RealLike) -> StateAggregation:
    """The `StateAggregation` of a file with one integer a state (.npy, .json, or text), or of a sequence."""
    if not isinstance(spec, (str, os.PathLike)):
        return StateAggregation(spec)
    return StateAggregation(io.read_integers(spec))
