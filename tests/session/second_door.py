"""A door without a terminal, run as `python -m tests.session.second_door HOW`: a JSON line of what it saw is printed.

HOW is `task` (a task is done, its code approved, a line said), `stop` (the approval is answered with a stop), `cancel`
(the run is cancelled while a person is asked) or `talk` (two instructions of one conversation).
"""

import json
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from interpreter.approval import ApprovalDecision, Approver
from interpreter.code_blocks import CodeBlock
from super_agent.core.cancellation import Cancellation
from super_agent.core.events import Stamped
from super_agent.core.settings import Settings
from super_agent.session.chat import open_chat
from super_agent.session.run import run
from super_agent.session.run_options import ApprovalContext, Door, RunOptions
from tests.scripted_ollama import ScriptedOllama

BLOCK = "```python\nopen('made.txt', 'a').write('made\\n')\n```"
WAIT_S = 20.0


@dataclass
class Person:
    """Answers in one way, from wherever it is asked."""

    how: str
    cancellation: Cancellation
    seen: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=lambda: ["make it short"])

    def approver(self, context: ApprovalContext) -> Approver:
        assert context.reasons
        assert context.folder.is_dir()
        return self

    def decide(self, block: CodeBlock, cancellation: Cancellation) -> ApprovalDecision:
        if self.how == "stop":
            return ApprovalDecision("stopped", "user", "enough", block)
        if self.how == "cancel":
            threading.Thread(target=self.cancellation.cancel).start()
            assert cancellation.wait(WAIT_S), "the question was not taken back"
            return ApprovalDecision("stopped", "user", "cancelled", block)
        return ApprovalDecision("run", "user", "the user approved", block)

    def take_lines(self) -> list[str]:
        taken, self.said = self.said, []
        return taken

    def see(self, stamped: Stamped) -> None:
        self.seen.append(type(stamped.event).__name__)


def main(how: str, folder: Path) -> dict[str, Any]:
    workspace = folder / "workspace"
    workspace.mkdir()
    cancellation = Cancellation()
    person = Person(how, cancellation)
    door = Door((person.see,), person.take_lines, approver=person.approver, cancellation=cancellation)
    options = RunOptions("do it", workspace, "exec")
    with ScriptedOllama(executor=[BLOCK, "Done.", BLOCK, "Done again.", "Short."]) as server:
        settings = server.settings(approve="always", state_dir=folder / "state")
        code = _talk(options, settings, door) if how == "talk" else run(options, settings, door).exit_code
        asked = " ".join(json.dumps(request.body) for request in server.chats)
    made = workspace / "made.txt"
    return {
        "exit_code": code,
        "seen": person.seen,
        "made": made.read_text() if made.exists() else "",
        "line_reached_model": "make it short" in asked,
        "cli": sorted(name for name in sys.modules if name.startswith(("super_agent.cli", "typer", "prompt_toolkit"))),
    }


def _talk(options: RunOptions, settings: Settings, door: Door) -> int:
    with open_chat(options, settings, door) as conversation:
        conversation.say("do it")
        conversation.say("do it again")
        return conversation.turns


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[2]) as where:
        print(json.dumps(main(sys.argv[1], Path(where))))  # noqa: T201
