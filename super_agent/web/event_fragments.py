"""The events of a run as pieces of a page that grows: finished parts of the story, and text as it streams.

The story is the one of terminal and export. A part that is finished never changes; what streams is shown after the last
part until a finished one takes its place. Only finished parts have a number to go on from, so a page that comes back in
the middle of a reply is given the whole reply again.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from super_agent.core import events as ev
from super_agent.core.sanitize import sanitize
from super_agent.session.html_report.events_as_html import HtmlRenderer
from super_agent.session.messages import run_messages
from super_agent.session.messages.translation import Translator, english, translate_sentences
from super_agent.session.plan_progress import PlanProgress

Kind = Literal["part", "piece", "status", "ended", "ask", "state", "reset", "plan"]


@dataclass(frozen=True, slots=True)
class Fragment:
    """One message to a page. `data` is JSON; `seq` is None where a page cannot go on from it."""

    kind: Kind
    data: dict[str, Any]
    seq: int | None = None


class Fragments:
    """Takes one session's events in their order and tells them in the language of `say`."""

    def __init__(self, say: Translator = english) -> None:
        self._say = say
        self._story = HtmlRenderer(say)
        self._seq = 0
        self.plan = PlanProgress()

    @property
    def seq(self) -> int:
        """The number of the last event from which a page can go on."""
        return self._seq

    def add(self, stamped: ev.Stamped) -> list[Fragment]:
        """What the page is told of one event."""
        self._story.add(stamped)
        event = stamped.event
        if isinstance(event, ev.TextStreamed):
            return [_piece("thoughts" if event.reasoning else "said", event.text)]
        if isinstance(event, ev.OutputStreamed):
            return [_piece("output", event.text)]
        found: list[Fragment] = []
        if html := self._story.take():
            self._seq = stamped.seq
            found.append(Fragment("part", {"html": html}, stamped.seq))
        if (status := _status(event, self._say)) is not None:
            found.append(Fragment("status", {"text": sanitize(status)}))
        if self.plan.add(event):
            found.append(Fragment("plan", asdict(self.plan)))
        if isinstance(event, ev.ApprovalAsked):
            asked = {"question": stamped.seq, "language": sanitize(event.language), "code": event.code}
            found.append(
                Fragment(
                    "ask",
                    asked | {"reasons": sanitize(translate_sentences(event.reasons, self._say))},
                )
            )
        if isinstance(event, ev.CodeDecided | ev.RunEnded):
            found.append(Fragment("ask", {"question": 0}))
        if isinstance(event, ev.RunEnded):
            self._seq = stamped.seq
            found.append(Fragment("ended", {}, stamped.seq))
        return found

    def rest(self) -> str:
        """What streamed and was never finished, as a finished part."""
        return self._story.html()


def _piece(kind: Literal["said", "thoughts", "output"], text: str) -> Fragment:
    return Fragment("piece", {"kind": kind, "text": sanitize(text)})


def _status(event: ev.Event, say: Translator) -> str | None:
    """What goes on from this event on; None where it says nothing about that."""
    if isinstance(event, ev.SpeakerStarted):
        return f"{say(event.speaker)} …"
    if isinstance(event, ev.CodeStarted):
        return f"{say(event.origin)}: {event.language} …"
    if isinstance(event, ev.Queued):
        return run_messages.queued(event, say)
    if isinstance(event, ev.Waiting):
        return run_messages.waiting(event, say)
    if isinstance(event, ev.Retried):
        return run_messages.retried(event, say)
    if isinstance(event, ev.RunEnded | ev.QueuePassed | ev.CodeFinished | ev.MessagePosted):
        return ""
    return None
