"""A run that a page began, as a process of its own: `python -m super_agent.web.detached_run`, the request on stdin.

It is a door to the session whose person speaks through the run's control socket. One line on stdout, {"session": id} or
{"error": text, "fix": text}, says how it began. It outlives the page's server: a browser that is closed ends no run.
"""

import json
import sys
from pathlib import Path
from typing import Any

from interpreter.approval import ApprovalDecision, Approver, decided
from interpreter.code_blocks import CodeBlock
from super_agent.core.cancellation import Cancellation
from super_agent.core.errors import SuperAgentError
from super_agent.core.events import Stamped
from super_agent.core.settings import load_settings
from super_agent.session.run_options import ApprovalContext, Door, ResumeOptions, RunOptions, RunResult


class SocketApprover:
    """An `Approver` that waits until somebody answers through the socket, or the run ends."""

    def decide(self, block: CodeBlock, cancellation: Cancellation) -> ApprovalDecision:
        """What was decided elsewhere stands before this."""
        cancellation.wait()
        return decided("stop", block)


def main() -> int:
    """Do what is asked; returns the exit code."""
    request = json.load(sys.stdin)
    told: list[bool] = []

    def begun(stamped: Stamped) -> None:
        if not told:
            told.append(True)
            _say({"session": stamped.session})

    def approver(_context: ApprovalContext) -> Approver:
        return SocketApprover()

    try:
        return _carry_out(request, Door((begun,), approver=approver, signals=True)).exit_code
    except SuperAgentError as error:
        if not told:
            _say({"error": error.what, "fix": error.fix})
        return int(error.exit_code)


def _carry_out(request: dict[str, Any], door: Door) -> RunResult:
    flags = request["flags"]
    env_file = Path(request["env_file"]) if request["env_file"] is not None else None
    if request["resume"] is not None:
        from super_agent.session.resume import open_resumption

        ask = request["resume"]
        going_on = ResumeOptions(ask["session"], Path(), ask["instruction"], ask["more_turns"])
        with open_resumption(going_on, flags, env_file) as resumption:
            return resumption.run(door)
    from super_agent.session.run import run

    asked = request["run"]
    workspace = Path(asked["workspace"])
    confirmed = asked["setup"] is not None  # in the form, which says what it means
    options = RunOptions(asked["task"], workspace, asked["mode"], asked["check"], asked["setup"], confirmed)
    return run(options, load_settings(flags, env_file=env_file), door)


def _say(value: dict[str, str]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
