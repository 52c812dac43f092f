"""A slow reply is told from a dead server, by both clients."""

import threading

import pytest

from super_agent.core.client_kind import ClientKind
from super_agent.core.errors import OllamaUnreachable, ServerError
from super_agent.core.events import Event, Waiting
from super_agent.core.model.liveness import FAILED_PROBES, LivenessMonitor
from super_agent.core.settings import Settings
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Refuse, Say, Silence
from tests.wire.both import HELLO, KINDS, converse, last

both = pytest.mark.parametrize("kind", KINDS)
LONG = "one two three four"


@both
def test_a_slow_server_is_left_to_work_and_the_wait_is_told(kind: ClientKind) -> None:
    events: list[Event] = []
    with ScriptedOllama([Say(LONG, wait_s=0.7)]) as server:
        items = converse(kind, server.settings(), [HELLO], emit=events.append, tell_every_s=0.2)[0]
        probes = [r for r in server.requests if r.path == "/api/version"]
    assert last(items).text == LONG
    assert len(probes) == len(events) >= 2
    assert all(isinstance(e, Waiting) and e.client == kind and e.waiting_for == "first_piece" for e in events)
    seconds = [e.seconds for e in events if isinstance(e, Waiting)]
    assert seconds == sorted(seconds)
    assert seconds[0] >= 0.2


@both
def test_a_pause_in_mid_reply_is_told_as_such(kind: ClientKind) -> None:
    events: list[Event] = []
    with ScriptedOllama([Say("one two", pause_s=0.5)]) as server:
        converse(kind, server.settings(), [HELLO], emit=events.append, tell_every_s=0.2)
    assert {e.waiting_for for e in events if isinstance(e, Waiting)} == {"next_piece"}


@both
def test_a_reply_that_comes_steadily_is_not_looked_at(kind: ClientKind) -> None:
    events: list[Event] = []
    with ScriptedOllama([Say(LONG * 10, pause_s=0.02)]) as server:
        converse(kind, server.settings(), [HELLO], emit=events.append, tell_every_s=0.5)
        assert [r.path for r in server.requests] == [r.path for r in server.chats]
    assert events == []


@both
def test_a_server_that_answers_an_error_is_alive(kind: ClientKind) -> None:
    events: list[Event] = []
    with ScriptedOllama([Say(LONG, wait_s=0.5)]) as server:
        server.overrides["/api/version"] = Refuse(503, "busy")
        items = converse(kind, server.settings(), [HELLO], emit=events.append, tell_every_s=0.2)[0]
    assert last(items).text == LONG
    assert events


@both
@pytest.mark.parametrize("answer", [Silence(), Say(LONG, end="silence", pieces_before_end=2)], ids=["first", "next"])
def test_a_server_that_is_dead_is_given_up_long_before_the_deadline(kind: ClientKind, answer: Silence | Say) -> None:
    events: list[Event] = []
    with ScriptedOllama([answer]) as server:
        settings = server.settings(retries=0)

        def close_door() -> None:
            server.wait_for_requests(1)
            server.close_door()

        closing = threading.Thread(target=close_door)
        closing.start()
        with pytest.raises(OllamaUnreachable, match="Connection refused"):
            converse(kind, settings, [HELLO], emit=events.append, tell_every_s=0.3)
        closing.join()
    assert events == []


class HardOfHearing(LivenessMonitor):
    """Its probes fail, but never FAILED_PROBES times in a row."""

    probes = 0

    def probe(self) -> ServerError | None:
        self.probes += 1
        return None if self.probes % FAILED_PROBES == 0 else OllamaUnreachable("no answer")


def test_looks_that_fail_now_and_then_end_nothing() -> None:
    told, dead = threading.Event(), threading.Event()
    with HardOfHearing("autogen", Settings(), lambda _event: told.set(), dead.set, 0.05) as monitor:
        assert told.wait(10)
    assert monitor.probes == FAILED_PROBES
    assert not dead.is_set()
    monitor.raise_if_dead()
