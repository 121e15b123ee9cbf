"""Arrays of other libraries, by every way in: the numbers are those of the NumPy array that they were made of."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import trpo_theory as tt
from trpo_theory.entries.foreign import native
from trpo_theory.errors import InvalidInput
from trpo_theory.integrations import record
from trpo_theory.io import from_mdptoolbox, from_quantecon, from_triplets, run_of
from trpo_theory.model.policy import greedy, softmax

P = np.array([[[0.5, 0.5], [1.0, 0.0]], [[0.0, 1.0], [0.25, 0.75]]])
R = np.array([[1.0, 2.0], [3.0, 4.0]])
POLICY = np.array([[0.5, 0.5], [0.25, 0.75]])
MDP = tt.FiniteMDP(P, R, 0.5)


class ByDLPack:
    """An array of a library that has the protocol alone."""

    def __init__(self, array):
        self._array = np.asarray(array)
        self.shape, self.dtype = self._array.shape, self._array.dtype

    def __dlpack__(self, **options):
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


class ByArray:
    """An array of a library that has `__array__` alone."""

    def __init__(self, array):
        self._array = np.asarray(array)

    def __array__(self, dtype=None, copy=None):
        return np.array(self._array, dtype=dtype)


class OnDevice(ByArray):
    """As CuPy's: it is not copied to the CPU without being asked."""

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Implicit conversion to a NumPy array is not allowed")

    def get(self):
        return self._array


def tensor(array):
    torch = pytest.importorskip("torch")
    return torch.tensor(np.asarray(array))


def with_gradient(array):
    torch = pytest.importorskip("torch")
    return torch.tensor(np.asarray(array, dtype=float), requires_grad=True)


FORMS = {
    "torch": tensor,
    "torch with gradient": with_gradient,
    "a result of torch": lambda array: 1 * with_gradient(array),
    "torch, transposed": lambda array: tensor(np.swapaxes(np.asarray(array), 0, -1)).transpose(0, -1),
    "list of torch": lambda array: [tensor(row) for row in np.asarray(array)],
    "DLPack": ByDLPack,
    "list of DLPack": lambda array: [ByDLPack(row) for row in np.asarray(array)],
    "__array__": ByArray,
    "objects": lambda array: np.asarray(array).astype(object),
    "object array of arrays": lambda array: cell(list(np.asarray(array))),
}


def cell(matrices, shape=None):
    """A NumPy array of objects, as `scipy.io.loadmat` makes it of a cell."""
    found = np.empty(len(matrices), dtype=object)
    for place, matrix in enumerate(matrices):
        found[place] = matrix
    return found.reshape(shape or (len(matrices),))


