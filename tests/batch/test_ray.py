"""A batch on several Ray nodes: a node dies, the driver dies, and each task has its result once.

`RAY_TASKS=200` is the full form; a plain test run does a few. It needs Ray (requirements/ray.txt) beside the tests'
own packages.
"""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from super_agent import __version__
from tests.batch.conftest import CHECK, Lines, results
from tests.batch.ray_nodes import RayNodes, batch, ended, slowly, wait_for
from tests.cli.conftest import CHECKOUT
from tests.scripted_models import Catalogue, Model
from tests.scripted_ollama import ScriptedOllama

pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray: pip install -r requirements/ray.txt"),
    pytest.mark.timeout(900 + 20 * int(os.environ.get("RAY_TASKS", "9"))),
]
TASKS = int(os.environ.get("RAY_TASKS", "9"))
NAMES = ("head", "second", "third")


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, ScriptedOllama]]:
    """One for each node."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(ScriptedOllama(autogen=slowly)) for name in NAMES}


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, ScriptedOllama]) -> Iterator[RayNodes]:
    """Three nodes with one slot each."""
    found = RayNodes(tmp_path_factory.mktemp("nodes"))
    try:
        for name in NAMES:
            found.all_up([found.begin(name, servers[name])])
        yield found
    finally:
        found.close()


def test_what_is_wrong_with_a_cluster_is_one_line(
    nodes: RayNodes, servers: dict[str, ScriptedOllama], lines: Lines, tmp_path: Path
) -> None:
    tasks, out = lines({"id": "a", "task": "Write add.py", "check": CHECK}), tmp_path / "out"
    wrong = ended(batch(nodes, servers["head"], tasks, out, RAY_AUTH_TOKEN="f" * 64), 100)
    assert (wrong.code, wrong.err.count("\n")) == (4, 1), wrong.err
    assert f"the cluster at 127.0.0.1:{nodes.port} refuses this machine's token" in wrong.err
    with ScriptedOllama(autogen=slowly, context_length=4096) as other:
        differs = ended(batch(nodes, other, tasks, out), 100)
        joining = ended(nodes.begin("other", other, "--expect", "0" * 32 + ":8192"), 100)
    assert (differs.code, differs.err.count("\n")) == (4, 1), differs.err
    assert len(re.findall(r" \(\w{8}\)", differs.err)) == 3
    assert ", its context is 8192 there and 4096 here. Make the model the same there" in differs.err
    stranger = ended(nodes.begin("stranger", servers["head"], RAY_AUTH_TOKEN="f" * 64), 200)
    assert (stranger.code, stranger.err.count("\n")) == (4, 1), stranger.err
    assert "the cluster refuses this machine's token" in stranger.err
    assert (joining.code, joining.err.count("\n")) == (3, 1), joining.err
    assert "the model here (digest:context) is " in joining.err
    assert not (out / "results.jsonl").read_text()


def test_another_version_of_super_agent_or_of_ray_is_one_line(
    nodes: RayNodes, servers: dict[str, ScriptedOllama], lines: Lines, tmp_path: Path
) -> None:
    tasks, out = lines({"id": "a", "task": "Write add.py", "check": CHECK}), tmp_path / "out"

    def with_version(module: str) -> dict[str, str]:
        """Of a machine where the module is older, as all its processes see it."""
        folder = tmp_path / module
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(f'import {module}\n\n{module}.__version__ = "0.0.9"\n')
        return {"PYTHONPATH": f"{folder}:{CHECKOUT}"}

    older, other_ray = with_version("super_agent"), with_version("ray")
    driver = ended(batch(nodes, servers["head"], tasks, out, **older), 100)
    assert (driver.code, driver.err.count("\n")) == (4, 1), driver.err
    assert f"get no task: super-agent's version is {__version__} there and 0.0.9 here. Install the same" in driver.err
    driver = ended(batch(nodes, servers["head"], tasks, out, **other_ray), 100)
    assert (driver.code, driver.err.count("\n")) == (4, 1), driver.err
    assert f"the cluster runs Ray {version('ray')} on Python" in driver.err
    assert "this machine Ray 0.0.9 on Python" in driver.err
    joining = ended(nodes.begin("other-ray", servers["head"], **other_ray), 200)
    assert (joining.code, joining.err.count("\n")) == (4, 1), joining.err
    assert "this machine Ray 0.0.9 on Python" in joining.err
    assert not (out / "results.jsonl").read_text()


def test_a_head_that_does_not_come_up_leaves_no_process(tmp_path: Path, servers: dict[str, ScriptedOllama]) -> None:
    alone = RayNodes(tmp_path)
    try:
        begun = alone.begin("alone", servers["head"], store_bytes=1000)  # found out after its first processes are up
        done = ended(begun, 200)
        assert (done.code, done.err.count("\n")) == (4, 1), done.err
        assert "cap object store memory usage at 1000 bytes" in done.err
        assert "Nothing of it was left running" in done.err
        assert alone.running("alone") == []
    finally:
        alone.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_head_that_is_ended_as_it_starts_leaves_no_process(
    tmp_path: Path, servers: dict[str, ScriptedOllama], number: signal.Signals
) -> None:
    alone = RayNodes(tmp_path)
    try:
        begun = alone.begin("alone", servers["head"])
        wait_for(lambda: "gcs_server" in alone.running("alone"), begun, "Ray's first process")
        begun.send_signal(number)
        done = ended(begun, 60)
        assert (done.code, alone.running("alone")) == (130, []), done.err
        assert "Traceback" not in done.err
    finally:
        alone.close()


def test_a_node_with_another_model_gets_no_task_and_one_line_says_what_to_do(
    nodes: RayNodes, servers: dict[str, ScriptedOllama], lines: Lines, tmp_path: Path
) -> None:
    tasks = lines(*({"id": f"m{number}", "task": "Write add.py", "check": CHECK} for number in range(4)))
    with ScriptedOllama(autogen=slowly) as other:
        other.catalogue = Catalogue([Model(f"{other.model}:latest", 8192, weights="e" * 64)])
        nodes.all_up([nodes.begin("other-model", other)])
        asked = len(other.chats)
        done = ended(batch(nodes, servers["head"], tasks, tmp_path / "out"), 200)
        asked_more = len(other.chats) - asked
        taken = ended(batch(nodes, other, tasks, tmp_path / "any", "--any-model"), 200)
        nodes.kill("other-model")
    mine, theirs = (next(iter(server.catalogue.models.values())).digest for server in (servers["head"], other))
    mine, theirs = mine[:32], theirs[:32]
    assert (done.code, done.err.count("\n"), asked_more) == (0, 1, 0), done.out + done.err
    assert re.match(r"super-agent: node [\w.:]+ \(\w{8}\) gets no task: ", done.err)
    assert f" gets no task: the model's digest is {theirs} there and {mine} here. Make the model the same" in done.err
    assert {line["digest"] for line in results(tmp_path / "out")} == {mine}
    assert (taken.code, taken.err) == (0, ""), taken.out + taken.err


def test_a_node_and_the_driver_die_and_each_task_has_its_result_once(
    nodes: RayNodes, servers: dict[str, ScriptedOllama], lines: Lines, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "notes.txt").write_text("keep me\n")
    (source / "link").symlink_to(source / "notes.txt")
    task = {"task": "Write add.py", "workspace": str(source), "check": f"{CHECK} && test -f link -a -f notes.txt"}
    tasks, out = lines(*(task | {"id": f"t{number}"} for number in range(TASKS))), tmp_path / "out"

    def kept() -> int:
        return (out / "results.jsonl").read_text().count("\n") if (out / "results.jsonl").exists() else 0

    driver = batch(nodes, servers["head"], tasks, out)  # no --json: nobody reads it while it runs
    wait_for(lambda: kept() >= TASKS // 6 and len(servers["third"].chats) > 0, driver, "a result and work on the third")
    busy = len(servers["third"].chats)
    wait_for(lambda: len(servers["third"].chats) > busy, driver, "more work on the third")
    assert nodes.kill("third") > 0
    lost_at = time.monotonic()
    wait_for(lambda: '"outcome":"executor"' in (out / "results.jsonl").read_text(), driver, "the lost node's line")
    assert time.monotonic() - lost_at < 20, "a lost node was noticed late"
    seen = kept()
    wait_for(lambda: kept() > max(seen, TASKS // 3), driver, "a result after the node's death")
    driver.kill()
    driver.communicate(timeout=60)
    before = results(out)
    assert sum(line["final"] for line in before) < TASKS, "there was nothing left to do"
    again = ended(batch(nodes, servers["head"], tasks, out, "--json"), 300 + 20 * TASKS)
    assert again.code == 0, again.out[-2000:] + again.err
    found = results(out)
    finals = [line["id"] for line in found if line["final"]]
    assert sorted(finals) == sorted(f"t{number}" for number in range(TASKS))
    assert {line["outcome"] for line in found if line["final"]} == {"done"}
    assert all(0 < line["transport_s"] < line["wall_s"] for line in found if line["final"])
    lost = [line for line in found if not line["final"]]
    assert {(line["outcome"], line["exit_code"]) for line in lost} == {("executor", 4)}
    assert all("was lost" in line["detail"] or "no node took" in line["detail"] for line in lost)
    assert found[: len(before)] == before
    assert all("return a + b" in (out / "patches" / f"{name}.patch").read_text() for name in finals)
    kinds = {json.loads(line)["type"] for line in again.out.splitlines()}
    assert kinds >= {"batch_started", "task_started", "task_event", "task_finished", "batch_ended"}
    for name in NAMES[:2]:
        left = list((nodes.folder / name / "home" / "state-batches").glob("*/runs/*"))
        assert not left, "a finished batch left copies on a node"
    assert sorted(path.name for path in source.iterdir()) == ["link", "notes.txt"]


def test_a_node_that_falls_silent_is_given_up_and_another_does_its_task(
    nodes: RayNodes, servers: dict[str, ScriptedOllama], lines: Lines, tmp_path: Path
) -> None:
    tasks = lines(*({"id": f"s{number}", "task": "Write add.py", "check": CHECK} for number in range(3)))
    out, before = tmp_path / "out", len(servers["second"].chats)
    driver = batch(nodes, servers["head"], tasks, out)
    wait_for(lambda: len(servers["second"].chats) > before, driver, "work on the second")
    nodes.suspend("second")
    done = ended(driver, 200)
    assert done.code == 0, done.out + done.err
    assert (done.out.count("\n"), done.err.count("\n")) == (1, 1), "what Ray says of the node is no line of the batch"
    assert re.fullmatch(r"super-agent: node \S+ \(\w{8}\) was lost \(NodeSilent\)\n", done.err)
    found = results(out)
    assert sorted(line["id"] for line in found if line["final"]) == ["s0", "s1", "s2"]
    (lost,) = [line for line in found if not line["final"]]
    assert (lost["outcome"], lost["exit_code"]) == ("executor", 4)
    assert "was lost (NodeSilent)" in lost["detail"]
