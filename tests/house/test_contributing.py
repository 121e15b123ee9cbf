"""CONTRIBUTING.md is true: its table is the house, and each of its additions is made in a copy, and seen from outside."""

from __future__ import annotations

import functools
import json
import re
import shutil
from shlex import split

import numpy as np
import pytest
from additions import ROOT, SECTIONS, TEXT, apply, checkout_with, command_line, files_of, patch_of, run
from scipy.optimize import linprog
from test_floors import ROOMS, SOURCES, imports, room_of

import trpo_theory as tt

NAMED = re.findall(r"^\| `(\w+)(?:/|\.py)` \|", TEXT, re.MULTILINE)
ADDITIONS = {
    "A bound": "bounds",
    "A claim": "claims",
    "A divergence of the sharp gap": "sharp",
    "A divergence of the update problems": "updates",
    "A solver": "updates",
    "A reader": "loading",
    "An experiment": "experiments",
}


@functools.cache
def imported() -> list[tuple[str, str]]:
    """Each room, and each that it imports from."""
    names = ((module, name) for module, source in SOURCES.items() for name in imports(source, module))
    pairs = ((module.split("/")[0], room_of(name)) for module, name in names)
    return sorted({(room, target) for room, target in pairs if target is not None})


def wrong_floors(named: list[str]) -> list[tuple[str, str]]:
    """The imports of a room from one that the list does not have before it."""
    return [(room, one) for room, one in imported() if room != one and one not in named[: named.index(room)]]


def test_the_table_has_every_room_once():
    assert sorted([*NAMED, "__init__"]) == sorted(ROOMS)


def test_a_room_imports_only_from_rooms_above_it_in_the_table():
    assert not wrong_floors([*NAMED, "__init__"])
    assert ("solve", "model") in wrong_floors([*reversed(NAMED), "__init__"])


def test_each_section_adds_at_most_two_files_to_the_place_that_it_names():
    assert list(ADDITIONS) == SECTIONS
    for section, room in ADDITIONS.items():
        files = files_of(patch_of(section))
        assert 1 <= len(files) <= 2
        assert all(f"{room}/" in file for file in files)


@pytest.mark.parametrize("section", SECTIONS)
def test_each_diff_applies_to_this_checkout(section):
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    applied = apply(patch_of(section), ROOT, "--check")
    assert applied.returncode == 0, f"make the diff of {section!r} again\n{applied.stderr}"


@pytest.fixture
def added(request, tmp_path):
    """The copy with the section that the test is about."""
    return checkout_with(request.param, tmp_path)


@pytest.fixture
def command(added):
    """What a verb prints on the copy; as JSON if it was asked to."""
    with command_line(added) as answer:

        def printed(*arguments, status=0):
            found, out, err = answer(*arguments)
            assert found == status, out + err
            return json.loads(out) if "--json" in arguments else out + err

        yield printed


def adding(section):
    return pytest.mark.parametrize("added", [section], indirect=True, ids=[section])


@pytest.mark.slow
@adding("A bound")
def test_a_bound_is_listed_evaluated_and_verified(command):
    id = "le-cam/hellinger"
    assert id in command("claims")
    arguments = split("bound zoo:coupling-tight?x=1/4 --gamma .9 --old old --new new")
    assert id in command(*arguments)
    (row,) = [row for row in command(*arguments, "--json")["bounds"] if row["id"] == id]
    # ε = 1; old = (½, ½, 0) and new = (¾, ¼, 0) in one state, (½, ¼, ¼) in the other: BC = ½ + √⅛ in the farther one.
    assert row["penalty"] == pytest.approx(4 * 0.9 / 0.01 * (1 - (0.5 + np.sqrt(1 / 8)) ** 2), rel=1e-9)
    assert row["holds"]
    (verdict,) = command("verify", id, "--instances", "500", "--json")["claims"]
    assert verdict["verdict"] == "proved"
    assert verdict["proof"]["by"].startswith("follows from trpo/tv: ")
    assert verdict["effective"] > 0


@pytest.mark.slow
@adding("A claim")
def test_a_claim_is_listed_and_verified_and_its_twin_refuted(command):
    id = "divergence/bretagnolle-huber"
    assert id in command("claims")
    table = command("verify", id, f"{id}-half", "--instances", "500")
    assert [line.split()[:3] for line in table.splitlines() if line.startswith(f"  {id}")] == [
        [id, "true", "proved"],
        [f"{id}-half", "false", "refuted"],
    ]


