"""The pages in a real browser: a run from the form to green, a question answered, hostile text, two pages, a phone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from super_agent.core.store.store import Store
from tests.cli.scripted_runs import team_run
from tests.scripted_ollama import ScriptedOllama
from tests.web.chromium import PROGRAM, Chromium
from tests.web.conftest import Server, enter, keep
from tests.web.test_pages import hostile_run
from tests.web.test_run_actions import BLOCK

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no chromium is installed: apt-get install chromium")
Serve = Callable[..., Server]


def open_the_form(window: Chromium, serve: Serve, ollama: ScriptedOllama, work: Path) -> None:
    """The form of a new run, which may work in that folder."""
    work.mkdir()
    base = enter(window, serve("--root", str(work), OLLAMA_BASE_URL=ollama.base_url, DEFAULT_MODEL=ollama.model))
    window.open(f"{base}new")
    window.wait("document.querySelector('form.begin')")


def test_a_whole_run_from_the_form_to_green(
    window: Chromium, serve: Serve, scripted_ollama: Callable[..., ScriptedOllama], tmp_path: Path, store: Store
) -> None:
    ollama = scripted_ollama(executor=[f"I write it.\n{BLOCK}", "Done."])
    open_the_form(window, serve, ollama, tmp_path / "work")
    window.evaluate(
        "(() => { const f = document.querySelector('form.begin'); f.elements.task.value = 'make it';"
        " f.elements.check.value = 'test -e made.txt'; f.elements.mode.value = 'solo';"
        " f.elements.approve.value = 'always'; f.requestSubmit(); })()"
    )
    window.wait("document.getElementById('ask') && !document.getElementById('ask').hidden", 90)
    window.wait("document.body.innerText.includes('I write it.')")
    window.evaluate("window.before = true, location.reload()")  # in the middle of the run
    window.wait("!window.before && document.getElementById('ask') && !document.getElementById('ask').hidden")
    assert "open('made.txt'" in str(window.evaluate("document.getElementById('ask').elements.code.value"))
    assert not (tmp_path / "work" / "made.txt").exists()
    window.evaluate("document.querySelector('#ask button[value=run]').click()")
    window.wait("document.querySelector('#head .state.good')", 60)
    assert "done: the check passes" in window.text()
    assert window.evaluate("document.getElementById('ask').hidden")
    assert (tmp_path / "work" / "made.txt").read_text() == "made"
    window.wait("document.querySelector('#steer a[href$=undo]')")
    window.evaluate("document.querySelector('#steer a[href$=undo]').click()")
    window.wait("document.querySelector('form[action$=undo] button.danger')")
    window.wait("document.body.innerText.includes('delete made.txt')")
    window.evaluate("document.querySelector('form[action$=undo] button.danger').click()")
    window.wait("document.querySelector('p.good[role=status]')")
    assert not (tmp_path / "work" / "made.txt").exists()
    assert window.complaints() == []


@pytest.mark.parametrize("path", ["", "sessions/s1", "sessions/s1/cost", "streaming"])
def test_hostile_text_changes_nothing_but_text(window: Chromium, serve: Serve, store: Store, path: str) -> None:
    keep(store, "s1", hostile_run())
    recorded = hostile_run()
    base = enter(window, serve())
    if path == "streaming":  # the same, as it streams into an open page
        with store.begin("s2", recorded[0].event) as recorder:  # type: ignore[arg-type]
            window.open(f"{base}sessions/s2")
            window.wait("document.getElementById('follow')")
            for item in recorded:
                recorder(item)
            recorder.flush()
            window.wait("document.querySelectorAll('#story > *').length > 15")
    else:
        window.open(base + path)
        window.wait("document.readyState == 'complete' && document.body.innerText.includes('window.hacked')")
    assert window.evaluate("window.hacked") is None
    assert window.evaluate("document.querySelectorAll('main script, main img, main iframe').length") == 0
    assert window.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    assert window.complaints() == []


def test_two_pages_show_the_same_run_and_a_phone_needs_no_sideways_scrolling(
    window: Chromium, serve: Serve, store: Store
) -> None:
    keep(store, "s1", team_run())
    base = enter(window, serve())
    window.command("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    for path in ("", "new", "instance", "sessions/s1", "sessions/s1/cost"):
        window.open(base + path)
        window.wait(f"document.readyState == 'complete' && location.href == '{base + path}'")
        assert window.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), path
        unnamed = "[...document.querySelectorAll('input,select,textarea,button,a')].filter(e => !e.textContent.trim()"
        assert window.evaluate(f"{unnamed} && e.type != 'hidden' && !(e.labels && e.labels.length)).length") == 0, path
    assert window.complaints() == []


def test_a_choice_of_sessions_is_made_in_the_form_and_stands_in_the_address(
    window: Chromium, serve: Serve, store: Store
) -> None:
    for name in ("s1", "s2"):
        keep(store, name, team_run() if name == "s1" else hostile_run())
    enter(window, serve())
    window.evaluate(
        "(() => { const f = document.querySelector('form[role=search]'); f.elements.reason.value = 'error';"
        " f.elements.since.value = '2020-01-01'; f.requestSubmit(); })()"
    )
    window.wait("location.search.includes('reason=error') && location.search.includes('since=2020-01-01')")
    window.wait("document.querySelector('td.task a[href$=s2]') && !document.querySelector('td.task a[href$=s1]')")
    assert window.evaluate("document.querySelector('form[role=search]').elements.since.value") == "2020-01-01"
    assert window.complaints() == []


def test_what_is_done_on_one_of_two_pages_is_seen_on_the_other(
    window: Chromium, serve: Serve, scripted_ollama: Callable[..., ScriptedOllama], tmp_path: Path, store: Store
) -> None:
    ollama = scripted_ollama(executor=[BLOCK, f"Once more.\n{BLOCK}", "Done."])
    open_the_form(window, serve, ollama, tmp_path / "work")
    window.evaluate(
        "(() => { const f = document.querySelector('form.begin').elements; f.task.value = 'make it'; f.mode.value ="
        " 'solo'; f.check.value = 'false'; f.approve.value = 'always'; f.task.form.requestSubmit(); })()"
    )
    asked = "document.getElementById('ask') && !document.getElementById('ask').hidden"
    window.wait(asked, 90)
    other = window.new_tab(str(window.evaluate("location.href")))
    with window.in_tab(other):
        window.wait(asked)
        first = window.evaluate("document.getElementById('ask').elements.question.value")
        window.evaluate("document.querySelector('#ask button[value=skip]').click()")
    window.wait(f"{asked} && document.getElementById('ask').elements.question.value != '{first}'", 60)
    window.evaluate("window.confirm = () => true, document.querySelector('#steer form[action$=stop] button').click()")
    with window.in_tab(other):
        window.wait("document.querySelector('#head .state.bad')", 60)
        assert "interrupted" in window.text()
        assert window.evaluate("document.getElementById('ask').hidden")
    assert window.complaints() == []
