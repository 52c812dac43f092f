"""A server on 127.0.0.1 between a framework and the real Ollama: prompts go through, scripted replies come back."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.compare import answers
from benchmarks.compare.steps import Step
from benchmarks.compare.upstream import Refused, TokenCounts, Upstream
from evaluation.loopback_proxy import LoopbackProxy, ProxyHandler


@dataclass(frozen=True, slots=True)
class PlayedCall:
    """One model call; times from `time.perf_counter()`, from its arrival to the end of its answer.

    `cpu_s` is the processor time that the framework had taken when the call arrived.
    """

    path: str
    counts: TokenCounts
    arrived: float
    ended: float
    cpu_s: float


class ScriptBroken(Exception):
    """The framework asked for something else than the script has next."""


class PlayingProxy(LoopbackProxy):
    """Answers chats from `steps`, in their order; everything else is the real server's.

    `calls` are the chats, `others_s` the seconds that other requests took before the first chat. `failure` is what
    broke the script, if anything did.
    """

    def __init__(self, real_url: str, steps: Sequence[Step]) -> None:
        super().__init__(_Handler)
        self.upstream = Upstream(real_url)
        self.calls: list[PlayedCall] = []
        self.others_s = 0.0
        self.failure: Exception | None = None
        self.cpu_s: Callable[[], float] = lambda: 0.0
        self.rest = list(steps)
        self.one_at_a_time = threading.Lock()

    def close_upstream(self) -> None:
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


class _Handler(ProxyHandler):
    server: PlayingProxy

    def chat(self, body: bytes) -> None:
        arrived, cpu_s = time.perf_counter(), self.server.cpu_s()
        request = json.loads(body)
        try:
            with self.server.one_at_a_time:
                reply = self.server.next_reply(request)
                counts = self.server.upstream.evaluate(self.path, request, reply)
        except Refused as refused:
            self.answer(refused.answer.status_code, refused.answer.content)
            return
        except ScriptBroken as broken:
            self.server.failure = broken
            self.answer(500, json.dumps({"error": str(broken)}).encode())
            return
        self._reply(request, reply, counts)
        self.server.calls.append(PlayedCall(self.path, counts, arrived, time.perf_counter(), cpu_s))

    def pass_on(self, body: bytes) -> None:
        started = time.perf_counter()
        answer = self.server.upstream.send(self.command, self.path, body)
        self.answer(answer.status_code, answer.content, answer.headers.get("Content-Type", "text/plain"))
        if not self.server.calls:
            self.server.others_s += time.perf_counter() - started

    def _reply(self, request: dict[str, Any], reply: str, counts: TokenCounts) -> None:
        if request.get("stream", self.path == "/api/chat"):
            kind = "application/x-ndjson" if self.path == "/api/chat" else "text/event-stream"
            self.answer_in_parts(200, kind, answers.stream(self.path, request, reply, counts))
        else:
            self.answer(200, answers.whole(self.path, request, reply, counts))
