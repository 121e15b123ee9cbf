"""Numbers of a file keep their decimal or rational value in a proof on the command line."""

import json
from fractions import Fraction

import mpmath
import pytest
from cheap import sampled
from check_proof import check

from trpo_theory.cli import main
from trpo_theory.search.worst_cases import evolve
from trpo_theory.sharp.gap import sharp_gap

ROWS = {"old": [[0.7, 0.3], [1, 0]], "new": [["1/7", "6/7"], [1, 0]]}


@pytest.fixture
def enclosures(tmp_path, capsys):
    def run(**changes):
        fields = {
            "transition": [[[0.1, 0.9], [1, 0]], [[0, 1], [0, 1]]],
            "reward": [[0.1, "1/3"], [0, 0]],
            "gamma": 0.9,
            "initial": [1, 0],
        }
        path = tmp_path / "one.json"
        path.write_text(json.dumps(fields | ROWS | changes))
        assert main(["bound", str(path), "--old", "old", "--new", "new", "--certify", "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)["bounds"]
        return {row["id"]: row["enclosure"] for row in rows}

    return run


def test_a_decimal_of_a_file_is_the_decimal_in_bound_certify(enclosures):
    decimal = enclosures()
    rational = enclosures(
        transition=[[["1/10", "9/10"], [1, 0]], [[0, 1], [0, 1]]],
        reward=[["1/10", "1/3"], [0, 0]],
        gamma="9/10",
        old=[["7/10", "3/10"], [1, 0]],
    )
    assert decimal == rational
    assert Fraction(decimal["trpo/tv"]).denominator < 10**12  # a rational of the file's own numbers, not of floats


# --- the family that attains coupling/tv: only the very numbers that are written have slack 0 -------------------

NUMBERS = [("1/3", "1/7"), ("0.9", "0.123456789012345678901"), ("0.70000000000000000001", "1/3"), ("99/100", "0.3")]


def decimal_or_rational(x: Fraction) -> str:
    """JSON for x: without quotes where it is a decimal."""
    scaled = x * 10**30
    return f"{scaled.numerator // 10**30}.{scaled.numerator % 10**30:030d}" if scaled.denominator == 1 else f'"{x}"'


def coupling_tight(x: Fraction) -> dict[str, str]:
    """docs/theory.md, F1, as JSON texts, at every discount."""
    half = Fraction(1, 2)
    new = [[half, half - x, x], [half - x, half + x, 0]]
    return {
        "transition": "[[[1, 0], [1, 0], [0, 1]], [[0, 1], [0, 1], [0, 1]]]",
        "reward": "[[1, -1, 1], [1, -1, 1]]",
        "initial": "[1, 0]",
        "old": '[["1/2", 0.5, 0], ["1/2", 0.5, 0]]',
        "new": str([[decimal_or_rational(Fraction(entry)) for entry in row] for row in new]).replace("'", ""),
    }


def text_of(**fields: str) -> str:
    return "{" + ", ".join(f'"{name}": {text}' for name, text in fields.items()) + "}"


def bounds_of(capsys, *words) -> dict[str, str]:
    assert main(["bound", *map(str, words), "--certify", "--json"]) == 0
    return {row["id"]: row["enclosure"] for row in json.loads(capsys.readouterr().out)["bounds"]}


def encloses(text: str, exact: Fraction) -> bool:
    """Whether "p/q", "[a, b]" or "[a +/- r]" encloses a number."""
    if not text.startswith("["):
        return Fraction(text) == exact
    inner = text.strip("[]")
    if "+/-" in inner:
        middle, radius = (Fraction(part.strip()) for part in inner.split("+/-"))
        return abs(exact - middle) <= radius
    low, high = (Fraction(part) for part in inner.split(","))
    return low <= exact <= high


@sampled(("gamma", "x"), NUMBERS, every=6)
@pytest.mark.parametrize("where", ["all in one file", "the discount as an option", "policies of their own"])
def test_a_tight_bound_has_slack_0_at_the_numbers_that_are_written(where, gamma, x, tmp_path, capsys):
    fields = coupling_tight(Fraction(x))
    mdp, old, new = tmp_path / "mdp.json", tmp_path / "old.json", tmp_path / "new.json"
    policies = {name: fields.pop(name) for name in ("old", "new")}
    option = ["--gamma", gamma]
    if where == "all in one file":
        quoted = f'"{gamma}"' if "/" in gamma else gamma
        mdp.write_text(text_of(**fields, **policies, gamma=quoted))
        found = bounds_of(capsys, mdp, "--old", "old", "--new", "new")
    elif where == "the discount as an option":
        mdp.write_text(text_of(**fields, **policies, gamma="0.25"))
        found = bounds_of(capsys, mdp, "--old", "old", "--new", "new", *option)
    else:
        mdp.write_text(text_of(**fields))
        old.write_text(policies["old"])
        new.write_text(text_of(policy=policies["new"]))
        found = bounds_of(capsys, mdp, "--old", old, "--new", new, *option)
    assert found["coupling/tv"] == "0"
    g, x = Fraction(gamma), Fraction(x)
    slack = 4 * g * x**2 / (1 - g) ** 2 - 4 * g * x**2 / ((1 - g) * (1 - g * (1 - x)))
    assert encloses(found["trpo/tv"], slack)


# --- update --certify ------------------------------------------------------------------------------------------


def proof_of(capsys, path, *words):
    assert main(["update", *map(str, words), "--certify", "--out", str(path)]) == 0
    assert main(["certify", str(path), "--json"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed[printed.index('{"') :])["certified"]
    assert check(path)[0]
    return json.loads(path.read_text())


@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_an_update_is_proved_for_the_numbers_that_are_written(form, tmp_path, capsys):
    third, long = '["1/3", "2/3"]', "0.12345678901234567890"
    rest = Fraction(1) - Fraction(long)
    dense = {"transition": f"[[{third}, [1, 0]], [[0, 1], [{long}, {decimal_or_rational(rest)}]]]"}
    sparse = {
        "transition_data": f'["1/3", "2/3", 1, 1, {long}, {decimal_or_rational(rest)}]',
        "transition_indices": "[0, 1, 0, 1, 0, 1]",
        "transition_indptr": "[0, 2, 3, 4, 6]",
        "transition_shape": "[4, 2]",
    }
    mdp, old = tmp_path / "mdp.json", tmp_path / "old.json"
    rows = dense if form == "dense" else sparse
    mdp.write_text(text_of(**rows, reward=f'[[0.1, "1/3"], [0, {long}]]', gamma="0.9", initial="[1, 0]"))
    old.write_text('[["1/3", "2/3"], ["1/7", "6/7"]]')
    options = ("--gamma", "1/3", "--problem", "max-kl", "--delta", "1/70")
    proof = proof_of(capsys, tmp_path / "proof.json", mdp, "--old", old, *options)

    def exactly(rows):
        return [exactly(row) for row in rows] if isinstance(rows, list) else Fraction(rows)

    assert (proof["gamma"], proof["delta"]) == ("1/3", "1/70")
    assert exactly(proof["transition"]) == exactly([[["1/3", "2/3"], [1, 0]], [[0, 1], [long, rest]]])
    assert exactly(proof["reward"]) == exactly([["1/10", "1/3"], [0, long]])
    assert exactly(proof["old"]) == exactly([["1/3", "2/3"], ["1/7", "6/7"]])
    assert "gamma = 1/3" in proof["theorem"]
    assert "<= 1/70" in proof["theorem"]


def test_an_update_of_a_csv_file_is_proved_for_its_decimals(tmp_path, capsys):
    """Listed twice, a successor has the sum of its probabilities; the reward is the mean."""
    lines = ["state,action,successor,probability,reward", "0,0,0,0.1,0.3", "0,0,1,0.7,0.3", "0,0,1,0.2,0.1"]
    lines += ["0,1,1,1,0.12345678901234567890", "1,0,1,1,0", "1,1,0,0.30000000000000000001,1"]
    lines += ["1,1,1,0.69999999999999999999,0"]
    mdp = tmp_path / "mdp.csv"
    mdp.write_text("\n".join(lines))
    options = ("--gamma", "2/3", "--old", "uniform", "--problem", "mean-kl", "--delta", "0.01")
    proof = proof_of(capsys, tmp_path / "proof.json", mdp, *options)
    entries = [Fraction(entry) for row in proof["transition"] for part in row for entry in part]
    late = Fraction("0.30000000000000000001")
    assert entries == [Fraction(1, 10), Fraction(9, 10), 0, 1, 0, 1, late, 1 - late]
    mean = Fraction("0.8") * Fraction("0.3") + Fraction("0.2") * Fraction("0.1")
    rewards = [Fraction(entry) for row in proof["reward"] for entry in row]
    assert rewards == [mean, Fraction("0.12345678901234567890"), 0, late]
    assert proof["gamma"] == "2/3"


def test_a_penalty_is_proved_for_the_coefficient_that_is_written(tmp_path, capsys):
    options = ("--old", "uniform", "--problem", "penalty", "--coefficient", "1/3")
    proof = proof_of(capsys, tmp_path / "proof.json", "zoo:dirichlet?states=2&gamma=2/3", *options)
    assert (proof["gamma"], proof["coefficient"]) == ("2/3", "1/3")
    assert "1/3 max-KL" in proof["theorem"]


def test_rewards_that_floats_cannot_tell_apart_have_a_gain(tmp_path, capsys):
    """One state, r = (c, c + d), old uniform: the optimum of (12) is d (p − ½)/(1 − γ), KL(½‖p) = δ: log 1/(4p(1 − p)) = 2 δ."""
    mdp = tmp_path / "mdp.json"
    reward = "[[10000000000.0, 10000000000.000000000000000001]]"
    mdp.write_text(text_of(transition="[[[1], [1]]]", reward=reward, gamma='"1/3"', initial="[1]"))
    options = ("--old", "uniform", "--problem", "max-kl", "--delta", "1/70")
    proof = proof_of(capsys, tmp_path / "proof.json", mdp, *options)
    with mpmath.workdps(50):
        p = (1 + mpmath.sqrt(1 - mpmath.exp(-2 * mpmath.mpf(1) / 70))) / 2
        optimum = Fraction(str(mpmath.mpf("1e-18") * (p - 0.5) * 3 / 2))
    lower, upper = map(Fraction, proof["enclosure"])
    assert 0 <= lower <= optimum <= upper < Fraction(1, 10**17)


# --- sharp and worst-case --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gamma", "x"), [("1/3", "1/7"), ("6/7", "3/7"), ("0.70000000000000000001", "0.4")])
def test_both_ends_of_a_sharp_gap_are_proved_at_the_rationals(gamma, x, tmp_path, capsys):
    """The sharp gap for max-TV is coupling/tv's penalty: docs/theory.md, F1."""
    files = {name: tmp_path / f"{name}.json" for name in ("out", "proof")}
    written = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    words = ["sharp", "--divergence", "max-tv", "--gamma", gamma, "--radius", x, "--certify", "--json", *written]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    g, d = Fraction(gamma), Fraction(x)
    sharp = 4 * g * d**2 / ((1 - g) * (1 - g * (1 - d)))
    assert Fraction(found["lower"]) <= sharp <= Fraction(found["upper"])
    assert found["upper"] - found["lower"] < 1e-6 * found["upper"]
    assert (found["gamma"], found["radius"]) == (float(g), float(d))
    for path in files.values():
        fields = json.loads(path.read_text())
        assert (Fraction(fields["gamma"]), Fraction(fields["radius"])) == (g, d)
        assert main(["certify", str(path)]) == 0
        assert check(path)[0]
    lower, upper = (json.loads(path.read_text())["enclosure"] for path in files.values())
    assert Fraction(lower[0]) <= sharp <= Fraction(upper[1])


def test_total_variation_above_a_half_is_proved_at_rationals_too():
    """Slopes beyond which a conjugate is infinite are met with equality: a rounding error of γ must not matter."""
    for g, d in [(Fraction(6, 7), Fraction(5, 7)), (Fraction(2, 3), Fraction(2, 3)), (Fraction(1, 7), Fraction(6, 7))]:
        gap = sharp_gap("max-tv", g, d, certify=True)
        sharp = 2 * g * d / ((1 - g) * (1 - g * (1 - d)))
        assert Fraction(gap.lower) <= sharp <= Fraction(gap.upper)
        assert gap.upper - gap.lower < 1e-6 * gap.upper


@pytest.mark.whole
@pytest.mark.slow
def test_a_worst_case_is_at_the_rational(tmp_path, capsys, monkeypatch):
    for name in ("_ROUNDS", "_GENERATIONS", "_CLIMBERS"):  # a short search: what is tested is where it is
        monkeypatch.setattr(evolve, name, 1)
    path = tmp_path / "worst.json"
    words = ["worst-case", "coupling/tv", "--gamma", "1/3", "--states", "2", "--effort", "1", "--out", str(path)]
    assert main(words) == 0
    fields = json.loads(path.read_text())
    assert fields["gamma"] == "1/3"
    assert "gamma = 1/3" in fields["theorem"]
    assert main(["certify", str(path)]) == 0
    assert check(path)[0]
    capsys.readouterr()


def test_a_rational_out_of_range_is_shown_as_it_is_written(capsys):
    assert main(["sharp", "--divergence", "max-tv", "--gamma", "1/3", "--radius", "3/2"]) == 2
    assert "got radius = 3/2; wanted a number in [1e-10, 1]" in capsys.readouterr().err
