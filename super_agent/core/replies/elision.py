"""Lines that stand for code that was left out: "rest unchanged" and its kin, in the languages that models answer in."""

import ast
import difflib
import re

from super_agent.core.replies.definitions import definitions, tree_of
from super_agent.core.text import indent_of, lines_of

_COMMENT = re.compile(
    r"^\s*(?:\{?/\*+|<!--|#+|//+|--+|;+|%+|\*+|\"\"\"|'''|REM\b)\s*(?P<text>.*?)\s*(?:\*+/\}?|-->|\"\"\"|''')?\s*$"
)
_BRACED = re.compile(r"^\s*[\[(<{]\s*(?P<text>[^\])>}]*?)\s*[\])>}]\s*$")
_DOTS = re.compile(r"\.{3,}|…")
_SUBJECT = (
    r"rest|remainder|remaining|existing|previous|others?|same|original|unchanged|everything|all|above|below|"
    r"resto|restantes?|demais|outr[oa]s?|mesm[oa]s?|existentes?|anterior(?:es)?|acima|abaixo|tod[oa]s?"
)
_NOUN = (
    r"code|functions?|methods?|class(?:es)?|module|file|imports?|handlers?|implementations?|contents?|lines?|logic|body|"
    r"definitions?|tests?|routes?|parts?|program|script|sections?|helpers?|constants?|variables?|stuff|steps?|"
    r"código|funç(?:ão|ões)|métodos?|classes?|módulo|arquivo|ficheiro|importaç(?:ão|ões)|implementaç(?:ão|ões)|"
    r"conteúdo|linhas?|lógica|corpo|definiç(?:ão|ões)|testes?|rotas?|partes?|programa|funcoes|codigo|conteudo"
)
_THING = (
    r"styles?|rules?|elements?|page|markup|html|css|items?|entries|fields?|keys?|settings?|options?|data|queries|types?"
)
_STATE = (
    r"unchanged|untouched|the same|same as|as is|as before|as above|as they|as it (?:is|was|stands)|omitted|elided|"
    r"left out|here|stays?|remains?|(?:is|are) kept|not (?:changed|shown)|no changes?|goes|continues?|follows?|intact|"
    r"truncated|skipped|above|below|"
    r"inalterad[oa]s?|igual|iguais|como (?:antes|está|estão|estava)|omitid[oa]s?|aqui|continuam?|permanecem?|"
    r"sem (?:alteraç(?:ão|ões)|mudanças?)|mantid[oa]s?|acima|abaixo"
)
_VERB = r"keep|leave|retain|preserve|insert|paste|copy|include|mantém|mantem|mantenha|manter|deixe|copie|insira|inclua"
_KEY = re.compile(rf"\b(?:{_SUBJECT}|{_VERB}|{_STATE}|snip|omit\w*|your|more|seu|sua|mais)\b", re.IGNORECASE)
_ANY_NOUN = re.compile(rf"\b(?:{_NOUN})\b", re.IGNORECASE)
_STRONG = (
    re.compile(
        rf"^[(\[<]?\s*(?:the |all |all the |any |all of the |o |a |os |as |tod[oa]s (?:os |as )?)?"
        rf"(?:{_SUBJECT})\b(?:.{{0,40}}?)\b(?:{_NOUN})\b"
        rf".{{0,40}}?\b(?:{_STATE})\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"^[(\[<]?\s*(?:{_VERB})\b.{{0,30}}?\b(?:{_SUBJECT}|unchanged|as is)\b.{{0,30}}?\b(?:{_NOUN})\b", re.IGNORECASE
    ),
    re.compile(
        r"^[(\[<]?\s*(?:(?:code|contents?|implementation|lines?|body|código|conteúdo|implementação)\s+"
        r"(?:is |are |was |were |foi |é |está )?"
        r"(?:omitted|unchanged|elided|left out|not shown|truncated|omitid[oa]|inalterad[oa])\b.*"
        r"|unchanged|omitted|snip(?:ped)?|same (?:as )?(?:before|above)|no changes?(?: here| needed)?"
        r"|inalterad[oa]|sem alterações"
        r"|(?:the )?(?:rest|remainder) (?:is |are |stays |remains )?(?:unchanged|omitted|as before|as is|the same"
        r"|of (?:the |your )?(?:file|code|module|class|function|script|program|implementation"
        r"|styles|rules|page|html|css)))"
        r"[\s.)\]>]*$",
        re.IGNORECASE,
    ),
    re.compile(rf"^[(\[<]?\s*(?:o )?resto (?:do|da|dos|das) (?:{_NOUN})\b", re.IGNORECASE),
    re.compile(
        r"^(?:please )?(?:add|write|put|insert|place)? ?your (?:code|implementation|logic|solution)(?: goes)? here$",
        re.IGNORECASE,
    ),
    re.compile(
        r"^(?:der |el |le |il |la )?(?:rest(?:licher?)? (?:des |der )?codes?|übriger code|bestehender code"
        r"|resto del (?:código|codigo|codice|archivo)|(?:código|codigo) (?:existente|restante)"
        r"|reste du (?:code|fichier)|code existant|остальн\w+ код|существующ\w+ код)\b.{0,40}$",
        re.IGNORECASE,
    ),
    re.compile(
        r"^(?:(?:其余|其他|其它|剩余|现有|原有|之前的?|原来的?)的?(?:代码|部分|内容|函数|方法|逻辑).{0,12}|(?:代码|以下|此处|中间|后面)?(?:保持)?(?:不变|省略)|(?:以下|後略|中略|前略)?(?:省略|変更なし)"
        r"|残りのコード.{0,12}|既存のコード.{0,12}|나머지 코드.{0,12}|기존 코드.{0,12})$"
    ),
)
_LOOSE = (
    re.compile(
        rf"^(?:the |all |all the |any |o |a |os |as )?(?:{_SUBJECT})\b.{{0,24}}?\b(?:{_NOUN}|{_THING})$", re.IGNORECASE
    ),
    re.compile(
        rf"^(?:o |a |os |as )?(?:{_NOUN})\b.{{0,12}}?\b(?:existentes?|restantes?|anterior(?:es)?|above|below)$",
        re.IGNORECASE,
    ),
    re.compile(
        r"^.{0,40}?\b(?:unchanged|unmodified|untouched|omitted|not (?:changed|shown)|no changes?"
        r"|(?:stays?|remains?|is|are) (?:the same|as (?:is|before|it was))|as before|inalterad[oa]s?"
        r"|sem (?:alterações|mudanças)|(?:continuam?|permanecem?) (?:igual|iguais|como)|mantenha|mantido"
        r"|unverändert|sin cambios|inchangée?s?|без изменений)\b.{0,24}$",
        re.IGNORECASE,
    ),
    re.compile(
        rf"^.{{0,24}}?\b(?:existing|previous|original|remaining|other|existentes?|anterior(?:es)?|restantes?)"
        rf"\s+(?:{_NOUN})\b.{{0,24}}$|^(?:more|additional|further) (?:{_NOUN})\b.{{0,12}}$"
        rf"|^(?:the )?(?:{_NOUN}) (?:defined above|from (?:before|above))\b.{{0,12}}$"
        rf"|^(?:todo:? |note:? )?(?:{_VERB})\b.{{0,24}}?\b(?:{_SUBJECT}|rest)\b.{{0,30}}$|^everything\b.{{0,40}}$",
        re.IGNORECASE,
    ),
    re.compile(
        r"^.{0,40}?\b(?:existentes?|anterior(?:es)?|restantes?|outr[oa]s|acima|demais)\b.{0,30}$"
        r"|^.{0,40}?\b(?:não mudam?|ficam? igua(?:l|is)|mantid[oa]s?)\b.{0,24}$"
        r"|^.{0,40}?\b(?:bleib(?:t|en)|wie (?:vorher|zuvor|bisher|oben))\b.{0,24}$"
        r"|^(?:der |die |das )?(?:bestehend|restlich|übrig|vorhanden|unverändert|bisherig)e[rsn]? \w+.{0,24}$",
        re.IGNORECASE,
    ),
    re.compile(r"^.{0,6}?(?:省略|保留|保持|不变|其他|其余|剩余|原有|现有|前面|以上|之前).{0,16}$"),
    re.compile(
        r"^(?:etc|and so on|as (?:above|before)|(?:same as|see|refer to) (?:the )?(?:original|above|previous).{0,12}"
        r"|truncated|see above|skip(?:ped)?|e assim por diante)$",
        re.IGNORECASE,
    ),
)
"""Said of lines that the block certainly leaves out; in a file that keeps all that it had they are plain remarks."""
MAX_LOOSE_WORDS = 9
MAX_COMPARED = 10_000
"""Pairs of lines whose likeness is measured, about a tenth of a second."""
_PROSE = ("markdown", "md", "rst", "text", "txt", "yaml", "yml", "csv", "log", "")


def elision_in(new: str, old: str, language: str = "", *, is_part: bool = False) -> str:
    """The first line of `new` that stands for what was left out, or empty; a line that `old` has too is none.

    With `is_part` both are some lines of a file, and a remark stands for any that is gone and not changed.
    """
    known = {line.strip() for line in lines_of(old)}
    lines = lines_of(new)
    for number, line in enumerate(lines):
        if line.strip() and line.strip() not in known and _stands_for_code(line, _before(lines, number), language):
            return line
    if language == "python" and (name := _emptied(new, old)):
        return name
    remark = _remark_in_place(lines, known)
    if not remark:
        return ""
    return remark if (_drops(known, lines) if is_part else _loses(known, lines, old, new, language)) else ""


def _remark_in_place(lines: list[str], known: set[str]) -> str:
    """The first comment that says of what is missing from the file that it stays."""
    for line, following in zip(lines, [*lines[1:], ""], strict=False):
        heads = bool(following.strip()) and len(indent_of(following)) >= len(indent_of(line))
        if heads and not following.lstrip().startswith(("}", "]", ")", "</")):
            continue  # a remark about the lines below it
        comment = _COMMENT.match(line)
        text = (
            _DOTS.sub(" ", comment["text"]).strip(" ()[]<>{}*-=:.#/!") if comment and line.strip() not in known else ""
        )
        if text and len(text.split()) <= MAX_LOOSE_WORDS and any(pattern.match(text) for pattern in _LOOSE):
            return line
    return ""


def _loses(known: set[str], lines: list[str], old: str, new: str, language: str) -> bool:
    """Whether definitions of the file are gone, or more lines than came."""
    if not definitions(language, old) <= definitions(language, new):
        return True
    kept = {line.strip() for line in lines}
    lost = sum(re.search(r"\w", line) is not None for line in known - kept)
    added = sum(re.search(r"\w", line) is not None and not _COMMENT.match(line) for line in kept - known)
    return lost > max(added, 1)


def _drops(known: set[str], lines: list[str]) -> bool:
    """Whether a line is gone that none of the new ones is like."""
    kept = {line.strip() for line in lines}
    new = sorted(line for line in kept - known if not _COMMENT.match(line))
    gone = [line for line in known - kept if re.search(r"\w", line) and not _COMMENT.match(line)]
    if len(gone) * len(new) > MAX_COMPARED:
        return len(gone) > len(new)
    return any(not difflib.get_close_matches(line, new, 1) for line in gone)


def _stands_for_code(line: str, before: str, language: str) -> bool:
    stripped = line.strip()
    comment = _COMMENT.match(line)
    if comment is not None and not (stripped.startswith(("*", "-")) and language in _PROSE and not _DOTS.search(line)):
        return _is_elision(comment["text"], is_comment=True)
    if stripped.rstrip(",") in ("...", "…", "[...]", "(...)", "....", "[…]"):
        return _dots_alone(line, before, language)
    braced = _BRACED.match(line)
    if braced is not None and not re.search(r"[=\"']|\w\(", stripped):
        return _is_elision(braced["text"], is_comment=False)
    if _DOTS.match(stripped):
        return _is_elision(stripped, is_comment=False)
    trailing = re.search(r"(?:^|[\s{])(?:\.{3}|pass|\{)\s*(?:#|//)\s*(?P<text>.+)$", line)
    return trailing is not None and _is_elision(trailing["text"], is_comment=True)


def _is_elision(text: str, *, is_comment: bool) -> bool:
    inner = text.strip()
    if not _DOTS.sub("", inner).strip(" ()[]<>.-*"):
        return bool(_DOTS.search(inner))
    bare = _DOTS.sub(" ", inner).strip(" ()[]<>{}*-:")
    begins, ends = _DOTS.match(inner.lstrip("([<{ ")), _DOTS.search(inner.rstrip(")]>} ")[-3:])
    if len(bare) > 120:
        return False
    if begins and ends and len(bare.split()) <= 12:
        return True
    if (begins or ends) and (begins or is_comment):
        if begins and (_KEY.search(bare) or (_ANY_NOUN.search(bare) and len(bare.split()) <= 6)):
            return True
        if (
            ends
            and re.match(rf"(?:the |all )?(?:{_SUBJECT}|{_VERB})\b", bare, re.IGNORECASE)
            and _ANY_NOUN.search(bare)
        ):
            return True
    return any(pattern.match(bare) for pattern in _STRONG)


def _before(lines: list[str], number: int) -> str:
    return next((line.strip() for line in reversed(lines[:number]) if line.strip()), "")


def _dots_alone(line: str, before: str, language: str) -> bool:
    """`...` is code in Python where it is the whole body of something, and text in prose."""
    if language in _PROSE and line.strip() != "[...]":
        return not language and not line[:1].isspace()
    if language == "python":
        return not (
            line[:1].isspace() and (before.endswith((":", '"""', "'''", "(", ",", "[")) or before.startswith("#"))
        )
    return True


def _emptied(new: str, old: str) -> str:
    """A function that had a body and would keep `...` alone, as the line that names it."""
    before, after = tree_of(old), tree_of(new)
    if before is None or after is None:
        return ""
    full = {node.name for node in _functions(before) if not _is_stub(node)}
    return next((f"def {node.name}(…): ..." for node in _functions(after) if node.name in full and _is_stub(node)), "")


def _functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def _is_stub(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    body = [
        s
        for s in node.body
        if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) and isinstance(s.value.value, str))
    ]
    return all(
        isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) and s.value.value is ... for s in body
    ) and bool(body)
