"""The terminal's surface: finished rows go into the scrollback for good; the lowest rows show what is going on now."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import IO, cast

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from super_agent.cli.render.output import Output
from super_agent.cli.render.rows import Highlighter, OutputRows, ReplyRows, folded, wrapped
from super_agent.cli.render.surface import BODY, GUTTER, LABEL_COLUMNS, Style
from super_agent.core.sanitize import sanitize
from super_agent.session.messages import run_messages

STYLES: dict[Style, str] = {
    "text": "",
    "thought": "dim italic",
    "dim": "dim",
    "title": "bold",
    "speaker": "bold cyan",
    "good": "green",
    "bad": "bold red",
    "warning": "yellow",
}
FRAMES_A_SECOND = 8
"""A spinner turns calmly at this rate, and a token waits at most 0.125 s to be seen."""


class LiveSurface:
    """Draws on a terminal from any thread. While something goes on the cursor is hidden below the last finished row."""

    def __init__(
        self,
        output: Output,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
        frames_a_second: float = FRAMES_A_SECOND,
    ) -> None:
        self._console = console or Console(file=cast("IO[str]", output), highlight=False, markup=False, emoji=False)
        self._lock = threading.RLock()
        self._rows: ReplyRows | OutputRows | None = None
        self._style: Style = "text"
        self._blank = True
        self._status = _Status(clock)
        self._frame_s = 1 / frames_a_second
        self._frames: _Frames | None = None
        self._closed = False

    @property
    def typing(self) -> "LiveSurface | None":
        """This view shows what is typed, as the terminal's echo would fall into it; not where it cannot redraw."""
        return None if self._console.is_dumb_terminal else self

    # ── for the renderer ──

    def gap(self) -> None:
        with self._lock:
            self._end_rows()
            if not self._blank:
                self._commit([Text()])
                self._blank = True

    def line(self, text: str, style: Style = "text", indent: str = BODY) -> None:
        """Whole lines, wrapped at words."""
        with self._lock:
            self._end_rows()
            self._stand(text, style, indent)

    def field(self, label: str, text: str, style: Style = "text") -> None:
        """A line of a table; its text is wrapped below itself."""
        with self._lock:
            self._end_rows()
            head = f"{BODY}{label:<{LABEL_COLUMNS}}{BODY}"
            first, *others = wrapped(text, max(10, self._width() - len(head)), 0)
            blank = " " * len(head)
            rows = [Text.assemble((head, "dim"), (first, STYLES[style]))]
            self._commit(rows + [Text.assemble(blank, (row, STYLES[style])) for row in others])

    def write(self, text: str, style: Style = "text") -> None:
        with self._lock:
            if not isinstance(self._rows, ReplyRows) or style != self._style:
                self._end_rows()
                self._rows, self._style = ReplyRows(self._width, BODY, STYLES[style]), style
            self._feed(self._rows, text)

    def output(self, text: str) -> None:
        with self._lock:
            if not isinstance(self._rows, OutputRows):
                self._end_rows()
                self._rows = OutputRows(self._width, GUTTER)
            self._feed(self._rows, text)

    def code(self, text: str, language: str) -> None:
        """Whole lines of code, highlighted."""
        with self._lock:
            self._end_rows()
            highlighter = Highlighter(language)
            self._commit(Text.assemble(BODY, highlighter.line(line)) for line in text.split("\n"))

    def diff(self, text: str) -> None:
        """A unified diff, coloured."""
        with self._lock:
            self._end_rows()
            styles = {"+": "green", "-": "red", "@": "dim cyan", "…": "dim"}
            for line in text.split("\n"):
                rows = folded(line.expandtabs(), self._width(), BODY * 2)
                self._commit(Text(row.plain, styles.get(line[:1], "dim")) for row in rows)

    def begin(self, what: str) -> None:
        """Show the status with a new clock."""
        with self._lock:
            self._status.begin(what)
            self._settle()

    def progress(self, what: str, turn: int, tokens: int) -> None:
        """Change the status; seen at the next frame."""
        with self._lock:
            self._status.what, self._status.turn, self._status.tokens = what, turn, tokens

    def note(self, text: str, silent_s: float = 0.0) -> None:
        """Instead of the status; its clock shows how long."""
        with self._lock:
            self._status.what = text

    def idle(self) -> None:
        """End the last row and remove the status."""
        with self._lock:
            self._end_rows()
            self._status.what = ""
            self._settle()

    def close(self) -> None:
        """Leave finished rows only; idempotent."""
        with self._lock:
            self._closed = True
            self._status.question = self._status.typed = ""
            self.idle()

    # ── for the terminal's reader ──

    def show_typing(self, question: str, typed: str) -> None:
        """Show the pending question and the line so far."""
        with self._lock:
            self._status.question, self._status.typed = sanitize(question), sanitize(typed)
            self._settle(refresh=True)

    def keep_typed(self, question: str, line: str) -> None:
        """An answer stays with its question, another line with what will become of it.

        Both stand above a row that is still growing, so that a reply is not broken by what is typed into it.
        """
        with self._lock:
            if not self._closed:
                self._status.question = self._status.typed = ""
                if question:
                    self._stand(f"{sanitize(question)} {sanitize(line)}".rstrip(), "text", BODY)
                else:
                    self._stand(f"› {sanitize(line)}  (for the next turn)", "dim", "")
                self._settle(refresh=True)

    # ── rows ──

    def _width(self) -> int:
        return self._console.width

    def _stand(self, text: str, style: Style, indent: str) -> None:
        width = max(10, self._width() - len(indent))
        rows = [row for line in text.split("\n") for row in wrapped(line, width)]
        self._commit(Text.assemble(indent, (row, STYLES[style])) for row in rows)

    def _feed(self, rows: ReplyRows | OutputRows, text: str) -> None:
        finished = rows.feed(text)
        self._status.growing = rows.growing()
        self._commit(finished)

    def _end_rows(self) -> None:
        if self._rows is not None:
            rows, self._rows = self._rows.end(), None
            self._status.growing = None
            self._commit(rows)

    def _commit(self, rows: Iterable[Text]) -> None:
        """Into the scrollback. The terminal itself breaks what is too long, so that copying gives the line back."""
        lines = list(rows)
        if lines:
            self._console.print(Text("\n").join(lines), soft_wrap=True)
            self._blank = not lines[-1].plain.strip()

    def _settle(self, refresh: bool = False) -> None:
        """Start or stop the live rows as there is something to show in them."""
        if self._closed or not self._status.shown:
            if self._frames is not None:
                self._frames.stop()
                self._frames = None
        elif self._frames is None:
            self._frames = _Frames(self._status, self._console, self._lock, self._frame_s)
        elif refresh:
            self._frames.live.refresh()


