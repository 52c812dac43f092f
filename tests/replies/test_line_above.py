"""Blocks and calls that a reply shows as what not to do, or as an example, are neither written nor run."""

from pathlib import Path

import pytest

from interpreter.code_blocks import choose_block
from super_agent.core.edits.editor import Editor
from super_agent.core.files.workspace import Workspace
from super_agent.core.replies.coder_reply import parse_coder_reply, split_files
from super_agent.core.replies.types import Surroundings

AROUND = Surroundings("fix app.py", {"app.py": frozenset({"total"})})
BLOCK = "```python app.py\ndef total(items):\n    return 0\n```\n"
DIFF = "--- a/app.py\n+++ b/app.py\n@@ -1,2 +1,2 @@\n def total(items):\n-    return sum(items)\n+    return 0\n"
CALL = '{"name": "execute", "arguments": {"language": "python", "code": "print(1)"}}'
WRITE = '{"name": "write_file", "arguments": {"path": "app.py", "content": "x = 1"}}'
WARNINGS = [
    "Do not write this:", "Don't do this:", "**Wrong:**", "❌ Bad", "This is wrong:",
    "The following would be incorrect:", "Never use the following code:",
    "Não faça isso:", "Errado:", "Do not write this in `app.py`:",
]  # fmt: skip


def written(root: Path, name: str, old: str, reply: str) -> str:
    """What a file holds after a reply."""
    (root / name).write_text(old)
    workspace = Workspace(root)
    editor = Editor(workspace, lambda _event: None, lambda _path, _data: None)
    editor.apply(parse_coder_reply(reply, editor.surroundings("")).files)
    workspace.close()
    return (root / name).read_text()


@pytest.mark.parametrize("above", WARNINGS)
@pytest.mark.parametrize("shown", [BLOCK, f"```diff\n{DIFF}```\n", DIFF])
def test_what_is_not_to_be_done_is_not_written(above: str, shown: str) -> None:
    reply = parse_coder_reply(f"{above}\n\n{shown}", AROUND)
    assert reply.files == ()
    assert "not to be done" in reply.unused[0].reason
    assert split_files(f"{above}\n\n{shown}", AROUND)[0] == ()


@pytest.mark.parametrize("above", WARNINGS)
def test_what_is_not_to_be_done_is_not_run(above: str) -> None:
    chosen = choose_block(f"{above}\n```bash\nrm -r data\n```\nRather:\n```bash\nls data\n```\n", "stop")
    assert chosen.block is not None
    assert chosen.block.code == "ls data"
    assert chosen.notes == ("A block was not run: the line above says that it is not to be done.",)


@pytest.mark.parametrize(
    "above",
    ["The old sum was wrong:", "Here is an example implementation:", "Do not use the loop; write this instead:",
     "I fixed the bad code:", "The loop is wrong, so:", "This never runs twice:"],
)  # fmt: skip
def test_a_line_that_tells_of_something_else_keeps_no_block_back(above: str) -> None:
    assert [block.path for block in parse_coder_reply(f"{above}\n\n{BLOCK}", AROUND).files] == ["app.py"]
    assert choose_block(f"{above}\n```bash\nls\n```\n", "stop").block is not None


@pytest.mark.parametrize("above", ["A call looks like this:", "For example:", "A call, e.g.", "Por exemplo:"])
def test_a_call_that_is_an_example_does_nothing(above: str) -> None:
    chosen = choose_block(f"{above}\n```json\n{CALL}\n```\n", "stop")
    assert (chosen.block, chosen.notes) == (None, ("A call was not run: the line above says that it is an example.",))
    assert parse_coder_reply(f"{above}\n\n{WRITE}\n\nThere are no tools.", AROUND).files == ()
    heredoc = parse_coder_reply(f"{above}\n```bash\ncat > app.py <<'EOF'\nx = 1\nEOF\n```\n", AROUND)
    assert (heredoc.files, heredoc.unused[0].reason) == ((), "the line above says that it is an example")


def test_a_call_in_a_fence_runs_below_other_words() -> None:
    assert choose_block(f"I will run it now:\n```json\n{CALL}\n```\n", "stop").block is not None


