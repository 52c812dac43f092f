"""What the README says of the command line is so: every command and flag, exit codes, defaults, what is kept."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from super_agent.cli.main import app
from super_agent.core.errors import ExitCode
from super_agent.core.ollama.http_errors import LEAST_VERSION
from super_agent.core.settings import DEFAULT_BASE_URL, DEFAULT_MODEL, VARIABLES, Settings
from tests.cli.conftest import SuperAgent, super_agent
from tests.scripted_ollama import ScriptedOllama

__all__ = ["super_agent"]

PROJECT = Path(__file__).resolve().parent.parent
READMES = ("README.md", "README.pt-BR.md")
OTHERS_FLAGS = {"--redo", "--stat"}  # shown without their command
NOT_OURS = {"--help"}


def text(readme: str) -> str:
    return (PROJECT / readme).read_text(encoding="utf-8")


def commands() -> Iterator[tuple[str, Any]]:
    """Each command as it is typed, with click's object of it."""

    def walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        inner = getattr(command, "commands", {})
        if name and (not inner or command.invoke_without_command):
            yield name, command
        for part, sub in inner.items():
            yield from walk(f"{name} {part}".strip(), sub)

    yield from walk("", typer.main.get_command(app))


COMMANDS = dict(commands())


def flags(command: Any) -> set[str]:
    return {name for param in command.params for name in (*param.opts, *param.secondary_opts) if name.startswith("-")}


ALL_FLAGS = {"--install-completion", "--version"}.union(*(flags(command) for command in COMMANDS.values()))


def test_all_commands_are_known_here() -> None:
    assert {"run", "exec", "down", "sessions", "sessions rm", "sessions prune", "verify", "undo"} <= set(COMMANDS)


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"acp", "web"}))
def test_every_command_has_json_as_the_readme_says(name: str) -> None:
    assert "Every command has `--help` and `--json`" in " ".join(text("README.md").split())
    assert "`acp` and `web` serve and have none" in " ".join(text("README.md").split())
    assert "--json" in flags(COMMANDS[name])


@pytest.mark.parametrize("name", sorted(name.split()[0] for name in COMMANDS))
def test_every_command_is_in_both_readmes(name: str) -> None:
    for readme in READMES:
        assert re.search(rf"(super-agent |`|`super-agent ){name}\b", text(readme)), readme


@pytest.mark.parametrize("readme", READMES)
def test_every_typed_command_and_its_flags_exist(readme: str) -> None:
    shown = re.findall(r"super-agent ([a-z]+(?: rm| prune)?)((?: [^\n`#]*)?)", text(readme))
    assert len(shown) >= 10
    for name, typed in shown:
        rest = re.sub(r'"[^"]*"', "", typed)  # a task, or a command of the user's own
        if name not in COMMANDS:
            continue
        for flag in re.findall(r"(?<=[ \[])(--[a-z-]+|-[a-z])\b", rest.partition(" -- ")[0]):
            assert flag in flags(COMMANDS[name]), (name, flag)


@pytest.mark.parametrize("readme", READMES)
def test_every_flag_that_is_named_exists(readme: str) -> None:
    own = text(readme).replace("--org", "")
    named = set(re.findall(r"`(--[a-z][a-z-]+)", own))
    assert named - ALL_FLAGS - NOT_OURS == set()


@pytest.mark.parametrize("readme", READMES)
def test_every_setting_that_is_named_exists(readme: str) -> None:
    named = set(re.findall(r"SUPER_AGENT_[A-Z_]*[A-Z]\b(?!_)", text(readme)))
    assert named - set(VARIABLES) - {"SUPER_AGENT_SANDBOX"} == set()


def test_the_exit_codes_are_those_of_the_program() -> None:
    table = {int(code) for code in re.findall(r"(?m)^\| (\d+) \|", text("README.md"))}
    assert table == {int(code) for code in ExitCode}
    sentence = re.search(r"Códigos de saída: (.+?)\n\n", text("README.pt-BR.md"), re.S)
    assert sentence is not None
    for code in ExitCode:
        assert re.search(rf"(^|; |;\n){int(code)} ", sentence[1]), code


def test_the_defaults_are_those_of_the_settings() -> None:
    told = text("README.md")
    assert f"| `OLLAMA_BASE_URL` | `{DEFAULT_BASE_URL}` |" in told
    assert f"| `DEFAULT_MODEL` | `{DEFAULT_MODEL}` |" in told
    for readme in READMES:
        assert f"Ollama {LEAST_VERSION}" in text(readme)
    defaults = Settings.model_validate({})
    for variable, value in re.findall(r"`(SUPER_AGENT_[A-Z_]+)` \(([\d,]+)\)", told):
        assert getattr(defaults, VARIABLES[variable]) == float(value.replace(",", "")), variable
    assert f"default\n`{defaults.sandbox_image}`" in told


def test_without_the_store_nothing_of_a_run_is_kept(super_agent: SuperAgent, tmp_path: Path) -> None:
    for readme, words in (
        ("README.md", "`--no-store` (`SUPER_AGENT_STORE=off`) keeps nothing"),
        (READMES[1], "só ficam"),
    ):
        assert words in " ".join(text(readme).split())
    (tmp_path / "workspace").mkdir()
    code = "```python\nopen('a', 'w').write('WORD-4711')\n```"
    with ScriptedOllama([code, "Done: WORD-4711."]) as server:
        where = ("-w", str(tmp_path / "workspace"), "--base-url", server.base_url, "--model", server.model)
        done = super_agent("exec", "write WORD-4711", "--no-store", *where)
    assert done.code == 0, done
    files = [path for path in (tmp_path / "home" / "state").rglob("*") if path.is_file()]
    assert files
    assert [path.name for path in files if b"WORD-4711" in path.read_bytes()] == []
