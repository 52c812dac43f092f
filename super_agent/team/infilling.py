"""Attempts of a small coder: its reply is begun for it, with a file up to the body of one function, or with a path."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from super_agent.core.edits.gaps import END, MAX_BEFORE_CHARS, Gap, gaps, is_there, surround
from super_agent.core.edits.skeletons import unwritten
from super_agent.core.edits.stubs import suspects
from super_agent.core.edits.taken_away import taken_away
from super_agent.core.errors import PathRefused
from super_agent.core.files.workspace import Workspace
from super_agent.core.model.prefill import FENCE, NO_PREFILL, Prefill
from super_agent.core.replies.inferred_paths import tests_decide
from super_agent.core.replies.languages import CODE_LANGUAGES, is_language, language_for
from super_agent.core.replies.paths import is_test
from super_agent.team.listing import suspects_in
from super_agent.team.transcript import ResampleFacts, TaskFacts, Transcript

MAX_FILES = 4
"""Of one reply; a small coder that has to write more of them mostly repeats what is there."""
TESTS_BEGIN = {"\n# Test": r"\bTest", "\ndef test_": r"\btest_\w+\b(?!\.)", "\nclass Test": r"\bTest"}
"""Behind the code that was asked for Qwen2.5-Coder 1.5B writes the tests again that it was shown: 8 % of its tokens.
By what tells in a task that such code may be wanted."""
TEST_MARKS = ("# ", "```python ", "**", "`", "### ", "### `", "")
MAX_PATHS = 12
MAX_TESTS = 4
"""Files of tests whose heading ends a reply; each is written in several ways, and a server looks for all of them."""


@dataclass(frozen=True, slots=True)
class AttemptPlan:
    """What an attempt asks for: what is to be written at that place of the list (see `core/edits/gaps`), or whole
    files, beginning with that one of those that the task names, or with none. So many functions are shown as stubs.
    With `remark` a function's body begins with one."""

    gap: int | None = None
    file: int | None = None
    stubs: int = 0
    remark: bool = False


ATTEMPTS = (
    AttemptPlan(gap=0),
    AttemptPlan(gap=0),
    AttemptPlan(file=0, stubs=1),
    AttemptPlan(gap=1),
    AttemptPlan(file=1),
    AttemptPlan(gap=0, remark=True),
    AttemptPlan(gap=2),
    AttemptPlan(),
)
"""Those that begin with the same files, in turn. The most likely function first, which costs a quarter of the tokens
(see `core/edits/gaps`), and whole files in between, as what is wrong may lie elsewhere: first with the same stub, for
which the prompt stays as it was, and with which 1.5B mended more (see `core/edits/stubs`). Where the task names no
second file the function comes again, which takes a third of the tokens. One of eight is not begun, as what has to
change may be none of those: of 73 such replies over 62 tasks one was right, of 436 others 25 were. One body is begun
with a remark, in which the model says how it goes about it: that solved two tasks that other bodies did not
(HumanEval/75, our remove-while-looping)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one attempt is asked for: something to write (None: files), and the functions shown without bodies."""

    gap: Gap | None = None
    stubs: tuple[str, ...] = ()


def asked(workspace: Workspace, task: str, failure: str, count: int) -> Asked:
    """What the attempt is asked for that `count` others with these files came before; `failure` is how they fail."""
    attempt, texts = ATTEMPTS[count % len(ATTEMPTS)], suspects_in(workspace, task, failure)
    going = taken_away(task)
    found = [gap for gap in gaps(texts, task, failure) if not _is_going(gap, texts, going)]
    files = files_to_write(workspace, task) if attempt.file is not None or not found else []
    if found and attempt.file is not None and attempt.file >= max(1, len(files)):
        attempt = AttemptPlan(gap=0)
    place = attempt.gap if attempt.file is None and not found else attempt.file
    if place is not None and files:
        stubs = stubs_of(found[0], texts.get(found[0].path, "")) if found and attempt.stubs else ()
        return Asked(Gap(files[place % len(files)], ""), stubs)
    if attempt.gap is None or not found:
        named = [name for name in suspects(texts.values(), failure) if name not in going]
        return Asked(None, tuple(named[: attempt.stubs]))
    gap = found[min(attempt.gap, len(found) - 1)]
    return Asked(replace(gap, remark=attempt.remark), stubs_of(gap, texts.get(gap.path, "")))


def _is_going(gap: Gap, texts: Mapping[str, str], going: Collection[str]) -> bool:
    """Whether the task wants a function gone that is there; asked for its body, a small coder keeps it."""
    return bool(gap.name) and gap.name.rpartition(".")[2] in going and is_there(texts[gap.path], gap.name)


def files_to_write(workspace: Workspace, task: str) -> list[str]:
    """The files of code that the task names, in its order; tests apart, what may hold fences of its own, and long ones.

    One that is there may be named without its folders.
    """
    words = dict.fromkeys(word.removeprefix("./") for word in re.findall(r"[\w./-]*\w", task))
    paths = list(workspace.files())
    meant = [_meant(word, paths) for word in words if not is_test(word)]
    return [path for path in dict.fromkeys(meant) if path and _may_be_whole(workspace, path)]


