"""A server on 127.0.0.1 between a framework and the real Ollama: prompts go through, scripted replies come back."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from benchmarks.compare import answers
from benchmarks.compare.steps import Step
from benchmarks.compare.upstream import Evaluated, Refused, Upstream

CHATS = ("/v1/chat/completions", "/api/chat")


@dataclass(frozen=True, slots=True)
class Call:
    """One model call; times from `time.perf_counter()`, from its arrival to the end of its answer.

    `cpu_s` is the processor time that the framework had taken when the call arrived.
    """

    path: str
    counts: Evaluated
    arrived: float
    ended: float
    cpu_s: float


class ScriptBroken(Exception):
    """The framework asked for something else than the script has next."""


class PlayingProxy(ThreadingHTTPServer):
    """Answers chats from `steps`, in their order; everything else is the real server's.

    `calls` are the chats, `others_s` the seconds that other requests took before the first chat. `failure` is what
    broke the script, if anything did.
    """

    daemon_threads = True

    def __init__(self, real_url: str, steps: Sequence[Step]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = Upstream(real_url)
        self.calls: list[Call] = []
        self.others_s = 0.0
        self.failure: Exception | None = None
        self.cpu_s: Callable[[], float] = lambda: 0.0
        self.rest = list(steps)
        self.one_at_a_time = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        """Where frameworks send to."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()
        self.upstream.close()

    def next_reply(self, request: dict[str, Any]) -> str:
        """The reply that comes next; raises `ScriptBroken`."""
        ends = [str(request["messages"][place]["content"]) for place in (0, -1)]
        if not self.rest:
            raise ScriptBroken(f"a call after the script's end: {ends[1][-200:]!r}")
        step = self.rest[0]
        if not any(step.expects in text for text in ends):
            raise ScriptBroken(f"{step.expects!r} was expected, but the prompt ends with {ends[1][-200:]!r}")
        self.rest.pop(0)
        return step.reply


class _Handler(BaseHTTPRequestHandler):
    server: PlayingProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._pass_on()

    def do_HEAD(self) -> None:
        self._pass_on()

    def do_DELETE(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        if self.path not in CHATS:
            self._pass_on()
            return
        arrived, cpu_s = time.perf_counter(), self.server.cpu_s()
        request = json.loads(self._body())
        try:
            with self.server.one_at_a_time:
                reply = self.server.next_reply(request)
                counts = self.server.upstream.evaluate(self.path, request, reply)
        except Refused as refused:
            self._answer(refused.answer.status_code, "application/json", refused.answer.content)
            return
        except ScriptBroken as broken:
            self.server.failure = broken
            self._answer(500, "application/json", json.dumps({"error": str(broken)}).encode())
            return
        self._reply(request, reply, counts)
        self.server.calls.append(Call(self.path, counts, arrived, time.perf_counter(), cpu_s))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""

    def _reply(self, request: dict[str, Any], reply: str, counts: Evaluated) -> None:
        if request.get("stream", self.path == "/api/chat"):
            kind = "application/x-ndjson" if self.path == "/api/chat" else "text/event-stream"
            self._chunked(kind, answers.stream(self.path, request, reply, counts))
        else:
            self._answer(200, "application/json", answers.whole(self.path, request, reply, counts))

    def _pass_on(self) -> None:
        started = time.perf_counter()
        answer = self.server.upstream.send(self.command, self.path, self._body())
        self._answer(answer.status_code, answer.headers.get("Content-Type", "text/plain"), answer.content)
        if not self.server.calls:
            self.server.others_s += time.perf_counter() - started

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _chunked(self, kind: str, parts: Iterator[bytes]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in parts:
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")
