"""Paths in the headings of sections, headings that say part, and blocks whose end only their own language tells."""

import pytest

from super_agent.core.replies.coder_reply import parse_coder_reply
from super_agent.core.replies.types import BadBlock, FileBlock, Surroundings
from tests.replies.test_editing import Desk, desk

__all__ = ["desk"]
CSS = "a {\n}\nb {\n}\n"


def paths(text: str, around: Surroundings | None = None) -> list[str]:
    return [block.path for block in parse_coder_reply(text, around or Surroundings()).files]


@pytest.mark.parametrize("heading", ["### 1. `n.py`", "**n.py**", "## n.py", "1. **n.py**:"])
def test_the_heading_of_a_section_with_one_block_names_it(heading: str) -> None:
    text = f"{heading}\n\nThis file holds x.\n\n```python\nx = 1\n```\n\n### m.py\n\nAnd y.\n\n```python\ny = 1\n```\n"
    assert paths(text) == ["n.py", "m.py"]


@pytest.mark.parametrize("sentence", ["Example usage:", "Then run it.", "It prints this.", "Currently it is so."])
def test_a_sentence_that_says_otherwise_leaves_it_without(sentence: str) -> None:
    assert paths(f"### n.py\n\n{sentence}\n\n```python\nx = 1\n```") == []


def test_of_two_blocks_in_a_section_none_is_certain() -> None:
    block = "```python\nx = 1\n```\n"
    assert paths(f"### n.py\n\nThis file holds x.\n\n{block}\nLater more.\n\n{block}") == []


def test_lines_of_a_file_that_exists_are_asked_for() -> None:
    around = Surroundings("", {"s.css": frozenset(), "a.py": frozenset({"f"})})
    assert paths("### s.css\n\nThe box is wider.\n\n```css\na {\n}\n```", around) == []
    assert paths("### a.py\n\nIt is one now.\n\n```python\ndef f():\n    return 1\n```", around) == ["a.py"]


@pytest.mark.parametrize(
    "heading",
    [
        "s.css (line 2)",
        "`s.css` (snippet)",
        "s.css (only the changed rule)",
        "s.css (around line 10)",
        "s.css (partial)",
    ],
)
def test_a_heading_that_says_part_is_no_whole_file(desk: Desk, heading: str) -> None:
    desk.put("s.css", CSS)
    for reply in (f"{heading}\n```css\nb {{\n  top: 0;\n}}\n```", f"```css {heading}\nb {{\n}}\n```"):
        [(_, reason)] = desk.apply(reply).refusals
        assert "some of the file" in reason
    assert desk.bytes("s.css").decode() == CSS


def test_functions_that_are_headed_as_part_take_their_places(desk: Desk) -> None:
    desk.put("a.py", "def f():\n    return 0\n\n\ndef g():\n    return 2\n")
    desk.apply("a.py (snippet):\n```python\ndef f():\n    return 1\n```")
    assert desk.bytes("a.py") == b"def f():\n    return 1\n\n\ndef g():\n    return 2\n"


def test_a_fence_in_an_element_does_not_end_the_page() -> None:
    page = "<pre>\n```\ncode\n```\n</pre>\n"
    assert parse_coder_reply(f"```html n.html\n{page}```\nDone.").files == (FileBlock("n.html", page),)
    two = "```html n.html\n<p>\n```\n\n```\nshown\n```"
    assert parse_coder_reply(two).files == (FileBlock("n.html", "<p>\n"),)


@pytest.mark.parametrize("mark", ["\ufeff", "\u200b"])
def test_a_mark_that_nobody_sees_before_a_fence(mark: str) -> None:
    assert paths(f"{mark}```python n.py\nx = 1\n```") == ["n.py"]


def test_a_comment_may_say_more_than_the_path() -> None:
    [block] = parse_coder_reply("```python\n# n.py - the entry\nx = 1\n```").files
    assert block == FileBlock("n.py", "x = 1\n", heading="# n.py - the entry")


def test_code_is_no_notebook() -> None:
    [block] = parse_coder_reply("```python n.ipynb\nprint(1)\n```").files
    assert isinstance(block, BadBlock)
    assert paths('```json n.ipynb\n{"cells": []}\n```') == ["n.ipynb"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.rb", "def f\n  <<~T\n```\nx\n```\nT\nend\n"), ("a.php", "<?php\n$a = <<<T\n```\nx\n```\nT;\necho $a;\n"),
        ("a.kt", 'val s = """\n```\nx\n```\n"""\nfun f() {\n}\n'), ("a.toml", 'd = """\n```\nx\n```\n"""\nk = 1\n'),
        ("a.lua", "local s = [[\n```\nx\n```\n]]\nreturn s\n"), ("a.yaml", "a: |\n  ```\n  x\n  ```\nb: 1\n"),
        ("Dockerfile", "FROM x\nRUN cat > a.md <<EOF\n```\nx\n```\nEOF\nCMD x\n"),
    ],
)  # fmt: skip
def test_a_fence_in_a_text_of_any_language_does_not_end_the_block(path: str, text: str) -> None:
    language = {"rb": "ruby", "kt": "kotlin", "Dockerfile": "dockerfile"}.get(path.rpartition(".")[2], path[2:])
    for reply in (f"```{language} {path}\n{text}```\n", f"1. It:\n\n```{language} {path}\n{text}```<|im_end|>"):
        [block] = parse_coder_reply(reply).files
        assert block == FileBlock(path, text)


@pytest.mark.parametrize("wrap", ["```markdown\n{}```\n", "```\n{}```", "```md\nI write it.\n\n{}```\n"])
def test_a_fence_around_the_whole_reply_is_none(wrap: str) -> None:
    files = parse_coder_reply(wrap.format("```python a.py\nx = 1\n```\n\n**b.py**\n```python\ny = 2\n```\n")).files
    assert files == (FileBlock("a.py", "x = 1\n"), FileBlock("b.py", "y = 2\n"))


def test_markdown_that_shows_files_is_not_taken_apart_where_it_is_asked_for() -> None:
    around = Surroundings("Write README.md that shows a.py", {"a.py": frozenset()})
    reply = parse_coder_reply("```markdown\n# T\n\n```python a.py\nx = 1\n```\n```\n", around)
    assert [block.path for block in reply.files] == ["README.md"]
