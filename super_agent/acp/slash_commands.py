"""Slash commands: options, and the commands of the terminal about this session and the instance."""

import asyncio
import shlex
import sys
from dataclasses import dataclass

from acp.schema import (
    AllowedOutcome,
    AvailableCommand,
    AvailableCommandInput,
    AvailableCommandsUpdate,
    ConfigOptionUpdate,
    ContentToolCallContent,
    TextContentBlock,
    ToolCallProgress,
    ToolCallStart,
    ToolCallStatus,
    ToolCallUpdate,
    UnstructuredCommandInput,
)

from super_agent.acp.editor_session import EditorSession
from super_agent.acp.permission_requests import AGREE
from super_agent.core.errors import ExitCode, UsageError
from super_agent.core.sanitize import sanitize
from super_agent.core.text import clipped, fenced

MAX_SHOWN_CHARS = 40_000
TIMEOUT_S = 120.0
"""For one command; `verify` has the model say a few tokens."""

OPTIONS = {
    "check": ("The command that passes when the work is done", "COMMAND, or none"),
    "team": ("Work as a team: planner, coder, reviewer", None),
    "solo": ("Work with the executor alone", None),
    "approve": ("Ask before code runs", "never, risky, always or default"),
    "turns": ("Turns for each prompt", "N, or default"),
}
COMMANDS = {
    "undo": ("Take back what this session changed, after showing it", "--to-turn N, --file PATH, --redo"),
    "diff": ("What this session changed", "--turn N, --stat"),
    "verify": ("Do both halves use one model instance?", "--quick"),
    "ps": ("Loaded models and their clients", "--clients"),
}


def offered() -> AvailableCommandsUpdate:
    """What the editor completes after a slash."""
    return AvailableCommandsUpdate(
        session_update="available_commands_update",
        available_commands=[
            AvailableCommand(name=name, description=about, input=_hint(hint))
            for name, (about, hint) in {**OPTIONS, **COMMANDS}.items()
        ],
    )


def _hint(text: str | None) -> AvailableCommandInput | None:
    return AvailableCommandInput(UnstructuredCommandInput(hint=text)) if text else None


def is_command(text: str) -> bool:
    """Whether a prompt is one of ours; a path or an unknown word after the slash is a task like any other."""
    word = text.split(maxsplit=1)[0]
    return word[:1] == "/" and word[1:] in {**OPTIONS, **COMMANDS}


async def carry_out(text: str, session: EditorSession) -> bool:
    """Say what came of it; whether it was cancelled. Raises `UsageError` for arguments that make no sense."""
    word, _, rest = text.partition(" ")
    name, rest = word.removeprefix("/").strip(), rest.strip()
    if name in OPTIONS:
        _set(name, rest, session)
        session.outbox.post([config_update(session)])
        return False
    try:
        arguments = shlex.split(rest)
    except ValueError as error:
        raise UsageError(f"/{name} {rest}: {error}", fix="Correct its quotes") from None
    token = session.commands
    await _command(name, arguments, session)
    return token.cancelled


def _set(name: str, value: str, session: EditorSession) -> None:
    options = session.options
    if name in ("team", "solo"):
        options.set("mode", name)
    elif not value:
        raise UsageError(f"/{name} needs a value: {OPTIONS[name][1]}")
    elif name == "check":
        options.add_check(value)
    else:
        options.set(name, value)
    session.say(f"{name}: {value}\n" if value else f"mode: {name}\n")


def config_update(session: EditorSession) -> ConfigOptionUpdate:
    """The editor's menus as they are now."""
    return ConfigOptionUpdate(session_update="config_option_update", config_options=session.options.offered())


async def _command(name: str, arguments: list[str], session: EditorSession) -> None:
    """The command of the same name, in a process of its own."""
    done = await _run(_line(name, arguments, session), session)
    if name == "undo" and done.code == ExitCode.USAGE and done.out and "--yes" not in arguments:
        # Without a terminal it shows what it would do and refuses to do it unasked; the editor can ask.
        if not await _agreed(done.out, session):
            session.say("Nothing was changed.\n")
            return
        done = await _run(_line(name, [*arguments, "--yes"], session), session)
    shown = clipped(done.out, MAX_SHOWN_CHARS)
    language = "diff" if name == "diff" and "--stat" not in arguments else ""
    if shown.strip():
        session.say(fenced(shown.rstrip("\n"), language, least=3) + "\n")
    elif not done.complaint:
        session.say("Nothing differs.\n" if name == "diff" else "Nothing to show.\n")
    if done.complaint:
        session.say(f"{done.complaint}\n")


@dataclass(frozen=True, slots=True)
class _Done:
    code: int
    out: str
    complaint: str


def _line(name: str, arguments: list[str], session: EditorSession) -> list[str]:
    given = session.given
    about = [session.id] if name in ("undo", "diff") else []
    flags = [f"--base-url={url}"] if name in ("verify", "ps") and (url := given.flags.get("base_url")) else []
    flags += [f"--model={model}"] if name == "verify" and (model := given.flags.get("model")) else []
    flags += [f"--env-file={given.env_file.absolute()}"] if given.env_file is not None else []
    return [name, *about, *flags, *arguments]


async def _run(line: list[str], session: EditorSession) -> _Done:
    # -P: never a module of the folder it is started in, which may be the workspace.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "super_agent.cli.main", *line,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        cwd=session.workspace,
    )  # fmt: skip
    forget = session.commands.on_cancel(process.terminate)
    try:
        out, complaint = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
    except TimeoutError:
        raise UsageError(f"super-agent {line[0]} did not end in {TIMEOUT_S:g} s", fix="Try it in a terminal") from None
    finally:
        forget()
        if process.returncode is None:
            process.kill()
            await process.wait()
    texts = [sanitize(data.decode("utf-8", "replace")) for data in (out, complaint)]
    return _Done(process.returncode or 0, texts[0], texts[1].strip())


async def _agreed(plan: str, session: EditorSession) -> bool:
    name = session.name()
    text = ContentToolCallContent(
        type="content", content=TextContentBlock(type="text", text=fenced(plan.rstrip("\n"), least=3))
    )
    start = ToolCallStart(
        session_update="tool_call", tool_call_id=name, title="Undo", kind="edit", status="pending", content=[text]
    )
    session.outbox.post([start])
    await session.outbox.drained()
    outcome = (await session.request(ToolCallUpdate(tool_call_id=name), AGREE)).outcome
    agreed = isinstance(outcome, AllowedOutcome) and outcome.option_id == "yes"
    status: ToolCallStatus = "completed" if agreed else "failed"
    session.outbox.post([ToolCallProgress(session_update="tool_call_update", tool_call_id=name, status=status)])
    return agreed
