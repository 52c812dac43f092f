"""A run's own socket, so that it can be watched and steered from another process: a typed line, an answer, a stop.

It lies in the session's private folder and is the owner's alone. A request is one line of JSON, `{"do": …}`, its answer
another, `{"ok": true}` or `{"ok": false, "error": …}`. `follow` is answered with every event that is not in the store
yet, and then with each as it comes. Who reads too slowly is let go: no reader ever slows a run.
"""

import json
import os
import queue
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from interpreter.approval import Choice
from super_agent.core.errors import UsageError
from super_agent.core.events import ApprovalAsked, EventStream, RunEnded, Stamped
from super_agent.core.store.recorder import Recorder
from super_agent.session.control_client import NAME, TIMEOUT_S, event_line, received_line, through_folder

MAX_BEHIND = 20_000
"""Events a follower may be behind; a fast model streams some 100 a second."""
MAX_CONNECTIONS = 32
GATHER_S = 0.03
"""A line that comes is sent with those that follow so soon: a reply of 100 tokens a second wakes a follower's thread,
which takes from the run, 33 times a second at most, and a person sees no difference."""
LAST_WORDS_S = 1.0
"""For followers to be given the run's last events."""
SO_PEERCRED_FORMAT = "3i"
"""pid, uid and gid (unix(7))."""

CHOICES: tuple[Choice, ...] = get_args(Choice)


@dataclass(frozen=True, slots=True)
class RemoteAnswer:
    """A person's decision about code: `code` in place of it where they edited, `why` where they skipped."""

    choice: Choice
    code: str
    why: str = ""


@dataclass(slots=True)
class RemoteQuestion:
    """What is being asked, by the number of its event. `take_back` ends the asking elsewhere."""

    take_back: Callable[[], None]
    answer: RemoteAnswer | None = None
    settled: threading.Event = field(default_factory=threading.Event)


