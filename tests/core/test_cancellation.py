"""Whoever blocks is ended by the cancellation of its run, and by no other."""

import threading
import time

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
