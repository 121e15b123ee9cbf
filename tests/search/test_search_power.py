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


def measured(reads, gamma):
    rows = MEASURED[(MEASURED["reads"] == reads) & (MEASURED["gamma"] == gamma)]
    return float(rows["margin"].iloc[0])


def of(formula, **details):
    return claim("mine/bound", statement="x", **details)(formula)


def test_the_margins_are_those_of_the_measurement():
    """Of each row of the table whose names are quantities, and no others."""
    known = {
        row["reads"]: {}
        for row in MEASURED.to_dict("records")
        if set(row["reads"].split(", ")) <= tt.Quantities.names()
    }
    for row in MEASURED.to_dict("records"):
        if row["reads"] in known:
            known[row["reads"]][row["gamma"]] = row["margin"]
    assert known == power.MARGINS


@pytest.mark.parametrize(
    ("formula", "given", "reads", "gamma"),
    [
        (lambda q: q.surrogate_gap + 3 * eps(q) * q.gamma * q.max_tv**2, None, "max_tv, max_abs_advantage", "any"),
        (
            lambda q: q.expected_return_new - q.surrogate + eps(q) / (1 - q.gamma) ** 2 * q.max_kl,
            lambda q: q.gamma >= 0.99,
            *("max_kl, max_abs_advantage", "gamma >= 0.99"),
        ),
        (
            lambda q: q.surrogate_gap + 2 * q.max_abs_expected_advantage * q.gamma / (1 - q.gamma) ** 2 * q.mean_tv,
            *(None, "mean_tv, max_abs_expected_advantage", "any"),
        ),
    ],
    ids=["tv", "kl", "cpo"],
)
def test_claims_that_are_bounds_have_the_margin_of_their_kind(formula, given, reads, gamma):
    if gamma == "any":
        assert power.margin_found(of(formula, given=given)) == measured(reads, gamma)
    else:  # that of the hardest kind that is stated for some of these discounts and more, or for fewer
        assert power.margin_found(of(formula, given=given)) >= measured(reads, gamma)


@pytest.mark.parametrize(
    "one",
    [
        of(lambda q: q.surrogate_gap + eps(q) * q.max_tv**2, given=lambda q: q.max_tv <= 0.1),
        of(lambda q: q.surrogate_gap + eps(q) ** 2 * q.max_tv**2),
        of(lambda q: 2 * q.surrogate_gap + eps(q) * q.max_tv**2),
        of(lambda q: q.surrogate_gap + eps(q) * q.max_s(q.tv) ** 2),
        of(lambda q: q.surrogate_gap + eps(q) * q.max_tv**2, relation="="),
        of(lambda q: eps(q) * q.max_tv - abs(q.surrogate_gap)),
        of(lambda q: q.kl / 2 - q.tv**2),
        of(lambda q: 1 / 0),
        tt.bounds.get("chi2/second-order"),
        tt.claims.get("update/max-kl-monotone"),
    ],
    ids=["region", "square", "twice", "array", "identity", "both", "row", "failing", "shift", "update"],
)
def test_of_what_was_not_measured_nothing_is_said(one):
    assert power.margin_found(one) is None


@pytest.mark.slow
def test_a_verdict_says_it_at_default_settings_only():
    formula = of(lambda q: q.surrogate_gap + 5 * eps(q) * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2)
    verdict = tt.verify(formula)["mine/bound"]
    assert verdict.verdict == "unrefuted"
    assert verdict.to_fields()["margin_found"] == measured("max_tv, max_abs_advantage", "any")
    assert "max_tv" in verdict.power
    few = tt.verify(formula, instances=500)["mine/bound"]
    assert (few.margin_found, few.power) == (None, "")
