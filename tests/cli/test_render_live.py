"""A run in a terminal: what stands there in the end, what moves below it, and what is typed into it."""

import io
import os
import pty
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from rich.console import Console

from super_agent.cli.render.live import LiveSurface, StillSurface
from super_agent.cli.render.output import Output
from super_agent.cli.render.text import TextRenderer
from super_agent.core import events as ev
from tests.cli.expected_runs import EXPECTED
from tests.cli.screen import screen
from tests.cli.scripted_runs import RUNS, code_run, model_ready, reply, stamped, started
from tests.cli.test_render_plain import everything_saying, nasty, steering

CHECKOUT = Path(__file__).resolve().parents[2]
STYLING = re.compile(r"\x1b\[[0-9;]*m")


class LiveView:
    """A renderer on a terminal of a given width that writes into memory."""

    def __init__(
        self, width: int = 80, *, colour: bool = True, is_terminal: bool = True, frames_a_second: float = 8
    ) -> None:
        self._stream = io.StringIO()
        self.now_s = 0.0
        console = Console(
            file=self._stream,
            width=width,
            height=24,
            force_terminal=is_terminal,
            color_system="standard" if colour else None,
            no_color=not colour,
            highlight=False,
            markup=False,
            emoji=False,
            _environ={},
        )
        self.surface = LiveSurface(
            Output(self._stream, lambda: None), console, clock=lambda: self.now_s, frames_a_second=frames_a_second
        )
        self.renderer = TextRenderer(self.surface)

    @property
    def written(self) -> str:
        return self._stream.getvalue()

    def play(self, *events: ev.Event) -> "LiveView":
        for one in stamped(*events):
            self.renderer(one)
        return self

    def frame(self) -> str:
        """What stands on the screen when everything that happened has been drawn."""
        self.surface.show_typing("", "")
        return screen(self.written)

    def ended(self) -> str:
        self.renderer.close()
        return screen(self.written)


@pytest.mark.parametrize("name", ["team", "solo", "failed"])
def test_a_whole_run_leaves_the_same_text_as_in_a_pipe_and_nothing_else(name: str) -> None:
    assert LiveView(100).play(*(one.event for one in RUNS[name]())).ended() == EXPECTED[name]


@pytest.mark.parametrize("name", ["team", "solo", "failed"])
def test_a_run_that_is_over_is_drawn_in_the_same_rows_and_nothing_moves(name: str) -> None:
    live, stream = LiveView(100).play(*(one.event for one in RUNS[name]())), io.StringIO()
    console = Console(file=stream, width=100, force_terminal=True, color_system="standard", highlight=False)
    renderer = TextRenderer(StillSurface(Output(stream, lambda: None), console), afterwards=True)
    for one in RUNS[name]():
        renderer(one)
    renderer.close()
    assert screen(stream.getvalue()) == live.ended()
    assert STYLING.sub("", stream.getvalue()) == EXPECTED[name]


def test_thoughts_need_no_mark_where_they_are_dimmed() -> None:
    view = LiveView(100).play(*(one.event for one in RUNS["exec"]()))
    assert view.ended() == EXPECTED["exec"].replace("  ┊ ", "  ")
    assert "\x1b[2;3mThere is a module for that." in view.written


def test_in_a_narrow_terminal_words_stay_whole_and_text_stays_in_its_column() -> None:
    view = LiveView(40).play(
        started("exec"),
        *reply(
            "planner", "1. Write add.py with add(a, b), which returns the sum.\n2. Keep it short and simple please."
        ),
        *code_run("python", "pass", "0123456789" * 5 + "\n"),
        ev.FileWritten("a.txt", "edited", "@@ -1 +1 @@\n+" + "long " * 9, 1, 0),
        ev.Notice("warning", "the context is 4096; real work needs 16384", "super-agent up --context 16384"),
        ev.RunEnded("check_passed", 0, "the check failed before the first turn and passes now", 1, 1.0, (), (), {}),
    )
    assert view.ended() == (
        "Write add.py with add(a, b).\n"
        "  coder-7b-16k at http://localhost:11434\n"
        "  in /code/sum, sandbox: bubblewrap,\n"
        "  check: python -m pytest -q\n"
        "\n"
        "planner\n"
        "  1. Write add.py with add(a, b), which\n"
        "     returns the sum.\n"
        "  2. Keep it short and simple please.\n"
        "  runs python:\n"
        "  pass\n"
        "  │ 012345678901234567890123456789012345\n"
        "  │ 67890123456789\n"
        "  ✓ finished (0.1 s)\n"
        "  ✓ edited a.txt (+1 −0)\n"
        "    @@ -1 +1 @@\n"
        "    +long long long long long long long\n"
        "    long long\n"
        "  ⚠ the context is 4096; real work needs\n"
        "    16384\n"
        "    → super-agent up --context 16384\n"
        "\n"
        "✓ done: the check passes\n"
        "  why     the check failed before the\n"
        "          first turn and passes now\n"
        "  files   none changed\n"
        "  turns   1 in 1.0 s\n"
    )


