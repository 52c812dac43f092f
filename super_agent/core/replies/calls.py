"""Tool calls that a model prints as text, in the dressings that models were trained on, and what they ask for."""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from super_agent.core.replies.definitions import MAX_CHARS
from super_agent.core.replies.languages import language_for, language_of
from super_agent.core.replies.lines import lines_of
from super_agent.core.replies.markup_calls import MARK, Call, markup_calls, trimmed
from super_agent.core.replies.pasted import without_double_escapes
from super_agent.core.replies.patches import is_patch, read_patch
from super_agent.core.replies.paths import looks_like_path
from super_agent.core.replies.sections import read_sections
from super_agent.core.replies.shown import line_above, shows
from super_agent.core.replies.tags import between_tags
from super_agent.core.replies.types import BadBlock, CodeCall, FileBlock, SearchRequest, Section, ShowRequest

Meaning = CodeCall | FileBlock | BadBlock | ShowRequest | SearchRequest
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
_QUOTED = re.compile(rf"(?<!`)`(?={_MARK.pattern})[^`\n]*`(?!`)")
"""A call between backticks in a sentence is spoken of."""
RUNNERS = frozenset(
    ("execute", "execute_code", "run", "run_code", "code_interpreter", "run_command", "execute_command", "run_shell",
     "run_shell_command", "run_terminal_cmd", "terminal", "exec", "command", "run_bash", "bash_command", "execute_bash",
     "run_python", "execute_python", "python_interpreter", "ipython", "local_shell", "shell_command", "execute_shell")
)  # fmt: skip
"""Names under which models call for code to be run, beside those of the languages."""
_WRITERS = frozenset(
    ("write", "write_file", "create_file", "write_to_file", "save_file", "create", "new_file", "file_write",
     "overwrite_file", "writefile", "createfile", "put_file", "update_file", "edit_file")
)  # fmt: skip
_EDITORS = frozenset(
    ("edit", "str_replace", "replace_in_file", "search_replace", "edit_file", "replace", "str_replace_editor",
     "str_replace_based_edit_tool", "search_and_replace", "update_file", "replace_string_in_file", "apply_diff",
     "multi_edit", "multiedit", "multi_edit_file")
)  # fmt: skip
_PATCHERS = frozenset(("apply_patch", "patch", "apply_diff", "patch_file"))
_READERS = frozenset(("read", "read_file", "view", "view_file", "open_file", "cat", "show", "show_file"))
_SEARCHERS = frozenset(
    ("search", "grep", "grep_search", "search_files", "search_code", "code_search", "find_in_files", "ripgrep",
     "search_file_content", "search_text", "search_in_files", "codebase_search")
)  # fmt: skip
_PATTERN = ("pattern", "query", "text", "regex", "search", "keyword", "term", "search_term")
_PATH = ("path", "file_path", "filepath", "filename", "file", "target_file", "file_name", "absolute_path", "name")
_CONTENT = ("content", "contents", "file_text", "text", "code", "new_content", "data", "code_edit", "body")
_OLD = ("old_string", "old_str", "old_text", "old", "search", "find", "original", "oldString")
_NEW = ("new_string", "new_str", "new_text", "new", "replace", "replacement", "updated", "newString")


_JSON_CALL = re.compile(r"^\{\s*\"(?:name|tool|tool_name|function|action|type)\"\s*:", re.MULTILINE)


def looks_like_call(text: str) -> bool:
    """Whether a text holds a mark that only printed calls have."""
    text = _QUOTED.sub("", text)
    return _MARK.search(text) is not None or MARK.search(text) is not None


def printed_calls(text: str) -> list[Call]:
    """The calls of a reply that is one, or holds some in the tags that models are trained on; else none."""
    found: list[Call] = []
    text = _QUOTED.sub("", text)
    if _MARK.search(text):
        for m in _XML.finditer(text):
            values = {p["name"]: trimmed(p["value"]) for p in _XML_PARAMETER.finditer(m["body"])}
            found += [Call(m["name"], values)] if values else []
        for m in _INVOKE.finditer(text):
            given = between_tags(m["body"], _INVOKE_PARAMETER, _INVOKE_PARAMETER_END)
            values = {parameter["name"]: trimmed(value) for parameter, value in given}
            found += [Call(m["name"], values)] if values else []
        if not found:
            for m in _TAGGED.finditer(text):
                found += calls_in_json(m["call"])
        for pattern in (_LISTED, _CHANNEL, _DEEPSEEK):
            if not found:
                for m in pattern.finditer(text):
                    found += (
                        [Call(m["name"], a) for a in _values(m["json"]) if isinstance(a, dict)]
                        if m["name"]
                        else calls_in_json(m["json"])
                    )
    return found or markup_calls(text) or calls_in_json(text)


