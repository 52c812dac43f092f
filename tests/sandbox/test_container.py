"""Code in a container, on a scripted engine: arguments, the agent's protocol, and every way an engine can fail."""

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from interpreter.sandbox.command import Command, find_program, run_command
from interpreter.sandbox.container.process import BROKE_PROTOCOL, ContainerProcess
from interpreter.sandbox.container.program import AGENT, arguments, find_engine, owner
from interpreter.sandbox.container.support import IMAGE_PYTHON, ready_container, unused_environment
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.runners.python import PythonRunner
from interpreter.sandbox.runners.shell import ShellRunner
from super_agent.core.errors import SandboxUnavailable
from tests.sandbox.conftest import Talk, settled_now
from tests.sandbox.scripted_engine import ScriptedEngine

IMAGE = "localhost/image:1"
TalkTo = Callable[[type], Talk]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    folder = tmp_path / "engine"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return ScriptedEngine(folder)


@pytest.fixture
def policy(workspace: Path, engine: ScriptedEngine) -> SandboxPolicy:
    return SandboxPolicy(workspace, IMAGE_PYTHON, engine="podman", image=IMAGE)


def _wait_for_no_child() -> None:
    deadline = time.monotonic() + 5
    while psutil.Process().children(recursive=True) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert psutil.Process().children(recursive=True) == []


# What the engine is told


@pytest.mark.parametrize("kind", ["podman", "docker"])
def test_the_engine_is_told_the_whole_policy(policy: SandboxPolicy, engine: ScriptedEngine, kind: str) -> None:
    (policy.workspace / ".git").mkdir()
    policy = replace(
        settled_now(policy), engine="podman" if kind == "podman" else "docker", max_memory_bytes=2**28, max_processes=64
    )
    found = find_engine(kind)
    uid, gid = os.geteuid(), os.getegid()
    processes = min(resource.getrlimit(resource.RLIMIT_NPROC)[1] % 2**63, 32768)
    own = ["--read-only-tmpfs=false", "--http-proxy=false", "--ulimit", f"nproc={processes}:{processes}"]
    keep_id = ["--userns", "keep-id"] if kind == "podman" and uid != 0 else []
    assert found.path == str(engine.folder / kind)
    assert arguments(found, policy, "super-agent-1") == [
        found.path,
        *("run", "--interactive", "--rm", "--pull", "never", "--name", "super-agent-1"),
        *("--label", f"super-agent.owner={owner()}", "--log-driver", "none", "--init=false"),
        *("--hostname", "sandbox", "--add-host", "sandbox:127.0.0.1"),
        *("--network", "none", "--ipc", "private", "--read-only", "--cap-drop", "ALL"),
        *("--security-opt", "no-new-privileges", "--security-opt", "label=disable"),
        *("--pids-limit", "64", "--memory", str(2**28), "--memory-swap", str(2**28), "--shm-size", str(64 * 2**20)),
        *("--ulimit", "nofile=1024:1024", "--ulimit", "core=0:0"),
        *("--tmpfs", f"/tmp:rw,nosuid,nodev,exec,mode=1777,size={512 * 2**20}"),
        *(own if kind == "podman" else []),
        *(*keep_id, "--user", f"{uid}:{gid}"),
        *("--mount", f"type=bind,src={policy.workspace},dst={policy.workspace}"),
        *("--mount", f"type=bind,src={policy.workspace}/.git,dst={policy.workspace}/.git,readonly"),
        *("--workdir", str(policy.workspace), "--entrypoint", "python3"),
        *(IMAGE, "-I", "-c", AGENT.read_text()),
    ]


def test_the_network_and_further_folders_are_given_only_when_asked_for(policy: SandboxPolicy, tmp_path: Path) -> None:
    extra = tmp_path / "a, b"
    extra.mkdir()
    words = arguments(find_engine("docker"), replace(policy, network=True, readonly_paths=(extra,)), "n")
    assert words[words.index("--network") + 1] == "host"
    assert f'type=bind,"src={extra}","dst={extra}",readonly' in words


def test_a_repository_elsewhere_in_the_workspace_is_protected_too(policy: SandboxPolicy) -> None:
    real = policy.workspace / "repositories" / "one"
    real.mkdir(parents=True)
    (policy.workspace / ".git").write_text(f"gitdir: {real}\n")
    words = arguments(find_engine("podman"), settled_now(policy), "n")
    assert f"type=bind,src={real},dst={real},readonly" in words
    (policy.workspace / ".git").unlink()
    (policy.workspace / ".git").symlink_to(real)
    with pytest.raises(SandboxUnavailable, match="symbolic link"):
        settled_now(policy)


