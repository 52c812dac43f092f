"""A program in place of podman and docker: it writes down how it was called, and does as a test's script says.

By default `run` starts the real agent with its mounts, as the first process of a pid namespace, so that everything but
the engine's own containment can be tested without an engine.
"""

import json
import os
import stat
from pathlib import Path

MOUNTS = """
for fields in csv.reader(after for before, after in zip(arguments, arguments[1:]) if before == "--mount"):
    named = dict(field.partition("=")[::2] for field in fields)
    bwrap += ["--ro-bind" if "readonly" in named else "--bind", named["src"], named["dst"]]
"""
AGENT = f"""
at = arguments.index("--entrypoint")
agent = [arguments[at + 1], *arguments[at + 3 :]]
bwrap = ["bwrap", "--unshare-user", "--unshare-pid", "--as-pid-1", "--dev-bind", "/", "/", "--proc", "/proc"]
bwrap += ["--cap-drop", "ALL"]
{MOUNTS}
os.execvp(bwrap[0], [*bwrap, "--die-with-parent", "--chdir", option("--workdir"), "--", *agent])
"""
_PROGRAM = """#!{python}
import csv, json, os, sys, time
arguments = sys.argv[1:]
with open({calls!r}, "a") as calls:
    calls.write(json.dumps(arguments) + chr(10))
def option(name):
    return arguments[arguments.index(name) + 1]
def say(data):
    os.write(1, data)
def frame(kind, payload=b"", length=None):
    length = len(payload) if length is None else length
    say(kind + length.to_bytes(4, "big") + payload)
{script}
"""


class ScriptedEngine:
    """Installed as `podman` and `docker` in a folder of the search path; the scripts are Python, by subcommand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scripts = {"run": AGENT, "image": "", "ps": "", "container": "", "info": "", "rm": ""}
        self._calls = folder / "calls"
        self._calls.touch()
        self.write()

    def write(self, **scripts: str) -> None:
        """Let subcommands do something else from now on."""
        self.scripts |= scripts
        chosen = f"exec(compile({json.dumps(self.scripts)}[arguments[0]], 'script', 'exec'))"
        text = _PROGRAM.format(python=os.path.realpath("/usr/bin/python3"), calls=str(self._calls), script=chosen)
        for name in ("podman", "docker"):
            program = self.folder / name
            program.write_text(text)
            program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)

    def calls(self, subcommand: str) -> list[list[str]]:
        """How one of the subcommands was called, oldest first."""
        called = [json.loads(line) for line in self._calls.read_text().splitlines()]
        return [arguments for arguments in called if arguments[0] == subcommand]
