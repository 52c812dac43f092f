"""Text as lines that end at a newline only: form feeds, lone carriage returns and U+2028 are part of a line."""


def lines_of(text: str) -> list[str]:
    """The lines without their ends; a last line that lacks its newline counts, an empty one does not."""
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def joined(lines: "list[str] | tuple[str, ...]") -> str:
    """Each line with a newline after it."""
    return "".join(f"{line}\n" for line in lines)


def indent_of(line: str) -> str:
    """The blanks and tabs that a line begins with."""
    return line[: len(line) - len(line.lstrip(" \t"))]
