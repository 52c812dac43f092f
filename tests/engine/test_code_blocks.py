"""Which block of a reply runs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpreter.code_blocks import ChosenBlock, CodeBlock, choose_block
from super_agent.core.replies.languages import RunLanguage
from super_agent.core.replies.tool_calls import as_printed

SAFE_LINE = st.text(st.characters(blacklist_characters="`~\r\n", codec="utf-8")).filter(lambda line: line.strip())


def test_the_first_block_in_a_known_language_runs() -> None:
    text = "First:\n```text\nnotes\n```\nthen\n```python\nprint(1)\n```\n"
    assert choose_block(text, "stop") == ChosenBlock(CodeBlock("python", "print(1)"))


@pytest.mark.parametrize(
    ("fence", "language"),
    [
        ("python", "python"),
        ("py", "python"),
        ("Python3", "python"),
        ("bash", "shell"),
        ("sh", "shell"),
        ("zsh", "shell"),
    ],
)
def test_the_names_of_the_languages(fence: str, language: str) -> None:
    assert choose_block(f"```{fence}\nx\n```", "stop").block == CodeBlock(language, "x")  # type: ignore[arg-type]


def test_only_one_block_runs_and_the_model_is_told() -> None:
    choice = choose_block("```python\na\n```\n```shell\nb\n```", "stop")
    assert choice.block == CodeBlock("python", "a")
    assert choice.notes == ("Only the first block of a reply runs; the blocks after it were left alone.",)


@pytest.mark.parametrize(
    "fence", ["json", "output", "text", "diff", "html", "jsonl", "result", "error", "svg", "console-output"]
)
def test_other_fences_never_run(fence: str) -> None:
    assert choose_block(f"```{fence}\nx\n```", "stop") == ChosenBlock(None)


def test_a_block_without_a_language_does_not_run_and_the_model_is_told() -> None:
    choice = choose_block("```\nls\n```", "stop")
    assert choice.block is None
    assert "Name python or shell" in choice.notes[0]


@pytest.mark.parametrize("fence", ["javascript", "powershell", "ruby"])
def test_a_language_that_is_not_run_is_said_to_the_model(fence: str) -> None:
    assert "only python and shell run" in choose_block(f"```{fence}\nx\n```", "stop").notes[0]


@pytest.mark.parametrize("fence", ["python3.12", "{python}", "py3"])
def test_a_language_in_another_dress_runs(fence: str) -> None:
    assert choose_block(f"```{fence}\nx\n```", "stop").block == CodeBlock("python", "x")


@pytest.mark.parametrize(
    "text",
    [
        "Now:\n<function=shell>\n<parameter=command>\nls\n</parameter>\n</function>\n</tool_call>",
        '[TOOL_CALLS][{"name": "shell", "arguments": {"command": "ls"}}]',
        '[{"type": "function", "function": {"name": "shell", "arguments": "{\\"command\\": \\"ls\\"}"}}]',
    ],
)
def test_a_call_in_the_forms_of_other_models_runs(text: str) -> None:
    assert choose_block(text, "stop").block == CodeBlock("shell", "ls")


def test_a_block_that_the_length_limit_cut_never_runs() -> None:
    choice = choose_block("```python\nprint(1)\nprint(", "length")
    assert choice.block is None
    assert "cut by the length limit" in choice.notes[0]
    assert choose_block("```python\nprint(1)", "stop").block == CodeBlock("python", "print(1)")


def test_a_reply_without_a_block_that_the_limit_cut_is_said_to_the_model() -> None:
    assert choose_block("I will now", "length").notes == ("Your reply was cut by the length limit. Say it shorter.",)
    assert choose_block("Done.", "stop") == ChosenBlock(None)


def test_a_longer_fence_holds_shorter_ones() -> None:
    assert choose_block("````python\ns = '''\n```\n'''\n````", "stop").block == CodeBlock("python", "s = '''\n```\n'''")


def test_an_indented_block_loses_its_indent() -> None:
    text = "1. Do:\n   ```python\n   if x:\n       y\n   ```"
    assert choose_block(text, "stop").block == CodeBlock("python", "if x:\n    y")


@pytest.mark.parametrize(
    "call", [("browser.search", '{"q": "x"}'), ("execute", "null"), ("execute", '{"code'), ("", "{}")]
)
def test_a_call_that_nothing_answers_is_said_to_the_model(call: tuple[str, str]) -> None:
    choice = choose_block(as_printed("", [call]), "stop")
    assert (choice.block, [note[:30] for note in choice.notes]) == (None, ["A call in the text was not run"])


def test_what_speaks_of_a_call_or_shows_one_is_none() -> None:
    spoken = "Now <tool_call> is read, as are <function=a> and [TOOL_CALLS]."
    for text in (spoken, "It prints `<tool_call>` now.", "Seen:\n```xml\n<tool_call>\n{}\n</tool_call>\n```"):
        assert choose_block(text, "stop") == ChosenBlock(None)


def test_the_shell_call_of_gpt_oss_runs() -> None:
    call = as_printed("", [("container.exec", '{"cmd": ["bash", "-lc", "ls"]}')])
    assert choose_block(call, "stop").block == CodeBlock("shell", "ls")


def test_a_tool_call_printed_as_json_is_a_block() -> None:
    call = {"name": "execute", "arguments": {"language": "python", "code": "print(1)"}}
    assert choose_block(json.dumps(call), "stop").block == CodeBlock("python", "print(1)")
    assert choose_block(json.dumps({**call, "name": "delete"}), "stop") == ChosenBlock(None)


@pytest.mark.parametrize(
    ("call", "language"),
    [
        ({"name": "execute", "arguments": {"language": "bash", "code": "ls"}}, "shell"),
        ({"name": "python", "arguments": {"code": "ls"}}, "python"),
        ({"name": "shell", "parameters": {"command": "ls"}}, "shell"),
        ({"name": "run_code", "arguments": json.dumps({"language": "python", "code": "ls"})}, "python"),
    ],
)
@pytest.mark.parametrize(
    "form",
    [
        "%s",
        "I run it.\n```json\n%s\n```\n",
        "```\n%s\n```",
        "```python\n%s\n```",
        "So:\n<tool_call>\n%s\n</tool_call>",
        "<tool_call>\n%s",
    ],
)
def test_the_forms_in_which_models_print_tool_calls(call: dict[str, object], language: RunLanguage, form: str) -> None:
    assert choose_block(form % json.dumps(call), "stop") == ChosenBlock(CodeBlock(language, "ls"))


def test_line_breaks_inside_a_printed_tool_call_are_taken_as_they_are() -> None:
    text = '```json\n{"name": "python", "arguments": {"code": "a = 1\nprint(a)"}}\n```'
    assert choose_block(text, "stop").block == CodeBlock("python", "a = 1\nprint(a)")


def test_half_a_character_of_a_printed_tool_call_is_replaced() -> None:
    text = r'{"name": "shell", "arguments": {"code": "echo \ud83d \ud83d\ude00"}}'
    assert choose_block(text, "stop").block == CodeBlock("shell", "echo ? 😀")


@pytest.mark.parametrize(
    "data",
    [
        {"name": "delete", "arguments": {"language": "python", "code": "x"}},
        {"name": "execute", "arguments": {"language": "cobol", "code": "x"}},
        {"name": "python", "version": "3.12"},
        {"name": "python", "arguments": {"code": " "}},
        {"name": "python", "arguments": [1]},
        {"name": ["python"], "arguments": {"code": 1}},
    ],
)
def test_other_data_in_a_fence_never_runs(data: dict[str, object]) -> None:
    assert choose_block(f"```json\n{json.dumps(data)}\n```", "stop") == ChosenBlock(None)


def test_a_printed_tool_call_that_the_limit_cut_never_runs() -> None:
    text = '```json\n{"name": "python", "arguments": {"code": "print('
    assert choose_block(text, "length") == ChosenBlock(
        None, ("Your reply was cut by the length limit. Say it shorter.",)
    )


README = "# Title\n```bash\nmake\n```\nAnd\n```\nplain\n```"


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("shell", f"cat > README.md <<'EOF'\n{README}\nEOF\nls"),
        ("shell", f'cat > README.md << "THE END"\n{README}\nTHE END\nls'),
        ("shell", f"cat > a <<A; cat > b <<-B\n{README}\nA\n{README}\n\tB\nls"),
        ("shell", f"echo $((1 << x)) # one\n# <<NOT\ncat <<<here\ncat <<\\EOF\n{README}\nEOF"),
        ("python", f'open("README.md", "w").write("""{README}""")\nprint(1)'),
        ("python", f"# it's a comment with \"\"\" in it\nx = 'one \\' \"\"\" '\ns = r'''{README}\n'''\nprint(s)"),
    ],
)
def test_a_fence_in_text_that_the_code_holds_does_not_end_the_block(language: RunLanguage, code: str) -> None:
    choice = choose_block(f"I write it.\n```{language}\n{code}\n```\nThat's `it`.\n", "stop")
    assert choice == ChosenBlock(CodeBlock(language, code))


@pytest.mark.parametrize("language", ["shell", "python"])
def test_a_reply_cut_inside_text_that_the_code_holds_never_runs(language: str) -> None:
    opening = "cat <<EOF" if language == "shell" else 's = """'
    choice = choose_block(f"```{language}\n{opening}\n{README}\nand so", "length")
    assert (choice.block, choice.notes[0][:46]) == (None, "Your reply was cut by the length limit inside ")


