"""A block for a Python file that holds only the functions or classes that change: they take their places in the file.

Models of every size answer a request for the whole file with the one function that they changed, or forget one when
they write the whole. Written as it is, such a block would delete the rest. It is taken as a part only where the rest is
certainly meant to stay: the block itself uses what it leaves out, or other files do, and the task does not name it.
"""

import ast
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from super_agent.core.replies.definitions import imported_by, names_in, parses, span, tree_of, used_in
from super_agent.core.text import indent_of

DefinitionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def used_names(texts: Iterable[str]) -> frozenset[str]:
    """What these Python files import, name or take as an attribute; not what they hold in strings and comments."""
    found: set[str] = set()
    for tree in map(tree_of, texts):
        found |= used_in(tree.body) if tree is not None else set()
    return frozenset(found)


def with_definitions(
    old: list[str], new: list[str], used: Callable[[], frozenset[str]], named: Collection[str] = ()
) -> list[str] | None:
    """The file's lines with the block's definitions in their places; None where the block is no certain part of it.

    `used` gives the identifiers of the other files, which are read only where the block leaves something out: what they
    name is never dropped. What the task says is `named`: that may be meant to be renamed or to go.
    """
    file, block = _Source.of(old), _Source.of(new)
    if file is None or block is None or not block.only_defines:
        return None
    edits = _Edits(file, block, used, frozenset(named))
    if not (edits.of_methods() or edits.of_definitions()):
        return None
    edits.add_beginning()
    merged = edits.applied()
    return merged if merged != old and parses("\n".join(merged)) else None


def forgets_imports(old: str, new: str) -> bool:
    """Whether Python text uses what the file imports and does not import it: then it is no whole file."""
    there, given = tree_of(old), tree_of(new)
    return there is not None and given is not None and bool(_forgotten(there.body, given.body))


def imports_from_itself(path: str, old: str, new: str) -> str:
    """A name that `new` imports from the very file, which defined it and would not any more: a test in its place."""
    there, given = tree_of(old), tree_of(new)
    if there is None or given is None:
        return ""
    gone = names_in(there.body) - names_in(given.body)
    module = path.removesuffix(".py").replace("/", ".")
    for node in given.body:
        if isinstance(node, ast.ImportFrom) and node.module and f".{module}".endswith(f".{node.module}"):
            found = [alias.name for alias in node.names if alias.name in gone]
            if found:
                return found[0]
    return ""


@dataclass(frozen=True, slots=True)
class _Source:
    lines: list[str]
    body: list[ast.stmt]

    @classmethod
    def of(cls, lines: list[str]) -> "_Source | None":
        # A lone carriage return is a new line to Python's parser alone, and would shift all that follows.
        odd = any("\r" in line or ("\f" in line and line.strip()) for line in lines)
        tree = None if odd else tree_of("\n".join(lines))
        return None if tree is None else cls(lines, tree.body)

    @property
    def only_defines(self) -> bool:
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
        rest = [node for node in self.body if not isinstance(node, kinds) and node is not self.docstring]
        return len(rest) == len(_constants(rest)) and bool(_definitions(self.body))

    @property
    def docstring(self) -> ast.stmt | None:
        match self.body[:1]:
            case [ast.Expr(value=ast.Constant(value=str())) as first]:
                return first
        return None

    def text(self, node: ast.stmt) -> list[str]:
        first, last = span(node)
        return self.lines[first:last]


