"""A run as plain text, for pipes and logs."""

import io
import os
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from super_agent.cli.render.choice import choose_renderer
from super_agent.core import events as ev
from tests.cli.expected_runs import EXPECTED
from tests.cli.scripted_runs import RUNS, code_run, reply, stamped, started

REORDERING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def plain(*events: ev.Event) -> str:
    stream = io.StringIO()
    renderer = choose_renderer(as_json=False, stream=stream)
    for one in stamped(*events):
        renderer(one)
    renderer.close()
    return stream.getvalue()


def after_start(*events: ev.Event, mode: str = "team") -> str:
    """What the events add to a run that has begun."""
    first = plain(started(mode))
    shown = plain(started(mode), *events)
    assert shown.startswith(first)
    return shown[len(first) :]


@pytest.mark.parametrize("name", RUNS)
def test_a_whole_run_reads_as_it_should(name: str) -> None:
    assert plain(*(one.event for one in RUNS[name]())) == EXPECTED[name]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_how_a_reply_was_cut_into_pieces_does_not_show(size: int) -> None:
    text = "\n\nA plan:\r\n\n1. one\n\n\n2. two\n\n"
    assert after_start(*reply("planner", text, size)) == "\nplanner\n  A plan:\n\n  1. one\n\n\n  2. two\n"


def test_a_reply_that_was_not_streamed_is_shown_when_it_is_posted() -> None:
    assert after_start(ev.SpeakerStarted("coder"), ev.MessagePosted("coder", "All in one.")) == (
        "\ncoder\n  All in one.\n"
    )


def test_thoughts_stand_apart_from_the_reply() -> None:
    shown = after_start(
        ev.SpeakerStarted("coder"),
        ev.TextStreamed("coder", "let me ", reasoning=True),
        ev.TextStreamed("coder", "see", reasoning=True),
        ev.TextStreamed("coder", "Here."),
        ev.MessagePosted("coder", "Here."),
    )
    assert shown == "\ncoder\n  ┊ let me see\n  Here.\n"


def test_a_reviewers_reply_that_is_no_verdict_is_shown_as_it_is() -> None:
    shown = after_start(*reply("reviewer", "Looks fine to me."), ev.TurnStarted(2))
    assert shown == "\nreviewer\n  Looks fine to me.\n\n── turn 2 ──\n"


def test_a_verdict_stands_for_the_reply_even_when_something_is_noted_between_them() -> None:
    *streamed, posted = reply("reviewer", '{"verdict": "accept", "reasons": "fine"}')
    noted = ev.InstanceNoted("truncation", False, "9 prompt tokens")
    shown = after_start(*streamed, noted, posted, ev.VerdictGiven("accept", "fine"), ev.TurnStarted(2))
    assert shown == "\nreviewer\n  ⚠ truncation: 9 prompt tokens\n  ✓ accepted: fine\n\n── turn 2 ──\n"


def test_a_review_that_is_interrupted_keeps_what_was_said() -> None:
    shown = after_start(ev.SpeakerStarted("reviewer"), ev.TextStreamed("reviewer", '{"verdict": "rev'))
    assert shown == '\nreviewer\n  {"verdict": "rev\n'


def test_code_that_the_reply_did_not_show_is_shown_when_it_runs() -> None:
    shown = after_start(*reply("executor", "Now I run it."), *code_run("python", "print(1)\n", "1\n"), mode="exec")
    assert shown == "\nexecutor\n  Now I run it.\n  runs python:\n  print(1)\n  │ 1\n  ✓ finished (0.1 s)\n"


def test_output_that_was_cut_says_how_much_and_where_the_whole_is() -> None:
    shown = after_start(
        ev.CodeFinished("executor", "finished", None, 0.1, 90_000, 80_000, output_file="/state/outputs/1.txt")
    )
    assert shown == (
        "  … 80,000 of 90,000 bytes of output are left out; see /state/outputs/1.txt\n  ✓ finished (0.1 s)\n"
    )


def test_a_long_new_file_is_shown_by_its_beginning() -> None:
    diff = (
        "--- /dev/null\n+++ b/a.txt\n@@ -0,0 +1,50 @@\n" + "\n".join(f"+{n}" for n in range(37)) + "\n… 13 more lines"
    )
    shown = after_start(ev.FileWritten("a.txt", "created", diff, 50, 0))
    assert shown == "  ✓ created a.txt (+50 −0)\n    +0\n    +1\n    +2\n    +3\n    +4\n    +5\n    … 44 more lines\n"


def test_lines_that_look_like_the_head_of_a_diff_are_kept_inside_it() -> None:
    diff = "--- a/q.sql\n+++ b/q.sql\n@@ -1,2 +1,2 @@\n--- old comment\n+++ new comment\n x"
    shown = after_start(ev.FileWritten("q.sql", "edited", diff, 1, 1))
    assert shown == (
        "  ✓ edited q.sql (+1 −1)\n    @@ -1,2 +1,2 @@\n    --- old comment\n    +++ new comment\n     x\n"
    )


