"""The lines that define something, told by the words that languages define with."""

import re

CODE = frozenset(
    ("python", "javascript", "typescript", "c", "cpp", "csharp", "java", "kotlin", "scala", "groovy", "swift", "go",
     "rust", "ruby", "php", "lua", "dart", "elixir", "julia", "zig", "nim", "vue", "svelte", "shell", "objective-c")
)  # fmt: skip
"""Languages, by the names that `language_for` gives, whose files define something in these words."""
_BEFORE = (
    r"(?:(?:export|default|pub(?:\([^)]*\))?|public|private|protected|internal|static|final|abstract|async|unsafe|"
    r"inline|override|virtual|open|data|sealed|partial|suspend|extern)[ \t]+)"
)
_WORDS = (
    r"(?:def|class|function\*?|interface|enum|struct|trait|type|func|fn|fun|module|namespace|object|record|protocol|"
    r"extension|macro_rules!)"
)
_RECEIVER = r"(?:\([^()]*\)[ \t]*)?"
"""Of a method in Go."""

_NO_TYPE = r"(?:return|assert|await|raise|throw|else|yield|print|new|delete|if|while|not|import|from|use|echo)"
"""Words that no definition in C begins with, though a call may stand behind them."""


def definition_of(name: str) -> re.Pattern[str]:
    """What a line that defines `name` begins with: a function, a method, a type, or a value of a whole file."""
    name = re.escape(name)
    return re.compile(
        rf"^[ \t]*{_BEFORE}*{_WORDS}[ \t]+{_RECEIVER}(?:self\.)?{name}(?!\w)"
        rf"|^[ \t]*{_BEFORE}+[\w<>\[\],.?]+[ \t]+{name}[ \t]*\("
        rf"|^(?:export[ \t]+)?(?:(?:const|let|var|val|static)[ \t]+)?{name}[ \t]*(?::[^=]*)?=(?!=)"
        rf"|^(?!{_NO_TYPE}\b)\w[\w*&:<> \t]*[ \t*&]{name}[ \t]*\([^;]*$"
    )