def test_a_call_between_backticks_is_spoken_of() -> None:
    text = f"Models print `<tool_call>{CALL}</tool_call>` in their text."
    assert choose_block(text, "stop").block is None
    assert parse_coder_reply(text, AROUND).instruction == ""
    assert choose_block(f"I use `print`: <tool_call>{CALL}</tool_call>", "stop").block is not None


SHOP = "function a() {\n  return 1;\n}\n\nfunction b() {\n  return 2;\n}\n\nmodule.exports = { a, b };\n"
ADDED = "function c() {\n  return 3;\n}\n"


@pytest.mark.parametrize(
    "heading",
    [
        "Add to `shop.js`:", "In `shop.js`:", "Update `b` in `shop.js`:", "**shop.js** (add at the end)",
        "### shop.js (append)", "shop.js - add:", "Adicione em `shop.js`:", "`shop.js` (insert below `b`)",
    ],
)  # fmt: skip
def test_what_is_headed_as_put_into_a_file_does_not_replace_it(tmp_path: Path, heading: str) -> None:
    assert written(tmp_path, "shop.js", SHOP, f"{heading}\n```javascript\n{ADDED}```") == SHOP


@pytest.mark.parametrize("heading", ["In `shop.js`:", "Update `b` in `shop.js`:", "**shop.js** (adds c)"])
def test_a_whole_file_below_such_a_heading_is_written(tmp_path: Path, heading: str) -> None:
    assert written(tmp_path, "shop.js", SHOP, f"{heading}\n```javascript\n{SHOP}{ADDED}```") == SHOP + ADDED


def test_data_that_is_put_into_a_file_does_not_replace_it_either(tmp_path: Path) -> None:
    assert written(tmp_path, "c.yaml", "a: 1\nb: 2\n", "Add `d` to `c.yaml`:\n```yaml\nd: 3\n```") == "a: 1\nb: 2\n"


def test_python_that_is_put_into_a_file_goes_to_its_end(tmp_path: Path) -> None:
    old, more = "def a():\n    return 1\n", "def c():\n    return 3\n"
    assert written(tmp_path, "a.py", old, f"Add `c` to `a.py`:\n```python\n{more}```") == f"{old}\n\n{more}"


def test_fewer_functions_with_none_of_the_old_ones_are_asked_for_again(tmp_path: Path) -> None:
    assert written(tmp_path, "shop.js", SHOP, f"```javascript shop.js\n{ADDED}```") == SHOP


THOUGHT = "```python bad.py\ny = 2\n```\n"


@pytest.mark.parametrize(
    "reply",
    [
        f"<|start|>assistant<|channel|>analysis<|message|>\n{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>\n",
        f"analysisWe write it.\n{THOUGHT}assistantfinal", f"Okay. <think>\n{THOUGHT}</think>\n",
        f"Here is my thought process:\n{THOUGHT}Here is my response:\n",
        f"<seed:cot_budget_reflect>1</seed:cot_budget_reflect><seed:think>\n{THOUGHT}</seed:think>\n",
    ],
)  # fmt: skip
def test_what_is_only_thought_is_not_written(reply: str) -> None:
    assert [block.path for block in parse_coder_reply(f"{reply}{BLOCK}", AROUND).files] == ["app.py"]


def test_a_closing_tag_in_python_ends_no_thought() -> None:
    text = 'P = """\n</think>\n"""\n'
    assert [block.path for block in parse_coder_reply(f"I wrote it.\n\n```python p.py\n{text}```\n").files] == ["p.py"]


SPLIT = (
    "```javascript a.js\nfunction a() {\n  return 1;\n}\n```\n```javascript b.js\nfunction b() {\n  return 2;\n}\n```\n"
)


