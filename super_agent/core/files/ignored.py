"""The files that a search looks into: those that .gitignore and .ignore leave, without hidden ones, as ripgrep has it.

Patterns are translated here, as the regular expressions that pathspec makes of them backtrack: a line with ten stars,
which model-written code can leave behind, would hang a run.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from super_agent.core.errors import PathRefused
from super_agent.core.files.workspace import Workspace

IGNORE_FILES = (".ignore", ".gitignore")
"""The first that says anything of a path has the last word (ripgrep's order). Read inside the workspace only."""
MAX_IGNORE_BYTES = 64 * 1024
MAX_RULES = 1000
"""Of one file; GitHub's longest template has about 400."""
_CLASS = re.compile(r"\[(?P<negated>[!^]?)(?P<inner>\]?(?:\\.|[^\]\\])*)\]")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of an ignore file; `pattern` is matched with a path relative to the file's folder, or with a name."""

    pattern: re.Pattern[str]
    negated: bool = False
    only_folders: bool = False
    by_name: bool = False

    def matches(self, path: str, *, is_folder: bool) -> bool:
        """Whether the rule is about this path, relative to the folder of its file."""
        if self.only_folders and not is_folder:
            return False
        return self.pattern.fullmatch(path.rsplit("/", 1)[-1] if self.by_name else path) is not None


Level = tuple[str, tuple[Rule, ...]]
"""A folder's prefix ("" or with a slash at its end) and the rules that its file has, the last first."""


@dataclass(slots=True)
class _Folder:
    """What is known of a folder: whether all in it is left out, and the levels of rules that hold in it.

    `hidden`: hidden files are left out too.
    """

    hidden: bool
    left_out: bool = False
    levels: dict[str, tuple[Level, ...]] = field(default_factory=dict)


def visible_files(workspace: Workspace, *, with_hidden: bool = False) -> list[str]:
    """Regular files in sorted order, without those that are ignored and hidden ones; no link is followed."""
    paths = list(workspace.files())
    known = frozenset(path for path in paths if path.rsplit("/", 1)[-1] in IGNORE_FILES)
    folders = {"": _entered(workspace, known, "", _Folder(not with_hidden))}
    return [path for path in paths if _is_visible(workspace, known, folders, path)]


def _is_visible(workspace: Workspace, known: frozenset[str], folders: dict[str, _Folder], path: str) -> bool:
    folder = path.rpartition("/")[0]
    missing: list[str] = []
    while folder not in folders:
        missing.append(folder)
        folder = folder.rpartition("/")[0]
    for inner in reversed(missing):
        above = folders[inner.rpartition("/")[0]]
        left_out = above.left_out or _is_ignored(above, inner, is_folder=True)
        folders[inner] = _Folder(above.hidden, left_out=True) if left_out else _entered(workspace, known, inner, above)
    around = folders[path.rpartition("/")[0]]
    return not around.left_out and not _is_ignored(around, path, is_folder=False)


def _entered(workspace: Workspace, known: frozenset[str], folder: str, above: _Folder) -> _Folder:
    prefix = f"{folder}/" if folder else ""
    levels = dict(above.levels)
    for name in IGNORE_FILES:
        if prefix + name in known and (rules := _rules_of(workspace, prefix + name)):
            levels[name] = ((prefix, rules), *levels.get(name, ()))
    return _Folder(above.hidden, levels=levels)


def _rules_of(workspace: Workspace, path: str) -> tuple[Rule, ...]:
    try:
        data = workspace.read_entry(path, MAX_IGNORE_BYTES)
    except (OSError, PathRefused):
        return ()  # gone meanwhile, or no text that anybody wrote by hand
    return tuple(rules(data.decode("utf-8", "surrogateescape").splitlines()))[::-1]


def _is_ignored(around: _Folder, path: str, *, is_folder: bool) -> bool:
    for name in IGNORE_FILES:
        for prefix, found in around.levels.get(name, ()):
            relative = path[len(prefix) :]
            rule = next((rule for rule in found if rule.matches(relative, is_folder=is_folder)), None)
            if rule is not None:
                return not rule.negated
    return around.hidden and path.rsplit("/", 1)[-1].startswith(".")


def rules(lines: Iterable[str]) -> list[Rule]:
    """The rules of an ignore file, in its order (gitignore(5)); a pattern that cannot be read is none."""
    found: list[Rule] = []
    for line in lines:
        if len(found) < MAX_RULES and (rule := _rule(line)) is not None:
            found.append(rule)
    return found


def _rule(line: str) -> Rule | None:
    line = re.sub(r"(?<!\\) +$", "", line)
    if not line or line.startswith("#"):
        return None
    negated = line.startswith("!")
    line = line.removeprefix("!")
    only_folders = line.endswith("/")
    line = line.removesuffix("/")
    by_name = "/" not in line
    pattern = glob_pattern(line.removeprefix("/"))
    return None if pattern is None else Rule(pattern, negated, only_folders, by_name)


def glob_pattern(glob: str) -> re.Pattern[str] | None:
    """A glob as Git reads it, for `fullmatch`; None where it is none.

    Each star but the last takes the shortest text and is not tried again (an atomic group), which finds the same
    matches in time that grows with the text's length and not with its power.
    """
    parts: list[list[str]] = [[]]
    for segment in glob.split("/"):
        if segment == "**":
            parts.append([])
            continue
        text = _segment(segment)
        if text is None:
            return None
        parts[-1].append(text)
    texts = ["/".join(part) for part in parts]
    whole = texts[0]
    for i, text in enumerate(texts[1:], 1):
        slash = "/" if whole else ""
        if i < len(texts) - 1:
            whole += f"{slash}(?>(?:[^/]+/)*?{text}(?=/))" if text else ""
        else:
            whole += f"{slash}(?:[^/]+/)*{text}" if text else f"{slash}.+"
    try:
        return re.compile(whole, re.DOTALL)
    except re.error:
        return None


def _segment(text: str) -> str | None:
    pieces = [""]
    i = 0
    while i < len(text):
        char = text[i]
        if char == "*":
            if pieces[-1] or len(pieces) == 1:
                pieces.append("")
        elif char == "?":
            pieces[-1] += "[^/]"
        elif char == "[":
            found = _CLASS.match(text, i)
            if found is None or not found["inner"] or "[:" in found["inner"]:
                return None
            inner = re.sub(r"(?<!\\)[\[&~|^]", r"\\\g<0>", found["inner"])
            pieces[-1] += f"(?!/)[{'^' if found['negated'] else ''}{inner}]"
            i = found.end() - 1
        else:
            if char == "\\":
                i += 1
                if i == len(text):
                    return None
            pieces[-1] += re.escape(text[i])
        i += 1
    whole = pieces[0]
    for piece in pieces[1:-1]:
        whole += f"(?>[^/]*?{piece})"
    return whole + (f"[^/]*{pieces[-1]}" if len(pieces) > 1 else "")
