"""The folders that the running program trusts, in or around which no workspace may lie."""

import sys
from pathlib import Path

import platformdirs

import interpreter
import super_agent
from interpreter.engine.environment import data_dir
from super_agent.core.settings import Settings

SYSTEM = (Path("/"), Path("/usr"), Path("/usr/local"))
"""Prefixes of a system's Python: workspaces may lie below them, as in /usr/local/src."""


def protected_folders(settings: Settings) -> tuple[Path, ...]:
    """Code, environments, built Ollama and uv, configuration, data, state: planted code would run on the host."""
    packages = [Path(str(package.__file__)).parent for package in (super_agent, interpreter)]
    prefixes = {Path(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    libraries = [path for path in map(Path, sys.path) if path.name in ("site-packages", "dist-packages")]
    name = "super-agent"
    folders = [data_dir(), platformdirs.user_cache_path(name), platformdirs.user_config_path(name)]
    folders += [platformdirs.user_state_path(name), settings.state_dir]
    return tuple(dict.fromkeys([*packages, *(p for p in prefixes if p not in SYSTEM), *libraries, *folders]))
