"""How a small coder's reply is begun, by the number of attempts before it, and what ends it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from super_agent.core.edits.gaps import Gap
from super_agent.core.files.workspace import Workspace
from super_agent.core.model.prefill import NO_PREFILL, Prefill
from super_agent.team.infilling import ATTEMPTS, Asked, asked, files_to_write, prefill
from super_agent.team.transcript import Entry, TaskFacts, Transcript

WHOLE_FILES = next(count for count, attempt in enumerate(ATTEMPTS) if attempt.file is not None)
NOTHING_BEGUN = next(count for count, attempt in enumerate(ATTEMPTS) if attempt == type(attempt)())


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A small shop with its test."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_shop.py").write_text("from shop import price\n")
    (tmp_path / "shop.py").write_text("def price():\n    return 1\n")
    with Workspace(tmp_path) as opened:
        yield opened


def begun(workspace: Workspace, task: str, gap: Gap | None, *, brief: bool = True) -> Prefill:
    """How the first reply of a run begins."""
    transcript = Transcript([Entry("task", task, TaskFacts(task, brief=brief, gap=gap))])
    transcript.ask("coder")
    return prefill(transcript, workspace)


def test_whole_files_begin_with_one_that_the_task_names(workspace: Workspace) -> None:
    task = "Change till.js and ./shop.py as README.md and tests/test_shop.py say."
    assert asked(workspace, task, "", WHOLE_FILES) == Asked(Gap("till.js", ""))
    assert begun(workspace, task, Gap("till.js", "")).text == "```javascript till.js\n"
    assert asked(workspace, task, "price() is 2", WHOLE_FILES) == Asked(Gap("till.js", ""), ("price",))
    assert asked(workspace, "Mend the price.", "", WHOLE_FILES) == Asked()
    assert asked(workspace, task, "", NOTHING_BEGUN) == Asked()


def test_one_block_for_each_file_and_nothing_between_them(workspace: Workspace) -> None:
    several = begun(workspace, "Mend till.py and shop.py as tests/test_shop.py says.", Gap("shop.py", ""))
    stop = ("\n```", "\nshop.py", "\ntests/test_shop.py")
    assert several == Prefill("```python shop.py\n", stop, "\n```", ("\n\n```python till.py\n",))
    assert begun(workspace, "Mend shop.py.", Gap("shop.py", "")).then == ()


@pytest.mark.parametrize("text", ["x = 1\n" * 1200, 'USAGE = "```"\n'])
def test_a_long_file_and_one_with_fences_is_not_begun(workspace: Workspace, text: str) -> None:
    (workspace.root / "long.py").write_text(text)
    assert files_to_write(workspace, "Mend long.py, shop.py and ../other.py.") == ["shop.py"]


def test_a_file_that_is_named_without_its_folders_is_the_one_that_is_there(workspace: Workspace) -> None:
    for path in ("lib/bill.py", "one/two.py", "other/two.py"):
        (workspace.root / path).parent.mkdir(exist_ok=True)
        (workspace.root / path).write_text("x = 1\n")
    task = "Change bill.py, shop.py, two.py and new.py; input.txt and config.json are examples."
    assert files_to_write(workspace, task) == ["lib/bill.py", "shop.py", "new.py"]


def test_where_tests_decide_their_heading_ends_a_reply(workspace: Workspace) -> None:
    decided = begun(workspace, "Mend shop.py and till.py. The tests in tests/test_shop.py must pass.", None)
    assert {"\n# tests/test_shop.py", "\n```python tests/test_shop.py"} <= set(decided.stop)
    asked_for = begun(workspace, "Mend shop.py and till.py, and extend the tests so that they pass.", None)
    assert asked_for == NO_PREFILL


@pytest.mark.parametrize("gap", [Gap("shop.py", "price"), Gap("shop.py", "tax"), Gap("shop.py", ""), Gap("new.py", "")])
def test_where_tests_decide_none_are_written_into_a_file_of_code(workspace: Workspace, gap: Gap) -> None:
    tests = {"\n# Test", "\ndef test_", "\nclass Test"}
    decided = "Mend shop.py. The tests in tests/test_shop.py must pass."
    assert tests <= set(begun(workspace, decided, gap).stop)
    assert not tests & set(begun(workspace, "Mend shop.py.", gap).stop)
    assert not tests & set(begun(workspace, f"{decided} Add a class Testimonial and test_connection().", gap).stop)
    (workspace.root / "shop.py").write_text("# Tested by hand\ndef price():\n    return 1\n\n\ndef test_all(): ...\n")
    assert tests & set(begun(workspace, decided, replace(gap, path="shop.py")).stop) == {"\nclass Test"}


@pytest.mark.parametrize(
    ("task", "going"),
    [
        ("Remove the function that nothing uses: `price` in shop.py. The rest stays.", True),
        ("Split shop.py: move `price` into till.py.", True),
        ("Clean shop.py up, and delete `price`.", True),
        ("Apague `price` de shop.py.", True),
        ("Rename `price` to `cost` in shop.py.", True),
        ("Remove what is wrong in shop.py. Then price() is 2.", False),
        ("Mend `price` in shop.py: it should strip the words and remove empty ones.", False),
        ("Mend `price` of shop.py, which does not remove anything.", False),
    ],
)
def test_a_function_that_is_to_go_is_not_asked_for(workspace: Workspace, task: str, going: bool) -> None:
    (workspace.root / "till.py").write_text("from shop import price\n")
    first = asked(workspace, task, "assert not hasattr(shop, 'price')", 0)
    whole = files_to_write(workspace, task)[0]
    assert first == (Asked(Gap(whole, "")) if going else Asked(Gap("shop.py", "price"), ("price",)))
    assert ("price" in asked(workspace, task, "price", WHOLE_FILES).stubs) is not going


def test_where_nothing_is_named_as_wrong_the_files_of_the_task_are_written_from_the_first_reply_on(
    workspace: Workspace,
) -> None:
    assert asked(workspace, "Change shop.py.", "exit code 1", 0) == Asked(Gap("shop.py", ""))
    assert asked(workspace, "Change the prices.", "exit code 1", 0) == Asked()


def test_a_reply_with_a_worked_example_before_it_is_not_begun(workspace: Workspace) -> None:
    assert begun(workspace, "The tests must pass.", Gap("shop.py", ""), brief=False) == NO_PREFILL


def test_a_word_that_only_looks_like_a_file_is_none(workspace: Workspace) -> None:
    task = "At 9 a.m. the length is m, as Node.js and e.g. C.c say: write run.sh, shop.py and web/app.js, not data.csv."
    assert files_to_write(workspace, task) == ["run.sh", "shop.py", "web/app.js"]


def test_an_unwritten_file_is_begun_up_to_its_first_body_and_ends_before_tests(workspace: Workspace) -> None:
    (workspace.root / "till.py").write_text("RATE = 2\n\n\ndef add(a):\n    pass\n\n\ndef count():\n    pass\n")
    task = "Write till.py. The tests in tests/test_shop.py must pass."
    found = asked(workspace, task, "assert add(1) == count()", 0)
    assert found == Asked(Gap("till.py", "add", rest=True))
    written = begun(workspace, task, found.gap)
    assert written.text == "```python till.py\nRATE = 2\n\n\ndef add(a):\n"
    assert {"\n```", "\n# tests/test_shop.py"} <= set(written.stop)
    assert "\ndef " not in written.stop
    assert written.end == "\n```"


def test_a_file_that_the_task_does_not_name_is_not_written_again_in_whole(workspace: Workspace) -> None:
    second = next(count for count, attempt in enumerate(ATTEMPTS) if attempt.file == 1)
    for task, path in (("Mend shop.py.", ""), ("Mend it.", ""), ("Mend shop.py and till.py.", "till.py")):
        function = Asked(Gap("shop.py", "price"), ("price",))
        assert asked(workspace, task, "assert price() == 2", second) == (Asked(Gap(path, "")) if path else function)


def test_one_attempt_at_a_body_begins_with_a_remark(workspace: Workspace) -> None:
    remarked = next(count for count, attempt in enumerate(ATTEMPTS) if attempt.remark)
    found = asked(workspace, "Mend shop.py.", "assert price() == 2", remarked)
    assert found == Asked(Gap("shop.py", "price", remark=True), ("price",))
    assert begun(workspace, "Mend shop.py.", found.gap).text == "```python shop.py\ndef price():\n    #"
    (workspace.root / "shop.py").write_text('class Till:\n  def price(self):\n    """Cents."""\n    return 1\n')
    assert begun(workspace, "Mend shop.py.", Gap("shop.py", "Till.price", remark=True)).text.endswith('"""\n    #')


def test_what_has_no_body_yet_begins_without_a_remark(workspace: Workspace) -> None:
    missing = Gap("shop.py", "count", remark=True)
    assert begun(workspace, "Write count.", missing).text.endswith("\ndef count")


def test_the_path_of_another_file_ends_what_was_begun(workspace: Workspace) -> None:
    (workspace.root / "data.json").write_text("{}")
    for gap in (Gap("shop.py", "price"), Gap("shop.py", "count"), Gap("till.py", "")):
        stop = begun(workspace, "Mend shop.py.", gap).stop
        assert {"\nshop.py", "\ntests/test_shop.py"} <= set(stop)
        assert "\ndata.json" not in stop
