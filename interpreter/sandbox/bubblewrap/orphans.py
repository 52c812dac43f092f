"""Sandboxes that can never begin, left by a super-agent that was killed in the first milliseconds of one.

bubblewrap's namespace begins with a process that waits until the outer one has made ready for it, and is bound to the
outer one's life only after that. Where the outer one ends before, the first waits for good and runs nothing: it holds
the other end of what it waits for itself (bubblewrap 0.8.0).
"""

import os
import signal
from pathlib import Path

from interpreter.sandbox.bubblewrap.arguments import OWN_ARGUMENTS


def end_orphans() -> None:
    """Kill them, whichever run left them."""
    for name in os.listdir("/proc"):
        if name.isdecimal():
            _end_orphan(int(name))


def _end_orphan(pid: int) -> None:
    try:
        process = os.pidfd_open(pid)  # before the look: a number that is given anew meanwhile is not hit
    except OSError:
        return  # it has ended
    try:
        if _is_orphan(pid):
            signal.pidfd_send_signal(process, signal.SIGKILL)
    except (OSError, ValueError):
        return  # it has ended, or is another user's
    finally:
        os.close(process)


def _is_orphan(pid: int) -> bool:
    """Whether it is a sandbox of ours whose outer process is gone. Raises OSError, ValueError where it ends meanwhile.

    The outer one has the same arguments and is the parent of the namespace's first process for as long as it lives.
    """
    arguments = _arguments(pid)
    if not _is_ours(arguments):
        return False
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    facts = {name: rest.split() for name, _, rest in (line.partition(":") for line in status.splitlines())}
    (parent,), numbers = facts["PPid"], facts.get("NSpid", [])
    is_own = int(facts["Uid"][0]) == os.getuid()
    is_first_in_namespace = len(numbers) > 1 and numbers[-1] == "1"
    return is_own and is_first_in_namespace and _arguments(int(parent)) != arguments


def _is_ours(arguments: list[str]) -> bool:
    """Whether a command line is that of a sandbox as `confine` starts it."""
    if os.path.basename(arguments[0]) != "bwrap" or OWN_ARGUMENTS[0] not in arguments:
        return False
    first = arguments.index(OWN_ARGUMENTS[0])
    return tuple(arguments[first : first + len(OWN_ARGUMENTS)]) == OWN_ARGUMENTS


def _arguments(pid: int) -> list[str]:
    """Of a process; one empty word where it has none (the kernel's own, and what has ended)."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode("utf-8", "replace").rstrip("\0").split("\0")
    except FileNotFoundError:
        return [""]
