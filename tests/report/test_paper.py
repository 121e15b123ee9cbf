"""What goes into a paper: statements, verdicts, steps and witnesses as LaTeX, and histograms of slacks."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory import claims, report
from trpo_theory.cli import main
from trpo_theory.errors import InvalidInput
from trpo_theory.report.diagram_layout import laid_out
from trpo_theory.report.instance_fields import as_instance
from trpo_theory.report.mathematics import inline
from trpo_theory.report.symbols import in_text
from trpo_theory.report.tikz import moves_of
from trpo_theory.search.worst_cases import evolve

WITNESS = {
    "kind": "refutation",
    "claim": "a_b%c",
    "statement": r"x_1 \ge 50%",
    "gamma": "1/3",
    "transition": [[["1/2", "1/2"], [0, 1]], [[0, 1], [0, 1]]],
    "reward": [[1, "-2/7"], ["0.25", 0]],
    "initial": [1, 0],
    "old": [["1/2", "1/2"], [1, 0]],
    "new": [["123456789012345678901/246913578024691357803", "123456789012345678902/246913578024691357803"], [1, 0]],
    "slack": ["-1/40", "-1/40"],
}


def matrix_of(latex: str, symbol: str) -> list[list[Fraction]]:
    """The matrix that follows a symbol, read back from LaTeX."""
    body = re.search(re.escape(symbol) + r" = \\left\(\\begin\{array\}\{c+\}(.*?)\\end\{array\}", latex)[1]
    text = re.sub(r"\\frac\{(\d+)\}\{(\d+)\}", r"\1/\2", body)
    return [[Fraction(cell.strip()) for cell in row.split("&")] for row in text.split(r"\\")]


def test_the_matrices_of_a_witness_are_its_numbers():
    latex = report.witness_latex(WITNESS)
    assert r"$\gamma = \frac{1}{3}$" in latex
    for a in (0, 1):
        assert matrix_of(latex, f"P_{{{a}}}") == [[Fraction(p) for p in row[a]] for row in WITNESS["transition"]]
    assert matrix_of(latex, "r") == [[Fraction(r) for r in row] for row in WITNESS["reward"]]
    assert matrix_of(latex, r"\rho_0") == [[1, 0]]
    assert matrix_of(latex, r"$\pi".removeprefix("$")) == [[Fraction(p) for p in row] for row in WITNESS["old"]]
    assert r"\texttt{a\_b\%c}" in latex
    assert r"$x_1 \ge 50\%$" in latex
    assert r"slack is $-\frac{1}{40}$" in latex


def test_a_matrix_wider_than_a_line_is_written_by_entries_with_every_digit():
    wide = {**WITNESS, "new": [["8/" + "9" * 90, 0], [1, 0]]}
    latex = report.witness_latex(wide).replace(r"\allowbreak ", "")
    assert rf"$\tilde\pi(0, 0) = 8/{'9' * 90}$" in latex
    assert r"$\tilde\pi(1, 0) = 1$" in latex


def test_a_found_witness_and_its_file_say_the_same(tmp_path):
    witness = tt.falsify("trpo/tv-2").witness
    witness.write(tmp_path / "w.json")
    latex = report.witness_latex(witness)
    assert latex == report.witness_latex(tmp_path / "w.json")
    assert report.tikz_diagram(witness) == report.tikz_diagram(tmp_path / "w.json")
    plain = witness.instance
    for a in range(plain.actions):
        assert matrix_of(latex, f"P_{{{a}}}") == plain.transition[:, a].tolist()


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        (r"a_b%c \ge 0", r"$a_b\%c \ge 0$"),
        ("the return never falls & so on", r"the return never falls \& so on"),
        (r"\frac{1", r"\texttt{\textbackslash{}frac\{1}"),
        ("a_b_c", r"\texttt{a\_b\_c}"),
        ("x^2^3", r"\texttt{x\textasciicircum{}2\textasciicircum{}3}"),
        (r"\text{a_b} \ge 0", r"\texttt{\textbackslash{}text\{a\_b\} \textbackslash{}ge 0}"),
        (r"\left( x_1", r"\texttt{\textbackslash{}left( x\_1}"),
        (r"x \ge 0,\ \text{ for all } \pi", r"$x \ge 0,$ $\ $ for all $\pi$"),
        ("η(π̃) ≥ 0", r"$\eta$($\tilde{\pi}$) $\geq$ 0"),
        ("for $x_1$ & more", r"for $x_1$ \& more"),
        ("costs 5 $", r"\texttt{costs 5 \$}"),
        ("中", r"\texttt{U+4E2D}"),
    ],
)
def test_a_statement_is_set_as_mathematics_where_it_can_be(statement, shown):
    assert inline(statement) == shown


@pytest.mark.parametrize("claim_id", list(claims.catalogue))
def test_every_statement_of_the_catalogue_is_mathematics(claim_id):
    statement = claims[claim_id].statement
    latex = inline(statement)
    assert r"\texttt" not in latex
    kept = re.sub(r"\\penalty900 |\\text|[\s{}$]", "", latex)
    assert kept == re.sub(r"\\text(?![a-z])|[\s{}$]", "", statement.replace("\\text", "\\text "))


def test_a_line_ends_between_a_fraction_and_its_root_only_where_nothing_better_is_left():
    """TeX's own penalties of an end after a relation and after a sign are 500 and 700 (The TeXbook, appendix B)."""
    shown = inline(claims.get("cpo/mean-kl").statement)
    (penalty,) = re.findall(r"\}\\penalty(\d+) \\sqrt", shown)
    assert 700 < int(penalty) < 10_000
    assert "allowbreak" not in shown


