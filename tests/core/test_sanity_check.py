"""The twelfth check: sense passes; garbage, silence and a crash are named as what they are, with the fix."""

import json
from typing import Any

import pytest

from super_agent.core.instance.sanity_check import QUESTION, sanity_check
from tests.cli.conftest import SuperAgent, super_agent
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Refuse

__all__ = ["super_agent"]


@pytest.mark.parametrize(
    "reply",
    [
        "One, two, three, four, five.",
        "1. One\n2. Two\n3. Three\n",
        "1, 2, 3, 4, 5",
        "Sure! one\ntwo\nthree",
        "**One** – **two** – **three**",
    ],
)
def test_an_answer_is_known_in_its_usual_forms(reply: str) -> None:
    with ScriptedOllama([reply]) as server:
        line = sanity_check(server.settings(temperature=0.9), 8192)
    assert (line.name, line.status, line.seen) == ("sense", "passed", "sense")
    [asked] = server.chats
    assert asked.body["temperature"] == 0.0
    assert asked.body["messages"][-1]["content"] == QUESTION


@pytest.mark.parametrize(
    ("reply", "seen"),
    [("GGGGGGGGGGGG", "sense_garbage"), ("three one the of two @@@ 31", "sense_garbage"), ("", "sense_empty")],
)
def test_garbage_and_silence_fail(reply: str, seen: str) -> None:
    with ScriptedOllama([reply]) as server:
        line = sanity_check(server.settings(), 8192)
    assert (line.status, line.seen, line.fix) == ("failed", seen, "other_build")


CRASH = "llama-server process has terminated: signal: illegal instruction"


def verified(super_agent: SuperAgent, replies: list[Any], lang: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code of a whole `verify`, and its checks by name."""
    with ScriptedOllama(replies) as server:
        done = super_agent(
            "verify",
            "--load",
            "--json",
            "--base-url",
            server.base_url,
            "--model",
            server.model,
            SUPER_AGENT_LANG=lang,
            SUPER_AGENT_RETRIES="0",
        )
    assert "Traceback" not in done.err
    return done.code, {check["name"]: check for check in json.loads(done.out)["checks"]}


@pytest.mark.parametrize(("lang", "word"), [("en", "another build of Ollama"), ("pt", "outra compilação do Ollama")])
def test_verify_names_garbage_with_its_fix(super_agent: SuperAgent, lang: str, word: str) -> None:
    code, checks = verified(super_agent, ["ok", "ok", "ok", "@@@@@@"], lang)
    assert (code, len(checks)) == (3, 12)
    assert (checks["sense"]["status"], checks["sense"]["values"]["answer"]) == ("failed", "@@@@@@")
    assert word in checks["sense"]["fix"]


@pytest.mark.parametrize(("lang", "word"), [("en", "the runner failed"), ("pt", "o runner falhou")])
def test_verify_names_a_runner_that_crashes(super_agent: SuperAgent, lang: str, word: str) -> None:
    code, checks = verified(super_agent, [Refuse(500, CRASH)] * 8, lang)
    assert (code, checks["sense"]["status"], checks["runner"]["status"]) == (3, "failed", "not_observable")
    assert word in checks["sense"]["detail"]
    assert "illegal instruction" in checks["sense"]["detail"]


def test_verify_of_a_model_that_answers_has_twelve_checks_and_none_failed(super_agent: SuperAgent) -> None:
    _code, checks = verified(super_agent, ["ok", "ok", "ok", "one, two, three, four, five"], "en")
    assert len(checks) == 12
    assert checks["sense"]["status"] == "passed"