@dataclass(slots=True)
class _Edits:
    """Replacements and insertions, as (first line, line after the last, new lines) of the file."""

    file: _Source
    block: _Source
    used: Callable[[], frozenset[str]]
    named: frozenset[str]
    found: list[tuple[int, int, list[str]]] = field(default_factory=list)

    def of_definitions(self) -> bool:
        """Whether the block is some of the file's functions and classes; if so each has found its place."""
        there, given = _definitions(self.file.body), _definitions(self.block.body)
        mine = names_in(self.block.body)
        if not (mine & names_in(self.file.body) or mine <= self.named):
            return False
        if not self._leaves_out(self.file.body, self.block.body):
            return False
        last = max((span(there[name])[1] for name in given if name in there), default=len(self.file.lines))
        for name, node in given.items():
            if name in there:
                self._replace(there[name], node)
            else:
                self.found.append((last, last, ["", "", *self.block.text(node)]))
        return True

    def of_methods(self) -> bool:
        """Whether the block is methods without their class; if so each has found its place in the one class."""
        given = _definitions(self.block.body)
        if not all(_is_method(node) for node in given.values()) or given.keys() & _definitions(self.file.body).keys():
            return False
        classes = [node for node in self.file.body if isinstance(node, ast.ClassDef)]
        owners = [node for node in classes if given.keys() & _definitions(node.body).keys()] or classes
        if len(owners) != 1:
            return False
        owner = owners[0]
        methods, indent = _definitions(owner.body), indent_of(self.file.lines[owner.body[0].lineno - 1])
        for name, node in given.items():
            text = [indent + line if line.strip() else line for line in self.block.text(node)]
            if name in methods:
                self.found.append((*span(methods[name]), text))
            else:
                end = span(owner)[1]
                self.found.append((end, end, ["", *text]))
        return True

    def add_beginning(self) -> None:
        """The block's docstring and constants; what only the block imports or sets follows the file's own imports."""
        old, new = self.file.docstring, self.block.docstring
        if old is not None and new is not None:
            self.found.append((*span(old), self.block.text(new)))
        there, given = _constants(self.file.body), _constants(self.block.body)
        self.found += [(*span(there[name]), self.block.text(node)) for name, node in given.items() if name in there]
        known = {ast.unparse(node) for node in self.file.body if isinstance(node, ast.Import | ast.ImportFrom)}
        imports = [n for n in self.block.body if isinstance(n, ast.Import | ast.ImportFrom)]
        added: list[ast.stmt] = [node for node in imports if ast.unparse(node) not in known]
        added += [node for name, node in given.items() if name not in there]
        if lines := [line for node in added for line in self.block.text(node)]:
            place = _after_imports(self.file)
            self.found.append((place, place, lines if place else [*lines, "", ""]))

    def applied(self) -> list[str]:
        """The file's lines with all of it."""
        merged: list[str] = []
        done = 0
        for first, last, lines in sorted(self.found, key=lambda edit: edit[0]):
            merged += [*self.file.lines[done:first], *lines]
            done = last
        return merged + self.file.lines[done:]

    def _replace(self, old: DefinitionNode, new: DefinitionNode) -> None:
        """A class may itself be given in part."""
        if isinstance(old, ast.ClassDef) and isinstance(new, ast.ClassDef):
            there, given = _definitions(old.body), _definitions(new.body)
            beside = used_in([node for node in self.file.body if node is not old])
            if there.keys() & given.keys() and self._leaves_out(old.body, new.body, beside):
                for name, node in given.items():
                    where = span(there[name]) if name in there else (span(old)[1],) * 2
                    lines = self.block.text(node)
                    self.found.append((*where, lines if name in there else ["", *lines]))
                return
        self.found.append((*span(old), self.block.text(new)))

    def _leaves_out(self, old: list[ast.stmt], new: list[ast.stmt], beside: Collection[str] = ()) -> bool:
        """Whether the block certainly leaves out what is meant to stay; a rename adds as much as it leaves out."""
        there, given = names_in(old), names_in(new)
        missing = there - given - names_in(self.block.body)
        if missing & used_in(new) or _forgotten(old, new):
            return True
        if len(given - there) >= len(missing):
            missing -= self.named
        return bool(missing) and bool(missing.intersection(beside) or missing & self.used())


def _definitions(body: list[ast.stmt]) -> dict[str, DefinitionNode]:
    return {n.name: n for n in body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}


def _constants(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    found: dict[str, ast.stmt] = {}
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                found[name] = node
    return found


def _forgotten(old: list[ast.stmt], new: list[ast.stmt]) -> set[str]:
    """What the first statements import, and the others use without."""
    return (imported_by(old) - imported_by(new) - names_in(new)) & used_in(new)


def _is_method(node: DefinitionNode) -> bool:
    if isinstance(node, ast.ClassDef):
        return False
    first = [*node.args.posonlyargs, *node.args.args][:1]
    return bool(first) and first[0].arg in ("self", "cls")


def _after_imports(file: _Source) -> int:
    """The line after the file's imports, else after its docstring, else the first."""
    imports = [node for node in file.body if isinstance(node, ast.Import | ast.ImportFrom)]
    last = imports[-1] if imports else file.docstring
    return 0 if last is None else span(last)[1]
