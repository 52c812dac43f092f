"""What servers on 127.0.0.1 between a client and the real server share: from start to end, and how they answer."""

import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

CHATS = ("/v1/chat/completions", "/api/chat")


class LoopbackProxy(ThreadingHTTPServer):
    """Listens on a free port from entering to leaving the `with` block."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, handler: type["ProxyHandler"]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        """Where clients send to."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()
        self.close_upstream()

    def close_upstream(self) -> None:
        """Let go of the connections to the real server."""


class ProxyHandler(BaseHTTPRequestHandler):
    """One connection of a client; a subclass says what is done with a chat, and with anything else."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def pass_on(self, body: bytes) -> None:
        """Hand the request to the real server, and its answer back."""
        raise NotImplementedError

    def chat(self, body: bytes) -> None:
        """Answer a request for a reply of the model."""
        raise NotImplementedError

    def do_GET(self) -> None:
        self.pass_on(self._body())

    def do_HEAD(self) -> None:
        self.pass_on(b"")

    def do_DELETE(self) -> None:
        self.pass_on(self._body())

    def do_POST(self) -> None:
        body = self._body()
        if self.path in CHATS:
            self.chat(body)
        else:
            self.pass_on(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""

    def answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
        """A whole answer; one of HEAD has no body."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        try:
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
        except OSError:  # the client has hung up
            self.close_connection = True

    def answer_in_parts(self, status: int, kind: str, parts: Iterable[bytes]) -> None:
        """An answer in chunks, each as soon as it is there."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in parts:
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))
