"""Names of languages as they stand after a fence, and the files that hold each."""

import re
from collections.abc import Mapping
from typing import Literal

EXTENSIONS: Mapping[str, tuple[str, ...]] = {
    "python": ("py", "pyi", "pyw"), "py": ("py", "pyi"), "python3": ("py",), "ipython": ("py",), "pycon": ("py",),
    "javascript": ("js", "mjs", "cjs", "jsx"), "js": ("js", "mjs", "cjs", "jsx"), "jsx": ("jsx", "js"),
    "node": ("js", "mjs"), "typescript": ("ts", "tsx", "mts"), "ts": ("ts", "tsx", "mts"), "tsx": ("tsx", "ts"),
    "shell": ("sh", "bash"), "bash": ("sh", "bash"), "sh": ("sh", "bash"), "zsh": ("sh", "zsh"), "fish": ("fish",),
    "console": (), "shell-session": (), "shellsession": (), "terminal": (), "powershell": ("ps1",), "ps1": ("ps1",),
    "batch": ("bat", "cmd"), "bat": ("bat",), "cmd": ("cmd",), "html": ("html", "htm"), "xml": ("xml", "svg"),
    "svg": ("svg",), "css": ("css",), "scss": ("scss",), "sass": ("sass",), "less": ("less",), "vue": ("vue",),
    "svelte": ("svelte",), "json": ("json",), "jsonc": ("json", "jsonc"), "json5": ("json5",), "jsonl": ("jsonl",),
    "yaml": ("yaml", "yml"), "yml": ("yml", "yaml"), "toml": ("toml",), "ini": ("ini", "cfg", "conf"),
    "cfg": ("cfg", "ini"), "conf": ("conf",), "config": ("cfg", "conf"), "properties": ("properties",),
    "dotenv": ("env",), "env": ("env",), "csv": ("csv",), "tsv": ("tsv",), "sql": ("sql",), "graphql": ("graphql",),
    "proto": ("proto",), "protobuf": ("proto",), "c": ("c", "h"), "h": ("h",), "cpp": ("cpp", "cc", "cxx", "hpp", "h"),
    "c++": ("cpp", "cc", "cxx", "hpp", "h"), "cc": ("cc",), "csharp": ("cs",), "cs": ("cs",), "c#": ("cs",),
    "objective-c": ("m", "h"), "objc": ("m",), "java": ("java",), "kotlin": ("kt", "kts"), "kt": ("kt",),
    "scala": ("scala",), "groovy": ("groovy", "gradle"), "swift": ("swift",), "go": ("go",), "golang": ("go",),
    "rust": ("rs",), "rs": ("rs",), "ruby": ("rb",), "rb": ("rb",), "php": ("php",), "perl": ("pl", "pm"),
    "lua": ("lua",), "r": ("r", "R"), "julia": ("jl",), "dart": ("dart",), "elixir": ("ex", "exs"),
    "erlang": ("erl",), "haskell": ("hs",), "hs": ("hs",), "ocaml": ("ml",), "fsharp": ("fs",), "clojure": ("clj",),
    "lisp": ("lisp",), "scheme": ("scm",), "zig": ("zig",), "nim": ("nim",), "tcl": ("tcl",), "vb": ("vb",),
    "makefile": ("mk",), "make": ("mk",), "cmake": ("cmake",), "dockerfile": (), "docker": (), "nginx": ("conf",),
    "terraform": ("tf",), "hcl": ("hcl", "tf"), "nix": ("nix",), "latex": ("tex",), "tex": ("tex",), "bibtex": ("bib",),
    "markdown": ("md", "markdown", "mdx"), "md": ("md", "markdown", "mdx"), "mdx": ("mdx",), "rst": ("rst",),
    "text": ("txt", "text", "log"), "txt": ("txt", "text"), "plaintext": ("txt",), "plain": ("txt",), "log": ("log",),
    "diff": ("diff", "patch"), "patch": ("patch", "diff"), "udiff": ("diff",), "output": (), "http": (),
    "mermaid": ("mmd",), "dot": ("dot",), "vim": ("vim",), "awk": ("awk",), "sed": ("sed",), "asm": ("s", "asm"),
    "gitignore": (), "jinja": ("j2",), "jinja2": ("j2",), "regex": (), "bnf": (), "code": (), "file": (), "none": (),
}  # fmt: skip
"""Language names, lower case, and the extensions of files that hold such text; () holds none that is typical."""
CODE_LANGUAGES = frozenset(
    ("python", "javascript", "typescript", "c", "cpp", "csharp", "java", "kotlin", "scala", "groovy", "swift", "go",
     "rust", "ruby", "php", "lua", "dart", "elixir", "julia", "zig", "nim", "vue", "svelte", "shell", "objective-c")
)  # fmt: skip
"""Languages, by the names that `language_for` gives, whose files define something in these words."""
FILE_EXTENSIONS = frozenset(e for found in EXTENSIONS.values() for e in found) | frozenset(
    ("lock", "in", "out", "template", "tmpl", "tpl", "ipynb", "service", "desktop", "po", "pot", "example", "typed",
     "gitignore", "dat", "data", "rc", "plist", "sln", "csproj", "gemspec", "feature", "snap", "htaccess", "wsgi")
)  # fmt: skip
FILE_NAMES = frozenset(
    ("makefile", "gnumakefile", "dockerfile", "containerfile", "license", "licence", "readme", "changelog", "notice",
     "authors", "procfile", "gemfile", "rakefile", "vagrantfile", "jenkinsfile", "pipfile", "justfile", "codeowners",
     "brewfile", "caddyfile", "copying", "contributing", "news", "todo", "version", "install", "cmakelists.txt",
     "go.mod", "go.sum")
)  # fmt: skip
WORDS_AND_NAMES = frozenset(("version", "install", "news", "todo", "notice", "changelog", "contributing", "authors"))
"""Of these names those that head other things too: "New version:"."""
DOT_FILES = (".env", ".gitignore")
"""Files whose names are those of languages but for the dot."""
SHELLS = ("shell", "bash", "sh", "zsh", "console", "shell-session", "shellsession", "terminal", "cmd", "powershell")
RunLanguage = Literal["python", "shell"]
_RUN_BY_SHELL = ("shell", "bash", "sh", "zsh", "console", "shell-session")
_ALSO = {"json": (".ipynb", ".webmanifest"), "ini": (".service", ".desktop"), "xml": (".csproj", ".plist")}
"""Endings of files that hold such text, but are no files of that language alone."""
_NUMBERED = re.compile(r"^(?:python|py|ruby|php|lua|perl|java|node|go|c\+\+|c|es|ecmascript|html|css|vb|f|r)-?[\d.]+$")
_DOTTED = re.compile(
    r"^(?:node|vue|react|next|nuxt|express|angular|backbone|d3|three|p5|ember|nest|moment|chart|discord)\.js$"
    r"|^(?:(?:asp|vb|ado|ml)\.)?net$"
)
_MEDIA = re.compile(r"^(?:application|text|image|audio|video|multipart|font|message|model)/[\w.+-]+$")


