"""The events as HTML, turn by turn, in the words of the other views."""

from collections.abc import Callable, Mapping
from typing import Any

from super_agent.core import events as ev
from super_agent.session.html_report.html_elements import block, diff, esc, folded, line, tag
from super_agent.session.html_report.instance_history_chart import LANES
from super_agent.session.messages import run_messages
from super_agent.session.messages.translation import Translator, english, translate_sentences

FOLDED_LINES = 30
"""Longer outputs and diffs are closed at first, so that the story can be read in one go."""


class HtmlRenderer:
    """Takes events in their order; `html` is what they tell, in the language of `say`."""

    def __init__(self, say: Translator = english) -> None:
        self._say = say
        self._parts: list[str] = []
        self._output: list[str] = []
        self._streamed: list[str] = []
        self._thoughts: list[str] = []
        self._handlers: Mapping[type[Any], Callable[[Any, Translator], str]] = {
            ev.MessagePosted: self._posted,
            ev.CodeFinished: self._code_finished,
            **_HANDLERS,
        }

    def add(self, stamped: ev.Stamped) -> None:
        """Tell one event; what only counts is in the page's figures."""
        event = stamped.event
        if isinstance(event, ev.OutputStreamed):
            self._output.append(event.text)
        elif isinstance(event, ev.TextStreamed):
            (self._thoughts if event.reasoning else self._streamed).append(event.text)
        elif (handler := self._handlers.get(type(event))) is not None:
            told = handler(event, self._say)
            self._left_over()
            self._parts.append(told)
        if stamped.unknown:
            told = self._say.fill("(a newer super-agent also stored: {names})", names=", ".join(stamped.unknown))
            self._parts.append(line(told, "dim"))

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
        self._parts += [_output("".join(self._output), self._say)] if self._output else []
        self._streamed, self._output = [], []

    def _told_thoughts(self) -> str:
        thoughts, self._thoughts = "".join(self._thoughts), []
        return folded(self._say("thoughts"), block(thoughts, "dim"))

    def _posted(self, event: ev.MessagePosted, say: Translator) -> str:
        """The whole message stands for its pieces."""
        self._streamed = []
        thoughts = self._told_thoughts() if self._thoughts else ""
        cut = line(f"⚠ {say('the length limit cut this reply')}", "warn") if event.finish_reason == "length" else ""
        told = block(event.text, "said")
        if event.speaker in ("workspace", "interpreter", "check"):
            told = folded(say("as the team reads it"), told)  # its facts stand above, each in its own form
        return thoughts + told + cut

    def _code_finished(self, event: ev.CodeFinished, say: Translator) -> str:
        output, self._output = "".join(self._output), []
        told = _output(output, say) if output.strip() else ""
        if event.cut_bytes:
            left_out = "{cut:,} of {all:,} bytes of output are left out"
            told += line(f"… {say.fill(left_out, cut=event.cut_bytes, all=event.output_bytes)}", "dim")
        good = event.outcome == "finished"
        return told + line(f"{'✓' if good else '✗'} {run_messages.outcome(event, say)}", "good" if good else "bad")


def _output(text: str, say: Translator) -> str:
    lines = text.count("\n") + 1
    inner = block(text, "output")
    return (
        folded(f"{say('output')}, {run_messages.counted(lines, 'line', say)}", inner) if lines > FOLDED_LINES else inner
    )


def _code_started(event: ev.CodeStarted, say: Translator) -> str:
    name = event.language if event.origin == "executor" else say(event.origin)
    return line(say.fill("runs {name}:", name=name), "dim") + block(event.code)


def _approval_asked(event: ev.ApprovalAsked, say: Translator) -> str:
    what = say("changed by the user" if event.edited else "to be approved")
    return line(f"{event.language}, {what} ({translate_sentences(event.reasons, say)}):", "dim") + block(event.code)


def _notice(event: ev.Notice, _say: Translator) -> str:
    kind = {"info": "dim", "warning": "warn", "error": "bad"}[event.level]
    return line(event.text, kind) + (line(f"→ {event.fix}", "dim") if event.fix else "")


def _file_written(event: ev.FileWritten, say: Translator) -> str:
    title = f"✓ {say(event.kind)} {event.path} (+{event.added_lines} −{event.removed_lines})"
    if event.diff.count("\n") > FOLDED_LINES:
        return line(title, "good") + folded(say("diff"), diff(event.diff))
    return line(title, "good") + (diff(event.diff) if event.diff else "")


