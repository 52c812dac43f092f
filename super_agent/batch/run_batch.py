"""`super-agent batch TASKS`: from the command line to the summary."""

import asyncio
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from super_agent.batch.driver import Bounds, Driver, Start, locks
from super_agent.batch.local_attempt import AttemptContext, LocalAttempt, remove_leftovers, require_setup_is_wanted
from super_agent.batch.progress_display import BatchProgress
from super_agent.batch.progress_notes import NotedProgress
from super_agent.batch.repositories import Repositories
from super_agent.batch.results_file import ResultsFile, cannot_write
from super_agent.batch.results_page import totals, write_page
from super_agent.batch.summary_and_predictions import BatchSummary, summarize, write_predictions, write_summary
from super_agent.batch.task_index import IndexedTask, TaskIndex
from super_agent.batch.tasks import BadTasks, Task, read_tasks
from super_agent.core.errors import ExitCode, UsageError
from super_agent.core.instance.server_observation import model_digest, parallel_slots
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import Settings, load_settings
from super_agent.core.store.store import Store
from super_agent.tools.listed import require_listed

PLAIN_FLAGS = ("model", "base_url", "sandbox", "max_turns", "max_time_s", "max_tokens")
"""Settings that are given on to each run where the batch was given them."""


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """What the command line said beside the settings; numbers are checked here, so that one line names them."""

    tasks: str
    out: Path | None
    parallel: str | None
    failures: str | None
    time: str | None
    repositories: Path | None
    html: Path | None
    yes: bool
    json: bool
    ray: str | None = None
    any_model: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """What the server says of the model before anything runs."""

    digest: str
    slots: int


def main(options: BatchOptions, flags: Mapping[str, Any], env_file: Path | None) -> int:
    """Run the batch to its end; returns the exit code. Raises `SuperAgentError`."""
    settings = load_settings(flags, env_file=env_file)
    if settings.store == "off" or settings.snapshots == "off":
        raise UsageError("a batch needs the session store and snapshots, and one is off", fix="Set both to on")
    if settings.mcp and options.ray is not None:
        raise UsageError(
            f"--mcp {','.join(settings.mcp)} is not used with --ray: a node has no list of yours",
            fix="Run it here, or set SUPER_AGENT_MCP where `super-agent node` is started, and not here",
        )
    require_listed(settings)
    _require_places(options)
    bounds = _bounds(options, settings)
    folder = _folder(options)
    with ExitStack() as stack:
        results, index = _opened(options, settings, folder, stack)
        require_setup_is_wanted(sum(entry.setup for entry in index.entries), yes=options.yes)
        wanted = {entry.id: entry.hash for entry in index.entries}
        kept = sum(results.counts(name, digest) for name, digest in wanted.items())
        told = BatchProgress(len(wanted), kept, sys.stdout, sys.stderr, options.json)
        progress = NotedProgress(told, settings.state_dir, options.tasks, _kept_done(results, wanted))
        stack.callback(progress.close)
        wants = any(not results.counts(name, digest) for name, digest in wanted.items())
        if options.ray is not None and wants:
            start, slots = _on_cluster(options, settings, folder, progress, results, wanted, stack)
        else:
            model, given = asked(settings) if wants else Model("", 1), run_flags(flags, env_file)
            start, slots = _on_this_machine(model, given, settings, folder, progress, results, wanted, stack)
        parallel = bounds.parallel or slots
        progress.begun(folder, parallel)
        driver = Driver(
            index, results, folder, start, progress,
            Bounds(parallel, bounds.failures, bounds.time_s, 4 * settings.retry_wait_s),
        )  # fmt: skip
        interrupted = asyncio.run(_driven(driver))
        summary = _derived(options, settings, folder, results, wanted)
        progress.ended(asdict(summary), driver.ended_because)
    return _told(options, driver, summary, folder, interrupted=interrupted)


def _kept_done(results: ResultsFile, wanted: Mapping[str, str]) -> int:
    return sum(results.counts(*item) and results.last[item[0]].outcome == "done" for item in wanted.items())


def _on_this_machine(
    model: Model, flags: tuple[str, ...], settings: Settings, folder: Path, progress: NotedProgress,
    results: ResultsFile, wanted: Mapping[str, str], stack: ExitStack,
) -> tuple[Start, int]:  # fmt: skip
    """Its runs work in copies in the batch's folder. Raises `SuperAgentError` before anything runs."""
    context = AttemptContext(
        folder / "runs", settings.state_dir, stack.enter_context(Store.open(settings.state_dir)),
        Repositories(folder / "repos"), flags, settings.model, model.digest,
    )  # fmt: skip
    try:
        context.folder.mkdir(exist_ok=True)
        remove_leftovers(context, lambda name: name in wanted and results.counts(name, wanted[name]))
    except OSError as error:
        raise cannot_write(context.folder, error) from error
    return local(context, progress), model.slots


def local(context: AttemptContext, progress: NotedProgress) -> Start:
    """Attempts on this machine; `progress` is told what their runs tell."""
    locked, host = locks(), socket.gethostname()

    def start(task: Task, entry: IndexedTask, number: int) -> LocalAttempt:
        watch = partial(progress.event, task.id, number, host)
        return LocalAttempt(context, task, entry.hash, number, locked, watch)

    return start


