"""Calls that a model prints as tags of other tools, each argument a tag or an attribute of its own."""

import html
import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from super_agent.core.replies.pasted_artifacts import ENTITY


@dataclass(frozen=True, slots=True)
class PrintedCall:
    """A call by its name and arguments, as printed."""

    name: str
    arguments: Mapping[str, Any]


_NAMES = (
    "write_to_file|write_file|create_file|new_file|save_file|replace_in_file|apply_diff|edit_file|read_file"
    "|search_files|execute_command"
)
_ARGUMENTS = "path|file_path|content|diff|regex|pattern|search|replace|command|requires_approval"
_CALL = re.compile(rf"^[ \t]*<(?P<tag>{_NAMES})>[ \t]*\n?", re.MULTILINE)
_CALL_END = re.compile(rf"</(?P<tag>{_NAMES})>[ \t]*$", re.MULTILINE)
_ARGUMENT = re.compile(rf"<(?P<tag>{_ARGUMENTS})>")
_ARGUMENT_END = re.compile(rf"</(?P<tag>{_ARGUMENTS})>(?=\s*(?:<(?:{_ARGUMENTS})>|\Z))")
_FILES = "file|create_file|write_file|boltAction"
_FILE = re.compile(
    rf"^[ \t]*(?:<boltArtifact[^<>]*>\s*)?<(?P<tag>{_FILES})\b(?P<attributes>[^<>]*)>[ \t]*\n", re.MULTILINE
)
_FILE_END = re.compile(rf"^[ \t]*</(?P<tag>{_FILES})>", re.MULTILINE)
_PATH = re.compile(r"\b(?:path|filePath|file_path|name|filename|file)=[\"'](?P<path>[^\"']+)[\"']")
_VALUE = re.compile(r"<arg_key>\s*(?P<name>[\w.-]+)\s*</arg_key>\s*<(?P<tag>arg_value)>")
_VALUE_END = re.compile(r"</(?P<tag>arg_value)>")
_PAIRED = re.compile(r"<tool_call>\s*(?P<name>[\w.-]+)\s*(?P<body><arg_key>.*?)(?:</tool_call>|\Z)", re.DOTALL)
_WITH_JSON = re.compile(
    r"(?:<function=\"?(?P<a>[\w.-]+)\"?\s*>|^>>>(?P<b>[\w.-]+)\n|<\|recipient\|>\s*(?P<c>[\w.-]+)\s*<\|content\|>)\s*(?=\{)",
    re.MULTILINE,
)
_FENCED = re.compile(r"\A\s*(?P<fence>`{3,}|~{3,})[^\n`]*\n(?P<text>.*\n)?(?P=fence)\s*\Z", re.DOTALL)
MARK = re.compile(
    rf"^[ \t]*<(?:{_NAMES})>|<arg_key>|^>>>[\w.-]+\n\{{|<\|recipient\|>"
    r"|^[ \t]*(?:<boltArtifact[^<>]*>\s*)?<(?:file|create_file|write_file|boltAction)\s[^<>]*(?:path|name|filePath)=",
    re.MULTILINE,
)


def markup_calls(text: str) -> list[PrintedCall]:
    """The calls of a text in tags, complete ones only: of a tag that is never closed nobody knows where it ends."""
    return [*_with_json(text), *_with_pairs(text), *_with_tags(text)] or list(_files(text))


def _with_json(text: str) -> Iterator[PrintedCall]:
    decoder = json.JSONDecoder(strict=False)
    for found in _WITH_JSON.finditer(text):
        try:
            value, _ = decoder.raw_decode(text, found.end())
        except (ValueError, RecursionError):
            continue
        yield PrintedCall(found["a"] or found["b"] or found["c"], value)


def _with_pairs(text: str) -> Iterator[PrintedCall]:
    for found in _PAIRED.finditer(text):
        values = between_tags(found["body"], _VALUE, _VALUE_END)
        yield PrintedCall(found["name"], {key["name"]: trimmed(value) for key, value in values})


def _with_tags(text: str) -> Iterator[PrintedCall]:
    for found, body in between_tags(text, _CALL, _CALL_END):
        given = between_tags(body.strip(), _ARGUMENT, _ARGUMENT_END)
        values = {argument["tag"]: _unescaped(trimmed(value)) for argument, value in given}
        if "content" in values:
            values["content"] = _unfenced(values["content"])
        if "path" in values:
            values["path"] = values["path"].strip()
        if values:
            yield PrintedCall(found["tag"], values)


def _files(text: str) -> Iterator[PrintedCall]:
    for found, body in between_tags(text, _FILE, _FILE_END):
        if path := _PATH.search(found["attributes"]):
            yield PrintedCall("write_file", {"path": path["path"], "content": _unfenced(body)})


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


def _unescaped(value: str) -> str:
    """Text whose marks are all escaped, as XML wants it and no program has it."""
    if not ENTITY.search(value) or "<" in value or "&" in ENTITY.sub("", value):
        return value
    return html.unescape(value)


def _unfenced(content: str) -> str:
    """A file's content without a fence around all of it."""
    fenced = _FENCED.match(content)
    return content if fenced is None else fenced["text"] or ""


def trimmed(value: str) -> str:
    """An argument's text stands on lines of its own between its tags."""
    return value.removeprefix("\r").removeprefix("\n").removesuffix("\n")
