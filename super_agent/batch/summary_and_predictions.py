"""What is made from `results.jsonl`: `summary.json` and `preds.json`. Read by lines, written whole or not at all."""

import json
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from super_agent.batch.results_file import cannot_write
from super_agent.core.batches.attempts import Attempt, final_attempts, read_attempts
from super_agent.core.state import write_durably


@dataclass(slots=True)
class BatchSummary:
    """Totals of a batch. Tokens and seconds are those of all attempts; `reloads` of the model, by host."""

    tasks: int
    outcomes: dict[str, int] = field(default_factory=dict)
    attempts: int = 0
    tokens_sent: int = 0
    tokens_evaluated: int | None = 0
    tokens_out: int = 0
    model_s: float = 0.0
    wall_s: float = 0.0
    hosts: dict[str, int] = field(default_factory=dict)
    reloads: dict[str, int] = field(default_factory=dict)
    digests: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)

    @property
    def finished(self) -> int:
        """Tasks with a result."""
        return sum(self.outcomes.values())

    @property
    def done(self) -> int:
        """Tasks that were done."""
        return self.outcomes.get("done", 0)


def summarize(results: Path, wanted: dict[str, str]) -> BatchSummary:
    """Of the tasks in `wanted` (id: hash); lines of other tasks, or of an earlier form of one, do not count."""
    found, newest = BatchSummary(len(wanted)), dict[str, str]()
    hosts, reloads = Counter[str](), Counter[str]()
    digests, versions = set[str](), set[str]()
    for attempt in read_attempts(results):
        if wanted.get(attempt.id) != attempt.hash:
            continue
        _add(found, attempt)
        hosts[attempt.host] += 1
        reloads[attempt.host] += attempt.reloads
        digests.add(attempt.digest)
        versions.add(attempt.version)
        newest.pop(attempt.id, None)
        if attempt.final:
            newest[attempt.id] = attempt.outcome
    found.outcomes = dict(sorted(Counter(newest.values()).items()))
    found.hosts, found.reloads = dict(hosts), {host: count for host, count in reloads.items() if count}
    found.digests, found.versions = sorted(digests - {""}), sorted(versions - {""})
    found.model_s, found.wall_s = round(found.model_s, 3), round(found.wall_s, 3)
    return found


def _add(found: BatchSummary, attempt: Attempt) -> None:
    found.attempts += 1
    found.tokens_sent += attempt.tokens_sent
    found.tokens_out += attempt.tokens_out
    known = found.tokens_evaluated is not None and attempt.tokens_evaluated is not None
    found.tokens_evaluated = (found.tokens_evaluated or 0) + (attempt.tokens_evaluated or 0) if known else None
    found.model_s += attempt.model_s
    found.wall_s += attempt.wall_s


def write_summary(folder: Path, summary: BatchSummary) -> None:
    """`summary.json`; raises `BatchFailed`."""
    path = folder / "summary.json"
    try:
        write_durably(path, json.dumps({"version": 1, **asdict(summary)}, indent=1).encode() + b"\n")
    except OSError as error:
        raise cannot_write(path, error) from error


def write_predictions(folder: Path, results: Path, model: str) -> None:
    """`preds.json` as SWE-bench's evaluation reads it: of each id its patch. Raises `BatchFailed`."""
    path, part = folder / "preds.json", folder / "preds.json.part"
    try:
        with part.open("w", encoding="utf-8") as file:
            between = "{\n"
            for attempt in final_attempts(results):
                patch = (folder / attempt.patch).read_text("utf-8", "replace") if attempt.patch else ""
                fields = {"model_name_or_path": model, "instance_id": attempt.id, "model_patch": patch}
                file.write(f"{between}{json.dumps(attempt.id)}: {json.dumps(fields)}")
                between = ",\n"
            file.write("\n}\n" if between == ",\n" else "{}\n")
        part.replace(path)
    except OSError as error:
        with suppress(OSError):  # the disk may take no change at all any more
            part.unlink(missing_ok=True)
        raise cannot_write(path, error) from error
