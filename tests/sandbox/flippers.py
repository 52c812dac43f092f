"""Code that flips a path which the policy names between something harmless and a link out, while sandboxes start.

Each is started inside and goes on by itself. `read` is tried in every sandbox that starts meanwhile; the secret that
lies beside the workspace must never come out of one, whether the paths were decided before (`anew` is False) or are
decided while the flipper is at work, as by another run in the same workspace.
"""

from dataclasses import dataclass, field

_LOOP = """
import os, shutil, subprocess, sys
loop = r'''
import contextlib, os, shutil, time
def link(name):
    with contextlib.suppress(OSError): os.symlink("{outside}", name)
def drop(name):
    with contextlib.suppress(OSError): os.unlink(name)
def move(old, new):
    with contextlib.suppress(OSError): os.rename(old, new)
end = time.monotonic() + 60
while time.monotonic() < end:
%s
    time.sleep(0.002)
'''
%s
subprocess.Popen([sys.executable, "-c", loop], start_new_session=True)
"""


@dataclass(frozen=True)
class Flipper:
    """`here` are files that lie in the workspace before the policy is made, by path; a text `-> x` is a link to x."""

    name: str
    code: str
    read: str
    here: dict[str, str] = field(default_factory=dict)
    beside: dict[str, str] = field(default_factory=dict)
    """The same, beside the workspace."""
    workspace: str = "workspace"
    python: str = "/usr/bin/python3"
    readable: tuple[str, ...] = ()
    anew: bool = False


def _flips(first: str, second: str, prepare: str = "") -> str:
    loop = "\n".join(f"    {line}" for line in [*first.splitlines(), "time.sleep(0.002)", *second.splitlines()])
    return _LOOP % (loop, prepare)


_FOLDER_OR_LINK = _flips(
    'drop(".git")\nmove("aside", ".git")', 'move(".git", "aside")\nlink(".git")', 'os.mkdir("aside")'
)
_FILE_OR_LINK = _flips(
    'drop(".git")\nmove("aside", ".git")',
    'move(".git", "aside")\nlink(".git")',
    'os.mkdir("real"); open("aside", "w").write("gitdir: real")',
)
_FOLDER_OF_A_FILE = _flips(
    'drop("real")\nmove("aside", "real")',
    'move("real", "aside")\nlink("real")',
    'os.mkdir("real"); open(".git", "w").write("gitdir: real")',
)
_DEEP = _flips(
    'drop("a/real")\ndrop("a")\nmove("aside", "a")',
    'move("a", "aside")\nos.makedirs("a", exist_ok=True)\nlink("a/real")',
)
_VENV = _flips('drop(".venv")\nmove("aside", ".venv")', 'move(".venv", "aside")\nlink(".venv")')
_TOOLS = _flips('drop("tools")\nmove("aside", "tools")', 'move("tools", "aside")\nlink("tools")')
_ENVIRONMENT = {
    ".venv/bin/python": "-> /usr/bin/python3",
    ".venv/pyvenv.cfg": "home = /usr/bin\n",
    ".venv/lib/python3.0/os.py": "",
}
FLIPPERS = [
    Flipper("git: folder or link", _FOLDER_OR_LINK, "cat .git/secret"),
    Flipper("git: folder or link, decided anew", _FOLDER_OR_LINK, "cat .git/secret", anew=True),
    Flipper("git: file or link, decided anew", _FILE_OR_LINK, "cat .git/secret", anew=True),
    Flipper("git: the folder of a file", _FOLDER_OF_A_FILE, "cat real/secret"),
    Flipper("git: the folder of a file, decided anew", _FOLDER_OF_A_FILE, "cat real/secret", anew=True),
    Flipper(
        "git: what leads to the folder of a file",
        _DEEP,
        "cat a/real/secret",
        {".git": "gitdir: a/real\n", "a/real/HEAD": "x"},
    ),
    Flipper("venv: of the workspace", _VENV, "cat .venv/secret", _ENVIRONMENT, python="{workspace}/.venv/bin/python"),
    Flipper(
        "venv: of a workspace that has two names",
        _VENV,
        "cat {workspace}/.venv/secret",
        _ENVIRONMENT,
        {"named": "-> {workspace}"},
        workspace="named",
        python="{folder}/named/.venv/bin/python",
    ),
    Flipper(
        "paths: an allowed one that leads into the workspace",
        _TOOLS,
        "cat {folder}/tools/secret",
        {"tools/bin/tool": "x"},
        {"tools": "-> {workspace}/tools"},
        readable=("{folder}/tools",),
    ),
]
