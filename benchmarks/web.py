"""What the page costs: its start, its memory, how soon it is seen, how soon an event is on it, what pages cost a run.

With 100,000 stored events and ten runs that go on. Start and memory are the server's alone; paint, event and the pages
that follow are of a real browser (Chromium). Processor time is given beside wall time where others' work on the machine
would lengthen that.
"""

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from benchmarks.measure import RUNS, Figure
from super_agent.core import events as ev
from super_agent.core.store.store import Store
from super_agent.session.control_socket import ControlSocket
from tests.web.chromium import PROGRAM, Chromium, chromium
from tests.web.conftest import Server, serving

STORED_EVENTS, STORED_SESSIONS = 100_000, 100
RUNS_UNDER_WAY = 10
EDITS_A_TURN = 33
"""Messages, files and calls: some 100 events."""
PIECES = 300
TOKENS_A_SECOND = 100.0
"""Faster than a 16B model writes on one good card, so that the share is an upper bound."""
PAGES = 3
SETTLE_S = 1.0
"""For what was sent to be passed on, and for a page to be idle."""
PAINT = "(performance.getEntriesByName('first-contentful-paint')[0] || {}).startTime || 0"
STORY = "document.getElementById('story')"
WATCH = (
    f"window.seen = 0; new MutationObserver(() => {{ if ({STORY}.innerText.includes('MARK'))"
    f" window.seen = window.seen || Date.now(); }}).observe({STORY}, {{childList: true, subtree: true}}); 1"
)


def figures() -> Iterator[Figure]:
    """Those of the browser only where there is one."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with Store.open(home / "home" / "state") as store:
            _fill(store)
        walls, cpus = zip(*[_start(home) for _ in range(RUNS + 1)][1:], strict=True)
        yield Figure("`web`: from the command to the link", "s", walls, 1)
        yield Figure("its processor time", "s", cpus, 1)
        with _under_way(home) as streams, serving(home, "--root", folder) as server:
            yield from _of_server(server, streams)
            if PROGRAM is None:
                print("(no chromium: what is seen in the browser was not measured)", file=sys.stderr)
                return
            profiles = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
            with profiles as profile, chromium(Path(profile)) as window:
                yield from _of_browser(window, server, streams)
            yield Figure("`web`: memory of its server after all that", "MB", (_memory_mb(server),), 60)


def _fill(store: Store) -> None:
    """Sessions as runs leave them."""
    for number in range(STORED_SESSIONS):
        session, facts = f"20261101-000000-{number:04}", _facts(number)
        with store.begin(session, facts) as recorder:
            for at, (turn, event) in enumerate(_told(facts), 1):
                recorder(ev.Stamped(session, turn, at, 1.7e9 + at, event))


def _told(facts: ev.RunStarted) -> Iterator[tuple[int, ev.Event]]:
    """A run's events with their turns; as many as make STORED_EVENTS of all sessions."""
    left, turn = STORED_EVENTS // STORED_SESSIONS - 2, 0
    yield 0, facts
    while left > 0:
        turn += 1
        events: list[ev.Event] = [ev.TurnStarted(turn)]
        for text in range(EDITS_A_TURN):
            events += [
                ev.MessagePosted("coder", f"message {text} " * 20),
                ev.FileWritten("a.py", "edited", "+x\n-y\n" * 20, 20, 20),
                ev.RequestFinished("autogen", 900, 50, 2.0, None),
            ]
        yield from ((turn, event) for event in events[:left])
        left -= len(events)
    yield turn, ev.RunEnded("check_passed", 0, "", turn, 60.0, ("a.py",), (), {})


def _facts(number: int) -> ev.RunStarted:
    where = ("/w", "m", "http://localhost:11434")
    return ev.RunStarted(f"task {number}", "team", *where, "pytest", "bubblewrap", {"turns": 8})


def _start(home: Path) -> tuple[float, float]:
    """Seconds of wall and of processor until the link is told, from where on it is answered."""
    began = time.perf_counter()
    with serving(home) as server:
        wall_s = time.perf_counter() - began
        times = psutil.Process(server.process.pid).cpu_times()
    return wall_s, times.user + times.system


