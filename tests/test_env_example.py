"""`.env.example` documents the settings: all of them, nothing else, and with their real defaults."""

import math
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from super_agent.core.errors import SettingInvalid
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import VARIABLES, Settings, load_settings
from tests.scripted_ollama import ScriptedOllama

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / ".env.example"
QUOTED = re.compile(r"`([^`]+)`")
ASSIGNMENT = re.compile(r"^#?([A-Z][A-Z_]*)=(.*)$")


def _assignments() -> list[tuple[str, str]]:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    return [(found[1], found[2]) for line in lines if (found := ASSIGNMENT.match(line))]


def test_every_setting_is_documented_once_and_nothing_else() -> None:
    assert sorted(name for name, _ in _assignments()) == sorted(VARIABLES)


def test_scripts_and_pages_name_no_setting_that_would_be_refused() -> None:
    files = [
        path for each in ("scripts/*.sh", "scripts/*.py", "Makefile", "*.md", "docs/*.md") for path in ROOT.glob(each)
    ]
    named = {name for path in files for name in re.findall(r"\bSUPER_AGENT_[A-Z_]*[A-Z]", path.read_text("utf-8"))}
    assert named - set(VARIABLES) == set()


def test_every_group_of_settings_begins_with_a_comment() -> None:
    paragraphs = EXAMPLE.read_text(encoding="utf-8").split("\n\n")
    bare = [text for text in paragraphs if not text.startswith("# ")]
    assert bare == []


def test_the_values_shown_are_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The state folder's default depends on the home folder and on XDG_STATE_HOME.
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    everything = tmp_path / "all.env"
    everything.write_text("".join(f"{name}={value}\n" for name, value in _assignments()), encoding="utf-8")

    assert load_settings(env_file=everything, environ={}) == Settings.model_validate({})


def test_the_file_as_it_stands_can_be_used() -> None:
    assert load_settings(env_file=EXAMPLE, environ={}).base_url == "http://localhost:11434"


def documented() -> Iterator[tuple[str, str, bool]]:
    """Every `value` in the comment of a setting, and whether it is taken; those behind "Refused:" are not."""
    comment, assigned = "", False
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if found := ASSIGNMENT.match(line):
            taken, _, refused = comment.partition("Refused:")
            yield from ((found[1], value, True) for value in QUOTED.findall(taken))
            yield from ((found[1], value, False) for value in QUOTED.findall(refused))
            assigned = True
        else:
            comment = line if assigned or not line else f"{comment}\n{line}"
            assigned = False


def test_most_settings_say_which_values_they_take() -> None:
    named = {name for name, _value, taken in documented() if taken}
    assert {"OLLAMA_BASE_URL", "SUPER_AGENT_KEEP_ALIVE", "SUPER_AGENT_SANDBOX", "SUPER_AGENT_STORE"} <= named
    assert len([*documented()]) >= 90


@pytest.mark.parametrize(("name", "value", "taken"), [*documented()])
def test_each_documented_value_does_what_its_comment_says(name: str, value: str, taken: bool) -> None:
    if taken:
        load_settings(environ={name: value})
        load_settings(environ={name: f" {value} "})
        return
    with pytest.raises(SettingInvalid) as caught:
        load_settings(environ={name: value})
    assert f"{name}={value}: " in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_a_setting_without_a_value_has_its_default(name: str) -> None:
    assert load_settings(environ={name: ""}) == load_settings(environ={name: "  "}) == load_settings(environ={})


@pytest.mark.parametrize("name", ["SUPER_AGENT_STORE", "SUPER_AGENT_SNAPSHOTS", "SUPER_AGENT_NETWORK"])
def test_switches_are_off_in_every_form(name: str) -> None:
    found = [load_settings(environ={name: value}) for value in ("off", "false", "no", "0", "OFF")]
    assert len({settings.model_dump_json() for settings in found}) == 1
    assert found[0] != load_settings(environ={name: "on"})


@pytest.mark.parametrize("value", [v for n, v, taken in documented() if n == "OLLAMA_BASE_URL" and taken])
def test_every_form_of_a_local_address_is_the_same_server(value: str) -> None:
    used = load_settings(environ={"OLLAMA_BASE_URL": value}).base_url
    assert used in ("http://localhost:11434", "http://127.0.0.1:11434", "http://[::1]:11434", "https://host/ollama")


KEEP_ALIVES = [v for n, v, taken in documented() if n == "SUPER_AGENT_KEEP_ALIVE" and taken]


@pytest.mark.parametrize("value", KEEP_ALIVES)
def test_every_keep_alive_keeps_the_model_for_as_long(value: str) -> None:
    """The double reads it as Go does; tests/live/test_settings.py asks the real server."""
    with ScriptedOllama() as server, Ollama(server.settings(keep_alive=value)) as management:
        management.load(server.model, load_settings(environ={"SUPER_AGENT_KEEP_ALIVE": value}).keep_alive)
        [row] = management.loaded()
    assert stays_s(row.expires_at) == pytest.approx(EXPECTED_S[value], abs=5)


EXPECTED_S = {"30m": 1800, "2h": 7200, "1h30m": 5400, "90s": 90, "1800": 1800, "-1": math.inf, "-1m": math.inf}


def stays_s(expires_at: float | None) -> float:
    """Seconds from now; beyond a century it is for ever."""
    left = math.inf if expires_at is None else expires_at - time.time()
    return left if left < 100 * 365 * 86400 else math.inf
