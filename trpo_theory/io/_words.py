"""A tokenizer for Cassandra's format: words and colons in order, each with its line for messages."""

from __future__ import annotations

import re
from array import array
from typing import NoReturn

import numpy as np

from trpo_theory.errors import InvalidInput

KEYWORDS = ("discount", "values", "states", "actions", "observations", "start", "T", "O", "R")

_WORD = re.compile(r":|[^\s:]+")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


class Words:
    """The words and colons of a text, without comments, and a position among them."""

    def __init__(self, text: str) -> None:
        self._words: list[str] = []
        self._lines = array("l")
        for number, line in enumerate(text.split("\n"), 1):
            found = _WORD.findall(line.partition("#")[0])
            self._words += found
            self._lines.extend([number] * len(found))
        self.place = 0

    def refuse(self, got: str, wanted: str, fix: str = "correct that line") -> NoReturn:
        """Raise `InvalidInput` about the line of the word read last."""
        at = max(0, min(self.place, len(self._words)) - 1)
        line = self._lines[at] if self._words else 1
        raise InvalidInput(got=f"{got} on line {line}", wanted=wanted, fix=fix)

    def left(self) -> int:
        """How many words are still to be read."""
        return len(self._words) - self.place

    def next(self, wanted: str) -> str:
        """Read a word."""
        if not self.left():
            self.refuse("the end of the file", wanted, "write the rest of the file")
        self.place += 1
        return self._words[self.place - 1]

    def peek(self, ahead: int = 0) -> str:
        """The word `ahead` places further on, without reading it; empty past the end."""
        return self._words[self.place + ahead] if ahead < self.left() else ""

    def passes(self, word: str) -> bool:
        """Whether `word` comes next; if so it is read."""
        found = self.peek() == word
        self.place += found
        return found

    def colon(self) -> None:
        """Read a colon."""
        if (word := self.next("a colon")) != ":":
            self.refuse(repr(word[:60]), "a colon")

    def number(self, low: float = -np.inf, high: float = np.inf) -> float:
        """Read a number in [low, high]."""
        word = self.next("a number")
        if word in ("+", "-"):
            word += self.next("a number")
        value = float(word) if is_number(word) else np.nan
        if not (np.isfinite(value) and low <= value <= high):
            wanted = "a probability in [0, 1]" if high == 1 else "a finite number"
            self.refuse(repr(word[:60]), wanted, "correct that number, or look for one too many or too few before it")
        return value

    def numbers(self, count: int, low: float = -np.inf, high: float = np.inf) -> list[float]:
        """Read `count` numbers in [low, high]."""
        if count > self.left():
            self.refuse(f"only {self.left()} words to the end of the file", f"{count} numbers")
        return [self.number(low, high) for _ in range(count)]

    def until_statement(self) -> list[str]:
        """Read the words up to the next statement."""
        first = self.place
        while self.left() and not self._at_statement():
            self.place += 1
        return self._words[first : self.place]

    def _at_statement(self) -> bool:
        word = self.peek()
        return word in KEYWORDS and (self.peek(1) == ":" or (word == "start" and self.peek(2) == ":"))


def is_number(word: str) -> bool:
    """Whether a word is a number."""
    return _NUMBER.fullmatch(word) is not None
