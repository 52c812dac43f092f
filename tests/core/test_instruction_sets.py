"""Which instruction sets a runner is compiled for, on processors of several kinds."""

from pathlib import Path

import pytest

from super_agent.core.ollama import instruction_sets
from super_agent.core.ollama.instruction_sets import candidates, choose, processor_key, refuse, usable

AVX2 = "sse4_2 avx f16c fma avx2 bmi2"
AVX512 = f"{AVX2} avx512f avx512cd avx512vl avx512dq avx512bw"
NEWEST = f"{AVX512} avx512_vnni avx512_bf16 avx512_fp16 amx_tile amx_int8 amx_bf16"


def cpuinfo(folder: Path, flags: str, name: str = "flags") -> Path:
    path = folder / "cpuinfo"
    path.write_text(f"processor\t: 0\nmodel name\t: a processor\n{name}\t\t: fpu {flags}\nbogomips\t: 1\n")
    return path


@pytest.mark.parametrize(
    ("machine", "flags", "best"),
    [
        ("x86_64", NEWEST, "avx512_vnni"),
        ("x86_64", AVX512, "avx512"),
        ("x86_64", AVX2, "avx2"),
        ("x86_64", "avx f16c sse4_2", "sse42"),
        ("x86_64", "", "x86_64"),
        ("riscv64", "", "plain"),
    ],
)
def test_the_best_set_is_one_that_the_processor_has(machine: str, flags: str, best: str, tmp_path: Path) -> None:
    assert usable(machine, cpuinfo(tmp_path, flags))[0].name == best


def test_arm_has_named_sets_too(tmp_path: Path) -> None:
    path = cpuinfo(tmp_path, "fp asimd asimddp asimdhp", "Features")
    assert [one.name for one in usable("aarch64", path)] == ["armv8.2_dotprod", "armv8"]


def test_no_set_names_anything_newer_than_vnni() -> None:
    options = " ".join(option for one in instruction_sets.SETS["x86_64"] for option in one.options)
    assert not [word for word in ("NATIVE", "BF16", "FP16", "AMX", "VBMI") if word in options]
    # ggml switches what is not named on by itself.
    assert {len(one.options) for one in instruction_sets.SETS["x86_64"]} == {8}


def test_a_refused_runner_is_not_chosen_again_on_this_processor_alone(tmp_path: Path) -> None:
    here = cpuinfo(tmp_path, NEWEST)
    for one in ("avx512_vnni", "avx2"):
        (tmp_path / f"ollama-1.0-{one}").mkdir()
    refuse(tmp_path / "ollama-1.0-avx512_vnni", "it wrote garbage", here)
    chosen = choose(tmp_path, "1.0", here)
    assert chosen is not None
    assert chosen.name == "avx512"
    assert [folder.name for folder in candidates(tmp_path.glob("ollama-*"), here)] == ["ollama-1.0-avx2"]
    (tmp_path / "other").mkdir()
    other = cpuinfo(tmp_path / "other", NEWEST + " more")
    assert processor_key(other) != processor_key(here)
    assert [folder.name for folder in candidates(tmp_path.glob("ollama-*"), other)] == [
        "ollama-1.0-avx512_vnni",
        "ollama-1.0-avx2",
    ]


def test_a_runner_of_another_machine_is_never_used(tmp_path: Path) -> None:
    (tmp_path / "ollama-1.0-avx512_vnni").mkdir()
    assert not list(candidates(tmp_path.glob("ollama-*"), cpuinfo(tmp_path, AVX2)))


def test_where_each_set_was_refused_none_is_left(tmp_path: Path) -> None:
    here = cpuinfo(tmp_path, "")
    folder = tmp_path / "ollama-1.0-x86_64"
    folder.mkdir()
    refuse(folder, "it wrote garbage", here)
    assert choose(tmp_path, "1.0", here) is None
