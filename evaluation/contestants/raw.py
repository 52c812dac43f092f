"""The model alone: one plain question, N replies, any block in them that passes the check is taken.

It is the measure of what the model knows. Its replies are read as generously as the judge of format losses reads them.
"""

import httpx

from evaluation.contestants.arena import Arena, Contestant, Ending
from evaluation.losses import answers
from evaluation.task import Task, write_files

TIMEOUT_S = 600.0
TEMPERATURE = 0.8
"""Of all samples but the first, which is at 0."""
TRIALS_A_REPLY = 4


def contestant(samples: int) -> Contestant:
    """Best of so many replies."""

    def run(arena: Arena) -> Ending:
        reply = "no reply"
        with httpx.Client(base_url=arena.url, timeout=TIMEOUT_S, trust_env=False) as http:
            for number in range(samples):
                body = {
                    "model": arena.model,
                    "messages": [{"role": "user", "content": prompt(arena.task)}],
                    "temperature": TEMPERATURE if number else 0.0,
                    "seed": arena.seed * 1000 + number,
                }
                answer = http.post("/v1/chat/completions", json=body)
                if arena.spent.is_set():
                    return Ending("budget", None, reply[-500:])
                answer.raise_for_status()
                reply = answer.json()["choices"][0]["message"]["content"] or ""
                if _apply(arena, reply):
                    break
        return Ending("ended", 0, reply[-500:])

    return Contestant(f"raw model, best of {samples}", run)


def prompt(task: Task) -> str:
    """The task and all its files, without the words of any team."""
    files = [f"{path}:\n```\n{content.decode('utf-8', 'replace')}```" for path, content in sorted(task.start.items())]
    parts = [
        task.text,
        *files,
        "Answer with the whole content of each file that is new or changes, one block for each.",
    ]
    return "\n\n".join(parts)


def _apply(arena: Arena, reply: str) -> bool:
    """Write the first reading that passes the visible check."""
    for _, files in zip(range(TRIALS_A_REPLY), answers(arena.task, reply), strict=False):
        written = {path: text.encode("utf-8", "replace") for path, text in files.items()}
        if arena.judge.check(arena.task, written).passed:
            write_files(written, arena.workspace)
            return True
    return False
