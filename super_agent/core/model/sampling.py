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


def drawn(base: Sampling, again: int) -> Sampling | None:
    """Of the attempt that has so many before it; None is as the settings say, for the first one."""
    if not again:
        return None
    return Sampling(max(base.temperature, min(HOTTEST, base.temperature + STEP * again)), base.seed + again)


def first_sampling(settings: Settings, session: str) -> Sampling:
    """What rises: the user's seed, else one of the session's own, so that another run tries other things."""
    seed = zlib.crc32(session.encode()) % 1_000_000 if settings.seed is None else settings.seed
    return Sampling(settings.temperature, seed * 100)
