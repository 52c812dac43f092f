"""Which sink shows a run: JSON lines, plain text, or the live view of a terminal."""

from typing import Protocol, TextIO

from super_agent.core.events import Stamped


class Renderer(Protocol):
    """A sink that can be closed; closing twice is fine."""

    def __call__(self, stamped: Stamped) -> None:
        """Show one event."""

    def close(self) -> None:
        """Leave the output clean."""


def choose_renderer(as_json: bool, stream: TextIO) -> Renderer:
    """JSON where it is asked for, the live view in a terminal, plain text otherwise."""
    if as_json:
        from super_agent.cli.render_json import JsonRenderer

        return JsonRenderer(stream)
    from super_agent.cli.render_text import PlainPen, TextRenderer

    if stream.isatty():
        from super_agent.cli.render_live import LivePen

        return TextRenderer(LivePen(stream))
    return TextRenderer(PlainPen(stream))
