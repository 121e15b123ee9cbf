"""Compiled code when it is asked for: reading it takes half a second, and the extra [fast]."""

from __future__ import annotations

import functools
from types import ModuleType

from trpo_theory.errors import InvalidInput


@functools.cache
def compiled_code() -> ModuleType:
    """The module `calls`.

    Raises:
        InvalidInput: where Numba is not installed.
    """
    try:
        from trpo_theory.updates.compiled import calls
    except ImportError as error:
        raise InvalidInput(
            got=f"Dual(compiled=True), and no Numba that can be imported ({error})",
            wanted="the package numba",
            fix="python -m pip install '.[fast]' in a checkout, or numba by itself; or leave compiled out",
        ) from None
    return calls
