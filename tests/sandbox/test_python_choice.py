"""Which Python is used inside, and that nothing hidden is shown with it."""

import subprocess
import sys
from pathlib import Path

import pytest

from interpreter.sandbox.command import run_command
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.python_choice import choose_python, prefixes_of
from super_agent.core.errors import SandboxUnavailable, SettingInvalid


def fake_python(prefix: Path) -> Path:
    (prefix / "bin").mkdir(parents=True)
    (prefix / "lib" / "python3.12").mkdir(parents=True)
    (prefix / "lib" / "python3.12" / "os.py").touch()
    python = prefix / "bin" / "python"
    python.touch()
    python.chmod(0o755)
    return python


def fallback() -> Path:
    return Path("/fallback/bin/python")


def test_the_workspaces_own_environment_comes_first_and_the_users_choice_before_it(tmp_path: Path) -> None:
    base = fake_python(tmp_path / "base")
    assert choose_python(tmp_path, fallback) == fallback()
    own = tmp_path / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.symlink_to(base)
    assert choose_python(tmp_path, fallback) == own
    assert choose_python(tmp_path, fallback, base) == base
    assert choose_python(tmp_path, fallback, tmp_path / "base") == base


def test_a_broken_environment_of_the_workspace_is_not_used(tmp_path: Path) -> None:
    own = tmp_path / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.symlink_to(tmp_path / "nowhere")
    assert choose_python(tmp_path, fallback) == fallback()


def test_a_choice_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match=r"--python .*nothing is not a Python"):
        choose_python(tmp_path, fallback, tmp_path / "nothing")


def test_a_folder_without_a_standard_library_is_not_shown(tmp_path: Path) -> None:
    secret = tmp_path / "secrets" / "bin" / "python"
    secret.parent.mkdir(parents=True)
    secret.touch()
    with pytest.raises(SandboxUnavailable, match="holds no lib/python3"):
        prefixes_of(secret)


@pytest.mark.parametrize("above", [".", ".."])
def test_a_python_whose_folder_is_the_home_folder_or_above_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, above: str
) -> None:
    home = tmp_path / "users" / "me"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    python = fake_python((home / above).resolve())
    with pytest.raises(SandboxUnavailable, match="holds the home folder"):
        prefixes_of(python)


def test_every_folder_that_the_links_pass_through_is_shown(tmp_path: Path) -> None:
    base = fake_python(tmp_path / "python-3.12.4")
    (tmp_path / "python-3.12").symlink_to(tmp_path / "python-3.12.4")
    environment = tmp_path / "env" / "bin" / "python"
    environment.parent.mkdir(parents=True)
    environment.symlink_to(tmp_path / "python-3.12" / "bin" / "python")
    assert prefixes_of(environment) == (tmp_path / "env", tmp_path / "python-3.12", base.parent.parent)


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("python3")
    (tmp_path / "bin" / "python3").symlink_to("python")
    with pytest.raises(SandboxUnavailable, match="leads to itself"):
        prefixes_of(tmp_path / "bin" / "python")


def test_a_link_that_code_repoints_later_changes_nothing(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    own = workspace / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.symlink_to(fake_python(tmp_path / "base"))
    policy = SandboxPolicy(workspace, own)
    own.unlink()
    own.symlink_to(fake_python(tmp_path / "secret"))
    assert tmp_path / "secret" not in policy.python_prefixes
    assert tmp_path / "base" in policy.python_prefixes


@pytest.mark.parametrize("options", [(), ("--copies",), ("--system-site-packages",)])
def test_an_environment_of_the_workspace_works_inside_with_what_is_installed_in_it(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    environment = tmp_path / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", *options, environment], check=True)
    site = next((environment / "lib").glob("python3*")) / "site-packages"
    (site / "installed.py").write_text("answer = 42\n")
    policy = SandboxPolicy(tmp_path, choose_python(tmp_path, fallback))
    said: list[bytes] = []
    outcome = run_command(policy, "python -c 'import installed, ssl; print(installed.answer)'", said.append, 20)
    assert (outcome.exit_code, b"".join(said)) == (0, b"42\n")


def test_an_environment_that_is_a_link_to_elsewhere_works_inside(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "elsewhere"], check=True)
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / ".venv").symlink_to(tmp_path / "elsewhere")
    policy = SandboxPolicy(workspace, choose_python(workspace, fallback))
    said: list[bytes] = []
    outcome = run_command(policy, "python -c 'import sys; print(sys.prefix)'", said.append, 20)
    assert outcome.exit_code == 0, said
