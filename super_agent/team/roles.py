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
Other blocks: ```show lists paths (with :10-40 for some lines) to see files, or search: and a text to find; \
```run holds one instruction in plain words for the interpreter, which can run Python and shell commands and \
reports back.
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

BRIEF_SYSTEM = """\
You are a coding team: Planner, Coder and Reviewer share this conversation. The last line of a request says who \
answers."""
"""For a small model whose work a check decides: no worked example, as it copies what it is shown, and no word of the
reviewer's form, which Qwen2.5-Coder 1.5B took for its own in 17 of 21 replies."""
BRIEF_CUE = """\
Coder: your answer holds the whole new content of each file that changes, one block for each; the tests stay as they \
are."""
BRIEF_REVIEW = """\
Reviewer, your verdict on the work, one JSON object {"verdict": "accept" or "revise", "reasons": "..."}:"""
REPEATED_TASK_CHARS = 400
"""A task up to this length stands again before the brief cue, behind the files and the check's output."""

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


def head(*, brief: bool = False) -> tuple[Message, ...]:
    """The messages every transcript of a team begins with."""
    return (Message("system", BRIEF_SYSTEM),) if brief else (Message("system", SYSTEM), *EXAMPLE)


def cue(role: Role, task: str = "", *, brief: bool = False) -> str:
    """What asks a role for its reply, at the end of the prompt."""
    if brief and role == "reviewer":
        return BRIEF_REVIEW
    if not brief or role != "coder":
        return CUES[role]
    again = f"{task.strip()}\n\n" if len(task) <= REPEATED_TASK_CHARS else ""
    return again + BRIEF_CUE


def opening(task: str, listing: str, check: str, project: str = "", *, brief: bool = False) -> str:
    """The first real user message: the task, the project's notes, what is in the workspace, how the work is checked."""
    begin = "" if brief else "That task is done. A new task begins, in another folder.\n\n"
    parts = [f"{begin}Task: {task.strip()}", project, listing, check]
    return "\n\n".join(part for part in parts if part)
