"""A bare Debian in a folder, to try what a fresh machine does: made by debootstrap, entered in namespaces of its own.

Not a chroot: no user namespace can be made in one, so that bubblewrap would fail there as it does on no machine. The
network is this machine's, and so is its way to the package registries: apt's, pip's and Go's settings and the
certificates are taken along; caches, and whatever else this machine has, are not.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = ("python3", "git", "make", "curl", "ca-certificates")
"""What the README asks for, and what a curl without certificates is no use without."""
TAKEN_ALONG = re.compile(
    r"PIP_(INDEX_URL|EXTRA_INDEX_URL|TRUSTED_HOST|PROXY|DEFAULT_TIMEOUT)"
    r"|UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|INSECURE_HOST|NATIVE_TLS|HTTP_TIMEOUT)"
    r"|GO(PROXY|SUMDB|NOSUMDB|NOPROXY|PRIVATE|INSECURE)|(?i:https?_proxy|all_proxy|no_proxy)"
)
"""Environment variables that say how registries are reached; none names a folder of this machine."""
CERTIFICATES = Path("usr/local/share/ca-certificates")
ENTER = """
set -eu
root=$1 user=$2 command=$3; shift 3
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount --rbind /sys sys
mount -t tmpfs -o mode=755 dev dev
for name in null zero full random urandom tty; do
    touch "dev/$name"
    mount --bind "/dev/$name" "dev/$name"
