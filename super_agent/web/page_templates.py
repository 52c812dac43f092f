"""The templates, and how one becomes an answer: every text in them is escaped, and what steers a display taken out."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, Undefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response, StreamingResponse

from super_agent.core.errors import SuperAgentError
from super_agent.core.sanitize import sanitize
from super_agent.session.messages.translation import error_line, translate_sentence, translator_for
from super_agent.web.server_context import ServerContext

PARTS_AT_ONCE = 64


class PageTemplates:
    """The templates of one server."""

    def __init__(self, context: ServerContext) -> None:
        self._environment = Environment(
            loader=PackageLoader("super_agent.web"), autoescape=True, undefined=Undefined, finalize=_harmless,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        self._environment.filters["moment"] = moment
        self._say = say = translator_for(context.language)
        self._environment.filters["thousands"] = say.number
        self._environment.globals |= {
            "base": context.base, "read_only": context.read_only, "lang": context.language, "_": say,
            "sentence": lambda text: translate_sentence(text, say),
        }  # fmt: skip

    def response(self, name: str, status: int = 200, **values: Any) -> Response:
        """A whole page."""
        return HTMLResponse(self._environment.get_template(name).render(values), status)

    def told(self, error: SuperAgentError) -> str:
        """What stood in the way, in the page's language."""
        return error_line(error, self._say)

    def growing(self, name: str, **values: Any) -> Response:
        """A page that is sent while it is made: generators among the values are read as they are needed."""
        stream = self._environment.get_template(name).stream(values)
        stream.enable_buffering(PARTS_AT_ONCE)
        return StreamingResponse(stream, media_type="text/html")


def markup(parts: Iterable[str]) -> Iterable[Markup]:
    """HTML that the narrator made, which escapes whatever goes into it."""
    return (marked(part) for part in parts)


def marked(html: str) -> Markup:
    """As `markup`, of one part."""
    return Markup(html)  # noqa: S704 - escaped where it was made


def moment(seconds: float) -> str:
    """A time of the epoch, as the machine's clock on the wall."""
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M}"


def _harmless(value: object) -> object:
    return value if isinstance(value, Markup) else escape(sanitize(str(value)))
