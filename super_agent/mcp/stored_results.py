"""Answers from what the session store keeps of a run."""

from datetime import UTC, datetime

from super_agent.core.events import ClientUsage, RunEnded
from super_agent.core.sanitize import printable_path
from super_agent.core.store.sessions import SessionRow
from super_agent.core.store.store import Store
from super_agent.mcp.tool_schemas import Cost, SessionInfo, TaskOutcome, TaskResult, plain

OUTCOMES: dict[int | None, TaskOutcome] = {0: "done", 1: "not_done", 130: "cancelled"}
MAX_FILES = 200
TASK_CHARS = 200


def outcome_of(row: SessionRow) -> TaskOutcome:
    """As the exit code says it."""
    if row.state == "running":
        return "running"
    return "broken_off" if row.state == "broken off" else OUTCOMES.get(row.exit_code, "failed")


def session_info(row: SessionRow) -> SessionInfo:
    """One row of the store."""
    return SessionInfo(
        session=row.id,
        started=datetime.fromtimestamp(row.started, UTC).isoformat(timespec="seconds"),
        outcome=outcome_of(row),
        reason=row.reason,
        workspace=printable_path(row.workspace),
        task=plain(row.task)[:TASK_CHARS],
        turns=row.turns,
        files=len(row.files),
        tokens=row.prompt_tokens + row.completion_tokens,
    )


def task_result(store: Store, row: SessionRow, notes: list[str]) -> TaskResult:
    """All but the diff. Raises `StoreFailed`."""
    ended = _ended(store, row) if row.state == "ended" else None
    files = ended.files_changed if ended is not None else row.files
    outcome = outcome_of(row)
    return TaskResult(
        session=row.id,
        outcome=outcome,
        reason=row.reason,
        detail=plain(row.detail),
        workspace=printable_path(row.workspace),
        turns=ended.turns if ended is not None else row.turns,
        files=[printable_path(path) for path in files[:MAX_FILES]],
        files_left_out=max(0, len(files) - MAX_FILES),
        cost=_cost(row, ended),
        instance=ended.instance if ended is not None else {},
        notes=notes,
        next=_next(row, outcome),
    )


def _ended(store: Store, row: SessionRow) -> RunEnded | None:
    ends = [stamped.event for stamped in store.events(row.id) if isinstance(stamped.event, RunEnded)]
    return ends[-1] if ends else None


def _cost(row: SessionRow, ended: RunEnded | None) -> Cost:
    if ended is None:
        return Cost(prompt_tokens=row.prompt_tokens, completion_tokens=row.completion_tokens)
    usage: tuple[ClientUsage, ...] = ended.usage
    evaluated = [client.evaluated_tokens for client in usage]
    known = [tokens for tokens in evaluated if tokens is not None]
    return Cost(
        requests=sum(client.requests for client in usage),
        prompt_tokens=sum(client.prompt_tokens for client in usage),
        evaluated_tokens=sum(known) if len(known) == len(evaluated) else None,
        completion_tokens=sum(client.completion_tokens for client in usage),
        seconds=ended.duration_s,
    )


def _next(row: SessionRow, outcome: TaskOutcome) -> str:
    if outcome == "running":
        return f"Call get_result with session {row.id} and wait_s to wait for it, or cancel to end it."
    if row.files:
        return f"Look at the diff; undo with session {row.id} takes it back."
    return ""
