"""Functions that are shown without their bodies, so that a model writes them anew instead of copying them.

Shown its file and the failing tests, Qwen2.5-Coder 1.5B gave files back unchanged in 7 of 24 repairs. Of twelve small
projects with one bug, two samples each at temperature 0.5, it mended 8 of 24 so, 8 of 24 with a stub for each function
that the check's output names, and 14 of 24 with one for the most named function alone.
"""

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from super_agent.core.replies.definitions import span, tree_of

STUB = "...  # wrong, to be written anew"
MAX_BODY_LINES = 25
"""A longer function holds more that would be lost than a small model writes anew."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def suspects(texts: Iterable[str], failure: str) -> list[str]:
    """The functions of these Python texts that the check's output names, the most named first."""
    said = Counter(re.findall(r"\w+", failure))
    names = dict.fromkeys(node.name for text in texts for node in stubbable(text))
    return sorted((name for name in names if said[name]), key=lambda name: said[name], reverse=True)


def stubbed(text: str, names: Collection[str]) -> str:
    """Python text with stubs for its functions of these names; as it is where there are none."""
    lines = text.split("\n")
    for node in reversed([node for node in stubbable(text) if node.name in names]):
        body = body_lines(node)
        lines[body.start : body.stop] = [" " * _first(node).col_offset + STUB]
    return "\n".join(lines)


def filled(old: list[str], new: list[str]) -> list[str]:
    """The lines of a reply's file in which each stub that was left has the body that the function has in the file."""
    if not any(line.strip() == STUB for line in new):
        return new
    there, given = tree_of("\n".join(old)), tree_of("\n".join(new))
    if there is None or given is None:
        return new
    bodies = dict(functions_in(there))
    lines = list(new)
    for name, node in reversed(list(functions_in(given))):
        body = body_lines(node)
        if name in bodies and [line.strip() for line in new[body.start : body.stop]] == [STUB]:
            own = body_lines(bodies[name])
            if _first(bodies[name]).col_offset == _first(node).col_offset:
                lines[body.start : body.stop] = old[own.start : own.stop]
    return lines


def stubbable(text: str, *, init: bool = False) -> list[Function]:
    """In the order of their lines: those with a body of its own lines that is not too long; with `init` what makes
    objects, of the names that Python gives a meaning."""
    tree = None if "\f" in text else tree_of(text)
    nodes = [] if tree is None else [node for _, node in functions_in(tree)]
    found = [node for node in nodes if not node.name.startswith("__") or (init and node.name == "__init__")]
    lines = text.split("\n")
    return [f for f in found if 0 < len(body_lines(f)) <= MAX_BODY_LINES and stands_apart(lines, f.body[0])]


def stands_apart(lines: list[str], statement: ast.stmt) -> bool:
    """Whether nothing stands before a statement on its line, such as the end of its function's head."""
    return not lines[statement.lineno - 1][: statement.col_offset].strip()


def functions_in(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """Functions and methods by their dotted names, in the order of their lines."""
    for node in tree.body:
        if isinstance(node, Function):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{each.name}", each) for each in node.body if isinstance(each, Function))


def _first(node: Function) -> ast.stmt:
    """The first statement after the docstring, or the docstring where nothing else is there."""
    return node.body[1] if ast.get_docstring(node, clean=False) is not None and len(node.body) > 1 else node.body[0]


def body_lines(node: Function) -> range:
    """The lines of the body without the docstring, from 0."""
    first = _first(node)
    is_docstring = first is node.body[0] and ast.get_docstring(node, clean=False) is not None
    last = node.end_lineno or node.lineno
    return range(last, last) if is_docstring else range(span(first)[0], last)
