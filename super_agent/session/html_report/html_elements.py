"""HTML from text that nobody trusts: whatever goes in is made harmless and escaped here."""

import html

from super_agent.core.sanitize import sanitize


def esc(text: object) -> str:
    """Text for an element or a quoted attribute."""
    return html.escape(sanitize(str(text)))


def tag(name: str, inner: str, kind: str = "") -> str:
    """An element around markup."""
    return f'<{name} class="{kind}">{inner}</{name}>' if kind else f"<{name}>{inner}</{name}>"


def line(text: object, kind: str = "") -> str:
    """A paragraph of text."""
    return tag("p", esc(text), kind)


def block(text: str, kind: str = "") -> str:
    """Text as it is, line ends kept."""
    return tag("pre", esc(text.strip("\n")), kind)


def folded(title: str, inner: str) -> str:
    """Markup behind a title that opens it."""
    return f"<details><summary>{esc(title)}</summary>{inner}</details>"


def diff(text: str) -> str:
    """A unified diff with its lines marked."""
    kinds = {"+": "add", "-": "del", "@": "hunk"}
    lines = text.splitlines()
    # Only there: further down, `--- x` is a removed line that begins with two dashes.
    head = 2 if lines[:1] and lines[0].startswith("--- ") else 0
    marked = (
        tag("span", esc(line) or " ", "hunk" if number < head else kinds.get(line[:1], "same"))
        for number, line in enumerate(lines)
    )
    return tag("pre", "\n".join(marked), "diff")


def rows(cells: list[tuple[str, str]]) -> str:
    """A table of a name and a text each."""
    return tag("table", "".join(f"<tr><th>{esc(name)}</th><td>{esc(text)}</td></tr>" for name, text in cells))
