"""How further attempts at the same prompt are drawn: hotter, and each with a seed of its own."""

import zlib

from super_agent.core.model.chat import Sampling
from super_agent.core.settings import Settings

PATIENCE = 12
"""Attempts in a row, each drawn otherwise, that end in failures all known before: then nothing is to be expected."""
STEP = 0.4
HOTTEST = 0.6
"""Qwen2.5-Coder 1.5B solved 6 of 33 samples over eleven tasks at 0.5 and at 0.8 alike; of the demo's task six of nine
up to 0.6 and none of nine at 0.8, where its replies are three times as long."""


STEP_AFTER_REPEAT = 0.3
HOTTEST_AFTER_REPEATS = 1.2
"""Where Qwen2.5-Coder 1.5B is certain of a function's body it writes it again word for word: of six samples one was new
at 0.6, four at 1.0 and all at 1.3, one of them right (HumanEval/139)."""


def drawn(base: Sampling, again: int, repeats: int = 0) -> Sampling | None:
    """Of the attempt that has so many before it, of which so many brought a reply that had been given before.

    None is as the settings say, for the first one.
    """
    if not again:
        return None
    temperature = min(HOTTEST, base.temperature + STEP * again)
    if repeats:
        temperature = min(HOTTEST_AFTER_REPEATS, temperature + STEP_AFTER_REPEAT * repeats)
    return Sampling(round(max(base.temperature, temperature), 2), base.seed + again)


def first_sampling(settings: Settings, session: str) -> Sampling:
    """What rises: the user's seed, else one of the session's own, so that another run tries other things."""
    seed = zlib.crc32(session.encode()) % 1_000_000 if settings.seed is None else settings.seed
    return Sampling(settings.temperature, seed * 100)
