"""A restore loses nothing: it deletes and overwrites only what a snapshot holds, and never what one has left out."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from super_agent.core.errors import SnapshotFailed
from super_agent.core.files.workspace import Workspace
from super_agent.core.snapshots.restore import apply, plan, tree_of
from super_agent.core.snapshots.snapshots import Snapshots
from super_agent.core.snapshots.stream import SnapshotLimits
from tests.snapshots.conftest import Seen, seen

PATHS = st.sampled_from(
    [b"a", b"b", b"b/x", b"d/y", b"d/e/z", b"caf\xe9", b"node_modules/m", b".vscode/settings.json", b"d/venv/v"]
)
EDITS = st.lists(st.tuples(PATHS, st.one_of(st.none(), st.integers(0, 130), st.just("link"))), min_size=1, max_size=6)
"""Of each path: gone, a file of so many bytes, or a link."""
LIMITS = st.builds(
    SnapshotLimits, file_bytes=st.sampled_from([40, 100, 200]), all_bytes=st.sampled_from([60, 150, 1000])
)


def edit(root: Path, edits: list[tuple[bytes, object]], number: int) -> None:
    """As far as one file does not stand where another needs a folder."""
    for path, what in edits:
        full = os.path.join(os.fsencode(root), path)
        try:
            if os.path.isdir(full) and not os.path.islink(full):
                shutil.rmtree(full)
            elif os.path.lexists(full):
                os.unlink(full)
            if what is None:
                continue
            os.makedirs(os.path.dirname(full), exist_ok=True)
            if isinstance(what, int):
                Path(os.fsdecode(full)).write_bytes(bytes([65 + number]) * what)
            else:
                os.symlink(b"nowhere%d" % number, full)
        except (FileExistsError, NotADirectoryError):
            continue


def contents(snapshots: Snapshots, session: str) -> set[tuple[bytes, bytes]]:
    """Each path with each content that any snapshot of the session holds."""
    found = set()
    for commit in set(snapshots.names(session).values()):
        for path, (_mode, blob) in tree_of(snapshots, commit).items():
            found.add((os.fsencode(path), snapshots.git.run("cat-file", "blob", blob)))
    return found


@settings(max_examples=40, deadline=None)
@given(limits=LIMITS, turns=st.lists(EDITS, min_size=1, max_size=4), since=EDITS, back=st.integers(0, 3))
def test_nothing_is_lost_that_no_snapshot_holds(
    limits: SnapshotLimits, turns: list[list[tuple[bytes, object]]], since: list[tuple[bytes, object]], back: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "w"
        root.mkdir()
        with Workspace(root) as workspace, Snapshots.open(Path(folder) / "state", workspace, limits) as snapshots:
            for number, edits in enumerate(turns):
                edit(root, edits, number)
                snapshots.take("s", str(number))
            edit(root, since, len(turns))
            before = seen(root)
            saved = snapshots.take("s", "before-undo-1").commit
            target = snapshots.names("s")[str(min(back, len(turns) - 1))]
            steps = plan(snapshots, target, newest=saved)
            failed = False
            try:
                apply(snapshots, steps, target, saved)
            except SnapshotFailed:
                failed = True
            after = seen(root)
            require_nothing_lost(snapshots, before, after, target, saved)
            if not failed and not snapshots.note(target).left_out and not snapshots.note(saved).left_out:
                assert {os.fsencode(path) for path in tree_of(snapshots, target)} == {p for p in after if is_seen(p)}


def require_nothing_lost(snapshots: Snapshots, before: Seen, after: Seen, target: str, saved: str) -> None:
    held = contents(snapshots, "s")
    for path, (kind, content) in before.items():
        if after.get(path) != (kind, content):
            assert (path, content) in held
    for path in {*snapshots.note(target).left_out, *snapshots.note(saved).left_out}:
        assert after.get(os.fsencode(path)) == before.get(os.fsencode(path))
    for path in (path for path in {*before, *after} if not is_seen(path)):
        assert after.get(path) == before.get(path)


def is_seen(path: bytes) -> bool:
    return not {b"node_modules", b"venv"} & {*path.split(b"/")[:-1]}


def test_files_that_the_total_left_out_are_not_new(root: Path, tmp_path: Path) -> None:
    (root / "data").write_bytes(b"d" * 90)
    with Workspace(root) as workspace, Snapshots.open(tmp_path / "s", workspace, SnapshotLimits(100, 100)) as snapshots:
        (root / "more").write_bytes(b"m" * 80)
        first = snapshots.take("s", "start")
        assert first.left_out == ("data",)
        (root / "more").unlink()
        saved = snapshots.take("s", "before-resume-1")
        assert saved.left_out == ()
        steps = plan(snapshots, first.commit, newest=saved.commit)
        assert [(step.kind, step.path) for step in steps.steps] == [("create", "more")]


def test_what_is_edited_between_the_plan_and_its_application_stays(root: Path, snapshots: Snapshots) -> None:
    for name in ("a", "b"):
        (root / name).write_text("old")
    first = snapshots.take("s", "start").commit
    for name in ("a", "b", "new"):
        (root / name).write_text("run")
    saved = snapshots.take("s", "before-undo-1").commit
    steps = plan(snapshots, first, newest=saved)
    for name in ("a", "new"):
        (root / name).write_text("user")
    with pytest.raises(SnapshotFailed, match=r"new was changed just now \(and 1 more\)"):
        apply(snapshots, steps, first, saved)
    assert {p.name: p.read_text() for p in root.iterdir()} == {"a": "user", "b": "old", "new": "user"}
