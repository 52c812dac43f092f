"""Applies file blocks inside one workspace, for the team and for the executor alone.

Small models elide ("rest unchanged") and so destroy files; what looks like it is refused with the reason.
"""

import difflib
import re
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from super_agent.core.edits.locate import with_hunks, with_lines, with_replaced_part, with_sections
from super_agent.core.edits.partial import forgets_imports, imports_from_itself, used_names, with_definitions
from super_agent.core.edits.stubs import STUB, filled
from super_agent.core.edits.textfile import TextFile, decoded
from super_agent.core.errors import PathRefused
from super_agent.core.events import EditRefused, Emit, FileWritten
from super_agent.core.files.workspace import Workspace
from super_agent.core.replies.definitions import (
    KEYED,
    bound_in,
    data_of,
    definitions,
    functions_and_types,
    json_keys,
    keys_in,
    parses,
    style_rules,
)
from super_agent.core.replies.elision import elision_in
from super_agent.core.replies.file_blocks import SOME
from super_agent.core.replies.inferred_paths import tests_decide
from super_agent.core.replies.languages import CODE_LANGUAGES, language_for
from super_agent.core.replies.paths import is_test
from super_agent.core.replies.types import BadBlock, FileBlock, Surroundings
from super_agent.core.text import joined, lines_of

SHRINK_FROM_LINES = 30
"""Below this a whole-file reply is easily checked by eye; 30 lines are about one screen."""
SHRINK_TO_SHARE = 0.5
MAX_DIFF_LINES = 40
MAX_READ_FILES = 200
"""Files whose definitions are read to find the one that a block without a path is."""
_STYLES = ("css", "scss", "less")
_PUT_IN = (
    "its heading may say that it is put into the file, which has more than that; write SEARCH/REPLACE sections, or the "
    "whole file below a line that is its path and nothing else"
)
_IF_MEANT = "use SEARCH/REPLACE sections, or write the same block again if the loss is meant"
_ELIDED = "stands for code that was left out"


@dataclass(slots=True)
class Applied:
    """What came of one reply's blocks; `paths` in the order they were written.

    `errors` are syntax errors of what was written: path and two lines that tell the place.
    """

    paths: list[str] = field(default_factory=list)
    refusals: list[tuple[str, str]] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)


