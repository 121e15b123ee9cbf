"""Fully observed MDPs in Cassandra's text format (.POMDP, .MDP)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.errors import InvalidInput
from trpo_theory.io._declared import Written, expect_every_row, expect_observed
from trpo_theory.io._rows import assemble, check_size, densified
from trpo_theory.io._rules import ANY, Rules
from trpo_theory.io._source import existing_file, in_file, read_text
from trpo_theory.io._words import KEYWORDS, Words, is_number
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.types import PathLike, RealLike

_MAX_COUNT = 10**7
"""States, actions or observations of a file; chosen: a million-state file is real, more is a typing error."""


def read_cassandra(path: PathLike, gamma: RealLike | None = None) -> FiniteMDP:
    """The MDP in a file of Cassandra's format, with or without observations; it must be fully observed.

    Preamble: discount, values (reward or cost), states, actions, observations; then `start:`; then rules
    T: a : s : s' p,  O: a : s' : o p,  R: a : s : s' : o r (without observations R: a : s : s' r), each also by rows and
    matrices, with `uniform`, `identity`, `reset` and the wildcard *; a later rule overrides an earlier one.
    r(s,a) = E[R(a,s,s')], negated for `values: cost`.
    Observations are accepted only if there are as many as states and O is the identity.

    Source: A. R. Cassandra, "POMDP File Format", pomdp.org.

    Args:
        path: the file, of any suffix.
        gamma: a discount; it overrides the file's, and is needed if the file has none.

    Returns:
        The MDP, with the names of states and actions as labels; sparse where S·A·S exceeds 2·10⁷.

    Raises:
        InvalidInput: naming the file and the line; also for a partially observed model.
    """
    return read_written(path, gamma)[0]


def read_written(path: PathLike, gamma: RealLike | None = None) -> tuple[FiniteMDP, Written | None]:
    """As `read_cassandra`, with what the file says before anything is rounded."""
    path = existing_file(path, (), "an MDP in Cassandra's format")
    if gamma is not None:
        gamma = _checks.discount_or_one(gamma)
    with in_file(path.name):
        reader = _Reader(Words(read_text(path, "an MDP in Cassandra's format")))
        return reader.mdp(gamma), reader.written


class _Reader:
    """A file in reading: what its statements have declared so far."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.names: dict[str, dict[str, int]] = {}
        self.sizes: dict[str, int] = {}
        self.said: set[str] = set()
        self.discount: float | None = None
        self.sign = 1.0
        self.initial: list[float] | None = None
        self.rules: dict[str, Rules] = {}
        self.written: Written | None = None

    def mdp(self, gamma: Any) -> FiniteMDP:
        """Read all statements, then build the MDP."""
        statements: dict[str, Callable[[], None]] = {
            "discount": self._discount,
            "values": self._values,
            "states": lambda: self._things("states"),
            "actions": lambda: self._things("actions"),
            "observations": lambda: self._things("observations"),
            "start": self._start,
            "T": self._transition,
            "O": self._observation,
            "R": self._reward,
        }
        while self.words.left():
            word = self.words.next("a statement")
            if word not in statements:
                self.words.refuse(repr(word[:60]), "a statement: " + ", ".join(f"{key}:" for key in KEYWORDS))
            if word in ("T", "O", "R"):
                self._open_rules()
            elif word in self.said or self.rules:
                self.words.refuse(f"{word}: a second time or after T, O or R", f"{word}: once, before the rules")
            self.said.add(word)
            if word != "start":
                self.words.colon()
            statements[word]()
        self._open_rules()
        return self._built(self.discount if gamma is None else gamma)

    def _built(self, gamma: Any) -> FiniteMDP:
        if gamma is None:
            raise InvalidInput(
                got="no discount:", wanted="a discount", fix="add discount: 0.95, or pass gamma=0.99 (--gamma 0.99)"
            )
        if "observations" in self.sizes:
            expect_observed(self.rules["O"], **self.sizes)
        states, actions = self.sizes["states"], self.sizes["actions"]
        action, state, successor, probability = self.rules["T"].support()
        reward = self.sign * self.rules["R"].at(action, state, successor)
        row = state * actions + action
        expect_every_row(row, self.names, states, actions)
        matrix, mean, _ = assemble(row, successor, probability, reward, states, actions)
        self.written = Written((states, actions), (state, action, successor), probability, reward, self.initial)
        labels = {kind: list(self.names[kind]) or None for kind in ("states", "actions")}
        return FiniteMDP(
            densified(matrix, states, actions),
            mean,
            gamma,
            self.initial,
            state_labels=labels["states"],
            action_labels=labels["actions"],
        )

    def _index(self, kind: str) -> int:
        word = self.words.next(f"one of the {kind}")
        if word == "*":
            return ANY
        if word in self.names[kind]:
            return self.names[kind][word]
        if word.isascii() and word.isdigit() and len(word) < 12 and int(word) < self.sizes[kind]:
            return int(word)
        known = list(self.names[kind])[:1000]
        fix = _checks.near_matches(word[:60], known) if known else f"count from 0 to {self.sizes[kind] - 1}"
        self.words.refuse(repr(word[:60]), f"one of the {self.sizes[kind]} {kind}, by name or number from 0", fix)

    # Preamble

    def _discount(self) -> None:
        self.discount = self.words.number()

    def _values(self) -> None:
        word = self.words.next("reward or cost")
        if word.removesuffix("s") not in ("reward", "cost"):
            self.words.refuse(repr(word[:60]), "values: reward or values: cost")
        self.sign = -1.0 if word.startswith("cost") else 1.0

    def _things(self, kind: str) -> None:
        words = self.words.until_statement()
        if len(words) == 1 and words[0].isascii() and words[0].isdigit():
            count, names = int(words[0][:18]), {}
        else:
            count, names = len(words), {word: index for index, word in enumerate(words)}
        odd = [word for word in names if word in ("*", ":") or is_number(word)]
        if odd or (names and len(names) < count):
            self.words.refuse(f"{odd[0][:60]!r} as a name" if odd else f"a name twice in {kind}:", "distinct names")
        if not 1 <= count <= _MAX_COUNT:
            self.words.refuse(f"{count:.6g} {kind}", f"between 1 and {_MAX_COUNT:.0e}")
        self.sizes[kind], self.names[kind] = count, names

    def _start(self) -> None:
        if "states" not in self.sizes:
            self.words.refuse("start: before states:", "states: first", "move start: down")
        states = self.sizes["states"]
        choice = self.words.next("include, exclude or a colon")
        if choice != ":":
            if choice not in ("include", "exclude"):
                self.words.refuse(repr(choice[:60]), "start:, start include: or start exclude:")
            self.words.colon()
            listed = self._listed_states()
            self.initial = self._uniform(listed if choice == "include" else ~listed)
        elif self.words.passes("uniform"):
            self.initial = [1.0 / states] * states
        elif states == 1 and is_number(self.words.peek()):
            self._sure_start()
        elif is_number(self.words.peek()) and is_number(self.words.peek(1)):
            self.initial = self.words.numbers(states, 0.0, 1.0)
        else:
            self.initial = self._uniform(self._listed_states())

    def _listed_states(self) -> np.ndarray:
        """Which states are named up to the next statement."""
        first, count = self.words.place, len(self.words.until_statement())
        self.words.place = first
        listed = np.zeros(self.sizes["states"], dtype=bool)
        listed[[self._state() for _ in range(count)]] = True
        return listed

    def _sure_start(self) -> None:
        """The start in the only state: its number, 0, or its probability, 1."""
        if self.words.number(0.0, 1.0) not in (0.0, 1.0):
            self.words.refuse("a start in the only state", "its number, 0, or its probability, 1", "write start: 0")
        self.initial = [1.0]

    def _state(self) -> int:
        index = self._index("states")
        if index == ANY:
            self.words.refuse("'*' in start", "a state")
        return index

    def _uniform(self, listed: np.ndarray) -> list[float]:
        if not listed.any():
            self.words.refuse("a start without states", "at least one state to start from")
        return (listed / listed.sum()).tolist()

    # Rules

    def _open_rules(self) -> None:
        if self.rules:
            return
        missing = [kind for kind in ("states", "actions") if kind not in self.sizes]
        if missing:
            self.words.refuse(
                f"no {missing[0]}:", "discount:, values:, states: and actions: before the rules", "add it"
            )
        states, actions = self.sizes["states"], self.sizes["actions"]
        check_size(states, actions)
        seen = self.sizes.get("observations", 1)
        self.rules = {
            "T": Rules((actions, states, states), "T"),
            "O": Rules((actions, states, seen), "O"),
            "R": Rules((actions, states, states), "R"),
        }

    def _transition(self) -> None:
        self._distribution(self.rules["T"], "states")

    def _observation(self) -> None:
        if "observations" not in self.sizes:
            self.words.refuse("O: in a file without observations:", "observations: in the preamble")
        self._distribution(self.rules["O"], "observations")

    def _distribution(self, rules: Rules, kind: str) -> None:
        action, size = self._index("actions"), self.sizes[kind]
        state = self._index("states") if (has_state := self.words.passes(":")) else ANY
        if has_state and self.words.passes(":"):
            successor = self._index(kind)
            self.words.passes(":")  # some writers have T: a : s : s' : p
            rules.add(action, state, successor, self.words.number(0.0, 1.0))
        elif self.words.passes("uniform"):
            rules.add(action, state, ANY, 1.0 / size)
        elif not has_state and size == self.sizes["states"] and self.words.passes("identity"):
            rules.add_identity(action)
        elif kind == "states" and self.words.passes("reset"):
            rules.add_row(action, state, self.initial or [1.0 / size] * size)
        else:
            for row in [state] if has_state else range(self.sizes["states"]):
                rules.add_row(action, row, self.words.numbers(size, 0.0, 1.0))

    def _reward(self) -> None:
        rules, states = self.rules["R"], self.sizes["states"]
        seen = self.sizes.get("observations")
        action = self._index("actions")
        state = self._index("states") if (has_state := self.words.passes(":")) else ANY
        successor = self._index("states") if has_state and (has_successor := self.words.passes(":")) else ANY
        has_successor = has_state and has_successor
        if has_successor and self.words.passes(":"):
            self._reward_when_seen(action, state, successor)
        elif seen is None:
            if has_successor:
                rules.add(action, state, successor, self.words.number())
            else:
                for row in [state] if has_state else range(states):
                    rules.add_row(action, row, self.words.numbers(states))
        elif has_successor:
            values = self.words.numbers(seen)
            if seen == states:
                self._diagonal(action, state, successor, values)
        elif has_state:
            for row in range(states):
                values = self.words.numbers(seen)
                if seen == states:
                    rules.add(action, state, row, values[row])
        else:
            self.words.refuse("R: with an action alone", "R: a : s, and a matrix of successors by observations")

    def _reward_when_seen(self, action: int, state: int, successor: int) -> None:
        """A rule R: a : s : s' : o r, of which only o = s' matters, since states are observed."""
        if "observations" in self.sizes:
            seen = self._index("observations")
            self.words.passes(":")
        elif is_number(self.words.peek()) and not is_number(self.words.peek(1)):
            seen = ANY  # R: a : s : s' : r
        elif self.words.next("*") != "*":
            self.words.refuse(
                "an observation in a file without observations:",
                "R: a : s : s' r",
                "leave it out, with the expected reward over observations where they differ",
            )
        else:
            seen = ANY
        value = self.words.number()
        if seen == ANY or successor in (ANY, seen):
            self.rules["R"].add(action, state, seen if successor == ANY else successor, value)

    def _diagonal(self, action: int, state: int, successor: int, values: list[float]) -> None:
        if successor == ANY:
            self.rules["R"].add_row(action, state, values)
        else:
            self.rules["R"].add(action, state, successor, values[successor])
