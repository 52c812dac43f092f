"""A map of a larger workspace for the opening message: the files that matter to the task, and what each defines.

Files are ranked by what the task and the check's output name, then by how many other files use what a file defines. It
is made once and stands in the prefix that all prompts share.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from super_agent.core.errors import PathRefused
from super_agent.core.files.ignored import visible_files
from super_agent.core.files.workspace import Workspace
from super_agent.core.replies.languages import CODE_LANGUAGES, language_for
from super_agent.core.replies.outline import Definition, defined_names, outline
from super_agent.core.replies.paths import is_test
from super_agent.core.sanitize import printable_path
from super_agent.core.time_budget import TimeBudget

MAX_RANKED = 2000
"""Files that are ranked, those of the upper folders first."""
MAX_START_BYTES = 4 * 1024
"""Of each file for the ranking: what it imports, and what it defines within about 120 lines."""
MAX_NAMED_BYTES = 64 * 1024
"""Of a file that holds a name of the task."""
MAX_TASK_CHARS = 20_000
MAX_CHECK_CHARS = 25_000
"""Of the beginning and of the end of the check's output: what is named there is what matters."""
MAX_NAME_CHARS = 80
MAX_PROCESSOR_S, MAX_CLOCK_S = 1.0, 10.0
"""What was read by then is ranked; the second is for slow disks."""
MAX_OUTLINE_BYTES = 200_000
MAX_LINES = 8
"""Of one file: the definitions that task and check name, then those that stand first."""
LEAST_CHARS = 120
"""Room that a further file needs."""
FILE_SHARE = 0.25
"""Of the map for one file, so that it names some."""
TITLE = "What its files define, the most relevant first:"
_NO_WORD = bytes(c if c >= 128 or chr(c).isalnum() or c in b"_$" else 32 for c in range(256))
_MARKED = re.compile(
    r"`([A-Za-z_]\w{0,80})|\b(?:def|class|function|method|func)\s+([A-Za-z_]\w{0,80})|\.([A-Za-z_]\w{0,80})"
    r"|\b([A-Za-z_]\w{0,80})\("
)
"""What a task means as a name by its marks or its place; `price` in a sentence is a word."""
_FORMED = re.compile(r"[a-z]_[a-z]|[a-z][A-Z]|[A-Z]{2}[a-z]|_[A-Z]|^[A-Z]{4,}$")
_FORMED_IN_OUTPUT = re.compile(r"[a-z_][A-Z_]|[A-Z][a-z]")
"""The same by their form; a check's output has few words at the beginning of a sentence."""
_NO_PLAIN_WORD = re.compile(rb"[a-z]_|[a-z][A-Z]|^[A-Z][a-z]")
"""In names that nobody writes but for what they name; `line` and `write` stand in every file."""
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_COMMON = frozenset(
    ("the", "and", "for", "that", "this", "with", "from", "file", "function", "class", "method", "test", "tests", "add",
     "get", "set", "new", "not", "should", "must", "when", "return", "make", "use", "all", "def", "import", "error",
     "assert", "python", "write", "main", "run", "init", "self", "none", "true", "false", "value", "name", "its", "has",
     "have", "into", "also", "than", "then", "where", "which", "each", "more", "only", "never", "always", "first",
     "last", "one", "two")
)  # fmt: skip
"""Words of tasks and parts of names that tell nothing of a file."""


@dataclass(slots=True)
class _File:
    path: str
    names: frozenset[bytes]
    words: frozenset[bytes]
    """All at first; while ranking, those that other files define."""
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Identifiers of the task, all words of the check, and the parts of the task's words."""

    of_task: frozenset[bytes]
    of_check: frozenset[bytes]
    parts: frozenset[str]


def repository_map(workspace: Workspace, task: str, check: str, max_chars: int, shown: Collection[str] = ()) -> str:
    """The map as text of at most about `max_chars`; empty where no file defines anything.

    `shown` are files that stand in the message whole: they are not drawn, but what they use counts.
    """
    if max_chars < LEAST_CHARS:
        return ""
    wanted = _wanted(task, check)
    files = _read(workspace, wanted.of_task)
    _rank(files, wanted, frozenset(shown))
    ranked = sorted((f for f in files if f.path not in shown and f.names), key=lambda f: (-f.score, f.path))
    drawn: list[str] = []
    room = max_chars - len(TITLE) - 10
    for file in ranked:
        if room < LEAST_CHARS:
            break
        text = _drawn(workspace, file.path, wanted, min(room, int(max_chars * FILE_SHARE)))
        if text:
            drawn.append(text)
            room -= len(text) + 1
    return f"{TITLE}\n````\n" + "\n".join(drawn) + "\n````" if drawn else ""


def _wanted(task: str, check: str) -> _Wanted:
    task, check = task[:MAX_TASK_CHARS], check[:MAX_CHECK_CHARS] + " " + check[MAX_CHECK_CHARS:][-MAX_CHECK_CHARS:]
    words = _words(task)
    said = {word for found in _MARKED.findall(task) for word in found if word}
    said |= {word for word in words if _FORMED.search(word)}
    parts = frozenset(part for word in words for part in _parts(word)) - _COMMON
    return _Wanted(_encoded(said), _encoded(w for w in _words(check) if _FORMED_IN_OUTPUT.search(w)), parts)


def _words(text: str) -> set[str]:
    """Those that may be names; longer ones are data, and a pattern could take long on them."""
    return {word for word in re.findall(r"\w+", text) if 2 < len(word) <= MAX_NAME_CHARS}


