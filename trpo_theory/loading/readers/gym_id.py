"""Gymnasium environments by id: gym:FrozenLake-v1?map_name=8x8."""

from __future__ import annotations

from trpo_theory import io
from trpo_theory.loading.reader import Reader, Source, discount_among, number, required
from trpo_theory.model.types import RealLike


class GymId(Reader):
    """See `trpo_theory.io.from_gym`; options follow a question mark."""

    scheme = "gym"
    form = "gym:ENV_ID"

    def read(self, source: str, gamma: RealLike | None) -> Source:
        """The MDP of an id; its time limit, which is not part of the MDP, is a note."""
        env_id, _, query = source.partition("?")
        options = io.parse_options(query) if query else {}
        own = number(options.pop("gamma", None), "gamma")
        mdp = io.from_gym(env_id, required(own if gamma is None else gamma, f"gym:{env_id}"), **options)
        exact = discount_among(query) if gamma is None else {}
        limit = io.time_limit(env_id, **options)
        note = f"the time limit of {env_id}, {limit} steps, is not part of its table: the MDP solved has none"
        return Source(mdp, notes=(note,) if limit else (), exact=exact)


READER: Reader = GymId()
