"""The scripted Ollama's connections: requests read and recorded, answers written, a client's leaving noticed."""

import json
import select
import socket
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from super_agent.core.client_kind import ClientKind
from tests.scripted_models import Model, not_found
from tests.scripted_replies import (
    Answer,
    Raw,
    Refuse,
    Say,
    Silence,
    completion,
    error_body,
    limited,
    native_end,
    ndjson,
    prompt_tokens,
    sse,
    too_long,
)

if TYPE_CHECKING:
    from tests.scripted_ollama import ScriptedOllama

VERSION = "0.32.15"
CHAT_PATHS: Mapping[str, ClientKind] = {"/v1/chat/completions": "autogen", "/api/chat": "open-interpreter"}
FOR_EVER_S = 3600.0


@dataclass(slots=True)
class Request:
    """A request as it arrived. `left` is set when the client closed the connection before the answer's end."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    client_port: int
    client: ClientKind | None
    left: threading.Event = field(default_factory=threading.Event)
    left_at: float = 0.0

    @property
    def prompt(self) -> list[tuple[str, str]]:
        """The messages of a chat request, as (role, content)."""
        return [(m["role"], m["content"]) for m in self.body["messages"]]


class _ClientLeft(Exception):
    """The client closed the connection, or the server is going away."""


class HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True

    def __init__(self, owner: "ScriptedOllama", port: int) -> None:
        self.owner = owner
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        sock, address = super().get_request()
        self._open.add(sock)
        return sock, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        for sock in [*self._open]:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, ConnectionError):
            self.owner.failures.append(error)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: HTTPServer
    request_seen: Request

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, *args: Any) -> None:
        """Silent: the requests are recorded."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815 - names of the standard library

    def _serve(self) -> None:
        owner = self.server.owner
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        if len(raw) < length:
            self.close_connection = True  # the client left before its request was whole
            return
        if self.headers.get("Transfer-Encoding") == "chunked":
            raw = self._read_chunked()
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw
        headers = {k.lower(): v for k, v in self.headers.items()}
        self.request_seen = Request(
            self.command, self.path, headers, body, self.client_address[1], CHAT_PATHS.get(self.path)
        )
        owner.record(self.request_seen)
        try:
            override = owner.overrides.get(self.path)
            if override is not None:
                self._answer(override)
            elif self.request_seen.client is not None:
                self._chat(body)
            elif self.path == "/":
                self._send(200, b"Ollama is running", "text/plain; charset=utf-8")
            elif self.path == "/api/version":
                self._json({"version": VERSION})
            else:
                self._manage(raw, body)
        except (_ClientLeft, ConnectionError):
            self.close_connection = True
            self._note_left()

    def _read_chunked(self) -> bytes:
        data = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def _manage(self, raw: bytes, body: Any) -> None:
        result = self.server.owner.catalogue.handle(self.command, self.path, raw, body)
        if isinstance(result, Refuse):
            self._answer(result)
        elif isinstance(result, Raw):
            self._send(result.status, result.body, result.content_type)
        elif isinstance(result, dict):
            self._json(result)
        else:
            self._stream("application/x-ndjson", (json.dumps(line).encode() + b"\n" for line in result), Say())

    def _chat(self, body: Any) -> None:
        catalogue = self.server.owner.catalogue
        native = self.path == "/api/chat"
        model = catalogue.find(body.get("model", ""))
        if model is None:
            self._answer(not_found(body.get("model", "")))
            return
        if refuse := _refusal(body, model):
            self._answer(refuse)
            return
        load_s = catalogue.use(model, *((body.get("options"), body.get("keep_alive")) if native else ()))
        context = catalogue.context_of(model)
        prompt = prompt_tokens(body["messages"])
        answer: Answer
        if native and body.get("truncate") is False and prompt > context:
            answer = too_long(prompt, context)
        else:
            answer = self.server.owner.next_answer(self.request_seen)
        if isinstance(answer, str):
            answer = Say(answer)
        if isinstance(answer, Say):
            self._say(answer, body, _truncated(body["messages"], context), load_s)
        else:
            self._answer(answer)

    def _say(self, say: Say, body: dict[str, Any], evaluated: int, load_s: float) -> None:
        native, model = self.path == "/api/chat", body["model"]
        say = limited(say, (body.get("options") or {}).get("num_predict") if native else body.get("max_tokens"))
        prompt = evaluated if say.prompt_tokens is None else say.prompt_tokens
        load_s = load_s if say.load_s is None else say.load_s
        self._sleep(say.wait_s)
        if native and body.get("stream", True):
            self._stream("application/x-ndjson", ndjson(say, model, prompt, load_s), say)
        elif native:
            self._json(native_end(say, model, prompt, load_s, say.text))
        elif body.get("stream"):
            usage = bool((body.get("stream_options") or {}).get("include_usage"))
            self._stream("text/event-stream", sse(say, model, prompt, usage), say)
        else:
            self._json(completion(say, model, prompt))

    def _answer(self, answer: Answer) -> None:
        match answer:
            case Refuse():
                api = "/v1" if self.path.startswith("/v1/") else "/api"
                self._send(answer.status, error_body(api, answer), "application/json; charset=utf-8")
            case Raw():
                self._sleep(answer.wait_s)
                self._send(
                    answer.status, answer.body, answer.content_type, answer.headers or {}, cut=answer.end == "cut"
                )
            case Silence():
                self._sleep(FOR_EVER_S)
            case _:
                raise TypeError(f"{answer!r} answers a chat request only")

    def _stream(self, content_type: str, parts: Iterable[bytes], say: Say) -> None:
        self.send_response_only(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if say.split_bytes:
            whole, size = b"".join(parts), say.split_bytes
            parts = [whole[i : i + size] for i in range(0, len(whole), size)]
        for number, part in enumerate(parts):
            self._sleep(say.pause_s if number else 0.0)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        if say.end == "silence":
            self._sleep(FOR_EVER_S)
        if say.end == "cut":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), "application/json; charset=utf-8")

    def _send(self, status: int, body: bytes, content_type: str, headers: Any = (), *, cut: bool = False) -> None:
        self.send_response_only(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        if content_type:
            self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body) + (1000 if cut else 0)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        if cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _sleep(self, seconds: float) -> None:
        """Wait, but notice at once when the client leaves or the server goes away."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if select.select([self.connection], [], [], min(max(left, 0.0), 0.01))[0] and not self._peek():
                raise _ClientLeft
            if self.server.owner.closing.is_set():
                raise _ClientLeft
            if left <= 0:
                return

    def _peek(self) -> bytes:
        return bytes(self.connection.recv(1, socket.MSG_PEEK))

    def _note_left(self) -> None:
        self.request_seen.left_at = time.monotonic()
        self.request_seen.left.set()


def _refusal(body: dict[str, Any], model: Model) -> Refuse | None:
    if any(m.get("content") is None for m in body["messages"]):
        return Refuse(400, "invalid message content type: <nil>")
    if body.get("tools") and "tools" not in model.capabilities:
        return Refuse(400, f"registry.ollama.ai/library/{model.name} does not support tools")
    return None


def _truncated(messages: list[dict[str, Any]], context: int) -> int:
    """Tokens evaluated: the oldest messages that are not of the system go, without a word, until the rest fits."""
    kept = [*messages]
    while prompt_tokens(kept) > context:
        oldest = next((m for m in kept[:-1] if m["role"] != "system"), None)
        if oldest is None:
            return context // 2
        kept.remove(oldest)
    return prompt_tokens(kept)
