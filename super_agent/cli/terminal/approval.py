"""The question in the terminal whether code may run: run, edit, skip, always for this run, or stop."""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from interpreter.approval import ApprovalDecision, Approver, Choice, decided
from interpreter.code_blocks import CodeBlock
from super_agent.cli.terminal.terminal import Terminal
from super_agent.core.cancellation import Cancellation
from super_agent.core.events import ApprovalAsked, Emit, Notice
from super_agent.core.settings import editor_command
from super_agent.session.run_approver import refused
from super_agent.session.run_options import ApprovalContext, MakeApprover

QUESTION = "Run this code? r run, e edit, s skip (and why), a always for this run, q stop:"
SUFFIXES = {"python": ".py", "shell": ".sh"}
ANSWERS: dict[str, Choice] = {
    "r": "run", "run": "run", "y": "run", "yes": "run",
    "e": "edit", "edit": "edit",
    "s": "skip", "skip": "skip", "n": "skip", "no": "skip",
    "a": "always", "always": "always",
    "q": "stop", "quit": "stop", "stop": "stop",
}  # fmt: skip


@dataclass(slots=True)
class TerminalApprover:
    """An `Approver` that asks in the terminal.

    `editor` is the user's own, with its arguments, and runs in `folder`, a private one: editors read settings from
    where they are started.
    """

    reasons: tuple[str, ...]
    terminal: Callable[[], AbstractContextManager[Terminal]]
    editor: tuple[str, ...]
    folder: Path
    emit: Emit

    def decide(self, block: CodeBlock, cancellation: Cancellation) -> ApprovalDecision:
        """Ask until there is an answer; what the user changed is shown and asked about again."""
        with self.terminal() as terminal, cancellation.ending(terminal.recheck):
            return self._asked(terminal, block, cancellation)

    def _asked(self, terminal: Terminal, block: CodeBlock, cancellation: Cancellation) -> ApprovalDecision:
        edited = False
        while True:
            said = terminal.ask(QUESTION, lambda: cancellation.cancelled)
            if cancellation.cancelled:
                return decided("stop", block)
            if said is None:
                return refused(block, "the terminal was closed")
            word, _, rest = said.strip().partition(" ")
            answer = ANSWERS.get(word.lower())
            if answer == "edit":
                if (changed := self._edited(terminal, block, cancellation)) is not None:
                    block, edited = changed, True
                    self.emit(ApprovalAsked(block.language, block.code, self.reasons, edited=True))
            elif answer is not None and (answer == "skip" or not rest):
                return decided(answer, block, edited=edited, why=rest.strip())

    def _edited(self, terminal: Terminal, block: CodeBlock, cancellation: Cancellation) -> CodeBlock | None:
        """What the user made of it; None, with a notice, where nothing came of that."""
        if not self.editor:
            self.emit(Notice("warning", "there is no editor: VISUAL and EDITOR are not set", "Set one, or skip"))
            return None
        descriptor, name = tempfile.mkstemp(prefix="edit-", suffix=SUFFIXES.get(block.language, ""), dir=self.folder)
        path = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(block.code)
            with terminal.lent():
                problem = self._run_editor(path, cancellation)
            code = path.read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            problem, code = str(error), block.code
        finally:
            path.unlink(missing_ok=True)
        if cancellation.cancelled:
            return None
        if problem or not code.strip():
            what = f"{shlex.join(self.editor)}: {problem}" if problem else "no code was left"
            self.emit(Notice("warning", f"the code was not changed: {what}"))
            return None
        return block if code == block.code else replace(block, code=code)

    def _run_editor(self, path: Path, cancellation: Cancellation) -> str:
        """What went wrong, or empty; a cancellation ends the editor."""
        editing = subprocess.Popen([*self.editor, str(path)], cwd=self.folder)
        with cancellation.ending(editing.terminate):
            code = editing.wait()
        return f"it ended with exit code {code}" if code else ""


def terminal_approver(
    terminal: Callable[[], AbstractContextManager[Terminal]], answers: Callable[[], bool], *, as_json: bool
) -> MakeApprover:
    """Asks in the terminal; `answers` says, when it is known that a person is to be asked, whether one can answer."""

    def make(context: ApprovalContext) -> Approver | str:
        nobody = why_nobody(as_json, answers(), sys.stdout.isatty())
        return nobody or TerminalApprover(context.reasons, terminal, editor_command(), context.folder, context.emit)

    return make


def why_nobody(as_json: bool, stdin_answers: bool, stdout_shows: bool) -> str:
    """Why no person can be asked; empty where one can. The question follows the code, which standard output shows."""
    if as_json:
        return "--json asks nobody"
    if not stdin_answers:
        return "standard input is not a terminal"
    return "" if stdout_shows else "standard output is not a terminal"
