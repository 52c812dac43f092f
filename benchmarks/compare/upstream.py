"""The real server behind the proxy: it evaluates a real prompt, and takes in a reply as if it had generated it.

How a reply is played: after generation a slot holds the prompt's tokens and the reply's, without the end mark that was
sampled last and never evaluated. The server renders the prompt (`_debug_render_only`); the same text with the reply
after it, sent raw and asked for one token, which is not evaluated either, leaves the slot in the same state. A test
compares the two on the real server.
"""

import json
from dataclasses import dataclass
from typing import Any

import httpx

TIMEOUT_S = 900.0
SAMPLING = ("num_predict", "stop", "temperature", "top_p", "seed")
"""Options of a native request that play no part when the reply is known; the others decide about the runner."""


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """What the server counted for one call, in tokens; durations in nanoseconds, 0 where `/v1` does not tell them.

    `cut`: the server left messages out of the prompt, because it was too long for the context.
    """

    prompt_tokens: int
    reply_tokens: int
    load_duration: int
    prompt_eval_duration: int
    reply_duration: int
    cut: bool


class Refused(Exception):
    """The server answered with an error, which is the framework's to see."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(answer.text)
        self.answer = answer


class Upstream:
    """One real server."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=TIMEOUT_S, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, method: str, path: str, body: bytes) -> httpx.Response:
        """Any request as it is."""
        return self._http.request(method, path, content=body, headers={"Content-Type": "application/json"})

    def evaluate(self, path: str, request: dict[str, Any], reply: str) -> TokenCounts:
        """Let the server evaluate a chat request's prompt, then take in the reply; raises `Refused`."""
        native = path == "/api/chat"
        short = {key: value for key, value in request.items() if key not in ("stream_options", "stop")}
        short |= {"stream": False}
        if native:
            short["options"] = {**request.get("options", {}), "num_predict": 1}
        else:
            short["max_tokens"] = 1
        counted = self._post(path, short)
        usage = counted.get("usage", {})
        prompt_tokens = counted["prompt_eval_count"] if native else usage["prompt_tokens"]
        rendered = self._rendered(request)
        played = self._play(request, rendered + reply)
        return TokenCounts(
            prompt_tokens=prompt_tokens,
            reply_tokens=played["prompt_eval_count"] - prompt_tokens,
            load_duration=counted.get("load_duration", 0),
            prompt_eval_duration=counted.get("prompt_eval_duration", 0),
            reply_duration=played["prompt_eval_duration"],
            cut=any(message["content"].strip() not in rendered for message in request["messages"]),
        )

    def _rendered(self, request: dict[str, Any]) -> str:
        body = {"model": request["model"], "messages": request["messages"], "stream": False}
        answer = self._post("/api/chat", {**body, "options": _runner_options(request), "_debug_render_only": True})
        return str(answer["_debug_info"]["rendered_template"])

    def _play(self, request: dict[str, Any], text: str) -> dict[str, Any]:
        options = {**_runner_options(request), "num_predict": 1}
        body = {"model": request["model"], "prompt": text, "raw": True, "stream": False}
        return self._post("/api/generate", {**body, "options": options})

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.send("POST", path, json.dumps(body).encode())
        if answer.status_code != 200:
            raise Refused(answer)
        found: dict[str, Any] = answer.json()
        return found


def _runner_options(request: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in request.get("options", {}).items() if key not in SAMPLING}
