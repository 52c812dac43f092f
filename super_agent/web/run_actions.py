"""What a person does with a run: begin it, speak to it, answer it, stop it, go on with it, take it back."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from super_agent.core.errors import UsageError
from super_agent.core.sanitize import printable_path
from super_agent.core.snapshots.undo import Undo, carry_out
from super_agent.session.control_client import tell
from super_agent.session.session_history import SessionHistory, open_history
from super_agent.session.undo import redo_of, undo_of
from super_agent.web.conversation_page import row_of, shown
from super_agent.web.page_templates import PageTemplates
from super_agent.web.request_parameters import MOST_OF_A_LIMIT, MOST_TURNS, whole_number
from super_agent.web.server_context import ServerContext

MODES = ("team", "solo")
LIMITS = ("max_turns", "max_time_s", "max_tokens", "approve")
WHOLE_LIMITS = ("max_time_s", "max_tokens")
"""Of the whole run, what it had before included; turns are given as more of them."""
WORDS = {"create": "bring back", "replace": "restore", "delete": "delete"}


def new(context: ServerContext, pages: PageTemplates, request: Request) -> Response:
    """The form that begins a run."""
    return pages.response("new.html", given=dict(request.query_params), folders=_folders(context, request), error="")


def begin(context: ServerContext, pages: PageTemplates, request: Request) -> Response:
    """Start it and show it, or the form again with what stood in the way."""
    form = request.state.form
    try:
        workspace = allowed(context, form.get("workspace", ""))
        if not form.get("task", "").strip():
            raise UsageError("the task is empty", fix="Say what is to be done")
        mode = form.get("mode") or "team"
        if mode not in MODES:
            raise UsageError(f"{printable_path(mode)} is no way to work", fix=f"Choose one of: {', '.join(MODES)}")
        setup = form.get("setup", "").strip() or None
        if setup is not None and form.get("network") != "yes":
            raise UsageError("the setup command runs with the network", fix="Say that this is meant, or leave it out")
        flags = {name: value for name in LIMITS if (value := form.get(name, "").strip())}
        session = context.runs.begin(
            {
                "run": {
                    "task": form["task"],
                    "workspace": str(workspace),
                    "mode": mode,
                    "check": form.get("check", "").strip() or None,
                    "setup": setup,
                },
                "resume": None,
                **_how(context, flags),
            }
        )
    except UsageError as error:
        return pages.response("new.html", 409, given=form, folders=_folders(context, request), error=pages.told(error))
    return _to(context, session)


def resume(context: ServerContext, pages: PageTemplates, request: Request) -> Response:
    """Go on with it, with something new or more turns where that was said."""
    row, form = row_of(context, request), request.state.form
    ask = {
        "session": row.id,
        "instruction": form.get("instruction", "").strip() or None,
        "more_turns": whole_number(form, "more_turns", 1, MOST_TURNS),
    }
    limits = {name: whole_number(form, name, 1, MOST_OF_A_LIMIT) for name in WHOLE_LIMITS}
    flags = {name: value for name, value in limits.items() if value is not None}
    context.runs.begin({"run": None, "resume": ask, **_how(context, flags)})
    return _to(context, row.id)


def say(context: ServerContext, _pages: PageTemplates, request: Request) -> Response:
    """A line for the team, which it hears at its next turn."""
    return _told(context, request, {"do": "say", "text": request.state.form.get("text", "")})


def stop(context: ServerContext, _pages: PageTemplates, request: Request) -> Response:
    """End the run."""
    return _told(context, request, {"do": "stop"})


def decide(context: ServerContext, _pages: PageTemplates, request: Request) -> Response:
    """Answer the question whether code may run."""
    form = request.state.form
    number = form.get("question", "")
    wanted = {
        "do": "decide",
        "question": int(number) if number.isdecimal() and len(number) < 16 else 0,
        "choice": form.get("choice", ""),
        "code": form.get("code", "").replace("\r\n", "\n"),
        "why": form.get("why", ""),
    }
    return _told(context, request, wanted)


def undo(context: ServerContext, pages: PageTemplates, request: Request) -> Response:
    """What it would do; nothing is done."""
    row, form = row_of(context, request), dict(request.query_params)
    _back_to(form)
    with open_history(context.settings, row.id, Path(row.workspace)) as found:
        return _shown(pages, request, row, found, form, "")


def undo_now(context: ServerContext, pages: PageTemplates, request: Request) -> Response:
    """Do what was shown; where that is not what would be done any more, it is shown again."""
    row, form = row_of(context, request), request.state.form
    _back_to(form)
    with open_history(context.settings, row.id, Path(row.workspace), hold=True) as found:
        judged = _judged(found, form)
        if form.get("shown") != _digest(judged):
            return _shown(pages, request, row, found, form, "The files have changed meanwhile. Look again.")
        steps = judged.steps if form.get("force") == "yes" else judged.steps.own
        if steps.steps:
            carry_out(found.snapshots, row.id, judged, steps)
        return pages.response(
            "undone.html", count=len(steps.steps), was_redo=judged.kind == "redo", **shown(row, "undo")
        )


def allowed(context: ServerContext, given: str) -> Path:
    """A folder in one of the roots that the user named; raises `UsageError`."""
    path = Path(given).expanduser()
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        raise UsageError(f"there is no folder {printable_path(given)}", fix="Choose one of those shown") from None
    if not path.is_absolute() or not real.is_dir() or not any(real.is_relative_to(r.resolve()) for r in context.roots):
        roots = ", ".join(map(str, context.roots)) or "none"
        raise UsageError(
            f"the folder {printable_path(given)} is in none of those where runs may begin ({roots})",
            fix="Start the page with --root FOLDER",
        )
    return real


def _folders(context: ServerContext, request: Request) -> dict[str, Any]:
    """Where runs may begin, and what lies in the folder that is looked at."""
    given = request.query_params.get("in", "")
    try:
        here = allowed(context, given) if given else None
        inside = sorted(p for p in here.iterdir() if p.is_dir() and not p.name.startswith(".")) if here else []
    except (UsageError, OSError):
        here, inside = None, []
    above = here.parent if here and any(here.parent.is_relative_to(r.resolve()) for r in context.roots) else None
    return {"roots": context.roots, "here": here, "above": above, "inside": inside[:500]}


def _how(context: ServerContext, flags: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that the page's command line said, and the form's."""
    own = {name: value for name, value in context.flags.items() if value is not None}
    return {"flags": {**own, **flags}, "env_file": str(context.env_file) if context.env_file is not None else None}


