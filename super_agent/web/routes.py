"""The pages of one server and their addresses."""

from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from super_agent.core.errors import SessionUnknown, SuperAgentError
from super_agent.session.html_report.stylesheet import STYLE
from super_agent.web import conversation_page, login_pages, session_list_page
from super_agent.web.access_control import Guard
from super_agent.web.page_templates import PageTemplates
from super_agent.web.request_parameters import form_fields, number_or_zero
from super_agent.web.server_context import ServerContext
from super_agent.web.server_sent_events import session_stream

STATIC = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
"""The only files that are served; a name that is not here does not exist, whatever it looks like."""

Handler = Callable[[ServerContext, PageTemplates, Request], Response]
ACTS = {"say": "say", "stop": "stop", "decide": "decide", "resume": "resume", "undo": "undo_now"}
"""What a session's page can do, and the function of `run_actions` that does it."""


def later(module: str, name: str) -> Handler:
    """A handler of a module of this package that is imported when its page is first asked for.

    What only some pages need (the executor, the clients, snapshots) makes neither the start nor the server larger.
    """

    def handler(context: ServerContext, pages: PageTemplates, request: Request) -> Response:
        found: Handler = getattr(import_module(f"super_agent.web.{module}"), name)
        return found(context, pages, request)

    return handler


def build_app(context: ServerContext) -> ASGIApp:
    """Everything, behind the guard."""
    pages = PageTemplates(context)
    base = context.base

    def page(path: str, handler: Handler, method: str = "GET") -> Route:
        async def endpoint(request: Request) -> Response:
            if method == "POST":
                request.state.form = await form_fields(request)
            return await run_in_threadpool(handler, context, pages, request)

        return Route(base + path, endpoint, methods=[method])

    async def stream(request: Request) -> Response:
        row = await run_in_threadpool(conversation_page.row_of, context, request)
        after = number_or_zero(request.headers.get("last-event-id") or request.query_params.get("after"))
        mark = number_or_zero(request.query_params.get("mark"))
        return StreamingResponse(session_stream(context, row.id, after, mark), media_type="text/event-stream")

    routes = [
        page("", session_list_page.show),
        page("enter", login_pages.enter),
        page("invite", login_pages.invite, "POST"),
        page("new", later("run_actions", "begin"), "POST"),
        *([] if context.read_only else [page("new", later("run_actions", "new"))]),
        *(page(f"sessions/{{session}}/{name}", later("run_actions", act), "POST") for name, act in ACTS.items()),
        page("sessions/{session}/undo", later("run_actions", "undo")),
        page("sessions/{session}", conversation_page.conversation),
        page("sessions/{session}/head", conversation_page.head),
        page("sessions/{session}/cost", later("session_cost_page", "cost")),
        page("sessions/{session}/diff", later("session_diff_page", "diff_page")),
        page("sessions/{session}/export", later("session_cost_page", "export")),
        Route(f"{base}sessions/{{session}}/stream", stream),
        page("batches", later("batch_pages", "show_all")),
        page("batches/{batch}", later("batch_pages", "show")),
        page("instance", later("instance_page", "show")),
        page("instance/verify", later("instance_page", "verify"), "POST"),
        page("static/{name}", _static),
    ]
    handlers: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
        HTTPException: _on_http_error(pages), SuperAgentError: _on_error(pages),
    }  # fmt: skip
    app = Starlette(routes=routes, exception_handlers=handlers)
    open_paths = frozenset({f"{base}enter", *(f"{base}static/{name}" for name in STATIC)})
    return Guard(app, context.keeper, context.hosts, context.scheme, open_paths, context.read_only)


def _static(_context: ServerContext, _pages: PageTemplates, request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC:
        raise HTTPException(404)
    text = files("super_agent.web").joinpath("static", name).read_text(encoding="utf-8")
    return Response((STYLE if name == "page.css" else "") + text, media_type=STATIC[name])


def _on_error(pages: PageTemplates) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def show(_request: Request, error: Exception) -> Response:
        status = 404 if isinstance(error, SessionUnknown) else 409
        text = pages.told(error) if isinstance(error, SuperAgentError) else str(error)
        return pages.response("error.html", status, text=text)

    return show


def _on_http_error(pages: PageTemplates) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def show(_request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            return PlainTextResponse("", 500)
        text = {404: "There is no such page.", 405: "That is not possible here."}.get(error.status_code, error.detail)
        return pages.response("error.html", error.status_code, text=text)

    return show