def test_the_status_says_who_in_which_turn_for_how_long_and_how_much() -> None:
    view = LiveView()
    view.play(ev.TurnStarted(2), ev.SpeakerStarted("coder"))
    assert view.frame().splitlines()[-1] == "⠋ coder is thinking · turn 2"
    view.now_s = 14.2
    for piece in ("I wri", "te add"):
        view.renderer(ev.Stamped("s1", 2, 9, 0.0, ev.TextStreamed("coder", piece)))
    heading, row, status = view.frame().splitlines()[-3:]
    assert (heading, row) == ("coder", "  I write add")
    assert re.fullmatch(r". coder is writing · turn 2 · 14 s · 2 tokens", status)
    assert view.ended() == "coder\n  I write add\n"


def test_the_status_is_cut_rather_than_wrapped() -> None:
    view = LiveView(20).play(ev.TurnStarted(2), ev.SpeakerStarted("coder"), ev.TextStreamed("coder", "x" * 30))
    assert all(len(row) <= 20 for row in view.frame().splitlines())
    view.renderer.close()


def test_code_in_a_reply_is_highlighted_with_the_state_of_the_lines_before() -> None:
    text = 'So:\n```python\nx = """a\nreturn b\n"""\nreturn x\n```\n'
    view = LiveView().play(*reply("coder", text))
    view.renderer.close()
    written = view.written
    assert "\x1b[33mreturn b\x1b[0m" in written, "inside the docstring"
    assert re.search(r"\x1b\[9?[0-9;]*mreturn\x1b\[[0-9;]*m.?x", written)


def test_a_fence_closes_only_with_its_own_kind_and_what_follows_is_prose_again() -> None:
    long = " ".join(["word"] * 10)
    view = LiveView(40).play(*reply("coder", f"````md\n```python\n{long}\n```\n````\n{long}"))
    assert view.ended() == (
        "coder\n"
        "  ````md\n"
        "  ```python\n"
        f"  {long}\n"  # code: the terminal breaks it, so that it can be copied
        "  ```\n"
        "  ````\n"
        "  word word word word word word word\n"
        "  word word word\n"
    )


def test_diffs_are_coloured() -> None:
    written = LiveView().play(ev.FileWritten("a", "edited", "@@ -1 +1 @@\n-old\n+new\n same", 1, 1)).written
    assert "\x1b[31m    -old" in written
    assert "\x1b[32m    +new" in written


def test_no_colour_is_used_where_none_is_wanted() -> None:
    view = LiveView(colour=False).play(*(one.event for one in RUNS["team"]()))
    assert not re.search(r"\x1b\[(?:[0-9;]*;)?(?:3[0-7]|9[0-7])m", view.written)


def test_a_question_takes_the_place_of_the_status_and_stays_with_its_answer() -> None:
    view = LiveView().play(started())
    view.surface.show_typing("Run `x`? [y/N]", "ye")
    assert screen(view.written).splitlines()[-1] == "  Run `x`? [y/N] ye▏"
    view.surface.keep_typed("Run `x`? [y/N]", "yes")
    assert view.ended().splitlines()[-1] == "  Run `x`? [y/N] yes"


def test_a_line_typed_into_a_streaming_reply_breaks_neither() -> None:
    view = LiveView().play(ev.SpeakerStarted("coder"), ev.TextStreamed("coder", "```python\nfirst = 1\nsec"))
    view.surface.show_typing("", "use type hi")
    assert screen(view.written).splitlines()[-3] == "  sec"
    assert screen(view.written).splitlines()[-1] == "› use type hi▏"
    view.surface.keep_typed("", "use type hints")
    view.play(ev.TextStreamed("coder", "ond = 2\n```\nDone."))
    assert view.ended() == (
        "coder\n  ```python\n  first = 1\n› use type hints  (for the next turn)\n  second = 2\n  ```\n  Done.\n"
    )


