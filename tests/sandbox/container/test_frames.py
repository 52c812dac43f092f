"""The frames between us and the agent: any cutting of the bytes gives the same, and nothing else gets through."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpreter.sandbox.container.frames import FROM_AGENT, HEADER, MAX_PAYLOAD_BYTES, FrameBroken, FrameReader, frames

FRAMES = st.lists(st.tuples(st.sampled_from(sorted(FROM_AGENT)), st.binary(max_size=300)), max_size=20)


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(edges)]


@given(FRAMES, st.lists(st.integers(0, 10_000), max_size=30))
def test_any_cutting_gives_the_same_frames(messages: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    reader = FrameReader()
    data = b"".join(frames(kind, payload) for kind, payload in messages)
    found = [frame for piece in _cut(data, cuts) for frame in reader.feed(piece)]
    assert found == messages


@given(FRAMES, st.binary(max_size=100), st.lists(st.integers(0, 10_000), max_size=10))
def test_garbage_is_an_error_or_waits_for_more_and_never_anything_else(
    messages: list[tuple[bytes, bytes]], garbage: bytes, cuts: list[int]
) -> None:
    reader = FrameReader()
    data = b"".join(frames(kind, payload) for kind, payload in messages) + garbage
    found = []
    try:
        for piece in _cut(data, cuts):
            found += reader.feed(piece)
    except FrameBroken:
        return
    assert found[: len(messages)] == messages


@pytest.mark.parametrize("size", [0, 1, MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES + 1, 3 * MAX_PAYLOAD_BYTES])
def test_a_long_message_takes_several_frames(size: int) -> None:
    found = list(FrameReader().feed(frames(b"O", b"x" * size)))
    assert sum(len(payload) for _, payload in found) == size
    assert len(found) == max(1, -(-size // MAX_PAYLOAD_BYTES))


@pytest.mark.parametrize(
    "header", [HEADER.pack(b"R", 1), HEADER.pack(b"O", MAX_PAYLOAD_BYTES + 1), b"\0" * 5, b"error"]
)
def test_a_frame_that_the_agent_does_not_send_is_refused_at_its_header(header: bytes) -> None:
    with pytest.raises(FrameBroken):
        list(FrameReader().feed(header))
