"""What is of its type already goes past Typer's conversion, which imports pydantic: a sixth of the time of a short command."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any


def convert_where_needed(command: Any) -> None:
    """Have each parameter of a command, and of its subcommands, convert only what is not of its type.

    A Typer that does not say which type that is converts as it always did.
    """
    for param in command.params:
        _convert_where_needed(param)
    command.get_help_option = partial(_help_option, command.get_help_option)
    for one in getattr(command, "commands", {}).values():
        convert_where_needed(one)


def _convert_where_needed(param: Any) -> None:
    if hasattr(param, "type_descriptor") and not isinstance(param.process_value, partial):
        param.process_value = partial(_processed, param, param.process_value)


def _help_option(made: Callable[[Any], Any], ctx: Any) -> Any:
    """--help, which a command makes when it runs."""
    option = made(ctx)
    _convert_where_needed(option)
    return option


def _processed(param: Any, process: Callable[[Any, Any], Any], ctx: Any, value: Any) -> Any:
    """The value after conversion and callback; what is missing Typer says itself."""
    wanted = param.type_descriptor.annotation
    if wanted == list[str] and isinstance(value, tuple | list) and all(type(one) is str for one in value):
        value = list(value)
    elif wanted == list[str] and value is None:
        value = ()  # as Typer has it
    elif value is not None and type(value) is not wanted:
        return process(ctx, value)
    if param.required and param.value_is_missing(value):
        return process(ctx, value)
    return value if param.callback is None else param.callback(ctx, param, value)
