"""The OpenAI-style client: POST {OLLAMA_BASE_URL}/v1/chat/completions over httpx. It knows nothing of AutoGen.

`/v1` has no field for the context size, keep_alive or truncation, and this client cannot express one: what decides
about the runner is baked into the model that the settings name.
"""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar

from super_agent.core.errors import ServerError
from super_agent.core.events import Emit, discard
from super_agent.core.model.chat import Message, Reply, ReplyPiece, Sampling
from super_agent.core.model.client import ERROR_BODY_TIMEOUT_S, ModelClient
from super_agent.core.model.completions import PATH, CompletionRequest, CompletionStream, response_format, tools_out
from super_agent.core.model.liveness import TELL_EVERY_S, LivenessMonitor
from super_agent.core.model.middleware import CallMiddleware
from super_agent.core.model.prefill import NO_PREFILL, Prefill, PrefilledReply
from super_agent.core.model.wire import messages_out
from super_agent.core.ollama import http_errors
from super_agent.core.ollama.http import authorization
from super_agent.core.settings import Settings
from super_agent.core.threads import call_soon, start_in_thread

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")


class LLMClient(ModelClient):
    """One conversation partner of the team's side. Not thread-safe: it lives in one event loop."""

    KIND = "autogen"
    PATH = PATH
    context_length: int

    def __init__(
        self,
        settings: Settings,
        middleware: CallMiddleware,
        context_length: int,
        *,
        emit: Emit = discard,
        tell_every_s: float = TELL_EVERY_S,
    ) -> None:
        """As `ModelClient` has it; nothing is connected yet."""
        super().__init__(settings, middleware, context_length, emit, tell_every_s)
        self._http: httpx.AsyncClient | None = None
        self._deadline: asyncio.Timeout | None = None

    def beside(self, emit: Emit) -> "LLMClient":
        """Another conversation with the same model, for requests beside this one's; whoever asks for it closes it."""
        return LLMClient(
            self._settings, self._middleware, self.context_length, emit=emit, tell_every_s=self._tell_every_s
        )

    def go_back(self) -> None:
        """The next prompt gives up the end of the last one on purpose; what both begin with is still in the cache."""
        self._budget.go_back()

    async def stream(
        self,
        messages: Sequence[Message],
        *,
        json_schema: Mapping[str, Any] | None = None,
        tools: Sequence[Mapping[str, Any]] = (),
        reply_limit_tokens: int | None = None,
        stop: Sequence[str] = (),
        sampling: Sampling | None = None,
        prefill: Prefill = NO_PREFILL,
    ) -> AsyncGenerator[ReplyPiece | Reply, None]:
        """Pieces as they arrive, and last the whole `Reply`. `tools` are schemas: name, description, parameters.

        A text of `stop` ends the reply and is left out of it; without `sampling` the settings say how it is drawn.
        `prefill` is how the reply begins, for the model to go on with.
        Where `ReplyDiscarded` is emitted, the pieces so far are none of the reply.

        Raises `PromptTooLong` before anything is sent where the prompt would not fit (`/v1` would cut it silently),
        `LimitReached` from the middleware, and the `ServerError`s. Cancelling the task closes the connection at once.
        """
        request = self._request(messages, prefill, json_schema, tools, reply_limit_tokens, stop, sampling)
        facts = self.facts_of(messages, request.max_tokens, json.dumps(request.tools) if tools else "", prefill.text)
        reply, pieces, started = None, 0, time.monotonic()
        try:
            # Not in asyncio's pool, which an ending run would wait for: the middleware may block in a queue.
            await start_in_thread(lambda: self._middleware.before(facts), "middleware")
            started = time.monotonic()
            async with aclosing(self._tried(request.body(), prefill)) as items:
                async for item in items:
                    if isinstance(item, Reply):
                        reply = item
                    else:
                        pieces += 1
                        yield item
            if reply is None:
                raise RuntimeError("the last try ended without a reply")
            self._middleware.after(self.usage_of(messages, reply, prefill.text))
        finally:
            facts.given_up.set()  # a cancelled task leaves its middleware waiting in a thread
            cut = self.usage_of_cut(facts, pieces, time.monotonic() - started, prefill.text) if reply is None else None
            self._middleware.ended(facts, cut)
        yield reply

    def _request(
        self,
        messages: Sequence[Message],
        prefill: Prefill,
        json_schema: Mapping[str, Any] | None,
        tools: Sequence[Mapping[str, Any]],
        reply_limit_tokens: int | None,
        stop: Sequence[str],
        sampling: Sampling | None,
    ) -> CompletionRequest:
        begun = [Message("assistant", prefill.text)] if prefill.text else []
        return CompletionRequest(
            model=self.model,
            messages=messages_out([*messages, *begun]),
            temperature=self._settings.temperature if sampling is None else sampling.temperature,
            top_p=self._settings.top_p,
            max_tokens=self.reply_limit(reply_limit_tokens),
            seed=self._settings.seed if sampling is None else sampling.seed,
            stop=[*stop, *prefill.stop] or None,
            response_format=None if json_schema is None else response_format(json_schema),
            tools=tools_out(tools) or None,
        )

    async def _tried(self, body: bytes, prefill: Prefill) -> AsyncGenerator[ReplyPiece | Reply, None]:
        """One request, sent again as `Retries` allows."""
        retries = self._retries()
        self._http = self._http or self._connected()
        while True:
            started = time.monotonic()
            stream, joined = CompletionStream(self.base_url), PrefilledReply(prefill)
            try:
                async with aclosing(self._pieces(self._http, body, stream)) as pieces:
                    async for piece in pieces:
                        retries.pieces += 1
                        for part in joined.take(piece):
                            yield part
                reply = stream.end(time.monotonic() - started)
            except ServerError as error:
                wait_s = retries.wait_after(error)
            else:
                for item in joined.whole(reply):
                    yield item
                return
            await asyncio.sleep(wait_s)

    async def aclose(self) -> None:
        """Close the connections."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def _pieces(
        self, http: "httpx.AsyncClient", body: bytes, stream: CompletionStream
    ) -> AsyncGenerator[ReplyPiece, None]:
        """Send, and read the pieces as they come; nothing of httpx leaves from here."""
        import httpx

        settings, loop = self._settings, asyncio.get_running_loop()
        ended_by = lambda: call_soon(loop, self._end_wait)  # noqa: E731
        try:
            with self._monitor(ended_by) as liveness:
                answer = await self._send(http, body, liveness)
                try:
                    chunks = answer.aiter_bytes()
                    wait_s, awaited, since = settings.first_token_timeout_s, "reply", loop.time()
                    while (
                        data := await self._within(anext(chunks, None), awaited, wait_s, liveness, since)
                    ) is not None:
                        for piece in stream.feed(data):
                            liveness.piece()
                            yield piece
                            wait_s, awaited = settings.between_tokens_timeout_s, "further piece of the reply"
                            since = loop.time()
                finally:
                    await answer.aclose()
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            raise from_httpx(error, self.base_url, settings) from error

    async def _send(self, http: "httpx.AsyncClient", body: bytes, liveness: LivenessMonitor) -> "httpx.Response":
        """The answer, as soon as its headers are here; raises for a status that is not 200 and for web pages."""
        request = http.build_request("POST", self.endpoint, content=body, headers={"Content-Type": "application/json"})
        sent = http.send(request, stream=True)
        answer = await self._within(sent, "reply", self._settings.first_token_timeout_s, liveness)
        if answer.status_code == 200 and not http_errors.is_web_page(answer.headers.get("Content-Type", "")):
            return answer
        try:
            text = await self._within(answer.aread(), "end of its error", ERROR_BODY_TIMEOUT_S, liveness)
        finally:
            await answer.aclose()
        raise http_errors.from_status(self.base_url, self.model, answer.status_code, text)

    async def _within(
        self, work: Awaitable[T], awaited: str, seconds: float, liveness: LivenessMonitor, since: float | None = None
    ) -> T:
        started = asyncio.get_running_loop().time() if since is None else since
        try:
            async with asyncio.timeout_at(started + seconds) as self._deadline:
                if liveness.dead is not None:
                    self._end_wait()
                return await work
        except TimeoutError as error:
            liveness.raise_if_dead(error)
            raise http_errors.timed_out(self.base_url, awaited, seconds) from error
        finally:
            self._deadline = None

    def _end_wait(self) -> None:
        """The deadline is now, in the loop's own thread."""
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time())

    def _connected(self) -> "httpx.AsyncClient":
        """Made at the first request: importing httpx costs 0.1 s, which `verify` need not pay."""
        import httpx

        secure = self._settings.base_url.startswith("https:") or self._settings.proxy is not None
        return httpx.AsyncClient(
            headers=authorization(self._settings),
            # The system's authorities, as in the other clients; reading them takes time that plain HTTP need not pay.
            verify=ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            trust_env=False,  # proxy variables could send the two halves to different servers
            proxy=self._settings.proxy,
            timeout=httpx.Timeout(None, connect=self._settings.connect_timeout_s),
        )


def from_httpx(error: Exception, base_url: str, settings: Settings) -> ServerError:
    """httpx's errors as ours; complete, as a test over its exception classes shows."""
    import httpx

    match error:
        case httpx.ConnectTimeout():
            return http_errors.no_answer(base_url, f"no connection in {settings.connect_timeout_s:g} s")
        case httpx.TimeoutException():
            return http_errors.timed_out(base_url, "reply", settings.first_token_timeout_s)
        case httpx.ConnectError() | httpx.UnsupportedProtocol() | httpx.InvalidURL() | httpx.ProxyError():
            return http_errors.unreachable(base_url, error)
        case _:
            transient = isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError)
            return http_errors.broken(base_url, f"{type(error).__name__}: {error}", transient=transient)
