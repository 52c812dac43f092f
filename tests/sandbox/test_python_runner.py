"""Python in the sandbox: state, values, tracebacks, interrupts, death, and output that is a run's own."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.runners.python import PythonRunner
from super_agent.core.cancellation import Cancellation
from super_agent.core.errors import SandboxUnavailable
from tests.sandbox.conftest import Talk


def test_state_is_kept_from_one_block_to_the_next(python: Talk) -> None:
    python("import math\nradius = 2")
    told = python("round(math.pi * radius**2, 2)")
    assert (told.kind, told.output, told.outcome.state_lost) == ("finished", "12.57\n", False)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("1 + 1", "2\n"),
        ("'text'", "'text'\n"),
        ("None", ""),
        ("x = 5", ""),
        ("for i in range(2): i", ""),
        ("x = 1; x", "1\n"),
        ("'a' * 30000", "'" + "a" * 19999 + " …\n"),
        ("", ""),
        ("# nothing", ""),
    ],
)
def test_the_value_of_a_last_expression_is_shown(python: Talk, code: str, shown: str) -> None:
    assert python(code).output == shown


def test_a_traceback_shows_the_frames_and_lines_of_the_code_only(python: Talk) -> None:
    told = python("def divide(a):\n    return a / 0\n\ndivide(1)")
    assert told.kind == "failed"
    assert told.output.startswith('Traceback (most recent call last):\n  File "<block 1>", line 4, in <module>\n')
    assert "    return a / 0\n" in told.output
    assert told.output.endswith("ZeroDivisionError: division by zero\n")
    assert "worker.py" not in told.output


def test_a_syntax_error_points_at_its_line(python: Talk) -> None:
    told = python("x = 1\nif x\n")
    assert told.kind == "failed"
    assert told.output.startswith('  File "<block 1>", line 2\n')
    assert "Traceback" not in told.output


def test_output_of_child_processes_is_taken_too(python: Talk) -> None:
    told = python("import subprocess\nprint('a', flush=True)\nsubprocess.run(['echo', 'b'])\nprint('c')")
    assert told.output == "a\nb\nc\nCompletedProcess(args=['echo', 'b'], returncode=0)\n".replace(
        "CompletedProcess(args=['echo', 'b'], returncode=0)\n", ""
    )


def test_input_finds_the_end_of_the_file_at_once(python: Talk) -> None:
    told = python("input('name? ')")
    assert told.kind == "failed"
    assert told.output.endswith("EOFError: EOF when reading a line\n")


def test_a_module_like_argparse_finds_clean_arguments(python: Talk) -> None:
    told = python("import sys, unittest\nclass T(unittest.TestCase):\n    def test_it(self): pass\nunittest.main()")
    assert told.kind == "finished", told.output
    assert "OK" in told.output
    assert python("sys.argv, __name__").output == "([''], '__main__')\n"


def test_modules_of_the_workspace_can_be_imported(python: Talk, workspace: Path) -> None:
    (workspace / "mine.py").write_text("answer = 42\n")
    assert python("import mine; mine.answer").output == "42\n"


def test_a_run_longer_than_its_time_is_interrupted_and_keeps_its_state(python: Talk) -> None:
    python("kept = 1")
    started = time.monotonic()
    told = python("import time\nwhile True: time.sleep(0.01)", 0.3)
    assert told.kind == "timed_out"
    assert told.outcome.detail == "it was interrupted after 0.3 s, the limit for one run; variables are kept"
    assert time.monotonic() - started < 4
    assert python("kept").output == "1\n"


def test_code_that_ignores_the_interrupt_is_killed_and_the_loss_is_told(python: Talk) -> None:
    python("kept = 1")
    started = time.monotonic()
    told = python("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass", 0.2)
    assert (told.kind, told.outcome.state_lost) == ("timed_out", True)
    assert time.monotonic() - started < 3.5
    assert "NameError" in python("kept").output


def test_an_interrupt_from_another_thread_is_answered_within_a_second(python: Talk) -> None:
    python("kept = 1")
    cancellation = Cancellation()
    timer = threading.Timer(0.3, cancellation.cancel)
    timer.start()
    started = time.monotonic()
    told = python("import time\ntime.sleep(60)", cancellation=cancellation)
    timer.join()
    assert told.kind == "interrupted"
    assert time.monotonic() - started < 4
    assert python("kept").output == "1\n"


def test_a_cancellation_of_one_run_does_not_reach_the_next(python: Talk) -> None:
    cancellation = Cancellation()
    python("1", cancellation=cancellation)
    cancellation.cancel()
    assert python("import time; time.sleep(0.3); 'done'").output == "'done'\n"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import os; os._exit(3)", "ended with exit code 3"),
        ("import ctypes; ctypes.string_at(0)", "it crashed (segmentation fault)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "it was killed"),
        ("import os; os.abort()", "it aborted"),
        ("import os; os.closerange(3, 256)", "ended with exit code 1"),
        ("import signal, time; signal.setitimer(signal.ITIMER_REAL, 0.1); time.sleep(20)", "ended with exit code 142"),
        ("import sys\nsys.setrecursionlimit(10**9)\ndef f(x): return sorted([1], key=f)\nf(1)", "it crashed"),
    ],
)
def test_a_death_is_told_and_the_next_run_works(python: Talk, code: str, why: str) -> None:
    python("kept = 1")
    told = python(code)
    assert (told.kind, told.outcome.state_lost) == ("died", True)
    assert why in told.outcome.detail
    after = python("'kept' in globals()")
    assert (after.kind, after.output) == ("finished", "False\n")


@pytest.mark.parametrize(
    ("code", "kind"), [("exit()", "finished"), ("quit(0)", "finished"), ("import sys; sys.exit(3)", "failed")]
)
def test_exit_ends_the_block_and_keeps_the_state(python: Talk, code: str, kind: str) -> None:
    python("kept = 1")
    if "exit()" in code or "quit" in code:
        python("import site, builtins; site.setquit() if not hasattr(builtins, 'exit') else None")
    assert python(code).kind == kind
    assert python("kept").output == "1\n"


def test_a_death_between_two_runs_is_told_with_the_next(python: Talk) -> None:
    python("import threading, os, time\nthreading.Thread(target=lambda: (time.sleep(0.1), os._exit(7))).start()")
    time.sleep(0.5)
    told = python("'after'")
    assert (told.kind, told.output, told.outcome.state_lost) == ("finished", "'after'\n", True)
    assert "had ended before this run" in told.outcome.detail


def test_output_that_a_thread_writes_after_the_end_is_not_the_next_runs(python: Talk) -> None:
    python("import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.1), print('LATE'))).start()")
    time.sleep(0.4)
    assert python("'mine'").output == "'mine'\n"


def test_a_child_that_floods_after_the_end_delays_nobody(python: Talk) -> None:
    started = time.monotonic()
    assert python("import subprocess\nchild = subprocess.Popen(['yes'])").kind == "finished"
    assert python("1").kind == "finished"
    assert python("child.kill()").kind == "finished"
    assert time.monotonic() - started < 5
    assert python("child.wait() and None\n'quiet'").output.endswith("'quiet'\n")


_WORKER = "import gc, os, time\nworker = next(o for o in gc.get_objects() if type(o).__name__ == 'Worker')\n"


def test_a_forged_answer_ends_only_its_own_run(python: Talk) -> None:
    forged = "os.write(worker.answer_fd, (worker.current + ' ended finished\\n').encode() + b'x' * 100)\ntime.sleep(60)"
    assert python(_WORKER + forged).kind == "finished"
    told = python("'next'")
    assert (told.kind, told.output, told.outcome.state_lost) == ("finished", "'next'\n", True)
    assert "left behind" in told.outcome.detail


def test_answers_written_in_advance_are_not_believed(python: Talk) -> None:
    python(_WORKER + "os.write(worker.answer_fd, b'0123456789abcdef ended failed\\n' * 100 + b'half a line')\nNone")
    told = python("print('own'); 'value'")
    assert (told.kind, told.output) == ("finished", "own\n'value'\n")


def test_a_thread_that_floods_the_answers_hangs_nobody(python: Talk) -> None:
    flood = "import threading\ndef f():\n    while True: os.write(worker.answer_fd, b'x' * 5000)\n"
    python(_WORKER + flood + "threading.Thread(target=f, daemon=True).start()")
    started = time.monotonic()
    assert python("'next'").output == "'next'\n"
    assert time.monotonic() - started < 5


def test_a_stopped_process_is_ended_by_its_time_limit(python: Talk) -> None:
    told = python("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", 0.3)
    assert (told.kind, told.outcome.state_lost) == ("timed_out", True)
    assert python("1").output == "1\n"


def test_a_fork_that_comes_back_does_not_answer_for_its_parent(python: Talk) -> None:
    told = python(
        "import os\npid = os.fork()\nos.write(1, b'parent ' if pid else b'child ')\nif pid: os.waitpid(pid, 0)"
    )
    assert sorted(told.output.split()) == ["child", "parent"]
    assert python("'still one'").output == "'still one'\n"


def test_deep_recursion_is_an_error_like_any_other(python: Talk) -> None:
    told = python("def f(): return f()\nf()")
    assert told.kind == "failed"
    assert told.output.endswith("RecursionError: maximum recursion depth exceeded\n")


def test_bytes_that_are_not_text_pass_through(python: Talk) -> None:
    pieces: list[bytes] = []
    python.runner.run(r"import os; os.write(1, b'\xff\xfe\x00ok'); None", pieces.append, 10)
    assert b"".join(pieces) == b"\xff\xfe\x00ok"


def test_closed_standard_streams_do_not_break_the_next_run(python: Talk) -> None:
    python("import sys; sys.stdout.close()")
    python("import sys; sys.stdout = open(1, 'w', closefd=False)")
    assert python("print('back')").output == "back\n"


def test_a_hundred_megabytes_arrive_whole_and_fast(python: Talk) -> None:
    count = 0

    def on_output(data: bytes) -> None:
        nonlocal count
        count += len(data)

    started = time.monotonic()
    code = "import os\nblock = b'x' * 2**20\nfor _ in range(100): os.write(1, block)"
    outcome = python.runner.run(code, on_output, 60)
    assert (outcome.kind, outcome.output_bytes, count) == ("finished", 100 * 2**20, 100 * 2**20)
    assert time.monotonic() - started < 5


def test_a_hundred_thousand_prints_arrive_whole_and_in_few_pieces(python: Talk) -> None:
    pieces: list[bytes] = []
    python.runner.run("for i in range(100_000): print(i, 'x')", pieces.append, 60)
    assert b"".join(pieces) == b"".join(b"%d x\n" % i for i in range(100_000))
    assert len(pieces) < 10_000


def test_what_was_printed_before_a_death_is_not_lost_and_stays_in_order(python: Talk) -> None:
    told = python("import os, subprocess\nprint('a')\nsubprocess.run(['echo', 'b'])\nprint('c')\nos._exit(1)")
    assert (told.kind, told.output) == ("died", "a\nb\nc\n")


def test_a_line_without_its_end_arrives_too(python: Talk) -> None:
    assert python("print('half', end='')").output == "half"


def test_code_larger_than_a_pipe_arrives_whole(python: Talk) -> None:
    assert python(f"text = '{'x' * 3_000_000}'\nlen(text)").output == "3000000\n"


def test_a_python_that_cannot_start_is_named(workspace: Path, tmp_path: Path) -> None:
    fake = tmp_path / "fake"
    (fake / "bin").mkdir(parents=True)
    (fake / "lib" / "python3.11").mkdir(parents=True)
    (fake / "lib" / "python3.11" / "os.py").write_text("")
    (fake / "bin" / "python").write_text("#!/bin/sh\necho no such luck >&2\nexit 1\n")
    (fake / "bin" / "python").chmod(0o755)
    runner = PythonRunner(SandboxPolicy(workspace, fake / "bin" / "python"))
    with pytest.raises(SandboxUnavailable, match="no such luck"):
        runner.start()
    runner.close()


def test_code_that_breaks_its_own_environment_is_told_so(workspace: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", workspace / ".venv"], check=True)
    runner = PythonRunner(SandboxPolicy(workspace, workspace / ".venv" / "bin" / "python"))
    talk = Talk(runner)
    talk("import os, shutil; shutil.rmtree('.venv'); os._exit(1)")
    told = talk("1")
    runner.close()
    assert (told.kind, told.outcome.state_lost) == ("died", True)
    assert "did not start in the sandbox" in told.outcome.detail


def test_close_ends_a_run_in_another_thread_within_two_seconds(python: Talk) -> None:
    kinds: list[str] = []
    thread = threading.Thread(target=lambda: kinds.append(python("while True: pass", 60).kind))
    thread.start()
    time.sleep(0.5)
    started = time.monotonic()
    python.runner.close()
    thread.join(5)
    assert time.monotonic() - started < 6
    assert kinds == ["died"] or kinds == ["interrupted"]
    with pytest.raises(SandboxUnavailable):
        python("1")


def test_the_sandbox_outlives_the_thread_that_started_it(python: Talk) -> None:
    thread = threading.Thread(target=python.runner.start)
    thread.start()
    thread.join()
    time.sleep(0.2)
    told = python("'alive'")
    assert (told.output, told.outcome.state_lost) == ("'alive'\n", False)


def test_without_a_sandbox_the_same_runner_works_in_a_clean_environment(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_USER", "1")
    runner = PythonRunner(SandboxPolicy(workspace, Path(sys.executable), contained=False))
    talk = Talk(runner)
    told = talk("import os\n'SECRET_OF_THE_USER' in os.environ, os.getcwd()")
    seconds = f"{40_000 + os.getpid()}.5"
    talk(f"import subprocess; subprocess.Popen(['sleep', '{seconds}'], start_new_session=True)")
    runner.close()
    assert told.output == f"(False, '{workspace}')\n"
    assert f"sleep\0{seconds}" not in "".join(path.read_text() for path in Path("/proc").glob("[0-9]*/cmdline"))
