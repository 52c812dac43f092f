"""What a run alone pays for the queue and for the liveness monitor at each model call, which takes a second or more."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Figure, repeated, seconds
from super_agent.core.events import discard
from super_agent.core.model.liveness import LivenessMonitor
from super_agent.core.model.middleware import RequestFacts
from super_agent.core.queue.run_queue import RunQueue
from super_agent.core.settings import load_settings


def figures() -> Iterator[Figure]:
    """The goals are a thousandth of a call of one second."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({"state_dir": Path(folder)}, environ={})
        queue = RunQueue(settings, "model", "alone", discard, lambda: 1)

        def pass_queue() -> None:
            request = RequestFacts("autogen", "model", 1000)
            queue.enter(request)
            queue.leave(request)

        def monitored() -> None:
            with LivenessMonitor("autogen", settings, discard, lambda: None) as monitor:
                monitor.piece()

        yield Figure(
            "the queue, for one call of a run alone", "ms", repeated(lambda: 1000 * seconds(pass_queue), 200), 1
        )
        yield Figure("the liveness monitor over one call", "ms", repeated(lambda: 1000 * seconds(monitored), 200), 1)
        queue.close()
