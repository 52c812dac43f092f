"""A conversation that was ended carries out nothing more, also what was said just before."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from super_agent.core.cancellation import Cancellation
from super_agent.core.errors import Interrupted
from super_agent.core.events import Event, Notice
from super_agent.session.chat import Chat
from super_agent.session.run_options import Door


class Waiting:
    """An executor that works until it is cancelled."""

    def carry_out(self, _instruction: str, cancellation: Cancellation) -> None:
        assert cancellation.wait(10), "nothing ended the action"
        raise Interrupted("cancelled")


@pytest.mark.timeout(30)
def test_what_is_said_when_the_door_was_cancelled_is_ended_at_once() -> None:
    cancellation, emitted = Cancellation(), list[Event]()
    nothing = SimpleNamespace(snapshot=lambda _name: None, at_turn_start=lambda: None, emit=emitted.append)
    conversation = Chat(
        cast("Any", nothing), cast("Any", nothing), cast("Any", nothing), cast("Any", Waiting()),
        Door((), cancellation=cancellation),
    )  # fmt: skip
    cancellation.cancel()
    conversation.say("write add.py")
    assert emitted[-1] == Notice("warning", "interrupted; the conversation goes on")
