"""`sandbox`: what can model-written code do to my machine? Said, tried, or used for a command of your own."""

import shlex
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from interpreter.approval import reasons_to_ask
from interpreter.sandbox.command import Command
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.self_test import describe, self_test
from super_agent.cli.say import complain, say, say_json
from super_agent.core.errors import ExitCode
from super_agent.core.files.workspace import Workspace
from super_agent.core.settings import Settings, load_settings
from super_agent.session.protected_folders import protected_folders
from super_agent.session.sandbox_policy import settle_sandbox


def main(
    command: Sequence[str],
    folder: Path,
    python: Path | None,
    flags: dict[str, Any],
    env_file: Path | None,
    *,
    as_json: bool,
) -> int:
    """With a command: run it and return its exit code. Without: describe, then try to break out; 4 if one held not."""
    settings = load_settings(flags, env_file=env_file)
    with ExitStack() as stack:
        workspace = Workspace(folder, protected=protected_folders(settings))
        stack.callback(workspace.close)
        policy = settle_sandbox(settings, workspace.root, python, complain)
        if command:
            return _run(policy, command, settings.check_timeout_s)
        return _explain(policy, settings, as_json=as_json)


def _run(policy: SandboxPolicy, words: Sequence[str], timeout_s: float) -> int:
    command = Command(policy)

    def show(data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    try:
        outcome = command.run(shlex.join(words), show, timeout_s)
    finally:
        command.close()
    if outcome.detail:
        complain(outcome.detail)
    return outcome.exit_code if outcome.exit_code is not None else int(ExitCode.NOT_DONE)


def _explain(policy: SandboxPolicy, settings: Settings, *, as_json: bool) -> int:
    """Without a sandbox nothing is tried, as nothing would hold."""
    lines = describe(policy) + _terms(policy, settings)
    attempts = self_test(policy) if policy.contained else []
    held = policy.contained and all(attempt.held for attempt in attempts)
    if as_json:
        tried = [{"name": a.name, "held": a.held, "detail": a.detail} for a in attempts]
        say_json({"version": 1, "holds": list(lines), "attempts": tried})
    else:
        say("".join(f"{line}\n" for line in lines) + ("\nTried just now:\n" if attempts else ""))
        say("".join(f"{'✅' if a.held else '❌'} {a.name}: {a.detail}\n" for a in attempts))
    return int(ExitCode.OK if held else ExitCode.EXECUTOR)


def _terms(policy: SandboxPolicy, settings: Settings) -> list[str]:
    """What is limited by the run and not by the sandbox."""
    asked = reasons_to_ask(settings.approve, policy)
    approval = (
        f"You are asked before the executor's code runs: {asked[0]}."
        if asked
        else "Nobody is asked before code runs; --approve always changes that."
    )
    return [
        f"Time: {settings.code_timeout_s:g} s for one run of code, {settings.check_timeout_s:g} s for the check, "
        f"{settings.max_time_s:g} s for a whole run.",
        approval,
    ]
