"""When further attempts may be sampled beside one: with a GPU or where the user says so, and only for a run alone."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from super_agent.core.settings import load_settings
from super_agent.session.run_assembly import spare_slots


@pytest.mark.parametrize(
    ("in_graphics_memory", "named", "alone", "spare"),
    [(100, None, True, 2), (0, None, True, 0), (60, None, True, 0), (0, 3, True, 2), (100, 3, False, 0)],
)
def test_slots_are_spare_with_a_gpu_or_by_name(
    monkeypatch: pytest.MonkeyPatch, in_graphics_memory: int, named: int | None, alone: bool, spare: int
) -> None:
    monkeypatch.setattr("super_agent.core.ollama.processes.slots", lambda _base_url, _weights: 3)
    loaded = SimpleNamespace(size=100, size_vram=in_graphics_memory)
    ready = SimpleNamespace(loaded=loaded, details=SimpleNamespace(weights="w"))
    session = SimpleNamespace(ready=ready, queue=SimpleNamespace(alone=lambda: alone))
    assert spare_slots(load_settings({"slots": named}, environ={}), cast("Any", session)) == spare
