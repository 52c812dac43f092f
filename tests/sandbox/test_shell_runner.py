"""The shell in the sandbox: each script whole, its exit code told, folder and variables kept."""

import threading
import time
from pathlib import Path

import pytest

from super_agent.core.cancellation import Cancellation
from tests.sandbox.conftest import Talk


@pytest.mark.parametrize(
    ("script", "code", "output"),
    [
        ("echo hello", 0, "hello\n"),
        ("exit 3", 3, ""),
        ("false", 1, ""),
        ("false | true", 0, ""),
        ("set -o pipefail; false | true", 1, ""),
        ("set -e; false; echo never", 1, ""),
        ("no_such_program", 127, "shell: line 1: no_such_program: command not found\n"),
        ("cat <<END\none\n'two\nEND", 0, "one\n'two\n"),
        ("echo a; echo b >&2", 0, "a\nb\n"),
        ("cat", 0, ""),
        ("read line || echo 'no input'", 0, "no input\n"),
        ("exec echo gone", 0, "gone\n"),
        ("kill -TERM $BASHPID", 143, ""),
        ("printf 'no newline'", 0, "no newline"),
        ("tty", 1, "not a tty\n"),
        ("echo 'half a \ud83d pair'", 0, "half a ? pair\n"),
        ("echo nul\0s", 0, "nuls\n"),
        ("read line 2>/dev/null </dev/tty || echo 'no terminal'", 0, "no terminal\n"),
        ("", 0, ""),
        ("# nothing", 0, ""),
    ],
)
def test_a_script_is_run_whole_and_its_exit_code_told(shell: Talk, script: str, code: int, output: str) -> None:
    told = shell(script)
    assert (told.outcome.exit_code, told.output) == (code, output)
    assert told.kind == ("finished" if code == 0 else "failed")
    assert shell("echo next").output == "next\n"


@pytest.mark.parametrize(
    "script", ["echo 'open", 'echo "open', "if true; then", "cat <<END\nopen", "echo $(", "}", "((", "\\"]
)
def test_an_unfinished_script_ends_and_the_next_is_not_part_of_it(shell: Talk, script: str) -> None:
    shell(script)
    told = shell("echo next")
    assert (told.kind, told.output, told.outcome.state_lost) == ("finished", "next\n", False)


@pytest.mark.parametrize(
    "ending", ["", "exit 4", "set -eu; false", "trap 'exit 1' TERM", "exec >/dev/null", "IFS=x", "set -x"]
)
def test_folder_variables_functions_and_aliases_last_however_a_script_ends(shell: Talk, ending: str) -> None:
    state = "mkdir -p sub; cd sub; x=1; export Y='a b'; list=(1 '2 3'); f() { echo \"f $1\"; }; alias hi='echo alias'"
    shell(f"{state}\n{ending}")
    told = shell('basename "$PWD"; echo $x; env | grep ^Y=; echo "${list[1]}"; f 1; hi')
    assert told.output == "sub\n1\nY=a b\n2 3\nf 1\nalias\n"


def test_a_redirection_or_option_of_one_script_does_not_reach_the_next(shell: Talk) -> None:
    shell("exec >hidden.txt 2>&1; set -euxo pipefail; echo inside")
    assert shell("echo visible; false; echo $-").output.startswith("visible\n")


def test_background_jobs_do_not_hold_the_script_up(shell: Talk) -> None:
    started = time.monotonic()
    assert shell("sleep 60 & yes >/dev/null & echo started").output == "started\n"
    assert time.monotonic() - started < 5
    assert shell("echo next").output == "next\n"


def test_a_job_that_floods_delays_nobody(shell: Talk) -> None:
    started = time.monotonic()
    assert shell("yes & echo started").kind == "finished"
    assert shell("true").kind == "finished"
    assert shell("pkill yes || kill %1 || true").kind in ("finished", "failed")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "script",
    [
        "sleep 60",
        "while :; do :; done",
        "while :; do sleep 0.01; done",
        "sleep 60; sleep 60",
        "trap '' INT; sleep 60",
        "yes >/dev/null",
    ],
)
def test_a_script_longer_than_its_time_is_ended_and_the_state_kept(shell: Talk, script: str) -> None:
    shell("x=kept")
    started = time.monotonic()
    told = shell(script, 0.2)
    assert (told.kind, told.outcome.state_lost) == ("timed_out", False)
    assert time.monotonic() - started < 6
    assert shell("echo $x").output == "kept\n"


def test_an_interrupt_from_another_thread_is_answered_within_a_second(shell: Talk) -> None:
    cancellation = Cancellation()
    timer = threading.Timer(0.3, cancellation.cancel)
    timer.start()
    started = time.monotonic()
    told = shell("sleep 60", cancellation=cancellation)
    timer.join()
    assert (told.kind, told.output) == ("interrupted", "")
    assert time.monotonic() - started < 4


def test_a_killed_shell_is_told_and_started_anew(shell: Talk) -> None:
    shell("x=1")
    told = shell("kill -9 $$")
    assert (told.kind, told.outcome.state_lost) == ("died", True)
    assert shell('echo "x=$x"').output == "x=\n"


@pytest.mark.parametrize("program", ["sudo -n true", "less /etc/hosts", "python -i", "top"])
def test_interactive_programs_end_for_want_of_a_terminal(shell: Talk, program: str) -> None:
    assert shell(f"{program} >/dev/null 2>&1; echo ended", 10).output.endswith("ended\n")


def test_the_shell_has_no_control_descriptors_to_write_to(shell: Talk) -> None:
    told = shell(
        "for fd in /proc/self/fd/*; do readlink $fd; done | grep -c pipe: ; ls -l /proc/$$/fd >/dev/null; echo x >&7"
    )
    assert "Bad file descriptor" in told.output
    assert shell("echo ok").output == "ok\n"


def test_python_of_the_shell_is_that_of_the_policy(shell: Talk, python: Talk) -> None:
    told = shell("python -c 'import sys; print(sys.prefix)'")
    assert told.output == python("import sys; print(sys.prefix)").output


def test_a_folder_that_was_removed_does_not_end_the_shell(shell: Talk) -> None:
    shell("mkdir gone; cd gone; rmdir ../gone")
    assert shell("echo still").output.endswith("still\n")


def test_scripts_as_large_as_a_megabyte_arrive_whole(shell: Talk, workspace: Path) -> None:
    told = shell("cat >big.txt <<'END'\n" + "line of text\n" * 90_000 + "END\nwc -l <big.txt")
    assert told.output == "90000\n"
    assert (workspace / "big.txt").stat().st_size == 13 * 90_000
