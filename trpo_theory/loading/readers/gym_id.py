"""Gymnasium environments by id: gym:FrozenLake-v1?map_name=8x8."""

from __future__ import annotations

from typing import Any

from trpo_theory import _checks, io
from trpo_theory.errors import InvalidInput
from trpo_theory.loading.reader import Reader, Source, discount_among, number, required
from trpo_theory.model.types import RealLike
from trpo_theory.solve.layers import finite_horizon

_LIMIT = "limit"
"""The horizon that is the environment's own time limit."""


class GymId(Reader):
    """See `trpo_theory.io.from_gym`; options follow a question mark."""

    scheme = "gym"
    form = "gym:ENV_ID"

    def read(self, source: str, gamma: RealLike | None) -> Source:
        """The MDP of an id; its time limit, which is not part of the MDP, is a note.

        With horizon=T or horizon=limit among the options it is the MDP over so many steps, whose states are (t, s) and an end;
        the discount is then 1 if none is given.
        """
        env_id, _, query = source.partition("?")
        options = io.parse_options(query) if query else {}
        own = number(options.pop("gamma", None), "gamma")
        given = own if gamma is None else gamma
        wanted = options.pop("horizon", None)
        if given is None and wanted is not None:
            given = 1.0
        if given is None:
            io.from_gym(env_id, 0.0, **options)  # an id or a table that no discount mends is named first
        mdp = io.from_gym(env_id, required(given, f"gym:{env_id}"), **options)
        exact = discount_among(query) if gamma is None else {}
        limit = io.time_limit(env_id, **options)
        if wanted is None:
            note = (
                f"the time limit of {env_id}, {limit} steps, is not part of its table: the MDP solved has none; "
                f"gym:{source}{'&' if query else '?'}horizon={_LIMIT} has it"
            )
            return Source(mdp, notes=(note,) if limit else (), exact=exact)
        steps = _steps(wanted, limit, env_id)
        return Source(finite_horizon(mdp, steps), notes=(_ends(steps, limit, env_id),), exact=exact)


def _steps(wanted: Any, limit: int | None, env_id: str) -> int:
    """T of the option.

    Raises:
        InvalidInput: for another value, or where there is no limit.
    """
    if wanted != _LIMIT:
        fits = isinstance(wanted, int) and not isinstance(wanted, bool)
        if not fits:
            raise InvalidInput(
                got=f"horizon={wanted}",
                wanted=f"a whole number of steps, or {_LIMIT}",
                fix=f"write gym:{env_id}?horizon={limit or 100}",
            )
        return _checks.integer(wanted, "horizon", least=1)
    if limit is None:
        raise InvalidInput(
            got=f"horizon={_LIMIT} for {env_id}, which has no time limit",
            wanted="a number of steps",
            fix=f"write gym:{env_id}?horizon=100",
        )
    return limit


def _ends(steps: int, limit: int | None, env_id: str) -> str:
    text = f"runs end after {steps} steps: the states are (step, state) and an end"
    if limit is None:
        return text
    return (
        f"{text}; that is the time limit of {env_id}"
        if steps == limit
        else f"{text}; the time limit of {env_id} is {limit}"
    )


READER: Reader = GymId()
