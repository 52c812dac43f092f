"""Texts between two tags, found in a time that grows with the text alone, however many tags are never closed."""

import re
from bisect import bisect_left
from collections.abc import Iterator


def between_tags(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> Iterator[tuple[re.Match[str], str]]:
    """Each opening tag and what stands up to the next closing one of the same `tag` group; none inside another.

    A lazy `.*?` would read the rest of the text once for each tag that nothing closes.
    """
    ends: dict[str, list[re.Match[str]]] = {}
    for found in closing.finditer(text):
        ends.setdefault(found["tag"], []).append(found)
    position = 0
    for found in opening.finditer(text):
        later = ends.get(found["tag"], [])
        at = bisect_left(later, found.end(), key=lambda end: end.start())
        if found.start() >= position and at < len(later):
            yield found, text[found.end() : later[at].start()]
            position = later[at].end()
