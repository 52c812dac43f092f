"""The team's run: one AutoGen group chat on one shared transcript, from the task to the reason it ended."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from autogen_agentchat.base import TerminationCondition
from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage
from autogen_agentchat.teams import SelectorGroupChat
from autogen_core import CancellationToken

from interpreter.check import CheckResult
from super_agent.core.errors import LimitReached, SuperAgentError
from super_agent.core.events import (
    EndReason,
    SpeakerStarted,
    TurnStarted,
    UserSpoke,
)
from super_agent.core.model.prefill import Prefill
from super_agent.core.model.token_estimate import estimate_tokens
from super_agent.team import attempts
from super_agent.team.compaction import Compactor
from super_agent.team.flow import End, Resample, Rules, Speak, Step, goes_on, next_step, turns
from super_agent.team.infilling import Asked, asked, prefill
from super_agent.team.listing import describe
from super_agent.team.members import cancellable, output_of
from super_agent.team.messages import REPORTS
from super_agent.team.participants import REPLY_LIMITS, Participants
from super_agent.team.parts import TeamParts
from super_agent.team.resampling import Resampler
from super_agent.team.roles import ROLES, Role, opening
from super_agent.team.sampling_ahead import SamplingAhead, Upcoming
from super_agent.team.transcript import ContinuedFacts, Entry, TaskFacts, Transcript

CUE_TOKENS = 40
"""A cue with its message's marks; the longest has 30 tokens with SmolLM2's vocabulary."""
BRIEF_CUE_TOKENS = 180
"""The brief cue with the task before it, of at most `REPEATED_TASK_CHARS`."""


@dataclass(slots=True)
class TeamRun:
    """One run. `transcript` and `began_green` are its whole state: a fresh object with both goes on where it stood."""

    parts: TeamParts
    transcript: Transcript = field(default_factory=Transcript)
    began_green: bool = False
    instruction: str = ""
    """What the user adds to a run that had ended."""
    _token: CancellationToken = field(default_factory=CancellationToken)
    _rules: Rules | None = None
    _end: End | None = None
    _failure: SuperAgentError | None = None

    async def run(self, task: str) -> End:
        """Work until the flow ends it or `stop` is called; raises the `SuperAgentError` that ended it otherwise."""
        await self._begin(task)
        if self._end is not None:
            return self._end
        parts, plan = self.parts, self.parts.composition
        rules = self._rules = Rules(
            parts.check is not None, self.began_green, parts.max_turns,
            plans=plan.plans, reviews=plan.reviews, attempts=plan.attempts, repairs=plan.repairs, blind=plan.blind,
        )  # fmt: skip
        if isinstance(step := next_step(self.transcript, rules), End):
            return step
        end = await self._talk(rules)
        if isinstance(next_step(self.transcript, rules), End):
            if parts.check is not None and end.reason in ("no_progress", "turn_limit"):
                self._resampler.leave_the_best()
            parts.at_boundary(self.turns)
        return end

    async def _talk(self, rules: Rules) -> End:
        """The group chat, from the first speaker to how it ended."""
        ahead = SamplingAhead(self.parts.llm, self.parts.emit, self.parts.spare_slots, self._upcoming)
        participants = Participants(
            self.parts,
            self.transcript,
            self._resampler.sampling,
            self._prefill,
            ahead.draw,
            self._needed_tokens,
            self._fail,
        )
        chat = SelectorGroupChat(
            participants.members(),
            model_client=participants.client("coder", None),
            selector_func=self._select,
            termination_condition=_FlowEnded(self, rules),
            allow_repeated_speaker=True,
            custom_message_types=list(REPORTS),
        )
        try:
            await chat.run(cancellation_token=self._token)
        except (asyncio.CancelledError, RuntimeError):
            # AutoGen turns a member's error into a RuntimeError with its text; the original is kept beside.
            if self._end is None and self._failure is None:
                raise
        finally:
            await ahead.aclose()
        if ahead.changed is not None:
            raise ahead.changed
        if self._end is not None:
            return self._end
        if isinstance(self._failure, LimitReached):
            return End("token_limit", str(self._failure))
        raise self._failure or RuntimeError("the group chat ended without a reason")

    def stop(self, reason: EndReason, detail: str) -> None:
        """End the run from outside: the current call is cancelled; the first reason stands."""
        if self._end is None:
            self._end = End(reason, detail)
        self._token.cancel()

    @property
    def turns(self) -> int:
        """How many turns have begun."""
        return turns(self.transcript)

    async def _begin(self, task: str) -> None:
        """Come to where the first turn can begin, or the next one of a run that goes on."""
        if not self.transcript.entries:
            await self._open(task)
        elif self.instruction:
            await self._go_on()
        if self._end is None:
            self.parts.at_boundary(self.turns)

    async def _open(self, task: str) -> None:
        """Run the check once before the first turn and write the opening message."""
        result = await self._check_before()
        self.began_green = result is not None and result.passed
        told = "" if result is None else result.command_and_output
        room = self.parts.allocation
        project, brief = self.parts.project, self.parts.composition.brief and result is not None
        first = asked(self.parts.workspace, task, told, 0) if brief and not self.began_green else Asked()
        drawn, stubs = room.repository_map, first.stubs
        listing = describe(self.parts.workspace, task, room.named_files, told, max_map_chars=drawn, stubs=stubs)
        text = "" if result is None else self._checked_with(result, listing)
        facts = TaskFacts(task.strip(), *_standing(result), project, brief, text, first.gap, told)
        self.transcript.append(Entry("task", opening(task, listing, text, project, brief=brief), facts))

    def _checked_with(self, result: CheckResult, listing: str) -> str:
        text = f"The work is checked with `{result.command}`, which {result.verdict} now."
        if result.passed or not any(self.parts.workspace.files()):
            return text
        return text + output_of(result, self.parts.allocation.check_output, listing)

    async def _go_on(self) -> None:
        """Say what the user adds; what was judged before is not judged again."""
        result = await self._check_before()
        facts = ContinuedFacts(result is not None and result.passed, *_standing(result))
        self.transcript.append(Entry("user", f"The user says: {self.instruction}", facts))

    async def _check_before(self) -> CheckResult | None:
        """The check as it is before the work; None without one, or where the run was stopped meanwhile."""
        check = self.parts.check
        if check is None:
            return None
        try:
            return await cancellable(lambda cancellation: check.run("before", cancellation), self._token)
        except asyncio.CancelledError:
            if self._end is None:
                raise
            return None

    async def _select(self, _thread: Sequence[BaseAgentEvent | BaseChatMessage]) -> str:
        """AutoGen's question who speaks next; `_FlowEnded` has ended the run before where nobody does."""
        step = next_step(self.transcript, self._flow_rules)
        if isinstance(step, Resample):
            step = self._begin_anew(step)
        if not isinstance(step, Speak):
            raise RuntimeError(f"asked for a speaker after the end: {step}")
        if step.member == "coder" and not goes_on(self.transcript):
            self._begin_turn()
        if step.member in ROLES:
            await self._make_room(self._needed_tokens(step.member))
            self.parts.emit(SpeakerStarted(step.member))
        return step.member

    def _begin_anew(self, step: Resample) -> Step:
        """The coder's next reply is a new attempt; returns what follows."""
        try:
            self._resampler.begin_anew(step)
        except SuperAgentError as error:
            self._fail(error)
            raise
        return next_step(self.transcript, self._flow_rules)

    async def _make_room(self, needed_tokens: int) -> None:
        task = asyncio.ensure_future(self._compactor.make_room(needed_tokens))
        self._token.link_future(task)
        await task

    def _needed_tokens(self, role: Role) -> int:
        """What has to fit after the prompt as it stands: the cue and the reply, of the coder the rest of its turn."""
        cue = BRIEF_CUE_TOKENS if self.transcript.brief else CUE_TOKENS
        reply = self.parts.llm.reply_limit(REPLY_LIMITS[role].tokens) + cue
        if role == "coder":
            reply += round(estimate_tokens(self._prefill().text))
        if role != "coder" or goes_on(self.transcript):
            return reply
        return self.parts.allocation.turn_tokens(reply)

    def _prefill(self) -> Prefill:
        return prefill(self.transcript, self.parts.workspace)

    def _upcoming(self, place: int) -> Upcoming | None:
        """The attempt so many after this one, where the flow would come to it."""
        rules = self._flow_rules
        further = rules.blind or attempts.number(self.transcript) + place <= rules.attempts
        if not further or not rules.has_check or self.turns + place >= rules.max_turns:
            return None
        return self._resampler.upcoming(place)

    def _begin_turn(self) -> None:
        try:
            if self.turns:
                self.parts.at_boundary(self.turns)
            self.parts.emit(TurnStarted(self.turns + 1))
            self.parts.at_turn_start()
        except SuperAgentError as error:
            self._fail(error)
            raise
        for line in self.parts.user_lines():
            self.transcript.append(Entry("user", f"The user says: {line}"))
            self.parts.emit(UserSpoke(line))

    @property
    def _flow_rules(self) -> Rules:
        if self._rules is None:
            raise RuntimeError("the run was not opened")
        return self._rules

    @property
    def _resampler(self) -> Resampler:
        parts = self.parts
        return Resampler(
            self.transcript, parts.workspace, parts.llm, parts.emit, parts.allocation, parts.go_back, parts.sampling
        )

    @property
    def _compactor(self) -> Compactor:
        parts = self.parts
        return Compactor(parts.llm, self.transcript, parts.workspace, parts.emit, parts.allocation, parts.model_sums_up)

    def _fail(self, error: SuperAgentError) -> None:
        if self._failure is None:
            self._failure = error

    def _ended(self, end: End) -> None:
        if self._end is None:
            self._end = end


def _standing(result: CheckResult | None) -> tuple[str, tuple[int, int]]:
    """Signature and score of the check as it was before the work."""
    return ("", (0, 0)) if result is None else (result.signature, result.score)


class _FlowEnded(TerminationCondition):
    """AutoGen's termination condition: the flow says so."""

    def __init__(self, run: TeamRun, rules: Rules) -> None:
        self._run = run
        self._rules = rules
        self._stopped = False

    @property
    def terminated(self) -> bool:
        return self._stopped

    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        step = next_step(self._run.transcript, self._rules)
        if not isinstance(step, End):
            return None
        self._stopped = True
        self._run._ended(step)
        return StopMessage(content=step.detail, source="flow")

    async def reset(self) -> None:
        self._stopped = False