def test_a_refused_edit_shows_the_nearest_lines_below_its_reason() -> None:
    shown = after_start(ev.EditRefused("a.py", "the SEARCH text is not in the file; the nearest lines are:\nx = 1\ny"))
    assert shown == (
        "  ✗ a.py was not written: the SEARCH text is not in the file; the nearest lines are:\n    x = 1\n    y\n"
    )


def test_an_error_before_anything_began_is_summed_up_in_two_lines() -> None:
    end = ev.RunEnded("error", 3, "nothing answers at http://localhost:1", 0, 0.1, (), (), {})
    assert after_start(end) == "\n✗ ended by an error\n  why     nothing answers at http://localhost:1\n"


@pytest.mark.parametrize(
    ("reason", "title"),
    [
        ("check_passed", "done: the check passes"),
        ("accepted", "done: the reviewer accepted"),
        ("finished", "done"),
        ("no_progress", "ended: no progress"),
        ("turn_limit", "ended: limit of turns"),
        ("time_limit", "ended: limit of time"),
        ("token_limit", "ended: limit of tokens"),
        ("interrupted", "interrupted"),
        ("error", "ended by an error"),
    ],
)
def test_every_reason_has_plain_words_even_without_a_detail(reason: ev.EndReason, title: str) -> None:
    lines = after_start(ev.RunEnded(reason, 1, "", 1, 1.0, (), (), {})).splitlines()
    assert lines[1] == f"✗ {title}"
    assert lines[2].startswith("  why     ")
    assert len(lines[2]) > len("  why     ")


def test_the_summary_names_both_clients_many_files_and_all_that_happened_to_the_instance() -> None:
    usage = (ev.ClientUsage("autogen", 1, 1200, 30), ev.ClientUsage("open-interpreter", 2, 5, 6))
    counts = {"load": 1, "reload": 2, "eviction": 1, "keep_alive_reset": 1, "truncation": 0, "queued": 3}
    files = tuple(f"f{n}" for n in range(14))
    assert after_start(ev.RunEnded("turn_limit", 1, "8 turns", 8, 200.0, files, usage, counts)) == (
        "\n✗ ended: limit of turns\n"
        "  why     8 turns\n"
        "  files   f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11 and 2 more\n"
        "  turns   8 in 3 min 20 s\n"
        "  tokens  autogen           1,200 in, 30 out, 1 call\n"
        "          open-interpreter  5 in, 6 out, 2 calls\n"
        "  model   1 load, 2 reloads, 0 truncations, 1 eviction, 1 keep-alive reset, 3 requests queued\n"
    )


def test_a_long_task_is_cut_and_says_so() -> None:
    shown = plain(started(task="\n".join(["x" * 500, *"abcdefgh"])))
    assert shown.splitlines()[:7] == ["x" * 400 + " …", *"abcde", "… 3 more lines"]


def test_events_after_close_and_a_second_close_change_nothing() -> None:
    stream = io.StringIO()
    renderer = choose_renderer(as_json=False, stream=stream)
    renderer.close()
    renderer(stamped(started())[0])
    renderer.close()
    assert stream.getvalue() == ""


def test_what_the_encoding_cannot_express_is_replaced() -> None:
    raw = io.BytesIO()
    renderer = choose_renderer(as_json=False, stream=io.TextIOWrapper(raw, encoding="ascii"))
    for one in stamped(*reply("coder", "naïve \ud800 ✓", size=100)):
        renderer(one)
    renderer.close()
    assert raw.getvalue() == b"coder\n  na?ve ? ?\n"


@pytest.mark.parametrize("as_json", [True, False])
def test_a_reader_that_goes_away_is_told_once_and_ends_the_output_quietly(as_json: bool) -> None:
    reading, writing = os.pipe()
    told: list[str] = []
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        renderer = choose_renderer(as_json, stream, on_reader_gone=lambda: told.append("gone"))
        events = RUNS["team"]()
        renderer(events[0])
        os.close(reading)
        for one in events[1:]:
            renderer(one)
        renderer.close()
    assert told == ["gone"]


