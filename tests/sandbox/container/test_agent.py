"""Code in a container, by the protocol of the agent inside it."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from interpreter.sandbox.command import Command, find_program, run_command
from interpreter.sandbox.container.process import ContainerProcess
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.runners.python import PythonRunner
from interpreter.sandbox.runners.shell import ShellRunner
from tests.sandbox.conftest import Talk, wait_for_no_child

TalkTo = Callable[[type], Talk]


def test_state_is_kept_and_an_interrupt_ends_only_the_run(policy: SandboxPolicy, talk: TalkTo) -> None:
    python = talk(PythonRunner)
    assert (python("x = 1\nprint('one')\nx + 1").output, python("x").output) == ("one\n2\n", "1\n")
    told = python("import time; time.sleep(60)", 0.3)
    assert (told.kind, told.outcome.state_lost) == ("timed_out", False)
    assert python("x").output == "1\n"


def test_the_shell_keeps_its_state_over_interrupts_soft_and_hard(policy: SandboxPolicy, talk: TalkTo) -> None:
    shell = talk(ShellRunner)
    shell("cd /; a=4")
    assert shell("sleep 60", 0.3).outcome.exit_code == 130
    assert shell("trap '' INT; sleep 60", 0.3).outcome.exit_code == 137
    assert shell("pwd; echo $a; exit 3").output == "/\n4\n"


def test_all_that_was_printed_before_the_answer_comes_with_it(policy: SandboxPolicy, talk: TalkTo) -> None:
    python = talk(PythonRunner)
    for size in (1, 70_000, 3_000_000):
        assert python(f"import os\nn = 0\nwhile n < {size}: n += os.write(1, b'x' * ({size} - n))").output == "x" * size
        assert python("print('next')").output == "next\n"


def test_what_background_processes_print_between_runs_belongs_to_no_run(policy: SandboxPolicy, talk: TalkTo) -> None:
    shell = talk(ShellRunner)
    assert shell("(sleep 0.2; head -c 5000000 /dev/zero; echo late) & echo early").output == "early\n"
    time.sleep(0.6)
    long = "x" * 300_000
    assert shell(f": {long}\necho next").output.endswith("next\n")


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("import os; os._exit(3)", "the python process ended with exit code 3"),
        ("import ctypes; ctypes.string_at(0)", "it crashed (segmentation fault)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "it was killed, perhaps for want of memory"),
    ],
)
def test_death_is_told_and_the_next_run_works(policy: SandboxPolicy, talk: TalkTo, code: str, detail: str) -> None:
    python = talk(PythonRunner)
    told = python(code)
    assert (told.kind, told.outcome.detail, told.outcome.state_lost) == ("died", detail, True)
    assert python("1 + 1").output == "2\n"


def test_code_can_neither_open_the_agents_pipes_nor_signal_it(policy: SandboxPolicy, talk: TalkTo) -> None:
    tries = "\n".join(
        f"try: {attempt}\nexcept OSError as error: print(error.errno)\nelse: print('done')"
        for attempt in ("open('/proc/1/fd/1', 'wb')", "open('/proc/1/mem', 'rb')", "os.kill(1, 9)", "os.kill(1, 2)")
    )
    python = talk(PythonRunner)
    python("import os")
    assert python(tries).output == "13\n13\ndone\ndone\n"
    assert python("'still here'").output == "'still here'\n"


def test_the_code_sees_the_policys_environment_and_limits_only(policy: SandboxPolicy, talk: TalkTo) -> None:
    python = talk(PythonRunner)
    names = "HOME LANG MPLBACKEND PATH PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED TERM TMPDIR USER"
    assert python("import os; print(*sorted(os.environ))").output == f"{names}\n"
    limits = (
        "import resource as r; print(*(r.getrlimit(k)[1] for k in (r.RLIMIT_DATA, r.RLIMIT_CORE, r.RLIMIT_NOFILE)))"
    )
    assert python(limits).output == f"{4 * 2**30} 0 1024\n"
    assert python("sorted(os.listdir('/proc/self/fd'))[:3]").output == "['0', '1', '2']\n"
    assert python("os.chroot('/')").output.count("Operation not permitted") == 1


@pytest.mark.parametrize(
    ("command", "kind", "code", "output"),
    [
        ("echo a; echo b >&2; echo c", "finished", 0, "a\nb\nc\n"),
        ("exit 7", "failed", 7, ""),
        ("kill -SEGV $$", "failed", 139, ""),
        ("sleep 60 & echo started", "finished", 0, "started\n"),
        ("echo @REQUEST", "finished", 0, "@REQUEST\n"),
    ],
)
def test_a_command_ends_with_its_exit_code_and_everything_it_started(
    policy: SandboxPolicy, command: str, kind: str, code: int, output: str
) -> None:
    said: list[bytes] = []
    outcome = run_command(policy, command, said.append, 20.0)
    assert (outcome.kind, outcome.exit_code, b"".join(said).decode()) == (kind, code, output)
    wait_for_no_child()


def test_a_command_is_ended_by_its_time_and_by_an_interrupt_though_nobody_reads_its_flood(
    policy: SandboxPolicy,
) -> None:
    assert run_command(policy, "yes", lambda _: None, 0.5).kind == "timed_out"
    command = Command(policy)
    timer = threading.Timer(0.5, command.interrupt)
    timer.start()
    assert command.run("sleep 60", lambda _: None, 20.0).kind == "interrupted"
    timer.join()
    process = ContainerProcess(policy, ["yes"])
    time.sleep(0.3)
    process.close()
    wait_for_no_child()


def test_a_program_is_found_missing_or_hidden(policy: SandboxPolicy) -> None:
    assert find_program(policy, "bash -c true") == "found"
    assert find_program(policy, "no-such-program") == "missing"


def test_a_kill_of_ours_ends_everything(policy: SandboxPolicy, workspace: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from interpreter.sandbox.protocol import SandboxPolicy\n"
        "from interpreter.sandbox.runners.shell import ShellRunner\n"
        f"runner = ShellRunner(SandboxPolicy(Path({str(workspace)!r}), Path('python3'), engine='podman', image='i'))\n"
        "runner.run('sleep 4242.5 & setsid sleep 4242.5 & echo', print, 20)\nprint('started', flush=True)\n"
        "runner.run('sleep 4242.5', print, 600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as ours:
        assert ours.stdout is not None
        while "started" not in ours.stdout.readline():
            assert ours.poll() is None
        left = psutil.Process(ours.pid).children(recursive=True)
        assert sum("4242.5" in " ".join(process.cmdline()) for process in left) >= 2
        ours.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(left, timeout=5)
    assert alive == []
