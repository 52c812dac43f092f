"""A text stream as the views write to it: whatever the text, and whether or not anybody still reads it."""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from super_agent.core.errors import OutputFailed


class Output:
    """Writes and flushes at once. When the reader has gone, `on_reader_gone` is called once and the rest is dropped."""

    def __init__(self, stream: TextIO, on_reader_gone: Callable[[], None]) -> None:
        self._stream = stream
        self._on_reader_gone = on_reader_gone
        self._gone = False

    @property
    def encoding(self) -> str:
        """The stream's encoding; UTF-8 where it does not say."""
        return self._stream.encoding or "utf-8"

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The stream's descriptor; raises `OSError` where it has none."""
        return self._stream.fileno()

    def write(self, text: str, unencodable: Callable[[], str] | None = None) -> int:
        """Write; what the encoding cannot express (half a surrogate pair, too) is `?`, or the text is `unencodable()`.

        Returns the number of characters, as a text stream does. Raises `OutputFailed`, once, where that fails.
        """
        if self._gone:
            return len(text)
        try:
            try:
                text.encode(self.encoding)  # the stream itself may let bytes through that are no text (surrogateescape)
                self._stream.write(text)
            except UnicodeEncodeError:
                replaced = text.encode(self.encoding, "replace").decode(self.encoding)
                self._stream.write(unencodable() if unencodable else replaced)
            self._stream.flush()
        except BrokenPipeError:
            self._gone = True
            lead_nowhere(self._stream)
            self._on_reader_gone()
        except OSError as error:
            self._gone = True
            raise output_failed(self._stream, error) from error
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""


def lead_nowhere(stream: TextIO) -> None:
    """Whoever read a stream is gone, and what is still buffered must not raise again when Python exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError):  # a stream without a descriptor has nothing to be flushed at exit
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def output_failed(stream: TextIO, error: OSError) -> OutputFailed:
    """What is to be raised where a stream cannot be written for another reason than that nobody reads it any more."""
    lead_nowhere(stream)
    fix = "Make room, or lead the output to where it can be written"
    return OutputFailed(f"the output cannot be written: {error.strerror or error}", fix=fix)
