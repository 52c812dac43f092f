"""The values that a reply is read as."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from super_agent.core.replies.languages import RunLanguage


@dataclass(frozen=True, slots=True)
class Section:
    """Lines to find and lines to put in their place; each text ends with a newline unless empty.

    `others` are further readings (search, replace) where a line of equals signs may be text or the divider.
    """

    search: str
    replace: str
    others: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Hunk:
    """A part of a patch as (sign, line) pairs, signs " ", "-", "+", and "" where a line of context lacks its own.

    `start` is the line number that the patch gives, counted from 1, None where it gives none; `anchor` is a line that
    stands before the place.
    """

    lines: tuple[tuple[str, str], ...]
    start: int | None = None
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class LineRange:
    """Lines `first` to `last`, counted from 1, are to become the block's content."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class FileBlock:
    """The whole new content of a file, or an edit of it where one of `sections`, `hunks` and `lines` is given.

    `heading` is a first comment line that named the path: it is no part of the content unless the file has it already.
    `is_part`: `content` is some of the file's definitions, and the rest of the file stays.
    `earlier`: what a block of the same reply gave for the file before this one; perhaps what this one replaces.
    `is_old`: the heading says that it shows the file as it was. `is_new`: a patch says that the file is new.
    `adds`: the heading may say that the content is put into the file, which what the file holds has to settle.
    """

    path: str
    content: str
    sections: tuple[Section, ...] = ()
    hunks: tuple[Hunk, ...] = ()
    lines: LineRange | None = None
    heading: str = ""
    is_part: bool = False
    earlier: str = field(default="", compare=False)
    is_old: bool = False
    is_new: bool = False
    adds: bool = False

    @property
    def is_edit(self) -> bool:
        """Whether the rest of the file stays."""
        return bool(self.sections or self.hunks or self.lines or self.is_part)


@dataclass(frozen=True, slots=True)
class BadBlock:
    """A block that was meant as a file and cannot be used, with the reason for the model."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class ShowRequest:
    """Lines `first` to `last` of a file, counted from 1; None is from the start, or to the end."""

    path: str
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A text to look for in the files under a folder (or in one file), of names that match a glob; empty is all.

    Without a text the files themselves are asked for.
    """

    text: str
    under: str = ""
    glob: str = ""


@dataclass(frozen=True, slots=True)
class UnusedBlock:
    """A block that nothing was done with; `opening` is its first line as written, `reason` says why, and what to do."""

    opening: str
    reason: str


@dataclass(frozen=True, slots=True)
class CodeCall:
    """Code that a printed tool call asks to be run."""

    language: RunLanguage
    code: str


@dataclass(frozen=True, slots=True)
class CoderReply:
    """Everything a reply asks for, in its order. `unused` names each block that asks for nothing that is understood."""

    files: tuple[FileBlock | BadBlock, ...] = ()
    shows: tuple[ShowRequest | SearchRequest, ...] = ()
    instruction: str = ""
    unused: tuple[UnusedBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a block without a path is judged by: the task's words, and the workspace's files.

    `files` maps each path to the names that the file defines at its top level (empty where it is not known).
    """

    task: str = ""
    files: Mapping[str, frozenset[str]] = field(default_factory=dict)


NOWHERE = Surroundings()
"""No task and an empty workspace."""
