"""What is done in the workspace and the sandbox, as the protocol's tool calls: a file, a code block, a check each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acp.schema import (
    ContentToolCallContent,
    FileEditToolCallContent,
    TerminalToolCallContent,
    TextContentBlock,
    ToolCallLocation,
    ToolCallProgress,
    ToolCallStart,
    ToolCallStatus,
)

from super_agent.acp import file_diffs
from super_agent.core.events import (
    ApprovalAsked,
    CodeDecided,
    CodeFinished,
    CodeStarted,
    EditRefused,
    Event,
    FilesChanged,
    FilesShown,
    FileWritten,
    OutputStreamed,
)
from super_agent.core.sanitize import printable_path
from super_agent.core.text import clipped, cut, fenced
from super_agent.session.messages import run_messages

MAX_OUTPUT_CHARS = 16_000
"""Of one run, as each piece has the whole sent again; a run is bounded before to what the model sees."""
TITLE_CHARS = 100
TITLES = {"check": "Check", "setup": "Setup"}

Content = ContentToolCallContent | FileEditToolCallContent | TerminalToolCallContent
Update = ToolCallStart | ToolCallProgress


@dataclass(slots=True)
class ToolCalls:
    """`root` is the workspace; `run` makes ids unlike those of other prompts of the session."""

    root: Path
    run: str
    pending: str = ""
    """The call that waits for the user's approval."""
    _count: int = 0
    _running: str = ""
    _code: list[Content] = field(default_factory=list)
    _output: list[str] = field(default_factory=list)

    def updates(self, event: Event) -> Iterator[Update]:
        """What is shown of an event that is a tool call, or a part of one."""
        show = _SHOWN.get(type(event))
        return show(self, event) if show is not None else iter(())

    def file_written(self, event: FileWritten) -> Iterator[Update]:
        """With its diff, at its first changed place."""
        path, parts = self._path(event.path), list(file_diffs.hunks(event.diff))
        verb = {"created": "Create", "replaced": "Rewrite", "edited": "Edit"}[event.kind]
        title = f"{verb} {printable_path(event.path)} (+{event.added_lines} −{event.removed_lines})"
        yield ToolCallStart(
            session_update="tool_call", tool_call_id=self._next(), title=title, kind="edit", status="completed",
            content=list(file_diffs.as_content(event, path, parts)),
            locations=[ToolCallLocation(path=path, line=parts[0].line if parts else 1)],
        )  # fmt: skip

    def edit_refused(self, event: EditRefused) -> Iterator[Update]:
        """A call that failed, and why."""
        yield ToolCallStart(
            session_update="tool_call", tool_call_id=self._next(), title=f"Not written: {printable_path(event.path)}",
            kind="edit", status="failed", content=[_said(event.reason)],
        )  # fmt: skip

    def files_shown(self, event: FilesShown) -> Iterator[Update]:
        """What the coder looked at."""
        if event.paths:
            yield self._done("Read", "read", event.paths)
        if event.searched:
            yield ToolCallStart(
                session_update="tool_call", tool_call_id=self._next(), kind="search", status="completed",
                title=f"Searched: {run_messages.paths(tuple(map(printable_path, event.searched)))}",
            )  # fmt: skip

    def files_changed(self, event: FilesChanged) -> Iterator[Update]:
        """What code did to files."""
        for verb, paths in (("made", event.created), ("changed", event.modified), ("deleted", event.deleted)):
            if paths:
                yield self._done(f"The code {verb}", "delete" if verb == "deleted" else "edit", paths)

    def approval_asked(self, event: ApprovalAsked) -> Iterator[Update]:
        """Code that waits for the user, with why they are asked."""
        self.pending = self._next()
        self._code = [_code(event.language, event.code)]
        reasons = [_said(f"You are asked, as {reason}") for reason in event.reasons]
        yield self._start(self.pending, event.language, event.code, "pending", [*self._code, *reasons])

    def code_decided(self, event: CodeDecided) -> Iterator[Update]:
        """The end of a call whose code does not run."""
        if self.pending and event.decision in ("skipped", "refused", "stopped"):
            yield self._progress(self.pending, "failed", [*self._code, _said(run_messages.decided(event))])
            self.pending = ""

    def code_started(self, event: CodeStarted) -> Iterator[Update]:
        """A code block or a check, until it has ended."""
        approved = self.pending
        self._running, self.pending = approved or self._next(), ""
        self._code, self._output = [_code(event.language, event.code)], []
        if approved:
            yield self._progress(approved, "in_progress", self._code)
        else:
            yield self._start(self._running, event.language, event.code, "in_progress", self._code, event.origin)

    def output(self, event: OutputStreamed) -> Iterator[ToolCallProgress]:
        """All that it has printed, as the protocol replaces a call's content."""
        if self._running:
            self._output.append(event.text)
            yield self._progress(self._running, "in_progress", self._shown())

    def code_finished(self, event: CodeFinished) -> Iterator[Update]:
        """How it ended."""
        if not self._running:
            return
        status: ToolCallStatus = "completed" if event.outcome == "finished" else "failed"
        whole = [_said(f"The whole output: {event.output_file}")] if event.output_file else []
        update = self._progress(self._running, status, [*self._shown(), _said(run_messages.outcome(event)), *whole])
        update.raw_output = {"outcome": event.outcome, "exit_code": event.exit_code, "seconds": event.duration_s}
        yield update
        self._running = ""

    def unfinished(self) -> Iterator[ToolCallProgress]:
        """At the end of a run, so that nothing seems to go on."""
        for name in filter(None, (self._running, self.pending)):
            yield ToolCallProgress(session_update="tool_call_update", tool_call_id=name, status="failed")
        self._running = self.pending = ""

    def _start(
        self, name: str, language: str, code: str, status: ToolCallStatus, content: list[Content], origin: str = ""
    ) -> ToolCallStart:
        first = next((line.strip() for line in code.splitlines() if line.strip()), "")
        title = f"{TITLES.get(origin, language)}: {cut(first, TITLE_CHARS)}"
        return ToolCallStart(
            session_update="tool_call", tool_call_id=name, title=title, kind="execute", status=status, content=content,
            raw_input={"language": language, "code": code},
        )  # fmt: skip

    def _progress(self, name: str, status: ToolCallStatus, content: list[Content]) -> ToolCallProgress:
        return ToolCallProgress(
            session_update="tool_call_update", tool_call_id=name, status=status, content=list(content)
        )

    def _shown(self) -> list[Content]:
        text = clipped("".join(self._output), MAX_OUTPUT_CHARS)
        return [*self._code, _code("", text)] if text.strip() else [*self._code]

    def _done(self, what: str, kind: str, paths: tuple[str, ...]) -> ToolCallStart:
        names = run_messages.paths(tuple(map(printable_path, paths)))
        return ToolCallStart(
            session_update="tool_call", tool_call_id=self._next(), title=f"{what}: {names}", status="completed",
            kind="read" if kind == "read" else "delete" if kind == "delete" else "edit",
            locations=[ToolCallLocation(path=self._path(path)) for path in paths],
        )  # fmt: skip

    def _path(self, path: str) -> str:
        return str(self.root / path)

    def _next(self) -> str:
        self._count += 1
        return f"{self.run}-{self._count}"


_SHOWN: Mapping[type[Any], Callable[[ToolCalls, Any], Iterator[Update]]] = {
    FileWritten: ToolCalls.file_written,
    EditRefused: ToolCalls.edit_refused,
    FilesShown: ToolCalls.files_shown,
    FilesChanged: ToolCalls.files_changed,
    ApprovalAsked: ToolCalls.approval_asked,
    CodeDecided: ToolCalls.code_decided,
    CodeStarted: ToolCalls.code_started,
    OutputStreamed: ToolCalls.output,
    CodeFinished: ToolCalls.code_finished,
}


def _code(language: str, text: str) -> ContentToolCallContent:
    return _said(fenced(text.rstrip("\n"), language, least=3))


def _said(text: str) -> ContentToolCallContent:
    return ContentToolCallContent(type="content", content=TextContentBlock(type="text", text=text))
