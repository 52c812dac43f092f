"""Who may ask this server for anything: the one-time link, the cookie it is exchanged for, and what headers must say.

Other users of the machine, and pages of other sites in the user's own browser, reach the port too. So every request
needs the cookie and an exact Host (a foreign name that resolves to this address, DNS rebinding, has another one), and
every POST the Origin of this page as well. The cookie is bound to a path nobody can guess, because a browser sends a
host's cookies to all its ports, and another user may serve one of them.
"""

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "super_agent"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With `no-referrer` browsers send `Origin: null` with a form of the page itself.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
METHODS = ("GET", "HEAD", "POST")
TOKEN_BYTES = 32


@dataclass(slots=True)
class Doorkeeper:
    """The secrets of one server. `path` begins every address, as `/s/…/`; links are good for one use each."""

    path: str
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES))
    _links: set[str] = field(default_factory=set)

    def new_token(self) -> str:
        """Of a link that lets one browser in, once."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._links.add(token)
        return token

    def spend(self, token: str) -> bool:
        """Whether the token was good; it is not any more."""
        found = [
            known for known in self._links if hmac.compare_digest(known.encode(), token.encode("utf-8", "replace"))
        ]
        self._links.difference_update(found)
        return bool(found)

    def knows(self, cookie: str) -> bool:
        """Whether a browser was let in."""
        return hmac.compare_digest(self.secret.encode(), cookie.encode("utf-8", "replace"))

    def let_in(self, response: Response, *, secure: bool) -> None:
        """Give the browser its cookie; it ends with the browser's session or with this server."""
        response.set_cookie(COOKIE, self.secret, path=self.path, httponly=True, samesite="strict", secure=secure)


@dataclass(frozen=True, slots=True)
class Guard:
    """ASGI middleware around the whole server; `open_paths` need no cookie, everything else about them is checked."""

    app: ASGIApp
    keeper: Doorkeeper
    hosts: frozenset[str]
    scheme: str
    open_paths: frozenset[str]
    read_only: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with one line that says why; the same headers on every answer."""
        if scope["type"] != "http":
            return
        refused = self._refusal(scope)
        if refused is None:
            await self.app(scope, receive, _with_headers(send))
        else:
            await refused(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if headers.getlist("host") not in ([host] for host in self.hosts):
            return _refuse(421, "this server is not reached by that name")
        if scope["method"] not in METHODS:
            return _refuse(405, "not possible here")
        if scope["path"] not in self.open_paths and not self.keeper.knows(_cookie(headers)):
            return _refuse(401, "this browser was not let in: open the link that super-agent web shows")
        if scope["method"] == "POST":
            return self._refused_post(headers)
        return None

    def _refused_post(self, headers: Headers) -> Response | None:
        if headers.getlist("origin") not in ([f"{self.scheme}://{host}"] for host in self.hosts):
            return _refuse(403, "the request does not come from this page")
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return _refuse(403, "the request does not come from this page")
        if self.read_only:
            return _refuse(403, "this page only shows: it was opened with --read-only")
        return None


def hosts_of(names: Iterable[str], port: int, scheme: str) -> frozenset[str]:
    """What a Host header may say, as browsers write it: without the port where it is the scheme's own."""
    shown = [f"[{name}]" if ":" in name else name.lower() for name in names]
    found = {f"{name}:{port}" for name in shown}
    return frozenset(found | (set(shown) if port == {"http": 80, "https": 443}[scheme] else set()))


def _cookie(headers: Headers) -> str:
    return cookie_parser("; ".join(headers.getlist("cookie"))).get(COOKIE, "")


def _refuse(status: int, why: str) -> Response:
    return PlainTextResponse(f"super-agent: {why}\n", status)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
