"""The parent's side of Open Interpreter's loop: it says whose turn it is, and everything else happens here.

The loop decides only when to ask the model and when to run code. So a host that dies, lies or falls silent costs
nothing but a restart: the conversation is in our own record, and a reply it did not act on is handed over again.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from interpreter.code_blocks import CodeBlock
from interpreter.engine.process import SILENCE_S, HostFailed, HostProcess
from super_agent.core.cancellation import Cancellation
from super_agent.core.errors import EngineFailed, Interrupted

HOST = Path(__file__).parents[1] / "open_interpreter" / "host.py"
ISOLATED = ("-I", "-X", "utf8", "-W", "ignore")
"""Neither our folder nor the working folder on its path; its libraries warn on import."""
MAX_RESTARTS = 2
"""For one instruction; a host that dies a third time is broken, not unlucky."""


@dataclass(frozen=True, slots=True)
class EngineReply:
    """A model's reply as the loop gets it: its text and the one block that is to run, if any."""

    text: str
    block: CodeBlock | None


class Engine:
    """One Open Interpreter process, started when it is first needed and again after a failure."""

    def __init__(
        self,
        python: Path,
        on_restart: Callable[[str], None] = lambda _reason: None,
        *,
        host: Path = HOST,
        silence_s: float = SILENCE_S,
    ) -> None:
        """`python` is the interpreter of the engine's own environment, `host` what it runs."""
        self._command = (str(python), *ISOLATED, str(host))
        self._fix = f"If it happens again, remove {python.parent.parent}: it is made anew at the next start"
        self._silence_s = silence_s
        self._on_restart = on_restart
        self._host: HostProcess | None = None
        self._cancelled = threading.Event()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._conversing = threading.RLock()

    def start(self) -> None:
        """Start the host where none lives; raises `EngineFailed`, `Interrupted` when cancelled or closed."""
        self._cancelled.clear()
        self._started()

    def converse(
        self,
        instruction: str,
        ask: Callable[[], EngineReply],
        run: Callable[[CodeBlock], str],
        cancellation: Cancellation | None = None,
    ) -> None:
        """Drive one instruction to its end: `ask()` at each model's turn, `run(block)` for each block.

        What they raise passes through unchanged, and the next instruction works; raises `EngineFailed` when the host
        fails three times, `Interrupted` after `close` or where it is cancelled. One conversation at a time.
        """
        with self._conversing, self._cancelled_by(cancellation or Cancellation()):
            turn = _Turn(ask, run)
            for attempt in range(MAX_RESTARTS + 1):
                host = self._started()
                try:
                    turn.drive(host, instruction)
                    return
                except HostFailed as failure:
                    self._drop()
                    self._raise_if_stopped()
                    if attempt == MAX_RESTARTS:
                        what = f"Open Interpreter failed {attempt + 1} times: {failure}"
                        raise EngineFailed(what, fix=self._fix) from failure
                    self._on_restart(str(failure))
                except BaseException:
                    # It waits for an answer that will not come: a fresh one (0.2 s) is simpler than taking a turn back.
                    self._drop()
                    raise

    def cancel(self) -> None:
        """End a wait for the host within 0.2 s, from any thread; what `ask` and `run` wait for is their owner's."""
        self._cancelled.set()

    @contextmanager
    def _cancelled_by(self, cancellation: Cancellation) -> Iterator[None]:
        self._cancelled.clear()
        with cancellation.ending(self.cancel):
            yield

    def close(self) -> None:
        """End the host for good, from any thread; idempotent. A conversation under way ends with `Interrupted`."""
        self._closed.set()
        with self._lock:
            if self._host is not None:
                self._host.kill()
        # A conversation that is inside `ask` or `run` drops the host itself when it comes back.
        if self._conversing.acquire(timeout=1.0):
            try:
                self._drop()
            finally:
                self._conversing.release()

    def _started(self) -> HostProcess:
        with self._lock:
            self._raise_if_stopped()
            if self._host is None:
                try:
                    self._host = HostProcess(self._command, self._is_stopped, self._silence_s)
                except HostFailed as failure:
                    raise EngineFailed(f"Open Interpreter did not start: {failure}", fix=self._fix) from failure
            return self._host

    def _is_stopped(self) -> bool:
        return self._cancelled.is_set() or self._closed.is_set()

    def _raise_if_stopped(self) -> None:
        if self._is_stopped():
            raise Interrupted("the executor was interrupted")

    def _drop(self) -> None:
        with self._lock:
            host, self._host = self._host, None
        if host is not None:
            host.close()


class _Turn:
    """One instruction; outlives a host, so that a reply a dead host did not act on is handed over again."""

    def __init__(self, ask: Callable[[], EngineReply], run: Callable[[CodeBlock], str]) -> None:
        self._ask = ask
        self._run = run
        self._unused: EngineReply | None = None

    def drive(self, host: HostProcess, instruction: str) -> None:
        """Raises `HostFailed` for whatever is not this: (ask, reply, run, output)*, ask, reply, end."""
        order = ["user/message"]
        host.send(kind="instruct", text=instruction)
        while True:
            _expect(host, "ask", order)
            reply = self._unused = self._unused or self._ask()
            block = reply.block
            # A turn without text and code would leave the loop where it was, and it would ask for ever.
            text = reply.text or ("" if block else "(no answer)")
            order += ["assistant/message"] * bool(text) + ["assistant/code"] * bool(block)
            if block is None:
                host.send(kind="reply", text=text, language=None, code=None)
                _expect(host, "end", order)
                return
            host.send(kind="reply", text=text, language=block.language, code=block.code)
            asked = _expect(host, "run")
            if (asked.get("language"), asked.get("code")) != (block.language, block.code):
                raise HostFailed("it wanted to run code that no reply held")
            self._unused = None
            host.send(kind="output", text=self._run(block))
            order.append("computer/console")


def _expect(host: HostProcess, kind: str, order: Sequence[str] | None = None) -> dict[str, object]:
    """Its next message, of that kind and with its messages in our record's order."""
    message = host.receive()
    if message.get("kind") != kind:
        raise HostFailed(f"it said {message.get('kind')!r:.40} out of turn: {kind!r} was due")
    if order is not None and message.get("order") != order:
        raise HostFailed(f"its record is {message.get('order')}, ours {order}"[:500])
    return message
