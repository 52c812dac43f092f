"""One run of several calls in a process of its own: `python -m tests.live.talker STATE_DIR BASE_URL MODEL NAME CALLS`.

Each call extends the one before it. For each there is a line of JSON on stdout with its times (monotonic, the same
clock for all processes) and counts; waits for other runs are lines too.
"""

import json
import sys
import time
from dataclasses import asdict
from typing import Any

from interpreter.ollama_adapter import OllamaAdapter
from super_agent.core.events import Event, Queued, QueuePassed
from super_agent.core.instance.instance_watch import InstanceWatch, RunMiddleware, make_ready
from super_agent.core.model.chat import Message, Reply
from super_agent.core.model.middleware import CountingMiddleware
from super_agent.core.ollama.api import Ollama
from super_agent.core.queue.run_queue import RunQueue
from super_agent.core.settings import load_settings

SLOTS = 1


def tell(kind: str, **fields: Any) -> None:
    """One line."""
    sys.stdout.write(json.dumps({"kind": kind, **fields}) + "\n")
    sys.stdout.flush()


def heard(event: Event) -> None:
    """The waits."""
    if isinstance(event, Queued | QueuePassed):
        tell("queued" if isinstance(event, Queued) else "queue_passed", **asdict(event))


def main() -> None:
    """Talk."""
    state, base_url, model, name, calls = sys.argv[1:]
    flags = {"base_url": base_url, "model": model, "state_dir": state, "max_reply_tokens": 24}
    settings = load_settings(flags, environ={})
    with Ollama(settings) as server:
        watch = InstanceWatch(server, settings, heard)
        watch.begin(make_ready(server, settings, heard))
        queue = RunQueue(settings, model, f"run {name}", heard, lambda: SLOTS)
        middleware = RunMiddleware(CountingMiddleware(), watch, heard, queue=queue)
        adapter = OllamaAdapter(settings, middleware, 8192, emit=heard)
        facts = " ".join(f"{name} has {number * 7} stones in box {number}." for number in range(30))
        messages = [Message("user", f"You are {name}. {facts}")]
        tell("ready")
        sys.stdin.readline()
        for number in range(int(calls)):
            reply = list(adapter.stream(messages))[-1]
            assert isinstance(reply, Reply)
            ended = time.monotonic()
            tell(
                "call",
                name=name,
                ended=ended,
                began=ended - reply.wall_s,
                prompt=reply.prompt_tokens,
                out=reply.completion_tokens,
            )
            messages += [Message("assistant", reply.text), Message("user", f"And what is in box {number}?")]
        adapter.close()
        queue.close()


if __name__ == "__main__":
    main()
