"""What a batch reads: JSON lines, SWE-bench's lines, or a folder of folders. Nothing runs until every line is good."""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from super_agent.core.errors import PathRefused, UsageError
from super_agent.core.files.workspace import checked_parts

ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,119}")
"""It names files and folders; SWE-bench's ids (`django__django-11099`) are of this form."""
COMMIT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}")
OWNER_AND_NAME = re.compile(r"[A-Za-z0-9_-]+/[A-Za-z0-9._-]+")
MAX_COMPLAINTS = 50
TASK_FILE, MORE_FILE = "task.md", "task.json"


class BadTasks(UsageError):
    """Lines that cannot be used; `complaints` names each: where, which field, what is allowed."""

    def __init__(self, what: str, complaints: list[str]) -> None:
        super().__init__(what, fix="Correct them; nothing was run")
        self.complaints = complaints


class Limits(BaseModel):
    """A task's own limits, as --max-turns, --max-time and --max-tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    turns: int | None = Field(None, ge=1)
    seconds: float | None = Field(None, gt=0)
    tokens: int | None = Field(None, ge=1)


class Task(BaseModel):
    """One task. Its workspace is a copy of a folder, or a repository's files at a commit, or else empty.

    `files` (path: text) are written into the copy before the run begins.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    task: str
    workspace: str | None = None
    repo: str | None = None
    commit: str | None = None
    check: str | None = None
    setup: str | None = None
    files: dict[str, str] = {}
    limits: Limits = Field(default_factory=lambda: Limits.model_validate({}))
    mode: Literal["team", "solo", "exec"] = "team"

    @field_validator("id")
    @classmethod
    def _names_a_file(cls, value: str) -> str:
        if not ID.fullmatch(value):
            raise ValueError("letters, digits, `.`, `_` and `-`, at most 120, the first no `.` or `-`")
        return value

    @field_validator("task", "workspace", "repo", "check", "setup")
    @classmethod
    def _says_something(cls, value: str | None) -> str | None:
        if value is not None and (not value.strip() or "\0" in value):
            raise ValueError("a text that is not empty and holds no NUL")
        return value

    @field_validator("repo")
    @classmethod
    def _is_no_flag(cls, value: str | None) -> str | None:
        if value is not None and (value.startswith("-") or "::" in value.split("/", 1)[0]):
            raise ValueError("a folder, or an https, ssh or file address")
        return value

    @field_validator("commit")
    @classmethod
    def _is_a_revision(cls, value: str | None) -> str | None:
        if value is not None and (not COMMIT.fullmatch(value) or ".." in value):
            raise ValueError("a commit's hash, a tag or a branch")
        return value

    @field_validator("files")
    @classmethod
    def _inside(cls, value: dict[str, str]) -> dict[str, str]:
        for path in value:
            try:
                checked_parts(path)
            except PathRefused as error:
                raise ValueError(f"paths inside the workspace; {error}") from None
        return value

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.workspace is not None and self.repo is not None:
            raise ValueError("`workspace` or `repo`, not both")
        if self.commit is not None and self.repo is None:
            raise ValueError("`commit` needs `repo`")
        return self


def read_tasks(source: str, repositories: Path | None) -> Iterator[Task]:
    """All tasks of a JSON lines file, of `-` (standard input), or of a folder; raises `BadTasks`, `UsageError`.

    `repositories` is where SWE-bench's `owner/name` are looked for; without it they are fetched.
    """
    path = Path(source)
    if source != "-" and path.is_dir():
        return _checked(_of_folder(path), source, path)
    try:
        if source == "-":
            return _checked(_of_lines(sys.stdin.buffer, Path(), repositories), "standard input", Path())
        return _checked(_of_file(path, repositories), source, path.absolute().parent)
    except OSError as error:
        raise _unreadable(source, error) from error


Read = tuple[str, dict[str, Any] | str]
"""Where it stands, and its fields or what is wrong with it."""


def _checked(found: Iterable[Read], source: str, base: Path) -> Iterator[Task]:
    complaints, seen, bad, count = list[str](), dict[str, str](), 0, 0
    try:
        for where, fields in found:
            count += 1
            task = None if isinstance(fields, str) else _task_or_complaints(fields, base)
            if isinstance(task, Task) and task.id not in seen:
                seen[task.id] = where
                yield task
                continue
            bad += 1
            if isinstance(fields, str):
                complaints.append(f"{where}: {fields}")
            elif isinstance(task, Task):
                complaints.append(f"{where}: id={task.id!r}: is that of {seen[task.id]} too; allowed: one of its own")
            else:
                complaints += [f"{where}: {text}" for text in task or ()]
    except OSError as error:
        raise _unreadable(source, error) from error
    if bad:
        more = [f"… and {len(complaints) - MAX_COMPLAINTS} more"] if len(complaints) > MAX_COMPLAINTS else []
        raise BadTasks(f"{bad} of {count} tasks in {source} cannot be used", complaints[:MAX_COMPLAINTS] + more)
    if not count:
        raise UsageError(f"{source} holds no task", fix='Write one a line: {"id": "a", "task": "…", "workspace": "…"}')


