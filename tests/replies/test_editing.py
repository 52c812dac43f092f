"""What edits do to a file: elisions refused, what is certain mended, every other byte kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from super_agent.core.edits.editor import Applied, Editor
from super_agent.core.edits.textfile import decoded
from super_agent.core.files.workspace import Workspace
from super_agent.core.replies.coder_reply import parse_coder_reply
from super_agent.core.replies.elision import elision_in


class Desk:
    """An editor on a fresh workspace that holds one file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.workspace = Workspace(root)
        self.editor = Editor(self.workspace, lambda _event: None, lambda _path, _data: None)

    def put(self, name: str, data: str | bytes) -> None:
        (self.root / name).write_bytes(data if isinstance(data, bytes) else data.encode())

    def apply(self, text: str, task: str = "") -> Applied:
        return self.editor.apply(parse_coder_reply(text, self.editor.surroundings(task)).files, task)

    def bytes(self, name: str) -> bytes:
        return (self.root / name).read_bytes()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.workspace.close()


def section(path: str, old: str, new: str) -> str:
    return f"```text {path}\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n```"


@pytest.mark.parametrize(
    "line",
    [
        "# ... (keep the imports and functions above as they stand)", "# ... keep all other functions",
        "# ... existing imports ...", "# ... other handlers ...", "# Rest of the module stays here",
        "# (all other functions are unchanged)", "# ... (mantém o resto do código) ...", "# ...", "# …",
        "// ... rest of the file", "/* ... */", "<!-- ... -->", "# resto do código permanece igual", "{/* ... */}",
        "# o restante do arquivo continua igual", "# ... outras funções ...", "# keep the existing functions as is",
        "# (código omitido)", "...", "# code omitted for brevity", "# ... your code here", "# snip", "[...]",
        "# unchanged", "# demais funções inalteradas", "# remaining methods go here unchanged", "# ... more code ...",
    ],
)  # fmt: skip
def test_a_line_that_stands_for_code_is_seen(line: str) -> None:
    assert elision_in(f"x = 1\n{line}\n", "", "python") == line


@pytest.mark.parametrize(
    "line",
    [
        "# first all others, then this one", "# keeps the existing value", "# the rest is sent back to the caller",
        "    # the same for every file", "x: tuple[int, ...] = ()", "print(*rest)", "# other users see nothing here",
        "# ...and then the answer is sent", "## Rest of the world", "# TODO: existing users", "# -----", "    pass",
        "# below zero is an error", "# above all", "# same order as in the table", "#!/bin/sh", "# All tests pass",
    ],
)  # fmt: skip
def test_a_comment_is_not_seen_as_code_left_out(line: str) -> None:
    assert elision_in(f"{line}\n", "", "python") == ""


def test_bare_dots_are_code_where_they_are_a_body_and_an_elision_where_they_replace_one() -> None:
    stub = "class P(Protocol):\n    def f(self) -> int: ...\n\n    def g(self) -> int:\n        ...\n"
    assert elision_in(stub, "", "python") == ""
    assert elision_in("def f():\n    ...\n", "def f():\n    return 1\n", "python") != ""
    assert elision_in("def f():\n    x = 1\n    ...\n", "", "python") == "    ..."


def test_an_elision_in_a_replace_part_is_refused(desk: Desk) -> None:
    old = "def load(path):\n    rows = []\n    return rows\n"
    desk.put("a.py", old)
    new = "def load(path):\n    check(path)\n    # ... rest of the function unchanged ...\n"
    [(_, reason)] = desk.apply(section("a.py", old, new)).refusals
    assert "# ... rest of the function unchanged ..." in reason
    assert desk.bytes("a.py") == old.encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"one\ntwo\r\nthree\nfour\n", b"one\ntwo\r\n3\nfour\n"),
        (b"one\r\ntwo\nthree\r\nfour", b"one\r\ntwo\n3\r\nfour"),
        (b"\xef\xbb\xbfone\r\nthree\r\n", b"\xef\xbb\xbfone\r\n3\r\n"),
        (b"a\rb\nthree\nc\x0cd\n", b"a\rb\n3\nc\x0cd\n"),
        ("x\u2028y\nthree\nz\x85\n".encode(), "x\u2028y\n3\nz\x85\n".encode()),
        (b"caf\xe9\nthree\n", b"caf\xe9\n3\n"),
        (b"one\nthree", b"one\n3"),
        (b"one  \t\nthree\n", b"one  \t\n3\n"),
    ],
)
def test_what_was_not_edited_keeps_its_bytes(desk: Desk, before: bytes, after: bytes) -> None:
    desk.put("list.txt", before)
    assert desk.apply(section("list.txt", "three\n", "3\n")).refusals == []
    assert desk.bytes("list.txt") == after


