"""What an engine is told, and what it mounts instead."""

import os
import resource
from dataclasses import replace
from pathlib import Path

import pytest

from interpreter.sandbox.command import run_command
from interpreter.sandbox.container.program import AGENT, arguments, find_engine, owner
from interpreter.sandbox.protocol import SandboxPolicy
from super_agent.core.errors import SandboxUnavailable
from tests.sandbox.conftest import settled_now
from tests.sandbox.container.conftest import IMAGE
from tests.sandbox.scripted_engine import MOUNTS, ScriptedEngine


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
    flip = f"os.rename({str(named)!r}, {str(tmp_path / 'aside')!r}); os.symlink('secrets', {str(named)!r})"
    elsewhere = engine.scripts["run"].replace(MOUNTS, "").replace('option("--workdir")', repr("/"))
    engine.write(run=f"{flip}\n{elsewhere}")
    with pytest.raises(SandboxUnavailable, match="is not what it was when the sandbox was settled"):
        run_command(settled_now(policy), f"touch {tmp_path}/ran", lambda _: None, 20.0)
    assert not (tmp_path / "ran").exists()


def test_rootless_docker_is_root_inside_as_that_is_the_user_outside(
    policy: SandboxPolicy, engine: ScriptedEngine
) -> None:
    engine.write(info="sys.stdout.write('[name=seccomp,profile=builtin name=rootless]')")
    words = arguments(find_engine("docker"), policy, "n")
    own = f"{os.geteuid()}:{os.getegid()}"
    assert words[words.index("--user") + 1] == (own if os.geteuid() == 0 else "0:0")
