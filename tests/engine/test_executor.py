"""The executor with Open Interpreter's real loop, the scripted server, and runners that say what they are told to."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from interpreter.code_output import OutputRecorder
from interpreter.engine.engine import Engine
from interpreter.engine.environment import ensure_engine_python
from interpreter.executor import Executor, ExecutorLimits
from interpreter.ollama_adapter import OllamaAdapter
from interpreter.sandbox.protocol import CodeOutcome
from super_agent.core.cancellation import Cancellation
from super_agent.core.errors import Interrupted
from super_agent.core.files.workspace import Workspace
from super_agent.core.model.middleware import CountingMiddleware
from tests.scripted_ollama import ScriptedOllama

Say = Callable[[str], str]
Build = Callable[[list[str], Say], Executor]


class SayingRunner:
    """A `Runner` whose output is what `say` returns for the code."""

    def __init__(self, language: str, say: Say) -> None:
        self.language = language
        self.ran: list[str] = []
        self._say = say

    def start(self) -> None:
        """Nothing to start."""

    def run(
        self, code: str, on_output: Callable[[bytes], None], _timeout_s: float, _cancellation: object = None
    ) -> CodeOutcome:
        self.ran.append(code)
        output = self._say(code).encode()
        on_output(output)
        return CodeOutcome("finished", None, 0.01, len(output))

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Makes an executor whose model writes each of the given Python blocks in turn, then "done"."""
    with ExitStack() as stack:

        def make(blocks: list[str], say: Say) -> Executor:
            server = stack.enter_context(ScriptedOllama([*(f"```python\n{block}\n```" for block in blocks), "done"]))
            (tmp_path / "workspace").mkdir()
            workspace = stack.enter_context(Workspace(tmp_path / "workspace"))
            adapter = OllamaAdapter(server.settings(), CountingMiddleware(), 8192)
            stack.callback(adapter.close)
            engine = Engine(ensure_engine_python(lambda _text: None))
            stack.callback(engine.close)
            recorder = OutputRecorder(lambda _event: None, tmp_path, 8192)
            runners = {name: SayingRunner(name, say) for name in ("python", "shell")}
            return Executor(adapter, engine, runners, workspace, recorder, ExecutorLimits(20, 10, 60))

        yield make


def test_the_same_code_with_the_same_result_is_said_the_second_time_and_ends_the_step_the_third(build: Build) -> None:
    executor = build(["x"] * 4, lambda _code: "same\n")
    report = executor.carry_out("go")
    assert (report.ended, len(report.runs)) == ("repeats", 3)
    said = [m.content for m in executor.conversation.messages if "same result as before" in m.content]
    assert len(said) == 1


@pytest.mark.parametrize(
    ("blocks", "ended", "runs"),
    [
        (["a", "b", "a", "b"], "finished", 4),
        (["a", "b", "a", "b", "a", "b"], "repeats", 5),
        (["edit 1", "test", "edit 2", "test", "edit 3", "test", "edit 4", "test"], "finished", 8),
        (["a", "a", "b", "a", "b", "c", "a"], "finished", 7),
    ],
)
def test_going_round_in_circles_ends_the_step_and_something_new_makes_a_fresh_start(
    build: Build, blocks: list[str], ended: str, runs: int
) -> None:
    report = build(blocks, lambda _code: "same\n").carry_out("go")
    assert (report.ended, len(report.runs)) == (ended, runs)


@pytest.mark.parametrize(
    ("output", "ended"),
    [
        ("1 failed in 0.0{n}s", "repeats"),
        ('File "<block {n}>", line 1', "repeats"),
        ("<object at 0x7f{n}>", "repeats"),
        ("/tmp/tmp{n}/x", "repeats"),
        ("{n} files left", "finished"),
        ("12:00:0{n}", "finished"),
    ],
)
def test_only_what_means_nothing_may_differ_in_the_same_result(build: Build, output: str, ended: str) -> None:
    numbers = count(1)
    report = build(["x"] * 4, lambda _code: output.format(n=next(numbers))).carry_out("go")
    assert report.ended == ended


def test_a_cancel_just_before_the_instruction_is_not_lost(build: Build) -> None:
    executor = build(["x"], lambda _code: "")
    before = [*executor.conversation.messages]
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Interrupted):
        executor.carry_out("go", cancellation)
    assert executor.conversation.messages == before
    assert executor.carry_out("go").ended == "finished"
