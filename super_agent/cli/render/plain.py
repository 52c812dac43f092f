"""The surface for pipes and logs: no colours, no cursor movement, nothing wrapped; text in the order it happened."""

from super_agent.cli.render.output import Output
from super_agent.cli.render.surface import BODY, GUTTER, LABEL_COLUMNS, Style

THOUGHT = "  ┊ "


class PlainSurface:
    """Every body line stands two columns in; blank lines at the ends of a text are dropped."""

    typing = None

    def __init__(self, output: Output) -> None:
        self._output = output
        self._prefix = ""
        self._inside = False
        self._began = False
        self._breaks = 0
        self._blank = True
        self._told_s = 0.0

    def gap(self) -> None:
        self._end()
        if not self._blank:
            self._write("\n")
            self._blank = True

    def line(self, text: str, style: Style = "text", indent: str = BODY) -> None:
        self._end()
        self._write("".join(f"{indent}{line}".rstrip() + "\n" for line in text.split("\n")))

    def field(self, label: str, text: str, style: Style = "text") -> None:
        """A line of a table."""
        self.line(f"{label:<{LABEL_COLUMNS}}{BODY}{text}", style)

    def write(self, text: str, style: Style = "text") -> None:
        self._continue(text, THOUGHT if style == "thought" else BODY)

    def output(self, text: str) -> None:
        self._continue(text, GUTTER)

    def code(self, text: str, language: str) -> None:
        self.line(text)

    def diff(self, text: str) -> None:
        self.line(text, indent=BODY * 2)

    def begin(self, what: str) -> None:
        """A pipe has nobody who waits."""

    def progress(self, what: str, turn: int, tokens: int) -> None:
        """A pipe has nobody who waits."""

    def note(self, text: str, silent_s: float = 0.0) -> None:
        """A line, never into a text that goes on; each time the silence has doubled."""
        if self._inside:
            return
        if silent_s:
            if self._told_s <= silent_s < 2 * self._told_s:
                return
            self._told_s = silent_s
            text += f"; {silent_s:.0f} s so far"
        self.line(text)

    def idle(self) -> None:
        """End the last line."""
        self._end()

    def close(self) -> None:
        """End the last line."""
        self._end()

    def _continue(self, text: str, prefix: str) -> None:
        """Line ends wait until more text follows, so that a text ends without blank lines however it was cut."""
        if self._inside and prefix != self._prefix:
            self._end()
        self._inside, self._prefix = True, prefix
        written: list[str] = []
        for part in text.splitlines(keepends=True):
            line = part.rstrip("\n")
            if line:
                if self._breaks or not self._began:
                    blank = f"{prefix.rstrip()}\n" * max(0, self._breaks - 1) if self._began else ""
                    written += ["\n" if self._began else "", blank, prefix]
                written.append(line)
                self._began, self._breaks = True, 0
            self._breaks += part.endswith("\n")
        if written:
            self._write("".join(written))

    def _end(self) -> None:
        if self._inside and self._began:
            self._write("\n")
        self._inside, self._began, self._breaks = False, False, 0

    def _write(self, text: str) -> None:
        self._output.write(text)
        self._blank = False
