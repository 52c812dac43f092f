"""The page on the real server, in a real browser: a run from the form to its end, and the instance while it is there.

What a tiny model writes is luck, so nothing here depends on what it says or whether it gets the task done.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from super_agent.core.errors import UsageError
from super_agent.core.events import RunEnded
from super_agent.core.store.store import Store
from super_agent.session.control_client import tell
from super_agent.session.messages.run_messages import END
from tests.live.conftest import LiveOllama
from tests.web.chromium import PROGRAM, Chromium, chromium
from tests.web.conftest import enter, serving

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no chromium is installed: apt-get install chromium"),
    pytest.mark.timeout(600),
]
END_S = 280.0


@contextmanager
def stopped_at_the_end(state: Path) -> Iterator[Store]:
    """The store of the page; a run that a failed test left would go on for ever."""
    with Store.open(state) as store:
        yield store
        for row in store.sessions():
            with suppress(UsageError):
                tell(state / "sessions" / row.id, {"do": "stop"})


def begin(window: Chromium, base: str, check: str) -> None:
    """Fill in the form as a person does, and send it."""
    window.open(f"{base}new")
    window.wait("document.querySelector('form.begin')")
    window.evaluate(
        "(() => { const f = document.querySelector('form.begin').elements; f.task.value = 'Write hello.py, which prints"
        f" hello.'; f.check.value = '{check}'; f.max_turns.value = '1'; f.task.form.requestSubmit(); }})()"
    )


def test_a_run_goes_from_the_form_to_its_end_on_the_page(live_ollama: LiveOllama, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    environ = {"OLLAMA_BASE_URL": live_ollama.base_url, "DEFAULT_MODEL": live_ollama.model}
    # A tiny model that loses its way would write until its limit.
    environ |= {"SUPER_AGENT_MAX_REPLY_TOKENS": "60", "SUPER_AGENT_MAX_ROUNDS": "2"}
    profiles = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
    with (
        stopped_at_the_end(tmp_path / "home" / "state") as store,
        serving(tmp_path, "--root", str(tmp_path / "work"), **environ) as server,
        profiles as profile,
        chromium(Path(profile)) as window,
    ):
        base = enter(window, server)
        begin(window, base, "test -e hello.py")
        window.wait("document.getElementById('follow') && document.getElementById('head')", END_S)
        window.wait("document.querySelector('#head .state.good, #head .state.bad')", END_S)
        (row,) = store.sessions()
        ended = [stamped.event for stamped in store.events(row.id)][-1]
        assert isinstance(ended, RunEnded)
        assert (row.state, row.reason) == ("ended", ended.reason)
        assert ended.reason not in ("error", "interrupted"), ended.detail
        head = window.evaluate("document.getElementById('head').innerText")
        assert END[ended.reason] in head
        assert row.prompt_tokens > 0
        assert row.completion_tokens > 0
        assert f"{row.prompt_tokens + row.completion_tokens:,} tokens" in head
        story = window.evaluate("[...document.querySelectorAll('#story h2, #story h3')].map(h => h.innerText)")
        assert story[story.index("Turn 1") :][1] == "coder"
        said = window.evaluate("[...document.querySelectorAll('#story pre.said')].map(p => p.innerText).join('')")
        assert len(said.strip()) > 0
        assert ended.instance["reload"] == ended.instance["truncation"] == 0
        window.open(f"{base}sessions/{row.id}/cost")
        window.wait("document.querySelector('svg rect.autogen')")
        window.open(f"{base}instance")
        window.wait(f"document.querySelector('main td') && document.body.innerText.includes('{live_ollama.model}')")
        assert window.complaints() == []
