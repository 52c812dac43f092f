"""Several blocks of one reply for one file, and blocks that hold something else than the file's content."""

from pathlib import Path

import pytest

from super_agent.core.replies.types import FileBlock
from tests.replies.test_editing import Desk, desk, section

__all__ = ["desk"]
APP = "def total(items):\n    return sum(items)\n\n\ndef average(items):\n    return total(items) / len(items)\n"
NEW = APP.replace("len(items)", "max(len(items), 1)")
CSS = "body {\n  color: red;\n}\n\n.box {\n  width: 10px;\n}\n"


def block(path: str, content: str) -> str:
    return f"```{path.rpartition('.')[2]} {path}\n{content}```"


@pytest.mark.parametrize("lead", [("Before:\n", "After:\n"), ("It is:\n", "It becomes:\n")])
def test_a_part_of_the_file_and_then_what_replaces_it(desk: Desk, lead: tuple[str, str]) -> None:
    desk.put("style.css", CSS)
    before, after = ".box {\n  width: 10px;\n}\n", ".box {\n  width: 20px;\n}\n"
    reply = f"{lead[0]}{block('style.css', before)}\n\n{lead[1]}{block('style.css', after)}"
    assert desk.apply(reply).refusals == []
    assert desk.bytes("style.css").decode() == CSS.replace("10px", "20px")


def test_the_whole_file_after_a_part_of_it_is_the_whole_file(desk: Desk) -> None:
    desk.put("style.css", CSS)
    desk.apply(f"{block('style.css', CSS[:23])}\n{block('style.css', CSS.replace('red', 'blue'))}")
    assert desk.bytes("style.css").decode() == CSS.replace("red", "blue")


@pytest.mark.parametrize("example", ["print(total([1]))\n", ">>> total([1])\n1\n", "x = average([1, 2])\nprint(x)\n"])
def test_an_example_of_its_use_does_not_replace_the_file(desk: Desk, example: str) -> None:
    desk.put("app.py", APP)
    desk.apply(f"{block('app.py', NEW)}\n\nUsage:\n{block('app.py', example)}")
    assert desk.bytes("app.py").decode() == NEW


@pytest.mark.parametrize("exists", [True, False])
def test_two_functions_in_two_blocks_are_both_in_the_file(desk: Desk, exists: bool) -> None:
    if exists:
        desk.put("app.py", APP)
    first, second = NEW.split("\n\n\n")
    desk.apply(f"{block('app.py', first + chr(10))}\n\nand\n\n{block('app.py', second)}")
    assert desk.bytes("app.py").decode() == NEW


def test_a_test_of_the_file_does_not_replace_it(desk: Desk) -> None:
    desk.put("app.py", APP)
    test = "from app import total\n\n\ndef test_total():\n    assert total([1]) == 1\n"
    [(_, reason)] = desk.apply(block("app.py", test)).refusals
    assert "imports total" in reason
    assert desk.bytes("app.py").decode() == APP


@pytest.mark.parametrize(
    "shown",
    [">>> total([1])\n1\n", 'Traceback (most recent call last):\n  File "app.py", line 1\nNameError: x\n', "$ ls\na\n"],
)
def test_what_a_terminal_showed_is_no_content(desk: Desk, shown: str) -> None:
    assert desk.apply(block("app.py", shown)).refusals
    assert not Path(desk.root, "app.py").exists()
    assert desk.apply(f"```text log.txt\n{shown}```").refusals == []


@pytest.mark.parametrize("form", ["{} | {}", "{:4}\t{}", "{}: {}", "{} │ {}"])
def test_line_numbers_are_no_content(desk: Desk, form: str) -> None:
    numbered = "".join(form.format(i, line) + "\n" for i, line in enumerate(APP.splitlines(), 1))
    desk.apply(block("app.py", numbered))
    assert desk.bytes("app.py").decode() == APP
    assert desk.apply(block("n.yaml", "1: a\n2: b\n")).refusals == []
    assert desk.bytes("n.yaml") == b"1: a\n2: b\n"


@pytest.mark.parametrize(
    "edit",
    [
        "# <<<<<<< SEARCH\n    return sum(items)\n# =======\n    return 0\n# >>>>>>> REPLACE\n",
        "// <<<<<<< SEARCH\n    return sum(items)\n// =======\n    return 0\n// >>>>>>> REPLACE\n",
        "**SEARCH**\n    return sum(items)\n**REPLACE**\n    return 0\n",
        "SEARCH:\n    return sum(items)\nREPLACE:\n    return 0\n",
        "<<<<<<< BUSCAR\n    return sum(items)\n=======\n    return 0\n>>>>>>> SUBSTITUIR\n",
        "<<<<<<< SEARCH\n:start_line:2\n-------\n    return sum(items)\n=======\n    return 0\n>>>>>>> REPLACE\n",
        "<<<<<<< SEARCH\n2 |     return sum(items)\n=======\n2 |     return 0\n>>>>>>> REPLACE\n",
    ],
)
def test_markers_in_further_dresses_make_the_edit(desk: Desk, edit: str) -> None:
    desk.put("app.py", APP)
    assert desk.apply(block("app.py", edit)).refusals == []
    assert desk.bytes("app.py").decode() == APP.replace("sum(items)", "0")


