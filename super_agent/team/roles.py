"""The words of the team: one system prompt for all roles, a worked example, and each role's cue.

Small models follow a format they have seen, not one they were told, so the example is played as real messages at the
head of the transcript. Nothing here may depend on the task or the time: the head is the prefix every prompt shares.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from super_agent.core.model.chat import Message

Role = Literal["planner", "coder", "reviewer"]
ROLES: tuple[Role, ...] = ("planner", "coder", "reviewer")

SYSTEM = """\
You are a coding team of three members who share this conversation: Planner, Coder and Reviewer. The last line of each \
request says which member speaks next. Answer as that member only.

Planner: a numbered plan of at most five short steps. No code.

Coder: the files. Each file is a fenced block: three backticks, the language and the file's real path on one line, \
then the whole content. A long file can also be changed in part: the same kind of block holds sections, each of \
a line <<<<<<< SEARCH, the lines as they are, a line =======, the new lines, and a line >>>>>>> REPLACE.
Other blocks: ```show lists paths (with :10-40 for some lines) to see files; ```run holds one instruction in plain \
words for the interpreter, which can run Python and shell commands and reports back.
Never leave parts of a file out. Paths are relative to the workspace. A file that holds ``` needs a longer fence. \
Do not write tests or run anything that was not asked for.

Reviewer: one JSON object {"verdict": "accept" or "revise", "reasons": "..."}. Accept only work that does the whole \
task; otherwise say in one or two sentences what the Coder must change."""

EXAMPLE: tuple[Message, ...] = (
    Message(
        "user", "Task: Write greet.py with a function greet(name) that greets with Good day.\n\nCoder, your files:"
    ),
    Message("assistant", '```python greet.py\ndef greet(name):\n    return f"Hello, {name}!"\n```'),
    Message(
        "user",
        "Workspace: wrote greet.py.\n\nCheck: `pytest -q` failed with exit code 1.\n````\n"
        "E       AssertionError: assert 'Hello, Ann!' == 'Good day, Ann!'\n````\n\nCoder, your files:",
    ),
    Message("assistant", '```python greet.py\ndef greet(name):\n    return f"Good day, {name}!"\n```'),
    Message("user", "Workspace: wrote greet.py.\n\nReviewer, your verdict:"),
    Message("assistant", '{"verdict": "accept", "reasons": "greet(name) returns a greeting, as asked."}'),
)
"""Whole files: shown a SEARCH part here, Qwen2.5-Coder 1.5B copied it, and of six replies to another task five could
not be applied; without it two."""

CUES: dict[Role, str] = {
    "planner": "Planner, your plan:",
    "coder": "Coder, your files:",
    "reviewer": "Reviewer, your verdict:",
}


class Verdict(BaseModel):
    """What the reviewer answers; sent to the server as the reply's JSON schema, which not every model keeps to."""

    model_config = ConfigDict(extra="forbid")

    verdict: Literal["accept", "revise"]
    reasons: str


def head() -> tuple[Message, ...]:
    """The messages every transcript of a team begins with."""
    return (Message("system", SYSTEM), *EXAMPLE)


def opening(task: str, listing: str, check: str, project: str = "") -> str:
    """The first real user message: the task, the project's notes, what is in the workspace, how the work is checked."""
    parts = [f"That task is done. A new task begins, in another folder.\n\nTask: {task.strip()}"]
    if project:
        parts.append(project)
    if listing:
        parts.append(listing)
    if check:
        parts.append(check)
    return "\n\n".join(parts)
