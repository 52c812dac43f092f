"""Who is in the team, and how it tries, by the model's size and the user's word."""

from pathlib import Path

import pytest

from super_agent.core.model.sampling import first_sampling
from super_agent.core.ollama.api import ModelDetails
from super_agent.core.settings import load_settings
from super_agent.team.composition import Composition, composition


def details(parameters: int | None) -> ModelDetails:
    return ModelDetails("m", (), "f", None, None, "", "", "", "", parameter_count=parameters)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (None, Composition(plans=True)),
        (16_000_000_000, Composition(plans=True)),
        (7_600_000_000, Composition(plans=False)),
        (1_543_714_304, Composition(plans=False, repairs=0, blind=True, brief=True)),
        (134_515_008, Composition(plans=False, repairs=0, blind=True)),
    ],
)
def test_by_the_models_size(parameters: int | None, expected: Composition) -> None:
    assert composition(load_settings(environ={}), details(parameters)) == expected


def test_by_the_users_word() -> None:
    everybody = load_settings(environ={"SUPER_AGENT_MEMBERS": "reviewer, planner,coder", "SUPER_AGENT_ATTEMPTS": "4"})
    assert composition(everybody, details(1_543_714_304)) == Composition(True, "always", 4)
    coder = load_settings(environ={"SUPER_AGENT_MEMBERS": "coder"})
    assert composition(coder, details(None)) == Composition(False, "never")
    assert composition(coder, details(1_543_714_304)).brief
    planner = load_settings(environ={"SUPER_AGENT_MEMBERS": "planner,coder"})
    assert not composition(planner, details(1_543_714_304)).brief


def test_seeds_are_the_users_or_the_sessions_own(tmp_path: Path) -> None:
    given = load_settings(environ={"SUPER_AGENT_SEED": "3"})
    assert first_sampling(given, "one") == first_sampling(given, "other")
    free = load_settings(environ={})
    assert first_sampling(free, "one") == first_sampling(free, "one") != first_sampling(free, "other")
