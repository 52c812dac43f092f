"""What a cluster is made of, where Ray itself is not needed."""

import asyncio
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from super_agent import __version__
from super_agent.batch.cluster import ray_connection, ray_output, workspace_archive
from super_agent.batch.cluster.attempt_on_node import _AttemptThread
from super_agent.batch.cluster.node_compatibility import VERSION, ModelFacts, refusals
from super_agent.batch.cluster.node_messages import AttemptRequest, Begun
from super_agent.batch.cluster.node_selection import Failures, selector
from super_agent.batch.cluster.ray_attempt import RayAttempt
from super_agent.batch.cluster.ray_cluster import Absence, Cluster
from super_agent.batch.cluster.ray_connection import ClusterFailed
from super_agent.batch.local_attempt import LocalAttempt
from super_agent.batch.tasks import Task
from super_agent.batch.workspace_copies import copy_folder
from super_agent.cli.batch_commands import _with_address
from super_agent.core.errors import UsageError
from super_agent.core.settings import load_settings
from tests.batch.conftest import CHECK, Lines, run_batch
from tests.cli.conftest import SuperAgent
from tests.scripted_ollama import ScriptedOllama

without_ray = pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed, and these say that it is not")


def test_a_workspace_arrives_as_it_was_with_its_links_into_itself(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "run.sh").write_text("#!/bin/sh\n")
    (source / "inner" / "run.sh").chmod(0o755)
    (source / "absolute").symlink_to(source / "inner" / "run.sh")
    (source / "inner" / "up").symlink_to("../absolute")
    (source / "outside").symlink_to("/etc/hosts")
    (source / ".git").write_text("gitdir: /elsewhere\n")
    copy_folder(source, tmp_path / "copy", tmp_path)
    packed = workspace_archive.pack(tmp_path / "copy")
    for _ in range(2):  # a second time nothing is done
        workspace_archive.unpack(packed, tmp_path / "node" / "origin")
    there = tmp_path / "node" / "origin"
    assert sorted(path.name for path in there.iterdir()) == ["absolute", "inner", "outside"]
    assert (there / "absolute").resolve() == there / "inner" / "run.sh"
    assert (there / "inner" / "up").resolve() == there / "inner" / "run.sh"
    assert os.readlink(there / "outside") == "/etc/hosts"
    assert (there / "inner" / "run.sh").stat().st_mode & 0o777 == 0o755
    assert [path.name for path in (tmp_path / "node").iterdir()] == ["origin"]


def test_a_workspace_that_is_too_large_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace_archive, "MAX_BYTES", 1024 * 1024)
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "noise").write_bytes(os.urandom(3 * 1024 * 1024))
    with pytest.raises(UsageError, match="more than 1 MiB when it is packed"):
        workspace_archive.pack(tmp_path / "large")


def node(number: int, labels: Mapping[str, str]) -> dict[str, Any]:
    """As Ray lists it."""
    return {"NodeID": f"{number:032x}"[::-1], "NodeManagerAddress": f"10.0.0.{number}", "Labels": labels}


def test_nodes_that_get_no_task_are_one_line_for_each_difference_with_what_to_do() -> None:
    mine = ModelFacts("aa", "8192")
    other, older = ModelFacts("bb", "4096").labels, mine.labels | {VERSION: "0.0.1"}
    nodes = [node(1, mine.labels), node(2, other), node(3, older), *(node(number, other) for number in range(4, 10))]
    assert [str(each) for each in refusals(mine, mine.labels, nodes)] == [
        "nodes 10.0.0.2 (20000000), 10.0.0.4 (40000000), 10.0.0.5 (50000000), 10.0.0.6 (60000000), 10.0.0.7 (70000000) "
        "and 2 more get no task: the model's digest is bb there and aa here, its context is 4096 there and 8192 here. "
        "Make the model the same there, and run `super-agent node` there again; or say --any-model",
        f"node 10.0.0.3 (30000000) gets no task: super-agent's version is 0.0.1 there and {__version__} here. "
        "Install the same super-agent there, and run `super-agent node` there again",
    ]
    assert [each.what[:32] for each in refusals(mine, [VERSION], nodes)] == ["node 10.0.0.3 (30000000) gets no"]
    (untold,) = refusals(mine, mine.labels, [node(1, {})])
    assert "the model's digest is not said there and aa here" in untold.what


MISMATCH = """Traceback (most recent call last):
  File "node.py", line 1, in start
RuntimeError: Version mismatch: The cluster was started with:
    Ray: 2.60.0
    Python: 3.11.7
This process on node 10.0.0.2 was started with:
    Ray: 2.59.0
    Python: 3.12.1
"""


def test_what_ray_says_of_versions_and_errors_is_one_line() -> None:
    assert ray_output.mismatch(MISMATCH) == (
        "the cluster runs Ray 2.60.0 on Python 3.11.7, this machine Ray 2.59.0 on Python 3.12.1"
    )
    assert ray_output.mismatch("Version mismatch") == "the cluster's Ray or Python is not this machine's"
    assert ray_output.mismatch("Local node IP: 10.0.0.2") == ""
    late = (
        "INFO -- Local node IP: 10.0.0.2\n  raise Exception(\nException: The current node timed out during startup.\n"
    )
    assert ray_output.wrong_line(late) == "Exception: The current node timed out during startup."
    assert ray_output.wrong_line("Local node IP: 10.0.0.2") == ""


