"""`advice`: of a claim that cannot be run on batches, the lines that stand in the way, and what to write instead."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trpo_theory.bounds.record import Claim
from trpo_theory.search.apart import apart, refused
from trpo_theory.search.apart.probe import probe
from trpo_theory.step.described import described
from trpo_theory.step.quantities import Quantities

_SHOWN = 3
"""Lines that a note names. Chosen."""
_PROBE = (24, 3, 2)
"""B, S and A of the instances that the claim is tried on. Chosen."""
_REDUCTIONS = {"max": "max", "min": "min", "sum": "sum", "any": "any", "all": "all"}
_OF_TWO = {"max": "maximum", "min": "minimum"}
_FUNCTIONS = {"sqrt", "log", "exp"}


def advice(claim: Claim) -> str:
    """The places, such as "mine.py, line 12: max(q.tv) -> q.max_tv"; "" where none is known."""
    if refusal := _refusal(claim):
        return refusal
    return "; ".join(list(dict.fromkeys(_plain_places(claim)))[:_SHOWN])


def _refusal(claim: Claim) -> str:
    """What ends a pass over a batch, with its line."""
    try:
        made, q = apart(claim), probe(*_PROBE).quantities()
        moved = made.stepped(q)
        made.slack(moved)
        made.met(moved)
    except (Exception, SystemExit):
        return ""
    return refused(made)


def _plain_places(claim: Claim) -> Iterator[str]:
    for function in claim.functions:
        code = getattr(function, "__code__", None)
        if code is None:
            continue
        try:
            lines, first = inspect.getsourcelines(code)
            tree = ast.parse(textwrap.dedent("".join(lines)))
        except (OSError, SyntaxError, IndentationError):
            continue
        for node in ast.walk(tree):
            if fix := _fix(node):
                line = first + getattr(node, "lineno", 1) - 1
                yield f"{Path(code.co_filename).name}, line {line}: {fix}"


def _fix(node: ast.AST) -> str:
    """A plain construct and what runs on batches in its place; "" for others."""
    if isinstance(node, ast.Call):
        return _fix_of_call(node)
    if isinstance(node, ast.If | ast.IfExp):
        return f"if {_short(node.test)} -> q.arithmetic.where({_short(node.test)}, ..., ...)"
    if isinstance(node, ast.BoolOp):
        word, sign = ("and", "&") if isinstance(node.op, ast.And) else ("or", "|")
        return f"{word} -> ({_short(node.values[0])}) {sign} ({_short(node.values[1])})"
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        parts = [node.left, *node.comparators]
        pairs = [ast.Compare(parts[i], [node.ops[i]], [parts[i + 1]]) for i in range(len(node.ops))]
        return f"{_short(node)} -> " + " & ".join(f"({_short(pair)})" for pair in pairs)
    return ""


def _fix_of_call(node: ast.Call) -> str:
    called, args = node.func, node.args
    if isinstance(called, ast.Name) and called.id in _REDUCTIONS and args:
        if len(args) > 1:
            name = _OF_TWO.get(called.id)
            return f"{_short(node)} -> q.{name}({', '.join(map(_short, args[:2]))})" if name else ""
        return f"{_short(node)} -> {_reduced(called.id, args[0])}"
    if isinstance(called, ast.Name) and called.id == "float" and args:
        return f"{_short(node)} -> {_short(args[0])}"
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "math":
        return f"{_short(node)} -> q.{called.attr}({_short(args[0])})" if called.attr in _FUNCTIONS and args else ""
    if isinstance(called, ast.Attribute) and called.attr in ("max", "min", "sum") and not args and not node.keywords:
        return f"{_short(node)} -> {_reduced(called.attr, called.value)}"
    return ""


def _reduced(name: str, of: ast.expr) -> str:
    """What a reduction is called: q.max_tv for max(q.tv), q.max_s(q.max_a(x)) for an array over states and actions."""
    of, flat = _whole_array(of)
    if isinstance(of, ast.GeneratorExp | ast.ListComp):
        over = "a" if "action" in ast.unparse(of.generators[0].iter) else "s"
        return f"q.{name}_{over}(...) of the whole array, without the loop"
    if name in ("any", "all"):
        return f"({_short(of)}).{name}(0)"
    read = [node.attr for node in ast.walk(of) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    shapes = {field.name: field.shape for field in described()}
    if isinstance(of, ast.Attribute) and f"{name}_{of.attr}" in Quantities.names():
        return f"q.{name}_{of.attr}"
    both = flat or any("S, A" in shapes.get(one, "") for one in read)
    return f"q.{name}_s(q.{name}_a({_short(of)}))" if both else f"q.{name}_s({_short(of)})"


class _Put(ast.NodeTransformer):
    """Puts an expression in the place of a name."""

    def __init__(self, name: str, put: ast.expr) -> None:
        self.name, self.put = name, put

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """The expression, for that name."""
        return self.put if node.id == self.name else node


def _whole_array(of: ast.expr) -> tuple[ast.expr, bool]:
    """abs(q.advantage) for `abs(a) for a in q.advantage.ravel()`, and whether that was flattened."""
    if isinstance(of, ast.GeneratorExp | ast.ListComp) and len(of.generators) == 1:
        (loop,) = of.generators
        array, flat = _whole_array(loop.iter)
        if isinstance(loop.target, ast.Name) and not loop.ifs and isinstance(array, ast.Attribute):
            return ast.fix_missing_locations(_Put(loop.target.id, array).visit(of.elt)), flat
        return of, False
    called = of.func if isinstance(of, ast.Call) else of
    if isinstance(called, ast.Attribute) and called.attr in ("ravel", "flatten", "flat"):
        return called.value, True
    return of, False


def _short(node: Any) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else text[:57] + "..."
