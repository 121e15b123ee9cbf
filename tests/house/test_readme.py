"""The README is true: its Python is a doctest, its console blocks print what they show, CI runs its two commands."""

import doctest
import itertools
import json
import re
import shlex
from pathlib import Path

import pytest

from trpo_theory.cli import main

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


@pytest.mark.slow
def test_the_python_tour():
    failed, run = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert run > 15
    assert failed == 0


@pytest.mark.parametrize("page", ["trusted-steps", "which-theorem"])
def test_the_python_of_a_page_of_the_docs(page):
    failed, run = doctest.testfile(str(ROOT / f"docs/{page}.md"), module_relative=False)
    assert run > 5
    assert failed == 0


CONSOLE = re.findall(r"```console\n\$ (.*)\n((?:.*\n)*?)```", README)


@pytest.mark.slow
@pytest.mark.parametrize(("command", "shown"), CONSOLE, ids=[command for command, _ in CONSOLE])
def test_console_blocks_print_what_they_show(command, shown, capsys):
    program, *arguments = shlex.split(command)
    assert program == "trpo-theory"
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    if arguments[0] == "verify":  # what a search finds may differ in its digits from machine to machine
        shown, printed = (re.sub(r"\S*\d\S*", "#", text) for text in (shown, printed))
    if shown:
        _assert_shown(_words(shown), _words(printed))
    else:
        assert json.loads(printed)


def test_the_mdp_in_json_is_read_as_it_is_shown(capsys, tmp_path, monkeypatch):
    (shown,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    (command,) = re.findall(r"`trpo-theory (bound two\.json .*?)`", README)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.json").write_text(shown)
    assert main(shlex.split(command)) == 0
    assert "coupling/tv" in capsys.readouterr().out


@pytest.mark.slow
def test_the_experiments_output_is_the_one_shown(capsys, tmp_path):
    from experiments.__main__ import main as experiments

    block = re.search(r"```text\n(lower-bound.*?)```", README, re.DOTALL)
    assert block
    assert experiments(["lower-bound", "--quick", "--out", str(tmp_path)]) == 0
    printed = _words(capsys.readouterr().out)
    beginning, _, end = block.group(1).partition("…")
    shown = _words(beginning)
    assert printed[: len(shown)] == shown
    assert end.split() in printed


def _assert_shown(shown, printed):
    """The lines shown are the ones printed, but for those that a line "…" stands for."""
    parts = [list(part) for more, part in itertools.groupby(shown, lambda line: line == ["…"]) if not more]
    assert printed[: len(parts[0])] == parts[0]
    assert printed[len(printed) - len(parts[-1]) :] == parts[-1]
    left = printed
    for part in parts:
        places = [i for i in range(len(left)) if left[i : i + len(part)] == part]
        assert places, part
        left = left[places[0] + len(part) :]
    assert len(parts) > 1 or not left


def _words(text):
    """The words of each line that has any; rules and spacing do not count."""
    return [line.replace("─", " ").split() for line in text.splitlines() if line.strip(" ─")]


def test_ci_runs_the_two_commands():
    commands = re.findall(r"```sh\n(python -m pip install .*)\n```", README)
    assert len(commands) == 2
    assert "python -m experiments" in commands[0]
    assert "python -m pytest" in commands[1]
    script = (ROOT / ".ci" / "run").read_text()
    assert "readme_command 'experiments'" in script
    assert "readme_command 'pytest'" in script
