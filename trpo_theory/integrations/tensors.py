"""What a recorder needs to know of tensors and distributions of PyTorch or JAX, without importing either."""

from __future__ import annotations

from typing import Any, Protocol


class Tensor(Protocol):
    """Anything that NumPy can read: a JAX array, a PyTorch tensor."""

    def __array__(self) -> Any:
        """The NumPy array."""
        ...


class Distribution(Protocol):
    """A categorical distribution for each state, as `torch.distributions.Categorical`."""

    @property
    def probs(self) -> Any:
        """The probabilities, (S, A)."""
        ...
