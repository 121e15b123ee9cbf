"""Arguments that need no conversion go past Typer's, with the values that it makes of them, and without what it imports."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import typer

from trpo_theory.cli.conversion import convert_where_needed
from trpo_theory.cli.options import app, command_for

STEP = ("zoo:garnet", "--old", "uniform", "--new", "optimal")
LINES = (
    ("verify", "trpo/tv", "pinsker/kl", "--seed", "3", "--json"),
    ("verify", "--resume", "--out", "there", "--states", "2"),
    ("claims", "trpo/*"),
    ("bound", *STEP, "--horizon", "4", "--gamma", "0.9", "--temperature", "0.5"),
    ("update", *STEP[:3], "--problem", "max-kl", "--cost", "a:1", "--cost", "b:2", "--delta", "0.1"),
    ("improve", "zoo:garnet", "--problem", "max-kl", "--steps", "2"),
    ("sharp", "--divergence", "max-kl", "--gamma", "0.9", "--radius", "0.01", "--certify"),
)


def parsed(command: Any, line: tuple[str, ...]) -> dict[str, Any]:
    """The values that a command makes of its arguments."""
    verb = command.commands[line[0]]
    with command.make_context("trpo-theory", list(line)) as above:
        return verb.make_context(line[0], list(line[1:]), parent=above).params


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_values_are_those_of_typer_with_their_types(line: tuple[str, ...]) -> None:
    typers = parsed(typer.main.get_command(app), line)
    ours = parsed(command_for(line), line)
    assert ours == typers
    assert {name: type(value) for name, value in ours.items()} == {name: type(x) for name, x in typers.items()}


def test_what_is_not_of_its_type_is_converted_and_refused_as_typer_does() -> None:
    for command in (typer.main.get_command(app), command_for(["verify"])):
        assert parsed(command, ("verify", "--seed", "07"))["seed"] == 7
        with pytest.raises(typer.BadParameter) as refused:
            parsed(command, ("verify", "--seed", "x"))
        assert refused.value.param is not None
        assert refused.value.param.name == "seed"


@pytest.mark.skipif(
    not hasattr(typer.main.get_command(app).params[0], "type_descriptor"),
    reason="a Typer without conversion by pydantic",
)
def test_a_command_whose_arguments_are_texts_imports_no_pydantic() -> None:
    code = (
        "import sys; from trpo_theory.cli import main; main(['claims', 'trpo/*']); assert 'pydantic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_a_typer_that_does_not_say_its_types_is_left_alone() -> None:
    command: Any = type("Command", (), {})()
    option: Any = type("Option", (), {"process_value": "its own"})()
    command.params, command.get_help_option = [option], lambda ctx: None
    convert_where_needed(command)
    assert option.process_value == "its own"
