"""The floors: rooms import in one direction only, which is read off the folders and their imports, and the roof stays light."""

from __future__ import annotations

import ast
import functools
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "trpo_theory"
ROOT = Path(__file__).resolve().parents[2] / PACKAGE
TESTS = ROOT.parent / "tests"
MODULES = sorted(path.relative_to(ROOT).with_suffix("").as_posix() for path in ROOT.rglob("*.py"))
SOURCES = {module: (ROOT / f"{module}.py").read_text(encoding="utf-8") for module in MODULES}
ROOMS = {module.split("/")[0] for module in MODULES}
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
MAY_LOAD = {
    "cli": {"typer", "rich"},
    "report": HEAVY,
    "search": {"autograd"},
    "numerics": {"autograd"},
    "testing": {"hypothesis"},
}


@functools.cache
def imports(source: str, module: str, *, loading_only: bool = False) -> tuple[str, ...]:
    """Dotted names that a module imports: a/b is the module's path. loading_only: those run when it is imported."""
    return tuple(_imports(_tree(source), module, loading_only))


def _imports(tree: ast.Module, module: str, loading_only: bool) -> Iterator[str]:
    package = [PACKAGE, *module.split("/")[:-1]]
    for node in _loaded(tree) if loading_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = [*base, *(node.module or "").split(".")] if node.module else base
            # `from trpo_theory import x` names a room x, or something on the roof: room_of decides.
            yield from (".".join([*base, alias.name]) for alias in node.names)


@functools.cache
def _tree(source: str) -> ast.Module:
    return ast.parse(source)


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
    return rest[0] if rest and rest[0] in ROOMS else "__init__"


def order_of(sources: dict[str, str]) -> list[str]:
    """The rooms from the ground up.

    Raises:
        graphlib.CycleError: naming the rooms in a circle, if there is one.
    """
    below: dict[str, set[str]] = {}
    for module, source in sources.items():
        room = module.split("/")[0]
        targets = {target for name in imports(source, module) if (target := room_of(name)) is not None}
        below.setdefault(room, set()).update(targets - {room})
    return list(graphlib.TopologicalSorter(below).static_order())


def test_rooms_import_in_one_direction_only():
    assert set(order_of(SOURCES)) == ROOMS


def test_nobody_imports_from_the_roof():
    importers = {
        module
        for module, source in SOURCES.items()
        if "__init__" in {room_of(name) for name in imports(source, module)}
    }
    assert not importers


def test_the_model_is_on_the_ground_and_the_command_line_on_top():
    order = order_of(SOURCES)
    spine = [
        "errors",
        "_checks",
        "model",
        "solve",
        "step",
        "bounds",
        "claims",
        "proofs",
        "search",
        "verification",
        "cli",
    ]
    assert sorted(spine, key=order.index) == spine


def test_at_most_five_modules_lie_beside_the_folders():
    assert len([path for path in ROOT.glob("*.py") if path.name != "__init__.py"]) <= 5


def test_every_room_has_its_tests_in_a_folder_of_its_name():
    folders = {path.parent.name for path in TESTS.rglob("test_*.py")}
    rooms = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    assert not rooms - folders


def test_every_test_file_is_in_the_folder_of_a_room():
    """`house` is of the repository itself, `experiments` of the folder beside the package."""
    folders = {path.relative_to(TESTS).parent.as_posix().split("/")[0] for path in TESTS.rglob("test_*.py")}
    assert folders <= ROOMS | {"house", "experiments"}


def test_oracles_import_nothing_of_the_package():
    for path in (TESTS / "oracles").glob("*.py"):
        assert not {name for name in imports(path.read_text(encoding="utf-8"), path.stem) if room_of(name)}, path.name


def test_no_module_bears_the_name_of_a_public_function():
    """`tt.verify` must be the function whatever has been imported; the catalogues and rooms are modules by intent."""
    import types

    import trpo_theory

    functions = {
        name for name in trpo_theory.__all__ if not isinstance(getattr(trpo_theory, name), types.ModuleType | type)
    }
    assert not functions & {part for module in MODULES for part in module.split("/")}


def libraries(module: str, *, loading_only: bool = False) -> set[str]:
    return {name.split(".")[0] for name in imports(SOURCES[module], module, loading_only=loading_only)}


def test_heavy_libraries_are_not_loaded_with_a_module():
    loaded = {module: libraries(module, loading_only=True) & HEAVY for module in MODULES}
    assert not [
        (module, names) for module, names in loaded.items() if names - MAY_LOAD.get(module.split("/")[0], set())
    ]


def test_the_ball_library_is_imported_in_one_room_only():
    importers = [module for module in MODULES if "flint" in libraries(module)]
    assert importers
    assert not [module for module in importers if not module.startswith("numerics/ball/")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "circle"),
    [
        ("from trpo_theory import bounds", {"model", "bounds"}),
        ("def f():\n    import trpo_theory.bounds.trpo", {"model", "bounds"}),
        ("from ..bounds import trpo", {"model", "bounds"}),
    ],
)
def test_an_arrow_up_is_found_however_it_is_written(source, circle):
    with pytest.raises(graphlib.CycleError) as caught:
        order_of({**SOURCES, "model/mdp": SOURCES["model/mdp"] + "\n" + source})
    assert circle <= set(caught.value.args[1])


def test_the_reader_of_imports_tells_loading_from_later():
    source = "import pandas\nif TYPE_CHECKING:\n    import rich\ndef f():\n    import typer\nclass C:\n    import cvxpy"
    assert set(imports(source, "model/mdp", loading_only=True)) == {"pandas", "cvxpy"}
    assert set(imports(source, "model/mdp")) == {"pandas", "rich", "typer", "cvxpy"}


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, trpo_theory\n"
        "for name in ('model.mdp', 'model.policy', 'solve.evaluation', 'solve.control', 'step.quantities'):\n"
        "    __import__('trpo_theory.' + name)\n"
        "print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    loaded = set(run.stdout.split())
    assert "trpo_theory.step.quantities" in loaded
    assert not loaded & {"scipy", "jaxtyping", "beartype", "flint", *HEAVY}


@pytest.mark.parametrize("id", ["trpo/tv", "trpo/tv-2"])
def test_a_verdict_loads_nothing_that_it_does_not_use(id):
    """What is proved on paper, and what is refuted: a user waits for the imports as long as for the search."""
    code = (
        "import sys\n"
        "from trpo_theory.verification.verifying import verify\n"
        f"print(verify([{id!r}], instances=1000)[{id!r}].verdict)\n"
        "print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    verdict, *loaded = run.stdout.split()
    assert verdict == {"trpo/tv": "proved", "trpo/tv-2": "refuted"}[id]
    assert "numpy" in loaded
    assert not set(loaded) & {"scipy", "jaxtyping", "beartype", *HEAVY}
    assert not {name for name in loaded if name.startswith(("trpo_theory.sharp.gap", "trpo_theory.updates.solvers"))}
