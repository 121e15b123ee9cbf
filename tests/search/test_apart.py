"""Formulas for one instance run on batches: each says of a batch what it says of one instance at a time."""

import ast
import copy
import sys
import textwrap

import numpy as np
import plain_formulas
import pytest
from cheap import in_this_process, sampled, two_instruments
from plain_formulas import PLAIN

from trpo_theory.bounds.record import Claim
from trpo_theory.claims.from_file import read_claims
from trpo_theory.search.apart.advice import _fix, advice
from trpo_theory.search.apart.batched import Batched
from trpo_theory.search.apart.probe import probe
from trpo_theory.search.instruments import mutation
from trpo_theory.search.screen import Screen
from trpo_theory.verification.verifying import verify


def drawn(count, states, actions, seed=0):
    return probe(count, states, actions, seed)


def one_at_a_time(formula, instances):
    with np.errstate(all="ignore"):
        return np.array([np.min(formula(instances.one(i))) for i in range(len(instances))])


def least(value, count):
    value = np.asarray(value)
    return np.broadcast_to(value.min(axis=tuple(range(value.ndim - 1))) if value.ndim > 1 else value, (count,))


@sampled("formula", PLAIN, ids=lambda formula: formula.__name__, every=2)
@pytest.mark.parametrize("shape", [(200, 3, 2), (16, 3, 4)])
def test_a_formula_says_of_a_batch_what_it_says_of_each(formula, shape):
    instances = drawn(*shape, seed=1)
    run = Batched(formula, np.nan)
    found = least(run(instances.quantities()), len(instances))
    known = ~run.left_out
    assert not run.refused
    assert known.mean() > 0.8
    np.testing.assert_allclose(found[known], one_at_a_time(formula, instances)[known], rtol=1e-9, atol=1e-9)


def test_no_name_and_no_array_of_the_author_is_changed():
    before = {name: value for name, value in vars(plain_formulas).items() if name != "__builtins__"}
    tables = copy.copy(plain_formulas.TABLE), list(plain_formulas.WEIGHTS)
    q = drawn(20, 3, 2).quantities()
    advantage = q.advantage.copy()
    for formula in PLAIN:
        Batched(formula, np.nan)(q)
    after = {name: value for name, value in vars(plain_formulas).items() if name != "__builtins__"}
    assert all(after[name] is before[name] for name in before)
    assert after.keys() == before.keys()
    assert tables == (plain_formulas.TABLE, plain_formulas.WEIGHTS)
    np.testing.assert_array_equal(q.advantage, advantage)


def test_a_file_that_imports_its_helpers_and_one_without_source(tmp_path):
    (tmp_path / "my_helpers.py").write_text("def largest(xs):\n    return max(abs(x) for x in xs)\n")
    (tmp_path / "mine.py").write_text(
        textwrap.dedent("""
        import my_helpers
        from my_helpers import largest
        from trpo_theory import claim

        @claim("mine/a", statement="s", given=lambda q: 0.1 < q.gamma < 0.9)
        def a(q):
            return largest(q.tv) + my_helpers.largest(q.value) - b(q)

        @claim("mine/b", statement="s")
        def b(q):
            return min(q.tv)
        """)
    )
    instances = drawn(40, 3, 2)
    try:
        for claim in read_claims(tmp_path / "mine.py"):
            screen = Screen(claim)
            assert screen.batched
            np.testing.assert_allclose(screen(instances).slack, one_at_a_time(claim.formula, instances), rtol=1e-9)
    finally:
        sys.modules.pop("my_helpers", None)
    code = {}
    exec("def typed(q):\n    return max(q.tv) if q.gamma > 0.5 else 0.0", code)
    np.testing.assert_allclose(
        Batched(code["typed"], np.nan)(instances.quantities()), one_at_a_time(code["typed"], instances)
    )


def test_hypotheses_and_steps_of_one_instance():
    def step(q):
        best = max(range(q.actions), key=lambda a: q.advantage[0, a])
        new = q.old.copy()
        new[0] = [1.0 if a == best else 0.0 for a in range(q.actions)]
        return new

    claim = Claim(
        "mine/x", lambda q: q.surrogate_gap, "s", given=lambda q: q.gamma > 0.3 and max(q.tv) > 0.1, step=step
    )
    screen, instances = Screen(claim), drawn(60, 3, 2, seed=3)
    assert screen.batched
    screened = screen(instances)
    for i in range(len(instances)):
        q = claim.stepped(instances.one(i))
        assert screened.met[i] == bool(claim.given(q))
        assert screened.slack[i] == pytest.approx(q.surrogate_gap, rel=1e-7, abs=1e-9 * (1 + q.max_abs_advantage))


