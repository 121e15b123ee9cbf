"""Tables of transitions by themselves, as `env.unwrapped.P` of Gymnasium's toy text is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trpo_theory import io
from trpo_theory.io._tables import is_table
from trpo_theory.loading.reader import Reader, Source, required
from trpo_theory.model.types import RealLike


class Table(Reader):
    """See `trpo_theory.io.from_gym`."""

    form = "a table P[s][a]"

    def recognises(self, source: object) -> bool:
        """Whether it is states of actions of outcomes."""
        return is_table(source)

    def read(self, source: Mapping[Any, Any], gamma: RealLike | None) -> Source:
        """The MDP of the table, which has neither a discount nor a start of its own: it starts anywhere."""
        note = "the table does not say where it starts: uniformly, here; trpo_theory.io.from_gym takes initial="
        return Source(io.from_gym(source, required(gamma, self.form)), notes=(note,))


READER: Reader = Table()
