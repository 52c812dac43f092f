"""axe-core finds nothing serious on any page, light and dark, on a phone and a wide screen, in both languages."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from super_agent.core import events as ev
from super_agent.core.batches.status_notes import BatchNote, NoteFile, batch_name
from super_agent.core.store.store import Store
from tests.cli.scripted_runs import exec_run, solo_run, stamped, started, team_run
from tests.scripted_ollama import ScriptedOllama
from tests.web.chromium import PROGRAM, Chromium
from tests.web.conftest import Server, enter, keep

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no chromium is installed: apt-get install chromium")
Serve = Callable[..., Server]

COLOURS = "{runOnly: ['color-contrast']}"
LOOKS = ((360, 740, False, ""), (360, 740, True, COLOURS), (1600, 900, False, COLOURS), (1600, 900, True, ""))
"""Width, height, dark, and what is looked at: all, or what the colours alone change."""
FOUND = (
    "axe.run(OPTIONS).then(found => ({passed: found.passes.map(p => p.id), faults: found.violations"
    ".filter(v => ['serious', 'critical'].includes(v.impact)).map(v => v.id + ': ' + "
    "v.nodes.map(n => n.html.slice(0, 150) + ' ' + n.any.map(a => a.message)).join('; '))}))"
)


def axe() -> str:
    """The script, which a package of the development lock ships beside code that is not imported."""
    found = find_spec("axe_playwright_python")
    assert found is not None
    assert found.submodule_search_locations
    return (Path(found.submodule_search_locations[0]) / "axe.min.js").read_text(encoding="utf-8")


def require_no_faults(window: Chromium, page: str) -> None:
    """The page that is open, in each look."""
    window.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    window.evaluate(f"{axe()}; 1")
    for width, height, dark, options in LOOKS:
        window.looks(width, height, dark=dark)
        found = window.evaluate(FOUND.replace("OPTIONS", options))
        assert found["faults"] == [], (page, width, dark)
        looked_at = {"color-contrast"} if options else {"color-contrast", "document-title", "html-has-lang"}
        assert looked_at <= set(found["passed"]), (page, width, dark)


def asking_run() -> list[ev.Stamped]:
    """One that streams, and waits for an answer."""
    return stamped(
        started("solo"), ev.TurnStarted(1), ev.SpeakerStarted("executor"),
        ev.TextStreamed("executor", "I might delete it.", reasoning=True), ev.TextStreamed("executor", "I write it."),
        ev.ApprovalAsked("python", "open('made.txt', 'w')", ("the settings ask for each block",)),
    )  # fmt: skip


PAGES = {
    "lists": ("en", ("", "?q=nothing+has+this", "new", "instance")),
    "a session": ("en", ("sessions/team", "sessions/team/cost", "sessions/team/diff", "sessions/team/undo")),
    "batches": ("en", ("batches", f"batches/{batch_name(Path('/nowhere'))}")),
    "others": ("en", ("sessions/solo", "sessions/exec", "sessions/nothing", "enter")),
    "in Portuguese": ("pt", ("", "new", "sessions/team", "sessions/team/cost")),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("which", PAGES)
def test_no_page_has_a_serious_fault(
    window: Chromium,
    serve: Serve,
    store: Store,
    scripted_ollama: Callable[..., ScriptedOllama],
    tmp_path: Path,
    which: str,
) -> None:
    language, pages = PAGES[which]
    for name, run in {"team": team_run(), "solo": solo_run(), "exec": exec_run()}.items():
        keep(store, name, run)
    stopped = {"folder": "/nowhere", "source": "t.jsonl", "began": 1.7e9, "parallel": 1, "tasks": 3, "kept": 0}
    file = NoteFile(tmp_path / "home" / "state", Path("/nowhere"))
    cut_short = ({"id": "t1", "attempt": 1, "since": 1.7e9, "session": "team"},)
    file.write(BatchNote.model_validate(stopped | {"kept_done": 0, "running": cut_short}))
    file.close()
    ollama = scripted_ollama(["ok"] * 8)
    server = serve(
        "--root", str(tmp_path), OLLAMA_BASE_URL=ollama.base_url, DEFAULT_MODEL=ollama.model, SUPER_AGENT_LANG=language
    )
    base = enter(window, server)
    for path in pages:
        window.open(base + path)
        window.wait(f"document.readyState == 'complete' && location.href == '{base + path}'")
        require_no_faults(window, path)
    if which == "lists":
        window.evaluate("document.querySelector('form[action$=verify] button').click()")
        window.wait("document.querySelectorAll('.checks:not(details *) li').length == 12", 60)
        require_no_faults(window, "verified")


def test_a_run_that_goes_on_and_asks_has_no_serious_fault(window: Chromium, serve: Serve, store: Store) -> None:
    base = enter(window, serve())
    events = asking_run()
    with store.begin("asks", events[0].event) as recorder:  # type: ignore[arg-type]
        window.open(f"{base}sessions/asks")
        window.wait("document.querySelector('form.say')")
        for event in events[:-1]:
            recorder(event)
        recorder.flush()
        window.wait("document.querySelectorAll('#streaming pre').length == 2")
        require_no_faults(window, "streams")
        recorder(events[-1])
        recorder.flush()
        window.wait("!document.getElementById('ask').hidden")
        require_no_faults(window, "asks")
        window.open(base)
        window.wait("document.querySelector('.now li')")
        require_no_faults(window, "now")


def test_a_fault_would_be_found(window: Chromium, serve: Serve) -> None:
    enter(window, serve())
    window.evaluate(
        "document.querySelector('input[name=q]').parentElement.replaceWith(document.createElement('input'))"
    )
    with pytest.raises(AssertionError, match="label: <input>"):
        require_no_faults(window, "broken")
