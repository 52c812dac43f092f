"""A machine that lacks programs: one line names all of it, or root's apt is asked, before anything is built."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from scripts.fresh import APT_LINE

SCRIPTS = Path(__file__).parents[2] / "scripts"
ABSENT = {"bwrap", "g++", "clang++", "go", "uv", "ollama", "apt-get", "apt-cache", "id", "ldconfig"}
HAS_SECCOMP = "echo '\tlibseccomp.so.2 (libc6,x86-64) => /lib/libseccomp.so.2'"


def machine(folder: Path, programs: dict[str, str]) -> Path:
    """A folder for PATH: this machine's programs without `ABSENT`, and programs with the given lines of shell."""
    folder.mkdir()
    for name in ("/usr/bin", "/bin"):
        for program in Path(name).iterdir():
            if program.name not in ABSENT and not (folder / program.name).is_symlink():
                (folder / program.name).symlink_to(program)
    for name, lines in programs.items():
        (folder / name).write_text(f"#!/bin/bash\n{lines}\n")
        (folder / name).chmod(0o755)
    return folder


def run(path: Path, command: Sequence[str]) -> tuple[int, str, str]:
    """Exit code, output and errors of a command with that PATH, an empty home, and no Ollama at its address."""
    environment = {"PATH": str(path), "HOME": str(path), "LANG": "C.UTF-8", "OLLAMA_BASE_URL": "http://127.0.0.1:1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def ask(path: Path, line: str) -> tuple[int, str, str]:
    """What a line of bash gives behind the functions of packages.sh."""
    head = 'set -euo pipefail; say() { echo "$*" >&2; }; . "$0";'
    return run(path, ["/bin/bash", "-c", f"{head} {line}", str(SCRIPTS / "packages.sh")])


def checkout(folder: Path) -> Path:
    """What `setup.sh` reads before it fetches anything."""
    root = SCRIPTS.parent
    for name in ("scripts", "requirements", "interpreter/open_interpreter", "interpreter/sandbox"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("interpreter/engine/environment.py", "super_agent/core/ollama/instruction_sets.py"):
        (folder / name).parent.mkdir(parents=True)
        shutil.copyfile(root / name, folder / name)
    return folder


@pytest.mark.parametrize(
    ("sandbox", "packages", "code"),
    [
        ({}, ["bubblewrap", "g++", "golang-go"], 4),
        ({"bwrap": "true"}, ["g++", "golang-go"], 3),
    ],
    ids=["no sandbox", "no compiler"],
)
def test_the_demo_names_all_that_is_missing_in_one_line_before_it_begins(
    sandbox: dict[str, str], packages: list[str], code: int, tmp_path: Path
) -> None:
    programs = {"id": "echo 1000", "ldconfig": HAS_SECCOMP, **sandbox}
    folder = checkout(tmp_path / "checkout")

    ended, _, errors = run(machine(tmp_path / "bin", programs), [str(folder / "scripts/setup.sh"), "--demo"])

    assert (ended, len(errors.splitlines())) == (code, 1), errors
    [named] = APT_LINE.findall(errors)
    assert [name for name in named.split() if name != "python3-venv"] == packages
    assert not (folder / ".venv").exists()


def test_root_is_not_asked_but_told_and_apt_installs_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    path = machine(tmp_path / "bin", {"id": "echo 0", "apt-get": f'echo "$*" >>{log}'})

    code, _, errors = ask(path, "provide g++ golang-go")

    assert (code, errors) == (0, "installing g++ golang-go with apt\n")
    assert log.read_text().splitlines() == ["update -qq", "install -y -qq g++ golang-go"]


def test_what_apt_says_is_shown_where_it_fails(tmp_path: Path) -> None:
    path = machine(tmp_path / "bin", {"id": "echo 0", "apt-get": "echo 'E: no such package'; exit 100"})
    assert ask(path, "provide g++") == (
        1,
        "",
        "installing g++ with apt\nE: no such package\napt could not install g++\n",
    )


@pytest.mark.parametrize(
    ("installed", "packaged", "named", "hopeless"),
    [
        ("go1.26.8", "2:1.24~2", "", 1),
        ("go1.19.8", "2:1.24~2", "golang-go", 1),
        ("go1.19.8", "2:1.19~1", "", 0),
        (None, "2:1.24~2", "golang-go", 1),
        (None, "2:1.19~1", "", 0),
        (None, None, "golang-go", 1),
    ],
)
def test_a_go_that_is_too_old_is_as_good_as_none(
    installed: str | None, packaged: str | None, named: str, hopeless: int, tmp_path: Path
) -> None:
    programs = {"g++": "true"}
    if installed:
        programs["go"] = f"echo {installed}"
    if packaged:
        programs["apt-cache"] = f"printf 'golang-go:\\n  Installed: (none)\\n  Candidate: {packaged}\\n'"
    path = machine(tmp_path / "bin", programs)

    assert ask(path, "lacking_build")[:2] == (0, f"{named}\n" if named else "")
    assert ask(path, "old_go")[0] == hopeless


def test_a_long_list_of_libraries_still_holds_the_one_that_is_there(tmp_path: Path) -> None:
    many = f'{HAS_SECCOMP}; for n in {{1..20000}}; do echo "\tlib$n.so (libc6) => /lib/lib$n.so"; done'
    path = machine(tmp_path / "bin", {"bwrap": "true", "ldconfig": many})
    assert ask(path, "lacking_sandbox") == (0, "", "")
