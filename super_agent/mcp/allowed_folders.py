"""Which folders another agent may have worked in: those that the user named, and what lies below."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from super_agent.core.errors import UsageError, WorkspaceRefused


@dataclass(frozen=True, slots=True)
class Roots:
    """`folders` are resolved and exist; what is asked for is resolved too before it is compared."""

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, folders: Sequence[Path]) -> "Roots":
        """Raises `UsageError` where none is given, or one is no folder."""
        if not folders:
            raise UsageError("no folder is allowed to be worked in", fix="Name one: super-agent mcp --root DIR")
        return cls(tuple(dict.fromkeys(_existing(folder) for folder in folders)))

    def workspace(self, text: str | None) -> Path:
        """The folder that a client names, resolved; a relative one is in the only root. Raises `WorkspaceRefused`."""
        if text is None or not Path(text).is_absolute():
            if len(self.folders) > 1:
                raise WorkspaceRefused(
                    f"the workspace {text or '(none)'} is not an absolute path", fix=f"Name one in {self}"
                )
            text = str(self.folders[0] / (text or ""))
        try:
            real = Path(text).resolve(strict=True)
        except FileNotFoundError:
            if not self.allow(Path(os.path.normpath(text))):
                raise self._foreign(text) from None  # never tells what exists elsewhere
            raise WorkspaceRefused(f"the workspace {text} does not exist", fix=f"Create it in {self}") from None
        except (OSError, RuntimeError, ValueError) as error:
            raise WorkspaceRefused(f"the workspace cannot be opened: {error}", fix=f"Name one in {self}") from None
        if not self.allow(real):
            raise self._foreign(text)
        return real

    def allow(self, path: Path) -> bool:
        """Whether a resolved path is one of the folders or lies below one."""
        return any(folder == path or folder in path.parents for folder in self.folders)

    def _foreign(self, text: str) -> WorkspaceRefused:
        return WorkspaceRefused(
            f"the workspace {text} is not in a folder that the user allowed (links are followed)", fix=f"Use {self}"
        )

    def __str__(self) -> str:
        return ", ".join(map(str, self.folders))


def _existing(folder: Path) -> Path:
    try:
        real = folder.expanduser().resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"--root {folder}: {error}", fix="Name an existing folder") from None
    if not real.is_dir():
        raise UsageError(f"--root {folder} is not a folder", fix="Name an existing folder")
    return real
