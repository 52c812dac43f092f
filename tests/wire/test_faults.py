"""Every way a server can fail, for both clients: the same error classes, and words that someone can act on.

Nothing is tried again here: test_attempts.py does that.
"""

import time

import pytest

from super_agent.core.client_kind import ClientKind
from super_agent.core.errors import (
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
)
from super_agent.core.settings import load_settings
from tests.scripted_ollama import ScriptedOllama, refused_url
from tests.scripted_replies import HTML, HTML_404, Answer, Raw, Refuse, Say, Silence, too_long
from tests.wire.both import HELLO, KINDS, RecordingGate, ask, converse, outcomes

both = pytest.mark.parametrize("kind", KINDS)
MUCH_LATER_S = 5
LONG = "one two three four five six seven eight"


def failure(kind: ClientKind, answer: Answer, **settings: float) -> ServerError:
    """The error that a client makes of an answer; the middleware never hears of a reply then."""
    middleware = RecordingGate()
    with ScriptedOllama([answer]) as server, pytest.raises(ServerError) as caught:
        converse(kind, server.settings(retries=0, **settings), [HELLO], middleware=middleware)
    assert middleware.after_calls == []
    assert middleware.ended_calls == middleware.before_calls
    assert caught.value.fix
    assert "\n" not in str(caught.value)
    return caught.value


@both
def test_a_port_where_nothing_listens(kind: ClientKind) -> None:
    with refused_url() as url, pytest.raises(OllamaUnreachable, match=r"\(Connection refused\)") as caught:
        ask(kind, load_settings({"base_url": url, "retries": 0}, environ={}))
    assert url in caught.value.what
    assert "super-agent up" in caught.value.fix


@both
def test_a_host_that_has_no_address(kind: ClientKind) -> None:
    with pytest.raises(OllamaUnreachable, match="(Name or service not known|No address|Temporary failure)"):
        ask(kind, load_settings({"base_url": "http://no-such-host.invalid:1"}, environ={}))


@both
def test_a_server_that_accepts_and_never_answers(kind: ClientKind) -> None:
    started = time.monotonic()
    error = failure(kind, Silence(), first_token_timeout_s=0.2)
    assert isinstance(error, OllamaTimedOut)
    assert "sent no reply within 0.2 s" in error.what
    assert time.monotonic() - started < MUCH_LATER_S


@both
def test_a_server_that_falls_silent_in_mid_reply(kind: ClientKind) -> None:
    started = time.monotonic()
    error = failure(kind, Say(LONG, end="silence"), between_tokens_timeout_s=0.2)
    assert isinstance(error, OllamaTimedOut)
    assert "sent no further piece of the reply within 0.2 s" in error.what
    assert time.monotonic() - started < MUCH_LATER_S


@both
def test_headers_alone_are_no_first_token(kind: ClientKind) -> None:
    error = failure(kind, Say(LONG, end="silence", pieces_before_end=0), first_token_timeout_s=0.2)
    assert isinstance(error, OllamaTimedOut)
    assert "sent no reply within 0.2 s" in error.what


@both
def test_a_slow_server_is_waited_for(kind: ClientKind) -> None:
    with ScriptedOllama([Say(LONG, wait_s=1.5, pause_s=0.02)]) as server:
        assert ask(kind, server.settings(between_tokens_timeout_s=1.0)).text == LONG


@both
@pytest.mark.parametrize("pieces", [0, 1, 4])
def test_a_connection_cut_in_mid_reply(kind: ClientKind, pieces: int) -> None:
    assert isinstance(failure(kind, Say(LONG, end="cut", pieces_before_end=pieces)), ReplyBroken)


@both
def test_a_connection_cut_before_any_answer(kind: ClientKind) -> None:
    assert isinstance(failure(kind, Raw(b"", end="cut")), ReplyBroken)


@both
def test_a_stream_that_ends_without_a_finish_reason(kind: ClientKind) -> None:
    error = failure(kind, Say(LONG, end="no_finish"))
    assert isinstance(error, ReplyBroken)
    assert "ended before the reply did" in error.what


def test_a_native_reply_that_is_done_for_no_reason_lost_its_runner() -> None:
    assert isinstance(failure("open-interpreter", Say(LONG, finish="")), ReplyBroken)


@both
@pytest.mark.parametrize("reason", ["load", "unload", "content_filter"])
def test_a_finish_reason_that_no_reply_has(kind: ClientKind, reason: str) -> None:
    error = failure(kind, Say(LONG, finish=reason))
    assert isinstance(error, ReplyBroken)
    assert reason in error.what


@both
def test_an_error_object_after_a_200(kind: ClientKind) -> None:
    error = failure(kind, Say(LONG, end="error_object", error="llama-server process has terminated: signal: killed"))
    assert isinstance(error, ServerFailed)
    assert "llama-server process has terminated: signal: killed" in error.what


