"""The members without a model: workspace, interpreter and check. Each posts what happened as user text."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import BaseChatMessage, BaseTextChatMessage
from autogen_core import CancellationToken

from interpreter.check import Check, CheckResult
from interpreter.check_output import essence
from interpreter.executor import Executor
from super_agent.core.cancellation import Cancellation
from super_agent.core.edits.editor import Editor
from super_agent.core.errors import SuperAgentError
from super_agent.core.events import Emit, FilesShown, MessagePosted, SpeakerStarted
from super_agent.core.files.workspace import Workspace
from super_agent.core.replies.coder_reply import form_for, parse_coder_reply
from super_agent.core.replies.inferred_paths import named_path
from super_agent.core.replies.types import SearchRequest, ShowRequest, Surroundings
from super_agent.core.text import clipped
from super_agent.core.threads import in_thread
from super_agent.team.messages import CheckReport, ExecutionReport, WorkspaceReport
from super_agent.team.showing import Showing, words_of
from super_agent.team.transcript import CheckFacts, Entry, ExecutionFacts, Member, Transcript, WorkspaceFacts

T = TypeVar("T")
MAX_TASK_CHARS = 2000
"""Of the task in an instruction to the executor: what crosses is kept small."""


class ReportingMember(BaseChatAgent):
    """Acts on the newest coder reply and posts one report into the transcript."""

    report_type: type[BaseTextChatMessage]

    def __init__(
        self,
        name: Member,
        transcript: Transcript,
        emit: Emit,
        on_failure: Callable[[SuperAgentError], None],
    ) -> None:
        super().__init__(name=name, description=f"{name}: acts, without a model")
        self._member: Member = name
        self._transcript = transcript
        self._emit = emit
        self._on_failure = on_failure

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """The one type of this member's reports."""
        return (self.report_type,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Act, then post; the broadcast `messages` are copies of what the transcript holds."""
        self._emit(SpeakerStarted(self._member))
        try:
            entry = await self.act(cancellation_token)
        except SuperAgentError as error:
            self._on_failure(error)
            raise
        self._transcript.append(entry)
        self._emit(MessagePosted(self._member, entry.text))
        return Response(chat_message=self.report_type(content=entry.text, source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Nothing to reset: the transcript belongs to the run."""

    @abstractmethod
    async def act(self, cancellation_token: CancellationToken) -> Entry:
        """Do this member's work; raises `SuperAgentError`."""


class WorkspaceMember(ReportingMember):
    """Applies the coder's blocks and shows what it asks to see."""

    report_type = WorkspaceReport

    def __init__(
        self,
        transcript: Transcript,
        emit: Emit,
        on_failure: Callable[[SuperAgentError], None],
        *,
        workspace: Workspace,
        editor: Editor,
        digest: Callable[[tuple[str, ...]], str],
        max_shown_chars: int,
    ) -> None:
        """`max_shown_chars` bounds all files shown in one report together."""
        super().__init__("workspace", transcript, emit, on_failure)
        self._showing = Showing(workspace, max_shown_chars)
        self._editor = editor
        self._digest = digest

    async def act(self, cancellation_token: CancellationToken) -> Entry:
        """Apply all blocks of the newest coder reply; of one that the length limit cut, those that are whole."""
        text, cut = self._transcript.reply()
        reply = parse_coder_reply(text, self._editor.surroundings(self._transcript.task))
        applied = self._editor.apply(reply.files, self._transcript.task)
        lines = [f"wrote {path}." for path in applied.paths]
        if cut:
            done = "only whole blocks were taken" if lines else "nothing was written"
            lines.append(f"the reply was cut by the length limit, so {done}. Write fewer files at once.")
        lines += [f"did not write {path}: {reason}." for path, reason in applied.refusals]
        lines += [f"syntax error in {error}" for _, error in applied.errors]
        lines += self._shown(reply.shows)
        lines += [f"{block.opening} was not used: {block.reason}." for block in reply.unused]
        if not lines and not reply.instruction:
            lines = [nothing_said(text, self._transcript.task)]
        changed = tuple(applied.paths)
        facts = WorkspaceFacts(
            changed,
            len(applied.refusals),
            len(reply.shows),
            reply.instruction,
            self._digest(changed),
            broken=len(applied.errors),
        )
        return Entry(
            "workspace", "\n".join(f"Workspace: {line}" for line in lines) or "Workspace: nothing to write.", facts
        )

    def _shown(self, requests: tuple[ShowRequest | SearchRequest, ...]) -> list[str]:
        if not requests:
            return []
        paths = tuple(request.path for request in requests if isinstance(request, ShowRequest))
        searched = tuple(words_of(request) for request in requests if isinstance(request, SearchRequest))
        self._emit(FilesShown(paths, searched))
        return self._showing.answers(requests)


class InterpreterMember(ReportingMember):
    """Hands an instruction to the executor and posts its report."""

    report_type = ExecutionReport

    def __init__(
        self,
        transcript: Transcript,
        emit: Emit,
        on_failure: Callable[[SuperAgentError], None],
        *,
        executor: Executor,
    ) -> None:
        super().__init__("interpreter", transcript, emit, on_failure)
        self._executor = executor

    async def act(self, cancellation_token: CancellationToken) -> Entry:
        """Have the newest instruction carried out; without one, have the written files tried."""
        workspace = self._transcript.last("workspace")
        facts = workspace.facts if workspace else None
        if not isinstance(facts, WorkspaceFacts):
            raise RuntimeError("the interpreter speaks only after the workspace")
        instruction = facts.instruction or (
            f"These files were just written: {', '.join(facts.changed)}. Run code that shows whether they do this: "
            f"{clipped(self._transcript.task, MAX_TASK_CHARS)}\nDo not change them."
        )
        report = await cancellable(
            lambda cancellation: self._executor.carry_out(instruction, cancellation), cancellation_token
        )
        return Entry("interpreter", f"Interpreter: {report.text}", ExecutionFacts(report.changes.paths, report.ended))


class CheckMember(ReportingMember):
    """Runs the check and posts its result."""

    report_type = CheckReport

    def __init__(
        self,
        transcript: Transcript,
        emit: Emit,
        on_failure: Callable[[SuperAgentError], None],
        *,
        check: Check,
        digest: Callable[[tuple[str, ...]], str],
        max_output_chars: int,
    ) -> None:
        super().__init__("check", transcript, emit, on_failure)
        self._max_output_chars = max_output_chars
        self._check = check
        self._digest = digest

    async def act(self, cancellation_token: CancellationToken) -> Entry:
        """Run the check command once."""
        result = await cancellable(lambda cancellation: self._check.run("after", cancellation), cancellation_token)
        facts = CheckFacts(result.passed, result.signature, self._digest(()), result.score, result.command_and_output)
        return Entry("check", check_text(result, self._max_output_chars, self._in_prompt()), facts)

    def _in_prompt(self) -> str:
        """What the team has read: the source lines of a traceback mostly stand in the files that it was shown."""
        return "\n".join(message.content for message in self._transcript.messages())


def nothing_said(text: str, task: str) -> str:
    """What the coder is told after a reply that asked for nothing: the form that is taken."""
    form = form_for(named_path("", Surroundings(task)))
    what = "the reply held no file block" if text.strip() else "the reply was empty"
    return f"{what}, so nothing was written; begin a file's block with {form}."


def check_text(result: CheckResult, max_output_chars: int, shown: str) -> str:
    """A check's result as the team reads it, which was `shown` that text before."""
    return f"Check: `{result.command}` {result.verdict}.{output_of(result, max_output_chars, shown)}"


def output_of(result: CheckResult, max_output_chars: int, shown: str) -> str:
    """What a check wrote, on lines of its own, without what the team was `shown`; empty where it wrote nothing."""
    told = essence(result.output, max_output_chars, "a run block can show them", shown)
    return f"\n````\n{told}\n````" if told else ""


async def cancellable(work: Callable[[Cancellation], T], token: CancellationToken) -> T:
    """Blocking work that AutoGen's token can cancel."""
    cancellation = Cancellation()
    task = asyncio.ensure_future(in_thread(lambda: work(cancellation), cancellation.cancel))
    token.link_future(task)
    return await task
