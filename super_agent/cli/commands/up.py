"""`up`: the configured server and model made ready; says what it did, and does nothing twice."""

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from interpreter.engine.environment import ensure_engine_python, ensure_sandbox_python
from super_agent.cli.render.capabilities import draws
from super_agent.cli.say import say, say_json
from super_agent.core.errors import ModelNotFound, OllamaUnreachable, ServerFailed, UsageError
from super_agent.core.instance.context_fitting import fit_context
from super_agent.core.instance.instance_watch import find_loaded
from super_agent.core.ollama.aliases import Recipe, create_alias, is_ours, recipe_for
from super_agent.core.ollama.api import Ollama, ProgressResponse, same_model
from super_agent.core.ollama.server import start_server
from super_agent.core.settings import Settings, load_settings


def main(
    base: str | None,
    context: int | None,
    flags: dict[str, Any],
    env_file: Path | None,
    *,
    as_json: bool,
    demo: bool = False,
) -> int:
    """Make everything ready; raises the `SuperAgentError` of what could not be."""
    if demo and (base or context):
        raise UsageError("--demo chooses the model by itself", fix="Leave out --from and --context, or --demo")
    settings = load_settings(flags, env_file=env_file)
    tell = _json_teller() if as_json else _text_teller()
    with Ollama(settings) as server:
        _server_ready(server, settings, tell)
        if demo:
            settings = _demo_model_ready(server, settings, tell)
        else:
            _model_ready(server, settings, base, context, tell)
        ensure_engine_python(lambda text: tell("engine", text))
        ensure_sandbox_python(lambda text: tell("sandbox", text))
        tell("engine", "the executor's environment is ready")
        _loaded(server, settings, tell)
    return 0


TellPart = Callable[[str, str], None]


def _server_ready(server: Ollama, settings: Settings, tell: TellPart) -> None:
    try:
        version = server.version()
    except OllamaUnreachable:
        started = start_server(server, settings)
        tell("server", f"started Ollama {started.version} at {settings.base_url} (log: {started.log})")
    else:
        tell("server", f"Ollama {version} runs at {settings.base_url}")


def _demo_model_ready(server: Ollama, settings: Settings, tell: TellPart) -> Settings:
    from super_agent.provision.demo_model import ready_model

    choice = ready_model(server, settings, lambda text: tell("model", text))
    tell("model", f"{choice.model}: {choice.reason}; say --model {choice.model} or DEFAULT_MODEL={choice.model}")
    return settings.model_copy(update={"model": choice.model})


def _model_ready(server: Ollama, settings: Settings, base: str | None, context: int | None, tell: TellPart) -> None:
    model = settings.model
    try:
        details = server.show_local(model)
    except ModelNotFound:
        recipe = recipe_for(model, base, context)
        _pulled(server, recipe, tell)
        if "num_ctx" in recipe.parameters:
            _follow(create_alias(server, model, recipe), f"making {model}", tell)
        else:
            recipe = fit_context(server, model, recipe, settings.keep_alive, lambda text: tell("model", text))
        tell("model", f"made {model} from {recipe.base} with {_words(recipe)}")
        return
    wanted = context if context is not None else details.num_ctx
    if (base is None or same_model(base, details.parent)) and wanted == details.num_ctx:
        baked = (
            f"context {details.num_ctx} baked in"
            if details.num_ctx
            else "no context baked in: the server's default applies"
        )
        tell("model", f"{model} is there, {baked}")
        return
    if not is_ours(details):
        raise UsageError(
            f"{model} exists with context {details.num_ctx} and was not made by super-agent, so it is left alone",
            fix=f"Make another: super-agent up --model NAME --from {model} --context {wanted or 16384}",
        )
    recipe = recipe_for(model, base or details.parent, context or details.num_ctx)
    tell("model", f"{model} changes: context {details.num_ctx} -> {recipe.parameters['num_ctx']}, from {recipe.base}")
    _pulled(server, recipe, tell)
    _follow(create_alias(server, model, recipe), f"making {model}", tell)


def _pulled(server: Ollama, recipe: Recipe, tell: TellPart) -> None:
    try:
        server.show_local(recipe.base)
    except ModelNotFound:
        tell("model", f"pulling {recipe.base}")
        _follow(server.pull(recipe.base), f"pulling {recipe.base}", tell)
        server.show_local(recipe.base)


def _loaded(server: Ollama, settings: Settings, tell: TellPart) -> None:
    seconds = server.load(settings.model, settings.keep_alive)
    row = find_loaded(server, settings.model)
    if row is None:
        raise ServerFailed(f"the server loaded {settings.model} and dropped it at once", fix="See the server's log")
    where = (
        "graphics memory" if row.size_vram >= row.size else f"main memory ({(row.size - row.size_vram) / 1e9:.1f} GB)"
    )
    until = "for ever" if row.expires_at is None else f"until {time.strftime('%H:%M', time.localtime(row.expires_at))}"
    tell("loaded", f"{row.name} is loaded ({seconds:.1f} s), context {row.context_length}, in {where}, kept {until}")


def _words(recipe: Recipe) -> str:
    return ", ".join(f"{name} {value}" for name, value in recipe.parameters.items())


def _follow(steps: Iterable[ProgressResponse], title: str, tell: TellPart) -> None:
    """Show progress: a bar in a terminal, a line for each tenth otherwise."""
    if draws(sys.stdout):
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Bar(*columns, transient=True) as bar:
            task = bar.add_task(title, total=None)
            for step in steps:
                bar.update(task, total=step.total or None, completed=step.completed, description=step.status or title)
        return
    shown = -1
    for step in steps:
        tenth = 10 * step.completed // step.total if step.total else -1
        if tenth > shown:
            shown = tenth
            tell("model", f"{title}: {tenth * 10} %")


def _text_teller() -> TellPart:
    def tell(_step: str, text: str) -> None:
        say(f"{text}\n")

    return tell


def _json_teller() -> TellPart:
    def tell(step: str, text: str) -> None:
        say_json({"version": 1, "step": step, "text": text})

    return tell
