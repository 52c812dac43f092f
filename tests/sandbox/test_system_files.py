"""What of /etc is shown, that programs work with it, and that nothing private comes along."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from interpreter.sandbox.bubblewrap.arguments import require_bubblewrap
from interpreter.sandbox.command import run_command
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.system_files import hosts_file, private_below, public_etc


def _said(policy: SandboxPolicy, command: str) -> str:
    pieces: list[bytes] = []
    run_command(policy, command, pieces.append, 30)
    return b"".join(pieces).decode()


def test_the_machines_own_name_is_known(policy: SandboxPolicy) -> None:
    code = "import socket; print(socket.gethostbyname(socket.gethostname()))"
    assert _said(policy, f'/usr/bin/python3 -c "{code}"') == "127.0.0.1\n"


def test_a_commit_needs_no_identity_of_the_user_and_a_repositorys_own_comes_first(policy: SandboxPolicy) -> None:
    begin = "cd /tmp && git init -q r && cd r && git commit -q --allow-empty -m one"
    assert _said(policy, f"{begin} && git log --format='%an %ae'") == "user user@sandbox.invalid\n"
    own = "git -c user.name=me commit -q --allow-empty -m two && git log -1 --format=%an"
    assert _said(policy, f"cd /tmp && git init -q r && cd r && {own}") == "me\n"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed here")
def test_openssl_makes_a_certificate(policy: SandboxPolicy) -> None:
    made = "openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -days 1 -subj /CN=localhost"
    assert _said(policy, f"{made} >said 2>&1 && echo made || cat said") == "made\n"


def test_packages_of_the_list_are_found_and_private_files_are_not(tmp_path: Path) -> None:
    public = ["java-21-openjdk/security/java.security", "php/8.2/cli/php.ini", "ssl/openssl.cnf", "ssl/certs/ca.pem"]
    public += [
        "perl/XML/SAX/ParserDetails.ini",
        "OpenCL/vendors/pocl.icd",
        "openmpi/openmpi-mca-params.conf",
        "timezone",
    ]
    private = ["ssl/private/key.pem", "shadow", "php/8.2/fpm/pool.d/www.conf", "maven/settings.xml", "hosts"]
    for name in (*public, *private, "java-21-openjdk/management/jmxremote.password"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "java-21-openjdk/management/jmxremote.password").chmod(0o600)
    shown = public_etc(network=False, etc=tmp_path)
    for name in public:
        assert any((tmp_path / name).is_relative_to(path) for path in shown)
    for name in private:
        assert not any((tmp_path / name).is_relative_to(path) for path in shown)
    hidden = [path for folder in shown if folder.is_dir() for path in private_below(folder)]
    assert hidden == [tmp_path / "java-21-openjdk/management/jmxremote.password"]


def test_what_is_private_in_a_shown_folder_can_be_covered(tmp_path: Path) -> None:
    """bubblewrap mounts over files and folders of a read-only bind, as the policy's arguments do."""
    (tmp_path / "shown" / "folder").mkdir(parents=True)
    for name in ("shown/file", "shown/folder/inner"):
        (tmp_path / name).write_text("secret")
    with open("/dev/null", "rb") as nothing:
        argv = [require_bubblewrap(), "--dev-bind", "/", "/", "--ro-bind", str(tmp_path), str(tmp_path)]
        argv += ["--perms", "0000", "--tmpfs", str(tmp_path / "shown/folder")]
        argv += ["--ro-bind-data", str(nothing.fileno()), str(tmp_path / "shown/file")]
        argv += ["grep", "-rs", "secret", str(tmp_path)]
        done = subprocess.run(argv, pass_fds=[nothing.fileno()], capture_output=True, timeout=20)
    # Who may not look into the covering folder is told so; root just finds nothing.
    assert (done.stdout, done.returncode) == (b"", 1 if os.geteuid() == 0 else 2)


def test_hosts_are_the_machines_own_only_with_the_network(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("10.0.0.1 build.example")
    assert hosts_file(network=True, etc=tmp_path) == "10.0.0.1 build.example\n127.0.0.1 sandbox\n"
    assert "build" not in hosts_file(network=False, etc=tmp_path)
    assert "127.0.0.1 sandbox" in hosts_file(network=True, etc=tmp_path / "none")
