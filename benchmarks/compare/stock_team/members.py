"""The stock teams' members: three AssistantAgents, and one without a model that writes files and runs the check."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from autogen_agentchat.agents import AssistantAgent, BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import BaseChatMessage, TextMessage
from autogen_core import CancellationToken
from autogen_core.models import ChatCompletionClient

_FILE = re.compile(r"^```python (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ROLES = {
    "planner": "You are the planner of a coding team. Write a numbered plan of at most five short steps. No code.",
    "coder": (
        "You are the coder of a coding team. Write the files. Each file is a fenced block that names the language and "
        "the path:\n```python package/module.py\nthe whole content of the file\n```\nNever leave parts of a file out. "
        "Paths are relative to the workspace. Do not write tests or run anything that was not asked for."
    ),
    "reviewer": (
        'You are the reviewer of a coding team. Answer with one JSON object {"verdict": "accept" or "revise", '
        '"reasons": "..."}. Accept only work that does the whole task; otherwise say in one or two sentences what the '
        "coder must change."
    ),
}
DESCRIPTIONS = {
    "planner": "Plans the work once, before anything is written.",
    "coder": "Writes the files.",
    "reviewer": "Says what is still wrong when the check fails.",
}


def thinkers(client: ChatCompletionClient) -> list[AssistantAgent]:
    """Planner, coder and reviewer, each with a system message of its own, as the documentation has it."""
    return [
        AssistantAgent(name, model_client=client, system_message=text, description=DESCRIPTIONS[name])
        for name, text in ROLES.items()
    ]


class WorkspaceMember(BaseChatAgent):
    """Writes the files of the newest message that holds some, runs the check and posts what it printed."""

    def __init__(self, folder: Path, check: str) -> None:
        super().__init__("workspace", "Writes the coder's files into the workspace and runs the check.")
        self._folder = folder
        self._check = check
        self._seen: list[str] = []

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """Plain text."""
        return (TextMessage,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """The report."""
        self._seen += [message.to_text() for message in messages]
        files = next((found for text in reversed(self._seen) if (found := _FILE.findall(text))), [])
        for path, content in files:
            target = self._folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
        done = subprocess.run(self._check.split(), cwd=self._folder, capture_output=True, text=True, check=False)
        verdict = "passed" if done.returncode == 0 else f"failed with exit code {done.returncode}"
        text = (
            f"Workspace: wrote {', '.join(path for path, _ in files)}.\n"
            f"Check `{self._check}`: {verdict}.\n{(done.stdout + done.stderr).strip()}"
        )
        return Response(chat_message=TextMessage(content=text, source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Forget what was said."""
        self._seen.clear()


class Ended(BaseChatAgent):
    """The last node of a graph."""

    def __init__(self) -> None:
        super().__init__("ended", "Says that the work is done.")

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """Plain text."""
        return (TextMessage,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """One sentence."""
        return Response(chat_message=TextMessage(content="The work is done.", source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Nothing is kept."""
