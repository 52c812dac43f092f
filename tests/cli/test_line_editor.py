"""Backspace takes back one sign as it is seen, whatever it is made of."""

import pytest

from super_agent.cli.terminal.line_editor import LineEditor


@pytest.mark.parametrize(
    "sign",
    [
        "a",
        "好",
        "e\u0301",
        "한",
        "\U0001f44d\U0001f3fd",
        "\U0001f469\u200d\U0001f4bb",
        "\u2764\ufe0f",
        "\U0001f1e7\U0001f1f7",
    ],
)
def test_a_sign_is_typed_and_taken_back_as_one(sign: str) -> None:
    editor = LineEditor()
    editor.feed(f"b{sign}")
    assert editor.text == f"b{sign}"
    editor.feed("\x7f")
    assert editor.text == "b"
    editor.feed(f"{sign}{sign}\x7f")
    assert editor.text == f"b{sign}"


def test_backspace_at_the_beginning_does_nothing() -> None:
    editor = LineEditor()
    editor.feed("\x7f\u0301\x7f\x7f")
    assert editor.text == ""
