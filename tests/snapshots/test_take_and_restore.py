"""A snapshot holds what the workspace held, and brings it back byte for byte; git never looks at the workspace."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from super_agent.core.errors import SnapshotFailed
from super_agent.core.files.workspace import Workspace
from super_agent.core.snapshots.history import History, changes, diff
from super_agent.core.snapshots.restore import plan
from super_agent.core.snapshots.snapshots import Snapshots, forget
from super_agent.core.snapshots.stream import MAX_FILE_BYTES, Note, PendingSnapshot, kept, pieces
from super_agent.core.snapshots.undo import carry_out, judged_redo, judged_undo
from tests.snapshots.conftest import back_to, seen


def test_what_was_kept_comes_back_whatever_happened(root: Path, snapshots: Snapshots) -> None:
    (root / "deep" / "er").mkdir(parents=True)
    (root / "deep" / "er" / "a.txt").write_bytes(b"line\r\nline\n\r\x00\xff")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "secret").write_text("s")
    (root / "secret").chmod(0o600)
    (root / "link").symlink_to("deep/er")
    (root / "dangling").symlink_to(b"nowhere\xff\n".decode("utf-8", "surrogateescape"))
    (root / ".gitattributes").write_text("* text=auto eol=lf filter=x\n")
    (root / ".gitignore").write_text("deep\nsecret\n")
    (root / "empty").write_bytes(b"")
    before = seen(root)
    first = snapshots.take("s", "start")
    assert first.changed == 8

    shutil.rmtree(root / "deep")
    (root / "deep").write_text("now a file")
    for name in ("secret", "run.sh", "link"):
        (root / name).unlink()
    (root / "link").mkdir()
    (root / "link" / "x").write_text("now a folder")
    (root / "empty").chmod(0o755)
    (root / "new").write_text("n")
    after = seen(root)
    second = snapshots.take("s", "1")
    differ = changes(snapshots, first.commit, second.commit)
    assert (differ.created, differ.deleted) == (
        ("deep", "link/x", "new"),
        ("deep/er/a.txt", "link", "run.sh", "secret"),
    )
    assert differ.modified == ("empty",)

    back_to(snapshots, first.commit)
    assert seen(root) == before
    back_to(snapshots, second.commit)
    assert seen(root) == after


def test_permissions_alone_are_undone_and_redone(root: Path, snapshots: Snapshots) -> None:
    """Git knows one permission only, that to execute."""
    for name, mode in (("secret", 0o600), ("open", 0o644)):
        (root / name).write_text("s")
        (root / name).chmod(mode)
    before = seen(root)
    first = snapshots.take("s", "start").commit
    (root / "secret").chmod(0o644)
    (root / "open").chmod(0o600)
    after = seen(root)
    snapshots.take("s", "1")
    snapshots.take("s", "end")
    undo = judged_undo(snapshots, "s", History.of(snapshots, "s"), first, lambda steps: (steps, set()))
    assert [(step.path, step.foreign) for step in undo.steps.steps] == [("open", False), ("secret", False)]
    carry_out(snapshots, "s", undo, undo.steps)
    assert seen(root) == before
    undone = History.of(snapshots, "s").undone()
    assert undone is not None
    redo = judged_redo(snapshots, *undone)
    carry_out(snapshots, "s", redo, redo.steps)
    assert seen(root) == after


def test_a_nested_repository_keeps_its_own_and_runs_nothing(root: Path, snapshots: Snapshots, tmp_path: Path) -> None:
    witness = tmp_path / "it-ran"
    program = tmp_path / "evil.sh"
    program.write_text(f"#!/bin/sh\ntouch {witness}\n")
    program.chmod(0o755)
    nested = root / "nested"
    for folder in (root, nested):
        subprocess.run(["git", "init", "-q", str(folder)], check=True, stderr=subprocess.DEVNULL)
        for name in ("core.fsmonitor", "core.hooksPath", "diff.external", "filter.x.clean", "filter.x.smudge"):
            subprocess.run(["git", "-C", str(folder), "config", name, str(program)], check=True)
        (folder / ".git" / "hooks").mkdir(exist_ok=True)
        for hook in ("reference-transaction", "post-index-change", "pre-commit"):
            shutil.copy(program, folder / ".git" / "hooks" / hook)
        (folder / ".gitattributes").write_text("* filter=x diff=x\n")
        (folder / "code.py").write_text("1\n")
    (root / "sub").mkdir()
    (root / "sub" / ".git").write_text("gitdir: ../.git/modules/sub\n")
    (root / "sub" / "b.py").write_text("2\n")
    subprocess.run(["git", "-C", str(root), "status"], check=True, capture_output=True)
    assert witness.exists(), "the trap works, so that what follows proves something"
    witness.unlink()

    own = {path: what for path, what in seen(root).items() if b".git/" in path or path.endswith(b"/.git")}
    first = snapshots.take("s", "start")
    (nested / "code.py").write_text("3\n")
    (root / "sub" / "b.py").unlink()
    second = snapshots.take("s", "1")
    assert changes(snapshots, first.commit, second.commit).paths == ("nested/code.py", "sub/b.py")
    assert b"-1\n+3\n" in diff(snapshots, first.commit, second.commit)
    back_to(snapshots, first.commit)
    assert (nested / "code.py").read_text() == "1\n"
    assert {p: w for p, w in seen(root).items() if b".git/" in p or p.endswith(b"/.git")} == own
    assert not witness.exists()


def test_folders_of_tools_and_what_is_too_large_are_left_alone(root: Path, snapshots: Snapshots) -> None:
    for name in (".venv", "node_modules", ".git", ".GIT"):
        (root / name).mkdir()
        (root / name / "x").write_text("x")
    with open(root / "large.bin", "wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    os.mkfifo(root / "pipe")
    (root / "a.py").write_text("a")
    first = snapshots.take("s", "start")
    assert (first.changed, first.left_out) == (1, ("large.bin",))
    assert snapshots.note(first.commit).left_out == ["large.bin"]
    assert plan(snapshots, first.commit).steps == ()


def test_a_file_that_grew_too_large_is_never_touched(root: Path, snapshots: Snapshots) -> None:
    (root / "data").write_text("small")
    first = snapshots.take("s", "start")
    with open(root / "data", "ab") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    last = snapshots.take("s", "1")
    assert last.left_out == ("data",)
    assert changes(snapshots, first.commit, last.commit).paths == ()
    there = plan(snapshots, first.commit, last.commit)
    assert (there.steps, there.unkept) == ((), ("data",))


def test_the_largest_files_are_left_out_where_all_are_too_much() -> None:
    part = MAX_FILE_BYTES
    files = {f"f{n:02}": (n, part - n, 0o100644, 0) for n in range(40)}
    within, out = kept(files)
    assert out == [f"f{n:02}" for n in range(8)]
    assert len(within) == 32


def test_a_file_that_cannot_be_read_is_told_and_one_that_went_away_is_not(root: Path, snapshots: Snapshots) -> None:
    for name in ("a", "now-a-pipe", "gone"):
        (root / name).write_text(name)
    facts = snapshots.workspace.facts()
    work = PendingSnapshot("refs/sessions/s/000001-start", "", [*facts], [], facts, {}, Note())
    (root / "gone").unlink()
    (root / "now-a-pipe").unlink()
    os.mkfifo(root / "now-a-pipe")
    stream = b"".join(pieces(snapshots.workspace, work, lambda _text: None))
    assert work.note.left_out == ["now-a-pipe"]
    assert [*work.seen] == ["a"]
    assert re.findall(rb"^[MD] 100644 :\d (.*)$", stream, re.MULTILINE) == [b"a"]


def test_only_what_changed_counts_and_is_read_again(root: Path, snapshots: Snapshots) -> None:
    for number in range(50):
        (root / f"f{number}").write_text(str(number))
    assert snapshots.take("s", "start").changed == 50
    assert snapshots.take("s", "0").changed == 0
    os.utime(root / "f1")
    (root / "f2").write_text("two")
    (root / "f3").write_text("4")  # same size, a moment later
    (root / "f4").unlink()
    assert snapshots.take("s", "1").changed == 3
    assert [*snapshots.names("s")] == ["start", "0", "1"]


def test_the_next_process_reads_only_what_changed(root: Path, tmp_path: Path) -> None:
    with Workspace(root) as workspace:
        (root / "a").write_text("a")
        with Snapshots.open(tmp_path / "state", workspace) as snapshots:
            first = snapshots.take("s", "start").commit
        with Snapshots.open(tmp_path / "state", workspace) as snapshots:
            assert snapshots.take("t", "start").changed == 0
            (next(snapshots.git.folder.glob("super-agent-index.json"))).write_text("{broken")
        with Snapshots.open(tmp_path / "state", workspace) as snapshots:
            again = snapshots.take("u", "start").commit
            assert changes(snapshots, first, again).paths == ()
            assert stat_mode(snapshots.git.folder) == 0o700


def stat_mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_nothing_of_ours_appears_in_the_workspace(root: Path, snapshots: Snapshots) -> None:
    (root / "a").write_text("a")
    snapshots.take("s", "start")
    assert os.listdir(root) == ["a"]


def test_without_git_the_error_names_the_way_out(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with Workspace(root) as workspace, pytest.raises(SnapshotFailed) as caught:
        Snapshots.open(tmp_path / "state", workspace)
    assert "git is not installed" in str(caught.value)
    assert "--no-snapshots" in caught.value.fix


TAKES_FOREVER = """
import sys
from pathlib import Path
from super_agent.core.snapshots.snapshots import Snapshots, forget
from super_agent.core.files.workspace import Workspace
root = Path(sys.argv[1])
with Workspace(root) as workspace, Snapshots.open(Path(sys.argv[2]), workspace) as snapshots:
    print("open", flush=True)
    number = 0
    while True:
        number += 1
        for name in range(120):
            (root / f"f{name}").write_text(f"{number} {name}")
        snapshots.take("killed", str(number))
