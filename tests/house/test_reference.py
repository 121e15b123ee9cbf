"""Public names are in the API reference, verbs on the page of the command line, claims in the pages of the catalogue."""

import importlib
import importlib.util
import pkgutil
import re
from pathlib import Path

import pytest

import trpo_theory
from trpo_theory import claims
from trpo_theory.cli import app

ROOT = Path(__file__).resolve().parents[2]
INNER = {"cli", "proofs", "search", "sharp", "solve", "step", "model", "loading"}
"""Rooms whose public names are those that `trpo_theory` itself has, or that are run and not imported."""


def extension(name):
    """A file of docs/_ext, of the documentation's build."""
    pytest.importorskip("sphinx")
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / f"docs/_ext/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_public_name_is_described_once_and_in_full():
    reference = extension("reference")
    described = []
    for room, line in reference.ROOMS.items():
        page = reference._page(room, line)
        described += re.findall(r"^\.\. auto(?:class|function):: (\S+)$", page, re.M)
        for name in getattr(importlib.import_module(room), "__all__", ()):
            assert re.search(rf"^\.\. (auto\w+:: {re.escape(room)}\.{name}|py:data:: {name})$", page, re.M), (
                room,
                name,
            )
    assert len(described) == len(set(described)) > 100


def test_every_public_room_has_a_page():
    rooms = {
        module.name
        for module in pkgutil.iter_modules(trpo_theory.__path__, "trpo_theory.")
        if module.ispkg and not module.name.rpartition(".")[2].startswith("_")
    }
    listed = {room for room in rooms if hasattr(importlib.import_module(room), "__all__")}
    reference = extension("reference")
    assert listed - {f"trpo_theory.{room}" for room in INNER} <= set(reference.ROOMS)


def test_every_verb_is_on_the_page_of_the_command_line():
    verbs = {command.name or command.callback.__name__.replace("_", "-") for command in app.registered_commands}
    page = (ROOT / "docs/command-line.md").read_text(encoding="utf-8")
    assert {verb for verb in verbs if f"`{verb}`" not in page} == set()


def test_every_claim_is_on_one_page_with_its_statement():
    catalogue = extension("catalogue")
    groups = [catalogue._group(claim) for claim in claims.catalogue.values()]
    assert len(set(groups)) > 30
    assert len({name for name, _ in groups}) == len(set(groups))
    section = catalogue._section(claims.catalogue["trpo/tv-2"])
    assert "**refuted**" in section
    assert r"\frac{2\epsilon\gamma}{(1-\gamma)^2}\alpha^2" in section
    assert "<svg" in section
    assert "(../theory.md#total-variation)" in catalogue._section(claims.catalogue["trpo/tv"])
