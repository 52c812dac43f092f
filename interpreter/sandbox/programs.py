"""Which program a shell command names, and which folders make it work in the sandbox."""

import glob
import os
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

MAX_INTERPRETERS = 4
"""Of scripts that name scripts; Linux itself follows as many (fs/exec.c)."""
ASSIGNS = "="
_RUN_ANOTHER = ("env", "exec", "time", "command", "nice", "nohup", "!")
# Folders in the home folder that hold many things besides programs: of them only `bin` is named.
_WIDE = (".", ".local", ".cargo", ".deno", ".bun", ".npm-global", "go", ".config")


def program_of(command: str) -> str:
    """The program that a shell command is about; empty where only a shell can tell.

    It is the first word that assigns no variable, behind `cd FOLDER &&` and what only runs another program.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return ""  # bash will say what is wrong with it
    moved = led = False
    while words and (leading := _leading(words)):
        if _changes_search(words[0]):
            return ""
        moved = moved or words[0] == "cd"
        led = led or ASSIGNS not in words[0]
        words = words[leading:]
    if not words or (moved and "/" in words[0]) or (led and "||" in words):  # behind `||` may stand another
        return ""
    return "" if any(c in words[0] for c in "$`(){}<>|&;*?![") else words[0]


def _changes_search(word: str) -> bool:
    """Whether an assignment says where programs are, or goes on in the next word: `V=$(git`."""
    name, assigns, value = word.partition(ASSIGNS)
    open_substitution = value.count("(") != value.count(")") or value.count("`") % 2 == 1
    return bool(assigns) and (name.rstrip("+") == "PATH" or open_substitution)


def _leading(words: Sequence[str]) -> int:
    """How many words stand before what is run: an assignment, `env`, `timeout 5`, `cd FOLDER &&`; 0 for none."""
    first = words[0]
    if ASSIGNS in first and not first.startswith(ASSIGNS):
        return 1
    if first in _RUN_ANOTHER and words[1:] and not words[1].startswith("-"):
        return 1
    if first == "timeout" and words[2:] and words[1].rstrip("smhd").replace(".", "", 1).isdecimal():
        return 2
    return 3 if first == "cd" and words[2:3] == ["&&"] else 0


def folders_for(program: str, shown: Sequence[Path], home: Path) -> list[Path]:
    """The fewest folders with which the sandbox finds and starts it; `shown` are those that it shows already."""
    found: dict[Path, None] = {}
    for _ in range(MAX_INTERPRETERS):
        path = shutil.which(program)
        if path is None or (found and Path(path).is_relative_to("/usr")):  # an interpreter that is shown anyway
            break
        real = _behind_proxy(Path(os.path.abspath(path)), home)
        for folder in _folders_of(real, home):
            if not any(folder == known or known in folder.parents for known in (*shown, *found)):
                found[folder] = None
        program = _interpreter_of(real)
        if not program or Path(program).is_relative_to("/usr") or Path(program).is_relative_to("/bin"):
            break
    return list(found)


def _folders_of(program: Path, home: Path) -> list[Path]:
    """Its prefix, where that holds nothing else; else its `bin` and the folder that its link leads to."""
    folder = program.parent
    prefix = folder.parent
    wide = {home / name for name in _WIDE} | {home.parent, Path("/"), Path("/opt")}
    kept = [prefix if folder.name == "bin" and prefix not in wide and prefix not in home.parents else folder]
    real = program.resolve()
    if not any(real.is_relative_to(each) for each in kept) and not real.is_relative_to("/usr"):
        kept.append(real.parent.parent if real.parent.name == "bin" else real.parent)
    return kept


def _behind_proxy(program: Path, home: Path) -> Path:
    """The program itself where the path holds one that only chooses among versions, as pyenv's and rustup's do."""
    if program.parent.name == "shims":  # pyenv, rbenv, nodenv
        root = program.parent.parent
        if having := sorted(root.glob(f"installs/*/*/bin/{glob.escape(program.name)}")):  # asdf, mise
            return having[-1]
        return _chosen(root / "versions", _first_line(root / "version"), program)
    if program.resolve().name == "rustup" and program.name != "rustup":
        root = Path(home / ".rustup")
        wanted = [line for line in _lines(root / "settings.toml") if line.startswith("default_toolchain")]
        name = wanted[0].partition("=")[2].strip().strip('"') if wanted else ""
        return _chosen(root / "toolchains", name, program)
    return program


def _chosen(versions: Path, name: str, program: Path) -> Path:
    """In the version that is set, else the newest that has it; the proxy itself where none has."""
    having = sorted(path for path in versions.glob("*") if (path / "bin" / program.name).exists())
    ordered = [path for path in having if path.name == name] or having[-1:]
    return ordered[0] / "bin" / program.name if ordered else program


def _interpreter_of(program: Path) -> str:
    """What a script's first line names: a path, or a name to be looked up where that is `env`; empty for no script."""
    try:
        with open(program, "rb") as file:
            first = file.readline(512)
    except OSError:
        return ""
    if not first.startswith(b"#!"):
        return ""
    words = first[2:].decode("utf-8", "replace").split()
    if words and Path(words[0]).name == "env":
        words = [word for word in words[1:] if not word.startswith("-") and ASSIGNS not in word]
    return words[0] if words else ""


def _first_line(file: Path) -> str:
    return (_lines(file) or [""])[0].strip()


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
