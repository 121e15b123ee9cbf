"""QuantEcon's `DiscreteDP`."""

from __future__ import annotations

from trpo_theory import io
from trpo_theory.io.quantecon import DiscreteProgram
from trpo_theory.loading.reader import Reader, Source
from trpo_theory.model.types import RealLike


class QuantEcon(Reader):
    """See `trpo_theory.io.from_quantecon`."""

    form = "a QuantEcon DiscreteDP"

    def recognises(self, source: object) -> bool:
        """Whether it has the arrays of a DiscreteDP."""
        return isinstance(source, DiscreteProgram)

    def read(self, source: DiscreteProgram, gamma: RealLike | None) -> Source:
        """Its MDP; `gamma` overrides beta."""
        mdp = io.from_quantecon(source)
        return Source(mdp if gamma is None else mdp.with_gamma(gamma))


READER: Reader = QuantEcon()
