"""What went wrong on the wire, as our errors: one table for both clients and the management API."""

import errno
import html
import json
import os
import re
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

from super_agent.core.errors import (
    ModelElsewhere,
    ModelNotFound,
    NotOllama,
    OllamaTimedOut,
    OllamaUnreachable,
    PromptTooLong,
    ReplyBroken,
    RequestRejected,
    ServerBusy,
    ServerError,
    ServerFailed,
    ServerTooOld,
)

_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,300})", re.IGNORECASE)
LEAST_VERSION = "0.10.0"
"""Of Ollama: the first that tells the loaded context in /api/ps."""
CONTEXT_TYPE = "exceed_context_size_error"
"""llama-server's error type; Ollama hands it on as JSON inside a JSON string (measured on 0.32.15)."""

TRANSIENT = frozenset(
    {errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.ENETUNREACH, errno.EHOSTUNREACH}
)
"""What connecting to a server ends in while that is being started again, or its machine is."""


def unreachable(base_url: str, error: BaseException) -> OllamaUnreachable:
    """Nothing answers; the system's own error, deepest in the chain, says best why."""
    reason, cause, transient = str(error), _cause(error), False
    while cause is not None:
        if isinstance(cause, socket.gaierror | ssl.SSLError):
            reason, transient = str(cause.strerror), False
        elif isinstance(cause, OSError) and cause.errno is not None:
            reason, transient = os.strerror(cause.errno), cause.errno in TRANSIENT
        cause = _cause(cause)
    return no_answer(base_url, reason, transient=transient)


def no_answer(base_url: str, reason: str, *, transient: bool = True) -> OllamaUnreachable:
    """Nothing answers, for a known reason."""
    return OllamaUnreachable(
        f"no Ollama server answers at {base_url} ({reason})",
        fix="Start it with `super-agent up`, or set OLLAMA_BASE_URL",
        transient=transient,
    )


def timed_out(base_url: str, waiting_for: str, seconds: float) -> OllamaTimedOut:
    """The server is there and silent."""
    return OllamaTimedOut(
        f"{base_url} sent no {waiting_for} within {seconds:g} s",
        fix="See the server's log; SUPER_AGENT_FIRST_TOKEN_TIMEOUT_S and its kin give it longer",
    )


def broken(base_url: str, what: str, *, transient: bool = False) -> ReplyBroken:
    """A reply not in the protocol's form, or (`transient`) one whose connection or runner went away."""
    return ReplyBroken(
        f"the reply of {base_url} is broken: {what}",
        fix="See the server's log, then run this again",
        transient=transient,
    )


def not_ollama(base_url: str, seen: str) -> NotOllama:
    """Another program answers, or Ollama's own at a path that it does not have."""
    parts = urlsplit(base_url)
    fix = "Set OLLAMA_BASE_URL to the Ollama server"
    if parts.path:
        fix += f"; without a proxy it has no path: {parts.scheme}://{parts.netloc}"
    return NotOllama(f"what answers at {base_url} is not Ollama ({seen})", fix=fix)


def too_old(base_url: str, version: str, missing: str) -> ServerTooOld:
    """The server's answers lack what newer ones have; `missing` says what that is."""
    return ServerTooOld(
        f"Ollama {version} at {base_url} is too old: {missing}",
        fix=f"Update it: {LEAST_VERSION} is the least version that works",
    )


def elsewhere(model: str, host: str) -> ModelElsewhere:
    """A model that runs on another's machine, so that what it is told would leave this one."""
    where = f" at {host}" if host else ""
    return ModelElsewhere(
        f"{model} is a cloud model: it runs{where}, not on your server, which would send your files there",
        fix="Set DEFAULT_MODEL to a model that runs here",
    )


