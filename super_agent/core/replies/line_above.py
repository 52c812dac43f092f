"""What the line above a block says of it: not to be done, only an example, the file as it was, or some of it."""

import re

_WORDS = r"(?:it|this|that|the following|like|so|code|block|command|isto|isso|assim|este|o|seguinte|código|comando)"
_PATH = re.compile(r"(?: (?:in|to|into|em|no))? `[^`]*`|\*\*")
_WARNS = re.compile(
    r"^\W*(?:wrong|incorrect|bad|errado|incorreto|ruim)(?: (?:way|code|version|approach|example))?\W*$"
    r"|^\W*(?:this|that|the following|isto|isso)(?: \w+)? (?:is|would be|é|está|seria)"
    r" (?:wrong|incorrect|broken|errado|incorreto)\W*$"
    r"|\b(?:do not|don['’]t|never|não|nunca) (?:do|write|use|apply|copy|run|execute|faça|escreva|aplique|copie|rode)"
    rf"(?: {_WORDS})*\W*$",
    re.IGNORECASE,
)
_SHOWS = re.compile(r"\b(?:for example|for instance|e\.g|looks? like|example|por exemplo|exemplo)\b", re.IGNORECASE)
OLD = re.compile(
    r"^\W*(?:before|old|original|previous|current|antes|vorher|avant)(?: (?:code|version|content|file))?\W*$"
    r"|[(\[](?:before|old|original|previous|as it (?:is|was)|antes|anterior|vorher|avant)(?: \w+)?[)\]]\W*$",
    re.IGNORECASE,
)
"""What heads a block that shows a file as it was."""
PART = re.compile(
    r"[(\[](?:[^()\[\]]*\b)?(?:snippet|excerpt|partial|fragment|trecho|changes only"
    r"|only (?:the )?(?:changed|new|relevant)"
    r"|(?:changed|relevant|new) (?:part|lines|section)|lines? \d+|linha \d+)\b[^()\[\]]*[)\]]\W*$"
    r"|[:#]L?\d+\s*[-–]\s*L?\d+\W*$",
    re.IGNORECASE,
)
"""What heads a block that is some of a file."""
_PUTS = re.compile(
    r"\b(?:add(?:s|ed|ing)?|append(?:ed)?|insert(?:ed)?|adicion\w+|acrescent\w+|insir\w+|inser\w+|füge|ergänz\w+"
    r"|hinzu|a[ñn]ad\w+|agreg\w+|ajout\w+)\b|添加|增加|加入|追加",
    re.IGNORECASE,
)
_ADDS = re.compile(
    r"\b(?:in|into|inside|within|to|functions?|methods?|em|ao|à"
    r"|n[oa](?=\s+(?:arquivo|ficheiro|módulo|classe|função|final|fim|início|topo)\b|\s+\x00))\b|`[^`]+`|在",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\b(?:full|complete|entire|whole)(?: (?:and )?(?:new|updated|fixed|corrected|modified|final))*"
    r" (?:file|contents?|code|source|script|module|version|implementation)\b|\b(?:full|complete|entire|whole) \x00"
    r"|\breplace (?:all|everything|(?:the |all )?(?:\w+ )?contents?)\b"
    r"|\b(?:fixed|corrected|updated|final|new) version of \x00"
    r"|\b(?:write|save)[ds]?(?: (?:it|this|the following))?(?: to| as| in| into)? \x00"
    r"|\b(?:arquivo|ficheiro|código|conteúdo|archivo|contenido) complet[oa]\b|完整",
    re.IGNORECASE,
)
"""What heads a file as a whole; a zero character is its path."""
_PIECE = re.compile(r"`[^`]+`|\b(?:functions?|methods?|class|função|método)\b", re.IGNORECASE)
"""Said before the path: "the complete code of `b` in a.js"."""
WARNED = "the line above says that it is not to be done"
SHOWN = "the line above says that it is an example"


def warns(above: str) -> bool:
    """Whether a block below this line is what not to do. A path in the line is no part of what is said."""
    return _WARNS.search(_PATH.sub("", above)) is not None


def shows(above: str) -> bool:
    """Whether a call or command below this line is an example. Files are often headed so and meant all the same."""
    return warns(above) or _SHOWS.search(_PATH.sub("", above)) is not None


def adds(heading: str, path: str) -> bool:
    """Whether what heads a block of that path may say that it is only put into the file: "in", "add to", a name."""
    if path not in heading:
        return False
    said = re.sub(r"[`*]*\x00[`*]*", "\x00", heading.replace(path, "\x00"))
    before = said[: said.index("\x00")]
    is_whole = _WHOLE.search(said) and not _PIECE.search(before)
    return bool(_PUTS.search(said)) or (bool(_ADDS.search(said)) and not is_whole)


def line_above(text: str, position: int) -> str:
    """The last line that holds text before the line of that position."""
    before = text[: text.rfind("\n", 0, position) + 1].rstrip()
    return before[before.rfind("\n") + 1 :]
