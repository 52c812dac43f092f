"""The task of most whole runs: an `add.py` that is wrong at first; and how a run is told where, and read afterwards."""

import json
from pathlib import Path
from typing import Any

from tests.scripted_ollama import ScriptedOllama

PLAN = "1. Write add.py."
WRONG = "```python add.py\ndef add(a, b):\n    return a - b\n```"
RIGHT = "```python add.py\ndef add(a, b):\n    return a + b\n```"
REVISE = '{"verdict": "revise", "reasons": "add subtracts"}'
ACCEPT = '{"verdict": "accept", "reasons": "it adds"}'
CHECK = "python -c 'from add import add; assert add(2, 3) == 5'"


def where(server: ScriptedOllama, workspace: Path) -> tuple[str, ...]:
    """The arguments that name workspace, server and model."""
    return ("--workspace", str(workspace), "--base-url", server.base_url, "--model", server.model)


def events(text: str) -> list[dict[str, Any]]:
    """What `--json` printed."""
    return [json.loads(line) for line in text.splitlines()]
