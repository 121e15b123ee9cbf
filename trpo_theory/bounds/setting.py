"""`InSetting`: what a claim says of its setting, beside (mdp, old, new) with discounted returns."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.bounds.record_checks import one_or_several
from trpo_theory.entries.kinds import TEXT, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.floats import Floats
from trpo_theory.solve.criteria import AVERAGE, CRITERIA, DISCOUNTED, FINITE_HORIZON, undiscounted
from trpo_theory.step.fields import EXTRAS
from trpo_theory.step.posing import posed
from trpo_theory.step.quantities import Quantities

SETTINGS = frozenset({*EXTRAS, *CRITERIA} - {DISCOUNTED.name})
"""What instances of a setting have beside those of another: what their return sums, and fields."""
AGENTS = "agents="
"""How the word of a setting of several agents begins; how many actions each has follow: agents=2x2."""
_POSED = "_posed"
"""Under which a step keeps itself as it is in each setting, for all claims of that setting."""

SETTING_FIELDS = ("criterion", "horizon", "temperature", "costs", "model", "references", "agents")
"""The fields of a `Claim` that say its setting."""


class InSetting:
    """A record with a setting: the fields are those of `Claim`."""

    id: str
    criterion: str
    horizon: bool
    temperature: bool
    costs: tuple[str, ...]
    model: bool
    references: bool
    agents: tuple[int, ...]

    def _check_setting(self) -> None:
        if self.horizon and self.criterion == AVERAGE.name:
            raise InvalidInput(
                got=f'horizon=True and criterion="average" for {self.id}',
                wanted="one of both: a return over T steps is their sum",
                fix="leave one out",
            )
        costs = one_or_several(self.costs, "costs")
        for name in costs:
            expect(TEXT, costs=name)
        object.__setattr__(self, "costs", costs)
        object.__setattr__(self, "agents", _sizes(self.agents, self.id))

    @property
    def setting(self) -> frozenset[str]:
        """The criterion, if it is another than the discounted one, and fields that only some settings read."""
        extras = {name for name in EXTRAS if getattr(self, "references" if name == "weights" else name)}
        if self.agents:
            extras.add(AGENTS + "x".join(map(str, self.agents)))
        return frozenset(extras if self.criterion == DISCOUNTED.name else {self.criterion, *extras})

    @property
    def is_discounted(self) -> bool:
        """Whether it reads discounted returns without a horizon or a price of entropy, as q is without a setting."""
        return self.criterion == DISCOUNTED.name and not (self.horizon or self.temperature)

    def expect_gamma(self, gamma: Any) -> None:
        """Raise where γ = 1 and the returns are discounted."""
        if self.criterion == DISCOUNTED.name and not self.horizon and np.any(gamma == 1):
            raise undiscounted(self.id)

    def posed(self, q: Quantities) -> Quantities:
        """The step in the claim's setting, made once for all claims of that setting where it is a batch of floats.

        Raises:
            InvalidInput: where γ = 1 and the returns are discounted.
        """
        self.expect_gamma(q.gamma)
        if self.is_discounted and not (self.costs or self.agents):
            return q
        if not q.batch_shape or type(q.arithmetic) is not Floats:  # balls are computed anew at each precision
            return self._posed(q)
        known = vars(q).setdefault(_POSED, {})
        key = self.criterion, self.horizon, self.temperature, self.costs, self.agents
        if key not in known:
            known[key] = self._posed(q)
        return known[key]

    def _posed(self, q: Quantities) -> Quantities:
        named = q if not self.costs else q.with_cost_names(self.costs)
        if self.agents and not named.agents:
            named = named.factored(self.agents)
        if self.is_discounted:
            return named
        return posed(named, CRITERIA[self.criterion], horizon=self.horizon, temperature=self.temperature)

    def reads(self, q: Quantities) -> bool:
        """Whether q is of the claim's setting and has what it reads: its criterion, horizon, temperature, costs and the like."""
        soft = not (isinstance(q.temperature, int) and q.temperature == 0)
        criterion = FINITE_HORIZON.name if self.horizon else self.criterion
        return (
            q.criterion.name == criterion
            and self.temperature == soft
            and set(self.costs) <= set(q.cost_names)
            and (not self.model or q.model is not q.transition)
            and (not self.references or q.references.shape[2] > 1)
            and (not self.agents or (len(q.agents) > 1 and q.is_product))
        )


def _sizes(agents: Any, claim_id: str) -> tuple[int, ...]:
    given: tuple[Any, ...] = tuple(agents) if np.ndim(agents) else (agents,)
    if given and (len(given) < 2 or not all(isinstance(size, int) and size > 0 for size in given)):
        raise InvalidInput(
            got=f"agents = {agents!r} for {claim_id}",
            wanted="how many actions each of several agents has",
            fix="write agents=(2, 2), say",
        )
    return given
