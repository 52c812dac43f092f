"""A reply that breaks off in a code block: closed before anything else is shown, or clients draw that as code too."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from acp.schema import AgentMessageChunk, SessionInfoUpdate, TextContentBlock, UsageUpdate

from super_agent.core.replies.fence_tracker import FenceTracker

_BESIDE = (SessionInfoUpdate, UsageUpdate)
"""Shown elsewhere than in the conversation; some clients draw the plan into it."""


@dataclass(slots=True)
class FenceCloser:
    """Sees each update before it is sent."""

    _message: str | None = None
    _text: list[str] = field(default_factory=list)

    def before(self, update: Any) -> Iterator[AgentMessageChunk]:
        """What has to be sent first."""
        if isinstance(update, _BESIDE):
            return
        is_text = isinstance(update, AgentMessageChunk) and isinstance(update.content, TextContentBlock)
        if is_text and update.message_id == self._message:
            self._text.append(update.content.text)
            return
        if mark := open_fence("".join(self._text)):
            content = TextContentBlock(type="text", text=f"\n{mark}\n")
            yield AgentMessageChunk(session_update="agent_message_chunk", content=content, message_id=self._message)
        self._message, self._text = (update.message_id, [update.content.text]) if is_text else (None, [])


def open_fence(text: str) -> str:
    """The mark that closes the code block in which a Markdown text ends; empty outside of one."""
    fence = FenceTracker()
    for line in text.split("\n"):
        fence.take(line)
    return fence.mark
