"""Standard streams: opened where a program was started without, and as the wire of a protocol of lines.

As a wire nothing else reads standard input or writes standard output.

Its threads are daemons, so that whoever neither writes nor reads any more holds up no end.
"""

import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator

READ_BYTES = 64 * 1024


def open_missing() -> None:
    """Lead those streams nowhere that the program was started without (`>&-`, services).

    Otherwise the next file that is opened gets the number of standard output, and whatever a child prints is in it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number, which is this one
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)


def claim() -> tuple[int, int]:
    """The descriptors of the wire, to read and to write.

    Whatever prints from now on, in this process or a child, prints to standard error; whatever reads, reads nothing.
    """
    if sys.stdout is not None:
        sys.stdout.flush()
    ours = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # started without standard error
        os.dup2(nowhere, 1)
    os.close(nowhere)
    return ours


def lines_of(source: int, max_bytes: int) -> Iterator[bytes | None]:
    """Each line that says something, without its end; None in place of one that is too long."""
    kept, too_long = bytearray(), False
    while chunk := _some(source):
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            kept += part
            if too_long or len(kept) > max_bytes:
                yield None
            elif kept.strip():
                yield bytes(kept)
            kept.clear()
            too_long = False
        kept += rest
        if len(kept) > max_bytes:
            kept.clear()
            too_long = True
    if too_long:
        yield None
    elif kept.strip():
        yield bytes(kept)


def _some(source: int) -> bytes:
    try:
        return os.read(source, READ_BYTES)
    except OSError:  # a terminal or socket that is gone
        return b""


class LineWriter:
    """Writes lines in a thread of its own, until `close`; after a failure they are dropped, as nobody reads them."""

    def __init__(self, sink: int, on_gone: Callable[[], None] = lambda: None) -> None:
        """`on_gone` is called in that thread once nobody reads any more."""
        self.is_gone = False
        self._sink = sink
        self._on_gone = on_gone
        self._closed: Callable[[], None] = lambda: None
        self._lines: queue.SimpleQueue[tuple[bytes, Callable[[], None]] | None] = queue.SimpleQueue()
        threading.Thread(target=self._write, name="standard output", daemon=True).start()

    def put(self, line: bytes, written: Callable[[], None] = lambda: None) -> None:
        """Never waits; `written` is called in that thread when the line is written, or dropped."""
        self._lines.put((line + b"\n", written))

    def close(self, closed: Callable[[], None] = lambda: None) -> None:
        """Write what was put before, and no more; `closed` is called in that thread then."""
        self._closed = closed
        self._lines.put(None)

    def _write(self) -> None:
        while (item := self._lines.get()) is not None:
            line, written = item
            try:
                while line and not self.is_gone:
                    line = line[os.write(self._sink, line) :]
            except OSError:
                self.is_gone = True
                self._on_gone()
            written()
        self._closed()
