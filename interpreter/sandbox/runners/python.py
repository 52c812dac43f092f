"""Python in the sandbox: a worker of ours over pipes that keeps its state from one block to the next."""

import json
from pathlib import Path

from interpreter.sandbox.protocol import OutcomeKind
from interpreter.sandbox.runners.dialog import Dialog
from interpreter.sandbox.runners.stateful import StatefulRunner

WORKER = Path(__file__).with_name("worker.py")
_KINDS: dict[str, OutcomeKind] = {"finished": "finished", "interrupted": "interrupted"}


class PythonRunner(StatefulRunner):
    """A `Runner`; "failed" is an uncaught exception, whose traceback is in the output."""

    language = "python"
    interrupted_detail = "variables are kept"

    def command(self) -> list[str]:
        """The worker as text, since no file of ours lies where it runs, on the policy's Python."""
        text = WORKER.read_text(encoding="utf-8")
        return [str(self._policy.python), "-X", "utf8", "-c", text, "@REQUEST", "@ANSWER"]

    def request(self, run: str, code: str) -> bytes:
        """One JSON line."""
        return json.dumps({"run": run, "code": code}).encode() + b"\n"

    def soften(self, dialog: Dialog, run: str) -> None:
        """The worker raises KeyboardInterrupt in the block, unless that run is over."""
        dialog.say(json.dumps({"interrupt": run}).encode() + b"\n", 0.0)

    def soften_again(self, dialog: Dialog, run: str) -> None:
        """A signal that comes just before a system call ends nothing: the worker passes this on if none was heeded."""
        self.soften(dialog, run)

    def harden(self, dialog: Dialog) -> None:
        """Nothing: Python's state dies with its process."""

    def verdict(self, word: str) -> tuple[OutcomeKind, int | None]:
        """Words are those of `worker.py`."""
        return _KINDS.get(word, "failed"), None
