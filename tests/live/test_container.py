"""Code in real containers: Podman and Docker where they are, with an image made from this machine's packages.

An engine that is not there, or cannot run any container here, is skipped and says so; one that can and does not run
ours fails.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from interpreter.sandbox.command import run_command
from interpreter.sandbox.container.program import LABEL
from interpreter.sandbox.container_image import IMAGE_PYTHON, ready_container
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.runners.python import PythonRunner
from interpreter.sandbox.runners.shell import ShellRunner
from scripts.demo import PROJECT
from tests.cli.adding import PLAN, RIGHT, WRONG
from tests.live.command_line import CommandLine
from tests.live.containers import container_policy, containers, other_file_system
from tests.sandbox.conftest import Talk
from tests.sandbox.hostile_scene import Driver, Scene, assert_held, make_scene
from tests.sandbox.hostile_snippets import ALL, Snippet
from tests.scripted_ollama import ScriptedOllama

MIB = 1024 * 1024
EACH = int(os.environ.get("CONTAINER_SNIPPETS", "4"))
GONE_TIMEOUT_S = 10.0
"""For an engine to notice that its container ended, and to remove it."""


@pytest.fixture
def policy(kind: str, tmp_path: Path) -> SandboxPolicy:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    return container_policy(kind, os.environ["SUPER_AGENT_SANDBOX_IMAGE"], workspace)


@pytest.fixture
def talk(policy: SandboxPolicy) -> Iterator[Callable[[type], Talk]]:
    opened: list[PythonRunner | ShellRunner] = []

    def make(runner: type[PythonRunner] | type[ShellRunner]) -> Talk:
        opened.append(runner(policy))
        return Talk(opened[-1])

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def scene(driver: Driver) -> Iterator[Scene]:
    scene = make_scene(driver, Path(tempfile.mkdtemp(prefix="scene-", dir=driver.base)))
    scene.values["python"] = str(IMAGE_PYTHON)
    yield scene
    scene.close()


def _of_a_container(snippet: Snippet) -> Snippet | None:
    """A snippet as a container must hold it: the kernel ends what needs too much memory, one process or all.

    None for what the image lacks, for what only a plain user cannot do and root without capabilities can, and for what
    is not the container's: output, and most calls that the filter refuses, which is bubblewrap's own.
    """
    if snippet.name in _NO_GIT_IN_THE_IMAGE or (os.geteuid() == 0 and snippet.name in _ROOT_ALREADY):
        return None
    if snippet.category not in ("secrets", "writing", "network", "sockets", "processes", "resources", "git", "planted"):
        return None
    if snippet.category == "processes" and snippet.name not in _PROCESSES:
        return None
    if snippet.name in _MEMORY:
        return replace(snippet, says="", kinds=("died", "timed_out"), timeout_s=3.0)
    return snippet


_NO_GIT_IN_THE_IMAGE = {"a nested repository that waits for somebody's git add"}
_ROOT_ALREADY = {"write to the disk itself", "make a program setuid that counts", "become root"}
_MEMORY = {"memory over many children", "memory shared by many children"}
_PROCESSES = {
    "kill a process of the host",
    "kill everything it can",
    "trace a process",
    "write the first process's memory",
    "new user namespace",
    "32-bit call",
    "enter a namespace",
    "leave a daemon behind",
    "leave a daemon behind a check",
}


def _chosen() -> list[Snippet]:
    """Some of each category, spread over it: each needs a container of its own. CONTAINER_SNIPPETS=99 takes all."""
    adapted = [found for snippet in ALL if (found := _of_a_container(snippet)) is not None]
    chosen = []
    for category in dict.fromkeys(snippet.category for snippet in adapted):
        same = [snippet for snippet in adapted if snippet.category == category]
        chosen += same[:: -(-len(same) // EACH)]
    return chosen


@pytest.mark.parametrize("snippet", _chosen(), ids=lambda snippet: f"{snippet.category}: {snippet.name}")
def test_hostile_code_is_held_in_a_container(scene: Scene, kind: str, snippet: Snippet) -> None:
    container = {"engine": kind, "image": os.environ["SUPER_AGENT_SANDBOX_IMAGE"]}
    assert_held(scene, replace(snippet, limits={**snippet.limits, **container}))


def test_code_has_no_capability_whoever_it_is(policy: SandboxPolicy) -> None:
    said: list[bytes] = []
    run_command(policy, "grep -h ^Cap /proc/self/status; grep NoNewPrivs /proc/self/status", said.append, 20)
    *capabilities, privileges = b"".join(said).decode().split("\n")[:-1]
    assert [line.split()[1] for line in capabilities] == ["0" * 16] * 5
    assert privileges.split() == ["NoNewPrivs:", "1"]


def test_state_is_kept_over_an_interrupt_and_lost_at_a_death_which_is_told(talk: Callable[[type], Talk]) -> None:
    python = talk(PythonRunner)
    assert python("x = 6 * 7\nx").output == "42\n"
    told = python("import time; time.sleep(60)", 0.5)
    assert (told.kind, told.outcome.state_lost) == ("timed_out", False)
    assert python("x").output == "42\n"
    told = python("import os; os._exit(3)")
    assert (told.kind, told.outcome.state_lost) == ("died", True)
    assert "NameError" in python("x").output
    shell = talk(ShellRunner)
    shell("a=4; cd /tmp")
    assert shell("trap '' INT; sleep 60", 0.5).kind == "timed_out"
    assert shell("echo $a $PWD").output == "4 /tmp\n"


def test_memory_of_one_process_is_an_error_and_the_rest_a_death(
    policy: SandboxPolicy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    python = PythonRunner(replace(policy, max_memory_bytes=256 * MIB))
    try:
        talk = Talk(python)
        assert "MemoryError" in talk("x = bytearray(300 * 2**20)").output
        shared = "import mmap\nm = mmap.mmap(-1, 600 * 2**20)\nfor i in range(0, len(m), 4096): m[i] = 1"
        told = talk(shared)
        assert (told.kind, told.outcome.detail) == ("died", "it was killed, perhaps for want of memory")
        assert talk("1 + 1").output == "2\n"
    finally:
        python.close()
    assert list((tmp_path / "here").iterdir()) == []  # Podman's conmon likes to leave a file


def test_a_hundred_megabytes_of_output_come_whole(policy: SandboxPolicy) -> None:
    total = 0

    def count(data: bytes) -> None:
        nonlocal total
        total += data.count(b"y")

    outcome = run_command(policy, "head -c 100000000 /dev/zero | tr '\\0' y", count, 60)
    assert (outcome.kind, outcome.output_bytes, total) == ("finished", 100_000_000, 100_000_000)


def test_files_belong_to_the_user_and_lie_where_they_lie_outside(policy: SandboxPolicy) -> None:
    run_command(policy, "mkdir made && echo here >made/file && pwd >made/where", lambda _: None, 20)
    file = policy.workspace / "made" / "file"
    assert (file.read_text(), file.stat().st_uid, file.stat().st_gid) == ("here\n", os.geteuid(), os.getegid())
    assert (policy.workspace / "made" / "where").read_text() == f"{policy.workspace}\n"


@pytest.mark.parametrize("system", ["tmpfs", "overlay"])
def test_what_is_mounted_is_known_again_on_other_file_systems(kind: str, tmp_path: Path, system: str) -> None:
    with other_file_system(system, tmp_path) as folder:
        (folder / ".git").mkdir()
        policy = container_policy(kind, os.environ["SUPER_AGENT_SANDBOX_IMAGE"], folder)
        outcome = run_command(policy, "echo x >made && ! touch .git/x", lambda _: None, 30)
        assert (outcome.kind, outcome.detail, (folder / "made").read_text()) == ("finished", "", "x\n")


def test_a_kill_of_ours_leaves_no_container(policy: SandboxPolicy, kind: str) -> None:
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from interpreter.sandbox.protocol import SandboxPolicy\n"
        "from interpreter.sandbox.runners.python import PythonRunner\n"
        "policy = SandboxPolicy(Path(sys.argv[1]), Path('python3'), engine=sys.argv[2], image=sys.argv[3])\n"
        "PythonRunner(policy).run('import time; print(1, flush=True); time.sleep(600)', "
        "lambda _: print('started', flush=True), 600)\n"
    )
    words = [sys.executable, "-c", code, str(policy.workspace), kind, policy.image]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as ours:
        assert ours.stdout is not None
        assert ours.stdout.readline() == "started\n"
        assert containers(kind) != ""
        ours.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + GONE_TIMEOUT_S
    while containers(kind) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert containers(kind) == ""


def test_what_an_engine_left_is_removed_by_the_next_start(policy: SandboxPolicy, kind: str) -> None:
    left = [kind, "run", "-d", "--name", "super-agent-left", "--label", f"{LABEL}={socket.gethostname()}/4194305/1"]
    sleeps = ["--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", policy.image]
    subprocess.run([*left, *sleeps, "sleep", "600"], check=True, capture_output=True)
    assert containers(kind) != ""
    ready_container(policy)
    assert containers(kind) == ""


def test_the_network_is_there_only_when_it_is_asked_for(policy: SandboxPolicy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect = f"python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {server.getsockname()[1]}), 5)'"
        assert run_command(policy, connect, lambda _: None, 20).exit_code == 1
        assert run_command(replace(policy, network=True), connect, lambda _: None, 20).exit_code == 0


def test_the_self_test_holds_and_a_command_keeps_its_exit_code(kind: str, tmp_path: Path) -> None:
    super_agent = _command_line(kind, "http://127.0.0.1:1", tmp_path)
    at = ("-w", str(super_agent.workspace()))
    told = json.loads(super_agent("sandbox", *at, "--json").out)
    assert len(told["attempts"]) >= 20
    assert [attempt for attempt in told["attempts"] if not attempt["held"]] == []
    assert any(f"a container of {kind}" in line for line in told["holds"])
    done = super_agent("sandbox", *at, "--", "sh", "-c", "echo out; exit 7")
    assert (done.code, done.out) == (7, "out\n")


def test_exec_and_a_run_with_a_check_work_in_containers(kind: str, tmp_path: Path) -> None:
    check = "python3 -c 'from add import add; assert add(2, 3) == 5'"
    executor = ["```python\nimport os\nprint(os.uname().nodename)\n```", "Done."]
    with ScriptedOllama(executor=executor) as server:
        super_agent = _command_line(kind, server.base_url, tmp_path)
        done = super_agent("exec", "Say where you are.", "-w", str(super_agent.workspace()), "--json")
        observation = server.chats[1].prompt[-1][1]
    assert (done.code, done.events[0]["sandbox"]) == (0, kind)
    assert "sandbox" in observation
    with ScriptedOllama(autogen=[PLAN, WRONG, RIGHT]) as server:
        super_agent = _command_line(kind, server.base_url, tmp_path)
        done = super_agent("run", "Write add.py", "-w", str(super_agent.workspace("w2")), "--check", check, "--json")
    assert done.code == 0, done.err
    assert (done.events[-1]["reason"], done.events[-1]["files_changed"]) == ("check_passed", ["add.py"])


def test_setup_makes_an_environment_of_the_images_python_which_is_then_used(kind: str, tmp_path: Path) -> None:
    executor = ["```shell\ncommand -v python; python -c 'import sys; print(sys.prefix)'\n```", "Done."]
    with ScriptedOllama(executor=executor) as server:
        super_agent = _command_line(kind, server.base_url, tmp_path)
        workspace = super_agent.workspace()
        done = super_agent("exec", "x", "-w", str(workspace), "--setup", "python -c 'import sys'", "--yes", "--json")
        observation = server.chats[1].prompt[-1][1]
    assert done.code == 0, done.err
    assert f"{workspace}/.venv/bin/python\n{workspace}/.venv" in observation


def _command_line(kind: str, url: str, folder: Path) -> CommandLine:
    names = ("SUPER_AGENT_SANDBOX_IMAGE", "CONTAINERS_CONF", "DOCKER_HOST")
    passed = {name: os.environ[name] for name in names if name in os.environ}
    return CommandLine(url, "scripted", folder, {"SUPER_AGENT_SANDBOX": kind, "SUPER_AGENT_MAX_ROUNDS": "4", **passed})
