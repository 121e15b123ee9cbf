"""Copies of the checkout to which a section of CONTRIBUTING.md has been added, as a newcomer would add it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^### (.*)$", TEXT, re.MULTILINE)
COPIED = ("trpo_theory", "experiments", "tests", "docs", "pyproject.toml", "README.md", "CONTRIBUTING.md")


def patch_of(section: str) -> str:
    """The diff in the section of that heading."""
    (body,) = re.findall(rf"^### {re.escape(section)}\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    (patch,) = re.findall(r"^```diff\n(.*?)^```$", body, re.MULTILINE | re.DOTALL)
    return patch


def files_of(patch: str) -> list[str]:
    """The files that a diff writes."""
    return re.findall(r"^\+\+\+ b/(.*)$", patch, re.MULTILINE)


def apply(patch: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`git apply` in the folder, or `patch` where there is no git."""
    command = ["git", "apply"] if shutil.which("git") else ["patch", "--strip=1", "--silent"]
    outside = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}  # a repository around it would change paths
    return subprocess.run(
        [*command, *options], cwd=folder, env=outside, input=patch, capture_output=True, text=True, check=False
    )


def checkout_with(section: str, folder: Path) -> Path:
    """A copy of the checkout in the folder, with the diff of the section applied."""
    for name in COPIED:  # with their caches: a copy has the times of its originals, so that nothing is compiled again
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, folder / name)
    applied = apply(patch_of(section), folder)
    assert applied.returncode == 0, f"the diff of {section!r} does not apply: make it again\n{applied.stderr}"
    return folder


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m ARGUMENTS` on the copy."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=checkout,
        env=_environment(checkout),
        capture_output=True,
        text=True,
        check=False,
    )


def _environment(checkout: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(checkout), "COLUMNS": "120", "PYTHONUTF8": "1"}


COMMANDS = """
import contextlib, io, json, sys
from trpo_theory.cli import main
for line in sys.stdin:
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        status = main(json.loads(line))
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""


@contextlib.contextmanager
def command_line(checkout: Path) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """A process on the copy that runs one command after the other: the status of each, its stdout and its stderr."""
    call, pipes = [sys.executable, "-c", COMMANDS], {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(call, cwd=checkout, env=_environment(checkout), text=True, **pipes) as process:
        assert process.stdin
        assert process.stdout

        def answer(*arguments: str) -> tuple[int, str, str]:
            process.stdin.write(json.dumps(arguments) + "\n")
            process.stdin.flush()
            return tuple(json.loads(process.stdout.readline()))

        yield answer
        process.stdin.close()