def test_a_ray_that_does_not_start_is_one_line() -> None:
    class Busy:
        """Ray on a machine that is too busy."""

        def init(self, **_how: object) -> None:
            raise Exception("The current node timed out during startup. This could happen because\nof this.")

    with pytest.raises(ClusterFailed, match="does not start here: The current node timed out during startup. This"):
        ray_connection._begin(Busy(), address="local")


def test_a_node_that_differs_from_what_the_head_told_is_refused(super_agent: SuperAgent) -> None:
    with ScriptedOllama() as server:
        where = ("node", "--address", "head:6379", "--base-url", server.base_url, "--model", server.model, "--print")
        told = json.loads(super_agent(*where, "--json").out)["expect"]
        older = super_agent(*where, "--any-model", "--expect", f"{told.rsplit(':', 1)[0]}:0.0.1")
        half = super_agent(*where, "--expect", "3100dc80")
        nowhere = super_agent(*where, "--address", "head")
    assert told.endswith(f":8192:{__version__}")
    assert (older.code, older.err.count("\n")) == (3, 1), older.err
    assert f"super-agent here is {__version__}, the cluster's is 0.0.1. Install the same super-agent" in older.err
    assert (half.code, half.err.count("\n")) == (2, 1), half.err
    assert (nowhere.code, "--address=head: allowed is HOST:PORT" in nowhere.err) == (2, True), nowhere.err
    assert "--expect=3100dc80: allowed is DIGEST:CONTEXT:VERSION" in half.err


def test_nodes_are_missed_only_where_all_are_away_for_long() -> None:
    absence = Absence(limit_s=0.0)
    assert not absence.too_long(there=True)
    assert not Absence(limit_s=60.0).too_long(there=False)
    absence.too_long(there=False)
    assert absence.too_long(there=False)
    assert not absence.too_long(there=True)


def test_a_task_is_not_given_again_to_a_node_where_it_failed_as_long_as_there_is_another() -> None:
    failures = Failures()
    assert failures.avoided("t", lambda: ["a", "b"]) == frozenset()
    failures.add("t", "a")
    assert failures.avoided("t", lambda: ["a", "b"]) == {"a"}
    assert failures.avoided("t", lambda: ["a"]) == frozenset(), "there is no other"
    assert failures.avoided("u", lambda: ["a", "b"]) == frozenset(), "another task did not fail there"
    assert selector({"x": "1"}, {"b", "a"}) == {"x": "1", "ray.io/node-id": "!in(a,b)"}
    assert selector({"x": "1"}, ()) == {"x": "1"}
    failures.forget("t")
    assert failures.avoided("t", lambda: ["a", "b"]) == frozenset()
    assert [failures.is_new(line) for line in ("node a: full", "node a: full", "node b: full")] == [True, False, True]


def test_a_workspace_that_rays_store_does_not_take_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    class Full:
        """Ray whose store and disk are full."""

        class exceptions:  # noqa: N801 - its name there
            RayError = RuntimeError

        def put(self, _data: bytes) -> object:
            raise RuntimeError("Local disk is full\nThe object cannot be created.")

    settings, source = load_settings(environ={}), tmp_path / "source"
    source.mkdir()
    cluster = Cluster(Full(), ModelFacts("aa", "8192"), tmp_path, settings, False, lambda *_: None, lambda _: None)
    with pytest.raises(ClusterFailed, match="does not take a workspace of 0 MiB: Local disk is full. Make room in"):
        asyncio.run(cluster.packed(Task(id="a", task="x", workspace=str(source))))


def test_copies_are_discarded_from_several_threads_at_a_time(tmp_path: Path) -> None:
    class Slow:
        """Ray whose `wait` gives others the time to come between; every task is still under way."""

        class util:  # noqa: N801 - its name there
            class scheduling_strategies:  # noqa: N801
                NodeAffinitySchedulingStrategy = staticmethod(lambda node, soft: node)

        def remote(self, _function: object) -> "Slow":
            return self

        def options(self, **_how: object) -> Any:
            return SimpleNamespace(remote=lambda _batch, name: name)

        def wait(self, names: list[str], num_returns: int, timeout: float) -> tuple[list[str], list[str]]:
            time.sleep(0.01)
            assert num_returns == len(names), "the list was changed meanwhile"
            return [], list(names)

    settings = load_settings(environ={})
    cluster = Cluster(Slow(), ModelFacts("aa", "8192"), tmp_path, settings, False, lambda *_: None, lambda _: None)
    names = [f"t{number}" for number in range(24)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: cluster.discard("node", name), names))
    assert sorted(cluster._discards) == sorted(names), "one was forgotten"


