"""`Rewiring`: a function of one's own is copied so that it calls other builtins, another `math`, another NumPy.

A function is its code and the names that the code looks up: globals, builtins, cells of outer functions, defaults. `Rewiring`
makes a new function of the same code and of a copy of these names, in which some objects (`max`, `math.sqrt`, `np.zeros`) are
exchanged for others. The functions that it calls by name are rewired likewise, those of files that it imports included, but none
of the standard library and of installed packages.
"""

from __future__ import annotations

import builtins
import dataclasses
import functools
import sys
import sysconfig
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

_PACKAGE = str(Path(__file__).resolve().parents[2])
_OTHERS = tuple(
    {_PACKAGE + "/", *(str(Path(path)) + "/" for name, path in sysconfig.get_paths().items() if name.endswith("lib"))}
)
"""Where code lies that is not the author's: this package, the standard library, installed packages."""


class Rewiring:
    """What is exchanged for what; one per family of numbers.

    Args:
        names: new objects for the builtins of these names.
        modules: for modules of these names, new objects for these attributes.
        code: how the code of a function is changed before.
        others: how an object of another type is exchanged, such as one of `np.vectorize`: a function of the object and of
            `exchange`, by type.
    """

    names: Mapping[str, Any]
    modules: Mapping[str, Mapping[str, Any]]
    others: Mapping[type, Callable[[Any, Callable[[Any], Any]], Any]]
    code: Callable[[types.CodeType], types.CodeType] | None
    by_id: dict[int, Any]

    def __init__(
        self,
        names: Mapping[str, Any],
        modules: Mapping[str, Mapping[str, Any]],
        others: Mapping[type, Callable[[Any, Callable[[Any], Any]], Any]] | None = None,
        code: Callable[[types.CodeType], types.CodeType] | None = None,
    ) -> None:
        self.names, self.modules, self.others, self.code = names, modules, others or {}, code
        self.by_id = {id(getattr(builtins, name)): new for name, new in names.items() if hasattr(builtins, name)}
        for module, changes in modules.items():
            known = sys.modules.get(module)
            self.by_id |= {id(getattr(known, name)): new for name, new in changes.items() if hasattr(known, name)}

    def rewired(self, function: Callable[..., Any], *, everywhere: bool = True) -> Callable[..., Any]:
        """A copy of the function with all that it calls exchanged, whatever its file; itself, if only one's own are to be."""
        return _Copies(self).exchange(function, top=everywhere)


