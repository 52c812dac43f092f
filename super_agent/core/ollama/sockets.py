"""The sockets of a call, kept because only shutting them ends it at once.

Closing a response from another thread blocks and frees nothing (tried: 5.5 s), and before the headers there is none.
"""

import socket
import threading
from dataclasses import dataclass, field

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


@dataclass(slots=True)
class Sockets:
    """The sockets of the call under way, from the moment of their connection."""

    was_shut: bool = False
    _open: list[socket.socket] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def begin(self) -> None:
        """A new call starts."""
        with self._lock:
            self.was_shut = False

    def keep(self, sock: socket.socket) -> None:
        """Remember a connected socket; one that comes after `shut` is shut too."""
        with self._lock:
            self._open = [s for s in self._open if s.fileno() >= 0]
            self._open.append(sock)
            if self.was_shut:
                _shut(sock)

    def set_timeout(self, seconds: float) -> None:
        """How long a read may take from now on."""
        with self._lock:
            for sock in self._open:
                if sock.fileno() >= 0:
                    sock.settimeout(seconds)

    def shut(self) -> None:
        """Shut them all; the call was cancelled."""
        with self._lock:
            self.was_shut = True
        self.drop()

    def drop(self) -> None:
        """Shut those that are open, and no later ones: the next try of the call has its own."""
        with self._lock:
            for sock in self._open:
                _shut(sock)


def _shut(sock: socket.socket) -> None:
    try:
        # Past SSLSocket's own shutdown, which takes the reader's TLS object away under it.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already, which is all that was wanted


def pools_on(sockets: Sockets) -> dict[str, type[HTTPConnectionPool]]:
    """urllib3's connection pools by scheme, whose sockets are kept."""

    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sockets.keep(self.sock)

    class Tls(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            sockets.keep(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    return {"http": PlainPool, "https": TlsPool}