def test_text_keeps_every_character_that_tex_reads():
    assert in_text("a_b%c [x] {y} #1 ~ ^ \\ $ & <>") == (
        r"a\_b\%c {[}x{]} \{y\} \#1 \textasciitilde{} \textasciicircum{} \textbackslash{} \$ \& $<$$>$"
    )
    assert in_text('say "yes", twice--or -') == "say ``yes'', twice-{}-or -"


@pytest.mark.slow
def test_a_table_of_verdicts_has_statements_and_marks_surprises():
    surprise = tt.claim("mine/[false]", statement=r"\eta(\tilde\pi) \ge 7\%")(lambda q: q.expected_return_new - 7)
    found = tt.verify(["trpo/tv", surprise], instances=300)
    table = report.verdicts_table(found)
    latex = table.to_latex()
    assert rf"${claims['trpo/tv'].statement}$" in latex
    assert r"\textbf{\boldmath refuted}" in latex
    assert r"mine/\allowbreak{}{[}false{]}" in latex
    assert f"${claims['trpo/tv'].statement}$" in table.to_markdown()
    assert set(table.packages) == {"booktabs", "siunitx", "amsmath", "array", "amssymb"}
    unrefuted = tt.verify(["trpo/tv"], instances=300, proofs=False)
    assert re.search(r"no counterexample in \d+ instances", report.verdicts_table(unrefuted).to_latex())


def test_random_diagrams_have_no_label_over_another():
    generator = np.random.default_rng(5)
    for states in range(1, 7):
        for _ in range(3):
            transition = np.zeros((states, 2, states))
            for s, a in np.ndindex(states, 2):
                some = generator.choice(states, size=min(states, generator.integers(1, 3)), replace=False)
                transition[s, a, some] = 1 / len(some)
            fields = {
                "transition": transition,
                "reward": generator.integers(-3, 4, (states, 2)),
                "initial": [1] * states,
            }
            instance = as_instance(fields)
            layout = laid_out(states, moves_of(instance))
            assert layout.clashes() == []
            tikz = report.tikz_diagram(fields)
            assert tikz.count(r"\node[state") == states
            shares = (transition > 0).sum(-1)
            assert tikz.count(r"\fill") == (shares > 1).sum()
            assert tikz.count("1/2") == 2 * (shares > 1).sum()
            assert len(re.findall(r"\$a_\{\d\},", tikz)) == 2 * states


def test_evidence_without_an_mdp_and_large_ones_are_refused(tmp_path, capsys):
    with pytest.raises(InvalidInput, match="evidence of kind 'update-gap' without transition, reward, initial"):
        report.witness_latex({"kind": "update-gap"})
    many = {"transition": np.eye(13)[:, None], "reward": np.zeros((13, 1)), "initial": np.eye(13)[0]}
    with pytest.raises(InvalidInput, match="an MDP of 13 states as a diagram; wanted at most 12"):
        report.tikz_diagram(many)
    assert r"\rho_0" in report.witness_latex(many)
    with pytest.raises(InvalidInput, match="a list as a witness"):
        report.witness_latex([])
    assert main(["show", "trpo/tv", "--tikz"]) == 2
    assert "a witness for trpo/tv, which is proved: there is none" in capsys.readouterr().err


