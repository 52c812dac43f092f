"""A run's control socket: who may reach it, what is told, and that no reader and no dead run hangs anybody."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from super_agent.core import events as ev
from super_agent.core.errors import UsageError
from super_agent.core.store.store import Store
from super_agent.session.control_client import RunGone, connect, event_from, tell
from super_agent.session.control_socket import ControlSocket

STARTED = ev.RunStarted("do it", "team", "/w", "m", "http://h", None, "bubblewrap", {})


@dataclass
class Run:
    folder: Path
    stream: ev.EventStream
    control: ControlSocket
    stops: list[int] = field(default_factory=list)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """One whose state folder has a longer name than an address can have."""
    state = tmp_path / ("x" * 120)
    with Store.open(state) as store, store.begin("s1", STARTED) as recorder:
        stops: list[int] = []
        stream = ev.EventStream("s1", (recorder,))
        control = ControlSocket(state / "sessions" / "s1", stream, recorder, lambda: stops.append(1))
        control.open()
        stream.sinks = (*stream.sinks, control)
        stream.emit(STARTED)
        yield Run(state / "sessions" / "s1", stream, control, stops)
        control.close()


def follow(run: Run) -> Iterator[str]:
    with connect(run.folder) as connection, connection.makefile("rw") as lines:
        lines.write('{"do": "follow"}\n')
        lines.flush()
        yield from lines


def test_it_is_the_users_alone_and_gone_with_the_run(run: Run) -> None:
    assert stat.S_IMODE((run.folder / "control").stat().st_mode) == 0o600
    assert stat.S_IMODE(run.folder.stat().st_mode) == 0o700
    run.control.close()
    assert not (run.folder / "control").exists()
    with pytest.raises(RunGone):
        tell(run.folder, {"do": "stop"})


def test_what_is_not_stored_comes_first_then_all_that_follows(run: Run) -> None:
    for text in ("Hel", "lo"):
        run.stream.emit(ev.TextStreamed("coder", text))
    lines = follow(run)
    assert json.loads(next(lines)) == {"ok": True, "first": 1}
    assert event_from("s1", next(lines)).event == STARTED
    assert event_from("s1", next(lines)).event == ev.TextStreamed("coder", "Hello")
    run.stream.emit(ev.TextStreamed("coder", ", you"))
    told = event_from("s1", next(lines))
    assert (told.seq, told.event) == (4, ev.TextStreamed("coder", ", you"))


def test_a_line_and_a_stop_are_taken(run: Run) -> None:
    tell(run.folder, {"do": "say", "text": " be brief\u2028 "})
    assert run.control.take_lines() == ["be brief"]
    assert run.control.take_lines() == []
    tell(run.folder, {"do": "stop"})
    assert run.stops == [1]


@pytest.mark.parametrize(
    "request_", [{}, {"do": "x"}, {"do": "say", "text": " "}, {"do": "say", "text": 3}, {"do": "decide"}]
)
def test_what_is_no_request_is_refused(run: Run, request_: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="none that a run knows"):
        tell(run.folder, request_)
    assert not run.stops


def test_garbage_and_silence_do_no_harm(run: Run) -> None:
    for data in (b"", b"\0\xff\n", b"[]\n", b"x" * 2_000_000):
        with connect(run.folder) as connection:
            try:
                connection.sendall(data)
            except OSError:
                continue
    tell(run.folder, {"do": "say", "text": "still here"})
    assert run.control.take_lines() == ["still here"]


def test_only_the_first_answer_to_a_question_counts(run: Run) -> None:
    run.stream.emit(ev.ApprovalAsked("python", "1", ("why",)))
    taken_back: list[int] = []
    question = run.control.ask(lambda: (taken_back.append(1), question.settled.set())[0])  # type: ignore[arg-type, func-returns-value]
    with pytest.raises(UsageError, match="answered already"):
        tell(run.folder, {"do": "decide", "question": 1, "choice": "run"})
    with pytest.raises(UsageError, match="no code was left"):
        tell(run.folder, {"do": "decide", "question": 2, "choice": "edit", "code": " "})
    tell(run.folder, {"do": "decide", "question": 2, "choice": "skip", "why": "no"})
    with pytest.raises(UsageError, match="answered already"):
        tell(run.folder, {"do": "decide", "question": 2, "choice": "run"})
    answer = run.control.settle(question)
    assert answer is not None
    assert (answer.choice, answer.code, answer.why) == ("skip", "1", "no")
    assert taken_back == [1]


def test_a_reader_that_stands_still_does_not_slow_the_run(run: Run) -> None:
    with connect(run.folder) as still:
        still.sendall(b'{"do": "follow"}\n')
        still.recv(10)
        began = time.monotonic()
        for number in range(30_000):
            run.stream.emit(ev.RequestFinished("autogen", number, 1, 0.1, None))
        assert time.monotonic() - began < 20
    tell(run.folder, {"do": "say", "text": "on"})


def test_a_dead_runs_socket_and_a_suspended_run_hang_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    code = (
        "import socket, sys, time; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(1); "
        "print('listens', flush=True); time.sleep(60)"
    )
    run = subprocess.Popen([sys.executable, "-c", code, str(folder / "control")], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    with run.stdout:
        assert run.stdout.readline() == "listens\n"
        os.kill(run.pid, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(RunGone, match="does not answer"):
            tell(folder, {"do": "stop"})
        assert time.monotonic() - began < 15
        run.kill()
        run.wait()
    assert (folder / "control").exists()
    with pytest.raises(RunGone, match="has ended"):
        tell(folder, {"do": "stop"})


def test_a_run_takes_the_place_of_the_socket_of_one_that_was_killed(run: Run) -> None:
    run.control.close()
    left = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(run.folder)
    try:
        left.bind("control")
    finally:
        os.chdir(here)
        left.close()
    with Store.open(run.folder.parent.parent) as store, store.begin("s2", STARTED) as recorder:
        again = ControlSocket(run.folder, run.stream, recorder, lambda: None)
        again.open()
        tell(run.folder, {"do": "stop"})
        again.close()
