"""`verify`: do AutoGen's client and the executor's adapter use the same model instance?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from interpreter.ollama_adapter import OllamaAdapter
from super_agent.cli.commands.verify_words import BECAUSE, TITLES, Language, fix, seen
from super_agent.cli.say import complain, say, say_json
from super_agent.core.errors import ExitCode, ServerFailed
from super_agent.core.instance.checks import CheckLine, ProofGate
from super_agent.core.instance.diagnosis_text import cause_text
from super_agent.core.instance.proof import five_checks, live_proof
from super_agent.core.instance.sense import crashed
from super_agent.core.instance.watch import find_loaded
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Message, Reply
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import Settings, language, load_settings

MARKS = {"passed": "✅", "warning": "⚠ ", "failed": "❌", "not_observable": "· "}


class ProofAdapter(OllamaAdapter):
    """The executor's own adapter, asked for one token."""

    def reply_to(self, messages: list[Message]) -> Reply:
        """One whole reply."""
        *_pieces, reply = self.stream(messages)
        if not isinstance(reply, Reply):
            raise RuntimeError("OllamaAdapter.stream ended without a Reply")
        return reply


def main(flags: dict[str, Any], env_file: Path | None, *, as_json: bool, quick: bool, load: bool | None) -> int:
    """Print the checks; 0 when none failed, else 3. `load` None: only in a terminal."""
    settings = load_settings(flags, env_file=env_file)
    words = language(settings)
    with Ollama(settings) as server:
        lines: list[CheckLine] = []
        for line in _checks(server, settings, quick=quick, load=sys.stdout.isatty() if load is None else load):
            lines.append(line)
            if not as_json:
                say(as_text(line, words))
    code = int(ExitCode.SERVER if any(line.status == "failed" for line in lines) else ExitCode.OK)
    if as_json:
        say_json(as_json_object(lines, code, words))
    return code


def _checks(server: Ollama, settings: Settings, *, quick: bool, load: bool) -> Iterator[CheckLine]:
    gate = ProofGate()
    # What each would really send is read from the built clients, not from the variables twice.
    asked = settings.model_copy(update={"max_reply_tokens": 1})
    executor = ProofAdapter(asked, gate)
    try:
        first = five_checks(server, LLMClient(settings, gate, 0), executor, settings)
        there = [line.status for line in first][:2] == ["passed"] * 2
        row = find_loaded(server, settings.model) if there else None
        if not quick and load and there and row is None:
            why = f" ({cause_text(first[2].cause, language(settings))})" if first[2].cause else ""
            complain(f"loading {settings.model} for the proof{why}")
            try:
                server.load(settings.model, settings.keep_alive)
            except ServerFailed as error:
                yield from [*first, crashed(error)]
                return
            first = five_checks(server, LLMClient(settings, gate, 0), executor, settings)
            row = find_loaded(server, settings.model)
        yield from first
        if not quick and row is not None and not any(line.status == "failed" for line in first):
            autogen = LLMClient(settings, gate, row.context_length)
            yield from live_proof(server, autogen, executor, gate, settings)
    finally:
        executor.close()


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
