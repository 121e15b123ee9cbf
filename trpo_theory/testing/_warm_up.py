"""The first evaluation of a process, made when a strategy is and not inside a test, whose deadline is 200 ms."""

from __future__ import annotations

import functools


@functools.cache
def warm_up() -> None:
    """Evaluate every bound on one step and load all claims, so that whatever is loaded when it is first used is there."""
    from trpo_theory import bounds, claims, zoo
    from trpo_theory.step.quantities import compare

    step = zoo.coupling_tight(gamma=0.5, x=0.25)
    bounds.check_all(compare(step.mdp, step.old, step.new))
    claims.get("coupling/tv")