"""


@pytest.mark.parametrize("attempt", range(5))
def test_a_kill_in_the_middle_leaves_what_was_kept_before(root: Path, tmp_path: Path, attempt: int) -> None:
    state = tmp_path / "state"
    process = subprocess.Popen([sys.executable, "-c", TAKES_FOREVER, str(root), str(state)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"open\n"
    time.sleep(0.1 + attempt * 0.07)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with Workspace(root) as workspace, Snapshots.open(state, workspace) as snapshots:
        now = seen(root)
        commit = snapshots.take("after", "start").commit
        for number, kept_commit in snapshots.names("killed").items():
            tree = snapshots.git.run("ls-tree", "-r", "--name-only", kept_commit).split()
            assert len(tree) == 120
            assert snapshots.git.run("show", f"{kept_commit}:f7") == f"{number} 7".encode()
        for path in root.iterdir():
            path.unlink()
        back_to(snapshots, commit)
        assert seen(root) == now
        snapshots.git.run("fsck", "--strict")


def test_two_runs_in_one_workspace_keep_their_own(root: Path, tmp_path: Path) -> None:
    (root / "a").write_text("1")
    with (
        Workspace(root) as workspace,
        Snapshots.open(tmp_path / "state", workspace) as one,
        Snapshots.open(tmp_path / "state", workspace) as two,
    ):
        first = one.take("one", "start").commit
        (root / "a").write_text("2")
        second = two.take("two", "start").commit
        (root / "b").write_text("3")
        third = one.take("one", "1").commit
        assert changes(one, first, third).paths == ("a", "b")
        assert changes(two, second, third).paths == ("b",)
        forget(tmp_path / "state", root, ["one"])
        assert one.names("one") == {}
        assert [*two.names("two")] == ["start"]
        (root / "c").write_text("4")
        fourth = two.take("two", "1").commit
        assert changes(two, second, fourth).paths == ("b", "c")
        with pytest.raises(SnapshotFailed):
            one.note(third)