def test_redrawing_at_any_moment_leaves_no_trace_in_what_is_finished() -> None:
    text = "\n".join(f"{number} short\n\n- and {'long ' * 20}" for number in range(150))
    calm, hurried = LiveView(50), LiveView(50, frames_a_second=20_000)
    shown = [view.play(started(), *reply("coder", text, 3)).ended() for view in (calm, hurried)]
    assert shown[0] == shown[1]


def test_in_a_conversation_the_terminal_is_free_between_two_actions() -> None:
    """There is no RunStarted in a conversation, and its prompt comes after a report or a failure."""
    for last in (ev.ReportMade("done"), ev.Notice("warning", "interrupted"), ev.Notice("error", "gone")):
        view = LiveView().play(*model_ready(), ev.TurnStarted(1), ev.InstructionGiven("x"), *reply("executor", "Hi."))
        view.play(last)
        before = view.written
        assert before.rstrip().endswith("\x1b[?25h") or before.rindex("\x1b[?25h") > before.rindex("\x1b[?25l")
        time.sleep(0.3)
        assert view.written == before, "nothing is drawn behind the prompt"


def test_after_close_nothing_is_drawn_and_the_cursor_is_back() -> None:
    before = set(threading.enumerate())
    view = LiveView().play(started(), ev.SpeakerStarted("coder"))
    view.renderer.close()
    assert set(threading.enumerate()) <= before
    closed = view.written
    view.surface.show_typing("", "late")
    view.surface.keep_typed("", "late")
    view.play(*reply("coder", "late"))
    view.renderer.close()
    assert view.written == closed
    assert closed.rindex("\x1b[?25h") > closed.rindex("\x1b[?25l")


@given(nasty)
@settings(deadline=None)
def test_no_control_character_of_a_model_or_of_code_reaches_the_terminal(text: str) -> None:
    view = LiveView(60, colour=False, is_terminal=False)
    view.play(*everything_saying(text))
    view.surface.show_typing(text, text)
    view.surface.keep_typed(text, text)
    view.renderer.close()
    assert steering(view.written) == set()


@given(nasty)
@settings(deadline=None, max_examples=30)
def test_while_the_view_is_live_only_its_own_controls_are_sent(text: str) -> None:
    view = LiveView(60)
    view.play(*everything_saying(text))
    view.surface.show_typing(text, text)
    view.renderer.close()
    screen(STYLING.sub("", view.written))  # raises for any other control


def test_on_a_real_terminal_a_run_asks_listens_and_gives_the_terminal_back(tmp_path: Path) -> None:
    program = tmp_path / "run.py"
    program.write_text(
        "import sys, termios, threading, time\n"
        "from super_agent.cli.render.choice import choose_renderer\n"
        "from super_agent.cli.terminal.terminal import Terminal\n"
        "from tests.cli.scripted_runs import team_run\n"
        "before = termios.tcgetattr(0)\n"
        "renderer = choose_renderer(False, sys.stdout)\n"
        "first, *events = team_run()\n"
        "with Terminal.open(renderer.typing) as terminal:\n"
        "    renderer(first)\n"
        "    answer = terminal.confirm('Really?')\n"
        "    lines = []\n"
        "    while not lines:\n"
        "        lines = terminal.take_lines()\n"
        "        time.sleep(0.01)\n"
        "    for event in events: renderer(event)\n"
        "    renderer.close()\n"
        "print(answer, lines, threading.active_count(), termios.tcgetattr(0) == before)\n"
    )
    master, slave = pty.openpty()
    environ = {"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "100", "PYTHONPATH": str(CHECKOUT)}
    process = subprocess.Popen(
        [sys.executable, str(program)], stdin=slave, stdout=slave, stderr=slave, env=environ, start_new_session=True
    )
    os.close(slave)
    shown = read_until(master, "Really?")
    os.write(master, b"yes\r")
    shown += read_until(master, "Really? [y/N] yes\r")
    os.write(master, b"be quick\r")
    shown += read_until(master, None)
    os.close(master)
    assert process.wait(10) == 0
    *rows, last, _ = screen(shown.replace("\r\n", "\n")).split("\n")
    assert last == "True ['be quick'] 1 True"
    head, tail = EXPECTED["team"].split("  the model is ready", 1)
    assert "\n".join(rows) + "\n" == (
        f"{head}  Really? [y/N] yes\n› be quick  (for the next turn)\n  the model is ready{tail}"
    )


def read_until(descriptor: int, text: str | None) -> str:
    """What comes from a terminal up to a text, or (None) to its end."""
    found = b""
    while text is None or text not in found.decode("utf-8", "replace"):
        try:
            found += os.read(descriptor, 65536)
        except OSError:  # the other end was closed
            break
    return found.decode("utf-8", "replace")
