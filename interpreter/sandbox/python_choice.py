"""Which Python is used inside: the workspace's own environment, else a given one; and what of it must be readable."""

import os
from collections.abc import Callable
from pathlib import Path

from super_agent.core.errors import SandboxUnavailable, SettingInvalid

MAX_LINKS = 40
"""Linux gives up on a path after so many (path_resolution(7))."""


def choose_python(workspace: Path, fallback: Callable[[], Path], wanted: Path | None = None) -> Path:
    """`wanted` (the user's --python), else the workspace's `.venv`, else `fallback()`; raises `SettingInvalid`.

    Called before model-written code runs: afterwards `.venv` may point anywhere.
    """
    if wanted is not None:
        path = wanted / "bin" / "python" if wanted.is_dir() else wanted
        if not path.is_file() or not os.access(path, os.X_OK):
            raise SettingInvalid(f"--python {wanted} is not a Python that can be run", fix="Name its bin/python")
        prefixes_of(path)
        return path.absolute()
    own = workspace / ".venv" / "bin" / "python"
    if own.is_file() and os.access(own, os.X_OK):
        prefixes_of(own)
        return own.absolute()
    return fallback()


def prefixes_of(python: Path) -> tuple[Path, ...]:
    """The folders that this Python needs: its environment, and the installation that the environment is made from.

    Every folder that its links pass through is among them, as they must resolve inside as they do outside.
    Raises `SandboxUnavailable` for one that holds no standard library or lies at the home folder or above: binding
    that would show what the sandbox is to hide.
    """
    prefixes: dict[Path, None] = {}
    for hop in _hops(python.absolute()):
        for prefix in (hop.parent.parent, hop.parent.parent.resolve()):
            prefixes[prefix] = None
    base = list(prefixes)[-1]
    if not any((base / "lib").glob("python3.*/os.py")):
        raise SandboxUnavailable(
            f"{python} belongs to {base}, which holds no lib/python3.*/os.py", fix="Name another with --python"
        )
    home = Path.home().resolve()
    for prefix in prefixes:
        resolved = prefix.resolve()
        if resolved in (Path("/"), home) or resolved in home.parents:
            raise SandboxUnavailable(
                f"{python} belongs to {resolved}, which holds the home folder", fix="Name another with --python"
            )
    return tuple(prefixes)


def _hops(python: Path) -> list[Path]:
    """The executable's path, each path that its links lead to, and the Python that an environment of copies names."""
    hops = [python]
    while len(hops) <= MAX_LINKS:
        folder = hops[-1].parent.resolve()
        if hops[-1].is_symlink():
            hops.append(Path(os.path.normpath(folder / os.readlink(hops[-1]))))
        elif (home := _home_of_copy(folder.parent)) is not None:
            hops.append(home / "python3")
        else:
            return hops
    raise SandboxUnavailable(f"{python} is a link that leads to itself", fix="Name another with --python")


def _home_of_copy(prefix: Path) -> Path | None:
    """The folder of the base Python where an environment holds a copy of the executable instead of a link."""
    try:
        lines = (prefix / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    values = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    return Path(values["home"]) if values.get("home", "").startswith("/") else None
