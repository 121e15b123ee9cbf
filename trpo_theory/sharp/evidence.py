"""Evidence for both ends of a sharp gap: the fields of their files, and the sentences that they prove.

Gamma and the radius are rationals; a float is the decimal that it is written as: 0.9 is 9/10, and so is the theorem's.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from trpo_theory._outward import Toward
from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.io._sparse import SPARSE_KEYS
from trpo_theory.io.evidence_files import (
    Fields,
    ReadFields,
    evidence_fields,
    exact_content,
    number_text,
    outward,
    rounded,
    sentence_text,
)
from trpo_theory.numerics.ball import rationals
from trpo_theory.sharp.divergences import BY_NAME, DIVERGENCES
from trpo_theory.sharp.normaliser import Normaliser
from trpo_theory.sharp.prove_lower import enclosed_gap
from trpo_theory.sharp.prove_upper import KIND, check_supersolution
from trpo_theory.sharp.witness import SharpWitness
from trpo_theory.sharp.witness_fields import ARRAYS, check_that_it_ends, transition_of_fields, witness_arrays

LOWER, UPPER = "sharp-lower", "sharp-upper"
"""The kinds of the two ends."""
SOURCE = 'docs/theory.md, "The sharp gap"'
_SUPREMUM = r"G(\gamma, D) = \sup \frac{L_\pi(\tilde\pi) - \eta(\tilde\pi)}{\epsilon}"
_SUPERSOLUTION = ("slope", "nodes", "w", "price", "mu", "nu")


@dataclass(frozen=True)
class ProvedEnd:
    """A bound on the sharp gap at one discount and radius, proved.

    Attributes:
        divergence, normaliser: as `sharp_gap` takes them.
        gamma, radius: exactly.
        lower, upper: ends of the witness's gap over ε; of the gap itself, 0 and the bound, where no witness is given.
        states: of the witness; 0 for an upper bound, which is on all finite MDPs.
        available: the actions of the witness that old or new takes, over which ε is taken; () for an upper bound.
        checks: how many inequalities prove an upper bound.
        horizon: after how many steps the MDPs end; None where they need not.
    """

    divergence: str
    normaliser: str
    gamma: Fraction
    radius: Fraction
    lower: Fraction
    upper: Fraction
    states: int = 0
    available: tuple[tuple[bool, ...], ...] = ()
    checks: int = 0
    horizon: int | None = None

    @property
    def theorem(self) -> str:
        """The sentence."""
        gamma, radius = sentence_text(self.gamma), sentence_text(self.radius)
        ends = "" if self.horizon is None else f" that ends after {self.horizon} steps"
        within, epsilon = f"{_distance(self.divergence)} <= {radius}", Normaliser(self.normaliser).words
        if not self.states:
            return (
                f"for every finite MDP{ends} with gamma = {gamma} and {within}: "
                f"L_old(new) - eta(new) <= {number_text(self.upper)} {epsilon}"
            )
        return (
            f"there is a finite MDP{ends}, the one of this file with {self.states} states and the actions that old or new takes, "
            f"with gamma = {gamma}, {within} and L_old(new) - eta(new) >= {number_text(self.lower)} {epsilon}"
        )

    @property
    def words(self) -> dict[str, str]:
        """The fields of the head that are not numbers."""
        statement = rf"{_SUPREMUM},\ \epsilon = {Normaliser(self.normaliser).latex}"
        return {"statement": statement, "theorem": self.theorem, "source": SOURCE}


def lower_evidence(
    divergence: str,
    normaliser: str,
    gamma: Fraction,
    radius: Fraction,
    witness: SharpWitness,
    horizon: int | None = None,
) -> Fields:
    """The fields of a sharp-lower file: the witness, an MDP that `trpo-theory bound FILE --old old --new new` reads.

    Raises:
        NotSolved: where the witness is not proved to be within the radius.
    """
    content = {
        "divergence": divergence,
        "normaliser": normaliser,
        "gamma": number_text(gamma),
        "radius": number_text(radius),
        **({} if horizon is None else {"horizon": horizon}),
        **witness_arrays(witness),
        "available": (witness.old > 0) | (witness.new > 0),
    }
    proved = prove_lower_end(content)
    return evidence_fields(LOWER, **proved.words, enclosure=(proved.lower, proved.upper), content=content)


def prove_lower_end(fields: ReadFields) -> ProvedEnd:
    """The witness's gap over ε, enclosed from the fields alone; actions that neither policy takes are not part of the MDP.

    Raises:
        InvalidInput: for fields that are no such file.
        NotSolved: where the witness is not proved to be within the radius, or its ε not to be positive.
    """
    divergence, normaliser = _named(fields)
    gamma, radius = rationals.discount(fields.get("gamma")), rationals.amount(fields.get("radius"), "radius")
    arrays: Fields = {name: fields.get(name) for name in (*ARRAYS, "transition", *SPARSE_KEYS) if name in fields}
    lower, upper = witness_ratio(divergence, normaliser, gamma, radius, arrays)
    ends = rounded(lower, Toward.DOWN), rounded(upper, Toward.UP)
    old, new = (rationals.fractions(exact_content(arrays[name]), name) for name in ("old", "new"))
    taken = tuple(tuple(bool(entry) for entry in row) for row in (old != 0) | (new != 0))
    horizon = fields.get("horizon")
    if horizon is not None:
        check_that_it_ends(
            transition_of_fields(arrays), rationals.fractions(exact_content(arrays["reward"]), "reward"), taken, fields
        )
    return ProvedEnd(divergence, normaliser, gamma, radius, *ends, states=len(taken), available=taken, horizon=horizon)


def witness_ratio(
    divergence: str, normaliser: str, gamma: Fraction, radius: Fraction, arrays: ReadFields
) -> tuple[Fraction, Fraction]:
    """Two ends of (L − η(new))/ε of a witness, which is proved to be within the radius; floats are decimals.

    Raises:
        NotSolved: where it is not, or where its ε is not proved to be positive.
    """
    reward, initial, old, new = (rationals.fractions(exact_content(arrays.get(name)), name) for name in ARRAYS)
    step = enclosed_gap(transition_of_fields(arrays), reward, gamma, initial, old, new, divergences=[divergence])
    spent, size = step.divergences[divergence], step.normalisers[Normaliser(normaliser)]
    if not spent[1] <= radius:
        raise NotSolved(
            f"got a witness whose {divergence} is at most {spent[1]:.17g}; wanted {float(radius):.17g}; "
            "fix: leave out the proof, for ends in floats, or pass another width"
        )
    if not size[0] > 0:
        raise NotSolved(
            "got a witness without advantages; wanted a positive epsilon; fix: leave out the proof, or "
            "pass another width"
        )
    if not np.isfinite([*step.gap, *size]).all():
        raise NotSolved(
            "got a witness whose gap or epsilon is beyond floats; wanted finite ones; fix: scale its rewards"
        )
    return -Fraction(step.gap[1]) / Fraction(size[1]), -Fraction(step.gap[0]) / Fraction(size[0])


def upper_evidence(divergence: str, normaliser: str, proof: ReadFields) -> Fields:
    """The fields of a sharp-upper file, from the proof object of a supersolution.

    Raises:
        NotSolved: if an inequality is not proved.
    """
    content = {
        "divergence": divergence,
        "normaliser": normaliser,
        "gamma": number_text(proof["gamma"]),
        "radius": number_text(proof["radius"]),
        **{name: proof[name] for name in _proof_names(proof)},
    }
    proved = prove_upper_end(content)
    return evidence_fields(UPPER, **proved.words, enclosure=(proved.lower, proved.upper), content=content)


def _proof_names(fields: ReadFields) -> tuple[str, ...]:
    return _SUPERSOLUTION if fields.get("horizon") is None else ("horizon", "steps")


def prove_upper_end(fields: ReadFields) -> ProvedEnd:
    """The bound that the supersolution of the fields proves, on all finite MDPs.

    Raises:
        InvalidInput: for fields that are no such file.
        NotSolved: if an inequality is not proved.
    """
    divergence, normaliser = _named(fields)
    reduced = DIVERGENCES[divergence]
    numbers = {name: fields.get(name) for name in ("gamma", "radius", *_proof_names(fields))}
    kind = {"kind": KIND, "divergence": reduced.divergence.name, "mean": reduced.reduction.mean}
    return _proved_upper(divergence, kind | {"normaliser": normaliser} | numbers)


def prove_earlier_supersolution(fields: ReadFields) -> ProvedEnd:
    """The bound of a file of kind "sharp-gap/supersolution", which earlier versions wrote.

    Raises:
        InvalidInput: for fields that are no such file.
        NotSolved: if an inequality is not proved.
    """
    generator, mean = fields.get("divergence"), fields.get("mean")
    names = [
        name for name, one in DIVERGENCES.items() if (one.divergence.name, one.reduction.mean) == (generator, mean)
    ]
    name = names[0] if names else f"{'mean' if mean else 'max'}-{generator}"
    return _proved_upper(name, fields)


def _proved_upper(divergence: str, proof: ReadFields) -> ProvedEnd:
    found = check_supersolution(proof)
    horizon = proof.get("horizon")
    gamma = rationals.discount(proof.get("gamma")) if horizon is None else rationals.number(proof.get("gamma"), "gamma")
    radius = rationals.amount(proof.get("radius"), "radius")
    upper = outward(found.bound, found.bound)[1]
    name = found.normaliser.value
    return ProvedEnd(divergence, name, gamma, radius, Fraction(0), upper, checks=found.checks, horizon=horizon)


def _named(fields: ReadFields) -> tuple[str, str]:
    """The divergence and the normaliser of a file."""
    names = {"divergence": tuple(DIVERGENCES), "normaliser": tuple(one.value for one in Normaliser)}
    for name, known in names.items():
        if not isinstance(fields.get(name), str) or fields[name] not in known:
            raise InvalidInput(
                got=f"{name} = {rationals.shown(fields.get(name))}",
                wanted=f"one of {', '.join(known)}",
                fix=f"change {name}",
            )
    return fields["divergence"], fields["normaliser"]


def _distance(divergence: str) -> str:
    """The divergence in a sentence: "reverse-max-kl" is max-KL(new, old)."""
    if divergence in DIVERGENCES:
        reduced = DIVERGENCES[divergence]
        return f"{'mean' if reduced.reduction.mean else 'max'}-{reduced.divergence.notation}"
    reduction, _, generator = divergence.partition("-")  # of an earlier file, with a reduction that is not offered
    return f"{reduction}-{BY_NAME[generator].notation}"
