"""A run that contends for the model, as a process of its own: `python -m tests.core.contender STATE_DIR SCRIPT`.

SCRIPT is one command a word: `enter`, `leave`, `turn`, `sleep:SECONDS`, `hang`; each is told on stdout when it is done,
as are the events of waiting.
"""

import sys
import time
from pathlib import Path

from super_agent.core.events import Event, Queued
from super_agent.core.model.middleware import RequestFacts
from super_agent.core.queue.run_queue import RunQueue
from super_agent.core.settings import Settings, load_settings


def settings(state_dir: Path, **flags: object) -> Settings:
    """The same server and model for everybody."""
    return load_settings({"base_url": "http://127.0.0.1:1", "model": "m", "state_dir": state_dir, **flags}, environ={})


def facts() -> RequestFacts:
    """A request; only its identity counts."""
    return RequestFacts("autogen", "m", 10)


def tell(event: Event) -> None:
    """One line for each event."""
    text = f"queued {event.position}" if isinstance(event, Queued) else type(event).__name__.lower()
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Play the script."""
    queue = RunQueue(settings(Path(sys.argv[1])), "m", "contender", tell, lambda: 1)
    request = facts()
    for word in sys.argv[2:]:
        command, _, number = word.partition(":")
        if command == "enter":
            request = facts()
            queue.enter(request)
        elif command == "leave":
            queue.leave(request)
        elif command == "turn":
            queue.turn_ended()
        elif command == "sleep":
            time.sleep(float(number))
        elif command == "hang":
            time.sleep(3600)
        sys.stdout.write(command + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
