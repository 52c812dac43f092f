"""The plan with where the run stands, what happened to the instance over time, and many events in a real browser."""

import re
from collections.abc import Callable

import pytest

from super_agent.core import events as ev
from super_agent.core.store.store import Store
from super_agent.session.html_report.instance_history_chart import history_plot
from super_agent.session.plan_progress import steps_of
from tests.cli.scripted_runs import stamped, started, team_run
from tests.web.chromium import PROGRAM, Chromium
from tests.web.conftest import Server, enter, keep, sse

Serve = Callable[..., Server]


def plan_of(page: str) -> tuple[list[str], str]:
    """The steps and where it stands."""
    element = page.partition('id="plan"')[2].partition("</section>")[0]
    stands = element.partition('class="dim">')[2].partition("</span>")[0]
    return re.findall(r"<li>(.*?)</li>", element), " ".join(stands.split())


def test_steps_are_those_of_a_list() -> None:
    assert steps_of("I plan:\n1. Write a.\n 2) Try <b>.\n- Tell.\n\nThat is all. 3. no") == (
        "Write a.", "Try <b>.", "Tell.",
    )  # fmt: skip


def test_the_plan_stands_on_the_page_with_where_the_run_is(serve: Serve, store: Store) -> None:
    run = team_run()
    keep(store, "done", run)
    keep(store, "under-way", run[: next(at for at, s in enumerate(run) if s.event == ev.TurnStarted(2)) + 1])
    keep(store, "planless", stamped(started("solo"), ev.TurnStarted(1)))
    steps = ["Write add.py with add(a, b), which returns the sum of its two arguments.", "Keep it short."]
    with serve().let_in() as browser:
        assert plan_of(browser.get("sessions/done").text) == (steps, "turn 2 · the check passed · the run has ended")
        assert plan_of(browser.get("sessions/under-way").text) == (steps, "turn 2 · the check failed")
        assert "hidden" in browser.get("sessions/planless").text.partition('id="plan"')[2].partition(">")[0]
        with browser.stream("GET", "sessions/done/stream?after=0&mark=0") as answer:
            messages = sse(answer)
            told = []
            while (message := next(messages))[0] != "ended":
                told += [message[1]] if message[0] == "plan" else []
    assert [(plan["turn"], plan["check"]) for plan in told] == [
        (0, "failed"), (0, "failed"), (1, "failed"), (2, "failed"), (2, "passed"), (2, "passed"),
    ]  # fmt: skip
    assert told[-1] == {"steps": steps, "turn": 2, "check": "passed", "ended": True}


def test_what_happened_to_the_instance_is_drawn_over_time(serve: Serve, store: Store) -> None:
    keep(store, "s1", stamped(
        started(), ev.InstanceNoted("load", True, "loaded in 3 s"), ev.TurnStarted(1),
        ev.InstanceNoted("reload", False, "loaded <b>again</b>", "another num_ctx", "Give none"),
        ev.InstanceNoted("eviction", False, "it was unloaded"),
    ))  # fmt: skip
    with serve(OLLAMA_BASE_URL="http://127.0.0.1:9").let_in() as browser:
        page = browser.get("instance").text
    drawn = page.partition("<svg")[2].partition("</svg>")[0]
    assert re.findall(r'<circle class="(\w+)"', drawn) == ["code", "failed", "failed"]
    assert re.findall(r'<text x="0" y="\d+">([\w-]+)</text>', drawn) == ["load", "reload", "eviction", "truncation"]
    assert "loaded &lt;b&gt;again&lt;/b&gt;" in drawn
    assert "another num_ctx" in page
    assert page.count("sessions/s1") == 3
    assert history_plot([], "nothing") == ""


def test_seldom_events_are_looked_for_among_the_last_alone(store: Store) -> None:
    noted = ev.InstanceNoted("load", True, "loaded in 3 s")
    keep(store, "old", stamped(started(), noted, *[ev.TurnStarted(n) for n in range(1, 50)]))
    keep(store, "new", stamped(started(), noted, noted))
    assert [s.session for s in store.recent("instance_noted", most=9, among=1000)] == ["old", "new", "new"]
    assert [s.seq for s in store.recent("instance_noted", most=1, among=1000)] == [3]
    assert [s.session for s in store.recent("instance_noted", most=9, among=40)] == ["new", "new"]


@pytest.mark.skipif(PROGRAM is None, reason="no chromium is installed: apt-get install chromium")
def test_ten_thousand_events_and_a_plan_that_comes_later(window: Chromium, serve: Serve, store: Store) -> None:
    many: list[ev.Event] = [started()]
    for number in range(1, 1001):
        many += [ev.TurnStarted(number), ev.MessagePosted("coder", f"message {number}")]
        many += [ev.RequestFinished("autogen", 100, 10, 0.1, None)] * 8
    run = stamped(*many, ev.MessagePosted("planner", "1. Do <i>this</i>.\n2. Do that."), ev.TurnStarted(1001))
    base = enter(window, serve())
    with store.begin("s1", run[0].event) as recorder:  # type: ignore[arg-type]
        for item in run[:-2]:
            recorder(item)
        recorder.flush()
        window.open(f"{base}sessions/s1")
        window.wait("document.readyState == 'complete' && document.getElementById('story')")
        assert window.evaluate("document.querySelectorAll('#story h2').length") == 1000
        assert window.evaluate("document.getElementById('plan').hidden")
        for item in run[-2:]:
            recorder(item)
        recorder.flush()
        window.wait("!document.getElementById('plan').hidden")
        window.wait("document.getElementById('plan-stands').textContent == 'turn 1001'")
    assert window.evaluate("[...document.querySelectorAll('#plan li')].map(e => e.textContent)") == [
        "Do <i>this</i>.", "Do that.",
    ]  # fmt: skip
    assert window.complaints() == []