def calls_beside_prose(text: str) -> list[Call]:
    """The calls that stand in a text as JSON, each from the beginning of a line."""
    found: list[Call] = []
    decoder = json.JSONDecoder(strict=False)
    for begin in _JSON_CALL.finditer(text):
        if shows(line_above(text, begin.start())):
            continue
        try:
            found += _calls_of(decoder.raw_decode(text, begin.start())[0], 0)
        except (ValueError, RecursionError):
            continue
    return found


def is_about_files(call: Call) -> bool:
    """Whether a call writes or edits a file, by its name."""
    return _plain_name(call.name) in _WRITERS | _EDITORS | _PATCHERS


def as_printed(text: str, calls: Iterable[tuple[str, str]]) -> str:
    """A reply with calls (name, arguments as JSON) that a server took out of it although no tools were offered."""
    printed = [f'<tool_call>\n{{"name": {json.dumps(n)}, "arguments": {a or "{}"}}}\n</tool_call>' for n, a in calls]
    return "\n".join([*([text] if text.strip() else []), *printed]) if printed else text


def calls_in_json(text: str) -> list[Call]:
    """The calls of a JSON object or list that is all the text holds; none for other data."""
    if text.lstrip()[:1] not in ("{", "["):
        return []
    found: list[Call] = []
    for value in _values(text):
        found += _calls_of(value, 0)
    return found


def meanings_of(call: Call) -> list[Meaning]:
    """What a call asks for, as far as that is certain; empty for a call that nothing here answers."""
    name, arguments = _plain_name(call.name), call.arguments
    patch = (
        _text(arguments, ("patch", "input", "diff", "content")) if name in _PATCHERS else _patch_of_command(arguments)
    )
    lines = tuple((patch or "").split("\n"))
    if patch and is_patch(lines):
        return list(read_patch(lines, _text(arguments, _PATH) or ""))
    meaning = _meaning(name, arguments, _text(arguments, _PATH))
    return [] if meaning is None else [meaning]


def meaning_of(call: Call) -> Meaning | None:
    """The first of them."""
    return next(iter(meanings_of(call)), None)


def _plain_name(name: str) -> str:
    return name.lower().removeprefix("functions.").replace("-", "_").replace(" ", "_")


def _patch_of_command(arguments: Mapping[str, Any]) -> str | None:
    """The patch that a command line hands to `apply_patch`, which is no program of this machine."""
    command = next((arguments[k] for k in ("command", "cmd") if k in arguments), None)
    words = command if isinstance(command, list) else [command]
    text = words[-1] if words and isinstance(words[-1], str) else ""
    begin, end = text.find("*** Begin Patch"), text.rfind("*** End Patch")
    called = words[:1] == ["apply_patch"] or text.lstrip().startswith("apply_patch")
    return text[begin : end + len("*** End Patch")] if called and 0 <= begin < end else None


def _meaning(name: str, arguments: Mapping[str, Any], path: str | None) -> Meaning | None:
    command = str(arguments.get("command", ""))
    edits = name in _EDITORS or command in ("str_replace", "create", "view")
    if path and edits and (edit := _edit(path, arguments)) is not None:
        return edit
    if path and (name in _WRITERS or command == "create"):
        content = _content(path, arguments)
        return None if content is None else FileBlock(path.removeprefix("./"), _ended(content))
    if path and (name in _READERS or command == "view"):
        return ShowRequest(path.removeprefix("./"))
    if name in _SEARCHERS and (wanted := (_text(arguments, _PATTERN) or "").strip()):
        return SearchRequest(wanted, _text(arguments, ("path", "directory", "dir", "folder")) or "")
    return _code(name, arguments)


