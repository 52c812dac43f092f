"""Token estimates: never under the truth, close to it once the server has counted, and truncation noticed."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpreter.ollama_adapter import OllamaAdapter
from super_agent.core.client_kind import ClientKind
from super_agent.core.errors import PromptTooLong
from super_agent.core.model.chat import Message, Reply
from super_agent.core.model.middleware import CountingMiddleware
from super_agent.core.model.prefix_cache import PrefixBreak
from super_agent.core.model.token_estimate import PromptBudget, estimate_tokens
from super_agent.core.settings import load_settings
from tests.scripted_http import Request
from tests.scripted_models import Model
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Say, prompt_tokens
from tests.wire.both import HELLO, KINDS, RecordingGate, converse

both = pytest.mark.parametrize("kind", KINDS)
TASK = (Message("system", "You are a planner."), Message("user", "Write add.py with a function add(a, b)."))
CODE = "def add(a: int, b: int) -> int:\n    return a + b\n\n\nassert add(2, 3) == 5\n" * 20

MEASURED = {
    # Text, and the tokens that Ollama 0.32.15 counted for it with SmolLM2-135M, the template's share taken off.
    "words": ("word " * 400, 401),
    "prose": ("the cat sat on a mat and it was so fat " * 40, 441),
    "short names": ("function(a,b){return a.b(c[d])?e:f(g,h)||i&&j;}var k=l.m,n=o.p;" * 20, 880),
    "long names": (
        "MAX_PENDING_CONNECTION_RETRY_INTERVAL_MS = DefaultAbstractFactoryBeanProvider.getInstance()\n" * 20,
        580,
    ),
    "traceback": (
        "Traceback (most recent call last):\n"
        '  File "/home/user/project/tests/test_double.py", line 12, in test_it\n'
        "    assert double(21) == 42\nAssertionError: assert None == 42\n +  where None = double(21)\n" * 8,
        536,
    ),
    "portuguese": (
        "A função calcula o número de iterações necessárias até à convergência; "
        "não há exceções, porém é preciso atenção à ortografia. " * 8,
        441,
    ),
    "russian": ("Напишите функцию, которая вычисляет сумму двух чисел и возвращает результат. " * 8, 497),
    "chinese": ("编写一个函数，计算两个数字的和，并返回结果。请注意错误处理和输入验证。" * 10, 560),
    "emoji": ("🎉🚀😀🔥💡🐍" * 20, 360),
    "newlines": ("\n" * 500, 125),
}


def reply(text: str, prompt: int, completion: int, reasoning: str = "") -> Reply:
    """A whole reply with the server's counts."""
    return Reply(text, reasoning, "stop", prompt, completion, 1.0)


@pytest.mark.parametrize("kind", MEASURED)
def test_a_first_prompt_is_estimated_above_what_a_real_server_counted(kind: str) -> None:
    text, counted = MEASURED[kind]
    assert PromptBudget().estimate([Message("user", text)]) > counted


def test_the_estimate_of_code_is_less_than_half_too_high() -> None:
    assert estimate_tokens(CODE) < 1.5 * 580  # counted by the same server


@given(st.text(), st.text())
def test_more_text_is_never_estimated_as_fewer_tokens(one: str, more: str) -> None:
    budget = PromptBudget()
    assert budget.estimate([Message("user", one + more)]) >= budget.estimate([Message("user", one)]) - 1


@given(st.text(st.characters(min_codepoint=128, max_codepoint=0xD7FF)))
def test_other_scripts_count_a_token_for_each_byte(text: str) -> None:
    assert estimate_tokens(text) >= len(text.encode())


def test_numbers_and_encoded_data_are_dense() -> None:
    numbers = "".join(random.Random(1).choices("0123456789", k=1000))
    assert estimate_tokens(numbers) >= 1000
    assert estimate_tokens("QUJDREVGR0g" * 100) >= 1000


def test_what_was_counted_is_not_estimated_again() -> None:
    budget = PromptBudget()
    assert budget.learn(TASK, reply("Done.", 40, 3)) is False
    follow_up = [*TASK, Message("assistant", "Done."), Message("user", "Thanks.")]
    assert 43 < budget.estimate(follow_up) < 43 + 30
    other_reply = [*TASK, Message("assistant", "Something else."), Message("user", "Thanks.")]
    assert 40 < budget.estimate(other_reply) < 40 + 50


def test_a_reply_that_is_gone_on_with_is_no_broken_prefix_and_is_not_evaluated_again() -> None:
    budget = PromptBudget()
    budget.learn(TASK, reply("```python a.py\nx = 1\n```", 40, 8))
    assert budget.broken(TASK, "```python a.py\nx = 1\n```\n\n```python b.py\n") is None
    assert budget.reused(TASK, 55, "```python a.py\nx = 1\n```\n\n```python b.py\n") == 48
    assert budget.broken(TASK, "```python b.py\n") is not None


def test_an_estimate_that_was_too_low_makes_the_next_ones_higher() -> None:
    text = "abcdefghij " * 200
    careful, fresh = PromptBudget(), PromptBudget()
    careful.learn([Message("user", text)], reply("ok", 4000, 2))
    other = [Message("user", "other " + text)]
    assert careful.estimate(other) > 4000 > fresh.estimate(other)