def test_plain_text_and_json_do_not_load_rich() -> None:
    program = (
        "import io, sys\n"
        "from super_agent.cli.render.choice import choose_renderer\n"
        "for as_json in (True, False): choose_renderer(as_json, io.StringIO()).close()\n"
        "print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"


# What models and code really send, weighted towards what steers a terminal.
nasty = st.lists(
    st.sampled_from(
        ["\x1b", "[2J", "[31m", "]0;title", "\x07", "\x9b", "\x90", "\r", "\n", "\t", "\x00", "\x7f", "\u202e",
         "\u2066", "\u2028", "```", "```python\n", "'''", "a", " ", "漢", "😀"]
    )
    | st.text(max_size=8),
    max_size=30,
).map("".join)  # fmt: skip


def everything_saying(text: str) -> tuple[ev.Event, ...]:
    """A run in which whatever a model, code, a server or a user can choose is the text."""
    return (
        started(task=text, check=text),
        ev.Notice("warning", text, text),
        *reply("planner", text, 2),
        *reply("reviewer", text, 3),
        ev.TurnStarted(1),
        *reply("executor", text, 1, finish_reason="length"),
        ev.TextStreamed("coder", text, reasoning=True),
        ev.FileWritten(text, "created", text, 1, 1),
        ev.FileWritten(text, "edited", text, 1, 1),
        ev.EditRefused(text, text),
        ev.FilesShown((text,), (text,)),
        ev.InstructionGiven(text),
        ev.ApprovalAsked(text, text, (text,)),
        ev.CodeDecided("skipped", "user", text, text, text),
        *code_run("python", text, text),
        *code_run("shell", f"{text}!", text, 1, failed=True),
        ev.CodeFinished("executor", "died", None, 0.1, 9, 9, text),
        ev.CodeStarted("check", "shell", text),
        ev.CheckFinished(text, "after", False, 1, text, 0.1),
        ev.FilesChanged((text,), (text,), (text,)),
        ev.SpeakerStarted("workspace"),
        ev.MessagePosted("workspace", text),
        ev.VerdictGiven("revise", text),
        ev.UserSpoke(text),
        ev.EngineRestarted(text),
        ev.InstanceNoted("reload", False, text, text, text),
        ev.InstanceNoted("queued", True, text),
        ev.RunEnded("error", 3, text, 1, 1.0, (text,), (ev.ClientUsage("autogen", 1, 1, 1),), {"load": 1}),
    )


def steering(shown: str) -> set[str]:
    """The characters of a text that could steer a terminal or reorder it."""
    return {
        char
        for char in shown
        if (unicodedata.category(char) in ("Cc", "Zl", "Zp") and char not in "\n\t")
        or unicodedata.bidirectional(char) in REORDERING
    }


@given(nasty)
def test_no_control_character_of_a_model_or_of_code_reaches_the_output(text: str) -> None:
    assert steering(plain(*everything_saying(text))) == set()


def test_a_wait_for_other_runs_is_told_with_its_position() -> None:
    shown = after_start(
        ev.SpeakerStarted("coder"),
        ev.Queued("autogen", 2, ("run s2 (pid 7)",)),
        ev.Queued("autogen", 1, ("run s3 (pid 8)",)),
        ev.QueuePassed("autogen", 12.3),
        *reply("coder", "Here.")[1:],
    )
    assert shown == (
        "  waiting for the model: position 2 in the queue, run s2 (pid 7) has it\n"
        "  waiting for the model: position 1 in the queue, run s3 (pid 8) has it\n"
        "\ncoder\n  waited 12.3 s for other runs\n  Here.\n"
    )


def test_a_silence_is_told_each_time_it_has_doubled_and_never_into_a_reply() -> None:
    waits = [ev.Waiting("autogen", seconds, "first_piece") for seconds in (10, 20, 30, 40)]
    shown = after_start(
        ev.SpeakerStarted("coder"),
        *waits,
        ev.TextStreamed("coder", "Half a "),
        ev.Waiting("autogen", 10, "next_piece"),
        ev.TextStreamed("coder", "word."),
    )
    told = [line.rsplit("; ", 1)[1] for line in shown.splitlines() if "the server is alive" in line]
    assert told == ["10 s so far", "20 s so far", "40 s so far"]
    assert "coder is thinking: the server is alive and has not begun to reply" in shown
    assert shown.endswith("\ncoder\n  Half a word.\n")


def test_what_is_tried_again_says_why_and_when() -> None:
    shown = after_start(ev.SpeakerStarted("coder"), ev.Retried("autogen", 2, 4, "http://x is busy: full", 1.0))
    assert shown == "\ncoder\n  ⚠ http://x is busy: full; trying again in 1.0 s (2 of 4)\n"


def test_a_reply_that_broke_off_is_closed_and_begins_anew() -> None:
    shown = after_start(
        ev.SpeakerStarted("coder"),
        ev.TextStreamed("coder", "Half a wo\x1b["),
        ev.ReplyDiscarded("autogen", "the connection is gone"),
        ev.TextStreamed("coder", "All of it."),
        ev.MessagePosted("coder", "All of it."),
    )
    assert shown == (
        "\ncoder\n  Half a wo\n  ✗ this reply broke off and counts for nothing: the connection is gone\n  All of it.\n"
    )


def test_a_verdict_that_broke_off_is_not_shown() -> None:
    shown = after_start(
        ev.SpeakerStarted("reviewer"),
        ev.TextStreamed("reviewer", '{"verdict": "rev'),
        ev.ReplyDiscarded("autogen", "gone"),
        *reply("reviewer", '{"verdict": "accept", "reasons": "fine"}')[1:],
        ev.VerdictGiven("accept", "fine"),
    )
    assert shown == "\nreviewer\n  ✗ this reply broke off and counts for nothing: gone\n  ✓ accepted: fine\n"
