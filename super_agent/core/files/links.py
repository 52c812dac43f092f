"""Where a symbolic link in the workspace leads: told by reading links, none of which is followed."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from super_agent.core.errors import PathRefused
from super_agent.core.sanitize import printable_path

MAX_LINKS = 40
"""On one way, as the kernel has it (path_resolution(7))."""


@dataclass(frozen=True, slots=True)
class Link:
    """The first link on the way of a path: its own path, its text, and the path in the workspace that is meant.

    `leads_to` is empty where that lies outside, in a `.git`, or nowhere as links go in a circle.
    """

    path: str
    target: str
    leads_to: str

    def refusal_of(self, path: str) -> str:
        """Why `path` is not read or written, and what to name in its place."""
        target = printable_path(self.leads_to or self.target)
        what = "is a symbolic link" if path == self.path else f"leads through the symbolic link {self.path}"
        if self.leads_to:
            return f"{path} {what} to {target}; links are not followed, so name {target} instead"
        return f"{path} {what} to {target}, which is no file of the workspace and is left alone"


def first_link(read_link: Callable[[str], bytes], root: PurePosixPath, path: str) -> Link | None:
    """The first link on the way of `path`; None where there is none.

    `read_link` gives a link's text, and raises OSError for what is no link and `PathRefused` for what lies in `.git`.
    """
    found: tuple[str, str] | None = None
    done: list[str] = []
    left = _parts(path)
    count = 0
    while left:
        part = left.pop()
        if part == "..":
            if not done:
                return found and Link(*found, "")
            done.pop()
            continue
        here = "/".join([*done, part])
        try:
            target = os.fsdecode(read_link(here))
        except PathRefused:
            return found and Link(*found, "")
        except OSError:
            done.append(part)
            continue
        found = found or (here, target)
        count += 1
        if count > MAX_LINKS:
            return Link(*found, "")
        if target.startswith("/"):
            inside = PurePosixPath(target)
            if root not in (inside, *inside.parents):
                return Link(*found, "")
            done, target = [], str(inside.relative_to(root))
        left += _parts(target)
    return found and Link(*found, "/".join(done))


def _parts(path: str) -> list[str]:
    """Last first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]
