"""Whole event streams as runs really send them, for the tests of every view."""

from super_agent.core import events as ev
from super_agent.core.events import Event, Stamped

STARTED = 1_700_000_000.0
CHECK = "python -m pytest -q"
PLAN = "1. Write add.py with add(a, b), which returns the sum of its two arguments.\n2. Keep it short."
WRONG = "Here it is.\n\n```python add.py\ndef add(a, b):\n    return a - b\n```\n"
RIGHT = (
    "The sign was wrong.\n\n```python add.py\n<<<<<<< SEARCH\n    return a - b\n"
    "=======\n    return a + b\n>>>>>>> REPLACE\n```"
)
VERDICT = '{"verdict": "revise", "reasons": "add subtracts instead of adding"}'
CREATED_DIFF = "--- /dev/null\n+++ b/add.py\n@@ -0,0 +1,2 @@\n+def add(a, b):\n+    return a - b"
EDITED_DIFF = "--- a/add.py\n+++ b/add.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    return a + b"
FAILURE = "F                                     [100%]\nE       assert -1 == 5\n1 failed in 0.01s\n"


def stamped(*events: Event) -> list[Stamped]:
    """The events as a stream would stamp them, a tenth of a second apart."""
    turn, result = 0, []
    for seq, event in enumerate(events, 1):
        turn = event.number if isinstance(event, ev.TurnStarted) else turn
        result.append(Stamped("s1", turn, seq, STARTED + seq / 10, event))
    return result


def reply(speaker: ev.Speaker, text: str, size: int = 4, finish_reason: str = "stop") -> list[Event]:
    """A reply as a model streams it, in pieces of `size` characters."""
    pieces: list[Event] = [ev.TextStreamed(speaker, text[at : at + size]) for at in range(0, len(text), size)]
    client = "open-interpreter" if speaker == "executor" else "autogen"
    cost = ev.RequestFinished(client, 600, len(pieces), 1.2, None)
    return [ev.SpeakerStarted(speaker), *pieces, cost, ev.MessagePosted(speaker, text, finish_reason)]


def started(mode: str = "team", check: str | None = CHECK, task: str = "Write add.py with add(a, b).") -> Event:
    """The first event of a run."""
    limits: dict[str, float | None] = {"turns": 8, "seconds": 1800, "tokens": None}
    return ev.RunStarted(
        task,
        mode,
        "/code/sum",
        "coder-7b-16k",
        "http://localhost:11434",
        check,
        "bubblewrap",
        limits,  # type: ignore[arg-type]
    )


def check_run(when: str, passed: bool, output: str) -> list[Event]:
    """The check from its command to its result."""
    code, size = 0 if passed else 1, len(output)
    return [
        ev.CodeStarted("check", "shell", CHECK),
        ev.OutputStreamed(output),
        ev.CodeFinished("check", "finished" if passed else "failed", code, 0.42, size, 0),
        ev.CheckFinished(CHECK, when, passed, code, output, 0.42),  # type: ignore[arg-type]
    ]


def code_run(language: str, code: str, output: str, exit_code: int | None = None, failed: bool = False) -> list[Event]:
    """A block of the executor from its start to its end."""
    return [
        ev.CodeStarted("executor", language, code),
        ev.OutputStreamed(output),
        ev.CodeFinished("executor", "failed" if failed else "finished", exit_code, 0.1, len(output), 0),
    ]


def model_ready() -> list[Event]:
    """What a run tells about the model once it is loaded."""
    return [
        ev.ModelReady("coder-7b-16k", 16384, 3.21, 5_400_000_000, 5_400_000_000),
        ev.InstanceNoted("load", True, "loaded in 3.2 s"),
    ]


def team_run() -> list[Stamped]:
    """A failing check, a wrong file, a verdict, a line typed by the user, a right file, a passing check."""
    return stamped(
        started(),
        *model_ready(),
        *check_run("before", False, "no tests ran in 0.00s\n"),
        *reply("planner", PLAN),
        ev.TurnStarted(1),
        *reply("coder", WRONG),
        ev.SpeakerStarted("workspace"),
        ev.FileWritten("add.py", "created", CREATED_DIFF, 2, 0),
        ev.MessagePosted("workspace", "Workspace: wrote add.py."),
        ev.SpeakerStarted("check"),
        *check_run("after", False, FAILURE),
        ev.MessagePosted("check", f"Check: `{CHECK}` failed with exit code 1.\n````\n{FAILURE}````"),
        *reply("reviewer", VERDICT),
        ev.VerdictGiven("revise", "add subtracts instead of adding"),
        ev.TurnStarted(2),
        ev.UserSpoke("please keep the name add"),
        *reply("coder", RIGHT),
        ev.SpeakerStarted("workspace"),
        ev.FileWritten("add.py", "edited", EDITED_DIFF, 1, 1),
        ev.EditRefused("../secret.py", "the path leaves the workspace"),
        ev.MessagePosted("workspace", "Workspace: wrote add.py."),
        ev.SpeakerStarted("check"),
        *check_run("after", True, "1 passed in 0.01s\n"),
        ev.MessagePosted("check", f"Check: `{CHECK}` passed."),
        ev.RunEnded(
            "check_passed",
            0,
            "the check failed before the first turn and passes now",
            2,
            12.34,
            ("add.py",),
            (ev.ClientUsage("autogen", 4, 2822, 123),),
            {"load": 1, "reload": 0, "eviction": 0, "keep_alive_reset": 0, "truncation": 0, "queued": 0},
        ),
    )


