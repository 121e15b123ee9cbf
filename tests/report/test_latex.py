"""The tables compiled: every kind of column in one document, no error, and nothing that sticks out."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

import trpo_theory as tt
from experiments import lower_bound
from trpo_theory import claims, report
from trpo_theory.cli import main
from trpo_theory.loading.sources import open_source
from trpo_theory.report import Table
from trpo_theory.report.mathematics import inline
from trpo_theory.report.witness_latex import claim_name


def has_latex():
    """pdflatex and the packages that tables name, of which a small installation lacks some."""
    packages = ("amsmath.sty", "amssymb.sty", "array.sty", "booktabs.sty", "longtable.sty", "siunitx.sty", "tikz.sty")
    if shutil.which("pdflatex") is None or shutil.which("kpsewhich") is None:
        return False
    return subprocess.run(["kpsewhich", *packages], capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not has_latex(), reason="pdflatex is not installed, or lacks a package")

PREAMBLE = (
    "\\documentclass{article}\n\\usepackage[a4paper,margin=2cm]{geometry}\n\\usepackage{booktabs,siunitx,amsmath}\n"
)
KINDS = {
    "fixed": Table(
        pd.DataFrame(
            {"bound": ["trpo/kl", "50% & more_or_less", "a|b <= {c}^2 ~ \\d #1"], "M": [-1234.5, 0.25, np.inf]}
        ),
        caption=r"Decimal markers aligned, an infinity among them: $\eta(\tilde\pi) \geq M$.",
        label="tab:fixed",
        headings={"M": (r"$M_\pi(\tilde\pi)$", "M")},
        digits={"M": 6},
        mark=((0, "M"), (1, "bound")),
    ),
    "scientific": Table(
        pd.DataFrame({"gap": [1.5e-7, -3.25e-12, 0.0, 12.5], "steps": [1, 20, 300, -4]}),
        caption="Powers of ten throughout.",
        label="tab:scientific",
        scientific=("gap",),
        mark=((1, "gap"), (3, "gap")),
    ),
    "uncertain": Table(
        pd.DataFrame(
            {"return": [0.1234567, 12.3456, -0.5, np.nan], "error": [0.0042, 0.15, 0.0, 0.1], "n": [10, 20, 30, 0]}
        ),
        caption="Standard errors in brackets.",
        label="tab:uncertain",
        uncertainty={"return": "error"},
        mark=((1, "return"),),
    ),
    "tiny": Table(
        pd.DataFrame({"return": [1.2345e-7, 3.0e-9], "error": [1.5e-9, 4.0e-10]}),
        caption="Standard errors of tiny numbers.",
        label="tab:tiny",
        uncertainty={"return": "error"},
    ),
    "mixed": Table(
        pd.DataFrame(
            {"slack": [0.123, 1.5e-7, -np.inf], "holds": [True, False, True], "note": ["γ ≥ ½ε", "$x_1^2$", "−∞"]}
        ),
        caption="Mixed notations stay at the right.",
        label="tab:mixed",
        mark=((0, "slack"), (1, "slack"), (2, "slack")),
    ),
}


def compiled(directory, body: str, preamble: str = PREAMBLE) -> str:
    (directory / "tables.tex").write_text(preamble + "\\begin{document}\n" + body + "\n\\end{document}\n")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "-no-shell-escape", "tables.tex"]
    run = subprocess.run(command, cwd=directory, capture_output=True, text=True, errors="replace", timeout=120)
    assert run.returncode == 0, run.stdout[-2000:]
    return (directory / "tables.log").read_text(errors="replace")


def test_every_kind_of_table_compiles(tmp_path):
    settings = lower_bound.Settings(
        environments=(("FrozenLake 4x4", "gym:FrozenLake-v1"),), gammas=(0.9, 0.99), steps=(1e-4, 0.1, -0.5)
    )
    tables = [*KINDS.values(), *lower_bound.tables(lower_bound.run(settings)).values()]
    log = compiled(tmp_path, "\n\\clearpage\n".join(table.to_latex() for table in tables))
    wide = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log)]
    assert not [points for points in wide if points > 3], wide
    assert "Missing character" not in log
    assert (tmp_path / "tables.pdf").stat().st_size > 10_000


HOSTILE = (
    tt.claim("a_b%c/[x]{y}#1^~", statement=r"a_b%c \ge 0 \text{ & } \frac{1}{2}")(lambda q: 0 * q.surrogate_gap),
    tt.claim("mine/unbalanced", statement=r"\frac{1}{ \left( x_1_2")(lambda q: 0 * q.surrogate_gap),
    tt.claim("mine/words", statement="the return η(π̃) never falls: 100 % & “sure” — 中文")(
        lambda q: 0 * q.surrogate_gap
    ),
    tt.claim("*mine", statement="…", source="50% of_it")(lambda q: q.expected_return_new - q.expected_return_old),
)


@pytest.mark.whole
def test_what_verbs_print_compiles_in_a_plain_article(tmp_path):
    step = tt.compare(
        *(lambda s: (s.mdp, s.policies["old"], s.policies["new"]))(open_source("zoo:coupling-tight", gamma=0.5))
    )
    checks = tt.bounds.check_all(step)
    found = tt.verify(
        ["trpo/tv", "chi2/second-order", "average/doeblin/kakade-langford/greedy-any", *HOSTILE], instances=300
    )
    tables = [report.verdicts_table(found), report.bounds_table(checks, setting="C:\\new_file 100% $x")]
    names = ("expected_return_old", "max_kl", "mean_kl", "reverse_max_chi2", "rms_advantage")
    fields = {name: float(getattr(step, name)) for name in names} | {"fuel_%: limit": 1.0, "status": "optimal"}
    tables.append(report.quantities_table(fields, caption="The step", label="tab:step", setting="a_b.json"))
    witnesses = [verdict.witness for verdict in found if verdict.witness]
    body = [table.to_latex() for table in tables]
    body += [of(one) for one in witnesses for of in (report.witness_latex, report.tikz_diagram)]
    body += [report.verdict_latex(verdict, "50% of_it") for verdict in found]
    packages = sorted({name for table in tables for name in table.packages} | {"amsmath", "amssymb", "tikz"})
    log = compiled(tmp_path, "\n\n".join(body), f"\\documentclass{{article}}\n\\usepackage{{{','.join(packages)}}}\n")
    wide = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log)]
    assert not [points for points in wide if points > 20], wide
    assert len(witnesses) >= 2


@pytest.mark.parametrize(
    "call",
    [
        ["bound", "zoo:coupling-tight", "--old", "old", "--new", "new"],
        ["update", "zoo:forest", "--old", "uniform", "--problem", "max-kl", "--delta", "0.01"],
    ],
    ids=lambda call: call[0],
)
def test_what_a_verb_prints_names_all_packages_that_it_needs(call, tmp_path, capsys):
    assert main([*call, "--latex"]) == 0
    printed = capsys.readouterr().out
    packages = printed.splitlines()[0].removeprefix("% ")
    compiled(tmp_path, printed, f"\\documentclass{{article}}\n{packages}\n")


@pytest.mark.slow
def test_every_statement_of_the_catalogue_compiles(tmp_path):
    rows = [f"{claim_name(one.id)}: {inline(one.statement)}\n" for one in claims.catalogue.values()]
    head = "\\documentclass{article}\n\\usepackage{amsmath,amssymb}\n"
    log = compiled(tmp_path, "\\raggedright\n" + "\n".join(rows), head)
    wide = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log)]
    assert not [points for points in wide if points > 20], wide


def test_the_check_sees_an_error(tmp_path):
    with pytest.raises(AssertionError, match="Undefined control sequence"):
        compiled(tmp_path, Table(pd.DataFrame({"a": [1.5]}), caption=r"\nosuchcommand", label="x").to_latex())
