"""A server on 127.0.0.1 between a contestant and the real one: all passes through, and every reply is counted.

It makes runs equal: no contestant gets more reply tokens than its budget (the last reply is cut, the next refused),
and requests that name no seed get one, another for each call.
"""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from evaluation.loopback_proxy import LoopbackProxy, ProxyHandler

TIMEOUT_S = 900.0
SETTLE_S = 10.0
"""A contestant that was killed leaves its last chat behind; the server notices at the next piece."""
SPENT = "the budget of reply tokens of this run is spent"


@dataclass(frozen=True, slots=True)
class Call:
    """One chat. Tokens as the server counts them; `seconds` from its arrival to the end of its reply."""

    path: str
    prompt_tokens: int
    reply_tokens: int
    seconds: float
    reply: str
    finish: str


class RecordingProxy(LoopbackProxy):
    """`spent` is set when a chat was refused for the budget."""

    def __init__(self, real_url: str, *, budget: int, seed: int) -> None:
        super().__init__(_Handler)
        self.http = httpx.Client(base_url=real_url, timeout=TIMEOUT_S, trust_env=False)
        self.budget = budget
        self.spent = threading.Event()
        self._calls: list[Call] = []
        self._seed = seed
        self._lock = threading.Lock()
        self._under_way = 0
        self._idle = threading.Condition(self._lock)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The chats that have ended, in the order of their ends."""
        with self._lock:
            return tuple(self._calls)

    def close_upstream(self) -> None:
        self.http.close()

    def next_seed(self) -> int:
        """Another for each call of a run, the same in the same run again."""
        with self._lock:
            self._seed += 1
            return self._seed

    def rest(self) -> int:
        """Reply tokens that may still be generated."""
        with self._lock:
            return self.budget - sum(call.reply_tokens for call in self._calls)

    def begin(self) -> None:
        """A chat has come in."""
        with self._lock:
            self._under_way += 1

    def end(self, call: Call | None) -> None:
        """It has ended; None where no reply came."""
        with self._idle:
            self._under_way -= 1
            if call is not None:
                self._calls.append(call)
            self._idle.notify_all()

    def settle(self) -> tuple[Call, ...]:
        """The calls, once no chat is under way: a client has its reply a moment before it is counted."""
        with self._idle:
            self._idle.wait_for(lambda: self._under_way == 0, SETTLE_S)
            return tuple(self._calls)


class _Handler(ProxyHandler):
    server: RecordingProxy

    def chat(self, body: bytes) -> None:
        rest = self.server.rest()
        if rest <= 0:
            self.server.spent.set()
            self.answer(400, json.dumps({"error": {"message": SPENT, "type": "budget"}}).encode())
            return
        try:
            request = json.loads(body)
        except ValueError:
            self.pass_on(body)
            return
        _equalise(self.path, request, rest, self.server.next_seed())
        self.server.begin()
        reply = _PassingReply(self.path)
        try:
            self._forward(json.dumps(request).encode(), reply)
        finally:
            self.server.end(reply.call() if reply.seen else None)

    def pass_on(self, body: bytes) -> None:
        self._forward(body, None)

    def _forward(self, body: bytes, reply: "_PassingReply | None") -> None:
        headers = {"Content-Type": self.headers.get("Content-Type", "application/json")}
        try:
            with self.server.http.stream(self.command, self.path, content=body, headers=headers) as answer:
                self._copy(answer, reply)
        except httpx.HTTPError as error:
            self.answer(502, json.dumps({"error": f"the server behind the proxy: {error!r}"}).encode())
        except OSError:  # the contestant has hung up
            self.close_connection = True

    def _copy(self, answer: httpx.Response, reply: "_PassingReply | None") -> None:
        kind = answer.headers.get("Content-Type", "text/plain")
        if self.command == "HEAD" or answer.status_code in (204, 304):
            self.answer(answer.status_code, b"", kind)
            return

        def heard() -> Iterator[bytes]:
            for part in answer.iter_bytes():
                if reply is not None and answer.status_code == 200:
                    reply.hear(part)
                yield part

        self.answer_in_parts(answer.status_code, kind, heard())


def _equalise(path: str, request: dict[str, Any], rest: int, seed: int) -> None:
    """Cap the reply, name a seed, and have the stream tell its tokens."""
    if path == "/api/chat":
        options = request.setdefault("options", {})
        asked = options.get("num_predict")
        options["num_predict"] = rest if not isinstance(asked, int) or asked <= 0 else min(asked, rest)
        options.setdefault("seed", seed)
        return
    name = "max_completion_tokens" if "max_completion_tokens" in request else "max_tokens"
    asked = request.get(name)
    request[name] = min(asked, rest) if isinstance(asked, int) and asked > 0 else rest
    if request.get("seed") is None:
        request["seed"] = seed
    if request.get("stream"):
        request["stream_options"] = {**(request.get("stream_options") or {}), "include_usage": True}


class _PassingReply:
    """What passes by of one reply, whole or streamed, of either API."""

    def __init__(self, path: str) -> None:
        self.seen = False
        self._path = path
        self._rest = b""
        self._texts: list[str] = []
        self._pieces = 0
        self._usage: dict[str, int] = {}
        self._finish = ""
        self._began = time.perf_counter()

    def hear(self, part: bytes) -> None:
        self.seen = True
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            self._line(line)

    def call(self) -> Call:
        """A reply that broke off is counted by its pieces, as no total came."""
        self._line(self._rest)
        return Call(
            path=self._path,
            prompt_tokens=self._usage.get("prompt", 0),
            reply_tokens=self._usage.get("reply", self._pieces),
            seconds=time.perf_counter() - self._began,
            reply="".join(self._texts),
            finish=self._finish,
        )

    def _line(self, line: bytes) -> None:
        text = line.removeprefix(b"data:").strip()
        if not text.startswith(b"{"):
            return
        try:
            data = json.loads(text)
        except ValueError:
            return
        usage = data.get("usage") or {}
        for key, names in (
            ("prompt", ("prompt_tokens", "prompt_eval_count")),
            ("reply", ("completion_tokens", "eval_count")),
        ):
            for found in (value for name in names for value in (usage.get(name), data.get(name)) if value is not None):
                self._usage[key] = int(found)
        for choice in data.get("choices") or [data]:
            self._take(choice.get("delta") or choice.get("message") or {})
            self._finish = choice.get("finish_reason") or choice.get("done_reason") or self._finish

    def _take(self, message: dict[str, Any]) -> None:
        calls = message.get("tool_calls") or []
        said = [
            message.get("content") or "",
            *(str((one.get("function") or {}).get("arguments") or "") for one in calls),
        ]
        self._pieces += any(said)
        self._texts += said
