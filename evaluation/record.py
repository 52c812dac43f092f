"""One run of one contestant on one task as a line of JSON, and the file of all of them, which can be taken up again."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

Reason = Literal[
    "solved", "format loss", "died", "time limit", "budget spent", "nothing changed", "syntax error", "wrong"
]


@dataclass(frozen=True, slots=True)
class Row:
    """What a run came to. Tokens as the server counts them; `evaluated` and `loads` are None without its log.

    `replies` are the model's words, so that other judges can look at them later.
    """

    model: str
    contestant: str
    task: str
    kind: str
    seed: int
    budget: int
    solved: bool
    reason: Reason
    ending: str
    exit_code: int | None
    calls: int
    prompt_tokens: int
    evaluated: int | None
    reply_tokens: int
    loads: int | None
    model_s: float
    wall_s: float
    lost_replies: int
    ours: bool
    detail: str
    date: str
    commit: str
    replies: list[str]

    @property
    def key(self) -> tuple[str, str, str, int, int]:
        """A run with the same key is not run again."""
        return (self.model, self.contestant, self.task, self.seed, self.budget)


class Rows:
    """The file of rows; each is on disk before the next run begins."""

    def __init__(self, path: Path) -> None:
        """Reads what is there; a last line that was cut off by a crash is passed over and written anew."""
        self.path = path
        self.rows: list[Row] = list(_read(path))

    def done(self) -> set[tuple[str, str, str, int, int]]:
        """The keys of what need not be run again."""
        return {row.key for row in self.rows}

    def add(self, row: Row) -> None:
        """Append one line."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lead = "" if not self.path.exists() or self.path.read_bytes()[-1:] in (b"", b"\n") else "\n"
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{lead}{json.dumps(asdict(row), ensure_ascii=False)}\n")
        self.rows.append(row)


def _read(path: Path) -> Iterable[Row]:
    if not path.exists():
        return
    known = {field.name for field in fields(Row)}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            data = json.loads(line)
        except ValueError:  # cut off by a crash: that run is done again
            continue
        if isinstance(data, dict) and known == set(data):
            yield Row(**data)
