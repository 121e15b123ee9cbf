"""The README is true: its Python is a doctest, its console blocks print what they show, CI runs its two commands."""

import re
import shlex
from pathlib import Path

import pytest
from code_blocks import Session, blocks, words

from trpo_theory.cli import main

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


BLOCKS = blocks(README)


@pytest.mark.slow
def test_the_python_tour():
    session = Session("README.md", ROOT)
    tour = [block for block in BLOCKS if block.language == "python"]
    assert len(tour) > 3
    assert all(session.run(block) for block in tour)


CONSOLE = [block for block in BLOCKS if block.language == "console"]


@pytest.mark.slow
@pytest.mark.parametrize("block", CONSOLE, ids=lambda block: block.text.partition("\n")[0])
def test_console_blocks_print_what_they_show(block):
    Session("README.md", ROOT).run(block)


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
    printed = words(capsys.readouterr().out)
    beginning, _, end = block.group(1).partition("…")
    shown = words(beginning)
    assert printed[: len(shown)] == shown
    assert end.split() in printed


def test_ci_runs_the_two_commands():
    commands = re.findall(r"```sh\n(python -m pip install .*)\n```", README)
    assert len(commands) == 2
    assert "python -m experiments" in commands[0]
    assert "python -m pytest" in commands[1]
    script = (ROOT / ".ci" / "run").read_text()
    assert "readme_command 'experiments'" in script
    assert "readme_command 'pytest'" in script
