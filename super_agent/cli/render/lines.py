"""Events that are the same lines wherever and whenever they come: what is said of each, and in which style."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from super_agent.cli.render.surface import Style
from super_agent.core import events as ev
from super_agent.session.messages import run_messages


@dataclass(frozen=True, slots=True)
class Line:
    """One line, or several that belong together; `depth` counts indents."""

    text: str
    style: Style = "text"
    depth: int = 1


def lines_of(event: ev.Event) -> Iterator[Line]:
    """The lines of an event, none where `TextRenderer` draws it otherwise."""
    say = _LINES.get(type(event))
    return say(event) if say is not None else iter(())


def _notice(event: ev.Notice) -> Iterator[Line]:
    mark = {"info": "", "warning": "⚠ ", "error": "✗ "}[event.level]
    style: Style = "dim" if event.level == "info" else "warning" if event.level == "warning" else "bad"
    yield Line(f"{mark}{event.text}", style)
    yield from _fix(event.fix)


def _edit_refused(event: ev.EditRefused) -> Iterator[Line]:
    first, _, rest = event.reason.partition("\n")
    yield Line(f"✗ {event.path} was not written: {first}", "warning")
    if rest:
        yield Line(rest, "dim", depth=2)


def _files_changed(event: ev.FilesChanged) -> Iterator[Line]:
    for title, names in (("created", event.created), ("changed", event.modified), ("deleted", event.deleted)):
        if names:
            yield Line(f"✓ {title} by the code: {run_messages.paths(names)}", "good")


def _instance(event: ev.InstanceNoted) -> Iterator[Line]:
    kind = event.kind.replace("_", " ")
    if event.expected:
        if event.kind != "load":  # the load was told when the model was ready
            yield Line(f"{kind}: {event.detail}", "dim")
        return
    yield Line(f"⚠ {kind}: {event.detail}", "warning")
    if event.cause:
        yield Line(f"likely cause: {event.cause}", "dim", depth=2)
    yield from _fix(event.fix)


def _compacted(event: ev.ContextCompacted) -> Iterator[Line]:
    size, kept = run_messages.compacted(event)
    yield Line(size, "dim")
    yield Line(kept, "dim", depth=2)


def _fix(text: str) -> Iterator[Line]:
    if text:
        yield Line(f"→ {text}", "dim", depth=2)


def _shown(event: ev.FilesShown) -> Iterator[Line]:
    if event.paths:
        yield Line(f"shown to the coder: {run_messages.paths(event.paths)}", "dim")
    if event.searched:
        yield Line(f"searched for the coder: {run_messages.paths(event.searched)}", "dim")


def _one(text: Callable[[Any], str], style: Style) -> Callable[[Any], Iterator[Line]]:
    return lambda event: iter([Line(text(event), style)])


_LINES: Mapping[type[Any], Callable[[Any], Iterator[Line]]] = {
    ev.Notice: _notice,
    ev.ModelReady: _one(run_messages.model_ready, "dim"),
    ev.EditRefused: _edit_refused,
    ev.FilesShown: _shown,
    ev.FilesChanged: _files_changed,
    ev.EngineRestarted: _one(lambda e: f"⚠ Open Interpreter was restarted: {e.reason}", "warning"),
    ev.InstanceNoted: _instance,
    ev.QueuePassed: _one(lambda e: f"waited {run_messages.duration(e.waited_s)} for other runs", "dim"),
    ev.Retried: _one(lambda e: f"⚠ {run_messages.retried(e)}", "warning"),
    ev.ReplyDiscarded: _one(lambda e: f"✗ {run_messages.discarded(e)}", "warning"),
    ev.ContextCompacted: _compacted,
    ev.PrefixBroken: _one(lambda e: f"⚠ {run_messages.prefix_broken(e)}", "warning"),
    ev.Resampled: _one(run_messages.resampled, "dim"),
    ev.NewerEvent: _one(lambda e: f"({e.name}: an event of a newer super-agent)", "dim"),
}
