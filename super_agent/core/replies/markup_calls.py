"""Calls that a model prints as tags of other tools, each argument a tag or an attribute of its own."""

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """A call by its name and arguments, as printed."""

    name: str
    arguments: Mapping[str, Any]


_NAMES = (
    "write_to_file|write_file|create_file|new_file|save_file|replace_in_file|apply_diff|edit_file|read_file"
    "|search_files|execute_command"
)
_ARGUMENTS = "path|file_path|content|diff|regex|pattern|search|replace|command|requires_approval"
_TAGGED = re.compile(rf"^[ \t]*<(?P<name>{_NAMES})>[ \t]*\n?(?P<body>.*?)</(?P=name)>[ \t]*$", re.DOTALL | re.MULTILINE)
_ARGUMENT = re.compile(
    rf"<(?P<name>{_ARGUMENTS})>(?P<value>.*?)</(?P=name)>(?=\s*(?:<(?:{_ARGUMENTS})>|\Z))", re.DOTALL
)
_FILE = re.compile(
    r"^[ \t]*(?:<boltArtifact[^>]*>\s*)?<(?P<tag>file|create_file|write_file|boltAction)\b"
    r"(?P<attributes>[^>]*)>[ \t]*\n(?P<body>.*?)^[ \t]*</(?P=tag)>",
    re.DOTALL | re.MULTILINE,
)
_PATH = re.compile(r"\b(?:path|filePath|file_path|name|filename|file)=[\"'](?P<path>[^\"']+)[\"']")
_PAIRS = re.compile(r"<arg_key>\s*(?P<name>[\w.-]+)\s*</arg_key>\s*<arg_value>(?P<value>.*?)</arg_value>", re.DOTALL)
_PAIRED = re.compile(r"<tool_call>\s*(?P<name>[\w.-]+)\s*(?P<body><arg_key>.*?)(?:</tool_call>|\Z)", re.DOTALL)
_WITH_JSON = re.compile(
    r"(?:<function=\"?(?P<a>[\w.-]+)\"?\s*>|^>>>(?P<b>[\w.-]+)\n|<\|recipient\|>\s*(?P<c>[\w.-]+)\s*<\|content\|>)\s*(?=\{)",
    re.MULTILINE,
)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|#39|#x27);")
_FENCED = re.compile(r"\A\s*(?P<fence>`{3,}|~{3,})[^\n`]*\n(?P<text>.*\n)?(?P=fence)\s*\Z", re.DOTALL)
MARK = re.compile(
    rf"^[ \t]*<(?:{_NAMES})>|<arg_key>|^>>>[\w.-]+\n\{{|<\|recipient\|>"
    r"|^[ \t]*(?:<boltArtifact[^>]*>\s*)?<(?:file|create_file|write_file|boltAction)\s[^>]*(?:path|name|filePath)=",
    re.MULTILINE,
)


def markup_calls(text: str) -> list[Call]:
    """The calls of a text in tags, complete ones only: of a tag that is never closed nobody knows where it ends."""
    return [*_with_json(text), *_with_pairs(text), *_with_tags(text)] or list(_files(text))


def _with_json(text: str) -> Iterator[Call]:
    decoder = json.JSONDecoder(strict=False)
    for found in _WITH_JSON.finditer(text):
        try:
            value, _ = decoder.raw_decode(text, found.end())
        except (ValueError, RecursionError):
            continue
        yield Call(found["a"] or found["b"] or found["c"], value)


def _with_pairs(text: str) -> Iterator[Call]:
    for found in _PAIRED.finditer(text):
        yield Call(found["name"], {pair["name"]: trimmed(pair["value"]) for pair in _PAIRS.finditer(found["body"])})


def _with_tags(text: str) -> Iterator[Call]:
    for found in _TAGGED.finditer(text):
        values = {
            each["name"]: _unescaped(trimmed(each["value"])) for each in _ARGUMENT.finditer(found["body"].strip())
        }
        if "content" in values:
            values["content"] = _unfenced(values["content"])
        if "path" in values:
            values["path"] = values["path"].strip()
        if values:
            yield Call(found["name"], values)


def _files(text: str) -> Iterator[Call]:
    for found in _FILE.finditer(text):
        if path := _PATH.search(found["attributes"]):
            yield Call("write_file", {"path": path["path"], "content": _unfenced(found["body"])})


def _unescaped(value: str) -> str:
    """Text whose marks are all escaped, as XML wants it and no program has it."""
    if not _ENTITY.search(value) or "<" in value or "&" in _ENTITY.sub("", value):
        return value
    return html.unescape(value)


def _unfenced(content: str) -> str:
    """A file's content without a fence around all of it."""
    fenced = _FENCED.match(content)
    return content if fenced is None else fenced["text"] or ""


def trimmed(value: str) -> str:
    """An argument's text stands on lines of its own between its tags."""
    return value.removeprefix("\r").removeprefix("\n").removesuffix("\n")
