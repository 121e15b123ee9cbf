"""What help and messages say is true: every verb's examples run, and arguments that a message names exist."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import shlex
import typing
from pathlib import Path

import numpy as np
import pytest
import typer.main
from cheap import sampled

import trpo_theory as tt
from trpo_theory.cli import app, main
from trpo_theory.cli.options import command_for
from trpo_theory.search.worst_cases import evolve

PACKAGE = Path(tt.__file__).parent
COMMAND = typer.main.get_command(app)
VERBS = COMMAND.commands
EXAMPLES = [
    (name, example.strip())
    for name, verb in VERBS.items()
    for example in re.findall(r"trpo-theory ([^\n]+)", verb.epilog or "")
]
OPTIONS = {option for verb in VERBS.values() for param in verb.params for option in param.opts} | {
    *("--help", "--version", "-h")
}
ELSEWHERE = {"--quick", "--out", "--port"}
"""Of `python -m experiments` and other programs."""


@pytest.mark.parametrize("verb", VERBS)
def test_a_command_has_its_own_verb_alone_as_typer_makes_it_among_all(verb):
    alone = command_for([verb, "--help"])
    assert list(alone.commands) == [verb]
    assert [(one.name, one.opts, one.help) for one in alone.commands[verb].params] == [
        (one.name, one.opts, one.help) for one in VERBS[verb].params
    ]
    assert [one.opts for one in alone.params] == [one.opts for one in COMMAND.params]


@pytest.mark.parametrize("arguments", [[], ["--help"], ["no-such-verb"]])
def test_a_command_that_names_no_verb_has_all(arguments):
    assert list(command_for(arguments).commands) == list(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_an_example_and_help_that_fits(verb, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    assert "Example:  trpo-theory " in (VERBS[verb].epilog or "")
    assert main([verb, "-h"]) == 0
    text = capsys.readouterr().out
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 60
    assert "…" not in text
    for option in (option for param in VERBS[verb].params for option in param.opts if option.startswith("--")):
        assert option in text


def test_an_option_with_one_meaning_is_declared_once():
    """By its help and what it stands for: two commands that have it share one annotated type."""
    declared: dict[tuple[str, str], set[int]] = {}
    for verb in (one.callback for one in app.registered_commands):
        for name, hint in typing.get_type_hints(verb, include_extras=True).items():
            for info in getattr(hint, "__metadata__", ()):
                declared.setdefault((name, str(info.help)), set()).add(id(info))
    assert len(declared) > 60
    assert [meaning for meaning, found in declared.items() if len(found) > 1] == []


def test_the_version_is_printed(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"trpo-theory {tt.__version__}\n"


@pytest.mark.slow
@sampled(("verb", "example"), EXAMPLES, ids=lambda text: text[:40], every=4)
def test_every_example_of_the_help_runs(verb, example, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("_ROUNDS", "_GENERATIONS", "_CLIMBERS"):  # a short search for a worst case
        monkeypatch.setattr(evolve, name, 1)
    if verb == "certify":
        assert main(["falsify", "trpo/tv-2", "--out", "witness.json"]) == 0
    if verb == "audit":
        mdp = tt.load("gym:FrozenLake-v1", gamma=0.99)
        policies = np.stack([step.policy for step in _three_steps(mdp)])
        np.savez("run.npz", policies=policies)
    arguments = shlex.split(example.replace("--steps 20", "--steps 2"))  # a fifth of the time
    assert arguments[0] == verb
    assert main(arguments) == 0, capsys.readouterr().err
    assert capsys.readouterr().out


def _three_steps(mdp):
    policy = "uniform"
    for _ in range(3):
        found = tt.update(mdp, policy, tt.MaxKL(0.01))
        policy = found.policy
        yield found


READ = (ast.Call, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@functools.cache
def nodes():
    """(file, node) of all calls, functions and classes of the package."""
    parsed = ((path.relative_to(PACKAGE), ast.parse(path.read_text())) for path in sorted(PACKAGE.rglob("*.py")))
    return [(path, node) for path, tree in parsed for node in ast.walk(tree) if isinstance(node, READ)]


@functools.cache
def raise_sites():
    """(file, line, the literal text) of every error that is raised with a message."""
    return list(_raise_sites())


def _raise_sites():
    for path, node in nodes():
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
            "InvalidInput",
            "NotSolved",
            "unknown_name",
        ):
            texts = [
                part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)
            ]
            yield path, node.lineno, " ".join(texts)


def test_there_are_messages_to_check():
    assert len(raise_sites()) > 450
    assert {"--gamma", "--delta", "--from"} <= OPTIONS


def test_every_option_that_a_message_names_exists():
    unknown = [
        (str(path), line, option)
        for path, line, text in raise_sites()
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)
        if option not in OPTIONS | ELSEWHERE
    ]
    assert unknown == []


def test_python_callers_are_not_told_options_alone():
    """Beside an option stands the argument, or a whole command for a file that only the command line writes."""
    alone = [
        (str(path), line, text)
        for path, line, text in raise_sites()
        if path.parts[0] != "cli" and re.search(r"(?<![\w-])--[a-z]", text)
        if "trpo-theory " not in text and not re.search(r"\w+=|\w\(|\(--|in Python", text)
    ]
    assert alone == []


def test_every_keyword_that_a_message_names_is_a_parameter():
    known = {"callback", "desc", "map_name"}  # of Stable-Baselines3 and Gymnasium
    for _, node in nodes():
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            known |= {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
        if isinstance(node, ast.ClassDef):
            known |= {
                one.target.id for one in node.body if isinstance(one, ast.AnnAssign) and hasattr(one.target, "id")
            }
    known |= set(inspect.signature(np.asarray).parameters)
    unknown = [
        (str(path), line, name)
        for path, line, text in raise_sites()
        for name in re.findall(r"(?<![\w?&'./-])([a-z_]{3,})=(?![=])", text)
        if name not in known
    ]
    assert unknown == []


def test_policies_are_named_in_python_as_on_the_command_line():
    mdp = tt.load("gym:FrozenLake-v1", gamma=0.99)
    rows = np.where(mdp.available, 1.0, 0.0)
    rows /= rows.sum(-1, keepdims=True)
    best = tt.optimal(mdp)
    assert tt.evaluate(mdp, "uniform").expected_return == tt.evaluate(mdp, rows).expected_return
    assert tt.evaluate(mdp, "optimal").expected_return == pytest.approx(mdp.initial @ best.value, rel=1e-12)
    step = tt.compare(mdp, "uniform", "optimal")
    assert float(step.expected_return_new) == pytest.approx(float(mdp.initial @ best.value), rel=1e-12)
    np.testing.assert_array_equal(np.asarray(step.old), rows)
    found = tt.update(mdp, "uniform", tt.MaxKL(0.01))
    assert found.objective == tt.update(mdp, rows, tt.MaxKL(0.01)).objective
    assert tt.improve(mdp, tt.MaxKL(0.01), 1, old="uniform").steps[0].expected_return == found.expected_return_new
    over = tt.compare(mdp, "uniform", "optimal", horizon=5)
    assert float(over.expected_return_new) == pytest.approx(
        float(mdp.initial @ tt.optimal(mdp, horizon=5).value[0]), rel=1e-12
    )
    with pytest.raises(tt.InvalidInput, match=r"old policy 'unifrom'.*did you mean 'uniform'"):
        tt.update(mdp, "unifrom", tt.MaxKL(0.01))
    with pytest.raises(tt.InvalidInput, match=r"pass load_policy\('x.npy', mdp\)"):
        tt.evaluate(mdp, "x.npy")


def test_claims_are_found_by_the_words_of_their_source_and_statement(capsys):
    assert main(["claims", "achiam 2017 corollary", "--json"]) == 0
    text = capsys.readouterr().out
    assert '"cpo/mean-tv"' in text
    assert '"trpo/tv"' not in text
    assert main(["claims", "1502.05477", "--json"]) == 0
    assert '"trpo/kl"' in capsys.readouterr().out
    assert main(["claims", "chi2/*", "1502.05477"]) == 0
    text = capsys.readouterr().out
    assert "chi2/instance" in text
    assert "trpo/kl" in text
    for verb in ("verify", "claims"):
        assert main([verb, "cpq/*"]) == 2
        text = capsys.readouterr().err
        assert "no claim matches" in text
        assert "cpo/*" in text
