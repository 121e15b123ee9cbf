"""One number, whatever holds it: arrays and tensors of no axes are their number; what is beyond floats is refused."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory._checks import integer
from trpo_theory.updates.cv import cv_certificate

MDP = tt.FiniteMDP([[[0.5, 0.5], [0, 1]], [[0, 1], [1, 0]]], [[0, 1], [2, 0]], 0.9, [1, 0])
OLD, NEW = np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([[0.25, 0.75], [0.5, 0.5]])
EIGHTH = {
    "array": np.array(0.125),
    "float32": np.float32(0.125),
    "big-endian": np.array(0.125, dtype=">f8"),
    "float16": np.array(0.125, dtype=np.float16),
    "object": np.array(Fraction(1, 8), dtype=object),
    "decimal": Decimal("0.125"),
}
READS = {
    "delta": lambda x: tt.MaxKL(x).delta,
    "mean": lambda x: tt.MeanKL(x).radius,
    "coefficient": lambda x: tt.Penalty(x).coefficient,
    "limit": lambda x: tt.MaxKL(0.1, costs={"fuel": x}).costs["fuel"],
    "c": lambda x: cv_certificate(0.5, x, 1.0, 1.0).c,
    "sd": lambda x: cv_certificate(0.5, 0.1, 1.0, x).sd,
}


@pytest.mark.parametrize("form", EIGHTH)
@pytest.mark.parametrize("read", READS)
def test_a_number_is_read_whatever_holds_it(read, form):
    assert READS[read](EIGHTH[form]) == 0.125


@pytest.mark.parametrize("read", READS)
def test_a_tensor_of_no_axes_is_its_number(read):
    torch = pytest.importorskip("torch")
    assert READS[read](torch.tensor(0.125, requires_grad=True)) == 0.125


def test_an_array_of_no_axes_is_a_count():
    assert integer(np.array(3), "horizon", least=1) == 3
    assert len(tt.improve(MDP, tt.MaxKL(0.01), np.array(2)).steps) == 2
    for value in (np.array([3]), np.array(3.5), np.array(True), np.timedelta64(3)):
        with pytest.raises(tt.InvalidInput):
            integer(value, "horizon", least=1)


@pytest.mark.parametrize("horizon", [10**400, 10**6000], ids=["large", "unwritable"])
def test_a_count_that_cannot_be_written_is_one_message(horizon):
    with pytest.raises(tt.InvalidInput):
        tt.evaluate(MDP, OLD, horizon=horizon)


BEYOND = {
    "large": 10**400,
    "small": -(10**400),
    "unwritable": 10**6000,
    "fraction": Fraction(10**6000, 7),
    "time": np.timedelta64(3),
    "signal": Decimal("sNaN"),
}


@pytest.mark.parametrize("kind", BEYOND)
@pytest.mark.parametrize("read", [*sorted(READS.keys() - {"c"}), "gamma", "temperature", "radius"])
def test_what_is_no_float_is_one_message(read, kind):
    reads = READS | {
        "gamma": lambda x: tt.FiniteMDP(MDP.transition, MDP.reward, x),
        "temperature": lambda x: tt.optimal(MDP, temperature=x),
        "radius": lambda x: tt.sharp_gap("max-tv", 0.5, x),
    }
    with pytest.raises(tt.InvalidInput) as caught:
        reads[read](BEYOND[kind])
    assert len(str(caught.value)) < 1000


def test_a_size_beyond_floats_certifies_nothing():
    """c may be infinite, and so as large as one likes."""
    assert not cv_certificate(0.5, 10**400, 1.0, 1.0).certified
    assert cv_certificate(0.5, 10**400, 1.0, 1.0).c == np.inf


@pytest.mark.parametrize(
    "build",
    [
        lambda: tt.uniform([[1, 2], [1, 1]]),
        lambda: tt.uniform([[True, False], [False, False]]),
        lambda: tt.uniform(True),
        lambda: tt.greedy(3.0),
        lambda: tt.softmax(3.0),
        lambda: tt.improve(MDP, tt.MaxKL(0.01), 1, old=OLD[None]),
        lambda: tt.certify_bounds(MDP, [[0.5, 0.5], [1.0]], NEW),
        lambda: tt.certify_bounds(MDP, OLD[None], NEW),
        lambda: tt.load((np.array(None, dtype=object), MDP.reward), gamma=0.9),
        lambda: tt.audit(MDP, [OLD, NEW], logged={"kl": ["a"]}),
    ],
)
def test_other_shapes_are_one_message(build):
    with pytest.raises(tt.InvalidInput):
        build()


@pytest.mark.parametrize("form", ["fractions", "decimals", "objects"])
def test_logged_numbers_are_read_whatever_holds_them(form):
    values = {"fractions": [Fraction(1, 8)], "decimals": [Decimal("0.125")], "objects": np.array([0.125], dtype=object)}
    assert tt.audit(MDP, [OLD, NEW], logged={"kl": values[form]}, certify=False).logged["kl"].tolist() == [0.125]


def test_logged_tensors_may_have_gradients():
    torch = pytest.importorskip("torch")
    logged = {"kl": [torch.tensor(0.125, requires_grad=True)]}
    assert tt.audit(MDP, [OLD, NEW], logged=logged, certify=False).logged["kl"].tolist() == [0.125]


# --- other things than what is wanted ---------------------------------------------------------------------------

OTHER_THINGS = """
import numpy as np
import trpo_theory as tt