@pytest.mark.parametrize("flipped", [".git", "."])
def test_what_an_engine_mounts_instead_is_noticed_before_anything_runs(
    policy: SandboxPolicy, engine: ScriptedEngine, tmp_path: Path, flipped: str
) -> None:
    """An engine takes names, so a flip between our last look and its mount can only be seen from inside."""
    (policy.workspace / ".git").mkdir()
    (tmp_path / "secrets").mkdir()
    named = policy.workspace / flipped
    flip = f"os.rename({str(named)!r}, {str(tmp_path / 'aside')!r}); os.symlink('secrets', {str(named)!r});"
    engine.write(
        run=f"{flip}\n{engine.scripts['run'].replace('option(' + chr(34) + '--workdir' + chr(34) + ')', repr('/'))}"
    )
    with pytest.raises(SandboxUnavailable, match="is not what it was when the sandbox was settled"):
        run_command(settled_now(policy), f"touch {tmp_path}/ran", lambda _: None, 20.0)
    assert not (tmp_path / "ran").exists()


# The agent


def test_state_is_kept_and_an_interrupt_ends_only_the_run(policy: SandboxPolicy, talk: TalkTo) -> None:
    python = talk(PythonRunner)
    assert (python("x = 1\nprint('one')\nx + 1").output, python("x").output) == ("one\n2\n", "1\n")
    told = python("import time; time.sleep(60)", 0.3)
    assert (told.kind, told.outcome.state_lost) == ("timed_out", False)
    assert python("x").output == "1\n"


def test_the_shell_keeps_its_state_over_interrupts_soft_and_hard(policy: SandboxPolicy, talk: TalkTo) -> None:
    shell = talk(ShellRunner)
    shell("cd /; a=4")
    assert shell("sleep 60", 0.3).outcome.exit_code == 130
    assert shell("trap '' INT; sleep 60", 0.3).outcome.exit_code == 137
    assert shell("pwd; echo $a; exit 3").output == "/\n4\n"


def test_all_that_was_printed_before_the_answer_comes_with_it(policy: SandboxPolicy, talk: TalkTo) -> None:
    python = talk(PythonRunner)
    for size in (1, 70_000, 3_000_000):
        assert python(f"import os\nn = 0\nwhile n < {size}: n += os.write(1, b'x' * ({size} - n))").output == "x" * size
        assert python("print('next')").output == "next\n"


def test_what_background_processes_print_between_runs_belongs_to_no_run(policy: SandboxPolicy, talk: TalkTo) -> None:
    shell = talk(ShellRunner)
    assert shell("(sleep 0.2; head -c 5000000 /dev/zero; echo late) & echo early").output == "early\n"
    time.sleep(0.6)
    long = "x" * 300_000
    assert shell(f": {long}\necho next").output.endswith("next\n")


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("import os; os._exit(3)", "the python process ended with exit code 3"),
        ("import ctypes; ctypes.string_at(0)", "it crashed (segmentation fault)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "it was killed, perhaps for want of memory"),
    ],
)
def test_death_is_told_and_the_next_run_works(policy: SandboxPolicy, talk: TalkTo, code: str, detail: str) -> None:
    python = talk(PythonRunner)
    told = python(code)
    assert (told.kind, told.outcome.detail, told.outcome.state_lost) == ("died", detail, True)
    assert python("1 + 1").output == "2\n"


def test_code_can_neither_open_the_agents_pipes_nor_signal_it(policy: SandboxPolicy, talk: TalkTo) -> None:
    tries = "\n".join(
        f"try: {attempt}\nexcept OSError as error: print(error.errno)\nelse: print('done')"
        for attempt in ("open('/proc/1/fd/1', 'wb')", "open('/proc/1/mem', 'rb')", "os.kill(1, 9)", "os.kill(1, 2)")
    )
    python = talk(PythonRunner)
    python("import os")
    assert python(tries).output == "13\n13\ndone\ndone\n"
    assert python("'still here'").output == "'still here'\n"


def test_the_code_sees_the_policys_environment_and_limits_only(policy: SandboxPolicy, talk: TalkTo) -> None:
    python = talk(PythonRunner)
    names = "HOME LANG MPLBACKEND PATH PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED TERM TMPDIR USER"
    assert python("import os; print(*sorted(os.environ))").output == f"{names}\n"
    limits = (
        "import resource as r; print(*(r.getrlimit(k)[1] for k in (r.RLIMIT_DATA, r.RLIMIT_CORE, r.RLIMIT_NOFILE)))"
    )
    assert python(limits).output == f"{4 * 2**30} 0 1024\n"
    assert python("sorted(os.listdir('/proc/self/fd'))[:3]").output == "['0', '1', '2']\n"
    assert python("os.chroot('/')").output.count("Operation not permitted") == 1


