"""The watch of a run and its preflight, against the scripted server, whose models load and reload as Ollama's do."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from super_agent.core.errors import InstanceChanged
from super_agent.core.events import Event, InstanceNoted, Notice
from super_agent.core.instance.client_registry import ClientLock
from super_agent.core.instance.instance_watch import InstanceWatch, make_ready
from super_agent.core.instance.server_observation import remembered
from super_agent.core.ollama.api import Ollama
from tests.scripted_models import Model
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Refuse

CONTEXT = 16384


class Watched:
    """A watch that has begun."""

    def __init__(self, scripted: ScriptedOllama, stack: ExitStack, state: Path, **flags: Any) -> None:
        self.scripted, self.catalogue = scripted, scripted.catalogue
        self.model = self.catalogue.models["scripted:latest"]
        self.settings = scripted.settings(state_dir=state)
        self.events: list[Event] = []
        self.server = stack.enter_context(Ollama(self.settings))
        self.watch = InstanceWatch(self.server, self.settings, self.events.append, **flags)

    def begin(self) -> None:
        self.watch.begin(make_ready(self.server, self.settings, self.events.append))

    def noted(self) -> list[tuple[str, str]]:
        return [(e.kind, e.cause) for e in self.events if isinstance(e, InstanceNoted)]

    def notices(self) -> list[tuple[str, str, str]]:
        return [(e.level, e.text, e.fix) for e in self.events if isinstance(e, Notice)]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def scripted(stack: ExitStack) -> ScriptedOllama:
    base = Model("base:latest", max_context=CONTEXT)
    return stack.enter_context(ScriptedOllama(context_length=CONTEXT, models=[base]))


@pytest.fixture
def watched(scripted: ScriptedOllama, stack: ExitStack, tmp_path: Path) -> Watched:
    return Watched(scripted, stack, tmp_path)


def test_nothing_is_said_where_nothing_happens(watched: Watched) -> None:
    watched.begin()
    for _ in range(3):
        watched.watch.observe_before_call()
        watched.watch.observe()
    assert watched.noted() == []
    assert watched.notices() == []


def test_a_glance_before_the_request_sees_whose_context_it_is_and_the_next_one_why_it_comes_back(
    watched: Watched,
) -> None:
    watched.begin()
    watched.catalogue.reload(1024)
    watched.watch.observe_before_call()
    watched.catalogue.use(watched.model)
    watched.watch.observe_before_call()
    why = f"a client sends its own num_ctx: 1024 tokens instead of the {CONTEXT} baked in"
    assert watched.noted() == [("reload", why), ("reload", why)]
    assert watched.watch.counts["reload"] == 2


def test_a_server_that_does_not_answer_a_glance_is_the_requests_own_business(watched: Watched) -> None:
    watched.begin()
    watched.scripted.overrides["/api/ps"] = Refuse(500, "busy")
    watched.watch.observe_before_call()
    assert watched.noted() == []


def test_a_strict_run_ends_at_the_glance_with_cause_and_fix(
    scripted: ScriptedOllama, stack: ExitStack, tmp_path: Path
) -> None:
    watched = Watched(scripted, stack, tmp_path, strict=True)
    watched.begin()
    watched.catalogue.reload(1024)
    with pytest.raises(InstanceChanged, match=r"reload.*its own num_ctx: 1024.*Let that client send no num_ctx"):
        watched.watch.observe_before_call()


def test_a_model_that_comes_back_without_a_word_from_v1_is_a_load_with_the_cause_of_its_absence(
    watched: Watched,
) -> None:
    watched.begin()
    watched.catalogue.loaded.clear()
    watched.watch.observe()
    watched.catalogue.use(watched.model)
    watched.watch.observe()
    watched.watch.observe()
    kinds = [kind for kind, _cause in watched.noted()]
    causes = {cause for _kind, cause in watched.noted()}
    assert kinds == ["eviction", "load"]
    assert causes == {
        "it was unloaded (`ollama stop`, a keep_alive of 0, to be loaded otherwise), or its process ended"
    }


def test_a_model_that_a_request_loaded_again_gets_our_keep_alive_again(watched: Watched) -> None:
    watched.begin()
    wanted = watched.catalogue.loaded[watched.model.weights].expires_at
    watched.catalogue.loaded.clear()
    watched.watch.observe_before_call()
    watched.catalogue.use(watched.model)  # as a request of `/v1` does, which can carry no keep_alive
    assert watched.catalogue.loaded[watched.model.weights].expires_at < wanted - 60
    watched.watch.observe()
    assert watched.catalogue.loaded[watched.model.weights].expires_at >= wanted
    watched.watch.observe()
    assert [kind for kind, _cause in watched.noted()] == ["eviction", "load"]


def test_the_last_look_is_kept_for_the_next_command(watched: Watched) -> None:
    assert remembered(watched.settings) is None
    watched.begin()
    kept = remembered(watched.settings)
    assert kept is not None
    assert [row.name for row in kept.rows] == ["scripted:latest"]
    [path] = (watched.settings.state_dir / "looks").iterdir()
    path.write_text("{}")
    assert remembered(watched.settings) is None


def test_a_foreign_context_is_repaired_before_the_run_and_told(watched: Watched) -> None:
    watched.catalogue.use(watched.model, {"num_ctx": 1024})
    watched.begin()
    assert watched.catalogue.context_of(watched.model) == CONTEXT
    assert watched.notices() == [
        (
            "warning",
            "scripted was not loaded as it should be: a client sends its own num_ctx: 1024 tokens instead of the "
            f"{CONTEXT} baked in; it is loaded anew for this run",
            "Let that client send no num_ctx",
        )
    ]


def test_an_alias_with_the_same_context_that_is_loaded_is_no_conflict(watched: Watched) -> None:
    twin = Model("twin:latest", CONTEXT, max_context=CONTEXT)
    watched.catalogue.models["twin:latest"] = twin
    watched.catalogue.use(twin)
    watched.begin()
    assert watched.notices() == []


def test_a_context_too_short_is_said_once_with_what_can_be_done(
    scripted: ScriptedOllama, stack: ExitStack, tmp_path: Path
) -> None:
    scripted.catalogue.models["scripted:latest"] = Model("scripted:latest", 4096, max_context=32768)
    large = Watched(scripted, stack, tmp_path)
    large.begin()
    bake = "super-agent up --model NAME --from scripted --context 16384"
    assert large.notices() == [("warning", "scripted has a context of 4096; real work needs 16384", bake)]
    scripted.catalogue.models["scripted:latest"] = Model("scripted:latest", 4096, max_context=8192)
    small = Watched(scripted, stack, tmp_path)
    small.begin()
    assert [fix for _level, _text, fix in small.notices()] == [
        "Choose a model with a longer context: 8192 is its own limit"
    ]


def test_a_model_without_a_context_of_its_own_is_said(watched: Watched) -> None:
    watched.catalogue.models["scripted:latest"] = Model("scripted:latest", max_context=CONTEXT)
    watched.begin()
    assert [text for _level, text, _fix in watched.notices()] == [
        "scripted has a context of 4096; real work needs 16384"
    ]


def test_clients_of_another_run_are_told(watched: Watched) -> None:
    lock = ClientLock(watched.settings, "autogen")
    try:
        watched.begin()
    finally:
        lock.close()
    assert [(level, text) for level, text, _fix in watched.notices()] == [
        ("info", "other runs use scripted now (1 autogen): each request waits for the one before it")
    ]
