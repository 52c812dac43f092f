"""A loaded model in the words of `ollama ps`, for every view of it."""

from super_agent.core.ollama.api import LoadedModel
from super_agent.session.messages.translation import Translator, english

FOREVER_S = 10 * 365 * 86400
"""keep_alive -1 is an expiry some centuries away."""


def processor(row: LoadedModel) -> str:
    """As `ollama ps` says it: all in graphics memory, all in main memory, or the shares."""
    if row.size_vram <= 0:
        return "100% CPU"
    if row.size_vram >= row.size:
        return "100% GPU"
    cpu = round(100 * (row.size - row.size_vram) / row.size)
    return f"{cpu}%/{100 - cpu}% CPU/GPU"


def size(size: int, say: Translator = english) -> str:
    """In GB or MB of a thousand, as `ollama ps` has it."""
    return f"{say.number(size / 1e9, '.1f')} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def until(row: LoadedModel, now: float, say: Translator = english) -> str:
    """When it is unloaded if nobody uses it; `now` in seconds since the epoch."""
    if row.expires_at is None or row.expires_at - now > FOREVER_S:
        return say("Forever")
    seconds = row.expires_at - now
    if seconds <= 0:
        return say("Stopping...")
    told = "{minutes:.0f} minutes from now" if seconds >= 90 else "{seconds:.0f} seconds from now"
    return say.fill(told, minutes=seconds / 60, seconds=seconds)
