"""What the pages show of stored sessions, and that hostile text in them stays text."""

import html
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest

from super_agent.core import events as ev
from super_agent.core.store.store import Store
from tests.cli.scripted_runs import RUNS, stamped, started, team_run
from tests.scripted_ollama import ScriptedOllama
from tests.web.conftest import Server, keep, sse

Serve = Callable[..., Server]
HOSTILE = (
    "</pre></script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>\x1b]8;;http://evil\x07"
    "\u202eevil\u2066 {{7*7}} {% raw %} &lt;b&gt; javascript:alert(1) " + "x" * 100_000
)


@pytest.fixture
def browser(serve: Serve) -> Iterator[httpx.Client]:
    """One that was let in."""
    with serve().let_in() as opened:
        yield opened


def test_the_list_can_be_searched_and_filtered(browser: httpx.Client, store: Store) -> None:
    for name, run in RUNS.items():
        keep(store, f"s-{name}", run())
    page = browser.get("").text
    assert all(f"sessions/s-{name}" in page for name in RUNS)
    assert "s-failed" not in browser.get("", params={"state": "done"}).text
    found = browser.get("", params={"q": "COMPILER small"}).text
    assert "s-failed" in found
    assert "s-team" not in found
    assert "s-team" not in browser.get("", params={"workspace": "/nowhere"}).text
    assert "None that fits." in browser.get("", params={"q": "<script>"}).text


def test_the_list_shows_what_ended_for_a_reason_or_began_on_some_days(browser: httpx.Client, store: Store) -> None:
    for name, run in RUNS.items():
        keep(store, f"s-{name}", run())
    ended = {name: run()[-1].event for name, run in RUNS.items()}
    errors = {f"s-{name}" for name, end in ended.items() if isinstance(end, ev.RunEnded) and end.reason == "error"}
    assert 0 < len(errors) < len(RUNS)
    assert listed(browser, reason="error") == errors
    assert listed(browser, reason="error", state="done") == set()
    today = datetime.now().astimezone().date()
    yesterday, tomorrow = str(today - timedelta(days=1)), str(today + timedelta(days=1))
    every = {f"s-{name}" for name in RUNS}
    assert listed(browser, since=yesterday, until=tomorrow) == every
    assert listed(browser, since=tomorrow) == listed(browser, until=yesterday) == set()
    assert listed(browser, since=yesterday, reason="error", q="s-") == errors


def test_a_choice_of_many_sessions_is_kept_from_page_to_page(browser: httpx.Client, store: Store) -> None:
    for number in range(103):
        keep(store, f"s-{number:03}", stamped(started(task="A & B"), ev.RunEnded("error", 3, "", 0, 1.0, (), (), {})))
    choice = {"q": "A & B", "reason": "error", "since": "2020-01-01"}
    page = browser.get("", params=choice).text
    assert "sessions/s-102" in page
    older = html.unescape(page.partition('rel="next" href="')[2].partition('"')[0])
    page = browser.get(browser.base_url.join(older)).text
    assert set(re.findall(r"sessions/(s-\d+)", page)) == {"s-000", "s-001", "s-002"}
    newer = html.unescape(page.partition('rel="prev" href="')[2].partition('"')[0])
    assert dict(httpx.URL(newer).params) == choice


@pytest.mark.parametrize(
    ("language", "query", "said"),
    [
        ("en", {"state": "<b>"}, "state=&lt;b&gt;: there is no such state"),
        ("en", {"reason": "luck"}, "reason=luck: there is no such reason"),
        ("en", {"since": "yesterday"}, "since=yesterday: this is no day; a day is written like 2026-11-27"),
        ("en", {"until": "2026-02-30"}, "until=2026-02-30: this is no day"),
        ("en", {"since": "2026-02-02", "until": "2026-02-01"}, "until=2026-02-01: this is before the day"),
        ("en", {"from": "-1"}, "from=-1: this is no number"),
        ("pt", {"state": "x"}, "state=x: este estado não existe"),
        ("pt", {"since": "ontem"}, "since=ontem: isto não é um dia"),
    ],
)
def test_a_choice_that_cannot_be_made_is_answered_with_one_line(
    serve: Serve, store: Store, language: str, query: dict[str, str], said: str
) -> None:
    keep(store, "s1", team_run())
    with serve(SUPER_AGENT_LANG=language).let_in() as browser:
        answer = browser.get("", params=query)
    assert answer.status_code == 400
    assert said in answer.text
    assert answer.text.count('role="alert"') == 1
    assert "sessions/s1" not in answer.text


