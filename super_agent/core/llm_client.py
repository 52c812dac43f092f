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

from super_agent.core import http_errors
from super_agent.core.budget import Account
from super_agent.core.chat import Message, Reply, ReplyPiece
from super_agent.core.errors import ServerError
from super_agent.core.gate import Gate
from super_agent.core.openai_stream import PATH, CompletionRequest, CompletionStream, response_format, tools_out
from super_agent.core.settings import Settings
from super_agent.core.threads import start_in_thread
from super_agent.core.wire import authorization, messages_out

if TYPE_CHECKING:
    import httpx

ERROR_BODY_TIMEOUT_S = 10.0

T = TypeVar("T")


class LLMClient:
    """One conversation partner of the team's side. Not thread-safe: it lives in one event loop."""

    def __init__(self, settings: Settings, gate: Gate, context_length: int) -> None:
        """`context_length` is in tokens, as `/api/ps` reports it for the loaded model. Nothing is connected yet."""
        self.context_length = context_length
        self._settings = settings
        self._gate = gate
        self._account = Account("autogen", settings, context_length)
        self._http: httpx.AsyncClient | None = None

    @property
    def base_url(self) -> str:
        """The server this client sends to."""
        return self.endpoint.removesuffix(PATH)

    @property
    def endpoint(self) -> str:
        """The URL this client posts to."""
        return self._settings.base_url + PATH

    @property
    def model(self) -> str:
        """The model name this client sends."""
        return self._settings.model

    def reply_limit(self, wanted: int | None = None) -> int:
        """Tokens a reply may have: the settings' limit, at most a quarter of the context, or fewer if `wanted`."""
        return self._account.reply_limit(wanted)

    def estimate_tokens(self, messages: Sequence[Message]) -> int:
        """What the server will count for this prompt, rather too many than too few."""
        return self._account.estimate(messages)

    def begin_anew(self) -> None:
        """The next prompt gives up the prefix on purpose (a compaction)."""
        self._account.begin_anew()

    async def stream(
        self,
        messages: Sequence[Message],
        *,
        json_schema: Mapping[str, Any] | None = None,
        tools: Sequence[Mapping[str, Any]] = (),
        reply_limit_tokens: int | None = None,
        stop: Sequence[str] = (),
    ) -> AsyncGenerator[ReplyPiece | Reply, None]:
        """Pieces as they arrive, and last the whole `Reply`. `tools` are schemas: name, description, parameters.

        A text of `stop` ends the reply and is left out of it.

        Raises `PromptTooLong` before anything is sent where the prompt would not fit (`/v1` would cut it silently),
        `LimitReached` from the gate, and the `ServerError`s. Cancelling the task closes the connection at once.
        """
        request = CompletionRequest(
            model=self.model,
            messages=messages_out(messages),
            temperature=self._settings.temperature,
            top_p=self._settings.top_p,
            max_tokens=self.reply_limit(reply_limit_tokens),
            stop=[*stop] or None,
            response_format=None if json_schema is None else response_format(json_schema),
            tools=tools_out(tools) or None,
        )
        facts = self._account.opened(messages, request.max_tokens, json.dumps(request.tools) if tools else "")
        # Not in asyncio's pool, which an ending run would wait for: the gate may block in a queue.
        await start_in_thread(lambda: self._gate.before(facts), "gate")
        self._http = self._http or self._connected()
        started = time.monotonic()
        stream = CompletionStream(self.base_url)
        async with aclosing(self._pieces(self._http, request.body(), stream)) as pieces:
            async for piece in pieces:
                yield piece
        reply = stream.end(time.monotonic() - started)
        self._gate.after(self._account.closed(messages, reply))
        yield reply

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

        settings = self._settings
        try:
            answer = await self._send(http, body)
            try:
                chunks = answer.aiter_bytes()
                wait_s, awaited, since = settings.first_token_timeout_s, "reply", asyncio.get_running_loop().time()
                while (data := await self._within(anext(chunks, None), awaited, wait_s, since)) is not None:
                    for piece in stream.feed(data):
                        yield piece
                        wait_s, awaited = settings.between_tokens_timeout_s, "further piece of the reply"
                        since = asyncio.get_running_loop().time()
            finally:
                await answer.aclose()
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            raise from_httpx(error, self.base_url, settings) from error

    async def _send(self, http: "httpx.AsyncClient", body: bytes) -> "httpx.Response":
        """The answer, as soon as its headers are here; raises for a status that is not 200 and for web pages."""
        request = http.build_request("POST", self.endpoint, content=body, headers={"Content-Type": "application/json"})
        answer = await self._within(http.send(request, stream=True), "reply", self._settings.first_token_timeout_s)
        if answer.status_code == 200 and not http_errors.is_web_page(answer.headers.get("Content-Type", "")):
            return answer
        try:
            text = await self._within(answer.aread(), "end of its error", ERROR_BODY_TIMEOUT_S)
        finally:
            await answer.aclose()
        raise http_errors.from_status(self.base_url, self.model, answer.status_code, text)

    async def _within(self, work: Awaitable[T], awaited: str, seconds: float, since: float | None = None) -> T:
        started = asyncio.get_running_loop().time() if since is None else since
        try:
            async with asyncio.timeout_at(started + seconds):
                return await work
        except TimeoutError as error:
            raise http_errors.timed_out(self.base_url, awaited, seconds) from error

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
            return http_errors.broken(base_url, f"{type(error).__name__}: {error}")