@pytest.mark.parametrize(
    ("beside", "new"),
    [
        (SPLIT, "module.exports = { ...require('./all') };\n"),
        ("", "const { a } = require('./a');\nconst { b } = require('./b');\n\nmodule.exports = { a, b };\n"),
        ("", "export { a } from './a.js';\nexport {\n  b,\n} from './b.js';\n"),
        ("", "class Shop {\n  a() {\n    return 1;\n  }\n\n  async b(x, y) {\n    return 2;\n  }\n}\n"),
        ("", "module.exports = {\n  a: () => 1,\n  b: () => 2,\n};\n"),
        ("", "exports.a = () => 1;\nexports.b = () => 2;\n"),
    ],
)
def test_functions_that_move_or_change_their_form_are_not_left_out(tmp_path: Path, beside: str, new: str) -> None:
    assert written(tmp_path, "shop.js", SHOP, f"{beside}```javascript shop.js\n{new}```") == new


@pytest.mark.parametrize(
    "new",
    [
        "from geometry import area\nfrom words import (\n    shout,\n)\n",
        "class Box:\n    def area(self):\n        return 1\n\n    def shout(self) -> int:\n        return 2\n",
    ],
)
def test_a_module_of_imports_or_of_methods_in_place_of_functions_is_written(tmp_path: Path, new: str) -> None:
    old = "def area():\n    return 1\n\n\ndef shout():\n    return 2\n"
    assert written(tmp_path, "tools.py", old, f"```python tools.py\n{new}```") == new


@pytest.mark.parametrize("some", ["run(a, b);\n", "module.exports = {\n  a: a,\n  b,\n};\n", "total = a() + b();\n"])
def test_lines_that_only_use_the_functions_of_a_file_do_not_replace_it(tmp_path: Path, some: str) -> None:
    assert written(tmp_path, "shop.js", SHOP, f"```javascript shop.js\n{some}```") == SHOP


@pytest.mark.parametrize("heading", ["In `{}`:", "Let's modify `{}` to fix the issue:", "Update `{}` to use `x`:"])
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("c.yaml", "port: 8080\nhost: localhost\n", "port: 9090\nhost: 0.0.0.0\n"),
        ("package.json", '{\n  "name": "x",\n  "version": "1"\n}\n', '{\n  "name": "y",\n  "version": "2"\n}\n'),
        ("requirements.txt", "flask==1.0\n", "flask==2.0\nrequests\n"),
    ],
)
def test_data_with_all_keys_of_the_file_is_all_of_it(
    tmp_path: Path, heading: str, name: str, old: str, new: str
) -> None:
    assert written(tmp_path, name, old, f"{heading.format(name)}\n```text {name}\n{new}```") == new


@pytest.mark.parametrize("heading", ["In `c.yaml`:", "Add another to `c.yaml`:"])
def test_one_more_item_with_the_same_keys_is_not_all_of_the_file(tmp_path: Path, heading: str) -> None:
    old = "- name: a\n  age: 1\n- name: b\n  age: 2\n"
    assert written(tmp_path, "c.yaml", old, f"{heading}\n```yaml\n- name: c\n  age: 3\n```") == old


@pytest.mark.parametrize(
    "heading",
    [
        "Below is the full content of `q.sql` (no other changes are needed):",
        "Here's the whole `q.sql`, mended in place:", "Write this to `q.sql`:",
        "Replace the contents of `q.sql` with this to mend it:", "Aqui está o código completo em `q.sql`:",
        "Here's the fixed version of `q.sql` with the changes applied to it:",
        "Updated `q.sql` (no changes elsewhere):",
    ],
)  # fmt: skip
def test_a_heading_that_says_it_is_the_whole_file_is_believed(tmp_path: Path, heading: str) -> None:
    reply = f"{heading}\n```sql q.sql\nSELECT id\nFROM t;\n```"
    assert written(tmp_path, "q.sql", "SELECT * FROM t;\n", reply) == "SELECT id\nFROM t;\n"


@pytest.mark.parametrize(
    "heading",
    [
        "Add the full code to `q.sql`:",
        "Here is the complete code of `b` in `q.sql`:",
        "No `q.sql`, mude:",
        "No final do `q.sql`:",
    ],
)
def test_a_heading_that_says_it_is_put_into_the_file_is_too(tmp_path: Path, heading: str) -> None:
    old = "SELECT * FROM t;\n"
    assert written(tmp_path, "q.sql", old, f"{heading}\n```sql q.sql\nSELECT id\nFROM t;\n```") == old
