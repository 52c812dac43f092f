"""The page's server as a user starts it, in a process of its own, and a browser's part played by httpx."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from super_agent.core.errors import UsageError
from super_agent.core.events import RunStarted, Stamped
from super_agent.core.store.store import Store
from super_agent.session.control_client import tell
from tests.cli.conftest import CHECKOUT, SuperAgent, environment, super_agent
from tests.web.chromium import Chromium, chromium

__all__ = ["SuperAgent", "super_agent"]

START_S = 20.0


@dataclass(slots=True)
class Server:
    """`link` works once; `base` begins every address and `origin` every Origin header."""

    process: "subprocess.Popen[str]"
    link: str
    _cookies: httpx.Cookies | None = None

    @property
    def base(self) -> str:
        return self.link.partition("enter?")[0]

    @property
    def origin(self) -> str:
        return "/".join(self.link.split("/")[:3])

    def browser(self) -> httpx.Client:
        """One that was not let in."""
        return httpx.Client(base_url=self.base, timeout=20, trust_env=False, headers={"Origin": self.origin})

    @contextmanager
    def let_in(self) -> Iterator[httpx.Client]:
        """One that has used the link, or a copy of the one that has."""
        with self.browser() as browser:
            if self._cookies is None:
                assert browser.get(self.link).status_code == 200
                self._cookies = browser.cookies
            browser.cookies = self._cookies
            yield browser


@contextmanager
def serving(tmp_path: Path, *arguments: str, **environ: str) -> Iterator[Server]:
    """`super-agent web ARGUMENTS`, ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "super_agent.cli.main", "web", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT, env=environment(tmp_path) | environ,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert re.fullmatch(r"https?://\S+/enter\?token=\S+", line), line or process.communicate(timeout=5)[1]
        yield Server(process, line)
    finally:
        process.terminate()
        process.communicate(timeout=START_S)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers: `serve("--read-only")`."""
    with ExitStack() as stack:

        def start(*arguments: str, **environ: Any) -> Server:
            return stack.enter_context(serving(tmp_path, *arguments, **environ))

        yield start


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """The store of those servers."""
    with Store.open(tmp_path / "home" / "state") as opened:
        yield opened
        for row in opened.sessions():  # of a test that failed: what a page began would wait for an answer for ever
            with suppress(UsageError):
                tell(tmp_path / "home" / "state" / "sessions" / row.id, {"do": "stop"})


@pytest.fixture
def window() -> Iterator[Chromium]:
    """A real browser with a profile of its own; its path is short, as sockets lie in it."""
    temporary = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
    with temporary as profile, chromium(Path(profile)) as opened:
        yield opened


def enter(window: Chromium, server: Server) -> str:
    """Use the server's link; returns how every address begins."""
    window.open(server.link)
    window.wait("document.querySelector('form[role=search]')")
    return server.base


def keep(store: Store, session: str, events: list[Stamped]) -> None:
    """Have a run's events stored as the run would, its end too where it has one."""
    first = events[0].event
    assert isinstance(first, RunStarted)
    with store.begin(session, first) as recorder:
        for item in events:
            recorder(replace(item, session=session))


def sse(answer: httpx.Response) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Kind, data and id of each message."""
    kind, number = "", ""
    for line in answer.iter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "id":
            number = value
        elif name == "data":
            yield kind, json.loads(value), number
            number = ""
