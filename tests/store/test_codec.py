"""Every event survives being stored; what a newer version stored is kept, never guessed at and never a crash."""

import json
import typing
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from super_agent.core import events as ev
from super_agent.core.store.codec import event_of, to_text

KNOWN = [kind for kind in typing.get_args(ev.Event) if kind is not ev.NewerEvent]
TEXT = st.text(st.characters(codec=None), max_size=20)  # half surrogate pairs too
for known in (str, TEXT), (float, st.floats(allow_nan=False)):
    st.register_type_strategy(*known)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
EVENTS = st.one_of([st.from_type(kind) for kind in KNOWN])


def stored(fields: dict[str, Any]) -> dict[str, Any]:
    """As a database gives them back."""
    read: dict[str, Any] = json.loads(to_text(fields).encode().decode())
    return read


@settings(deadline=None)
@given(EVENTS)
def test_every_event_round_trips(event: ev.Event) -> None:
    assert event_of(ev.event_type(event), stored(ev.own_fields(event))) == (event, {})


@settings(deadline=None)
@given(EVENTS, st.dictionaries(TEXT.map(lambda key: f"new {key}"), JSON, min_size=1, max_size=3))
def test_unknown_fields_are_kept_beside_the_event(event: ev.Event, more: dict[str, Any]) -> None:
    assert event_of(ev.event_type(event), stored(ev.own_fields(event) | more)) == (event, more)


@settings(deadline=None)
@given(TEXT.filter(lambda name: name not in {ev.event_name(kind) for kind in KNOWN}), st.dictionaries(TEXT, JSON))
def test_an_unknown_type_is_kept_as_it_is(name: str, fields: dict[str, Any]) -> None:
    event, unknown = event_of(name, stored(fields))
    assert (event, unknown) == (ev.NewerEvent(name, fields), {})
    assert ev.own_fields(event) == fields
    assert ev.event_type(event) == name


@settings(deadline=None)
@given(EVENTS, st.data())
def test_fields_of_another_form_make_it_a_newer_event(event: ev.Event, data: st.DataObject) -> None:
    """Whatever stands in a field: the event with a right value there, or all fields as they are."""
    name, fields = ev.event_type(event), stored(ev.own_fields(event))
    changed = fields | {key: data.draw(JSON) for key in data.draw(st.lists(st.sampled_from([*fields]), max_size=2))}
    read, unknown = event_of(name, changed)
    assert unknown == {}
    if isinstance(read, ev.NewerEvent):
        assert (read.name, read.fields) == (name, changed)
    else:
        assert stored(ev.own_fields(read)) == changed


def test_a_new_value_of_a_closed_field_is_not_taken_for_a_known_one() -> None:
    fields = {"verdict": "postpone", "reasons": "later"}
    assert event_of("verdict_given", fields) == (ev.NewerEvent("verdict_given", fields), {})


def test_a_missing_field_without_a_default_is_not_guessed() -> None:
    assert event_of("notice", {"level": "info", "text": "x"}) == (ev.Notice("info", "x"), {})
    assert event_of("notice", {"level": "info"}) == (ev.NewerEvent("notice", {"level": "info"}), {})