@both
def test_a_conversation_is_never_underestimated(kind: ClientKind) -> None:
    middleware = RecordingGate()
    messages = [*TASK]
    prompts = []
    for number in range(6):
        prompts.append([*messages])
        messages += [Message("assistant", CODE[: 97 * number]), Message("user", f"Result {number}: {CODE[:150]}")]
    replies = iter([p[len(prompts[n])].content for n, p in enumerate(prompts[1:])] + ["end"])
    with ScriptedOllama(lambda request: next(replies)) as server:
        converse(kind, server.settings(), prompts, middleware=middleware)
    for facts, usage in zip(middleware.before_calls, middleware.after_calls, strict=True):
        assert usage.prompt_tokens <= facts.prompt_tokens <= usage.prompt_tokens * 1.5 + 100
        assert usage.truncated is False


@both
def test_what_would_not_fit_the_context_is_not_sent(kind: ClientKind) -> None:
    with ScriptedOllama(["never"], context_length=2048) as server:
        with pytest.raises(PromptTooLong) as caught:
            converse(kind, server.settings(), [[Message("user", "word " * 2000)]], context_length=2048)
        assert server.requests == []
    assert caught.value.context_length == 2048
    assert caught.value.prompt_tokens >= 2000
    assert "512 for the reply" in caught.value.what


def test_without_a_known_context_the_server_decides() -> None:
    client = OllamaAdapter(load_settings({"max_reply_tokens": 100}, environ={}), CountingMiddleware())
    facts = client.facts_of([Message("user", "word " * 100_000)], client.reply_limit())
    assert facts.prompt_tokens > 100_000


@both
def test_a_prompt_that_the_server_cut_is_noticed(kind: ClientKind) -> None:
    middleware = RecordingGate()
    with ScriptedOllama([Say("ok", prompt_tokens=12)]) as server:
        converse(kind, server.settings(), [[Message("user", "word " * 400)]], middleware=middleware)
    assert middleware.after_calls[0].truncated is True


@both
def test_a_conversation_cut_because_the_context_shrank_is_noticed_at_once(kind: ClientKind) -> None:
    first = [Message("system", "s"), Message("user", "word " * 300)]
    second = [*first, Message("assistant", "ok " * 100), Message("user", "go on")]
    middleware = RecordingGate()

    def answer(request: Request) -> Say:
        # Somebody makes the alias anew, with less context, while the run goes on.
        server.catalogue.models["scripted:latest"] = Model("scripted:latest", num_ctx=350)
        return Say("ok " * 100)

    with ScriptedOllama(answer) as server:
        if kind == "open-interpreter":  # natively the server refuses
            with pytest.raises(PromptTooLong):
                converse(kind, server.settings(), [first, second], middleware=middleware)
            return
        converse(kind, server.settings(), [first, second], middleware=middleware)
    assert [u.truncated for u in middleware.after_calls] == [False, True]


def test_a_count_of_zero_says_nothing() -> None:
    budget = PromptBudget()
    assert budget.learn([Message("user", "word " * 100)], reply("ok", 0, 2)) is False


def test_thoughts_that_are_not_sent_back_are_no_truncation() -> None:
    budget = PromptBudget()
    budget.learn(TASK, reply("Yes.", 40, 900, reasoning="long thoughts"))
    assert budget.learn([*TASK, Message("assistant", "Yes."), Message("user", "Go on.")], reply("ok", 52, 2)) is False


def test_a_reply_spelt_in_more_tokens_than_it_needs_is_no_truncation() -> None:
    budget = PromptBudget()
    budget.learn(TASK, reply('{"a": 1}', 40, 20))
    assert budget.learn([*TASK, Message("assistant", '{"a": 1}'), Message("user", "Go.")], reply("ok", 60, 2)) is False


@given(st.lists(st.text(max_size=200), min_size=1, max_size=5))
def test_an_honest_count_is_never_called_truncated(texts: list[str]) -> None:
    budget = PromptBudget()
    messages: list[Message] = []
    for text in texts:
        messages.append(Message("user", text))
        counted = prompt_tokens([{"content": m.content} for m in messages])
        answer = reply("an answer", counted, 4)
        assert budget.learn(messages, answer) is False
        messages.append(Message("assistant", answer.text))


def test_descriptions_of_tools_are_counted() -> None:
    tools = json.dumps([{"name": "add", "description": "adds two numbers " * 50}])
    assert PromptBudget().estimate(HELLO, tools) > PromptBudget().estimate(HELLO) + 150


@both
def test_a_prompt_that_does_not_extend_the_last_one_is_told_to_the_gate(kind: ClientKind) -> None:
    changed = (Message("system", "Be brief!"), HELLO[1])
    with ScriptedOllama(["Hello.", "Hi.", "Hey."]) as server:
        middleware = RecordingGate()
        kept = (*HELLO, Message("assistant", "Hello."), Message("user", "Again."))
        converse(kind, server.settings(), [HELLO, kept, changed], middleware=middleware)
    assert [facts.prefix_break for facts in middleware.before_calls] == [
        None,
        None,
        PrefixBreak(0, 8, "the message of system was changed"),
    ]
    reused = [usage.prompt_tokens - usage.evaluated.tokens for usage in middleware.after_calls if usage.evaluated]
    assert reused[0] == reused[2] == 0
    assert reused[1] == middleware.after_calls[0].prompt_tokens + middleware.after_calls[0].completion_tokens
