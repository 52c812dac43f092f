"""A run's events as what an editor shows: who speaks, thoughts, plan, tool calls, usage, the end."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acp.schema import (
    AgentMessageChunk,
    AgentPlanUpdate,
    AgentThoughtChunk,
    PlanEntry,
    PlanEntryStatus,
    SessionInfoUpdate,
    TextContentBlock,
    ToolCallProgress,
    ToolCallStart,
    UsageUpdate,
    UserMessageChunk,
)

from super_agent.acp.fence_closing import FenceCloser
from super_agent.acp.tool_calls import ToolCalls
from super_agent.core import events as ev
from super_agent.core.errors import ExitCode
from super_agent.core.sanitize import printable_path
from super_agent.session.messages import run_messages
from super_agent.session.plan_progress import steps_of
from super_agent.session.session_lookup import first_line

Update = (
    UserMessageChunk | AgentMessageChunk | AgentThoughtChunk | ToolCallStart | ToolCallProgress | AgentPlanUpdate
    | SessionInfoUpdate | UsageUpdate
)  # fmt: skip
META = "super-agent"
"""The key under which `_meta` holds what the protocol has no word for."""


@dataclass(slots=True)
class SessionUpdates:
    """Of one prompt's run, or with `again` of a stored session, whose person's words are told too."""

    calls: ToolCalls
    again: bool = False
    _context: int = 0
    _plan: tuple[str, ...] = ()
    _risks: tuple[str, ...] = ()
    _speaker: str = ""
    _heard: str = ""
    """Whose text came last; a new one is announced once they say something."""
    _messages: int = 0
    _closer: FenceCloser = field(default_factory=FenceCloser)

    @classmethod
    def of(cls, root: Path, run: str, *, again: bool = False) -> "SessionUpdates":
        """For the workspace `root`; `run` is a name that no other run of the session has."""
        return cls(ToolCalls(root, run), again)

    def updates(self, event: ev.Event) -> Iterator[Update]:
        """What is shown of an event, in order; nothing of many."""
        for update in self._shown(event):
            yield from self._closer.before(update)
            yield update

    def _shown(self, event: ev.Event) -> Iterator[Update]:
        match event:
            case ev.RunStarted() | ev.RunResumed():
                yield from self._began(event)
            case ev.UserSpoke():
                yield from self._person(event.text)
            case ev.SpeakerStarted():
                self._speaker, self._heard = event.speaker, ""
            case ev.TextStreamed():
                yield from self._text(event)
            case ev.MessagePosted() if event.speaker == "planner":
                self._plan = steps_of(event.text)
                yield from self._planned("pending")
            case ev.TurnStarted() if event.number == 1:
                yield from self._planned("in_progress")
            case ev.VerdictGiven():
                verdict = "accepts" if event.verdict == "accept" else "wants more"
                yield self._said(f"**The reviewer {verdict}:** {event.reasons}")
            case ev.RunEnded():
                yield from self._ended(event)
            case _:
                yield from self.calls.updates(event)
                yield from self._noted(event)

    def _began(self, event: ev.RunStarted | ev.RunResumed) -> Iterator[Update]:
        self._risks = run_messages.risks(event)
        if isinstance(event, ev.RunStarted):
            yield from self._person(event.task)
            yield SessionInfoUpdate(session_update="session_info_update", title=first_line(event.task))
            return
        yield from self._person(event.instruction)
        if event.rolled_back:
            names = run_messages.paths(tuple(map(printable_path, event.rolled_back)))
            yield self._said(f"Taken back, as the turn that changed them was not completed: {names}")

    def _person(self, text: str) -> Iterator[Update]:
        if self.again and text:
            block = TextContentBlock(type="text", text=text)
            yield UserMessageChunk(session_update="user_message_chunk", content=block, message_id=self._next_message())
            self._heard = ""

    def _text(self, event: ev.TextStreamed) -> Iterator[Update]:
        voice = f"{event.speaker} {event.reasoning}"
        text = event.text
        if voice != self._heard:
            self._heard = voice
            self._next_message()
            if not event.reasoning:
                text = f"\n\n**{event.speaker}**\n\n{text.lstrip()}"
        yield self._chunk(text, {"speaker": event.speaker}, thought=event.reasoning)

    def _planned(self, status: PlanEntryStatus) -> Iterator[Update]:
        """The team works on the plan as a whole, so its steps have one state."""
        if self._plan:
            entries = [PlanEntry(content=step, priority="medium", status=status) for step in self._plan]
            yield AgentPlanUpdate(session_update="plan", entries=entries)

    def _noted(self, event: ev.Event) -> Iterator[Update]:
        """What a person should know of the run, the model and the instance."""
        match event:
            case ev.Notice():
                yield self._said(f"*{event.level}:* {event.text}" + (f". {event.fix}" if event.fix else ""))
            case ev.ModelReady():
                self._context = event.context_length
                yield self._said(run_messages.model_ready(event), thought=True)
            case ev.RequestFinished():
                used = event.prompt_tokens + event.completion_tokens
                yield UsageUpdate(
                    session_update="usage_update", used=used, size=max(self._context, used),
                    field_meta={META: ev.own_fields(event)},
                )  # fmt: skip
            case ev.Queued():
                yield self._said(run_messages.queued(event))
            case ev.Waiting():
                yield self._said(run_messages.waiting(event), thought=True)
            case ev.Retried():
                yield self._said(run_messages.retried(event))
            case ev.ReplyDiscarded():
                yield self._said(f"the reply broke off and begins anew: {event.reason}")
            case ev.EngineRestarted():
                yield self._said(f"the executor's engine was started again: {event.reason}")
            case ev.InstanceNoted() if not event.expected:
                because = f", as {event.cause}" if event.cause else ""
                yield self._said(f"*{event.kind}:* {event.detail}{because}" + (f". {event.fix}" if event.fix else ""))

    def _ended(self, event: ev.RunEnded) -> Iterator[Update]:
        yield from self.calls.unfinished()
        yield from self._planned("completed" if event.exit_code == ExitCode.OK else "pending")
        lines, label = [f"**{run_messages.END[event.reason]}**", "", *(f"- risk: {risk}" for risk in self._risks)], ""
        for name, text in run_messages.summary(event):
            label = name or label
            lines.append(f"- {label}: {text}")
        yield self._said("\n".join(lines), meta={"end": end_facts(event)})

    def _said(self, text: str, meta: dict[str, Any] | None = None, *, thought: bool = False) -> Update:
        """A message of the program's own."""
        self._heard = ""
        self._next_message()
        return self._chunk(f"{text}\n\n" if thought else f"\n\n{text}\n\n", meta, thought=thought)

    def _chunk(self, text: str, meta: dict[str, Any] | None, *, thought: bool) -> AgentMessageChunk | AgentThoughtChunk:
        """A piece of the message under way."""
        content, field_meta = TextContentBlock(type="text", text=text), {META: meta} if meta else None
        name = self._message
        if thought:
            return AgentThoughtChunk(
                session_update="agent_thought_chunk", content=content, message_id=name, field_meta=field_meta
            )
        return AgentMessageChunk(
            session_update="agent_message_chunk", content=content, message_id=name, field_meta=field_meta
        )

    @property
    def _message(self) -> str:
        return f"{self.calls.run}-m{self._messages}"

    def _next_message(self) -> str:
        self._messages += 1
        return self._message


def end_facts(event: ev.RunEnded) -> dict[str, Any]:
    """The end as the event has it, for programs."""
    facts = ev.own_fields(event)
    return {**facts, "usage": [*facts["usage"]], "files_changed": [*map(printable_path, event.files_changed)]}