@pytest.mark.parametrize(
    ("command", "kind", "code", "output"),
    [
        ("echo a; echo b >&2; echo c", "finished", 0, "a\nb\nc\n"),
        ("exit 7", "failed", 7, ""),
        ("kill -SEGV $$", "failed", 139, ""),
        ("sleep 60 & echo started", "finished", 0, "started\n"),
        ("echo @REQUEST", "finished", 0, "@REQUEST\n"),
    ],
)
def test_a_command_ends_with_its_exit_code_and_everything_it_started(
    policy: SandboxPolicy, command: str, kind: str, code: int, output: str
) -> None:
    said: list[bytes] = []
    outcome = run_command(policy, command, said.append, 20.0)
    assert (outcome.kind, outcome.exit_code, b"".join(said).decode()) == (kind, code, output)
    _wait_for_no_child()


def test_a_command_is_ended_by_its_time_and_by_an_interrupt_though_nobody_reads_its_flood(
    policy: SandboxPolicy,
) -> None:
    assert run_command(policy, "yes", lambda _: None, 0.5).kind == "timed_out"
    command = Command(policy)
    timer = threading.Timer(0.5, command.interrupt)
    timer.start()
    assert command.run("sleep 60", lambda _: None, 20.0).kind == "interrupted"
    timer.join()
    process = ContainerProcess(policy, ["yes"])
    time.sleep(0.3)
    process.close()
    _wait_for_no_child()


def test_a_program_is_found_missing_or_hidden(policy: SandboxPolicy) -> None:
    assert find_program(policy, "bash -c true") == "found"
    assert find_program(policy, "no-such-program") == "missing"


def test_a_kill_of_ours_ends_everything(policy: SandboxPolicy, workspace: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from interpreter.sandbox.protocol import SandboxPolicy\n"
        "from interpreter.sandbox.runners.shell import ShellRunner\n"
        f"runner = ShellRunner(SandboxPolicy(Path({str(workspace)!r}), Path('python3'), engine='podman', image='i'))\n"
        "runner.run('sleep 4242.5 & setsid sleep 4242.5 & echo', print, 20)\nprint('started', flush=True)\n"
        "runner.run('sleep 4242.5', print, 600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as ours:
        assert ours.stdout is not None
        while "started" not in ours.stdout.readline():
            assert ours.poll() is None
        left = psutil.Process(ours.pid).children(recursive=True)
        assert sum("4242.5" in " ".join(process.cmdline()) for process in left) >= 2
        ours.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(left, timeout=5)
    assert alive == []


# Engines that fail


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("sys.stderr.write('a\\nError: no such luck\\n'); sys.exit(125)", "no such luck"),
        ("sys.exit('docker: no daemon\\nRun docker run --help')", "no daemon. See"),
        ("sys.exit(0)", "no reason given"),
        ("say(b'garbage in place of a frame'); time.sleep(60)", "is not of our agent"),
        ("frame(b'H', length=2**31); sys.stdin.read()", "is not of our agent"),
    ],
)
def test_an_engine_that_starts_nothing_is_one_error(
    policy: SandboxPolicy, engine: ScriptedEngine, script: str, reason: str
) -> None:
    engine.write(run=script)
    with pytest.raises(SandboxUnavailable) as caught:
        run_command(policy, "true", lambda _: None, 20.0)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    _wait_for_no_child()


@pytest.mark.parametrize(
    "script",
    [
        "frame(b'H'); say(b'no frame at all'); sys.stdin.read()",
        "frame(b'H'); frame(b'O', b'x' * 10, 2**24); sys.stdin.read()",
        "frame(b'H'); frame(b'X', b'none'); sys.stdin.read()",
        "frame(b'H'); frame(b'R', b'1'); sys.stdin.read()",
    ],
)
def test_a_malformed_frame_is_the_death_of_the_process(
    policy: SandboxPolicy, engine: ScriptedEngine, script: str
) -> None:
    engine.write(run=script)
    process = ContainerProcess(policy, ["true"])
    process.wait(10)
    assert (process.exit_code(), "is not of our agent" in process.complaint) == (BROKE_PROTOCOL, True)
    process.close()
    process.close()
    assert [call[-1] for call in engine.calls("rm")] == [
        engine.calls("run")[0][engine.calls("run")[0].index("--name") + 1]
    ]
    _wait_for_no_child()


def test_an_engine_that_dies_under_way_is_a_death_and_its_container_is_removed(
    policy: SandboxPolicy, engine: ScriptedEngine
) -> None:
    engine.write(run="frame(b'H'); frame(b'O', b'some'); sys.exit(9)")
    said: list[bytes] = []
    process = ContainerProcess(policy, ["true"])
    process.wait(10)
    process.drain(said.append)
    assert (process.exit_code(), said) == (9, [b"some"])
    process.close()
    assert len(engine.calls("rm")) == 1


