"""The event stream: stamped in order, delivered to every sink, one JSON object each."""

import dataclasses
import json
import threading
import typing

from super_agent.core import events as ev
from super_agent.core.sanitize import sanitize


def test_events_are_numbered_without_gaps_and_carry_their_turn() -> None:
    seen: list[ev.Stamped] = []
    stream = ev.EventStream("s1", (seen.append,), clock=lambda: 1.5)
    stream.emit(ev.Notice("info", "x"))
    stream.emit(ev.TurnStarted(1))
    stream.emit(ev.UserSpoke("y"))
    assert [(s.session, s.turn, s.seq, s.time) for s in seen] == [
        ("s1", 0, 1, 1.5),
        ("s1", 1, 2, 1.5),
        ("s1", 1, 3, 1.5),
    ]


def test_emit_from_many_threads_loses_nothing_and_keeps_the_order() -> None:
    seen: list[int] = []
    stream = ev.EventStream("s", (lambda stamped: seen.append(stamped.seq),))
    threads = [threading.Thread(target=lambda: [stream.emit(ev.UserSpoke("x")) for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == list(range(1, 1601))


def test_every_event_becomes_one_versioned_json_object() -> None:
    example = ev.Stamped("s1", 2, 3, 0.0, ev.FileWritten("a.py", "created", "+x", 1, 0))
    assert ev.to_json(example) == {
        "version": 1,
        "type": "file_written",
        "time": "1970-01-01T00:00:00.000Z",
        "session": "s1",
        "turn": 2,
        "seq": 3,
        "path": "a.py",
        "kind": "created",
        "diff": "+x",
        "added_lines": 1,
        "removed_lines": 0,
    }
    json.dumps(ev.to_json(example))


def test_no_event_has_a_field_that_hides_one_of_the_stamp() -> None:
    stamp = {"version", "type", "time", "session", "turn", "seq"}
    for kind in typing.get_args(ev.Event):
        assert not stamp & {field.name for field in dataclasses.fields(kind)}, kind


def test_text_for_a_terminal_is_made_harmless() -> None:
    assert sanitize("a\x1b[31mred\x1b[0m\x1b]0;title\x07b") == "aredb"
    assert sanitize("50%\r100%\r\nend\ttab") == "50%\n100%\nend\ttab"
    assert sanitize("a\x00b\x9bc\u202ed") == "a\ufffdb\ufffdc\ufffdd"
