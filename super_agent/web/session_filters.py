"""What a list of sessions is asked for in its address, so that a bookmark shows the same choice again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

from super_agent.core.sanitize import sanitize
from super_agent.core.store.sessions import SessionRow
from super_agent.session.messages.run_messages import END

STATES = ("running", "done", "not done", "broken off")
REASONS: Mapping[str, str] = {str(reason): text for reason, text in END.items()}
"""Why a run ended, and how that is said."""
SHOWN_CHARS = 60
"""Of a value that cannot be used."""


class FilterInvalid(ValueError):
    """A value that cannot be used: `name` and `value` as they were given, and what is `wrong` with it (English)."""

    def __init__(self, name: str, value: str, wrong: str) -> None:
        super().__init__(f"{name}={value}: {wrong}")
        self.name, self.value, self.wrong = name, sanitize(value)[:SHOWN_CHARS], wrong


@dataclass(frozen=True, slots=True)
class SessionFilters:
    """All that must be met; empty is all. `words` must all be in the task, the id or the workspace.

    `since` and `until` are days by this machine's clock, both included, on which a session began: `2026-11-27`.
    """

    words: str = ""
    state: str = ""
    reason: str = ""
    workspace: str = ""
    since: str = ""
    until: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "SessionFilters":
        """As the address says; nothing is checked, so that a form can show what was given."""
        names = ("state", "reason", "workspace", "since", "until")
        return cls(query.get("q", ""), *(query.get(name, "") for name in names))

    def check(self) -> None:
        """Raises `FilterInvalid` for what could never be met."""
        if self.state not in ("", *STATES):
            raise FilterInvalid("state", self.state, "there is no such state")
        if self.reason not in ("", *REASONS):
            raise FilterInvalid("reason", self.reason, "there is no such reason")
        since, until = _day("since", self.since), _day("until", self.until)
        if since is not None and until is not None and since > until:
            raise FilterInvalid("until", self.until, "this is before the day from which on sessions are wanted")

    def let(self, row: SessionRow) -> bool:
        """Whether a session is shown; raises `FilterInvalid`."""
        text = f"{row.id} {row.workspace} {row.task}".casefold()
        began = datetime.fromtimestamp(row.started).date()
        since, until = _day("since", self.since), _day("until", self.until)
        return (
            all(word in text for word in self.words.casefold().split())
            and self.state in ("", standing(row))
            and self.reason in ("", row.reason)
            and self.workspace in ("", row.workspace)
            and (since is None or since <= began)
            and (until is None or began <= until)
        )

    def at(self, first: int) -> str:
        """The query of the page of that choice which begins with the session of that number, from 0."""
        given = {
            "q": self.words, "state": self.state, "reason": self.reason, "workspace": self.workspace,
            "since": self.since, "until": self.until, "from": str(first) if first else "",
        }  # fmt: skip
        return "?" + urlencode({name: value for name, value in given.items() if value})


def standing(row: SessionRow) -> str:
    """One of STATES."""
    if row.state != "ended":
        return row.state
    return "done" if row.exit_code == 0 else "not done"


def why(row: SessionRow) -> str:
    """How it stands, in a few words."""
    return REASONS.get(row.reason or "", row.reason or row.state)


def first_of(query: Mapping[str, str]) -> int:
    """The number of the first session to be shown, from 0; raises `FilterInvalid`."""
    given = query.get("from", "")
    if given and not (given.isascii() and given.isdecimal() and len(given) < 9):
        raise FilterInvalid("from", given, "this is no number of a session")
    return int(given or 0)


def _day(name: str, given: str) -> date | None:
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise FilterInvalid(name, given, "this is no day; a day is written like 2026-11-27") from None
