"""The sharp gap: closed forms, the walk below it, proved bounds above it, and files that say the same."""

import json

import numpy as np
import pytest
from cheap import is_whole, long, sampled

import trpo_theory as tt
from trpo_theory.cli import main
from trpo_theory.sharp.divergences import DIVERGENCES
from trpo_theory.sharp.gap import sharp_gap

NODES = 16
NORMALISERS = ("max", "expected")


def tv_closed_form(gamma, alpha):
    """2 min(2α, 1) γ α / ((1 − γ)(1 − γ(1 − α))): docs/theory.md, "Total variation in closed form"."""
    return 2 * min(2 * alpha, 1) * gamma * alpha / ((1 - gamma) * (1 - gamma * (1 - alpha)))


@pytest.mark.parametrize(("gamma", "alpha"), [(0.5, 0.25), (0.9, 0.05), (0.9, 0.7), (0.3, 0.5)])
def test_max_tv_is_its_closed_form_and_f1_attains_it(gamma, alpha):
    gap = sharp_gap("max-tv", gamma, alpha, certify=True, nodes=NODES)
    assert gap.certified
    assert gap.lower == pytest.approx(tv_closed_form(gamma, alpha), rel=1e-6)
    assert gap.upper == pytest.approx(tv_closed_form(gamma, alpha), rel=1e-6)
    assert gap.lower <= gap.upper
    assert gap.witness.mdp.states == 2
    ratios = {row["id"]: row["ratio"] for row in gap.bounds}
    assert ratios.keys() == {"trpo/tv", "coupling/tv"}
    if alpha <= 0.5:
        assert ratios["coupling/tv"] == pytest.approx(1, rel=1e-6)


@pytest.fixture(scope="module")
def max_kl():
    return sharp_gap("max-kl", 0.5, 0.02, certify=True, nodes=24)


@pytest.mark.slow
def test_max_kl_is_between_the_walk_and_the_chain_rule(max_kl):
    x = np.sqrt(-np.expm1(-2 * 0.02)) / 2
    walk = tt.zoo.walk(gamma=0.5, x=x, n=40)
    q = tt.compare(walk.mdp, walk.old, walk.new)
    assert q.max_kl == pytest.approx(0.02, rel=1e-9)
    assert max_kl.certified
    assert max_kl.upper >= -walk.gap / q.max_abs_advantage
    assert -walk.gap * 0.99 <= max_kl.lower <= max_kl.upper <= 1.03 * max_kl.lower
    chain_rule = next(row for row in max_kl.bounds if row["id"] == "chain-rule/kl")
    assert max_kl.upper <= chain_rule["penalty"]
    assert 0.85 < chain_rule["ratio"] < 0.88  # some 0.87, the walk's share being 0.857
    assert all(row["ratio"] < 1 for row in max_kl.bounds)


def test_its_witness_evaluates_from_its_file_to_the_gap(max_kl, tmp_path):
    max_kl.write(tmp_path / "witness.json")
    fields = tt.io.read_fields(tmp_path / "witness.json")
    mdp = tt.io.mdp_from_fields(fields)
    old, new = (np.array(fields[name], dtype=float) for name in ("old", "new"))
    q = tt.compare(mdp, old, new)
    used = (old > 0) | (new > 0)
    assert q.max_kl <= 0.02 * (1 + 1e-12)
    assert -q.surrogate_gap / np.abs(q.advantage[used]).max() == pytest.approx(max_kl.lower, rel=1e-9)


