"""`verify`: do AutoGen's client and the executor's adapter use the same model instance?"""

import sys
from pathlib import Path
from typing import Any

from super_agent.cli.say import complain, say, say_json
from super_agent.core.errors import ExitCode
from super_agent.core.instance.check_results import CheckLine
from super_agent.core.instance.diagnosis_messages import cause_text
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import Language, language, load_settings
from super_agent.session.messages.verify_messages import BECAUSE, TITLES, fix, seen
from super_agent.session.verify_instance import prove

MARKS = {"passed": "✅", "warning": "⚠ ", "failed": "❌", "not_observable": "· "}


def main(flags: dict[str, Any], env_file: Path | None, *, as_json: bool, quick: bool, load: bool | None) -> int:
    """Print the checks; 0 when none failed, else 3. `load` None: only in a terminal."""
    settings = load_settings(flags, env_file=env_file)
    words = language(settings)
    with Ollama(settings) as server:
        lines: list[CheckLine] = []
        for line in prove(server, settings, complain, quick=quick, load=sys.stdout.isatty() if load is None else load):
            lines.append(line)
            if not as_json:
                say(as_text(line, words))
    code = int(ExitCode.SERVER if any(line.status == "failed" for line in lines) else ExitCode.OK)
    if as_json:
        say_json(as_json_object(lines, code, words))
    return code


def as_text(line: CheckLine, words: Language) -> str:
    """What was seen, then why and what to do where it did not hold."""
    text = f"{MARKS[line.status]} {TITLES[words][line.name]}: {seen(line, words)}\n"
    if line.cause is not None:
        text += f"     {BECAUSE[words]} {cause_text(line.cause, words)}\n"
    if line.status != "passed" and (remedy := fix(line, words)):
        text += f"     → {remedy}\n"
    return text


def as_json_object(lines: list[CheckLine], exit_code: int, words: Language) -> dict[str, Any]:
    """One object: {"version": 1, "exit_code": n, "checks": [{"name", "status", "detail", "cause", "fix", "values"}]}.

    `name` and `status` are those of `CheckLine`, `detail` and `fix` sentences ("" none), `values` the figures in them;
    `cause` is null or {"kind", "text"} with a kind of `CauseKind`.
    """
    checks = [
        {
            "name": line.name,
            "status": line.status,
            "detail": seen(line, words),
            "cause": {"kind": line.cause.kind, "text": cause_text(line.cause, words)} if line.cause else None,
            "fix": "" if line.status == "passed" else fix(line, words),
            "values": line.values,
        }
        for line in lines
    ]
    return {"version": 1, "exit_code": exit_code, "checks": checks}
