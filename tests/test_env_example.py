"""`.env.example` documents the settings: all of them, nothing else, and with their real defaults."""

import re
from pathlib import Path

import pytest

from super_agent.core.settings import VARIABLES, Settings, load_settings

EXAMPLE = Path(__file__).resolve().parent.parent / ".env.example"
ASSIGNMENT = re.compile(r"^#?([A-Z][A-Z_]*)=(.*)$")


def _assignments() -> list[tuple[str, str]]:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    return [(found[1], found[2]) for line in lines if (found := ASSIGNMENT.match(line))]


def test_every_setting_is_documented_once_and_nothing_else() -> None:
    assert sorted(name for name, _ in _assignments()) == sorted(VARIABLES)


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