@pytest.mark.parametrize("stopped", [False, True])
def test_a_node_that_sends_no_result_is_a_failure_unless_the_attempt_was_stopped(tmp_path: Path, stopped: bool) -> None:
    class Ending:
        """Ray whose stream ends after its first item."""

        exceptions = SimpleNamespace(RayError=RuntimeError)

        def nodes(self) -> list[object]:
            return []

        def remote(self, _function: object) -> "Ending":
            return self

        def options(self, **_how: object) -> Any:
            return SimpleNamespace(remote=lambda *_: self.stream())

        async def stream(self) -> AsyncIterator[Awaitable[object]]:
            async def begun() -> Begun:
                if stopped:
                    attempt.stop()
                return Begun("f" * 32, "host")

            yield begun()

        def cancel(self, _stream: object, force: bool) -> None:
            """Nothing more is sent anyway."""

    said: list[str] = []
    cluster = Cluster(
        Ending(),
        ModelFacts("aa", "8192"),
        tmp_path,
        load_settings(environ={}),
        False,
        lambda *_: None,
        said.append,
    )
    attempt = RayAttempt(cluster, Task(id="a", task="x"), "hash", 1)
    found = asyncio.run(attempt.run())
    if stopped:
        assert (found, said) == (None, [])
        return
    assert found is not None
    assert (found[0].exit_code, found[0].detail) == (4, "node host (ffffffff) was lost (Unfinished)")
    assert said == ["node host (ffffffff) was lost (Unfinished)"]


def test_an_attempt_that_is_ended_in_the_moment_it_ends_by_itself_raises_nothing() -> None:
    task = Task(id="a", task="x")
    work = _AttemptThread(AttemptRequest("batch", task, "hash", 1, {}, "", "aa"), None)
    work._attempt = cast("LocalAttempt", SimpleNamespace(stop=lambda: None))
    work._thread = threading.Thread(target=lambda: time.sleep(0.2))
    work._thread.start()
    work._loop.close()
    work.end()
    assert not work._thread.is_alive()


def test_ray_takes_an_address_or_none() -> None:
    assert _with_address(["--ray", "tasks.jsonl"]) == ["--ray", "local", "tasks.jsonl"]
    assert _with_address(["tasks.jsonl", "--ray"]) == ["tasks.jsonl", "--ray", "local"]
    assert _with_address(["t", "--ray", "head:6379"]) == ["t", "--ray", "head:6379"]
    assert _with_address(["t", "--ray=auto"]) == ["t", "--ray=auto"]


@without_ray
def test_without_ray_one_line_says_what_to_install(super_agent: SuperAgent, lines: Lines, tmp_path: Path) -> None:
    with ScriptedOllama() as server:
        tasks = lines({"id": "a", "task": "x", "check": CHECK})
        batch = run_batch(super_agent, server, tasks, tmp_path / "out", "--ray", "head:6379")
        node = super_agent("node", "--base-url", server.base_url, "--model", server.model)
    for done in (batch, node):
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done.err
        assert "Ray, which is not installed. pip install 'super-agent[ray]'" in done.err


def test_a_node_says_what_it_would_run(super_agent: SuperAgent) -> None:
    with ScriptedOllama() as server:
        where = ("--base-url", server.base_url, "--model", server.model, "--print")
        done = super_agent("node", *where, "--json", "--", "--num-cpus=2", SUPER_AGENT_SLOTS="3")
        found = json.loads(done.out)
        again = super_agent("node", "--address", "head:6379", "--expect", found["expect"], *where)
        other = super_agent("node", "--address", "head:6379", "--expect", "0:1", *where)
        told = super_agent("node", "--address", "head:6379", "--expect", "0:1", "--any-model", *where)
    assert done.code == 0, done.err
    assert found["command"][:4] == ["ray", "start", "--head", "--port=6379"]
    assert '--resources={"ollama": 3}' in found["command"]
    assert found["command"][-1] == "--num-cpus=2"
    assert found["environment"]["OLLAMA_BASE_URL"] == server.base_url
    assert found["environment"]["RAY_AUTH_MODE"] == "token"
    assert (again.code, told.code) == (0, 0)
    assert "ray start --address=head:6379" in again.out
    assert (other.code, other.err.count("\n")) == (3, 1)
    assert f"the model here (digest:context) is {found['expect'].rsplit(':', 1)[0]}, the cluster's is 0:1" in other.err


def test_an_address_where_nothing_listens_is_one_line(super_agent: SuperAgent, lines: Lines, tmp_path: Path) -> None:
    if find_spec("ray") is None:
        pytest.skip("needs Ray: pip install -r requirements/ray.txt")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        with ScriptedOllama() as server:
            tasks = lines({"id": "a", "task": "x", "check": CHECK})
            done = run_batch(super_agent, server, tasks, tmp_path / "out", "--ray", f"127.0.0.1:{port}")
            where = ("--base-url", server.base_url, "--model", server.model)
            node = super_agent("node", "--address", f"127.0.0.1:{port}", *where)
    for each in (done, node):
        assert (each.code, each.err.count("\n")) == (4, 1), each.err
        assert f"no Ray cluster can be joined at 127.0.0.1:{port}: Connection refused" in each.err
    assert subprocess.run(["pgrep", "-f", f"cluster.ray_connection 127.0.0.1:{port}"], check=False).returncode == 1
