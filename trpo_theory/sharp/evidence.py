"""Evidence for both ends of a sharp gap: the fields of their files, and the sentences that they prove.

Gamma and the radius are rationals; a float is the decimal that it is written as: 0.9 is 9/10, and so is the theorem's.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from trpo_theory._outward import Toward
from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.io._sparse import SPARSE_KEYS, transition_of
from trpo_theory.io.evidence_files import (
    Fields,
    ReadFields,
    evidence_fields,
    exact_content,
    exact_rows,
    number_text,
    outward,
    rounded,
    sentence_text,
)
from trpo_theory.numerics.ball import rationals
from trpo_theory.sharp.divergences import BY_NAME, DIVERGENCES
from trpo_theory.sharp.normaliser import Normaliser
from trpo_theory.sharp.prove_lower import SparseRows, enclosed_gap, successors
from trpo_theory.sharp.prove_upper import KIND, check_supersolution
from trpo_theory.sharp.witness import SharpWitness

LOWER, UPPER = "sharp-lower", "sharp-upper"
"""The kinds of the two ends."""
SOURCE = 'docs/theory.md, "The sharp gap"'
_SUPREMUM = r"G(\gamma, D) = \sup \frac{L_\pi(\tilde\pi) - \eta(\tilde\pi)}{\epsilon}"
_EPSILONS = {"max": "max|A_old|", "expected": "max_s |sum_a new(a|s) A_old(s, a)|"}
_LATEX_EPSILONS = {"max": r"\max|A_\pi|", "expected": r"\max_s|\bar A(s)|"}
_SUPERSOLUTION = ("slope", "nodes", "w", "price", "mu", "nu")
_ARRAYS = ("reward", "initial", "old", "new")


Taken: TypeAlias = tuple[tuple[bool, ...], ...]
"""Whether old or new takes an action, by states."""


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
        within, epsilon = f"{_distance(self.divergence)} <= {radius}", _EPSILONS[self.normaliser]
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
        statement = rf"{_SUPREMUM},\ \epsilon = {_LATEX_EPSILONS[self.normaliser]}"
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


def witness_arrays(witness: SharpWitness) -> Fields:
    """Transition, reward, initial, old and new as a file has them: rows of probabilities sum to one exactly."""
    mdp, used = witness.mdp, (witness.old > 0) | (witness.new > 0)
    rows = {"initial": mdp.initial, "old": witness.old, "new": witness.new}
    arrays: Fields = {"reward": mdp.reward} | {name: exact_rows(array) for name, array in rows.items()}
    if not mdp.is_sparse:
        return {"transition": exact_rows(mdp.transition, used)} | arrays
    matrix = mdp.transition
    parts = (matrix.data, matrix.indices, matrix.indptr, np.array(matrix.shape))  # of deterministic actions
    return dict(zip(SPARSE_KEYS, parts, strict=True)) | arrays


def prove_lower_end(fields: ReadFields) -> ProvedEnd:
    """The witness's gap over ε, enclosed from the fields alone; actions that neither policy takes are not part of the MDP.

    Raises:
        InvalidInput: for fields that are no such file.
        NotSolved: where the witness is not proved to be within the radius, or its ε not to be positive.
    """
    divergence, normaliser = _named(fields)
    gamma, radius = rationals.discount(fields.get("gamma")), rationals.amount(fields.get("radius"), "radius")
    arrays: Fields = {name: fields.get(name) for name in (*_ARRAYS, "transition", *SPARSE_KEYS) if name in fields}
    lower, upper = witness_ratio(divergence, normaliser, gamma, radius, arrays)
    ends = rounded(lower, Toward.DOWN), rounded(upper, Toward.UP)
    old, new = (rationals.fractions(exact_content(arrays[name]), name) for name in ("old", "new"))
    taken = tuple(tuple(bool(entry) for entry in row) for row in (old != 0) | (new != 0))
    horizon = fields.get("horizon")
    if horizon is not None:
        _check_that_it_ends(
            _transition(arrays), rationals.fractions(exact_content(arrays["reward"]), "reward"), taken, fields
        )
    return ProvedEnd(divergence, normaliser, gamma, radius, *ends, states=len(taken), available=taken, horizon=horizon)


def _check_that_it_ends(
    transition: np.ndarray | SparseRows, reward: np.ndarray, taken: Taken, fields: ReadFields
) -> None:
    """Whether after `horizon` steps every path is where all that old or new does leads back and earns nothing.

    Raises:
        InvalidInput: for a horizon that is no positive integer.
        NotSolved: where it is not.
    """
    horizon = fields["horizon"]
    if not isinstance(horizon, int) or isinstance(horizon, bool) or horizon < 1:
        raise InvalidInput(
            got=f"horizon = {rationals.shown(horizon)}", wanted="a positive integer", fix="correct the file"
        )
    initial = rationals.fractions(exact_content(fields["initial"]), "initial")
    used = [[a for a, yes in enumerate(row) if yes] for row in taken]
    leads: list[set[int]] = []
    for s, acts in enumerate(used):
        leads.append(set().union(*(successors(transition, s, a, len(taken[s])) for a in acts)))
    here = {int(s) for s in np.flatnonzero(initial != 0)}
    for _ in range(horizon):
        here = set().union(*(leads[s] for s in here))
    if not all(leads[s] == {s} and all(reward[s, a] == 0 for a in used[s]) for s in here):
        raise NotSolved(
            f"got an MDP that does not end after {horizon} steps; wanted states of reward 0 that lead to themselves; "
            "fix: correct the horizon"
        )


def witness_ratio(
    divergence: str, normaliser: str, gamma: Fraction, radius: Fraction, arrays: ReadFields
) -> tuple[Fraction, Fraction]:
    """Two ends of (L − η(new))/ε of a witness, which is proved to be within the radius; floats are decimals.

    Raises:
        NotSolved: where it is not, or where its ε is not proved to be positive.
    """
    reward, initial, old, new = (rationals.fractions(exact_content(arrays.get(name)), name) for name in _ARRAYS)
    step = enclosed_gap(_transition(arrays), reward, gamma, initial, old, new)
    spent, size = step.divergences[divergence], step.normalisers[Normaliser(normaliser)]
    if not spent[1] <= radius:
        raise NotSolved(
            f"got a witness whose {divergence} is at most {spent[1]:.17g}; wanted {float(radius):.17g}; "
            "fix: use another number of nodes"
        )
    if not size[0] > 0:
        raise NotSolved("got a witness without advantages; wanted a positive epsilon; fix: use another number of nodes")
    if not np.isfinite([*step.gap, *size]).all():
        raise NotSolved(
            "got a witness whose gap or epsilon is beyond floats; wanted finite ones; fix: scale its rewards"
        )
    return -Fraction(step.gap[1]) / Fraction(size[1]), -Fraction(step.gap[0]) / Fraction(size[0])


def _transition(arrays: ReadFields) -> np.ndarray | SparseRows:
    """Of a file: dense, or sparse, its numbers as they are written; rows of a sparse one sum to one exactly, or are padding."""
    if "transition" in arrays:
        if any(key in arrays for key in SPARSE_KEYS):
            raise InvalidInput(
                got="a dense transition and a sparse one", wanted="one of the two", fix="delete one of them"
            )
        return rationals.fractions(exact_content(arrays["transition"]), "transition")
    if missing := [key for key in SPARSE_KEYS if key not in arrays]:
        raise InvalidInput(got=f"no {', '.join(missing)}", wanted="transition, or its sparse parts", fix="add them")
    matrix = transition_of(arrays)  # checks the parts against each other
    data = rationals.fractions(exact_content(arrays[SPARSE_KEYS[0]]), SPARSE_KEYS[0])
    for row, (first, last) in enumerate(pairwise(matrix.indptr.tolist())):
        total = sum(data[first:last].tolist(), Fraction(0))
        if total not in (0, 1):
            raise InvalidInput(
                got=f"row {row} of the sparse transition, which sums to {number_text(total)}",
                wanted="probabilities that sum to 1 exactly, as the decimals or rationals that they are written as",
                fix="write the file again with this version, or correct the row",
            )
    return SparseRows(data, matrix.indices, matrix.indptr, matrix.shape)


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
    kind |= {"expected": Normaliser(normaliser) is Normaliser.EXPECTED}
    return _proved_upper(divergence, normaliser, kind | numbers)


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
    return _proved_upper(name, "expected" if fields.get("expected") is True else "max", fields)


def _proved_upper(divergence: str, normaliser: str, proof: ReadFields) -> ProvedEnd:
    found = check_supersolution(proof)
    horizon = proof.get("horizon")
    gamma = rationals.discount(proof.get("gamma")) if horizon is None else rationals.number(proof.get("gamma"), "gamma")
    radius = rationals.amount(proof.get("radius"), "radius")
    upper = outward(found.bound, found.bound)[1]
    return ProvedEnd(divergence, normaliser, gamma, radius, Fraction(0), upper, checks=found.checks, horizon=horizon)


def _named(fields: ReadFields) -> tuple[str, str]:
    """The divergence and the normaliser of a file."""
    names = {"divergence": tuple(DIVERGENCES), "normaliser": tuple(one.value for one in Normaliser)}
    for name, known in names.items():
        if not isinstance(fields.get(name), str) or fields[name] not in known:
            raise InvalidInput(
                got=f"{name} = {rationals.shown(fields.get(name))}",
                wanted=f"one of {', '.join(known)}",
                fix="correct the file",
            )
    return fields["divergence"], fields["normaliser"]


def _distance(divergence: str) -> str:
    """The divergence in a sentence: "reverse-max-kl" is max-KL(new, old)."""
    if divergence in DIVERGENCES:
        reduced = DIVERGENCES[divergence]
        return f"{'mean' if reduced.reduction.mean else 'max'}-{reduced.divergence.notation}"
    reduction, _, generator = divergence.partition("-")  # of an earlier file, with a reduction that is not offered
    return f"{reduction}-{BY_NAME[generator].notation}"
