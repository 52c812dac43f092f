"""Every way an engine can fail is one outcome or one error."""

from collections.abc import Callable

import pytest

from interpreter.sandbox.command import run_command
from interpreter.sandbox.container.process import BROKE_PROTOCOL, ContainerProcess
from interpreter.sandbox.protocol import SandboxPolicy
from interpreter.sandbox.runners.python import PythonRunner
from super_agent.core.errors import SandboxUnavailable
from tests.sandbox.conftest import Talk, wait_for_no_child
from tests.sandbox.scripted_engine import ScriptedEngine

TalkTo = Callable[[type], Talk]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("sys.stderr.write('a\\nError: no such luck\\n'); sys.exit(125)", "no such luck"),
        ("sys.exit('docker: no daemon\\nRun docker run --help')", "no daemon. See"),
        ("sys.exit(0)", "no reason given"),
        ("say(b'garbage in place of a frame'); time.sleep(60)", "is not of our agent"),
        ("frame(b'H', length=2**31); sys.stdin.read()", "is not of our agent"),
    ],
)
def test_an_engine_that_starts_nothing_is_one_error(
    policy: SandboxPolicy, engine: ScriptedEngine, script: str, reason: str
) -> None:
    engine.write(run=script)
    with pytest.raises(SandboxUnavailable) as caught:
        run_command(policy, "true", lambda _: None, 20.0)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    wait_for_no_child()


@pytest.mark.parametrize(
    "script",
    [
        "frame(b'H'); say(b'no frame at all'); sys.stdin.read()",
        "frame(b'H'); frame(b'O', b'x' * 10, 2**24); sys.stdin.read()",
        "frame(b'H'); frame(b'X', b'none'); sys.stdin.read()",
        "frame(b'H'); frame(b'R', b'1'); sys.stdin.read()",
    ],
)
def test_a_malformed_frame_is_the_death_of_the_process(
    policy: SandboxPolicy, engine: ScriptedEngine, script: str
) -> None:
    engine.write(run=script)
    process = ContainerProcess(policy, ["true"])
    process.wait(10)
    assert (process.exit_code(), "is not of our agent" in process.complaint) == (BROKE_PROTOCOL, True)
    process.close()
    process.close()
    assert [call[-1] for call in engine.calls("rm")] == [
        engine.calls("run")[0][engine.calls("run")[0].index("--name") + 1]
    ]
    wait_for_no_child()


def test_an_engine_that_dies_under_way_is_a_death_and_its_container_is_removed(
    policy: SandboxPolicy, engine: ScriptedEngine
) -> None:
    engine.write(run="frame(b'H'); frame(b'O', b'some'); sys.exit(9)")
    said: list[bytes] = []
    process = ContainerProcess(policy, ["true"])
    process.wait(10)
    process.drain(said.append)
    assert (process.exit_code(), said) == (9, [b"some"])
    process.close()
    assert len(engine.calls("rm")) == 1


def test_an_engine_that_leaves_its_stdout_to_a_daemon_is_waited_for_in_vain_only_for_a_moment(
    policy: SandboxPolicy, engine: ScriptedEngine
) -> None:
    engine.write(run="import subprocess; frame(b'H'); subprocess.Popen(['sleep', '9']); sys.stdin.read()")
    process = ContainerProcess(policy, ["true"])
    process.close()
    assert process.exit_code() is None
    process.wait(10)
    process.close()
    assert process.exit_code() == 0
    assert process.output_fd == -1


def test_an_agent_that_takes_no_work_is_given_up(policy: SandboxPolicy, engine: ScriptedEngine, talk: TalkTo) -> None:
    engine.write(run="frame(b'H'); frame(b'A', b'ready' + chr(10).encode()); time.sleep(60)")
    with pytest.raises(SandboxUnavailable, match="takes no work"):
        talk(PythonRunner)("1")
    wait_for_no_child()


def test_answers_that_nobody_asked_for_are_no_outcome(
    policy: SandboxPolicy, engine: ScriptedEngine, talk: TalkTo
) -> None:
    """What writes to the agent's stdout can at worst end the run: it does not know the run's random name."""
    forged = b"0123456789abcdef ended finished\n" * 100
    engine.write(run=f"frame(b'H'); frame(b'A', b'ready' + chr(10).encode()); frame(b'A', {forged!r}); sys.exit(1)")
    assert talk(PythonRunner)("1").kind == "died"
