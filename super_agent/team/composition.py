"""Who is in the team and how it tries: what the user asked for, else what measured best for the model's size."""

import zlib
from dataclasses import dataclass
from typing import Literal

from super_agent.core.ollama.api import ModelDetails
from super_agent.core.settings import Settings

PLANS_FROM = 8_000_000_000
"""Weights; the step of a smaller model's plan led its coder away from the form that it had been shown."""


@dataclass(frozen=True, slots=True)
class Composition:
    """As in `flow.Rules`."""

    plans: bool = True
    reviews: Literal["always", "needed", "never"] = "needed"
    attempts: int = 1
    repairs: int | None = None


def composition(settings: Settings, details: ModelDetails) -> Composition:
    """A model of unknown size counts as a large one."""
    count = details.parameter_count
    small = count is not None and count < PLANS_FROM
    attempts = settings.attempts or 1
    if settings.members is None:
        return Composition(not small, "needed", attempts)
    plans, reviews = ("planner" in settings.members, "reviewer" in settings.members)
    return Composition(plans, "always" if reviews else "never", attempts)


def first_seed(settings: Settings, session: str) -> int:
    """The user's, else one of the session's own: another run tries other things, a resumed one the same."""
    return zlib.crc32(session.encode()) % 1_000_000 * 100 if settings.seed is None else settings.seed * 100
