"""The README is true: its code runs, its console blocks print what they show, CI runs its two commands."""

import re
from pathlib import Path

import pytest
from code_blocks import Session, blocks, words

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


def test_it_is_short():
    assert len(README.splitlines()) <= 200


def test_its_code_runs_and_prints_what_it_shows(tmp_path):
    """But for the two commands, which CI runs."""
    session, shown = Session("README.md", tmp_path), [block for block in blocks(README) if block.language != "sh"]
    assert {block.language for block in shown} == {"python", "console", "text"}
    assert all(session.run(block) for block in shown)


@pytest.mark.whole
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
