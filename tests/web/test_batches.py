"""Batches of this machine on the page: which run, how they stand, what came of each task, and where its session is."""

import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from super_agent.core.batches.attempts import Attempt
from super_agent.core.batches.status_notes import BatchNote, NoteFile, RunningAttempt, batch_name
from super_agent.core.store.store import Store
from tests.batch.conftest import CHECK, solve
from tests.cli.background import start, wait_until
from tests.cli.scripted_runs import team_run
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Say
from tests.web.chromium import PROGRAM, Chromium
from tests.web.conftest import Server, enter, keep
from tests.web.test_pages import HOSTILE

Serve = Callable[..., Server]


def attempt(name: str, **more: Any) -> str:
    facts: dict[str, Any] = {"id": name, "hash": "h", "attempt": 1, "final": True, "outcome": "done", "exit_code": 0}
    return Attempt.model_validate({"reason": "check_passed"} | facts | more).model_dump_json() + "\n"


def noted(tmp_path: Path, *lines: str, **more: Any) -> NoteFile:
    """A batch in the folder `out` of which those lines are the results; it lives until the note is closed."""
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out" / "results.jsonl").write_text("".join(lines))
    facts = {"folder": str(tmp_path / "out"), "source": "chores.jsonl", "began": time.time(), "parallel": 1}
    note = BatchNote.model_validate(facts | {"tasks": 9, "kept": 0, "kept_done": 0} | more)
    file = NoteFile(tmp_path / "home" / "state", tmp_path / "out")
    file.write(note)
    return file


def address(tmp_path: Path) -> str:
    return f"batches/{batch_name(tmp_path / 'out')}"


def test_a_batch_is_seen_while_it_runs_and_afterwards_with_a_link_to_each_session(
    serve: Serve, store: Store, tmp_path: Path
) -> None:
    tasks = tmp_path / "chores.jsonl"
    each = ({"id": f"t{n}", "task": "Write add.py", "check": CHECK} for n in range(2))
    tasks.write_text("".join(f"{json.dumps(task)}\n" for task in each))
    with ScriptedOllama(autogen=lambda r: Say(solve(r), wait_s=0.7)) as ollama, serve().let_in() as browser:
        where = ("--out", str(tmp_path / "out"), "--base-url", ollama.base_url, "--model", ollama.model)
        process = start(tmp_path, "batch", str(tasks), *where, "--parallel=1")
        try:
            wait_until(lambda: "1 of 2 tasks: 1 done, 0 not" in browser.get("").text, "the first result under Now")
            wait_until(lambda: 'sessions/' in browser.get(address(tmp_path)).text.partition("<h2>Now</h2>")[2]
                       .partition("</ul>")[0], "a link to the session that runs")  # fmt: skip
            page = browser.get(address(tmp_path)).text
            assert "● running" in page
            assert re.search(r"1 running, about \d:\d\d left", page)
            process.communicate(timeout=90)
        finally:
            process.kill()
            process.wait()
        page = browser.get(address(tmp_path)).text
        assert "✓ ended" in page
        assert "2 of 2 tasks: 2 done, 0 not" in page
        sessions = {row.id for row in store.sessions()}
        assert set(re.findall(r'sessions/([\w-]+)">t\d</a>', page)) == sessions
        assert len(sessions) == 2
        assert browser.get(f"sessions/{sessions.pop()}").status_code == 200
        assert "chores.jsonl" in browser.get("batches").text
        assert "<h2>Now</h2>" not in browser.get("").text


def test_results_are_the_newest_of_each_task_and_can_be_chosen(serve: Serve, store: Store, tmp_path: Path) -> None:
    keep(store, "s-good", team_run())
    many = [attempt(f"old-{n:03}") for n in range(100)]
    noted(
        tmp_path, *many,
        attempt("again", outcome="server", reason="error", exit_code=3, final=False, detail="the server is gone"),
        attempt("bad", outcome="not done", reason="turn_limit", exit_code=1, session="of-another-machine"),
        attempt("again", attempt=2, session="s-good", tokens_sent=1200, tokens_out=34, wall_s=4.25, host="box"),
    ).close()  # fmt: skip
    with serve().let_in() as browser:
        page = browser.get(address(tmp_path)).text
        assert "⚠ stopped" in page
        assert re.findall(r">(again|bad|old-\d+)</(?:a|td)>", page)[:3] == ["again", "bad", "old-099"]
        assert re.search(r'sessions/s-good">again</a>', page)
        assert "of-another-machine" not in page
        for said in ("1,234", "4.2 s", "box", "ended: limit of turns", 'Results <span class="dim">(102)'):
            assert said in page, said
        assert "the server is gone" not in page
        older = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
        page = browser.get(browser.base_url.join(older)).text
        assert re.findall(r">(old-\d+)</td>", page) == ["old-001", "old-000"]
        page = browser.get(address(tmp_path), params={"outcome": "not done"}).text
        assert "bad" in page
        assert "s-good" not in page
        assert browser.get(address(tmp_path), params={"outcome": "<b>"}).status_code == 404
        assert browser.get(address(tmp_path), params={"from": "-1"}).status_code == 409