def test_a_file_written_whole_keeps_the_line_ends_of_its_lines(desk: Desk) -> None:
    desk.put("a.txt", b"one\r\ntwo\nthree\r\nfour")
    assert desk.apply("```text a.txt\none\ntwo\n3\nfour\n```").refusals == []
    assert desk.bytes("a.txt") == b"one\r\ntwo\n3\r\nfour"


def test_a_character_that_the_files_encoding_lacks_and_a_binary_file_are_refused(desk: Desk) -> None:
    desk.put("a.txt", b"caf\xe9\nx\n")
    [(_, reason)] = desk.apply(section("a.txt", "x\n", "€\n")).refusals
    assert "latin-1" in reason
    desk.put("b.bin", b"x\0y\n")
    assert desk.apply("```text b.bin\nx\n```").refusals != []


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        ("class A:\n    def f(self):\n        return 1\n", "def f(self):\n    return 1\n",
         "def f(self):\n    if x:\n        return 2\n",
         "class A:\n    def f(self):\n        if x:\n            return 2\n"),
        ("def f():\n\treturn 1\n", "def f():\n    return 1\n", "def f():\n    return 2\n", "def f():\n\treturn 2\n"),
        ("x = 1   \ny\n", "x = 1\n", "x = 2\n", "x = 2\ny\n"),
        ("Title\n=======\nold text\n", "Title\n=======\nold text\n",
         "Title\n=======\nnew text\n", "Title\n=======\nnew text\n"),
        ("Title\n=======\nold\n", "old\n", "new\n=======\n", "Title\n=======\nnew\n=======\n"),
        ("a\nb\nc\n", "\nb\n\n", "\nB\n\n", "a\nB\nc\n"),
    ],
)  # fmt: skip
def test_an_edit_is_mended_where_what_is_meant_is_certain(
    desk: Desk, before: str, old: str, new: str, after: str
) -> None:
    desk.put("a.txt", before)
    assert desk.apply(section("a.txt", old, new)).refusals == []
    assert desk.bytes("a.txt") == after.encode()


def test_an_ambiguous_edit_says_where_its_text_stands(desk: Desk) -> None:
    desk.put("a.txt", "x\ny\nx\n")
    [(_, reason)] = desk.apply(section("a.txt", "x\n", "z\n")).refusals
    assert "at lines 1, 3" in reason


def patch(body: str) -> str:
    return f"```diff\n--- a/a.py\n+++ b/a.py\n{body}```"


@pytest.mark.parametrize(
    "body",
    [
        "@@ -6,4 +6,6 @@\n \n \n def g():\n+    x = 1\n     return 2\n",
        "@@ -60,4 +60,6 @@\n def g():\n+    x = 1\n     return 2\n",
        "@@ @@\n def g():\n+    x = 1\n     return 2\n",
        "@@\ndef g():\n+    x = 1\n    return 2\n",
        "@@ -5,3 +5,4 @@\n # not there\n def g():\n+    x = 1\n     return 2\n",
        "@@ def g():\n+    x = 1\n     return 2\n",
    ],
)
def test_a_patch_is_applied_by_its_context(desk: Desk, body: str) -> None:
    desk.put("a.py", "def f():\n    return 1\n\n\ndef g():\n    return 2\n")
    assert desk.apply(patch(body)).refusals == []
    assert desk.bytes("a.py") == b"def f():\n    return 1\n\n\ndef g():\n    x = 1\n    return 2\n"


def test_a_patch_that_does_not_fit_leaves_the_file(desk: Desk) -> None:
    desk.put("a.py", "x = 1\n")
    assert desk.apply(patch("@@ -1 +1 @@\n-y = 1\n+y = 2\n")).refusals != []
    assert desk.bytes("a.py") == b"x = 1\n"


def test_lines_that_an_edit_names_are_replaced_unless_that_breaks_the_file(desk: Desk) -> None:
    desk.put("a.py", "x = 1\ny = (\n    2\n)\n")
    assert desk.apply("```python a.py:1-1\nx = 5\n```").refusals == []
    assert desk.apply("```python a.py:2-3\ny = 3\n```").refusals != []
    assert desk.apply("```python a.py:9-12\ny = 3\n```").refusals != []
    assert desk.bytes("a.py") == b"x = 5\ny = (\n    2\n)\n"


def test_a_syntax_error_is_told_in_two_lines(desk: Desk) -> None:
    applied = desk.apply("```python a.py\ndef f(:\n    pass\n```")
    assert applied.paths == ["a.py"]
    assert applied.errors == [("a.py", "a.py, line 1: invalid syntax\n    def f(:")]


