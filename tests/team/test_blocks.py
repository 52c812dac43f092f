"""What a coder's reply is read as."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from super_agent.core.replies.coder_reply import parse_coder_reply
from super_agent.core.replies.types import BadBlock, CoderReply, FileBlock, Section, ShowRequest


def test_a_block_with_language_and_path_is_a_whole_file() -> None:
    reply = parse_coder_reply("Here it is:\n```python src/app.py\nprint(1)\n```\nDone.")
    assert reply == CoderReply(files=(FileBlock("src/app.py", "print(1)\n"),))


@pytest.mark.parametrize("info", ["python app.py", "python:app.py", "app.py", "python file=app.py", "python ./app.py"])
def test_a_path_is_found_in_the_forms_that_models_use(info: str) -> None:
    assert parse_coder_reply(f"```{info}\nx\n```").files == (FileBlock("app.py", "x\n"),)


@pytest.mark.parametrize("info", ["", "python", "text output of the program", "json"])
def test_a_block_without_a_path_is_no_file_and_is_named(info: str) -> None:
    reply = parse_coder_reply(f"```{info}\nx\n```")
    assert (reply.files, [u.opening for u in reply.unused]) == ((), [f"```{info}"])


def test_sections_edit_a_file() -> None:
    text = "```python a.py\n<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE\n```"
    assert parse_coder_reply(text).files[0] == FileBlock(
        "a.py", text.split("\n", 1)[1].rsplit("```", 1)[0], (Section("x = 1\n", "x = 2\n"),)
    )


def test_an_incomplete_section_is_refused_not_written_as_a_file() -> None:
    block = parse_coder_reply("```python a.py\n<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n```").files[0]
    assert isinstance(block, BadBlock)
    assert "not complete" in block.reason


def test_show_and_run_blocks_are_requests() -> None:
    text = "```show\nsrc/a.py\nb.py:10-40\n```\n```run\nRun the tests and\nreport.\n```"
    assert parse_coder_reply(text) == CoderReply(
        shows=(ShowRequest("src/a.py"), ShowRequest("b.py", 10, 40)), instruction="Run the tests and\nreport."
    )


def test_a_markdown_file_with_blocks_of_its_own_ends_where_all_of_them_are_closed() -> None:
    inner = "# Title\n```python\nx\n```\nend\n"
    for fence in ("```", "````"):
        assert parse_coder_reply(f"{fence}markdown README.md\n{inner}{fence}").files == (FileBlock("README.md", inner),)


def test_a_markdown_file_whose_end_could_be_two_fences_needs_a_longer_one() -> None:
    inner = "# Title\n```\nx\n```\nend\n"
    ambiguous = parse_coder_reply(f"```markdown README.md\n{inner}```").files[0]
    assert isinstance(ambiguous, BadBlock)
    assert "longer fence" in ambiguous.reason


def test_bare_fences_inside_a_markdown_file_are_noticed_too() -> None:
    block = parse_coder_reply("```markdown README.md\ntext\n```\ncode\n```\nmore\n```").files[0]
    assert isinstance(block, BadBlock)


def test_a_block_that_was_never_closed_is_refused() -> None:
    block = parse_coder_reply("```python a.py\nx = 1\n").files[0]
    assert isinstance(block, BadBlock)
    assert "no closing fence" in block.reason


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    parse_coder_reply(text)


@given(st.lists(st.text(st.characters(blacklist_characters="`~\r\n<>", codec="utf-8"))))
def test_a_well_formed_file_comes_through_unchanged(lines: list[str]) -> None:
    content = "".join(f"{line}\n" for line in lines if not line.startswith(("<<<<<", "=====", ">>>>>")))
    if content.strip():
        assert parse_coder_reply(f"```text a.txt\n{content}```").files == (FileBlock("a.txt", content),)