@pytest.mark.slow
@adding("A divergence of the update problems")
def test_an_update_problem_is_solved_and_certified(command):
    """The oracle is SciPy's linear program of each state; two solvers agree with it."""
    assert "max-ratio" in command("update", "--help")
    mdp = tt.load("zoo:garnet?states=5", gamma=0.9)
    old = tt.evaluate(mdp, tt.uniform(mdp.available))
    count = mdp.actions
    best = [
        linprog(-row, A_eq=np.ones((1, count)), b_eq=[1], bounds=[(0, 1.2 / count)] * count).fun
        for row in old.advantage
    ]
    arguments = split("update zoo:garnet?states=5 --gamma .9 --old uniform --problem max-ratio --delta .2")
    for solver in ("dual", "clarabel"):
        found = command(*arguments, "--solver", solver, "--json")
        assert found["objective"] == pytest.approx(-old.visitation @ best, rel=1e-8)
        assert found["gap"] <= 1e-8 * found["objective"]
        assert np.max(found["policy"]) <= 1.2 / count * (1 + 1e-9)
    assert re.search(r"problem +max-ratio", command(*arguments))


@pytest.mark.whole
@pytest.mark.slow
@adding("A solver")
def test_a_solver_is_offered_and_its_gap_is_small(added, command):
    assert "slsqp" in command("update", "--help")
    arguments = split(
        "update zoo:garnet?states=5 --gamma .9 --old uniform --problem max-kl --delta .001 --solver slsqp"
    )
    found = command(*arguments, "--json")
    mdp = tt.load("zoo:garnet?states=5", gamma=0.9)
    exact = tt.update(mdp, tt.uniform(mdp.available), tt.MaxKL(0.001))
    assert found["solver"] == "slsqp"
    assert found["objective"] == pytest.approx(exact.objective, rel=1e-6)
    assert 0 <= found["gap"] <= 1e-6 * found["objective"]
    assert re.search(r"solver +slsqp", command(*arguments))
    rows = run(added, "pytest", "-q", "-p", "no:cacheprovider", "-k", "slsqp", "tests/updates/test_solvers.py")
    assert rows.returncode == 0, rows.stdout
    (passed,) = re.findall(r"(\d+) passed", rows.stdout)
    assert int(passed) >= len(tt.updates.problem_names())


@pytest.mark.slow
@adding("A reader")
def test_a_reader_reads_its_files_and_messages_list_it(added, command):
    shown = re.findall(r"`((?:gamma|initial|reward|transition) = .*?)`", TEXT)
    assert len(shown) == 4
    (added / "two-states.toml").write_text("\n".join(shown))
    fields = dict(line.split(" = ") for line in shown)
    (added / "two-states.json").write_text("{" + ", ".join(f'"{key}": {value}' for key, value in fields.items()) + "}")
    mdp = tt.load(added / "two-states.json")
    expected = tt.evaluate(mdp, tt.uniform(mdp.available)).expected_return
    assert command("evaluate", "two-states.toml", "--json")["expected_return"] == expected
    assert ".toml" in command("evaluate", "two-states.xyz", status=2)
    (added / "broken.toml").write_text("gamma = = 1")
    assert "got the file 'broken.toml'" in command("evaluate", "broken.toml", status=2)


@pytest.mark.whole
@pytest.mark.slow
@adding("An experiment")
def test_an_experiment_runs_and_writes_its_table(added):
    found = run(added, "experiments", "tightness", "--quick", "--out", "out")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "coupling" in found.stdout
    table = (added / "out/tightness/tightness.md").read_text(encoding="utf-8")
    # −gap of F1 is 4 e γ x²/((1 − γ)(1 − γ(1 − x))): all of coupling/tv's penalty, (1 − γ)/(1 − γ(1 − x)) of trpo/tv's.
    assert re.search(r"0\.5000 \| +1\.000 \| +0\.8000", table)
    assert re.search(r"0\.9000 \| +1\.000 \| +0\.3077", table)
    assert "tightness" in (added / "out/index.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("added", SECTIONS, indirect=True)
def test_what_is_added_is_clean(added, request):
    if not shutil.which("ruff"):
        pytest.skip("ruff is not installed")
    files = files_of(patch_of(request.node.callspec.params["added"]))
    for arguments in (("check",), ("format", "--check")):
        found = run(added, "ruff", *arguments, "--no-cache", *files)
        assert found.returncode == 0, found.stdout


def test_there_is_one_list_of_rooms():
    """README.md links to the table."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "CONTRIBUTING.md#the-house" in readme
