"""The floors of DESIGN.md: a module imports from lower floors only, and the roof stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "trpo_theory"
ROOT = Path(__file__).resolve().parent.parent / PACKAGE
ROOF = 10.0
FLOORS = {
    "errors": 0.0,
    "_modules": 0.0,
    "_checks": 0.5,
    "mdp": 1.0,
    "policy": 1.0,
    "divergence": 1.0,
    "special": 1.0,
    "linear": 1.0,
    "notation": 1.0,
    "step_divergence": 1.5,
    "arithmetic": 1.5,
    "evaluation": 2.0,
    "zoo": 2.0,
    "io": 2.0,
    "backups": 2.3,
    "control": 2.5,
    "quantities": 3.0,
    "sources": 3.0,
    "bounds": 4.0,
    "sharp": 4.2,
    "updates": 4.3,
    "certified": 4.6,
    "claims": 5.0,
    "search": 6.0,
    "certificate": 6.5,
    "landscape": 7.0,
    "verify": 7.0,
    "audit": 7.0,
    "integrations": 7.0,
    "sweep": 6.8,
    "report": 8.0,
    "cli": 9.0,
    "_hypothesis": 9.0,
    "__init__": ROOF,
    "__main__": ROOF,
}
HEAVY = {
    "gymnasium",
    "pandas",
    "matplotlib",
    "cvxpy",
    "typer",
    "rich",
    "hypothesis",
    "jinja2",
    "joblib",
    "dask",
    "autograd",
}
MAY_LOAD = {"cli": {"typer", "rich"}, "report": HEAVY, "search": {"hypothesis", "autograd"}}
MODULES = sorted(path.relative_to(ROOT).with_suffix("").as_posix() for path in ROOT.rglob("*.py"))


def imports(source: str, module: str, *, loading_only: bool = False) -> Iterator[str]:
    """Dotted names that a module imports: a/b is the module's path. loading_only: those run when it is imported."""
    package = [PACKAGE, *module.split("/")[:-1]]
    for node in _loaded(ast.parse(source)) if loading_only else ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = [*base, *(node.module or "").split(".")] if node.module else base
            # `from trpo_theory import x` names a module x, or something on the roof: room_of decides.
            yield from (".".join([*base, alias.name]) for alias in node.names)


def _loaded(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _loaded(child)


def room_of(name: str) -> str | None:
    """The room that a dotted import comes from: None outside the package, `__init__` for names of the roof."""
    first, *rest = name.split(".")
    if first != PACKAGE:
        return None
    is_module = rest and ((ROOT / rest[0]).is_dir() or (ROOT / f"{rest[0]}.py").is_file() or rest[0] in FLOORS)
    return rest[0] if is_module else "__init__"


def upward_imports(source: str, module: str) -> list[str]:
    """The imports that break the rule."""
    room = module.split("/")[0]
    targets = {target for name in imports(source, module) if (target := room_of(name)) is not None}
    if room == "__main__":  # on the roof too, but it may start the command line from it
        targets.discard("__init__")
    unmapped = targets - FLOORS.keys()
    assert not unmapped, f"{module} imports {sorted(unmapped)}: give each a floor in FLOORS of {__file__}"
    return sorted(target for target in targets if target != room and FLOORS[target] >= FLOORS[room])


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_a_floor_and_imports_only_from_lower_ones_or_its_own_package(module):
    room = module.split("/")[0]
    assert room in FLOORS, (
        f"the room {room} is not in the map: give it a floor in FLOORS of {__file__} and in DESIGN.md"
    )
    wrong = upward_imports((ROOT / f"{module}.py").read_text(encoding="utf-8"), module)
    assert not wrong, f"{module} (floor {FLOORS[room]:g}) imports {[f'{name} ({FLOORS[name]:g})' for name in wrong]}"


@pytest.mark.parametrize("module", MODULES)
def test_heavy_libraries_are_not_loaded_with_a_module(module):
    source = (ROOT / f"{module}.py").read_text(encoding="utf-8")
    loaded = {name.split(".")[0] for name in imports(source, module, loading_only=True)}
    assert not (loaded & HEAVY) - MAY_LOAD.get(module.split("/")[0], set())


@pytest.mark.parametrize("module", MODULES)
def test_the_ball_library_is_imported_by_certified_only(module):
    names = {name.split(".")[0] for name in imports((ROOT / f"{module}.py").read_text(encoding="utf-8"), module)}
    assert module.startswith("certified/") or "flint" not in names


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("mdp", "from trpo_theory import evaluation", ["evaluation"]),
        ("mdp", "def f():\n    import trpo_theory.bounds.trpo", ["bounds"]),
        ("mdp", "from trpo_theory import FiniteMDP", ["__init__"]),
        ("mdp", "from trpo_theory import policy, _checks", ["policy"]),
        ("bounds/trpo", "from . import kakade\nfrom ..quantities import Quantities", []),
        ("bounds/trpo", "from ..claims.records import Claim", ["claims"]),
        ("claims/bounds", "import numpy\nfrom trpo_theory.bounds import trpo", []),
    ],
)
def test_the_reader_of_imports_sees_each_way_to_write_one(module, source, wrong):
    assert upward_imports(source, module) == wrong


def test_the_reader_of_imports_tells_loading_from_later():
    source = "import pandas\nif TYPE_CHECKING:\n    import rich\ndef f():\n    import typer\nclass C:\n    import cvxpy"
    assert set(imports(source, "mdp", loading_only=True)) == {"pandas", "cvxpy"}
    assert set(imports(source, "mdp")) == {"pandas", "rich", "typer", "cvxpy"}


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, trpo_theory\n"
        "for name in ('mdp', 'policy', 'evaluation', 'control', 'quantities'):\n"
        "    __import__('trpo_theory.' + name)\n"
        "print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    loaded = set(run.stdout.split())
    assert "trpo_theory.quantities" in loaded
    assert not loaded & {"scipy.sparse.linalg", "scipy.linalg", "scipy.stats", "beartype", "flint", *HEAVY}
