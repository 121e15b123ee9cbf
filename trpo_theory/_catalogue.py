"""Modules of a class of their own, which travel to other processes by name, as plain ones do."""

from __future__ import annotations

import importlib
import types
from typing import Any


class Importable(types.ModuleType):
    """A base for them: a script's function that speaks of one can be sent to joblib's and Dask's workers."""

    def __reduce__(self) -> Any:
        return importlib.import_module, (self.__name__,)
