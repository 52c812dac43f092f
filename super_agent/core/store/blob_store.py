"""Large texts beside the database, each a private file named by its SHA-256."""

import hashlib
from pathlib import Path
from typing import Any

from super_agent.core.errors import StoreFailed
from super_agent.core.state import private_folder, write_durably

LARGE_CHARS = 64 * 1024
"""Up to about 100 kB a text is read faster out of SQLite than out of a file (sqlite.org/intern-v-extern-blob.html)."""
MARK = "$text"
"""The key of the object that stands for a text in an event's fields."""


class BlobStore:
    """The folder of large texts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, text: str) -> str:
        """Keep a text, once however often it comes; returns its name. Durable before it returns."""
        data = text.encode("utf-8", "surrogatepass")
        name = hashlib.sha256(data).hexdigest()
        path = private_folder(self._folder) / name
        if not path.exists():
            write_durably(path, data)
        return name

    def get(self, name: str) -> str:
        """Raises `StoreFailed` where the file is gone or is not what it was."""
        path = self._folder / name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StoreFailed(
                f"a stored text {path}: {error.strerror}", fix="Remove the session that needs it"
            ) from error
        if hashlib.sha256(data).hexdigest() != name:
            raise StoreFailed(f"a stored text {path} is damaged", fix="Remove the session that needs it")
        return data.decode("utf-8", "surrogatepass")

    def take_out(self, fields: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The fields with each large text replaced by its mark, and the names of those texts."""
        names = {key: self.put(value) for key, value in fields.items() if _is_large(value)}
        return fields | {key: {MARK: name} for key, name in names.items()}, [*names.values()]

    def put_back(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The reverse of `take_out`."""
        return {key: self.get(value[MARK]) if _is_mark(value) else value for key, value in fields.items()}

    def keep_only(self, names: set[str]) -> None:
        """Remove every other text."""
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if path.name not in names:
                    path.unlink(missing_ok=True)


def _is_large(value: Any) -> bool:
    return isinstance(value, str) and len(value) > LARGE_CHARS


def _is_mark(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {MARK}
