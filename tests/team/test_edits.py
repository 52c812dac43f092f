"""What is applied to the workspace, what is refused, and with which words."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from super_agent.core.edits.editor import Editor
from super_agent.core.events import EditRefused, Event, FileWritten
from super_agent.core.files.workspace import Workspace
from super_agent.core.replies.coder_reply import parse_coder_reply
from super_agent.core.replies.elision import elision_in
from super_agent.core.replies.types import FileBlock, Section


class Bench:
    """An editor on a fresh workspace, with what it told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.events: list[Event] = []
        self.originals: list[tuple[str, bytes | None]] = []
        self.workspace = Workspace(root)
        self.editor = Editor(self.workspace, self.events.append, lambda path, data: self.originals.append((path, data)))

    def apply(self, text: str) -> list[tuple[str, str]]:
        return self.editor.apply(parse_coder_reply(text).files).refusals


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.workspace.close()


def test_a_new_file_is_created_with_its_folders(bench: Bench) -> None:
    assert bench.apply("```python src/deep/a.py\nx = 1\n```") == []
    assert (bench.root / "src/deep/a.py").read_text() == "x = 1\n"
    assert bench.originals == [("src/deep/a.py", None)]
    assert bench.events == [
        FileWritten("src/deep/a.py", "created", "--- /dev/null\n+++ b/src/deep/a.py\n@@ -0,0 +1 @@\n+x = 1", 1, 0)
    ]


def test_the_original_is_handed_over_before_a_file_is_replaced(bench: Bench) -> None:
    (bench.root / "a.py").write_text("old\n")
    bench.apply("```python a.py\nnew\n```")
    assert bench.originals == [("a.py", b"old\n")]
    assert (bench.root / "a.py").read_text() == "new\n"


def test_an_edit_keeps_line_endings_and_mode(bench: Bench) -> None:
    path = bench.root / "run.sh"
    path.write_bytes(b"one\r\ntwo\r\nthree\r\n")
    path.chmod(0o755)
    assert bench.apply("```bash run.sh\n<<<<<<< SEARCH\ntwo\n=======\n2\n>>>>>>> REPLACE\n```") == []
    assert path.read_bytes() == b"one\r\n2\r\nthree\r\n"
    assert path.stat().st_mode & 0o777 == 0o755


def test_a_search_text_that_is_not_there_is_answered_with_the_nearest_lines(bench: Bench) -> None:
    (bench.root / "a.py").write_text("def one():\n    return 1\n\ndef two():\n    return 2\n")
    [(path, reason)] = bench.apply("```python a.py\n<<<<<<< SEARCH\ndef twoo():\n=======\nx\n>>>>>>> REPLACE\n```")
    assert path == "a.py"
    assert reason == "the SEARCH text is not in the file; the nearest lines are:\ndef two():"


def test_a_search_text_that_occurs_twice_is_ambiguous(bench: Bench) -> None:
    (bench.root / "a.py").write_text("x\ny\nx\n")
    [(_, reason)] = bench.apply("```python a.py\n<<<<<<< SEARCH\nx\n=======\nz\n>>>>>>> REPLACE\n```")
    assert "occurs 2 times" in reason
    assert (bench.root / "a.py").read_text() == "x\ny\nx\n"


def test_blanks_at_line_ends_do_not_prevent_an_edit(bench: Bench) -> None:
    (bench.root / "a.py").write_text("x = 1   \ny = 2\n")
    assert bench.apply("```python a.py\n<<<<<<< SEARCH\nx = 1\n=======\nx = 3\n>>>>>>> REPLACE\n```") == []
    assert (bench.root / "a.py").read_text() == "x = 3\ny = 2\n"


def test_a_last_line_without_newline_can_be_edited(bench: Bench) -> None:
    (bench.root / "a.py").write_text("x = 1\ny = 2")
    assert bench.apply("```python a.py\n<<<<<<< SEARCH\ny = 2\n=======\ny = 3\n>>>>>>> REPLACE\n```") == []
    assert (bench.root / "a.py").read_text() == "x = 1\ny = 3"


@pytest.mark.parametrize(
    "line",
    [
        "# ... rest of the code remains unchanged ...",
        "    # rest of the file unchanged",
        "// ... existing code ...",
        "... (the rest of the functions)",
        "# [previous code here] ...",
        "/* … remaining methods … */",
        "<!-- rest of the content is the same ... -->",
    ],
)
def test_a_line_that_stands_for_code_left_out_is_found(line: str) -> None:
    assert elision_in(f"def f():\n    return 1\n{line}\n", "") == line


@pytest.mark.parametrize(
    "line",
    [
        "    ...",
        "# The rest API is documented elsewhere",
        "rest = items[1:]  # all but the first",
        "# previous value, kept for undo",
        'print("... loading the rest")',
        "def rest(self): ...",
    ],
)
def test_ordinary_code_is_no_elision(line: str) -> None:
    assert elision_in(f"{line}\n", "") == ""


