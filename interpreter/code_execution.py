"""One block of code on its way through a person's decision and the sandbox."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from interpreter.approval import ApprovalDecision, Approver
from interpreter.code_blocks import CodeBlock
from interpreter.code_output import OutputRecorder
from interpreter.report import CodeRun
from interpreter.sandbox.protocol import CodeOutcome, Runner
from super_agent.core.cancellation import Cancellation
from super_agent.core.errors import Interrupted
from super_agent.core.events import CodeDecided


@dataclass(slots=True)
class CodeExecution:
    """Runs one block at a time; without an approver no person is asked before. Parts are owned by the caller."""

    runners: Mapping[str, Runner]
    recorder: OutputRecorder
    approver: Approver | None

    def run(self, block: CodeBlock, timeout_s: float, cancellation: Cancellation) -> tuple[CodeRun, float]:
        """Ask, then run; also returns for how many seconds a person thought. Raises `Interrupted`."""
        if self.approver is None:
            return self._run(block, timeout_s, cancellation), 0.0
        began = time.monotonic()
        decided = self._decided(self.approver, block, cancellation)
        waited_s = time.monotonic() - began
        if not decided.runs:
            return CodeRun(block, CodeOutcome("refused", None, 0.0, 0, decided.why), ""), waited_s
        run = self._run(decided.block, timeout_s, cancellation)
        return (run if decided.block == block else replace(run, edited=True)), waited_s

    def _decided(self, approver: Approver, block: CodeBlock, cancellation: Cancellation) -> ApprovalDecision:
        raise_if(cancellation)
        decided = approver.decide(block, cancellation)
        shown = decided.block
        self.recorder.emit(CodeDecided(decided.decision, decided.by, decided.why, shown.language, shown.code))
        raise_if(cancellation)
        if decided.decision == "stopped":
            raise Interrupted("stopped by the user, who was asked whether code may run")
        return decided

    def _run(self, block: CodeBlock, timeout_s: float, cancellation: Cancellation) -> CodeRun:
        raise_if(cancellation)
        runner = self.runners[block.language]
        outcome, text = self.recorder.run(
            "executor",
            block.language,
            block.code,
            lambda out: runner.run(block.code, out, max(timeout_s, 0.1), cancellation),
        )
        raise_if(cancellation)
        return CodeRun(block, outcome, text)


def raise_if(cancellation: Cancellation) -> None:
    """Raises `Interrupted` once it was cancelled."""
    if cancellation.cancelled:
        raise Interrupted("the executor was interrupted")