def test_an_engine_that_leaves_its_stdout_to_a_daemon_is_waited_for_in_vain_only_for_a_moment(
    policy: SandboxPolicy, engine: ScriptedEngine
) -> None:
    engine.write(run="import subprocess; frame(b'H'); subprocess.Popen(['sleep', '9']); sys.stdin.read()")
    process = ContainerProcess(policy, ["true"])
    process.close()
    assert process.exit_code() is None
    process.wait(10)
    process.close()
    assert process.exit_code() == 0
    assert process.output_fd == -1


def test_an_agent_that_takes_no_work_is_given_up(policy: SandboxPolicy, engine: ScriptedEngine, talk: TalkTo) -> None:
    engine.write(run="frame(b'H'); frame(b'A', b'ready' + chr(10).encode()); time.sleep(60)")
    with pytest.raises(SandboxUnavailable, match="takes no work"):
        talk(PythonRunner)("1")
    _wait_for_no_child()


def test_answers_that_nobody_asked_for_are_no_outcome(
    policy: SandboxPolicy, engine: ScriptedEngine, talk: TalkTo
) -> None:
    """What writes to the agent's stdout can at worst end the run: it does not know the run's random name."""
    forged = b"0123456789abcdef ended finished\n" * 100
    engine.write(run=f"frame(b'H'); frame(b'A', b'ready' + chr(10).encode()); frame(b'A', {forged!r}); sys.exit(1)")
    assert talk(PythonRunner)("1").kind == "died"


# Before a run


def test_it_says_which_python_is_used_and_what_of_the_workspace_cannot_be(policy: SandboxPolicy) -> None:
    assert ready_container(policy).python == IMAGE_PYTHON
    own = policy.workspace / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.symlink_to("/nowhere/python3")
    ready = ready_container(policy)
    assert ready.python == IMAGE_PYTHON
    assert unused_environment(ready).endswith(f"a Python that the image {IMAGE} does not have, so it is not used")
    own.unlink()
    own.symlink_to("/usr/bin/python3")
    ready = ready_container(policy)
    assert (ready.python, unused_environment(ready)) == (own, "")
    outcome = run_command(ready, '[ "$(command -v python)" = "$VIRTUAL_ENV/bin/python" ]', lambda _: None, 20.0)
    assert outcome.exit_code == 1  # there is no pyvenv.cfg, so it is no environment


@pytest.mark.parametrize(
    ("scripts", "words"),
    [
        ({"image": "sys.exit(1)"}, f"podman has no image {IMAGE}. Fetch it: podman pull {IMAGE}"),
        (
            {"image": "sys.exit(1)", "info": "sys.exit('Error: is it running?')"},
            "podman does not work here: is it running. Install it, or choose another with --sandbox bubblewrap or "
            "--sandbox docker",
        ),
        (
            {"run": "frame(b'H'); frame(b'O', b'/bin/bash: none'); frame(b'X', b'127')"},
            f"{IMAGE}: /bin/bash: none. Name",
        ),
    ],
)
def test_what_is_missing_is_told_with_what_to_do(
    policy: SandboxPolicy, engine: ScriptedEngine, scripts: dict[str, str], words: str
) -> None:
    engine.write(**scripts)
    with pytest.raises(SandboxUnavailable) as caught:
        ready_container(policy)
    assert words in str(caught.value)


def test_an_engine_that_is_not_installed_is_told(policy: SandboxPolicy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SandboxUnavailable, match="podman is not installed"):
        ready_container(policy)


def test_only_what_runs_that_are_gone_left_behind_is_removed(policy: SandboxPolicy, engine: ScriptedEngine) -> None:
    host, gone = socket.gethostname(), 2**22 + 1
    listed = {
        "super-agent-own": owner(),
        "super-agent-gone": f"{host}/{gone}/1",
        "super-agent-renumbered": f"{host}/{os.getpid()}/1",
        "super-agent-elsewhere": f"other-{host}/{gone}/1",
        "super-agent-odd": "what",
        "somebody-else": f"{host}/{gone}/1",
    }
    names = "".join(f"{name}\n" for name in listed)
    engine.write(ps=f"sys.stdout.write({names!r})", container=f"print({listed}[arguments[-1]])")
    ready_container(policy)
    assert sorted(call[-1] for call in engine.calls("rm")) == ["super-agent-gone", "super-agent-renumbered"]


def test_rootless_docker_is_root_inside_as_that_is_the_user_outside(
    policy: SandboxPolicy, engine: ScriptedEngine
) -> None:
    engine.write(info="sys.stdout.write('[name=seccomp,profile=builtin name=rootless]')")
    words = arguments(find_engine("docker"), policy, "n")
    own = f"{os.geteuid()}:{os.getegid()}"
    assert words[words.index("--user") + 1] == (own if os.geteuid() == 0 else "0:0")
