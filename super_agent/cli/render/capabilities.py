"""What a stream can show: a terminal that draws, one that only writes lines, or none."""

from typing import TextIO

from super_agent.core.settings import terminal_wishes


def draws(stream: TextIO) -> bool:
    """Whether escapes move its cursor: a terminal that does not call itself dumb."""
    return stream.isatty() and not terminal_wishes().dumb


def colours(stream: TextIO) -> bool:
    """Whether escapes may colour its text: it draws, and NO_COLOR (no-color.org) does not forbid it."""
    return draws(stream) and not terminal_wishes().no_colour
