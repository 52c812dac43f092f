"""After what ends a run in an odd way the next one works, in Python; and what came out is kept, whole in a file."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from interpreter.code_output import OutputRecorder
from interpreter.sandbox.protocol import CodeOutcome, SandboxPolicy
from interpreter.sandbox.runners.python import PythonRunner
from super_agent.core.events import CodeFinished, CodeStarted, Event, OutputStreamed
from tests.sandbox.conftest import Talk


def test_want_of_memory_is_an_error_like_any_other_and_keeps_the_state(python: Talk) -> None:
    python("kept = 1")
    told = python("bytearray(64 * 2**30)")
    assert (told.kind, told.output.splitlines()[-1]) == ("failed", "MemoryError")
    assert python("kept").output == "1\n"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import subprocess, sys\nwhile True: subprocess.Popen(['sleep', '30'])", "processes, more than 64"),
        (
            "import mmap, time\nm = mmap.mmap(-1, 2**28)\nfor i in range(0, len(m), 4096): m[i] = 1\ntime.sleep(30)",
            "more than 128",
        ),
        (
            "f = open('big', 'wb')\nwhile True: f.write(bytes(2**20)); f.flush(); import time; time.sleep(.01)",
            "more than 32",
        ),
    ],
)
def test_after_the_watchdog_ended_it_the_next_run_works(
    talk: Callable[..., Talk], policy: SandboxPolicy, code: str, why: str
) -> None:
    limits = {"max_processes": 64, "max_memory_bytes": 128 * 2**20, "max_disk_growth_bytes": 32 * 2**20}
    small = talk(PythonRunner, replace(policy, **limits))
    small("kept = 1")
    told = small(code)
    if "processes" in why and told.kind == "failed":  # the kernel's own limit holds everybody but root
        assert "BlockingIOError" in told.output
        return
    assert (told.kind, told.outcome.state_lost) == ("died", True)
    assert why in told.outcome.detail
    assert small("'kept' in globals()").output == "False\n"


def test_code_that_ends_its_own_thread_is_ended_by_its_time_limit(python: Talk) -> None:
    told = python("import ctypes; ctypes.CDLL(None).pthread_exit(None)", 0.3)
    assert (told.kind, told.outcome.state_lost) == ("timed_out", True)
    assert "Traceback" not in told.output
    assert python("'next'").output == "'next'\n"


@pytest.mark.parametrize(
    "code",
    [
        "x = 'half a \ud83d pair'",
        "print('half a \\ud83d pair')",
        "x = 1\0",
        "class R:\n def __repr__(self): 1 / 0\nR()",
    ],
)
def test_code_that_cannot_be_read_or_shown_is_an_error_like_any_other(python: Talk, code: str) -> None:
    told = python(code)
    assert told.kind == "failed"
    assert "Error" in told.output.splitlines()[-1]
    assert python("'next'").output == "'next'\n"


@pytest.mark.parametrize(("size", "cut"), [(100, 0), (101, 1), (100_000, 99_900)])
def test_output_beyond_the_limit_is_kept_whole_in_a_file(tmp_path: Path, size: int, cut: int) -> None:
    events: list[Event] = []
    whole = bytes(ord("a") + i % 26 for i in range(size))

    def work(on_output: Callable[[bytes], None]) -> CodeOutcome:
        for start in range(0, size, 7):
            on_output(whole[start : start + 7])
        return CodeOutcome("finished", 0, 0.5, size)

    outcome, text = OutputRecorder(events.append, tmp_path, 100).run("executor", "shell", "x", work)
    files = list(tmp_path.iterdir())
    path = str(files[0]) if cut else ""
    assert outcome.kind == "finished"
    assert events[0] == CodeStarted("executor", "shell", "x")
    assert events[-1] == CodeFinished("executor", "finished", 0, 0.5, size, cut, "", path)
    assert "".join(e.text for e in events if isinstance(e, OutputStreamed)) == whole[:50].decode()
    assert [file.read_bytes() for file in files] == ([whole] if cut else [])
    assert (f"… {cut} bytes left out …" in text) == bool(cut)


def test_no_file_is_left_where_running_failed(tmp_path: Path) -> None:
    def work(_on_output: Callable[[bytes], None]) -> CodeOutcome:
        raise RuntimeError("no sandbox")

    with pytest.raises(RuntimeError, match="no sandbox"):
        OutputRecorder(lambda _event: None, tmp_path, 100).run("executor", "shell", "x", work)
    assert list(tmp_path.iterdir()) == []
