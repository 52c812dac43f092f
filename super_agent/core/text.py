"""Text cut to a size, saying so, and text in a fence."""

import re


def clipped(text: str, limit_chars: int, hint: str = "") -> str:
    """At most about `limit_chars` characters: head and tail, with how much was left out between them.

    `hint` says how to see the rest, where there is a way.
    """
    if len(text) <= limit_chars:
        return text
    head = limit_chars // 2
    tail = limit_chars - head
    how = f" ({hint})" if hint else ""
    return f"{text[:head]}\n… {len(text) - head - tail} characters left out{how} …\n{text[len(text) - tail :]}"


def fenced(text: str, language: str = "", *, least: int = 4) -> str:
    """A Markdown block, of at least so many backticks, that nothing in the text can end."""
    fence = "`" * max(least, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"
