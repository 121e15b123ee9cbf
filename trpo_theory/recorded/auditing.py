"""`audit`: the exact quantities of every update of a recorded run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from trpo_theory import bounds
from trpo_theory._checks import number_between
from trpo_theory.entries.kinds import FUNCTION, TRUTH, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.io.runs import Run, run_of
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.types import RealLike
from trpo_theory.recorded.certificates import CERTIFICATES, AuditedCertificate, certificates
from trpo_theory.recorded.chains import Chains, Steps
from trpo_theory.recorded.exact import exact_updates
from trpo_theory.recorded.idle import held, idle_states
from trpo_theory.recorded.record import Audit, AuditedBound, checked_target
from trpo_theory.solve.control import optimal

_OF_STEP = (
    *("expected_return_old", "expected_return_new", "surrogate", "surrogate_gain", "max_kl", "reverse_max_kl"),
    *("mean_kl", "reverse_mean_kl", "max_tv", "max_abs_advantage", "return_rounding"),
)
_OF_BOUND = ("penalty", "lower_bound", "slack", "holds")
_ROUNDING = 1e-12
"""Relative to the largest value: a bound closer than this to the worst return does not count as below it.

Chosen: some thousand roundings, as an evaluation of a hundred states has them.
"""


def audit(
    mdp: FiniteMDP | Run,
    policies: RealLike | None = None,
    *,
    target: RealLike | None = None,
    logged: Mapping[str, RealLike] | None = None,
    hold_idle: bool = False,
    certify: bool = True,
    rtol: float = 1e-9,
    advance: Callable[[], None] = lambda: None,
) -> Audit:
    """Audit a training run: η, L, the divergences and every bound of each update, beside the exact updates.

    Update k goes from policies[k] to policies[k + 1]. Each policy is evaluated once; all numbers are
    computed from the definitions of docs/theory.md, "Setting and notation", none taken from the run's log.

    Args:
        mdp: the MDP of the training, or a whole `Run` (from `io.read_run` or a recorder).
        policies: shape (T, S, A), T ≥ 2, first to last; float32 rows are renormalised.
        target: the mean-KL that the run aimed at, nats; by default the logged `target_kl`, if it is constant.
        logged: numbers logged for the updates, by name, (T − 1,) each; kept beside the exact ones.
        hold_idle: whether to replace both policies of an update by the uniform one in states where no action matters (as
            after the end of an episode). Returns and surrogates stay the same, divergences there become 0, and the bounds,
            which hold for the replaced policies too, get tighter. By default all states count, as in the definitions.
        certify: whether to say which updates the chi-square bounds certify, and how much of the others: some ten evaluations of
            each bound for every update that is not certified.
        rtol: the largest relative gap of an exact update; where it is exceeded, the entry is NaN.
        advance: called after each update, for a progress bar.

    Returns:
        An `Audit`.

    Raises:
        InvalidInput: for arrays that are not policies of this MDP, or a run with one policy.

    >>> mdp = FiniteMDP([[[1.0], [1.0]]], [[0.0, 1.0]], 0.5)
    >>> audit(mdp, [[[0.5, 0.5]], [[0.4, 0.6]], [[0.7, 0.3]]]).decreases
    1
    """
    expect(TRUTH, hold_idle=hold_idle, certify=certify)
    expect(FUNCTION, advance=advance)
    rtol = number_between(rtol, "rtol", 0.0, 1.0)
    run = _as_run(mdp, policies, logged)
    aim = _logged_target(run) if target is None else checked_target(target)
    lowest, highest, floor = _returns(run.mdp)
    chains, idle = Chains(run.mdp), idle_states(run.mdp)
    policies = held(run.policies, run.mdp) if hold_idle else run.policies
    parts, certified = [], []
    for q in chains.steps(policies):
        parts.append(_audited(chains, q, idle, floor, rtol, advance))
        certified += [certificates(q)] if certify else []
    return Audit(
        **{name: np.concatenate([part[name] for part, _ in parts]) for name in parts[0][0]},
        bounds={name: _joined(name, [found[name] for _, found in parts]) for name in parts[0][1]},
        certificates=_certificates(certified),
        worst_return=lowest,
        best_return=highest,
        gamma=float(run.mdp.gamma),
        held=hold_idle,
        target=aim,
        logged=run.logged,
        about=run.about,
        renormalised=run.renormalised,
    )


def _returns(mdp: FiniteMDP) -> tuple[float, float, float]:
    """The worst and the best return of a policy, and what is below the worst by more than rounding."""
    best, worst = optimal(mdp), optimal(_negated(mdp))
    lowest, highest = 0.0 - float(worst.expected_return), float(best.expected_return)
    size = max(float(np.abs(worst.value).max()), float(np.abs(best.value).max()))
    return lowest, highest, lowest - _ROUNDING * size


def _certificates(parts: list[dict[str, Any]]) -> dict[str, AuditedCertificate]:
    """Of all updates, by the bound's id, from batches of updates; empty where there are none."""
    names = CERTIFICATES if parts else ()
    return {name: AuditedCertificate(name, *_columns([found[name] for found in parts])) for name in names}


