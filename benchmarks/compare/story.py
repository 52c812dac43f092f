"""The one coding task that everybody works on, and what the model says in it: a library of unit conversions.

The coder writes one module a turn; the check names the first module that is missing, until there is none.
"""

import json

CHECK = "python3 check.py"
PASSED = "every conversion is right"
_PREFIXES = (
    ("", 1.0),
    ("deci", 0.1),
    ("centi", 0.01),
    ("milli", 0.001),
    ("kilo", 1000.0),
    ("mega", 1e6),
    ("micro", 1e-6),
)
_KINDS = (
    ("length", "metre", "foot", 0.3048),
    ("mass", "gram", "pound", 453.59237),
    ("volume", "litre", "gallon", 3.785411784),
    ("energy", "joule", "calorie", 4.184),
    ("pressure", "pascal", "bar", 100000.0),
    ("power", "watt", "horsepower", 745.69987),
    ("force", "newton", "poundal", 0.138254954),
    ("charge", "coulomb", "faraday", 96485.33212),
    ("duration", "second", "fortnight", 1209600.0),
    ("light", "lumen", "phot", 10000.0),
    ("dose", "gray", "rad", 0.01),
    ("field", "tesla", "gauss", 0.0001),
)
MOST_TURNS = len(_KINDS)


def task(turns: int) -> str:
    """What the user asks for."""
    kinds = ", ".join(kind for kind, *_ in _KINDS[:turns])
    return (
        f"Write a package `units` with one module for each of these: {kinds}. Every module converts between the SI "
        "unit with the prefixes deci, centi, milli, kilo, mega and micro, and one unit that is not of the SI. Each "
        "function is named after both units, as in metre_to_foot(value), takes and returns floats, has a docstring and "
        "raises ValueError for what is not finite. Write one module in each step, the first one that the check misses."
    )


def check_program(turns: int) -> str:
    """The file `check.py` in the workspace."""
    cases = [(kind, f"{si}_to_{other}", factor) for kind, si, other, factor in _KINDS[:turns]]
    # What it prints must not depend on where the workspace lies: a traceback's paths would change the token counts.
    return (
        "import importlib\nimport sys\n\n"
        f"for kind, function, factor in {cases!r}:\n"
        "    try:\n"
        '        module = importlib.import_module(f"units.{kind}")\n'
        "    except ModuleNotFoundError:\n"
        '        sys.exit(f"{kind}: the module units/{kind}.py is missing, so {function} cannot be called")\n'
        "    if abs(getattr(module, function)(factor) - 1) > 1e-9:\n"
        '        sys.exit(f"{kind}: {function}({factor}) is not 1")\n'
        f'print("{PASSED}")\n'
    )


def module_path(number: int) -> str:
    """Where the module of a turn (from 0) lies."""
    return f"units/{_KINDS[number][0]}.py"


def module(number: int, functions: int = len(_PREFIXES)) -> str:
    """The module of a turn: a pair of functions for each of the first so many prefixes."""
    kind, si, other, factor = _KINDS[number]
    parts = [f'"""Conversions of {kind}: {si} and {other}."""\n\nfrom math import isfinite\n']
    for prefix, scale in _PREFIXES[:functions]:
        unit, ratio = f"{prefix}{si}", factor / scale
        parts.append(_function(unit, other, f"value / {ratio!r}"))
        parts.append(_function(other, unit, f"value * {ratio!r}"))
    return "\n\n".join(parts)


def _function(one: str, other: str, formula: str) -> str:
    return (
        f"def {one}_to_{other}(value: float) -> float:\n"
        f'    """Convert {one}s to {other}s."""\n'
        f'    if not isfinite(value):\n        raise ValueError(f"not finite: {{value}}")\n'
        f"    return {formula}\n"
    )


def plan(turns: int) -> str:
    """The planner's reply."""
    return (
        "1. Write one module of `units` in each step, in the order of the task.\n"
        "2. Convert through the SI unit, with one factor for each prefix.\n"
        "3. Refuse what is not finite before anything is computed.\n"
        f"4. Run the check after each module, until all {turns} are there."
    )


def coder(number: int, run: bool = False) -> str:
    """The coder's reply of a turn (from 0); `run` asks the interpreter to try it."""
    text = f"This is the module {module_path(number)}.\n\n```python {module_path(number)}\n{module(number)}```"
    if run:
        kind, si, other, _factor = _KINDS[number]
        text += f"\n\n```run\nCall {si}_to_{other} of units.{kind} with 1.0, 10.0 and 1000.0 and tell the results.\n```"
    return text


def reviewer(number: int) -> str:
    """The reviewer's reply after the module of a turn."""
    reasons = f"{module_path(number)} is right, but the check misses {module_path(number + 1)}: write it next."
    return json.dumps({"verdict": "revise", "reasons": reasons})


def trial(number: int) -> str:
    """What the executor answers to the coder's instruction of a turn."""
    kind, si, other, _factor = _KINDS[number]
    return (
        "```python\n"
        f"from units.{kind} import {si}_to_{other}\n\n"
        f"for value in (1.0, 10.0, 1000.0):\n    print(value, {si}_to_{other}(value))\n```"
    )


def trial_done(number: int) -> str:
    """What it answers to the result."""
    _kind, si, other, factor = _KINDS[number]
    return f"One {si} is {1 / factor:.6g} {other}s; ten and a thousand give ten and a thousand times as much."


def session(turns: int) -> list[str]:
    """The replies of an executor that does the whole task alone: a module in each block, the check, an end."""
    replies = []
    for number in range(turns):
        path = module_path(number)
        replies.append(
            f"I write {path}.\n\n```python\nfrom pathlib import Path\n\nsource = '''\n{module(number)}'''\n"
            f'Path("units").mkdir(exist_ok=True)\nPath("{path}").write_text(source)\nprint("wrote {path}")\n```'
        )
    replies.append(f"All modules are there. I run the check.\n\n```shell\n{CHECK}\n```")
    replies.append("All modules of the package units are written, and the check passes.")
    return replies
