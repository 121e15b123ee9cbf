"""MDPs of the zoo by name: zoo:forest?fire=1/10."""

from __future__ import annotations

from typing import Any

from trpo_theory import _checks, io, zoo
from trpo_theory.loading.reader import Reader, Source, discount_among, number
from trpo_theory.model.types import RealLike


class Zoo(Reader):
    """See `trpo_theory.zoo.make`; options follow a question mark."""

    scheme = "zoo"
    form = "zoo:NAME?key=value"

    def read(self, source: str, gamma: RealLike | None) -> Source:
        """The MDP of that name; a family of worst cases comes with its policies `old` and `new`."""
        name, _, query = source.partition("?")
        options: dict[str, Any] = {
            key: number(value, key) for key, value in (io.parse_options(query) if query else {}).items()
        }
        if gamma is not None:
            options["gamma"] = gamma
        if "gamma" in options:
            options["gamma"] = _checks.discount(options["gamma"])
        exact = discount_among(query) if gamma is None else {}
        made = zoo.make(name, **options)
        if isinstance(made, zoo.Instance):
            return Source(made.mdp, {"old": made.old, "new": made.new}, exact=exact)
        return Source(made, exact=exact)


READER: Reader = Zoo()
