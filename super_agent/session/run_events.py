"""The first and the last event of a run, and what a user should know before anything runs."""

from typing import Literal

from interpreter.sandbox.container_image import unused_environment
from super_agent.core.events import (
    ClientUsage,
    EndReason,
    Notice,
    RunEnded,
    RunStarted,
)
from super_agent.core.settings import Settings, variables_in
from super_agent.session.run_context import ModelSession, RunContext


def started(context: RunContext, task: str, mode: Literal["team", "solo", "exec"], check: str | None) -> RunStarted:
    """The facts of a run, as its first event."""
    settings = context.settings
    return RunStarted(
        task=task,
        mode=mode,
        workspace=str(context.workspace.root),
        model=settings.model,
        base_url=settings.base_url,
        check=check,
        sandbox=settings.sandbox,
        limits=limits(settings),
        network=settings.network,
        mcp=settings.mcp,
    )


def limits(settings: Settings) -> dict[str, int | float | None]:
    """Of a run: turns, seconds and tokens; None is no limit."""
    return {"turns": settings.max_turns, "seconds": settings.max_time_s, "tokens": settings.max_tokens}


def ended(
    context: RunContext,
    model_session: ModelSession | None,
    reason: EndReason,
    exit_code: int,
    detail: str,
    turns: int,
    duration_s: float,
) -> RunEnded:
    """What came of a run and what it cost, as its last event."""
    totals = model_session.counting.totals if model_session else {}
    return RunEnded(
        reason=reason,
        exit_code=exit_code,
        detail=detail,
        turns=turns,
        duration_s=round(duration_s, 3),
        files_changed=context.files_changed(),
        usage=tuple(
            ClientUsage(
                kind,
                t.requests,
                t.prompt_tokens,
                t.completion_tokens,
                t.evaluated_tokens,
                t.measured,
                None if t.prompt_s is None else round(t.prompt_s, 3),
            )
            for kind, t in sorted(totals.items())
        ),
        instance={str(kind): count for kind, count in model_session.watch.counts.items()} if model_session else {},
    )


def announce(context: RunContext) -> None:
    """What a user should know before anything runs."""
    if not context.policy.contained:
        context.emit(Notice("warning", "--sandbox none: model-written code runs with your own rights, unprotected"))
    elif context.policy.network:
        context.emit(Notice("warning", "--network: sandboxed code has the internet and the servers on this machine"))
    if unused := unused_environment(context.policy):
        context.emit(
            Notice("warning", unused, "Make it anew with --setup, or choose another SUPER_AGENT_SANDBOX_IMAGE")
        )
    if note := context.policy.reach.git.note:
        context.emit(Notice("info", note))
    planted = context.workspace.root / ".env"
    if names := variables_in(planted):
        context.emit(Notice("info", f"{planted} sets {', '.join(names)} and is not read", f"Use --env-file {planted}"))
