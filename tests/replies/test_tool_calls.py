"""Calls in the dressings of other tools, and what a call's text really holds."""

import json

import pytest

from super_agent.core.replies.coder_reply import parse_coder_reply, split_files
from super_agent.core.replies.types import BadBlock, FileBlock, Surroundings
from tests.replies.test_editing import Desk, desk

__all__ = ["desk"]
WRITE = {"path": "n.py", "content": "x = 1\n"}
ONE = (FileBlock("n.py", "x = 1\n"),)
PATCH = (
    "*** Begin Patch\n*** Update File: a.py\n@@\n-x = 0\n+x = 1\n"
    "*** Update File: b.py\n@@\n-y = 0\n+y = 1\n*** End Patch"
)


def files(text: str) -> tuple[FileBlock | BadBlock, ...]:
    return parse_coder_reply(text).files


def call(**arguments: object) -> str:
    return json.dumps({"name": "write_file", "arguments": arguments})


@pytest.mark.parametrize(
    "text",
    [
        "<write_to_file>\n<path>n.py</path>\n<content>\nx = 1\n</content>\n</write_to_file>",
        "I write it.\n\n<write_to_file>\n<path>n.py</path>\n<content>\nx = 1\n</content>\n</write_to_file>\n\nDone.",
        "```xml\n<write_to_file>\n<path>n.py</path>\n<content>\nx = 1\n</content>\n</write_to_file>\n```",
        "<write_to_file>\n<path>n.py</path>\n<content>\n```python\nx = 1\n```\n</content>\n</write_to_file>",
        '<file path="n.py">\nx = 1\n</file>',
        '<file name="n.py">\n```python\nx = 1\n```\n</file>',
        '<boltArtifact id="a"><boltAction type="file" filePath="n.py">\nx = 1\n</boltAction></boltArtifact>',
        f"<function=write_file>{json.dumps(WRITE)}</function>",
        f">>>write_file\n{json.dumps(WRITE)}",
        f"<|from|>assistant\n<|recipient|>write_file\n<|content|>{json.dumps(WRITE)}<|stop|>",
        "<tool_call>write_file\n<arg_key>path</arg_key>\n<arg_value>n.py</arg_value>\n<arg_key>content</arg_key>\n"
        "<arg_value>x = 1\n</arg_value>\n</tool_call>",
        "<|channel|>analysis<|message|>I write.<|end|><|start|>assistant<|channel|>commentary to=functions.write_file "
        f"<|constrain|>json<|message|>{json.dumps(WRITE)}<|call|>",
        f"I write it.\n\n{call(**WRITE)}\n\nDone.",
        "{'name': 'write_file', 'arguments': {'path': 'n.py', 'content': 'x = 1'}}",
        '{"name": "write_file", "arguments": {"path": "n.py", "content": """x = 1\n"""}}',
        '{"files": {"n.py": "x = 1\\n"}}',
        '```json\n{"files": [{"path": "n.py", "content": "x = 1\\n"}]}\n```',
        call(path="n.py", content=["x = 1"]),
        "```python n.py\nx = 1\n```<|im_end|>",
        "```python n.py\nx = 1\n```</s>",
        "1. Write:\n   ```python n.py\nx = 1\n   ```",
    ],
)
def test_one_file_in_further_dressings(text: str) -> None:
    assert files(text) == ONE


def test_a_block_beside_a_call_that_nothing_answers_is_written() -> None:
    reply = parse_coder_reply(
        '```python n.py\nx = 1\n```\n<tool_call>\n{"name": "run_tests", "arguments": {}}\n</tool_call>'
    )
    assert reply.files == ONE
    assert "run_tests" in reply.unused[0].opening


@pytest.mark.parametrize("path", ["call.json", "data.jsonl"])
def test_a_file_of_data_may_hold_what_looks_like_a_call(path: str) -> None:
    file = FileBlock(path, f"{call(**WRITE)}\n")
    assert files(f"```json {path}\n{call(**WRITE)}\n```") == (file,)
    file = FileBlock("call.json", f"{call(**WRITE)}\n")
    assert files(f"`call.json`:\n```json\n{call(**WRITE)}\n```") == (file,)


def test_tags_in_a_file_are_no_calls() -> None:
    text = "Use\n<write_to_file>\n<path>a.py</path>\n<content>\nx\n</content>\n</write_to_file>\n"
    assert files(f"```markdown n.md\n{text}```") == (FileBlock("n.md", text),)


def test_a_call_that_is_cut_off_writes_nothing() -> None:
    assert files("<write_to_file>\n<path>n.py</path>\n<content>\nx = 1\n") == ()
    assert files('<file path="n.py">\nx = 1\n') == ()


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"name": "apply_patch", "arguments": {"patch": PATCH}}),
        json.dumps({"name": "shell", "arguments": {"command": ["apply_patch", PATCH]}}),
        json.dumps({"name": "shell", "arguments": {"command": ["bash", "-lc", f"apply_patch <<'EOF'\n{PATCH}\nEOF"]}}),
    ],
)
def test_a_patch_of_two_files_in_a_call_changes_both(desk: Desk, text: str) -> None:
    desk.put("a.py", "x = 0\n")
    desk.put("b.py", "y = 0\n")
    assert desk.apply(text).refusals == []
    assert (desk.bytes("a.py"), desk.bytes("b.py")) == (b"x = 1\n", b"y = 1\n")