class _Copies:
    """The copies that one rewired function is made of: each object is copied once, so that recursion and sharing stay."""

    def __init__(self, rewiring: Rewiring) -> None:
        self.rewiring = rewiring
        self.known: dict[int, Any] = {}
        self.kept: list[Any] = []  # so that no id is used twice
        self.globals: dict[int, dict[str, Any]] = {}
        self.builtins = vars(builtins) | dict(rewiring.names) | {"__import__": self._import}

    def exchange(self, value: Any, *, top: bool = False) -> Any:
        """What stands for a value: itself, if nothing in it is exchanged."""
        key = id(value)
        if key in self.rewiring.by_id:
            return self.rewiring.by_id[key]
        if key not in self.known:
            self.kept.append(value)
            self.known[key] = value  # of one that contains itself
            self.known[key] = self._made(value, top)
        return self.known[key]

    def _made(self, value: Any, top: bool) -> Any:
        kind = type(value)
        if kind is types.FunctionType:
            return self._function(value) if top or is_own(value.__code__.co_filename) else value
        if kind is types.ModuleType:
            return self._module(value)
        if kind in (list, tuple, set, dict):
            return self._container(value)
        if kind is types.MethodType:
            return types.MethodType(self.exchange(value.__func__), self.exchange(value.__self__))
        if kind is functools.partial:
            return functools.partial(
                self.exchange(value.func), *map(self.exchange, value.args), **self.exchange(value.keywords)
            )
        if isinstance(value, functools._lru_cache_wrapper):  # whose keys are hashed: no arrays
            return self.exchange(value.__wrapped__) if is_own(value.__wrapped__.__code__.co_filename) else value
        for other, exchanged in self.rewiring.others.items():
            if isinstance(value, other):
                return exchanged(value, self.exchange)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._record(value)
        return value

    def _function(self, function: types.FunctionType) -> Any:
        code = function.__code__ if self.rewiring.code is None else self.rewiring.code(function.__code__)
        old_cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        cells = tuple(types.CellType() for _ in code.co_freevars)
        copy = types.FunctionType(code, self._globals_of(function.__globals__), function.__name__, None, cells)
        self.known[id(function)] = copy
        for name, cell in zip(code.co_freevars, cells, strict=True):
            if (content := _content(old_cells[name])) is not _EMPTY:
                cell.cell_contents = self.exchange(content)
        copy.__defaults__ = self.exchange(function.__defaults__)
        copy.__kwdefaults__ = self.exchange(function.__kwdefaults__)
        copy.__qualname__, copy.__module__, copy.__doc__ = function.__qualname__, function.__module__, function.__doc__
        names = copy.__globals__
        for name in _names_of(code):
            if name in function.__globals__ and names.get(name) is function.__globals__[name]:
                names[name] = self.exchange(names[name])
        return copy

    def _globals_of(self, original: dict[str, Any]) -> dict[str, Any]:
        """One copy of a module's names, with the builtins exchanged."""
        if id(original) not in self.globals:
            self.kept.append(original)
            self.globals[id(original)] = original | {"__builtins__": self.builtins}
        return self.globals[id(original)]

    def _module(self, module: types.ModuleType) -> Any:
        changes = self.rewiring.modules.get(module.__name__)
        if changes is None and not is_own(getattr(module, "__file__", None) or ""):
            return module
        return _Module(module, changes or {}, self.exchange)

    def _container(self, value: Any) -> Any:
        """A copy of a list, tuple, set or dictionary; what is written into it does not reach the original."""
        if isinstance(value, dict):
            made: Any = {}
            self.known[id(value)] = made
            made.update((key, self.exchange(entry)) for key, entry in value.items())
            return made
        if isinstance(value, list):
            made = []
            self.known[id(value)] = made
            made.extend(map(self.exchange, value))
            return made
        return type(value)(map(self.exchange, value))

    def _record(self, value: Any) -> Any:
        """A claim that another one calls: the same with its functions rewired."""
        changes: dict[str, Any] = {}
        for field in dataclasses.fields(value):
            old = getattr(value, field.name, None)
            if field.init and type(old) is types.FunctionType and (new := self.exchange(old)) is not old:
                changes[field.name] = new
        return dataclasses.replace(value, **changes) if changes else value

    def _import(self, *args: Any, **kwargs: Any) -> Any:
        """What an import statement inside of a function imports."""
        return self.exchange(builtins.__import__(*args, **kwargs))


class _Module(types.ModuleType):
    """A module some of whose names are exchanged."""

    def __init__(self, module: types.ModuleType, changes: Mapping[str, Any], exchange: Callable[[Any], Any]) -> None:
        super().__init__(module.__name__)
        vars(self).update(changes, _plain_module=module, _plain_exchange=exchange)

    def __getattr__(self, name: str) -> Any:
        value = vars(self)["_plain_exchange"](getattr(vars(self)["_plain_module"], name))
        vars(self)[name] = value
        return value


_EMPTY = object()


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _EMPTY


def _names_of(code: types.CodeType) -> Iterator[str]:
    """The names that a function looks up in its globals, and the functions defined in it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names_of(constant)


@functools.lru_cache(maxsize=1024)
def is_own(file: str) -> bool:
    """Whether code of that file is the author's: a file, a notebook or a prompt, but no installed package."""
    if not file or file.startswith("<frozen"):
        return False
    return file.startswith("<") or not str(Path(file).resolve()).startswith(_OTHERS)
