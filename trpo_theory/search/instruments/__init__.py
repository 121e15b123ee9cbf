"""The instruments, in the order in which a search uses them. To add one: a file here with a subclass, and its name below."""

from __future__ import annotations

from trpo_theory.search.hunt import Hunt
from trpo_theory.search.instrument import Instrument
from trpo_theory.search.instruments.ascent import Ascent
from trpo_theory.search.instruments.hypotheses import HypothesisSearch
from trpo_theory.search.instruments.mutation import Mutation
from trpo_theory.search.instruments.other_sizes import OtherSizes
from trpo_theory.search.instruments.samples import Samples
from trpo_theory.search.instruments.solver_steps import SolverSteps
from trpo_theory.search.instruments.witnesses import SharpWitnesses

INSTRUMENTS: tuple[Instrument, ...] = (
    SharpWitnesses(),
    SolverSteps(),
    Samples(),
    OtherSizes(),
    HypothesisSearch(),
    Mutation(),
    Ascent(),
)


_ENOUGH = 1000
"""Effective instances after which a claim that is proved is searched no further. Chosen: a twentieth of a battery."""


def run_all(hunt: Hunt, effort: int = 1) -> None:
    """Search with every instrument that suits the claim; those after a refutation look for a smaller one only.

    A longer search begins as a short one does, and goes on where that refutes nothing. Of a claim that is proved the instruments
    that improve instances are left out, unless the others hardly put it to the test, or refute it.

    Raises:
        ClaimFailed: if the claim's own code raises an exception.
    """
    instruments = [instrument for instrument in INSTRUMENTS if instrument.suits(hunt.claim)]
    for instrument in instruments:
        found = hunt.findings
        if hunt.proved and instrument.descends and found.refuted is None and found.counts.effective >= _ENOUGH:
            continue
        instrument.use(hunt, 1)
    for instrument in instruments if effort > 1 and hunt.findings.refuted is None else ():
        if instrument.goes_on:
            instrument.use(hunt, effort)
    hunt.prove_near()
