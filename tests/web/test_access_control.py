"""Nobody but the user's own browser gets anything: each way that is known to have worked elsewhere is tried."""

import http.client
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from super_agent.core.store.store import Store
from tests.cli.conftest import SuperAgent
from tests.cli.scripted_runs import team_run
from tests.web.conftest import Server, keep, serving

Serve = Callable[..., Server]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One with the usual flags, for all of these."""
    with serving(tmp_path_factory.mktemp("guard")) as started:
        yield started


def raw(server: Server, method: str, path: str, **headers: str) -> tuple[int, bytes]:
    """Status and body of a request whose path and headers go out as they are."""
    where = urlsplit(server.base)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    with closing(connection):
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()


def cookie_of(server: Server) -> str:
    """The header of a browser that was let in."""
    with server.let_in() as browser:
        return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def test_without_the_link_nobody_sees_anything(server: Server) -> None:
    with server.browser() as browser:
        for path in ("", "instance", "sessions/x", "sessions/x/stream", "enter", "enter?token=", "enter?token=guessed"):
            answer = browser.get(path)
            assert answer.status_code == 401, path
            assert "Set-Cookie" not in answer.headers
        assert browser.get("/").status_code == 401
        assert browser.post("instance/verify").status_code == 401


def test_the_link_works_once(serve: Serve) -> None:
    server = serve()
    with server.browser() as first, server.browser() as second:
        answer = first.get(server.link)
        cookie = answer.headers["Set-Cookie"]
        assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", f"Path={urlsplit(server.base).path}"))
        assert first.get("").status_code == 200
        assert second.get(server.link).status_code == 401
        assert second.get("").status_code == 401
        assert first.get("").status_code == 200


def test_another_browser_is_let_in_from_a_page_that_is_open(server: Server) -> None:
    with server.let_in() as first, server.browser() as second:
        page = first.post("invite").text
        link = page.partition('<pre class="link">')[2].partition("</pre>")[0]
        assert second.get(link).status_code == 200
        assert second.get("").status_code == 200
        assert second.get(link).status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:PORT", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.:PORT", ""]
)
def test_a_foreign_name_for_this_address_is_refused(server: Server, host: str) -> None:
    """DNS rebinding: the other site's name resolves to this machine."""
    where, cookie = urlsplit(server.base), cookie_of(server)
    name = host.replace("PORT", str(where.port))
    assert raw(server, "GET", where.path, Host=name, Cookie=cookie)[0] in (400, 421)
    assert raw(server, "GET", where.path, Host=where.netloc, Cookie=cookie)[0] == 200


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "https://HOST", "http://HOST.evil"]
)
def test_a_form_of_another_page_is_refused(server: Server, origin: str | None) -> None:
    where, cookie = urlsplit(server.base), cookie_of(server)
    given = {} if origin is None else {"Origin": origin.replace("HOST", where.netloc)}
    status, _ = raw(server, "POST", f"{where.path}invite", Cookie=cookie, Content_Length="0", **given)
    assert status == 403
    own = {"Origin": server.origin, "Cookie": cookie, "Content_Length": "0"}
    assert raw(server, "POST", f"{where.path}invite", Sec_Fetch_Site="same-site", **own)[0] == 403
    assert raw(server, "POST", f"{where.path}invite", Sec_Fetch_Site="same-origin", **own)[0] == 200


def test_no_path_leads_out(serve: Serve, tmp_path: Path, store: Store) -> None:
    server = serve()
    where, cookie = urlsplit(server.base), cookie_of(server)
    (tmp_path / "home" / "state" / "secret").write_text("the secret")
    for path in (
        "static/../serve_web.py", "static/..%2fserve_web.py", "static/%2e%2e/%2e%2e/core/settings.py",
        "static//etc/passwd", "static/page.css%00", "static/page.css/../../routes.py", "sessions/..%2f..%2fsecret",
        "sessions/%2e%2e/export", "sessions/..;/export", "sessions/%00/export", "sessions/*/export",
        "sessions/%/export", "../../../etc/passwd", "\\..\\secret",
    ):  # fmt: skip
        status, body = raw(server, "GET", where.path + path, Cookie=cookie)
        assert status in (400, 404), path
        assert b"the secret" not in body
    assert server.process.poll() is None


def test_every_answer_has_the_strict_headers(server: Server) -> None:
    with server.let_in() as browser:
        for answer in map(browser.get, ("", "nothing", "static/page.js", "/elsewhere")):
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "no-store" in answer.headers["Cache-Control"]
            assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_page_that_only_shows_does_nothing(serve: Serve) -> None:
    server = serve("--read-only")
    with server.let_in() as browser:
        assert 'method="post"' not in browser.get("").text + browser.get("instance").text
        for path in ("invite", "instance/verify"):
            assert browser.post(path).status_code == 403


def test_only_this_machine_can_connect(server: Server) -> None:
    port = urlsplit(server.base).port or 0
    others = [a[4][0] for a in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET) if a[4][0] != "127.0.0.1"]
    for address in others:
        with pytest.raises(OSError, match="refused|timed out"):
            socket.create_connection((str(address), port), timeout=2).close()


def test_another_address_is_refused_unless_it_is_meant(super_agent: SuperAgent) -> None:
    for arguments, said in (
        (("--host", "192.0.2.1"), "--cert FILE --key FILE, or --insecure"),
        (("--host", "0.0.0.0", "--insecure"), "Give the one address"),
        (("--host", "example"), "is no address"),
        (("--cert", "/nowhere"), "belong together"),
        (("--cert", "/nowhere", "--key", "/nowhere"), "there is no such file"),
        (("--host", "192.0.2.1", "--insecure"), "is no address of this machine"),
        (("--cert", __file__, "--key", __file__), "no certificate with its key"),
    ):
        done = super_agent("web", "--no-open", *arguments)
        assert done.code == 2, done
        assert said in done.err
        assert done.err.count("\n") == 1


def test_a_certificate_makes_it_https_and_a_locked_key_is_named(
    serve: Serve, super_agent: SuperAgent, tmp_path: Path
) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl is installed: apt-get install openssl")
    cert, key, locked = (str(tmp_path / name) for name in ("cert.pem", "key.pem", "locked.pem"))
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2", *name]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    lock = [openssl, "rsa", "-aes256", "-passout", "pass:word", "-in", key, "-out", locked]
    subprocess.run(lock, check=True, capture_output=True, timeout=60)
    done = super_agent("web", "--no-open", "--cert", cert, "--key", locked)
    assert (done.code, done.out) == (2, "")
    assert "is locked by a password" in done.err
    server = serve("--cert", cert, "--key", key)
    assert server.link.startswith("https://127.0.0.1:")
    trusting = ssl.create_default_context(cafile=cert)
    with httpx.Client(verify=trusting, trust_env=False) as browser:
        answer = browser.get(server.link)
        assert answer.status_code == 200
        assert "Secure" in answer.headers["Set-Cookie"]
        assert browser.get(server.base).status_code == 200


def test_the_server_ends_at_once_with_pages_open(serve: Serve, store: Store) -> None:
    server = serve()
    keep(store, "s1", team_run())
    with server.let_in() as browser, browser.stream("GET", "sessions/s1/stream?after=0&mark=0") as answer:
        assert "retry" in next(answer.iter_text())
        server.process.send_signal(signal.SIGINT)
        _, err = server.process.communicate(timeout=10)
    assert (server.process.returncode, err) == (0, "")
