"""The executor: Open Interpreter's loop, with the model, the code and the record of the conversation in our hands.

One instruction goes in, a report comes out. Between them the model writes at most one block of code per reply, the
block runs in the sandbox, and its result is appended to the conversation, until a reply holds no code.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from interpreter.code_blocks import CodeBlock, choose_block
from interpreter.engine import Engine, EngineReply
from interpreter.ollama_adapter import OllamaAdapter
from interpreter.roles import head
from interpreter.sandbox.protocol import Outcome, Runner
from interpreter.shown import Stage
from super_agent.core.chat import Message, Reply
from super_agent.core.errors import Interrupted
from super_agent.core.events import (
    FilesChanged,
    InstructionGiven,
    MessagePosted,
    ReportMade,
    SpeakerStarted,
    TextStreamed,
)
from super_agent.core.text import clipped
from super_agent.core.workspace import Changes, Workspace

Ended = Literal["finished", "round_limit", "time_limit", "repeats", "reply_cut"]
ENDED_TEXT: Mapping[Ended, str] = {
    "finished": "done",
    "round_limit": "stopped: the limit of code runs for one instruction was reached",
    "time_limit": "stopped: the time for one instruction was over",
    "repeats": "stopped: the same code gave the same result three times",
    "reply_cut": "stopped: the reply was cut by the length limit twice",
}
INTERRUPT_EVERY_S = 0.1
MAX_REPORT_CHARS = 3000
"""About 1,000 tokens: what crosses to the team is kept small."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one instruction: code runs, and seconds for each run and in all."""

    max_rounds: int
    code_timeout_s: float
    total_timeout_s: float


@dataclass(frozen=True, slots=True)
class CodeRun:
    """One block that ran."""

    block: CodeBlock
    outcome: Outcome
    output: str


@dataclass(frozen=True, slots=True)
class Report:
    """What came of an instruction; `text` is bounded and written for whoever gave it."""

    text: str
    ended: Ended
    final_reply: str
    runs: tuple[CodeRun, ...]
    changes: Changes


class _Ended(Exception):
    def __init__(self, how: Ended) -> None:
        super().__init__(how)
        self.how = how


@dataclass(slots=True)
class _Instruction:
    """The state of the one instruction under way."""

    deadline: float
    runs: list[CodeRun] = field(default_factory=list)
    final_reply: str = ""
    repeats: int = 0
    cut_replies: int = 0


