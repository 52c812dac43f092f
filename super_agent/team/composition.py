"""Who is in the team and how it tries: what the user asked for, else what measured best for the model's size."""

from dataclasses import dataclass
from typing import Literal

from super_agent.core.ollama.api import ModelDetails
from super_agent.core.settings import Settings

PLANS_FROM = 8_000_000_000
"""Weights; the step of a smaller model's plan led its coder away from the form that it had been shown."""
BLIND_BELOW = 4_000_000_000
"""Qwen2.5-Coder 1.5B, shown its own file and the failing tests, wrote the same reply again, word for word, in seven of
seven repairs over three tasks, at temperature 0.4 too. So at this size nothing is repaired but syntax: each attempt is
sampled anew, which is published to unlock more tasks as well (arXiv 2606.31511)."""

BRIEF_FROM = 400_000_000
"""SmolLM2 of 135M finds no form without a worked example; Qwen2.5-Coder of 494M does."""


@dataclass(frozen=True, slots=True)
class Composition:
    """As in `flow.Rules`; `brief` is for a prompt without a worked example where a check decides, see `roles`."""

    plans: bool = True
    reviews: Literal["always", "needed", "never"] = "needed"
    attempts: int = 1
    repairs: int | None = None
    blind: bool = False
    brief: bool = False


def composition(settings: Settings, details: ModelDetails) -> Composition:
    """A model of unknown size counts as a large one."""
    count = details.parameter_count
    small = count is not None and count < PLANS_FROM
    attempts = settings.attempts or 1
    blind = count is not None and count < BLIND_BELOW
    brief = count is not None and BRIEF_FROM <= count < BLIND_BELOW
    repairs = 0 if blind else None
    if settings.members is None:
        return Composition(not small, "needed", attempts, repairs, blind, brief)
    plans = "planner" in settings.members
    if "reviewer" in settings.members:  # whose words are for a coder that sees them: nothing is begun anew unseen
        return Composition(plans, "always", attempts)
    return Composition(plans, "never", attempts, repairs, blind, brief and not plans)
