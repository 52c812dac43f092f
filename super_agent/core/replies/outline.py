"""What files define: a name's place, a file's outline, and the names alone for thousands of files.

Python is read by its own parser, other languages by the words that they define with. Grammars of tree-sitter would cost
more than they give: the language pack downloads them when it runs, wheels for thirteen languages take 32 MB, and
parsing 800 files took 5.6 s, where only the outlines of the few files that are shown need to be exact.
"""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from super_agent.core.replies.definitions import tree_of
from super_agent.core.sanitize import sanitize
from super_agent.core.text import cut

_BEFORE = (
    r"(?:(?:export|default|pub(?:\([^)]*\))?|public|private|protected|internal|static|final|abstract|async|unsafe|"
    r"inline|override|virtual|open|data|sealed|partial|suspend|extern)[ \t]+)"
)
_WORDS = (
    r"(?:def|class|function\*?|interface|enum|struct|trait|type|func|fn|fun|module|namespace|object|record|protocol|"
    r"extension|macro_rules!)"
)
_RECEIVER = r"(?:\([^()]*\)[ \t]*)?"
"""Of a method in Go."""

_NO_TYPE = r"(?:return|assert|await|raise|throw|else|yield|print|new|delete|if|while|not|import|from|use|echo)"
"""Words that no definition in C begins with, though a call may stand behind them."""


def definition_of(name: str) -> re.Pattern[str]:
    """What a line that defines `name` begins with: a function, a method, a type, or a value of a whole file."""
    name = re.escape(name)
    return re.compile(
        rf"^[ \t]*{_BEFORE}*{_WORDS}[ \t]+{_RECEIVER}(?:self\.)?{name}(?!\w)"
        rf"|^[ \t]*{_BEFORE}+[\w<>\[\],.?]+[ \t]+{name}[ \t]*\("
        rf"|^(?:export[ \t]+)?(?:(?:const|let|var|val|static)[ \t]+)?{name}[ \t]*(?::[^=]*)?=(?!=)"
        rf"|^(?!{_NO_TYPE}\b)\w[\w*&:<> \t]*[ \t*&]{name}[ \t]*\([^;]*$"
    )


MAX_LINE_CHARS = 110
"""Of a definition's line in an outline."""
_C_LIKE = ("c", "cpp", "objective-c")
_LINE = re.compile(
    rf"^(?P<indent>[ \t]*){_BEFORE}*{_WORDS}[ \t]+{_RECEIVER}(?:self\.)?(?P<name>[A-Za-z_$][\w$]*)"
    rf"|^(?P<indent2>[ \t]*){_BEFORE}+[\w<>\[\],.?]+[ \t]+(?P<name2>[A-Za-z_]\w*)[ \t]*\("
    r"|^(?:export[ \t]+)?(?:const|let|var)[ \t]+(?P<name3>[A-Za-z_$][\w$]*)[^=]*=.*(?:=>|\bfunction\b)"
)
_C_LINE = re.compile(rf"^(?!{_NO_TYPE}\b)\w[\w*&:<> \t]*[ \t*&](?P<name>[A-Za-z_]\w*)[ \t]*\([^;]*$")
_DEFINED = re.compile(
    rb"\n[ \t]*(?:(?:export|default|pub|public|private|protected|static|final|abstract|async|inline|override)[ \t]+)*"
    rb"(?:def|class|function\*?|interface|enum|struct|trait|type|func|fn|fun|module|object|record|const|let|var)[ \t]+"
    rb"(?:\([^()\n]*\)[ \t]*)?([A-Za-z_$][\w$]{2,})"
)


@dataclass(frozen=True, slots=True)
class Definition:
    """A function, type or method: its name, its line without the body, and 1 where it stands inside another, else 0."""

    name: str
    line: str
    depth: int = 0


def defined_names(data: bytes) -> frozenset[bytes]:
    """Names that a file of any language seems to define at any depth: quick, for thousands of files."""
    return frozenset(_DEFINED.findall(b"\n" + data))


def outline(language: str, text: str) -> list[Definition]:
    """What a file defines, in its order: functions and types at the top level, and the methods of these."""
    tree = tree_of(text) if language == "python" else None
    return _of_python(tree.body) if tree is not None else _of_lines(language, text)


def _of_python(body: Sequence[ast.stmt]) -> list[Definition]:
    found: list[Definition] = []
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(_function(node, 0))
        elif isinstance(node, ast.ClassDef):
            bases = ", ".join(ast.unparse(base) for base in node.bases)
            found.append(Definition(node.name, _cut(f"class {node.name}" + (f"({bases})" if bases else ""))))
            methods = [inner for inner in node.body if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)]
            found += [_function(method, 1) for method in methods]
    return found


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, depth: int) -> Definition:
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
    return Definition(node.name, _cut(f"{word} {node.name}({ast.unparse(node.args)}){returns}"), depth)


def _of_lines(language: str, text: str) -> list[Definition]:
    found: list[Definition] = []
    for line in text.splitlines():
        hit = _LINE.match(line[: MAX_LINE_CHARS * 2])
        if hit is not None:
            name = hit["name"] or hit["name2"] or hit["name3"]
            indent = hit["indent"] or hit["indent2"] or ""
        elif language in _C_LIKE and (hit := _C_LINE.match(line[: MAX_LINE_CHARS * 2])) is not None:
            name, indent = hit["name"], ""
        else:
            continue
        found.append(Definition(name, _cut(line.strip().rstrip("{:= ")), min(len(indent), 1)))
    return found


def _cut(line: str) -> str:
    return cut(sanitize(line).replace("\n", " "), MAX_LINE_CHARS)
