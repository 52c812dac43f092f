"""Of a block that shows a session runs what was typed."""

import pytest

from interpreter.code_blocks import CodeBlock, choose_block


def test_heredocs_and_continued_lines_of_a_shell_transcript_are_kept() -> None:
    text = "```console\n$ cat > a <<END\n[main]\nEND\n$ printf x \\\n    y\nxy\n```"
    block = choose_block(text, "stop").block
    assert block == CodeBlock("shell", "cat > a <<END\n[main]\nEND\nprintf x \\\n    y")


def test_prompts_of_a_shell_transcript_are_taken_off() -> None:
    assert choose_block("```console\n$ ls\na.py\n$ pwd\n```", "stop").block == CodeBlock("shell", "ls\npwd")


@pytest.mark.parametrize(
    ("shown", "typed"),
    [
        ("$ cat > a <<END\n> [main]\n> > it\n> END\n$ ls\na", "cat > a <<END\n[main]\n> it\nEND\nls"),
        ("$ cat > a <<END\n> kept\n$ kept\nEND\n$ ls\na", "cat > a <<END\n> kept\n$ kept\nEND\nls"),
        ("$ python3 -c '\nprint(1)\n'\n1\n$ ls", "python3 -c '\nprint(1)\n'\nls"),
        ("$ for i in 1 2; do\n> echo $i\n> done\n1\n2", "for i in 1 2; do\necho $i\ndone"),
        ("$ f() {\n  echo a\n}\n$ f\na", "f() {\n  echo a\n}\nf"),
        ("$ case $x in\n  a) echo 1;;\nesac\n1\n$ (cd a &&\n  ls)", "case $x in\n  a) echo 1;;\nesac\n(cd a &&\n  ls)"),
        ("$ echo $((1<<2)) '<<END' # <<END\n4\n$ ls |\n    sort\na", "echo $((1<<2)) '<<END' # <<END\nls |\n    sort"),
        ("$ echo it's\nits\n$ ls\na", "echo it's\nls"),
        ("$ echo $'it\\'s'\nit's\n$ ls\na", "echo $'it\\'s'\nls"),
        ("# the files\n$ ls\na\n% of them\n$", "ls"),
    ],
)
def test_a_command_of_a_shell_transcript_keeps_all_its_lines_and_no_output(shown: str, typed: str) -> None:
    assert choose_block(f"```console\n{shown}\n```", "stop").block == CodeBlock("shell", typed)


@pytest.mark.parametrize(
    "prompt",
    ["user@host:~/a b$ ", "root@host:/# ", "[user@host a]$ ", "[root@host ~]# ", "bash-5.1$ ", "sh-5.1# ", "~/a$ ",
     "~ $ ", "(venv) user@host:~$ ", "/ # ", "% ", "user@host ~ % ", "❯ ", "➜  a git:(main) ✗ "],
)  # fmt: skip
def test_prompts_of_other_shells_users_and_machines_are_known(prompt: str) -> None:
    assert choose_block(f"```bash\n{prompt}ls\na\n{prompt}pwd\n```", "stop").block == CodeBlock("shell", "ls\npwd")


def test_roots_bare_prompt_is_one_where_a_session_holds_nothing_else() -> None:
    session = "# cat > a <<END\n[main]\nEND\n# ls"
    typed = CodeBlock("shell", "cat > a <<END\n[main]\nEND\nls")
    assert choose_block(f"```console\n{session}\n```", "stop").block == typed
    sentences = ("Clean up", "clean the build up", "clean up:", "clean up then.", "limpa os a")
    shown = [("console", f"# {sentence}\n# rm -rf build") for sentence in sentences]
    for info, code in (*shown, ("bash", session), ("console", "# list it\nls"), ("bash", "/bin/ls # l\n  # it\npwd")):
        assert choose_block(f"```{info}\n{code}\n```", "stop").block == CodeBlock("shell", code)


def test_a_session_of_python_runs_as_what_was_typed() -> None:
    session = ">>> import os\n>>> for n in range(2):\n...     print(n)\n...\n0\n1\n>>> os.getcwd()\n'/w'\n"
    typed = "import os\nfor n in range(2):\n    print(n)\n\nos.getcwd()"
    assert choose_block(f"```python\n{session}```", "stop").block == CodeBlock("python", typed)
