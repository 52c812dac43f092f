"""One cancellation for a run, from whoever may end it to whoever has to be ended."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager


class Cancellation:
    """Thread-safe; once cancelled it stays so. What blocks registers how it is to be ended.

    A signal handler may cancel, too: it finds its own thread at any point of these methods, so no lock is held that
    it would wait for, and the list is only changed by calls that are whole.
    """

    def __init__(self) -> None:
        self._calling = threading.RLock()
        """Held while the callbacks run; see `_forget`."""
        self._callbacks: list[Callable[[], object]] = []
        self._cancelled = False
        self._told = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until it is cancelled, or the time is over; whether it was cancelled. Not for the thread of a handler."""
        return self._told.wait(timeout_s)

    def cancel(self) -> None:
        """Call what is registered, in the caller's thread, in the order of the registrations; later calls do nothing.

        What one of them raises is raised when all were called.
        """
        with self._calling, ExitStack() as calls:
            if self._cancelled:
                return
            self._cancelled = True
            self._told.set()
            while self._callbacks:
                calls.callback(self._callbacks.pop())

    def on_cancel(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Have it called once, at once where it is too late to wait; returns what takes the registration back.

        Once that has returned the callback is not running and never will, so it cannot end what begins afterwards.
        """
        self._callbacks.append(callback)
        if self._cancelled and self._taken_out(callback):  # otherwise `cancel` has it
            callback()
        return lambda: self._forget(callback)

    @contextmanager
    def ending(self, callback: Callable[[], object]) -> Iterator[None]:
        """`on_cancel` for the length of a `with` block."""
        forget = self.on_cancel(callback)
        try:
            yield
        finally:
            forget()

    def _forget(self, callback: Callable[[], object]) -> None:
        with self._calling:
            self._taken_out(callback)

    def _taken_out(self, callback: Callable[[], object]) -> bool:
        try:
            self._callbacks.remove(callback)
        except ValueError:
            return False
        return True
