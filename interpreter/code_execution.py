"""One block of code on its way through a person's decision and the sandbox."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from interpreter.approval import ApprovalDecision, Approver
from interpreter.code_blocks import CodeBlock
from interpreter.code_output import OutputRecorder
from interpreter.report import CodeRun
from interpreter.sandbox.protocol import Outcome, Runner
from super_agent.core.errors import Interrupted
from super_agent.core.events import CodeDecided

INTERRUPT_EVERY_S = 0.1


@dataclass(slots=True)
class CodeExecution:
    """Runs one block at a time; without an approver no person is asked before. Parts are owned by the caller."""

    runners: Mapping[str, Runner]
    recorder: OutputRecorder
    approver: Approver | None
    cancelled: threading.Event
    """Set by `cancel`, cleared by the owner before the next instruction."""
    _interrupt: Callable[[], None] | None = None
    """Ends what goes on now: code, or the question whether it may run."""

    def run(self, block: CodeBlock, timeout_s: float) -> tuple[CodeRun, float]:
        """Ask, then run; also returns for how many seconds a person thought. Raises `Interrupted`."""
        if self.approver is None:
            return self._run(block, timeout_s), 0.0
        began = time.monotonic()
        decided = self._decided(self.approver, block)
        waited_s = time.monotonic() - began
        if not decided.runs:
            return CodeRun(block, Outcome("refused", None, 0.0, 0, decided.why), ""), waited_s
        run = self._run(decided.block, timeout_s)
        return (run if decided.block == block else replace(run, edited=True)), waited_s

    def cancel(self) -> None:
        """End what goes on, from any thread; Python's state is kept where it can be."""
        self.cancelled.set()
        if self._interrupt is not None:
            threading.Thread(target=self._interrupt_until_idle, name="interrupt", daemon=True).start()

    def raise_if_cancelled(self) -> None:
        """Raises `Interrupted`."""
        if self.cancelled.is_set():
            raise Interrupted("the executor was interrupted")

    def _interrupt_until_idle(self) -> None:
        """Again and again: what is only about to begin forgets an interrupt that came before."""
        while (interrupt := self._interrupt) is not None and self.cancelled.is_set():
            interrupt()
            time.sleep(INTERRUPT_EVERY_S)

    def _decided(self, approver: Approver, block: CodeBlock) -> ApprovalDecision:
        self._interrupt = approver.cancel
        try:
            self.raise_if_cancelled()
            decided = approver.decide(block)
        finally:
            self._interrupt = None
        shown = decided.block
        self.recorder.emit(CodeDecided(decided.decision, decided.by, decided.why, shown.language, shown.code))
        self.raise_if_cancelled()
        if decided.decision == "stopped":
            raise Interrupted("stopped by the user, who was asked whether code may run")
        return decided

    def _run(self, block: CodeBlock, timeout_s: float) -> CodeRun:
        runner = self.runners[block.language]
        self._interrupt = runner.interrupt
        try:
            self.raise_if_cancelled()  # `cancel` interrupts only what it finds running
            outcome, text = self.recorder.run(
                "executor", block.language, block.code, lambda out: runner.run(block.code, out, max(timeout_s, 0.1))
            )
        finally:
            self._interrupt = None
        self.raise_if_cancelled()
        return CodeRun(block, outcome, text)
