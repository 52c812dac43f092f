"""Runs hostile snippets as whoever it is told to be: one JSON line in, one JSON line out.

Started as root it can give up root for good before it runs anything (`--uid N`). Everything is imported before that,
as an ordinary user may not be able to read the files that Python would import later.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

from interpreter.sandbox.bubblewrap.seccomp import filter_program
from interpreter.sandbox.command import Command
from interpreter.sandbox.output import OutputLimiter
from interpreter.sandbox.protocol import Runner, SandboxPolicy
from interpreter.sandbox.runners.python import PythonRunner
from interpreter.sandbox.runners.shell import ShellRunner
from interpreter.sandbox.self_test import self_test
from super_agent.core.errors import SandboxUnavailable

SHOWN_BYTES = 65536


def carry_out(request: dict[str, object]) -> dict[str, object]:
    """Run one snippet in a sandbox of its own."""
    limits = request["limits"]
    assert isinstance(limits, dict)
    if "readonly_paths" in limits:
        limits["readonly_paths"] = tuple(Path(path) for path in limits["readonly_paths"])
    policy = SandboxPolicy(Path(str(request["workspace"])), Path(str(request["python"])), **limits)
    if request["language"] == "flipper":
        return flip(policy, request)
    if request["language"] == "self test":
        return {"attempts": [asdict(attempt) for attempt in self_test(policy)]}
    limiter = OutputLimiter(SHOWN_BYTES)
    raw = bytearray()

    def on_output(data: bytes) -> None:
        limiter.feed(data)
        raw.extend(data[: SHOWN_BYTES - len(raw)])

    timeout_s = float(str(request["timeout_s"]))
    code = str(request["code"])
    if request["language"] == "command":
        outcome = Command(policy).run(code, on_output, timeout_s)
    else:
        runner: Runner = PythonRunner(policy) if request["language"] == "python" else ShellRunner(policy)
        try:
            outcome = runner.run(code, on_output, timeout_s)
        finally:
            runner.close()
    return {**asdict(outcome), "output": limiter.text(), "raw": raw.decode("latin-1")}


def flip(policy: SandboxPolicy, request: dict[str, object]) -> dict[str, object]:
    """Start sandboxes while code in one flips a path; what they said, and how many did not start and why."""
    said, reasons, started = bytearray(), list[str](), 0
    runner = PythonRunner(policy)
    try:
        flipping = runner.run(str(request["code"]), said.extend, 10.0)
        for _ in range(int(str(request["starts"]))):
            try:
                # With the same words but made again, a policy decides anew.
                chosen = replace(policy, decided=None) if request["anew"] else policy
                Command(chosen).run(str(request["read"]), said.extend, 10.0)
                started += 1
            except SandboxUnavailable as error:
                reasons.append(str(error))
    finally:
        runner.close()
    return {
        "flipping": flipping.kind,
        "output": said.decode("utf-8", "replace"),
        "started": started,
        "refused": len(reasons),
        "reasons": sorted(set(reasons)),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--uid", type=int)
    uid = parser.parse_args().uid
    filter_program()  # loads libseccomp
    if uid is not None:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    for line in sys.stdin:
        answer = carry_out(json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
