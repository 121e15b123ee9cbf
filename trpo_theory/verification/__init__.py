"""Verdicts on claims: `verify`, `falsify`, and large runs in tasks with seeds of their own, with the directory they leave."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"run_directory": ["RunDirectory", "read_run"], "tally": ["Kept", "Tally", "merged"]}
)
