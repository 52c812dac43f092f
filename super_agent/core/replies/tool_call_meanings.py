"""What a tool call that a model printed asks for: a file written or edited, something shown, or code to run."""

import json
import re
from collections.abc import Mapping
from typing import Any

from super_agent.core.replies.languages import RunLanguage, language_for, runs_as
from super_agent.core.replies.pasted_artifacts import without_double_escapes
from super_agent.core.replies.patches import is_patch, read_patch
from super_agent.core.replies.search_replace import read_sections
from super_agent.core.replies.tagged_tool_calls import PrintedCall
from super_agent.core.replies.types import BadBlock, CodeCall, FileBlock, SearchRequest, Section, ShowRequest
from super_agent.core.text import lines_of

Meaning = CodeCall | FileBlock | BadBlock | ShowRequest | SearchRequest
RUNNERS = frozenset(
    ("execute", "execute_code", "run", "run_code", "code_interpreter", "run_command", "execute_command", "run_shell",
     "run_shell_command", "run_terminal_cmd", "terminal", "exec", "command", "run_bash", "bash_command", "execute_bash",
     "run_python", "execute_python", "python_interpreter", "ipython", "local_shell", "shell_command", "execute_shell",
     "container.exec")
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
PATH_NAMES = ("path", "file_path", "filepath", "filename", "file", "target_file", "file_name", "absolute_path", "name")
_CONTENT = ("content", "contents", "file_text", "text", "code", "new_content", "data", "code_edit", "body")
_OLD = ("old_string", "old_str", "old_text", "old", "search", "find", "original", "oldString")
_NEW = ("new_string", "new_str", "new_text", "new", "replace", "replacement", "updated", "newString")


def is_about_files(call: PrintedCall) -> bool:
    """Whether a call writes or edits a file, by its name."""
    return _plain_name(call.name) in _WRITERS | _EDITORS | _PATCHERS


def meanings_of(call: PrintedCall) -> list[Meaning]:
    """What a call asks for, as far as that is certain; empty for a call that nothing here answers."""
    name, arguments = _plain_name(call.name), call.arguments
    patch = (
        text_in(arguments, ("patch", "input", "diff", "content")) if name in _PATCHERS else _patch_of_command(arguments)
    )
    lines = tuple((patch or "").split("\n"))
    if patch and is_patch(lines):
        return list(read_patch(lines, text_in(arguments, PATH_NAMES) or ""))
    meaning = _meaning(name, arguments, text_in(arguments, PATH_NAMES))
    return [] if meaning is None else [meaning]


def meaning_of(call: PrintedCall) -> Meaning | None:
    """The first of them."""
    return next(iter(meanings_of(call)), None)


def _plain_name(name: str) -> str:
    return re.split(r"\.|__", name.lower())[-1].replace("-", "_").replace(" ", "_")


def _patch_of_command(arguments: Mapping[str, Any]) -> str | None:
    """The patch that a command line hands to `apply_patch`, which is no program of this machine."""
    command = next((arguments[k] for k in ("command", "cmd") if k in arguments), None)
    words = command if isinstance(command, list) else [command]
    text = words[-1] if words and isinstance(words[-1], str) else ""
    begin, end = text.find("*** Begin Patch"), text.rfind("*** End Patch")
    called = words[:1] == ["apply_patch"] or text.lstrip().startswith("apply_patch")
    return text[begin : end + len("*** End Patch")] if called and 0 <= begin < end else None


def _meaning(name: str, arguments: Mapping[str, Any], path: str | None) -> Meaning | None:
    command = str(arguments.get("command", arguments.get("action", "")))
    edits = name in _EDITORS or command in ("str_replace", "create", "view")
    if path and edits and (edit := _edit(path, arguments)) is not None:
        return edit
    if path and (name in _WRITERS or command in ("create", "write")):
        content = _content(path, arguments)
        return None if content is None else FileBlock(path.removeprefix("./"), _ended(content))
    if path and (name in _READERS or command == "view"):
        return ShowRequest(path.removeprefix("./"))
    if name in _SEARCHERS and (wanted := (text_in(arguments, _PATTERN) or "").strip()):
        return SearchRequest(wanted, text_in(arguments, ("path", "directory", "dir", "folder")) or "")
    return _code(name, arguments)


def _edit(path: str, arguments: Mapping[str, Any]) -> FileBlock | BadBlock | None:
    """One replacement, a list of them, or the sections of a text."""
    old, new = text_in(arguments, _OLD), text_in(arguments, _NEW)
    if old is not None and new is not None:
        return FileBlock(path, "", (Section(_ended(old), _ended(new)),)) if old else FileBlock(path, _ended(new))
    several = arguments.get("edits")
    if isinstance(several, list) and several and all(isinstance(each, dict) for each in several):
        pairs = [(text_in(each, _OLD), text_in(each, _NEW)) for each in several]
        if all(a and b is not None for a, b in pairs):
            return FileBlock(path, "", tuple(Section(_ended(a or ""), _ended(b or "")) for a, b in pairs))
    text = text_in(arguments, ("diff", "content"))
    sections, problem = read_sections(tuple(lines_of(text))) if text is not None else ((), "")
    if problem:
        return BadBlock(path, problem)
    return FileBlock(path, "", sections) if sections else None


def _content(path: str, arguments: Mapping[str, Any]) -> str | None:
    """A file's content as a text, as a list of its lines, or, of a JSON file, as its data."""
    text = text_in(arguments, _CONTENT)
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
    language = runs_as(name)
    if language is None and name in RUNNERS:
        asked = arguments.get("language", arguments.get("lang"))
        by_key: RunLanguage | None = "shell" if "command" in arguments or "cmd" in arguments else None
        by_key = "python" if "python" in name else by_key
        language = runs_as(str(asked)) if asked is not None else by_key
    if language is None or not isinstance(code, str) or not code.strip():
        return None
    return CodeCall(language, _whole_characters(code))


def text_in(arguments: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """The first argument of these names that is a text."""
    found = next((arguments[n] for n in names if isinstance(arguments.get(n), str)), None)
    return None if found is None else _whole_characters(found)


def _whole_characters(text: str) -> str:
    """JSON can hold half a surrogate pair, which no file, pipe or terminal takes."""
    return text.encode("utf-8", "replace").decode()


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
