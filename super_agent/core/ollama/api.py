"""Ollama's management API: which models there are, what is loaded, load, create, pull. Synchronous and thread-safe.

Over urllib3 (requests brings it along): importing httpx would cost `verify` another 0.1 s of its 0.4 s.
"""

import difflib
import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar

import urllib3
from pydantic import BaseModel, ValidationError

from super_agent.core.closing import Closing
from super_agent.core.errors import Interrupted, ModelNotFound
from super_agent.core.ollama import http_errors
from super_agent.core.ollama.http import LineReader, authorization, encoded
from super_agent.core.ollama.responses import (
    GenerateResponse,
    ListResponse,
    LoadedModel,
    ModelDetails,
    ProgressLine,
    ProgressResponse,
    ShowResponse,
    StoredModel,
    VersionResponse,
    same_model,
)
from super_agent.core.ollama.sockets import Sockets, pools_on
from super_agent.core.ollama.urllib3_errors import from_urllib3
from super_agent.core.setting_forms import keep_alive_sent
from super_agent.core.settings import Settings

__all__ = ["LoadedModel", "ModelDetails", "Ollama", "ProgressResponse", "same_model"]

ANSWER_TIMEOUT_S = 10.0
"""For calls that the server answers from memory; they take milliseconds."""
LOAD_TIMEOUT_S = 600.0
"""A 16B model from a cold disk takes minutes; Ollama's own OLLAMA_LOAD_TIMEOUT is 5 minutes without progress."""
CHUNK_BYTES = 65536

A = TypeVar("A", bound=BaseModel)


