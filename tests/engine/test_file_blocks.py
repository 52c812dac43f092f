"""File blocks in the executor's replies are applied, beside code that runs; a reply that did nothing is no success."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from interpreter.code_output import OutputRecorder
from interpreter.engine.engine import Engine
from interpreter.engine.environment import ensure_engine_python
from interpreter.executor import Executor, ExecutorLimits
from interpreter.ollama_adapter import OllamaAdapter
from super_agent.core.edits.editor import Editor
from super_agent.core.files.workspace import Workspace
from super_agent.core.model.chat import ToolCall
from super_agent.core.model.middleware import CountingMiddleware
from tests.engine.test_executor import SayingRunner
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Answer, Say

Build = Callable[..., Executor]
HELLO = "def hello():\n    return 1\n"
HEADS = ["```python hello.py\n", "**hello.py**\n```python\n", "```python\n# hello.py\n", "```python\n"]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Makes an executor whose model gives these answers in turn; its workspace is `tmp_path / "w"`."""
    with ExitStack() as stack:

        def make(*answers: Answer) -> Executor:
            server = stack.enter_context(ScriptedOllama(list(answers)))
            (tmp_path / "w").mkdir(exist_ok=True)
            workspace = stack.enter_context(Workspace(tmp_path / "w"))
            adapter = OllamaAdapter(server.settings(), CountingMiddleware(), 8192)
            stack.callback(adapter.close)
            engine = Engine(ensure_engine_python(lambda _text: None))
            stack.callback(engine.close)
            editor = Editor(workspace, lambda _event: None, lambda _path, _data: None)
            runners = {name: SayingRunner(name, lambda _code: "ran\n") for name in ("python", "shell")}
            recorder = OutputRecorder(lambda _event: None, tmp_path, 8192)
            return Executor(adapter, engine, runners, workspace, recorder, ExecutorLimits(20, 10, 60), editor=editor)

        yield make


@pytest.mark.parametrize("head", HEADS)
def test_a_file_block_is_written_and_not_run(build: Build, tmp_path: Path, head: str) -> None:
    report = build(f"{head}{HELLO}```", "It is written.").carry_out("Write hello.py with hello()")
    assert (report.ended, report.runs) == ("finished", ())
    assert (tmp_path / "w" / "hello.py").read_text() == HELLO


def test_code_beside_a_file_block_runs(build: Build, tmp_path: Path) -> None:
    reply = f"```python hello.py\n{HELLO}```\n```python\nimport hello\nprint(hello.hello())\n```"
    report = build(reply, "Done.").carry_out("Write hello.py")
    assert [run.block.code for run in report.runs] == ["import hello\nprint(hello.hello())"]
    assert (tmp_path / "w" / "hello.py").exists()


def test_code_in_thoughts_never_runs(build: Build) -> None:
    text = "```shell\nrm notes.txt\n```\nbut no.\n</think>\n```shell\ncat notes.txt\n```"
    for opening in ("<think>\n", ""):
        report = build(opening + text, "It is read.").carry_out("What do the notes say?")
        assert [run.block.code for run in report.runs] == ["cat notes.txt"]


def test_a_call_that_the_server_took_out_of_the_text_is_carried_out(build: Build) -> None:
    call = ToolCall("c1", "execute", '{"language": "shell", "code": "ls"}')
    report = build(Say(text="", tool_calls=(call,)), "Done.").carry_out("List")
    assert [run.block.code for run in report.runs] == ["ls"]


@pytest.mark.parametrize("empty", [Say(""), Say("\n\n\n"), Say("", reasoning="I should write it."), Say("<think>so")])
def test_an_empty_reply_is_asked_for_once_more_and_is_no_success(build: Build, empty: Say) -> None:
    assert build(empty, empty).carry_out("Write hello").ended == "no_answer"
    assert build(empty, "It is there already.").carry_out("Write hello").ended == "finished"


def test_a_language_that_does_not_run_twice_is_no_success(build: Build) -> None:
    reply = "```javascript\nx\n```"
    assert build(reply, reply).carry_out("Write hello").ended == "no_answer"
