"""Files of MATLAB (.mat), in the convention of the MDPtoolbox."""

from __future__ import annotations

from pathlib import Path

from trpo_theory.io.matlab import read_mat
from trpo_theory.loading.reader import Reader, Source
from trpo_theory.model.types import RealLike


class Matlab(Reader):
    """See `trpo_theory.io.matlab.read_mat`."""

    suffixes: tuple[str, ...] = (".mat",)

    def read(self, source: Path, gamma: RealLike | None) -> Source:
        """The MDP of a file; `gamma` overrides its discount."""
        return Source(read_mat(source, gamma))


READER: Reader = Matlab()
