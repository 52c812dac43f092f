"""The first process of a container (Python 3.8 and later, standard library only); its text is handed to `python3 -c`.

Frames go both ways over its stdin and stdout: a letter, a length of four bytes, so many bytes. It starts one command,
hands over work (`R`) and signals (`S`), and tells output (`O`), answers (`A`, empty at their end) and the exit code
(`X`). Its own end is the end of everything in the container, and it ends when its stdin does.
"""

from __future__ import annotations

import array
import base64
import contextlib
import ctypes
import fcntl
import json
import os
import re
import resource
import select
import signal
import struct
import sys
import termios
import threading
from typing import Any

HEADER = struct.Struct("!cI")
PIECE_BYTES = 256 * 1024
PIPE_BYTES = 1024 * 1024
SET_PIPE_SIZE = 1031
"""F_SETPIPE_SZ (fcntl(2)), which Python names since 3.10."""
SET_DUMPABLE = 4
"""PR_SET_DUMPABLE (prctl(2)): at 0, nobody without privileges may open this process's descriptors or memory."""
SET_SECCOMP, FILTER = 22, 2
"""PR_SET_SECCOMP and SECCOMP_MODE_FILTER (prctl(2))."""
DRIBBLE_BYTES = 65536
GATHER_MS = 5
"""Output that comes in smaller pieces gathers so long, unless an answer comes."""
NOT_STARTED = 127


