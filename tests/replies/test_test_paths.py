"""Which paths are of tests."""

import pytest

from super_agent.core.replies.paths import is_test


@pytest.mark.parametrize("path", ["test_a.py", "a_test.go", "app.spec.ts", "tests/data.py", "check.sh", "check_all.py"])
def test_a_path_of_a_test(path: str) -> None:
    assert is_test(path)


@pytest.mark.parametrize("path", ["checkout.py", "src/checker.py", "checklist.md", "contest.py", "testing.py"])
def test_a_path_that_only_begins_as_one_of_a_test(path: str) -> None:
    assert not is_test(path)
