"""A run as text: what happened in which words; a surface draws it, plain or live in a terminal."""

from collections.abc import Callable, Mapping
from typing import Any

from super_agent.cli.render.lines import lines_of
from super_agent.cli.render.renderer import Typing
from super_agent.cli.render.surface import BODY, Style, Surface
from super_agent.core import events as ev
from super_agent.core.sanitize import StreamSanitizer, sanitize
from super_agent.session.messages import run_messages

CREATED_DIFF_LINES = 6
"""Of a new file: its text was just streamed, so its beginning is enough to know it by."""
TASK_LINES = 6
TASK_LINE_CHARS = 400
THINKERS = ("planner", "coder", "reviewer", "executor")


class TextRenderer:
    """A sink over a surface. Whatever a model or code wrote is made harmless here, in one place."""

    def __init__(self, surface: Surface, *, afterwards: bool = False) -> None:
        """`afterwards` also shows the user's part of a conversation, which is otherwise in the terminal already."""
        self._surface = surface
        self._afterwards = afterwards
        self._closed = False
        self._mode: str | None = None
        self._risks: tuple[str, ...] = ()
        self._turn = 0
        self._session = ""
        self._heading = ""
        self._speaker = ""
        self._doing = ""
        self._tokens = 0
        self._stream = StreamSanitizer()
        self._reply = ""
        self._withheld = ""
        self._acted = False
        self._check_output: list[str] = []

    @property
    def typing(self) -> Typing | None:
        """Where typed lines are shown, if anywhere."""
        return self._surface.typing

    def __call__(self, stamped: ev.Stamped) -> None:
        """Show one event; what only counts (requests) is shown by the summary."""
        if self._closed:
            return
        self._turn, self._session = stamped.turn, stamped.session
        event = stamped.event
        if isinstance(event, ev.TurnStarted | ev.ApprovalAsked | ev.CodeStarted | ev.RunEnded):
            self._tell_withheld()
        for line in lines_of(event):
            self._line(line.text, line.style, BODY * line.depth)
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)
        if stamped.unknown:
            self._line(f"(a newer super-agent also stored: {', '.join(stamped.unknown)})", "dim")

    def close(self) -> None:
        """Leave the output clean; idempotent."""
        if not self._closed:
            self._tell_withheld()
            self._closed = True
            self._surface.close()

    # ── what everything else is said with ──

    def _line(self, text: str, style: Style = "text", indent: str = BODY) -> None:
        self._head()
        self._surface.line(sanitize(text).strip("\n"), style, indent)

    def _head(self) -> None:
        """The speaker's name, once, above the first thing that shows."""
        if self._heading:
            self._surface.gap()
            self._surface.line(self._heading, "speaker", indent="")
            self._heading = ""

    def _begin(self, what: str) -> None:
        self._doing, self._tokens = what, 0
        self._surface.begin(what)
        self._surface.progress(what, self._turn, 0)

    def _pause(self) -> None:
        """Outside a run (in a conversation) the user's prompt comes next, so the terminal must be free."""
        if self._mode is None:
            self._surface.idle()

    # ── the run ──

    def _run_resumed(self, event: ev.RunResumed) -> None:
        self._run_started(event)
        self._line(f"resumed after {run_messages.counted(event.turns, 'turn')}", "dim")
        if event.instruction:
            self._line(f"now: {event.instruction}", "title")
        if event.rolled_back:
            self._line(f"as before the turn that broke off: {run_messages.paths(event.rolled_back)}", "dim")
        if event.changed_meanwhile:
            self._line(f"changed by somebody else meanwhile: {run_messages.paths(event.changed_meanwhile)}", "warning")

    def _run_started(self, event: ev.RunStarted | ev.RunResumed) -> None:
        self._mode, self._risks = event.mode, run_messages.risks(event)
        lines = [
            line if len(line) <= TASK_LINE_CHARS else f"{line[:TASK_LINE_CHARS]} …"
            for line in sanitize(event.task.strip()).splitlines()
        ]
        more = [f"… {run_messages.counted(len(lines) - TASK_LINES, 'more line')}"] if len(lines) > TASK_LINES else []
        self._surface.line("\n".join(lines[:TASK_LINES] + more), "title", indent="")
        self._line(f"{event.model} at {event.base_url}", "dim")
        check = f", check: {event.check}" if event.check else ""
        self._line(f"in {event.workspace}, sandbox: {event.sandbox}{run_messages.with_network(event)}{check}", "dim")
        self._begin("making the model ready")

    def _model_ready(self, _event: ev.ModelReady) -> None:
        if self._mode is None:
            self._surface.idle()
        else:
            self._begin("working")

    def _turn_started(self, event: ev.TurnStarted) -> None:
        self._speaker = self._heading = ""
        if self._mode in ("team", "solo"):
            self._surface.gap()
            self._surface.line(f"── turn {event.number} ──", "title", indent="")

    def _run_ended(self, event: ev.RunEnded) -> None:
        self._surface.idle()
        self._heading = ""
        self._surface.gap()
        good = event.exit_code == 0
        self._surface.line(
            f"{'✓' if good else '✗'} {run_messages.END[event.reason]}", "good" if good else "bad", indent=""
        )
        for risk in self._risks:
            self._surface.field("risk", risk, "warning")
        for label, text in run_messages.summary(event):
            warns = label == "model" and (event.instance.get("reload") or event.instance.get("truncation"))
            self._surface.field(label, sanitize(text).replace("\n", " "), "warning" if warns else "text")
        if command := run_messages.going_on(self._session, event):
            self._surface.field("go on", command, "text")

    # ── replies ──

    def _speaker_started(self, event: ev.SpeakerStarted) -> None:
        self._tell_withheld()
        if event.speaker != self._speaker:
            self._speaker = self._heading = event.speaker
        elif event.speaker in THINKERS:
            self._surface.gap()
        self._reply, self._acted = "", False
        self._stream.drop()
        if event.speaker in THINKERS:
            self._begin(f"{event.speaker} is thinking")
        elif event.speaker == "interpreter":
            self._begin("starting the executor")

    def _text(self, event: ev.TextStreamed) -> None:
        self._tokens += 1
        if not event.reasoning:
            self._doing = f"{event.speaker} is writing"
        text = self._stream.feed(event.text)
        if event.reasoning or event.speaker != "reviewer":
            if text.strip() or self._reply:
                self._head()
            self._surface.write(text, "thought" if event.reasoning else "text")
        else:
            self._withheld += text
        if not event.reasoning:
            self._reply += event.text
        self._surface.progress(self._doing, self._turn, self._tokens)

    def _tell_withheld(self) -> None:
        """A reviewer's reply is shown as its verdict; where none follows, as it is."""
        if self._withheld:
            text, self._withheld = self._withheld, ""
            self._head()
            self._surface.write(text)

    def _posted(self, event: ev.MessagePosted) -> None:
        self._stream.drop()
        if event.speaker in THINKERS:
            if not self._reply and event.text.strip():
                self._reply = event.text
                if event.speaker == "reviewer":
                    self._withheld = sanitize(event.text)
                else:
                    self._head()
                    self._surface.write(sanitize(event.text))
            if event.finish_reason == "length":
                self._tell_withheld()
                self._line("⚠ the length limit cut this reply", "warning")
        elif event.speaker == "workspace" and not self._acted:
            self._line(event.text, "dim")

    def _discarded(self, _event: ev.ReplyDiscarded) -> None:
        self._reply = self._withheld = ""
        self._stream.drop()

    def _verdict(self, event: ev.VerdictGiven) -> None:
        self._withheld = ""
        good = event.verdict == "accept"
        reasons = f": {event.reasons.strip()}" if event.reasons.strip() else ""
        self._line(f"{'✓ accepted' if good else '✗ to be revised'}{reasons}", "good" if good else "warning")

    # ── files ──

    def _did_act(self) -> None:
        """The workspace's own summary would only say again what its events have shown."""
        self._acted = True

    def _file_written(self, event: ev.FileWritten) -> None:
        self._did_act()
        self._line(f"✓ {event.kind} {event.path} (+{event.added_lines} −{event.removed_lines})", "good")
        lines = event.diff.splitlines()
        if len(lines) > 1 and lines[0].startswith("--- ") and lines[1].startswith("+++ "):
            lines = lines[2:]  # the path was just said
        if event.kind == "created":
            lines = [line for line in lines if not line.startswith("@@")]
            shown = lines[:CREATED_DIFF_LINES]
            if event.added_lines > len(shown):
                shown.append(f"… {run_messages.counted(event.added_lines - len(shown), 'more line')}")
            lines = shown
        if lines:
            self._surface.diff(sanitize("\n".join(lines)))

    # ── code ──

    def _instruction(self, event: ev.InstructionGiven) -> None:
        """The user's own words were just typed or shown; of an instruction made of a check's result its head is."""
        if self._mode == "team":
            self._line(f"→ {event.text.strip()}", "dim")
        elif self._mode is None and self._afterwards:
            self._surface.gap()
            self._line(f"› {event.text.strip()}", "speaker", indent="")
        self._begin("starting the executor")

    def _approval_asked(self, event: ev.ApprovalAsked) -> None:
        """The whole code, highlighted, though it was just streamed: it is what the answer is about."""
        self._surface.idle()
        what = "as you changed it" if event.edited else "may it run?"
        self._line(f"⏸ {event.language}, {what} ({'; '.join(event.reasons)})", "warning")
        self._code(event.language, event.code)
        self._reply += event.code  # shown now, so not again when it runs

    def _code_decided(self, event: ev.CodeDecided) -> None:
        good = event.decision in ("run", "edited", "always")
        self._line(f"{'✓' if good else '✗'} {run_messages.decided(event)}", "dim" if good else "warning")
        self._begin("working")

    def _code(self, language: str, code: str) -> None:
        self._surface.code(sanitize(code).strip("\n"), "bash" if language == "shell" else "python")

    def _code_started(self, event: ev.CodeStarted) -> None:
        self._check_output = []
        if event.origin == "executor":
            self._begin(f"running {event.language}")
            if event.code.strip() not in self._reply:  # else it was just streamed
                self._line(f"runs {event.language}:", "dim")
                self._code(event.language, event.code)
        else:
            self._begin(f"running the {event.origin}")
            if not self._is_check_before(event.origin):
                mark = "$" if self._heading == event.origin else f"{event.origin}:"
                if not self._heading:
                    self._surface.gap()
                self._line(f"{mark} {event.code}", "dim")

    def _is_check_before(self, origin: str) -> bool:
        """Before the first turn a check is expected to fail, and its output would be noise."""
        return origin == "check" and self._turn == 0

    def _output(self, event: ev.OutputStreamed) -> None:
        text = sanitize(event.text)
        if self._doing == "running the check" and self._turn == 0:
            self._check_output.append(text)
        else:
            self._head()
            self._surface.output(text)

    def _code_finished(self, event: ev.CodeFinished) -> None:
        if not self._is_check_before(event.origin):
            if event.cut_bytes:
                rest = f"; see {event.output_file}" if event.output_file else ""
                self._line(f"… {event.cut_bytes:,} of {event.output_bytes:,} bytes of output are left out{rest}", "dim")
            if event.origin != "check":
                good = event.outcome == "finished"
                self._line(f"{'✓' if good else '✗'} {run_messages.outcome(event)}", "good" if good else "bad")
        self._begin("working")

    def _check_finished(self, event: ev.CheckFinished) -> None:
        took = run_messages.duration(event.duration_s)
        code = f" with exit code {event.exit_code}" if event.exit_code is not None else ""
        if event.passed:
            self._line(f"✓ the check passed{' before the first turn' * (event.when == 'before')} ({took})", "good")
        elif event.when == "before":
            self._line(f"the check does not pass yet: it failed{code} ({took})", "dim")
            if last := [line for line in "".join(self._check_output).splitlines() if line.strip()][-2:]:
                self._surface.output("\n".join(last))
        else:
            self._line(f"✗ the check failed{code} ({took})", "bad")


