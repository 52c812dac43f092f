"""Blocking work beside an event loop, in a thread that nobody has to wait for."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def start_in_thread(work: Callable[[], T], name: str) -> "asyncio.Future[T]":
    """Run `work` in a daemon thread of its own; cancelling the future does not stop it, its owner must.

    Not asyncio's pool: `asyncio.run` waits for that, and an interrupted run must end within 2 s.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(deliver: Callable[[], None]) -> None:
        if not future.done():
            deliver()

    def body() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - carried over to the awaiting side, never swallowed
            failure = error
            call_soon(loop, lambda: settle(lambda: future.set_exception(failure)))
        else:
            call_soon(loop, lambda: settle(lambda: future.set_result(result)))

    threading.Thread(target=body, name=name, daemon=True).start()
    return future


async def in_thread(work: Callable[[], T], cancel: Callable[[], None], name: str = "work") -> T:
    """Await `work`; cancelling calls `cancel`, which must make it end soon."""
    try:
        return await start_in_thread(work, name)
    except asyncio.CancelledError:
        cancel()
        raise


def call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    """From another thread; nothing happens where the loop is closed."""
    try:
        loop.call_soon_threadsafe(callback)
    except RuntimeError:
        return  # the run was cancelled and its loop is closed: nobody waits for this result
