"""What of /etc sandboxed programs need, by package, and the few files there that the sandbox has of its own.

Each entry is public configuration without which a program of /usr fails or behaves otherwise; nothing in it holds a
secret in the form in which its package installs it. What not everybody may read is left out on top: as root, files
that only root may read would otherwise be readable inside.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

ETC = Path("/etc")
HOSTNAME = "sandbox"
BY_PACKAGE = {
    "libc": ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "nsswitch.conf", "host.conf", "locale.alias"),
    "netbase": ("services", "protocols", "rpc", "ethertypes"),
    "distribution": ("alternatives", "os-release", "debian_version", "redhat-release", "mime.types", "terminfo"),
    "openssl": ("ssl/openssl.cnf", "pki/tls/openssl.cnf", "crypto-policies"),
    "ca-certificates": (
        "ssl/certs",
        "ca-certificates",
        "pki/tls/certs",
        "pki/tls/cert.pem",
        "pki/ca-trust",
        "pki/java",
    ),
    "java": ("java-*-openjdk", "java", "jvm"),
    "php": ("php/*/cli", "php/*/mods-available", "php.ini", "php.d"),
    "python": ("python3", "python3.*"),
    "fonts": ("fonts",),
    "imagemagick": ("ImageMagick-*",),
    "maven": ("maven/m2.conf", "maven/logging"),
    "tex": ("texmf", "papersize"),
    "r": ("R/ldpaths", "R/Makeconf", "R/Renviron", "R/Rprofile.site"),
    "perl": ("perl",),
    "mpi": ("openmpi",),
    "gpu": ("OpenCL/vendors", "vulkan"),
    "ghostscript": ("ghostscript",),
    "gnutls": ("gnutls/config",),
    "dotnet": ("dotnet/install_location*",),
    "tzdata": ("timezone",),
    "man-db": ("manpath.config",),
    "file": ("magic", "magic.mime"),
    "xml": ("xml", "sgml"),
}
WITH_NETWORK = ("resolv.conf", "gai.conf")
MAX_LOOKED_AT = 20_000
"""Entries of the folders above; a Debian with everything installed has some 2,000."""
GIT_CONFIG = (
    "[user]\n\tname = user\n\temail = user@sandbox.invalid\n"
    # Inside, every repository is as foreign as the code that uses it; outside, this file is not read.
    "[safe]\n\tdirectory = *\n"
)
"""Of the lowest rank: a repository's and a command's own settings come before it."""


def public_etc(*, network: bool, etc: Path = ETC) -> list[Path]:
    """The files and folders of the list that are there and that everybody may read."""
    patterns = [pattern for group in BY_PACKAGE.values() for pattern in group] + list(WITH_NETWORK if network else ())
    found = sorted({path for pattern in patterns for path in etc.glob(pattern)})
    return [path for path in found if not _is_private(path, followed=True)]


def private_below(folder: Path) -> Iterator[Path]:
    """What not everybody may read in a folder of the list, to be covered; links lead to nothing that is not shown."""
    left, looked_at = [folder], 0
    while left:
        try:
            entries = sorted(left.pop().iterdir())
        except OSError:
            continue  # it went away, or it is not ours to read
        for path in entries:
            looked_at += 1
            if path.is_symlink():
                continue
            if looked_at > MAX_LOOKED_AT or _is_private(path):
                yield path
            elif path.is_dir():
                left.append(path)


def hosts_file(*, network: bool, etc: Path = ETC) -> str:
    """The machine's own names where there is a network, else only its loopback; the sandbox's name in both."""
    known = "127.0.0.1 localhost\n::1 localhost\n"
    if network:
        try:
            known = (etc / "hosts").read_text(encoding="utf-8", errors="replace").rstrip("\n") + "\n"
        except OSError:
            return f"{known}127.0.0.1 {HOSTNAME}\n"  # a machine without one knows these two
    return f"{known}127.0.0.1 {HOSTNAME}\n"


def _is_private(path: Path, *, followed: bool = False) -> bool:
    try:
        mode = os.stat(path, follow_symlinks=followed).st_mode
    except OSError:
        return followed  # a link that leads nowhere shows nothing
    needed = stat.S_IROTH | stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH
    return mode & needed != needed