def test_headings_in_comments_are_no_markers(desk: Desk) -> None:
    text = "/* SEARCH */\n.s {\n}\n/* ======= */\n/* REPLACE */\n.r {\n}\n"
    assert desk.apply(block("a.css", text)).refusals == []
    assert desk.bytes("a.css").decode() == text


def test_words_of_a_text_are_no_markers(desk: Desk) -> None:
    text = "SEARCH\n\ntext\n\nREPLACE\n\nmore\n"
    assert desk.apply(f"```markdown n.md\n{text}```").refusals == []
    assert desk.bytes("n.md").decode() == text


@pytest.mark.parametrize("text", ["const x = a\n- b\n+ c;\n", "int x = 1\n-2\n+3;\n"])
def test_signs_that_go_on_with_a_line_are_no_patch(desk: Desk, text: str) -> None:
    assert desk.apply(f"```js n.js\n{text}```").refusals == []


def test_a_new_file_given_again_in_part_has_each_function_once(desk: Desk) -> None:
    first, second = NEW.split("\n\n\n")
    better = first.replace("sum(items)", "sum(items, 0)") + "\n\n\ndef last(items):\n    return items[-1]\n"
    desk.apply(f"{block('app.py', NEW)}\n\n{block('app.py', better)}")
    text = desk.bytes("app.py").decode()
    assert [text.count(f"def {name}") for name in ("total", "average", "last")] == [1, 1, 1]
    assert "sum(items, 0)" in text
    assert second in text


def test_an_explanation_in_brackets_is_no_content(desk: Desk) -> None:
    assert desk.apply(block("app.py", "<the whole content of the file>\n")).refusals
    assert desk.apply(section("a.txt", "", "x\n")).refusals == []


def test_a_function_of_a_file_in_another_language_is_no_whole_file(desk: Desk) -> None:
    old = "function a() {\n  return 0;\n}\n\nfunction b() {\n  return a();\n}\n"
    desk.put("n.js", old)
    part = block("n.js", "function a() {\n  return 1;\n}\n")
    [(_, reason)] = desk.apply(part).refusals
    assert "also defines b" in reason
    assert desk.bytes("n.js").decode() == old
    assert desk.apply(part).refusals == [], "written again, the loss is meant"


def test_two_functions_of_another_language_are_a_new_file_or_asked_for(desk: Desk) -> None:
    first, second = "function a() {\n}\n", "function b() {\n}\n"
    reply = f"{block('n.js', first)}\nand\n{block('n.js', second)}"
    assert desk.apply(reply).refusals == []
    text = desk.bytes("n.js").decode()
    assert first in text
    assert second in text
    desk.put("n.js", f"{first}\n{second}\nfunction c() {{\n}}\n")
    [(_, reason)] = desk.apply(reply).refusals
    assert "two blocks give parts" in reason
    assert b"function c" in desk.bytes("n.js")


def test_a_value_that_is_gone_is_no_part_of_a_file(desk: Desk) -> None:
    desk.put("n.js", "const x = 1;\nfunction a() {\n  return x;\n}\n")
    desk.apply(
        f"{block('n.js', 'const y = 2;' + chr(10))}\n{block('n.js', 'function a() {' + chr(10) + '}' + chr(10))}"
    )
    assert desk.bytes("n.js") == b"function a() {\n}\n"


@pytest.mark.parametrize("name", ["style.css", "main.scss", "main.less"])
def test_one_rule_does_not_replace_a_style_sheet(desk: Desk, name: str) -> None:
    desk.put(name, CSS)
    rule = ".box {\n  width: 20px;\n}\n"
    [(_, reason)] = desk.apply(block(name, rule), f"widen the box in {name}").refusals
    assert "the file also defines body, which" in reason
    assert desk.bytes(name).decode() == CSS
    assert desk.apply(block(name, rule)).refusals == []  # the same again is meant


@pytest.mark.parametrize(
    ("content", "task"),
    [
        ("body {\n  color: blue;\n}\n", "remove .box"),
        ("main { margin: 0 }\n\n.box { width: 1px }\n", ""),
        (CSS.replace("red", "blue"), ""),
        ("@media print {\n  body { color: black }\n}\n\n.box{width: 1px}\n\nbody{color: red}\n", ""),
    ],
)
def test_a_style_sheet_can_be_written_whole(desk: Desk, content: str, task: str) -> None:
    desk.put("style.css", CSS)
    applied = desk.editor.apply((FileBlock("style.css", content),), task)
    assert applied.refusals == []


def test_a_python_block_that_leaves_out_what_nobody_uses_is_asked_for_once(desk: Desk) -> None:
    both = "def first():\n    return 1\n\n\ndef second():\n    return 2\n"
    desk.put("app.py", both)
    block = "```python app.py\ndef first():\n    return 3\n```"
    [(_, reason)] = desk.apply(block, "mend first in app.py").refusals
    assert "the file also defines second, which" in reason
    assert desk.bytes("app.py").decode() == both
    assert desk.apply(block, "mend first in app.py").refusals == []
