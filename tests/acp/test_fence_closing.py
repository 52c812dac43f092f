"""What follows a reply that broke off is not drawn as a part of its code block."""

from pathlib import Path

import pytest

from super_agent.acp.fence_closing import open_fence
from super_agent.acp.session_updates import SessionUpdates
from super_agent.core import events as ev


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("", ""),
        ("Some text with `code` and ```three``` marks.", ""),
        ("```python\ndef", "```"),
        ("```python\ndef\n```", ""),
        ("```python\ndef\n``", "```"),
        ("````\n```\nx\n```\n", "````"),
        ("````\n```\nx\n`````\n", ""),
        ("~~~ a`b\n```\n", "~~~"),
        ("  ```\nx\n```py\n", "```"),
        ("    ```\nx", ""),
    ],
)
def test_a_code_block_is_open_as_markdown_says(text: str, mark: str) -> None:
    assert open_fence(text) == mark


def test_it_is_closed_before_the_plan_which_some_clients_draw_between(tmp_path: Path) -> None:
    translator = SessionUpdates.of(tmp_path, "r1")
    list(translator.updates(ev.MessagePosted("planner", "1. Write add.py.")))
    list(translator.updates(ev.TextStreamed("coder", "```python\nde")))
    updates = list(translator.updates(ev.TurnStarted(1)))
    assert [update.session_update for update in updates] == ["agent_message_chunk", "plan"]


def shown(tmp_path: Path, *events: ev.Event) -> list[tuple[str, str | None]]:
    """Text and message id of each chunk."""
    translator = SessionUpdates.of(tmp_path, "r1")
    updates = [update for event in events for update in translator.updates(event)]
    return [(u.content.text, u.message_id) for u in updates if u.session_update == "agent_message_chunk"]  # type: ignore[union-attr]


def test_a_reply_that_breaks_off_is_closed_where_it_is(tmp_path: Path) -> None:
    begun = (
        ev.SpeakerStarted("coder"),
        ev.TextStreamed("coder", "Here:\n\n```python add.py\nde"),
        ev.TextStreamed("coder", "f add"),
    )
    *_, last, closed, notice = shown(tmp_path, *begun, ev.Notice("warning", "interrupted"))
    assert closed == ("\n```\n", last[1])
    assert notice == ("\n\n*warning:* interrupted\n\n", "r1-m2")
    whole = shown(tmp_path, *begun, ev.TextStreamed("coder", "\n```\n"), ev.Notice("warning", "interrupted"))
    assert [text for text, _ in whole][-2:] == ["\n```\n", "\n\n*warning:* interrupted\n\n"]
    assert len(whole) == 4
