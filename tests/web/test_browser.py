"""The pages in a real browser: a run from the form to green, a question answered, hostile text, two pages, a phone."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from super_agent.core.store.store import Store
from tests.cli.scripted_runs import team_run
from tests.scripted_ollama import ScriptedOllama
from tests.web.chromium import PROGRAM, Chromium, chromium
from tests.web.conftest import Server, keep
from tests.web.test_pages import hostile_run
from tests.web.test_steering import BLOCK

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no chromium is installed: apt-get install chromium")
Serve = Callable[..., Server]


@pytest.fixture
def browser() -> Iterator[Chromium]:
    """With a profile of its own; its path is short, as sockets lie in it."""
    temporary = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
    with temporary as profile, chromium(Path(profile)) as opened:
        yield opened


def enter(browser: Chromium, server: Server) -> str:
    browser.open(server.link)
    browser.wait("document.title.startsWith('Sessions')")
    return server.base


def test_a_whole_run_from_the_form_to_green(
    browser: Chromium, serve: Serve, scripted_ollama: Callable[..., ScriptedOllama], tmp_path: Path, store: Store
) -> None:
    ollama = scripted_ollama(executor=[f"I write it.\n{BLOCK}", "Done."])
    (tmp_path / "work").mkdir()
    server = serve("--root", str(tmp_path / "work"), OLLAMA_BASE_URL=ollama.base_url, DEFAULT_MODEL=ollama.model)
    base = enter(browser, server)
    browser.open(f"{base}new")
    browser.wait("document.querySelector('form.begin')")
    browser.evaluate(
        "(() => { const f = document.querySelector('form.begin'); f.elements.task.value = 'make it';"
        " f.elements.check.value = 'test -e made.txt'; f.elements.mode.value = 'solo';"
        " f.elements.approve.value = 'always'; f.requestSubmit(); })()"
    )
    browser.wait("document.getElementById('ask') && !document.getElementById('ask').hidden", 90)
    assert "I write it." in browser.text()
    browser.evaluate("window.before = true, location.reload()")  # in the middle of the run
    browser.wait("!window.before && document.getElementById('ask') && !document.getElementById('ask').hidden")
    assert "open('made.txt'" in str(browser.evaluate("document.getElementById('ask').elements.code.value"))
    assert not (tmp_path / "work" / "made.txt").exists()
    browser.evaluate("document.querySelector('#ask button[value=run]').click()")
    browser.wait("document.querySelector('#head .state.good')", 60)
    assert "done: the check passes" in browser.text()
    assert browser.evaluate("document.getElementById('ask').hidden")
    assert (tmp_path / "work" / "made.txt").read_text() == "made"
    browser.wait("document.querySelector('#steer a[href$=undo]')")
    browser.evaluate("document.querySelector('#steer a[href$=undo]').click()")
    browser.wait("document.querySelector('form[action$=undo] button.danger')")
    browser.wait("document.body.innerText.includes('delete made.txt')")
    browser.evaluate("document.querySelector('form[action$=undo] button.danger').click()")
    browser.wait("document.querySelector('p.good[role=status]')")
    assert not (tmp_path / "work" / "made.txt").exists()
    assert browser.complaints() == []


@pytest.mark.parametrize("path", ["", "sessions/s1", "sessions/s1/cost", "streaming"])
def test_hostile_text_changes_nothing_but_text(browser: Chromium, serve: Serve, store: Store, path: str) -> None:
    keep(store, "s1", hostile_run())
    recorded = hostile_run()
    base = enter(browser, serve())
    if path == "streaming":  # the same, as it streams into an open page
        with store.begin("s2", recorded[0].event) as recorder:  # type: ignore[arg-type]
            browser.open(f"{base}sessions/s2")
            browser.wait("document.getElementById('follow')")
            for item in recorded:
                recorder(item)
            recorder.flush()
            browser.wait("document.querySelectorAll('#story > *').length > 15")
    else:
        browser.open(base + path)
        browser.wait("document.readyState == 'complete' && document.body.innerText.includes('window.hacked')")
    assert browser.evaluate("window.hacked") is None
    assert browser.evaluate("document.querySelectorAll('main script, main img, main iframe').length") == 0
    assert browser.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    assert browser.complaints() == []


def test_two_pages_show_the_same_run_and_a_phone_needs_no_sideways_scrolling(
    browser: Chromium, serve: Serve, store: Store
) -> None:
    keep(store, "s1", team_run())
    base = enter(browser, serve())
    browser.command("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    for path in ("", "new", "instance", "sessions/s1", "sessions/s1/cost"):
        browser.open(base + path)
        browser.wait(f"document.readyState == 'complete' && location.href == '{base + path}'")
        assert browser.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), path
        unnamed = "[...document.querySelectorAll('input,select,textarea,button,a')].filter(e => !e.textContent.trim()"
        assert browser.evaluate(f"{unnamed} && e.type != 'hidden' && !(e.labels && e.labels.length)).length") == 0, path
    assert browser.complaints() == []
