"""Markers of search/replace sections, and what models write in their place, as the usual markers."""

import html
import re
from itertools import pairwise

OLD = r"SEARCH|ORIGINAL|OLD|BEFORE|FIND|HEAD|CURRENT|BUSCAR|PROCURAR|ANTIGO"
NEW = r"REPLACE|REPLACEMENT|UPDATED?|NEW|AFTER|MODIFIED|CHANGED|SUBSTITUIR|NOVO"
START = re.compile(
    rf"^\s*(?:[<>]{{3,10}}|-{{3,10}}|={{3,10}})\s*(?:{OLD})\b.*$|^\s*<(?:{OLD})>\s*$|^\s*\[(?:{OLD})\]\s*$",
    re.IGNORECASE,
)
DIVIDER = re.compile(
    rf"^\s*={{4,10}}\s*$|^\s*={{3,10}}\s*(?:{NEW})?\s*$|^\s*\[(?:{NEW})\]\s*$|^\s*(?:</(?:{OLD})>)?\s*<(?:{NEW})>\s*$",
    re.IGNORECASE,
)
END = re.compile(
    rf"^\s*(?:>{{3,10}}|\+{{3,10}}|<{{3,10}})\s*(?:{NEW}|END)(?:\s*[>+<]*|\s.*)$"
    r"|^\s*(?:>{5,10}|\+{5,10}|<{5,10})\s*[\w./-]*$"
    rf"|^\s*</(?:{NEW})>\s*$|^\s*\[/(?:{NEW})\]\s*$",
    re.IGNORECASE,
)
"""Three or four marks need the word: `>>> total` is of a docstring."""
_MARKER = re.compile(
    rf"^\s*(?:<{{5,9}}|>{{5,9}})(?:\s*\w.*|>*)$|^\s*(?:-{{5,9}}|\+{{5,9}})\s*(?:{OLD}|{NEW})\b", re.IGNORECASE
)
_COMMENTED = re.compile(
    r"^\s*(?:#+|//+|--|;+|%|/\*|<!--)\s*"
    rf"(?P<mark>(?:<{{5,9}}\s*(?:{OLD})\b|>{{5,9}}\s*(?:{NEW})\b).*?|={{5,9}})\s*(?:\*/|-->)?$",
    re.IGNORECASE,
)
_USUAL = re.compile(rf"^(?:<{{5,10}}\s*(?:{OLD})\b.*|>{{5,10}}\s*(?:{NEW})\b.*|={{5,10}})$", re.IGNORECASE)
_OTHER_SIGNS = str.maketrans({"«": "<<", "»": ">>", "＜": "<", "＞": ">", "＝": "="})
_LABEL = re.compile(
    r"^(?:\*\*|-{3,} ?|)(?:(?P<old>SEARCH)|REPLACE)(?: BLOCK)?:?(?: ?-{3,}|\*\*:?|)\s*$"
    r"|^(?:\*\*|(?:#+|//)\s*|)(?i:(?P<said>search(?: for)?|find|before|old|original)"
    r"|(?:replace(?:ment)?(?: with)?|after|new|updated))"
    r"(?i: (?:code|block|version|text))?(?:\*\*:|:\*\*|:)\s*$"
)
"""Words alone on a line, as what stands before each part: in capitals, or with a colon."""
_OLD_TAG = r"search|old_(?:str|string|text|code)|old(?:Str|String|Text)?|original|find|before"
_NEW_TAG = r"replace|new_(?:str|string|text|code)|new(?:Str|String|Text)?|replacement|after|updated"
_PAIR = re.compile(
    rf"\s*(?:</?(?:edit|edits|change|changes|block)>\s*)*[<\[](?P<a>{_OLD_TAG})[>\]](?P<old>.*?)[<\[]/(?P=a)[>\]]"
    rf"\s*[<\[](?P<b>{_NEW_TAG})[>\]](?P<new>.*?)[<\[]/(?P=b)[>\]]\s*(?:</(?:edit|edits|change|changes|block)>\s*)*",
    re.DOTALL | re.IGNORECASE,
)


def has_markers(lines: tuple[str, ...] | list[str]) -> bool:
    """Whether any line looks like a marker of a section or of a conflict."""
    return any(START.match(line) or _MARKER.match(line) for line in lines)


def with_usual_markers(lines: tuple[str, ...], *, labels: bool) -> tuple[str, ...]:
    """Markers in a dress or in comments, tags around each part, and the bare words, as the usual markers."""
    lines = _without_dress(lines)
    if any((found := _COMMENTED.match(line)) and "<" in found["mark"] for line in lines):
        return tuple(found["mark"] if (found := _COMMENTED.match(line)) else line for line in lines)
    if tagged := _from_tags("\n".join(lines)):
        return tagged
    if labels and has_markers(lines):
        return tuple(line for before, line in pairwise(("", *lines)) if not (before == line == "======="))
    words = [(found["old"] or found["said"]) is not None for line in lines if (found := _LABEL.match(line))]
    first = next((line for line in lines if line.strip()), "")
    if not labels or not _LABEL.match(first) or words != [True, False] * (len(words) // 2):
        return lines
    return _from_labels(lines)


def _without_dress(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Markers between backticks or stars, escaped as in HTML, or in signs that look like them."""
    bare = [html.unescape(line).translate(_OTHER_SIGNS).strip().strip("`*").strip() for line in lines]
    dressed = [mark != line.strip() and _USUAL.match(mark) is not None for mark, line in zip(bare, lines, strict=True)]
    if not any(is_dressed and mark[0] == "<" for is_dressed, mark in zip(dressed, bare, strict=True)):
        return lines
    usual = (_usual(mark) if _USUAL.match(mark) else line for mark, line in zip(bare, lines, strict=True))
    return tuple(usual)


def _usual(mark: str) -> str:
    return {"<": "<<<<<<< SEARCH", ">": ">>>>>>> REPLACE"}.get(mark[0], "=======")


def _from_tags(text: str) -> tuple[str, ...]:
    """Of a text that is nothing but pairs of tags; empty for any other."""
    marked: list[str] = []
    position = 0
    while found := _PAIR.match(text, position):
        old, new = ([*part.strip("\n").split("\n")] if part.strip() else [] for part in (found["old"], found["new"]))
        marked += ["<<<<<<< SEARCH", *old, "=======", *new, ">>>>>>> REPLACE"]
        position = found.end()
    return tuple(marked) if position and not text[position:].strip() else ()


def _from_labels(lines: tuple[str, ...]) -> tuple[str, ...]:
    marked: list[str] = []
    for line in lines:
        if not (found := _LABEL.match(line)):
            marked += [line] if marked else []
        elif found["old"] or found["said"]:
            marked += [*([">>>>>>> REPLACE"] if marked else []), "<<<<<<< SEARCH"]
        else:
            marked.append("=======")
    return (*marked, ">>>>>>> REPLACE")