WAYS = {
    "transition": lambda made: tt.FiniteMDP(made(P), R, 0.5),
    "reward": lambda made: tt.FiniteMDP(P, made(R), 0.5),
    "reward of transitions": lambda made: tt.FiniteMDP(P, made(np.repeat(R[:, :, None], 2, axis=2)), 0.5),
    "cost": lambda made: tt.FiniteMDP(P, made(tt.FiniteMDP(P, R, 0.5, costs={"c": made(R)}).costs["c"]), 0.5),
    "mdptoolbox": lambda made: from_mdptoolbox(made(P.transpose(1, 0, 2)), R, 0.5),
    "mdptoolbox's reward": lambda made: from_mdptoolbox(
        P.transpose(1, 0, 2), made(np.repeat(R.T[:, :, None], 2, 2)), 0.5
    ),
    "quantecon": lambda made: from_quantecon(type("D", (), {"Q": made(P), "R": made(R), "beta": 0.5})()),
    "mapping": lambda made: tt.load({"transition": made(P), "reward": made(R), "gamma": 0.5, "initial": [0.5, 0.5]}),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("way", WAYS)
def test_an_mdp_of_arrays_of_another_library(way, form):
    assert (tt.optimal(WAYS[way](FORMS[form])).value == tt.optimal(MDP).value).all()


@pytest.mark.parametrize("form", FORMS)
def test_policies_logits_and_vectors_of_another_library(form):
    made = FORMS[form]
    right = tt.evaluate(MDP, POLICY).expected_return
    assert tt.evaluate(MDP, made(POLICY)).expected_return == right
    assert tt.evaluate(MDP, tt.load_policy(made(POLICY), MDP)).expected_return == right
    assert tt.compare(MDP, made(POLICY), made(POLICY)).expected_return_new == right
    assert (softmax(made(R)) == softmax(R)).all()
    assert (greedy(made(R)) == greedy(R)).all()
    run = run_of(made(np.stack([POLICY, POLICY])), MDP)
    assert (run.policies == POLICY).all()
    assert (record([made(POLICY), made(POLICY)], MDP).policies == POLICY).all()
    initial = np.array([0.25, 0.75])
    if form not in ("list of torch", "list of DLPack", "object array of arrays"):
        assert tt.FiniteMDP(P, R, 0.5, made(initial)).initial.tolist() == [0.25, 0.75]
        vectors = [made(np.array(one)) for one in ([0, 1], [0, 0], [1, 0], [1.0, 1.0], [1.0, 2.0])]
        value = tt.optimal(from_triplets(*vectors, 0.5)).value
        np.testing.assert_allclose(
            value, [(1 + 1) / 0.75, (2 + 0.5) / 0.75], rtol=1e-14
        )  # V0 = 1 + V1/2, V1 = 2 + V0/2


@pytest.mark.parametrize("form", [tensor, with_gradient, ByDLPack, ByArray, np.array])
def test_numbers_of_no_axes(form):
    assert tt.FiniteMDP(P, R, form(0.5)).gamma == 0.5


def test_formats_of_torch_have_their_tolerance():
    torch = pytest.importorskip("torch")
    for dtype, off in ((torch.float32, 1e-7), (torch.float16, 1e-3), (torch.bfloat16, 1e-2)):
        rows = torch.softmax(torch.tensor([[0.1, 0.7, 0.3], [1.0, 2.0, 5.0]], dtype=torch.float64), 1).to(dtype)
        wide = rows.double().numpy()
        mdp = tt.FiniteMDP(np.full((2, 3, 2), 0.5), np.zeros((2, 3)), 0.5)
        got = tt.load_policy(rows, mdp)
        np.testing.assert_allclose(got, wide / wide.sum(1, keepdims=True), rtol=1e-14)
        assert np.abs(wide.sum(1) - 1).max() < off
        assert record([rows, rows], mdp).updates == 1


def test_sparse_and_conjugate_tensors():
    torch = pytest.importorskip("torch")
    assert (native(torch.tensor(P).to_sparse(), "x") == P).all()
    assert tt.evaluate(MDP, torch.tensor(POLICY).to_sparse()).value.shape == (2,)
    with pytest.raises(InvalidInput, match=r"complex numbers.*np.real"):
        tt.FiniteMDP(P, torch.tensor(R + 0j).conj(), 0.5)


def test_tensors_without_data_are_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(
        InvalidInput, match=r"policy, a torch Tensor whose numbers cannot be read .*detach\(\).cpu\(\).numpy\(\)"
    ):
        tt.evaluate(MDP, torch.empty(2, 2, device="meta"))


def test_arrays_on_a_device_are_refused_with_advice_that_works():
    reward = OnDevice(R)
    with pytest.raises(InvalidInput, match=r"cannot be read \(Implicit conversion") as caught:
        tt.FiniteMDP(P, reward, 0.5)
    advised = eval(caught.value.fix.rpartition(": ")[2], {"reward": reward})
    assert (tt.FiniteMDP(P, advised, 0.5).reward == R).all()


# --- cells and tables --------------------------------------------------------------------------------------------

MATRICES = [P[:, 0], P[:, 1]]
CELLS = {
    "dense": cell(MATRICES),
    "a row": cell(MATRICES, (1, 2)),
    "a column": cell(MATRICES, (2, 1)),
    "sparse": cell([sp.csc_array(one) for one in MATRICES], (1, 2)),
    "matrices of SciPy": cell([sp.csr_matrix(one) for one in MATRICES]),
    "one of each": cell([MATRICES[0], sp.csr_array(MATRICES[1])]),
    "matrices of NumPy": cell([np.asmatrix(one) for one in MATRICES]),
    "lists": cell([one.tolist() for one in MATRICES]),
    "tables": [pd.DataFrame(one) for one in MATRICES],
    "a dict": dict(enumerate(MATRICES)),
    "a dict of sparse": {a: sp.csr_array(one) for a, one in enumerate(MATRICES)},
    "a tuple": tuple(MATRICES),
}


@pytest.mark.parametrize("form", CELLS)
def test_cells_of_matrices(form):
    mdp = from_mdptoolbox(CELLS[form], R, 0.5)
    np.testing.assert_allclose(tt.optimal(mdp).value, tt.optimal(MDP).value, rtol=1e-14)
    rewards = {"a dict": {a: R[:, a] for a in range(2)}}.get(
        form, cell([np.repeat(R[:, [a]], 2, axis=1) for a in range(2)])
    )
    if form != "a dict":
        mdp = from_mdptoolbox(CELLS[form], rewards, 0.5)
        np.testing.assert_allclose(tt.optimal(mdp).value, tt.optimal(MDP).value, rtol=1e-14)


def test_lists_of_sparse_matrices_are_written_out():
    assert (tt.FiniteMDP([sp.csr_array(one) for one in P], R, 0.5).transition == P).all()
    assert tt.evaluate(MDP, sp.csr_array(POLICY)).expected_return == tt.evaluate(MDP, POLICY).expected_return


def test_what_NumPy_saved_of_an_object(tmp_path):
    fields = {"transition": P, "reward": R, "gamma": 0.5, "initial": np.array([1.0, 0.0])}
    np.save(tmp_path / "mdp.npy", fields)
    with pytest.raises(InvalidInput, match=r"savez\('mdp.npz'"):
        tt.load(tmp_path / "mdp.npy")
    assert tt.load(np.load(tmp_path / "mdp.npy", allow_pickle=True)).states == 2
    np.savez(tmp_path / "mdp.npz", **fields)
    with np.load(tmp_path / "mdp.npz") as arrays:
        assert (tt.load(arrays).transition == P).all()


# --- what is wrong, and advice that is followed to the letter -------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([[1.0, 2.0], [3.0]], "rows of 1 entries and of 2 entries"),
        ([[1.0, 2.0], 3.0], "rows of 2 entries and of a number"),
        ([[1.0, None], [3.0, 4.0]], r"None, a NoneType, at \[0, 1\]"),
        ([["1", "2"], ["3", "x"]], "the text '1'"),
        (
            [[10**400, 1], [0, 0]],
            r"the number 100000000000... \(401 characters\) in reward at \[0, 0\], which is beyond",
        ),
        ([[Fraction(10**400), 1], [0, 0]], "beyond the range of floats"),
        ({"a": 1.0}, "a dict"),
        (R + 1j, "np.real"),
        (sp.csr_array(R), r"toarray\(\)"),
        (R.astype("datetime64[s]"), "dates or times"),
        (np.rec.fromarrays([R[:, 0], R[:, 1]], names="left,right"), r"one field, reward\['left'\]"),
        (np.zeros((2, 2), dtype="V2"), "float32"),
    ],
    ids=lambda x: type(x).__name__,
)
def test_what_is_wrong_with_an_array_is_said(value, said):
    with pytest.raises(InvalidInput, match=said):
        tt.FiniteMDP(P, value, 0.5)


