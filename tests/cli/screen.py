"""What a terminal shows in the end, from what was written to it: only the little that the live view may use."""

import re
import unicodedata

_PIECE = re.compile(r"\x1b\[(?P<count>[\d;]*)(?P<kind>[A-Za-z])|\x1b\[\?25[lh]|(?P<char>[\s\S])")


def screen(written: str) -> str:
    """All rows, scrollback included; raises `ValueError` for a control that the live view has no business to send."""
    rows, row, column = [""], 0, 0
    for piece in _PIECE.finditer(written):
        char, kind = piece["char"], piece["kind"]
        if char == "\n":
            row, column = row + 1, 0
            if row == len(rows):
                rows.append("")
        elif char == "\r":
            column = 0
        elif char is not None:
            if unicodedata.category(char) == "Cc":
                raise ValueError(f"{char!r} reached the terminal")
            rows[row] = f"{rows[row]:<{column}}"[:column] + char + rows[row][column + 1 :]
            column += 1
        elif kind == "A":
            row = max(0, row - int(piece["count"] or 1))
        elif kind == "K":
            rows[row] = ""
        elif kind not in ("m", None):
            raise ValueError(f"{piece[0]!r} reached the terminal")
    return "\n".join(line.rstrip() for line in rows)
