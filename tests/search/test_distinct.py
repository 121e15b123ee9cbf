"""Distinct numbers against `np.unique`."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from trpo_theory.search.distinct import distinct, places_of_distinct


@pytest.mark.parametrize("count", [0, 1, 2, 50])
@pytest.mark.parametrize("kind", [float, int, np.uint64])
def test_it_is_what_numpy_finds(count, kind):
    values = np.random.default_rng(count).integers(0, 9, count).astype(kind)
    wanted, places = np.unique(values, return_index=True)
    np.testing.assert_array_equal(distinct(values), wanted)
    np.testing.assert_array_equal(places_of_distinct(values), places)


def test_infinities_are_numbers():
    values = np.array([np.inf, 1.0, -np.inf, np.inf])
    np.testing.assert_array_equal(places_of_distinct(values), [2, 1, 0])


def test_a_verb_on_claims_imports_neither_masked_arrays_nor_readers_of_files():
    code = "import sys; from trpo_theory.verification import verifying; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert "trpo_theory.search.screen" in imported
    assert imported.isdisjoint({"numpy.ma", "trpo_theory.io.cassandra", "trpo_theory.search.apart", "pandas", "scipy"})
