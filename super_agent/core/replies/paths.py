"""The path that a block is headed by: in its info string, on the line above, or in its first comment line."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from super_agent.core.replies.heading_words import only_names_file
from super_agent.core.replies.languages import (
    FILE_EXTENSIONS,
    FILE_NAMES,
    SHELLS,
    WORDS_AND_NAMES,
    is_commanded,
    is_language,
    language_of,
    suits,
)
from super_agent.core.replies.types import LineRange

PLACEHOLDERS = re.compile(
    r"^(?:greet\.py|package/module\.\w+|(?:the/|your/|some/)?path/(?:to/)?.*|path|file_?path|.*<[^>]*>.*|(?!.*\[\.{3}\w).*\.\.\..*"
    r"|(?:your|the|my|some|new|existing)[-_ ]?(?:file|module|script)[-_]?(?:name|path)?(?:\.\w+)?|file_?name\.\w+"
    r"|file\.ext|example/path.*|dir(?:ectory)?/file(?:name)?\.\w+|folder/file(?:name)?\.\w+)$",
    re.IGNORECASE,
)
"""Paths that stand for a path in explanations, and that of the prompts' worked example; none of them is written."""
_KEY = re.compile(
    r"(?:^|[\s{,(])(?:file|file[-_ ]?name|file[-_ ]?path|path|title|name|src|source|target)\s*[:=]\s*"
    r"(?:\"(?P<a>[^\"]+)\"|'(?P<b>[^']+)'|`(?P<c>[^`]+)`|\*\*(?P<d>[^*]+)\*\*|(?P<e>[^\s,;{}()\"']+))",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^(?:(?:the|a|an|new|updated?|modified|modify|existing|edited|edit|change[ds]?|creat(?:e|ed|ing)|write|add|final|full|"
    r"complete|whole|entire|here(?:'s| is)|this is|contents?|code|of|for|in|to|and|now|file(?:\s*\d+)?|"
    r"file[-_ ]?name|file[-_ ]?path|path|module|"
    r"arquivo|ficheiro|crie|criar|atualizar?|novo|em|no|conteúdo|de|do|"
    r"datei|dateiname|fichier|nom du fichier|archivo|文件名?|檔案|ファイル名?|파일|файл)\b\s*[:=]?\s*)+",
    re.IGNORECASE,
)
_WINDOWS = re.compile(r"^(?:\.\\)?[\w.@+-]+(?:\\[\w.@+-]+)+$")
_ATTRIBUTES = re.compile(
    r"^(?P<path>[^\s{}=]+)(?:\s+(?:\{[^{}]*\}|[\w-]+=(?:\"[^\"]*\"|'[^']*'|[^\s\"']+)|showLineNumbers|numberLines|lines?))+$"
)
_SYMBOLS = re.compile(r"^[\U0001F300-\U0001FAFF\u2600-\u27BF\u25B6\u25BA\u2192\uFE0F]+\s*")
_RULED = re.compile(r"^(?P<rule>-{2,}|={2,}|~{2,})\s+(?P<text>\S.*?)\s+(?P=rule)$")
_DRESS = (
    ("**", "**"), ("__", "__"), ("*", "*"), ("`", "`"), ("[", "]"), ("(", ")"), ("{", "}"), ('"', '"'), ("'", "'"),
)  # fmt: skip
"""What stands around a path, longer marks first."""
_COMMANDS = frozenset(
    ("run", "python", "python3", "node", "npm", "pip", "see", "in", "from", "for", "of", "to", "the", "example",
     "output", "cat")
)  # fmt: skip
"""Words that begin a sentence or a command line, not a path with blanks."""
_RANGE = re.compile(
    r"(?:[\s,(\[]*(?:lines?|L|linhas?)\s*|[:#]L?|\s[\[(](?=\d+\s*[-–]))(?P<first>\d+)\s*(?:-|–|\.\.|to|a|:|,)\s*L?(?P<last>\d+)[)\]]?\s*:?$",
    re.IGNORECASE,
)
MAX_HEADING = 500
"""Characters of a path with what dresses it; a path of more than 255 is hardly ever one."""
_CHARS = re.compile(r"^[^\s<>\"'`|*?:;,\\=(){}\[\]!]+$")
_ROUTE = re.compile(r"(?P<before>^|/)(?:\[{1,2}(?:\.\.\.)?[\w-]+\]{1,2}(?=[./])|\(\.{0,3}[\w-]+\)(?=/))")
"""Folders and files of web frameworks: `app/(shop)/[id]/page.tsx`."""
_COMMENT = re.compile(
    r"^\s*(?:#+|//+|--(?!-)|;+|%+|/\*+|<!--|\"\"\"|'{3}|REM\b|')\s*(?P<text>.*?)\s*(?:\*/|-->|\"\"\"|'{3})?\s*$"
)
_TAGS = re.compile(r"</?(?:b|strong|code|em|i|summary|details|file|file_?path|file_?name|path|h[1-6]|p)>")
_ASCII_WORD = re.compile(r"[A-Za-z0-9_@+./-]*[A-Za-z0-9_]")
_TEST = re.compile(
    r"(?:^|/)(?:tests?/|test_[^/]*$|[^/]*_test\.\w+$|[^/]*[.-](?:test|spec)\.\w+$|checks?(?:[_.-][^/]*)?$|conftest\.py$)"
)
_COMMENT_LABEL = (
    r"^(?:file|file ?name|file ?path|path|arquivo|ficheiro|datei|fichier|archivo|"
    r"文件名?|檔案|ファイル名?|파일|файл)\s*[:=]\s*"
)


@dataclass(frozen=True, slots=True)
class Heading:
    """What an info string says; `path` is empty where it names none."""

    language: str = ""
    path: str = ""
    lines: LineRange | None = None


def read_info(info: str, known: Collection[str] = ()) -> Heading:
    """Read an info string in any of the dresses that models give it; `known` are paths that exist."""
    info = info.strip()
    if info in known:
        return Heading("", info)
    keyed = _KEY.search(info)
    first = re.split(r"[\s,]", info, maxsplit=1)[0]
    if keyed is not None:
        value = next(v for v in keyed.groups() if v)
        path = bare_path(value, known)
        language = (
            first
            if first and not _KEY.match(first) and first.lower().rstrip(":=") not in ("file", "filename", "path")
            else ""
        )
        language = re.split(r"[{:]", language.lstrip("{"))[0] if language else ""
        return Heading(language_of(language) if is_language(language) else "", path)
    word, rest = first, info[len(first) :].strip().lstrip(",").strip()
    if is_language(word) or (not rest and word.startswith("{")):
        language = language_of(word)
        return _with_range(language, rest, known) if rest else Heading(language)
    language, colon, after = word.partition(":")
    if colon and after and is_language(language):
        return _with_range(language_of(language), f"{after} {rest}".strip(), known)
    if re.fullmatch(r"[a-z][a-z0-9+#-]*", word) and " " not in rest and looks_like_path(rest):
        return _with_range(word, rest, known)  # a language that is not known
    named = _with_range("", info, known)
    if named.path or not rest:
        return named
    if is_language(rest) and looks_like_path(word):
        return Heading(language_of(rest), bare_path(word, known))
    # A language that is not known before a path: `zig2 main.zig`.
    if re.fullmatch(r"[\w+#-]+", word) and _CHARS.match(rest):
        return _with_range(word.lower(), rest, known)
    return Heading(word.lower() if re.fullmatch(r"[\w+#.-]+", word) and not looks_like_path(word) else "")


def _with_range(language: str, text: str, known: Collection[str]) -> Heading:
    found = _RANGE.search(text)
    if found is not None and (path := bare_path(text[: found.start()], known, language)):
        return Heading(language, path, LineRange(int(found["first"]), int(found["last"])))
    return Heading(language, bare_path(text, known, language))


def bare_path(text: str, known: Collection[str] = (), language: str = "") -> str:
    """The path in a text that holds a path and its dressing, or empty where it holds anything else."""
    text = text.strip()
    if text in known:
        return text
    if len(text) > MAX_HEADING:
        return ""
    text = _undressed(text.replace("：", ": "))
    bare = m["path"] if (m := _ATTRIBUTES.match(text)) else text
    for candidate in (text, bare, _without_remark(text), _LABEL.sub("", _without_remark(text))):
        found = with_slashes(_undressed(candidate)).removeprefix("./")
        if found not in known and (found.startswith("@/") or (found.startswith("@") and "/" not in found)):
            found = found.lstrip("@").lstrip("/")  # as editors mention a file
        if found in known or looks_like_path(found, has_language=bool(language)):
            return found
    spaced = _undressed(_without_remark(text)).removeprefix("./")
    if " " in spaced and language not in SHELLS and _is_spaced_path(spaced):
        return spaced
    return ""


def with_slashes(text: str) -> str:
    """A path of Windows as one of this machine; any other text as it is."""
    return text.replace("\\", "/") if _WINDOWS.match(text) else text


def _undressed(text: str) -> str:
    """Take off what stands around a path, from the outside in."""
    before = None
    while before != text:
        before = text
        text = text.strip().rstrip(":,;").strip()
        text = re.sub(r"^(?:#+|//+|--|/\*+|<!--|[-*•]\s|\d+[.)]\s|;+)\s*", "", text)
        text = _SYMBOLS.sub("", re.sub(r"\s*(?:\*/|-->)$", "", text))
        text = ruled["text"] if (ruled := _RULED.match(text)) else text
        for left, right in _DRESS:
            inner = text[len(left) : -len(right)] if len(text) > len(left) + len(right) else ""
            is_name = left == "__" and not ("." in inner and inner.rpartition(".")[2].isalnum())  # as __init__ is
            if inner and right not in inner and text.startswith(left) and text.endswith(right) and not is_name:
                text = inner
                break
    return text


def _without_remark(text: str) -> str:
    """`b.py (the second file)`, `b.py - new`, `b.py # note` are b.py."""
    found = re.match(
        r"^(?P<path>(?:\*\*|`|\"|')?[^\s()\[\]]+(?:\*\*|`|\"|')?:?)\s*(?:\(.*\)|\[.*\]|(?:-|–|—|#|//|<!--|/\*)\s.*):?$",
        text,
    )
    if found:
        return found["path"].rstrip(":")
    found = re.match(r"^(?P<path>.+?)\s*\([^()]*\):?$", text)
    return found["path"] if found else text


def looks_like_path(text: str, *, has_language: bool = False) -> bool:
    """Whether one word is a path: a known ending or name, or, after a language, any ending or folder."""
    if not text or not _CHARS.match(_ROUTE.sub(r"\g<before>x", text)) or text in (".", "..") or "//" in text:
        return False
    if is_language(text) and not (text.lower() in FILE_NAMES and (has_language or text[0].isupper())):
        return False
    name = text.rsplit("/", 1)[-1]
    stem, dot, extension = name.rpartition(".")
    if dot and extension.lower() in FILE_EXTENSIONS:
        return True
    if name.lower() in FILE_NAMES or (name.startswith(".") and re.fullmatch(r"\.[A-Za-z][\w.-]+", name) is not None):
        return True
    if not has_language:
        return False
    return bool(dot and stem and re.fullmatch(r"[A-Za-z]\w{0,9}", extension)) or ("/" in text.strip("/") and bool(name))


def _is_spaced_path(text: str) -> bool:
    words = text.split(" ")
    if (
        len(words) > 4
        or not re.fullmatch(r"[\w./ +@~-]+", text)
        or not looks_like_path(words[-1].rsplit("/", 1)[-1], has_language=True)
    ):
        return False
    return "" not in words and words[0].lower() not in _COMMANDS and ("/" in text or len(words) == 2)


def path_above(line: str, language: str, known: Collection[str] = ()) -> str:
    """The path in the line above a block, where that line is nothing but a path, its dressing and a label."""
    if len(line) > 160 or line.lstrip().startswith(("```", "~~~", "|", ">", "--- ", "+++ ")):
        ruled = _RULED.match(line.strip())
        return path_above(ruled["text"], language, known) if ruled is not None else ""
    line = _TAGS.sub("", line)
    path = bare_path(line, known) or _path_among_words(line, known)
    if path not in known and path.lower() in WORDS_AND_NAMES and f"`{path}`" not in line:
        return ""
    if path not in known and is_commanded(path, language):
        return ""
    return path if path and " " not in path and suits(language, path) else ""


def _path_among_words(line: str, known: Collection[str]) -> str:
    """The one path in a line whose other words only say that the file follows.

    Of a file that exists other names in backquotes may be what the block changes in it.
    """
    marked = re.findall(r"`([^`\s]+)`|\*\*([^*\s]+)\*\*", line)
    names = [n for pair in marked for n in pair if n and looks_like_path(_undressed(n))]
    names = names or [n for n in _ASCII_WORD.findall(line) if re.search(r"[./]", n) and looks_like_path(n)]
    if len(names) != 1:
        return ""
    path = with_slashes(_undressed(names[0])).removeprefix("./")
    beside = line.replace(names[0], " ", 1)
    return path if only_names_file(re.sub(r"`[^`]*`", "", beside) if path in known else beside) else ""


def path_in_comment(line: str, language: str, known: Collection[str] = ()) -> str:
    """The path in a block's first line, where that line is a comment that holds a path and nothing else."""
    found = _COMMENT.match(line)
    if found is None or line.startswith("#!") or not found["text"]:
        return ""
    text = re.sub(_COMMENT_LABEL, "", found["text"].replace("：", ": "), flags=re.IGNORECASE)
    text = re.sub(r"\s*\((?:new|updated|new file|modified|full|complete)\)$", "", text.strip("-=*` "))
    text = re.sub(r"^(\S+\.\w+)\s+(?:-|–|—)\s+\S.*$", r"\1", text)
    text = with_slashes(text).removeprefix("./")
    path = text if text in known or looks_like_path(text) else ""
    return path if path and suits(language, path) else ""


def is_placeholder(path: str, known: Collection[str] = (), task: str = "") -> bool:
    """Whether a path only stands for one, as in an explanation; one that exists or that the task names is real."""
    return PLACEHOLDERS.match(path) is not None and path not in known and path not in task


def is_test(path: str) -> bool:
    """Whether a path is of a test, by its name or its folder's."""
    return bool(_TEST.search(path))