def test_an_elided_file_is_refused_and_left_as_it_was(bench: Bench) -> None:
    (bench.root / "a.py").write_text("x = 1\ny = 2\n")
    [(_, reason)] = bench.apply("```python a.py\nx = 3\n# ... rest unchanged ...\n```")
    assert "stands for code that was left out" in reason
    assert (bench.root / "a.py").read_text() == "x = 1\ny = 2\n"
    assert isinstance(bench.events[-1], EditRefused)


def test_a_file_that_would_lose_most_of_its_lines_needs_to_be_said_twice(bench: Bench) -> None:
    (bench.root / "a.py").write_text("".join(f"x{i} = {i}\n" for i in range(60)))
    [(_, reason)] = bench.apply("```python a.py\nx = 1\n```")
    assert "has 60 lines and would keep 1" in reason
    assert bench.apply("```python a.py\nx = 1\n```") == []
    assert (bench.root / "a.py").read_text() == "x = 1\n"


@pytest.mark.parametrize("path", ["../out.py", "/etc/passwd.py", ".git/config", "sub/.GIT/hooks/x.py", "~/x.py"])
def test_a_path_that_leaves_the_workspace_is_refused(bench: Bench, path: str) -> None:
    applied = bench.editor.apply((FileBlock(path, "x\n"),))
    assert applied.paths == []
    assert [p for p, _ in applied.refusals] == [path]
    assert sorted(p.name for p in bench.root.iterdir()) == []


def test_a_symbolic_link_is_not_followed(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.py").write_text("keep\n")
    (bench.root / "link").symlink_to(outside)
    (bench.root / "file.py").symlink_to(outside / "secret.py")
    applied = bench.editor.apply((FileBlock("link/secret.py", "x\n"), FileBlock("file.py", "x\n")))
    assert applied.paths == []
    assert (outside / "secret.py").read_text() == "keep\n"


def test_sections_need_an_existing_file(bench: Bench) -> None:
    applied = bench.editor.apply((FileBlock("a.py", "", (Section("x\n", "y\n"),)),))
    assert applied.refusals == [("a.py", "the file does not exist, so there is nothing to search; write it whole")]


@pytest.mark.parametrize(
    ("task", "stay"),
    [
        ("Make bold keyword-only in layout.py. The tests in test_layout.py must pass.", True),
        ("Some tests fail. Change only basket.py.", True),
        ("Faça com que os testes passem.", True),
        ("Mend layout.py so that `pytest` passes. Do not change the tests.", True),
        ("Mend layout.py without touching any of the tests", True),
        ("Mend layout.py; the tests in test_layout.py must not be edited.", True),
        ("Mend layout.py and leave the tests alone.", True),
        ("Conserte layout.py sem mudar os testes.", True),
        ("Conserte layout.py. Os testes não podem ser alterados.", True),
        ("Mend layout.py. Do not change the `tests`.", True),
        ("Mend layout.py; no changes to the tests, please.", True),
        ("Conserte layout.py. Não altere os arquivos de teste.", True),
        ("Conserte layout.py; os testes não devem mudar.", True),
        ("Do not change the old tests, but add tests for bold.", False),
        ("Refactor test_layout.py. Do not change the code under test.", False),
        ("Do not change anything except the tests.", False),
        ("Não mude nada além dos testes.", False),
        ("Split test_layout.py without changing what the tests check; do not delete any test.", False),
        ("Change bold and update test_layout.py; don't change the other tests.", False),
        ("Tests must not be skipped on Windows: remove the marks.", False),
        ("The test should not change the database.", False),
        ("Parametrize test_layout.py. Do not touch tests/conftest.py.", False),
        ("Update test_layout.py; all tests must pass.", False),
        ("Keep the tests fast: remove what waits in them.", False),
        ("Add the tests that are missing to test_layout.py; all tests must pass.", False),
        ("Rename the tests of line, and see that the tests pass.", False),
        ("Add a parameter to line in layout.py.", False),
    ],
)
def test_tests_that_the_task_names_as_what_decides_stay_as_they_are(bench: Bench, task: str, stay: bool) -> None:
    (bench.root / "test_layout.py").write_text("import layout\n")
    reply = "```python layout.py\nx = 1\n```\n```python test_layout.py\nx = 2\n```\n```python test_new.py\nx = 3\n```"
    applied = bench.editor.apply(parse_coder_reply(reply).files, task)
    assert (applied.paths == ["layout.py", "test_new.py"]) is stay
    assert ((bench.root / "test_layout.py").read_text() == "import layout\n") is stay
    assert ["stay as they are" in why for _, why in applied.refusals] == [True] * stay
