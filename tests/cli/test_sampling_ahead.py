"""Attempts sampled at once, where the server has a slot to spare: the next is under way while the first is written."""

import time
from pathlib import Path

import pytest

from tests.cli.adding import CHECK, RIGHT, WRONG, events
from tests.cli.conftest import SuperAgent
from tests.scripted_http import Request
from tests.scripted_models import Model
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Answer, Refuse, Say

FIRST_REPLY_S = 5.0
SMALL = Model("small:latest", 8192, parameter_count=1_500_000_000)


class Coder:
    """Wrong at first and slow; the first attempt drawn with a seed is right, and further ones take their time."""

    def __init__(self, second: Answer = RIGHT) -> None:
        self.second = second
        self.asked: list[tuple[float, int | None]] = []

    def __call__(self, request: Request) -> Answer:
        seed = request.body.get("seed")
        known = [seen for _, seen in self.asked]
        self.asked.append((time.monotonic(), seed))
        if seed is None:
            return Say(WRONG, wait_s=FIRST_REPLY_S)
        if [other for other in known if other not in (None, seed)]:
            return Say("It is " + "so " * 500, pause_s=0.05)
        return self.second


def run_small(super_agent: SuperAgent, server: ScriptedOllama, workspace: Path, slots: int) -> tuple[int, str]:
    told = ("--workspace", str(workspace), "--base-url", server.base_url, "--model", "small")
    done = super_agent(
        "run", "Put add into place", *told, "--check", CHECK, "--json", SUPER_AGENT_SLOTS=str(slots)
    )  # fmt: skip
    return done.code, done.out + done.err


@pytest.mark.parametrize(("slots", "at_once"), [(2, True), (1, False)])
def test_the_next_attempt_is_sampled_beside_the_first_where_there_is_a_slot(
    super_agent: SuperAgent, workspace: Path, slots: int, at_once: bool
) -> None:
    coder = Coder()
    with ScriptedOllama(autogen=coder, models=[SMALL]) as server:
        code, out = run_small(super_agent, server, workspace, slots)
    assert code == 0, out
    (first_at, _), (second_at, seed), *rest = coder.asked
    assert (second_at - first_at < FIRST_REPLY_S) is at_once
    # The second attempt took what was sampled ahead for it.
    assert seed not in [other for _, other in rest]
    assert [e["seed"] for e in events(out) if e["type"] == "resampled"] == [seed]
    streamed = "".join(e["text"] for e in events(out) if e["type"] == "text_streamed")
    assert streamed == WRONG + RIGHT
    assert (workspace / "add.py").read_text() == "def add(a, b):\n    return a + b\n"


def test_what_was_sampled_in_vain_is_cancelled_and_counted(super_agent: SuperAgent, workspace: Path) -> None:
    coder = Coder(Say(RIGHT, wait_s=FIRST_REPLY_S + 2))
    with ScriptedOllama(autogen=coder, models=[SMALL]) as server:
        code, out = run_small(super_agent, server, workspace, 2)
    assert code == 0, out
    assert len(coder.asked) == 3
    costs = [e["completion_tokens"] for e in events(out) if e["type"] == "request_finished"]
    assert len(costs) == 3
    assert 0 < costs[-1] < 500
    assert "so so" not in "".join(e["text"] for e in events(out) if e["type"] == "text_streamed")


def test_a_sample_that_failed_is_asked_for_again(super_agent: SuperAgent, workspace: Path) -> None:
    answers: dict[int | None, list[Answer]] = {None: [Say(WRONG, wait_s=2.0)]}

    def coder(request: Request) -> Answer:
        rest = answers.setdefault(request.body.get("seed"), [Refuse(400, "no such thing"), RIGHT, RIGHT])
        return rest.pop(0)

    with ScriptedOllama(autogen=coder, models=[SMALL]) as server:
        code, out = run_small(super_agent, server, workspace, 2)
    assert code == 0, out
    assert [e["type"] for e in events(out) if e["type"] == "error"] == []


def test_a_sample_that_broke_off_and_was_asked_for_again_is_shown_once(
    super_agent: SuperAgent, workspace: Path
) -> None:
    answers: dict[int | None, list[Answer]] = {None: [Say(WRONG, wait_s=3.0)]}

    def coder(request: Request) -> Answer:
        rest = answers.setdefault(request.body.get("seed"), [Say(RIGHT, end="cut", pieces_before_end=3), RIGHT])
        return rest.pop(0)

    with ScriptedOllama(autogen=coder, models=[SMALL]) as server:
        code, out = run_small(super_agent, server, workspace, 2)
    assert code == 0, out
    assert "".join(e["text"] for e in events(out) if e["type"] == "text_streamed") == WRONG + RIGHT