class ControlSocket:
    """The socket from `open` to `close`; a `Sink` of the run's events. `stop` ends the run, `heard` hears of lines."""

    def __init__(
        self,
        folder: Path,
        stream: EventStream,
        recorder: Recorder,
        stop: Callable[[], None],
        heard: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder, self._stream, self._recorder, self._stop = folder, stream, recorder, stop
        self._heard = heard
        self._lines: deque[str] = deque()
        self._followers: set[queue.Queue[str | None]] = set()
        self._lock = threading.Lock()
        self._question: RemoteQuestion | None = None
        self._asked: tuple[int, str] = (0, "")
        self._ended = False
        self._connections: set[socket.socket] = set()
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def open(self) -> None:
        """Begin to listen; raises OSError."""
        with through_folder(self._folder) as path:
            with suppress(FileNotFoundError):
                os.unlink(path)  # of a run of this session that was killed: the session is held, so nobody listens
            self._listening.bind(path)
            os.chmod(path, 0o600)
        self._listening.listen(MAX_CONNECTIONS)
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def close(self) -> None:
        """Let everybody go; idempotent."""
        with suppress(FileNotFoundError):
            (self._folder / NAME).unlink()
        with self._lock:
            followers, connections = [*self._followers], [*self._connections]
            self._followers.clear()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for follower in followers:
            with suppress(queue.Full):
                follower.put_nowait(None)  # it gets what is before this first
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        until = time.monotonic() + LAST_WORDS_S
        while self._connections and time.monotonic() < until:
            time.sleep(0.005)

    def __call__(self, stamped: Stamped) -> None:
        """Pass one event on."""
        if isinstance(stamped.event, ApprovalAsked):
            self._asked = (stamped.seq, stamped.event.code)
        self._ended = isinstance(stamped.event, RunEnded)
        if not self._followers:
            return
        line = event_line(stamped)
        with self._lock:
            for follower in [*self._followers]:
                try:
                    follower.put_nowait(line)
                except queue.Full:
                    self._followers.discard(follower)

    def take_lines(self) -> Sequence[str]:
        """What was said here since the last call, oldest first."""
        taken = []
        while self._lines:
            taken.append(self._lines.popleft())
        return taken

    def ask(self, take_back: Callable[[], None]) -> RemoteQuestion:
        """Let the question that was just announced be answered here, until `settle`."""
        with self._lock:
            self._question = RemoteQuestion(take_back)
            return self._question

    def settle(self, question: RemoteQuestion) -> RemoteAnswer | None:
        """The answer that came here, if one did; it is too late for others."""
        with self._lock:
            if self._question is question:
                self._question = None
            question.settled.set()
            return question.answer

    # ── the other end ──

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return  # closed
            with self._lock:
                full = len(self._connections) >= MAX_CONNECTIONS
                if not full:
                    self._connections.add(connection)
            if full or not _is_ours(connection):
                connection.close()
                continue
            threading.Thread(target=self._serve, args=(connection,), name="control", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError):
                connection.settimeout(TIMEOUT_S)
                request = _request(connection)
                if request.get("do") == "follow":
                    self._follow(connection)
                    return
                try:
                    self._do(request)
                    answer: dict[str, Any] = {"ok": True}
                except UsageError as error:
                    answer = {"ok": False, "error": error.what, "fix": error.fix}
                connection.sendall(json.dumps(answer).encode() + b"\n")
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _do(self, request: dict[str, Any]) -> None:
        what = request.get("do")
        if self._ended:
            raise UsageError("the run has ended", fix="See its page")
        if what == "say" and isinstance(text := request.get("text"), str) and text.strip():
            self._lines.append(text.strip())
            self._heard()
        elif what == "stop":
            self._stop()
        elif what == "decide" and request.get("choice") in CHOICES:
            self._decide(request)
        else:
            raise UsageError("the request is none that a run knows")

    def _decide(self, request: dict[str, Any]) -> None:
        with self._lock:
            question, (number, code) = self._question, self._asked
            if question is None or request.get("question") != number or question.answer is not None:
                raise UsageError("that question was answered already, or taken back")
            edited = str(request.get("code") or "")
            if request["choice"] == "edit" and not edited.strip():
                raise UsageError("no code was left", fix="Skip it instead")
            shown = edited if request["choice"] == "edit" else code
            question.answer = RemoteAnswer(request["choice"], shown, str(request.get("why") or "").strip())
        question.take_back()
        question.settled.wait(TIMEOUT_S)

    def _follow(self, connection: socket.socket) -> None:
        mine: queue.Queue[str | None] = queue.Queue(MAX_BEHIND)
        with self._stream.held():
            backlog = self._recorder.unstored()
            first = backlog[0].seq if backlog else self._stream.seq + 1
            with self._lock:
                self._followers.add(mine)
        try:
            connection.settimeout(None)
            connection.sendall(json.dumps({"ok": True, "first": first}).encode() + b"\n")
            for stamped in backlog:
                connection.sendall(event_line(stamped).encode())
            lines: list[str | None] = [""]
            while lines[-1] is not None:
                lines = _gathered(mine)
                connection.sendall("".join(filter(None, lines)).encode())
        finally:
            with self._lock:
                self._followers.discard(mine)


def _gathered(mine: "queue.Queue[str | None]") -> list[str | None]:
    """What has come since the last time, at least one, in its order; None is the end and the last."""
    lines = [mine.get()]
    if lines[0] is not None:
        time.sleep(GATHER_S)
    while lines[-1] is not None:
        try:
            lines.append(mine.get_nowait())
        except queue.Empty:
            break
    return lines


def _request(connection: socket.socket) -> dict[str, Any]:
    """One line; empty where it is none."""
    try:
        request = json.loads(received_line(connection))
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}


def _is_ours(connection: socket.socket) -> bool:
    """Whether the other end is this user's; the folder's mode says so already."""
    size = struct.calcsize(SO_PEERCRED_FORMAT)
    _pid, uid, _gid = struct.unpack(
        SO_PEERCRED_FORMAT, connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    )
    return bool(uid == os.getuid())
