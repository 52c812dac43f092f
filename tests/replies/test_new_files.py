"""Blocks that say or show that a file is new: a patch from nothing, and its imports in a block of their own."""

import pytest

from tests.replies.test_editing import Desk, desk

__all__ = ["desk"]
APP = "def total(items):\n    return sum(items)\n"
USES = "def here():\n    return os.getcwd()\n"
PATCH = "--- /dev/null\n+++ b/app.py\n@@ -0,0 +1,2 @@\n+def here():\n+    return 1\n"
ADDED = "*** Begin Patch\n*** Add File: app.py\n+def here():\n+    return 1\n*** End Patch\n"


@pytest.mark.parametrize("patch", [f"```diff\n{PATCH}```", PATCH, f"```diff\n{ADDED}```", ADDED])
def test_a_patch_that_says_new_does_not_replace_a_file_that_is_there(desk: Desk, patch: str) -> None:
    desk.put("app.py", APP)
    ((path, reason),) = desk.apply(patch).refusals
    assert path == "app.py"
    assert "but it exists" in reason
    assert desk.bytes("app.py").decode() == APP


@pytest.mark.parametrize("patch", [PATCH, ADDED])
def test_such_a_patch_makes_a_new_file_and_may_give_its_own_again(desk: Desk, patch: str) -> None:
    assert desk.apply(patch).paths == ["app.py"]
    assert desk.apply(patch.replace("return 1", "return 2")).refusals == []
    assert desk.bytes("app.py").decode() == "def here():\n    return 2\n"


@pytest.mark.parametrize("lead", ["import os\n", "import os\n\nROOT = 1\n", '"""What is here."""\n\nimport os\n'])
def test_the_imports_of_a_new_file_in_a_block_before_its_functions(desk: Desk, lead: str) -> None:
    desk.apply(f"```python new.py\n{lead}```\n\nThen:\n\n```python new.py\n{USES}```", "write new.py")
    assert desk.bytes("new.py").decode() == f"{lead}\n\n{USES}"


def test_constants_before_the_functions_that_use_them(desk: Desk) -> None:
    uses = "def twice():\n    return 2 * SIZE\n"
    desk.apply(f"```python new.py\nSIZE = 3\n```\n\n```python new.py\n{uses}```", "write new.py")
    assert desk.bytes("new.py").decode() == f"SIZE = 3\n\n\n{uses}"


def test_the_import_of_a_file_that_is_there_goes_with_its_function(desk: Desk) -> None:
    desk.put("app.py", APP)
    new = "def total(items):\n    return sum(items) + len(os.sep)\n"
    assert desk.apply(f"```python app.py\nimport os\n```\n\n```python app.py\n{new}```").refusals == []
    assert desk.bytes("app.py").decode() == f"import os\n\n\n{new}"


def test_imports_that_the_whole_file_has_again_are_there_once(desk: Desk) -> None:
    desk.apply(f"```python new.py\nimport os\n```\n\n```python new.py\nimport os\n\n\n{USES}```", "write new.py")
    assert desk.bytes("new.py").decode() == f"import os\n\n\n{USES}"


@pytest.mark.parametrize(
    "reply",
    [
        "```diff\n--- a/n.py\n+++ b/n.py\n@@ -0,0 +1 @@\n+x = 1\n```\n", "```diff n.py\n+x = 1\n```\n",
        "*** Begin Patch\n*** Create File: n.py\n+x = 1\n*** End Patch\n",
    ],
)  # fmt: skip
def test_a_patch_that_only_adds_lines_makes_a_file_that_is_not_there(desk: Desk, reply: str) -> None:
    desk.apply(reply)
    assert desk.bytes("n.py") == b"x = 1\n"


def test_a_time_or_a_remark_behind_the_path_of_a_header_is_no_part_of_it(desk: Desk) -> None:
    desk.put("a.py", "x = 1\n")
    desk.apply("```diff\n--- a.py (original)\n+++ a.py (modified)\n@@ -1 +1 @@\n-x = 1\n+x = 2\n```\n")
    desk.apply(
        "```diff\n--- a.py 2024-01-01 00:00:00\n+++ a.py 2024-01-01 00:00:01\n@@ -1 +1 @@\n-x = 2\n+x = 3\n```\n"
    )
    assert desk.bytes("a.py") == b"x = 3\n"


@pytest.mark.parametrize(
    ("path", "old", "block"),
    [
        ("p.json", '{"name": "x", "version": "1"}\n', '"version": "2"\n'), ("p.toml", "[a]\nx = 1\n", "x = [1,\n"),
        ("p.json", '{"a": 1, "b": 1}\n', '{\n  ...,\n  "b": 2\n}\n'),
        ("p.json", '{"name": "x", "a": 1, "version": "1"}\n', '{"version": "2"}\n'),
    ],
)  # fmt: skip
def test_data_that_is_some_of_a_file_does_not_replace_it(desk: Desk, path: str, old: str, block: str) -> None:
    desk.put(path, old)
    assert desk.apply(f"```{path[2:]} {path}\n{block}```").refusals
    assert desk.bytes(path).decode() == old