def _told(context: ServerContext, request: Request, wanted: dict[str, Any]) -> Response:
    row = row_of(context, request)
    tell(context.settings.state_dir / "sessions" / row.id, wanted)
    if request.headers.get("accept") == "application/json":
        return Response(status_code=204)
    return _to(context, row.id)


def _to(context: ServerContext, session: str) -> Response:
    return RedirectResponse(f"{context.base}sessions/{session}", 303)


def _judged(found: SessionHistory, form: Mapping[str, str]) -> Undo:
    if form.get("redo") == "yes":
        return redo_of(found)
    return undo_of(found, to_turn=_back_to(form))


def _back_to(form: Mapping[str, str]) -> int | None:
    """The turn that the form names; raises `UsageError`."""
    return whole_number(form, "to_turn", 0, MOST_TURNS)


def _digest(judged: Undo) -> str:
    text = repr([(step.kind, step.path, step.foreign) for step in judged.steps.steps])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _shown(
    pages: PageTemplates, _request: Request, row: Any, found: SessionHistory, form: Mapping[str, str], note: str
) -> Response:
    judged = _judged(found, form)
    listed = [(WORDS[step.kind], printable_path(step.path)) for step in judged.steps.own.steps]
    foreign = [(WORDS[step.kind], printable_path(step.path)) for step in judged.foreign.steps]
    return pages.response(
        "undo.html", steps=listed, foreign=foreign, digest=_digest(judged), form=form, note=note,
        turns=[0, *(turn for turn in found.history.turns if turn)], undone=found.history.undone() is not None,
        **shown(row, "undo"),
    )  # fmt: skip
