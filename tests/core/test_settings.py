"""Where a setting comes from, and what is said about one that cannot be used."""

import os
from pathlib import Path

import pytest

from super_agent.core.errors import SettingInvalid
from super_agent.core.setting_forms import base_url
from super_agent.core.settings import (
    DEFAULT_BASE_URL,
    DEFAULT_MODEL,
    load_settings,
    variables_in,
    variables_of,
)

NO_FILE = Path("/nonexistent/.env")


@pytest.fixture(autouse=True)
def _no_user_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_the_defaults_are_those_of_the_product() -> None:
    settings = load_settings(environ={})
    assert (settings.base_url, settings.model) == ("http://localhost:11434", "deepseek-coder-v2-16b-q4_k_m-rtx")
    assert (settings.base_url, settings.model) == (DEFAULT_BASE_URL, DEFAULT_MODEL)


def test_a_flag_beats_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("DEFAULT_MODEL=file\nSUPER_AGENT_MAX_TURNS=3\nSUPER_AGENT_TOP_P=0.5\n")
    environ = {"DEFAULT_MODEL": "environment", "SUPER_AGENT_MAX_TURNS": "4"}
    settings = load_settings({"model": "flag"}, env_file=file, environ=environ)
    assert (settings.model, settings.max_turns, settings.top_p) == ("flag", 4, 0.5)


def test_the_users_file_is_read_without_being_named(tmp_path: Path) -> None:
    file = tmp_path / "config" / "super-agent" / ".env"
    file.parent.mkdir(parents=True)
    file.write_text("DEFAULT_MODEL=mine\n")
    assert load_settings(environ={}).model == "mine"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("localhost", "http://localhost:11434"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:11434/", "http://localhost:11434"),
        ("http://localhost:11434/v1", "http://localhost:11434"),
        ("http://localhost:11434/v1/", "http://localhost:11434"),
        ("https://gpu.example.org", "https://gpu.example.org"),
        ("https://gpu.example.org/ollama/v1/", "https://gpu.example.org/ollama"),
        ("[::1]:11434", "http://[::1]:11434"),
        ('"http://h:1"', "http://h:1"),
        ("http://localhost:11434/v1/chat/completions", "http://localhost:11434"),
        ("localhost:11434/api/generate", "http://localhost:11434"),
        ("http://localhost:11434/api/", "http://localhost:11434"),
        ("https://gpu.example.org/ollama/api/chat", "https://gpu.example.org/ollama"),
        ("https://gpu.example.org/api/ollama", "https://gpu.example.org/api/ollama"),
    ],
)
def test_a_url_may_be_written_in_the_forms_that_ollama_takes(given: str, used: str) -> None:
    assert base_url(given) == used
    assert base_url(used) == used


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("OLLAMA_BASE_URL", "ftp://host", "OLLAMA_BASE_URL=ftp://host: must be an address"),
        ("OLLAMA_BASE_URL", "http://host:99999", "OLLAMA_BASE_URL=http://host:99999: has a port"),
        ("OLLAMA_BASE_URL", "http://u:p@host", "must not hold a user or password"),
        ("OLLAMA_BASE_URL", "http//localhost:11434", "a slash or colon too many or too few"),
        ("OLLAMA_BASE_URL", "http://localhost;11434", "a character that no address has"),
        ("SUPER_AGENT_KEEP_ALIVE", "0", "SUPER_AGENT_KEEP_ALIVE=0: would unload the model"),
        ("SUPER_AGENT_KEEP_ALIVE", "1d", "must be a duration such as 30m"),
        ("SUPER_AGENT_MAX_TIME_S", "inf", "SUPER_AGENT_MAX_TIME_S=inf: "),
        ("SUPER_AGENT_STATE_DIR", "~no-such-user-x/y", "names a home folder that is not there"),
        ("SUPER_AGENT_SANDBOX_PATHS", "tools", "tools is relative"),
        ("SUPER_AGENT_MAX_TURNS", "many", "SUPER_AGENT_MAX_TURNS=many: "),
        ("SUPER_AGENT_MAX_TURNS", "0", "SUPER_AGENT_MAX_TURNS=0: "),
        ("SUPER_AGENT_TEMPERATURE", "3", "SUPER_AGENT_TEMPERATURE=3: "),
        ("SUPER_AGENT_SANDBOX", "chroot", "SUPER_AGENT_SANDBOX=chroot: "),
        ("SUPER_AGENT_MAX_TURN", "3", "Did you mean SUPER_AGENT_MAX_TURNS?"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_variable(variable: str, value: str, words: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        load_settings(environ={variable: value})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_flag_is_named_as_it_is_typed() -> None:
    with pytest.raises(SettingInvalid, match="--max-time=-1"):
        load_settings({"max_time_s": -1}, environ={})


def test_a_secret_is_never_printed() -> None:
    settings = load_settings(environ={"SUPER_AGENT_API_KEY": "hush"})
    assert "hush" not in repr(settings)


def test_a_missing_env_file_is_named() -> None:
    with pytest.raises(SettingInvalid, match="/nonexistent/.env is not a file"):
        load_settings(env_file=NO_FILE, environ={})


def test_the_variables_of_a_foreign_file_can_be_listed(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OLLAMA_BASE_URL=http://evil\nOTHER=1\nSUPER_AGENT_SANDBOX=none\n")
    assert variables_in(tmp_path / ".env") == ["OLLAMA_BASE_URL", "SUPER_AGENT_SANDBOX"]
    assert variables_in(tmp_path / "missing") == []


def test_settings_as_variables_give_the_same_settings_again(tmp_path: Path) -> None:
    flags = {"model": "m", "network": True, "api_key": "k", "sandbox_paths": f"{tmp_path}:/usr", "max_tokens": 5}
    settings = load_settings(flags, environ={}, env_file=None)
    assert load_settings({}, environ=variables_of(settings)) == settings


@pytest.mark.parametrize("text", ["A=1\nDEFAULT_MODEL='open\n", "A=1\n=x\n", 'A=1\nSUPER_AGENT_API_KEY="secret\n'])
def test_a_line_of_an_env_file_that_sets_nothing_is_named_and_not_shown(tmp_path: Path, text: str) -> None:
    (tmp_path / ".env").write_text(text)
    with pytest.raises(SettingInvalid, match=r"line 2 of .*/\.env sets nothing\. Write NAME=value") as raised:
        load_settings(environ={}, env_file=tmp_path / ".env")
    assert "secret" not in str(raised.value)


def test_an_env_file_of_a_windows_editor_is_read_from_its_first_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfDEFAULT_MODEL=a\r\nSUPER_AGENT_MAX_TURNS=3\r\n")
    settings = load_settings(environ={}, env_file=tmp_path / ".env")
    assert (settings.model, settings.max_turns) == ("a", 3)


@pytest.mark.timeout(20)
def test_a_pipe_or_half_a_file_in_a_workspace_holds_nobody_up(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / ".env")
    assert variables_in(tmp_path / ".env") == []
    (tmp_path / "half").write_text("A='open\nDEFAULT_MODEL=x\n")
    assert variables_in(tmp_path / "half") == ["DEFAULT_MODEL"]
    assert capfd.readouterr().err == ""


def test_a_folder_named_as_an_env_file_keeps_no_descriptor_open(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    before = len(os.listdir("/proc/self/fd"))
    assert variables_in(tmp_path / ".env") == []
    assert len(os.listdir("/proc/self/fd")) == before
