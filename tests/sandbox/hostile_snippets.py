"""Ways in which code could harm its host, by category. Each tells HELD when it was refused and REACHED when it was not.

`{...}` are filled in by the test: paths of a secret beside the workspace, ports and sockets that wait, a process of
the host. What a snippet claims is not believed alone: the test looks at the host afterwards.
"""

from dataclasses import dataclass, field
from typing import Literal

MIB = 1024 * 1024


@dataclass(frozen=True)
class Snippet:
    """`says` must be in the output or the outcome's detail; `kind` is how the run must end, where that matters."""

    category: str
    name: str
    code: str
    language: Literal["python", "shell", "command"] = "python"
    says: str = "HELD"
    kinds: tuple[str, ...] = ("finished", "failed")
    limits: dict[str, int | bool | str] = field(default_factory=dict)
    timeout_s: float = 20.0


def attempt(category: str, name: str, expression: str, prepare: str = "") -> Snippet:
    """Python that evaluates an expression: HELD when it raises or is false."""
    code = (
        "import ctypes, glob, os, socket, subprocess, struct\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "def call(number, *rest):\n"
        "    if libc.syscall(number, *rest) < 0: raise OSError(ctypes.get_errno(), 'refused')\n"
        "    return True\n"
        "def connected(family, address, kind=socket.SOCK_STREAM):\n"
        "    s = socket.socket(family, kind); s.settimeout(2); s.connect(address); s.send(b'x'); return True\n"
        "def read(path): return open(path, 'rb').read()\n"
        "def write(path, how='w'): return open(path, how).write('x')\n"
        f"{prepare}\n"
        "try: reached = " + expression + "\n"
        "except (OSError, MemoryError, KeyError) as error: print('HELD', error)\n"
        "else: print('REACHED' if reached else 'HELD nothing')\n"
    )
    return Snippet(category, name, code)


def shell(category: str, name: str, condition: str) -> Snippet:
    """A shell condition: HELD when it is false."""
    return Snippet(category, name, f"if {condition}; then echo REACHED; else echo HELD; fi", "shell")


