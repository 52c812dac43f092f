"""Tasks from data that the user has: HumanEval and MBPP (JSON lines or a JSON list, gzip too), exercism folders.

None of that data is in this repository. The forms are those in which the sets are published: HumanEval with `task_id`,
`prompt`, `entry_point`, `test`; MBPP with `task_id`, `text` or `prompt`, `test_list` and perhaps `test_setup_code` or
`test_imports`; exercism with exercises/practice/NAME/{.docs,.meta/config.json}.
"""

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evaluation.task import Task, TasksUnreadable


def read_set(name: str) -> list[Task]:
    """`humaneval:FILE`, `mbpp:FILE` or `exercism:FOLDER`; raises `TasksUnreadable` for what it cannot read."""
    kind, _, where = name.partition(":")
    if kind not in READERS or not where:
        raise TasksUnreadable(f"no such task set: {name!r}; known are ours, {', '.join(f'{k}:PATH' for k in READERS)}")
    path = Path(where).expanduser()
    try:
        tasks = list(READERS[kind](path))
    except OSError as error:
        raise TasksUnreadable(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TasksUnreadable(f"{path} is not in the form of {kind}: {type(error).__name__}: {error}") from error
    if not tasks:
        raise TasksUnreadable(f"{path} holds no tasks in the form of {kind}")
    return tasks


def humaneval(path: Path) -> Iterator[Task]:
    """A function is completed; the published tests are run as one pytest."""
    for row in _rows(path):
        name = str(row["entry_point"])
        head = f"from solution import *\nfrom solution import {name}\n"
        test = f"{head}\n{row['test']}\n\n\ndef test_it():\n    check({name})\n"
        body = row.get("canonical_solution")
        yield Task(
            name=f"humaneval/{str(row['task_id']).rpartition('/')[2]}",
            kind="humaneval",
            text=f"Complete the function {name} in solution.py. The tests in test_solution.py must pass.",
            workspace={"solution.py": str(row["prompt"]).encode()},
            tests={"test_solution.py": test.encode()},
            solution={"solution.py": f"{row['prompt']}{body}".encode()} if body is not None else {},
            targets=("solution.py",),
        )


def mbpp(path: Path) -> Iterator[Task]:
    """A function is written from a sentence and its assertions."""
    for row in _rows(path):
        asserts = [str(line) for line in row["test_list"]]
        setup = str(row.get("test_setup_code") or "\n".join(row.get("test_imports") or ()))
        lines = "\n".join(f"    {line}" for text in asserts for line in text.splitlines())
        test = f"from solution import *\n{setup}\n\n\ndef test_it():\n{lines}\n"
        code = row.get("code")
        told = row.get("text") or row["prompt"]
        yield Task(
            name=f"mbpp/{row['task_id']}",
            kind="mbpp",
            text=f"{told} Put it into solution.py. The tests in test_solution.py must pass.",
            workspace={},
            tests={"test_solution.py": test.encode()},
            solution={"solution.py": str(code).replace("\r\n", "\n").encode()} if code else {},
            targets=("solution.py",),
        )


def exercism(path: Path) -> Iterator[Task]:
    """Exercises of a track for Python, or of a folder of them; each has instructions, stubs, tests, an example."""
    if not path.is_dir():
        raise TasksUnreadable(f"{path} is not a folder")
    practice = path / "exercises" / "practice"
    for config in sorted((practice if practice.is_dir() else path).glob("*/.meta/config.json")):
        folder = config.parents[1]
        files: Mapping[str, list[str]] = json.loads(config.read_text(encoding="utf-8"))["files"]
        stubs, tests = files["solution"], files["test"]
        example = dict(zip(stubs, files.get("example", ()), strict=False))
        told = [folder / ".docs" / name for name in ("introduction.md", "instructions.md", "instructions.append.md")]
        text = "\n\n".join(page.read_text(encoding="utf-8").strip() for page in told if page.is_file())
        rules = f"Write {', '.join(stubs)}. The tests in {', '.join(tests)} must pass. Do not change the tests."
        yield Task(
            name=f"exercism/{folder.name}",
            kind="exercism",
            text=f"{text}\n\n{rules}",
            workspace={name: (folder / name).read_bytes() for name in [*stubs, *files.get("editor", ())]},
            tests={name: (folder / name).read_bytes() for name in tests},
            solution={stub: (folder / found).read_bytes() for stub, found in example.items()},
            targets=tuple(stubs),
        )


READERS = {"humaneval": humaneval, "mbpp": mbpp, "exercism": exercism}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8")
    if re.match(r"\s*\[", text):
        yield from json.loads(text)
        return
    for line in text.splitlines():
        if line.strip():
            yield json.loads(line)
