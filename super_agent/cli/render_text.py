"""A run as text: what happened in which words. How it is drawn (plain, or live in a terminal) is the pen's business."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, TextIO

from super_agent.cli import wording
from super_agent.core import events as ev
from super_agent.core.harmless import harmless

Style = Literal["text", "dim", "title", "speaker", "good", "bad", "warning", "code", "diff", "output"]


class Pen(Protocol):
    """Where text goes. `write` continues the current line, `line` always stands on one (or several) of its own."""

    def write(self, text: str, style: Style) -> None:
        """Continue the current line."""

    def line(self, text: str, style: Style, language: str = "") -> None:
        """Whole lines; `language` is for highlighting."""

    def waiting(self, what: str) -> None:
        """Something takes time; shown until the next text."""

    def close(self) -> None:
        """Leave the output clean."""


class PlainPen:
    """For pipes and files: no colours, no cursor movement."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._at_line_start = True

    def write(self, text: str, style: Style) -> None:
        """Continue the current line."""
        if text:
            self._stream.write(text)
            self._at_line_start = text.endswith("\n")
            self._stream.flush()

    def line(self, text: str, style: Style, language: str = "") -> None:
        """Whole lines."""
        self.write(("" if self._at_line_start else "\n") + text + "\n", style)

    def waiting(self, what: str) -> None:
        """A pipe has nobody who waits."""

    def close(self) -> None:
        """End the last line."""
        if not self._at_line_start:
            self.write("\n", "text")


