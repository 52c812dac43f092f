"""A judge with the sandbox's own Python, made once."""

import pytest

from evaluation.judge import Judge
from interpreter.engine.environment import ensure_sandbox_python


@pytest.fixture(scope="session")
def judge() -> Judge:
    """What decides in the evaluation."""
    return Judge(ensure_sandbox_python(lambda _text: None))
