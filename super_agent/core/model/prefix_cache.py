"""Whether a prompt extends the one before it: what a server with one slot need not evaluate again."""

from collections.abc import Sequence
from dataclasses import dataclass

from super_agent.core.model.chat import Message


@dataclass(frozen=True, slots=True)
class PrefixBreak:
    """Where a prompt first differs from the previous prompt and its reply: message and character count from 0."""

    message: int
    character: int
    reason: str


def find_break(previous: Sequence[Message], reply: Message | None, now: Sequence[Message]) -> PrefixBreak | None:
    """None where `now` begins with the whole `previous` prompt and its `reply`, both verbatim."""
    expected = [*previous, reply] if reply is not None else list(previous)
    for index, old in enumerate(expected):
        if index >= len(now):
            return PrefixBreak(index, 0, f"the prompt ends before the message of {old.role} that stood here")
        new = now[index]
        if new == old:
            continue
        if new.role != old.role:
            return PrefixBreak(index, 0, f"there is a message of {new.role} where one of {old.role} stood")
        if new.content != old.content:
            whose = "the reply" if index == len(previous) else f"the message of {old.role}"
            return PrefixBreak(index, _same_characters(old.content, new.content), f"{whose} was changed")
        return PrefixBreak(index, len(old.content), "its tool calls were changed")
    return None


def _same_characters(one: str, other: str) -> int:
    """How many characters at the beginning of two texts that differ are the same."""
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
