"""`make fresh [PART=…]`: do the README's two commands pass on a fresh machine? Tried in a bare Debian, from nothing.

First as a user without rights: `make demo` has to name everything that is missing in one line, root runs exactly that
line, and then `make demo` and `make test` pass. Then the same as root, who is never asked for anything, in another
bare Debian. Needs root, debootstrap, and a Debian whose apt works. The standard library alone: nothing is set up yet.
"""

import argparse
import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from scripts.bare_debian import (
    ROOT,
    SOMEONE,
    BareDebian,
    FreshFailed,
    NoBareDebian,
    Person,
    make_bare,
    temporary_folder,
)

CHECKOUT = Path(__file__).resolve().parent.parent
PARTS = ("setup", "demo", "test", "root")
LIMITS_S = {"bare": 1200, "apt": 1200, "setup": 900, "demo": 4500, "again": 1800, "test": 3600, "quick": 600}
"""Twice what two busy cores took, or more."""
APT_LINE = re.compile(r"sudo apt-get update && sudo apt-get install -y ([a-z0-9.+ -]*[a-z0-9+])")
PLAIN_SUDO = 'sudo() { "$@"; }; export DEBIAN_FRONTEND=noninteractive; '
"""A bare Debian's root has no sudo, and nobody to answer questions."""
QUICK_TESTS = "tests/sandbox/test_bubblewrap.py tests/session/test_second_door.py tests/test_demo_project.py"
BUILT = "root/.cache/super-agent"
PORT = 11434
"""Ollama's."""


class Trial:
    """The steps, and how long each took."""

    def __init__(self, folder: Path, suite: str) -> None:
        self.folder, self.suite = folder, suite
        self.took: list[tuple[str, float]] = []
        self._variables = _own_server()

    def step(self, title: str, work: Callable[[], object]) -> None:
        """Do one step and note its time."""
        print(f"\n== {title}", flush=True)
        began = time.monotonic()
        work()
        self.took.append((title, time.monotonic() - began))
        print(f"== {title}: {self.took[-1][1]:.0f} s", flush=True)

    def someone(self, parts: set[str]) -> BareDebian:
        """All that concerns a user without rights; the Debian as it is afterwards."""
        bare = self.folder / "bare"
        self.step(f"a bare Debian ({self.suite})", lambda: make_bare(bare, self.suite, LIMITS_S["bare"]))
        debian = BareDebian(bare, self._variables)
        if "root" in parts:
            debian.copied(self.folder / "root")
        debian.clone(CHECKOUT, SOMEONE)
        lines: list[str] = []
        self.step("make demo without rights, nothing installed", lambda: lines.append(_refused(debian)))
        self.step(f"root runs: {lines[0]}", lambda: debian.must(ROOT, PLAIN_SUDO + lines[0], LIMITS_S["apt"]))
        if "setup" in parts:
            self._run(debian, "make setup", "setup")
            self._run(debian, f".venv/bin/python -m pytest -q -p no:cacheprovider {QUICK_TESTS}", "quick")
        if "demo" in parts:
            self._run(debian, "make demo", "demo")
            self._run(debian, "RUNNER_INSTRUCTIONS=avx2 make demo", "again")
        if "test" in parts:
            self._run(debian, "make test", "test")
        return debian

    def root(self, theirs: BareDebian) -> None:
        """The same for root, whose Ollama alone is taken over: a second build would show nothing new."""
        debian = BareDebian(self.folder / "root", self._variables)
        debian.clone(CHECKOUT, ROOT)
        self._run(debian, "scripts/setup.sh --demo", "apt", ROOT)
        built = theirs.folder / SOMEONE.home.lstrip("/") / ".cache/super-agent"
        for home in built.glob("ollama-*"):
            if home.is_dir():
                shutil.copytree(home, debian.folder / BUILT / home.name, symlinks=True)
        self._run(debian, "make demo", "again", ROOT)
        self._run(debian, "make test", "test", ROOT)

    def _run(self, debian: BareDebian, command: str, limit: str, person: Person = SOMEONE) -> None:
        title = f"{person.name}: {command}"
        self.step(title, lambda: debian.must(person, f"cd super-agent && {command}", LIMITS_S[limit]))


def _refused(debian: BareDebian) -> str:
    """The line that `make demo` tells a user without rights to have run."""
    code, output = debian.run(SOMEONE, "cd super-agent && make demo", LIMITS_S["setup"])
    found = APT_LINE.findall(output)
    if code == 0 or len(found) != 1:
        raise FreshFailed(f"make demo without rights: exit code {code}, and {len(found)} lines for apt instead of one")
    if "Error 4" not in output:
        raise FreshFailed("make demo without rights did not end with 4, the exit code of a sandbox that cannot start")
    return f"sudo apt-get update && sudo apt-get install -y {found[0]}"


def _own_server() -> dict[str, str]:
    """The network is this machine's: where an Ollama has its port here already, another port is the demo's."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            probe.bind(("127.0.0.1", 0))
            return {"OLLAMA_BASE_URL": f"http://127.0.0.1:{probe.getsockname()[1]}"}
    return {}


def _unable() -> str | None:
    """Why it cannot be tried on this machine."""
    if os.geteuid() != 0:
        return f"make fresh makes a Debian to try things in, which only root can; you are user {os.geteuid()}"
    lacking = [name for name in ("debootstrap", "unshare", "setpriv", "pivot_root", "git") if not shutil.which(name)]
    if lacking:
        return f"make fresh needs {', '.join(lacking)}. Install with: apt-get install debootstrap util-linux git"
    return None


def main() -> int:
    """Try it; 0 where all passed, 1 where something did not, 2 where it cannot be tried here, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="make fresh", description="The README's two commands on a bare Debian.")
    parser.add_argument("part", nargs="?", choices=["all", *PARTS], default="all", help="root: needs the user's demo")
    parser.add_argument("--suite", default="trixie", help="which Debian (default: trixie)")
    chosen = parser.parse_args()
    if reason := _unable():
        print(f"super-agent: {reason}", file=sys.stderr)
        return 2
    parts = {"all": set(PARTS), "root": {"demo", "root"}}.get(chosen.part, {chosen.part})
    with temporary_folder() as folder:
        trial = Trial(folder, chosen.suite)
        try:
            theirs = trial.someone(parts)
            if "root" in parts:
                trial.root(theirs)
        except FreshFailed as failure:
            print(f"\nsuper-agent: {failure}", file=sys.stderr)
            return 2 if isinstance(failure, NoBareDebian) else 1
        except KeyboardInterrupt:
            print("\nsuper-agent: interrupted", file=sys.stderr)
            return 130
        finally:
            for title, seconds in trial.took:
                print(f"{seconds:7.0f} s  {title}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
