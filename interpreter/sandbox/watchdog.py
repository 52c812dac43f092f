"""What limits inside the sandbox cannot see: memory and processes in total, growth of the workspace, free disk."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from interpreter.sandbox.protocol import SandboxPolicy

MIB = 1024 * 1024
BLOCK_BYTES = 512
"""Unit of `st_blocks`, whatever the file system's own block size (stat(2))."""
SLACK_BYTES = 64 * MIB
"""Of free disk that may go before a nearly full disk is blamed on the code: other programs write too."""
MAX_NEW_FILES = 200_000
CLOCK_SLACK_S = 1.0
"""File times come from the kernel's coarse clock."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PARENT, _RESIDENT = 1, 21
"""Fields of /proc/PID/stat counted from the state, which follows the name in parentheses (proc(5))."""


@dataclass(frozen=True, slots=True)
class ProcessStat:
    """One process as /proc shows it."""

    pid: int
    parent: int
    resident_bytes: int


def all_processes() -> Iterator[ProcessStat]:
    """All processes of the machine; those that end meanwhile are left out."""
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if len(fields) > _RESIDENT:
                yield ProcessStat(int(name), int(fields[_PARENT]), int(fields[_RESIDENT]) * _PAGE)


def descendants(pid: int) -> list[ProcessStat]:
    """Everything that a process started and that still hangs on it, parents before children."""
    children: dict[int, list[ProcessStat]] = {}
    for process in all_processes():
        children.setdefault(process.parent, []).append(process)
    found: list[ProcessStat] = []
    waiting = [pid]
    while waiting:
        below = children.pop(waiting.pop(), [])
        found += below
        waiting += [process.pid for process in below]
    return found


def threads_of_the_machine() -> int:
    """One short read, which a fork bomb does not make longer; after the slash in /proc/loadavg (proc(5))."""
    with open("/proc/loadavg", "rb") as file:
        return int(file.read().split()[3].partition(b"/")[2])


class Watchdog:
    """Says when a sandbox exceeds its policy's totals. Made when the sandbox starts, asked again and again."""

    def __init__(self, policy: SandboxPolicy) -> None:
        self._policy = policy
        self._started = time.time() - CLOCK_SLACK_S
        self._threads = threads_of_the_machine()
        self._used, self._free, self._files = _disk(policy.workspace) or (0, 0, 0)

    def complaint(self, pid: int, first: int | None = None) -> str:
        """What the processes below `pid` exceed, as the end of a sentence, or empty.

        `first` is the first process of their namespace, where they have one.
        """
        return self._crowd(first) or self._processes(pid) or self.disk_complaint()

    def burst(self) -> bool:
        """Whether so many threads have come into being on the machine that it is time to count; for root, whom the
        kernel exempts from RLIMIT_NPROC, a fork bomb grows faster than counting every process can be repeated.
        """
        now = threads_of_the_machine()
        limit = self._policy.max_processes
        burst = now - self._threads > limit
        # After one burst the next is a quarter of it away: counting takes longer the later it comes.
        self._threads = now - limit * 3 // 4 if burst else min(self._threads, now)
        return burst

    def _crowd(self, first: int | None) -> str:
        """The namespace's own /proc lists its processes: during a fork bomb much quicker than to read about each."""
        try:
            count = sum(name.isdecimal() for name in os.listdir(f"/proc/{first}/root/proc")) if first else 0
        except OSError:
            return ""  # it has just ended, or does not show itself to an ordinary user
        limit = self._policy.max_processes
        return f"it ran {count} processes, more than {limit}" if count > limit else ""

    def _processes(self, pid: int) -> str:
        below = descendants(pid)
        if len(below) > self._policy.max_processes:
            return f"it ran {len(below)} processes, more than {self._policy.max_processes}"
        limit = self._policy.max_memory_bytes
        # What processes share counts once for each here; the exact sum is asked for only when this one is too large.
        if sum(process.resident_bytes for process in below) > limit:
            total = sum(_own_bytes(process) for process in below)
            if total > limit:
                return f"it used {total // MIB} MiB of memory in all, more than {limit // MIB}"
        return ""

    def disk_complaint(self) -> str:
        """What was written beyond the policy, as the end of a sentence, or empty."""
        policy = self._policy
        now = _disk(policy.workspace)
        if now is None:
            return ""  # the folder was removed: there is nothing left to grow
        used, free, files = now
        if free < policy.min_free_disk_bytes and self._free - free > SLACK_BYTES:
            return f"the disk has only {free // MIB} MiB left"
        # The disk's figures are cheap and not only ours; they decide whether to look at the files themselves.
        if used - self._used > policy.max_disk_growth_bytes or files - self._files > MAX_NEW_FILES:
            size, count = _written_since(policy.workspace, self._started)
            if size > policy.max_disk_growth_bytes:
                return f"it wrote {size // MIB} MiB, more than {policy.max_disk_growth_bytes // MIB}"
            if count > MAX_NEW_FILES:
                return f"it wrote more than {MAX_NEW_FILES} files"
            self._used, self._files = used - size, files - count  # the rest was written by somebody else
        return ""


def _disk(folder: Path) -> tuple[int, int, int] | None:
    """Bytes used, bytes free for an ordinary user, and files, of the file system that holds the folder."""
    try:
        about = os.statvfs(folder)
    except OSError:
        return None
    block = about.f_frsize
    return (about.f_blocks - about.f_bfree) * block, about.f_bavail * block, about.f_files - about.f_ffree


def _own_bytes(process: ProcessStat) -> int:
    """Its share of memory, what is shared divided among the sharers; its resident size where that is not told."""
    try:
        with open(f"/proc/{process.pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        return 0
    except PermissionError:
        return process.resident_bytes
    return process.resident_bytes


def _written_since(folder: Path, since: float) -> tuple[int, int]:
    """Bytes on disk and number of the files changed since a time (unix seconds); links are not followed."""
    size = count = 0
    waiting = [str(folder)]
    while waiting and count <= MAX_NEW_FILES:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    about = entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    if about.st_ctime >= since:
                        size += about.st_blocks * BLOCK_BYTES
                        count += 1
        except OSError:
            continue  # removed meanwhile, or a path too long to name: the disk's own figures still count it
    return size, count
