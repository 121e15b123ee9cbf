"""The machine-checked proofs: what the catalogue names is stated there, nothing is assumed, and the check can fail."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from trpo_theory.claims import known
from trpo_theory.updates.sharp_penalty import SHARP

FORMAL = Path(__file__).resolve().parents[2] / "formal"
PRINTED = "".join((FORMAL / name).read_text() for name in ("theorems.txt", "theorems_slow.txt"))
"""What Coq prints of each theorem: its statement and its axioms."""
CLAIMS = {
    claim.id: claim.proof.formal for claim in [*known.values(), *SHARP.values()] if claim.proof and claim.proof.formal
}
COQ = pytest.mark.skipif(
    not os.environ.get("TRPO_THEORY_FORMAL") or shutil.which("coqc") is None,
    reason="minutes of Coq: TRPO_THEORY_FORMAL=1 runs it, after formal/check has installed Coq",
)


@pytest.mark.parametrize("id", sorted(CLAIMS))
def test_a_machine_checked_claim_names_a_theorem_of_its_file_that_is_printed_with_its_axioms(id: str) -> None:
    file, name = CLAIMS[id].split(".")
    assert re.search(rf"^Theorem {name}\b", (FORMAL / f"{file}.v").read_text(), re.MULTILINE)
    assert re.search(rf"^{file}\.{name}$", PRINTED, re.MULTILINE)
    if not id.startswith("sharp/"):
        assert f"`{id}`" in (FORMAL / "README.md").read_text()


def test_the_proof_on_paper_names_its_machine_checked_twin() -> None:
    chapters = re.split(r"^#+ ", (FORMAL.parent / "docs" / "theory.md").read_text(), flags=re.MULTILINE)
    sections = {chapter.split("\n", 1)[0]: chapter for chapter in chapters}
    for claim in [*known.values(), *SHARP.values()]:
        if claim.proof and claim.proof.formal and claim.proof.section:
            file, name = claim.proof.formal.split(".")
            assert f"[{name}](../formal/{file}.v)" in sections[claim.proof.section], claim.id


def test_the_chi_square_theorems_use_no_axiom() -> None:
    for name in ("chi_square.chi2_instance", "chi_square.coefficient_of_variation", "sharp_gap.sharp_gap_max"):
        statement = PRINTED[PRINTED.index(f"{name}\n") :]
        assert statement.index("Closed under the global context") < statement.index("Axioms:")


def test_each_theorem_that_is_printed_is_in_the_table() -> None:
    readme = (FORMAL / "README.md").read_text()
    support = {"value_exists_unique", "visitation_exists_unique", "gap_identity", "visitation_change", "pinsker"}
    for file, name in re.findall(r"^(\w+)\.(\w+)\n     : ", PRINTED, re.MULTILINE):
        assert f"`{file}.{name}`" in readme or name in support or file == "example", name


def test_nothing_is_admitted_or_assumed() -> None:
    for file in FORMAL.glob("*.v"):
        text = re.sub(r"\(\*.*?\*\)", "", file.read_text(), flags=re.DOTALL)
        assert not re.search(r"\b(Admitted|admit|Axioms?|Parameters?|Conjecture|give_up)\b", text), file


def _check(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([folder / "check"], capture_output=True, text=True, check=False)


@pytest.mark.slow
@COQ
@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "total_variation.v",
            "4 * eps * g * alpha ^+ 2 / (1 - g) ^+ 2",
            "2 * eps * g * alpha ^+ 2 / (1 - g) ^+ 2",
            "compile",
        ),
        ("kernel.v", "End Kernel.", "End Kernel.\nAxiom free : 1%N = 2%N.", "axiom"),
    ],
)
def test_half_the_constant_and_an_axiom_fail(tmp_path: Path, file: str, old: str, new: str, said: str) -> None:
    folder = tmp_path / "formal"
    shutil.copytree(FORMAL, folder, ignore=shutil.ignore_patterns("*.vo*", "*.glob", ".*", "Makefile*"))
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    failed = _check(folder)
    assert failed.returncode != 0
    assert said in failed.stdout + failed.stderr


TOTAL_VARIATION = {
    "divergence": "max-tv", "normaliser": "max", "gamma": "1/2", "radius": "1/10", "slope": "2/5",
    "nodes": ["0", "1"], "w": ["2/5", "4/55"],
    "price": ["2", "4/11", "2"], "mu": ["0", "1/55", "1/5"], "nu": ["0", "0", "0"],
}  # fmt: skip
"""The sharp gap in closed form: gamma a/((1 - gamma)(1 - gamma (1 - a))) 2 a = 4/55, where coupling is sharp, a = 1/10."""


def _from_proof(folder: Path, **changes: object) -> subprocess.CompletedProcess[str]:
    file = folder / "proof.json"
    file.write_text(json.dumps(TOTAL_VARIATION | changes))
    return subprocess.run([FORMAL / "from_proof", file], capture_output=True, text=True, check=False)


def test_a_proof_file_becomes_a_theorem_about_its_numbers(tmp_path: Path) -> None:
    made = _from_proof(tmp_path).stdout
    assert "Definition bound := 4." in made
    assert "Definition denominator := 55." in made
    assert "total_variation (old s) (new s) <= quotient R 1 10" in made


@pytest.mark.parametrize(
    "changes",
    [{"divergence": "max-kl"}, {"normaliser": "expected"}, {"horizon": 3}, {"w": ["exit()", "1"]}, {"mu": {}}],
)
def test_a_file_it_cannot_turn_into_a_theorem_is_refused_in_one_message(tmp_path: Path, changes: dict) -> None:
    refused = _from_proof(tmp_path, **changes)
    assert refused.returncode != 0
    assert re.fullmatch(r"got .*; wanted .*; fix: .*\n", refused.stderr)


@pytest.mark.slow
@COQ
@pytest.mark.parametrize(("value", "proved"), [("4/55", True), ("39/550", False)])
def test_coq_proves_the_bound_of_a_proof_file_and_no_smaller_one(tmp_path: Path, value: str, proved: bool) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(TOTAL_VARIATION | {"w": ["2/5", value]}))
    checked = subprocess.run([FORMAL / "check", "--proof", file], capture_output=True, text=True, check=False)
    assert (checked.returncode == 0) == proved
    assert ("Closed under the global context" in checked.stdout) == proved