_HANDLERS: Mapping[type[Any], Callable[[TextRenderer, Any], None]] = {
    ev.RunStarted: TextRenderer._run_started,
    ev.RunResumed: TextRenderer._run_resumed,
    ev.Notice: lambda r, e: r._pause() if e.level != "info" else None,
    ev.ModelReady: TextRenderer._model_ready,
    ev.TurnStarted: TextRenderer._turn_started,
    ev.SpeakerStarted: TextRenderer._speaker_started,
    ev.TextStreamed: TextRenderer._text,
    ev.MessagePosted: TextRenderer._posted,
    ev.FileWritten: TextRenderer._file_written,
    ev.EditRefused: lambda r, _: r._did_act(),
    ev.FilesShown: lambda r, _: r._did_act(),
    ev.InstructionGiven: TextRenderer._instruction,
    ev.ReportMade: lambda r, _: r._pause(),
    ev.ApprovalAsked: TextRenderer._approval_asked,
    ev.CodeDecided: TextRenderer._code_decided,
    ev.CodeStarted: TextRenderer._code_started,
    ev.OutputStreamed: TextRenderer._output,
    ev.CodeFinished: TextRenderer._code_finished,
    ev.CheckFinished: TextRenderer._check_finished,
    ev.VerdictGiven: TextRenderer._verdict,
    ev.UserSpoke: lambda r, e: r._line(f"you: {e.text}", "speaker", indent=""),
    ev.Queued: lambda r, e: r._surface.note(sanitize(run_messages.queued(e))),
    ev.QueuePassed: lambda r, _: r._surface.progress(r._doing, r._turn, r._tokens),
    ev.Waiting: lambda r, e: r._surface.note(f"{r._doing}: {run_messages.waiting(e)}", e.seconds),
    ev.ReplyDiscarded: TextRenderer._discarded,
    ev.RunEnded: TextRenderer._run_ended,
}
