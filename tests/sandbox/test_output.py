"""Output for a model and for a terminal: bounded, counted, harmless, whatever the chunks."""

import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpreter.sandbox.output import OutputLimiter
from super_agent.core.sanitize import sanitize

PIECES = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from([b"\x1b[31m", b"\x1b]0;t\x07", b"\x1b", b"\r\n", b"\r", "é€😀".encode(), b"\n", b"text "]),
    ),
    max_size=40,
)


def _fed(limiter: OutputLimiter, data: bytes, cuts: list[int]) -> str:
    shown = ""
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        shown += limiter.feed(data[start:end])
    return shown


@given(PIECES, st.lists(st.integers(0, 2000)), st.integers(2, 300))
def test_however_output_is_chunked_the_text_and_the_counts_are_the_same(
    pieces: list[bytes], cuts: list[int], limit: int
) -> None:
    data = b"".join(pieces)
    whole, cut = OutputLimiter(limit), OutputLimiter(limit)
    whole.feed(data)
    _fed(cut, data, cuts)
    assert (cut.text(), cut.cut_bytes, cut.total_bytes) == (whole.text(), whole.cut_bytes, len(data))
    assert whole.cut_bytes == max(0, len(data) - limit)


@given(PIECES, st.lists(st.integers(0, 2000)))
def test_what_is_shown_while_it_streams_never_steers_a_terminal(pieces: list[bytes], cuts: list[int]) -> None:
    shown = _fed(OutputLimiter(100_000), b"".join(pieces), cuts)
    assert not [c for c in shown if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160]


@given(PIECES, st.lists(st.integers(0, 2000)), st.integers(2, 300))
def test_what_is_shown_while_it_streams_is_the_same_however_it_is_chunked(
    pieces: list[bytes], cuts: list[int], limit: int
) -> None:
    data = b"".join(pieces)
    assert _fed(OutputLimiter(limit), data, cuts) == OutputLimiter(limit).feed(data)


@given(PIECES, st.integers(2, 300))
def test_what_is_kept_is_valid_text_that_steers_nothing(pieces: list[bytes], limit: int) -> None:
    limiter = OutputLimiter(limit)
    limiter.feed(b"".join(pieces))
    text = limiter.text()
    text.encode("utf-8")
    assert not [c for c in text if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160]


@given(st.text(alphabet="ab\n\té€", max_size=60), st.lists(st.integers(0, 200)))
def test_plain_text_is_shown_as_it_is(text: str, cuts: list[int]) -> None:
    limiter = OutputLimiter(10_000)
    assert _fed(limiter, text.encode(), cuts) == text
    assert limiter.text() == text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"\x1b[31mred\x1b[0m", "red"),
        (b"\x1b]0;title\x07text", "text"),
        (b"\x1b]52;c;ZXZpbA==\x1b\\text", "text"),
        (b"one\r\ntwo", "one\ntwo"),
        (b"10%\r20%", "10%\n20%"),
        (b"a\x00b\x08c", "a\ufffdb\ufffdc"),
        (b"\xff\xfeok", "\ufffd\ufffdok"),
        ("a\u202eb".encode(), "a\ufffdb"),
    ],
)
def test_control_sequences_lose_their_power_also_when_they_are_cut_in_two(raw: bytes, shown: str) -> None:
    for cut in range(len(raw)):
        limiter = OutputLimiter(1000)
        assert limiter.feed(raw[:cut]) + limiter.feed(raw[cut:]) == shown
        assert limiter.text() == shown == sanitize(raw.decode("utf-8", "replace"))


def test_head_and_tail_are_kept_and_the_cut_is_told() -> None:
    limiter = OutputLimiter(10)
    limiter.feed(b"abcdefghijklmnopqrstuvwxyz")
    assert limiter.text() == "abcde\n… 16 bytes left out …\nvwxyz"
    assert limiter.cut_bytes == 16


def test_characters_at_the_cut_are_left_out_and_not_shown_as_broken() -> None:
    limiter = OutputLimiter(10)
    limiter.feed("€€€€€€€€".encode())
    assert limiter.text() == "€\n… 14 bytes left out …\n€"


def test_the_whole_output_goes_to_the_file_up_to_its_limit() -> None:
    file = io.BytesIO()
    limiter = OutputLimiter(4, file, max_whole_bytes=10)
    for piece in (b"01234", b"\x1b[31m", b"overflow"):
        limiter.feed(piece)
    assert file.getvalue() == b"01234\x1b[31m"
    assert (limiter.whole_bytes, limiter.total_bytes) == (10, 18)


def test_a_line_of_fifty_megabytes_costs_no_memory() -> None:
    limiter = OutputLimiter(8192)
    block = b"x" * 2**20
    shown = sum(len(limiter.feed(block)) for _ in range(50))
    assert shown == 4096
    assert len(limiter.text()) < 8300