@pytest.mark.parametrize("value", [R + 0j, sp.csr_array(R), np.rec.fromarrays([R[:, 0], R[:, 1]], names="left,right")])
def test_the_advice_about_an_array_works(value):
    with pytest.raises(InvalidInput) as caught:
        tt.FiniteMDP(P, value, 0.5)
    advised = caught.value.fix.removeprefix("pass one field, ").removeprefix("pass ").partition(" if ")[0]
    reward = eval(advised, {"reward": value, "np": np})
    assert tt.FiniteMDP(P, reward, 0.5).states == 2


def test_advice_about_rows_that_are_none_works():
    """Nested lists with None for an action that cannot be taken, as in a textbook."""
    rows = [[[0.5, 0.5], [1.0, 0.0]], [[0.0, 1.0], None]]
    with pytest.raises(InvalidInput, match=r"None in place of a row.*row of zeros.*available="):
        tt.FiniteMDP(rows, R, 0.5)
    rows[1][1] = [0.0, 0.0]
    mdp = tt.FiniteMDP(rows, R, 0.5, available=[[True, True], [True, False]])
    np.testing.assert_allclose(
        tt.optimal(mdp).value, [4.0, 6.0], rtol=1e-14
    )  # V0 = max(1 + V0/4 + 3/2, 2 + V0/2), V1 = 3 + V1/2
