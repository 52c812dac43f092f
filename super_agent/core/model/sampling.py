"""How further attempts at the same prompt are drawn: hotter, and each with a seed of its own."""

import zlib

from super_agent.core.model.chat import Sampling
from super_agent.core.settings import Settings

PATIENCE = 6
"""Attempts in a row, each drawn otherwise, that end in failures all known before: then nothing is to be expected."""
STEP = 0.4
HOTTEST = 0.8
"""What best-of-N results for small coders are commonly drawn with; hotter replies lose their form."""


def drawn(base: Sampling, again: int) -> Sampling | None:
    """Of the attempt that has so many before it; None is as the settings say, for the first one."""
    if not again:
        return None
    return Sampling(max(base.temperature, min(HOTTEST, base.temperature + STEP * again)), base.seed + again)


def first_sampling(settings: Settings, session: str) -> Sampling:
    """What rises: the user's seed, else one of the session's own, so that another run tries other things."""
    seed = zlib.crc32(session.encode()) % 1_000_000 if settings.seed is None else settings.seed
    return Sampling(settings.temperature, seed * 100)
