"""Events as JSON texts and back. What a newer version wrote is kept as it is, never guessed at and never a crash."""

import functools
import json
import typing
from typing import Any

from pydantic import TypeAdapter, ValidationError

from super_agent.core.events import Event, NewerEvent, event_name, field_names

KINDS: dict[str, type[Any]] = {event_name(kind): kind for kind in typing.get_args(Event) if kind is not NewerEvent}


def to_text(fields: dict[str, Any]) -> str:
    """One line of JSON that any database takes: half a surrogate pair is written as an escape."""
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return text if _is_unicode(text) else json.dumps(fields, separators=(",", ":"))


def event_of(name: str, fields: dict[str, Any]) -> tuple[Event, dict[str, Any]]:
    """The event and the fields that this version does not know.

    A type that is unknown, or whose known fields do not have the form they have here, becomes a `NewerEvent`.
    """
    kind = KINDS.get(name)
    if kind is None:
        return NewerEvent(name, fields), {}
    known = field_names(kind)
    try:
        event = _read(_adapter(name), {key: value for key, value in fields.items() if key in known})
    except ValidationError:
        return NewerEvent(name, fields), {}
    return event, {key: value for key, value in fields.items() if key not in known}


def _read(adapter: TypeAdapter[Any], fields: dict[str, Any]) -> Any:
    """By JSON's rules, in which a list is a tuple and 5 is no text; they know no half of a surrogate pair."""
    text = json.dumps(fields, ensure_ascii=False)
    return adapter.validate_json(text, strict=True) if _is_unicode(text) else adapter.validate_python(fields)


@functools.cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(KINDS[name])


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