def _on_cluster(
    options: BatchOptions, settings: Settings, folder: Path, progress: NotedProgress, results: ResultsFile,
    wanted: Mapping[str, str], stack: ExitStack,
) -> tuple[Start, int]:  # fmt: skip
    """Join it; nodes that get no task are named. Raises `SuperAgentError` before anything runs."""
    from super_agent.batch.cluster.node_compatibility import ModelFacts
    from super_agent.batch.cluster.ray_attempt import remote
    from super_agent.batch.cluster.ray_cluster import Cluster
    from super_agent.batch.cluster.ray_connection import LOCAL, join
    from super_agent.batch.cluster.ray_output import unheard

    facts = ModelFacts.ask(settings)
    address = options.ray or LOCAL
    stack.enter_context(unheard())
    ray = join(address, facts, settings)
    cluster = Cluster(ray, facts, folder, settings, options.any_model, progress.event, progress.warn)
    stack.callback(lambda: cluster.close(finished=all(results.counts(*item) for item in wanted.items())))
    slots = cluster.slots()
    for refusal in cluster.refused():
        progress.warn(str(refusal))
    return remote(cluster), slots


def asked(settings: Settings) -> Model:
    """Digest and slots of the model; raises `ServerError` where it cannot be had, before anything runs."""
    with Ollama(settings) as server:
        weights = server.show(settings.model).weights
        return Model(model_digest(server, settings.model), parallel_slots(settings, weights))


def run_flags(flags: Mapping[str, Any], env_file: Path | None) -> tuple[str, ...]:
    """The batch's own settings as flags of `run` and `resume`."""
    found = [
        f"--{name.removesuffix('_s').replace('_', '-')}={flags[name]}"
        for name in PLAIN_FLAGS
        if flags.get(name) is not None
    ]
    found += [f"--{name.replace('_', '-')}" for name in ("network", "trust_instructions") if flags.get(name)]
    found += [f"--mcp={name}" for name in flags.get("mcp") or ()]
    return (*found, *([f"--env-file={env_file.absolute()}"] if env_file is not None else []))


async def _driven(driver: Driver) -> bool:
    """Whether a signal ended it. The first lets runs keep their state, and the second kills them."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    seen: list[int] = []

    def interrupt() -> None:
        seen.append(1)
        driver.stop("interrupted")
        if len(seen) > 1 and task is not None:
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    try:
        await driver.run()
    except asyncio.CancelledError:
        if not seen:
            raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    return bool(seen)


def _folder(options: BatchOptions) -> Path:
    if options.out is not None:
        folder = options.out.expanduser()
    elif options.tasks == "-":
        raise UsageError("tasks from standard input need a folder for their results", fix="Name one with --out")
    else:
        folder = Path(f"{Path(options.tasks).name.removesuffix('.jsonl') or 'tasks'}.batch")
    return folder.absolute()


def _require_places(options: BatchOptions) -> None:
    """What would else be found out after a night's work, or lead to repositories being fetched."""
    if options.repositories is not None and not options.repositories.is_dir():
        raise UsageError(f"--repos={options.repositories}: is no folder", fix="Name one that holds OWNER/NAME")
    if options.html is not None and (options.html.is_dir() or not options.html.absolute().parent.is_dir()):
        raise UsageError(f"--html={options.html}: is no file in a folder that exists", fix="Say --html results.html")


def _opened(options: BatchOptions, settings: Settings, folder: Path, stack: ExitStack) -> tuple[ResultsFile, TaskIndex]:
    """The folder with its results held by this process, and the tasks, all of them good."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        results = ResultsFile(folder / "results.jsonl")
        stack.callback(results.close)
        index = TaskIndex.write(folder / "tasks.jsonl", read_tasks(options.tasks, options.repositories), settings)
    except BadTasks as error:
        for complaint in error.complaints:
            sys.stderr.write(f"super-agent: {complaint}\n")
        raise
    except OSError as error:
        raise cannot_write(folder, error) from error
    return results, index


def _bounds(options: BatchOptions, settings: Settings) -> Bounds:
    parallel = _number(options.parallel, "--parallel") or settings.slots or 0
    return Bounds(parallel, _number(options.failures, "--until-failures"), _seconds(options.time))


def _number(text: str | None, flag: str) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise UsageError(f"{flag}={text}: allowed are whole numbers from 1", fix=f"For example {flag} 4")
    return int(text)


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(text[-1:], 0)
    number = text[:-1] if unit else text
    if not number.isdecimal() or int(number) < 1:
        raise UsageError(f"--time={text}: allowed are seconds, or a number with s, m, h or d", fix="Say --time 8h")
    return float(int(number) * (unit or 1))


def _derived(
    options: BatchOptions, settings: Settings, folder: Path, results: ResultsFile, wanted: dict[str, str]
) -> BatchSummary:
    summary = summarize(results.path, wanted)
    write_summary(folder, summary)
    write_predictions(folder, results.path, settings.model)
    if options.html is not None:
        write_page(options.html, folder, results.path, summary)
    return summary


def _told(options: BatchOptions, driver: Driver, summary: BatchSummary, folder: Path, *, interrupted: bool) -> int:
    if not options.json:
        left = summary.tasks - summary.finished
        rest = f" · {left} left: give the same command again" if left else ""
        why = f" · ended: {driver.ended_because}" if driver.ended_because else ""
        sys.stdout.write(
            f"{summary.done} of {summary.tasks} tasks done · {totals(summary)}{why}{rest}"
            f" · {folder / 'results.jsonl'}\n"
        )
    if interrupted:
        return int(ExitCode.INTERRUPTED)
    return int(ExitCode.OK if summary.done == summary.tasks else ExitCode.NOT_DONE)