def listed(browser: httpx.Client, **choice: str) -> set[str]:
    """The sessions of that page."""
    return set(re.findall(r'/sessions/(s-[^"]+)"', browser.get("", params=choice).text))


@pytest.mark.parametrize("name", RUNS)
def test_a_session_tells_what_the_export_tells(browser: httpx.Client, store: Store, name: str) -> None:
    keep(store, "s1", RUNS[name]())
    page, export = browser.get("sessions/s1"), browser.get("sessions/s1/export")
    story = export.text.partition("Before the first turn</h2>")[2].partition("</body>")[0].split("\n")
    assert [line for line in story if line.strip() and line not in page.text] == []
    assert "attachment" in export.headers["Content-Disposition"]
    cost = browser.get("sessions/s1/cost").text
    assert cost.count("<svg") >= export.text.count("<svg")
    assert browser.get("sessions/s2").status_code == 404
    assert "no snapshots" in browser.get("sessions/s1/diff").text or "workspace" in browser.get("sessions/s1/diff").text


def hostile_run() -> list[ev.Stamped]:
    """A run whose every text is hostile."""
    return stamped(
        started(task=HOSTILE, check=HOSTILE),
        ev.Notice("warning", HOSTILE, HOSTILE),
        ev.TurnStarted(1),
        ev.SpeakerStarted("coder"),
        ev.TextStreamed("coder", HOSTILE, reasoning=True),
        ev.TextStreamed("coder", HOSTILE),
        ev.MessagePosted("coder", HOSTILE),
        ev.FileWritten(HOSTILE, "created", f"+{HOSTILE}", 1, 0),
        ev.EditRefused(HOSTILE, HOSTILE),
        ev.FilesShown((HOSTILE,), (HOSTILE,)),
        ev.CodeStarted("executor", HOSTILE, HOSTILE),
        ev.OutputStreamed(HOSTILE),
        ev.CodeFinished("executor", "failed", 1, 0.1, 1, 0, HOSTILE),
        ev.FilesChanged((HOSTILE,), (), ()),
        ev.ApprovalAsked(HOSTILE, HOSTILE, (HOSTILE,)),
        ev.VerdictGiven("revise", HOSTILE),
        ev.UserSpoke(HOSTILE),
        ev.InstanceNoted("reload", False, HOSTILE, HOSTILE, HOSTILE),
        ev.TextStreamed("coder", HOSTILE),
        ev.RunEnded("error", 3, HOSTILE, 1, 1.0, (HOSTILE,), (), {}),
    )


@pytest.mark.parametrize("path", ["", "?q=<script>", "sessions/s1", "sessions/s1/cost", "sessions/s1/export"])
def test_hostile_text_is_text(browser: httpx.Client, store: Store, path: str) -> None:
    keep(store, "s1", hostile_run())
    page = browser.get(path).text
    lowered = page.lower()
    assert "&lt;script&gt;" in lowered
    assert lowered.count("<script") == lowered.count('<script src="/s/')
    assert "<img" not in lowered
    assert not {"\x1b", "\x07", "\u202e", "\u2066"} & set(page)
    assert "49" not in page.partition("<h1>")[2].partition("</h1>")[0]


def test_ten_thousand_events_are_a_page_that_begins_at_once(browser: httpx.Client, store: Store) -> None:
    events: list[ev.Event] = [started()]
    for number in range(1, 1001):
        events += [
            ev.TurnStarted(number),
            ev.SpeakerStarted("coder"),
            ev.MessagePosted("coder", f"message {number} " * 9),
        ]
        events += [ev.RequestFinished("autogen", 100, 10, 0.1, None)] * 7
    keep(store, "s1", stamped(*events))
    with browser.stream("GET", "sessions/s1") as answer:
        pieces = answer.iter_text()
        first = next(pieces)
        rest = "".join(pieces)
    assert "<h1>" in first
    assert "message 900 " not in first  # it was sent before the rest was read
    assert "message 1000 " in rest


