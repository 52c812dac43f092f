"""Whatever a path is called and a file holds, a snapshot brings it back."""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from super_agent.core.files.folders import SKIPPED_FOLDERS
from super_agent.core.files.workspace import Workspace
from super_agent.core.snapshots.snapshots import Snapshots
from tests.snapshots.conftest import Seen, back_to, seen

ODD_NAMES = [
    b"-rf", b"--", b'"quoted"', b'"', b"new\nline", b"\nstart", b"end\n", b"back\\slash", b"\\", b"tab\t", b" ", b" a ",
    b"\xff\xfe", b"a\xffb", "ü".encode(), b":(glob)*", b"*?[", b"HEAD", b"\r", b"a\r", b"~", b".gitignore",
    b".gitattributes", b".gitmodules", b"git~1", b"con", b"'", b"$(touch x)", b"a:b", b"#", b"\x1b[31m", b"\x01",
]  # fmt: skip


NAMES = st.one_of(
    st.sampled_from(ODD_NAMES),
    st.binary(min_size=1, max_size=12).filter(lambda b: b"/" not in b and b"\0" not in b and b not in (b".", b"..")),
).filter(lambda name: name.lower() != b".git" and os.fsdecode(name) not in SKIPPED_FOLDERS)
FILES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map(lambda parts: b"/".join(parts)),
    st.tuples(st.sampled_from(["644", "755", "600", "400", "link"]), st.binary(max_size=40)),
    max_size=6,
)


def lay(root: Path, files: Seen) -> None:
    """Make these files, as far as no other, or a link to nothing, stands where one needs a folder."""
    for path, (kind, content) in files.items():
        full = os.path.join(os.fsencode(root), path)
        try:
            os.makedirs(os.path.dirname(full), exist_ok=True)
            if kind == "link":
                os.symlink(content.replace(b"\0", b"") or b"x", full)
            else:
                Path(os.fsdecode(full)).write_bytes(content)
                os.chmod(full, int(kind, 8))
        except (FileExistsError, FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue


@settings(max_examples=40, deadline=None)
@given(before=FILES, after=FILES)
def test_any_names_and_contents_come_back(before: Seen, after: Seen) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "w"
        root.mkdir()
        with Workspace(root) as workspace, Snapshots.open(Path(folder) / "state", workspace) as snapshots:
            lay(root, before)
            # A link of this name is the one thing that newer versions of git refuse, so it is left out.
            first_seen = {p: s for p, s in seen(root).items() if not is_refused_link(p, s)}
            first = snapshots.take("s", "start")
            for entry in os.scandir(root):
                shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)
            lay(root, after)
            second_seen = {p: s for p, s in seen(root).items() if not is_refused_link(p, s)}
            second = snapshots.take("s", "1")
            back_to(snapshots, first.commit)
            assert {p: s for p, s in seen(root).items() if not is_refused_link(p, s)} == first_seen
            back_to(snapshots, second.commit)
            assert {p: s for p, s in seen(root).items() if not is_refused_link(p, s)} == second_seen


def is_refused_link(path: bytes, what: tuple[str, bytes]) -> bool:
    return what[0] == "link" and path.rpartition(b"/")[2].lower() == b".gitmodules"


def test_all_odd_names_at_once(root: Path, snapshots: Snapshots) -> None:
    lay(root, {name + b"/" + inner: ("644", inner) for name in ODD_NAMES for inner in ODD_NAMES})
    before = seen(root)
    assert len(before) == len(ODD_NAMES) ** 2
    commit = snapshots.take("s", "start").commit
    shutil.rmtree(root / "-rf")
    for path in before:
        if os.path.exists(full := os.path.join(os.fsencode(root), path)):
            Path(os.fsdecode(full)).write_bytes(b"other")
    back_to(snapshots, commit)
    assert seen(root) == before
