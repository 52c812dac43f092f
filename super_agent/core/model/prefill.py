"""A reply that is begun for the model: the last message of the prompt is an assistant's, and the model goes on with it.

llama-server answers with that beginning and what follows, Ollama's older runners with what follows alone, and a
template that knows no such thing lets the model begin a message of its own: all three are read here.
"""

from dataclasses import dataclass, replace

from super_agent.core.model.chat import Reply, ReplyPiece

FENCE = "```"


@dataclass(frozen=True, slots=True)
class Prefill:
    """How a reply begins, the texts that end it, and what is put behind a block that the model left open at its end.

    `then` are further beginnings: each is put behind what was written so far, and the model goes on from there. Of
    `text`, `told` characters were passed on before.
    """

    text: str
    stop: tuple[str, ...] = ()
    end: str = ""
    then: tuple[str, ...] = ()
    told: int = 0

    def after(self, reply: Reply) -> "Prefill | None":
        """How the model goes on after what it wrote so far; None where that was all, or was cut."""
        if not self.then or reply.finish_reason != "stop" or not reply.text.startswith(self.text):
            return None
        return Prefill(reply.text + self.then[0], self.stop, self.end, self.then[1:], len(reply.text))


NO_PREFILL = Prefill("")


@dataclass(slots=True)
class PrefilledReply:
    """One reply, piece by piece; white space at its end is kept back, as `end` may follow."""

    prefill: Prefill
    _held: str = ""
    _begun: bool = False

    def take(self, piece: ReplyPiece) -> list[ReplyPiece]:
        """What is certain by now of the reply's text; thoughts pass."""
        if piece.reasoning or not (self.prefill.text or self.prefill.end):
            return [piece]
        self._held += piece.text
        if not self._begun:
            if self._undecided():
                return []
            self._begun, self._held = True, self._untold(self._joined(self._held))
        text = self._held.rstrip()
        self._held = self._held[len(text) :]
        return [ReplyPiece(text)] if text else []

    def whole(self, reply: Reply) -> list[ReplyPiece | Reply]:
        """The piece that is left, if any, and the reply with its beginning and its end."""
        if not (self.prefill.text or self.prefill.end):
            return [reply]
        text = self._joined(reply.text)
        rest = self._held if self._begun else self._untold(text)
        if reply.finish_reason == "stop" and _ends_open(text):
            end = self.prefill.end if text.startswith(self.prefill.text) else f"\n{FENCE}"
            text, rest = text.rstrip() + end, rest.rstrip() + end
        whole = replace(reply, text=text)
        return [ReplyPiece(rest), whole] if rest else [whole]

    def _undecided(self) -> bool:
        """Whether this may still become the beginning, or a fence, with which a message of the model's own begins."""
        said = self._held.lstrip()
        echoed = len(self._held) < len(self.prefill.text) and self.prefill.text.startswith(self._held)
        return echoed or FENCE.startswith(said)

    def _untold(self, text: str) -> str:
        return text[self.prefill.told :] if text.startswith(self.prefill.text) else text

    def _joined(self, text: str) -> str:
        own = text.startswith(self.prefill.text) or text.lstrip().startswith(FENCE)
        return text if own else self.prefill.text + text


def _ends_open(text: str) -> bool:
    """Whether the last block is not closed."""
    return text.count(f"\n{FENCE}") % 2 != text.startswith(FENCE)
