"""The reviewer's verdict, as models write it."""

import pytest

from super_agent.team.context import read_verdict
from super_agent.team.transcript import VerdictFacts


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"verdict": "accept", "reasons": "it prints"}\n```',
        'It is complete.\n\n{"verdict": "accept", "reasons": "it prints"}',
        '{"verdict": "accept", "reasons": "it prints", "confidence": 0.9}',
        '<think>{"verdict": "revise", "reasons": "no"}</think>\n{"verdict": "accept", "reasons": "it prints"}',
        '{"Verdict": "ACCEPT", "Reasons": "it prints"}',
        '{"verdict": "approved", "reason": "it prints"}',
        '{"verdict": "accepted", "reasons": ["it prints"]}',
    ],
)
def test_a_verdict_is_read_in_any_dress(text: str) -> None:
    assert read_verdict(text) == VerdictFacts(accepted=True, valid=True, reasons="it prints")


@pytest.mark.parametrize(
    "text",
    [
        '{"verdict": "accept"}', '{"verdict": "accept", "reasons": null}',
        "**Verdict:** accept\n**Reasons:** it prints", "verdict: accept",
        "{'verdict': 'accept', 'reasons': 'it prints'}", '{"verdict": "accept", "reasons": "it',
        '{verdict: "accept", reasons: "it prints"}', '{"verdict": "accept", "reasons": "it prints",}',
    ],
)  # fmt: skip
def test_a_verdict_without_readable_reasons_is_one(text: str) -> None:
    assert read_verdict(text) == VerdictFacts(accepted=True, valid=True, reasons="")


@pytest.mark.parametrize(
    "text",
    [
        '{"verdict": "not accept", "reasons": "x"}', '{"verdict": "accept" or "revise", "reasons": "x"}',
        "verdict: accept\n\nverdict: revise", "I would not say verdict: accept", "verdict: accept it only later",
    ],
)  # fmt: skip
def test_what_only_speaks_of_a_verdict_is_none(text: str) -> None:
    assert not read_verdict(text).valid


def test_two_verdicts_that_differ_are_none() -> None:
    text = '{"verdict": "accept", "reasons": "a"} or {"verdict": "revise", "reasons": "b"}'
    assert not read_verdict(text).valid