def is_language(word: str) -> bool:
    """Whether a word after a fence names a language or a media type (which may hold a dot or a slash) and no file."""
    if word.lower() in DOT_FILES:
        return False
    low = word.lower().strip("{}.,:;")
    if low in EXTENSIONS or _NUMBERED.match(low) or _DOTTED.match(low):
        return True
    if _MEDIA.match(low):
        return low.rsplit(".", 1)[-1] not in FILE_EXTENSIONS or "." not in low
    return "/" in low and all(part in EXTENSIONS for part in low.split("/"))


def language_of(word: str) -> str:
    """A language's name without its version and dress: `{python}`, `Python3.12` and `py3` are python."""
    low = word.lower().strip("{}.,:;")
    if re.match(r"^(?:python|py|ipython)-?[\d.]*$", low):
        return "python"
    return low


def runs_as(word: str) -> RunLanguage | None:
    """What runs code that is headed so; None where nothing does."""
    language = language_of(word)
    if language == "python":
        return "python"
    return "shell" if language in _RUN_BY_SHELL else None


def suits(language: str, path: str) -> bool:
    """Whether a file of this path may hold text of the language; one that is not known suits every path."""
    known = EXTENSIONS.get(language_of(language)) if language else None
    if known is None or language_of(language) in ("code", "file", "none", "text", "txt", "plaintext", "plain"):
        return True
    name = path.rsplit("/", 1)[-1].lower()
    if name in FILE_NAMES and "." in name:
        return True
    if name.endswith(_ALSO.get(language_of(language), ())):
        return True
    if "." not in name.lstrip("."):
        return language_of(language) not in ("python", "py", "javascript", "console")
    return name.rsplit(".", 1)[-1] in {e.lower() for e in known}


def is_commanded(path: str, language: str) -> bool:
    """Whether a block of a shell or of code is about a file of such a name and not it: `make test` below "Makefile"."""
    name = path.rsplit("/", 1)[-1].lower()
    of = language_of(language)
    return (is_language(name) and (of in CODE_LANGUAGES or of in SHELLS)) or (
        name in FILE_NAMES and "." in name and of in SHELLS
    )


def language_for(path: str) -> str:
    """The language whose text a path holds, or empty."""
    extension = path.rsplit("/", 1)[-1].rpartition(".")[2].lower()
    return next((name for name, found in EXTENSIONS.items() if extension in found), "")
