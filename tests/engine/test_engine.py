"""Open Interpreter's own loop behind the pipe, and every way its process can fail."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from interpreter.code_blocks import CodeBlock
from interpreter.engine.engine import Engine, EngineReply
from interpreter.engine.environment import ensure_engine_python, ensure_environment
from super_agent.core.cancellation import Cancellation
from super_agent.core.errors import EngineFailed, Interrupted

PYTHON = CodeBlock("python", "print(1)")
SHELL = CodeBlock("shell", "apt install something")
DONE = EngineReply("done", None)


class Script:
    """The model's and the sandbox's side: replies in order, and what was run."""

    def __init__(self, *replies: EngineReply) -> None:
        self.replies = list(replies)
        self.asked = 0
        self.ran: list[CodeBlock] = []

    def ask(self) -> EngineReply:
        self.asked += 1
        return self.replies.pop(0)

    def run(self, block: CodeBlock) -> str:
        self.ran.append(block)
        return "1\n"


@pytest.fixture(scope="session")
def engine_python() -> Path:
    return ensure_engine_python(lambda _text: None)


@pytest.fixture
def engine(engine_python: Path) -> Iterator[Engine]:
    engine = Engine(engine_python)
    yield engine
    engine.close()


HELLO = "say(kind='hello', protocol=2, version='0.4.3')"
MakeEngine = Callable[..., tuple[Engine, list[str]]]


@pytest.fixture
def with_host(tmp_path: Path) -> Iterator[MakeEngine]:
    """An engine whose host is a script of the test's own, run by this Python."""
    made: list[Engine] = []

    def make(source: str, hello: str = HELLO) -> tuple[Engine, list[str]]:
        host = tmp_path / "host.py"
        host.write_text(
            "import json, os, sys, time\n"
            "heard = 0\n"
            "def say(**m): print(json.dumps({'after': heard, **m}), flush=True)\n"
            "def hear():\n"
            "    global heard\n"
            "    message = json.loads(sys.stdin.readline())\n"
            "    heard = message['number']\n"
            "    return message\n"
            f"{hello}\n{source}"
        )
        restarts: list[str] = []
        made.append(Engine(Path(sys.executable), restarts.append, host=host, silence_s=2.0))
        return made[-1], restarts

    yield make
    for engine in made:
        engine.close()


def test_the_real_loop_asks_runs_and_ends(engine: Engine) -> None:
    script = Script(EngineReply("I run it.", PYTHON), EngineReply("", SHELL), DONE)
    engine.converse("do it", script.ask, script.run)
    assert (script.asked, script.ran) == (3, [PYTHON, SHELL])


def test_an_empty_reply_ends_the_instruction(engine: Engine) -> None:
    script = Script(EngineReply("", PYTHON), EngineReply("", None))
    engine.converse("x", script.ask, script.run)
    assert (script.asked, script.ran) == (2, [PYTHON])


def test_it_stays_alive_from_one_instruction_to_the_next(engine: Engine) -> None:
    for _ in range(3):
        script = Script(EngineReply("x", PYTHON), DONE)
        engine.converse("again", script.ask, script.run)
        assert script.ran == [PYTHON]
    assert len(psutil.Process().children()) == 1


@pytest.mark.parametrize(
    "code",
    ["{{1+1}}", "functions.execute({})", '{"language": "shell", "code": "x"}', "x executeexecute", "`\ny", "%%x"],
)
def test_code_reaches_the_sandbox_as_the_model_wrote_it(engine: Engine, code: str) -> None:
    script = Script(EngineReply("x", CodeBlock("python", code)), DONE)
    engine.converse(code, script.ask, script.run)
    assert [block.code for block in script.ran] == [code]


def test_an_error_of_the_model_passes_through_and_the_next_instruction_works(engine: Engine) -> None:
    class ModelError(Exception):
        pass

    def fail() -> EngineReply:
        raise ModelError("api key insufficient_quota")

    with pytest.raises(ModelError):
        engine.converse("x", fail, lambda _block: "")
    script = Script(EngineReply("x", PYTHON), DONE)
    engine.converse("y", script.ask, script.run)
    assert script.ran == [PYTHON]