SECRETS = [
    attempt("secrets", "read a file beside the workspace", "read('{secret}')"),
    attempt("secrets", "read it through ..", "read('../outside/secret')"),
    attempt("secrets", "read it through a link", "read('link')", "os.symlink('{secret}', 'link')"),
    attempt("secrets", "read it through a hard link", "os.link('{secret}', 'hard') is None and read('hard')"),
    attempt("secrets", "read it through /proc/1/root", "read('/proc/1/root{secret}')"),
    attempt("secrets", "read it through /proc/self/cwd", "read('/proc/self/cwd/../outside/secret')"),
    attempt("secrets", "read it through a host process's folder", "read('/proc/{pid}/root{secret}')"),
    attempt("secrets", "read /etc/shadow", "read('/etc/shadow')"),
    attempt("secrets", "read the keys of the home folder", "glob.glob('{home}/.ssh/*') + glob.glob('/home/*/.*')"),
    attempt("secrets", "read root's files", "[p for p in glob.glob('{root_home}/.*') if os.path.isfile(p)]"),
    attempt("secrets", "see the environment", "'{token}' in str(dict(os.environ))"),
    attempt(
        "secrets", "see every process's environment", "b'{token}' in b''.join(map(read, glob.glob('/proc/*/environ')))"
    ),
    attempt(
        "secrets",
        "see host processes' command lines",
        # By cat, as processes may end while one looks.
        "b'{victim}' in subprocess.run('cat /proc/*/cmdline', shell=True, capture_output=True).stdout",
    ),
    attempt("secrets", "read the kernel's memory", "read('/dev/mem') or read('/proc/kcore')"),
    attempt("secrets", "read the kernel's log", "libc.klogctl(3, ctypes.create_string_buffer(64), 64) > 0"),
    attempt("secrets", "open a file by its handle", "call(304, -100, b'x' * 16, 0)"),
    attempt("secrets", "read the key ring", "call(250, 0, -3, 0)"),
    shell(
        "secrets",
        "search the whole disk",
        "grep -rqs '{token}' / --exclude-dir=proc --exclude-dir=sys --exclude-dir=usr",
    ),
]
WRITING = [
    attempt("writing", "change a file beside the workspace", "write('{secret}')"),
    attempt("writing", "append to it through a link", "write('link', 'a')", "os.symlink('{secret}', 'link')"),
    attempt("writing", "replace a system program", "write('/usr/bin/true')"),
    attempt("writing", "add a system program", "write('/usr/local/bin/planted')"),
    attempt("writing", "add a user", "write('/etc/passwd', 'a')"),
    attempt("writing", "change the core pattern", "write('/proc/sys/kernel/core_pattern')"),
    attempt("writing", "trigger the kernel's keys", "write('/proc/sysrq-trigger')"),
    attempt("writing", "write to /sys", "write('/sys/kernel/uevent_helper')"),
    attempt("writing", "move the workspace", "os.rename('{workspace}', '{workspace}-moved') is None"),
    attempt("writing", "write to the disk itself", "write('/dev/vda') or write('/dev/sda')"),
    attempt("writing", "make a disk device", "os.mknod('disk', 0o60600, os.makedev(254, 0)) is None and read('disk')"),
    attempt("writing", "mount the disk", "call(165, b'/dev/vda', b'/tmp', b'ext4', 0, 0)"),
    attempt("writing", "make the root writable", "call(165, 0, b'/', 0, 0x1020, 0)"),
    attempt("writing", "leave the root", "os.chroot('/proc/1/root') is None"),
    attempt("writing", "change root's Python", "write(os.__file__, 'a')"),
    shell(
        "writing", "make a program setuid that counts", "cp /usr/bin/id . && chmod 4755 id && setpriv --reuid 0 ./id"
    ),
]
NETWORK = [
    attempt("network", "connect to a server of this machine", "connected(socket.AF_INET, ('127.0.0.1', {port}))"),
    attempt("network", "send it a datagram", "socket.socket(2, 2).sendto(b'x', ('127.0.0.1', {udp_port})) and False"),
    attempt("network", "connect over IPv6", "connected(socket.AF_INET6, ('::1', {port}))"),
    attempt("network", "connect to the internet", "connected(socket.AF_INET, ('1.1.1.1', 53))"),
    attempt("network", "ask a name server", "socket.socket(2, 2).sendto(b'x', ('8.8.8.8', 53))"),
    attempt("network", "look up a name", "socket.getaddrinfo('example.com', 80)"),
    attempt("network", "raw socket", "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)"),
    attempt("network", "packet socket", "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"),
    attempt("network", "hypervisor socket", "connected(40, (2, 1024))"),
    attempt("network", "see the machine's interfaces", "[n for _, n in socket.if_nameindex() if n != 'lo']"),
]
SOCKETS = [
    attempt("sockets", "socket file beside the workspace", "connected(socket.AF_UNIX, '{socket}')"),
    attempt("sockets", "abstract socket", "connected(socket.AF_UNIX, chr(0) + '{abstract}')"),
    attempt("sockets", "docker's socket", "connected(socket.AF_UNIX, '/var/run/docker.sock')"),
    attempt("sockets", "D-Bus", "connected(socket.AF_UNIX, '/run/dbus/system_bus_socket')"),
    attempt("sockets", "kernel crypto socket", "socket.socket(38, socket.SOCK_SEQPACKET)"),
    attempt(
        "sockets",
        "descriptors left open by the host",
        "[t for t in links if not t.startswith(('pipe:', '/dev/null', '/proc/', 'anon_inode'))]",
        "links = []\nfor fd in os.listdir('/proc/self/fd'):\n"
        "    try: links.append(os.readlink('/proc/self/fd/' + fd))\n    except OSError: pass",
    ),
]
# An i386 program: header, one segment, and unshare(0) by int 0x80, whose result is its exit code. Without the filter's
# word on foreign calls, no rule above would look at it.
_I386 = """
import struct
code = bytes.fromhex("b836010000 31db cd80 89c3 b801000000 cd80")
ident = b"\\x7fELF\\x01\\x01\\x01"
header = struct.pack("<16sHHIIIIIHHHHHH", ident, 2, 3, 1, 0x8048054, 52, 0, 0, 52, 32, 1, 0, 0, 0)
segment = struct.pack("<8I", 1, 0, 0x8048000, 0x8048000, 84 + len(code), 84 + len(code), 5, 4096)
open("i386", "wb").write(header + segment + code)
os.chmod("i386", 0o755)
"""
# getpid (20 in the table of i386) by int 0x80 from 64-bit code; the result is in eax.
_INT_80 = """
import ctypes, mmap
memory = mmap.mmap(-1, 4096, prot=7)
memory.write(bytes.fromhex("53 b814000000 cd80 5b c3"))
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))
print("REACHED", call() > 0)
"""
_FOREIGN_CALL = "a system call that the sandbox does not let pass"
PROCESSES = [
    attempt("processes", "kill a process of the host", "os.kill({pid}, 9) is None"),
    Snippet(
        "processes", "kill everything it can", "kill -9 -1; echo HELD", "shell", "", ("died", "failed", "finished")
    ),
    attempt("processes", "trace a process", "call(101, 16, os.getppid(), 0, 0)"),
    attempt("processes", "read a process's memory", "call(310, 1, 0, 0, 0, 0, 0)"),
    attempt("processes", "write the first process's memory", "os.open('/proc/1/mem', os.O_RDWR)"),
    attempt("processes", "new user namespace", "call(272, 0x10000000)"),
    attempt("processes", "new user namespace by clone", "call(56, 0x10000000 | 17, 0, 0, 0, 0)"),
    attempt("processes", "new user namespace by clone3", "call(435, struct.pack('Q', 0x10000000) + bytes(80), 88)"),
    attempt("processes", "anything by clone3", "call(435, bytes(88), 88)"),
    attempt("processes", "new mount namespace", "call(272, 0x20000)"),
    attempt("processes", "new mount namespace by clone", "call(56, 0x20000 | 17, 0, 0, 0, 0)"),
    attempt("processes", "new network namespace by clone", "call(56, 0x40000000 | 17, 0, 0, 0, 0)"),
    attempt("processes", "32-bit program", "subprocess.call('./i386') == 0", _I386),
    Snippet("processes", "32-bit call", _INT_80, says=_FOREIGN_CALL, kinds=("died",)),
    Snippet(
        "processes",
        "x32 call",
        "import ctypes\nprint('REACHED', ctypes.CDLL(None).syscall(0x40000000 + 39))",
        says=_FOREIGN_CALL,
        kinds=("died",),
    ),
    attempt("processes", "enter a namespace", "call(308, os.open('/proc/1/ns/user', 0), 0)"),
    attempt("processes", "become root", "os.setuid(0) is None"),
    attempt("processes", "load a BPF program", "call(321, 5, b'x' * 120, 120)"),
    attempt("processes", "io_uring", "call(425, 8, ctypes.create_string_buffer(120))"),
    attempt("processes", "performance events", "call(298, b'x' * 128, 0, -1, -1, 0)"),
    attempt("processes", "user page faults", "call(323, 0)"),
    attempt("processes", "type into the terminal", "__import__('fcntl').ioctl(0, 0x5412, b'x') == 0"),
    attempt("processes", "type into it with high bits set", "libc.ioctl(1, ctypes.c_ulong(0x100005412), b'x') == 0"),
    attempt("processes", "load a kernel module", "call(313, 0, b'', 0)"),
    attempt("processes", "higher priority", "os.nice(-5) < 0"),
    shell("processes", "sudo", "sudo -n true 2>/dev/null"),
    Snippet(
        "processes",
        "leave a daemon behind",
        "import subprocess\nsubprocess.Popen(['setsid', 'sleep', '{mark}'], start_new_session=True)\nprint('HELD')",
    ),
    Snippet("processes", "leave a daemon behind a check", "setsid sleep {mark} & disown; echo HELD", "command"),
]
_SMALL = {
    "max_memory_bytes": 256 * MIB,
    "max_processes": 64,
    "max_disk_growth_bytes": 64 * MIB,
    "max_file_bytes": 32 * MIB,
}
_DIED = ("died",)
RESOURCES = [
    attempt("resources", "64 GiB in one process", "bytearray(64 * 2**30)"),
    Snippet(
        "resources",
        "memory over many children",
        "import subprocess, sys, time\n"
        "hog = 'b = bytearray(100 * 2**20); import time; time.sleep(30)'\n"
        "for _ in range(8): subprocess.Popen([sys.executable, '-c', hog])\n"
        "time.sleep(30)",
        says="MiB of memory in all, more than 256",
        kinds=_DIED,
        limits=_SMALL,
    ),
    Snippet(
        "resources",
        "memory shared by many children",
        "import mmap, time\nm = mmap.mmap(-1, 600 * 2**20)\nfor i in range(0, len(m), 4096): m[i] = 1\ntime.sleep(30)",
        says="MiB of memory in all, more than 256",
        kinds=_DIED,
        limits=_SMALL,
    ),
    Snippet(
        "resources",
        "fork bomb in bash",
        # As the famous one, but not more than 4,095 processes: a sandbox that fails must not take the machine along.
        "bomb() { [ $1 -gt 0 ] && { bomb $(($1 - 1)) & bomb $(($1 - 1)) & wait; }; sleep 9; }; bomb 11",
        "shell",
        "",
        ("died", "timed_out", "failed", "finished"),
        _SMALL,
        1.5,
    ),
    Snippet(
        "resources",
        "fork bomb in Python",
        "import os, time\nfor _ in range(11):\n    try: os.fork()\n    except OSError: time.sleep(0.1)\ntime.sleep(9)",
        says="",
        kinds=("died", "timed_out"),
        limits=_SMALL,
        timeout_s=1.5,
    ),
    Snippet(
        "resources",
        "one huge file",
        "try:\n    with open('big', 'wb') as f:\n        while True: f.write(bytes(2**20))\n"
        "except OSError as error: print('HELD', error)",
        limits=_SMALL,
    ),
    Snippet(
        "resources",
        "many large files",
        "import time\nfor i in range(30):\n    open(f'f{{i}}', 'wb').write(bytes(20 * 2**20))\n"
        "    time.sleep(0.02)\ntime.sleep(30)",
        says="more than 64",
        kinds=_DIED,
        limits=_SMALL,
    ),
    shell("resources", "fill /tmp", "head -c 600M /dev/zero >/tmp/a 2>/dev/null"),
    shell("resources", "fill /dev/shm", "head -c 100M /dev/zero >/dev/shm/a 2>/dev/null"),
    attempt("resources", "endless descriptors", "len([os.open('/dev/null', 0) for _ in range(5000)])"),
    attempt("resources", "raise its own limits", "call(160, 7, struct.pack('QQ', 10**6, 10**6))"),
    Snippet("resources", "endless loop", "while True: pass", says="", kinds=("timed_out",), timeout_s=0.5),
    Snippet(
        "resources",
        "endless loop that ignores signals",
        "import signal\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\nwhile True: pass",
        says="",
        kinds=("timed_out",),
        timeout_s=0.5,
    ),
    Snippet(
        "resources",
        "a check that never ends",
        "trap '' INT TERM HUP; while :; do :; done",
        "command",
        "",
        ("timed_out",),
        {},
        0.5,
    ),
    Snippet(
        "resources",
        "endless output",
        "import os\nwhile True: os.write(1, b'y' * 65536)",
        says="",
        kinds=("timed_out",),
        timeout_s=0.5,
    ),
    Snippet("resources", "endless output of a check", "yes", "command", "", ("timed_out",), {}, 0.5),
    attempt("resources", "a core file", "__import__('resource').getrlimit(4)[0] != 0"),
]
GIT = [
    attempt("git", "change its settings", "write('.git/config', 'a')"),
    attempt("git", "add a hook", "write('.git/hooks/pre-commit')"),
    attempt("git", "move it away", "os.rename('.git', 'moved') is None"),
    attempt("git", "replace it by a link", "os.symlink('/tmp', '.git') is None"),
    attempt("git", "make it writable", "os.chmod('.git', 0o777) is None"),
    attempt(
        "git",
        "write through its folder's descriptor",
        "os.open('planted', os.O_CREAT | os.O_WRONLY, dir_fd=os.open('.git', os.O_PATH))",
    ),
    shell(
        "git",
        "commit",
        "git -c safe.directory='*' -c user.name=a -c user.email=a@b commit --allow-empty -m x >/dev/null 2>&1",
    ),
    shell("git", "remove it", "rm -rf .git 2>/dev/null"),
]
PLANTED = [
    Snippet(
        "planted",
        "a nested repository that waits for somebody's git add",
        "mkdir -p nested && cd nested && git init -q . "
        "&& git config core.fsmonitor 'touch {outside}/executed; false' && echo HELD",
        "shell",
    ),
    Snippet(
        "planted",
        "a module that would shadow the host's",
        "touch json.py interpreter.py sitecustomize.py && echo HELD",
        "shell",
    ),
    Snippet("planted", "a pipe that would hang a reader", "mkfifo pipe && echo HELD", "shell"),
    Snippet(
        "planted", "links out of the workspace", "ln -s {outside} folder; ln -s {secret} file && echo HELD", "shell"
    ),
    Snippet("planted", "settings", "echo 'OLLAMA_BASE_URL=http://evil' >.env && echo HELD", "shell"),
    Snippet("planted", "names that steer a terminal", "touch \"$(printf 'a\\033[2Jb')\" && echo HELD", "shell"),
]
_ESCAPES = {
    "colours and movement": r"\x1b[31m\x1b[2J\x1b[1;1Hred",
    "the window's title": r"\x1b]0;title\x07after",
    "the clipboard": r"\x1b]52;c;ZXZpbA==\x1b\\after",
    "a link": r"\x1b]8;;http://evil\x1b\\text\x1b]8;;\x1b\\",
    "a report that types": r"\x1bP$q\"p\x1b\\\x1b[c\x05",
    "8-bit controls": r"\x9b31m\x9d0;t\x9c\x84",
    "text in reverse": r"\u202eabc\u2066",
    "overwriting a line": r"safe\rEVIL\x08\x08",
}
TERMINAL = [
    Snippet("terminal", name, f'print("{text} HELD")\nimport os\nos.write(1, b"{text}".replace(b"u202e", b""))\nNone')
    for name, text in _ESCAPES.items()
]
ALL = [*SECRETS, *WRITING, *NETWORK, *SOCKETS, *PROCESSES, *RESOURCES, *GIT, *PLANTED, *TERMINAL]