@pytest.mark.whole
@pytest.mark.slow
def test_verbs_print_latex_alone(tmp_path, capsys, monkeypatch):
    for name in ("_ROUNDS", "_GENERATIONS", "_CLIMBERS"):  # a short search for a worst case
        monkeypatch.setattr(evolve, name, 1)
    step = ["zoo:coupling-tight", "--gamma", "1/2", "--old", "old"]
    for verb in (
        ["verify", "trpo/tv", "--instances", "300", "--latex"],
        ["bound", *step, "--new", "new", "--latex"],
        ["update", *step, "--problem", "max-kl", "--delta", "0.01", "--latex"],
        ["show", "trpo/tv-2", "--latex", "--tikz"],
        ["falsify", "trpo/tv-2", "--latex", "--out", str(tmp_path / "w.json")],
        ["certify", str(tmp_path / "w.json"), "--latex", "--tikz"],
        ["worst-case", "pinsker/kl", "--gamma", "1/2", "--states", "2", "--effort", "1", "--tikz"],
    ):
        assert main(verb) == 0, verb
        text = capsys.readouterr().out
        assert text.startswith(r"% \usepackage{"), text
        assert text.count(r"\begin{") == text.count(r"\end{") > 0
        assert "_" not in re.sub(r"\$[^$]*\$|\\_|\\label\{[^}]*\}", "", text.replace(r"\bounds", ""))
        assert main([*verb, "--json"]) == 2
        assert "wanted one form of output" in capsys.readouterr().err


def test_bound_latex_has_the_worst_case_that_was_asked_for(capsys):
    """On coupling-tight it is attained, by the step itself: it loses as much."""
    command = ["bound", "zoo:coupling-tight?x=1/4", "--gamma", "1/2", "--old", "old", "--new", "new", "--latex"]
    assert main(command) == 0
    assert "tab:worst-case" not in capsys.readouterr().out
    assert main([*command, "--sharp"]) == 0
    row = re.search(r"^max-tv & (.*?) \\\\", capsys.readouterr().out, re.MULTILINE)[1]
    step = tt.zoo.coupling_tight(gamma=0.5, x=0.25)
    loss = -float(tt.compare(step.mdp, step.old, step.new).surrogate_gap)
    assert [float(cell) for cell in row.split(" & ")] == pytest.approx([0.25, loss, loss], rel=1e-5)
    assert main([*command[:6], "--new", "old", "--latex", "--sharp"]) == 0
    assert "nothing to say" in capsys.readouterr().err


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_histogram_counts_every_instance(seed):
    sample = tt.sampled_slacks("trpo/tv-2", instances=1000, seed=seed)
    assert len(sample.slack) == len(sample.share)
    np.testing.assert_array_equal(np.sign(sample.slack), np.sign(sample.share))
    assert np.abs(sample.share).max() <= 1
    assert (sample.slack < 0).any()
    (panel,) = report.slack_histogram(sample).axes
    counted = sum(bar.get_height() for bar in panel.patches)
    assert counted == len(sample.slack)
    below = sum(bar.get_height() for bar in panel.patches if bar.get_x() + bar.get_width() <= 1e-12)
    assert below == (sample.slack < 0).sum()
    assert panel.get_ylabel() == "instances"
    assert panel.get_xlabel().startswith("slack / (")


def test_a_histogram_of_slacks_that_have_no_share_is_in_units_of_the_return():
    slack = np.array([-20.0, -1e-3, 0.0, 1e-6, 1.0, 3e5])
    sample = tt.SlackSample("mine", 6, slack, np.full(6, np.nan), is_bound=True, is_return=True)
    (panel,) = report.slack_histogram(sample).axes
    assert sum(bar.get_height() for bar in panel.patches) == 6
    assert panel.get_xlabel() == "slack (units of the return)"


def test_the_least_slack_of_a_sample_is_that_of_its_formula():
    """The sample against the formula, in NumPy alone, on the instances that it draws."""
    mine = tt.claim("mine/constant", statement="5")(lambda q: 5.0 + 0 * q.expected_return_new)
    sample = tt.sampled_slacks(mine, instances=300, states=2, actions=3)
    assert set(sample.slack) <= {0.0, 5.0}  # 0 where values are so large that floats do not resolve 5
    assert (sample.slack == 5).mean() > 0.5
    assert sample.instances == 300


def test_histograms_from_the_command_line(tmp_path, capsys):
    figure = tmp_path / "slacks.png"
    assert main(["verify", "trpo/tv", "--instances", "300", "--histogram", str(figure)]) == 0
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert "slacks of" in capsys.readouterr().err
    assert main(["verify", "trpo/tv", "--histogram", str(tmp_path / "slacks.svg")]) == 2
    assert "wanted a name that ends in .pdf or .png; fix: write slacks.pdf" in capsys.readouterr().err
    assert main(["verify", "--histogram", str(figure)]) == 2
    assert "wanted 12 at most" in capsys.readouterr().err
    assert main(["verify", "sharp/max-kl", "--histogram", str(figure)]) == 2
    assert "for which no policies are drawn" in capsys.readouterr().err
