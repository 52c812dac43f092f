"""Does the model answer sense? A fixed question with a known answer, at temperature 0.

A runner compiled for another processor crashes or writes garbage without any error, and so do broken weights; neither
shows in what a server says about itself.
"""

import asyncio
import re
from contextlib import aclosing

from super_agent.core.errors import ReplyBroken, ServerError, ServerFailed
from super_agent.core.instance.check_results import CheckLine, ProofMiddleware
from super_agent.core.instance.diagnosis import Values
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Message, ReplyPiece
from super_agent.core.settings import Settings
from super_agent.core.text import cut

QUESTION = "Count from one to five in words."
"""The smallest instruct models can do it, none has a reason to refuse it, and no garbage looks like it."""
EXPECTED = re.compile(r"\bone\b.{0,12}?\btwo\b.{0,12}?\bthree\b|\b1\b.{0,4}?\b2\b.{0,4}?\b3\b", re.I | re.S)
ANSWER_TOKENS = 128
"""Reached only by a model that thinks first, or by one that never comes to an end."""
SHOWN_CHARS = 60


def sanity_check(settings: Settings, context_length: int) -> CheckLine:
    """Ask, and end the reply as soon as the answer is in it. Costs some ten tokens."""
    asked = settings.model_copy(update={"temperature": 0.0, "top_p": 1.0})
    try:
        return asyncio.run(_ask(LLMClient(asked, ProofMiddleware(), context_length)))
    except (ServerFailed, ReplyBroken) as error:
        return crashed(error)


def crashed(error: ServerError) -> CheckLine:
    """The runner ended, or could not say anything."""
    return CheckLine("sense", "failed", "sense_crashed", {"what": error.what}, "other_build")


async def _ask(client: LLMClient) -> CheckLine:
    text = thoughts = ""
    try:
        stream = client.stream([Message("user", QUESTION)], reply_limit_tokens=ANSWER_TOKENS)
        async with aclosing(stream) as items:
            async for item in items:
                if not isinstance(item, ReplyPiece):
                    continue
                if item.reasoning:
                    thoughts += item.text
                else:
                    text += item.text
                if EXPECTED.search(text) or EXPECTED.search(thoughts):
                    return CheckLine("sense", "passed", "sense", _values(text or thoughts))
    finally:
        await client.aclose()
    values = _values(text or thoughts)
    if not (text or thoughts).strip():
        return CheckLine("sense", "failed", "sense_empty", values, "other_build")
    return CheckLine("sense", "failed", "sense_garbage", values, "other_build")


def _values(answer: str) -> Values:
    """The question, and the beginning of the answer on one line."""
    return {"question": QUESTION, "answer": cut(" ".join(answer.split()), SHOWN_CHARS)}
