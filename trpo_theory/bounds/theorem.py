"""`Theorem`: where a claim of the catalogue is proved on paper."""

from __future__ import annotations

from dataclasses import dataclass

from trpo_theory.errors import InvalidInput

DOCUMENT = "docs/theory.md"
"""The document whose sections prove the claims of the catalogue."""

FORMAL = "formal"
"""The folder of the machine-checked proofs."""


@dataclass(frozen=True)
class Theorem:
    """The proof on paper of a claim, as it is stated and for all that its hypotheses allow.

    Args:
        section: the heading in docs/theory.md under which it is proved, word for word, such as "Constants".
        follows: ids of claims of the catalogue that it follows from, each of which is itself proved.
        because: the step from those claims to this one, such as "TV² ≤ KL/2 (Pinsker)".
        formal: the machine-checked theorem: "chi_square.chi2_advantage" is chi2_advantage of formal/chi_square.v.
        formal_for: what the machine-checked statement is about, where that is less than the claim: "gamma >= 1/4".

    Raises:
        InvalidInput: where neither a section nor a claim is named, or what it follows from is named without the step.

    >>> Theorem("Constants").by
    'docs/theory.md, "Constants"'
    >>> Theorem(follows=("trpo/tv",), because="TV² ≤ KL").by
    'follows from trpo/tv: TV² ≤ KL'
    >>> Theorem("Coupling", formal="total_variation.coupling_tv").formal_place
    'formal/total_variation.v, coupling_tv'
    """

    section: str = ""
    follows: tuple[str, ...] = ()
    because: str = ""
    formal: str = ""
    formal_for: str = ""

    def __post_init__(self) -> None:
        if not self.section and not (self.follows and self.because):
            raise InvalidInput(
                got=f"{self!r}",
                wanted="the section that has the proof, or the claims that it follows from and why",
                fix='write Theorem("Constants"), or Theorem(follows=("trpo/tv",), because="TV² ≤ KL/2")',
            )

    @property
    def by(self) -> str:
        """What a reader looks up, as a phrase."""
        section = f'{DOCUMENT}, "{self.section}"' if self.section else ""
        if not self.follows:
            return section
        because = f": {self.because}" if self.because else ""
        return f"follows from {' and '.join(self.follows)}{because}" + (f" ({section})" if section else "")

    @property
    def machine_checked(self) -> str:
        """Whether a proof assistant checked it, and how much of it, as a phrase; empty where none did."""
        return f"machine-checked{self.formal_for and f' for {self.formal_for}'}" if self.formal else ""

    @property
    def formal_place(self) -> str:
        """Where the machine-checked theorem is; empty where there is none."""
        file, _, name = self.formal.partition(".")
        return f"{FORMAL}/{file}.v, {name}" if self.formal else ""
