"""From what two looks saw to the cause: no server is asked."""

import string
from dataclasses import replace
from typing import get_args

import pytest

from super_agent.core.instance.diagnosis import (
    Cause,
    CauseKind,
    ServerObservation,
    WantedModel,
    find_cause,
    foreign_load,
)
from super_agent.core.instance.diagnosis_messages import CAUSES, PREVENTIONS, cause_text, repair_text
from super_agent.core.ollama.api import LoadedModel, ModelDetails

NOW = 1_700_000_000.0
WANTED = WantedModel("mine", base="base:1b", baked=8192)
MINE = LoadedModel("mine:latest", "d1", 300, 0, 8192, NOW + 600)
OTHER = LoadedModel("other:latest", "d9", 900, 0, 4096, NOW + 600)
BEFORE = ServerObservation(NOW, (MINE,), server_pid=7)


def later(*rows: LoadedModel, **changes: object) -> ServerObservation:
    """A look a minute after."""
    return replace(ServerObservation(NOW + 60, rows, server_pid=7), **changes)  # type: ignore[arg-type]


ALIAS = replace(MINE, name="twin:latest", context_length=2048)
BASE = replace(MINE, name="base:1b", context_length=4096)
CASES: dict[CauseKind, tuple[ServerObservation, ServerObservation]] = {
    "server_restarted": (BEFORE, later(server_pid=8)),
    "model_replaced": (BEFORE, later(replace(MINE, digest="d2", context_length=1024))),
    "base_name": (BEFORE, later(BASE, siblings=frozenset({"base:1b"}))),
    "other_alias": (BEFORE, later(ALIAS, siblings=frozenset({"twin:latest"}))),
    "foreign_context": (BEFORE, later(replace(MINE, context_length=1024))),
    "foreign_load": (BEFORE, later(replace(MINE, name="", context_length=1024), siblings=frozenset({""}))),
    "keep_alive_ended": (replace(BEFORE, rows=(replace(MINE, expires_at=NOW + 30),)), later(OTHER, max_loaded=1)),
    "displaced": (BEFORE, later(OTHER, max_loaded=1)),
    "memory": (BEFORE, later(OTHER, max_loaded=0)),
    "displaced_or_memory": (BEFORE, later(OTHER)),
    "unloaded": (BEFORE, later()),
    "not_loaded_yet": (ServerObservation(NOW), later()),
    "in_between": (BEFORE, later(MINE)),
}


@pytest.mark.parametrize("kind", CASES)
def test_each_cause_is_found_from_what_shows_it(kind: CauseKind) -> None:
    before, now = CASES[kind]
    assert find_cause(WANTED, [before, now]).kind == kind


def test_a_runner_that_is_started_with_our_own_context_blames_nobodys_num_ctx() -> None:
    starting = later(replace(MINE, name=""), siblings=frozenset({""}))
    assert find_cause(WANTED, [BEFORE, starting]).kind == "in_between"


def test_a_foreign_context_explains_the_load_that_undoes_it_too() -> None:
    foreign = later(replace(MINE, context_length=1024))
    assert find_cause(WANTED, [foreign, later(MINE)]).kind == "foreign_context"


def test_of_many_looks_the_one_that_shows_something_tells() -> None:
    looks = [BEFORE, later(MINE), later(BASE, siblings=frozenset({"base:1b"})), later(MINE)]
    assert find_cause(WANTED, looks).kind == "base_name"


def test_what_was_used_since_the_look_lives_longer() -> None:
    before = replace(BEFORE, rows=(replace(MINE, expires_at=NOW + 30),))
    assert find_cause(WANTED, [before, later()], last_use=NOW + 50).kind == "unloaded"


def test_a_model_that_was_there_before_took_no_place() -> None:
    both = replace(BEFORE, rows=(MINE, OTHER))
    assert find_cause(WANTED, [both, later(OTHER, max_loaded=0)]).kind == "unloaded"


def test_without_an_earlier_look_nothing_is_guessed() -> None:
    assert find_cause(WANTED, [later(OTHER)]).kind == "not_loaded_yet"


def test_an_alias_with_the_same_context_is_a_cause_only_where_something_was_loaded() -> None:
    shared = later(replace(ALIAS, context_length=8192), siblings=frozenset({"twin:latest"}))
    assert foreign_load(WANTED, later(MINE)) is None
    assert find_cause(WANTED, [BEFORE, shared]).kind == "other_alias"


def test_more_context_than_the_model_has_is_no_foreign_context() -> None:
    details = ModelDetails("mine", (), "llama", 32768, 8192, "", "base:1b", "", "")
    assert WantedModel.of(details) == WANTED
    assert WantedModel.of(replace(details, num_ctx=None)).baked is None


def test_programs_that_are_connected_are_named() -> None:
    now = later(replace(MINE, context_length=1024), programs=("curl (pid 5)", "curl (pid 5)"))
    text = cause_text(find_cause(WANTED, [BEFORE, now]))
    assert text == (
        "a client sends its own num_ctx: 1024 tokens instead of the 8192 baked in; connected now: curl (pid 5)"
    )


def test_every_cause_has_words_in_both_languages_that_use_the_same_values() -> None:
    for table in (CAUSES, PREVENTIONS):
        for kind in get_args(CauseKind):
            assert _fields(table["en"][kind]) == _fields(table["pt"][kind]), kind
        assert set(table["en"]) == set(table["pt"]) == set(get_args(CauseKind))


def test_the_words_need_no_more_than_what_was_found() -> None:
    for before, now in CASES.values():
        cause = find_cause(WANTED, [before, now])
        for language in ("en", "pt"):
            assert "{" not in cause_text(cause, language) + repair_text(cause, language)


def test_the_words_of_a_displacement() -> None:
    cause = Cause("displaced", {"model": "mine", "name": "other:latest", "limit": 1, "more": 2})
    assert cause_text(cause) == "other:latest took its place: the server keeps 1 loaded (OLLAMA_MAX_LOADED_MODELS)"
    assert repair_text(cause) == (
        "Start the server with OLLAMA_MAX_LOADED_MODELS=2, or: ollama stop other:latest, then: "
        "super-agent up --model mine"
    )


def _fields(text: str) -> set[str | None]:
    return {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name}
