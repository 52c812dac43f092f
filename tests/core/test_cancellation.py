"""Whoever blocks is ended by the cancellation of its run, and by no other."""

import signal
import threading
import time
from functools import partial
from types import FrameType

import pytest

from super_agent.core.cancellation import Cancellation


def test_what_is_registered_is_called_once_and_what_comes_too_late_at_once() -> None:
    cancellation, called = Cancellation(), list[str]()
    cancellation.on_cancel(lambda: called.append("before"))
    cancellation.on_cancel(lambda: called.append("taken back"))()
    cancellation.cancel()
    cancellation.cancel()
    cancellation.on_cancel(lambda: called.append("after"))
    assert (called, cancellation.cancelled, cancellation.wait(0)) == (["before", "after"], True, True)


def test_a_callback_can_take_itself_back() -> None:
    cancellation = Cancellation()
    forget = cancellation.on_cancel(lambda: forget())
    cancellation.cancel()


def test_once_it_is_taken_back_a_callback_is_not_running_any_more() -> None:
    """Otherwise the late end of one piece of work would be the end of the next."""
    cancellation, entered, ended = Cancellation(), threading.Event(), list[float]()

    def slow() -> None:
        entered.set()
        time.sleep(0.2)
        ended.append(time.monotonic())

    with cancellation.ending(slow):
        thread = threading.Thread(target=cancellation.cancel)
        thread.start()
        assert entered.wait(10)
    assert ended
    thread.join()


def test_what_one_callback_raises_keeps_no_other_from_being_called() -> None:
    cancellation, called = Cancellation(), list[str]()

    def fail() -> None:
        called.append("first")
        raise RuntimeError("it is closed")

    cancellation.on_cancel(fail)
    cancellation.on_cancel(lambda: called.append("second"))
    with pytest.raises(RuntimeError, match="it is closed"):
        cancellation.cancel()
    assert called == ["first", "second"]


def test_a_signal_handler_may_cancel_while_its_thread_registers_and_takes_back() -> None:
    """Ctrl-C in a conversation: nothing waits for what its own thread holds, and no registration is lost."""
    current, rounds = Cancellation(), 0

    def handler(_number: int, _frame: FrameType | None) -> None:
        current.cancel()

    before = signal.signal(signal.SIGVTALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.001, 0.0005)
        until = time.monotonic() + 1
        while time.monotonic() < until:
            cancellation, called = Cancellation(), list[int]()
            current = cancellation
            with cancellation.ending(partial(called.append, 1)):
                cancellation.cancel()
            assert called == [1]
            rounds += 1
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    assert rounds
