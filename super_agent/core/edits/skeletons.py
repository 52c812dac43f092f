"""Functions that a file only announces: a head, perhaps a docstring, and no work in the body."""

import ast
import re
from collections import Counter
from collections.abc import Collection, Mapping

from super_agent.core.edits.stubs import Function, body_lines, functions_in, stands_apart
from super_agent.core.replies.definitions import tree_of

MAX_WRITTEN_LINES = 10
"""Of functions between or behind those that are to be written; who writes all in one go has to repeat them."""
ABSTRACT = ("abstractmethod", "overload")
INTERFACES = ("ABC", "Protocol")


def unwritten(text: str) -> dict[str, Function]:
    """The functions and methods of Python text, by dotted name, that hold nothing but `pass`, `...` or a raised
    NotImplementedError, in the order of their lines; what is meant to stay so, or has a name twice, is left out."""
    tree = None if "\f" in text else tree_of(text)
    if tree is None:
        return {}
    lines = text.split("\n")
    interfaces = {node.name for node in tree.body if isinstance(node, ast.ClassDef) and _is_interface(node)}
    there = list(functions_in(tree))
    count = Counter(name for name, _ in there)
    return {
        name: node
        for name, node in there
        if count[name] == 1
        and name.rpartition(".")[0] not in interfaces
        and not _is_abstract(node)
        and stands_apart(lines, node.body[0])
        and _is_empty(node)
    }


def first_of_skeleton(text: str) -> str:
    """The first function of a file that is to be written from there to its end; empty where it is none of that kind.

    Several of its functions are unwritten, and behind the first of them stand functions alone, with little in them.
    """
    names = unwritten(text)
    tree = tree_of(text) if len(names) > 1 else None
    if tree is None:
        return ""
    name, first = next(iter(names.items()))
    written = [node for name, node in functions_in(tree) if name not in names and node.lineno > first.lineno]
    few = sum(len(body_lines(node)) for node in written) <= MAX_WRITTEN_LINES
    return name if few and not any(_is_else(node, first.lineno) for node in tree.body) else ""


def empty_functions(texts: Mapping[str, str], told: str) -> dict[str, list[str]]:
    """Of these Python files by path the unwritten functions, where `told` names one of a file's, or its class."""
    words = set(re.findall(r"\w+", told))
    found = {path: list(unwritten(text)) for path, text in texts.items()}
    return {path: names for path, names in found.items() if any(_is_named(name, words) for name in names)}


def _is_named(name: str, words: Collection[str]) -> bool:
    return any(part in words and not part.startswith("__") for part in name.split("."))


def _is_else(node: ast.stmt, line: int) -> bool:
    """Whether a statement behind that line, or in a class that ends behind it, is none of a function: it would have to
    be said again by who writes the rest."""
    if isinstance(node, ast.ClassDef) and (node.end_lineno or node.lineno) > line:
        return any(_is_else(each, line) for each in _statements(node))
    return node.lineno > line and not isinstance(node, Function)


def _statements(node: Function | ast.ClassDef) -> list[ast.stmt]:
    """The body without its docstring."""
    return node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body


def _is_interface(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).rpartition(".")[2].partition("[")[0] in INTERFACES for base in node.bases)


def _is_abstract(node: Function) -> bool:
    return any(ast.unparse(decorator).rpartition(".")[2] in ABSTRACT for decorator in node.decorator_list)


def _is_empty(node: Function) -> bool:
    """Whether the body is nothing or one statement that does nothing."""
    match _statements(node):
        case [] | [ast.Pass()]:
            return True
        case [ast.Expr(ast.Constant(value=value))]:
            return value is ...
        case [ast.Raise(exc=ast.expr() as raised)]:
            return "NotImplementedError" in ast.unparse(raised)
        case _:
            return False
