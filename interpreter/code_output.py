"""Running code in the open: its beginning, output and end as events, and the whole of a long output in a file."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from interpreter.sandbox.output import OutputLimiter
from interpreter.sandbox.protocol import CodeOutcome
from super_agent.core.events import CodeFinished, CodeOrigin, CodeStarted, Emit, Notice, OutputStreamed

OnOutput = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class OutputRecorder:
    """Where code runs before the user's eyes. `folder` keeps whole outputs of which the limit cut a part."""

    emit: Emit
    folder: Path
    max_output_bytes: int

    def run(
        self, origin: CodeOrigin, language: str, code: str, work: Callable[[OnOutput], CodeOutcome]
    ) -> tuple[CodeOutcome, str]:
        """Do `work`, which hands raw output to what it is given; returns how it ended, and head and tail of it."""
        self.emit(CodeStarted(origin, language, code))
        whole = _WholeOutput(self.folder)
        limiter = OutputLimiter(self.max_output_bytes, whole)

        def on_output(data: bytes) -> None:
            if shown := limiter.feed(data):
                self.emit(OutputStreamed(shown))

        try:
            outcome = work(on_output)
        finally:
            path = whole.close(keep=limiter.cut_bytes > 0)
        if limiter.cut_bytes and whole.error:
            self.emit(Notice("warning", f"the whole output could not be kept in {self.folder}: {whole.error}"))
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
                path,
            )
        )
        return outcome, text


class _WholeOutput:
    """The file of one whole output. A disk that is full ends the keeping, not the code that runs."""

    def __init__(self, folder: Path) -> None:
        self.error = ""
        self._path = ""
        self._file: BinaryIO | None = None
        try:
            descriptor, self._path = tempfile.mkstemp(prefix="output-", suffix=".txt", dir=folder)
            self._file = os.fdopen(descriptor, "wb")
        except OSError as error:
            self._give_up(error)

    def write(self, data: bytes) -> int:
        """As a file's; what cannot be kept counts as written."""
        if self._file is not None:
            try:
                self._file.write(data)
            except OSError as error:
                self._give_up(error)
        return len(data)

    def close(self, *, keep: bool) -> str:
        """The file's path where it is kept whole, else nothing."""
        file, self._file = self._file, None
        try:
            if file is not None:
                file.close()
        except OSError as error:
            self._give_up(error)
        if self._path and (self.error or not keep):
            os.unlink(self._path)
            self._path = ""
        return self._path

    def _give_up(self, error: OSError) -> None:
        self.error = self.error or error.strerror or str(error)
