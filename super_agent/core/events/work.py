"""What is done in the workspace and in the sandbox: files, code, checks and verdicts. See `core/events/`."""

from dataclasses import dataclass
from typing import Literal

CodeOrigin = Literal["executor", "check", "setup"]
CodeDecision = Literal["run", "edited", "always", "skipped", "refused", "stopped"]
DecidedBy = Literal["user", "earlier_answer", "nobody"]


@dataclass(frozen=True, slots=True)
class FileWritten:
    """A block of the coder was applied; `diff` is a unified diff, cut to a readable length."""

    path: str
    kind: Literal["created", "replaced", "edited"]
    diff: str
    added_lines: int
    removed_lines: int


@dataclass(frozen=True, slots=True)
class EditRefused:
    """A block of the coder was not applied; the reason is told to the coder too."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class FilesShown:
    """Parts of files the coder asked to see; `searched` are texts it had looked for."""

    paths: tuple[str, ...]
    searched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InstructionGiven:
    """What the team (or the user) asks of the executor."""

    text: str


@dataclass(frozen=True, slots=True)
class ReportMade:
    """What the executor answers to an instruction."""

    text: str


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    """A person is asked whether the executor's code may run; `reasons` say why, `edited` is code they changed."""

    language: str
    code: str
    reasons: tuple[str, ...]
    edited: bool = False


@dataclass(frozen=True, slots=True)
class CodeDecided:
    """What became of code that needed approval; it runs after "run", "edited" and "always" (and later ones, too).

    `code` is what runs or would have run. "nobody" could be asked where it was refused.
    """

    decision: CodeDecision
    by: DecidedBy
    why: str
    language: str
    code: str


@dataclass(frozen=True, slots=True)
class CodeStarted:
    """Code begins to run in the sandbox."""

    origin: CodeOrigin
    language: str
    code: str


@dataclass(frozen=True, slots=True)
class OutputStreamed:
    """A piece of what running code prints, with control characters made harmless."""

    text: str


@dataclass(frozen=True, slots=True)
class CodeFinished:
    """Code ended. `exit_code` is None for Python and where the process was killed.

    `output_file` holds the whole output where `cut_bytes` of it were not shown.
    """

    origin: CodeOrigin
    outcome: Literal["finished", "failed", "timed_out", "died", "interrupted", "refused"]
    exit_code: int | None
    duration_s: float
    output_bytes: int
    cut_bytes: int
    detail: str = ""
    output_file: str = ""


@dataclass(frozen=True, slots=True)
class FilesChanged:
    """What executed code changed in the workspace; paths relative to it, sorted."""

    created: tuple[str, ...]
    modified: tuple[str, ...]
    deleted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckFinished:
    """The check's result; `when` is "before" for the one before the first turn."""

    command: str
    when: Literal["before", "after"]
    passed: bool
    exit_code: int | None
    output: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class VerdictGiven:
    """The reviewer's schema-checked verdict."""

    verdict: Literal["accept", "revise"]
    reasons: str


@dataclass(frozen=True, slots=True)
class EngineRestarted:
    """The Open Interpreter process died and was started again from our record."""

    reason: str
