"""Which margin a search would have found: as measured, of bounds that are like those measured, and of no others."""

import pandas as pd
import pytest

import trpo_theory as tt
from experiments.readme import RESULTS
from trpo_theory import claim
from trpo_theory.search import power

MEASURED = pd.read_csv(RESULTS / "power-margins.csv")


def eps(q):
    return q.max_abs_advantage


def worst(reads, *gammas):
    """The largest of the margins that were measured, for some discounts or all."""
    rows = MEASURED[(MEASURED["reads"] == reads) & (MEASURED["gamma"].isin(gammas) if gammas else True)]
    return float(rows["margin"].max())


def of(formula, **details):
    return claim("mine/bound", statement="x", **details)(formula)


def test_the_margins_are_those_of_the_measurement():
    """Of each row of the table in one of three scales whose other names are quantities, and no others."""
    known = {}
    for row in MEASURED.to_dict("records"):
        names = set(row["reads"].split(", "))
        if names <= tt.Quantities.names() and any(name.startswith("max_abs") for name in names):
            known.setdefault(row["reads"], {})[row["gamma"]] = row["margin"]
    assert known == power.MARGINS


def test_claims_that_are_bounds_have_the_largest_margin_of_their_kind():
    tv = of(lambda q: q.surrogate_gap + 3 * eps(q) * q.gamma * q.max_tv**2)
    kl = of(
        lambda q: q.surrogate_gap + eps(q) / (1 - q.gamma) ** 2 * q.max_kl,
        given=lambda q: q.gamma >= 0.99,
    )
    assert power.margin_found(tv) == worst("max_tv, max_abs_advantage")
    near = worst("max_kl, max_abs_advantage", "any", "gamma >= 0.9", "gamma >= 0.99", "gamma >= 0.999")
    assert power.margin_found(kl) == near
    cpo = tt.bounds.get("cpo/mean-tv")
    assert power.margin_found(cpo) == worst("mean_tv, max_abs_expected_advantage")
    text = power.sentence(cpo, 0.01)
    assert "1 % too small" in text
    assert "max_abs_expected_advantage, mean_tv" in text


@pytest.mark.parametrize(
    "one",
    [
        of(lambda q: q.surrogate_gap + eps(q) * q.max_tv**2, given=lambda q: q.max_tv <= 0.1),
        of(lambda q: q.surrogate_gap + eps(q) ** 2 * q.max_tv**2),
        of(lambda q: 2 * q.surrogate_gap + eps(q) * q.max_tv**2),
        of(lambda q: q.surrogate_gap + eps(q) * q.max_s(q.tv) ** 2),
        of(lambda q: q.surrogate_gap + eps(q) * q.max_kl**2),
        of(lambda q: q.surrogate_gap + eps(q) * q.max_tv**2, relation="="),
        of(lambda q: eps(q) * q.max_tv - abs(q.surrogate_gap)),
        of(lambda q: q.kl / 2 - q.tv**2),
        of(lambda q: 1 / 0),
        tt.bounds.get("chi2/second-order"),
        tt.claims.get("update/max-kl-monotone"),
    ],
    ids=["region", "square", "twice", "array", "not linear", "identity", "both", "row", "failing", "shift", "update"],
)
def test_of_what_was_not_measured_nothing_is_said(one):
    assert power.margin_found(one) is None


@pytest.mark.whole
@pytest.mark.slow
def test_a_verdict_says_it_at_default_settings_only():
    formula = of(lambda q: q.surrogate_gap + 5 * eps(q) * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2)
    verdict = tt.verify(formula, proofs=False)["mine/bound"]
    assert verdict.verdict == "unrefuted"
    assert verdict.to_fields()["margin_found"] == worst("max_tv, max_abs_advantage")
    assert "max_tv" in verdict.power
    few = tt.verify(formula, instances=500, proofs=False)["mine/bound"]
    assert (few.margin_found, few.power) == (None, "")