def _edit_refused(event: ev.EditRefused, say: Translator) -> str:
    refused = say.fill("{path} was not written: {reason}", path=event.path, reason=event.reason)
    return line(f"✗ {refused}", "warn")


def _files_changed(event: ev.FilesChanged, say: Translator) -> str:
    named = (("created", event.created), ("changed", event.modified), ("deleted", event.deleted))
    told = [(say(kind), run_messages.paths(names, say)) for kind, names in named if names]
    by_code = "{kind} by the code: {paths}"
    return "".join(line(f"✓ {say.fill(by_code, kind=kind, paths=paths)}", "good") for kind, paths in told)


def _check_finished(event: ev.CheckFinished, say: Translator) -> str:
    before = event.when == "before"
    when = " before the first turn" if before else ""
    if event.passed:
        return line(f"✓ {say(f'the check passed{when}')}", "good")
    code = f" {run_messages.exit_code(event.exit_code, say)}" if event.exit_code is not None else ""
    return line(f"✗ {say(f'the check failed{when}')}{code}", "dim" if before else "bad")


def _verdict(event: ev.VerdictGiven, say: Translator) -> str:
    good = event.verdict == "accept"
    told = f"✓ {say('accepted')}" if good else f"✗ {say('to be revised')}"
    return line(f"{told}: {event.reasons}", "good" if good else "warn")


def _instance(event: ev.InstanceNoted, say: Translator) -> str:
    told = line(f"{say(LANES[event.kind])}: {event.detail}", "dim" if event.expected else "warn")
    told += line(say.fill("likely cause: {cause}", cause=event.cause), "dim") if event.cause else ""
    return told + (line(f"→ {event.fix}", "dim") if event.fix else "")


def _turn_started(event: ev.TurnStarted, say: Translator) -> str:
    return f'<h2 id="turn-{event.number}">{say.fill("Turn {number}", number=event.number)}</h2>'


def _newer(event: ev.NewerEvent, say: Translator) -> str:
    return line(say.fill("({name}: an event of a newer super-agent)", name=event.name), "dim")


def _shown(event: ev.FilesShown, say: Translator) -> str:
    told = ""
    if event.paths:
        told += line(say.fill("shown to the coder: {paths}", paths=run_messages.paths(event.paths, say)), "dim")
    if event.searched:
        told += line(say.fill("searched for the coder: {texts}", texts=run_messages.paths(event.searched, say)), "dim")
    return told


def _restarted(event: ev.EngineRestarted, say: Translator) -> str:
    return line(f"⚠ {say.fill('Open Interpreter was restarted: {reason}', reason=event.reason)}", "warn")


def _compacted(event: ev.ContextCompacted, say: Translator) -> str:
    return "".join(line(text, "dim") for text in run_messages.compacted(event, say))


_HANDLERS: Mapping[type[Any], Callable[[Any, Translator], str]] = {
    ev.Notice: _notice,
    ev.ModelReady: lambda e, say: line(run_messages.model_ready(e, say), "dim"),
    ev.TurnStarted: _turn_started,
    ev.Resampled: lambda e, say: line(run_messages.resampled(e, say), "dim"),
    ev.ReplyDiscarded: lambda e, say: line(f"✗ {run_messages.discarded(e, say)}", "warn"),
    ev.ContextCompacted: _compacted,
    ev.PrefixBroken: lambda e, say: line(f"⚠ {run_messages.prefix_broken(e, say)}", "warn"),
    ev.SpeakerStarted: lambda e, say: tag("h3", esc(say(e.speaker))),
    ev.FileWritten: _file_written,
    ev.EditRefused: _edit_refused,
    ev.FilesShown: _shown,
    ev.InstructionGiven: lambda e, say: line(say("instruction to the executor:"), "dim") + block(e.text, "said"),
    ev.ReportMade: lambda e, say: folded(say("report of the executor"), block(e.text)),
    ev.ApprovalAsked: _approval_asked,
    ev.CodeDecided: lambda e, say: line(run_messages.decided(e, say), "dim" if e.decision != "refused" else "warn"),
    ev.CodeStarted: _code_started,
    ev.FilesChanged: _files_changed,
    ev.CheckFinished: _check_finished,
    ev.VerdictGiven: _verdict,
    ev.UserSpoke: lambda e, say: tag("h3", say("you")) + block(e.text, "said"),
    ev.EngineRestarted: _restarted,
    ev.InstanceNoted: _instance,
    ev.NewerEvent: _newer,
}
"""Those that need nothing of what came before."""
