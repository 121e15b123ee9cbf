"""Distinct numbers against `np.unique`."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from trpo_theory.search.distinct import distinct, known_among, places_of_distinct


@pytest.mark.parametrize("count", [0, 1, 2, 50])
@pytest.mark.parametrize("kind", [float, int, np.uint64])
def test_it_is_what_numpy_finds(count, kind):
    values = np.random.default_rng(count).integers(0, 9, count).astype(kind)
    wanted, places = np.unique(values, return_index=True)
    np.testing.assert_array_equal(distinct(values), wanted)
    np.testing.assert_array_equal(places_of_distinct(values), places)


@pytest.mark.parametrize("count", [0, 1, 40])
def test_what_is_known_is_what_numpy_finds_in_it(count):
    generator = np.random.default_rng(count)
    values, known = generator.integers(0, 50, 100), generator.integers(0, 50, count)
    assert (known_among(values, known) == np.isin(values, known)).all()


def test_infinities_are_numbers():
    values = np.array([np.inf, 1.0, -np.inf, np.inf])
    np.testing.assert_array_equal(places_of_distinct(values), [2, 1, 0])


def test_a_verb_on_claims_imports_neither_masked_arrays_nor_readers_of_files():
    code = "import sys, trpo_theory as tt; tt.verify('trpo/tv', instances=2000); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert "trpo_theory.search.screen" in imported
    assert imported.isdisjoint({"numpy.ma", "trpo_theory.io.cassandra", "trpo_theory.search.apart", "pandas", "scipy"})
