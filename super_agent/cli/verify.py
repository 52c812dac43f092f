"""`verify`: do AutoGen's client and the executor's adapter use the same model instance?"""

import json
import sys
from pathlib import Path
from typing import Any

from interpreter.ollama_adapter import OllamaAdapter
from super_agent.core.errors import ExitCode
from super_agent.core.gate import CountingGate
from super_agent.core.instance import CheckLine, five_checks
from super_agent.core.llm_client import LLMClient
from super_agent.core.ollama import Ollama
from super_agent.core.settings import load_settings

MARKS = {"passed": "✅", "warning": "⚠", "failed": "❌", "not_observable": "·"}
TITLES = {
    "server": "Ollama runs",
    "model": "the configured model exists",
    "loaded": "the model is loaded",
    "url": "both halves use the same base URL",
    "name": "both halves use the same model name",
}


def main(flags: dict[str, Any], env_file: Path | None, *, as_json: bool) -> int:
    """Print the checks; 0 when none failed, else 3."""
    settings = load_settings(flags, env_file=env_file)
    gate = CountingGate()
    # What each would really send is read from the built clients, not from the variables twice.
    autogen = LLMClient(settings, gate, context_length=0)
    executor = OllamaAdapter(settings, gate)
    try:
        with Ollama(settings) as server:
            lines = five_checks(server, autogen, executor)
    finally:
        executor.close()
    failed = any(line.status == "failed" for line in lines)
    code = ExitCode.SERVER if failed else ExitCode.OK
    sys.stdout.write(as_json_text(lines, int(code)) if as_json else as_text(lines))
    return int(code)


def as_text(lines: list[CheckLine]) -> str:
    """A line for each check with what was seen, then what to do where it did not hold."""
    out: list[str] = []
    for line in lines:
        out.append(f"{MARKS[line.status]} {TITLES[line.name]}: {line.detail}\n")
        if line.fix and line.status != "passed":
            out.append(f"     → {line.fix}\n")
    return "".join(out)


def as_json_text(lines: list[CheckLine], exit_code: int) -> str:
    """{"version": 1, "exit_code": n, "checks": [{"name", "status", "detail", "fix"}]} on one line."""
    checks = [{"name": c.name, "status": c.status, "detail": c.detail, "fix": c.fix} for c in lines]
    return json.dumps({"version": 1, "exit_code": exit_code, "checks": checks}, ensure_ascii=False) + "\n"
