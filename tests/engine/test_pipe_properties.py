"""Whatever a host writes, an instruction ends: well, or with one error, and nothing runs that no reply held."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interpreter.code_blocks import CodeBlock
from interpreter.engine.engine import Engine, EngineReply
from super_agent.core.errors import EngineFailed
from super_agent.core.ollama.http import LineReader

PYTHON = CodeBlock("python", "print(1)")
ORDER = ["user/message", "assistant/message", "assistant/code", "computer/console"]
HELLO: dict[str, object] = {"kind": "hello", "protocol": 2, "version": "0.4.3", "after": 0}
TALK: list[dict[str, object]] = [
    HELLO,
    {"kind": "ask", "order": ORDER[:1], "after": 1},
    {"kind": "run", "language": "python", "code": "print(1)", "after": 2},
    {"kind": "ask", "order": ORDER, "after": 3},
    {"kind": "end", "order": [*ORDER, "assistant/message"], "after": 4},
]
LINES = [json.dumps(message).encode() + b"\n" for message in TALK]
GARBAGE = st.one_of(
    st.sampled_from(LINES),
    st.binary(max_size=60),
    st.binary(max_size=60).map(lambda data: data + b"\n"),
    st.sampled_from([b"{}\n", b"[]\n", b"null\n", b"\n", b"[" * 5000 + b"\n", b"x" * 100_000, b'{"kind": "failed"}\n']),
    st.builds(
        lambda key, value, base: json.dumps({**base, key: value}).encode() + b"\n",
        st.sampled_from(["kind", "after", "order", "language", "code", "protocol", "version"]),
        st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=2)),
        st.sampled_from(TALK),
    ),
)
# A host costs 5 ms to start, and a broken one is started three times.
BRIEFLY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Player:
    """An engine whose host writes given bytes, whatever it is told, and ends."""

    def __init__(self, folder: Path) -> None:
        self._said = folder / "said"
        self._host = folder / "host"
        # Another process of its group keeps its stdin open: otherwise each line to it would race with its end.
        self._host.write_text(f"#!/bin/sh\nexec 3<&0\n/bin/cat <&3 >/dev/null &\nexec /bin/cat '{self._said}'\n")
        self._host.chmod(0o755)

    def play(self, said: bytes) -> tuple[bool, list[CodeBlock]]:
        """Whether the instruction ended well, and what it ran."""
        self._said.write_bytes(said)
        ran: list[CodeBlock] = []

        def run(block: CodeBlock) -> str:
            ran.append(block)
            return "1\n"

        engine = Engine(self._host, silence_s=5.0)
        try:
            engine.converse("x", lambda: EngineReply("said", None if ran else PYTHON), run)
        except EngineFailed:
            return False, ran
        finally:
            engine.close()
        return True, ran


@pytest.fixture
def player(tmp_path: Path) -> Player:
    return Player(tmp_path)


def test_the_whole_talk_ends_well(player: Player) -> None:
    assert player.play(b"".join(LINES)) == (True, [PYTHON])


@BRIEFLY
@given(st.integers(0, sum(map(len, LINES)) - 1))
def test_cut_anywhere_it_is_one_error(player: Player, cut: int) -> None:
    well, ran = player.play(b"".join(LINES)[:cut])
    assert not well
    assert ran == ([PYTHON] if cut >= sum(map(len, LINES[:3])) else [])


@BRIEFLY
@given(st.lists(st.integers(0, len(LINES) - 1), max_size=8))
def test_out_of_order_nothing_runs_but_what_a_reply_held(player: Player, order: list[int]) -> None:
    well, ran = player.play(b"".join(LINES[i] for i in order))
    assert well == (order[: len(LINES)] == list(range(len(LINES))))
    assert ran == ([PYTHON] if order[:3] == [0, 1, 2] else [])


@BRIEFLY
@given(st.integers(0, len(LINES)), st.lists(GARBAGE, min_size=1, max_size=3))
def test_garbage_anywhere_is_one_error_or_comes_too_late(player: Player, at: int, garbage: Sequence[bytes]) -> None:
    well, ran = player.play(b"".join([*LINES[:at], *garbage, *LINES[at:]]))
    assert ran in ([], [PYTHON])
    assert not well or ran == [PYTHON]
    if at == len(LINES):
        assert (well, ran) == (True, [PYTHON])


@given(st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"\xc3", b"\xa9", b"{}", b""]), max_size=40), st.data())
def test_lines_are_the_same_however_the_bytes_are_cut(pieces: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=10)))
    reader, lines = LineReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        lines += reader.feed(whole[start:end])
    *expected, rest = whole.split(b"\n")
    assert (lines, reader.end()) == ([line.rstrip(b"\r") for line in expected], rest)
