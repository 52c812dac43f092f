"""Files that a shell block would write with `cat`, where that is all it would do and their text is certain."""

import re
from collections.abc import Sequence

_WORD = r"(?P<tabs>-?)\s*(?:'(?P<a>[^'\n]+)'|\"(?P<b>[^\"\n]+)\"|\\(?P<c>\w+)|(?P<plain>\w+))"
_PATH = r"(?:\"(?P<p>[^\"$`]+)\"|'(?P<q>[^']+)'|(?P<r>[\w./@+-]+))"
_FORMS = (
    re.compile(rf"^\s*cat\s*>\s*{_PATH}\s*<<{_WORD}\s*$"),
    re.compile(rf"^\s*cat\s*<<{_WORD}\s*>\s*{_PATH}\s*$"),
    re.compile(rf"^\s*tee\s+{_PATH}\s*(?:>\s*/dev/null\s*)?<<{_WORD}\s*(?:>\s*/dev/null\s*)?$"),
)
_QUIET = re.compile(r"^\s*(?:#.*|mkdir\s+-p\s+[\w./@+ -]+|set\s+-[a-z]+)?$")
"""Lines beside them: folders are made for every file that is written."""


def heredoc_files(lines: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Path and lines of each file; empty where the block does anything else, or a shell would change the text."""
    found: list[tuple[str, tuple[str, ...]]] = []
    number = 0
    while number < len(lines):
        head = next((m for form in _FORMS if (m := form.match(lines[number]))), None)
        if head is None:
            if not _QUIET.match(lines[number]):
                return []
            number += 1
            continue
        word = head["a"] or head["b"] or head["c"] or head["plain"]
        held = [line.lstrip("\t") if head["tabs"] else line for line in lines[number + 1 :]]
        if word not in held:
            return []
        body = tuple(held[: held.index(word)])
        if head["plain"] and re.search(r"[$`\\]", "\n".join(body)):
            return []
        found.append((head["p"] or head["q"] or head["r"], body))
        number += len(body) + 2
    return found
