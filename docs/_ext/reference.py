"""The API reference, a page a room: written when the documentation is built from the names that each room makes public."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
CODE = re.compile(r"`([^`]+)`")
SECTION = re.compile(r"(Args|Attributes|Returns|Raises|Yields|Note|Notes|Examples?):$")
SEVERAL = re.compile(r"( +\w+(?:, \w+)+):")
PHRASE = re.compile(r"( +[^`:(]+ [^`:(]+): ")
MARKS = re.compile(r"(\||(?<!\w)\*(?!\*?\w+:)|(?<=\w)_\b)")
"""What reStructuredText would read as markup; not the stars of an argument of any number, which napoleon wants."""
FOLDER = Path(__file__).resolve().parents[1] / "reference"
ROOMS = {
    "trpo_theory": "What `import trpo_theory as tt` has.",
    "trpo_theory.bounds": "Lower bounds on the return of a new policy.",
    "trpo_theory.claims": "The catalogue of claims.",
    "trpo_theory.updates": "Update problems, solvers, certificates of steps.",
    "trpo_theory.zoo": "Markov decision processes by name.",
    "trpo_theory.io": "Files and other libraries' objects.",
    "trpo_theory.report": "Tables and figures, for a paper.",
    "trpo_theory.numerics": "Floating-point arithmetic with relative accuracy.",
    "trpo_theory.numerics.divergence": "Divergences of two distributions.",
    "trpo_theory.numerics.polylog": "Polylogarithms.",
    "trpo_theory.numerics.resolvent": "Linear systems of a Markov chain.",
    "trpo_theory.landscape": "All policies of a process with two states.",
    "trpo_theory.recorded": "Training runs, recomputed.",
    "trpo_theory.integrations": "Recorders for training code.",
    "trpo_theory.testing": "Hypothesis strategies.",
    "trpo_theory.testing.strategies": "The strategies by name.",
    "trpo_theory.verification": "What long verifications leave behind.",
}
"""The rooms with public names, in the order of the reference, each with a line on it."""


def public(room: str) -> Iterator[tuple[str, Any]]:
    """The public names of a room, with what they are."""
    module = importlib.import_module(room)
    for name in sorted(names(module), key=str.lower):
        yield name, getattr(module, name)


def names(module: ModuleType) -> list[str]:
    """Those that it lists, or else its own functions and classes."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    own = (name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__)
    return [name for name in own if not name.startswith("_")]


def home(room: str, name: str, value: Any) -> str:
    """Under which full name an object is described: that of the first room of the reference that has it."""
    if isinstance(value, ModuleType):
        return value.__name__
    modules = ((other, importlib.import_module(other)) for other in ROOMS)
    return next(
        f"{other}.{name}" for other, module in modules if getattr(module, name, None) is value and name in names(module)
    )


def write(app: Sphinx) -> None:
    """A page a room."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.rst"):
        if old.stem not in ROOMS:
            old.unlink()
    for room, line in ROOMS.items():
        path, text = FOLDER / f"{room}.rst", _page(room, line)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _page(room: str, line: str) -> str:
    title = f"``{room}``"
    parts = [title, "=" * len(title), "", line.replace("`", "``"), "", f".. py:module:: {room}", ""]
    for name, value in public(room):
        parts += _entry(room, name, value)
    return "\n".join(parts)


def _entry(room: str, name: str, value: Any) -> list[str]:
    full = home(room, name, value)
    if full != f"{room}.{name}" or isinstance(value, ModuleType):
        role = f":py:{'mod' if isinstance(value, ModuleType) else 'obj'}:`{full}`, described there."
        if isinstance(value, ModuleType) and full not in ROOMS:
            role = f"``{full}``. {(inspect.getdoc(value) or '').partition(chr(10))[0].replace('`', '``')}"
        return [f".. py:data:: {name}", "   :no-index:", "", f"   {role}", ""]
    kind = "class" if inspect.isclass(value) else "function" if inspect.isroutine(value) else "data"
    if kind == "data":
        return [f".. py:data:: {name}", "", f"   {written(room, name, value)}", ""]
    return [f".. auto{kind}:: {room}.{name}", *(["   :members:"] if kind == "class" else []), ""]


def written(room: str, name: str, value: Any) -> str:
    """The docstring below a value, wherever in the room it is defined."""
    modules = [module for key, module in list(sys.modules.items()) if key == room or key.startswith(f"{room}.")]
    for module in [module for module in modules if getattr(module, name, None) is value]:
        docs = ModuleAnalyzer.for_module(module.__name__).find_attr_docs()
        if ("", name) in docs:
            lines = list(docs["", name])
            as_rst(None, "", "", None, None, lines)
            return " ".join(" ".join(lines).split())
    LOGGER.warning("%s.%s has no docstring", room, name)
    return ""


def as_rst(app: Sphinx | None, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """A docstring as reStructuredText: `code` is code, |A|, a_ and * are what they are, and an indented formula stands apart."""
    example, section, found = False, False, [""]
    for line in lines:
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        if not example:
            parts = CODE.split(line)  # text, code, text, ...
            line = "".join(f"``{part}``" if j % 2 else MARKS.sub(r"\\\1", part) for j, part in enumerate(parts))
            section = bool(SECTION.match(line)) or (section and line[:1] in ("", " "))
            if section and (names := SEVERAL.match(line)):
                line = names[1].replace(", ", ",\u2060") + line[names.end(1) :]  # else the first is taken for a type
            if found[-1] == "Returns:" and (said := PHRASE.match(line)):
                line = f"{said[1]}\\ \u2236 {line[said.end() :]}"  # nor is a phrase a type
            if what == "property" and len(found) == 1:
                line = line.replace(": ", "\\ \u2236 ")  # else what stands before a colon is taken for a type
            if not section and line.strip() and found[-1].strip() and (line[0] == " ") != (found[-1][0] == " "):
                found.append("")
        found.append(line)
    lines[:] = found[1:]


def check(app: Sphinx, env: BuildEnvironment) -> None:
    """An undocumented public name fails the build."""
    documented = {entry[0] for entry in env.get_domain("py").get_objects()}
    for room in ROOMS:
        for name, value in public(room):
            if home(room, name, value) not in documented and not isinstance(value, ModuleType):
                LOGGER.warning("%s.%s is public, and not in the reference", room, name)


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before any is read, and look for names that were left out."""
    app.connect("builder-inited", write)
    app.connect("autodoc-process-docstring", as_rst, priority=400)  # before napoleon
    app.connect("env-check-consistency", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
