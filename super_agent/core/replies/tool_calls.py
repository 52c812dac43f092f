"""Tool calls that a model prints as text, in the dressings that models were trained on."""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from super_agent.core.replies.definitions import MAX_CHARS, parses
from super_agent.core.replies.line_above import line_above, shows
from super_agent.core.replies.paths import looks_like_path
from super_agent.core.replies.tagged_tool_calls import MARK, PrintedCall, between_tags, markup_calls, trimmed
from super_agent.core.replies.tool_call_meanings import PATH_NAMES, text_in

_TAGGED = re.compile(
    r"(?:<tool_call>|<function_call>|<\|tool_call\|>|<\|python_tag\|>|<tool_use>)\s*(?P<call>.*?)\s*"
    r"(?:</tool_call>|</function_call>|<\|/tool_call\|>|</tool_use>|<\|eom_id\|>|\Z)",
    re.DOTALL,
)
_XML = re.compile(r"<function=\"?(?P<name>[\w.-]+)\"?\s*>(?P<body>.*?)(?:</function>|</tool_call>|\Z)", re.DOTALL)
_XML_PARAMETER = re.compile(
    r"<parameter=\"?(?P<name>[\w.-]+)\"?\s*>(?P<value>.*?)"
    r"(?:</parameter>(?=\s*(?:<parameter=|</function>|</tool_call>|\Z))|(?=<parameter=))",
    re.DOTALL,
)
_INVOKE = re.compile(r"<invoke name=\"(?P<name>[\w.-]+)\"\s*>(?P<body>.*?)(?:</invoke>|\Z)", re.DOTALL)
_INVOKE_PARAMETER = re.compile(r"<(?P<tag>parameter) name=\"(?P<name>[\w.-]+)\"[^<>]*>")
_INVOKE_PARAMETER_END = re.compile(r"</(?P<tag>parameter)>")
_LISTED = re.compile(r"\[TOOL_CALLS\]\s*(?:(?P<name>[\w.-]+)\s*(?:\[ARGS\])?\s*(?=\{))?(?P<json>[\[{].*)", re.DOTALL)
_CHANNEL = re.compile(
    r"to=(?:functions\.)?(?P<name>[\w.-]+).{0,80}?<\|message\|>"
    r"(?P<json>\{(?:(?!<\|message\|>).)*?\})\s*(?:<\|call\|>|\Z)",
    re.DOTALL,
)
_DEEPSEEK = re.compile(
    r"<｜tool▁call▁begin｜>(?:function<｜tool▁sep｜>)?(?P<name>[\w.-]+)\s*(?:<｜tool▁sep｜>)?\s*(?:```json)?\s*"
    r"(?P<json>\{(?:(?!<｜tool▁call▁begin｜>).)*?\})\s*(?:```)?\s*<｜tool▁call▁end｜>",
    re.DOTALL,
)
_MARK = re.compile(
    r"</?tool_call>|<function=|<invoke name=|\[TOOL_CALLS\]|<function_call>|<\|tool_call\|>|<\|python_tag\|>|<tool_use>"
    r"|<｜tool▁call|<\|channel\|>commentary to="
)
_JSON_CALL = re.compile(
    r"^(?:\[\s*)?\{\s*\"(?:name|tool|tool_name|function|action|type|tool_calls|files|path|file|file_?path|file_?name|command"
    r"|recipient_name|thoughts?|reasoning|explanation)\"\s*:",
    re.MULTILINE,
)
MAX_KEYS = 4
"""Of an object that is a file: path, text, language and one more."""
_TEXTS = ("content", "contents", "file_text", "code")
_QUOTED = re.compile(rf"(?<!`)`(?={_MARK.pattern})[^`\n]*`(?!`)")
"""A call between backticks in a sentence is spoken of."""


def looks_like_call(text: str) -> bool:
    """Whether a text holds a mark that only printed calls have."""
    text = _QUOTED.sub("", text)
    return _MARK.search(text) is not None or MARK.search(text) is not None


def printed_calls(text: str) -> list[PrintedCall]:
    """The calls of a reply that is one, or holds some in the tags that models are trained on; else none."""
    found: list[PrintedCall] = []
    text = _QUOTED.sub("", text)
    if _MARK.search(text):
        for m in _XML.finditer(text):
            values = {p["name"]: trimmed(p["value"]) for p in _XML_PARAMETER.finditer(m["body"])}
            found += [PrintedCall(m["name"], values)] if values else []
        for m in _INVOKE.finditer(text):
            given = between_tags(m["body"], _INVOKE_PARAMETER, _INVOKE_PARAMETER_END)
            values = {parameter["name"]: trimmed(value) for parameter, value in given}
            found += [PrintedCall(m["name"], values)] if values else []
        if not found:
            for m in _TAGGED.finditer(text):
                found += calls_in_json(m["call"])
        for pattern in (_LISTED, _CHANNEL, _DEEPSEEK):
            if not found:
                for m in pattern.finditer(text):
                    found += (
                        [PrintedCall(m["name"], a) for a in _values(m["json"]) if isinstance(a, dict)]
                        if m["name"]
                        else calls_in_json(m["json"])
                    )
    return found or markup_calls(text) or calls_in_json(text)


