"""The events as HTML, turn by turn, in the words of the other views."""

from collections.abc import Callable, Mapping
from typing import Any

from super_agent.core import events as ev
from super_agent.session.narrate import wording
from super_agent.session.narrate.markup import block, diff, esc, folded, line, tag

FOLDED_LINES = 30
"""Longer outputs and diffs are closed at first, so that the story can be read in one go."""


class Story:
    """Takes events in their order; `html` is what they tell."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._output: list[str] = []
        self._streamed: list[str] = []
        self._thoughts: list[str] = []
        self._handlers: Mapping[type[Any], Callable[[Any], str]] = {
            ev.Notice: _notice,
            ev.ModelReady: lambda e: line(wording.model_ready(e), "dim"),
            ev.TurnStarted: lambda e: f'<h2 id="turn-{e.number}">Turn {e.number}</h2>',
            ev.SpeakerStarted: lambda e: tag("h3", esc(e.speaker)),
            ev.MessagePosted: self._posted,
            ev.FileWritten: _file_written,
            ev.EditRefused: lambda e: line(f"✗ {e.path} was not written: {e.reason}", "warn"),
            ev.FilesShown: lambda e: line(f"shown to the coder: {wording.paths(e.paths)}", "dim"),
            ev.InstructionGiven: lambda e: line("instruction to the executor:", "dim") + block(e.text, "said"),
            ev.ReportMade: lambda e: folded("report of the executor", block(e.text)),
            ev.ApprovalAsked: _approval_asked,
            ev.CodeDecided: lambda e: line(wording.decided(e), "dim" if e.decision != "refused" else "warn"),
            ev.CodeStarted: self._code_started,
            ev.CodeFinished: self._code_finished,
            ev.FilesChanged: _files_changed,
            ev.CheckFinished: _check_finished,
            ev.VerdictGiven: _verdict,
            ev.UserSpoke: lambda e: tag("h3", "you") + block(e.text, "said"),
            ev.EngineRestarted: lambda e: line(f"⚠ Open Interpreter was restarted: {e.reason}", "warn"),
            ev.InstanceNoted: _instance,
            ev.NewerEvent: lambda e: line(f"({e.name}: an event of a newer super-agent)", "dim"),
        }

    def add(self, stamped: ev.Stamped) -> None:
        """Tell one event; what only counts is in the page's figures."""
        event = stamped.event
        if isinstance(event, ev.OutputStreamed):
            self._output.append(event.text)
        elif isinstance(event, ev.TextStreamed):
            (self._thoughts if event.reasoning else self._streamed).append(event.text)
        elif (handler := self._handlers.get(type(event))) is not None:
            told = handler(event)
            self._left_over()
            self._parts.append(told)
        if stamped.unknown:
            self._parts.append(line(f"(a newer super-agent also stored: {', '.join(stamped.unknown)})", "dim"))

    def take(self) -> str:
        """What was finished since it was last taken; what still streams stays for later."""
        parts, self._parts = self._parts, []
        return "\n".join(parts)

    def html(self) -> str:
        """All that was not taken, with what was cut off in the middle."""
        self._left_over()
        return "\n".join(self._parts)

    def _left_over(self) -> None:
        """A reply that never became a message, or output of code that never ended."""
        self._parts += [self._told_thoughts()] if self._thoughts else []
        self._parts += [block("".join(self._streamed), "said")] if self._streamed else []
        self._parts += [_long("output", "".join(self._output), "output")] if self._output else []
        self._streamed, self._output = [], []

    def _told_thoughts(self) -> str:
        thoughts, self._thoughts = "".join(self._thoughts), []
        return folded("thoughts", block(thoughts, "dim"))

    def _posted(self, event: ev.MessagePosted) -> str:
        """The whole message stands for its pieces."""
        self._streamed = []
        thoughts = self._told_thoughts() if self._thoughts else ""
        cut = line("⚠ the length limit cut this reply", "warn") if event.finish_reason == "length" else ""
        told = block(event.text, "said")
        if event.speaker in ("workspace", "interpreter", "check"):
            told = folded("as the team reads it", told)  # its facts stand above, each in its own form
        return thoughts + told + cut

    def _code_started(self, event: ev.CodeStarted) -> str:
        name = event.language if event.origin == "executor" else event.origin
        return line(f"runs {name}:", "dim") + block(event.code)

    def _code_finished(self, event: ev.CodeFinished) -> str:
        output, self._output = "".join(self._output), []
        told = _long("output", output, "output") if output.strip() else ""
        if event.cut_bytes:
            told += line(f"… {event.cut_bytes:,} of {event.output_bytes:,} bytes of output are left out", "dim")
        good = event.outcome == "finished"
        return told + line(f"{'✓' if good else '✗'} {wording.outcome(event)}", "good" if good else "bad")


def _approval_asked(event: ev.ApprovalAsked) -> str:
    what = "changed by the user" if event.edited else "to be approved"
    return line(f"{event.language}, {what} ({'; '.join(event.reasons)}):", "dim") + block(event.code)


def _long(title: str, text: str, kind: str) -> str:
    lines = text.count("\n") + 1
    inner = block(text, kind)
    return folded(f"{title}, {wording.counted(lines, 'line')}", inner) if lines > FOLDED_LINES else inner


def _notice(event: ev.Notice) -> str:
    kind = {"info": "dim", "warning": "warn", "error": "bad"}[event.level]
    return line(event.text, kind) + (line(f"→ {event.fix}", "dim") if event.fix else "")


def _file_written(event: ev.FileWritten) -> str:
    title = f"✓ {event.kind} {event.path} (+{event.added_lines} −{event.removed_lines})"
    if event.diff.count("\n") > FOLDED_LINES:
        return line(title, "good") + folded("diff", diff(event.diff))
    return line(title, "good") + (diff(event.diff) if event.diff else "")


def _files_changed(event: ev.FilesChanged) -> str:
    named = (("created", event.created), ("changed", event.modified), ("deleted", event.deleted))
    return "".join(line(f"✓ {title} by the code: {wording.paths(names)}", "good") for title, names in named if names)


def _check_finished(event: ev.CheckFinished) -> str:
    when = " before the first turn" if event.when == "before" else ""
    if event.passed:
        return line(f"✓ the check passed{when}", "good")
    code = f" with exit code {event.exit_code}" if event.exit_code is not None else ""
    return line(f"✗ the check failed{code}{when}", "dim" if when else "bad")


def _verdict(event: ev.VerdictGiven) -> str:
    good = event.verdict == "accept"
    return line(f"{'✓ accepted' if good else '✗ to be revised'}: {event.reasons}", "good" if good else "warn")


def _instance(event: ev.InstanceNoted) -> str:
    told = line(f"{event.kind.replace('_', ' ')}: {event.detail}", "dim" if event.expected else "warn")
    told += line(f"likely cause: {event.cause}", "dim") if event.cause else ""
    return told + (line(f"→ {event.fix}", "dim") if event.fix else "")
