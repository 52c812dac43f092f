"""Runs that are begun from a page have the tools that `web --mcp` names."""

from collections.abc import Callable
from pathlib import Path

from super_agent.core.events import Notice, RunStarted
from super_agent.core.store.store import Store
from tests.cli.background import wait_until
from tests.scripted_ollama import ScriptedOllama
from tests.tools.test_runs_with_tools import ADD, write_list
from tests.web.conftest import Server


def test_a_run_of_a_page_has_the_tools_and_says_that_nothing_holds_them(
    serve: Callable[..., Server], store: Store, tmp_path: Path
) -> None:
    write_list(tmp_path)
    (tmp_path / "work").mkdir()
    with ScriptedOllama(executor=[ADD, "It is 5."]) as ollama:
        server = serve(
            "--root", str(tmp_path / "work"), "--mcp", "sums",
            OLLAMA_BASE_URL=ollama.base_url, DEFAULT_MODEL=ollama.model,
        )  # fmt: skip
        with server.let_in() as browser:
            answer = browser.post("new", data={"task": "Add", "workspace": str(tmp_path / "work"), "mode": "solo"})
            session = answer.headers["Location"].rpartition("/")[2]
            wait_until(lambda: store.find(session).state == "ended", "the end of the run")
            assert "5 apples" in ollama.chats[1].prompt[-1][1]
            assert "does not hold the MCP servers sums" in browser.get(f"sessions/{session}").text
    events = [stamped.event for stamped in store.events(session)]
    assert [event.mcp for event in events if isinstance(event, RunStarted)] == [("sums",)]
    assert any(isinstance(event, Notice) and "--mcp" in event.text for event in events)
