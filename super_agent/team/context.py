"""AutoGen's window on the shared transcript: each thinking member has one, and all show the same record."""

import json
import re
from collections.abc import Iterator
from typing import Literal

from autogen_core.model_context import ChatCompletionContext
from autogen_core.models import AssistantMessage, LLMMessage, SystemMessage, UserMessage

from super_agent.core.model.chat import Message
from super_agent.core.replies.thoughts import split_thoughts
from super_agent.team.roles import Role, Verdict
from super_agent.team.transcript import Entry, Transcript, VerdictFacts

_MEANT: dict[str, Literal["accept", "revise"]] = {
    "accept": "accept", "accepted": "accept", "approve": "accept", "approved": "accept",
    "revise": "revise", "revised": "revise", "reject": "revise", "rejected": "revise",
}  # fmt: skip
_LINE = re.compile(
    r"^[\s>*\"'{`#-]*verdict[\"'*`]*\s*[:=][\"'*` \t]*"
    r"(?P<word>accept|revise)(?:d|ed)?[\"'*`]*\s*[.,}]?\s*(?:$|[\"'*\s]*reasons?\b)",
    re.IGNORECASE | re.MULTILINE,
)
"""A verdict that is no JSON: on a line of its own, or before its reasons."""


class SharedContext(ChatCompletionContext):
    """The transcript as one role sees it: the same for all, with the role's cue appended when it is to speak.

    Members write their reports into the transcript themselves, so AutoGen's broadcast copies (user messages) are
    ignored here; only this role's own reply (an assistant message) is taken.
    """

    def __init__(self, transcript: Transcript, role: Role) -> None:
        super().__init__()
        self._transcript = transcript
        self._role = role
        self.cut = False
        self.goes_on = False
        """Both are set by whoever sees the reply's finish reason, before the reply is stored."""

    async def add_message(self, message: LLMMessage) -> None:
        """Store this role's reply, verbatim."""
        if isinstance(message, AssistantMessage) and isinstance(message.content, str):
            facts = read_verdict(message.content) if self._role == "reviewer" else None
            self._transcript.append(Entry(self._role, message.content, facts, self.cut, self.goes_on))

    async def get_messages(self) -> list[LLMMessage]:
        """The whole prompt for this role."""
        self._transcript.ask(self._role)
        return [_to_autogen(message) for message in self._transcript.messages()]

    async def clear(self) -> None:
        """Nothing to clear: the transcript belongs to the run."""


def read_verdict(text: str) -> VerdictFacts:
    """The reviewer's reply as facts; not valid where no one verdict of the schema is in it."""
    found = {(v.verdict, v.reasons) for v in _verdicts(text)}
    if len({verdict for verdict, _ in found}) != 1:
        return VerdictFacts(accepted=False, valid=False, reasons="")
    verdict, reasons = found.pop()
    return VerdictFacts(verdict == "accept", valid=True, reasons=reasons)


def _verdicts(text: str) -> Iterator[Verdict]:
    """The verdicts in a reply: in a fence, after a sentence, with further fields; thoughts do not count."""
    said, _ = split_thoughts(text)
    decoder, position = json.JSONDecoder(strict=False), said.find("{")
    found = False
    while position >= 0:
        try:
            value, end = decoder.raw_decode(said, position)
        except (ValueError, RecursionError):
            end = position + 1
        else:
            verdict = _verdict({str(k).lower(): v for k, v in value.items()}) if isinstance(value, dict) else None
            end = end if verdict is not None else position + 1
            found = found or verdict is not None
            if verdict is not None:
                yield verdict
        position = said.find("{", end)
    if not found:
        yield from (Verdict(verdict=_MEANT[line["word"].lower()], reasons="") for line in _LINE.finditer(said))


def _verdict(value: dict[str, object]) -> Verdict | None:
    """An object as a verdict: other cases and forms of the two words, and reasons as a list, or none."""
    word, reasons = value.get("verdict"), value.get("reasons", value.get("reason", ""))
    meant = _MEANT.get(word.strip().lower()) if isinstance(word, str) else None
    if isinstance(reasons, list):
        reasons = "; ".join(str(each) for each in reasons)
    return None if meant is None else Verdict(verdict=meant, reasons=str(reasons or ""))


def _to_autogen(message: Message) -> LLMMessage:
    if message.role == "system":
        return SystemMessage(content=message.content)
    if message.role == "assistant":
        return AssistantMessage(content=message.content, source="team")
    return UserMessage(content=message.content, source="team")
