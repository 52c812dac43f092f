"""Runs that are begun, watched and steered from pages, with a scripted server and real processes."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from super_agent.core import events as ev
from super_agent.core.store.store import Store
from tests.cli.scripted_runs import stamped, started
from tests.scripted_ollama import ScriptedOllama
from tests.web.conftest import Server, keep, sse

Serve = Callable[..., Server]
BLOCK = "```python\nopen('made.txt', 'w').write('made')\n```"
WAIT_S = 60.0


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end, f"not within {WAIT_S:g} s: {what}"
        time.sleep(0.05)


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    """The folder in which runs may begin, with one workspace."""
    (tmp_path / "roots" / "work").mkdir(parents=True)
    return tmp_path / "roots"


@pytest.fixture
def begin(serve: Serve, roots: Path, store: Store) -> Iterator[Callable[..., tuple[httpx.Client, str]]]:
    """Begin a run from the form, and end it with the test where it still goes on."""
    opened = []

    def start(ollama: ScriptedOllama, **fields: str) -> tuple[httpx.Client, str]:
        server = serve("--root", str(roots), OLLAMA_BASE_URL=ollama.base_url, DEFAULT_MODEL=ollama.model)
        inside = server.let_in()
        browser = inside.__enter__()
        form = {"task": "make it", "workspace": str(roots / "work"), "mode": "solo", **fields}
        answer = browser.post("new", data=form)
        assert answer.status_code == 303, answer.text
        session = answer.headers["Location"].rpartition("/")[2]
        opened.append((inside, browser, session))
        return browser, session

    yield start
    for inside, browser, session in opened:
        browser.post(f"sessions/{session}/stop")
        until(lambda session=session: state(store, session) != "running", "the run ends")  # type: ignore[misc]
        inside.__exit__(None, None, None)


def state(store: Store, session: str) -> str:
    row = store.get(session)
    return row.state if row is not None else "unknown"


def question(browser: httpx.Client, session: str) -> dict[str, object]:
    """What is asked, as a page hears it, which the store does not know yet."""
    with browser.stream("GET", f"sessions/{session}/stream?after=0&mark=0") as answer:
        for kind, data, _ in sse(answer):
            if kind == "ask" and data["question"]:
                return data
    raise AssertionError("the stream ended")


Begin = Callable[..., tuple[httpx.Client, str]]


def test_a_run_from_the_form_is_approved_in_a_page_and_taken_back(
    begin: Begin, scripted_ollama: Callable[..., ScriptedOllama], roots: Path, store: Store
) -> None:
    ollama = scripted_ollama(executor=[BLOCK, "Done."])
    browser, session = begin(ollama, approve="always", check="test -e made.txt")
    asked = question(browser, session)
    assert asked["code"] == "open('made.txt', 'w').write('made')"
    answer = {"question": str(asked["question"]), "choice": "edit", "code": "open('made.txt', 'w').write('edited')"}
    assert browser.post(f"sessions/{session}/decide", data=answer).status_code == 303
    again = browser.post(f"sessions/{session}/decide", data=answer)
    assert again.status_code == 409
    assert "answered already" in again.text or "has ended" in again.text
    until(lambda: state(store, session) == "ended", "the run ends")
    row = store.get(session)
    assert row is not None
    assert (row.reason, row.exit_code) == ("check_passed", 0)
    made = roots / "work" / "made.txt"
    assert made.read_text() == "edited"
    assert "+edited" in browser.get(f"sessions/{session}/diff").text

    shown = browser.get(f"sessions/{session}/undo").text
    assert "made.txt" in shown
    assert made.exists()
    digest = shown.partition('name="shown" value="')[2].partition('"')[0]
    made.write_text("mine")
    stale = browser.post(f"sessions/{session}/undo", data={"shown": digest})
    assert "changed meanwhile" in stale.text
    assert made.read_text() == "mine"
    made.write_text("edited")
    done = browser.post(f"sessions/{session}/undo", data={"shown": digest})
    assert "Done." in done.text
    assert not made.exists()


def test_a_line_and_a_stop_reach_a_run(
    begin: Begin, scripted_ollama: Callable[..., ScriptedOllama], store: Store
) -> None:
    ollama = scripted_ollama(executor=[BLOCK, "Done."] * 9)
    browser, session = begin(ollama, approve="always", check="false")
    asked = question(browser, session)
    assert browser.post(f"sessions/{session}/say", data={"text": "keep it short"}).status_code == 303
    answer = {"question": str(asked["question"]), "choice": "always"}
    assert browser.post(f"sessions/{session}/decide", data=answer).status_code == 303
    until(lambda: any("keep it short" in json.dumps(r.body) for r in ollama.chats), "the line reaches the model")
    browser.post(f"sessions/{session}/stop")
    until(lambda: state(store, session) == "ended", "the run ends")
    gone = browser.post(f"sessions/{session}/say", data={"text": "x"}, headers={"Accept": "application/json"})
    assert gone.status_code == 409
    assert "has ended" in gone.text


@pytest.mark.parametrize("given", ["/", "/etc", "ROOTS/../home", "ROOTS/out", "ROOTS/nothing", "work", "", "ROOTS\0x"])
def test_runs_begin_only_inside_the_roots(serve: Serve, roots: Path, store: Store, given: str) -> None:
    (roots / "out").symlink_to("/etc")
    server = serve("--root", str(roots))
    with server.let_in() as browser:
        path = given.replace("ROOTS", str(roots))
        answer = browser.post("new", data={"task": "x", "workspace": path})
        assert answer.status_code == 409
        assert 'role="alert"' in answer.text
        looked = browser.get("new", params={"in": path}).text
        assert "passwd" not in looked
        assert "apt/" not in looked
    assert store.sessions() == []


def test_what_stands_in_the_way_is_said_in_the_form(serve: Serve, roots: Path) -> None:
    with serve("--root", str(roots), OLLAMA_BASE_URL="http://127.0.0.1:9").let_in() as browser:
        for fields, said in (
            ({"task": " "}, "the task is empty"),
            ({"check": "no-such-program"}, "names a program that does not exist"),
            ({"max_turns": "0"}, "max_turns"),
            ({"max_tokens": "few"}, "--max-tokens"),
            ({"mode": "choir"}, "choir is no way to work"),
            ({"setup": "pip install x"}, "the setup command runs with the network"),
        ):
            answer = browser.post("new", data={"task": "do it", "workspace": str(roots / "work"), **fields})
            assert answer.status_code == 409, fields
            assert said.lower() in answer.text.lower().replace("--max-turns", "max_turns")


def test_what_stands_in_the_way_is_said_in_the_language_of_the_page(serve: Serve, roots: Path, store: Store) -> None:
    ended = ev.RunEnded("turn_limit", 1, "", 1, 1.0, (), (), {}, True)
    keep(store, "s1", stamped(started(), ev.TurnStarted(1), ended))
    server = serve("--root", str(roots), OLLAMA_BASE_URL="http://127.0.0.1:9", SUPER_AGENT_LANG="pt")
    work = {"task": "do it", "workspace": str(roots / "work")}
    with server.let_in() as browser:
        for path, fields, said in (
            ("new", {**work, "task": " "}, "a tarefa está vazia. Diga o que deve ser feito"),
            ("new", {**work, "workspace": "/etc"}, "a pasta /etc não está em nenhuma daquelas"),
            ("new", {**work, "check": "no-such-program"}, "cita um programa que não existe. Corrija o teste"),
            ("sessions/s1/resume", {"more_turns": "x"}, "não é um número possível aqui. Dê um de 1 a 9999, ou nenhum"),
            ("sessions/s1/say", {"text": "x"}, "a execução terminou, ou não pode ser alcançada. Veja a sua página"),
        ):
            assert said in browser.post(path, data=fields).text, path
        assert "nenhum servidor Ollama responde em" in browser.get("instance").text
        assert "a pasta de trabalho /code/sum não existe. Crie-a" in browser.get("sessions/s1/diff").text


def test_a_run_that_used_its_tokens_goes_on_with_more(
    begin: Begin, scripted_ollama: Callable[..., ScriptedOllama], store: Store
) -> None:
    browser, session = begin(scripted_ollama(executor=[BLOCK, "Done."] * 9), check="false", max_tokens="1")
    until(lambda: state(store, session) == "ended", "the run ends")
    row = store.get(session)
    assert row is not None
    assert row.reason == "token_limit"
    refused = browser.post(f"sessions/{session}/resume", data={"max_tokens": "no"})
    assert "max_tokens &#39;no&#39; is no number" in refused.text
    more = {"max_tokens": "1000000", "more_turns": "1"}
    assert browser.post(f"sessions/{session}/resume", data=more).status_code == 303
    until(lambda: (row := store.get(session)) and row.reason not in (None, "token_limit"), "it goes on and ends again")


def test_a_number_that_cannot_be_is_said_and_nothing_is_done(serve: Serve, store: Store) -> None:
    ended = ev.RunEnded("turn_limit", 1, "", 1, 1.0, (), (), {}, True)
    keep(store, "s1", stamped(started(), ev.TurnStarted(1), ended))
    with serve().let_in() as browser:
        for method, path, name, value in (
            ("POST", "resume", "more_turns", "many"),
            ("POST", "resume", "more_turns", "0"),
            ("GET", "diff", "turn", "-1"),
            ("GET", "undo", "to_turn", "first"),
            ("POST", "undo", "to_turn", "99999999"),
        ):
            given = {"params" if method == "GET" else "data": {name: value}}
            answer = browser.request(method, f"sessions/s1/{path}", **given)
            assert answer.status_code == 409
            assert f"{name} &#39;{value}&#39; is no number" in answer.text
    assert state(store, "s1") == "ended"
