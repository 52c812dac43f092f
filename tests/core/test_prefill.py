"""A reply that was begun for the model is whole, whichever way the server answers."""

from dataclasses import replace

import pytest

from super_agent.core.model.chat import Reply, ReplyPiece
from super_agent.core.model.prefill import Prefill, PrefilledReply

BEGUN = "```python a.py\ndef f():\n"
WHOLE = BEGUN + "    return 1\n\n\nB = 2\n```"
PREFILL = Prefill(BEGUN, end="\n\n\nB = 2\n```")


def read(text: str, size: int, finish_reason: str = "stop", prefill: Prefill = PREFILL) -> tuple[str, str]:
    """The pieces as one text and the whole reply's, of a reply that came `size` characters at a time."""
    joined = PrefilledReply(prefill)
    pieces = [each for i in range(0, len(text), size) for each in joined.take(ReplyPiece(text[i : i + size]))]
    *rest, reply = joined.whole(Reply(text, "", finish_reason, 1, 1, 0.0))  # type: ignore[arg-type]
    assert isinstance(reply, Reply)
    return "".join(piece.text for piece in [*pieces, *rest] if isinstance(piece, ReplyPiece)), reply.text


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize("text", ["    return 1\n\n", BEGUN + "    return 1\n"], ids=["what follows", "all of it"])
def test_what_follows_and_all_of_it_are_the_same_reply(text: str, size: int) -> None:
    assert read(text, size) == (WHOLE, WHOLE)


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("text", ["```python b.py\nx = 1\n```", "\n```\nx = 1\n```\n"])
def test_a_message_of_the_models_own_stays_as_it_is(text: str, size: int) -> None:
    assert read(text, size) == (text, text)


def test_a_block_of_the_models_own_is_closed_where_the_end_of_the_block_ended_it() -> None:
    assert read("```python b.py\nx = 1\n", 3) == ("```python b.py\nx = 1\n```",) * 2


def test_a_reply_that_was_cut_has_no_end_put_behind_it() -> None:
    assert read("    return (1", 2, "length") == (BEGUN + "    return (1",) * 2


def test_without_a_beginning_nothing_is_changed() -> None:
    assert read("text \n", 2, prefill=Prefill("")) == ("text \n",) * 2


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_only_a_block_that_was_left_open_is_closed(size: int) -> None:
    path = Prefill("```python a.py\n", ("\n# test_a.py",), "\n```")
    assert read("x = 1\n\n", size, prefill=path)[1] == "```python a.py\nx = 1\n```"
    assert read("x = 1\n```\nDone.", size, prefill=path) == ("```python a.py\nx = 1\n```\nDone.",) * 2
    assert read("```\nx = 1\n", size, prefill=Prefill("", path.stop, path.end)) == ("```\nx = 1\n```",) * 2


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_the_next_block_is_put_behind_what_was_written_and_only_what_is_new_is_told(size: int) -> None:
    first = Prefill("```a.py\n", ("\n```",), "\n```", then=("\n\n```b.py\n",))
    written = Reply("```a.py\nx = 1\n```", "", "stop", 1, 1, 0.0)
    second = first.after(written)
    assert second is not None
    assert second.text == written.text + "\n\n```b.py\n"
    assert read("y = 2\n", size, prefill=second) == ("\n\n```b.py\ny = 2\n```", f"{second.text}y = 2\n```")
    assert second.after(written) is None
    assert first.after(replace(written, finish_reason="length")) is None