def _encoded(words: Iterable[str]) -> frozenset[bytes]:
    return frozenset(word.encode("utf-8", "replace") for word in words)


def _parts(name: str) -> Iterable[str]:
    """`line_total` and `lineTotal` are line and total; `prices` is price too."""
    for part in _PART.findall(name):
        low = part.lower()
        if len(low) > 2:
            yield low.removesuffix("s") if len(low) > 4 else low


def _read(workspace: Workspace, named: frozenset[bytes]) -> list[_File]:
    paths = [path for path in visible_files(workspace) if language_for(path) in CODE_LANGUAGES]
    paths = sorted(paths, key=lambda path: path.count("/"))[:MAX_RANKED]
    budget = TimeBudget(MAX_PROCESSOR_S, MAX_CLOCK_S)
    found: list[_File] = []
    for path in paths:
        if budget.is_over():
            break
        try:
            data = workspace.read_start(path, MAX_NAMED_BYTES)
        except (OSError, PathRefused):
            continue  # gone meanwhile, or not for us to read
        data = data if any(name in data for name in named) else data[:MAX_START_BYTES]
        found.append(_File(path, defined_names(data), frozenset(data.translate(_NO_WORD).split())))
    return found


def _rank(files: Sequence[_File], wanted: _Wanted, shown: frozenset[str]) -> None:
    """Give each file its score.

    A name that the task holds counts most, the fewer files define it the more; then what the check names, words of the
    task in names and paths, the rarer the more, what the files that are shown use, who uses what the task names, and
    the logarithm of how often others use the file's names.
    """
    definers = Counter(name for file in files for name in file.names)
    telling = frozenset(name for name in definers if _NO_PLAIN_WORD.search(name))
    for file in files:
        file.words = (file.words & telling) - file.names
    used = Counter(name for file in files for name in file.words)
    needed = frozenset(name for file in files if file.path in shown for name in file.words)
    likeness = _Likeness(files, wanted.parts)
    for file in files:
        score = sum(10 / definers[name] for name in file.names & wanted.of_task)
        score += sum(4 / definers[name] for name in file.names & wanted.of_check)
        score += likeness.of(file)
        score += min(4, sum(2 / definers[name] for name in file.names & needed))
        score += min(3, sum(3 / (1 + used[name]) for name in file.words & wanted.of_task))
        score += math.log2(1 + sum(used[name] / definers[name] for name in file.names & telling)) / 2
        # Rounded, as the order in which a set is summed up differs from process to process.
        file.score = round(score * (0.3 if is_test(file.path) else 1), 6)


class _Likeness:
    """How much files have in common with the words of the task; a word counts the more, the fewer files have it."""

    def __init__(self, files: Sequence[_File], wanted: frozenset[str]) -> None:
        self._wanted = wanted
        self._parts: dict[str, frozenset[str]] = {}
        self._all = {file.path: self._all_of(file) for file in files}
        spread = Counter(part for found in self._all.values() for part in found)
        self._worth = {part: math.log2(1 + len(files) / count) for part, count in spread.items()}

    def of(self, file: _File) -> float:
        """What the file's name and its likest definition have in common with the task; folders and the rest less."""
        folder, _, name = file.path.rpartition("/")
        best = max((self._sum(self._of(each.decode("utf-8", "replace"))) for each in file.names), default=0.0)
        own = self._of(name.rpartition(".")[0])
        return self._sum(own) + best / 2 + self._sum(self._of(folder) - own) / 3 + self._sum(self._all[file.path]) / 10

    def _sum(self, parts: Iterable[str]) -> float:
        return sum(self._worth[part] for part in parts)

    def _all_of(self, file: _File) -> frozenset[str]:
        names = (self._of(name.decode("utf-8", "replace")) for name in file.names)
        return frozenset().union(self._of(file.path.rpartition(".")[0]), *names)

    def _of(self, name: str) -> frozenset[str]:
        if name not in self._parts:
            self._parts[name] = self._wanted.intersection(_parts(name))
        return self._parts[name]


def _drawn(workspace: Workspace, path: str, wanted: _Wanted, room: int) -> str:
    """A file's path and the lines of its outline that fit; empty where it defines nothing or none fits."""
    try:
        text = workspace.read_start(path, MAX_OUTLINE_BYTES).decode("utf-8", "replace")
    except (OSError, PathRefused):
        return ""
    found = outline(language_for(path), text)
    lines = [printable_path(path)]
    room -= len(lines[0])
    kept = _chosen(found, wanted)
    for i in kept:
        line = "  " * (found[i].depth + 1) + found[i].line
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    if len(lines) == 1:
        return ""
    left = len(found) - len(lines) + 1
    return "\n".join(lines) + (f"\n  … {left} more" if left else "")


def _chosen(found: Sequence[Definition], wanted: _Wanted) -> list[int]:
    """Indices of at most `MAX_LINES` definitions in their order: named ones with their class, then public ones."""
    order = sorted(range(len(found)), key=lambda i: _importance(found[i], wanted))
    kept: set[int] = set()
    for i in order:
        around = next((k for k in range(i, -1, -1) if found[k].depth == 0), i)
        if len(kept | {i, around}) <= MAX_LINES:
            kept |= {i, around}
    return sorted(kept)


def _importance(definition: Definition, wanted: _Wanted) -> tuple[int, int]:
    name = definition.name.encode("utf-8", "replace")
    if name in wanted.of_task or name in wanted.of_check:
        return 0, definition.depth
    private = definition.name.startswith("_")
    return 3 if private else 1 if wanted.parts.intersection(_parts(definition.name)) else 2, definition.depth
