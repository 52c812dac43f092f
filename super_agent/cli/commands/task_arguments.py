"""Tasks that begin with a dash: an argument with white space in it is no option, so it is taken as it stands."""

from collections.abc import Sequence
from typing import Any, Protocol

import typer.core


class _Option(Protocol):
    opts: list[str]
    secondary_opts: list[str]
    is_flag: bool


class TaskCommand(typer.core.TyperCommand):
    """A command whose arguments are plain words: `- rename greet` and `--json flag, please` are two of them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put what is no option behind `--`, in its order, before the parser sees it."""
        options = [param for param in self.params if isinstance(param, typer.core.TyperOption)]
        return super().parse_args(ctx, with_words_apart(args, options))


def with_words_apart(args: Sequence[str], options: Sequence[_Option]) -> list[str]:
    """The arguments with every task that looks like an option behind `--`; unchanged where there is none.

    `--known=some words` stays an option, and the word after an option that takes a value is that value.
    """
    names = {name: option for option in options for name in (*option.opts, *option.secondary_opts)}
    kept: list[str] = []
    words: list[str] = []
    found = False
    rest = iter(args)
    for arg in rest:
        if arg == "--":
            words.extend(rest)
        elif arg in names:
            kept.append(arg)
            if not names[arg].is_flag:
                kept.extend([value] if (value := next(rest, None)) is not None else [])
        elif not arg.startswith("-"):
            words.append(arg)
        elif arg.split() != [arg] and arg != "-" and arg.partition("=")[0] not in names:
            words.append(arg)
            found = True
        elif arg == "-":
            words.append(arg)
        else:
            kept.append(arg)
    return [*kept, "--", *words] if found else [*args]
