"""The message types of members without a model; the team's factory must know them to restore a saved thread."""

from autogen_agentchat.messages import BaseTextChatMessage


class WorkspaceReport(BaseTextChatMessage):
    """What was written, refused and shown."""


class ExecutionReport(BaseTextChatMessage):
    """What the executor did for an instruction."""


class CheckReport(BaseTextChatMessage):
    """How the check ended."""


REPORTS: tuple[type[BaseTextChatMessage], ...] = (WorkspaceReport, ExecutionReport, CheckReport)
