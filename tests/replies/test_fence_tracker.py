"""The screen, the editors and the finder of thoughts agree on where a block that is drawn begins and ends."""

import pytest

from super_agent.core.replies.fence_tracker import FenceTracker
from super_agent.core.replies.thoughts import split_thoughts


@pytest.mark.parametrize(
    ("lines", "does"),
    [
        (["```python", "x", "```"], ["opens", "", "closes"]),
        (["~~~ a`b", "```", "~~~~"], ["opens", "", "closes"]),
        (["````md", "```", "```` x", "````  "], ["opens", "", "", "closes"]),
        (["```a`b", "    ```", "``"], ["", "", ""]),
    ],
)
def test_a_fence_opens_and_closes_as_commonmark_says(lines: list[str], does: list[str]) -> None:
    fence = FenceTracker()
    assert [fence.take(line) for line in lines] == does


def test_a_thought_after_code_within_a_line_is_found() -> None:
    said, thought = split_thoughts("```x`` is not`\n<think>hm</think>\nDone.")
    assert ("hm" in thought, "hm" in said) == (True, False)