def test_several_edits_in_one_call_and_sections_in_one(desk: Desk) -> None:
    desk.put("a.py", "x = 0\ny = 0\n")
    edits = [{"old_string": "x = 0", "new_string": "x = 1"}, {"old_string": "y = 0", "new_string": "y = 1"}]
    desk.apply(json.dumps({"name": "multi_edit", "arguments": {"file_path": "a.py", "edits": edits}}))
    assert desk.bytes("a.py") == b"x = 1\ny = 1\n"
    section = "<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE\n"
    desk.apply(f"<replace_in_file>\n<path>a.py</path>\n<diff>\n{section}</diff>\n</replace_in_file>")
    assert desk.bytes("a.py") == b"x = 2\ny = 1\n"


@pytest.mark.parametrize(
    ("content", "meant"),
    [
        ("def f():\\n    return 1\\n", "def f():\n    return 1\n"),
        ("print('a\\nb')", "print('a\\nb')\n"),
        ("x = 1\ny = '\\n'", "x = 1\ny = '\\n'\n"),
    ],
)
def test_new_lines_that_were_escaped_twice(content: str, meant: str) -> None:
    assert files(call(path="n.py", content=content)) == (FileBlock("n.py", meant),)


def test_marks_that_were_escaped_for_xml() -> None:
    body = "if (a &lt; b &amp;&amp; c) {\n}"
    text = f"<write_to_file>\n<path>n.js</path>\n<content>\n{body}\n</content>\n</write_to_file>"
    assert files(text) == (FileBlock("n.js", "if (a < b && c) {\n}\n"),)


def test_the_tags_of_an_argument_may_stand_in_it() -> None:
    text = (
        "<function=write_file>\n<parameter=path>\nn.html\n</parameter>\n<parameter=content>\n<p>\n<parameter>b</parameter>\n"
        "</p>\n</parameter>\n</function>"
    )
    assert files(text) == (FileBlock("n.html", "<p>\n<parameter>b</parameter>\n</p>\n"),)


def test_a_path_that_only_stands_for_one_is_refused_in_a_call_beside_code_too() -> None:
    [block] = split_files(call(path="path/to/file.py", content="x = 1"), Surroundings())[0]
    assert isinstance(block, BadBlock)


CODE = 'def f():\n    return "x" + "\\n"\n'


@pytest.mark.parametrize(
    "call",
    [
        {"tool_name": "write_file", "tool_input": {"path": "a.py", "content": CODE}},
        {"recipient_name": "functions.write_file", "parameters": {"path": "a.py", "content": CODE}},
        {"name": "fs.write_file", "arguments": {"path": "a.py", "content": CODE}},
        {"name": "file_editor", "arguments": {"action": "create", "path": "a.py", "content": CODE}},
        {"command": "create", "path": "a.py", "file_text": CODE},
        {"files": [{"name": "a.py", "content": CODE}]}, {"files": [{"filename": "a.py", "code": CODE}]},
        {"file": "a.py", "language": "python", "code": CODE}, {"a.py": CODE},
    ],
)  # fmt: skip
def test_a_file_under_the_keys_of_other_tools(call: dict[str, object]) -> None:
    for reply in (json.dumps(call), f"I write it.\n\n```json\n{json.dumps(call, indent=2)}\n```\n"):
        assert parse_coder_reply(reply).files == (FileBlock("a.py", CODE),)


@pytest.mark.parametrize("begin", ['{"files": [', "[", '{"tool_calls": ['])
def test_calls_below_a_sentence(begin: str) -> None:
    one = json.dumps({"name": "write_file", "arguments": {"path": "a.py", "content": CODE}})
    end = "".join({"{": "}", "[": "]"}[c] for c in reversed(begin) if c in "{[")
    assert parse_coder_reply(f"I write it.\n\n{begin}{one}{end}\n").files == (FileBlock("a.py", CODE),)


def test_escapes_in_a_text_of_three_quotes_are_those_of_the_file() -> None:
    reply = f'{{"name": "write_file", "arguments": {{"path": "a.py", "content": """{CODE}"""}}}}'
    assert parse_coder_reply(reply).files == (FileBlock("a.py", CODE),)


def test_data_is_no_file() -> None:
    assert parse_coder_reply('```json\n{"a.py": "3 lines", "b.py": "4 lines"}\n```').files == ()


@pytest.mark.parametrize(
    "shown",
    [
        'The linter prints:\n\n```json\n{"file": "a.py", "code": "E501"}\n```',
        '{"file": "a.py", "line": 3, "code": "E501"}',
    ],
)
def test_a_report_about_a_file_is_no_file(shown: str) -> None:
    assert parse_coder_reply(shown).files == ()
