"""Tags without an end cost no more than others, and what stands between two tags is what it was."""

import re
import time

import pytest

from super_agent.core.replies.coder_reply import parse_coder_reply
from super_agent.core.replies.tagged_tool_calls import between_tags, markup_calls

OPENING, CLOSING = re.compile(r"<(?P<tag>a|b)>"), re.compile(r"</(?P<tag>a|b)>")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<a>1</a><b>2</b>", ["1", "2"]),
        ("<a><b>1</b></a>", ["<b>1</b>"]),
        ("<a>1<b>2</b>", ["2"]),
        ("<a>1</b>2</a>", ["1</b>2"]),
        ("<a>1<a>2</a></a>", ["1<a>2"]),
        ("</a><a>", []),
    ],
)
def test_what_stands_between_tags(text: str, found: list[str]) -> None:
    assert [body for _, body in between_tags(text, OPENING, CLOSING)] == found


@pytest.mark.parametrize(
    "tag",
    ["<create_file>\n", "<write_to_file>\n<content>\n", '<file path="a.py">\nx\n', "<file x\n", "<boltArtifact x\n",
     '<invoke name="write"><parameter name="x">\n', "<｜tool▁call▁begin｜>function<｜tool▁sep｜>run\n{\n"],
)  # fmt: skip
def test_thousands_of_tags_without_an_end_are_read_in_seconds(tag: str) -> None:
    began = time.process_time()
    parse_coder_reply(tag * 8000)
    assert time.process_time() - began < 6


def test_thousands_of_arguments_without_an_end_inside_a_call_are_read_in_seconds() -> None:
    began = time.process_time()
    assert markup_calls("<write_to_file>\n" + "<content>\n" * 20_000 + "</write_to_file>\n") == []
    assert time.process_time() - began < 6
