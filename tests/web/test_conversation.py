"""A conversation with the executor in a terminal is seen under Now, and spoken to and ended from a page."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from super_agent.core.store.store import Store
from tests.cli.test_approval import PROMPT, Screen
from tests.scripted_ollama import ScriptedOllama
from tests.web.conftest import Server
from tests.web.test_run_actions import BLOCK, question, until

Serve = Callable[..., Server]


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Callable[..., Screen]]:
    """Begin conversations, which share their state folder with the page."""
    screens: list[Screen] = []

    def begin(ollama: ScriptedOllama, *arguments: str) -> Screen:
        (tmp_path / "work").mkdir(exist_ok=True)
        given = ("exec", "-w", str(tmp_path / "work"), "--base-url", ollama.base_url, "--model", ollama.model)
        screens.append(Screen((*given, *arguments), tmp_path / "home"))
        return screens[-1]

    yield begin
    for screen in screens:
        screen.process.kill()
        screen.process.wait()


def test_a_conversation_listens_to_a_page(
    talk: Callable[..., Screen],
    serve: Serve,
    scripted_ollama: Callable[..., ScriptedOllama],
    store: Store,
    tmp_path: Path,
) -> None:
    ollama = scripted_ollama(executor=["Hello.", BLOCK, "Made."])
    screen = talk(ollama, "--approve", "always")
    screen.reads(PROMPT)
    screen.types("half ")
    with serve().let_in() as browser:
        (row,) = store.sessions()
        now = browser.get("").text.partition("<h2>Now</h2>")[2].partition("<h2>")[0]
        assert f"sessions/{row.id}" in now
        assert browser.post(f"sessions/{row.id}/say", data={"text": "say hello"}).status_code == 303
        screen.reads("said on a page: say hello")
        screen.reads("Hello.")
        screen.reads(f"{PROMPT} half")
        screen.types("typed\r")
        asked = question(browser, row.id)
        assert "half typed" in str([request.body for request in ollama.chats])
        answer = {"question": str(asked["question"]), "choice": "run"}
        assert browser.post(f"sessions/{row.id}/decide", data=answer).status_code == 303
        screen.reads("Made.")
        screen.reads(PROMPT)
        assert (tmp_path / "work" / "made.txt").read_text() == "made"
        assert browser.post(f"sessions/{row.id}/stop").status_code == 303
        assert screen.ends() == 130, screen.shown
        until(lambda: store.sessions()[0].state == "ended", "its end is kept")
        assert store.sessions()[0].reason == "interrupted"


def test_a_page_ends_the_action_and_the_conversation(
    talk: Callable[..., Screen], serve: Serve, scripted_ollama: Callable[..., ScriptedOllama], store: Store
) -> None:
    screen = talk(scripted_ollama(executor=["```python\nimport time; time.sleep(300)\n```", "Late."]))
    screen.reads(PROMPT)
    screen.types("wait\r")
    screen.reads("time.sleep(300)")
    with serve().let_in() as browser:
        assert browser.post(f"sessions/{store.sessions()[0].id}/stop").status_code == 303
        assert screen.ends() == 130, screen.shown