mdp = tt.FiniteMDP([[[0.5, 0.5], [0, 1]], [[0, 1], [1, 0]]], [[0, 1], [2, 0]], 0.9, [1, 0])
old, new = np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([[0.25, 0.75], [0.5, 0.5]])
for call in (
    lambda: tt.evaluate("zoo:forest", old),
    lambda: tt.optimal("zoo:forest"),
    lambda: tt.compare("zoo:forest", old, new),
    lambda: tt.update("zoo:forest", old, tt.MaxKL(0.01)),
    lambda: tt.improve("zoo:forest", tt.MaxKL(0.01), 1),
    lambda: tt.finite_horizon("zoo:forest", 2),
    lambda: tt.certified_step("zoo:forest", old, new, bound="trpo/tv"),
    lambda: tt.certify_bounds("zoo:forest", old, new),
    lambda: tt.load_policy("uniform", "zoo:forest"),
    lambda: tt.update(mdp, old, "max-kl"),
    lambda: tt.improve(mdp, "max-kl", 1),
    lambda: tt.update(mdp, old, tt.MaxKL(0.01), aggregation=[0, 1]),
    lambda: tt.update(mdp, old, tt.MaxKL(0.01), rtol="1e-9"),
    lambda: tt.prove("pinsker/kl", gamma=0.5),
    lambda: tt.certify_bounds(mdp, old, new, ["trpo/no-such"]),
):
    try:
        call()
        print("accepted")
    except tt.InvalidInput as error:
        print(error)
"""
"""In a process without the types that the tests check at run time, as a user's is."""


def test_other_things_than_what_is_wanted_are_one_message():
    done = subprocess.run([sys.executable, "-c", OTHER_THINGS], capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()
    assert [line.startswith("got 'zoo:forest' as the MDP; wanted a FiniteMDP; fix: ") for line in said] == [
        True
    ] * 9 + [False] * 6
    assert all(line.startswith("got ") and "; wanted " in line and "; fix: " in line for line in said)


def test_a_bound_is_named_by_its_id_too():
    by_id = tt.certify_bounds(MDP, OLD, NEW, ["trpo/tv", "coupling/tv"])
    assert by_id == tt.certify_bounds(MDP, OLD, NEW, [tt.bounds["trpo/tv"], tt.bounds["coupling/tv"]])
    assert [one.id for one in by_id] == ["trpo/tv", "coupling/tv"]
