"""Whether a command of bash goes on after a line: in a quote, a heredoc, a loop, a pipe; read a line at a time."""

import re

_HEREDOC = r"<<(?P<tabs>-?)[ \t]*(?:'(?P<a>[^'\n]+)'|\"(?P<b>[^\"\n]+)\"|\\?(?P<c>[\w.-]+))"
_TOKEN = re.compile(
    r"(?P<joined>\\$)|(?P<escaped>\\.)|(?P<ansi>\$'(?:[^'\\]|\\.)*')|(?P<quote>['\"`])"
    rf"|<<<|(?P<heredoc>{_HEREDOC})|(?P<variable>\$\{{[^}}]*\}})"
    r"|(?P<open>\$?\(\(?)|(?P<close>\)\)?)|(?P<operator>&&|\|\|?&?|;;?|&)|(?P<space>\s+)|(?P<word>[^\s\\'\"`<$()&|;]+)|."
)
_END_OF_QUOTE = {"'": re.compile(r"'"), '"': re.compile(r"(?<!\\)(?:\\\\)*\""), "`": re.compile(r"(?<!\\)`")}
_CLOSED_BY = {
    "if": "fi", "while": "done", "until": "done", "for": "done", "select": "done", "case": "esac", "{": "}"
}  # fmt: skip
_BEFORE_COMMANDS = ("if", "while", "until", "{", "then", "do", "else", "elif", "!", "time")
_GO_ON = ("&&", "||", "|", "|&")


class OpenCommand:
    """A command as far as it was read. It is no parser: what it takes for open may be a mistake in the command."""

    def __init__(self, line: str) -> None:
        """`line` is its first."""
        self._quote = ""
        self._awaited: list[str] = []
        self._heredocs: list[tuple[bool, str]] = []
        self._joined = False
        self._last = ""
        self.feed(line)

    @property
    def goes_on(self) -> bool:
        """Whether the command needs a further line."""
        return bool(self._quote or self._awaited or self._heredocs or self._joined or self._last in (*_GO_ON, "()"))

    @property
    def in_heredoc(self) -> bool:
        """Whether the next line is text of a heredoc."""
        return bool(self._heredocs) and not self._quote and not self._joined

    def feed(self, line: str) -> None:
        """Read the next line."""
        if self.in_heredoc:
            tabs, word = self._heredocs[0]
            if (line.lstrip("\t") if tabs else line) == word:
                self._heredocs.pop(0)
            return
        at_command = not self._joined
        self._joined = False
        self._last = self._last if not line.strip() else ""
        position = 0
        while position < len(line):
            if self._quote:
                end = _END_OF_QUOTE[self._quote].search(line, position)
                if end is None:
                    return
                self._quote, position = "", end.end()
                continue
            token = _TOKEN.match(line, position)
            begins_word = not position or line[position - 1].isspace()
            if token is None or (begins_word and token[0].startswith("#")):
                return
            position = token.end()
            at_command = self._take(token, at_command=at_command)

    def _take(self, token: re.Match[str], *, at_command: bool) -> bool:
        """Note what a token opens or closes; whether a command may begin after it."""
        text, kind = token[0], token.lastgroup
        if kind == "space":
            return at_command
        self._last = "()" if text == ")" and self._last == "(" else text
        if kind == "joined":
            self._joined = True
        elif kind == "quote":
            self._quote = text
        elif token["heredoc"] and "))" not in self._awaited:  # there it shifts a number
            self._heredocs.append((bool(token["tabs"]), token["a"] or token["b"] or token["c"]))
        elif kind == "open":
            self._awaited.append(")" * text.count("("))
        elif kind == "close":
            self._close(text)
        elif kind == "word" and at_command:
            if text in _CLOSED_BY:
                self._awaited.append(_CLOSED_BY[text])
            elif self._awaited[-1:] == [text]:
                self._awaited.pop()
            return text in _BEFORE_COMMANDS
        return kind in ("open", "close", "operator")

    def _close(self, text: str) -> None:
        """One bracket or two; one that nothing opened ends a pattern of `case`."""
        for part in [text] if self._awaited[-1:] == [text] else [")"] * len(text):
            if self._awaited[-1:] == [part]:
                self._awaited.pop()
