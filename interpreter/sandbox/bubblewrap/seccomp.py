"""The system calls that sandboxed code may not make, as a BPF program for bubblewrap."""

import errno
import os
from functools import cache

from super_agent.core.errors import SandboxUnavailable

# Ways out of a namespace, into the kernel's rarer corners, or into other processes.
_FORBIDDEN = (
    "acct", "add_key", "bpf", "chroot", "delete_module", "fanotify_init", "finit_module", "fsconfig", "fsmount",
    "fsopen", "fspick", "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm", "iopl",
    "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mount", "mount_setattr", "move_mount",
    "name_to_handle_at", "open_by_handle_at", "open_tree", "perf_event_open", "pivot_root", "process_madvise",
    "process_vm_readv", "process_vm_writev", "ptrace", "quotactl", "reboot", "request_key", "setdomainname",
    "sethostname", "setns", "swapoff", "swapon", "syslog", "umount2", "unshare", "userfaultfd", "vhangup",
)  # fmt: skip
_AF_PACKET = 17
_AF_VSOCK = 40
_AF_ALG = 38
_CLONE_NEWUSER = 0x10000000
_TIOCSTI = 0x5412
_TIOCLINUX = 0x541C
_LOW_32_BITS = 0xFFFFFFFF


@cache
def filter_program() -> bytes:
    """The compiled filter; raises `SandboxUnavailable` where libseccomp is missing."""
    try:
        import pyseccomp as seccomp
    except (ImportError, OSError, RuntimeError) as error:
        raise SandboxUnavailable(
            f"libseccomp cannot be loaded ({error})", fix="Install it: apt install libseccomp2"
        ) from error
    refuse = seccomp.ERRNO(errno.EPERM)
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    for name in _FORBIDDEN:
        try:
            rules.add_rule(refuse, name)
        except (OSError, ValueError, RuntimeError):
            continue  # this architecture or libseccomp does not know the call, so nobody can make it by name
    for family in (_AF_PACKET, _AF_VSOCK, _AF_ALG):
        rules.add_rule(seccomp.ERRNO(errno.EAFNOSUPPORT), "socket", seccomp.Arg(0, seccomp.EQ, family))
    rules.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, _CLONE_NEWUSER, _CLONE_NEWUSER))
    # clone3 hides its flags behind a pointer; glibc falls back to clone when the call does not exist.
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    for request in (_TIOCSTI, _TIOCLINUX):
        rules.add_rule(refuse, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, _LOW_32_BITS, request))
    # A call in 32-bit or x32 form would pass all of the above. The default ends only the thread that makes it, and code
    # whose main thread is gone looks like code that works for ever.
    rules.set_attr(seccomp.Attr.ACT_BADARCH, seccomp.KILL_PROCESS)
    try:
        with os.fdopen(os.memfd_create("filter"), "w+b") as file:  # no disk, which may be full
            rules.export_bpf(file)
            file.seek(0, os.SEEK_SET)
            return file.read()
    except OSError as error:
        raise SandboxUnavailable(
            f"the system call filter cannot be written: {error.strerror}", fix="Raise the limit on files (`ulimit -f`)"
        ) from error
