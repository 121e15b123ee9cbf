"""Claims of one's own, from a Python file. An error in that file is reported with its line."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.util
import inspect
import sys
import traceback
from pathlib import Path
from types import CodeType, ModuleType

from trpo_theory.bounds.decorator import ON_CLAIM
from trpo_theory.bounds.record import Claim
from trpo_theory.errors import InvalidInput


def read_claims(path: str | Path) -> list[Claim]:
    """The claims (and bounds, as claims) that a Python file defines, in its order. The file is run.

    Those that the decorator makes are all found, also where a later one takes the name; others by their names in the module.

    Args:
        path: a .py file in which functions are decorated with @claim(...).

    Raises:
        InvalidInput: naming file and line, if it cannot be run, or has no claims, or one id twice.
    """
    file = Path(path)
    if file.suffix != ".py" or not file.is_file():
        raise InvalidInput(
            got=f"{str(path)!r} as a file of claims",
            wanted="a .py file that exists",
            fix="write functions decorated with @claim in a file such as mine.py, and pass its path",
        )
    name = f"_claims_of_{file.stem}_{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(file.resolve().parent))
    made: list[Claim] = []
    token = ON_CLAIM.set(lambda claim: made.append(claim) if _module_at_work() == name else None)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise InvalidInput(
            got=f"an error in {file.name}: {complaint(error, str(file))}",
            wanted="a Python file that can be run",
            fix=f"correct it; `python {file.name}` shows the same error",
        ) from error
    finally:
        ON_CLAIM.reset(token)
        sys.path.remove(str(file.resolve().parent))
    return _collected(module, made, file)


def _module_at_work() -> str:
    """The name of the module whose own lines, not those of a function, are being run last."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return "" if frame is None else frame.f_globals.get("__name__", "")


def _collected(module: ModuleType, made: list[Claim], file: Path) -> list[Claim]:
    from trpo_theory.claims import catalogue, checked_own

    named = [value for value in vars(module).values() if isinstance(value, Claim)]
    changed = {(claim.id, claim.formula) for claim in named}  # by dataclasses.replace, say
    nameless = [claim for claim in made if claim not in named and (claim.id, claim.formula) not in changed]
    first = {claim: number for number, claim in enumerate(made)}
    found = dict.fromkeys([*named, *nameless])
    if nameless:
        found = dict.fromkeys(sorted(found, key=lambda claim: first.get(claim, len(first))))
    imported = list(catalogue.values())  # those that the file imports from the catalogue are not its own
    own = [claim for claim in found if claim not in imported]
    if not own:
        raise InvalidInput(
            got=f"no claims in {file.name}",
            wanted="a function decorated with @claim, or a Bound",
            fix='from trpo_theory import claim; @claim("mine/lemma-3", statement="..."); def lemma_3(q): return ...',
        )
    seen: dict[str, Claim] = {}
    for claim in checked_own(own):
        if claim.id in seen:
            lines = " and ".join(str(_line(one)) for one in (seen[claim.id], claim))
            raise InvalidInput(
                got=f"the id {claim.id!r} twice in {file.name} (lines {lines})",
                wanted="one claim an id",
                fix="rename one of the two",
            )
        seen[claim.id] = claim
    return [dataclasses.replace(claim, origin=str(file.resolve())) for claim in own]


def _line(claim: Claim) -> int | str:
    code = getattr(claim.formula, "__code__", None)
    return code.co_firstlineno if isinstance(code, CodeType) else "?"


def complaint(error: BaseException, file: str) -> str:
    """The error for the author of the file: its type, its message, and the last line of the file that it passed through."""
    message = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError):
        return f"{message} (line {error.lineno}: {(error.text or '').strip()})"
    if not file:
        return message
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).resolve() == Path(file).resolve()
    ]
    return f"{message} (line {own[-1].lineno}: {own[-1].line})" if own else message
