"""How large a context fits is found by trial loads."""

from super_agent.core.instance.context_fitting import fit_context
from super_agent.core.ollama.aliases import Recipe
from super_agent.core.ollama.api import Ollama
from tests.scripted_models import Model
from tests.scripted_ollama import ScriptedOllama


def fitted(max_context: int, vram_share: float) -> tuple[int | float, list[str]]:
    told: list[str] = []
    with ScriptedOllama(models=[Model("base:latest", max_context=max_context)]) as double:
        double.catalogue.vram_share = vram_share
        with Ollama(double.settings(model="mine")) as server:
            recipe = fit_context(server, "mine", Recipe("base", {}), "5m", told.append)
            assert server.show("mine").num_ctx == recipe.parameters["num_ctx"]
    return recipe.parameters["num_ctx"], told


def test_the_models_own_limit_is_taken_where_it_fits() -> None:
    assert fitted(40960, 1.0) == (40960, [])


def test_no_more_than_a_model_of_one_gpu_uses_well() -> None:
    assert fitted(1_000_000, 1.0) == (65536, [])


def test_what_would_leave_the_graphics_memory_is_halved_down_to_what_real_work_needs() -> None:
    context, told = fitted(65536, 0.5)
    assert context == 16384
    assert [text.split(" leaves")[0] for text in told] == [f"a context of {n}" for n in (65536, 32768, 16384)]


def test_a_small_model_is_not_refused() -> None:
    assert fitted(8192, 1.0) == (8192, [])
