"""A server that speaks Ollama's two chat APIs and its management API from a script. It needs no pytest.

    with ScriptedOllama(["first reply", Say("second", end="cut")]) as server:
        settings = server.settings()
        ...
        assert [r.path for r in server.requests] == ["/v1/chat/completions", "/api/chat"]

`replies` serve whichever client asks next; `autogen` and `executor` are scripts of one client each. A script is a list
of answers (texts, the objects of `scripted_replies`, or functions of the recorded request), or one function for all
requests; what is asked after its end is a 500 that says so. Models load, reload and unload as Ollama's do: by weights
and runner options, see `scripted_models`.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from super_agent.core.client_kind import ClientKind
from super_agent.core.settings import Settings, load_settings
from tests.scripted_http import HTTPServer, Request
from tests.scripted_models import Catalogue, Model
from tests.scripted_replies import Answer, Refuse, Script


class ScriptedOllama:
    """The server; it runs from entering to leaving the `with` block."""

    def __init__(
        self,
        replies: Script = (),
        *,
        autogen: Script | None = None,
        executor: Script | None = None,
        model: str = "scripted",
        context_length: int = 8192,
        models: Iterable[Model] = (),
        port: int = 0,
    ) -> None:
        """`port` is that of an earlier server, for one that is started again."""
        self.model = model
        self.catalogue = Catalogue(
            [Model(f"{model}:latest", context_length, max_context=max(8192, context_length)), *models]
        )
        self.requests: list[Request] = []
        self.failures: list[BaseException] = []
        self.overrides: dict[str, Answer] = {}
        """What a path answers instead: `{"/api/version": HTML}`."""
        self.closing = threading.Event()
        self._scripts: dict[ClientKind | None, Callable[[Request], Answer]] = {None: _in_order(replies)}
        for client, script in (("autogen", autogen), ("open-interpreter", executor)):
            if script is not None:
                self._scripts[client] = _in_order(script)  # type: ignore[index]
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._http = HTTPServer(self, port)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Go away at once, replies under way included; raises if the double itself failed."""
        self.closing.set()
        self._http.shutdown()
        self._http.drop_connections()
        self._http.server_close()
        self._thread.join()
        if self.failures:
            raise self.failures[0]

    def close_door(self) -> None:
        """Refuse new connections from now on; those there are stay, and nothing comes over them."""
        self._http.shutdown()
        self._http.server_close()

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def settings(self, **changes: Any) -> Settings:
        """Settings for this server and its model."""
        return load_settings({"base_url": self.base_url, "model": self.model, **changes}, environ={})

    @property
    def chats(self) -> list[Request]:
        """The chat requests of both clients, oldest first."""
        return [r for r in self.requests if r.client is not None]

    def wait_for_requests(self, count: int, timeout_s: float = 5.0) -> list[Request]:
        """The requests so far, once there are `count`; raises TimeoutError."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.requests) >= count, timeout_s):
                raise TimeoutError(f"{len(self.requests)} of {count} requests arrived")
            return [*self.requests]

    def record(self, request: Request) -> None:
        """Called by the handler."""
        with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()

    def next_answer(self, request: Request) -> Answer:
        """What the script says to a chat request; called by the handler."""
        with self._lock:
            script = self._scripts.get(request.client) or self._scripts[None]
            return script(request)


def _in_order(script: Script) -> Callable[[Request], Answer]:
    if callable(script):
        return script
    rest = iter(list(script))

    def answer(request: Request) -> Answer:
        item = next(rest, Refuse(500, "the script of this test is over"))
        return item(request) if callable(item) else item

    return answer


@contextmanager
def refused_url() -> Iterator[str]:
    """An address on which nothing listens, kept free of others."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