def calls_beside_prose(text: str) -> list[PrintedCall]:
    """The calls that stand in a text as JSON, each from the beginning of a line."""
    found: list[PrintedCall] = []
    decoder = json.JSONDecoder(strict=False)
    for begin in _JSON_CALL.finditer(text):
        if shows(line_above(text, begin.start())):
            continue
        try:
            found += _calls_of(decoder.raw_decode(text, begin.start())[0], 0)
        except (ValueError, RecursionError):
            continue
    return found


def as_printed(text: str, calls: Iterable[tuple[str, str]]) -> str:
    """A reply with calls (name, arguments as JSON) that a server took out of it although no tools were offered."""
    printed = [f'<tool_call>\n{{"name": {json.dumps(n)}, "arguments": {a or "{}"}}}\n</tool_call>' for n, a in calls]
    return "\n".join([*([text] if text.strip() else []), *printed]) if printed else text


def calls_in_json(text: str) -> list[PrintedCall]:
    """The calls of a JSON object or list that is all the text holds; none for other data."""
    if text.lstrip()[:1] not in ("{", "["):
        return []
    found: list[PrintedCall] = []
    for value in _values(text):
        found += _calls_of(value, 0)
    return found


def _values(text: str) -> Iterator[Any]:
    """Each JSON value of a text that holds nothing else, one after the other."""
    decoder = json.JSONDecoder(strict=False)  # line breaks inside strings are common in them
    position = 0
    found: list[Any] = []
    text = text.strip()
    while position < len(text):
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            if not found:
                break
            # Some models close one bracket too many, or add the tag's end.
            if text[position:].strip().strip("]}") not in ("", "</tool_call>"):
                return
            break
        found.append(value)
        while position < len(text) and text[position] in " \t\r\n,;":
            position += 1
    yield from found or _python_literal(text)


def _python_literal(text: str) -> Iterator[Any]:
    """An object as Python writes it: single quotes, or a text in three of them."""
    if not text.startswith("{") or len(text) > MAX_CHARS:
        return
    for quotes in ('"""', "'''"):
        raw = re.sub(rf"(?<!r){quotes}(?=.*?{quotes})", f"r{quotes}", text, count=1, flags=re.DOTALL)
        if raw != text and "\\" in text and (value := _evaluated(raw)) is not None and _is_python(value):
            yield value  # escapes in it are those of the file
            return
    if (value := _evaluated(text)) is not None:
        yield value


def _evaluated(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None


def _is_python(value: Any) -> bool:
    """Whether all that the calls of a value write is Python."""
    texts = [text_in(call.arguments, _TEXTS) for call in _calls_of(value, 0)]
    return bool(texts) and all(text is not None and parses(text) for text in texts)


def _calls_of(value: Any, depth: int) -> list[PrintedCall]:
    if depth > 3:
        return []
    if isinstance(value, list):
        return [call for item in value for call in _calls_of(item, depth + 1)]
    if not isinstance(value, dict):
        return []
    if isinstance(value.get("tool_calls"), list):
        return _calls_of(value["tool_calls"], depth + 1)
    if isinstance(files := value.get("files"), dict | list) and len(value) <= 3:
        return _files_of(files)
    if isinstance(value.get("function"), dict):
        return _calls_of(value["function"], depth + 1)
    name = next(
        (
            value[k]
            for k in ("name", "function", "tool", "tool_name", "recipient_name", "action")
            if isinstance(value.get(k), str)
        ),
        None,
    )
    arguments = next(
        (
            value[k]
            for k in ("arguments", "parameters", "args", "input", "tool_input", "action_input", "params")
            if k in value
        ),
        None,
    )
    arguments = _parsed(arguments)
    if isinstance(name, str) and isinstance(arguments, dict):
        return [PrintedCall(name, arguments)]
    if name is None and len(value) <= MAX_KEYS and text_in(value, PATH_NAMES[:-1]) and _has_text(value):
        return [PrintedCall("write_file", value)]
    return _files_of(value) if value and all(isinstance(v, str) and "\n" in v for v in value.values()) else []


def _parsed(arguments: Any) -> Any:
    """Arguments that are JSON in a text; None where they are not."""
    if not isinstance(arguments, str):
        return arguments
    try:
        return json.loads(arguments, strict=False)
    except (ValueError, RecursionError):
        return None


def _has_text(file: Mapping[str, Any]) -> bool:
    """Whether it holds the text of a file: under the usual key, or lines, as `"code": "E501"` of a report is none."""
    return isinstance(file.get("content"), str) or "\n" in (text_in(file, _TEXTS) or "")


def _with_path(file: Any) -> Any:
    """A file of a list that has its path as its name, with it as its path; anything else as it is."""
    if (
        isinstance(file, dict)
        and isinstance(file.get("name"), str)
        and looks_like_path(file["name"])
        and _has_text(file)
    ):
        return {"path": file["name"], **{key: value for key, value in file.items() if key != "name"}}
    return file


def _files_of(files: Mapping[str, Any] | list[Any]) -> list[PrintedCall]:
    """A list of files, or an object that holds each text by its path."""
    if isinstance(files, list):
        return [call for each in files for call in _calls_of(_with_path(each), 3)]
    if not all(isinstance(text, str) and looks_like_path(path) for path, text in files.items()):
        return []
    return [PrintedCall("write_file", {"path": path, "content": text}) for path, text in files.items()]
