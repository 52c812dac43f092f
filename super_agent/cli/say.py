"""What commands write outside of a run's events: results to stdout, complaints to stderr, each in one place.

Names of files, answers of servers and words of models reach a terminal through here without what would steer it, and
whatever the stream's encoding cannot express is replaced instead of raised.
"""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from super_agent.cli.render.output import Output
from super_agent.core.errors import OutputFailed
from super_agent.core.sanitize import sanitize

# Marks that not every encoding has, and what is written in their place.
PLAIN = str.maketrans(
    {"✅": "[ok]", "❌": "[failed]", "⚠": "!", "→": "->", "·": "-", "…": "...", "–": "-", "“": '"', "”": '"', "’": "'"}
)


def say(text: str, *, flush_to: TextIO | None = None) -> None:
    """Write whole lines; the caller gives the line ends."""
    stream = flush_to or sys.stdout
    if stream is None:  # a program without one, as under pythonw or `>&-`
        return
    shown = sanitize(text)
    output = Output(stream, _nothing)
    output.write(shown, unencodable=lambda: _expressible(shown, output.encoding))


def say_json(value: object) -> None:
    """One object on one line; what the encoding or a terminal cannot take stands as JSON's own escape."""
    text = json.dumps(value, ensure_ascii=False)
    plain = json.dumps(value)
    Output(sys.stdout, _nothing).write((text if sanitize(text) == text else plain) + "\n", lambda: plain + "\n")


def complain(text: str) -> None:
    """One line on stderr, whatever line ends the text has."""
    with suppress(OutputFailed):  # there is nobody left to tell; the exit code still does
        say(f"super-agent: {one_line(text)}\n", flush_to=sys.stderr)


def one_line(text: str) -> str:
    """The text with its line ends as spaces, and harmless."""
    return " ".join(part.strip() for part in sanitize(text).splitlines() if part.strip())


def _expressible(text: str, encoding: str) -> str:
    return text.translate(PLAIN).encode(encoding, "replace").decode(encoding)


_nothing: Callable[[], None] = lambda: None  # noqa: E731
