"""Remarks that stand for what a block leaves out, in the languages that models answer in, and those that do not."""

import pytest

from super_agent.core.replies.elision import elision_in

OLD = "import os\n\n\ndef one():\n    return 1\n\n\ndef two():\n    return 2\n"
KEPT = "def one():\n    return 10\n\n\n"


@pytest.mark.parametrize(
    "line",
    [
        "# Restlicher Code bleibt unverändert", "# 其余代码不变", "# 省略", "# 保持不变", "# 以下省略",
        "# 残りのコードは変更なし", "# reste du code inchangé", "# resto del código sin cambios",
        "# остальной код без изменений", "# código existente", "# Your code here", "# Add your implementation here",
    ],
)  # fmt: skip
def test_in_other_languages(line: str) -> None:
    assert elision_in(f"x = 1\n{line}\n", "", "python") == line


@pytest.mark.parametrize(
    "line",
    [
        "# existing code", "# [Previous code]", "# --- existing code ---", "# <existing code>", "# two() unchanged",
        "# def two(): unchanged", "# (two omitted)", "# imports remain the same", "# Code above unchanged",
        "# No changes below this line", "# unmodified", "# mantenha o restante igual", "# Função two continua igual",
        "# and so on", "# etc.",
    ],
)  # fmt: skip
def test_a_remark_in_the_place_of_a_definition_that_is_gone(line: str) -> None:
    assert elision_in(f"{KEPT}{line}\n", OLD, "python") == line
    assert elision_in(f"{OLD.replace('1', '10')}{line}\n", OLD, "python") == "", "nothing is missing"


@pytest.mark.parametrize(
    ("language", "old", "new"),
    [
        ("css", "a {\n}\nb {\n}\n", "a {\n  top: 1px;\n}\n/* rest of the styles */\n"),
        ("css", "a {\n}\nb {\n  left: 0;\n}\nc {\n}\n", "a {\n  top: 1px;\n}\n/* other rules */\n"),
        ("html", "<p>a</p>\n<p>b</p>\n<p>c</p>\n", "<div>\n<!-- Other elements remain unchanged -->\n</div>\n"),
        (
            "python",
            "def f():\n    x = 0\n    y = x\n    z = y\n    return z\n",
            "def f():\n    x = 1\n    # existing code\n",
        ),
        ("json", '{\n  "a": 1,\n  "b": 2,\n  "c": 3\n}\n', '{\n  "a": 2\n  // other settings\n}\n'),
    ],
)
def test_a_remark_in_the_place_of_lines_that_are_gone(language: str, old: str, new: str) -> None:
    assert elision_in(new, old, language)


@pytest.mark.parametrize(
    "remark", ["# other settings", "# all tests", "# The order stays the same", "# previous values"]
)
def test_a_remark_about_the_lines_below_it_is_none(remark: str) -> None:
    assert elision_in(f"{KEPT}{remark}\nx = 1\n", OLD, "python") == ""


def test_a_remark_behind_an_edit_that_loses_nothing_is_none() -> None:
    assert elision_in("    x = 1\n    # items stay unchanged\n", "    x = 0\n", "python") == ""


@pytest.mark.parametrize(
    "line",
    [
        "# (existing code)", "# Leave the rest as it is", "# mantenha as funções existentes", "# see above",
        "# bestehende Funktionen hier", "# 前面的代码不变", "# Your existing code here", "# Everything above stays.",
        "# more functions here", "# // ... existing code ...", "# funções anteriores aqui", "# other code",
    ],
)  # fmt: skip
def test_a_remark_in_the_place_of_one_line_of_a_section(line: str) -> None:
    old, new = "def f(n):\n    return g(n) + 1\n", "def f(n):\n    if not n:\n        raise ValueError\n"
    assert elision_in(f"{new}    {line}\n", old, "python", is_part=True).strip() == line
    assert elision_in(f"{new}    return g(n) + 2\n    {line}\n", old, "python", is_part=True) == ""


@pytest.mark.parametrize(
    "line", ["// Your existing code here", "// unveränderter Code", "// 保留原有的函数", "// etc."]
)
def test_a_remark_in_the_place_of_functions(line: str) -> None:
    old = "function a() {\n  return 1;\n}\nfunction b() {\n  return 2;\n}\n"
    assert elision_in(f"{line}\nfunction c() {{\n}}\n", "", "javascript") == ""
    assert elision_in(f"function c() {{\n}}\n\n{line}\n", old, "javascript") == line
