"""No workspace may hold, or lie in, what the running program trusts."""

import sys
from pathlib import Path

import pytest

import interpreter
import super_agent
from super_agent.core.errors import WorkspaceRefused
from super_agent.core.files.workspace import Workspace
from super_agent.core.settings import load_settings
from super_agent.session.protected_folders import protected_folders


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, ...]:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for kind in ("DATA", "CACHE", "CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / "trusted" / kind.lower()))
    return protected_folders(load_settings({"state_dir": str(tmp_path / "trusted" / "elsewhere")}))


def test_code_environments_and_every_folder_of_the_user_are_among_them(own: tuple[Path, ...], tmp_path: Path) -> None:
    trusted = tmp_path / "trusted"
    kinds = [trusted / kind / "super-agent" for kind in ("data", "cache", "config", "state")]
    code = [Path(str(package.__file__)).parent for package in (super_agent, interpreter)]
    assert {*kinds, *code, trusted / "elsewhere", Path(sys.prefix)} <= set(own)


@pytest.mark.parametrize("place", ["holds", "is", "lies in"])
def test_a_workspace_around_or_in_one_is_refused(own: tuple[Path, ...], tmp_path: Path, place: str) -> None:
    for folder in own:
        if not folder.is_relative_to(tmp_path):
            continue
        chosen = {"holds": folder.parent, "is": folder, "lies in": folder / "project"}[place]
        chosen.mkdir(parents=True, exist_ok=True)
        with pytest.raises(WorkspaceRefused, match="which belongs to the running program"):
            Workspace(chosen, protected=own)


def test_a_workspace_in_the_running_code_is_refused(own: tuple[Path, ...]) -> None:
    for package, room in ((super_agent, "cli"), (interpreter, "sandbox")):
        with pytest.raises(WorkspaceRefused, match="lies in"):
            Workspace(Path(str(package.__file__)).parent / room, protected=own)
