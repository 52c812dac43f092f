"""Originals are kept once, privately, under names that no workspace path can steer."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from super_agent.core.errors import SettingInvalid
from super_agent.core.state import SessionFolder, new_session_id


def test_the_first_original_of_a_path_is_kept(tmp_path: Path) -> None:
    session = SessionFolder(tmp_path / "state", "s1")
    session.save_original("../../a.py", b"one")
    session.save_original("../../a.py", b"two")
    session.save_original("new.py", None)
    folder = tmp_path / "state" / "sessions" / "s1" / "originals"
    index = [line.split("\t") for line in (folder / "index.tsv").read_text().splitlines()]
    assert [(kind, path) for _, kind, path in index] == [("saved", "../../a.py"), ("absent", "new.py")]
    assert (folder / index[0][0]).read_bytes() == b"one"
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / index[0][0]).stat().st_mode) == 0o600


def test_a_state_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingInvalid, match="SUPER_AGENT_STATE_DIR"):
        SessionFolder(tmp_path / "file" / "state", "s1")


def test_session_ids_sort_by_time_and_differ() -> None:
    now = datetime(2026, 9, 5, 14, 15, 2, tzinfo=UTC)
    one, two = new_session_id(now), new_session_id(now)
    assert one.startswith("20260905-141502-")
    assert one != two