class Executor:
    """Carries out instructions, one at a time; the conversation and Python's state last from one to the next."""

    def __init__(
        self,
        adapter: OllamaAdapter,
        engine: Engine,
        runners: Mapping[str, Runner],
        workspace: Workspace,
        stage: Stage,
        limits: Limits,
    ) -> None:
        """`runners` by language: "python" and "shell". All parts are owned, and closed, by the caller."""
        self.messages: list[Message] = head()
        self._adapter = adapter
        self._engine = engine
        self._runners = runners
        self._workspace = workspace
        self._stage = stage
        self._emit = stage.emit
        self._limits = limits
        self._cancelled = threading.Event()
        self._running: Runner | None = None

    def carry_out(self, instruction: str) -> Report:
        """Work until the model is done or a limit ends it; raises `SuperAgentError` (`Interrupted` after `cancel`)."""
        self._cancelled.clear()
        self._emit(InstructionGiven(instruction))
        before = self._workspace.state()
        self._append("user", instruction)
        job = _Instruction(time.monotonic() + self._limits.total_timeout_s)
        ended: Ended = "finished"
        try:
            self._engine.converse(instruction, lambda: self._ask(job), lambda block: self._run(job, block))
        except _Ended as end:
            ended = end.how
        changes = self._workspace.changes_since(before)
        if changes:
            self._emit(FilesChanged(changes.created, changes.modified, changes.deleted))
        report = Report(_report_text(job, ended, changes), ended, job.final_reply, tuple(job.runs), changes)
        self._emit(ReportMade(report.text))
        return report

    def cancel(self) -> None:
        """End the instruction under way within a second, from any thread; Python's state is kept where it can be."""
        self._cancelled.set()
        self._adapter.cancel()
        self._engine.cancel()
        if self._running is not None:
            threading.Thread(target=self._interrupt_until_idle, name="interrupt", daemon=True).start()

    def _interrupt_until_idle(self) -> None:
        """Again and again: a runner that is only about to begin forgets an interrupt that came before."""
        while (running := self._running) is not None and self._cancelled.is_set():
            running.interrupt()
            time.sleep(INTERRUPT_EVERY_S)

    def restore(self, messages: list[Message]) -> None:
        """Go on from an earlier conversation; Python's state of then is lost, which is said to the model."""
        self.messages = [*messages]
        self._append("user", "The Python process was restarted: its variables and imports are gone.")

    def _ask(self, job: _Instruction) -> EngineReply:
        """The model's turn: ask until a reply holds a block that can run, or none that was meant to."""
        while True:
            self._raise_if_over(job)
            reply = self._reply()
            job.final_reply = reply.text
            choice = choose_block(reply.text, reply.finish_reason)
            if choice.block is not None:
                for note in choice.notes:
                    self._append("user", note)
                return EngineReply(reply.text, choice.block)
            if not choice.notes:
                return EngineReply(reply.text, None)
            job.cut_replies += 1
            if job.cut_replies > 1:
                raise _Ended("reply_cut" if reply.finish_reason == "length" else "finished")
            self._append("user", " ".join(choice.notes))

    def _reply(self) -> Reply:
        self._emit(SpeakerStarted("executor"))
        for item in self._adapter.stream(self.messages, is_cancelled=self._cancelled.is_set):
            if isinstance(item, Reply):
                self._append("assistant", item.text)
                self._emit(MessagePosted("executor", item.text, item.finish_reason))
                return item
            self._emit(TextStreamed("executor", item.text, item.reasoning))
        raise RuntimeError("OllamaAdapter.stream ended without a Reply")

    def _run(self, job: _Instruction, block: CodeBlock) -> str:
        """Run one block and append its result; the text returned is what the engine records."""
        self._raise_if_over(job)
        if len(job.runs) >= self._limits.max_rounds:
            raise _Ended("round_limit")
        run = self._run_block(block, min(self._limits.code_timeout_s, job.deadline - time.monotonic()))
        if job.runs and (job.runs[-1].block, job.runs[-1].output) == (run.block, run.output):
            job.repeats += 1
        else:
            job.repeats = 0
        job.runs.append(run)
        observation = _observation(run, job.repeats)
        self._append("user", observation)
        if job.repeats >= 2:
            raise _Ended("repeats")
        return observation

    def _run_block(self, block: CodeBlock, timeout_s: float) -> CodeRun:
        runner = self._running = self._runners[block.language]
        try:
            outcome, text = self._stage.run(
                "executor", block.language, block.code, lambda out: runner.run(block.code, out, max(timeout_s, 0.1))
            )
        finally:
            self._running = None
        self._raise_if_cancelled()
        return CodeRun(block, outcome, text)

    def _append(self, role: Literal["user", "assistant"], text: str) -> None:
        """Append verbatim; a user text after a user text joins it, as templates expect the roles to alternate."""
        last = self.messages[-1]
        if role == "user" and last.role == "user":
            self.messages[-1] = Message("user", f"{last.content}\n\n{text}")
        else:
            self.messages.append(Message(role, text))

    def _raise_if_over(self, job: _Instruction) -> None:
        self._raise_if_cancelled()
        if time.monotonic() >= job.deadline:
            raise _Ended("time_limit")

    def _raise_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise Interrupted("the executor was interrupted")


def _observation(run: CodeRun, repeats: int) -> str:
    """A result as the model reads it."""
    outcome = run.outcome
    how = outcome.kind.replace("_", " ")
    if outcome.exit_code:
        how += f", exit code {outcome.exit_code}"
    if outcome.kind == "timed_out":
        how += f" after {outcome.duration_s:.0f} s"
    text = f"Result of the {run.block.language} code ({how}):\n{run.output.rstrip() or '(no output)'}"
    if outcome.detail:
        text += f"\n({outcome.detail})"
    if outcome.state_lost:
        text += "\n(The process was restarted: its variables and imports are gone.)"
    if repeats == 1:
        text += "\n(This is the same code with the same result as before. Do something else, or finish.)"
    return text


def _report_text(job: _Instruction, ended: Ended, changes: Changes) -> str:
    lines = (
        [f"{ENDED_TEXT[ended]}. {clipped(job.final_reply.strip(), 800)}"]
        if ended == "finished"
        else [ENDED_TEXT[ended]]
    )
    for number, run in enumerate(job.runs, 1):
        code = run.outcome.exit_code
        how = run.outcome.kind.replace("_", " ") + (f", exit code {code}" if code else "")
        lines.append(f"Run {number} ({run.block.language}, {how}): {clipped(run.block.code.strip(), 300)}")
    if job.runs:
        lines.append(f"Output of the last run:\n````\n{clipped(job.runs[-1].output.rstrip(), 1200)}\n````")
    for title, paths in (("Created", changes.created), ("Changed", changes.modified), ("Deleted", changes.deleted)):
        if paths:
            lines.append(f"{title}: {clipped(', '.join(paths), 400)}")
    return clipped("\n".join(lines), MAX_REPORT_CHARS)