def _of_file(path: Path, repositories: Path | None) -> Iterator[Read]:
    with path.open("rb") as lines:
        yield from _of_lines(lines, path.absolute().parent, repositories)


def _of_lines(lines: Iterable[bytes], base: Path, repositories: Path | None) -> Iterator[Read]:
    for number, line in enumerate(lines, 1):
        where = f"line {number}"
        if not line.strip():
            continue
        try:
            fields = json.loads(line.decode("utf-8-sig"))
        except UnicodeDecodeError:
            yield where, "is not UTF-8; allowed: one JSON object"
        except (ValueError, RecursionError) as error:
            yield where, f"is not JSON ({error}); allowed: one JSON object"
        else:
            if not isinstance(fields, dict):
                yield where, f"is {type(fields).__name__}; allowed: one JSON object"
            elif "instance_id" in fields and "problem_statement" in fields:
                yield where, _of_swe_bench(fields, repositories)
            else:
                yield where, fields


def _of_swe_bench(fields: dict[str, Any], repositories: Path | None) -> dict[str, Any]:
    """The known answer (`patch`), the hidden tests and the hints are left out on purpose."""
    repo = fields.get("repo")
    if isinstance(repo, str) and OWNER_AND_NAME.fullmatch(repo):
        here = None
        if repositories is not None:
            named = (repositories / repo, repositories / repo.replace("/", "__"))
            here = next((str(path.absolute()) for path in named if path.is_dir()), None)
        repo = here or f"https://github.com/{repo}"
    return {
        "id": fields["instance_id"],
        "task": fields["problem_statement"],
        "repo": repo,
        "commit": fields.get("base_commit"),
    }


def _of_folder(path: Path) -> Iterator[Read]:
    for folder in sorted(inner for inner in path.iterdir() if (inner / TASK_FILE).is_file()):
        where = str(folder / TASK_FILE)
        try:
            text = (folder / TASK_FILE).read_text(encoding="utf-8")
            more = json.loads((folder / MORE_FILE).read_text("utf-8")) if (folder / MORE_FILE).exists() else {}
        except (UnicodeDecodeError, ValueError) as error:
            yield where, f"cannot be read: {error}; allowed: UTF-8 text, and a JSON object in {MORE_FILE}"
            continue
        if not isinstance(more, dict) or {"id", "task"} & more.keys():
            yield where, f"{MORE_FILE} is not a JSON object without `id` and `task`"
            continue
        inner = folder / "workspace"
        origin = {} if {"workspace", "repo"} & more.keys() else {"workspace": str(inner if inner.is_dir() else folder)}
        yield where, {"id": folder.name, "task": text, **origin, **more}


def _task_or_complaints(fields: dict[str, Any], base: Path) -> Task | list[str]:
    try:
        task = Task.model_validate(fields)
    except ValidationError as error:
        return [_complaint(dict(item)) for item in error.errors()]
    changes: dict[str, str] = {}
    if task.workspace is not None:
        folder = (base / Path(task.workspace).expanduser()).absolute()
        if not folder.is_dir():
            return [f"workspace={task.workspace!r}: is no folder; allowed: an existing one"]
        changes["workspace"] = str(folder)
    if task.repo is not None and "://" not in task.repo and ":" not in task.repo:
        folder = (base / Path(task.repo).expanduser()).absolute()
        if not folder.is_dir():
            return [f"repo={task.repo!r}: is no folder; allowed: an existing one, or an https, ssh or file address"]
        changes["repo"] = str(folder)
    return task.model_copy(update=changes)


def _complaint(error: dict[str, Any]) -> str:
    field = ".".join(str(part) for part in error["loc"]) or "the task"
    reason = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        known = Limits if error["loc"][0] == "limits" else Task
        return f"{field}: is not a field; allowed: {', '.join(known.model_fields)}"
    if error["type"] == "missing":
        return f"{field}: is missing; allowed: a text"
    seen = repr(error["input"]) if error["loc"] else ""
    seen = f"={seen[:60]}…" if len(seen) > 60 else f"={seen}" if seen else ""
    return f"{field}{seen}: allowed: {reason}"


def _unreadable(source: str, error: OSError) -> UsageError:
    return UsageError(f"{source} cannot be read: {error.strerror or error}", fix="Name a file of JSON lines, or `-`")
