"""`sandbox`: what can model-written code do to my machine? Said, tried, or used for a command of your own."""

import json
import shlex
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from interpreter.engine_environment import ensure_sandbox_python
from interpreter.sandbox.bubblewrap import require_bubblewrap
from interpreter.sandbox.command import Command
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.python_choice import choose_python
from interpreter.sandbox.self_test import describe, self_test
from super_agent.core.errors import ExitCode
from super_agent.core.settings import load_settings
from super_agent.core.workspace import Workspace


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
        workspace = Workspace(folder)
        stack.callback(workspace.close)
        require_bubblewrap()
        policy = SandboxPolicy(
            workspace=workspace.root,
            python=choose_python(workspace.root, lambda: ensure_sandbox_python(_tell), python),
            readonly_paths=settings.sandbox_paths,
        )
        if command:
            return _run(policy, command, settings.check_timeout_s)
        return _explain(policy, as_json=as_json)


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
        _tell(outcome.detail)
    return outcome.exit_code if outcome.exit_code is not None else int(ExitCode.NOT_DONE)


def _explain(policy: SandboxPolicy, *, as_json: bool) -> int:
    lines, attempts = describe(policy), self_test(policy)
    held = all(attempt.held for attempt in attempts)
    if as_json:
        tried = [{"name": a.name, "held": a.held, "detail": a.detail} for a in attempts]
        sys.stdout.write(json.dumps({"version": 1, "holds": list(lines), "attempts": tried}, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in lines) + "\nTried just now:\n")
        sys.stdout.write("".join(f"{'✅' if a.held else '❌'} {a.name}: {a.detail}\n" for a in attempts))
    return int(ExitCode.OK if held else ExitCode.EXECUTOR)


def _tell(text: str) -> None:
    sys.stderr.write(f"super-agent: {text}\n")
