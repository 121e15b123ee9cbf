"""What stdout and stderr cannot take: characters that an encoding lacks, and outputs that are closed or full."""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
import unicodedata
from collections.abc import Iterator
from typing import Any, Protocol, TypeVar, runtime_checkable

from trpo_theory.errors import InvalidInput

Stream = TypeVar("Stream")


@runtime_checkable
class WithDescriptor(Protocol):
    """A stream with a file descriptor."""

    def fileno(self) -> int:
        """The descriptor."""
        ...


_ALIKE = """
≥ >= ≤ <= ≠ != ≈ ~ ± +- ∓ -+ × x · * ∗ * • * √ sqrt ∞ inf ∑ sum ∏ prod ∫ int ∂ d ∇ grad ∎ [] ∀ all ∃ exists ∈ in ∉ notin
∅ {} ∪ union ∩ intersection ⊂ subset ⊆ subset ≪ << ≫ >> ‖ || ∝ ~ ′ ' ⁻ - ⁄ / − - – - — - … ... ← <- → -> ↔ <-> ↦ |-> ⇒ =>
⇔ <=> ↑ up ↓ down “ " ” " „ " ‘ ' ’ ' « << » >> λ lambda Λ Lambda µ mu ø o æ ae œ oe ß ss đ d ħ h ł l ð d þ th ı i € EUR £ GBP
° deg а a б b в v г g д d е e ё e ж zh з z и i й i к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh щ shch ы y
э e ю yu я ya
"""
"""Characters and what is read for them, in pairs; of letters that are not here the name or the one without its accent is."""
_IN_ASCII = dict(zip(_ALIKE.split()[::2], _ALIKE.split()[1::2], strict=True)) | {"\u0303": "~", "ъ": "", "ь": ""}
_HANDLER = "trpo-theory-ascii"


def in_ascii(text: str) -> str:
    r"""The text in ASCII characters: Greek letters by name, accents left out, Cyrillic transliterated, the code of others.

    >>> print(in_ascii("η ≥ L − ε², naïve ─│ 状"))
    eta >= L - epsilon2, naive -| \u72b6
    """
    return "".join(_in_ascii(character) for character in text)


def _in_ascii(character: str) -> str:
    if character.isascii():
        return character
    if character in _IN_ASCII:
        return _IN_ASCII[character]
    if character.lower() in _IN_ASCII and not unicodedata.name(character, "").startswith("GREEK"):
        return _IN_ASCII[character.lower()].capitalize()
    name = unicodedata.name(character, "?")
    if name.startswith("BOX DRAWINGS"):
        return {"HORIZONTAL": "-", "VERTICAL": "|"}.get(name.split()[-1] if name.count(" ") == 3 else "", "+")
    *kind, name = name.split()
    if kind == ["GREEK", "SMALL", "LETTER"]:
        return name.lower()
    if kind == ["GREEK", "CAPITAL", "LETTER"]:
        return name.capitalize()
    parts = unicodedata.normalize("NFKD", character)
    plain = "".join(_IN_ASCII.get(part, part) for part in parts).encode("ascii", "ignore").decode()
    return plain or ("" if unicodedata.combining(character) else ascii(character)[1:-1])


def _replaced(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return in_ascii(error.object[error.start : error.end]), error.end


codecs.register_error(_HANDLER, _replaced)


@contextlib.contextmanager
def ascii_where_needed() -> Iterator[None]:
    """While the block runs, a character that the encoding of stdout or stderr lacks is replaced by ASCII ones."""
    changed: list[tuple[Any, Any]] = []
    streams: tuple[Any, ...] = (sys.stdout, sys.stderr)
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            changed.append((stream, stream.errors))
            stream.reconfigure(errors=_HANDLER)
    try:
        yield
    finally:
        for stream, errors in changed:
            with contextlib.suppress(ValueError, OSError):  # one that was closed meanwhile, or that is full
                stream.reconfigure(errors=errors)


def expect_open(stream: Stream | None) -> Stream:
    """Stdout, unless it is closed.

    Raises:
        InvalidInput: if it is closed.
    """
    if stream is None:
        raise InvalidInput(
            got="a closed stdout", wanted="one that is open", fix="redirect it to a file, or to /dev/null"
        )
    return stream


def surroundings(error: BaseException) -> InvalidInput:
    """What a fault of the operating system comes to in one message: a full disk, a closed pipe, a name that is too long."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    name = getattr(error, "filename", None)
    if name is not None:
        short = str(name) if len(str(name)) <= 80 else f"{str(name)[:77]}..."
        return InvalidInput(
            got=f"the path {short!r} that cannot be used ({reason})",
            wanted="a path that can be read or written",
            fix="check its name, its permissions, and the space there",
        )
    return InvalidInput(
        got=f"an output that cannot be written ({reason})",
        wanted="a stdout that is open, and has room",
        fix="redirect it to a file on a disk with space, or read all of it",
    )


def broken_pipe(stop: SystemExit) -> OSError | None:
    """The error that made a library of tables or options give up with sys.exit(1); None if there was none."""
    error = stop.__context__
    return error if isinstance(error, OSError) else None


def discard(stream: WithDescriptor) -> None:
    """What is left in the stream's buffer goes nowhere, so that Python does not fail on it when it ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