def _meant(word: str, paths: list[str]) -> str:
    """The file of code of that path, else the only one of that name, else a new one; empty where several have the name,
    and for words that only look like one (`Node.js`, `a.m.`)."""
    found = [word] if word in paths else [path for path in paths if path.endswith(f"/{word}")]
    if len(found) > 1 or language_for(word) not in CODE_LANGUAGES:
        return ""
    if found:
        return found[0]
    short = len(word.rpartition(".")[2]) < 2 and language_for(word) not in {language_for(path) for path in paths}
    return "" if "." not in word or short or is_language(word) else word


def _may_be_whole(workspace: Workspace, path: str) -> bool:
    try:
        text = workspace.read_text(path) or ""
    except PathRefused:
        return False
    return len(text) <= MAX_BEFORE_CHARS and FENCE not in text


def stubs_of(gap: Gap | None, text: str) -> tuple[str, ...]:
    """The function of the gap, where the file's text has it with a body: that is not shown."""
    written = gap is not None and is_there(text, gap.name) and gap.name not in unwritten(text)
    return (gap.name.rpartition(".")[2],) if gap is not None and written else ()


def prefill(transcript: Transcript, workspace: Workspace) -> Prefill:
    """How the coder's next reply begins and ends, where an attempt has only just begun."""
    begun = attempt_begun(transcript)
    if begun is None or not transcript.brief:
        return NO_PREFILL
    return prefill_of(begun.gap, transcript.task, workspace)


def attempt_begun(transcript: Transcript) -> TaskFacts | ResampleFacts | None:
    """What the newest attempt began with, where the coder has said nothing since."""
    newest = next((entry for entry in reversed(transcript.entries) if entry.author not in ("cue", "planner")), None)
    return newest.facts if newest is not None and isinstance(newest.facts, TaskFacts | ResampleFacts) else None


def prefill_of(gap: Gap | None, task: str, workspace: Workspace) -> Prefill:
    """How a reply begins and ends that is to fill this gap (None: any files)."""
    if gap is None:
        stop = _headings_of_tests(task, workspace)
        return Prefill("", stop, END if stop else "")
    if not gap.name:
        return _whole_files(workspace, task, gap.path)
    try:
        around = surround(workspace.read_text(gap.path) or "", gap.name, task, rest=gap.rest)
    except PathRefused:
        return NO_PREFILL
    if around is None:
        return NO_PREFILL
    behind = around.behind.rstrip("\n")
    tests = _headings_of_tests(task, workspace) if gap.rest else ()
    ends = dict.fromkeys((*around.stop, *_paths_of_code(workspace), *tests, *_tests_in(task, workspace, [gap.path])))
    remark = f"{' ' * around.indent}#" if gap.remark and around.indent is not None else ""
    begun = f"```python {gap.path}\n{around.before}{remark}"
    return Prefill(begun, tuple(ends), f"\n{behind}{END}" if behind else END)


def _whole_files(workspace: Workspace, task: str, first: str) -> Prefill:
    """One block for each source that the task names, from that one on, and nothing between them."""
    files = files_to_write(workspace, task)
    place = files.index(first) if first in files else 0
    heads = [f"```{language_for(path)} {path}\n" for path in dict.fromkeys([first, *files[place:], *files[:place]])]
    tests = (*_headings_of_tests(task, workspace), *_tests_in(task, workspace, [first, *files]))
    stop = dict.fromkeys((END, *_paths_of_code(workspace), *tests))
    return Prefill(heads[0], tuple(stop), END, tuple(f"\n\n{head}" for head in heads[1:MAX_FILES]))


def _paths_of_code(workspace: Workspace) -> tuple[str, ...]:
    """Lines that begin with the path of a file: a small coder that goes on with the next one writes it in front, and in
    the block that is open it would be code."""
    paths = (path for path in workspace.files() if language_for(path) in CODE_LANGUAGES)
    return tuple(f"\n{path}" for path in islice(paths, MAX_PATHS))


def _tests_in(task: str, workspace: Workspace, paths: list[str]) -> tuple[str, ...]:
    """How tests begin, where others decide and none of these files holds any."""
    if not tests_decide(task) or any(is_test(path) for path in paths):
        return ()
    texts = [f"\n{workspace.read_text(path) or ''}" for path in paths]
    begins = (begin for begin, wanted in TESTS_BEGIN.items() if not re.search(wanted, task))
    return tuple(begin for begin in begins if not any(begin in text for text in texts))


def _headings_of_tests(task: str, workspace: Workspace) -> tuple[str, ...]:
    """How the files of tests begin in a reply, where they decide and so are never written: a small coder writes them
    all the same, behind the files that it was asked for."""
    if not tests_decide(task):
        return ()
    paths = [path for path in workspace.files() if is_test(path)][:MAX_TESTS]
    return tuple(f"\n{mark}{path}" for path in paths for mark in TEST_MARKS)
