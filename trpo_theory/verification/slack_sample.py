"""`sampled_slacks`: the slacks of one claim over the instances that `verify` draws, for a histogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.bounds.record import Bound
from trpo_theory.errors import InvalidInput
from trpo_theory.search.screen import Screen
from trpo_theory.search.slack_kind import SlackKind, kind_of
from trpo_theory.verification.chunk import Chunk
from trpo_theory.verification.stepped import is_searched
from trpo_theory.verification.verifying import as_claim

if TYPE_CHECKING:
    import pandas as pd

INSTANCES = 5000
"""If no number is given. Chosen: a histogram's shape no longer changes to the eye."""


@dataclass(frozen=True, eq=False)
class SlackSample:
    """Slacks of a claim, one for each instance that put it to the test.

    Attributes:
        id: of the claim.
        instances: how many were drawn.
        slack: (B,), in the claim's own units; 0 where floats do not resolve its sign.
        share: the slack as a share of the claim's own terms, (B,): of a bound slack/(|η(new) − L| + penalty), in [−1, 1];
            NaN where that is not known.
        is_bound: whether the terms are those two.
        is_return: whether the slack is in units of the return: it grows with the rewards.
    """

    id: str
    instances: int
    slack: np.ndarray
    share: np.ndarray
    is_bound: bool
    is_return: bool

    @property
    def is_relative(self) -> bool:
        """Whether the share is known, on most instances."""
        return bool(np.isfinite(self.share).mean() > 0.5)

    def to_frame(self) -> pd.DataFrame:
        """One row an instance."""
        import pandas as pd

        return pd.DataFrame({"claim": self.id, "slack": self.slack, "share": self.share})


def sampled_slacks(
    claim: Any, *, instances: int = INSTANCES, seed: int = 0, states: int | None = None, actions: int | None = None
) -> SlackSample:
    """The slacks of a claim over random instances, in floats: those of `verify` with this seed, without its searches.

    Args:
        claim: the id of one, or one of your own.
        instances: how many are drawn; those that do not meet its hypotheses, and trivial ones, have no slack.
        seed: the same seed gives the same sample.
        states: of every instance; the mixture of `verify` if neither is given.
        actions: likewise.

    Raises:
        InvalidInput: for a claim whose new policy a solver makes, one that no instances are drawn for, and one that no instance
            puts to the test.
        ClaimFailed: if its own code raises an exception.

    >>> sample = sampled_slacks("trpo/tv", instances=500)
    >>> bool(sample.slack.min() >= 0), sample.is_relative
    (True, True)
    """
    one = as_claim(claim)
    if one.is_solved or not is_searched(one):
        raise InvalidInput(
            got=f"{one.id}, for which no policies are drawn: a program is solved on each instance",
            wanted="a claim about any two policies",
            fix=f'falsify("{one.id}") puts it to the test (trpo-theory falsify {one.id})',
        )
    _checks.integer(instances, "instances", least=1)
    _checks.integer(seed, "seed", least=0)
    size = [
        _checks.integer(n, name, least=1)
        for n, name in ((5 if states is None else states, "states"), (3 if actions is None else actions, "actions"))
    ]
    shape = None if states is None and actions is None else (size[0], size[1])
    drawn = Chunk((), one.instance_needs, "", 0, instances, seed, shape).drawn()
    screen = Screen(one)
    slacks, shares = [], []
    for part in drawn:
        screened = screen(part)
        slacks.append(screened.clear_slack[screened.tests])
        shares.append(np.where(screened.clear_slack == 0, 0.0, screened.share)[screened.tests])
    slack = np.concatenate(slacks)
    if not len(slack):
        raise InvalidInput(
            got=f"{instances} instances, none of which puts {one.id} to the test",
            wanted="some that meet its hypotheses and have a finite slack",
            fix="draw more, or of the sizes that its hypotheses ask for (states, actions)",
        )
    is_return = one.relation == ">=" and kind_of(screen) is not SlackKind.FREE
    return SlackSample(
        one.id, sum(map(len, drawn)), slack, np.concatenate(shares), isinstance(one, Bound), bool(is_return)
    )
