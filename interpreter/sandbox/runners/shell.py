"""The shell in the sandbox: each script runs in a bash of its own, which hands its folder and variables to the next.

So `exit`, `set -e`, `exec >file`, unbalanced quotes and heredocs end or affect that script and nothing else. The bash
that keeps the state forks for each script; at its end the fork writes its state as shell code into a memory file.
"""

import signal

from interpreter.sandbox.protocol import OutcomeKind
from interpreter.sandbox.runners.dialog import Dialog
from interpreter.sandbox.runners.stateful import StatefulRunner

SHELL = "/bin/bash"
# INT is trapped so that an interrupt ends what runs but not the bash that keeps the state, which itself says nothing.
# One line, as bash counts the lines of what it evaluates from there.
_LOOP = " ".join(
    (
        "__keep() {",
        "set +eunvx; trap - DEBUG ERR RETURN;",
        '{ builtin printf \'builtin cd -- %q\\numask %s\\n\' "$PWD" "$(umask)"; declare -p; declare -f; alias -p; }',
        ">/dev/fd/@STATE; } 2>/dev/null;",
        "trap : INT; shopt -s expand_aliases; exec 2>/dev/null; printf 'ready\\n' >&@ANSWER;",
        "while IFS= builtin read -r -d '' -u @REQUEST __run && IFS= builtin read -r -d '' -u @REQUEST __script; do",
        "builtin printf '%s started\\n' \"$__run\" >&@ANSWER;",
        'builtin set -- "$__run";',
        '( trap __keep EXIT; trap - INT; set --; builtin eval "unset __run __script; $__script" )',
        "@REQUEST<&- @ANSWER>&- </dev/null 2>&1;",
        'builtin set -- "$1" $?;',
        "builtin source /dev/fd/@STATE >/dev/null;",
        'builtin printf \'\\n%s ended %s\\n\' "$1" "$2" >&@ANSWER;',
        "done",
    )
)


class ShellRunner(StatefulRunner):
    """A `Runner`; "failed" is an exit code other than 0. Folder, variables, functions and aliases last."""

    language = "shell"
    interrupted_detail = "the folder and the variables are kept"

    def command(self) -> list[str]:
        """The bash that keeps the state."""
        return [SHELL, "--norc", "--noprofile", "-c", _LOOP, "shell"]

    def request(self, run: str, code: str) -> bytes:
        """Two texts, each ended by a NUL, which a script cannot hold; nor can UTF-8 hold half a surrogate pair."""
        return f"{run}\0{code.replace(chr(0), '')}\0".encode("utf-8", "replace")

    def soften(self, dialog: Dialog, run: str) -> None:
        """As Ctrl-C in a terminal: SIGINT to everything that runs."""
        dialog.process.signal_others(signal.SIGINT)

    def soften_again(self, dialog: Dialog, run: str) -> None:
        """Nothing: to programs a second Ctrl-C says more than the first."""

    def harden(self, dialog: Dialog) -> None:
        """The script dies, its bash's state of before lasts."""
        dialog.process.signal_others(signal.SIGKILL)

    def verdict(self, word: str) -> tuple[OutcomeKind, int | None]:
        """The word is the exit code."""
        code = int(word) if word.isdecimal() else 1
        return ("finished" if code == 0 else "failed"), code