def test_what_its_author_raises_on_a_part_of_the_instances_is_his():
    def formula(q):
        if q.gamma > 0.5:
            raise ValueError("gamma is large")
        return q.gamma

    instances = drawn(20, 2, 2)
    assert (instances.gamma > 0.5).any()
    with pytest.raises(ValueError, match="gamma is large"):
        Batched(formula, np.nan)(instances.quantities())


def test_ways_beyond_the_limit_are_left_out_and_meet_no_hypothesis():
    def ways(q):
        far = [s for s in range(q.states) if q.tv[s] > 0.3]
        return sum(2**s for s in far) * q.gamma + 1

    claim, instances = Claim("mine/ways", ways, "s"), drawn(600, 9, 2, seed=5)
    formula = Batched(ways, np.nan)
    found = formula(instances.quantities())
    known = ~formula.left_out
    assert 0.05 < known.mean() < 1
    np.testing.assert_allclose(found[known], one_at_a_time(ways, instances)[known], rtol=1e-9)
    screen = Screen(claim)
    assert screen.batched
    assert (screen(instances).met == known).all()


MINE = """
import math
from trpo_theory import claim

def tail(x):
    return float(str(float(x)))

@claim("mine/text", statement="s")
def text(q):
    return tail(max(q.tv)) - 0.5

@claim("mine/factorial", statement="s", given=lambda q: q.gamma > 0)
def factorial(q):
    return math.gamma(1 + q.gamma) - 0.8
"""


def test_the_note_names_the_line_that_cannot_be_batched(tmp_path, monkeypatch):
    two_instruments(monkeypatch)  # what is found is not tested, nor in which process
    in_this_process(monkeypatch)
    monkeypatch.setattr(mutation, "GENERATIONS", 2)
    monkeypatch.setattr(mutation, "_ONE_BY_ONE", 2)
    (tmp_path / "mine.py").write_text(MINE)
    text, factorial = read_claims(tmp_path / "mine.py")
    assert not Screen(text).batched
    assert advice(text).startswith("mine.py, line 6: return float(str(float(x))): it makes a text of a number")
    assert advice(factorial).startswith("mine.py, line 14: return math.gamma(1 + q.gamma) - 0.8: ")
    note = verify(text, instances=40)["mine/text"].note
    assert "one instance at a time: its formula cannot be batched; mine.py, line 6" in note


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("max(q.tv)", "max(q.tv) -> q.max_tv"),
        ("max(q.kl)", "max(q.kl) -> q.max_kl"),
        ("min(q.tv)", "min(q.tv) -> q.min_s(q.tv)"),
        ("sum(q.value)", "sum(q.value) -> q.sum_s(q.value)"),
        ("max(q.gamma, q.max_tv)", "max(q.gamma, q.max_tv) -> q.maximum(q.gamma, q.max_tv)"),
        ("max(abs(a) for a in q.advantage.ravel())", " -> q.max_s(q.max_a(abs(q.advantage)))"),
        ("q.advantage.max()", "q.advantage.max() -> q.max_s(q.max_a(q.advantage))"),
        ("0 < q.gamma < 1", "0 < q.gamma < 1 -> (0 < q.gamma) & (q.gamma < 1)"),
        ("q.gamma > 0 and q.max_tv > 0", "and -> (q.gamma > 0) & (q.max_tv > 0)"),
        ("1 if q.gamma > 0 else 2", "if q.gamma > 0 -> q.arithmetic.where(q.gamma > 0, ..., ...)"),
        ("float(q.gamma)", "float(q.gamma) -> q.gamma"),
        ("math.sqrt(q.gamma)", "math.sqrt(q.gamma) -> q.sqrt(q.gamma)"),
    ],
)
def test_what_to_write_in_place_of_plain_python(line, fix):
    """As a reader of README.md would write it; whether it is the same is what `step`'s own tests are for."""
    assert next(filter(None, map(_fix, ast.walk(ast.parse(line))))).endswith(fix)
