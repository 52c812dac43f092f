"""Debian's Chromium without a window, spoken to over its debugging pipe: no driver program, no port, no package."""

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ANSWER_S = 60.0


class Chromium:
    """One browser with one tab; commands are those of the Chrome DevTools Protocol."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._number, self._data = 0, b""
        self.said: list[dict[str, Any]] = []
        """Events of the protocol, oldest first."""
        target = self.command("Target.createTarget", url="about:blank", session=None)["targetId"]
        self._session = self.command("Target.attachToTarget", targetId=target, flatten=True, session=None)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.command(f"{domain}.enable")

    _session: str | None = None

    def command(self, method: str, session: object = "", **parameters: Any) -> dict[str, Any]:
        """Do one and wait for its answer; AssertionError where it fails."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session is not None and self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return dict(answer["result"])
            self.said.append(answer)

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + ANSWER_S
        while b"\0" not in self._data:
            ready, _, _ = select([self._from], [], [], max(0.0, until - time.monotonic()))
            assert ready, f"the browser said nothing for {ANSWER_S:g} s"
            data = os.read(self._from, 1 << 20)
            assert data, "the browser ended"
            self._data += data
        line, _, self._data = self._data.partition(b"\0")
        return dict(json.loads(line))

    def open(self, address: str) -> None:
        """Go there."""
        self.command("Page.navigate", url=address)

    def new_tab(self, address: str) -> str:
        """Open one more page; returns its name for `in_tab`."""
        return str(self.command("Target.createTarget", url=address, session=None)["targetId"])

    @contextmanager
    def in_tab(self, name: str) -> Iterator[None]:
        """What is done in the block is done there, where it is seen; afterwards the one before is."""
        before = self._session
        self._session = self.command("Target.attachToTarget", targetId=name, flatten=True, session=None)["sessionId"]
        self.command("Page.bringToFront")
        try:
            yield
        finally:
            self._session = before
            self.command("Page.bringToFront")

    def new_window(self, address: str) -> str:
        """As `new_tab`, beside the others: all are seen."""
        return str(self.command("Target.createTarget", url=address, newWindow=True, session=None)["targetId"])

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        result = self.command("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, expression: str, timeout_s: float = 30.0) -> None:
        """Until it is true; a page that is on its way to another is asked again."""
        until = time.monotonic() + timeout_s
        while True:
            try:
                if self.evaluate(f"!!({expression})"):
                    return
            except AssertionError:
                pass
            assert time.monotonic() < until, f"{expression} did not come true; the page says: {self.text()[-2000:]}"
            time.sleep(0.05)

    def text(self) -> str:
        """What can be read on the page."""
        return str(self.evaluate("document.body ? document.body.innerText : ''"))

    def looks(self, width: int = 1200, height: int = 900, *, dark: bool = False) -> None:
        """A window of that size from now on, for a person who likes it light or dark."""
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, path: Path) -> None:
        """What is seen, as a PNG."""
        path.write_bytes(base64.b64decode(self.command("Page.captureScreenshot", format="png")["data"]))

    def complaints(self) -> list[str]:
        """What the console, a broken script or the policy said, and addresses of other hosts that were asked for."""
        self.evaluate("1")
        found = []
        for item in self.said:
            parameters = item.get("params", {})
            if item.get("method") == "Runtime.exceptionThrown":
                found.append(str(parameters["exceptionDetails"]))
            elif item.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
                found.append(str(parameters["entry"]["text"]))
            elif item.get("method") == "Network.requestWillBeSent":
                address = parameters["request"]["url"]
                if not address.startswith(("http://127.0.0.1:", "data:", "about:", "file:")):
                    found.append(f"asked for {address}")
        return found


@contextmanager
def chromium(profile: Path) -> Iterator[Chromium]:
    """One with an empty profile, ended with the block."""
    assert PROGRAM is not None
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []

    def as_3_and_4() -> None:
        os.dup2(to_read, 63)
        os.dup2(from_write, 64)
        os.dup2(63, 3)
        os.dup2(64, 4)

    process = subprocess.Popen(
        [
            PROGRAM, "--headless", *sandbox, "--remote-debugging-pipe", f"--user-data-dir={profile}", "--no-first-run",
            "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync",
            "--disable-component-update", "--hide-scrollbars", "about:blank",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=as_3_and_4, close_fds=False,
    )  # fmt: skip
    os.close(to_read)
    os.close(from_write)
    try:
        yield Chromium(to_write, from_read)
    finally:
        os.close(to_write)
        os.close(from_read)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
