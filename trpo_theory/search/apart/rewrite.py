"""`rewritten`: a function of the same source in which `if`, `and`, `a < b < c` and filters of loops ask `branches`.

Only where the source is known, and only what has one meaning for both branches: conditional expressions, `and`, `or`, `not`,
chained comparisons, `sum(x for ... if ...)` and its like, and an `if` whose bodies assign to variables and do nothing else.
Every other `if` is left to `Each.__bool__`, where the instances part.
"""

from __future__ import annotations

import ast
import functools
import linecache
import types
from typing import Any

from trpo_theory.search.apart import branches

NAMES: dict[str, Any] = {
    **{"_apart_either": branches.either, "_apart_and": branches.conjunction, "_apart_or": branches.disjunction},
    **{"_apart_not": branches.negation, "_apart_chain": branches.chain, "_apart_filtered": branches.filtered},
    **{"_apart_mixed": branches.mixed, "_apart_branches": branches.Branches, "_apart_unset": branches.UNSET},
}
"""What the rewritten code calls: names that it finds among its builtins."""
_REDUCTIONS = ("sum", "max", "min", "any", "all")


def rewritten(code: types.CodeType) -> types.CodeType:
    """The code of a function, rewritten; itself, where its source is not known or does not compile to it."""
    try:
        return _rewritten(code)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return code


@functools.lru_cache(maxsize=256)
def _rewritten(code: types.CodeType) -> types.CodeType:
    source = "".join(linecache.getlines(code.co_filename))
    if not source:
        raise OSError("no source")
    tree = ast.parse(source)
    places = _codes(compile(source, code.co_filename, "exec", dont_inherit=True), code)
    nodes: list[Any] = [node for node in ast.walk(tree) if _is_of(node, code)]
    nodes.sort(key=lambda node: (node.lineno, node.col_offset))
    if len(nodes) != len(places):
        raise ValueError("not the functions that the source has")
    positions = list(code.co_positions())
    which = [k for k, place in enumerate(places) if list(place.co_positions()) == positions]
    if len(nodes) == 1:
        which = [0]
    if not which:
        raise ValueError("another source")
    node = nodes[which[0]]
    return _compiled(node, code)


def _codes(within: types.CodeType, like: types.CodeType) -> list[types.CodeType]:
    """The functions of that name and line, in the order of the source."""
    found: list[types.CodeType] = []
    for constant in within.co_consts:
        if isinstance(constant, types.CodeType):
            if (constant.co_name, constant.co_firstlineno) == (like.co_name, like.co_firstlineno):
                found.append(constant)
            found += _codes(constant, like)
    return found


def _is_of(node: Any, code: types.CodeType) -> bool:
    if isinstance(node, ast.Lambda):
        return code.co_name == "<lambda>" and node.lineno == code.co_firstlineno
    if isinstance(node, ast.FunctionDef):
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        return (code.co_name, code.co_firstlineno) == (node.name, first)
    return False


def _compiled(node: Any, code: types.CodeType) -> types.CodeType:
    """The code of the node, rewritten, with the same free variables."""
    new = _Rewriter().visit(node)
    if isinstance(new, ast.FunctionDef):
        new.decorator_list, new.returns = [], None
        for argument in ast.walk(new.args):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        body: list[ast.stmt] = [new]
    else:
        body = [ast.Expr(new)]
    free = [name for name in code.co_freevars if name != "__class__"]
    outer = ast.parse("def _outer():\n    pass").body[0]
    assert isinstance(outer, ast.FunctionDef)
    assigned = [ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None)) for name in free]
    outer.body = [*assigned, *body]
    module = ast.fix_missing_locations(ast.Module([outer], []))
    (outer_code,) = (
        one for one in compile(module, code.co_filename, "exec").co_consts if isinstance(one, types.CodeType)
    )
    made = next(one for one in outer_code.co_consts if isinstance(one, types.CodeType) and one.co_name == code.co_name)
    if sorted(made.co_freevars) != sorted(free):
        raise ValueError("other free variables")
    return made