class Editor:
    """Applies file blocks inside one workspace. `before_write(path, original)` is called before each write."""

    def __init__(self, workspace: Workspace, emit: Emit, before_write: Callable[[str, bytes | None], None]) -> None:
        self._workspace = workspace
        self._emit = emit
        self._before_write = before_write
        self._asked_again: dict[str, str] = {}
        self._created: set[str] = set()
        self._named: frozenset[str] = frozenset()
        self._tests_stay = False
        self._whole: dict[str, str] = {}

    def surroundings(self, task: str) -> Surroundings:
        """What a block without a path is judged by: the files as they are now."""
        paths, links = self._workspace.files_and_links()
        read = [path for path in paths if language_for(path)][:MAX_READ_FILES]
        return Surroundings(task, {p: self._definitions(p) if p in read else frozenset() for p in [*paths, *links]})

    def apply(self, blocks: tuple[FileBlock | BadBlock, ...], task: str = "") -> Applied:
        """Apply each block in turn; a refused one does not stop the others. What the `task` names may be taken out."""
        applied = Applied()
        self._named = frozenset(re.findall(r"\w+", task))
        self._tests_stay = tests_decide(task)
        self._whole = {b.path: b.content for b in blocks if isinstance(b, FileBlock) and not b.is_edit}
        for block in blocks:
            try:
                if isinstance(block, BadBlock):
                    raise PathRefused(block.reason)
                block = replace(block, path=block.path.removeprefix(f"{self._workspace.root}/"))
                self._apply_one(block)
                if block.path not in applied.paths:
                    applied.paths.append(block.path)
            except PathRefused as refusal:
                applied.refusals.append((block.path, str(refusal)))
                self._emit(EditRefused(block.path, str(refusal)))
        applied.errors = [(p, error) for p in applied.paths if (error := self._syntax_error(p))]
        return applied

    def _apply_one(self, block: FileBlock) -> None:
        original = self._workspace.read_bytes(block.path)
        if original is not None and self._tests_stay and is_test(block.path):
            raise PathRefused("the tests that the task names decide, so they stay as they are; change the code")
        if block.is_new and original is not None and original.strip() and block.path not in self._created:
            raise PathRefused("the patch says that the file is new, but it exists; write SEARCH/REPLACE sections")
        file = decoded(original)
        new = file.replaced(self._new_lines(block, file, is_new=original is None))
        data = new.encoded()
        if b"\0" in data:
            raise PathRefused("the block holds a NUL character, which is no text; write it as an escape")
        if data == original:
            raise PathRefused("the file already has exactly this content")
        if (
            (block.lines or block.hunks)
            and language_for(block.path) == "python"
            and parses(file.text)
            and not parses(new.text)
        ):
            raise PathRefused("the file would not be Python any more; write SEARCH/REPLACE sections, or the whole file")
        if kind := _broken(block.path, file.text, new.text):
            why = f"the file would not be {kind} any more; write SEARCH/REPLACE sections, or the whole file"
            self._refuse_once(block.path, new.text, why)
        self._before_write(block.path, original)
        self._workspace.write_bytes(block.path, data)
        if original is None:
            self._created.add(block.path)
        self._emit(_written(block, original is None, file, new))

    def _new_lines(self, block: FileBlock, file: TextFile, *, is_new: bool) -> list[str]:
        lines, language = list(file.lines), language_for(block.path)
        if is_new and block.hunks and all(sign == "+" for hunk in block.hunks for sign, _ in hunk.lines):
            lines, block = [], replace(block, hunks=())
        if block.is_edit and is_new and not _creates(block):
            raise PathRefused("the file does not exist, so there is nothing to search; write it whole")
        for section in block.sections:
            _refuse_elision(section.replace, section.search, language, is_part=True)
        if block.sections:
            return with_sections(lines, block.sections)
        if block.hunks:
            for hunk in block.hunks:
                added = joined([text for sign, text in hunk.lines if sign == "+"])
                _refuse_elision(added, file.text, language)
            return with_hunks(lines, block.hunks)
        content = lines_of(block.content.removeprefix("\ufeff"))
        if block.lines:
            _refuse_elision(block.content, file.text, language)
            return with_lines(lines, block.lines, content)
        if block.heading and lines[:1] == [block.heading]:
            content = [block.heading, *content]
        return self._written_whole(block, file, content)

    def _written_whole(self, block: FileBlock, file: TextFile, content: list[str]) -> list[str]:
        """What a block of a whole file, or of some of its definitions, makes of the file."""
        lines, language = list(file.lines), language_for(block.path)
        if (edited := with_replaced_part(lines, lines_of(block.earlier), content)) is not None:
            _refuse_elision(joined(content), block.earlier, language)
            return edited
        is_python = language == "python" and bool(lines)
        is_part = block.is_part or (block.adds and not _is_whole(file.text, joined(content), language))
        if is_part and not is_python and lines:
            raise PathRefused(SOME if block.is_part else _PUT_IN)
        content = filled(lines, content) if is_python else content
        _refuse_elision(joined(content), file.text, language)
        if is_python and (name := imports_from_itself(block.path, file.text, joined(content))):
            raise PathRefused(f"it imports {name} from the very file that defines it, so it belongs to another file")
        if is_python:
            used = self._definitions if is_part else self._used_elsewhere
            named = self._named | definitions(language, joined(content)) if block.adds and is_part else self._named
            merged = with_definitions(lines, content, lambda: used(block.path), named)
            if merged is None and is_part and content != lines:
                raise PathRefused("the block has no function or class that changes in it; write the file whole")
            if merged is None:
                self._refuse_forgotten(block.path, file.text, joined(content), language)
            content = merged or content
        elif language in CODE_LANGUAGES or language in _STYLES or language == "json":
            self._refuse_forgotten(block.path, file.text, joined(content), language)
        self._refuse_shrinkage(block.path, file.text, joined(content))
        return content

    def _refuse_forgotten(self, path: str, old: str, new: str, language: str) -> None:
        """Where parts are not merged, a block with no more than half of a file's functions or rules is asked again."""
        parts = style_rules if language in _STYLES else json_keys if language == "json" else functions_and_types
        if language == "json" and data_of(language, new) is None:
            return  # what has no keys that can be read is no object with fewer of them
        had, has = parts(old), parts(new)
        named = self._named if has else frozenset[str]()
        others = (definitions(language_for(p), text) for p, text in self._whole.items() if p != path)
        bound = frozenset[str]() if has & had else bound_in(language, new)
        gone = had - has - definitions(language, new) - bound.union(*others)
        lost = {name for name in gone if not named.issuperset(re.findall(r"\w+", name))}
        fewer = has < had or (not has & had and len(has) < len(lost))
        if lost and fewer and 2 * len(lost) >= len(had):
            why = f"the file also defines {', '.join(sorted(lost)[:5])}, which the block leaves out"
            self._refuse_once(path, new, f"{why}; {_IF_MEANT}")

    def _refuse_shrinkage(self, path: str, old: str, new: str) -> None:
        before, after = old.count("\n"), new.count("\n")
        if before >= SHRINK_FROM_LINES and after < before * SHRINK_TO_SHARE:
            self._refuse_once(path, new, f"the file has {before} lines and would keep {after}; {_IF_MEANT}")

    def _refuse_once(self, path: str, new: str, why: str) -> None:
        """Ask again for what loses much; the same content, written again, is meant."""
        if self._asked_again.get(path) != new:
            self._asked_again[path] = new
            raise PathRefused(why)

    def _used_elsewhere(self, path: str) -> frozenset[str]:
        """By other files as the reply leaves them."""
        others = [p for p in self._workspace.files() if p != path and language_for(p) == "python"][:MAX_READ_FILES]
        return used_names(text for p in others if (text := self._text_after(p)) is not None)

    def _text_after(self, path: str) -> str | None:
        """As the reply leaves it, as far as that is a whole file."""
        before, after = self._text(path), self._whole.get(path)
        return before if after is None or (before is not None and forgets_imports(before, after)) else after

    def _definitions(self, path: str) -> frozenset[str]:
        text = self._text(path)
        return frozenset() if text is None else definitions(language_for(path), text)

    def _text(self, path: str) -> str | None:
        try:
            data = self._workspace.read_bytes(path)
            return None if data is None else decoded(data).text
        except PathRefused:
            return None

    def _syntax_error(self, path: str) -> str:
        """Of a Python file that was just written: where and what, and the line; empty where there is none."""
        text = self._text(path) if language_for(path) == "python" else None
        return "" if text is None else syntax_error(path, text)


