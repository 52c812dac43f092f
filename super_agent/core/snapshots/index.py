"""What the last snapshot saw of each file, so that the next one reads only what has changed since."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from super_agent.core.state import write_durably

FILE = "super-agent-index.json"

Signature = tuple[int, int, int, int]
"""As in `workspace.State`: the facts of a file that tell, without reading it, whether it may have changed."""
UNKNOWN: Signature = (0, -1, 0, 0)
"""Of a file that may have changed right after it was read: it is read again next time."""


@dataclass(slots=True)
class Index:
    """The commit of the last snapshot (empty before the first) and the signature of every path in it."""

    commit: str = ""
    files: dict[str, Signature] = field(default_factory=dict)
    RACY_NS: ClassVar[int] = 50_000_000
    """Change times are as coarse as the kernel's tick, 4 to 10 ms; a file younger than this is not trusted."""

    @classmethod
    def of(cls, commit: str, files: dict[str, Signature], changed: Iterable[str], started_ns: int) -> "Index":
        """What a snapshot that began at `started_ns` saw; it keeps `files`. `changed` are those the last index lacked.

        No other can be young: what was young for the last index is unknown to it, and so among them.
        """
        young = started_ns - cls.RACY_NS
        for path in changed:
            if path in files and files[path][3] >= young:
                files[path] = UNKNOWN
        return cls(commit, files)

    @classmethod
    def load(cls, folder: Path) -> "Index":
        """The index kept in the repository's folder; an empty one where it is missing or damaged."""
        try:
            data = json.loads((folder / FILE).read_bytes().decode("utf-8", "surrogatepass"))
            return cls(data["commit"], {path: (s[0], s[1], s[2], s[3]) for path, s in data["files"].items()})
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            return cls()  # then everything is read once more

    def save(self, folder: Path) -> None:
        """Keep it for the next process; raises OSError."""
        data = json.dumps({"commit": self.commit, "files": self.files}, ensure_ascii=True)
        write_durably(folder / FILE, data.encode())
