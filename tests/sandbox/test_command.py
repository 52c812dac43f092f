"""One command in a fresh sandbox: the check, the setup, and the look for a program."""

import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from interpreter.sandbox.command import Command, find_program, run_command
from interpreter.sandbox.protocol import CodeOutcome, SandboxPolicy
from super_agent.core.errors import SandboxUnavailable


def run(policy: SandboxPolicy, command: str, timeout_s: float = 20.0) -> tuple[CodeOutcome, str]:
    pieces: list[bytes] = []
    outcome = run_command(policy, command, pieces.append, timeout_s)
    return outcome, b"".join(pieces).decode()


@pytest.mark.parametrize(
    ("command", "kind", "code", "output"),
    [
        ("echo ok", "finished", 0, "ok\n"),
        ("exit 7", "failed", 7, ""),
        ("echo a; echo b >&2; echo c", "finished", 0, "a\nb\nc\n"),
        ("kill -SEGV $$", "failed", 139, ""),
        ("cat", "finished", 0, ""),
        ("sleep 60 & echo started", "finished", 0, "started\n"),
        ("echo 'bwrap: not its own words'; exit 1", "failed", 1, "bwrap: not its own words\n"),
    ],
)
def test_a_command_ends_with_its_exit_code_and_output(
    policy: SandboxPolicy, command: str, kind: str, code: int, output: str
) -> None:
    outcome, said = run(policy, command)
    assert (outcome.kind, outcome.exit_code, said) == (kind, code, output)


def test_python_and_tests_see_the_policys_python_and_the_workspace(policy: SandboxPolicy, workspace: Path) -> None:
    (workspace / "test_it.py").write_text("def test_it():\n    assert True\n")
    outcome, said = run(policy, "python -m pytest -q -p no:cacheprovider && pwd")
    assert outcome.exit_code == 0, said
    assert "1 passed" in said
    assert said.endswith(f"{workspace}\n")


def test_a_command_that_says_nothing_for_too_long_is_killed(policy: SandboxPolicy) -> None:
    pieces: list[bytes] = []
    talking = "for i in 1 2 3 4; do echo $i; sleep 0.4; done; sleep 600"
    outcome = Command(policy).run(talking, pieces.append, 300, silence_s=1)
    assert (outcome.kind, outcome.detail) == ("timed_out", "it did not say anything for 1 s")
    assert b"".join(pieces) == b"1\n2\n3\n4\n"


def test_a_command_longer_than_its_time_is_killed(policy: SandboxPolicy) -> None:
    started = time.monotonic()
    outcome, _ = run(policy, "trap '' INT TERM; sleep 60; sleep 60", 0.3)
    assert (outcome.kind, outcome.exit_code, outcome.detail) == ("timed_out", None, "it did not end within 0.3 s")
    assert time.monotonic() - started < 4


def test_an_interrupt_from_another_thread_ends_it_within_a_fifth_of_a_second(policy: SandboxPolicy) -> None:
    command = Command(policy)
    outcomes: list[tuple[CodeOutcome, float]] = []

    def work() -> None:
        outcome = command.run("sleep 60", lambda _: None, 60)
        outcomes.append((outcome, time.monotonic()))

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.4)
    interrupted_at = time.monotonic()
    command.interrupt()
    thread.join(5)
    outcome, ended_at = outcomes[0]
    assert outcome.kind == "interrupted"
    assert ended_at - interrupted_at < 2


def test_a_command_interrupted_before_its_start_does_not_run_on(policy: SandboxPolicy) -> None:
    command = Command(policy)
    command.interrupt()
    assert command.run("sleep 60", lambda _: None, 60).kind == "interrupted"


def test_a_command_that_exceeds_a_total_is_ended_with_the_reason(policy: SandboxPolicy) -> None:
    small = replace(policy, max_processes=4)
    outcome, _ = run(small, "for i in 1 2 3 4 5 6; do sleep 60 & done 2>/dev/null; wait; sleep 60")
    assert outcome.kind in ("died", "failed")
    # Where the kernel refuses a process, bash tries again for 15 s before it gives up.
    assert outcome.duration_s < (5 if outcome.kind == "died" else 30)


def test_a_command_whose_memory_in_all_is_too_much_is_ended_with_the_reason(policy: SandboxPolicy) -> None:
    hog = "python -c 'b = bytearray(100 * 2**20); import time; time.sleep(60)'"
    outcome, _ = run(replace(policy, max_memory_bytes=200 * 2**20), f"{hog} & {hog} & {hog} & wait")
    assert (outcome.kind, outcome.exit_code) == ("died", None)
    assert "of memory in all, more than 200" in outcome.detail


def test_what_it_wrote_is_complete_when_it_has_ended(policy: SandboxPolicy, workspace: Path) -> None:
    outcome, _ = run(policy, "while :; do date >>log; done", 0.3)
    size = (workspace / "log").stat().st_size
    time.sleep(0.2)
    assert outcome.kind == "timed_out"
    assert (workspace / "log").stat().st_size == size


@pytest.mark.parametrize(
    "command", ["ls -l", "A=1 B=2 ls", "cd x && ls", "python -V", "$PROGRAM", "(ls)", "'", "", "./run.sh"]
)
def test_a_program_that_the_sandbox_has_is_found(policy: SandboxPolicy, workspace: Path, command: str) -> None:
    (workspace / "run.sh").write_text("#!/bin/sh\n")
    (workspace / "run.sh").chmod(0o755)
    assert find_program(policy, command) == "found"


def test_a_program_that_exists_nowhere_is_missing(policy: SandboxPolicy) -> None:
    assert find_program(policy, "no-such-program --flag") == "missing"


def test_a_program_that_exists_only_outside_is_hidden_until_its_folder_is_allowed(
    policy: SandboxPolicy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "tools" / "bin" / "my-tool"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\necho tool\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    assert find_program(policy, "my-tool") == "hidden"
    allowed = replace(policy, readonly_paths=(tmp_path / "tools",))
    assert find_program(allowed, "my-tool") == "found"
    assert run(allowed, "my-tool && echo x >>" + str(tool))[1].startswith("tool\n")
    assert tool.read_text() == "#!/bin/sh\necho tool\n"


def test_a_workspace_that_is_gone_is_named(policy: SandboxPolicy, workspace: Path) -> None:
    workspace.rmdir()
    with pytest.raises(SandboxUnavailable, match="is not a folder"):
        run(policy, "true")


def test_the_network_is_there_only_when_the_policy_says_so(workspace: Path) -> None:
    closed = SandboxPolicy(workspace, Path(sys.executable))
    script = (
        "ls /sys/class/net 2>/dev/null; cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' '; ls /etc/resolv.conf"
    )
    assert "resolv.conf\n" not in run(closed, script)[1].replace("cannot access '/etc/resolv.conf'", "")
    opened = run(replace(closed, network=True), script)[1]
    names = [line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines()[2:]]
    assert set(names) <= set(opened.split())
    if Path("/etc/resolv.conf").exists():
        assert "/etc/resolv.conf\n" in opened


def test_a_command_without_a_sandbox_sees_no_setting_of_ours(policy: SandboxPolicy) -> None:
    """An unknown one would end a super-agent that the command starts."""
    said: list[bytes] = []
    run_command(replace(policy, contained=False), "env", said.append, 20.0)
    assert b"SUPER_AGENT_" not in b"".join(said).replace(b"RUN_OF_SUPER_AGENT=", b"")
