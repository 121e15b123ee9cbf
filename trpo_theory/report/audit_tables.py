"""The tables of an `Audit`: its summary, its bounds and its updates; and a function that writes all its files."""

from __future__ import annotations

from pathlib import Path

from trpo_theory.entries.kinds import expect_type
from trpo_theory.recorded import Audit
from trpo_theory.report import style
from trpo_theory.report.audit_figure import audit_figure
from trpo_theory.report.table_files import write
from trpo_theory.report.tables import Table

_SUFFIXES = (".csv", ".md", ".tex", ".html")
_HEADINGS = {
    "index": (r"\#", "#"),
    "expected_return_old": (r"$\eta(\pi)$", "eta(old)"),
    "surrogate": (r"$L_\pi(\tilde\pi)$", "L"),
    "expected_return_new": (r"$\eta(\tilde\pi)$", "eta(new)"),
    "return_change": (r"$\eta(\tilde\pi)-\eta(\pi)$", "change"),
    "mean_kl": (r"$\bar D_{\mathrm{KL}}(\pi\|\tilde\pi)$", "mean-KL"),
    "reverse_mean_kl": (r"$\bar D_{\mathrm{KL}}(\tilde\pi\|\pi)$", "reverse mean-KL"),
    "max_kl": (r"$D_{\mathrm{KL}}^{\max}(\pi\|\tilde\pi)$", "max-KL"),
    "max_tv": (r"$D_{\mathrm{TV}}^{\max}$", "max-TV"),
    "mean_kl_share": ("share of (13)", "share of (13)"),
    "max_kl_share": ("share of (12)", "share of (12)"),
}
_BOUND_HEADINGS = {
    "bound": ("bound", "bound"),
    "vacuous": ("vacuous", "vacuous"),
    "promises": ("promises", "promises"),
    "median_deficit": ("median deficit", "median deficit"),
    "failures": ("failures", "failures"),
}


def updates_table(audit: Audit, *, everything: bool = False) -> Table:
    """One row for each update, with the columns that fit a page, or with all of them."""
    frame = audit.to_frame()
    return Table(
        frame if everything else frame.loc[:, list(_HEADINGS)],
        caption=r"Every update, solved exactly: returns in discounted reward, divergences in nats, and the share of the gain on "
        r"$L$ of the exact updates at the same divergence.",
        label="tab:audit",
        headings=_HEADINGS,
        plain_caption="Every update, solved exactly: returns in discounted reward, divergences in nats, and the share of the "
        "gain on L of the exact updates (13) and (12) at the same divergence.",
    )


def summary_table(audit: Audit) -> Table:
    """One row for each quantity of the summary."""
    return Table(audit.summary(), caption="The run in short.", label="tab:audit-summary")


def bounds_table(audit: Audit) -> Table:
    """One row for each bound."""
    return Table(
        audit.bound_frame(),
        caption="The bounds: the share of updates at which each lies below the return of the worst policy (vacuous) and above "
        "that of the old policy (promises), and the median of how far below the worst return it lies, in ranges from the "
        "worst return to the best.",
        label="tab:audit-bounds",
        headings=_BOUND_HEADINGS,
    )


def write_audit(audit: Audit, directory: str | Path, name: str = "audit") -> list[Path]:
    """Write an audit's tables (CSV with every column and digit, Markdown, LaTeX, HTML) and its figure (PDF, PNG).

    NAME has the updates, NAME-summary and NAME-bounds the other tables; each file is written atomically.
    """
    expect_type(Audit, audit, "the audit", "pass what tt.audit(run) returned")
    paths = write(updates_table(audit, everything=True), directory, name, suffixes=(".csv",))
    paths += write(updates_table(audit), directory, name, suffixes=(".md", ".tex", ".html"))
    paths += write(summary_table(audit), directory, f"{name}-summary", suffixes=_SUFFIXES)
    paths += write(bounds_table(audit), directory, f"{name}-bounds", suffixes=_SUFFIXES)
    return paths + style.save(audit_figure(audit), directory, name)
