"""The executor's conversation: append-only, verbatim, and compacted in one large step when its context runs out."""

from dataclasses import dataclass, field
from typing import Literal

from interpreter.roles import head
from super_agent.core.model.chat import Message
from super_agent.core.text import clipped

RESTARTED = "The Python process was restarted: its variables and imports are gone."
LEFT_OUT = "The earlier messages were left out to save room."
MAX_DONE_CHARS = 240
"""Of one earlier instruction and of what came of it: two lines each."""


@dataclass(frozen=True, slots=True)
class Done:
    """An instruction that was carried out, and what came of it in a line or two."""

    instruction: str
    outcome: str


@dataclass(slots=True)
class Conversation:
    """`messages` is the prompt as it stands, oldest first; `done` what was carried out, also what is left out of it.

    `task` is what all instructions serve, where there is such a thing; a compaction keeps it.
    """

    messages: list[Message] = field(default_factory=head)
    done: list[Done] = field(default_factory=list)
    task: str = ""
    network: bool = field(default=False, compare=False)
    """Whether the code has the network in this run: a compaction's new head says so."""
    tools: str = field(default="", compare=False)
    """Describes the tools of this run, for such a head."""

    def append(self, role: Literal["user", "assistant"], text: str) -> None:
        """Append verbatim; a user text after a user text joins it, as templates expect the roles to alternate."""
        last = self.messages[-1]
        if role == "user" and last.role == "user":
            self.messages[-1] = Message("user", f"{last.content}\n\n{text}")
        else:
            self.messages.append(Message(role, text))

    def compacted(self, room_chars: int, instruction: str = "", progress: str = "") -> list[Message]:
        """The prompt with its middle left out: earlier instructions in a line each, the one under way as it was given.

        `progress` is what was done for it so far. `room_chars` bounds all but the head, roughly.
        """
        parts = [LEFT_OUT]
        if self.task and self.task not in instruction:
            parts.append(f"The task: {clipped(self.task, room_chars // 3)}")
        if self.done:
            lines = [f"{n}. {d.instruction} → {d.outcome}" for n, d in enumerate(self.done, 1)]
            parts.append("Earlier instructions and what came of them:\n" + clipped("\n".join(lines), room_chars // 4))
        if instruction:
            parts.append(f"The instruction now: {clipped(instruction, room_chars // 3)}")
        if progress:
            parts.append(f"Done for it so far:\n{clipped(progress, room_chars // 3)}\nGo on with it.")
        return [*head(network=self.network, tools=self.tools), Message("user", "\n\n".join(parts))]

    def finish(self, instruction: str, outcome: str) -> None:
        """Note what came of an instruction."""
        self.done.append(Done(clipped(instruction, MAX_DONE_CHARS), clipped(outcome.strip(), MAX_DONE_CHARS)))
