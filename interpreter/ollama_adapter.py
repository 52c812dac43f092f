"""The executor's client: POST {OLLAMA_BASE_URL}/api/chat over requests, synchronous, cancellable from any thread.

Its request can hold sampling options only: no num_ctx, no num_gpu, no keep_alive, so it can never make Ollama reload
the model that AutoGen's half uses.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from urllib3.exceptions import HTTPError

from interpreter.native_stream import PATH, ChatRequest, NativeStream, SamplingOptions
from super_agent.core.cancellation import Cancellation
from super_agent.core.errors import Interrupted, ServerError
from super_agent.core.events import Emit, discard
from super_agent.core.model.chat import Message, Reply, ReplyPiece, Sampling
from super_agent.core.model.client import ERROR_BODY_TIMEOUT_S, ModelClient
from super_agent.core.model.liveness import TELL_EVERY_S
from super_agent.core.model.middleware import CallMiddleware, RequestFacts
from super_agent.core.model.wire import messages_out
from super_agent.core.ollama import http_errors
from super_agent.core.ollama.sockets import Sockets
from super_agent.core.ollama.urllib3_errors import from_urllib3
from super_agent.core.settings import Settings

if TYPE_CHECKING:
    import requests

CHUNK_BYTES = 65536


class OllamaAdapter(ModelClient):
    """One conversation partner of the executor's side: one call at a time, `cancel` from any thread."""

    KIND = "open-interpreter"
    PATH = PATH

    def __init__(
        self,
        settings: Settings,
        middleware: CallMiddleware,
        context_length: int | None = None,
        *,
        emit: Emit = discard,
        tell_every_s: float = TELL_EVERY_S,
    ) -> None:
        """As `ModelClient` has it; nothing is connected yet."""
        super().__init__(settings, middleware, context_length, emit, tell_every_s)
        self._sockets = Sockets()
        self._session: requests.Session | None = None
        self._facts: RequestFacts | None = None
        self.sampling: Sampling | None = None
        """How replies are drawn; None is as the settings say."""

    def stream(
        self, messages: Sequence[Message], cancellation: Cancellation | None = None
    ) -> Iterator[ReplyPiece | Reply]:
        """Pieces as they arrive, and last the whole `Reply`. Where `ReplyDiscarded` is emitted, the pieces so far are
        none of the reply.

        Raises `PromptTooLong` (by our estimate or the server's count), `LimitReached` from the middleware,
        `Interrupted` after `cancel` or where it is cancelled, and the `ServerError`s.
        """
        self._sockets.begin()
        limit = self.reply_limit()
        facts = self._facts = self.facts_of(messages, limit)
        reply, pieces, started = None, 0, time.monotonic()
        forget = (cancellation or Cancellation()).on_cancel(self.cancel)
        try:
            self._middleware.before(facts)
            started = time.monotonic()  # without the wait in a queue
            self._raise_if_cancelled()
            with closing(self._tried(self._request(messages, limit).body(), facts)) as items:
                for item in items:
                    if isinstance(item, Reply):
                        reply = item
                    else:
                        pieces += 1
                        yield item
            if reply is None:
                raise RuntimeError("the last try ended without a reply")
            self._middleware.after(self.usage_of(messages, reply))
        finally:
            forget()
            cut = self.usage_of_cut(facts, pieces, time.monotonic() - started) if reply is None else None
            self._middleware.ended(facts, cut)
        yield reply

    def _request(self, messages: Sequence[Message], limit_tokens: int) -> ChatRequest:
        drawn = self.sampling
        options = SamplingOptions(
            temperature=self._settings.temperature if drawn is None else drawn.temperature,
            top_p=self._settings.top_p,
            num_predict=limit_tokens,
            seed=self._settings.seed if drawn is None else drawn.seed,
        )
        return ChatRequest(model=self.model, messages=messages_out(messages), options=options)

    def cancel(self) -> None:
        """End the call under way at once: its thread gets `Interrupted`; without one nothing happens."""
        self._sockets.shut()
        if (facts := self._facts) is not None:
            facts.given_up.set()  # it may wait in the middleware, or for the next try

    def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            self._session.close()

    def _tried(self, body: bytes, facts: RequestFacts) -> Generator[ReplyPiece | Reply, None, None]:
        """One request, sent again as `Retries` allows."""
        retries = self._retries()
        self._session = self._session or self._connected()
        while True:
            started = time.monotonic()
            stream = NativeStream(self.base_url)
            try:
                with closing(self._pieces(self._session, body, stream)) as pieces:
                    for piece in pieces:
                        retries.pieces += 1
                        yield piece
                reply = stream.end(time.monotonic() - started)
            except ServerError as error:
                wait_s = retries.wait_after(error)
            else:
                yield reply
                return
            facts.given_up.wait(wait_s)
            self._raise_if_cancelled()

    def _pieces(
        self, session: "requests.Session", body: bytes, stream: NativeStream
    ) -> Generator[ReplyPiece, None, None]:
        """Send, and read the pieces as they come; nothing of requests or urllib3 leaves from here."""
        settings = self._settings
        awaited, wait_s = "reply", settings.first_token_timeout_s
        deadline = time.monotonic() + wait_s
        with self._monitor(self._sockets.drop) as monitor:
            try:
                with self._posted(session, body) as answer:
                    while True:
                        self._sockets.set_timeout(max(deadline - time.monotonic(), 0.001))
                        if not (data := answer.raw.read1(CHUNK_BYTES, decode_content=True)):
                            break
                        for piece in stream.feed(data):
                            monitor.piece()
                            yield piece
                            awaited, wait_s = "further piece of the reply", settings.between_tokens_timeout_s
                            deadline = time.monotonic() + wait_s
            except (OSError, HTTPError) as error:  # every error of requests is an OSError
                self._raise_if_cancelled(error)
                monitor.raise_if_dead(error)
                raise from_urllib3(
                    error, self.base_url, awaited=awaited, timeout_s=wait_s, connect_s=settings.connect_timeout_s
                ) from error
            self._raise_if_cancelled()
            monitor.raise_if_dead()

    def _connected(self) -> "requests.Session":
        """Made at the first request: importing requests takes time that `verify` need not pay."""
        from interpreter.transport import session_on

        return session_on(self._sockets, self._settings)

    def _posted(self, session: "requests.Session", body: bytes) -> "requests.Response":
        """The answer, as soon as its headers are here; raises for a status that is not 200 and for web pages."""
        settings = self._settings
        answer = session.post(
            self.endpoint,
            data=body,
            headers={"Content-Type": "application/json"},
            stream=True,
            timeout=(settings.connect_timeout_s, settings.first_token_timeout_s),
            allow_redirects=False,
        )
        if answer.status_code == 200 and not http_errors.is_web_page(answer.headers.get("Content-Type", "")):
            return answer
        with answer:
            self._sockets.set_timeout(ERROR_BODY_TIMEOUT_S)
            raise http_errors.from_status(self.base_url, self.model, answer.status_code, answer.content)

    def _raise_if_cancelled(self, cause: BaseException | None = None) -> None:
        if self._sockets.was_shut:
            raise Interrupted("the model call was cancelled") from cause
