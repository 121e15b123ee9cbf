"""`fingerprint`: what a run directory knows a claim's code by, so that results of an edited claim are not taken for its own.

It is of one claim: its fields that results depend on, and the code of its functions with all that they refer to: functions
that they call, constants, values in closures, defaults, other claims, and files of the user's modules that they read. What
cannot be looked through (an instance of a class of one's own) stands for the whole file. Comments, line numbers, names of the
file, statements and notes are no part of it. Bytecode is of one version of Python: under another, claims of one's own are run
again.
"""

from __future__ import annotations

import hashlib
import numbers
import sys
from fractions import Fraction
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from trpo_theory import claims as catalogue
from trpo_theory.bounds.record import Claim
from trpo_theory.proofs.witness import file_hash

_FIELDS = ("id", "relation", "expected", "instance_needs", "tabular", "sound_for_any_new", "costs")
_DIGITS = 16
"""Hexadecimal digits of the hash: 64 bits. Chosen: claims of a run are few."""


def fingerprint(claim: Claim) -> str:
    """The claim's id; for one's own with the hash of its code."""
    if catalogue.catalogue.get(claim.id) is claim:
        return claim.id
    return f"{claim.id} (code {_Reader(claim.origin).digest(claim)})"


class _Reader:
    """Reads a claim as nested tuples of texts; what was met before is named by its number, so that recursion ends."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.met: dict[int, int] = {}
        self.kept: list[object] = []

    def digest(self, claim: Claim) -> str:
        text = repr((sys.version_info[:2], self.read(claim)))
        return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:_DIGITS]

    def read(self, value: Any) -> Any:
        if value is None or isinstance(value, (str, bytes, bool, numbers.Number, Fraction, np.generic)):
            return type(value).__name__, repr(value)
        if id(value) in self.met:
            return "again", self.met[id(value)]
        self.met[id(value)] = len(self.met)
        self.kept.append(value)  # an id is an object's for as long as that lives
        return self._compound(value)

    def _compound(self, value: Any) -> Any:
        if isinstance(value, Claim):
            fields = [(name, self._sorted(getattr(value, name))) for name in _FIELDS]
            return "claim", fields, [self.read(function) for function in value.functions]
        if isinstance(value, FunctionType):
            return self._function(value)
        if isinstance(value, (tuple, list)):
            return type(value).__name__, [self.read(entry) for entry in value]
        if isinstance(value, dict):
            return "dict", [(self.read(key), self.read(entry)) for key, entry in value.items()]
        if isinstance(value, (set, frozenset)):
            return self._sorted(value)
        if isinstance(value, np.ndarray) and value.dtype != object:
            return "array", value.shape, value.dtype.str, hashlib.sha256(value.tobytes()).hexdigest()
        if isinstance(value, ModuleType):
            return self._module(value)
        if isinstance(value, (BuiltinFunctionType, np.ufunc, type)) and not self._is_own(
            getattr(value, "__module__", "")
        ):
            return "named", getattr(value, "__module__", ""), getattr(value, "__qualname__", value.__name__)
        return self._opaque(value)

    def _function(self, function: FunctionType) -> Any:
        if not self._is_own(function.__module__):
            return "named", function.__module__, function.__qualname__
        code, cells = function.__code__, []
        for cell in function.__closure__ or ():
            try:
                cells.append(self.read(cell.cell_contents))
            except ValueError:  # not assigned yet
                cells.append("empty")
        names = sorted(_names(code) & function.__globals__.keys())
        referred = [(name, self.read(function.__globals__[name])) for name in names]
        return (
            "function",
            self._code(code),
            self.read(function.__defaults__),
            self.read(function.__kwdefaults__),
            cells,
            referred,
        )

    def _code(self, code: CodeType) -> Any:
        constants = [self._code(one) if isinstance(one, CodeType) else self.read(one) for one in code.co_consts]
        return code.co_code.hex(), code.co_names, code.co_varnames, code.co_freevars, constants

    def _sorted(self, value: Any) -> Any:
        if isinstance(value, (set, frozenset)):
            return "set", sorted(repr(self.read(entry)) for entry in value)
        return repr(value)

    def _module(self, module: ModuleType) -> Any:
        file = getattr(module, "__file__", None)
        return "module", module.__name__, file_hash(file) if file and self._is_own(module.__name__) else ""

    def _is_own(self, name: str) -> bool:
        """Whether a module is the user's: neither of an installed package nor of Python."""
        module = sys.modules.get(name)
        file = getattr(module, "__file__", None)
        if file is None:
            return name in ("__main__", "") or module is None
        place = Path(file).resolve()
        if self.origin and place.is_relative_to(Path(self.origin).parent):
            return True
        root = name.split(".")[0]
        return root not in sys.stdlib_module_names and root != "trpo_theory" and "site-packages" not in place.parts

    def _opaque(self, value: Any) -> Any:
        return "file", type(value).__qualname__, file_hash(self.origin) if self.origin else ""


def _names(code: CodeType) -> set[str]:
    """The names that a function and those within it may look up."""
    nested = (_names(one) for one in code.co_consts if isinstance(one, CodeType))
    return set(code.co_names).union(*nested)
