"""MDPs of the zoo by name: zoo:forest?fire=1/10."""

from __future__ import annotations

from typing import Any

import numpy as np

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
        exact = discount_among(query) if gamma is None else {}
        if gamma is not None and np.all(
            np.asarray(gamma, dtype=np.float64) == 1
        ):  # without a discount: the MDP is made with its own one
            made = zoo.make(name, **{key: value for key, value in options.items() if key != "gamma"})
            if not isinstance(made, zoo.Instance):
                return Source(made.with_gamma(1.0), exact=exact)
        if "gamma" in options:
            options["gamma"] = _checks.discount(options["gamma"])
        made = zoo.make(name, **options)
        if isinstance(made, zoo.Instance):
            return Source(made.mdp, {"old": made.old, "new": made.new}, exact=exact)
        return Source(made, exact=exact)


READER: Reader = Zoo()
