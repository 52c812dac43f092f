"""A line of a show block that asks for a search, in the form that the prompt names and in those that models know.

`search: TEXT` is the form; `grep`, `rg`, `find`, `ls` and a text in quotes mean the same. None of them is run.
"""

import re
import shlex
from collections.abc import Collection, Sequence

from super_agent.core.replies.types import SearchRequest

MAX_TEXT_CHARS = 200
"""Longer than any line that somebody looks for."""
_SAID = re.compile(
    r"^(?:(?:search|look|grep|find|locate)(?:ing)?(?:\s+(?:for|text))?|where\s+is|buscar?|procurar?(?:\s+por)?)"
    r"(?:\s*[:=]\s*|\s+)(?P<text>.+)$",
    re.IGNORECASE,
)
_IN = re.compile(r"^(?P<text>.+?)\s+(?:in|em|under)\s+(?P<under>[\w./-]+)$")
_QUOTES = ('"', "'", "`", "“", "«")
_CLOSING = {"“": "”", "«": "»"}
_GREPS = frozenset(("grep", "egrep", "fgrep", "rg", "ripgrep", "ag", "ack"))
_LISTS = frozenset(("ls", "tree", "dir"))
_WITH_VALUE = frozenset(
    ("-A", "-B", "-C", "-m", "-d", "-L", "--max-count", "--context", "--max-depth", "-t", "--type", "--color")
)
_STOPS = frozenset(("|", "||", "&&", ";", ">", "2>/dev/null", "2>&1", "\\;", "+", "{}"))


def search_in(line: str, known: Collection[str] = ()) -> SearchRequest | None:
    """What a line of a show block looks for; None where it names a path, as all of `known` do."""
    if len(line) > MAX_TEXT_CHARS * 2:
        return None
    line = _undressed(line)
    if not line or line in known:
        return None
    words = _words(line)
    tool = words[0].lower() if words else ""
    if words[:2] == ["git", "grep"]:
        words, tool = words[1:], "grep"
    if tool in _GREPS and len(words) > 1 and (found := _grep(words[1:])) is not None:
        return found
    if tool == "find" and any(word.startswith("-") for word in words[1:]):
        return _find(words[1:])
    if tool in _LISTS:
        return _listed(words[1:], known)
    if said := _SAID.match(line):
        return _said(said["text"], known)
    if line[0] in _QUOTES and line.endswith(_CLOSING.get(line[0], line[0])) and len(line) > 2:
        return _request(line[1:-1])
    return None


def only_searches(lines: Sequence[str]) -> tuple[SearchRequest, ...]:
    """The searches of a block of shell commands that holds nothing else; empty where it does."""
    asked = [search_in(line) for line in lines if line.strip() and not line.lstrip().startswith("#")]
    found = tuple(request for request in asked if request is not None)
    return found if len(found) == len(asked) else ()


def _undressed(line: str) -> str:
    line = re.sub(r"^\s*(?:[-*]\s+|\d+[.)]\s+|[$>]\s+)?", "", line).strip()
    if len(line) > 2 and line[0] == line[-1] == "`" and line.count("`") == 2 and search_in(line[1:-1]) is not None:
        return line[1:-1].strip()
    return line


def _said(text: str, known: Collection[str]) -> SearchRequest | None:
    under = ""
    if (found := _IN.match(text)) and _exists(found["under"], known):
        text, under = found["text"], found["under"]
    return _request(_unquoted(text), under)


def _exists(path: str, known: Collection[str]) -> bool:
    path = path.removeprefix("./").rstrip("/")
    return path in known or any(other.startswith(f"{path}/") for other in known)


def _grep(words: Sequence[str]) -> SearchRequest | None:
    """A pattern, and where it is looked for; of the options only those that choose files say anything."""
    glob, pattern, rest = "", "", []
    pending = iter(words)
    for word in pending:
        if word in _STOPS:
            break
        if word in ("-g", "--glob", "--include"):
            glob = next(pending, "")
        elif word in ("-e", "--regexp"):
            pattern = pattern or next(pending, "")
        elif word.startswith("--include="):
            glob = word.partition("=")[2]
        elif word in _WITH_VALUE:
            next(pending, "")
        elif not word.startswith("-"):
            rest.append(word)
    if not pattern:
        if not rest:
            return None
        pattern, rest = rest[0], rest[1:]
    return _request(pattern, rest[0] if len(rest) == 1 else "", glob.rsplit("/", 1)[-1])


def _find(words: Sequence[str]) -> SearchRequest | None:
    """Files by name; with a grep behind it, what that looks for in them."""
    under = words[0] if not words[0].startswith("-") else ""
    glob = next((words[i + 1] for i, w in enumerate(words[:-1]) if w in ("-name", "-iname")), "*")
    start = next((i for i, word in enumerate(words) if word.lower() in _GREPS), None)
    inner = _grep(words[start + 1 :]) if start is not None else None
    return _request(inner.text if inner is not None else "", under, glob)


def _listed(words: Sequence[str], known: Collection[str]) -> SearchRequest | None:
    paths = [word for word in words if not word.startswith("-") and word not in _STOPS]
    under = paths[0] if paths else ""
    return _request("", under, "*") if not under or under == "." or _exists(under, known) else None


def _request(text: str, under: str = "", glob: str = "") -> SearchRequest | None:
    text = text.strip()[:MAX_TEXT_CHARS]
    if not text and not glob:
        return None
    return SearchRequest(text, "" if under in (".", "./", "*") else under.removeprefix("./"), glob)


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 2 and text[0] in _QUOTES and text[-1] == _CLOSING.get(text[0], text[0]):
        return text[1:-1]
    return text


def _words(line: str) -> list[str]:
    """As a shell splits it; a text with an odd quote is split at its blanks."""
    try:
        return shlex.split(line)
    except ValueError:
        return [word.strip("\"'") for word in line.split()]
