"""Which instruction sets a compiled runner may use on this processor, best first.

Also a program of the standard library alone, for the script that compiles the runner with any Python from 3.8 on:
`python3 -I instructions.py choose CACHE VERSION` and `flags SET`.

A runner compiled for "whatever this machine has" crashed on one processor and wrote garbage on another, so the sets
are named, none is newer than AVX512_VNNI, and a runner that did not answer as it must is refused from then on.
"""

import hashlib
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CPUINFO = Path("/proc/cpuinfo")
REFUSED = "refused"
"""The beginning of the file name that marks a runner as wrong; its end is the processor's key."""


class InstructionSet(NamedTuple):
    """A name for folders and messages, what the processor must have (words of /proc/cpuinfo), CMake's options."""

    name: str
    needs: frozenset[str]
    options: tuple[str, ...]


# ggml switches its x86 options on by itself where it is told not to look at the machine, so each one is named.
_X86_OPTIONS = ("SSE42", "AVX", "F16C", "FMA", "AVX2", "BMI2", "AVX512", "AVX512_VNNI")
_AVX512 = frozenset({"avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw"})
_AVX2 = frozenset({"sse4_2", "avx", "f16c", "fma", "avx2", "bmi2"})


def _x86(name: str, needs: frozenset[str], count: int) -> InstructionSet:
    options = tuple(
        "-DGGML_{}={}".format(option, "ON" if place < count else "OFF") for place, option in enumerate(_X86_OPTIONS)
    )
    return InstructionSet(name, needs, options)


def _arm(name: str, needs: frozenset[str], arch: str) -> InstructionSet:
    return InstructionSet(name, needs, ("-DGGML_CPU_ARM_ARCH=" + arch,))


SETS: dict[str, tuple[InstructionSet, ...]] = {
    "x86_64": (
        _x86("avx512_vnni", _AVX2 | _AVX512 | {"avx512_vnni"}, 8),
        _x86("avx512", _AVX2 | _AVX512, 7),
        _x86("avx2", _AVX2, 6),
        _x86("sse42", frozenset({"sse4_2"}), 1),
        _x86("x86_64", frozenset(), 0),
    ),
    "aarch64": (
        _arm("armv8.2_dotprod", frozenset({"asimddp", "asimdhp"}), "armv8.2-a+dotprod+fp16"),
        _arm("armv8", frozenset(), "armv8-a"),
    ),
}
"""By machine, best first; the last of each runs on every processor of its kind."""
PLAIN = InstructionSet("plain", frozenset(), ())
"""For a machine that is none of these: what the compiler takes by itself."""


def features(cpuinfo: Path = CPUINFO) -> frozenset[str]:
    """The instruction sets of the first processor, in the kernel's words."""
    for line in _lines(cpuinfo):
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()


def processor_key(cpuinfo: Path = CPUINFO) -> str:
    """12 hexadecimal digits that differ between processors which may run the same program differently."""
    named = {line.partition(":")[2].strip() for line in _lines(cpuinfo) if line.startswith(("model name", "CPU part"))}
    said = "|".join((*sorted(named), *sorted(features(cpuinfo))))
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def usable(machine: str = "", cpuinfo: Path = CPUINFO) -> tuple[InstructionSet, ...]:
    """The sets that this processor has, best first; never empty."""
    has = features(cpuinfo)
    return tuple(one for one in SETS.get(machine or platform.machine(), (PLAIN,)) if one.needs <= has)


def candidates(folders: Iterator[Path], cpuinfo: Path = CPUINFO) -> Iterator[Path]:
    """Of folders named `ollama-VERSION-SET`: those whose runner may be used here, best set first."""
    present = sorted(folders, reverse=True)
    for one in usable(cpuinfo=cpuinfo):
        for folder in present:
            if folder.name.endswith("-" + one.name) and not is_refused(folder, cpuinfo):
                yield folder


def is_refused(folder: Path, cpuinfo: Path = CPUINFO) -> bool:
    """Whether the runner in this folder was found wrong on this processor."""
    return (folder / f"{REFUSED}-{processor_key(cpuinfo)}").exists()


def refuse(folder: Path, reason: str, cpuinfo: Path = CPUINFO) -> None:
    """Mark the runner in this folder as wrong on this processor."""
    (folder / f"{REFUSED}-{processor_key(cpuinfo)}").write_text(reason + "\n", encoding="utf-8")


def choose(cache: Path, version: str, cpuinfo: Path = CPUINFO) -> InstructionSet | None:
    """The best set of this processor whose runner has not been refused; None where each one was."""
    for one in usable(cpuinfo=cpuinfo):
        if not is_refused(cache / f"ollama-{version}-{one.name}", cpuinfo):
            return one
    return None


def _lines(cpuinfo: Path) -> tuple[str, ...]:
    try:
        return tuple(cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines())
    except OSError:
        return ()


def main() -> int:
    """`choose CACHE VERSION` prints a set's name, `flags SET` CMake's options; exit code 1 where there is none."""
    verb, *words = sys.argv[1:]
    if verb == "choose":
        one = choose(Path(words[0]), words[1])
        if one is not None:
            print(one.name)  # noqa: T201
        return int(one is None)
    known = {one.name: one for one in (*SETS.get(platform.machine(), ()), PLAIN)}
    if words[0] not in known:
        print("known here: " + ", ".join(known), file=sys.stderr)  # noqa: T201
        return 1
    print("\n".join(known[words[0]].options))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
