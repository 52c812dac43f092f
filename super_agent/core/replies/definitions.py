"""What a file defines at its top level, by which a block is told to be that file."""

import ast
import json
import re
import tomllib
import warnings
from collections.abc import Sequence
from typing import Any

_OTHERS = re.compile(
    r"^(?:export\s+)?(?:default\s+)?(?:pub(?:\([^)]*\))?\s+)?(?:public\s+|static\s+|final\s+|abstract\s+)*(?:async\s+)?"
    r"(?:function\*?|class|interface|enum|struct|trait|type|func|fn|def|module|const|let|var)\s+(?P<name>[A-Za-z_$][\w$]*)",
    re.MULTILINE,
)
_BOUND = re.compile(
    r"^[ \t]*(?:(?:async|static|public|private|protected|get|set|def|fn|func|fun)[ \t]+|\w+\.)*"
    r"(?P<name>[A-Za-z_$][\w$]*)[ \t]*"
    r"(?:[:=](?![ \t]*(?:=|(?P=name)\b))|\([^;{}=\n]{0,200}\)[^;{}=()\n]{0,80}[{:][ \t]*$)",
    re.MULTILINE,
)
_IMPORTED = re.compile(r"^[ \t]*(?:import|export)\b[^;'\"]*\bfrom\b|^.{0,400}\brequire\(|^use .{0,400}", re.MULTILINE)
_PAIR = re.compile(r"\"(?P<text>[^\"\n]+)\"[ \t]*:|^[ \t]*(?:-[ \t]+)?(?P<word>[\w.@/-]+)[ \t]*(?:[:=]|[<>~!]=)")
KEYED = ("json", "yaml", "yml", "toml", "ini", "cfg", "conf", "properties", "env", "dotenv", "text", "txt")
"""Languages of data whose lines begin with their keys."""
_VALUE = re.compile(r"\b(?:const|let|var)\s+[A-Za-z_$]")
_RULE = re.compile(r"^(?P<name>[^\s{}@/*;][^{};/\n]*)\{", re.MULTILINE)
MAX_CHARS = 400_000
"""Above this a text is not parsed: what is certain must also be cheap."""


def parses(text: str) -> bool:
    """Whether the text is Python that can be compiled."""
    return tree_of(text) is not None


def tree_of(text: str) -> ast.Module | None:
    """The syntax tree of Python text, or None."""
    if len(text) > MAX_CHARS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def definitions(language: str, text: str) -> frozenset[str]:
    """Names of functions, classes and (Python) constants at the top level; empty where the text cannot be read."""
    if language != "python":
        return frozenset(m["name"] for m in _OTHERS.finditer(text[:MAX_CHARS]))
    tree = tree_of(text)
    return frozenset() if tree is None else names_in(tree.body)


def functions_and_types(text: str) -> frozenset[str]:
    """Names of functions and types at the left margin, in a language that is not Python; no values."""
    return frozenset(m["name"] for m in _OTHERS.finditer(text[:MAX_CHARS]) if not _VALUE.search(m[0]))


def bound_in(language: str, text: str) -> frozenset[str]:
    """Names that code imports, or gives to a method or a property, in place of functions of its own."""
    text = text[:MAX_CHARS]
    tree = tree_of(text) if language == "python" else None
    found = imported_by(tree.body) if tree is not None else set[str]()
    if language != "python":
        found = {word for m in _IMPORTED.finditer(text) for word in re.findall(r"[\w$]+", m[0])}
    return frozenset(found | {m["name"] for m in _BOUND.finditer(text)})


def keys_in(text: str) -> list[str]:
    """The keys in a text of data, each as often as it is there, and the lines that have none; no remarks."""
    found: list[str] = []
    for line in text[:MAX_CHARS].splitlines():
        keys = [m["text"] or m["word"] for m in _PAIR.finditer(line)]
        bare = line.strip()
        found += keys or ([bare] if re.search(r"\w", bare) and not bare.startswith(("#", ";", "//")) else [])
    return found


def style_rules(text: str) -> frozenset[str]:
    """Selectors of a style sheet's rules that begin at the left margin."""
    return frozenset(" ".join(m["name"].split()) for m in _RULE.finditer(text[:MAX_CHARS]))


def data_of(language: str, text: str) -> Any:
    """The data of a JSON or TOML text; None where it is none."""
    try:
        if language == "toml":
            return tomllib.loads(text)
        return json.loads(text) if language == "json" else None
    except (ValueError, RecursionError):
        return None


def json_keys(text: str) -> frozenset[str]:
    """The keys of a JSON object; none of any other text."""
    data = data_of("json", text)
    return frozenset(data) if isinstance(data, dict) else frozenset()


def names_in(body: Sequence[ast.stmt]) -> frozenset[str]:
    """Of functions, classes and constants that these statements define, not those inside of them."""
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return frozenset(found)


def used_in(body: Sequence[ast.stmt]) -> set[str]:
    """Names that are read and not bound there too, attributes, and what is imported from modules."""
    read, bound = set(), set()
    for node in (inner for statement in body for inner in ast.walk(statement)):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                read.add(name)
            case ast.Name(id=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.Attribute(attr=name):
                read.add(name)
            case ast.ImportFrom(names=names):
                read |= {alias.name for alias in names}
    return read - bound


def imported_by(body: Sequence[ast.stmt]) -> set[str]:
    """Names that the imports at the top level bind."""
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return found


def begins_file(text: str, rest: str) -> bool:
    """Whether Python text is imports and constants alone, and `rest` uses some of them and does not have them."""
    tree, following = tree_of(text), tree_of(rest)
    if tree is None or following is None:
        return False
    quiet = all(isinstance(node, ast.Import | ast.ImportFrom) or _is_plain(node) for node in tree.body)
    bound = imported_by(tree.body) | names_in(tree.body)
    return quiet and bool((bound - imported_by(following.body) - names_in(following.body)) & used_in(following.body))


def span(node: ast.stmt) -> tuple[int, int]:
    """First line, from 0, with the decorators, and the line after the last."""
    above = [each.lineno for each in getattr(node, "decorator_list", [])]
    return min([node.lineno, *above]) - 1, node.end_lineno or node.lineno


def only_defines(text: str) -> bool:
    """Whether Python text defines functions or classes and does nothing else when it runs."""
    tree = tree_of(text)
    if tree is None:
        return False
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    quiet = (*kinds, ast.Import, ast.ImportFrom)
    has_any = any(isinstance(node, kinds) for node in tree.body)
    return has_any and all(isinstance(node, quiet) or _is_plain(node) for node in tree.body)


def is_use_of(defined: frozenset[str], code: str) -> bool:
    """Whether Python code does something when it runs and has nothing of what a file defines, as an example has."""
    tree = tree_of(code)
    if tree is None or not defined or defined & names_in(tree.body):
        return False
    return any(isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) for node in tree.body)


def _is_plain(node: ast.stmt) -> bool:
    """A docstring, a constant, or the usual guard of a script."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return node.value is None or not any(isinstance(inner, ast.Call) for inner in ast.walk(node.value))
    return isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)
