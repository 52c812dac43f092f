"""Runs that are begun from a page."""

import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from super_agent.core.errors import UsageError

START_S = 120.0
"""For a run to say how it began; the first on a machine makes its environments."""


@dataclass(slots=True)
class RunLauncher:
    """The processes that this server started; they go on when it ends."""

    _started: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, request: dict[str, Any]) -> str:
        """Start one; returns its session. Raises `UsageError` with what stood in the way."""
        process = subprocess.Popen(
            [sys.executable, "-m", "super_agent.web.detached_run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, start_new_session=True, cwd=tempfile.gettempdir(),
        )  # fmt: skip
        with self._lock:
            self._started = [known for known in self._started if known.poll() is None] + [process]
        if process.stdin is None or process.stdout is None:
            raise UsageError("the run could not be started")
        with process.stdin as into:
            into.write(json.dumps(request).encode())
        with process.stdout as out:
            told = _line(out.fileno())
        if "session" in told:
            return str(told["session"])
        silent = "the run said nothing; it may still begin: see the list of sessions"
        raise UsageError(str(told.get("error", silent)), fix=str(told.get("fix", "")))


def _line(descriptor: int) -> dict[str, Any]:
    """What it says first; empty where that takes too long or it says nothing."""
    until, data = time.monotonic() + START_S, b""
    while b"\n" not in data and select.select([descriptor], [], [], max(0.0, until - time.monotonic()))[0]:
        part = os.read(descriptor, 65536)
        if not part:
            break
        data += part
    try:
        told = json.loads(data)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
