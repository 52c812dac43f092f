"""The runs of an evaluation, one after the other: place the task, let the contestant work, judge, write the row."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from evaluation.contestants.arena import Arena, Contestant, Ending
from evaluation.judge import Judge, left_in, temporary_folder
from evaluation.losses import lost_replies
from evaluation.proxy import Call, RecordingProxy
from evaluation.record import Reason, Row, Rows
from evaluation.server_log import ServerLog
from evaluation.task import Files, Task, write_files

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is equal for all runs: the server, its log where it can be read, the limits."""

    base_url: str
    log: ServerLog | None
    budget: int = 2000
    """Reply tokens of one run."""
    timeout_s: float = 300.0
    commit: str = ""
    """Of this repository, short."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Every combination is one run, in this order: models are outermost, so that each is loaded once."""

    models: Sequence[str]
    tasks: Sequence[Task]
    contestants: Sequence[Contestant]
    seeds: Sequence[int]

    def runs(self) -> list[tuple[str, int, Task, Contestant]]:
        """Contestants are innermost: none meets its own prompt in the server's cache."""
        return [
            (model, seed, task, contestant)
            for model in self.models
            for seed in self.seeds
            for task in self.tasks
            for contestant in self.contestants
        ]


def carry_out(plan: Plan, conditions: Conditions, rows: Rows, judge: Judge, tell: Tell) -> None:
    """Run what is not in `rows` yet, telling after each how long the rest will take."""
    done = rows.done()
    rest = [
        (model, seed, task, contestant)
        for model, seed, task, contestant in plan.runs()
        if (model, contestant.name, task.name, seed, conditions.budget) not in done
    ]
    began = time.monotonic()
    tell(f"{len(rest)} runs to do, {len(plan.runs()) - len(rest)} done before")
    for number, (model, seed, task, contestant) in enumerate(rest, 1):
        row = run_one(model, seed, task, contestant, conditions, judge)
        rows.add(row)
        each = (time.monotonic() - began) / number
        left = f"about {each * (len(rest) - number) / 60:.0f} min left" if number < len(rest) else "all done"
        what = f"{model} {contestant.name} {task.name} seed {seed}"
        tell(f"{number}/{len(rest)} {what}: {row.reason}, {row.reply_tokens} tokens; {left}")


def run_one(model: str, seed: int, task: Task, contestant: Contestant, conditions: Conditions, judge: Judge) -> Row:
    """One run. Whatever a contestant raises is its failure, and a row."""
    mark = conditions.log.mark() if conditions.log else 0
    outcome = _outcome(model, seed, task, contestant, conditions, judge)
    solved = judge.judge(task, outcome.left).passed
    lost = [] if solved else lost_replies(task, [call.reply for call in outcome.calls], judge)
    evaluations = conditions.log.evaluations_since(mark) if conditions.log else ()
    return Row(
        model=model,
        contestant=contestant.name,
        task=task.name,
        kind=task.kind,
        seed=seed,
        budget=conditions.budget,
        solved=solved,
        reason=reason(task, outcome.left, outcome.ending, solved=solved, lost=bool(lost)),
        ending=outcome.ending.kind,
        exit_code=outcome.ending.exit_code,
        calls=len(outcome.calls),
        prompt_tokens=sum(call.prompt_tokens for call in outcome.calls),
        evaluated=sum(found.evaluated for found in evaluations) if conditions.log else None,
        reply_tokens=sum(call.reply_tokens for call in outcome.calls),
        loads=conditions.log.loads_since(mark) if conditions.log else None,
        model_s=round(sum(call.seconds for call in outcome.calls), 2),
        wall_s=round(outcome.wall_s, 2),
        lost_replies=len(lost),
        ours=contestant.ours,
        detail="" if solved else outcome.ending.said[-600:],
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        commit=conditions.commit,
        replies=[call.reply for call in outcome.calls],
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a contestant's work, without the folder in which it worked."""

    ending: Ending
    calls: tuple[Call, ...]
    left: Files
    wall_s: float


def _outcome(
    model: str, seed: int, task: Task, contestant: Contestant, conditions: Conditions, judge: Judge
) -> _Outcome:
    began = time.monotonic()
    with (
        temporary_folder() as folder,
        RecordingProxy(conditions.base_url, budget=conditions.budget, seed=seed) as proxy,
    ):
        arena = Arena(proxy.base_url, model, task, folder, seed, conditions.timeout_s, proxy.spent, judge)
        arena.workspace.mkdir()
        write_files(task.start, arena.workspace)
        ending = _work(contestant, arena)
        wall_s = time.monotonic() - began
        left = left_in(arena.workspace, task)
        calls = proxy.settle()
        said = _nameless(ending.said, arena)
        return _Outcome(
            replace(ending, said=said),
            tuple(replace(call, reply=_nameless(call.reply, arena)) for call in calls),
            left,
            wall_s,
        )


def reason(task: Task, left: Files, ending: Ending, *, solved: bool, lost: bool) -> Reason:
    """Why a run failed, the most telling first: what it left, then how it ended."""
    if solved:
        return "solved"
    if lost:
        return "format loss"
    if ending.kind == "died":
        return "died"
    changed = {path: content for path, content in left.items() if task.start.get(path) != content}
    if not changed and task.workspace.keys() <= left.keys():
        return {"time": "time limit", "budget": "budget spent"}.get(ending.kind, "nothing changed")  # type: ignore[return-value]
    if any(path.endswith(".py") and not _parses(content) for path, content in changed.items()):
        return "syntax error"
    return "wrong"


def _nameless(text: str, arena: Arena) -> str:
    """Without the folder of this machine in which the contestant worked: what is kept may be shown anywhere."""
    return text.replace(f"{arena.workspace}/", "")


def _parses(content: bytes) -> bool:
    try:
        compile(content, "left", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _work(contestant: Contestant, arena: Arena) -> Ending:
    try:
        return contestant.run(arena)
    except Exception as error:  # noqa: BLE001 - a contestant that breaks is a row, not the end of the evaluation
        return Ending("budget" if arena.spent.is_set() else "died", None, f"{type(error).__name__}: {error}")
