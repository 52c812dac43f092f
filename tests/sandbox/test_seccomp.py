"""The filter refuses by number what an old libseccomp cannot name."""

import errno
import platform
import struct

import pyseccomp
import pytest

from interpreter.sandbox.bubblewrap.seccomp import _NUMBERS, filter_program

X86_64 = 0xC000003E
"""AUDIT_ARCH_X86_64 (linux/audit.h)."""
ERRNO = 0x50000
"""SECCOMP_RET_ERRNO (linux/seccomp.h)."""


def _verdict(program: bytes, number: int) -> int:
    """What the kernel's machine would return for a call without arguments (linux/filter.h)."""
    data = struct.pack("<IIQ6Q", number, X86_64, 0, *(0,) * 6)
    instructions = list(struct.iter_unpack("<HBBI", program))
    at = accumulator = 0
    while True:
        code, yes, no, value = instructions[at]
        at += 1
        if code == 0x06:  # BPF_RET | BPF_K
            return int(value)
        if code == 0x20:  # BPF_LD | BPF_W | BPF_ABS
            [accumulator] = struct.unpack_from("<I", data, value)
        elif code == 0x54:  # BPF_ALU | BPF_AND | BPF_K
            accumulator &= value
        elif code == 0x05:  # BPF_JMP | BPF_JA
            at += value
        else:  # BPF_JMP with BPF_JEQ 0x15, BPF_JGT 0x25, BPF_JGE 0x35, BPF_JSET 0x45
            holds = {
                0x15: accumulator == value,
                0x25: accumulator > value,
                0x35: accumulator >= value,
                0x45: bool(accumulator & value),
            }[code]
            at += yes if holds else no


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the machine's words are x86-64's")
def test_newer_calls_are_refused_also_where_the_library_does_not_know_their_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = pyseccomp.resolve_syscall

    def of_an_old_library(arch: int, name: str) -> int:
        return -1 if name in {*_NUMBERS, "clone3"} else int(known(arch, name))

    monkeypatch.setattr(pyseccomp, "resolve_syscall", of_an_old_library)
    program = filter_program.__wrapped__()
    assert {name: _verdict(program, number) for name, number in _NUMBERS.items()} == dict.fromkeys(
        _NUMBERS, ERRNO | errno.EPERM
    )
    assert _verdict(program, 435) == ERRNO | errno.ENOSYS
    assert _verdict(program, 39) == 0x7FFF0000  # getpid: SECCOMP_RET_ALLOW
