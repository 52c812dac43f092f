"""How a browser gets in: a link that works once, exchanged for a cookie, and further links from a page that is open."""

from starlette.requests import Request
from starlette.responses import Response

from super_agent.web.page_templates import PageTemplates
from super_agent.web.server_context import ServerContext


def enter(context: ServerContext, pages: PageTemplates, request: Request) -> Response:
    """Answered with a page that goes on by itself, and not redirected: the browser would not send the cookie then.

    A strict cookie goes only with requests that begin on a page of ours, and this one began in a terminal.
    """
    if not context.keeper.spend(request.query_params.get("token", "")):
        return pages.response("error.html", 401, text="This link was used, or is none of this server.", out=True)
    response = pages.response("enter.html")
    context.keeper.let_in(response, secure=context.scheme == "https")
    return response


def invite(context: ServerContext, pages: PageTemplates, request: Request) -> Response:
    """A link for another browser, good for one use."""
    return pages.response("invite.html", link=link(context, request.headers["host"]))


def link(context: ServerContext, host: str) -> str:
    """An address that lets one browser in."""
    return f"{context.scheme}://{host}{context.base}enter?token={context.keeper.new_token()}"