def solo_run() -> list[Stamped]:
    """One agent: a block that fails, a block that works, files changed by code, a check that passes."""
    write = 'open("add.py", "w").write("def add(a, b):\\n    return a + b\\n")'
    return stamped(
        started("solo"),
        *model_ready(),
        *check_run("before", False, "no tests ran in 0.00s\n"),
        ev.TurnStarted(1),
        ev.InstructionGiven("Write add.py with add(a, b).\n\nThe check `python -m pytest -q` failed.\nMake it pass."),
        *reply("executor", "I look first.\n```shell\ncat add.py\n```"),
        *code_run("shell", "cat add.py\n", "cat: add.py: No such file or directory\n", 1, failed=True),
        *reply("executor", f"```python\n{write}\n```"),
        *code_run("python", write + "\n", "33\n"),
        *reply("executor", "Done."),
        ev.FilesChanged(("add.py",), (), ()),
        ev.ReportMade("done. Done."),
        *check_run("after", True, "1 passed in 0.01s\n"),
        ev.RunEnded(
            "check_passed",
            0,
            "the check failed before the first turn and passes now",
            1,
            131.0,
            ("add.py",),
            (ev.ClientUsage("open-interpreter", 3, 1030, 45),),
            {"load": 1, "reload": 1, "truncation": 0},
        ),
    )


def exec_run() -> list[Stamped]:
    """The executor alone without a check; its code says more than is shown, and its model thinks aloud."""
    code = "import this"
    return stamped(
        started("exec", None, "Show the Zen of Python."),
        *model_ready(),
        ev.TurnStarted(1),
        ev.InstructionGiven("Show the Zen of Python."),
        ev.SpeakerStarted("executor"),
        ev.TextStreamed("executor", "There is a module ", reasoning=True),
        ev.TextStreamed("executor", "for that.\n", reasoning=True),
        ev.TextStreamed("executor", f"```python\n{code}\n```"),
        ev.MessagePosted("executor", f"```python\n{code}\n```"),
        ev.CodeStarted("executor", "python", code),
        ev.OutputStreamed("The Zen of Python, by Tim Peters\n\nBeautiful is better "),
        ev.OutputStreamed("than ugly."),
        ev.CodeFinished("executor", "finished", None, 0.05, 900, 840),
        *reply("executor", "That is the Zen of Python."),
        ev.ReportMade("done. That is the Zen of Python."),
        ev.RunEnded(
            "finished",
            0,
            "done",
            1,
            4.5,
            (),
            (ev.ClientUsage("open-interpreter", 2, 500, 1),),
            {"load": 1, "reload": 0, "truncation": 0},
        ),
    )


def failed_run() -> list[Stamped]:
    """What goes wrong: notices, a reply cut, a restart, a reload, a truncation, the server gone."""
    return stamped(
        started("team", None, "Write a compiler.\nIt should be small."),
        ev.Notice("warning", "--sandbox none: model-written code runs with your own rights, unprotected"),
        ev.ModelReady("coder-7b-16k", 4096, 0.01, 5_400_000_000, 2_700_000_000),
        ev.Notice("warning", "the context is 4096; real work needs 16384", "super-agent up --context 16384"),
        ev.TurnStarted(1),
        *reply("coder", "I will", finish_reason="length"),
        ev.SpeakerStarted("workspace"),
        ev.MessagePosted("workspace", "Workspace: the reply was cut by the length limit, so nothing was written."),
        ev.SpeakerStarted("interpreter"),
        ev.InstructionGiven("Look which compilers there are."),
        ev.EngineRestarted("it was killed by signal 9"),
        ev.CodeStarted("executor", "shell", "sleep 100"),
        ev.CodeFinished("executor", "timed_out", None, 30.0, 0, 0, "it ran longer than 30 s"),
        ev.InstanceNoted("reload", False, "its process is another one", "another client", "Use the same model name"),
        ev.InstanceNoted("truncation", False, "the server evaluated 4000 prompt tokens, fewer than were sent"),
        ev.InstanceNoted("queued", True, "a request of autogen waited 2.5 s"),
        ev.SpeakerStarted("coder"),
        ev.TextStreamed("coder", "I will now"),
        ev.Notice("error", "the server closed the connection", "Look at its log"),
        ev.RunEnded("error", 3, "Ollama at http://localhost:11434 cannot be reached. Start it: super-agent up", 1, 33.0,
                    (), (ev.ClientUsage("autogen", 1, 4000, 2),), {"load": 0, "reload": 1, "truncation": 1}),
    )  # fmt: skip


RUNS = {"team": team_run, "solo": solo_run, "exec": exec_run, "failed": failed_run}
