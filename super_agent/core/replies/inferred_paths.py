"""Which file a block without a path is: only where it is certain, by what the task names and what files define."""

import re

from super_agent.core.replies.definitions import definitions, only_defines, parses
from super_agent.core.replies.edit_markers import has_markers
from super_agent.core.replies.fences import Fence
from super_agent.core.replies.languages import language_for, suits
from super_agent.core.replies.paths import is_test, read_info
from super_agent.core.replies.search_replace import read_sections
from super_agent.core.replies.types import Surroundings


def certain_path(fence: Fence, language: str, around: Surroundings, *, alone: bool) -> str:
    """The file that a block without a path certainly is, or empty.

    It is the one file whose top-level definitions are those of the block; or, for the only block of a reply, the one
    file that the task names, which is not there yet.
    """
    if not fence.closed or not fence.certain or (has_markers(fence.lines) and not read_sections(fence.lines)[0]):
        return ""
    named = named_path(language, around)
    if has_markers(fence.lines):
        return named if alone and named in around.files else ""
    language = language or (language_for(named) if named else "")
    if language == "python" and not parses(fence.text):
        return named if alone and named and named not in around.files and _begins_as_file(fence) else ""
    mine = definitions(language, fence.text)
    if mine:
        same = [
            p for p, names in around.files.items() if names and names <= mine and suits(language, p) and not is_test(p)
        ]
        whole = [p for p in same if around.files[p] == mine] or same
        if named in same:
            return named
        if len(whole) == 1:
            return whole[0]
    if not (alone and named and (language or mine)):
        return ""
    if named not in around.files:
        return named
    return named if mine and not around.files[named] else ""


def _begins_as_file(fence: Fence) -> bool:
    """A block that does not parse is taken for a new file only where it begins as one: its error is then told."""
    first = next((line for line in fence.lines if line.strip()), "")
    return first.startswith(("import ", "from ", "def ", "class ", "async def ", "@", '"""', "#"))


_DECIDING = re.compile(
    r"\btest(?:e?s)?\b[^;\n]{0,200}?\b(?:pass(?:es)?|fails?|stay|unchanged|green|red|passem?|passar|falham?|verdes?|ficam?)\b",
    re.IGNORECASE,
)
_ASKED_FOR = re.compile(
    r"\b(?:add|write|extend|update|change|adapt|create|rewrite|correct|rename|escrev\w+|acrescent\w+|adicion\w+|"
    r"atualiz\w+|mud\w+|corrij\w+|renome\w+)(?:\s+[\w-]+){0,3}\s+(?:test(?:e?s)?\b|`?[\w/]{0,80}test_\w)",
    re.IGNORECASE,
)
_NOT = r"(?:do not|don['’]t|cannot|can['’]?t|must not|may not|should not|not to|never|without|não|nunca|nem|sem)"
_TOUCH = r"(?:chang|touch|edit|modif|alter|rewrit|adapt|mud|mex|toc)\w{0,9}"
_WHICH = r"(?:(?:the|any|all|of|old|existing|given|these|those|em|o|os|nenhum|qualquer|dos|nos|arquivos?|de)\s){0,4}"
_TESTS = r"`?test(?:es?|s)?\b(?![/.-]\w)"
_LEFT_ALONE = re.compile(
    rf"\b{_NOT}\s{_TOUCH}\s{_WHICH}{_TESTS}|\bno changes? (?:to|in|of) {_WHICH}{_TESTS}"
    rf"|\b{_TESTS}(?:\s[\w./-]{{1,80}}){{0,4}}?\s(?:not|não)\s(?:\w{{1,20}}\s)?(?:(?:be|ser)\s{_TOUCH}|(?:change|mudar)[.,;!]?$)"
    rf"|\b(?:leave|keep|deixe|mantenha)\s{_WHICH}{_TESTS}(?:\s[\w./-]{{1,80}}){{0,4}}?\s"
    r"(?:alone|as (?:they|it) (?:are|is)|untouched|unchanged|intact|como est\w+|intact\w+|inalterad\w+)",
    re.IGNORECASE | re.MULTILINE,
)
_WORK_ON_TESTS = re.compile(
    r"\b(?:fix|mend|repair|refactor|convert|split|parametri[sz]e|conserte|corrija|refatore|divida)\s(?:[\w-]{1,40}\s){0,3}?"
    r"`?(?:[\w/]{0,80}test_\w|test(?:es?|s)?\b)",
    re.IGNORECASE,
)
"""Of a task that also forbids to change some: then it is about others."""


def tests_decide(task: str) -> bool:
    """Whether the task names tests as what decides, or forbids to change them, and asks for no other ones: then those
    that are there stay."""
    rest = _LEFT_ALONE.sub(" ", task)
    if _ASKED_FOR.search(rest):
        return False
    return bool(_DECIDING.search(task)) or (rest != task and not _WORK_ON_TESTS.search(rest))


_NAMED_LIKE = {"makefile": "Makefile", "make": "Makefile", "dockerfile": "Dockerfile", "docker": "Dockerfile"}
"""Languages that are called as their file is, so that the word in a task is not seen to be a path."""


def named_path(language: str, around: Surroundings) -> str:
    """The one file that the task names and that may hold the language; tests aside, or empty."""
    words = dict.fromkeys(w.rstrip(".:").removeprefix("./") for w in re.findall(r"[\w./+-]+", around.task))
    by_name = {p.rsplit("/", 1)[-1]: p for p in around.files}
    own = _NAMED_LIKE.get(language, "")
    found = [
        w if w in around.files else by_name.get(w, w) for w in words if w == own or read_info(w, around.files).path
    ]
    fitting = [p for p in dict.fromkeys(found) if suits(language, p)]
    real = [p for p in fitting if not is_test(p)] or fitting
    return real[0] if len(real) == 1 else ""


def defines_task_file(text: str, around: Surroundings) -> str:
    """The file that a Python block, which would only define it if it ran, is the content of; or empty."""
    if not only_defines(text):
        return ""
    fence = Fence("python", tuple(text.rstrip("\n").split("\n")), 1)
    return certain_path(fence, "python", around, alone=True)


def part_of(fence: Fence, language: str, around: Surroundings, *, alone: bool) -> str:
    """The file of which a Python block without a path holds functions or classes, or empty.

    It is the one that has some of them; or the one that the task names, for the only block of a reply (methods may be
    given without their class) and for functions that the task names too.
    """
    if language != "python" or not (fence.closed and fence.certain and only_defines(fence.text)):
        return ""
    mine, named = definitions(language, fence.text), named_path(language, around)
    some = [p for p, names in around.files.items() if names & mine and suits(language, p) and not is_test(p)]
    if named in some:
        return named
    if some:
        return some[0] if len(some) == 1 else ""
    asked = alone or mine <= frozenset(re.findall(r"\w+", around.task))
    return named if asked and around.files.get(named) else ""
