"""The list of MCP servers in the user's configuration folder, in the form of `mcpServers` that other programs use.

It is never read from a workspace: a server is a program that runs with the user's own rights.
"""

import importlib.util
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from super_agent.core.errors import SettingInvalid, UsageError
from super_agent.core.settings import Settings, child_environment, user_tools_file

MAX_LIST_BYTES = 1024 * 1024
INHERITED = ("HOME", "USER", "LOGNAME", "SHELL", "TERM", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
"""What a program of the user's may need to find its own files; the rest of the environment it has to be given."""


class ListedServer(BaseModel):
    """One entry. Tools that may be called without a question are in `autoApprove` or `alwaysAllow`; `*` is all.

    What only other programs know of an entry does not count.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    command: str = Field(min_length=1)
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    cwd: Path | None = None
    auto_approve: tuple[str, ...] = Field((), alias="autoApprove")
    always_allow: tuple[str, ...] = Field((), alias="alwaysAllow")

    def may_call(self, tool: str) -> bool:
        """Whether the user listed a tool as one to be called without a question."""
        return bool({tool, "*"} & {*self.auto_approve, *self.always_allow})

    def environment(self) -> dict[str, str]:
        """Of its process."""
        return child_environment(*INHERITED) | self.env

    def program(self) -> str:
        """Its command's path; raises `SettingInvalid` where there is none."""
        found = shutil.which(self.command, path=self.environment().get("PATH"))
        if found is None or not Path(found).is_absolute():
            raise SettingInvalid(
                f"the MCP server {self.name}: there is no program {self.command}", fix="Give its whole path in the list"
            )
        return found


def listed_servers(names: Sequence[str], file: Path) -> tuple[ListedServer, ...]:
    """Those named, each once; raises `SettingInvalid` for what is not listed or cannot be read."""
    if not names:
        return ()
    entries = _entries(file)
    found = []
    for name in dict.fromkeys(names):
        if name not in entries:
            known = ", ".join(sorted(entries)) or "none"
            raise SettingInvalid(f"--mcp {name} is not in {file}, which lists: {known}", fix="Name one of them")
        found.append(_server(name, entries[name], file))
    return tuple(found)


def require_listed(settings: Settings) -> None:
    """Raises `UsageError` for servers that are not listed or cannot be had, before anything is begun."""
    for server in listed_servers(settings.mcp, user_tools_file()):
        server.program()
    if settings.mcp and importlib.util.find_spec("mcp") is None:
        raise UsageError("--mcp needs the package mcp", fix="Install it: pip install 'super-agent[mcp]'")


def _entries(file: Path) -> dict[str, Any]:
    fix = 'Write {"mcpServers": {"NAME": {"command": "…", "args": []}}} there'
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_LIST_BYTES + 1)
        if len(data) > MAX_LIST_BYTES:
            raise ValueError(f"it has more than {MAX_LIST_BYTES} bytes")
        entries = json.loads(data)["mcpServers"]
        if not isinstance(entries, dict):
            raise TypeError("mcpServers is no object")
    except FileNotFoundError:
        raise SettingInvalid(f"--mcp needs the list of servers {file}, which does not exist", fix=fix) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        why = "it has no mcpServers" if isinstance(error, KeyError) else str(error)
        raise SettingInvalid(f"the list of MCP servers {file} cannot be used: {why}", fix=fix) from None
    return entries


def _server(name: str, entry: object, file: Path) -> ListedServer:
    if isinstance(entry, dict) and "command" not in entry and ("url" in entry or "serverUrl" in entry):
        raise SettingInvalid(
            f"the MCP server {name} in {file} has an address", fix="Only those with a command are used"
        )
    try:
        return ListedServer.model_validate({**entry, "name": name} if isinstance(entry, dict) else entry)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, (name, *first["loc"])))
        raise SettingInvalid(f"{where} in {file}: {first['msg']}", fix="Correct the list") from None