@pytest.mark.parametrize("code", ["cat <<EOF\n# Title\n```bash\nmake", "cat <<EOF\nmake"])
def test_text_without_its_end_holds_no_fences_unless_the_limit_cut_it(code: str) -> None:
    text = f"```shell\n{code}\n```\nDone."
    assert choose_block(text, "stop") == ChosenBlock(CodeBlock("shell", code))
    assert choose_block(text, "length").block is None


def test_a_string_that_never_ends_swallows_no_later_block() -> None:
    text = '```python\ns = """open\n```\nThen:\n```shell\nls\n```'
    assert choose_block(text, "stop").block == CodeBlock("python", 's = """open')


@pytest.mark.parametrize(
    "piece", ["```python\n```\n", '"""', "\\", "<<A\n", "'''\n```\n", "```python\nx\n", "<tool_call>", "<tool_call>{"]
)
def test_no_reply_takes_long_to_read(piece: str) -> None:
    """Minutes, where reading were to cost its length squared or worse."""
    choose_block("```python\nx\n" + piece * 20_000, "stop")
    choose_block('```python\n"""\n' + piece * 20_000, "length")
    choose_block("```shell\nx\n" + piece * 20_000, "length")


def test_deeply_nested_json_is_read_as_text() -> None:
    assert choose_block('{"name": ' + "[" * 200_000, "stop") == ChosenBlock(None)


