"""Which sink shows a run: JSON lines, plain text, or the live view of a terminal."""

import os
import signal
from collections.abc import Callable
from typing import TextIO

from super_agent.cli.render.capabilities import draws
from super_agent.cli.render.output import Output
from super_agent.cli.render.renderer import Renderer


def interrupt_self() -> None:
    """End the run as Ctrl-C would; works from every thread, as events are emitted by several."""
    os.kill(os.getpid(), signal.SIGINT)


def choose_renderer(
    as_json: bool, stream: TextIO, on_reader_gone: Callable[[], None] = interrupt_self, *, afterwards: bool = False
) -> Renderer:
    """JSON where it is asked for, the live view in a terminal, plain text otherwise; nothing moves `afterwards`.

    When the reader of a pipe goes away, `on_reader_gone` is called once, and later events are dropped.
    """
    output = Output(stream, on_reader_gone)
    if as_json:
        from super_agent.cli.render.json_lines import JsonRenderer

        return JsonRenderer(output)
    from super_agent.cli.render.text import TextRenderer

    if draws(stream):
        from super_agent.cli.render.live import LiveSurface, StillSurface

        return TextRenderer(StillSurface(output) if afterwards else LiveSurface(output), afterwards=afterwards)
    from super_agent.cli.render.plain import PlainSurface

    return TextRenderer(PlainSurface(output), afterwards=afterwards)
