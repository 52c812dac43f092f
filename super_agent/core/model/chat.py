"""What goes to a model and what comes back, the same for both clients."""

from dataclasses import dataclass
from typing import Literal

MessageRole = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model asks for; `arguments` is the JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation; `content` is never None (Ollama refuses null)."""

    role: MessageRole
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How one reply is drawn, where that differs from the settings: the same prompt with another seed answers anew."""

    temperature: float
    seed: int


@dataclass(frozen=True, slots=True)
class ReplyPiece:
    """A piece of a reply in the order it was written; `reasoning` pieces are thoughts, kept apart from the text."""

    text: str
    reasoning: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply, the last thing a stream yields.

    `finish_reason` is "length" when the reply limit cut it. Tokens are the server's counts, cached prompt tokens
    included. `load_s`, `prompt_s` and `reply_s` (seconds) are None on `/v1`, which does not report them.
    """

    text: str
    reasoning: str
    finish_reason: Literal["stop", "length", "tool_calls"]
    prompt_tokens: int
    completion_tokens: int
    wall_s: float
    load_s: float | None = None
    prompt_s: float | None = None
    reply_s: float | None = None
    tool_calls: tuple[ToolCall, ...] = ()
