"""Lines that stand for code that was left out: "rest unchanged" and its kin, in English and Portuguese."""

import ast
import re

from super_agent.core.replies.definitions import tree_of
from super_agent.core.replies.lines import lines_of

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
        r"|of (?:the |your )?(?:file|code|module|class|function|script|program|implementation)))"
        r"[\s.)\]>]*$",
        re.IGNORECASE,
    ),
    re.compile(rf"^[(\[<]?\s*(?:o )?resto (?:do|da|dos|das) (?:{_NOUN})\b", re.IGNORECASE),
)
_PROSE = ("markdown", "md", "rst", "text", "txt", "yaml", "yml", "csv", "log", "")


def elision_in(new: str, old: str, language: str = "") -> str:
    """The first line of `new` that stands for what was left out, or empty; a line that `old` has too is none."""
    known = {line.strip() for line in lines_of(old)}
    lines = lines_of(new)
    for number, line in enumerate(lines):
        if line.strip() and line.strip() not in known and _stands_for_code(line, _before(lines, number), language):
            return line
    if language == "python" and (name := _emptied(new, old)):
        return name
    return ""


def _stands_for_code(line: str, before: str, language: str) -> bool:
    stripped = line.strip()
    comment = _COMMENT.match(line)
    if comment is not None and not (stripped.startswith(("*", "-")) and language in _PROSE and not _DOTS.search(line)):
        return _is_elision(comment["text"], is_comment=True)
    if stripped in ("...", "…", "[...]", "(...)", "....", "[…]"):
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
        return (
            language not in ("markdown", "md", "rst", "text", "txt", "yaml", "yml", "csv", "log")
            and not line[:1].isspace()
        )
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
