"""Functions that fail are shown as stubs; a stub that a reply leaves has the body of the file."""

from pathlib import Path

import pytest

from super_agent.core.edits.editor import Editor
from super_agent.core.edits.stubs import MAX_BODY_LINES, STUB, filled, stubbed, suspects
from super_agent.core.files.workspace import Workspace
from super_agent.core.replies.coder_reply import parse_coder_reply

CACHE = '''\
"""A cache."""


class Cache:
    def __init__(self):
        self.values = {}

    @property
    def size(self):
        """How many."""
        return len(self.values)

    def get(self, key):
        """The value."""
        # None where there is none
        return self.values.get(
            key,
        )


def empty(): return Cache()


def only_said():
    """Nothing is done."""
'''


def test_functions_of_these_names_have_no_body_and_all_else_stays() -> None:
    body = "        # None where there is none\n        return self.values.get(\n            key,\n        )\n"
    shown = stubbed(CACHE, ["get", "empty", "only_said", "__init__", "Cache"])
    assert shown == CACHE.replace(body.split("\n", 1)[1], f"        {STUB}\n")
    assert stubbed(CACHE, ["other"]) == CACHE
    assert stubbed("def get(:\n", ["get"]) == "def get(:\n"


def test_suspected_is_what_a_failure_names_the_most_named_first_and_nothing_long() -> None:
    assert suspects([CACHE], "size: cache.py:14: in get\n> get() empty() only_said() __init__ Cache") == ["get", "size"]
    assert suspects([CACHE, "def f():\n    return 1\n"], "f forget sizes") == ["f"]
    assert suspects(["def f():\n" + "    x = 1\n" * (MAX_BODY_LINES + 1)], "f") == []


@pytest.mark.parametrize(
    ("shown", "reply_changes"),
    [(["size", "get"], ("size", "get")), (["size", "get"], ("get",)), (["size"], ())],
)
def test_a_stub_that_is_left_has_the_body_of_the_file(shown: list[str], reply_changes: tuple[str, ...]) -> None:
    reply = stubbed(CACHE, shown)
    expected = CACHE
    if "size" in reply_changes:
        reply = reply.replace(STUB, "return 1", 1)
        expected = expected.replace("return len(self.values)", "return 1")
    if "get" in reply_changes:
        place = reply.rindex(STUB)
        reply = reply[:place] + "return 2" + reply[place + len(STUB) :]
        expected = expected.replace("return self.values.get(\n            key,\n        )", "return 2")
    assert "\n".join(filled(CACHE.split("\n"), reply.split("\n"))) == expected


def test_a_stub_of_what_the_file_has_not_is_refused_and_never_written(tmp_path: Path) -> None:
    (tmp_path / "cache.py").write_text(CACHE)
    with Workspace(tmp_path) as workspace:
        editor = Editor(workspace, lambda _event: None, lambda _path, _data: None)
        reply = f"```python cache.py\n{CACHE}\n\ndef new():\n    {STUB}\n```"
        (refusal,) = editor.apply(parse_coder_reply(reply, editor.surroundings("")).files).refusals
    assert "left out" in refusal[1]
    assert (tmp_path / "cache.py").read_text() == CACHE


def test_stubs_given_back_are_no_change(tmp_path: Path) -> None:
    (tmp_path / "cache.py").write_text(CACHE)
    with Workspace(tmp_path) as workspace:
        editor = Editor(workspace, lambda _event: None, lambda _path, _data: None)
        reply = f"```python cache.py\n{stubbed(CACHE, ['get', 'size'])}```"
        applied = editor.apply(parse_coder_reply(reply, editor.surroundings("")).files)
    assert applied.refusals == [("cache.py", "the file already has exactly this content")]
