"""`--html`: the results as one page without scripts, to send to somebody."""

import html
from pathlib import Path

from super_agent.batch.results_file import cannot_write
from super_agent.batch.summary_and_predictions import BatchSummary
from super_agent.core.batches.attempts import Attempt, final_attempts

HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>super-agent batch</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8884; padding: .3rem .6rem; text-align: left; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { overflow-x: auto; }
@media (prefers-color-scheme: dark) { body { background: #161616; color: #ddd; } }
</style></head><body>
"""
COLUMNS = ("task", "outcome", "why", "attempts", "turns", "tokens out", "seconds", "patch")


def write_page(path: Path, folder: Path, results: Path, summary: BatchSummary) -> None:
    """Write the page row by row; raises `BatchFailed`."""
    try:
        with path.open("w", encoding="utf-8") as file:
            file.write(HEAD)
            file.write(
                f"<h1>{summary.done} of {summary.tasks} tasks done</h1>\n<p>{html.escape(totals(summary))}</p>\n"
            )
            heads = "".join(f"<th>{column}</th>" for column in COLUMNS)
            file.write(f"<table><thead><tr>{heads}</tr></thead><tbody>\n")
            for attempt in final_attempts(results):
                file.write(_row(attempt, folder))
            file.write("</tbody></table></body></html>\n")
    except OSError as error:
        raise cannot_write(path, error) from error


def totals(summary: BatchSummary) -> str:
    """The costs in one line, and what a reader should know of the model instance."""
    parts = [f"{count} {outcome}" for outcome, count in summary.outcomes.items()]
    parts += [f"{summary.attempts} attempts", f"{summary.tokens_sent:,} tokens sent", f"{summary.tokens_out:,} out"]
    parts += [f"model reloaded {count} times on {host}" for host, count in summary.reloads.items()]
    if len(summary.digests) > 1:
        parts.append(f"{len(summary.digests)} different models")
    return " · ".join(parts)


def _row(attempt: Attempt, folder: Path) -> str:
    patch = ""
    if attempt.patch:
        text = (folder / attempt.patch).read_text("utf-8", "replace")
        patch = f"<details><summary>{text.count(chr(10))} lines</summary><pre>{html.escape(text)}</pre></details>"
    words = (attempt.id, attempt.outcome, f"{attempt.reason}: {attempt.detail}" if attempt.detail else attempt.reason)
    numbers = (attempt.attempt, attempt.turns, attempt.tokens_out, f"{attempt.wall_s:.1f}")
    cells = "".join(f"<td>{html.escape(word)}</td>" for word in words)
    cells += "".join(f'<td class="number">{number}</td>' for number in numbers)
    return f"<tr>{cells}<td>{patch}</td></tr>\n"