@contextmanager
def _under_way(home: Path) -> Iterator[list[ev.EventStream]]:
    """Runs that go on, each with its socket, as they are in processes of their own."""
    state, streams = home / "home" / "state", []
    with ExitStack() as stack:
        for number in range(RUNS_UNDER_WAY):
            name = f"20261127-000000-{number:04}"
            recorder = stack.enter_context(stack.enter_context(Store.open(state)).begin(name, _facts(number)))
            stream = ev.EventStream(name, (recorder,))
            control = ControlSocket(state / "sessions" / name, stream, recorder, lambda: None)
            control.open()
            stack.callback(control.close)
            stream.sinks = (*stream.sinks, control)
            stream.emit(_facts(number))
            stream.emit(ev.TurnStarted(1))
            streams.append(stream)
        yield streams


def _of_server(server: Server, streams: list[ev.EventStream]) -> Iterator[Figure]:
    """Without a browser: the list and a run, over plain HTTP."""
    with server.let_in() as browser:
        for name, path in (("the list", ""), ("a run", f"sessions/{streams[0].session}")):
            browser.get(path)  # what only this page needs is imported once
            took = [browser.get(path).elapsed.total_seconds() for _ in range(RUNS)]
            yield Figure(f"`web`: {name}, until all of it is there, without a browser", "s", tuple(took), 0.3)
    yield Figure("`web`: memory of its server", "MB", (_memory_mb(server),), 60)


def _of_browser(window: Chromium, server: Server, streams: list[ev.EventStream]) -> Iterator[Figure]:
    with server.let_in() as browser:
        window.open(re.findall(r"https?://[^<\s]+enter\?token=[^<\s]+", browser.post("invite").text)[0])
    window.wait("document.querySelector('form[role=search]')")
    for name, path in (
        ("the list", ""),
        ("a session of 1,000 events", "sessions/20261101-000000-0000"),
        ("a run", f"sessions/{streams[0].session}"),
    ):
        painted = tuple(_paint_s(window, server.base + path) for _ in range(2 * RUNS))
        yield Figure(f"`web`: first paint of {name}", "s", painted, 0.3)
    latencies = tuple(_latency_ms(window, server, stream) for stream in streams)
    yield Figure("`web`: from an event's emit to the page", "ms", latencies, 100)
    window.open(f"{server.base}new")  # which follows nothing
    window.wait("document.querySelector('form.begin')")
    time.sleep(SETTLE_S)
    alone = statistics.median(_processor_share(streams[0]) for _ in range(RUNS))
    tabs = [window.new_window(f"{server.base}sessions/{streams[0].session}") for _ in range(PAGES)]
    share = tuple(_processor_share(streams[0]) - alone for _ in range(RUNS + 1))[1:]
    for tab in tabs:  # each was told all of it
        with window.in_tab(tab):
            window.wait("document.getElementById('streaming').innerText.includes('token')")
    yield Figure(f"`web`: of a processor, what {PAGES} pages cost a run at 100 tokens a second", "%", share, 1)


def _paint_s(window: Chromium, address: str) -> float:
    """From the beginning of the navigation to the first text on the screen, as the browser says it."""
    window.open("about:blank")
    window.wait("location.href == 'about:blank'")
    window.open(address)
    window.wait(f"location.href == '{address}' && {PAINT}")
    return float(window.evaluate(PAINT)) / 1000


def _latency_ms(window: Chromium, server: Server, stream: ev.EventStream) -> float:
    """By the clock of this machine, which both read."""
    window.open(f"{server.base}sessions/{stream.session}")
    window.wait(f"location.href.endsWith('{stream.session}') && {STORY} && {STORY}.innerText.includes('Turn 1')")
    window.evaluate(WATCH)
    time.sleep(SETTLE_S)
    emitted = time.time()
    stream.emit(ev.MessagePosted("coder", "MARK"))
    window.wait("window.seen")
    return float(window.evaluate("window.seen")) - 1000 * emitted


def _processor_share(stream: ev.EventStream) -> float:
    """Percent of one processor that this process takes while a reply streams, its threads that tell pages included."""
    before, began = time.process_time(), time.perf_counter()
    for number in range(1, PIECES + 1):
        stream.emit(ev.TextStreamed("coder", "token "))
        time.sleep(max(0.0, began + number / TOKENS_A_SECOND - time.perf_counter()))
    return 100 * (time.process_time() - before) / (time.perf_counter() - began)


def _memory_mb(server: Server) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii"))
    if found is None:
        raise RuntimeError("the server has ended")
    return int(found[1]) * 1024 / 1e6


if __name__ == "__main__":  # `python -m benchmarks.web`: these alone, kept nowhere
    for figure in figures():
        print(figure.row(), flush=True)