def test_what_is_added_and_what_is_written_anew_is_seen(serve: Serve, tmp_path: Path) -> None:
    noted(tmp_path, attempt("a"), "this is no result\n", '{"half": ')
    results = tmp_path / "out" / "results.jsonl"
    with serve().let_in() as browser:
        page = browser.get(address(tmp_path)).text
        assert "Lines that are no results: 1<" in page
        with results.open("a") as file:
            file.write("1}\n" + attempt("b"))
        page = browser.get(address(tmp_path)).text
        assert re.findall(r">([ab])</td>", page) == ["b", "a"]
        assert "Lines that are no results: 2<" in page
        results.write_text(attempt("c"))
        page = browser.get(address(tmp_path)).text
        assert re.findall(r">([abc])</td>", page) == ["c"]
        assert "Lines that" not in page


@pytest.mark.timeout(60)
@pytest.mark.parametrize("what", ["link", "pipe", "folder", "nothing", "huge"])
def test_only_a_file_of_results_is_read(serve: Serve, tmp_path: Path, what: str) -> None:
    noted(tmp_path).close()
    results = tmp_path / "out" / "results.jsonl"
    results.unlink()
    (tmp_path / "secret").write_text(attempt("root:x:0:0"))
    if what == "link":
        results.symlink_to(tmp_path / "secret")
    elif what == "pipe":
        os.mkfifo(results)
    elif what == "folder":
        results.mkdir()
    elif what == "huge":
        with results.open("wb") as file:
            file.truncate(1 << 40)
    with serve().let_in() as browser:
        answer = browser.get(address(tmp_path))
        assert answer.status_code == 200
        assert 'role="alert"' in answer.text
        assert "root:" not in answer.text
        for path in ("batches/nothing", "batches/..%2f..%2fout", f"batches/{tmp_path}/out", "batches/x.json"):
            assert browser.get(path).status_code == 404, path


def test_texts_of_others_are_text_and_it_is_said_in_portuguese(serve: Serve, tmp_path: Path) -> None:
    running = (RunningAttempt(id="under-way", attempt=2, since=time.time(), session=HOSTILE[:99], host=HOSTILE[:99]),)
    kept = noted(
        tmp_path, attempt("x", outcome="refused", reason="error", exit_code=2, detail=HOSTILE, host=HOSTILE),
        source=HOSTILE, why=HOSTILE, running=running, kept=1000, kept_done=3, tasks=2345,
    )  # fmt: skip
    with serve(SUPER_AGENT_LANG="pt").let_in() as browser:
        for path in ("", "batches", address(tmp_path)):
            page = browser.get(path).text
            assert "&lt;script&gt;" in page
            assert page.count("<script") == page.count('<script src="/s/')
            assert "<img" not in page
            assert not {"\x1b", "\x07", "\u202e", "\u2066"} & set(page)
            assert "1.000 de 2.345 tarefas: 3 feitas, 997 não" in page
        assert "em andamento" in page
        assert "recusada" in page
        kept.close()
        assert "O mesmo comando continua de onde parou." in browser.get(address(tmp_path)).text
    with serve("--read-only").let_in() as browser:
        assert "under-way" in browser.get(address(tmp_path)).text


@pytest.mark.skipif(PROGRAM is None, reason="no chromium is installed: apt-get install chromium")
def test_an_open_page_of_a_batch_goes_on_with_it_and_is_reached_by_keys(
    window: Chromium, serve: Serve, store: Store, tmp_path: Path
) -> None:
    keep(store, "s1", team_run())
    kept = noted(tmp_path, attempt("first", session="s1"))
    enter(window, serve())
    window.evaluate("document.querySelector('.now a[href*=batches]').focus()")
    for kind in ("keyDown", "keyUp"):
        window.command("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r",
                       windowsVirtualKeyCode=13)  # fmt: skip
    window.wait("document.querySelector('td.task a[href$=s1]')")
    with (tmp_path / "out" / "results.jsonl").open("a") as file:
        file.write(attempt("second"))
    kept.close()
    window.wait("document.body.innerText.includes('second') && document.body.innerText.includes('stopped')")
    window.evaluate("document.querySelector('td.task a').click()")
    window.wait("document.getElementById('story')")
    assert window.complaints() == []
