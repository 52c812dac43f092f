"""The judge of format losses: a run failed although a reply held the whole right answer, in whatever form.

It knows nothing of how a contestant reads replies. Any stretch between two fences, and the bare reply, is tried as the
content of any file that a right answer writes; several blocks of one reply are tried together.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import islice, permutations

from evaluation.judge import Judge
from evaluation.task import Files, Task

MAX_TRIALS = 24
"""Test runs for one run of a contestant; each takes about half a second."""
_FENCE = re.compile(r"^[ \t>]*(?:`{3,}|~{3,})")
_THOUGHT = re.compile(r"^.*?</think(?:ing)?>", re.DOTALL)
_PATH_LINE = re.compile(r"^\s*(?:#|//|--)?\s*(?:file(?:name)?:)?\s*[\w./-]+\.\w+:?\s*$", re.IGNORECASE)


def lost_replies(task: Task, replies: Sequence[str], judge: Judge) -> list[int]:
    """The places, from 0, of replies that hold the right answer; for a run that was not solved."""
    trials = 0
    seen: set[tuple[tuple[str, str], ...]] = set()
    lost: list[int] = []
    for place, reply in enumerate(replies):
        for files in answers(task, reply):
            key = tuple(sorted(files.items()))
            if key in seen:
                continue
            if trials >= MAX_TRIALS:
                return lost
            seen.add(key)
            trials += 1
            written: Files = {path: text.encode("utf-8", "replace") for path, text in files.items()}
            if judge.judge(task, {**task.start, **written}).passed:
                lost.append(place)
                break
    return lost


def answers(task: Task, reply: str) -> Iterator[dict[str, str]]:
    """What a reply may have meant: whole contents for files of the task, the likeliest first."""
    found = [text for text in blocks(_THOUGHT.sub("", reply)) if text.strip()]
    by_path = [(path, text) for path in task.targets for text in found if _may_be(path, text, task)]
    named: dict[str, str] = {}
    for path, text in by_path:
        if path not in named and _fits(path, text, task):
            named[path] = text
    if named:
        yield named
    for path, text in by_path:
        yield {path: text}
    if len(task.targets) > 1:
        for chosen in islice(permutations(found[:4], min(len(task.targets), len(found))), MAX_TRIALS):
            yield dict(zip(task.targets, chosen, strict=False))


def blocks(reply: str) -> list[str]:
    """Every stretch between two fences, longest reach first for each opening, then the bare reply; paths taken off."""
    lines = reply.splitlines(keepends=True)
    fences = [place for place, line in enumerate(lines) if _FENCE.match(line)]
    found: dict[str, None] = {}
    for first, opened in enumerate(fences):
        ends = fences[first + 1 :] or [len(lines)]
        for end in (ends[0], *reversed(ends[1:4])):
            _add(found, lines[opened + 1 : end])
    if not fences:
        _add(found, lines)
    return list(found)


def _add(found: dict[str, None], lines: list[str]) -> None:
    found["".join(lines)] = None
    if lines and _PATH_LINE.match(lines[0]):
        found["".join(lines[1:])] = None


def _may_be(path: str, text: str, task: Task) -> bool:
    """Python has to parse and to say something else than the file that is there."""
    if task.start.get(path, b"").decode("utf-8", "replace").strip() == text.strip():
        return False
    return not path.endswith(".py") or _tree(text) is not None


def _fits(path: str, text: str, task: Task) -> bool:
    """Whether it defines one of the names that the right file defines."""
    if not path.endswith(".py"):
        return True
    wanted = _names(task.solution.get(path, b"").decode("utf-8", "replace"))
    return bool(wanted & _names(text)) or not wanted


def _names(text: str) -> set[str]:
    tree = _tree(text)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in tree.body if isinstance(node, kinds)} if tree else set()


def _tree(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
