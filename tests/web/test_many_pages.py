"""Eight pages of one browser, which opens six connections to a host: in tabs, of which one is seen, and in windows."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from super_agent.core import events as ev
from super_agent.core.store.store import Store
from super_agent.session.control_socket import ControlSocket
from tests.web.chromium import PROGRAM, Chromium
from tests.web.conftest import Server, enter

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no chromium is installed: apt-get install chromium")
PAGES = 8
FACTS = ev.RunStarted("do it", "team", "/w", "m", "http://h", None, "bubblewrap", {})


@pytest.fixture
def streams(store: Store, tmp_path: Path) -> Iterator[list[ev.EventStream]]:
    """That many runs which go on, each with its socket, as in processes of their own."""
    found = []
    with ExitStack() as stack:
        for number in range(PAGES):
            recorder = stack.enter_context(store.begin(f"run-{number}", FACTS))
            stream = ev.EventStream(f"run-{number}", (recorder,))
            folder = tmp_path / "home" / "state" / "sessions" / f"run-{number}"
            control = ControlSocket(folder, stream, recorder, lambda: None)
            control.open()
            stack.callback(control.close)
            stream.sinks = (*stream.sinks, control)
            stream.emit(FACTS)
            stream.emit(ev.TurnStarted(1))
            found.append(stream)
        yield found


def tells(text: str) -> str:
    """True on a page that has it."""
    return f"document.getElementById('story') && document.getElementById('story').innerText.includes('{text}')"


def test_eight_tabs_follow_eight_runs_and_miss_nothing_while_nobody_sees_them(
    window: Chromium, serve: Callable[..., Server], streams: list[ev.EventStream]
) -> None:
    base = enter(window, serve())
    tabs = [window.new_tab(f"{base}sessions/{stream.session}") for stream in streams]
    for tab, stream in zip(tabs, streams, strict=True):
        with window.in_tab(tab):
            window.wait(tells("Turn 1"))
            stream.emit(ev.MessagePosted("coder", f"seen in {stream.session}"))
            window.wait(tells(f"seen in {stream.session}"))
    for stream in streams:
        stream.emit(ev.TextStreamed("coder", "streams at the moment"))
        stream.emit(ev.MessagePosted("coder", f"unseen in {stream.session}"))
    for tab, stream in zip(tabs, streams, strict=True):
        with window.in_tab(tab):
            window.wait(tells(f"unseen in {stream.session}"))
            parts = "[...document.querySelectorAll('#story pre.said')].map(e => e.textContent)"
            assert window.evaluate(parts) == [f"{what} in {stream.session}" for what in ("seen", "unseen")]
            assert window.evaluate("document.getElementById('streaming').textContent") == ""
            assert window.evaluate("document.getElementById('status').textContent") == ""


def test_eight_windows_side_by_side_all_go_on_and_can_be_spoken_to(
    window: Chromium, serve: Callable[..., Server], streams: list[ev.EventStream]
) -> None:
    base = enter(window, serve())
    windows = [window.new_window(f"{base}sessions/{stream.session}") for stream in streams]
    for opened in windows:
        with window.in_tab(opened):
            window.wait(tells("Turn 1"))
    for opened, stream in zip(windows, streams, strict=True):
        stream.emit(ev.MessagePosted("coder", f"told by {stream.session}"))
        with window.in_tab(opened):
            window.wait(tells(f"told by {stream.session}"))
    with window.in_tab(windows[-1]):
        window.evaluate("document.querySelector('form.say input').value = 'hello'")
        window.evaluate("document.querySelector('form.say button').click()")
        window.wait("document.querySelector('form.say input').value == ''")
        window.evaluate(f"location.href = '{base}'")
        window.wait("document.querySelectorAll('.now li').length == 8")
