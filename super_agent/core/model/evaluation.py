"""How many tokens of a prompt a server really evaluated, from what the replies tell.

Neither API says it: `prompt_eval_count` and `usage.prompt_tokens` count cached tokens too. What extends the previous
prompt and its reply need not be evaluated again, so the rest is computed; where the native API times the evaluation,
the time confirms the computed count or shows that the cache was lost.
"""

import statistics
from dataclasses import dataclass, field

RATED_FROM_TOKENS = 24
"""Below this the fixed cost of a call (about 20 ms with the test model) hides what a token costs."""
RATED_FROM_CALLS = 3
LOST_FROM_RATIO = 4.0
"""Times the usual cost of a call's tokens. Measured on two busy cores, the same call varies by less than half of it."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Tokens of one prompt; `measured` where the server's own time confirms the count or gave it."""

    tokens: int
    measured: bool


@dataclass(slots=True)
class EvaluationMeter:
    """One conversation's calls; the usual seconds for each token are the median of the calls so far."""

    _seconds_per_token: list[float] = field(default_factory=list)

    def read(self, prompt_tokens: int, reused_tokens: int, prompt_s: float | None) -> Evaluated:
        """`reused_tokens` of the prompt stood in the cache if nothing disturbed it; `prompt_s` is None on `/v1`."""
        computed = max(1, prompt_tokens - reused_tokens)
        if prompt_s is None:
            return Evaluated(computed, measured=False)
        usual = statistics.median(self._seconds_per_token) if self._rated else None
        if usual and prompt_s > LOST_FROM_RATIO * usual * computed and computed >= RATED_FROM_TOKENS:
            return Evaluated(max(computed, min(prompt_tokens, round(prompt_s / usual))), measured=True)
        if computed >= RATED_FROM_TOKENS and prompt_s > 0:
            self._seconds_per_token.append(prompt_s / computed)
        return Evaluated(computed, measured=usual is not None)

    @property
    def _rated(self) -> bool:
        return len(self._seconds_per_token) >= RATED_FROM_CALLS
