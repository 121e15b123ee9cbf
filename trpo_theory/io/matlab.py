"""MDPs in .mat files, in the convention of the MATLAB MDPtoolbox: P (S, S, A) or a cell of A matrices, R alike or (S, A)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.io._source import existing_file, in_file
from trpo_theory.io.mdptoolbox import from_mdptoolbox
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.types import PathLike, RealLike

_NAMES = {
    "transition": ("P", "T", "transition", "transitions"),
    "reward": ("R", "reward", "rewards"),
    "discount": ("discount", "gamma"),
    "initial": ("initial", "start", "mu0"),
}
"""Of variables; the first of each is the toolbox's."""


def read_mat(path: PathLike, gamma: RealLike | None = None) -> FiniteMDP:
    """The MDP in a .mat file with the variables P and R, and discount, as the MATLAB MDPtoolbox has them.

    P(s' | s, a) = P(s, s', a), an array (S, S, A) or a cell of A matrices (S, S), sparse ones too; R is (S, A), (S, S, A), or a
    cell of matrices. The start is uniform, unless there is a variable initial.

    Source: MDPtoolbox for MATLAB, INRA, mdp_check.

    Args:
        path: the file, of a version before 7.3 (`save -v7`).
        gamma: a discount; it overrides the file's, and is needed if the file has none.

    Raises:
        InvalidInput: naming the file, for one that cannot be read or has no such variables.
    """
    path = existing_file(path, (".mat",), "an MDP")
    with in_file(path.name):
        fields = _fields(path)
        found = {kind: next((fields[name] for name in names if name in fields), None) for kind, names in _NAMES.items()}
        if found["transition"] is None or found["reward"] is None:
            shown = ", ".join(name for name in fields if not name.startswith("__")) or "nothing"
            raise InvalidInput(
                got=f"the variables {shown}",
                wanted="P and R, as the MATLAB MDPtoolbox has them",
                fix="save('mdp.mat', 'P', 'R', 'discount', '-v7') in MATLAB",
            )
        discount = found["discount"] if gamma is None else gamma
        if discount is None:
            raise InvalidInput(
                got="no discount", wanted="a discount in [0, 1)", fix="save discount, too, or pass gamma (--gamma 0.99)"
            )
        initial = None if found["initial"] is None else np.ravel(found["initial"])
        matrices, reward = _by_action(found["transition"]), _by_action(found["reward"])
        return from_mdptoolbox(matrices, reward, np.asarray(discount).item() if gamma is None else discount, initial)


def _by_action(value: Any) -> Any:
    """An array (S, S, A) with the action first; a cell, and R as (S, A), as they are."""
    return np.moveaxis(value, 2, 0) if getattr(value, "ndim", 0) == 3 else value


def _fields(path: Path) -> Mapping[str, Any]:
    from scipy.io import loadmat

    try:
        return loadmat(path, spmatrix=False)
    except NotImplementedError:
        raise InvalidInput(
            got="a .mat file of version 7.3, which is HDF5",
            wanted="one of version 7 or earlier",
            fix="save it again in MATLAB with the option '-v7'",
        ) from None
    except Exception as error:  # of a damaged file SciPy raises all kinds of errors
        raise InvalidInput(
            got=f"a file that cannot be read as .mat ({' '.join(str(error).split())[:160]})",
            wanted="a whole .mat file as MATLAB or scipy.io.savemat writes it",
            fix="copy or write it again",
        ) from None
