"""The translation tables are complete: no error class of the HTTP libraries is left out."""

import inspect

import httpx
import pytest
import requests
import urllib3.exceptions

from super_agent.core.errors import OllamaTimedOut, OllamaUnreachable, ReplyBroken, ServerError
from super_agent.core.llm_client import from_httpx
from super_agent.core.ollama.urllib3_errors import from_urllib3
from super_agent.core.settings import load_settings

URL = "http://127.0.0.1:11434"


def classes_of(module: object, base: type[Exception]) -> list[type[Exception]]:
    """All error classes that a module exports, besides the one that the base is."""
    found = [c for _, c in inspect.getmembers(module, inspect.isclass) if issubclass(c, base)]
    return sorted(set(found), key=lambda c: c.__name__)


def made(cls: type[Exception]) -> Exception:
    """An error of this class, however its constructor wants to be called."""
    error = cls.__new__(cls)
    Exception.__init__(error, "what it says")
    for name in ("partial", "expected", "length"):  # what some of urllib3's need to be printed
        setattr(error, name, 0)
    return error


HTTPX = [c for base in (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) for c in classes_of(httpx, base)]


@pytest.mark.parametrize("cls", HTTPX, ids=lambda c: c.__name__)
def test_every_error_class_of_httpx_has_ours(cls: type[Exception]) -> None:
    error = from_httpx(made(cls), URL, load_settings(environ={}))
    assert isinstance(error, ServerError)
    if issubclass(cls, httpx.ConnectError | httpx.ConnectTimeout | httpx.InvalidURL | httpx.ProxyError):
        assert type(error) is OllamaUnreachable
    elif issubclass(cls, httpx.TimeoutException):
        assert type(error) is OllamaTimedOut


def test_httpx_exports_no_error_outside_the_table() -> None:
    outside = [c for c in classes_of(httpx, Exception) if c not in HTTPX]
    assert outside == [httpx.CookieConflict]  # raised by looking a cookie up, which no client here does


URLLIB3 = classes_of(urllib3.exceptions, urllib3.exceptions.HTTPError)


@pytest.mark.parametrize("cls", URLLIB3, ids=lambda c: c.__name__)
def test_every_error_class_of_urllib3_has_ours(cls: type[Exception]) -> None:
    error = _translated(made(cls))
    if issubclass(cls, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError):
        assert type(error) is OllamaUnreachable
    elif issubclass(cls, urllib3.exceptions.TimeoutError):
        assert type(error) is OllamaTimedOut


REQUESTS = classes_of(requests.exceptions, requests.RequestException)


@pytest.mark.parametrize("cls", REQUESTS, ids=lambda c: c.__name__)
def test_every_error_class_of_requests_is_caught_and_has_ours(cls: type[Exception]) -> None:
    assert issubclass(cls, OSError)  # which is what the adapter catches
    _translated(made(cls))


def test_what_requests_wraps_decides() -> None:
    pool = urllib3.HTTPConnectionPool("127.0.0.1")
    refused = urllib3.exceptions.NewConnectionError(pool, "no: [Errno 111] Connection refused")  # type: ignore[arg-type]
    wrapped = requests.ConnectionError(urllib3.exceptions.MaxRetryError(pool, "/", refused))
    assert type(_translated(wrapped)) is OllamaUnreachable
    cut = requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError()))
    assert type(_translated(cut)) is ReplyBroken
    silent = requests.ReadTimeout(urllib3.exceptions.ReadTimeoutError(pool, "/", "Read timed out."))
    assert type(_translated(silent)) is OllamaTimedOut


def _translated(error: Exception) -> ServerError:
    return from_urllib3(error, URL, awaited="reply", timeout_s=1.0, connect_s=1.0)
