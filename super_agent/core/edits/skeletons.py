"""Functions that a file only announces: a head, perhaps a docstring, and no work in the body."""

import ast
from collections.abc import Mapping

from super_agent.core.edits.stubs import Function, body_lines, functions_in
from super_agent.core.replies.definitions import tree_of

MAX_WRITTEN_LINES = 10
"""Of functions between or behind those that are to be written; who writes all in one go has to repeat them."""
ABSTRACT = ("abstractmethod", "overload")
INTERFACES = ("ABC", "Protocol")


def unwritten(text: str) -> dict[str, Function]:
    """The functions and methods of Python text, by dotted name, that hold nothing but `pass`, `...` or a raised
    NotImplementedError, in the order of their lines; what is meant to stay so is left out."""
    tree = None if "\f" in text else tree_of(text)
    if tree is None:
        return {}
    interfaces = {node.name for node in tree.body if isinstance(node, ast.ClassDef) and _is_interface(node)}
    return {
        name: node
        for name, node in functions_in(tree)
        if name.rpartition(".")[0] not in interfaces and not _is_abstract(node) and _is_empty(node)
    }


def first_of_skeleton(text: str) -> str:
    """The first function of a file that is to be written from there to its end; empty where it is none of that kind.

    Several of its functions are unwritten, and little that is written stands behind the first of them.
    """
    names = unwritten(text)
    tree = tree_of(text) if len(names) > 1 else None
    if tree is None:
        return ""
    first = next(iter(names.values()))
    written = [node for name, node in functions_in(tree) if name not in names and node.lineno > first.lineno]
    loose = [node for node in tree.body if node.lineno > first.lineno and not isinstance(node, Function | ast.ClassDef)]
    lines = sum(len(body_lines(node)) for node in written) + sum(
        (n.end_lineno or n.lineno) - n.lineno + 1 for n in loose
    )
    return next(iter(names)) if lines <= MAX_WRITTEN_LINES else ""


def empty_functions(texts: Mapping[str, str], told: str) -> dict[str, list[str]]:
    """Of these Python files by path the unwritten functions, where `told` names one of a file's, or its class."""
    found = {path: list(unwritten(text)) for path, text in texts.items()}
    return {path: names for path, names in found.items() if any(_is_named(name, told) for name in names)}


def _is_named(name: str, told: str) -> bool:
    return any(part in told for part in name.split("."))


def _is_interface(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).rpartition(".")[2].partition("[")[0] in INTERFACES for base in node.bases)


def _is_abstract(node: Function) -> bool:
    return any(ast.unparse(decorator).rpartition(".")[2] in ABSTRACT for decorator in node.decorator_list)


def _is_empty(node: Function) -> bool:
    """Whether the body, on lines of its own, is nothing or one statement that does nothing."""
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    if node.body[0].lineno == node.lineno or len(body) > 1:
        return False
    match body:
        case [] | [ast.Pass()]:
            return True
        case [ast.Expr(ast.Constant(value=value))]:
            return value is ...
        case [ast.Raise(exc=ast.expr() as raised)]:
            return "NotImplementedError" in ast.unparse(raised)
        case _:
            return False