class Ollama(Closing):
    """One server. Raises the `ServerError`s of `http_errors` and nothing of urllib3."""

    def __init__(self, settings: Settings, *, answer_timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        """Nothing is connected yet."""
        self.base_url = settings.base_url
        self._connect_s = settings.connect_timeout_s
        self._answer_s = answer_timeout_s
        self._headers = authorization(settings)
        # urllib3 itself reads no proxy variables, which could send the halves to different servers.
        self._http = urllib3.ProxyManager(settings.proxy) if settings.proxy else urllib3.PoolManager()
        self._sockets = Sockets()
        self._http.pool_classes_by_scheme = pools_on(self._sockets)

    def cancel(self) -> None:
        """From another thread: the call under way, and any later one, raises `Interrupted` at once."""
        self._sockets.shut()

    def close(self) -> None:
        """Close the connections."""
        self._http.clear()

    def version(self) -> str:
        """The server's version; `NotOllama` where something else answers."""
        return self._ask("GET", "/api/version", VersionResponse).version

    def models(self) -> tuple[StoredModel, ...]:
        """All models on the server."""
        return self._ask("GET", "/api/tags", ListResponse).stored()

    def show(self, model: str) -> ModelDetails:
        """What a model can do; `ModelNotFound` with near names where there is none, `ServerTooOld` if it cannot say."""
        try:
            shown = self._ask("POST", "/api/show", ShowResponse, {"model": model}, model=model)
            if shown.capabilities is None and not shown.remote_model:
                raise http_errors.too_old(self.base_url, self.version(), "it does not tell what its models can do")
            return shown.of(model)
        except ModelNotFound:
            names = {m.name.removesuffix(":latest").lower(): m.name.removesuffix(":latest") for m in self.models()}
            near = difflib.get_close_matches(model.removesuffix(":latest").lower(), names, n=3, cutoff=0.4)
            raise http_errors.model_not_found(model, self.base_url, tuple(names[n] for n in near)) from None

    def loaded(self, timeout_s: float = 0.0) -> tuple[LoadedModel, ...]:
        """What is in memory now; raises `ServerTooOld` where that leaves out the context."""
        rows = self._ask("GET", "/api/ps", ListResponse, timeout_s=timeout_s)
        if not rows.tell_the_context():
            raise http_errors.too_old(self.base_url, self.version(), "it does not tell the context it has loaded")
        return rows.loaded()

    def show_local(self, model: str) -> ModelDetails:
        """As `show`, of a model that is to be worked with; raises `ModelElsewhere` for a cloud model."""
        details = self.show(model)
        if details.is_remote:
            raise http_errors.elsewhere(model, details.remote_host)
        return details

    def load(self, model: str, keep_alive: str) -> float:
        """Load a model (nothing happens where it is loaded) and keep it; returns the seconds it took.

        The reply to an empty request carries no `load_duration` (0.32.15), so the call itself is timed.
        """
        started = time.monotonic()
        body = {"model": model, "keep_alive": keep_alive_sent(keep_alive)}
        self._ask("POST", "/api/generate", ProgressLine, body, model=model, timeout_s=LOAD_TIMEOUT_S)
        return time.monotonic() - started

    def answer(self, model: str, prompt: str, max_tokens: int) -> str:
        """What a model says to a prompt at temperature 0; no runner option, so nothing is loaded anew."""
        options = {"temperature": 0.0, "seed": 1, "num_predict": max_tokens}
        body = {"model": model, "prompt": prompt, "stream": False, "options": options}
        return self._ask(
            "POST", "/api/generate", GenerateResponse, body, model=model, timeout_s=LOAD_TIMEOUT_S
        ).response

    def unload(self, model: str) -> None:
        """Drop a model from memory."""
        self._ask("POST", "/api/generate", ProgressLine, {"model": model, "keep_alive": 0}, model=model)

    def create(
        self,
        model: str,
        base: str,
        *,
        parameters: Mapping[str, int | float] | None = None,
        license: str = "",  # noqa: A002 - Ollama's word
        system: str = "",
    ) -> Iterator[ProgressResponse]:
        """Make `model` from another one, with parameters baked in; a base that is not there is pulled first."""
        body: dict[str, Any] = {"model": model, "from": base, "parameters": dict(parameters or {})}
        body |= {name: value for name, value in (("license", license), ("system", system)) if value}
        yield from self._progress("/api/create", body, base)

    def create_from_gguf(self, model: str, gguf: Path) -> Iterator[ProgressResponse]:
        """Make `model` from a GGUF file on this machine, uploading it where the server lacks it."""
        with gguf.open("rb") as file:
            digest = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
            if not self._has_blob(digest):
                yield ProgressResponse("uploading", 0, gguf.stat().st_size)
                file.seek(0)
                with self._answer("POST", f"/api/blobs/{digest}", file, "", LOAD_TIMEOUT_S):
                    yield ProgressResponse("uploading", gguf.stat().st_size, gguf.stat().st_size)
        yield from self._progress("/api/create", {"model": model, "files": {gguf.name: digest}}, model)

    def pull(self, model: str) -> Iterator[ProgressResponse]:
        """Fetch a model from the registry that the server uses."""
        yield from self._progress("/api/pull", {"model": model}, model)

    def _has_blob(self, digest: str) -> bool:
        with self._answer("HEAD", f"/api/blobs/{digest}", None, "", good=(200, 404)) as answer:
            return answer.status == 200

    def _ask(
        self, method: str, path: str, form: type[A], body: object = None, *, model: str = "", timeout_s: float = 0.0
    ) -> A:
        """The answer in the form that it must have; `NotOllama` where it has another."""
        deadline = time.monotonic() + (timeout_s or self._answer_s)
        data = b""
        with self._answer(method, path, body, model, timeout_s) as answer:
            while part := answer.read1(CHUNK_BYTES):
                data += part
                if time.monotonic() > deadline:  # it trickles, or never ends
                    raise http_errors.timed_out(self.base_url, "end of its answer", timeout_s or self._answer_s)
        self._raise_if_cancelled()  # what a shut socket gave before looks like a whole answer
        try:
            return form.model_validate_json(data)
        except ValidationError as error:
            raise http_errors.not_ollama(self.base_url, f"{path} answers {data[:60]!r}") from error

    def _raise_if_cancelled(self, cause: BaseException | None = None) -> None:
        if self._sockets.was_shut:
            raise Interrupted("the call was cancelled") from cause

    def _progress(self, path: str, body: Mapping[str, Any], model: str) -> Iterator[ProgressResponse]:
        """The lines of a long job; raises `ReplyBroken` where they end before its success."""
        reader = LineReader()
        status = ""
        with self._answer("POST", path, body, model, LOAD_TIMEOUT_S) as answer:
            while data := answer.read1(CHUNK_BYTES):
                for line in reader.feed(data):
                    step = self._step(line)
                    status = step.status
                    yield step
        if status != "success":
            raise http_errors.broken(self.base_url, f"{path} ended after {status or 'nothing'!r}")

    def _step(self, line: bytes) -> ProgressResponse:
        try:
            step = ProgressLine.model_validate_json(line)
        except ValidationError as error:
            raise http_errors.broken(self.base_url, f"no line of this API: {line[:60]!r}") from error
        if step.error is not None:
            raise http_errors.from_object(self.base_url, step.error)
        return ProgressResponse(step.status, step.completed, step.total)

    @contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        body: object,
        model: str,
        timeout_s: float = 0.0,
        good: tuple[int, ...] = (200, 201),
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """One answer whose status is good; its body is read, or given up, when the block ends."""
        seconds = timeout_s or self._answer_s
        content = body if body is None or isinstance(body, BufferedReader) else encoded(body)
        try:
            answer = self._http.request(
                method,
                self.base_url + path,
                body=content,
                headers=self._headers | {"Content-Type": "application/json"},
                timeout=urllib3.Timeout(connect=self._connect_s, read=seconds),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                if answer.status not in good or http_errors.is_web_page(answer.headers.get("Content-Type", "")):
                    raise http_errors.from_status(self.base_url, model, answer.status, answer.data)
                yield answer
                answer.drain_conn()
            finally:
                answer.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            self._raise_if_cancelled(error)
            raise from_urllib3(
                error, self.base_url, awaited="answer", timeout_s=seconds, connect_s=self._connect_s
            ) from error
