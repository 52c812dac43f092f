"""Running code in the open: its beginning, output and end as events, and the whole of a long output in a file."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from interpreter.sandbox.output import OutputLimiter
from interpreter.sandbox.protocol import Outcome
from super_agent.core.events import CodeFinished, CodeOrigin, CodeStarted, Emit, OutputStreamed

OnOutput = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """Where code runs before the user's eyes. `folder` keeps whole outputs of which the limit cut a part."""

    emit: Emit
    folder: Path
    max_output_bytes: int

    def run(
        self, origin: CodeOrigin, language: str, code: str, work: Callable[[OnOutput], Outcome]
    ) -> tuple[Outcome, str]:
        """Do `work`, which hands raw output to what it is given; returns how it ended, and head and tail of it."""
        descriptor, path = tempfile.mkstemp(prefix="output-", suffix=".txt", dir=self.folder)
        with os.fdopen(descriptor, "wb") as whole:
            limiter = OutputLimiter(self.max_output_bytes, whole)

            def on_output(data: bytes) -> None:
                if shown := limiter.feed(data):
                    self.emit(OutputStreamed(shown))

            self.emit(CodeStarted(origin, language, code))
            try:
                outcome = work(on_output)
            finally:
                if not limiter.cut_bytes:
                    os.unlink(path)
        text = limiter.text()
        self.emit(
            CodeFinished(
                origin,
                outcome.kind,
                outcome.exit_code,
                outcome.duration_s,
                limiter.total_bytes,
                limiter.cut_bytes,
                outcome.detail,
                path if limiter.cut_bytes else "",
            )
        )
        return outcome, text
