"""The records: one door for claims and bounds, one catalogue; a misspelt quantity is reported with its near name and line."""

import os
import subprocess
import sys

import pytest

import trpo_theory as tt
from trpo_theory import bounds, claims
from trpo_theory.errors import ClaimFailed
from trpo_theory.search.screen import Screen


def test_a_bound_is_a_claim_and_the_catalogues_hold_the_same_objects():
    assert issubclass(bounds.Bound, tt.Claim)
    for id, bound in bounds.all_bounds.items():
        assert claims.catalogue[id] is bound


def test_every_file_of_bounds_is_listed():
    """A file with BOUNDS that is not among FILES would be forgotten."""
    import importlib
    import pkgutil

    found = [importlib.import_module(f"trpo_theory.bounds.{one.name}") for one in pkgutil.iter_modules(bounds.__path__)]
    assert {module for module in found if hasattr(module, "BOUNDS")} == set(bounds.FILES)
    found = [importlib.import_module(f"trpo_theory.claims.{one.name}") for one in pkgutil.iter_modules(claims.__path__)]
    assert {module for module in found if hasattr(module, "CLAIMS")} == {*claims.FIRST, *claims.LAST}


DOORS = """
import trpo_theory as tt
for kind in (tt.Claim, tt.bounds.Bound):
    for arguments, options in [
        (("", 3, "", ""), {}), (("a", 3, "s"), {}), (("a", abs, " "), {}), (("a", abs, "s", "", 3), {}),
        (("a", abs, "s"), {"expected": "maybe"}), (("a", abs, "s"), {"relation": "<"}),
        (("a", abs, "s"), {"needs": {"one-rows"}}),
    ]:
        try:
            kind(*arguments, **options)
        except tt.InvalidInput as error:
            assert error.got and error.wanted and error.fix, error
        else:
            raise AssertionError((kind, arguments, options))
    for needs in ("one-row", {"one-row"}, ["one-row"]):
        assert kind("a", abs, "s", needs=needs).needs == frozenset({"one-row"})
"""


def test_both_doors_refuse_the_same():
    """In a process of its own, where no type checker stands before the door."""
    done = subprocess.run([sys.executable, "-c", DOORS], capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "field", [{"relation": "="}, {"step": abs}, {"problem": abs}], ids=lambda field: next(iter(field))
)
def test_a_bound_is_an_inequality_for_every_old_and_new(field):
    (name,) = field
    with pytest.raises(tt.InvalidInput, match=rf"got {name} = .* for the bound mine/b; .*fix: write a Claim"):
        bounds.Bound("mine/b", abs, "s", **field)
    assert tt.Claim("mine/b", abs, "s", **field).id == "mine/b"


def test_fields_may_be_given_by_position():
    made = tt.Claim("mine/a", abs, "s", "t", None, "=", "open", "S", abs)
    assert (made.relation, made.expected, made.provenance, made.step) == ("=", "open", "S", abs)
    bound = bounds.Bound("mine/b", abs, "s", "t", None, False, "M", abs, True)
    assert (bound.expected, bound.provenance, bound.shift, bound.small_only) == (False, "M", abs, True)
    assert (bound.relation, bounds.Bound("mine/b", abs, "s").provenance) == (">=", "D")


def test_records_of_the_same_content_are_two_records():
    """They are keys, and an array that one is compared with must not be."""
    for kind in (tt.Claim, bounds.Bound):
        one, other = kind("mine/b", abs, "s"), kind("mine/b", abs, "s")
        assert one != other
        assert len({one, other}) == 2


def test_a_misspelt_quantity_is_named_with_its_line():
    wrong = bounds.Bound("mine/typo", lambda q: q.max_abs_advantge * q.max_tv, "s")
    mine = tt.claim("mine/typo", statement="s")(lambda q: q.max_abs_advantge * q.max_tv)
    for record in (wrong, mine):
        with pytest.raises(
            ClaimFailed, match=r"max_abs_advantge.*did you mean max_abs_advantage.*\(line \d+: .*lambda q"
        ):
            Screen(record)


def test_unknown_ids_and_patterns():
    assert list(bounds.all_bounds.matching("pirotta/*")) == ["pirotta/span", "pirotta/q", "pirotta/q-signed"]
    assert bounds.all_bounds.get("nobody/knows") is None
    with pytest.raises(tt.InvalidInput, match="did you mean 'pirotta/span'"):
        bounds.all_bounds["pirotta/spam"]


def test_a_catalogue_and_a_bound_are_asked_for_what_they_have():
    """Other types than names, functions and steps are one message, and `get` has its default."""
    bound = bounds.get("trpo/tv")
    for call in (
        lambda: bounds.catalogue.matching(3),
        lambda: bounds.catalogue.where("trpo/*"),
        lambda: bounds.catalogue.to_frame(["penalities"]),
        lambda: bounds.catalogue[["trpo/tv"]],
        lambda: bound.check(None),
    ):
        with pytest.raises(tt.InvalidInput):
            call()
    assert bounds.catalogue.get(["trpo/tv"]) is None
    assert list(bounds.catalogue.to_frame(["source"]).columns) == ["id", "source"]
