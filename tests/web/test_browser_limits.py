"""In a real browser: ten thousand events, a page of a foreign origin, a link that was used before, a path outside."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from super_agent.core import events as ev
from super_agent.core.store.store import Store
from tests.cli.scripted_runs import team_run
from tests.web.chromium import PROGRAM, Chromium
from tests.web.conftest import Server, enter, keep

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no chromium is installed: apt-get install chromium")
Serve = Callable[..., Server]
EVENTS = 10_000


def test_ten_thousand_events_arrive_in_an_open_page_and_in_one_that_is_opened_later(
    window: Chromium, serve: Serve, store: Store
) -> None:
    facts = ev.RunStarted("t", "team", "/w", "m", "http://localhost:1", None, "bubblewrap", {"turns": 8})
    base = enter(window, serve())
    last = "document.getElementById('story').lastElementChild.textContent.includes('message number 9999.')"
    with store.begin("s1", facts) as recorder:
        recorder(ev.Stamped("s1", 0, 1, 1.7e9, facts))
        window.open(f"{base}sessions/s1")
        window.wait("document.getElementById('story')")
        for number in range(1, EVENTS):
            said = ev.MessagePosted("coder", f"message number {number}.")
            recorder(ev.Stamped("s1", 1, number + 1, 1.7e9 + number, said))
        recorder.flush()
        window.wait(last, 60)
        window.open(f"{base}sessions/s1")
        window.wait(last, 60)
    assert window.evaluate("document.querySelectorAll('#story > *').length") >= EVENTS - 1
    assert window.complaints() == []


def test_a_page_of_a_foreign_origin_reads_nothing_and_does_nothing(
    window: Chromium, serve: Serve, store: Store
) -> None:
    keep(store, "s1", team_run())
    base = enter(window, serve())
    with _foreign_page() as address:
        window.open(address)
        window.wait("document.title == 'foreign'")
        for method in ("GET", "POST"):
            sent = f"fetch('{base}sessions/s1', {{method: '{method}', credentials: 'include'}})"
            assert window.evaluate(f"{sent}.then(r => r.status, () => 'refused')") == "refused"
        window.evaluate(
            "(() => { const f = document.createElement('form'); f.method = 'post'; document.body.append(f);"
            f" f.action = '{base}sessions/s1/undo'; f.submit(); }})()"
        )
        window.wait("document.title != 'foreign'")
        assert "the request does not come from this page" in window.text()
    (row,) = store.sessions()
    assert row.id == "s1"


@pytest.mark.parametrize("what", ["the link once more", "another path", "a file outside"])
def test_what_is_no_page_is_refused_in_words(window: Chromium, serve: Serve, what: str) -> None:
    server = serve()
    base = enter(window, server)
    address = {
        "the link once more": server.link,
        "another path": f"{server.origin}/",
        "a file outside": f"{base}static/..%2f..%2f..%2fetc%2fpasswd",
    }[what]
    window.open("about:blank")
    window.open(address)
    window.wait("document.readyState == 'complete' && location.href != 'about:blank'")
    assert "root:" not in window.text()
    assert window.evaluate("document.querySelector('form[role=search]')") is None
    assert window.text().strip()


@contextmanager
def _foreign_page() -> Iterator[str]:
    """An HTML page at another port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>foreign</title><body></body>")

        def log_message(self, *_: object) -> None:
            """Nothing is told."""

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
