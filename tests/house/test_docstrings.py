"""The examples in docstrings are true."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import trpo_theory

MODULES = sorted(module.name for module in pkgutil.walk_packages(trpo_theory.__path__, "trpo_theory."))


def has_examples(name):
    path = Path(trpo_theory.__path__[0]).parent / name.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ">>>" in file.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ("trpo_theory", *MODULES) if has_examples(name)])
def test_examples(name):
    if name == "trpo_theory.integrations.sb3":
        pytest.importorskip("stable_baselines3")
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    modules = [importlib.import_module(name) for name in MODULES if name != "trpo_theory.integrations.sb3"]
    examples = sum(len(test.examples) for module in modules for test in finder.find(module))
    assert examples >= 10
