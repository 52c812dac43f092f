"""Files of settings, `NAME=value` a line: read as they stand, and never waited for."""

import os
import stat
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from super_agent.core.errors import SettingInvalid

MAX_BYTES = 1024 * 1024
"""Ours has 60 lines."""


def read_env_file(path: Path) -> dict[str, str]:
    """What a file sets; raises `SettingInvalid` with the number of the line that sets nothing and is no comment."""
    try:
        text = _text_of(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingInvalid(f"{path} cannot be read: {error}", fix="Make it a readable UTF-8 text file") from error
    found: dict[str, str] = {}
    for binding in parse_stream(StringIO(text)):
        if binding.error:  # the line itself may hold a key
            fix = "Write NAME=value there, and close its quotes"
            raise SettingInvalid(f"line {binding.original.line} of {path} sets nothing", fix=fix)
        if binding.key is not None and binding.value is not None:
            found[binding.key] = binding.value
    return found


def names_set_in(path: Path) -> set[str]:
    """What a file of anybody's sets, as far as it can be read; empty where it is none."""
    try:
        bindings = parse_stream(StringIO(_text_of(path)))
        return {binding.key for binding in bindings if binding.key is not None and not binding.error}
    except (OSError, UnicodeDecodeError):
        return set()


def _text_of(path: Path) -> str:
    """Without the mark that Windows' editors put before it; raises `OSError` for what is no regular file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would be waited for
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("not a regular file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES).decode("utf-8-sig")
    finally:
        os.close(descriptor)
