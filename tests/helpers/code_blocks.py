"""The code blocks of a Markdown document, run one after the other as its reader would: in one folder, with one Python session.

A console block is commands, each after "$ ", and what they print; a line "…" stands for lines that are left out. A Python block
is a session with ">>>", or a script. Comments in the line above a fence say what cannot be seen:

    <!-- file: mine.py -->         the block is the content of that file, and written where the next commands find it
    <!-- status: 1 -->             the exit status of the block's commands, where it is not 0
    <!-- needs: torch -->          the block is skipped where that module is not installed
    <!-- slow -->                  the block takes seconds: it and what follows is left to the slow tests
"""

from __future__ import annotations

import contextlib
import doctest
import importlib.util
import io
import itertools
import json
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FENCE = re.compile(
    r"^(?P<marks>(?:<!--[^\n]*-->\n)*)(?P<ticks>`{3,})(?P<language>[^\s`]*)[^\n]*\n(?P<text>.*?)^(?P=ticks)`*$",
    re.M | re.S,
)
MARK = re.compile(r"<!-- (slow|file|status|needs)(?:: (.*?))? -->")
FORMATS = {"json": json.loads, "text": None, "latex": None, "diff": None, "bibtex": None, "": None}
"""Languages of blocks that are shown, each with what reads one."""
ALLOWED = re.compile(
    r"(python|python3) -m (venv \S+|pip install .*)|\. \S+/bin/activate|pre-commit install|git clone .*|pip install .*"
)
"""What a shell block may do: installations, which are for the reader's machine alone."""

SEARCHES = ("pytest", *(f"trpo-theory {verb}" for verb in ("verify", "falsify", "show", "certify", "worst-case")))
"""Commands whose digits may differ from machine to machine: what a search finds first, and what it finds in it."""
TINY = re.compile(r"(?:< )?\b\de-\d\d\b")
"""A number of one digit, as gaps within rounding are shown."""


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        language: the first word after the fence.
        text: what is between the fences.
        line: the number of its first line.
        marks: what the comments above it say.
    """

    language: str
    text: str
    line: int
    marks: dict[str, str]


def blocks(text: str) -> list[Block]:
    """All blocks of a document, in order; directives of MyST, in braces, are none."""
    found = []
    for match in FENCE.finditer(text):
        if not match["language"].startswith("{"):
            marks = {name: value or "" for name, value in MARK.findall(match["marks"])}
            line = text.count("\n", 0, match.start("text")) + 1
            found.append(Block(match["language"], match["text"], line, marks))
    return found


@dataclass
class Session:
    """One reader of one document.

    Attributes:
        name: of the document, for messages.
        folder: where its files are written, which is the current one.
        names: the variables of its Python session.
    """

    name: str
    folder: Path
    names: dict[str, Any] = field(default_factory=dict[str, Any])

    def run(self, block: Block) -> bool:
        """Run or read one block; False if what it needs is not installed."""
        if any(importlib.util.find_spec(name) is None for name in block.marks.get("needs", "").split()):
            return False
        if "file" in block.marks:
            (self.folder / block.marks["file"]).write_text(block.text, encoding="utf-8")
        try:
            with contextlib.chdir(self.folder):
                self._run(block)
        except AssertionError as error:
            raise AssertionError(f"{self.name}, line {block.line}: {error}") from error
        return True

    def _run(self, block: Block) -> None:
        if block.language == "console":
            self._console(block)
        elif block.language == "python" and ">>>" in block.text:
            self._session(block)
        elif block.language == "python":
            code = compile(block.text, f"{self.name}, line {block.line}", "exec")
            if "file" not in block.marks:
                exec(code, self.names)
        elif block.language == "sh":
            for line in block.text.splitlines():
                for command in re.split(r" && ", line.partition(" #")[0].strip()):
                    assert not command or ALLOWED.fullmatch(command), (
                        f"nobody runs {command!r}: make it a console block"
                    )
        else:
            assert block.language in FORMATS, f"what is {block.language!r}?"
            assert not block.text.startswith("$ "), "a command that is not run: make it a console block"
            if (reads := FORMATS[block.language]) is not None:
                reads(block.text)

    def _session(self, block: Block) -> None:
        example = doctest.DocTestParser().get_doctest(block.text, self.names, self.name, self.name, block.line - 1)
        failures: list[str] = []
        runner = doctest.DocTestRunner(verbose=False)
        runner.run(example, out=failures.append, clear_globs=False)
        self.names = example.globs
        assert not failures, "\n" + "".join(failures)

    def _console(self, block: Block) -> None:
        assert block.text.startswith("$ ")
        for part in re.split(r"^\$ ", block.text, flags=re.M)[1:]:
            command, _, shown = part.partition("\n")
            printed, status = run_command(command)
            assert status == int(block.marks.get("status", 0)), f"{command}: exit status {status}\n{printed}"
            assert_shown(command, shown, printed)


def run_command(command: str) -> tuple[str, int]:
    """What a command prints, and its exit status."""
    from trpo_theory.cli import main

    program, *arguments = shlex.split(command)
    if program == "trpo-theory":
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = main(arguments)
        return out.getvalue(), status
    if [program, *arguments[:2]] == ["python", "-m", "experiments"]:
        from experiments.__main__ import main as experiments

        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = experiments(arguments[2:])
        return out.getvalue(), status
    assert program in ("python", "pytest"), f"nobody runs {command!r}"
    start = [sys.executable, *(["-m", "pytest", "-p", "no:cacheprovider"] if program == "pytest" else [])]
    done = subprocess.run([*start, *arguments], capture_output=True, text=True, encoding="utf-8", check=False)
    return done.stdout, done.returncode


def assert_shown(command: str, shown: str, printed: str) -> None:
    """What a document shows of a command is what it prints."""
    if not shown.strip():
        assert "--json" not in command or json.loads(printed)
        return
    shown, printed = (TINY.sub("tiny", text) for text in (shown, printed))
    if command.startswith(SEARCHES):  # what a search finds may differ in its digits
        shown, printed = (re.sub(r"\S*\d\S*", "#", text) for text in (shown, printed))
    _assert_lines(words(shown), words(printed))


def _assert_lines(shown: list[list[str]], printed: list[list[str]]) -> None:
    """The lines shown are the ones printed, but for those that a line "…" stands for."""
    parts = [list(part) for more, part in itertools.groupby(shown, lambda line: line == ["…"]) if not more]
    all_printed = "\nprinted:\n" + "\n".join(map(" ".join, printed))
    if shown[0] != ["…"]:
        assert printed[: len(parts[0])] == parts[0], all_printed
    if shown[-1] != ["…"]:
        assert printed[len(printed) - len(parts[-1]) :] == parts[-1], all_printed
    left = printed
    for part in parts:
        places = [i for i in range(len(left)) if left[i : i + len(part)] == part]
        assert places, f"not printed: {part}{all_printed}"
        left = left[places[0] + len(part) :]
    assert len(parts) > 1 or ["…"] in shown or not left, all_printed


def words(text: str) -> list[list[str]]:
    """The words of each line that has any; rules and spacing do not count."""
    return [line.replace("─", " ").replace("=", " = ").split() for line in text.splitlines() if line.strip(" ─")]
