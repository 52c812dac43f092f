"""What the team sees of the workspace at the start: a bounded listing, and the text of the files the task names."""

import re
from collections.abc import Collection

from super_agent.core.edits.stubs import stubbed
from super_agent.core.errors import PathRefused
from super_agent.core.files.ignored import visible_files
from super_agent.core.files.workspace import Workspace
from super_agent.core.replies.languages import language_for
from super_agent.core.replies.paths import is_test
from super_agent.core.sanitize import printable_path
from super_agent.core.text import clipped
from super_agent.team.repository_map import repository_map

MAX_PATH_CHARS = 200
"""Longer ones are of folders nested by mistake; 120 of them would fill a small context."""
FEW_FILES = 12
"""A workspace of so few is shown whole where it fits; in a larger one the coder asks for what it needs."""
PROJECT_NOTES = "AGENTS.md"
"""Of this name are texts that steer agents, which the user decides about; shown as a file where the task names one."""
MAX_FILES = 120
"""Listed by name; a model gains little from more, and each costs about 8 tokens."""


def describe(
    workspace: Workspace,
    task: str,
    max_named_chars: int,
    check: str = "",
    *,
    max_map_chars: int = 0,
    stubs: Collection[str] = (),
) -> str:
    """The listing and the files that the coder needs as one text for the opening message; the latter bounded together.

    They are what the task names, then what `check` does (the command and its output), and in a small workspace all
    other sources, as long as they fit whole. In a larger one ignored files are not listed, and a map tells what those
    define that are not shown.
    `stubs` are functions that are shown without their bodies.
    """
    everything, links = workspace.files_and_links()
    paths = _worth_listing(workspace, everything)
    if not everything and not links:
        return "The workspace is empty."
    all_paths = sorted([*paths, *links], key=lambda path: path.split("/"))
    shown = [path for path in all_paths if len(path) <= MAX_PATH_CHARS][:MAX_FILES]
    more = f"\n… and {len(all_paths) - len(shown)} more" if len(all_paths) > len(shown) else ""
    parts = ["The workspace holds:\n" + "\n".join(_listed(workspace, path, path in links) for path in shown) + more]
    through_links = _named_through_links(workspace, task, paths, links)
    named = list(dict.fromkeys([*named_files(task, paths), *named_files(task, everything), *through_links]))
    parts += [text_of(workspace, path, max_named_chars // len(named), stubs) for path in named]
    room = max_named_chars - sum(len(part) for part in parts[1:])
    others = [path for path in named_files(check, paths) if path not in named]
    if len(paths) <= FEW_FILES:
        others += [path for path in paths if path not in (*named, *others) and language_for(path)]
    for path in (path for path in others if path.rsplit("/", 1)[-1] != PROJECT_NOTES):
        text = text_of(workspace, path, max_named_chars, stubs)
        if len(text) <= room:
            parts.append(text)
            room -= len(text)
            named.append(path)
    if len(paths) > FEW_FILES and (drawn := repository_map(workspace, task, check, max_map_chars, named)):
        parts.insert(1, drawn)
    return "\n\n".join(parts)


def suspects_in(workspace: Workspace, task: str, failure: str) -> dict[str, str]:
    """The Python sources that `describe` shows, by path: what the check's output names may be wrong there."""
    paths = _worth_listing(workspace, list(workspace.files()))
    if len(paths) > FEW_FILES:
        paths = [*named_files(task, paths), *named_files(failure, paths)]
    texts = {path: _read(workspace, path) for path in paths if _may_be_wrong(path)}
    return {path: text for path, text in texts.items() if text is not None}


def _worth_listing(workspace: Workspace, paths: list[str]) -> list[str]:
    """Of more than a few files those that are not ignored; what builds leave behind would push out the sources."""
    return visible_files(workspace, with_hidden=True) if len(paths) > FEW_FILES else paths


def named_files(task: str, paths: list[str]) -> list[str]:
    """The files that the task names by their path, or by a name that only one of them has; at most 8."""
    words = _words(task)
    by_name: dict[str, list[str]] = {}
    for path in paths:
        by_name.setdefault(path.rsplit("/", 1)[-1], []).append(path)
    unique = {same[0] for name, same in by_name.items() if name in words and len(same) == 1}
    return [path for path in paths if path in words or path in unique][:8]


def _named_through_links(workspace: Workspace, task: str, paths: list[str], links: list[str]) -> list[str]:
    """The files that the task means by a path that is, or leads through, a symbolic link; at most 8."""
    named = set(named_files(task, links))
    named |= {word for word in _words(task) if any(word.startswith(f"{link}/") for link in links)}
    meant = {link.leads_to for path in named if (link := workspace.link_on(path))}
    return [path for path in paths if path in meant][:8]


def _words(task: str) -> set[str]:
    words = set(re.findall(r"[\w./+-]+", task))
    return words | {word.rstrip(".,:;!?") for word in words}


def _listed(workspace: Workspace, path: str, linked: bool) -> str:
    link = workspace.link_on(path) if linked else None
    if link is None:
        return path
    return f"{path} -> {printable_path(link.leads_to or link.target)}" + ("" if link.leads_to else " (not read)")


def text_of(workspace: Workspace, path: str, limit_chars: int, stubs: Collection[str] = ()) -> str:
    """A file as the team reads it: its path and, in a fence, head and tail of its text, perhaps with `stubs`."""
    try:
        text = workspace.read_text(path)
    except PathRefused as refusal:
        return f"{path} is not shown: {refusal}."
    if text is None:
        return f"{path} does not exist any more."
    text = stubbed(text, stubs) if stubs and _may_be_wrong(path) else text
    shown = clipped(text.rstrip("\n"), limit_chars, f"a show block with {path} and a range of lines shows them")
    return f"{path}:\n````\n{shown}\n````"


def _may_be_wrong(path: str) -> bool:
    return language_for(path) == "python" and not is_test(path)


def _read(workspace: Workspace, path: str) -> str | None:
    try:
        return workspace.read_text(path)
    except PathRefused:
        return None
