"""The readers: found by listing, no two of one name, and a new one is read and named in messages from its own file alone."""

import importlib
import sys
from pathlib import Path

import pytest

import trpo_theory as tt
from trpo_theory.loading import reader, readers

NEW = """
from trpo_theory.loading.reader import Reader, Source
from trpo_theory.model.mdp import FiniteMDP


class Counted(Reader):
    suffixes = (".count",)

    def read(self, source, gamma):
        return Source(FiniteMDP([[[1.0]]], [float(source.read_text())], 0.5 if gamma is None else gamma))


READER = Counted()
"""


def test_every_file_is_a_reader_that_the_registry_finds():
    files = {path.stem for path in Path(readers.__path__[0]).glob("*.py")} - {"__init__"}
    found = reader.registry()
    assert len(found) == len(files)
    assert all(type(one).read is not reader.Reader.read for one in found)


def test_no_two_readers_claim_the_same_name():
    found = reader.registry()
    schemes = [one.scheme for one in found if one.scheme]
    suffixes = [suffix.lower() for one in found for suffix in one.suffixes]
    assert {"gym", "zoo"} <= set(schemes)
    assert {".csv", ".json", ".mdp", ".npz", ".pomdp"} <= set(suffixes)
    assert len(set(schemes)) == len(schemes)
    assert len(set(suffixes)) == len(suffixes)


def test_messages_list_what_can_be_read():
    with pytest.raises(tt.InvalidInput) as error:
        tt.load("model.xyz")
    for form in ("gym:ENV_ID", "zoo:NAME?key=value", ".POMDP", ".MDP", ".npz", ".json", ".csv"):
        assert form in error.value.wanted
    assert "Gymnasium environment" not in error.value.wanted
    with pytest.raises(tt.InvalidInput, match="Gymnasium environment"):
        tt.load(3.0)


def test_a_new_reader_is_one_new_file(tmp_path, monkeypatch):
    (tmp_path / "counted.py").write_text(NEW)
    (tmp_path / "one.COUNT").write_text("3")
    monkeypatch.setattr(readers, "__path__", [*readers.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    reader.registry.cache_clear()
    try:
        mdp = tt.load(str(tmp_path / "one.COUNT"), gamma=0.75)
        assert tt.evaluate(mdp, [[1.0]]).expected_return == pytest.approx(12.0)
        with pytest.raises(tt.InvalidInput, match=r"\.count"):
            tt.load("model.xyz")
    finally:
        reader.registry.cache_clear()
        sys.modules.pop(f"{readers.__name__}.counted", None)


@pytest.mark.parametrize(("source", "said"), [("gym:FrozenLake", "FrozenLake-v1"), ("gym:CartPole-v1", "no table P")])
def test_what_no_discount_mends_is_said_before_the_discount(source, said):
    with pytest.raises(tt.InvalidInput, match=said):
        tt.load(source)
    with pytest.raises(tt.InvalidInput, match="gamma"):
        tt.load("gym:FrozenLake-v1")