def test_a_runner_that_dies_in_mid_reply_as_each_api_shows_it() -> None:
    assert isinstance(failure("open-interpreter", Say(LONG, end="failed")), ServerFailed)
    # `/v1` swallows the error: an empty piece, and then the stream ends as if all were well.
    assert isinstance(failure("autogen", Say(LONG, end="failed")), ReplyBroken)


def test_v1_without_token_counts_is_broken_because_limits_depend_on_them() -> None:
    body = b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    assert isinstance(failure("autogen", Raw(body, content_type="text/event-stream")), ReplyBroken)


@both
@pytest.mark.parametrize(
    "body",
    [
        b"\x00\xff\xfe garbage",
        b"data: garbage\n\n",
        b"null\n",
        b"[1]\n",
        b"17\n",
        b'{"message": "text", "choices": 5}\n',
        b'{"message": {"content": {}}, "choices": [{"delta": {"content": {}}}]}\n',
        b'data: {"choices": [{"delta": {"content": "half a',
        b"{" * 70000,
        b"",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_reply_that_is_garbage(kind: ClientKind, body: bytes) -> None:
    content_type = "text/event-stream" if kind == "autogen" else "application/x-ndjson"
    error = failure(kind, Raw(body, content_type=content_type))
    assert isinstance(error, ReplyBroken)
    assert len(error.what) < 300


@both
@pytest.mark.parametrize("answer", [HTML, HTML_404, Raw(b"404 page not found", 404, "text/plain"), Raw(b"moved", 302)])
def test_something_that_is_not_ollama(kind: ClientKind, answer: Raw) -> None:
    assert isinstance(failure(kind, answer), NotOllama)


@both
def test_a_redirect_is_not_followed_to_another_server(kind: ClientKind) -> None:
    with ScriptedOllama(["no"]) as other:
        moved = Raw(b"", 307, headers={"Location": other.base_url + "/api/chat"})
        assert isinstance(failure(kind, moved), NotOllama)
        assert other.requests == []


@both
def test_a_model_that_the_server_does_not_have(kind: ClientKind) -> None:
    with ScriptedOllama() as server, pytest.raises(ModelNotFound) as caught:
        ask(kind, server.settings(model="nope"))
    assert caught.value.what == f"{server.base_url} has no model nope"
    assert caught.value.fix == "Create it: super-agent up --model nope"


@both
def test_a_prompt_that_the_servers_own_count_finds_too_long(kind: ClientKind) -> None:
    error = failure(kind, too_long(12701, 8192))
    assert isinstance(error, PromptTooLong)
    assert (error.prompt_tokens, error.context_length) == (12701, 8192)


@both
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, RequestRejected),
        (401, RequestRejected),
        (403, RequestRejected),
        (404, ModelNotFound),
        (422, RequestRejected),
        (429, ServerBusy),
        (500, ServerFailed),
        (502, ServerFailed),
        (503, ServerBusy),
        (504, ServerFailed),
    ],
)
def test_each_status(kind: ClientKind, status: int, expected: type[ServerError]) -> None:
    error = failure(kind, Refuse(status, "the server's own words"))
    assert type(error) is expected
    if status not in (401, 403, 404):
        assert "the server's own words" in error.what


@both
def test_a_refused_key_names_the_setting_and_never_the_key(kind: ClientKind) -> None:
    with ScriptedOllama([Refuse(401, "unauthorized")]) as server, pytest.raises(RequestRejected) as caught:
        ask(kind, server.settings(api_key="s3cret"))
    assert "SUPER_AGENT_API_KEY" in caught.value.fix
    assert "s3cret" not in str(caught.value)


@both
def test_an_error_page_of_a_proxy_in_front(kind: ClientKind) -> None:
    error = failure(kind, Raw(b"<html>502 Bad Gateway</html>", 502, "text/html"))
    assert isinstance(error, ServerFailed)


@both
def test_an_error_whose_body_never_ends(kind: ClientKind) -> None:
    assert isinstance(failure(kind, Raw(b'{"error": "x"}', 500, end="cut")), ReplyBroken | ServerFailed)


@both
def test_a_server_that_died_between_two_calls(kind: ClientKind) -> None:
    with ScriptedOllama(["a"]) as server:
        settings = server.settings(retries=0)
        ask(kind, settings)
    with pytest.raises(OllamaUnreachable):
        ask(kind, settings)


@both
def test_a_client_goes_on_after_each_fault(kind: ClientKind) -> None:
    faults: list[Answer] = [Refuse(500, "x"), Say(LONG, end="cut"), Raw(b"garbage"), Say(LONG, end="failed"), HTML]
    script = [answer for fault in faults for answer in (fault, "fine")]
    with ScriptedOllama(script) as server:
        results = outcomes(kind, server.settings(retries=0), [HELLO] * len(script))
    assert [isinstance(r, ServerError) for r in results] == [True, False] * len(faults)
    assert {r.text for r in results if not isinstance(r, ServerError)} == {"fine"}
