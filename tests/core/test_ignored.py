"""Which files a search leaves out, compared with what git says of the same ignore files."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from super_agent.core.files.ignored import glob_pattern, visible_files
from super_agent.core.files.workspace import Workspace

FILES = (
    "a",
    "b.py",
    "ab.py",
    "src/a",
    "src/b.py",
    "src/a.py",
    "src/b/a.py",
    "src/b/b/a",
    "build/a",
    "x/build/b.py",
    "x/y/a",
    "x/y/b c",
    "x/[a]",
    "x/a*b",
    "doc/#a",
    "doc/!a",
)
LINES = (
    "a",
    "/a",
    "a/",
    "b.py",
    "*.py",
    "/*.py",
    "!src/a.py",
    "!*.py",
    "build",
    "build/",
    "/build",
    "src/*.py",
    "src/**",
    "src/**/a.py",
    "**/b/a",
    "**/b",
    "src/*/a*",
    "[ab]",
    "[!a]*",
    "a?.py",
    "?",
    "*",
    "!a",
    "!src",
    "!src/",
    "\\#a",
    "\\!a",
    "#a",
    "x/y/b\\ c",
    "b c  ",
    "\\[a]",
    "a\\*b",
    "**/b/**",
    "src/**/b/**/a",
    "*a*",
    "**",
    "x/**/**/a",
    "[",
    "a\\",
    "[a-b].py",
    "src/[^a]*",
    "x/y",
    "b/",
    "[]a]",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "work"
    for path in FILES:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x\n")
    subprocess.run(["git", "init", "-q", root], check=True)
    return root


@pytest.fixture
def workspace(folder: Path) -> Iterator[Workspace]:
    with Workspace(folder) as opened:
        yield opened


def by_git(folder: Path) -> list[str]:
    done = subprocess.run(
        ["git", "-C", folder, "ls-files", "-z", "--others", "--exclude-per-directory=.gitignore"],
        check=True,
        capture_output=True,
        text=True,
    )
    return sorted(path for path in done.stdout.split("\0") if path and not path.endswith(".gitignore"))


some_lines = st.lists(st.sampled_from(LINES), max_size=4)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(top=some_lines, inner=some_lines)
def test_what_gitignore_leaves_out_is_what_git_leaves_out(
    folder: Path, workspace: Workspace, top: list[str], inner: list[str]
) -> None:
    (folder / ".gitignore").write_text("\n".join(top) + "\n")
    (folder / "src" / ".gitignore").write_text("\n".join(inner) + "\n")
    assert sorted(visible_files(workspace)) == by_git(folder)


def test_hidden_files_are_left_out_unless_a_rule_has_them(folder: Path, workspace: Workspace) -> None:
    (folder / ".env").write_text("SECRET=1\n")
    (folder / ".github").mkdir()
    (folder / ".github" / "ci.yml").write_text("x\n")
    assert sorted(visible_files(workspace)) == sorted(FILES)
    (folder / ".ignore").write_text("!.github\n*\n!.github\n!.github/**\n")
    assert visible_files(workspace) == [".github/ci.yml"]


def test_ignore_has_the_word_before_gitignore_and_neither_is_read_through_a_link(
    folder: Path, workspace: Workspace, tmp_path: Path
) -> None:
    (folder / ".gitignore").write_text("src\nx\nbuild\n")
    (folder / ".ignore").write_text("!src\ndoc\n")
    assert sorted(visible_files(workspace)) == ["a", "ab.py", "b.py", *sorted(p for p in FILES if "src/" in p)]
    (folder / ".ignore").unlink()
    (tmp_path / "outside").write_text("*\n")
    (folder / ".ignore").symlink_to(tmp_path / "outside")
    assert sorted(visible_files(workspace)) == ["a", "ab.py", "b.py", "doc/!a", "doc/#a"]


@pytest.mark.parametrize("glob", ["*a" * 30 + "*b", "**/a/" * 30 + "b", "*a*/" * 30 + "*b"])
def test_no_pattern_takes_long(glob: str) -> None:
    pattern = glob_pattern(glob)
    assert pattern is not None
    began = time.thread_time()
    assert pattern.fullmatch("a" * 250) is None
    assert pattern.fullmatch("a/" * 1000 + "a") is None
    assert time.thread_time() - began < 1


def test_very_deep_folders_do_not_end_it(workspace: Workspace, folder: Path) -> None:
    deep = "/".join(["d"] * 900)
    workspace.write_bytes(f"{deep}/c.py", b"x\n")
    (folder / ".gitignore").write_text("*.pyc\n")
    assert f"{deep}/c.py" in visible_files(workspace)