def from_status(base_url: str, model: str, status: int, body: bytes) -> ServerError:
    """The error for an answer that is no reply: another status than 200, or a web page; `model` may be ""."""
    error = error_in(parsed(body))
    if context := context_error(error):
        return context
    if status in (401, 403):
        return RequestRejected(f"{base_url} refused access (HTTP {status})", fix="Set SUPER_AGENT_API_KEY")
    if error is None and status < 500:
        return not_ollama(base_url, _instead(status, body))
    text = message_of(error) if error is not None else page_text(body)
    if status == 404:
        return model_not_found(model, base_url) if model else not_ollama(base_url, f"HTTP 404: {text}")
    if status in (429, 503):
        return ServerBusy(
            f"{base_url} is busy: {text}",
            fix="Wait for its other clients, or raise OLLAMA_MAX_QUEUE",
            transient=status == 503,
        )
    if status >= 500:
        return ServerFailed(
            f"{base_url} failed (HTTP {status}): {text or 'no reason given'}",
            fix="See the server's log",
            transient=status == 502,  # what a proxy says while the server behind it starts again
        )
    return RequestRejected(f"{base_url} rejected the request (HTTP {status}): {text}", fix="See the server's log")


def page_text(body: bytes) -> str:
    """What a body that is no JSON says: of a web page its title, of other text the beginning."""
    text = body.decode("utf-8", "replace")
    if text.lstrip()[:1] != "<":
        return message_of(text)
    title = _TITLE.search(text)
    return f"a web page, {message_of(html.unescape(title[1]))!r}" if title else "a web page"


def _instead(status: int, body: bytes) -> str:
    """What came instead of an error object."""
    if 300 <= status < 400:
        return f"it redirects with HTTP {status}, which is not followed"
    page = page_text(body) if body.lstrip()[:1] == b"<" else "no error object"
    return f"it answered with HTTP {status} and {page}"


def is_web_page(content_type: str) -> bool:
    """Whether an answer is meant for a browser, which Ollama's never are."""
    return content_type.strip().lower().startswith("text/html")


def from_object(base_url: str, error: object) -> ServerError:
    """The error for an error object that came in a stream after a 200."""
    return context_error(error) or ServerFailed(
        f"{base_url} failed after it had begun to answer: {message_of(error)}",
        fix="See the server's log, then run this again",
        transient=True,  # Ollama starts a runner that died again at the next request
    )


def model_not_found(model: str, base_url: str, near: tuple[str, ...] = ()) -> ModelNotFound:
    """The server does not have the model; `near` are names like it."""
    hint = f" (near: {', '.join(near)})" if near else ""
    return ModelNotFound(f"{base_url} has no model {model}{hint}", fix=f"Create it: super-agent up --model {model}")


def context_error(error: object) -> PromptTooLong | None:
    """The server's own word that a prompt does not fit, with its exact counts; None for other errors."""
    found = error
    if isinstance(error, str):
        inner = parsed(error.encode())
        found = error_in(inner) or inner
    if isinstance(found, dict) and isinstance(found.get("message"), str) and found.get("type") != CONTEXT_TYPE:
        inner = parsed(found["message"].encode())
        found = error_in(inner) or found
    if not isinstance(found, dict) or found.get("type") != CONTEXT_TYPE:
        return None
    return prompt_too_long(_int(found.get("n_prompt_tokens")), 0, _int(found.get("n_ctx")))


def prompt_too_long(prompt_tokens: int, reply_tokens: int, context_length: int) -> PromptTooLong:
    """The prompt and its reply exceed the context."""
    room = f" and {reply_tokens} for the reply" if reply_tokens else ""
    return PromptTooLong(
        f"the prompt of about {prompt_tokens} tokens{room} does not fit the context of {context_length}",
        fix="Use a model with a larger context: super-agent up --context N",
        prompt_tokens=prompt_tokens,
        context_length=context_length,
    )


def parsed(body: bytes) -> Any:
    """The body as JSON, or None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, UnicodeDecodeError):
        return None


def error_in(value: Any) -> Any:
    """The `error` member of an object, in either API's form, or None."""
    return value.get("error") if isinstance(value, dict) else None


def message_of(error: object) -> str:
    """The words of an error object, one line of at most 300 characters."""
    text = error.get("message", "") if isinstance(error, dict) else error
    return " ".join(str(text).split())[:300]


def _cause(error: BaseException) -> BaseException | None:
    """What lies below an error; of several addresses of one name, all refused, the last one tried."""
    cause = error.__cause__ or error.__context__
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[-1]
    return cause


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