class Child:
    """The command, and our ends of its pipes; `request` and `answer` are -1 for a command that takes no work."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.output, output = os.pipe()
        self.request = self.answer = request = answer = state = -1
        if order["dialog"]:
            request, self.request = os.pipe()
            self.answer, answer = os.pipe()
            if any("@STATE" in word for word in order["argv"]):
                state = os.memfd_create("state", os.MFD_CLOEXEC)
        self.pid = os.fork()
        if self.pid == 0:
            become(order, output, {"@REQUEST": request, "@ANSWER": answer, "@STATE": state})
        for fd in (output, request, answer, state):
            if fd >= 0:
                os.close(fd)
        for fd in (self.output, self.request, self.answer):
            if fd >= 0:
                os.set_blocking(fd, False)
        with contextlib.suppress(OSError):  # where the user's pipe quota is used up, 64 KiB work too
            fcntl.fcntl(self.output, SET_PIPE_SIZE, PIPE_BYTES)


def become(order: dict[str, Any], output: int, fds: dict[str, int]) -> None:
    """Turn this fork into the command, with its own descriptors and limits."""
    try:
        os.setsid()
        null = os.open("/dev/null", os.O_RDWR)
        for source, target in ((null, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        argv = order["argv"]
        for name, fd in fds.items():
            if fd >= 0:
                os.set_inheritable(fd, True)
                argv = [word.replace(name, str(fd)) for word in argv]
        home = order["environment"]["HOME"]
        if not os.path.isdir(home):
            os.makedirs(home)
            with open(home + "/.gitconfig", "w", encoding="utf-8") as file:
                file.write(order["git"])
        for name, value in order["limits"].items():
            kind = getattr(resource, "RLIMIT_" + name)
            most = resource.getrlimit(kind)[1]
            value = value if most == resource.RLIM_INFINITY else min(value, most)
            resource.setrlimit(kind, (value, value))
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores
            signal.signal(number, signal.SIG_DFL)
        filter_calls(base64.b64decode(order["filter"]))
        os.execvpe(argv[0], argv, order["environment"])  # noqa: S606
    except (OSError, ValueError) as error:
        os.write(2, f"{order['argv'][0]}: {error}\n".encode())
    finally:
        os._exit(NOT_STARTED)


class Filter(ctypes.Structure):
    """The kernel's `struct sock_fprog`."""

    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def filter_calls(program: bytes) -> None:
    """Have the kernel refuse system calls to this process and all that it starts; instructions have eight bytes."""
    text = ctypes.create_string_buffer(program, len(program))
    found = Filter(len(program) // 8, ctypes.addressof(text))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(SET_SECCOMP, FILTER, ctypes.byref(found), 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel does not take the system call filter")


class Reader:
    """Frames from stdin."""

    def __init__(self) -> None:
        self.data = bytearray()

    def more(self) -> None:
        """Wait for some bytes; ends the container when there will be none."""
        data = os.read(0, PIECE_BYTES)
        if not data:
            os._exit(0)
        self.data += data

    def take(self) -> tuple[bytes, bytes] | None:
        """The next frame, if all of it is there."""
        if len(self.data) < HEADER.size:
            return None
        kind, length = HEADER.unpack_from(self.data)
        if len(self.data) < HEADER.size + length:
            return None
        payload = bytes(self.data[HEADER.size : HEADER.size + length])
        del self.data[: HEADER.size + length]
        return kind, payload


def tell(kind: bytes, payload: bytes) -> None:
    """Write one frame to whoever started us; only ever called by one thread."""
    data = memoryview(HEADER.pack(kind, len(payload)) + payload)
    while data:
        data = data[os.write(1, data) :]


def hear(reader: Reader, child: Child) -> None:
    """Carry out what comes on stdin, in a thread of its own, so that signals arrive while output is stuck."""
    poller = select.poll()
    poller.register(0, select.POLLIN)
    waiting = bytearray()
    writable = child.request >= 0
    while True:
        frame = reader.take()
        while frame is not None:
            if frame[0] == b"R" and writable:
                waiting += frame[1]
            elif frame[0] == b"S":
                signal_others(int(frame[1]), child.pid)
            frame = reader.take()
        if waiting:
            poller.register(child.request, select.POLLOUT)
        ready = dict(poller.poll())
        if 0 in ready:
            reader.more()
        if child.request in ready:
            poller.unregister(child.request)
            try:
                del waiting[: os.write(child.request, waiting[:PIECE_BYTES])]
            except BlockingIOError:
                continue
            except OSError:
                writable = False  # the command closed its end
                waiting.clear()


def signal_others(number: int, spared: int) -> None:
    """To everything in the container but this process and the command itself."""
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in (1, spared):
            try:
                os.kill(int(name), number)
            except OSError:
                continue  # it has ended


def reap(pid: int, ended: int) -> None:
    """Orphans become children of a container's first process and stay as zombies until it waits for them."""
    while True:
        gone, status = os.waitpid(-1, 0)
        if gone == pid:
            code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            os.write(ended, b"%d" % code)
            return


def send_output(child: Child) -> int:
    """Send what has been written so far and not what comes meanwhile; returns the number of bytes, -1 at the end."""
    waiting = array.array("i", [0])
    fcntl.ioctl(child.output, termios.FIONREAD, waiting)
    total = 0
    while total < waiting[0]:
        data = os.read(child.output, PIECE_BYTES)
        tell(b"O", data)
        total += len(data)
    return total


def relay(child: Child, ended: int) -> None:
    """Tell output, answers and the end, each in its place; what was printed before an answer goes before it."""
    everything = select.poll()
    urgent = select.poll()
    for fd in (child.answer, ended):
        if fd >= 0:
            everything.register(fd, select.POLLIN)
            urgent.register(fd, select.POLLIN)
    everything.register(child.output, select.POLLIN)
    listening = True
    while True:
        ready = dict(everything.poll())
        answer = None
        if child.answer in ready:
            answer = os.read(child.answer, PIECE_BYTES)
        code = os.read(ended, 16) if ended in ready else b""
        sent = send_output(child)
        if answer is not None:
            tell(b"A", answer)
            if not answer:
                everything.unregister(child.answer)
                urgent.unregister(child.answer)
        if code:
            send_output(child)
            tell(b"X", code)
            os._exit(0)
        if listening and not sent and ready.get(child.output, 0) & select.POLLHUP:
            everything.unregister(child.output)
            listening = False
        if 0 < sent < DRIBBLE_BYTES:
            urgent.poll(GATHER_MS)


def require_mounts(mounts: list[list[Any]]) -> None:
    """End the container where something is mounted that is not what the policy means: a name may have been flipped.

    What stands under a name may be right again by now, while the engine followed a link to another place: so each has
    to be a place where something is mounted, too.
    """
    places = mount_points()
    for path, device, inode in mounts:
        try:
            info = os.lstat(path)
        except OSError as error:
            sys.exit(str(error))
        if path not in places or (info.st_dev, info.st_ino) != (device, inode):
            sys.exit(path + " is not what it was when the sandbox was settled")


def mount_points() -> set[str]:
    """All of this container."""
    with open("/proc/self/mountinfo", "rb") as file:
        escaped = [line.split(b" ")[4] for line in file]
    return {os.fsdecode(re.sub(rb"\\([0-3][0-7]{2})", lambda code: bytes([int(code[1], 8)]), path)) for path in escaped}


def main() -> None:
    """Serve one command."""
    if os.getpid() != 1:
        sys.exit("this is for the first process of a container, whose end is the end of all others")
    # Code of the same user can neither look into this process nor, as it is the first, signal it without a handler.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if ctypes.CDLL(None).prctl(SET_DUMPABLE, 0, 0, 0, 0):
        sys.exit("prctl refuses to make this process unreadable")
    reader = Reader()
    frame = reader.take()
    while frame is None:
        reader.more()
        frame = reader.take()
    order = json.loads(frame[1].decode())
    require_mounts(order["mounts"])
    child = Child(order)
    tell(b"H", b"")
    os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
    ended, end = os.pipe()
    threading.Thread(target=hear, args=(reader, child), daemon=True).start()
    threading.Thread(target=reap, args=(child.pid, end), daemon=True).start()
    relay(child, ended)


if __name__ == "__main__":
    main()