def test_it_leaves_no_process_no_descriptor_and_no_folder(engine_python: Path, tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    engine = Engine(engine_python)
    engine.converse("x", Script(DONE).ask, lambda _block: "")
    engine.close()
    engine.close()
    assert psutil.Process().children() == []
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_host_killed_before_it_acts_on_a_reply_gets_that_reply_again(engine_python: Path) -> None:
    restarts: list[str] = []
    engine = Engine(engine_python, restarts.append)
    script = Script(EngineReply("x", PYTHON), DONE)
    killed = threading.Event()

    def ask() -> EngineReply:
        if not killed.is_set():
            killed.set()
            psutil.Process().children()[0].kill()
        return script.ask()

    try:
        engine.converse("x", ask, script.run)
    finally:
        engine.close()
    assert (script.asked, script.ran) == (2, [PYTHON])
    assert restarts == ["its process was killed by signal 9"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("hear(); print('garbage', flush=True); time.sleep(60)", "no message"),
        ("hear(); print('[1]', flush=True); time.sleep(60)", "no message"),
        ("hear(); say(kind='run', language='python', code='rm'); time.sleep(60)", "out of turn"),
        ("hear(); say(kind='end', order=['user/message']); time.sleep(60)", "out of turn"),
        ("hear(); say(kind='ask', order=[]); time.sleep(60)", "its record is []"),
        ("hear(); say(kind='ask', order=['user/message'], after=0); time.sleep(60)", "it answers line 0"),
        ("hear(); say(kind='nonsense'); time.sleep(60)", "out of turn"),
        ("hear(); say(kind='failed', error='ValueError: x')", "ValueError: x"),
        ("hear(); os._exit(7)", "exit code 7"),
        ("hear(); print('[' * 200_000, flush=True); time.sleep(60)", "no message"),
        ("hear(); sys.stdout.buffer.write(b'x' * (20 << 20)); sys.stdout.flush(); time.sleep(60)", "more than"),
        (
            "hear(); say(kind='ask', order=['user/message']); hear(); say(kind='run', language='python', code='other')",
            "no reply held",
        ),
    ],
)
def test_a_host_that_lies_or_dies_is_one_clear_error_after_two_restarts(
    with_host: MakeEngine, source: str, words: str
) -> None:
    engine, restarts = with_host(source)
    script = Script(*[EngineReply("x", PYTHON)] * 3)
    with pytest.raises(EngineFailed, match="failed 3 times") as caught:
        engine.converse("x", script.ask, script.run)
    assert words in str(caught.value)
    assert len(restarts) == 2
    assert script.ran == []


def test_after_a_host_that_failed_for_good_the_next_instruction_works(with_host: MakeEngine, tmp_path: Path) -> None:
    good = (
        "while True:\n"
        "    hear(); say(kind='ask', order=['user/message'])\n"
        "    hear(); say(kind='end', order=['user/message', 'assistant/message'])\n"
    )
    engine, _ = with_host(f"if not os.path.exists({str(tmp_path / 'mended')!r}): os._exit(7)\n{good}")
    with pytest.raises(EngineFailed):
        engine.converse("x", Script(DONE).ask, lambda _block: "")
    (tmp_path / "mended").touch()
    for _ in range(2):
        script = Script(DONE)
        engine.converse("x", script.ask, script.run)
        assert script.asked == 1


def test_what_a_host_says_after_the_end_costs_it_a_restart_and_the_next_instruction_nothing(
    with_host: MakeEngine, tmp_path: Path
) -> None:
    engine, restarts = with_host(
        "hear(); say(kind='ask', order=['user/message'])\n"
        "hear(); say(kind='end', order=['user/message', 'assistant/message'])\n"
        "say(kind='run', language='python', code='rm -rf /')\n"
        "time.sleep(60)"
    )
    for _ in range(3):
        script = Script(DONE)
        engine.converse("x", script.ask, script.run)
        assert (script.asked, script.ran) == (1, [])
    assert len(restarts) == 2


