"""How a file of a format that is not read here becomes one that is."""

from __future__ import annotations

from pathlib import Path

_LOADED_BY = {
    **dict.fromkeys((".pkl", ".pickle", ".p", ".pk"), "pickle.loads(pathlib.Path({}).read_bytes())"),
    **dict.fromkeys((".joblib", ".sav"), "joblib.load({})"),
    **dict.fromkeys((".pt", ".pth", ".ckpt"), "torch.load({})"),
}
"""What reads a file that may run code when it is read, by suffix."""
_ARCHIVES = frozenset({".zip", ".gz", ".bz2", ".xz", ".tar", ".tgz", ".7z"})
_LISTS = frozenset({".tra", ".lab", ".drn", ".prism", ".pm", ".nm", ".jani", ".txt", ".dat", ".tsv", ".xlsx", ".xls"})
"""Of transitions as other programs, or people, write them."""


def conversion(path: Path, what: str) -> str | None:
    """What to do about a file whose suffix is none of those that are read; None for one that says nothing.

    Args:
        path: the file.
        what: "an MDP" or "a policy".
    """
    suffix = path.suffix.lower()
    if suffix in _LOADED_BY:
        held = _LOADED_BY[suffix].format(repr(str(path)))
        passed = {
            "an MDP": f"pass what it holds in Python: trpo_theory.load({held}, gamma=0.99)",
            "a policy": f"save its array in Python: numpy.save('policy.npy', {held})",
        }
        trusted = "a pickle can run any code when it is read, so that none is read here; if you trust it, "
        return trusted + passed[what] if what in passed else None
    if suffix in _ARCHIVES:
        return "unpack it, and name the file in it"
    if what != "an MDP":
        return None
    if suffix == ".npy":
        return "it has one array, an MDP several: numpy.savez('mdp.npz', transition=..., reward=..., gamma=..., initial=...)"
    if suffix in _LISTS:
        return "write a .csv with the header state,action,successor,probability,reward, and one transition a line"
    return None
