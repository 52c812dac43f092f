"""How many tokens a prompt will have, estimated on the safe (high) side from the server's own counts.

No tokenizer of ours: it would be another model's. One object for each conversation.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from super_agent.core.model.chat import Message, Reply
from super_agent.core.model.prefix_cache import PrefixBreak, find_break

FIRST_SCALE = 1.1
"""Measured with SmolLM2's 49k vocabulary (larger ones need fewer tokens) on code in four languages, logs,
JSON, CSV, base64, hex and prose in seven languages: 1.03 to 1.4 times the true count for each, never under it."""
LEARNT_MARGIN = 1.1
LEARNT_FROM_TOKENS = 200
"""A shorter text says little about the one to come."""
MESSAGE_TOKENS = 8
"""Role header and end mark of one message; 4 to 6 in ChatML and its kin."""
TEMPLATE_TOKENS = 64
"""What a template may put before the first message on its own, such as a default system prompt or a date."""

_BLOB = re.compile(rb"[A-Za-z0-9+/=]{40,}")
_WORD = re.compile(rb"[A-Za-z]+")
_NOT_ASCII = bytes(range(128, 256))
_DIGITS = b"0123456789"
_SIGNS = bytes(c for c in range(33, 127) if not chr(c).isalnum())


def estimate_tokens(text: str) -> float:
    """About how many tokens a text has: bytes of other scripts, digits and blobs one each, short words one."""
    data = text.encode("utf-8", "replace")
    rest = _BLOB.sub(b"", data)
    blobs = len(data) - len(rest)
    foreign, digits, signs = (len(rest) - len(rest.translate(None, kind)) for kind in (_NOT_ASCII, _DIGITS, _SIGNS))
    words = sum(1 + (len(word) - 1) // 5 for word in _WORD.findall(rest))
    return blobs + foreign + digits + 0.8 * signs + words + rest.count(b"\n") + rest.count(b"  ") / 2


@dataclass(slots=True)
class PromptBudget:
    """Estimates for one conversation, corrected at each reply."""

    _messages: tuple[Message, ...] = ()
    _left: tuple[Message, ...] = ()
    """The prompt whose end was given up on purpose, while nothing was sent since."""
    _reply: Message | None = None
    _prompt_tokens: int = 0
    _reply_tokens: int = 0
    _least_of_reply: int = 0
    _scale: float = FIRST_SCALE

    def estimate(self, messages: Sequence[Message], extra: str = "", begun: str = "") -> int:
        """Tokens that the server will count for this prompt, rather too many than too few.

        `extra` is text that goes with it, such as descriptions of tools; `begun` is how the reply begins.
        """
        known = self._known(messages)
        if not known:
            tokens = TEMPLATE_TOKENS + estimate_tokens(extra)
        elif known > len(self._messages):
            tokens = self._prompt_tokens + self._reply_tokens
        else:
            tokens = self._prompt_tokens
        added = sum(_weigh_message(m) for m in messages[known:]) + estimate_tokens(begun)
        return round(tokens + added * self._scale) + MESSAGE_TOKENS * (len(messages) - known + 1)

    def learn(self, messages: Sequence[Message], reply: Reply, begun: str = "") -> bool:
        """Take the server's counts; returns whether it evaluated fewer tokens than the prompt must have (truncated)."""
        if reply.prompt_tokens <= 0:
            return False  # not told: Ollama leaves a zero out
        truncated = reply.prompt_tokens < self._least(messages)
        weight = sum(_weigh_message(m) for m in messages) + estimate_tokens(begun)
        if weight >= LEARNT_FROM_TOKENS:
            # Only ever upwards: what is added next may be denser than what was counted.
            counted = reply.prompt_tokens - TEMPLATE_TOKENS - MESSAGE_TOKENS * len(messages)
            self._scale = max(self._scale, counted / weight * LEARNT_MARGIN)
        self._messages, self._left = tuple(messages), ()
        self._reply = Message("assistant", reply.text, reply.tool_calls)
        self._prompt_tokens, self._reply_tokens = reply.prompt_tokens, reply.completion_tokens
        # Thoughts are not sent back, and a reply may have been written in more tokens than its text needs.
        self._least_of_reply = 0 if reply.reasoning or not reply.text.strip() else reply.completion_tokens // 2
        return truncated

    def reused(self, messages: Sequence[Message], prompt_tokens: int, begun: str = "") -> int:
        """Tokens of this prompt that the last call left in the server's cache: its prompt, and its reply, which `begun`
        may begin with.

        Of one that went back it is what both begin with, computed from `prompt_tokens`, the server's count.
        """
        known = self._known(messages)
        if not known:
            return max(0, prompt_tokens - round(self._added(messages) * self._scale)) if self._left else 0
        # A template may strip thoughts from the reply, and with them what follows the prompt in the cache.
        extends = known > len(self._messages) or self._goes_on(messages, begun)
        with_reply = extends and self._least_of_reply > 0
        return self._prompt_tokens + (self._reply_tokens if with_reply else 0)

    def broken(self, messages: Sequence[Message], begun: str = "") -> PrefixBreak | None:
        """Where this prompt does not extend the last one and its reply; None for the first one."""
        if not self._messages or self._goes_on(messages, begun):
            return None
        return find_break(self._messages, self._reply, messages)

    def begin_anew(self) -> None:
        """Forget the last prompt, whose prefix is given up on purpose; what was learnt about weights stays."""
        self._messages, self._left, self._reply = (), (), None

    def go_back(self) -> None:
        """The next prompt begins as the last one does and ends otherwise, on purpose."""
        self._left = self._messages or self._left
        self._messages, self._reply = (), None

    def _goes_on(self, messages: Sequence[Message], begun: str) -> bool:
        """Whether the last reply is gone on with, as the beginning of this one."""
        return self._reply is not None and begun.startswith(self._reply.content) and tuple(messages) == self._messages

    def _added(self, messages: Sequence[Message]) -> float:
        """The weight of what this prompt has after its common beginning with the one it goes back from."""
        broken = find_break(self._left, None, messages)
        if broken is None or broken.message >= len(messages):
            return sum(_weigh_message(m) for m in messages[len(self._left) :])
        rest = messages[broken.message].content[broken.character :]
        return estimate_tokens(rest) + sum(_weigh_message(m) for m in messages[broken.message + 1 :])

    def _least(self, messages: Sequence[Message]) -> int:
        """Fewer tokens than this cannot be the whole prompt: tokenizers split at white space first, so a text has at
        least as many tokens as words. Replies that were not counted may be stripped of thoughts by the template."""
        known = self._known(messages)
        tokens = (self._prompt_tokens if known else 0) + (self._least_of_reply if known > len(self._messages) else 0)
        return tokens + sum(len(m.content.split()) for m in messages[known:] if m.role != "assistant")

    def _known(self, messages: Sequence[Message]) -> int:
        """How many of the first messages the server has counted: the last prompt, perhaps with its reply."""
        count = len(self._messages)
        if not count or tuple(messages[:count]) != self._messages:
            return 0
        return count + 1 if len(messages) > count and messages[count] == self._reply else count


def _weigh_message(message: Message) -> float:
    calls = sum(estimate_tokens(f"{c.name} {c.arguments}") for c in message.tool_calls)
    return estimate_tokens(message.content) + calls