def test_a_silent_host_is_noticed(with_host: MakeEngine) -> None:
    engine, _ = with_host("time.sleep(60)")
    with pytest.raises(EngineFailed, match="said nothing for 2 s"):
        engine.converse("x", Script(DONE).ask, lambda _block: "")


def test_another_protocol_is_refused_at_the_handshake(with_host: MakeEngine) -> None:
    engine, _ = with_host("hear()", "say(kind='hello', protocol=99)")
    with pytest.raises(EngineFailed, match="speaks protocol 99, wanted 2"):
        engine.converse("x", Script(DONE).ask, lambda _block: "")


def test_a_missing_environment_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match="did not start"):
        Engine(tmp_path / "no-python").converse("x", Script(DONE).ask, lambda _block: "")


def test_cancelling_ends_a_wait_for_the_host_at_once(with_host: MakeEngine) -> None:
    engine, _ = with_host("hear(); time.sleep(60)")
    threading.Timer(0.5, engine.cancel).start()
    started = time.monotonic()
    with pytest.raises(Interrupted):
        engine.converse("x", Script(DONE).ask, lambda _block: "")
    assert time.monotonic() - started < 4


def test_a_cancel_just_before_the_conversation_is_not_lost(with_host: MakeEngine) -> None:
    engine, _ = with_host("hear(); time.sleep(60)")
    cancellation = Cancellation()
    cancellation.cancel()
    script = Script(DONE)
    with pytest.raises(Interrupted):
        engine.converse("x", script.ask, script.run, cancellation)
    assert script.asked == 0


def test_a_cancel_of_one_conversation_does_not_end_the_next(engine: Engine) -> None:
    engine.cancel()
    script = Script(DONE)
    engine.converse("x", script.ask, script.run)
    assert script.asked == 1


def test_a_host_that_asks_again_instead_of_running_is_not_answered_for_ever(with_host: MakeEngine) -> None:
    engine, restarts = with_host(
        "hear(); say(kind='ask', order=['user/message']); hear()\n"
        "say(kind='ask', order=['user/message', 'assistant/message', 'assistant/code']); time.sleep(60)"
    )
    with pytest.raises(EngineFailed, match="out of turn: 'run' was due"):
        engine.converse("x", Script(EngineReply("x", PYTHON)).ask, lambda _block: "")
    assert len(restarts) == 2


def test_a_host_that_stops_reading_is_noticed(with_host: MakeEngine) -> None:
    engine, _ = with_host("hear(); say(kind='ask', order=['user/message']); time.sleep(60)")
    with pytest.raises(EngineFailed, match="said nothing for 2 s"):
        engine.converse("x", Script(EngineReply("y" * 1_000_000, None)).ask, lambda _block: "")


def test_another_open_interpreter_is_refused_at_the_handshake(with_host: MakeEngine) -> None:
    engine, _ = with_host("hear()", "say(kind='hello', protocol=2, version='9.9')")
    with pytest.raises(EngineFailed, match=r"is Open Interpreter 9\.9, wanted 0\.4\.3"):
        engine.start()


def test_closing_from_another_thread_ends_the_conversation_and_starts_nothing_again(with_host: MakeEngine) -> None:
    engine, restarts = with_host("hear(); time.sleep(60)")
    threading.Timer(0.5, engine.close).start()
    with pytest.raises(Interrupted):
        engine.converse("x", Script(DONE).ask, lambda _block: "")
    assert restarts == []
    assert psutil.Process().children() == []


def test_an_environment_whose_python_was_removed_is_made_again(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("")
    python = ensure_environment("empty", lock, lambda _text: None, tmp_path)
    python.unlink()
    assert ensure_environment("empty", lock, lambda _text: None, tmp_path) == python
    assert python.exists()