def test_a_comment_that_names_the_path_stays_only_where_it_was(desk: Desk) -> None:
    desk.put("a.py", "# a.py\nx = 1\n")
    desk.apply("```python\n# a.py\nx = 2\n```")
    desk.apply("```python\n# b.py\nx = 2\n```")
    assert (desk.bytes("a.py"), desk.bytes("b.py")) == (b"# a.py\nx = 2\n", b"x = 2\n")


LINE = st.text(st.characters(codec="utf-8", blacklist_characters="\n\0\ufeff"), max_size=6).filter(
    lambda s: not s.endswith("\r")
)


@given(st.lists(st.tuples(LINE, st.sampled_from(["\n", "\r\n"])), min_size=1, max_size=8), st.booleans(), st.data())
def test_replacing_one_line_keeps_the_bytes_of_all_others(
    pairs: list[tuple[str, str]], bare: bool, data: st.DataObject
) -> None:
    if bare:
        pairs[-1] = (pairs[-1][0] or "x", "")
    raw = "".join(line + end for line, end in pairs).encode()
    file = decoded(raw)
    assert file.encoded() == raw
    at = data.draw(st.integers(0, len(pairs) - 1))
    new = file.replaced([*file.lines[:at], "changed entirely", *file.lines[at + 1 :]]).encoded()
    pairs[at] = ("changed entirely", pairs[at][1])
    assert new == "".join(line + end for line, end in pairs).encode()


OLD, NEW = 'GREETING = "hello"\n', 'GREETING = "good day"\n'


@pytest.mark.parametrize(
    "edit",
    [
        f"app.py\n<<<<<<< SEARCH\n{OLD}=======\n{NEW}>>>>>>> REPLACE\n", f"Search:\n{OLD}Replace:\n{NEW}",
        f"`<<<<<<< SEARCH`\n{OLD}`=======`\n{NEW}`>>>>>>> REPLACE`\n", f"# Before:\n{OLD}# After:\n{NEW}",
        f"<<<<<<< SEARCH\n{OLD}=======\n=======\n{NEW}>>>>>>> REPLACE\n", f"FIND:\n{OLD}REPLACE WITH:\n{NEW}",
        f"<old_str>\n{OLD}</old_str>\n<new_str>\n{NEW}</new_str>\n", f"**Old code:**\n{OLD}**New code:**\n{NEW}",
        f"<search>{OLD.strip()}</search>\n<replace>{NEW.strip()}</replace>\n",
        f"<edit>\n<search>\n{OLD}</search>\n<replace>\n{NEW}</replace>\n</edit>\n",
        f"«««« SEARCH\n{OLD}====\n{NEW}»»»» REPLACE\n", f"[SEARCH]\n{OLD}[/SEARCH]\n[REPLACE]\n{NEW}[/REPLACE]\n",
        f"&lt;&lt;&lt;&lt;&lt;&lt;&lt; SEARCH\n{OLD}=======\n{NEW}&gt;&gt;&gt;&gt;&gt;&gt;&gt; REPLACE\n",
    ],
)  # fmt: skip
def test_an_edit_in_markers_of_other_dress_is_applied(desk: Desk, edit: str) -> None:
    rest = "\n\ndef greet():\n    return GREETING\n"
    desk.put("app.py", OLD + rest)
    desk.apply(f"```python app.py\n{edit}```\n")
    assert desk.bytes("app.py").decode() == NEW + rest


def test_a_prompt_in_a_docstring_ends_no_section(desk: Desk) -> None:
    new = 'def total():\n    """\n    >>> total\n    1\n    """\n'
    desk.put("app.py", "def total():\n    pass\n")
    desk.apply(section("app.py", "def total():\n    pass\n", new))
    assert desk.bytes("app.py").decode() == new


def test_lines_that_define_nothing_are_no_whole_file_of_code(desk: Desk) -> None:
    desk.put("app.py", f"{OLD}\n\ndef greet():\n    return GREETING\n")
    applied = desk.apply(f"```python app.py\n{NEW}```\n", "Let greet say good day")
    assert "the file also defines greet" in applied.refusals[0][1]


def test_a_first_line_that_is_only_the_path_is_no_code(desk: Desk) -> None:
    desk.apply("```go main.go\nmain.go\npackage main\n```\n")
    assert desk.bytes("main.go") == b"package main\n"


def test_json_with_a_remark_is_asked_again_once_and_told_why(desk: Desk) -> None:
    desk.put("tsconfig.json", '{\n  "strict": false\n}\n')
    reply = '```json tsconfig.json\n{\n  // as the tests need it\n  "strict": true\n}\n```'
    assert "would not be JSON any more" in desk.apply(reply).refusals[0][1]
    assert desk.apply(reply).paths == ["tsconfig.json"]
