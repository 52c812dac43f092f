"""Who takes part in the group chat: the thinking roles with their model clients, and the members without a model."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import ChatAgent, Team

from super_agent.core.errors import PathRefused, SuperAgentError
from super_agent.core.events import MessagePosted, TextStreamed, VerdictGiven
from super_agent.core.model.chat import Reply, Sampling
from super_agent.core.model.prefill import NO_PREFILL, Prefill
from super_agent.core.replies.coder_reply import ends_inside_block
from super_agent.team.context import SharedContext, read_verdict
from super_agent.team.drawing import Pieces, ReplyLimits, ReplyRequest
from super_agent.team.flow import goes_on
from super_agent.team.members import CheckMember, InterpreterMember, WorkspaceMember
from super_agent.team.model_client import Listener, TeamModelClient, model_info
from super_agent.team.parts import TeamParts
from super_agent.team.roles import CUES, Role, Verdict
from super_agent.team.transcript import Transcript

REPLY_LIMITS: dict[Role, ReplyLimits] = {
    "planner": ReplyLimits(tokens=400, stop=("\n6.", "\n6)")),
    "coder": ReplyLimits(),
    "reviewer": ReplyLimits(tokens=400),
}
"""A plan of five steps and a verdict fit well in 400 tokens; small models would list steps until the general limit."""


@dataclass(frozen=True, slots=True)
class Participants:
    """Those of one run. `fail` keeps the error that AutoGen would only pass on as text."""

    parts: TeamParts
    transcript: Transcript
    sampling: Callable[[], Sampling | None]
    """How the coder's next reply is drawn."""
    prefill: Callable[[], Prefill]
    """How it begins."""
    drawn: Callable[[ReplyRequest], Pieces]
    """What writes it."""
    needed_tokens: Callable[[Role], int]
    """What has to fit after the prompt as it stands, for a reply of that role."""
    fail: Callable[[SuperAgentError], None]

    def members(self) -> list[ChatAgent | Team]:
        """Everybody who may be asked to speak."""
        parts, transcript = self.parts, self.transcript
        common = (transcript, parts.emit, self.fail)
        members: list[ChatAgent | Team] = [self._thinker(role) for role in CUES]
        members.append(
            WorkspaceMember(
                *common,
                workspace=parts.workspace,
                editor=parts.editor,
                digest=self._digest,
                max_shown_chars=self.parts.allocation.shown,
            )
        )
        members.append(InterpreterMember(*common, executor=parts.executor))
        if parts.check is not None:
            limit = self.parts.allocation.check_output
            members.append(CheckMember(*common, check=parts.check, digest=self._digest, max_output_chars=limit))
        return members

    def _thinker(self, role: Role) -> AssistantAgent:
        context = SharedContext(self.transcript, role)
        return AssistantAgent(
            role,
            model_client=self.client(role, context),
            model_context=context,
            system_message=None,
            description=CUES[role],
        )

    def client(self, role: Role, context: SharedContext | None) -> TeamModelClient:
        """What a role's replies come from; `context` learns how the reply ended."""
        return TeamModelClient(
            self.parts.llm,
            model_info(self.parts.details),
            listener=Listener(
                on_piece=lambda piece: self.parts.emit(TextStreamed(role, piece.text, piece.reasoning)),
                on_reply=lambda reply: self._replied(role, reply, context),
                on_failure=self.fail,
            ),
            json_schema=Verdict if role == "reviewer" else None,
            limits=REPLY_LIMITS[role],
            sampling=self.sampling if role == "coder" else lambda: None,
            prefill=self.prefill if role == "coder" else lambda: NO_PREFILL,
            drawn=self.drawn if role == "coder" else None,
        )

    def _replied(self, role: Role, reply: Reply, context: SharedContext | None) -> None:
        if context is not None:
            context.cut = reply.finish_reason == "length"
            context.goes_on = context.cut and role == "coder" and self._can_go_on(reply)
        self.parts.emit(MessagePosted(role, reply.text, reply.finish_reason))
        if role == "reviewer":
            verdict = read_verdict(reply.text)
            if verdict.valid:
                self.parts.emit(VerdictGiven("accept" if verdict.accepted else "revise", verdict.reasons))

    def _can_go_on(self, reply: Reply) -> bool:
        """Whether a reply that was cut can be continued: once, and never inside a block, which would not join up."""
        used = reply.prompt_tokens + reply.completion_tokens
        fits = used + self.needed_tokens("coder") <= self.parts.allocation.context_length
        return fits and not goes_on(self.transcript) and not ends_inside_block(reply.text)

    def _digest(self, newly_changed: tuple[str, ...]) -> str:
        """A hash of the content of every file the run has touched, to tell whether anything moved."""
        found = hashlib.sha256()
        for path in sorted({*self.transcript.changed_paths(), *newly_changed}):
            try:
                data = self.parts.workspace.read_bytes(path)
            except PathRefused as refusal:
                data = str(refusal).encode()
            found.update(os.fsencode(path) + b"\0" + hashlib.sha256(data or b"").digest())
        return found.hexdigest()[:16]
