"""Edits without a fence, patches in blocks of code, and new files in patches."""

import time

import pytest

from super_agent.core.replies.coder_reply import parse_coder_reply
from super_agent.core.replies.types import BadBlock, FileBlock, Section, Surroundings
from tests.replies.test_editing import Desk, desk

__all__ = ["desk"]
APP = "def total(items):\n    result = 0\n    for item in items:\n        result += item\n    return result\n"
NEW = APP.replace("= 0", "= 1")
EDIT = "<<<<<<< SEARCH\n    result = 0\n=======\n    result = 1\n>>>>>>> REPLACE\n"
HUNK = "@@ -1,3 +1,3 @@\n def total(items):\n-    result = 0\n+    result = 1\n     for item in items:\n"
SIGNED = " def total(items):\n-    result = 0\n+    result = 1\n     for item in items:\n"


@pytest.mark.parametrize(
    "reply",
    [
        f"app.py\n{EDIT}Done.",
        f"**app.py**\n\n{EDIT}",
        f"I edit it.\n\n`app.py`:\n{EDIT}\n",
        f"```python\napp.py\n{EDIT}```",
        f"```python\n{EDIT.replace('SEARCH', 'SEARCH app.py')}```",
        EDIT.replace("SEARCH", "SEARCH app.py"),
        "app.py\n<<<<<<< SEARCH\n```python\n    result = 0\n```\n=======\n```python\n    result = 1\n```\n"
        ">>>>>>> REPLACE\n",
        f"--- a/app.py\n+++ b/app.py\n{HUNK}\nThat is all.\n- one line\n",
        f"```diff\napp.py\n{HUNK}```",
        f"`app.py`:\n```diff\n{SIGNED}```",
        f"```python app.py\n{SIGNED}```",
        "```python app.py\ndef total(items):\n-    result = 0\n+    result = 1\n    for item in items:\n```",
        f"*** Update File: app.py\n{HUNK}",
        f"*** Begin Patch\n*** Update File: app.py\n{HUNK}*** End Patch\n\n- The total begins at one.\n",
    ],
)
def test_an_edit_is_made_wherever_it_stands(desk: Desk, reply: str) -> None:
    desk.put("app.py", APP)
    assert desk.apply(reply).refusals == []
    assert desk.bytes("app.py").decode() == NEW


def test_edits_of_two_files_below_each_path(desk: Desk) -> None:
    desk.put("app.py", APP)
    desk.put("b.py", "y = 0\n")
    both = f"app.py\n{EDIT}\nb.py\n<<<<<<< SEARCH\ny = 0\n=======\ny = 1\n>>>>>>> REPLACE\n"
    for reply in (both, f"```\n{both}```"):
        desk.put("app.py", APP)
        desk.put("b.py", "y = 0\n")
        assert desk.apply(reply).refusals == []
        assert (desk.bytes("app.py").decode(), desk.bytes("b.py")) == (NEW, b"y = 1\n")


def test_markers_that_a_block_shows_are_no_edit_of_their_own(desk: Desk) -> None:
    desk.put("app.py", APP)
    doc = f"# How to edit\n\napp.py\n{EDIT}"
    desk.apply(f"````text notes.txt\n{doc}````\nSo it is done.")
    assert desk.bytes("app.py").decode() == APP


@pytest.mark.parametrize("path", ["list.md", "list.yaml", "a.txt"])
def test_a_list_is_no_patch(desk: Desk, path: str) -> None:
    text = "- one\n+ two\n- three\n"
    assert desk.apply(f"```{path.partition('.')[2]} {path}\n{text}```").refusals == []
    assert desk.bytes(path).decode() == text


def test_the_lines_of_a_new_file_in_a_patch_all_have_a_plus_or_none_has() -> None:
    def added(lines: str) -> FileBlock | BadBlock:
        [block] = parse_coder_reply(f"*** Begin Patch\n*** Add File: n.py\n{lines}*** End Patch\nDone.\n").files
        return block

    assert added("+x = 1\n+\n+y = 2\n") == FileBlock("n.py", "x = 1\n\ny = 2\n", is_new=True)
    assert added("+x = 1\n\n+y = 2\n") == FileBlock("n.py", "x = 1\n\ny = 2\n", is_new=True)
    assert added("x = 1\n    y = 2\n") == FileBlock("n.py", "x = 1\n    y = 2\n", is_new=True)
    assert isinstance(added("+x = 1\ny = 2\n"), BadBlock)
    assert isinstance(added(""), BadBlock)


def test_a_rename_in_a_patch_is_told_as_what_it_is() -> None:
    [block] = parse_coder_reply(
        "```diff\ndiff --git a/a.py b/b.py\nsimilarity index 100%\nrename from a.py\nrename to b.py\n```"
    ).files
    assert isinstance(block, BadBlock)
    assert "rename" in block.reason


@pytest.mark.parametrize(
    "text",
    [
        "<<<<<<< SEARCH\n=======\n" * 9000,
        "".join(f"```python a.py\ndef f{i}():\n    return 1\n```\n\n" for i in range(3000)),
        "".join(f"```python n.py\ndef f{i}():\n    return 1\n```\n\n" for i in range(1500)),
    ],
    ids=["markers", "parts of a file", "parts of a new file"],
)
def test_thousands_of_them_are_read_in_seconds(text: str) -> None:
    began = time.process_time()
    parse_coder_reply(text, Surroundings("", {"a.py": frozenset({"f1"})}))
    assert time.process_time() - began < 6


@pytest.mark.parametrize(
    "edit",
    [
        "<<<<<<< HEAD\n{}=======\n{}>>>>>>> branch\n", "------- SEARCH\n{}=======\n{}+++++++ REPLACE\n",
        "<<<<<<< OLD\n{}=======\n{}>>>>>>> NEW\n", "<<<<<<< SEARCH\n{}======= REPLACE\n{}>>>>>>>\n",
    ],
)  # fmt: skip
def test_sections_without_a_fence_in_the_markers_of_other_tools(edit: str) -> None:
    reply = parse_coder_reply("I change it.\n\napp.py\n" + edit.format("X = 1\n", "X = 2\n"))
    [block] = [block for block in reply.files if isinstance(block, FileBlock)]
    assert (block.path, block.sections) == ("app.py", (Section("X = 1\n", "X = 2\n"),))


@pytest.mark.parametrize(
    "text",
    [
        f"--- a/{' ' * 20_000}x\n+++ b/{' ' * 20_000}x\n@@ -1 +1 @@\n-x\n+y\n",
        f"```{'-' * 10_000}\nx\n```",
        "A line of it <think>\n" * 20_000,
    ],
    ids=["blanks in a header", "signs behind a fence", "opening tags at ends of lines"],
)
def test_long_lines_and_many_tags_without_an_end_are_read_in_seconds(text: str) -> None:
    started = time.perf_counter()
    parse_coder_reply(text)
    assert time.perf_counter() - started < 5
