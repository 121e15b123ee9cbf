"""Gymnasium environments that are already made."""

from __future__ import annotations

from trpo_theory import io
from trpo_theory.io._tables import is_table
from trpo_theory.io.gym import Environment
from trpo_theory.loading.reader import Reader, Source, required
from trpo_theory.model.types import RealLike


class GymObject(Reader):
    """See `trpo_theory.io.from_gym`."""

    form = "a Gymnasium environment"

    def recognises(self, source: object) -> bool:
        """Whether it looks like an environment: `from_gym` checks the rest."""
        return isinstance(source, Environment) or is_table(getattr(source, "P", None))

    def read(self, source: Environment, gamma: RealLike | None) -> Source:
        """The MDP of its table, which has no discount of its own."""
        return Source(io.from_gym(source, required(gamma, self.form)))


READER: Reader = GymObject()
