"""The command `audit`, for recorded training runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trpo_theory.cli.options import CHECK_FAILED, OK, GammaOption, JsonOption, StrictOption, app, named
from trpo_theory.cli.output import digits, opened, print_json, progress
from trpo_theory.cli.terminal import new_console, print_table

if TYPE_CHECKING:
    from trpo_theory.io import Run
    from trpo_theory.recorded import Audit

_WORST = 5
"""Updates shown in the last table; chosen."""
_IDLE = 0.01
"""The share of the weight of mean-KL in idle states above which a note is printed; chosen."""
_PER_UPDATE = (
    *("expected_return_old", "expected_return_new", "return_change", "decreased", "surrogate", "surrogate_gain"),
    *("max_kl", "reverse_max_kl", "mean_kl", "reverse_mean_kl", "max_tv", "max_abs_advantage"),
    *("exact_mean_kl_gain", "exact_mean_kl_gap", "exact_mean_kl_return", "exact_max_kl_gain", "idle_occupancy"),
    *("acting_mean_kl", "reverse_acting_mean_kl"),
)
_PER_CERTIFICATE = ("promise", "certified", "share")
_PER_BOUND = ("penalty", "lower_bound", "slack", "holds", "vacuous")


@app.command(
    epilog="Example:  trpo-theory audit run.npz --mdp gym:FrozenLake-v1 --gamma 0.99 --target 0.01 --out audit/"
)
def audit(
    run: Annotated[
        str, typer.Argument(metavar="RUN.npz", help="policies (T, S, A), with the MDP in the file or --mdp.")
    ],
    mdp: Annotated[
        str | None,
        typer.Option("--mdp", metavar="MDP", help="The MDP, if the file has none; as for evaluate.", callback=named),
    ] = None,
    gamma: GammaOption = None,
    target: Annotated[
        str | None, typer.Option("--target", metavar="D", help="The mean-KL that the run aimed at, nats.")
    ] = None,
    hold_idle: Annotated[
        bool,
        typer.Option(
            "--hold-idle", help="Ignore divergences in states where no action matters (after the end of an episode)."
        ),
    ] = False,
    out: Annotated[
        str | None,
        typer.Option(
            "--out", metavar="DIR", help="Write the tables (csv, md, tex, html) and the figure there.", callback=named
        ),
    ] = None,
    strict: StrictOption = False,
    as_json: JsonOption = False,
) -> int:
    """Audit a training run: returns, divergences and bounds of each update, beside the exact updates.

    Updates that lower the return are reported; exit status 1 means that a proved bound failed by more than rounding.
    """
    from trpo_theory.recorded import audit

    recorded = _read(run, mdp, gamma)
    if recorded.renormalised > 0:
        print(
            f"note: rows of the policies were up to {recorded.renormalised:.1e} off 1 and were rescaled",
            file=sys.stderr,
        )
    aim = _target(target)
    if out is not None:
        from trpo_theory.report.table_files import made_directory

        made_directory(out)
    with progress("auditing", recorded.updates) as advance:
        found = audit(recorded, target=aim, hold_idle=hold_idle, advance=advance)
    if out is not None:
        from trpo_theory.report.audit_tables import write_audit

        write_audit(found, out)
    status = CHECK_FAILED if found.failures else OK
    if as_json:
        print_json(_fields(found))
        return status
    _show(found, f"{run}: {recorded.updates} updates, {recorded.mdp.states} states, gamma {digits(found.gamma)}")
    if out is None:
        new_console().print("every update: --json, or --out DIR for tables and a figure")
    else:
        new_console().print(f"every update, the tables and the figure are in {out}", markup=False)
    return status


def _read(path: str, mdp: str | None, gamma: str | None) -> Run:
    from trpo_theory.io.runs import read_run
    from trpo_theory.loading.reader import number

    if mdp is not None:
        return read_run(path, mdp=opened(mdp, gamma).mdp)
    return read_run(path, gamma=None if gamma is None else number(gamma, "gamma"))


def _target(text: str | None) -> Any:
    from trpo_theory.loading.reader import number
    from trpo_theory.recorded.record import checked_target

    return None if text is None else checked_target(number(text, "--target"))


def _fields(audit: Audit) -> dict[str, Any]:
    columns = {name: getattr(audit, name).tolist() for name in _PER_UPDATE}
    of_bounds = {
        name: {key: getattr(bound, key).tolist() for key in _PER_BOUND} for name, bound in audit.bounds.items()
    }
    of_certificates = {
        name: {key: getattr(found, key).tolist() for key in _PER_CERTIFICATE}
        for name, found in audit.certificates.items()
    }
    updates = [
        {
            "index": k,
            **{name: column[k] for name, column in columns.items()},
            "bounds": [
                {"id": name, **{key: column[k] for key, column in of_bound.items()}}
                for name, of_bound in of_bounds.items()
            ],
            "certificates": [
                {"id": name, **{key: column[k] for key, column in found.items()}}
                for name, found in of_certificates.items()
            ],
            "certified_by": audit.certified_by[k] or None,
        }
        for k in range(audit.updates)
    ]
    names = ("decreases", "failures", "gamma", "target", "worst_return", "best_return", "renormalised", "held", "about")
    summary = dict(audit.summary()[["quantity", "value"]].to_numpy().tolist())
    return {**{name: getattr(audit, name) for name in names}, "summary": summary, "updates": updates}


def _show(audit: Audit, title: str) -> None:
    from rich.table import Table

    console = new_console()
    console.print(title, markup=False)
    summary = Table("in short", "value")
    for row in audit.summary().to_dict("records"):
        summary.add_row(row["meaning"], digits(row["value"], 6))
    print_table(console, summary, prose="in short")
    bounds = Table(
        "bound",
        "vacuous",
        "promises",
        "median deficit",
        "fails",
        title="eta(new) >= L + shift - penalty, over all updates",
    )
    for row in audit.bound_frame().to_dict("records"):
        fails = f"[bold red]{row['failures']}[/]" if row["failures"] else "0"
        bounds.add_row(
            row["bound"], f"{row['vacuous']:.1%}", f"{row['promises']:.1%}", digits(row["median_deficit"], 4), fails
        )
    print_table(console, bounds)
    console.print(
        "vacuous: below the return of the worst policy; promises: above eta(old); deficit: how far below the worst return,\n"
        "in ranges from the worst return to the best"
    )
    certificates = Table(
        "certificate", "certified", "median share", "least share", title="eta(new) > eta(old), proved beforehand?"
    )
    for row in audit.certificate_frame().to_dict("records"):
        certificates.add_row(
            row["bound"], f"{row['certified']:.1%}", digits(row["median_share"], 3), digits(row["least_share"], 3)
        )
    print_table(console, certificates)
    console.print("share: the largest t such that the step from old to (1 - t) old + t new is certified")
    if not audit.held and audit.idle_occupancy.max() > _IDLE:
        console.print(
            f"up to {audit.idle_occupancy.max():.0%} of the weight of mean-KL lies in states where no action matters: "
            "--hold-idle ignores them"
        )
    worst = Table(
        *("#", "eta(old)", "change", "mean-KL", "reverse", "max-KL", "of (13)", "certified by"),
        title="the updates with the largest decrease of eta, or the least increase",
    )
    shown = ("expected_return_old", "return_change", "mean_kl", "reverse_mean_kl", "max_kl", "mean_kl_share")
    for k in audit.worst[:_WORST]:
        numbers = [getattr(audit, name)[k] for name in shown]
        worst.add_row(str(k), *(digits(number, 4) for number in numbers), audit.certified_by[k] or "-")
    print_table(console, worst)
    console.print(
        "reverse: mean-KL of (new, old); of (13): share of the exact update's gain on L at the same mean-KL;\n"
        "certified by: of the certificates above the one that promises most of this update; - where none holds"
    )
