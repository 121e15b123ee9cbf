"""What keeps the ordinary run short: searches of two instruments, and loops whose whole length the profile `deep` has."""

from __future__ import annotations

import pytest
from hypothesis import settings

from trpo_theory.search import instruments
from trpo_theory.search.instruments.mutation import Mutation
from trpo_theory.search.instruments.samples import Samples


def is_deep() -> bool:
    """Whether pytest was called with --hypothesis-profile=deep."""
    return settings.default.max_examples > 1000


def two_instruments(patch: pytest.MonkeyPatch) -> None:
    """Searches by samples and by mutation alone, for tests of what is made of a search's findings, whoever found them.

    The other instruments have tests of their own in tests/search/, and run in those of whole verifications.
    """
    few = tuple(one for one in instruments.INSTRUMENTS if isinstance(one, (Samples, Mutation)))
    patch.setattr(instruments, "INSTRUMENTS", few)


def in_this_process(patch: pytest.MonkeyPatch) -> None:
    """Claims of files are judged here, where other patches hold and nothing is imported again.

    tests/verification/test_lost_processes.py has them in the process of their own that `verify` gives them.
    """
    patch.setattr("trpo_theory.verification.execute.alone", lambda work, tasks: enumerate(map(work, tasks)))