class _Rewriter(ast.NodeTransformer):
    """Rewrites expressions and simple `if` statements, from the inside out."""

    def __init__(self) -> None:
        self.count = 0

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """A line that prints, which for a batch has no text to print, does nothing."""
        called = node.value.func if isinstance(node.value, ast.Call) else None
        if isinstance(called, ast.Name) and called.id == "print":
            return ast.copy_location(ast.Pass(), node)
        return self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        """`x if c else y`."""
        self.generic_visit(node)
        return _call(node, "_apart_either", node.test, _thunk(node.body), _thunk(node.orelse))

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """`a and b`, `a or b`."""
        self.generic_visit(node)
        name = "_apart_and" if isinstance(node.op, ast.And) else "_apart_or"
        return _call(node, name, *map(_thunk, node.values))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        """`not a`."""
        self.generic_visit(node)
        return _call(node, "_apart_not", node.operand) if isinstance(node.op, ast.Not) else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """`a < b < c`."""
        self.generic_visit(node)
        signs = [type(sign).__name__ for sign in node.ops]
        if len(signs) < 2 or not set(signs) <= branches._COMPARISONS.keys():
            return node
        names = ast.Tuple([ast.Constant(sign) for sign in signs], ast.Load())
        return _call(node, "_apart_chain", names, *map(_thunk, [node.left, *node.comparators]))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`sum(x for ... if c)` and the like."""
        self.generic_visit(node)
        loop = node.args[0] if len(node.args) in (1, 2) else None
        if not (
            isinstance(node.func, ast.Name)
            and node.func.id in _REDUCTIONS
            and isinstance(loop, ast.GeneratorExp | ast.ListComp)
        ):
            return node
        if len(node.args) == 2 and node.func.id != "sum":
            return node
        last = loop.generators[-1]
        named = {keyword.arg: keyword.value for keyword in node.keywords}
        if not last.ifs or any(one.ifs for one in loop.generators[:-1]) or not named.keys() <= {"default", "start"}:
            return node
        condition = last.ifs[0] if len(last.ifs) == 1 else _call(node, "_apart_and", *map(_thunk, last.ifs))
        last.ifs = []
        pairs = ast.GeneratorExp(ast.Tuple([condition, _thunk(loop.elt)], ast.Load()), loop.generators)
        return _call(node, "_apart_filtered", ast.Constant(node.func.id), pairs, *node.args[1:], *named.values())

    def visit_If(self, node: ast.If) -> Any:
        """An `if` that only assigns to variables."""
        names = sorted(_assigned([*node.body, *node.orelse]) or ())
        self.generic_visit(node)
        if not names:
            return node
        self.count += 1
        test, both = f"_apart_test_{self.count}", f"_apart_both_{self.count}"
        plain = ast.If(ast.Name(test, ast.Load()), node.body, node.orelse)
        stored = ast.Tuple([ast.Name(name, ast.Store()) for name in names], ast.Store())
        loaded: list[ast.expr] = [ast.Name(name, ast.Load()) for name in names]
        before = [ast.keyword(name, _value_or_unset(name)) for name in names]
        made = ast.Call(ast.Name("_apart_branches", ast.Load()), [ast.Name(test, ast.Load())], before)
        start = [ast.Assign([ast.Name(name, ast.Store())], _value_or_unset(name)) for name in names]
        apart = ast.With(
            [ast.withitem(made, ast.Name(both, ast.Store()))],
            [
                *start,
                *node.body,
                ast.Assign(
                    [stored], ast.Call(ast.Attribute(ast.Name(both, ast.Load()), "otherwise", ast.Load()), loaded, [])
                ),
                *node.orelse,
                ast.Assign(
                    [stored], ast.Call(ast.Attribute(ast.Name(both, ast.Load()), "join", ast.Load()), loaded, [])
                ),
            ],
        )
        mixed = _call(node, "_apart_mixed", ast.Name(test, ast.Load()))
        choice = ast.If(mixed, [apart], [plain])
        return [ast.copy_location(one, node) for one in (ast.Assign([ast.Name(test, ast.Store())], node.test), choice)]


def _call(node: ast.AST, name: str, *args: ast.expr) -> Any:
    return ast.copy_location(ast.Call(ast.Name(name, ast.Load()), list(args), []), node)


def _thunk(value: ast.expr) -> ast.expr:
    if any(isinstance(part, ast.NamedExpr | ast.Yield | ast.YieldFrom | ast.Await) for part in ast.walk(value)):
        raise ValueError("an assignment in an expression")
    return ast.copy_location(ast.Lambda(ast.arguments([], [], None, [], [], None, []), value), value)


def _value_or_unset(name: str) -> ast.expr:
    """The variable's value, if it has one."""
    here = ast.Call(ast.Name("locals", ast.Load()), [], [])
    get = ast.Attribute(here, "get", ast.Load())
    return ast.Call(get, [ast.Constant(name), ast.Name("_apart_unset", ast.Load())], [])


def _assigned(body: list[ast.stmt]) -> set[str] | None:
    """The variables that statements assign, if that is all they do; else None."""
    names: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.Pass):
            continue
        if isinstance(statement, ast.If):
            inner = _assigned([*statement.body, *statement.orelse])
            if inner is None:
                return None
            names |= inner
            continue
        if not isinstance(statement, ast.Assign | ast.AugAssign):
            return None
        for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
            parts = target.elts if isinstance(target, ast.Tuple) else [target]
            if not all(isinstance(part, ast.Name) for part in parts):
                return None
            names |= {part.id for part in parts if isinstance(part, ast.Name)}
    return names