@given(st.text(), st.sampled_from(["stop", "length"]))
def test_any_text_can_be_read(text: str, finish: str) -> None:
    choose_block(text, finish)


@given(st.lists(SAFE_LINE, min_size=1), st.text(st.characters(blacklist_characters="`~", codec="utf-8")))
def test_a_well_formed_block_comes_through_whatever_stands_around_it(lines: list[str], prose: str) -> None:
    code = "\n".join(lines)
    choice = choose_block(f"{prose}\n```python\n{code}\n```\n{prose}", "stop")
    assert choice.block == CodeBlock("python", code)


CODE_LINES = st.lists(
    st.sampled_from(
        [
            "print(1)",
            "```",
            "```bash",
            "x = '''",
            "'''",
            '"""',
            "cat <<EOF",
            "EOF",
            "cat <<'A' <<B",
            "A",
            "B",
            "  ```",
            "",
        ]
    ),
    max_size=12,
)


@given(st.sampled_from(["python", "shell"]), CODE_LINES)
def test_a_reply_cut_anywhere_runs_nothing_that_the_whole_reply_would_not_run(language: str, lines: list[str]) -> None:
    text = f"So:\n```{language}\n" + "\n".join([*lines, "```", "Done."])
    whole = choose_block(text, "stop").block
    for cut in range(len(text)):
        block = choose_block(text[:cut], "length").block
        assert block is None or block == whole


@given(CODE_LINES, st.sampled_from(["stop", "length"]))
def test_what_runs_stands_in_the_reply_line_by_line(lines: list[str], finish: str) -> None:
    text = "\n".join(["```shell", *lines])
    choice = choose_block(text, finish)
    assert choice.block is None or choice.block.code in text
    assert choose_block(text.replace("\n", "\r\n"), finish) == choice


def test_a_call_in_the_text_is_not_run_and_not_passed_over_in_silence() -> None:
    call = '{"name": "execute", "arguments": {"language": "shell", "code": "ls"}}'
    choice = choose_block(f"I run it.\n\n{call}\n\nThen I go on.", "stop")
    assert choice.block is None
    assert "was not run" in choice.notes[0]
    assert choose_block('It holds\n\n{"name": "python", "version": "3.12"}\n', "stop") == ChosenBlock(None)


@pytest.mark.parametrize("end", ["<|im_end|>", "</s>", "<|eot_id|>"])
def test_a_token_that_ends_the_turn_closes_no_less(end: str) -> None:
    assert choose_block(f"```sh\nls\n```{end}", "stop").block == CodeBlock("shell", "ls")


def test_the_command_of_another_tool_runs() -> None:
    text = "<execute_command>\n<command>ls</command>\n<requires_approval>false</requires_approval>\n</execute_command>"
    assert choose_block(text, "stop").block == CodeBlock("shell", "ls")
