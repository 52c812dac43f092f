"""Which block of a reply runs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpreter.code_blocks import Choice, CodeBlock, choose_block

SAFE_LINE = st.text(st.characters(blacklist_characters="`~\r\n", codec="utf-8")).filter(lambda line: line.strip())


def test_the_first_block_in_a_known_language_runs() -> None:
    text = "First:\n```text\nnotes\n```\nthen\n```python\nprint(1)\n```\n"
    assert choose_block(text, "stop") == Choice(CodeBlock("python", "print(1)"))


@pytest.mark.parametrize(
    ("fence", "language"),
    [
        ("python", "python"),
        ("py", "python"),
        ("Python3", "python"),
        ("bash", "shell"),
        ("sh", "shell"),
        ("zsh", "shell"),
    ],
)
def test_the_names_of_the_languages(fence: str, language: str) -> None:
    assert choose_block(f"```{fence}\nx\n```", "stop").block == CodeBlock(language, "x")  # type: ignore[arg-type]


def test_only_one_block_runs_and_the_model_is_told() -> None:
    choice = choose_block("```python\na\n```\n```shell\nb\n```", "stop")
    assert choice.block == CodeBlock("python", "a")
    assert choice.notes == ("Only the first block of a reply runs; the blocks after it were left alone.",)


@pytest.mark.parametrize("fence", ["json", "output", "text", "javascript", "html"])
def test_other_fences_never_run(fence: str) -> None:
    assert choose_block(f"```{fence}\nx\n```", "stop") == Choice(None)


def test_a_block_without_a_language_does_not_run_and_the_model_is_told() -> None:
    choice = choose_block("```\nls\n```", "stop")
    assert choice.block is None
    assert "Name python or shell" in choice.notes[0]


def test_a_block_that_the_length_limit_cut_never_runs() -> None:
    choice = choose_block("```python\nprint(1)\nprint(", "length")
    assert choice.block is None
    assert "cut by the length limit" in choice.notes[0]
    assert choose_block("```python\nprint(1)", "stop").block == CodeBlock("python", "print(1)")


def test_a_reply_without_a_block_that_the_limit_cut_is_said_to_the_model() -> None:
    assert choose_block("I will now", "length").notes == ("Your reply was cut by the length limit. Say it shorter.",)
    assert choose_block("Done.", "stop") == Choice(None)


def test_a_longer_fence_holds_shorter_ones() -> None:
    assert choose_block("````python\ns = '''\n```\n'''\n````", "stop").block == CodeBlock("python", "s = '''\n```\n'''")


def test_an_indented_block_loses_its_indent() -> None:
    text = "1. Do:\n   ```python\n   if x:\n       y\n   ```"
    assert choose_block(text, "stop").block == CodeBlock("python", "if x:\n    y")


def test_prompts_of_a_shell_transcript_are_taken_off() -> None:
    assert choose_block("```console\n$ ls\na.py\n$ pwd\n```", "stop").block == CodeBlock("shell", "ls\npwd")


def test_a_tool_call_printed_as_json_is_a_block() -> None:
    call = {"name": "execute", "arguments": {"language": "python", "code": "print(1)"}}
    assert choose_block(json.dumps(call), "stop").block == CodeBlock("python", "print(1)")
    assert choose_block(json.dumps({**call, "name": "delete"}), "stop") == Choice(None)


def test_deeply_nested_json_is_read_as_text() -> None:
    assert choose_block('{"name": ' + "[" * 200_000, "stop") == Choice(None)


@given(st.text(), st.sampled_from(["stop", "length"]))
def test_any_text_can_be_read(text: str, finish: str) -> None:
    choose_block(text, finish)


@given(st.lists(SAFE_LINE, min_size=1), st.text(st.characters(blacklist_characters="`~", codec="utf-8")))
def test_a_well_formed_block_comes_through_whatever_stands_around_it(lines: list[str], prose: str) -> None:
    code = "\n".join(lines)
    choice = choose_block(f"{prose}\n```python\n{code}\n```\n{prose}", "stop")
    assert choice.block == CodeBlock("python", code)
