"""Hard limits of memory and processes in all, from the kernel: a systemd scope around the sandbox, where that holds.

Without it the watchdog's looks are what limits the whole; a cgroup needs no looking.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from interpreter.sandbox.protocol import SandboxPolicy

MIB = 1024 * 1024
PROBE_MEMORY_BYTES = 256 * MIB
PROBE_TASKS = 64
PROBE_TIMEOUT_S = 5.0
SPARE_TASKS = 16
"""For bubblewrap and the worker's own threads, which the limit inside the sandbox does not count."""
RUNNING = Path("/run/systemd/system")
"""Exists where systemd is the manager (sd_booted(3))."""
_LIMITS_OF_SELF = 'cd "/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)" && cat memory.max pids.max'


@dataclass(frozen=True, slots=True)
class Scope:
    """What stands before a command so that it runs in a scope of its own, and the environment that this needs."""

    argv: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def scope_for(policy: SandboxPolicy) -> Scope:
    """A scope with the policy's totals; an empty one where systemd does not run or does not limit."""
    program = shutil.which("systemd-run")
    if program is None or not RUNNING.is_dir() or not _holds(program, os.geteuid()):
        return Scope()
    return scope(program, os.geteuid(), policy.max_memory_bytes, policy.max_processes + SPARE_TASKS)


def scope(program: str, uid: int, memory_bytes: int, tasks: int) -> Scope:
    """Root asks the system's manager, everybody else their own.

    What follows starts with an empty environment: bubblewrap's own can be read inside. A scope is run by `exec`, so
    its process stays the child of whoever started it, with the descriptors it was given.
    """
    limits = {"MemoryMax": memory_bytes, "MemorySwapMax": 0, "TasksMax": tasks}
    properties = [f"--property={name}={value}" for name, value in limits.items()]
    whose = () if uid == 0 else ("--user",)
    argv = (program, *whose, "--scope", "--quiet", "--collect", *properties, "--", "/usr/bin/env", "-i")
    return Scope(argv, {} if uid == 0 else {"XDG_RUNTIME_DIR": f"/run/user/{uid}"})


@cache
def _holds(program: str, uid: int) -> bool:
    """Start one and read its limits back from the kernel: a manager may accept what it cannot enforce."""
    tried = scope(program, uid, PROBE_MEMORY_BYTES, PROBE_TASKS)
    try:
        done = subprocess.run(
            [*tried.argv, "/bin/sh", "-c", _LIMITS_OF_SELF],
            env=dict(tried.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.split() == [b"%d" % PROBE_MEMORY_BYTES, b"%d" % PROBE_TASKS]
