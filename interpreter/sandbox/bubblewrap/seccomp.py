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
    "name_to_handle_at", "open_by_handle_at", "open_tree", "open_tree_attr", "perf_event_open", "pidfd_getfd",
    "pivot_root", "process_madvise", "process_mrelease", "process_vm_readv", "process_vm_writev", "ptrace", "quotactl",
    "quotactl_fd", "reboot", "request_key", "setdomainname",
    "sethostname", "setns", "swapoff", "swapon", "syslog", "umount2", "unshare", "userfaultfd", "vhangup",
)  # fmt: skip
# Since Linux 5.1 a call has one number on all architectures (all but alpha, which bubblewrap's users do not have): see
# asm-generic/unistd.h. By number, as a libseccomp that is older than the call does not know its name.
_NUMBERS = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "pidfd_getfd": 438, "process_madvise": 440,
    "mount_setattr": 442, "quotactl_fd": 443, "process_mrelease": 448, "open_tree_attr": 467,
}  # fmt: skip
_CLONE3 = 435
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
            rules.add_rule(refuse, _NUMBERS.get(name, name))
        except (OSError, ValueError, RuntimeError):
            continue  # this architecture does not have the call, as an old libseccomp knows those without a number here
    for family in (_AF_PACKET, _AF_VSOCK, _AF_ALG):
        rules.add_rule(seccomp.ERRNO(errno.EAFNOSUPPORT), "socket", seccomp.Arg(0, seccomp.EQ, family))
    rules.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, _CLONE_NEWUSER, _CLONE_NEWUSER))
    # clone3 hides its flags behind a pointer; glibc falls back to clone when the call does not exist.
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), _CLONE3)
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
