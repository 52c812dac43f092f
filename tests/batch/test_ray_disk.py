"""A full disk on a cluster: on a node its tasks go elsewhere, and the driver goes on once there is room."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.batch.conftest import CHECK, Lines, results
from tests.batch.ray_nodes import RayNodes, batch, ended, slowly, wait_for
from tests.scripted_ollama import ScriptedOllama

pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray: pip install -r requirements/ray.txt"),
    pytest.mark.timeout(900),
]
NAMES = ("head", "second")
Disk = Callable[[Path, int], None]


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, ScriptedOllama]]:
    """One for each node."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(ScriptedOllama(autogen=slowly)) for name in NAMES}


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, ScriptedOllama]) -> Iterator[RayNodes]:
    """Two nodes with one slot each."""
    found = RayNodes(tmp_path_factory.mktemp("nodes"))
    try:
        for name in NAMES:
            found.all_up([found.begin(name, servers[name])])
        yield found
    finally:
        found.close()


@pytest.fixture
def disk() -> Iterator[Disk]:
    """Gives a folder a disk of its own of so many bytes; asked again for the same folder it changes the size."""
    mounted: list[Path] = []

    def mount(folder: Path, size: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        again = "remount," if folder in mounted else ""
        command = ["mount", "-t", "tmpfs", "-o", f"{again}size={size}", "none", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
        mounted.append(folder)

    yield mount
    for folder in set(mounted):
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> Path:
    """Take all the room there is; returns the file that does."""
    path = folder / "fill"
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return path
    raise AssertionError("there is no end of the room")


def test_a_node_that_cannot_copy_a_workspace_is_said_once_and_its_tasks_go_to_another(
    nodes: RayNodes, servers: dict[str, ScriptedOllama], lines: Lines, tmp_path: Path, disk: Disk
) -> None:
    source, state = tmp_path / "source", nodes.folder / "second" / "home" / "state-batches"
    source.mkdir()
    (source / "large").write_bytes(os.urandom(400_000))
    task = {"task": "Write add.py", "workspace": str(source), "check": CHECK}
    tasks, out = lines(*(task | {"id": f"t{number}"} for number in range(5))), tmp_path / "out"
    disk(state, 600_000)  # the packed workspace is unpacked there, and a copy of it has no room
    done = ended(batch(nodes, servers["head"], tasks, out), 300)
    assert done.code == 0, done.out + done.err
    assert done.err.count("\n") == 1, done.err
    assert f"{state}/" in done.err
    assert done.err.startswith("super-agent: node ")
    assert done.err.endswith(" cannot be written: No space left on device. Make room there\n")
    failed = [line for line in results(out) if not line["final"]]
    assert failed, "the node took no task"
    assert {(line["outcome"], line["exit_code"], line["attempt"]) for line in failed} == {("executor", 4, 1)}
    assert all(line["detail"] in done.err for line in failed)
    assert sorted(line["id"] for line in results(out) if line["final"]) == [f"t{number}" for number in range(5)]
    assert not list(state.glob("*/runs/*")), "half a copy stayed"


def test_where_no_node_has_room_it_ends_in_a_line_that_says_so_and_with_room_it_goes_on(
    nodes: RayNodes, servers: dict[str, ScriptedOllama], lines: Lines, tmp_path: Path, disk: Disk
) -> None:
    states = [nodes.folder / name / "home" / "state-batches" for name in NAMES]
    tasks = lines(*({"id": f"n{n}", "task": "Write add.py", "check": CHECK} for n in range(4)))
    for state in states:
        disk(state, 16_384)
        fill(state)
    full = ended(batch(nodes, servers["head"], tasks, tmp_path / "out", SUPER_AGENT_RETRY_WAIT_S="0.1"), 300)
    assert full.code == 1, full.out + full.err
    assert full.err.count("\n") == 2, full.err  # one for each node
    assert full.out.count("\n") == 1
    assert "3 tasks in a row failed without a verdict: " in full.out
    assert "cannot be written: No space left on device. Make room there" in full.out
    for state in states:
        (state / "fill").unlink()
        disk(state, 20_000_000)
    done = ended(batch(nodes, servers["head"], tasks, tmp_path / "out"), 300)
    assert (done.code, done.err) == (0, ""), done.out + done.err
    assert sorted(line["id"] for line in results(tmp_path / "out") if line["outcome"] == "done") == [
        "n0", "n1", "n2", "n3",
    ]  # fmt: skip


def test_a_driver_whose_disk_is_full_ends_in_one_line_and_with_room_goes_on(
    nodes: RayNodes, servers: dict[str, ScriptedOllama], lines: Lines, tmp_path: Path, disk: Disk
) -> None:
    tasks, out = lines(*({"id": f"d{n}", "task": "Write add.py", "check": CHECK} for n in range(8))), tmp_path / "out"
    disk(out, 1_000_000)
    driver = batch(nodes, servers["head"], tasks, out)
    wait_for(lambda: (out / "results.jsonl").exists() and bool(results(out)), driver, "a result")
    filled = fill(out)
    full = ended(driver, 300)
    assert (full.code, full.out, full.err.count("\n")) == (1, "", 1), full.out + full.err
    assert " cannot be written: No space left on device. Make room, and give the same command again" in full.err
    before = results(out)
    filled.unlink()
    done = ended(batch(nodes, servers["head"], tasks, out), 300)
    assert (done.code, done.err) == (0, ""), done.out + done.err
    assert results(out)[: len(before)] == before
    assert sorted(line["id"] for line in results(out)) == [f"d{number}" for number in range(8)]
    assert sorted(path.name for path in (out / "patches").iterdir()) == [f"d{number}.patch" for number in range(8)]
