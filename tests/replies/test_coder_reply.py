"""Which file each block of a reply is, and what is never taken for one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from super_agent.core.replies.coder_reply import ends_inside_block, parse_coder_reply
from super_agent.core.replies.thoughts import split_thoughts
from super_agent.core.replies.tool_call_meanings import meaning_of
from super_agent.core.replies.tool_calls import printed_calls
from super_agent.core.replies.types import (
    BadBlock,
    CodeCall,
    FileBlock,
    LineRange,
    Section,
    ShowRequest,
    Surroundings,
)

HI = 'print("hi")\n'


def files(text: str, around: Surroundings | None = None) -> tuple[FileBlock | BadBlock, ...]:
    return parse_coder_reply(text, around or Surroundings()).files


@pytest.mark.parametrize(
    "info",
    [
        "python # main.py", "python [main.py]", "python **main.py**", "python main.py:", "python File: main.py",
        "python filename: main.py", "html main.py,", "python {file=main.py}", "python `main.py`", "python (main.py)",
        "python main.py (entry point)", "python main.py - new", 'python title="main.py"', "python:./main.py",
        "{.python file=main.py}",
        "python // main.py", "python path=main.py", "Python main.py # the script", "python file:main.py", "main.py:",
    ],
)  # fmt: skip
def test_the_dresses_of_a_path_in_the_info_string(info: str) -> None:
    assert files(f"```{info}\n{HI}```\n") == (FileBlock("main.py", HI),)


@pytest.mark.parametrize(
    "info",
    [
        "Node.js", "python3.11", "application/json", "bash pip install requests==2.31.0", "ASP.NET", "text/html",
        "Vue.js", "c++17", "python example", "bash python src/main.py", "shell/bash", "image/svg+xml", "sh run main.py",
    ],
)  # fmt: skip
def test_a_language_or_a_command_is_no_path(info: str) -> None:
    reply = parse_coder_reply(f"```{info}\n{HI}```\n\n```python main.py\n{HI}```\n")
    assert reply.files == (FileBlock("main.py", HI),)
    assert len(reply.unused) == 1, "and the block is named"


def test_a_path_may_hold_blanks_and_lack_an_ending() -> None:
    assert files("```make My Project/Makefile\nall:\n```") == (FileBlock("My Project/Makefile", "all:\n"),)
    assert files("```text notes of may\nx\n```", Surroundings(files={"notes of may": frozenset()})) == (
        FileBlock("notes of may", "x\n"),
    )


@pytest.mark.parametrize(
    "line",
    ["**main.py**", "`main.py`", "### main.py", "main.py:", "File: `main.py`", "1. **main.py**:",
     "Here is `main.py`:", "Create `main.py`:"]
)  # fmt: skip
def test_the_line_above_names_the_file(line: str) -> None:
    assert files(f"{line}\n```python\n{HI}```") == (FileBlock("main.py", HI),)
    assert files(f"{line}\n\n```\n{HI}```") == (FileBlock("main.py", HI),)


@pytest.mark.parametrize("line", ["To use main.py, do this:", "Run `main.py`:", "In main.py there was a fault."])
def test_a_sentence_about_a_file_heads_nothing(line: str) -> None:
    assert files(f"{line}\n```python\n{HI}```") == ()


def test_what_is_run_is_no_file_even_below_a_path() -> None:
    assert files("**main.py**\n```bash\npython main.py\n```") == ()


@pytest.mark.parametrize("line", ["# main.py", "# File: main.py", "# ./main.py", "# filename: main.py"])
def test_the_first_comment_names_the_file_and_is_kept_apart(line: str) -> None:
    assert files(f"```python\n{line}\n{HI}```") == (FileBlock("main.py", HI, heading=line),)


def test_the_one_file_that_the_task_names() -> None:
    around = Surroundings("Write hello.py with hello(), so that test_hello.py passes", {"test_hello.py": frozenset()})
    assert files("```python\ndef hello():\n    return 1\n```", around) == (
        FileBlock("hello.py", "def hello():\n    return 1\n"),
    )


def test_the_one_file_with_the_definitions_of_the_block() -> None:
    around = Surroundings("Mend it", {"a.py": frozenset({"f", "g"}), "b.py": frozenset({"h"})})
    text = "def f():\n    return 1\n\n\ndef g():\n    return 2\n"
    assert files(f"```python\n{text}```", around) == (FileBlock("a.py", text),)


def test_a_part_of_a_file_is_taken_as_a_part_where_one_file_has_it() -> None:
    around = Surroundings("Mend it", {"a.py": frozenset({"f", "g"}), "b.py": frozenset({"h"})})
    block = "def f():\n    return 1\n"
    assert parse_coder_reply(f"```python\n{block}```", around).files == (FileBlock("a.py", block, is_part=True),)
    both = Surroundings("Mend it", {"a.py": frozenset({"f", "g"}), "b.py": frozenset({"f", "h"})})
    reply = parse_coder_reply(f"```python\n{block}```", both)
    assert reply.files == ()
    assert "it names no path" in reply.unused[0].reason


def test_one_block_with_two_files_below_their_paths_is_two_files() -> None:
    around = Surroundings("Mend it", {"a.py": frozenset({"f"}), "lib/b.py": frozenset({"g"})})
    a, b = "def f():\n    return 1\n", "def g():\n    return 2\n"
    both = (FileBlock("a.py", a), FileBlock("lib/b.py", b))
    assert files(f"```python\n# a.py\n{a}\n# lib/b.py\n{b}```", around) == both
    assert files(f"```python a.py\n{a}\n# lib/b.py\n{b}```", around) == both


@pytest.mark.parametrize(
    "text",
    [
        "# a.py\ndef f():\n    # lib/b.py\n    return 1\n",
        "# a.py\ndef f():\n    return 1\n\n# other.py\nx = 1\n",
        "# a.py\nx = (\n# lib/b.py\n1)\n",
    ],
    ids=["an indented comment", "a file that does not exist", "inside of an expression"],
)
def test_a_comment_that_begins_no_file_stays_in_its_own(text: str) -> None:
    around = Surroundings("Mend it", {"a.py": frozenset({"f"}), "lib/b.py": frozenset({"g"})})
    [block] = files(f"```python\n{text}```", around)
    assert isinstance(block, FileBlock)
    assert (block.path, block.content) == ("a.py", text.removeprefix("# a.py\n"))


@pytest.mark.parametrize("path", ["package/module.py", "path/to/file.py", "your_file.py", "<path>.py", "filename.py"])
def test_a_path_that_only_stands_for_one_is_refused(path: str) -> None:
    assert not any(isinstance(block, FileBlock) for block in files(f"```python {path}\nx = 1\n```"))


def test_the_words_of_an_explanation_are_no_content() -> None:
    [block] = files("```python a.py\nthe whole content of the file\n```")
    assert isinstance(block, BadBlock)


SECTION = (Section('GREETING = "hello"\n', 'GREETING = "good day"\n'),)


@pytest.mark.parametrize(
    ("start", "divider", "end"),
    [
        ("<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"),
        ("<<<<<<< ORIGINAL", "=======", ">>>>>>> UPDATED"),
        ("------- SEARCH", "=======", "+++++++ REPLACE"),
        ("<<<<<<< SEARCH app.py", "=======", ">>>>>>> REPLACE"),
        ("<<<<<<< search", "=======", ">>>>>>> replace"),
        ("<<<<<<< SEARCH>", "=======", ">>>>>>> REPLACE>"),
        ("<<<< SEARCH", "====", ">>>> REPLACE"),
        ("<<<<<<< HEAD", "=======", ">>>>>>> main"),
        ("<<<<<<< SEARCH", "======= REPLACE", ">>>>>>> END"),
        ("<<<<<<<SEARCH", "=========", ">>>>>>>REPLACE"),
        ("<SEARCH>", "</SEARCH><REPLACE>", "</REPLACE>"),
        ("<<<<<<< OLD", "=======", ">>>>>>>"),
    ],
)
def test_the_markers_that_models_write(start: str, divider: str, end: str) -> None:
    body = f'{start}\nGREETING = "hello"\n{divider}\nGREETING = "good day"\n{end}\n'
    [block] = files(f"```python app.py\n{body}```")
    assert isinstance(block, FileBlock)
    assert block.sections == SECTION


@pytest.mark.parametrize("line", ["<<<<<<< SEARCH", ">>>>>>> REPLACE", "<<<<<<< what", "+++++++ REPLACE"])
def test_a_lone_marker_is_never_content(line: str) -> None:
    [block] = files(f"```python app.py\nx = 1\n{line}\ny = 2\n```")
    assert isinstance(block, BadBlock)


DIFF = "--- a/app.py\n+++ b/app.py\n@@ -1,2 +1,2 @@\n def f():\n-    return 1\n+    return 2\n"


@pytest.mark.parametrize("info", ["diff app.py", "patch app.py", "udiff", "diff", "python app.py", "app.py", ""])
def test_a_patch_is_an_edit_whatever_heads_it(info: str) -> None:
    [block] = files(f"```{info}\n{DIFF}```")
    assert isinstance(block, FileBlock)
    assert (block.path, len(block.hunks)) == ("app.py", 1)


@pytest.mark.parametrize("fenced", [True, False])
def test_a_patch_of_the_begin_patch_form(fenced: bool) -> None:
    text = (
        "*** Begin Patch\n*** Update File: app.py\n@@ def f():\n-    return 1\n+    return 2\n"
        "*** Add File: b.py\n+x = 1\n*** End Patch\n"
    )
    edit, new = files(f"```\n{text}```" if fenced else text)
    assert isinstance(edit, FileBlock)
    assert edit.hunks[0].anchor == "def f():"
    assert new == FileBlock("b.py", "x = 1\n", is_new=True)


@pytest.mark.parametrize(
    "info", ["python app.py:2-3", "python app.py (lines 2-3)", "python app.py#L2-L3", "app.py lines 2-3"]
)
def test_an_edit_that_names_lines(info: str) -> None:
    [block] = files(f"```{info}\nx = 1\n```")
    assert block == FileBlock("app.py", "x = 1\n", lines=LineRange(2, 3))


DOC = '"""Slugs.\n\n```\nslug("Good Day")\n```\n"""\n\n\ndef slug(t):\n    return t\n'


@pytest.mark.parametrize("fence", ["```", "````", "~~~"])
def test_a_fence_in_a_docstring_does_not_end_the_file(fence: str) -> None:
    assert files(f"{fence}python slug.py\n{DOC}{fence}\nDone.\n\n```\nslug\n```") == (FileBlock("slug.py", DOC),)


def test_a_fence_in_a_heredoc_or_a_template_string_does_not_end_the_file() -> None:
    shell = "cat > README.md <<'EOF'\n```\nmake\n```\nEOF\nmake\n"
    assert files(f"```bash x.sh\n{shell}```") == (FileBlock("x.sh", shell),)
    script = "const doc = `\n```\nslug()\n```\n`;\nexport { doc };\n"
    assert files(f"```js x.js\n{script}```") == (FileBlock("x.js", script),)


def test_both_of_two_blocks_are_used_or_named() -> None:
    reply = parse_coder_reply("```python a.py\nA = 1\n```\n\n```python b.py (the second file)\nB = 2\n```")
    assert reply.files == (FileBlock("a.py", "A = 1\n"), FileBlock("b.py", "B = 2\n"))
    reply = parse_coder_reply("```python a.py\nA = 1\n```\n\n```python\nB = 2\n```")
    assert [u.opening for u in reply.unused] == ["```python"]


def test_thoughts_do_not_count() -> None:
    draft = "<think>\nA draft:\n```python a.py\nx = 1\n```\n</think>\n```python a.py\nx = 2\n```"
    for text in (draft, draft.removeprefix("<think>\n"), draft.replace("think>", "thinking>")):
        assert files(text) == (FileBlock("a.py", "x = 2\n"),)
    assert files("<think>\n```python a.py\nx = 1\n```\nand so on") == ()


def test_a_tag_that_a_file_holds_is_no_thought() -> None:
    code = 'END = "</think>"\nSTART = "<think>"\n'
    assert files(f"```python a.py\n{code}```") == (FileBlock("a.py", code),)
    assert split_thoughts(f"```python a.py\n{code}```")[1] == ""


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "write_file", "arguments": {"path": "a.py", "content": "x = 1"}}',
        '```json\n{"name": "create_file", "arguments": {"file_path": "a.py", "content": "x = 1\\n"}}\n```',
        '<tool_call>\n{"name": "write_file", "arguments": {"path": "a.py", "content": "x = 1"}}\n</tool_call>',
        "<function=write_file>\n<parameter=path>\na.py\n</parameter>\n<parameter=content>\n"
        "x = 1\n</parameter>\n</function>\n</tool_call>",
        '[TOOL_CALLS][{"name": "write_file", "arguments": {"path": "a.py", "content": "x = 1"}}]',
        '{"type": "function", "function": {"name": "write_file", "arguments": '
        '"{\\"path\\": \\"a.py\\", \\"content\\": \\"x = 1\\"}"}}',
        '{"path": "a.py", "content": "x = 1"}',
    ],
)
def test_a_file_in_the_dress_of_a_tool_call(text: str) -> None:
    assert files(text) == (FileBlock("a.py", "x = 1\n"),)


@pytest.mark.parametrize(
    "text",
    [
        "I write it.\n\n<function=shell>\n<parameter=command>\nls\n</parameter>\n</function>\n</tool_call>",
        "<tool_call>\n<function=shell>\n<parameter=command>\nls\n</parameter>\n</function>\n</tool_call>",
        '[TOOL_CALLS][{"name": "shell", "arguments": {"command": "ls"}}]',
        '[{"name": "shell", "arguments": {"command": "ls"}}]',
        '{"tool_calls": [{"type": "function", "function": {"name": "bash", '
        '"arguments": "{\\"command\\": \\"ls\\"}"}}]}',
        '<invoke name="run_command"><parameter name="command">ls</parameter></invoke>',
    ],
)
def test_code_in_the_dress_of_a_tool_call(text: str) -> None:
    assert [meaning_of(call) for call in printed_calls(text)] == [CodeCall("shell", "ls")]


def test_a_call_that_nothing_answers_is_named() -> None:
    reply = parse_coder_reply('{"name": "book_flight", "arguments": {"to": "Porto"}}')
    assert reply.files == ()
    assert "book_flight" in reply.unused[0].opening
    assert parse_coder_reply('{"name": "read_file", "arguments": {"path": "a.py"}}').shows == (ShowRequest("a.py"),)


def test_a_printed_call_whose_content_never_ends_writes_nothing() -> None:
    text = "<function=write_file>\n<parameter=path>a.py</parameter>\n<parameter=content>\nx = 1\n"
    assert files(text) == ()


def test_a_file_given_whole_twice_is_the_last_one() -> None:
    reply = parse_coder_reply("```python a.py\nx = 1\n```\nBetter:\n```python a.py\nx = 2\n```")
    assert reply.files == (FileBlock("a.py", "x = 2\n"),)
    assert len(reply.unused) == 1


@pytest.mark.parametrize("body", ["", "\n\n"])
def test_an_empty_block_empties_no_file(body: str) -> None:
    [block] = files(f"```python a.py\n{body}```")
    assert isinstance(block, BadBlock)
    assert files("```python pkg/__init__.py\n```") == (FileBlock("pkg/__init__.py", ""),)


PIECES = st.sampled_from(
    [
        "```python a.py", "```python", "```", "````", "```diff", "**a.py**", "# a.py", "x = 1", '"""',
        "<think>", "</think>",
        "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "------- SEARCH", "+++++++ REPLACE", "--- a/a.py", "+++ b/a.py",
        "@@ -1 +1 @@", "-x = 1", "+x = 2", "*** Begin Patch", "*** Update File: a.py", "*** End Patch", "<tool_call>",
        '{"name": "write_file", "arguments": {"path": "a.py", "content": "x = 3"}}', "</tool_call>", "some prose", "",
        "```bash", "ls", "```markdown README.md", "```Node.js", "    ```", "~~~", "<function=shell>", "</function>",
    ]
)  # fmt: skip


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=16), st.sampled_from(["", "Write a.py", "Mend a.py and b.py"]))
def test_whatever_is_mixed_only_plain_content_becomes_a_file(pieces: list[str], task: str) -> None:
    around = Surroundings(task, {"a.py": frozenset({"x"})} if "Mend" in task else {})
    for block in parse_coder_reply("\n".join(pieces), around).files:
        assert block.path in ("a.py", "README.md", "a patch", "") or isinstance(block, BadBlock)
        if isinstance(block, FileBlock) and not block.is_edit:
            marks = ("<<<<<<<", ">>>>>>>", "@@ ", "*** Begin", "------- S", "+++++++ R")
            assert not any(line.startswith(marks) for line in block.content.split("\n")), "no marker is content"
            assert block.content.strip()


@given(st.text())
def test_any_text_can_be_read_and_split(text: str) -> None:
    parse_coder_reply(text)
    said, thought = split_thoughts(text)
    assert len(said) + len(thought) <= len(text) + 1


def test_a_fence_in_a_heredoc_does_not_close_a_block_that_lacks_its_own() -> None:
    text = "```sh make.sh\ncat > fence.txt <<EOF\n```\nEOF\n"
    assert ends_inside_block(text)
    assert not ends_inside_block(text + "```\n")