def test_its_proof_is_checked_from_its_file_alone(max_kl, tmp_path, capsys):
    max_kl.write_proof(tmp_path / "proof.json")
    assert main(["certify", str(tmp_path / "proof.json"), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["certified"]
    assert printed["upper"] == pytest.approx(max_kl.upper, rel=1e-12)
    fields = json.loads((tmp_path / "proof.json").read_text())
    fields["w"] = [value * 0.98 for value in fields["w"]]
    (tmp_path / "wrong.json").write_text(json.dumps(fields))
    assert main(["certify", str(tmp_path / "wrong.json")]) == 3


@pytest.mark.slow
@sampled(
    ("divergence", "normaliser"),
    [  # in the ordinary run one of them for each, so that either is run with every other divergence
        (divergence, normaliser)
        for number, divergence in enumerate(DIVERGENCES)
        for normaliser in (NORMALISERS if is_whole() else NORMALISERS[number % 2 :][:1])
    ],
    every=4,
)
def test_no_lower_bound_exceeds_an_upper_one(divergence, normaliser):
    gap = sharp_gap(divergence, 0.4, 0.05, normaliser, nodes=10)
    assert 0 < gap.lower <= gap.upper
    assert all(row["ratio"] <= 1 + 1e-9 for row in gap.bounds)


@pytest.mark.slow
def test_mean_tv_over_the_expected_advantage_is_cpos_bound_in_the_limit():
    """F5: the ratio to cpo/mean-tv tends to 1 as M grows."""
    gap = sharp_gap("mean-tv", 0.5, 0.1, "expected", nodes=NODES)
    assert [row["id"] for row in gap.bounds] == ["cpo/mean-tv", "geppo"] or gap.bounds[0]["id"] == "cpo/mean-tv"
    assert 0.999 < gap.bounds[0]["ratio"] <= 1
    assert gap.upper == pytest.approx(gap.bounds[0]["penalty"], rel=1e-6)


@pytest.mark.parametrize("radius", [1e-6, 1e-4])
def test_at_small_radii_over_the_expected_advantage_both_ends_meet_for_tv_too(radius):
    """2 γ α/((1 − γ)(1 − γ (1 − α))), by coupling: the copies that make Ā = 1 leave all but a little of the radius."""
    gap, exact = sharp_gap("max-tv", 0.7, radius, "expected", certify=True), 2 * 0.7 * radius / 0.3
    exact /= 1 - 0.7 * (1 - radius)
    assert gap.lower <= exact * (1 + 1e-12)
    assert exact * (1 - 1e-12) <= gap.upper <= 1.002 * gap.lower


@pytest.mark.parametrize("divergence", ["max-renyi-half", "max-hellinger2"])
def test_copies_of_an_action_that_new_drops_stay_within_the_radius(divergence):
    """The square root of l is steep at 0: a witness drawn back to old by a rounding error has an l of some 1e-14."""
    gap = sharp_gap(divergence, 0.7, 1e-4, "expected", certify=True, width=0.05)
    assert 0 < gap.lower <= gap.upper <= 1.05 * gap.lower


@pytest.mark.parametrize(
    ("divergence", "gamma", "radius"),
    [
        ("max-hellinger2", 0.5, 0.1),
        ("max-le-cam", 0.9, 0.1),
        long("max-jensen-shannon", 0.9, 0.1),
        long("mean-kl", 0.5, 0.01),
        ("max-ratio-deviation", 0.5, 0.1),
        long("max-ratio-deviation", 0.9, 0.1),
        long("mean-le-cam", 0.5, 0.001),  # prices at which a lattice's laws do not move at all
    ],
)
def test_the_usual_width_is_reached_where_paths_go_far_from_1(divergence, gamma, radius):
    """Oracle: the checkers of both ends, which know nothing of how they were found."""
    gap = sharp_gap(divergence, gamma, radius, certify=True)
    assert gap.aim is not None
    assert 0 <= gap.width <= gap.aim


def test_a_bound_with_a_misspelt_quantity_is_an_error_and_one_that_reads_more_is_skipped(monkeypatch):
    gap = sharp_gap("max-tv", 0.5, 0.25, nodes=NODES)
    more = tt.bounds.Bound("mine/more", lambda q: q.max_tv * q.rms_advantage_or_so, r"\eta \ge L - ...", "a draft")
    monkeypatch.setattr(tt.bounds, "catalogue", {"mine/more": more})
    with pytest.raises(AttributeError, match="rms_advantage_or_so"):
        _ = gap.bounds
    known = tt.bounds.Bound("mine/more", lambda q: q.max_tv * q.surrogate, r"\eta \ge L - ...", "a draft")
    monkeypatch.setattr(tt.bounds, "catalogue", {"mine/more": known})
    assert gap.bounds == []


def test_the_verb_prints_the_fields_that_scripts_read(capsys):
    arguments = ["sharp", "--divergence", "max-tv", "--gamma", "1/2", "--radius", "1/4", "--json"]
    assert main(arguments) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {"divergence", "normaliser", "gamma", "radius", "lower", "upper", "bounds", "witness"} <= printed.keys()
    assert printed["lower"] == pytest.approx(0.4)
    assert {"id", "penalty", "ratio"} == printed["bounds"][0].keys()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"divergence": "max-kkl"}, "did you mean 'max-kl'"),
        ({"normaliser": "mean"}, "normaliser"),
        ({"gamma": 1.0}, "gamma = 1.0"),
        ({"radius": 0.0}, "radius = 0.0"),
        ({"radius": float("nan")}, "radius = nan"),
        ({"divergence": "max-tv", "radius": 1.5}, "radius = 1.5"),
        ({"nodes": 2}, "nodes = 2"),
    ],
)
def test_bad_input_is_one_message(changes, words):
    arguments = {"divergence": "max-kl", "gamma": 0.5, "radius": 0.1, "normaliser": "max"} | changes
    with pytest.raises(tt.InvalidInput, match=words):
        sharp_gap(**arguments)
