"""Events as JSON texts and back. What a newer version wrote is kept as it is, never guessed at and never a crash."""

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Hashable
from typing import Any, Literal

from super_agent.core.events import Event, NewerEvent, event_name

KINDS: dict[str, type[Any]] = {event_name(kind): kind for kind in typing.get_args(Event) if kind is not NewerEvent}


class _Mismatch(Exception):
    pass


def to_text(fields: dict[str, Any]) -> str:
    """One line of JSON that any database takes: half a surrogate pair is written as an escape."""
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(fields, separators=(",", ":"))
    return text


def event_of(name: str, fields: dict[str, Any]) -> tuple[Event, dict[str, Any]]:
    """The event and the fields that this version does not know.

    A type that is unknown, or whose known fields do not have the form they have here, becomes a `NewerEvent`.
    """
    kind = KINDS.get(name)
    if kind is None:
        return NewerEvent(name, fields), {}
    known = _hints(typing.cast(Hashable, kind))
    try:
        event = _build(kind, {key: value for key, value in fields.items() if key in known})
    except _Mismatch:
        return NewerEvent(name, fields), {}
    return event, {key: value for key, value in fields.items() if key not in known}


@functools.cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _build(kind: type[Any], fields: dict[str, Any]) -> Any:
    hints = _hints(typing.cast(Hashable, kind))
    values = {key: _value(hints[key], value) for key, value in fields.items() if key in hints}
    try:
        return kind(**values)
    except TypeError as error:  # a field is missing that has no default
        raise _Mismatch from error


def _value(hint: Any, value: Any) -> Any:
    """The value as the type says; raises `_Mismatch` where it is none."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _first_that_fits(arguments, value)
    if origin is Literal:
        return _checked(value in arguments and isinstance(value, str), value)
    if origin is tuple:
        _checked(isinstance(value, list), value)
        return tuple(_value(arguments[0], item) for item in value)
    if origin is dict:
        _checked(isinstance(value, dict), value)
        return {key: _value(arguments[1], item) for key, item in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        _checked(isinstance(value, dict), value)
        return _build(hint, value)
    if hint is float:
        return _checked(isinstance(value, int | float) and not isinstance(value, bool), value)
    return _checked(type(value) is hint, value)


def _first_that_fits(hints: tuple[Any, ...], value: Any) -> Any:
    for hint in hints:
        try:
            return _value(hint, value)
        except _Mismatch:
            continue
    raise _Mismatch


def _checked(fits: bool, value: Any) -> Any:
    if not fits:
        raise _Mismatch
    return value
