"""What the two READMEs show of `verify` and `ps` is what the commands print."""

import re
from pathlib import Path

import pytest

from scripts.demo import PROJECT
from super_agent.core.instance.client_registry import ClientLock
from super_agent.core.instance.diagnosis_messages import CONNECTED
from super_agent.core.settings import load_settings
from tests.live.command_line import CommandLine, foreign
from tests.live.conftest import LiveOllama

pytestmark = pytest.mark.timeout(300)


def blocks(readme: str) -> list[str]:
    """The code blocks without a language: what is printed, not what is typed."""
    parts = re.split(r"(?m)^```", (PROJECT / readme).read_text(encoding="utf-8"))
    return [part.removeprefix("\n") for part in parts[1::2] if part.startswith("\n")]


def shape(text: str, model: str) -> list[str]:
    """The lines without what differs from machine to machine: figures, addresses, names, other programs, widths."""
    for words in CONNECTED.values():  # earlier tests, and this one, may still be connected
        text = re.sub(re.escape(words.format(names="")) + ".*", "", text)
    text = re.sub(r"http://[\d.]+:\d+", "URL", text).replace(f"{model}:latest", "MODEL").replace(model, "MODEL")
    text = re.sub(r"\b[0-9a-f]{12}\b", "DIGEST", text)
    lines = re.sub(r"\d+", "N", text).splitlines()
    return [re.sub(r" {2,}", "  ", line).rstrip() for line in lines if line.strip()]


def own(lines: list[str]) -> list[str]:
    """Up to the last check, which tells of other programs: earlier tests may still be connected to this server."""
    return lines[: next(i for i, line in enumerate(lines) if "who else uses the server" in line)]


@pytest.fixture
def command(live_ollama: LiveOllama, tmp_path: Path) -> CommandLine:
    ready = CommandLine(live_ollama.base_url, live_ollama.model, tmp_path)
    assert ready("up").code == 0
    return ready


def test_verify_prints_what_the_readme_shows(command: CommandLine) -> None:
    [shown] = [b for b in blocks("README.md") if b.startswith("✅ Ollama runs")]
    assert own(shape(command("verify").out, command.model)) == own(shape(shown, "smol"))


@pytest.mark.parametrize(("readme", "language"), [("README.md", "en"), ("README.pt-BR.md", "pt")])
def test_verify_prints_the_lines_that_are_shown_of_a_failure(command: CommandLine, readme: str, language: str) -> None:
    command.variables["SUPER_AGENT_LANG"] = language
    [shown] = [b for b in blocks(readme) if b.startswith("❌")]
    foreign(command.base_url, command.model, options={"num_ctx": 1024})
    printed = "\n".join(shape(command("verify").out, command.model))
    assert "\n".join(shape(shown, "smol")) in printed


def test_the_portuguese_lines_of_a_proof_are_printed(command: CommandLine) -> None:
    command.variables["SUPER_AGENT_LANG"] = "pt"
    [shown] = [b for b in blocks("README.pt-BR.md") if b.startswith("✅")]
    assert set(shape(shown, "smol")) <= set(shape(command("verify").out, command.model))


@pytest.mark.parametrize("readme", ["README.md", "README.pt-BR.md"])
def test_ps_prints_the_table_that_is_shown(command: CommandLine, tmp_path: Path, readme: str) -> None:
    [shown] = [b for b in blocks(readme) if b.startswith("NAME")]
    settings = load_settings(
        {"base_url": command.base_url, "model": command.model, "state_dir": tmp_path / "state"}, environ={}
    )
    locks = [ClientLock(settings, "autogen"), ClientLock(settings, "open-interpreter")]
    try:
        printed = command("ps", "--clients").out
    finally:
        for lock in locks:
            lock.close()
    assert shape(printed, command.model) == shape(shown, "smol")