class StillSurface(LiveSurface):
    """The same rows in the same colours for what is over: nothing moves below them."""

    def begin(self, what: str) -> None:
        """Nothing takes time any more."""

    def progress(self, what: str, turn: int, tokens: int) -> None:
        """Nothing takes time any more."""


class _Frames:
    """Redraws the live rows by a thread that has ended when `stop` returns; rich's own thread is not waited for.

    `lock` is held by whoever draws: rich works out how far to go up and writes it in two steps. `stop` is called with
    it held, so the thread never waits for it.
    """

    def __init__(self, status: "_Status", console: Console, lock: "threading.RLock", frame_s: float) -> None:
        self.live = Live(
            status,
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self.live.start(refresh=True)
        self._lock = lock
        self._frame_s = frame_s
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._draw, name="frames", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the drawing and remove the rows."""
        self._done.set()
        self._thread.join()
        self.live.stop()

    def _draw(self) -> None:
        while not self._done.wait(self._frame_s):
            if self._lock.acquire(blocking=False):  # else a row is being written, which draws these too
                try:
                    self.live.refresh()
                finally:
                    self._lock.release()


class _Status:
    """The rows below the scrollback. Drawn by a thread of its own, with the surface's lock held."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.what = ""
        self.turn = 0
        self.tokens = 0
        self.growing: Text | None = None
        self.question = ""
        self.typed = ""
        self._clock = clock
        self._since = clock()
        self._spinner = Spinner("dots")

    @property
    def shown(self) -> bool:
        return bool(self.what or self.question or self.typed)

    def begin(self, what: str) -> None:
        self.what, self.tokens, self._since = what, 0, self._clock()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The growing row, then the question with its answer so far, or what is going on and the line being typed."""
        growing, question, typed = self.growing, self.question, self.typed
        if growing is not None:
            yield _one_row(growing)
        if question:
            for row in wrapped(f"{question} {typed}▏", max(10, options.max_width - len(BODY))):
                yield _one_row(Text.assemble(BODY, row))
            return
        if self.what:
            yield _one_row(self._doing())
        if typed:
            room = max(10, options.max_width - 4)
            yield _one_row(Text.assemble(("› ", "dim"), f"{typed[-room:]}▏"))

    def _doing(self) -> Text:
        elapsed_s = self._clock() - self._since
        parts = [self.what]
        if self.turn:
            parts.append(f"turn {self.turn}")
        if elapsed_s >= 1:
            parts.append(run_messages.whole_seconds(elapsed_s))
        if self.tokens:
            parts.append(run_messages.counted(self.tokens, "token"))
        frame = self._spinner.render(self._clock())
        mark = frame.plain if isinstance(frame, Text) else ""
        return Text.assemble((f"{mark} ", "cyan"), (" · ".join(parts), "dim"))


def _one_row(text: Text) -> Text:
    text = text.copy()
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
