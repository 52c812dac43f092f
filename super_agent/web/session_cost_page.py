"""What a session cost and when, and the file to send to somebody."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from super_agent.session.html_report.cost_charts import speed_plot, tokens_plot, turn_costs
from super_agent.session.html_report.page import facts_of, figures_of, page
from super_agent.session.html_report.redaction import Redactor, secrets_of
from super_agent.session.html_report.timeline_chart import timeline
from super_agent.session.messages.translation import translator_for
from super_agent.web.conversation_page import row_of, shown
from super_agent.web.page_templates import PageTemplates, marked
from super_agent.web.server_context import ServerContext


def cost(context: ServerContext, pages: PageTemplates, request: Request) -> Response:
    """Facts, figures and the timeline."""
    row = row_of(context, request)
    events = [*context.store.events(row.id)]
    costs, say = turn_costs(events), translator_for(context.language)
    return pages.response(
        "cost.html", facts=facts_of(row, events, say), figures=figures_of(row, events, say),
        timeline=marked(timeline(events, say)),
        tokens=marked(tokens_plot(costs, say)),
        speeds=marked(speed_plot(costs, say)),
        **shown(row, "cost"),
    )  # fmt: skip


def export(context: ServerContext, _pages: PageTemplates, request: Request) -> Response:
    """The one file that `show --html` writes."""
    row = row_of(context, request)
    text = page(row, context.store.events(row.id), Redactor(secrets_of(context.settings), Path.home()))
    head = {"Content-Disposition": f'attachment; filename="{row.id}.html"'}
    return Response(text.encode("utf-8", "replace"), media_type="text/html; charset=utf-8", headers=head)
