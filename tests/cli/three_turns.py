"""A run of three turns whose every step is known, for tests that disturb it: what is asked and what is left of it."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from super_agent.core.store.store import Store
from tests.cli.background import start
from tests.scripted_http import Request
from tests.scripted_ollama import ScriptedOllama

TASK = "Write calc.py with add and sub."
CHECK = "python -c 'from calc import add, sub; assert add(2, sub(5, 2)) == 5'"
TURNS = {
    1: "```python calc.py\ndef add(a, b):\n    return a - b\n```\n```run\nWrite 1 to 3 to numbers.txt.\n```",
    2: "```python helper.py\nNAME = 'helper'\n```\n```run\nAppend a line to numbers.txt.\n```",
    3: "```python calc.py\ndef add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return a - b\n```",
}  # fmt: skip
CODE = {
    "1 to 3": "```python\nopen('numbers.txt', 'w').write('1\\n2\\n3\\n')\n```",
    "Append": "```shell\necho 4 >> numbers.txt; sleep 0.2; cat numbers.txt\n```",
}


def team(request: Request) -> str:
    """What the model says depends on the prompt alone, as a real one's does at temperature 0."""
    cue = request.prompt[-1][1].rsplit("\n\n", 1)[-1]
    if cue.startswith("Planner"):
        return "1. Write calc.py."
    if cue.startswith("Reviewer"):
        return '{"verdict": "revise", "reasons": "go on"}'
    said = [text for role, text in request.prompt if role == "assistant"]
    return TURNS[1 + sum(text in TURNS.values() for text in said)]


def executor(request: Request) -> str:
    """One block for an instruction, then the end."""
    last = request.prompt[-1][1]
    if "Result of the" in last.rsplit("The Python process was restarted", 1)[-1]:
        return "Done."
    return CODE["Append" if "Append" in last else "1 to 3"]


@dataclass(frozen=True, slots=True)
class Ended:
    """What is left of a run."""

    files: dict[str, str]
    transcript: list[object]
    reason: str | None


def left_behind(tmp_path: Path) -> Ended:
    workspace = tmp_path / "workspace"
    files = {p.name: p.read_text() for p in workspace.iterdir() if p.is_file()}
    with Store.open(tmp_path / "home" / "state") as store:
        (row,) = store.sessions(workspace)
        checkpoint = store.last_checkpoint(row.id)
        seqs = [stamped.seq for stamped in store.events(row.id)]
    assert seqs == sorted(set(seqs))
    assert checkpoint is not None
    state = json.loads(checkpoint.state.replace(str(tmp_path), "TMP"))
    return Ended(files, state["work"]["team"]["transcript"]["entries"], row.reason)


def begin_anew(tmp_path: Path) -> None:
    """A run killed before its first turn could begin is given again, as a user would."""
    with Store.open(tmp_path / "home" / "state") as store:
        for row in store.sessions():
            store.remove(row.id)


def run_undisturbed(tmp_path: Path) -> tuple[Ended, float]:
    """The run as it should be, and how many seconds it takes."""
    (tmp_path / "workspace").mkdir()
    with ScriptedOllama(autogen=team, executor=executor) as server:
        began = time.monotonic()
        process = start(
            tmp_path, "run", TASK, "--workspace", str(tmp_path / "workspace"), "--base-url", server.base_url,
            "--model", server.model, "--check", CHECK, "--json",
        )  # fmt: skip
        out, err = process.communicate(timeout=110)
    assert process.returncode == 0, out[-1000:] + err
    return left_behind(tmp_path), time.monotonic() - began
