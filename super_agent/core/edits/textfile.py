"""A file's bytes as lines, so that what was not edited keeps its bytes: line ends, marks and encoding included."""

import difflib
import re
from dataclasses import dataclass

from super_agent.core.errors import PathRefused

BOM = "﻿"
_LINE = re.compile(r"([^\n]*?)(\r?\n|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TextFile:
    """Lines and the end of each ("\\n", "\\r\\n", or "" for a last line that has none)."""

    lines: tuple[str, ...]
    ends: tuple[str, ...]
    encoding: str = "utf-8"
    bom: bool = False

    @property
    def text(self) -> str:
        """All of it with "\\n" as line ends, without a byte order mark."""
        return "\n".join(self.lines) + ("\n" if self.ends and self.ends[-1] else "")

    def replaced(self, new: list[str]) -> "TextFile":
        """The file with other lines: what stays keeps its end, what is new takes that of its neighbours."""
        usual = max(("\r\n", "\n"), key=self.ends.count) if "\r\n" in self.ends else "\n"
        ends: list[str] = []
        for what, i1, i2, j1, j2 in _differences(list(self.lines), new):
            if what == "equal":
                ends += self.ends[i1:i2]
            else:
                near = [e for e in self.ends[i1:i2] if e] or [e for e in self.ends[max(0, i1 - 1) : i1] if e] or [usual]
                old = [*self.ends[i1:i2]]
                ends += [(old[k] if k < len(old) and old[k] else near[0]) for k in range(j2 - j1)]
        ends = [end or usual for end in ends]
        if ends and self.ends and not self.ends[-1]:
            ends[-1] = ""
        return TextFile(tuple(new), tuple(ends), self.encoding, self.bom)

    def encoded(self) -> bytes:
        """The bytes; raises `PathRefused` where the file's encoding lacks a character."""
        text = (BOM if self.bom else "") + "".join(line + end for line, end in zip(self.lines, self.ends, strict=True))
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise PathRefused(f"the file is {self.encoding}, which has no {text[error.start]!r}") from error


def _differences(old: list[str], new: list[str]) -> list[tuple[str, int, int, int, int]]:
    """As difflib's opcodes; what is equal at head and tail is taken first, so that a single edit stays one."""
    shorter = min(len(old), len(new))
    head = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    tail = next((i for i in range(shorter - head) if old[-1 - i] != new[-1 - i]), shorter - head)
    matcher = difflib.SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False)
    found = [("equal", 0, head, 0, head)]
    found += [(what, i + head, j + head, k + head, m + head) for what, i, j, k, m in matcher.get_opcodes()]
    return [*found, ("equal", len(old) - tail, len(old), len(new) - tail, len(new))]


def decoded(data: bytes | None) -> TextFile:
    """Raises `PathRefused` for what is no text; bytes that are not UTF-8 are read as Latin-1, which keeps each."""
    if data is None:
        return TextFile((), ())
    if b"\0" in data[:65536]:
        raise PathRefused("it is not text and is not overwritten")
    try:
        text, encoding = data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text, encoding = data.decode("latin-1"), "latin-1"
    bom = text.startswith(BOM)
    pieces = [(m[1], m[2]) for m in _LINE.finditer(text.removeprefix(BOM)) if m[0]]
    return TextFile(tuple(p for p, _ in pieces), tuple(e for _, e in pieces), encoding, bom)