def _edit(path: str, arguments: Mapping[str, Any]) -> FileBlock | BadBlock | None:
    """One replacement, a list of them, or the sections of a text."""
    old, new = _text(arguments, _OLD), _text(arguments, _NEW)
    if old is not None and new is not None:
        return FileBlock(path, "", (Section(_ended(old), _ended(new)),)) if old else FileBlock(path, _ended(new))
    several = arguments.get("edits")
    if isinstance(several, list) and several and all(isinstance(each, dict) for each in several):
        pairs = [(_text(each, _OLD), _text(each, _NEW)) for each in several]
        if all(a and b is not None for a, b in pairs):
            return FileBlock(path, "", tuple(Section(_ended(a or ""), _ended(b or "")) for a, b in pairs))
    text = _text(arguments, ("diff", "content"))
    sections, problem = read_sections(tuple(lines_of(text))) if text is not None else ((), "")
    if problem:
        return BadBlock(path, problem)
    return FileBlock(path, "", sections) if sections else None


def _content(path: str, arguments: Mapping[str, Any]) -> str | None:
    """A file's content as a text, as a list of its lines, or, of a JSON file, as its data."""
    text = _text(arguments, _CONTENT)
    if text is not None:
        return without_double_escapes(text, language_for(path))
    data = arguments.get("content")
    if path.endswith(".json") and isinstance(data, dict | list):
        return json.dumps(data, indent=2, ensure_ascii=False)
    if isinstance(data, list) and data and all(isinstance(line, str) for line in data):
        return "\n".join(line.removesuffix("\n") for line in data)
    return None


def _code(name: str, arguments: Mapping[str, Any]) -> CodeCall | None:
    code = next((arguments[k] for k in ("code", "command", "cmd", "script", "source", "input") if k in arguments), None)
    if isinstance(code, list) and all(isinstance(part, str) for part in code):
        code = code[-1] if code[:2] in (["bash", "-lc"], ["bash", "-c"], ["sh", "-c"]) else " ".join(code)
    language = _runs(name)
    if language is None and name in RUNNERS:
        asked = arguments.get("language", arguments.get("lang"))
        by_key = "python" if "python" in name else "shell" if "command" in arguments or "cmd" in arguments else None
        language = _runs(str(asked)) if asked is not None else by_key
    if language is None or not isinstance(code, str) or not code.strip():
        return None
    return CodeCall(language, _whole_characters(code))


def _runs(name: str) -> str | None:
    low = language_of(name)
    if low in ("python", "ipython"):
        return "python"
    return "shell" if low in ("shell", "bash", "sh", "zsh", "console", "shell-session") else None


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
    try:
        yield ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return


def _calls_of(value: Any, depth: int) -> list[Call]:
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
        (value[k] for k in ("name", "function", "tool", "tool_name", "action") if isinstance(value.get(k), str)), None
    )
    arguments = next(
        (value[k] for k in ("arguments", "parameters", "args", "input", "action_input", "params") if k in value), None
    )
    arguments = _parsed(arguments)
    if isinstance(name, str) and isinstance(arguments, dict):
        return [Call(name, arguments)]
    if name is None and _text(value, _PATH[:-1]) and isinstance(value.get("content"), str) and len(value) <= 3:
        return [Call("write_file", value)]
    return []


def _parsed(arguments: Any) -> Any:
    """Arguments that are JSON in a text; None where they are not."""
    if not isinstance(arguments, str):
        return arguments
    try:
        return json.loads(arguments, strict=False)
    except (ValueError, RecursionError):
        return None


def _files_of(files: Mapping[str, Any] | list[Any]) -> list[Call]:
    """A list of files, or an object that holds each text by its path."""
    if isinstance(files, list):
        return [call for each in files for call in _calls_of(each, 3)]
    if not all(isinstance(text, str) and looks_like_path(path) for path, text in files.items()):
        return []
    return [Call("write_file", {"path": path, "content": text}) for path, text in files.items()]


def _text(arguments: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    found = next((arguments[n] for n in names if isinstance(arguments.get(n), str)), None)
    return None if found is None else _whole_characters(found)


def _whole_characters(text: str) -> str:
    """JSON can hold half a surrogate pair, which no file, pipe or terminal takes."""
    return text.encode("utf-8", "replace").decode()


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
