"""The policy on the real bubblewrap: what is shown, what is not, and the reasons for which nothing runs."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from interpreter.sandbox.bubblewrap.arguments import can_disable_userns, confine, environment_inside, require_bubblewrap
from interpreter.sandbox.command import run_command
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.self_test import describe
from super_agent.core.errors import SandboxUnavailable
from tests.sandbox.conftest import settled_now

Said = Callable[..., str]


@pytest.fixture
def said(policy: SandboxPolicy) -> Said:
    """What a command says under the policy."""

    def run(command: str, chosen: SandboxPolicy = policy) -> str:
        pieces: list[bytes] = []
        run_command(settled_now(chosen), command, pieces.append, 20)
        return b"".join(pieces).decode()

    return run


def test_code_is_a_plain_user_without_capabilities_or_namespaces_of_its_own(said: Said) -> None:
    assert said("id -u; id -g; grep CapEff /proc/self/status | cut -f2") == "1000\n1000\n0000000000000000\n"
    assert "Operation not permitted" in said("unshare -U true")


def test_namespaces_are_disabled_by_bubblewrap_itself_where_it_can(policy: SandboxPolicy) -> None:
    confined = confine(policy, ["true"])
    confined.release()
    assert ("--disable-userns" in confined.argv) == can_disable_userns(require_bubblewrap())


def test_only_what_is_needed_of_the_machine_is_there(said: Said, tmp_path: Path) -> None:
    shown = set(said("ls -A /").split())
    needed = {"bin", "dev", "etc", "lib", "lib64", "proc", "run", "sbin", "tmp", "usr", "var", "lib32", "libx32"}
    own = {tmp_path.parts[1], Path(sys.prefix).parts[1], Path(sys.base_prefix).parts[1]}
    assert shown <= needed | own
    assert said("ls -A /run /var | grep -v :").strip() == ""
    assert "shadow" not in said("ls /etc")


def test_the_environment_is_only_the_sandboxs_own(said: Said, policy: SandboxPolicy) -> None:
    names = {line.partition("=")[0] for line in said("env").splitlines()}
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == set(environment_inside(policy))
    assert said("tr '\\0' '\\n' </proc/1/environ") == ""


def test_the_policys_environment_is_added(said: Said, policy: SandboxPolicy) -> None:
    assert said("echo $MINE", replace(policy, environment={"MINE": "yes"})) == "yes\n"


def test_no_descriptor_of_the_host_is_open_inside(said: Said) -> None:
    links = said("for fd in /proc/self/fd/*; do readlink $fd; done").split("\n")
    assert [link for link in links if link and not link.startswith(("pipe:", "/dev/null", "/proc/"))] == []


def test_the_workspace_is_at_the_same_place_and_writable(said: Said, workspace: Path) -> None:
    assert said("pwd; echo text >made; cat made") == f"{workspace}\ntext\n"
    assert (workspace / "made").read_text() == "text\n"
    assert (workspace / "made").stat().st_uid == os.geteuid()


def test_a_link_in_the_path_of_the_workspace_is_no_obstacle(said: Said, policy: SandboxPolicy, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    through = replace(policy, workspace=tmp_path / "link" / "workspace")
    assert said("echo text >made; pwd", through) == f"{through.workspace}\n"
    assert (tmp_path / "workspace" / "made").exists()


def test_a_repository_can_be_read_and_not_changed(said: Said, workspace: Path) -> None:
    (workspace / ".git").mkdir()
    (workspace / ".git" / "config").write_text("mine\n")
    assert said("cat .git/config") == "mine\n"
    assert "Read-only" in said("echo x >>.git/config")
    assert "busy" in said("mv .git other")
    assert (workspace / ".git" / "config").read_text() == "mine\n"


def test_a_worktrees_git_file_and_the_folder_in_the_workspace_it_names_are_read_only(
    said: Said, workspace: Path
) -> None:
    (workspace / "real").mkdir()
    (workspace / "real" / "config").write_text("mine\n")
    (workspace / ".git").write_text("gitdir: ./real\n")
    assert "Read-only" in said("echo x >>real/config")
    assert "busy" in said("rm .git")
    assert (workspace / "real" / "config").read_text() == "mine\n"


@pytest.mark.parametrize("target", ["{outside}", "../outside", "/etc", "no such folder", "", "."])
def test_a_git_file_shows_nothing_outside_the_workspace(
    said: Said, workspace: Path, tmp_path: Path, target: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "config").write_text("secret\n")
    (workspace / ".git").write_text(f"gitdir: {target.format(outside=outside)}\n")
    assert said(f"cat {outside}/config ../outside/config 2>/dev/null; echo done >file; cat file") == "done\n"


def test_a_git_link_is_refused_with_the_reason(policy: SandboxPolicy, workspace: Path, tmp_path: Path) -> None:
    (workspace / ".git").symlink_to(tmp_path)
    with pytest.raises(SandboxUnavailable, match=r"\.git is a symbolic link"):
        settled_now(policy)


def test_a_git_link_into_the_workspace_is_told_what_git_reads_alike(policy: SandboxPolicy, workspace: Path) -> None:
    (workspace / ".git-real").mkdir()
    (workspace / ".git").symlink_to(".git-real")
    with pytest.raises(SandboxUnavailable, match="which code could repoint") as caught:
        settled_now(policy)
    assert "`gitdir: .git-real`" in caught.value.fix


def test_a_worktree_and_a_submodule_can_be_read_and_their_repository_not_changed(
    said: Said, policy: SandboxPolicy, tmp_path: Path
) -> None:
    git = "git -c user.name=a -c user.email=a@b -c protocol.file.allow=always"
    done = subprocess.run(
        f"{git} init -q main && cd main && {git} commit -q --allow-empty -m one && {git} worktree add -q ../tree && "
        f"cd .. && {git} init -q super && cd super && {git} submodule --quiet add ../main sub",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for name, kept in (("tree", "main/.git"), ("super/sub", "super/.git/modules/sub")):
        own = replace(policy, workspace=tmp_path / name)
        assert said("git -c safe.directory='*' log --format=%s", own) == "one\n"
        assert "Read-only" in said(f"echo x >{tmp_path}/{kept}/config", own)
        assert own.reach.git.note == ""


def test_a_git_file_that_is_not_named_in_turn_is_told(policy: SandboxPolicy, workspace: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "main" / ".git" / "worktrees" / "tree"
    foreign.mkdir(parents=True)
    (foreign / "gitdir").write_text(f"{tmp_path}/another/.git\n")
    (workspace / ".git").write_text(f"gitdir: {foreign}\n")
    git = settled_now(policy).reach.git
    assert (git.outside, git.note) == (
        (),
        f"{workspace}/.git names {foreign}, which does not name {workspace}/.git in turn: git does not work inside",
    )


@pytest.mark.parametrize("where", ["{outside}/main/.git/worktrees/tree", "../main/.git/modules/sub", "gone/inside"])
def test_a_git_file_whose_repository_is_gone_protects_itself_and_is_told(
    said: Said, policy: SandboxPolicy, workspace: Path, tmp_path: Path, where: str
) -> None:
    named = where.format(outside=tmp_path)
    (workspace / ".git").write_text(f"gitdir: {named}\n")
    decided = settled_now(policy)
    folder = (workspace / named).resolve()
    assert decided.reach.git.outside == ()
    assert decided.reach.git.note == (
        f"{workspace}/.git names {folder}, which is not there: git does not work in this folder, inside or outside"
    )
    assert "Read-only" in said("echo gitdir: /etc >.git", decided)
    assert "busy" in said("rm .git", decided)


def test_a_repository_that_was_replaced_since_is_no_reason_to_show_the_new_one(
    policy: SandboxPolicy, workspace: Path
) -> None:
    (workspace / ".git").mkdir()
    policy = settled_now(policy)
    (workspace / ".git").rename(workspace / "old")
    (workspace / ".git").mkdir()
    with pytest.raises(SandboxUnavailable, match="was moved or replaced since the sandbox was settled"):
        run_command(policy, "true", lambda _: None, 10)


@pytest.mark.parametrize("path", ["/no/such/folder", "/", "relative"])
def test_a_path_that_cannot_be_allowed_is_named(policy: SandboxPolicy, path: str) -> None:
    with pytest.raises(SandboxUnavailable, match=path) as caught:
        run_command(replace(policy, readonly_paths=(Path(path),)), "true", lambda _: None, 10)
    assert "SUPER_AGENT_SANDBOX_PATHS" in caught.value.fix


def test_without_bubblewrap_nothing_runs_and_the_remedy_is_told(
    policy: SandboxPolicy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="not installed") as caught:
        run_command(policy, "touch ran", lambda _: None, 10)
    assert "apt install bubblewrap" in caught.value.fix
    assert "--sandbox none" in caught.value.fix
    assert not (policy.workspace / "ran").exists()


def test_a_bubblewrap_that_may_not_make_namespaces_is_told_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="No permissions to create new namespace") as caught:
        require_bubblewrap()
    assert "--sandbox none" in caught.value.fix


def test_what_holds_here_is_described_in_sentences(policy: SandboxPolicy) -> None:
    lines = describe(policy)
    assert any(str(policy.workspace) in line for line in lines)
    assert "It has no network: no internet, no servers or sockets of this machine." in lines
    assert any("HAS the network" in line for line in describe(replace(policy, network=True)))
    assert "no sandbox" in describe(replace(policy, contained=False))[0]