class TextRenderer:
    """A sink over a pen. Whatever a model or code wrote is made harmless here, in one place."""

    def __init__(self, pen: Pen) -> None:
        self._pen = pen
        self._streamed = False
        self._closed = False
        self._handlers: Mapping[type[Any], Callable[[Any], None]] = {
            ev.RunStarted: self._run_started,
            ev.Notice: self._notice,
            ev.ModelReady: self._model_ready,
            ev.TurnStarted: lambda e: self._pen.line(f"\n── turn {e.number} ──", "title"),
            ev.SpeakerStarted: self._speaker,
            ev.TextStreamed: self._text,
            ev.MessagePosted: self._posted,
            ev.FileWritten: self._file_written,
            ev.EditRefused: lambda e: self._line(f"✗ {e.path} was not written: {e.reason}", "warning"),
            ev.FilesShown: lambda e: self._line(f"shown: {', '.join(e.paths)}", "dim"),
            ev.InstructionGiven: lambda e: self._line(f"→ {e.text}", "dim"),
            ev.CodeStarted: self._code_started,
            ev.OutputStreamed: self._output,
            ev.CodeFinished: self._code_finished,
            ev.FilesChanged: self._files_changed,
            ev.CheckFinished: self._check_finished,
            ev.VerdictGiven: self._verdict,
            ev.UserSpoke: lambda e: self._line(f"you: {e.text}", "speaker"),
            ev.EngineRestarted: lambda e: self._line(f"⚠ Open Interpreter was restarted: {e.reason}", "warning"),
            ev.InstanceNoted: self._instance,
            ev.RunEnded: self._run_ended,
        }

    def __call__(self, stamped: ev.Stamped) -> None:
        """Show one event; what only counts (requests, reports) is shown by the summary."""
        handler = self._handlers.get(type(stamped.event))
        if handler is not None:
            handler(stamped.event)

    def close(self) -> None:
        """Leave the output clean; idempotent."""
        if not self._closed:
            self._closed = True
            self._pen.close()

    def _line(self, text: str, style: Style, language: str = "") -> None:
        self._pen.line(harmless(text).rstrip("\n"), style, language)

    def _run_started(self, event: ev.RunStarted) -> None:
        self._line(event.task.strip(), "title")
        self._line(f"{event.model} at {event.base_url}, in {event.workspace}, sandbox: {event.sandbox}", "dim")
        self._pen.waiting("making the model ready")

    def _notice(self, event: ev.Notice) -> None:
        fix = f" ({event.fix})" if event.fix else ""
        mark = {"info": "", "warning": "⚠ ", "error": "✗ "}[event.level]
        self._line(f"{mark}{event.text}{fix}", "dim" if event.level == "info" else "warning")

    def _model_ready(self, event: ev.ModelReady) -> None:
        how = f"loaded in {event.load_s:.1f} s" if event.load_s >= 0.2 else "already loaded"
        self._line(f"the model is ready: {how}, context {event.context_length} tokens", "dim")

    def _speaker(self, event: ev.SpeakerStarted) -> None:
        self._streamed = False
        self._pen.line(f"\n{event.speaker}", "speaker")
        if event.speaker in ("planner", "coder", "reviewer", "executor"):
            self._pen.waiting(f"{event.speaker} is thinking")

    def _text(self, event: ev.TextStreamed) -> None:
        self._streamed = True
        self._pen.write(harmless(event.text), "dim" if event.reasoning else "text")

    def _posted(self, event: ev.MessagePosted) -> None:
        if event.finish_reason == "length":
            self._line("⚠ the length limit cut this reply", "warning")
        elif not self._streamed and event.speaker == "workspace":
            notes = [text for text in event.text.splitlines() if "did not write" not in text and ": wrote " not in text]
            if notes:
                self._line("\n".join(notes[:6]), "dim")

    def _file_written(self, event: ev.FileWritten) -> None:
        self._line(f"✓ {event.kind} {event.path} (+{event.added_lines} −{event.removed_lines})", "good")
        self._line(event.diff, "diff", "diff")

    def _code_started(self, event: ev.CodeStarted) -> None:
        if event.origin == "executor":
            self._line(f"runs {event.language}:", "dim")
            self._line(event.code, "code", "bash" if event.language == "shell" else "python")
        else:
            self._line(f"{event.origin}: {event.code}", "dim")
        self._pen.waiting("running")

    def _output(self, event: ev.OutputStreamed) -> None:
        self._pen.write(harmless(event.text), "output")

    def _code_finished(self, event: ev.CodeFinished) -> None:
        if event.cut_bytes:
            self._line(f"… {event.cut_bytes} of {event.output_bytes} bytes of output were left out", "dim")
        if event.origin != "check":
            good = event.outcome == "finished"
            self._line(f"{'✓' if good else '✗'} {wording.outcome(event)}", "good" if good else "bad")

    def _files_changed(self, event: ev.FilesChanged) -> None:
        for title, paths in (("created", event.created), ("changed", event.modified), ("deleted", event.deleted)):
            if paths:
                self._line(f"{title} by the code: {', '.join(paths[:10])}{' …' if len(paths) > 10 else ''}", "good")

    def _check_finished(self, event: ev.CheckFinished) -> None:
        if event.passed:
            self._line(f"✓ the check passed ({event.duration_s:.1f} s)", "good")
        elif event.when == "before":
            self._line("the check does not pass yet", "dim")
        else:
            code = f" with exit code {event.exit_code}" if event.exit_code is not None else ""
            self._line(f"✗ the check failed{code} ({event.duration_s:.1f} s)", "bad")

    def _verdict(self, event: ev.VerdictGiven) -> None:
        good = event.verdict == "accept"
        self._line(f"{'✓ accepted' if good else '✗ to be revised'}: {event.reasons}", "good" if good else "warning")

    def _instance(self, event: ev.InstanceNoted) -> None:
        if event.expected:
            self._line(f"the model was loaded: {event.detail}", "dim")
            return
        self._line(f"⚠ {event.kind.replace('_', ' ')}: {event.detail}", "warning")
        if event.cause:
            self._line(f"  likely cause: {event.cause}. {event.fix}", "dim")

    def _run_ended(self, event: ev.RunEnded) -> None:
        self._pen.line(f"\n── {wording.END[event.reason]} ──", "good" if event.exit_code == 0 else "bad")
        for text in wording.summary(event):
            self._line(text, "text")
