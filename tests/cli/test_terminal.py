"""The one reader of the terminal."""

import io
import os
import pty
import select
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from super_agent.cli.terminal.line_editor import LineEditor
from super_agent.cli.terminal.terminal import Terminal


class Keyboard:
    """The other end of a terminal's input."""

    def __init__(self, terminal: Terminal, descriptor: int, prompts: io.StringIO) -> None:
        self.terminal = terminal
        self.descriptor = descriptor
        self.prompts = prompts

    def types(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def lines(self, number: int) -> list[str]:
        """The lines for the run, once there are so many; raises `TimeoutError`."""
        found: list[str] = []
        deadline = time.monotonic() + 5
        while len(found) < number:
            if time.monotonic() > deadline:
                raise TimeoutError(f"only {found}")
            found += self.terminal.take_lines()
            time.sleep(0.005)
        return found

    def ask_meanwhile(self, question: str, taken_back: Callable[[], bool] = lambda: False) -> "Answer":
        return Answer(self, question, taken_back)


class Answer:
    """A question being asked in another thread."""

    def __init__(self, keyboard: Keyboard, question: str, taken_back: Callable[[], bool]) -> None:
        self._given: list[str | None] = []
        asked = keyboard.prompts.getvalue().count(question)
        ask = lambda: self._given.append(keyboard.terminal.ask(question, taken_back))  # noqa: E731
        self._thread = threading.Thread(target=ask)
        self._thread.start()
        deadline = time.monotonic() + 5
        while keyboard.prompts.getvalue().count(question) == asked and time.monotonic() < deadline:
            time.sleep(0.005)

    def given(self) -> str | None:
        self._thread.join(5)
        [answer] = self._given
        return answer


@contextmanager
def piped() -> Iterator[Keyboard]:
    reading, writing = os.pipe()
    prompts = io.StringIO()
    with os.fdopen(reading, encoding="utf-8") as source:
        terminal = Terminal(source, prompts)
        try:
            yield Keyboard(terminal, writing, prompts)
        finally:
            terminal.close()
            os.close(writing)


@pytest.fixture
def keyboard() -> Iterator[Keyboard]:
    with piped() as it:
        yield it


def test_lines_go_to_the_run_while_nothing_is_asked(keyboard: Keyboard) -> None:
    keyboard.types("first\n  \n second \nthi")
    assert keyboard.lines(2) == ["first", "second"]
    keyboard.types("rd\n")
    assert keyboard.lines(1) == ["third"]


def test_a_question_takes_the_next_line_and_only_that(keyboard: Keyboard) -> None:
    answer = keyboard.ask_meanwhile("Shall I?")
    keyboard.types("yes\nand a line\n")
    assert answer.given() == "yes"
    assert keyboard.lines(1) == ["and a line"]


def test_what_was_typed_before_a_question_does_not_answer_it(keyboard: Keyboard) -> None:
    keyboard.types("y\nhalf a l")
    assert keyboard.lines(1) == ["y"]
    answer = keyboard.ask_meanwhile("Shall I?")
    keyboard.types("n\n")
    assert answer.given() == "n"
    keyboard.types("ine\n")
    assert keyboard.lines(1) == ["half a line"]


@pytest.mark.parametrize(
    ("typed", "meant"), [("y", True), (" YES ", True), ("", False), ("n", False), ("yikes", False), ("ye", False)]
)
def test_only_y_and_yes_confirm(keyboard: Keyboard, typed: str, meant: bool) -> None:
    confirmed: list[bool] = []
    asking = threading.Thread(target=lambda: confirmed.append(keyboard.terminal.confirm("Shall I?")))
    asking.start()
    while "[y/N]" not in keyboard.prompts.getvalue():
        time.sleep(0.005)
    keyboard.types(f"{typed}\n")
    asking.join(5)
    assert confirmed == [meant]


def test_a_question_taken_back_is_answered_with_none_and_the_next_one_can_be_asked(keyboard: Keyboard) -> None:
    taken_back = threading.Event()
    answer = keyboard.ask_meanwhile("Shall I?", taken_back.is_set)
    taken_back.set()
    keyboard.terminal.recheck()
    assert answer.given() is None
    answer = keyboard.ask_meanwhile("Really?")
    keyboard.types("no\n")
    assert answer.given() == "no"


def test_close_answers_the_pending_question_with_none_and_leaves_no_thread() -> None:
    before = threading.active_count()
    with piped() as keyboard:
        answer = keyboard.ask_meanwhile("Shall I?")
        began = time.monotonic()
        keyboard.terminal.close()
        assert answer.given() is None
        assert keyboard.terminal.ask("And now?") is None
        keyboard.terminal.close()
        assert time.monotonic() - began < 1
        assert threading.active_count() == before


def test_the_end_of_the_input_ends_the_questions_but_keeps_its_last_line() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as source:
        terminal = Terminal(source, io.StringIO())
        keyboard = Keyboard(terminal, writing, io.StringIO())
        os.write(writing, b"without an end")
        os.close(writing)
        assert keyboard.lines(1) == ["without an end"]
        assert terminal.ask("Shall I?") is None
        terminal.close()


def test_without_a_terminal_every_answer_is_none_at_once() -> None:
    prompts = io.StringIO()
    terminal = Terminal(None, prompts)
    assert terminal.ask("Shall I?") is None
    assert terminal.confirm("Shall I?") is False
    assert list(terminal.take_lines()) == []
    terminal.close()
    assert prompts.getvalue() == ""


def test_characters_cut_between_two_reads_are_put_together(keyboard: Keyboard) -> None:
    for byte in "olá 😀\n".encode():
        os.write(keyboard.descriptor, bytes([byte]))
    assert keyboard.lines(1) == ["olá 😀"]


class Shown:
    """A view that only remembers what was to be shown."""

    def __init__(self) -> None:
        self.typing: list[tuple[str, str]] = []
        self.kept: list[tuple[str, str]] = []

    def show_typing(self, question: str, typed: str) -> None:
        self.typing.append((question, typed))

    def keep_typed(self, question: str, line: str) -> None:
        self.kept.append((question, line))


def test_with_a_view_the_terminal_echoes_nothing_until_it_is_closed() -> None:
    master, slave = pty.openpty()
    shown = Shown()
    with os.fdopen(slave, encoding="utf-8") as source:
        before = termios.tcgetattr(slave)
        terminal = Terminal(source, io.StringIO(), shown)
        during = termios.tcgetattr(slave)
        terminal.close()
        after = termios.tcgetattr(slave)
        echoed, _, _ = select.select([master], [], [], 0)
    os.close(master)
    assert not during[3] & (termios.ECHO | termios.ICANON)
    assert during[3] & termios.ISIG
    assert (after, echoed) == (before, [])


@pytest.mark.parametrize(
    ("typed", "lines", "left"),
    [
        ("hello\r", ["hello"], ""),
        ("a\nb\r\nc", ["a", "b"], "c"),
        ("helloo\x7f\b\b\n", ["hel"], ""),
        ("\x7f\x7fx", [], "x"),
        ("one two  \x17three\n", ["one three"], ""),
        ("all gone\x15ok\n", ["ok"], ""),
        ("ab\x1b[D\x1b[1;5C\x1bOA\x1b[3~c\x1b\n", ["abc"], ""),
        ("\x1bfword\tand\x00\x01\n", ["word and"], ""),
        ("\x04", [None], ""),
        ("x\x04", [], "x"),
        ("olá 😀\n", ["olá 😀"], ""),
    ],
)
def test_the_keys_of_a_line(typed: str, lines: list[str | None], left: str) -> None:
    editor = LineEditor()
    assert editor.feed(typed) == lines
    assert editor.text == left
