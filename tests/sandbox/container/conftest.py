"""Containers on a scripted engine."""

import os
from pathlib import Path

import pytest

from interpreter.sandbox.container_image import IMAGE_PYTHON
from interpreter.sandbox.protocol import SandboxPolicy
from tests.sandbox.scripted_engine import ScriptedEngine

IMAGE = "localhost/image:1"


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    folder = tmp_path / "engine"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return ScriptedEngine(folder)


@pytest.fixture
def policy(workspace: Path, engine: ScriptedEngine) -> SandboxPolicy:
    return SandboxPolicy(workspace, IMAGE_PYTHON, engine="podman", image=IMAGE)
