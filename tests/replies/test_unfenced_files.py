"""Replies without a block for the file: code alone, heredocs, and what stands beside code that is to run."""

import pytest

from super_agent.core.replies.coder_reply import parse_coder_reply, split_files
from super_agent.core.replies.types import BadBlock, FileBlock, Surroundings

F = "def f():\n    return 1\n"
APP = Surroundings("Mend app.py", {"app.py": frozenset({"f"})})
EDIT = "<<<<<<< SEARCH\n    return 0\n=======\n    return 1\n>>>>>>> REPLACE\n"
PATCH = "*** Begin Patch\n*** Update File: app.py\n@@\n-    return 0\n+    return 1\n*** End Patch\n"


@pytest.mark.parametrize("text", [F, f"n.py\n{F}", f"n.py:\n\n{F}"])
def test_code_alone_is_the_one_file_that_the_task_names(text: str) -> None:
    around = Surroundings("Write n.py with f")
    assert parse_coder_reply(text, around).files == (FileBlock("n.py", F),)
    assert split_files(text, around) == ((FileBlock("n.py", F),), "")


@pytest.mark.parametrize("text", ["f()\n", "I would write def f(): return 1.", f"Like this:\n{F}", "n.py\ntest_n.py\n"])
def test_what_is_not_only_code_that_defines_is_none(text: str) -> None:
    assert parse_coder_reply(text, Surroundings("Write n.py with f")).files == ()


@pytest.mark.parametrize(
    "script",
    [
        "cat > a.txt <<'EOF'\nhi $x\nEOF\n",
        "cat <<'EOF' > a.txt\nhi $x\nEOF\n",
        'mkdir -p sub\n# the text\ncat > "a.txt" << "END"\nhi $x\nEND\n',
        "tee a.txt <<'EOF' >/dev/null\nhi $x\nEOF\n",
    ],
)
def test_a_heredoc_that_is_all_of_a_shell_block_is_a_file(script: str) -> None:
    assert parse_coder_reply(f"```sh\n{script}```").files == (FileBlock("a.txt", "hi $x\n"),)


@pytest.mark.parametrize(
    "script",
    [
        "cat > a.txt <<EOF\nhi $x\nEOF\n",
        "cat >> a.txt <<'EOF'\nhi\nEOF\n",
        "cat > a.txt <<'EOF'\nhi\nEOF\nrm b.txt\n",
        "cat > a.txt <<'EOF'\nhi\n",
        "cat > $HOME/a.txt <<'EOF'\nhi\nEOF\n",
    ],
    ids=["text that the shell changes", "appended", "more is done", "no end", "a variable"],
)
def test_other_scripts_write_nothing_and_are_named(script: str) -> None:
    reply = parse_coder_reply(f"```sh\n{script}```")
    assert (reply.files, len(reply.unused)) == ((), 1)


@pytest.mark.parametrize(
    "text",
    [
        f"app.py\n{EDIT}",
        f"```python\napp.py\n{EDIT}```",
        f"```python\n{EDIT}```",
        PATCH,
        "```diff\n-    return 0\n+    return 1\n```",
    ],
)
def test_an_edit_is_never_run(text: str) -> None:
    files, rest = split_files(text, APP)
    assert [(b.path, isinstance(b, FileBlock) and b.is_edit) for b in files] == [("app.py", True)]
    assert "return" not in rest, "nothing of it is left to be run"


def test_an_edit_of_nobody_knows_what_is_told() -> None:
    [block] = split_files(f"```python\n{EDIT}```", Surroundings("Mend it"))[0]
    assert isinstance(block, BadBlock)
    assert "names no path" in block.reason


@pytest.mark.parametrize("lead", ["# app.py\n", ""])
def test_code_that_uses_a_file_is_not_the_file(lead: str) -> None:
    text = f"```python\n{lead}print(f())\n```" if lead else "`app.py`:\n```python\nprint(f())\n```"
    assert split_files(text, APP)[0] == ()
    reply = parse_coder_reply(text, APP)
    assert (reply.files, len(reply.unused)) == ((), 1)
    explicit = parse_coder_reply("```python app.py\nprint(f())\n```", APP).files
    assert explicit == (FileBlock("app.py", "print(f())\n"),), "said to be the file"
