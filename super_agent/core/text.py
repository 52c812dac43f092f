"""Cutting text to a size, saying so."""


def clipped(text: str, limit_chars: int) -> str:
    """At most about `limit_chars` characters: head and tail, with how much was left out between them."""
    if len(text) <= limit_chars:
        return text
    head = limit_chars // 2
    tail = limit_chars - head
    return f"{text[:head]}\n… {len(text) - limit_chars} characters left out …\n{text[-tail:]}"
