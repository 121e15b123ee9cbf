"""What keeps the ordinary run short: searches of two instruments, and tables and loops of which it has a sample.

`TRPO_THEORY_WHOLE=1 pytest -m "sampled or whole"` has them in full, and so has the profile `deep`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import settings


def is_deep() -> bool:
    """Whether pytest was called with --hypothesis-profile=deep."""
    return settings.default.max_examples > 1000


def is_whole() -> bool:
    """Whether the tests marked `sampled` have all of their cases, and those marked `whole` are run."""
    return is_deep() or os.environ.get("TRPO_THEORY_WHOLE") == "1"


def sample(cases: Iterable[Any], every: int, start: int = 0) -> list[Any]:
    """Every so many-th case; all in a whole run. For tests marked `sampled`."""
    return list(cases) if is_whole() else list(cases)[start % every :: every]


def sampled(
    names: Any, cases: Iterable[Any], every: int, start: int = 0, ids: Any = None, **details: Any
) -> Callable[[Any], Any]:
    """`pytest.mark.parametrize` with every so many-th case, marked `sampled`."""
    ids = sample(ids, every, start) if isinstance(ids, (list, tuple)) else ids
    table = pytest.mark.parametrize(names, sample(cases, every, start), ids=ids, **details)
    return lambda test: pytest.mark.sampled(table(test))


def examples(many: int) -> Callable[[Any], Any]:
    """Hypothesis's `settings` with so many examples, in an ordinary run with half of them; marked `sampled`."""
    return lambda test: pytest.mark.sampled(settings(max_examples=many if is_whole() else many // 2)(test))


def long(*case: Any) -> Any:
    """A case of a table that takes seconds, where others are like it: it is run with TRPO_THEORY_WHOLE=1."""
    return pytest.param(*case, marks=pytest.mark.whole)


def two_instruments(patch: pytest.MonkeyPatch) -> None:
    """Searches by samples and by mutation alone, for tests of what is made of a search's findings, whoever found them.

    The other instruments have tests of their own in tests/search/, and run in those of whole verifications.
    """
    from trpo_theory.search import instruments
    from trpo_theory.search.instruments.mutation import Mutation
    from trpo_theory.search.instruments.samples import Samples

    few = tuple(one for one in instruments.INSTRUMENTS if isinstance(one, (Samples, Mutation)))
    patch.setattr(instruments, "INSTRUMENTS", few)


def in_this_process(patch: pytest.MonkeyPatch) -> None:
    """Claims of files are judged here, where other patches hold and nothing is imported again.

    tests/verification/test_lost_processes.py has them in the process of their own that `verify` gives them.
    """
    patch.setattr("trpo_theory.verification.execute.alone", lambda work, tasks: enumerate(map(work, tasks)))
