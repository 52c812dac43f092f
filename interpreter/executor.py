"""The executor: Open Interpreter's loop, with the model, the code and the record of the conversation in our hands.

One instruction goes in, a report comes out. Between them the model writes at most one block of code per reply, the
block runs in the sandbox, and its result is appended to the conversation, until a reply holds no code.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from interpreter.approval import Approver
from interpreter.code_blocks import CodeBlock, choose_block
from interpreter.code_execution import CodeExecution, raise_if
from interpreter.code_output import OutputRecorder
from interpreter.conversation import RESTARTED, Conversation
from interpreter.engine.engine import Engine, EngineReply
from interpreter.loop_detection import LoopDetector
from interpreter.ollama_adapter import OllamaAdapter
from interpreter.report import ENDED_TEXT, CodeRun, InstructionEnd, Report, observation, report_text, run_lines
from interpreter.roles import head
from interpreter.sandbox.protocol import Runner
from interpreter.tool_calls import FoundCall, ToolAccess, find_call
from super_agent.core.cancellation import Cancellation
from super_agent.core.edits.editor import Editor
from super_agent.core.events import (
    ContextCompacted,
    FilesChanged,
    InstructionGiven,
    MessagePosted,
    ReportMade,
    SpeakerStarted,
    TextStreamed,
)
from super_agent.core.files.workspace import Workspace
from super_agent.core.model.chat import Reply, Sampling
from super_agent.core.model.context_allocation import WORTH_IT, ContextAllocation
from super_agent.core.replies.coder_reply import split_files
from super_agent.core.replies.tool_calls import as_printed
from super_agent.core.text import clipped

EMPTY_REPLY = (
    "Your reply was empty. Write one ```python or ```shell block that does the next step, a file in a block headed by "
    "its language and path, or one sentence that says what was done."
)
UNKNOWN_CONTEXT = 32768
"""Tokens, for the bounds of reports and results where the loaded context is not known."""


@dataclass(frozen=True, slots=True)
class ExecutorLimits:
    """Of one instruction: code runs, and seconds for each run and in all."""

    max_rounds: int
    code_timeout_s: float
    total_timeout_s: float


class _Ended(Exception):
    def __init__(self, how: InstructionEnd) -> None:
        super().__init__(how)
        self.how = how


@dataclass(slots=True)
class _Instruction:
    """The state of the one instruction under way."""

    text: str
    cancellation: Cancellation
    deadline: float
    runs: list[CodeRun] = field(default_factory=list)
    final_reply: str = ""
    repeats: LoopDetector = field(default_factory=LoopDetector)
    cut_replies: int = 0
    edits: int = 0
    """Replies whose file blocks were applied or refused."""


class Executor:
    """Carries out instructions, one at a time; the conversation and Python's state last from one to the next."""

    def __init__(
        self,
        adapter: OllamaAdapter,
        engine: Engine,
        runners: Mapping[str, Runner],
        workspace: Workspace,
        recorder: OutputRecorder,
        limits: ExecutorLimits,
        approver: Approver | None = None,
        editor: Editor | None = None,
        tools: ToolAccess | None = None,
    ) -> None:
        """`runners` by language: "python" and "shell". All parts are owned, and closed, by the caller.

        Without an approver no person is asked before code runs; without an editor no file block is applied.
        """
        self.conversation = Conversation()
        self._adapter = adapter
        self.allocation = ContextAllocation(adapter.context_length or UNKNOWN_CONTEXT)
        self._engine = engine
        self._workspace = workspace
        self._emit = recorder.emit
        self._limits = limits
        self._editor = editor
        self._code = CodeExecution(runners, recorder, approver)
        self._box = tools.box if tools is not None else None
        self._tools = self._code
        if tools is not None:
            self._tools = CodeExecution({"tool": tools.box}, recorder, tools.approver)

    def carry_out(self, instruction: str, cancellation: Cancellation | None = None) -> Report:
        """Work until the model is done or a limit ends it; raises `SuperAgentError`.

        A cancellation ends it within a second with `Interrupted`; Python's state is kept where it can be.
        """
        cancellation = cancellation or Cancellation()
        raise_if(cancellation)
        self._emit(InstructionGiven(instruction))
        before = self._workspace.state()
        self._make_room(self.allocation.round_tokens(self._adapter.reply_limit()))
        self.conversation.append("user", instruction)
        job = _Instruction(instruction, cancellation, time.monotonic() + self._limits.total_timeout_s)
        ended: InstructionEnd = "finished"
        how = "interrupted or failed"
        try:
            self._engine.converse(
                instruction,
                lambda: self._ask(job),
                lambda block: self._run(job, block),
                cancellation,
            )
            how = job.final_reply
        except _Ended as end:
            ended, how = end.how, ENDED_TEXT[end.how]
        finally:
            self.conversation.finish(instruction, how)
        changes = self._workspace.changes_since(before)
        if changes:
            self._emit(FilesChanged(changes.created, changes.modified, changes.deleted))
        text = clipped(report_text(ended, job.final_reply, job.runs, changes), self.allocation.report)
        report = Report(text, ended, job.final_reply, tuple(job.runs), changes)
        self._emit(ReportMade(report.text))
        return report

    def draw(self, sampling: Sampling | None) -> None:
        """How the model's replies are drawn from now on; None is as the settings say."""
        self._adapter.sampling = sampling

    def begin_anew(self, sampling: Sampling | None) -> None:
        """Forget the conversation but for its head and task, which the server's cache still holds."""
        old = self.conversation
        messages = head(network=old.network, tools=old.tools)
        self.conversation = Conversation(messages, task=old.task, network=old.network, tools=old.tools)
        self._adapter.begin_anew()
        self.draw(sampling)

    def restore(self, conversation: Conversation) -> None:
        """Go on from an earlier conversation; Python's state of then is lost, which is said to the model."""
        self.conversation = conversation
        if conversation.done:
            conversation.append("user", RESTARTED)
        if conversation.tools not in conversation.messages[0].content:
            conversation.append("user", conversation.tools)

    def _ask(self, job: _Instruction) -> EngineReply:
        """The model's turn: ask until a reply holds a block that can run, or none that was meant to."""
        while True:
            self._raise_if_over(job)
            self._make_room(self._adapter.reply_limit(), job)
            reply = self._reply(job.cancellation)
            job.final_reply = reply.text
            if self._box is not None and (call := find_call(reply.text, self._box)) is not None:
                self._call(job, reply, call)
                continue
            text, told = self._apply_files(job, reply)
            choice = choose_block(text, reply.finish_reason)
            if told:
                self.conversation.append("user", told)
                if choice.block is None:
                    continue
            if choice.block is not None:
                for note in choice.notes:
                    self.conversation.append("user", note)
                return EngineReply(reply.text, choice.block)
            notes = choice.notes or ((EMPTY_REPLY,) if not reply.text.strip() else ())
            if not notes:
                return EngineReply(reply.text, None)
            job.cut_replies += 1
            if job.cut_replies > 1:
                if reply.finish_reason == "length":
                    raise _Ended("reply_cut")
                raise _Ended("finished" if (job.runs or job.edits) and reply.text.strip() else "no_answer")
            self.conversation.append("user", " ".join(notes))

    def _call(self, job: _Instruction, reply: Reply, call: FoundCall) -> None:
        """Write the files that stand beside a call, then make it; Open Interpreter has no part in either."""
        _, told = self._apply_files(job, replace(reply, text=call.rest))
        if told:
            self.conversation.append("user", told)
        self._run(job, call.block)

    def _apply_files(self, job: _Instruction, reply: Reply) -> tuple[str, str]:
        """Apply the file blocks of a reply; the rest of it, and what is told to the model of them, or nothing."""
        if self._editor is None:
            return reply.text, ""
        task = self.conversation.task or job.text
        around = self._editor.surroundings(task)
        files, rest = split_files(reply.text, around)
        if not files:
            return reply.text, ""
        job.edits += 1
        if job.edits > self._limits.max_rounds:
            raise _Ended("round_limit")
        applied = self._editor.apply(files, task)
        lines = [f"Wrote {path}." for path in applied.paths]
        lines += [f"Did not write {path}: {reason}." for path, reason in applied.refusals]
        lines += [f"Syntax error in {error}" for _, error in applied.errors]
        return rest, "\n".join(lines)

    def _make_room(self, needed_tokens: int, job: _Instruction | None = None) -> None:
        """Compact where the prompt and what is needed after it would not fit, and where that helps."""
        before = self._adapter.estimate_tokens(self.conversation.messages)
        if self._adapter.context_length is None or before + needed_tokens <= self._adapter.context_length:
            return
        progress = "\n".join(run_lines(job.runs)) if job else ""
        if job and job.runs:
            progress += "\n" + observation(job.runs[-1], 0, self.allocation.code_output // 2)
        shorter = self.conversation.compacted(self.allocation.kept, job.text if job else "", progress)
        after = self._adapter.estimate_tokens(shorter)
        if after > before * WORTH_IT:
            return  # the client refuses what does not fit, in words that help
        left_out = f"{len(self.conversation.messages) - len(shorter)} messages"
        self.conversation.messages = shorter
        self._adapter.begin_anew()
        kept = "a line for each instruction" + (", the one under way, its runs and the last result" if job else "")
        self._emit(ContextCompacted("open-interpreter", before, after, kept, left_out))

    def _reply(self, cancellation: Cancellation) -> Reply:
        self._emit(SpeakerStarted("executor"))
        for item in self._adapter.stream(self.conversation.messages, cancellation):
            if isinstance(item, Reply):
                if item.tool_calls:  # no tools were offered: a parser of the server's own made calls of the text
                    text = as_printed(item.text, [(call.name, call.arguments) for call in item.tool_calls])
                    item = replace(item, text=text, tool_calls=(), finish_reason="stop")
                self.conversation.append("assistant", item.text)
                self._emit(MessagePosted("executor", item.text, item.finish_reason))
                return item
            self._emit(TextStreamed("executor", item.text, item.reasoning))
        raise RuntimeError("OllamaAdapter.stream ended without a Reply")

    def _run(self, job: _Instruction, block: CodeBlock) -> str:
        """Run one block and append its result; the text returned is what the engine records."""
        self._raise_if_over(job)
        if len(job.runs) >= self._limits.max_rounds:
            raise _Ended("round_limit")
        execution = self._tools if block.language == "tool" else self._code
        timeout_s = min(self._limits.code_timeout_s, job.deadline - time.monotonic())
        run, waited_s = execution.run(block, timeout_s, job.cancellation)
        job.deadline += waited_s  # a person's thinking costs the instruction no time
        repeats = job.repeats.count(run.block, run.outcome, run.output)
        job.runs.append(run)
        text = observation(run, repeats, self.allocation.code_output)
        self.conversation.append("user", text)
        if repeats >= 2:
            raise _Ended("repeats")
        return text

    def _raise_if_over(self, job: _Instruction) -> None:
        raise_if(job.cancellation)
        if time.monotonic() >= job.deadline:
            raise _Ended("time_limit")