def _audited(
    chains: Chains, q: Steps, idle: np.ndarray, floor: float, rtol: float, advance: Callable[[], None]
) -> tuple[dict[str, np.ndarray], dict[str, tuple[np.ndarray, ...]]]:
    """The columns of a batch of updates, and for each bound those of an `AuditedBound`."""
    count = q.batch_shape[0]
    columns = {name: _full(getattr(q, name), count) for name in _OF_STEP}
    columns["idle_occupancy"] = _full(q.occupancy_old[idle].sum(0), count)
    columns["acting_mean_kl"] = q.mean_over(~idle, q.kl)
    columns["reverse_acting_mean_kl"] = q.mean_over(~idle, q.reverse_kl)
    exact = exact_updates(q, rtol)
    columns |= {"exact_mean_kl_gain": exact.mean_kl_gain, "exact_mean_kl_gap": exact.mean_kl_gap}
    after = np.asarray(chains.of(exact.policies).expected_return)
    columns["exact_mean_kl_return"] = np.where(np.isnan(exact.mean_kl_gain), np.nan, after)
    columns["exact_max_kl_gain"] = exact.max_kl_gain
    found = {}
    for check in bounds.check_all(q):
        numbers = [_full(getattr(check, name), count) for name in _OF_BOUND]
        found[check.id] = (*numbers, numbers[1] < floor)
    for _ in range(count):
        advance()
    return columns, found


def _joined(name: str, parts: list[tuple[np.ndarray, ...]]) -> AuditedBound:
    """One bound over all updates, from the columns of each batch."""
    return AuditedBound(name, *_columns(parts))


def _columns(parts: list[tuple[np.ndarray, ...]]) -> Iterator[np.ndarray]:
    return (np.concatenate(column) for column in zip(*parts, strict=True))


def _full(value: RealLike, count: int) -> np.ndarray:
    return np.broadcast_to(np.asarray(value), (count,)).copy()


def _as_run(mdp: FiniteMDP | Run, policies: RealLike | None, logged: Mapping[str, RealLike] | None) -> Run:
    if not isinstance(mdp, Run):
        if policies is None:
            raise InvalidInput(
                got="an MDP without policies",
                wanted="audit(mdp, policies), or audit(run)",
                fix="pass the policies (T, S, A)",
            )
        return run_of(policies, mdp, logged=logged)
    if policies is not None or logged is not None:
        raise InvalidInput(
            got="a Run, and policies or logged numbers beside it",
            wanted="one or the other",
            fix="write audit(run), or audit(run.mdp, policies, logged=...)",
        )
    return mdp


def _logged_target(run: Run) -> float | None:
    """The target_kl that the run logged, if it is the same for all updates."""
    said = run.logged.get("target_kl")
    if said is None or not len(said) or not (said == said[0]).all() or not said[0] > 0:
        return None
    return float(said[0])


def _negated(mdp: FiniteMDP) -> FiniteMDP:
    """The MDP with the negated reward: its best policy is the worst one of `mdp`."""
    return FiniteMDP(mdp.transition, -mdp.reward, mdp.gamma, mdp.initial, available=mdp.available)
