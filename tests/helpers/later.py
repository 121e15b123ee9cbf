"""Peers that take seconds to import are imported by the first test that uses them, not when tests are collected."""

from __future__ import annotations

import importlib
from typing import Any


class Later:
    """Stands for a module, or for a name in it, until an attribute of it is read or it is called."""

    def __init__(self, module: str, name: str | None = None):
        self._module, self._name = module, name

    def _found(self) -> Any:
        module = importlib.import_module(self._module)
        return module if self._name is None else getattr(module, self._name)

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):  # asked by pytest when it collects, which must not import
            raise AttributeError(attribute)
        return getattr(self._found(), attribute)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._found()(*arguments, **options)
