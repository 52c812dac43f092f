"""Blocks and calls that a reply shows as what not to do, or as an example, are neither written nor run."""

import pytest

from interpreter.code_blocks import choose_block
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
