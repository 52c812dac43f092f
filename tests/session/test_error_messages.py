"""Errors and reasons, made in English far from any view, are read in the view's language with their values in place."""

import ast
import re
from pathlib import Path

import pytest

import interpreter
import super_agent
from super_agent.core.errors import SessionHeld, UsageError
from super_agent.core.events import ApprovalAsked, CodeDecided
from super_agent.core.ollama.http_errors import no_answer
from super_agent.session.html_report.events_as_html import HtmlRenderer
from super_agent.session.messages import run_messages
from super_agent.session.messages.portuguese.error_messages import ERRORS
from super_agent.session.messages.translation import Translator, error_line, translate_sentence
from tests.cli.scripted_runs import stamped

PT = Translator("pt")


def literals() -> set[str]:
    """Every text of the program, what is filled in taken for `{}`; the dictionaries of views left out."""
    found = set()
    for package in (super_agent, interpreter):
        for path in Path(str(package.__file__)).parent.rglob("*.py"):
            if "words" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    found.add("".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in node.values))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(re.sub(r"{\w*}", "{}", node.value))
    return found


PUT_TOGETHER = {
    "Give it --more-turns N", "Give it --max-time SECONDS", "Give it --max-tokens N",
    "the user skipped it. Do something else, or finish.",
    "the user skipped it: {reason}. Do something else, or finish.",
    "the workspace cannot be restored wholly: {what}", "the setup command `{command}` {how}: {last}",
}  # fmt: skip
"""Of parts, at the place where they are made."""


def test_every_sentence_is_one_that_the_program_says() -> None:
    said = literals()
    assert [form for form in ERRORS if form not in PUT_TOGETHER and re.sub(r"{\w+}", "{}", form) not in said] == []


@pytest.mark.parametrize(
    ("error", "portuguese"),
    [
        (UsageError("the task is empty", fix="Say what is to be done"),
         "a tarefa está vazia. Diga o que deve ser feito"),
        (SessionHeld("session 2026-x is held by pid 3 since noon", fix="Wait for it, or end that process"),
         "a sessão 2026-x está com pid 3 since noon. Espere por ele, ou encerre esse processo"),
        (no_answer("http://h:1", "Connection refused"),
         "nenhum servidor Ollama responde em http://h:1 (Connection refused). "
         "Inicie-o com `super-agent up`, ou defina OLLAMA_BASE_URL"),
        (UsageError("session a has ended: the check passes"), "a sessão a terminou: o teste passa"),
        (UsageError("there is no folder {x} <b>\n{0}"), "não existe a pasta {x} <b>\n{0}"),
        (UsageError("nobody has put this into Portuguese", fix="{x}"), "nobody has put this into Portuguese. {x}"),
    ],
)  # fmt: skip
def test_what_failed_and_what_to_do_are_said_with_their_values(error: UsageError, portuguese: str) -> None:
    assert error_line(error, PT) == portuguese
    assert error_line(error) == str(error)


def test_a_long_text_is_not_searched() -> None:
    text = "there is no folder " + "(" * 100_000
    assert translate_sentence(text, PT) == text


def test_why_code_is_asked_about_and_what_was_decided_without_asking() -> None:
    story = HtmlRenderer(PT)
    reasons = ("there is no sandbox: it runs with your own rights", "you asked for it (--approve always)")
    for event in stamped(ApprovalAsked("python", "1", reasons)):
        story.add(event)
    assert "(não há sandbox: roda com os seus próprios direitos; você pediu (--approve always))" in story.html()
    always = CodeDecided("run", "earlier_answer", "the user said always for this run", "python", "1")
    assert run_messages.decided(always, PT) == "o código pode ser executado: o usuário disse sempre, nesta execução"
