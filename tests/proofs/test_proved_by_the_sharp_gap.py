"""Claims against the sharp gap. The oracle is the closed form of total variation, 4 γ α²/((1 − γ)(1 − γ(1 − α))) for α ≤ 1/2."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from trpo_theory import bounds, claim
from trpo_theory.bounds.record import Claim
from trpo_theory.proofs.hypotheses import hold_nowhere
from trpo_theory.proofs.methods.below_penalty import METHOD
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.proving import prove
from trpo_theory.proofs.region import Region


def _share(constant: str, id: str = "coupling/tv") -> Claim:
    exact = Fraction(constant)

    def slack(q: Any) -> Any:
        return q.surrogate_gap + exact * bounds.get(id).formula(q)

    return claim(f"mine/{constant}", statement=r"\eta(\tilde\pi) \ge L - \ldots")(slack)


@pytest.mark.parametrize(
    ("constant", "verdict"), [("1001/1000", Outcome.PROVED), ("2", Outcome.PROVED), ("995/1000", Outcome.REFUTED)]
)
def test_at_a_point_either_side_of_the_closed_form(constant: str, verdict: Outcome) -> None:
    found = prove(_share(constant), gamma=(0.5, 0.5), radius=(0.25, 0.25), methods=[METHOD])
    assert found.verdict is verdict
    assert (found.witness is not None) is (verdict is Outcome.REFUTED)


@pytest.mark.slow
def test_in_a_region() -> None:
    found = prove(_share("5/4"), gamma=(0.5, 0.52), radius=(0.2, 0.3), methods=[METHOD])
    assert found.verdict is Outcome.PROVED
    assert found.proof is not None
    assert found.proof.kind == "sharp gap"
    assert found.proof.region.divergence == "max_tv"


@pytest.mark.slow
def test_half_of_a_published_constant_is_refuted_without_a_region() -> None:
    """trpo/tv-2: the family F1 exceeds it."""
    found = prove(bounds.get("trpo/tv-2"), methods=[METHOD])
    assert found.verdict is Outcome.REFUTED


@pytest.mark.slow
@pytest.mark.parametrize(("constant", "verdict"), [("85/100", Outcome.PROVED), ("78/100", Outcome.REFUTED)])
def test_between_the_sharp_constant_and_the_chain_rule(constant: str, verdict: Outcome) -> None:
    """At gamma = .9 and small radii the sharp gap is between .80 and .806 of chain-rule/kl, as others computed."""
    found = prove(_share(constant, "chain-rule/kl"), gamma=(0.9, 0.9), radius=(0.01, 0.01), methods=[METHOD])
    assert found.verdict is verdict


@pytest.mark.parametrize(("constant", "verdict"), [("135/100", Outcome.PROVED), ("132/100", Outcome.REFUTED)])
def test_over_the_standard_deviation_either_side_of_its_closed_form(constant: str, verdict: Outcome) -> None:
    """2 γ c^(3/2)/((1 − γ)(1 + c − γ)) is 4/3 at γ = 1/2 and c = 1."""
    exact = Fraction(constant)

    def slack(q: Any) -> Any:
        return q.surrogate_gap + exact * q.reverse_max_chi2 * q.max_advantage_sd

    mine = claim(f"mine/{constant}", statement=r"\eta(\tilde\pi) \ge L - \ldots")(slack)
    found = prove(mine, gamma=(0.5, 0.5), radius=(1.0, 1.0), methods=[METHOD])
    assert found.verdict is verdict


def test_of_a_claim_in_two_divergences_it_says_nothing() -> None:
    found = prove(bounds.get("mixed/tv"), gamma=(0.5, 0.5), radius=(0.1, 0.1), methods=[METHOD])
    assert found.verdict is Outcome.UNDECIDED


@pytest.mark.parametrize(
    ("given", "gamma", "radius"),
    [
        (lambda q: q.gamma >= 0.9, (0.5, 0.9), (0.25, 0.5)),
        (lambda q: q.max_tv >= 0.5, (0.5, 0.9), (0.25, 0.5)),
        (lambda q: q.max_tv <= 0.25, (0.5, 0.9), (0.25, 0.5)),
        (lambda q: (q.gamma <= 0.5) & (q.max_tv >= 0.5), (0.5, 0.9), (0.25, 0.5)),
    ],
)
def test_hypotheses_that_hold_at_an_end_of_the_region_only(given: Any, gamma: Any, radius: Any) -> None:
    """There a millionth of the closed form is no bound."""
    share = dataclasses.replace(_share("1/1000000"), given=given)
    assert prove(share, gamma=gamma, radius=radius, methods=[METHOD]).proof is None
    true = dataclasses.replace(_share("1001/1000"), given=given)
    at = [(one, other) for one in gamma for other in radius if given(SimpleNamespace(gamma=one, max_tv=other))]
    for one, other in at:
        found = prove(true, gamma=(one, one), radius=(other, other), methods=[METHOD])
        assert found.verdict is Outcome.PROVED


def test_hypotheses_that_hold_nowhere_in_the_region() -> None:
    nowhere = dataclasses.replace(_share("1/1000000"), given=lambda q: q.gamma > 0.9)
    found = prove(nowhere, gamma=(0.5, 0.9), radius=(0.25, 0.5), methods=[METHOD])
    assert (found.verdict, found.proof) == ("vacuous", None)
    assert "the claim says nothing there" in found.note
    assert prove(nowhere, gamma=(0.5, 0.95), radius=(0.25, 0.5), methods=[]).verdict == "undecided"


def test_a_radius_is_not_of_the_hypotheses_where_the_formula_reads_another_divergence() -> None:
    """TV = 3/10 with a KL above 1/2 exists: what cannot be followed in the formula is no reason to overlook its radius."""
    region = Region.of(None, ("0.2", "0.4"))

    def formula(q: Any) -> Any:
        return q.max_tv + 0 * q.max_s(abs(q.value_new))

    assert not hold_nowhere(Claim("mine/other", formula, "x", given=lambda q: q.max_kl > 0.5), region)
    assert hold_nowhere(Claim("mine/same", lambda q: q.max_tv, "x", given=lambda q: q.max_tv > 0.5), region)