done
mkdir dev/pts dev/shm .machine
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for name in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${name%:*}" "dev/${name#*:}"; done
pivot_root . .machine
cd /
/usr/bin/umount --lazy /.machine
rmdir /.machine
/usr/bin/env -i "$@" /usr/bin/setpriv --reuid "$user" --regid "$user" --init-groups /bin/bash -c "cd; $command"
exit $?
"""
"""Run by bash as the first process of a process namespace: it stays, to reap what is orphaned, and all ends with it."""
SPACE = ("unshare", "--mount", "--pid", "--fork", "--kill-child")


class FreshFailed(Exception):
    """A step of the trial failed; the text says which, and how."""


class NoBareDebian(FreshFailed):
    """None can be made on this machine, so that nothing was tried in it."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the bare Debian."""

    name: str
    uid: int
    home: str
    path: str


ROOT = Person("root", 0, "/root", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
SOMEONE = Person("someone", 1000, "/home/someone", "/usr/local/bin:/usr/bin:/bin")
"""Without any rights of root."""


def run_streamed(command: list[str], limit_s: float) -> tuple[int, str]:
    """Exit code and whole output of a command, printed as it comes; 124 where it was ended after `limit_s`.

    It ends with this process, however that ends. A command that begins with `unshare --kill-child` takes all with it.
    """
    leash = ["setpriv", "--pdeathsig", "KILL"]
    expired = threading.Event()
    lines = []
    with subprocess.Popen(
        [*leash, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        process_group=0,  # Ctrl-C is ours to answer
    ) as process:

        def expire() -> None:
            expired.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(limit_s, expire)
        timer.start()
        try:
            for line in process.stdout or ():
                sys.stdout.write(line)
                sys.stdout.flush()
                lines.append(line)
            code = process.wait()
        finally:
            timer.cancel()
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return (124 if expired.is_set() else code), "".join(lines)


@dataclass(slots=True)
class BareDebian:
    """A root folder; `variables` are added to everybody's environment in it."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, person: Person, command: str, limit_s: float) -> tuple[int, str]:
        """Run a line of bash there from the person's home; exit code (124: over `limit_s`) and output."""
        environment = {
            "HOME": person.home,
            "USER": person.name,
            "LOGNAME": person.name,
            "PATH": person.path,
            "LANG": "C.UTF-8",
            **{name: value for name, value in os.environ.items() if TAKEN_ALONG.fullmatch(name)},
            **self.variables,
        }
        pairs = [f"{name}={value}" for name, value in environment.items()]
        enter = ["bash", "-c", ENTER, "enter", str(self.folder), str(person.uid), command]
        return run_streamed([*SPACE, *enter, *pairs], limit_s)

    def must(self, person: Person, command: str, limit_s: float) -> str:
        """As `run`; raises `FreshFailed` for an exit code that is not 0."""
        code, output = self.run(person, command, limit_s)
        if code:
            raise FreshFailed(
                f"{person.name}: {command}: " + ("no end in time" if code == 124 else f"exit code {code}")
            )
        return output

    def copied(self, folder: Path) -> "BareDebian":
        """The same Debian in another folder, with its device files: reading /dev/zero for a copy fills the disk."""
        subprocess.run(["cp", "--archive", "--reflink=auto", self.folder, folder], check=True, timeout=300)
        return BareDebian(folder, self.variables)

    def clone(self, checkout: Path, person: Person) -> None:
        """What is committed in a checkout, as a clone of the person's own in ~/super-agent.

        Raises `NoBareDebian` where it is no repository of git's, or of somebody whom git does not trust.
        """
        target = self.folder / person.home.lstrip("/") / "super-agent"
        _output("git", "clone", "--quiet", f"file://{checkout}", str(target))
        self.must(ROOT, f"chown -R {person.uid}:{person.uid} {person.home}/super-agent", 120)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder on disk (/tmp may be memory) gone at the end, also after Ctrl-C, SIGTERM or a closed terminal."""
    folder = Path(tempfile.mkdtemp(prefix="super-agent-fresh-", dir="/var/tmp"))
    folder.chmod(0o755)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        signal.signal(number, interrupt)
    try:
        yield folder
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        shutil.rmtree(folder)


def make_bare(folder: Path, suite: str, limit_s: float) -> BareDebian:
    """A Debian with `PACKAGES` and a user without rights; raises `NoBareDebian` where it cannot be made."""
    sources = _sources(suite)
    # Nothing here has to outlive a power cut, and waiting for the disk after each file takes minutes.
    fast = folder / "etc/dpkg/dpkg.cfg.d/throw-away"
    fast.parent.mkdir(parents=True)
    fast.write_text("force-unsafe-io\n")
    options = ["--variant=minbase", "--include=" + ",".join(PACKAGES)]
    mirror = sources[0].split()[1]
    code, _ = run_streamed([*SPACE, "--mount-proc", "debootstrap", *options, suite, str(folder), mirror], limit_s)
    if code:
        raise NoBareDebian(f"debootstrap {suite}: {_how(code)}")
    (folder / "etc/apt/sources.list").write_text("".join(line + "\n" for line in sources))
    settings = _output("apt-config", "dump")
    reached = [line for line in settings.splitlines() if re.match(r"Acquire::(https?|Check|Retries)", line)]
    (folder / "etc/apt/apt.conf.d/99machine").write_text("".join(line + "\n" for line in reached))
    for name in ("etc/pip.conf", "etc/resolv.conf", "etc/hosts"):
        if (Path("/") / name).exists():
            shutil.copyfile(Path("/") / name, folder / name)
    for certificate in (Path("/") / CERTIFICATES).glob("*.crt"):
        shutil.copyfile(certificate, folder / CERTIFICATES / certificate.name)
    debian = BareDebian(folder)
    code, _ = debian.run(
        ROOT, f"update-ca-certificates && useradd -m -u {SOMEONE.uid} -s /bin/bash {SOMEONE.name}", 120
    )
    if code:
        raise NoBareDebian(f"a user in it: {_how(code)}")
    return debian


def _sources(suite: str) -> list[str]:
    """Lines for sources.list: where this machine's own apt has Debian from, for another suite."""
    here = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.MULTILINE)
    codename = here[1] if here else "?"
    targets = _output("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages")
    found = dict.fromkeys(targets.splitlines())
    known = [line.split() for line in found if re.fullmatch(rf"\S+ {codename}(-updates|-security)?", line)]
    if not known:
        raise NoBareDebian("apt names no source of Debian here: apt-get update, on a Debian, has to work first")
    known.sort(key=lambda target: target[1])
    return [f"deb {address} {release.replace(codename, suite)} main" for address, release in known]


def _how(code: int) -> str:
    return "no end within its limit" if code == 124 else f"exit code {code}"


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise NoBareDebian(f"{' '.join(command[:2])}: {getattr(error, 'stderr', None) or error}") from error
