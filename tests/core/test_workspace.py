"""The workspace is refused where it is dangerous, and its paths never lead out of it."""

import os
from pathlib import Path

import pytest

from super_agent.core.errors import PathRefused, WorkspaceRefused
from super_agent.core.files.workspace import Changes, Workspace


def test_the_home_folder_its_ancestors_and_the_root_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "users" / "me"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for root in (home, home.parent, Path("/")):
        with pytest.raises(WorkspaceRefused, match="home folder"):
            Workspace(root)


def test_a_folder_that_holds_the_program_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "checkout" / ".venv"
    program.mkdir(parents=True)
    for root in (tmp_path / "checkout", program):
        with pytest.raises(WorkspaceRefused, match="belongs to the running program"):
            Workspace(root, protected=(program,))


def test_a_missing_folder_is_answered_with_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceRefused, match="mkdir -p"):
        Workspace(tmp_path / "missing")
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceRefused, match="is not a folder"):
        Workspace(tmp_path / "file")


def test_a_workspace_named_through_a_link_is_the_folder_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with Workspace(tmp_path / "link") as workspace:
        assert workspace.root == tmp_path / "real"


def test_reading_and_writing(tmp_path: Path) -> None:
    with Workspace(tmp_path) as workspace:
        workspace.write_bytes("a/b.txt", "ä\r\n".encode())
        assert workspace.read_text("a/b.txt") == "ä\r\n"
        assert workspace.read_text("a/missing.txt") is None
        assert workspace.read_text("missing/b.txt") is None
        assert list(workspace.files()) == ["a/b.txt"]
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["b.txt"]


def test_what_is_no_text_is_refused_not_garbled(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"\xff\xfe")
    with Workspace(tmp_path) as workspace, pytest.raises(PathRefused, match="not UTF-8"):
        workspace.read_text("x.bin")


def test_a_named_pipe_does_not_hang_a_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with Workspace(tmp_path) as workspace, pytest.raises(PathRefused, match="not a regular file"):
        workspace.read_bytes("pipe")


def test_a_folder_is_refused_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    with Workspace(tmp_path) as workspace, pytest.raises(PathRefused, match="^inner is a folder$"):
        workspace.read_bytes("inner")


def test_a_folder_swapped_for_a_link_after_opening_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    (root / "src").mkdir(parents=True)
    with Workspace(root) as workspace:
        (root / "src").rmdir()
        (root / "src").symlink_to(outside)
        with pytest.raises(PathRefused, match="symbolic link"):
            workspace.write_bytes("src/x.py", b"x")
        with pytest.raises(PathRefused, match="symbolic link"):
            workspace.read_bytes("src/x.py")
    assert list(outside.iterdir()) == []


def test_changes_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "same.txt").write_text("1")
    (tmp_path / "changed.txt").write_text("1")
    (tmp_path / "gone.txt").write_text("1")
    (tmp_path / "__pycache__").mkdir()
    with Workspace(tmp_path) as workspace:
        before = workspace.state()
        (tmp_path / "changed.txt").write_text("2")
        (tmp_path / "gone.txt").unlink()
        (tmp_path / "new.txt").write_text("1")
        (tmp_path / "__pycache__" / "x.pyc").write_text("1")
        changes = workspace.changes_since(before)
    assert changes == Changes(("new.txt",), ("changed.txt",), ("gone.txt",))
    assert changes.paths == ("changed.txt", "gone.txt", "new.txt")


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with Workspace(tmp_path) as workspace, pytest.raises(PathRefused):
        workspace.write_bytes("folder", b"x")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(
    ("links", "path", "said"),
    [
        ({"a": "b"}, "a", "a is a symbolic link to b; links are not followed, so name b instead"),
        ({"a": "b", "b": "c/d"}, "a", "a is a symbolic link to c/d; links are not followed, so name c/d instead"),
        ({"s": "p/q", "p": "r"}, "s/x", "s/x leads through the symbolic link s to r/q/x; links are not followed"),
        ({"in/a": "../b"}, "in/a", "in/a is a symbolic link to b; links are not followed, so name b instead"),
        ({"a": "{root}/in/./b"}, "a", "a is a symbolic link to in/b; links are not followed, so name in/b instead"),
        ({"a": "../away"}, "a", "a is a symbolic link to ../away, which is no file of the workspace and is left alone"),
        ({"a": "/away\x1b[2J\n"}, "a", "a is a symbolic link to /away\ufffd, which is no file of the workspace"),
        ({"a": ".git/config"}, "a", "a is a symbolic link to .git/config, which is no file of the workspace"),
        ({"a": "b", "b": "a"}, "a", "a is a symbolic link to b, which is no file of the workspace"),
        ({"a": "/"}, "a/etc/x", "a/etc/x leads through the symbolic link a to /, which is no file of the workspace"),
    ],
)
def test_a_refusal_says_where_a_link_leads(tmp_path: Path, links: dict[str, str], path: str, said: str) -> None:
    (tmp_path / "in").mkdir()
    for name, target in links.items():
        (tmp_path / name).symlink_to(target.replace("{root}", str(tmp_path)))
    with Workspace(tmp_path) as workspace:
        with pytest.raises(PathRefused) as read:
            workspace.read_bytes(path)
        with pytest.raises(PathRefused) as written:
            workspace.write_bytes(path, b"x")
    assert str(read.value) == str(written.value)
    assert str(read.value).startswith(said)
    assert {name: os.readlink(tmp_path / name) for name in links} == {
        name: target.replace("{root}", str(tmp_path)) for name, target in links.items()
    }
