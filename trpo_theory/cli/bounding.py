"""`bound`: every lower bound on the return of a new policy."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trpo_theory.cli.options import (
    CHECK_FAILED,
    OK,
    UNDECIDED,
    CriterionOption,
    GammaOption,
    HorizonOption,
    JsonOption,
    LatexOption,
    MdpArgument,
    OldOption,
    StrictOption,
    TemperatureOption,
    app,
    expect_one_form,
)
from trpo_theory.cli.output import (
    busy,
    digits,
    discount_words,
    opened,
    policy_of,
    print_fields,
    print_json,
    print_latex,
    setting_words,
)
from trpo_theory.cli.terminal import literal, new_console, print_table

if TYPE_CHECKING:
    import numpy as np
    from rich.console import Console

    from trpo_theory.bounds import BoundCheck
    from trpo_theory.loading.sources import Source
    from trpo_theory.proofs.certified_bounds import CertifiedBound
    from trpo_theory.sharp.of_step import SharpOfStep
    from trpo_theory.step.quantities import Quantities
    from trpo_theory.updates.step_certificate import StepCertificate

_QUANTITIES = (
    *("expected_return_old", "expected_return_new", "surrogate", "max_kl", "reverse_max_kl"),
    *("mean_kl", "max_tv", "reverse_max_chi2", "max_abs_advantage", "rms_advantage"),
)
"""Of a step, which `bound` shows."""
_NO_WORST = "sharp: nothing to say: no distance, or an infinite one, or no beta > 0 with P >= beta nu"


CertifyOption = Annotated[
    bool, typer.Option("--certify", help="Prove each, in exact rationals and balls: decimals of a text, or floats.")
]
SharpOption = Annotated[
    bool,
    typer.Option(
        "--sharp",
        help="Add the worst case over all MDPs with the same gamma, steps, epsilon and distance; minutes for 100 steps.",
    ),
]


@app.command(epilog="Example:  trpo-theory bound 'zoo:coupling-tight?x=1/4' --gamma 1/2 --old old --new new --certify")
def bound(
    mdp: MdpArgument,
    old: OldOption,
    new: Annotated[str, typer.Option(metavar="POLICY", help="The candidate.")],
    gamma: GammaOption = None,
    certify: CertifyOption = False,
    criterion: CriterionOption = None,
    horizon: HorizonOption = None,
    temperature: TemperatureOption = None,
    sharp: SharpOption = False,
    strict: StrictOption = False,
    as_json: JsonOption = False,
    latex: LatexOption = False,
) -> int:
    """Every lower bound on the return of a new policy, with its slack: those of the criterion, horizon and temperature.

    With --certify the sign of each slack is proved, and hypotheses are exact too: what is an equality up to rounding is none.
    """
    expect_one_form(json=as_json, latex=latex)
    with busy("solving"):
        from trpo_theory import bounds
        from trpo_theory.proofs.certified_bounds import check_certifiable
        from trpo_theory.step.quantities import compare
        from trpo_theory.updates.step_certificate import certificate

        source = opened(mdp, gamma, criterion)
        if certify:
            check_certifiable(source.mdp)
        setting: dict[str, Any] = {"criterion": criterion, "horizon": horizon, "temperature": temperature}
        policies = [policy_of(one, source, name, **setting) for one, name in ((old, "old policy"), (new, "new policy"))]
        q = compare(source.mdp, *policies, **setting)
        fields: dict[str, Any] = {name: getattr(q, name) for name in _QUANTITIES}
        rows = [_row(check) for check in bounds.check_all(q)]
        found = None if certify or as_json or latex or not rows else certificate(q)
        worst = _worst(q) if sharp else []
    held_back = [bound.id for bound in bounds.catalogue.values() if bound.reads(q)]
    if found is not None and (left_out := [name for name in held_back if name not in found.promises]):
        print(f"note: left out for so many states: {', '.join(left_out)}", file=sys.stderr)
    if certify:
        rows = _proved(source, {"old": old, "new": new}, policies, q, setting)
    held = [row["holds"] for row in rows]
    status = CHECK_FAILED if False in held else UNDECIDED if None in held else OK
    if as_json:
        print_json({**fields, "bounds": rows} | ({"sharp": [one.to_fields() for one in worst]} if sharp else {}))
        return status
    words = (
        f"{mdp}: from {old} to {new}"
        f"{discount_words(criterion, source.mdp.gamma)}{setting_words(q.criterion.name, horizon, temperature)}"
    )
    if latex:
        _print_latex(words, fields, rows, [one.to_fields() for one in worst], certify)
        if sharp and not worst:
            print(f"note: {_NO_WORST}", file=sys.stderr)
        return status
    console = new_console()
    console.print(literal(words))
    print_fields(console, fields)
    if rows:
        _print_bounds(console, rows, certify)
    else:
        _print_no_bounds(console, q.criterion.name)
    if found is not None:
        console.print(_promise(found))
    if sharp:
        _print_worst(console, worst)
    return status


def _print_latex(
    words: str, fields: dict[str, Any], rows: list[dict[str, Any]], worst: list[dict[str, Any]], certify: bool
) -> None:
    from trpo_theory.report.step_tables import bounds_table, quantities_table, worst_case_table

    print_latex(
        quantities_table(fields, caption="The step", setting=words, label="tab:step"),
        *([bounds_table(rows, setting=words, proved=certify, shifted=_shifted(rows))] if rows else []),
        *([worst_case_table(worst, setting=words)] if worst else []),
    )


def _print_no_bounds(console: Console, criterion: str) -> None:
    console.print("no bound of the catalogue is of this setting (docs/which-theorem.md has those of each)")
    if criterion == "episodic":
        console.print(
            "up to an end runs may be as long as they like, and no penalty in a divergence and max |A| alone is enough:\n"
            "give --horizon T for the bounds of T steps"
        )


def _worst(q: Quantities) -> list[SharpOfStep]:
    """The sharp constants in the two distances that most bounds are written in."""
    from trpo_theory.sharp.of_step import sharp_of_step

    found = [sharp_of_step(q, name) for name in ("max-tv", "max-kl")]
    return [one for one in found if one is not None]


def _print_worst(console: Console, worst: list[SharpOfStep]) -> None:
    """Of all penalties that read no more of a step, the least that is one."""
    for one in worst:
        gap = one.gap
        where = f"gamma {digits(gap.gamma)}" + f", {gap.horizon} steps" * (gap.horizon is not None)
        if one.share < 1:
            where = f"beta {digits(one.share)} (P >= beta nu, Doeblin)"
        console.print(
            f"sharp in {gap.divergence}: over all MDPs with {where}, this epsilon and {gap.divergence} {digits(gap.radius)}, "
            f"L - eta(new) is at most {digits(one.upper, 6)}, and {digits(one.lower, 6)} somewhere (in floats)",
            markup=False,
            highlight=False,
        )
    if not worst:
        console.print(_NO_WORST)


def _proved(
    source: Source, words: dict[str, str], policies: list[np.ndarray], q: Quantities, setting: dict[str, Any]
) -> list[dict[str, Any]]:
    """A row a bound, decided; which ones cost too much is a note."""
    from trpo_theory.loading.sources import exact_step
    from trpo_theory.proofs.certified_bounds import COSTLY_STATES, certify_bounds, too_costly

    if costly := too_costly(source.mdp, q):
        print(f"note: left out for more than {COSTLY_STATES} states: {', '.join(costly)}", file=sys.stderr)
    with busy("proving"):
        found = certify_bounds(source.mdp, *policies, exact=exact_step(source, **words), **setting)
    return [_row(one) | {"enclosure": one.enclosure} for one in found]


def _print_bounds(console: Console, rows: list[dict[str, Any]], certify: bool) -> None:
    """A row a bound, and what the shift in the title is."""
    from rich.table import Table

    table = Table("bound", "penalty", "lower bound", "slack", "holds", title="eta(new) >= L + shift - penalty")
    for row in rows:
        least = max(float(row["slack"]), 0.0) if row["holds"] else row["slack"]  # below 0 by no more than rounding: 0
        slack = row["enclosure"] if certify else digits(least, 6)
        table.add_row(row["id"], digits(row["penalty"], 6), digits(row["lower_bound"], 6), slack, _word(row, certify))
    print_table(console, table)
    if shifted := _shifted(rows):
        console.print(f"shift: 0 but for {', '.join(shifted)}")


def _shifted(rows: list[dict[str, Any]]) -> list[str]:
    """Ids of those bounds that have another centre than L."""
    from trpo_theory import bounds

    ids = {row["id"] for row in rows}
    return [bound.id for bound in bounds.catalogue.values() if bound.shift is not None and bound.id in ids]


def _promise(found: StepCertificate) -> str:
    """Whether some bound proves that the step raises the return."""
    return (
        f"certified by {len(found.certified_by) or 'none'} of {len(found.promises)} bounds; "
        f"{found.best} promises most: eta(new) - eta(old) >= {digits(found.promise, 6)}"
    )


def _word(row: dict[str, Any], certify: bool) -> str:
    """What came of a bound; an infinite penalty promises nothing, so that nothing can be said against it."""
    if row["holds"] is None:
        return "[bold yellow]undecided[/]"
    if not row["holds"]:
        return "[bold red]REFUTED[/]" if certify else "[bold red]NO[/]"
    if math.isinf(row["penalty"]):
        return "[dim]says nothing[/]"
    return "proved" if certify else "yes"


def _row(check: BoundCheck | CertifiedBound) -> dict[str, Any]:
    holds = None if check.holds is None else bool(check.holds)
    return {name: getattr(check, name) for name in ("id", "penalty", "lower_bound", "slack")} | {"holds": holds}
