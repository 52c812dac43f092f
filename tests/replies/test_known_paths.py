"""Paths in further dresses, and those of files that are there under another spelling."""

import unicodedata
from pathlib import Path

import pytest

from super_agent.core.replies.coder_reply import parse_coder_reply
from super_agent.core.replies.types import FileBlock, Surroundings
from tests.replies.test_editing import Desk, desk

__all__ = ["desk"]
HI = 'print("hi")\n'
F = "def f():\n    return 1\n"


def paths(text: str, around: Surroundings | None = None) -> list[str]:
    return [block.path for block in parse_coder_reply(text, around or Surroundings()).files]


@pytest.mark.parametrize(
    ("info", "path"),
    [
        ("python src\\main.py", "src/main.py"), ("python .\\src\\main.py", "src/main.py"),
        ('python main.py linenums="1"', "main.py"), ("python main.py {#id}", "main.py"),
        ("python main.py {1,3-5} showLineNumbers", "main.py"), ("python @main.py", "main.py"),
        ("python @/src/main.py", "src/main.py"), ("ts @types/x.d.ts", "@types/x.d.ts"), ("main.py python", "main.py"),
        ("dotenv .env", ".env"), (".env", ".env"), ("text .gitignore", ".gitignore"),
        ("text .env.example", ".env.example"),
    ],
)  # fmt: skip
def test_further_dresses_in_the_info_string(info: str, path: str) -> None:
    assert paths(f"```{info}\n{HI}```") == [path]


@pytest.mark.parametrize("info", [".net", ".NET", "latex \\alpha\\beta", "python \\n", "python C:\\proj\\main.py"])
def test_what_is_no_path_in_them(info: str) -> None:
    assert paths(f"```{info}\n{HI}```") == []


@pytest.mark.parametrize(
    "line",
    ["#### File 1: main.py", "📄 main.py", "Datei: `main.py`", "文件：main.py", "--- main.py ---", "=== main.py ===",
     "Fichier : main.py", "**Arquivo: main.py**"],
)  # fmt: skip
def test_further_lines_above(line: str) -> None:
    assert paths(f"{line}\n```python\n{HI}```") == ["main.py"]


def test_a_windows_path_in_the_first_comment() -> None:
    assert paths(f"```python\n# src\\main.py\n{HI}```") == ["src/main.py"]


@pytest.mark.parametrize(
    ("known", "given"),
    [
        ("README.md", "readme.md"),
        (unicodedata.normalize("NFD", "ação.md"), unicodedata.normalize("NFC", "ação.md")),
    ],
)
def test_the_same_path_in_other_letters_is_the_files_own(desk: Desk, known: str, given: str) -> None:
    desk.put(known, "x\n")
    assert desk.apply(f"```markdown {given}\ny\n```").paths == [known]
    other = Surroundings(f"Write {given} beside {known}", {known: frozenset()})
    assert paths(f"```markdown {given}\ny\n```", other) == [given], "the task names both"


@pytest.mark.parametrize("given", ["a.py", "deep/a.py", "project/src/deep/a.py"])
def test_folders_too_few_or_too_many_before_what_only_one_file_is(given: str) -> None:
    around = Surroundings(
        "Mend f in src/deep/a.py.", {"src/deep/a.py": frozenset({"f", "g"}), "b.py": frozenset({"f"})}
    )
    assert paths(f"```python {given}\n{F}```", around) == ["src/deep/a.py"]
    edit = "<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n"
    assert paths(f"```python {given}\n{edit}```", around) == ["src/deep/a.py"]
    assert paths(f"```python {given}\ndef new():\n    return 1\n```", around) == [given], "a new file"
    both = Surroundings("", {**around.files, f"other/{given}": frozenset({"f"})})
    assert paths(f"```python {given}\n{F}```", both) == [given], "either could be meant"


@pytest.mark.parametrize(
    ("task", "known", "given"),
    [
        ("Add a package init", "a/__init__.py", "__init__.py"),
        ("Add a package two with a main function like main.py", "main.py", "two/main.py"),
        ("Move a.py into src", "a.py", "src/a.py"),
        ("Move lib/a.py to the top", "lib/a.py", "a.py"),
        ("Mend the tests", "test_a.py", "tests/test_a.py"),
    ],
)
def test_a_new_file_that_bears_the_name_of_another_is_new(task: str, known: str, given: str) -> None:
    assert paths(f"```python {given}\n{F}```", Surroundings(task, {known: frozenset({"f"})})) == [given]


def test_an_absolute_path_inside_of_the_workspace(desk: Desk) -> None:
    assert desk.apply(f"```python {desk.root}/src/a.py\n{F}```").paths == ["src/a.py"]
    assert Path(desk.root, "src/a.py").read_text() == F
    assert desk.apply(f"```python /etc/a.py\n{F}```").refusals