def _broken(path: str, old: str, new: str) -> str:
    """What a file of data was and would not be any more; empty where it can be read as before."""
    language = language_for(path)
    if not old.strip() or data_of(language, old) is None or data_of(language, new) is not None:
        return ""
    return language.upper()


def syntax_error(path: str, text: str) -> str:
    """A Python syntax error in two lines, the place and the line itself; empty where there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        line = (error.text or "").strip() or next(iter(text.split("\n")[(error.lineno or 1) - 1 :]), "").strip()
        return f"{path}, line {error.lineno}: {error.msg}\n    {line}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"{path}: {error}\n    it cannot be compiled"
    return ""


def _creates(block: FileBlock) -> bool:
    """One section with an empty search part is how some models write a new file."""
    return len(block.sections) == 1 and not block.sections[0].search.strip()


def _is_whole(old: str, new: str, language: str) -> bool:
    """Whether a block that may be put into the file has all that it defines, its keys, or half of its lines."""
    had = definitions(language, old)
    before = {line.strip() for line in lines_of(old) if re.search(r"\w", line)}
    kept = before & {line.strip() for line in lines_of(new)}
    keyed = language in KEYED and Counter(keys_in(old)) <= Counter(keys_in(new))
    return keyed or (bool(had) and had <= definitions(language, new)) or 2 * len(kept) >= len(before)


def _refuse_elision(new: str, old: str, language: str, *, is_part: bool = False) -> None:
    if marker := STUB if STUB in new else elision_in(new, old, language, is_part=is_part):
        raise PathRefused(f'the line "{marker.strip()}" {_ELIDED}; write the whole file, or SEARCH/REPLACE sections')


def _written(block: FileBlock, is_new: bool, old: TextFile, new: TextFile) -> FileWritten:
    before, after = ([line + end.rstrip("\n") for line, end in zip(f.lines, f.ends, strict=True)] for f in (old, new))
    diff = list(
        difflib.unified_diff(
            before, after, "/dev/null" if is_new else f"a/{block.path}", f"b/{block.path}", lineterm=""
        )
    )
    body = diff[2:]
    more = len(diff) - MAX_DIFF_LINES
    shown = diff[:MAX_DIFF_LINES] + ([f"… {more} more lines"] if more > 0 else [])
    return FileWritten(
        path=block.path,
        kind="created" if is_new else "edited" if block.is_edit else "replaced",
        diff="\n".join(shown).replace("\r", ""),
        added_lines=sum(line.startswith("+") for line in body),
        removed_lines=sum(line.startswith("-") for line in body),
    )
