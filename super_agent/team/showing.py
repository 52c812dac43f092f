"""What the coder asks to see: files, lines of them, places of a definition, and answers to searches."""

import re
from dataclasses import dataclass, field

from super_agent.core.errors import PathRefused
from super_agent.core.files.search import Found, chosen, search, search_for, time_budget
from super_agent.core.files.workspace import Workspace
from super_agent.core.replies.languages import CODE_LANGUAGES, language_for
from super_agent.core.replies.outline import definition_of
from super_agent.core.replies.types import SearchRequest, ShowRequest
from super_agent.core.sanitize import printable_path
from super_agent.core.text import clipped
from super_agent.core.time_budget import TimeBudget

Request = ShowRequest | SearchRequest
MAX_LINES = 30
"""Lines of one answer; what more of them hold is found by a longer text."""
MAX_PATH_CHARS = 400
"""Of what could be a name of anything."""
DEFINITION_LINES = 40
"""Shown of a definition that is asked for by its name: about one screen."""
_NAMED = re.compile(r"^(?:(?:async\s+)?[a-z]+\s+){0,2}(?:[\w.]*[.:])?(?P<name>[A-Za-z_]\w*)\s*(?:\(.*)?:?$")
"""A name as models ask for it: `price_of`, `def price_of(item):`, `class Cart`, `shop.Cart.total()`."""


@dataclass(slots=True)
class Showing:
    """Answers the requests of one reply; `max_chars` bounds all answers together."""

    workspace: Workspace
    max_chars: int
    _budget: TimeBudget = field(default_factory=time_budget)
    """Of all searches for one reply."""

    def answers(self, requests: tuple[Request, ...]) -> list[str]:
        """One text for each request, in their order."""
        self._budget = time_budget()
        share = self.max_chars // max(1, len(requests))
        return [
            self._searched(request, share) if isinstance(request, SearchRequest) else self._shown(request, share)
            for request in requests
        ]

    def _shown(self, request: ShowRequest, share: int) -> str:
        try:
            text = self.workspace.read_text(request.path)
        except PathRefused as refusal:
            return self._elsewhere(request, share) or f"cannot show {request.path}: {refusal}."
        if text is None:
            return self._elsewhere(request, share) or f"{request.path} does not exist."
        lines = text.splitlines()
        first, last = request.first or 1, min(request.last or len(lines), len(lines))
        hint = f"ask for fewer lines: {request.path}:{first}-{first + 40}"
        body = clipped("\n".join(lines[first - 1 : last]), share, hint)
        return f"{request.path}, lines {first} to {last} of {len(lines)}:\n````\n{body}\n````"

    def _elsewhere(self, request: ShowRequest, share: int) -> str:
        """What no path of the workspace can mean all the same: a folder, a file's name, a definition; or nothing."""
        path = request.path.rstrip("/")
        if len(path) > MAX_PATH_CHARS or self._budget.is_over():
            return ""
        files = chosen(self.workspace)
        if any(other.startswith(f"{path}/") for other in files):
            return self._searched(SearchRequest("", path, "*"), share)
        same = [other for other in files if other.rsplit("/", 1)[-1] == path.rsplit("/", 1)[-1]]
        if len(same) == 1:
            return f"{path} does not exist; {self._shown(ShowRequest(same[0], request.first, request.last), share)}"
        under, _, rest = path.partition("::" if "::" in path else ":")
        name = _NAMED.match(rest if under in files else path)
        if name is None:
            return ""
        code = [under] if under in files else [other for other in files if language_for(other) in CODE_LANGUAGES]
        return self._defined(name["name"], code, share)

    def _defined(self, name: str, files: list[str], share: int) -> str:
        found = search_for(self.workspace, definition_of(name), files, self._budget, needle=name.encode())
        if not found.matches:
            return ""
        if len(found.matches) > 1:
            return f"{name} is defined in several places:\n{_fenced(found, share)}"
        place = found.matches[0]
        last = place.line + DEFINITION_LINES - 1
        return f"{name} is defined in {self._shown(ShowRequest(place.path, place.line, last), share)}"

    def _searched(self, request: SearchRequest, share: int) -> str:
        if not request.text:
            return self._listed(request, share)
        found = search(self.workspace, request.text, request.under, request.glob, self._budget)
        names = f" Files of that name: {_some(found.named, share)}." if found.named else ""
        ended = " It was ended by its limit, so there may be more." if found.unfinished else ""
        asked = f"search: {words_of(request)}"
        if not found.matches:
            return f"{asked} found nothing in {found.files} files; those that are ignored are left out.{ended}{names}"
        how = {"text": "", "any case": ", in any case", "pattern": ", as a pattern"}[found.how]
        name = re.findall(r"[A-Za-z_]\w*", request.text)[-1:]
        if name:
            found.matches.sort(key=lambda match: definition_of(name[0]).match(match.text) is None)
        return f"{asked} found {_counted(found.total)}{how}:\n{_fenced(found, share)}{ended}{names}"

    def _listed(self, request: SearchRequest, share: int) -> str:
        paths = chosen(self.workspace, request.under, request.glob)
        if not paths:
            return f"there is no file {words_of(request)}."
        return f"files, {words_of(request)}: {_some(paths, share)}."


def words_of(request: SearchRequest) -> str:
    """What was searched for, in the words of the form."""
    where = f" in {printable_path(request.under)}" if request.under else ""
    glob = f" ({request.glob})" if request.glob and request.text else ""
    return f"{request.text or request.glob}{glob}{where}"


def _fenced(found: Found, share: int) -> str:
    rows: list[str] = []
    room = share
    for match in found.matches[:MAX_LINES]:
        row = f"{printable_path(match.path)}:{match.line}: {match.text}"
        if rows and len(row) > room:
            break
        rows.append(row)
        room -= len(row) + 1
    left = found.total - len(rows)
    more = f"\n… {_counted(left)} more; a longer text, or `in` and a folder behind it, finds fewer." if left else ""
    return "````\n" + "\n".join(rows) + "\n````" + more


def _some(paths: list[str], share: int) -> str:
    shown: list[str] = []
    for path in map(printable_path, paths):
        if shown and share < len(path) + 2:
            break
        shown.append(path)
        share -= len(path) + 2
    left = len(paths) - len(shown)
    return ", ".join(shown) + (f" and {left} more" if left else "")


def _counted(lines: int) -> str:
    return f"{lines} line" if lines == 1 else f"{lines} lines"
