"""The tables compiled: every kind of column in one document, no error, and nothing that sticks out."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from experiments import lower_bound
from trpo_theory.report import Table

pytestmark = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")

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


def compiled(directory, body: str) -> str:
    (directory / "tables.tex").write_text(PREAMBLE + "\\begin{document}\n" + body + "\n\\end{document}\n")
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


def test_the_check_sees_an_error(tmp_path):
    with pytest.raises(AssertionError, match="Undefined control sequence"):
        compiled(tmp_path, Table(pd.DataFrame({"a": [1.5]}), caption=r"\nosuchcommand", label="x").to_latex())