def test_a_run_of_another_process_is_followed_and_gone_on_with(browser: httpx.Client, store: Store) -> None:
    events = [replace(event, session="s1") for event in team_run()]
    first = events[0].event
    assert isinstance(first, ev.RunStarted)
    with store.begin("s1", first) as recorder, browser.stream("GET", "sessions/s1/stream?after=0&mark=0") as answer:
        messages = sse(answer)
        for event in events:
            recorder(event)
        recorder.flush()
        told = [next(messages)]
        while told[-1][0] != "ended":
            told.append(next(messages))
    parts = [(data["html"], number) for kind, data, number in told if kind == "part"]
    assert "the check passed" in str(parts)
    last_read = parts[len(parts) // 2][1]
    with browser.stream("GET", "sessions/s1/stream?after=0&mark=0", headers={"Last-Event-ID": last_read}) as answer:
        messages = sse(answer)
        again = [next(messages)]
        while again[-1][0] != "ended":
            again.append(next(messages))
    assert [(data["html"], number) for kind, data, number in again if kind == "part"] == parts[len(parts) // 2 + 1 :]


def test_a_page_begins_anew_where_events_were_rolled_back(browser: httpx.Client, store: Store) -> None:
    keep(store, "s1", team_run())
    with browser.stream("GET", "sessions/s1/stream?after=0&mark=0") as answer:
        messages = sse(answer)
        assert next(messages)[0] == "part"
        store.continue_session("s1").close()
        while next(messages)[0] != "reset":
            continue
    with browser.stream("GET", "sessions/s1/stream?after=3&mark=0") as answer:
        assert next(sse(answer))[0] == "reset"


def test_the_instance_page_says_that_no_server_answers(serve: Serve) -> None:
    with serve(OLLAMA_BASE_URL="http://127.0.0.1:9").let_in() as browser:
        page = browser.get("instance").text
        assert "127.0.0.1:9" in page
        assert 'role="alert"' in page


def test_the_instance_page_proves(serve: Serve, scripted_ollama: Callable[..., ScriptedOllama]) -> None:
    ollama = scripted_ollama(["ok"] * 8)
    with serve(OLLAMA_BASE_URL=ollama.base_url, DEFAULT_MODEL=ollama.model).let_in() as browser:
        browser.post("instance/verify")
        until = time.monotonic() + 60
        while (page := browser.get("instance").text).count("<li>") < 12 and time.monotonic() < until:
            time.sleep(0.1)
    assert page.count("<li>") == 12
    assert "both halves use the same model name" in page


def test_the_page_speaks_portuguese(serve: Serve, store: Store) -> None:
    keep(store, "s1", team_run())
    with serve(SUPER_AGENT_LANG="pt").let_in() as browser:
        assert "Sessões" in browser.get("").text
        page = browser.get("sessions/s1").text
        assert "Tempo e custo" in page
        for told in ("feita: o teste passa", "<h3>programador</h3>", "Turno 1", "✓ criado add.py", "o teste passou"):
            assert told in page
        cost = browser.get("sessions/s1/cost").text
        assert "o teste falhava antes do primeiro turno e agora passa" in cost or "o teste passa" in cost
        assert "chamadas" in cost
        assert "linha do tempo da sessão" in cost
        with browser.stream("GET", "sessions/s1/stream?after=0&mark=0") as answer:
            messages, told = sse(answer), []
            while not told or told[-1][0] != "ended":
                told.append(next(messages))
        assert "programador …" in str(told)
        assert "<h3>programador</h3>" in str(told)


def test_tokens_and_speeds_are_drawn_by_turn(browser: httpx.Client, store: Store) -> None:
    def call(sent: int, evaluated: int | None, prompt_s: float | None) -> ev.RequestFinished:
        return ev.RequestFinished("open-interpreter", sent, 30, 4.0, 0.5, evaluated, prompt_s is not None, prompt_s)

    keep(store, "s1", stamped(
        started(), ev.TurnStarted(1), call(1000, 800, 2.0), call(1500, 100, 0.5), ev.TurnStarted(2),
        call(2000, None, None),
    ))  # fmt: skip
    page = browser.get("sessions/s1/cost").text
    assert "prompt tokens sent: 2,500<" in page
    assert "evaluated: 900 (36%)" in page
    assert "prompt: 360/s" in page  # 900 tokens in 2.5 s
    assert "reply: 13.3/s" in page  # 60 tokens in 4.5 s beside loads and prompts
    assert "reply: 8.6/s" in page  # 30 in 3.5 s
    assert page.count("evaluated: ") == 1  # of the second turn it is not known
