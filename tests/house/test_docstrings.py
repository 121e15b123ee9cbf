"""The examples in docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import trpo_theory

MODULES = sorted(module.name for module in pkgutil.walk_packages(trpo_theory.__path__, "trpo_theory."))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["trpo_theory", *MODULES])
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
