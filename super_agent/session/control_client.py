"""The other end of a run's control socket, for doors that steer a run of another process; and how its lines look."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from super_agent.core.errors import UsageError
from super_agent.core.events import Stamped, event_type, own_fields
from super_agent.core.store.codec import event_of, to_text

NAME = "control"
TIMEOUT_S = 3.0
"""For a run that lives to answer; a suspended one does not."""
MAX_LINE_BYTES = 1 << 20


class RunGone(UsageError):
    """No living run listens there."""


@contextmanager
def through_folder(folder: Path) -> Iterator[str]:
    """A short name of the socket: addresses end at 107 bytes (unix(7)), state folders may not."""
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{NAME}"
    finally:
        os.close(fd)


def connect(folder: Path) -> socket.socket:
    """A connection to the run of that session folder; raises `RunGone`."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(TIMEOUT_S)
    try:
        with through_folder(folder) as path:
            connection.connect(path)
    except OSError as error:
        connection.close()
        raise RunGone("the run has ended, or cannot be reached", fix="See its page") from error
    return connection


def tell(folder: Path, request: dict[str, Any]) -> None:
    """Have a run do something; raises `RunGone`, and `UsageError` with its words where it refuses."""
    with connect(folder) as connection:
        try:
            connection.sendall(json.dumps(request).encode() + b"\n")
            connection.settimeout(2 * TIMEOUT_S)
            answer = json.loads(received_line(connection))
        except (OSError, ValueError) as error:
            raise RunGone("the run does not answer", fix="It may be suspended; see its page") from error
    if not answer.get("ok"):
        raise UsageError(str(answer.get("error", "it was refused")), fix=str(answer.get("fix", "")))


def received_line(connection: socket.socket) -> bytes:
    """What the other end says, to the end of its first line or of its words; raises OSError."""
    data = b""
    while b"\n" not in data and len(data) < MAX_LINE_BYTES and (part := connection.recv(65536)):
        data += part
    return data


def event_line(stamped: Stamped) -> str:
    """One event as a line."""
    head = {"seq": stamped.seq, "turn": stamped.turn, "time": stamped.time, "type": event_type(stamped.event)}
    return to_text(head | {"data": own_fields(stamped.event)}) + "\n"


def event_from(session: str, line: bytes | str) -> Stamped:
    """The reverse of `event_line`; raises ValueError, KeyError or TypeError where it is none."""
    told = json.loads(line)
    event, unknown = event_of(told["type"], told["data"])
    return Stamped(session, told["turn"], told["seq"], told["time"], event, unknown)
