"""Errors that someone can act on. Each class has one exit code; `cli.main` is the only place that turns one into it."""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What a command's exit status means; the README's table is made from these names."""

    OK = 0
    NOT_DONE = 1
    USAGE = 2
    SERVER = 3
    EXECUTOR = 4
    INTERRUPTED = 130


class SuperAgentError(Exception):
    """What failed with the value seen, and what to do next, each one line."""

    exit_code: ClassVar[ExitCode] = ExitCode.NOT_DONE

    def __init__(self, what: str, *, fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what}. {self.fix}" if self.fix else self.what


class UsageError(SuperAgentError):
    """A flag, argument or setting that cannot be used."""

    exit_code = ExitCode.USAGE


class SettingInvalid(UsageError):
    """A setting whose value is malformed or not among what is allowed."""


class WorkspaceRefused(UsageError):
    """A folder that may not or cannot be worked in."""


class PathRefused(UsageError):
    """A path that leaves the workspace, or that is not to be written."""


class CheckNotFound(UsageError):
    """A check command whose program does not exist where the check runs."""


class StoreUnusable(UsageError):
    """The session store cannot be opened, so the run does not begin."""


class SessionUnknown(UsageError):
    """No session, or more than one, has a name that begins so."""


class SessionHeld(UsageError):
    """Another process works on the session."""


class SnapshotFailed(SuperAgentError):
    """The workspace could not be snapshotted or restored; the snapshots taken before are whole."""


class StoreFailed(SuperAgentError):
    """The session store could not be written or read any more; what it held before is whole."""


class OutputFailed(SuperAgentError):
    """What a command had to say could not be written, as on a full disk; what it did is done and recorded."""


class ServerError(SuperAgentError):
    """The Ollama server or the model. `transient`: the same request may well succeed a little later."""

    exit_code = ExitCode.SERVER

    def __init__(self, what: str, *, fix: str = "", transient: bool = False) -> None:
        super().__init__(what, fix=fix)
        self.transient = transient


class OllamaUnreachable(ServerError):
    """Nothing answers at the address."""


class OllamaTimedOut(ServerError):
    """The server took the connection and did not answer in time."""


class NotOllama(ServerError):
    """Something else answers at the address."""


class ServerTooOld(ServerError):
    """An Ollama that does not tell what the guarantee stands on."""


class ModelElsewhere(ServerError):
    """A cloud model: the server only hands its requests on to somebody else's machine."""


class ModelNotFound(ServerError):
    """The server does not have the model."""


class PromptTooLong(ServerError):
    """The prompt and its reply would not fit the loaded context; counts are tokens."""

    def __init__(self, what: str, *, fix: str = "", prompt_tokens: int = 0, context_length: int = 0) -> None:
        super().__init__(what, fix=fix)
        self.prompt_tokens = prompt_tokens
        self.context_length = context_length


class RequestRejected(ServerError):
    """The server understood the request and would not serve it (4xx)."""


class ServerFailed(ServerError):
    """The server or its runner failed (5xx, or an error object after a 200)."""


class ServerBusy(ServerError):
    """The server's queue is full (503)."""


class QueueTimedOut(ServerError):
    """Other runs had the model for longer than this one was to wait."""


class ReplyBroken(ServerError):
    """A reply that is not in the protocol's form, or that ended before its end."""


class InstanceChanged(ServerError):
    """The model instance was reloaded or its prompt cut, and the run was asked not to go on then."""


class ExecutorError(SuperAgentError):
    """The executor, its engine or its sandbox."""

    exit_code = ExitCode.EXECUTOR


class SandboxUnavailable(ExecutorError):
    """The sandbox cannot protect here, so nothing runs."""


class EngineFailed(ExecutorError):
    """The Open Interpreter process cannot be made, started or understood."""


class PlatformUnsupported(ExecutorError):
    """This operating system or Python is not supported yet."""


class LimitReached(SuperAgentError):
    """A limit of the run: turns, seconds or tokens."""


class Interrupted(SuperAgentError):
    """The user ended the run."""

    exit_code = ExitCode.INTERRUPTED
