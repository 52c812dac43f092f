"""Work that gets done: a small real coder, the real server, AutoGen, Open Interpreter and the sandbox."""

from pathlib import Path

import pytest

from tests.live.command_line import CommandLine
from tests.live.conftest import LiveOllama

pytestmark = pytest.mark.timeout(400)

TASK = "Write area.py with a function area(width, height) that returns width times height."
CHECK = "python -c 'from area import area; assert area(6, 7) == 42'"


@pytest.fixture
def command(live_ollama: LiveOllama, live_coder: str, tmp_path: Path) -> CommandLine:
    limits = {"SUPER_AGENT_MAX_REPLY_TOKENS": "400", "SUPER_AGENT_MAX_ROUNDS": "4"}
    return CommandLine(live_ollama.base_url, live_coder, tmp_path, limits)


@pytest.fixture
def workspace(command: CommandLine) -> Path:
    return command.workspace()


@pytest.mark.parametrize("mode", [[], ["--solo"]], ids=["team", "solo"])
def test_a_file_is_written_that_passes_the_check(command: CommandLine, workspace: Path, mode: list[str]) -> None:
    ended = command("run", TASK, "--check", CHECK, "-w", str(workspace), "--json", *mode)
    assert ended.code == 0, ended.out[-3000:] + ended.err
    assert ended.events[-1]["reason"] == "check_passed"
    assert ended.events[-1]["files_changed"] == ["area.py"]


def test_the_executor_alone_writes_the_file(command: CommandLine, workspace: Path) -> None:
    ended = command("exec", TASK, "-w", str(workspace), "--json")
    assert ended.code == 0, ended.out[-3000:] + ended.err
    assert "area" in (workspace / "area.py").read_text()


def test_team_and_executor_in_one_run_use_one_runner(
    live_ollama: LiveOllama, command: CommandLine, workspace: Path
) -> None:
    assert command("up").code == 0
    before = live_ollama.runners()
    ended = command("run", TASK, "-w", str(workspace), "--json", "--max-turns", "1")
    assert live_ollama.runners() == before
    assert {used["client"] for used in ended.events[-1]["usage"]} == {"autogen", "open-interpreter"}, ended.err
    assert set(ended.events[-1]["instance"].values()) == {0}