@pytest.mark.parametrize("line", ["style.css (before):", "`style.css` (original)"])
def test_a_block_that_is_headed_as_the_file_was_is_not_written(desk: Desk, line: str) -> None:
    desk.put("style.css", "a {\n}\n")
    [(_, reason)] = desk.apply(f"{line}\n```css\nb {{\n}}\n```").refusals
    assert "as the file was before" in reason


@pytest.mark.parametrize("content", ["# deleted\n", "# This file has been deleted\n", "// file removed\n"])
def test_a_remark_that_the_file_is_gone_is_no_content(desk: Desk, content: str) -> None:
    desk.put("a.py", F)
    [(_, reason)] = desk.apply(f"```python a.py\n{content}```").refusals
    assert "deletes no file" in reason
    assert desk.apply("```text state.txt\nremoved\n```").refusals == []


def test_a_nul_character_is_never_written(desk: Desk) -> None:
    assert desk.apply("```text a.txt\na\0b\n```").refusals


def test_marks_of_html_in_python_are_what_they_stand_for() -> None:
    [block] = parse_coder_reply("```python a.py\nif 1 &lt; 2:\n    x = &quot;a&quot;\n```").files
    assert isinstance(block, FileBlock)
    assert block.content == 'if 1 < 2:\n    x = "a"\n'
    [block] = parse_coder_reply('```python a.py\nx = "&lt;"\n```').files
    assert isinstance(block, FileBlock)
    assert block.content == 'x = "&lt;"\n'


@pytest.mark.parametrize(
    "line",
    [
        "**File:** main.py", "### Step 1: Create `main.py`", "Aqui está o arquivo `main.py`:", "Neue Datei: `main.py`",
        "Crie o arquivo `main.py` com o seguinte conteúdo:", "Hier ist die Datei `main.py`:", "创建 `main.py`：",
        "以下是 main.py 的完整代码：", "Create a file called `main.py` with the following content:", "Then, `main.py`:",
        "<summary>main.py</summary>", "File name: `main.py`", "File 1 — main.py", "<code>main.py</code>",
    ],
)  # fmt: skip
def test_a_line_that_only_says_which_file_follows(line: str) -> None:
    reply = parse_coder_reply(f"{line}\n\n```python\nprint(1)\n```")
    assert reply.files == (FileBlock("main.py", "print(1)\n"),)


@pytest.mark.parametrize(
    "line",
    [
        "New version:", "Notice:", "**Version**", "Install:", "TODO:", "The config for Next.js:", "Old main.html:",
        "Replace `foo` in `main.html` with:", "I created main.html and b.html:", "Here is what main.html printed:",
    ],
)  # fmt: skip
def test_a_line_that_says_more_or_names_none(line: str) -> None:
    assert parse_coder_reply(f"{line}\n\n```html\n<p>hi</p>\n```").files == ()


@pytest.mark.parametrize(
    ("language", "path"),
    [
        ("makefile", "Makefile"), ("dockerfile", "Dockerfile"), ("go", "go.mod"), ("cmake", "CMakeLists.txt"),
        ("ini", "app.service"), ("tsx", "app/[id]/page.tsx"), ("tsx", "app/(shop)/[...slug]/page.tsx"),
        ("protobuf", "a.proto"), ("cuelang", "a.tf"),
    ],
)  # fmt: skip
def test_files_of_odd_names_in_each_form(language: str, path: str) -> None:
    assert paths(f"```{language} {path}\nx\n```") == [path]
    assert paths(f"**{path}**\n```{language}\nx\n```") == [path]


def test_a_file_that_is_called_as_its_language_is_named_by_the_task() -> None:
    around = Surroundings("Write a Makefile that builds main.go", {"main.go": frozenset()})
    assert paths("```makefile\nall:\n\tgo build\n```", around) == ["Makefile"]


def test_new_files_below_their_paths_in_one_block_are_two_files() -> None:
    text = "```python\n# a.py\nX = 1\n\n# b.py\nY = 2\n```"
    assert parse_coder_reply(text).files == (FileBlock("a.py", "X = 1\n"), FileBlock("b.py", "Y = 2\n"))
    one = "```python a.py\nX = 1\n\n# b.py\nY = 2\n```"
    assert paths(one) == ["a.py"]


@pytest.mark.parametrize("reply", ["```text a.txt [2-2]\nX\n```", "**a.txt:2-2**\n```text\nX\n```"])
def test_lines_of_a_file_never_replace_all_of_it(desk: Desk, reply: str) -> None:
    desk.put("a.txt", "one\ntwo\nthree\n")
    desk.apply(reply)
    assert desk.bytes("a.txt") in (b"one\nX\nthree\n", b"one\ntwo\nthree\n")


@pytest.mark.parametrize(
    "shown",
    ["### Makefile\n```bash\nmake test\n```", "Dockerfile:\n```sh\ndocker build .\n```",
     "`go.mod`:\n```bash\ngo mod tidy\n```",
     "**Makefile**\n```python\nimport os\n```"],
)  # fmt: skip
def test_commands_below_the_name_of_a_file_are_not_that_file(shown: str) -> None:
    assert paths(shown, Surroundings("", {"main.go": frozenset()})) == []
