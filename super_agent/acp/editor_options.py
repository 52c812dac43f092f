"""What a person sets for a conversation in the editor: by its menus, or by slash commands."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from acp.schema import SessionConfigOptionBoolean, SessionConfigOptionSelect, SessionConfigSelectOption

from interpreter.approval import Approve
from super_agent.core.errors import UsageError

Mode = Literal["team", "solo"]
NO_CHECK = "none"
USUAL = "default"
TURNS = (2, 4, 8, 16, 32)


@dataclass(slots=True)
class EditorOptions:
    """Of one conversation. None is what the settings say, or for `check` no check.

    `checks` are commands that the user gave, on the command line or by `/check`: a menu cannot take new ones, and the
    workspace never names one.
    """

    check: str | None = None
    mode: Mode = "team"
    approve: Approve | None = None
    turns: int | None = None
    checks: list[str] = field(default_factory=list)
    begun: bool = False
    """Whether a run was begun: its mode then stays."""

    def set(self, name: str, value: str) -> None:
        """Set one by its id; raises `UsageError` for a name or value that does not exist."""
        setters = {
            "check": self._set_check, "mode": self._set_mode, "approve": self._set_approve, "turns": self._set_turns,
        }  # fmt: skip
        if name not in setters:
            raise UsageError(f"there is no option {name!r}", fix="There are check, mode, approve and turns")
        setters[name](value)

    def add_check(self, command: str) -> None:
        """Make the user's own command one that can be chosen, and choose it."""
        if command != NO_CHECK and command not in self.checks:
            self.checks.append(command)
        self._set_check(command)

    def _set_check(self, value: str) -> None:
        if value != NO_CHECK and value not in self.checks:
            raise UsageError(f"{value!r} is none of this session's checks", fix="Give it by /check COMMAND")
        self.check = None if value == NO_CHECK else value

    def _set_mode(self, value: str) -> None:
        if value not in get_args(Mode):
            raise UsageError(f"the mode {value!r} does not exist", fix="Choose team or solo")
        if self.begun and value != self.mode:
            raise UsageError(
                f"this session is at work as {self.mode}, which stays", fix=f"Begin a new one to work as {value}"
            )
        self.mode = "solo" if value == "solo" else "team"

    def _set_approve(self, value: str) -> None:
        known: tuple[Approve, ...] = get_args(Approve)
        if value not in (*known, USUAL):
            raise UsageError(f"approve {value!r} does not exist", fix=f"Choose {', '.join(known)} or {USUAL}")
        self.approve = next((approve for approve in known if approve == value), None)

    def _set_turns(self, value: str) -> None:
        if value == USUAL:
            self.turns = None
        elif value.isascii() and value.isdigit() and 0 < int(value) <= 10_000:
            self.turns = int(value)
        else:
            raise UsageError(f"{value!r} is no number of turns", fix="Give a number from 1 on, such as 8")

    def offered(self) -> list[SessionConfigOptionSelect | SessionConfigOptionBoolean]:
        """As the editor's menus."""
        turns = sorted({*TURNS, *([self.turns] if self.turns else [])})
        return [
            _menu("mode", "Who works", self.mode, get_args(Mode), "A team, or the executor alone", category="mode"),
            _menu("check", "Check", self.check or NO_CHECK, (NO_CHECK, *self.checks), "Passes when the work is done"),
            _menu("approve", "Ask before code runs", self.approve or USUAL, (USUAL, *get_args(Approve))),
            _menu("turns", "Turns", str(self.turns or USUAL), (USUAL, *map(str, turns)), "Of each prompt"),
        ]


def _menu(
    name: str, label: str, current: str, values: Sequence[str], about: str | None = None, category: str | None = None
) -> SessionConfigOptionSelect:
    return SessionConfigOptionSelect(
        type="select",
        id=name,
        name=label,
        description=about,
        category="mode" if category == "mode" else None,
        current_value=current,
        options=[SessionConfigSelectOption(value=value, name=value) for value in values],
    )
