"""What watching the instance costs: one look at each turn's start and before each request of a second or more."""

from collections.abc import Iterator

from benchmarks.measure import Figure, repeated, seconds
from super_agent.core.events import Event
from super_agent.core.instance.instance_watch import InstanceWatch, make_ready
from super_agent.core.ollama.api import Ollama
from tests.scripted_ollama import ScriptedOllama


def figures() -> Iterator[Figure]:
    """The goal is one hundredth of a turn of one second."""
    events: list[Event] = []
    with ScriptedOllama() as server, Ollama(server.settings()) as management:
        watch = InstanceWatch(management, server.settings(), events.append)
        watch.begin(make_ready(management, server.settings(), events.append))
        yield Figure("one observation of the watch", "ms", repeated(lambda: 1000 * seconds(watch.observe), 50), 10)
        yield Figure(
            "one look before a request", "ms", repeated(lambda: 1000 * seconds(watch.observe_before_call), 50), 10
        )
