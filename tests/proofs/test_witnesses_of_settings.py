"""Every committed witness of a claim in a setting against an oracle that shares nothing with the package.

Also of claims without one whose slack `witness_oracle` has no formula for. The claim's own formula reads the oracle's record.
`python tests/helpers/missing_witnesses.py` writes the files that are missing.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import witness_oracle
from settings_oracle import MP, SettingsOracle, numbers, real

import trpo_theory as tt
from trpo_theory.numerics.ball.raw import precision
from trpo_theory.step.exact import ExactInstance

HERE = Path(__file__).resolve().parent.parent / "witnesses"
CONTENT = {path.stem: witness_oracle.load(path) for path in sorted(HERE.glob("*.json"))}
LARGE = {"average/kl-alone"}
"""Claims that are only false far out: an average forgets slowly there."""
NAMES = [
    name
    for name, fields in CONTENT.items()
    if (fields["claim"] not in witness_oracle.SLACKS or tt.claims[fields["claim"]].setting)
    and not fields["claim"].startswith("agents/")
]
"""Those of several agents have oracles in their own tests."""
LAWS = ("initial", "old", "new", "transition", "model", "reference", "weights")
shared = pytest.mark.parametrize("name", NAMES)


def of(name):
    fields = CONTENT[name]
    claim = tt.claims[fields["claim"]]
    q = SettingsOracle.of(fields, claim)
    return claim, q if claim.step is None else q.with_new(claim.step(q))


def entries(x):
    return [y for row in x for y in entries(row)] if isinstance(x, list) else [x]


@shared
def test_the_oracle_refutes_it_within_the_enclosure(name):
    claim, q = of(name)
    assert claim.given is None or np.all(claim.given(q))
    lower, upper = (real(end) for end in numbers(CONTENT[name]["slack"]))
    slacks = np.asarray(claim.signed_slack(q), dtype=object).ravel()
    if claim.relation == "=":  # the two sides may be subtracted either way
        slack, lower, upper = max(abs(slacks)), *sorted([abs(lower), abs(upper)])
        assert lower > 0
    else:
        slack = min(slacks)
        assert slack < 0
        assert upper < 0
    outward = abs(slack) * MP.mpf(10) ** -12
    assert lower - outward <= slack <= upper + outward


@shared
def test_it_is_small(name):
    fields = CONTENT[name]
    assert len(fields["old"]) <= 4
    if fields["claim"] in LARGE or "temperature" in fields:  # steps with exponentials are not made simpler
        return
    claim = tt.claims[fields["claim"]]
    if claim.step is not None:  # new may be irrational
        fields = {name: value for name, value in fields.items() if name != "new"}
    fields = {
        name: value for name, value in fields.items() if name in LAWS or name in ("gamma", "reward", "costs", "size")
    }
    assert max(number.denominator for value in fields.values() for number in entries([numbers(value)])) <= 999


@shared
def test_its_probabilities_are_exact(name):
    for law in LAWS:
        rows = np.array(numbers(CONTENT[name].get(law, [1])), dtype=object)
        assert np.all(rows >= 0)
        assert np.all(rows.sum(-1) == 1)


@shared
def test_it_is_certified_and_another_slack_is_not(name, tmp_path):
    certificate = tt.certify(HERE / f"{name}.json")
    assert (certificate.id, certificate.verdict) == (CONTENT[name]["claim"], "refuted")
    assert certificate.agrees
    assert certificate.certified
    lower, upper = numbers(CONTENT[name]["slack"])
    for lie in ({"slack": [str(lower * 2), str(upper * 2)]}, {"slack": [str(-upper), str(-lower)]}):
        fields = {key: value for key, value in CONTENT[name].items() if key not in ("enclosure", "theorem")} | lie
        (tmp_path / "lie.json").write_text(json.dumps(fields))
        assert not tt.certify(tmp_path / "lie.json").certified


SETTINGS = {
    "a horizon": {"horizon": True},
    "an end": {"criterion": "episodic"},
    "an average": {"criterion": "average"},
    "entropy": {"temperature": True},
    "entropy, a horizon": {"temperature": True, "horizon": True},
    "entropy, an average": {"temperature": True, "criterion": "average"},
    "costs": {"costs": ("heat",)},
    "a model": {"model": True},
    "references": {"references": True},
}
INSTANCE = {
    "transition": [
        [["1/3", "1/3", "1/3"], ["1/2", "1/4", "1/4"]],
        [["1/5", 0, "4/5"], [0, "1/2", "1/2"]],
        [[0, 0, 1]] * 2,
    ],
    "reward": [[1, "-1/2"], ["2/3", 0], [0, 0]],
    "gamma": "9/10",
    "initial": ["1/2", "1/2", 0],
    "old": [["1/2", "1/2"], ["1/3", "2/3"], ["1/4", "3/4"]],
    "new": [["1/4", "3/4"], ["1/2", "1/2"], ["1/2", "1/2"]],
    "horizon": 3,
    "temperature": "1/7",
    "costs": [[[1], [2]], [[0], [1]], [[0], [0]]],
    "model": [[["1/4", "1/4", "1/2"]] * 2, [["1/2", "1/2", 0]] * 2, [[0, 0, 1]] * 2],
    "references": [[["1/2", 0], ["1/2", 1]]] * 3,
    "weights": ["1/3", "2/3"],
}
READ = (
    *(
        "value",
        "value_new",
        "q_value",
        "advantage",
        "visitation_old",
        "visitation_new",
        "occupancy_old",
        "occupancy_new",
    ),
    *(
        "expected_return_old",
        "expected_return_new",
        "surrogate_gain",
        "surrogate_gap",
        "expected_advantage",
        "mixing_new",
    ),
    *("return_derivative", "return_second_derivative", "mean_tv", "mean_kl", "costs", "model", "references", "weights"),
)


NOT_ALIKE = {
    "episodic": ("mixing_new",),  # the package has a row for the end
}


@pytest.mark.parametrize(
    ("file", "field"),
    [
        ("model--simulation-one-model", "model"),
        ("geppo--mixture-old-tv", "references"),
        ("geppo--mixture-old-tv", "weights"),
    ],
)
def test_rows_of_a_setting_that_do_not_sum_to_one_are_refused(file, field, tmp_path):
    """Divided by their sum they would be other numbers than the file's."""
    fields = json.loads((HERE / f"{file}.json").read_text())
    rows = fields[field]
    while isinstance(rows[0], list) and isinstance(rows[0][0], list):
        rows = rows[0]
    first = rows if field == "weights" else rows[0]
    first[0] = str(Fraction(first[0]) + Fraction(1, 10**9))
    (tmp_path / "file.json").write_text(json.dumps(fields))
    with pytest.raises(tt.InvalidInput, match=rf"got {field}.* that sums to 1 \+ 1e-09"):
        tt.certify(tmp_path / "file.json")


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_record_has_the_quantities_of_the_setting(setting):
    """The package's, in rationals and balls, within 1e-25; on average values are the same up to a constant."""
    claim = tt.claim("mine/any", statement="0 = 0", **SETTINGS[setting])(lambda q: q.gamma)
    extras = {"horizon", "temperature", "costs", "model", "references", "weights"} - claim.setting
    fields = json.loads(json.dumps({name: value for name, value in INSTANCE.items() if name not in extras}))
    if claim.criterion == "average":
        fields["transition"][2], fields["reward"][2] = [[1, 0, 0], ["1/2", "1/2", 0]], [3, "1/3"]
    with precision(256):
        found = claim.posed(ExactInstance.from_fields(fields).quantities())
        q = SettingsOracle.of(fields, claim)
        records = [(found, q)]
        if claim.costs:
            records.append((found.cost("heat"), q.cost("heat")))
        for theirs, mine in records:
            for name in READ:
                if name in extras or name in NOT_ALIKE.get(claim.criterion, ()):
                    continue
                x, y = middles(getattr(theirs, name)), np.asarray(getattr(mine, name), dtype=object).ravel()
                if claim.criterion == "average" and name in ("value", "value_new", "q_value"):
                    x, y = x - x[0], y - y[0]
                assert np.max(abs(x - y)) < MP.mpf(10) ** -20, name


def middles(balls):
    """In 60 digits, in one row."""
    found = entries(balls.tolist()) if np.shape(balls) else [balls]
    ends = [(x.lower, x.upper) if hasattr(x, "lower") else (x, x) for x in found]
    return np.array([real((Fraction(low) + Fraction(high)) / 2) for low, high in ends], dtype=object)
