"""A reverse proxy in front of a real server: under a path of its own, for those who know its key. It keeps what passes.

with ReverseProxy(server.base_url, key="s3cret") as proxy:
    load_settings({"base_url": proxy.base_url, "api_key": "s3cret"})
"""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

PATH = "/models/ollama"


class ReverseProxy:
    """Passes on what is asked under PATH with the right key; refuses the rest with a 401, or a 404 elsewhere."""

    def __init__(self, upstream: str, key: str = "") -> None:
        self.upstream, self.key = urlsplit(upstream), key
        self.bodies: list[bytes] = []
        self.refused = 0
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self}))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        """What a client is told."""
        return f"http://127.0.0.1:{self._http.server_address[1]}{PATH}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: ReverseProxy

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.path.startswith(f"{PATH}/"):
            self._refuse(404)
        elif self.proxy.key and self.headers.get("Authorization") != f"Bearer {self.proxy.key}":
            self.proxy.refused += 1
            self._refuse(401)
        else:
            self.proxy.bodies.append(body)
            self._relay(self.path.removeprefix(PATH), body)

    def _relay(self, path: str, body: bytes) -> None:
        upstream = http.client.HTTPConnection(str(self.proxy.upstream.hostname), self.proxy.upstream.port, timeout=120)
        try:
            upstream.request(self.command, path, body or None, {"Content-Type": "application/json"})
            answer = upstream.getresponse()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
            self.send_header("Connection", "close")  # its end is the end of the body, streamed or not
            self.end_headers()
            while data := answer.read1(65536):
                self.wfile.write(data)
                self.wfile.flush()
        finally:
            upstream.close()
        self.close_connection = True

    def _refuse(self, status: int) -> None:
        text = b'{"error": "unauthorized"}' if status == 401 else b"404 page not found"
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815 - http.server looks them up by these names

    def log_message(self, *args: object) -> None:
        """Nothing on the terminal of a test."""
