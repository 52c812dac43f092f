"""How many tokens were evaluated: computed from the prefix, confirmed or corrected by the server's own time."""

from super_agent.core.model.evaluation import Evaluated, EvaluationMeter

PER_TOKEN_S = 0.005


def rated() -> EvaluationMeter:
    meter = EvaluationMeter()
    for tokens in (400, 60, 80):
        meter.read(tokens, 0, tokens * PER_TOKEN_S)
    return meter


def test_without_times_what_extends_the_prefix_is_computed() -> None:
    assert EvaluationMeter().read(1000, 950, None) == Evaluated(50, measured=False)


def test_times_that_agree_confirm_the_computed_count() -> None:
    assert rated().read(1000, 950, 50 * PER_TOKEN_S * 1.5) == Evaluated(50, measured=True)


def test_the_first_calls_are_only_computed() -> None:
    assert EvaluationMeter().read(400, 0, 2.0) == Evaluated(400, measured=False)


def test_a_lost_cache_shows_in_the_time() -> None:
    assert rated().read(1000, 950, 1000 * PER_TOKEN_S) == Evaluated(1000, measured=True)


def test_a_lost_cache_does_not_change_what_a_token_usually_costs() -> None:
    meter = rated()
    for _ in range(10):
        meter.read(1000, 950, 1000 * PER_TOKEN_S)
    assert meter.read(1000, 950, 50 * PER_TOKEN_S) == Evaluated(50, measured=True)
