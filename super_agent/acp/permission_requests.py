"""The person's approval, asked in the editor: run, skip, always for this run, or stop."""

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from acp.exceptions import RequestError
from acp.schema import AllowedOutcome, PermissionOption, RequestPermissionResponse, ToolCallUpdate

from interpreter.approval import ApprovalDecision, Choice, decided
from interpreter.code_blocks import CodeBlock
from super_agent.core.cancellation import Cancellation

RUN = [
    PermissionOption(option_id="run", name="Run", kind="allow_once"),
    PermissionOption(option_id="always", name="Always in this run", kind="allow_always"),
    PermissionOption(option_id="skip", name="Skip", kind="reject_once"),
    PermissionOption(option_id="stop", name="Stop the run", kind="reject_always"),
]
AGREE = [
    PermissionOption(option_id="yes", name="Yes", kind="allow_once"),
    PermissionOption(option_id="no", name="No", kind="reject_once"),
]
CHOICES: dict[str, Choice] = {"run": "run", "always": "always", "skip": "skip", "stop": "stop"}
AskEditor = Callable[[ToolCallUpdate, list[PermissionOption]], Awaitable[RequestPermissionResponse]]
STOPPED: Literal["stop"] = "stop"


@dataclass(slots=True)
class PermissionQuestion:
    """One question to the editor, waited for in a thread; `answer` may be used again when it has an answer."""

    ask: AskEditor
    loop: asyncio.AbstractEventLoop

    def answer(self, call: ToolCallUpdate, options: list[PermissionOption], cancellation: Cancellation) -> str | None:
        """The id of what was chosen; "stop" where it was cancelled, None where the editor gives no answer."""

        async def asked() -> RequestPermissionResponse:
            return await self.ask(call, options)

        asking = asyncio.run_coroutine_threadsafe(asked(), self.loop)
        forget = cancellation.on_cancel(asking.cancel)
        try:
            outcome = asking.result().outcome
        except concurrent.futures.CancelledError:
            return STOPPED
        except (RequestError, ConnectionError, ValueError):  # an error, gone, or no answer of the protocol's
            return STOPPED if cancellation.cancelled else None
        finally:
            forget()
        return outcome.option_id if isinstance(outcome, AllowedOutcome) else STOPPED


@dataclass(slots=True)
class EditorApprover:
    """An `Approver`; `pending` tells the tool call that the block to be decided about was shown as."""

    question: PermissionQuestion
    pending: Callable[[], str]

    def decide(self, block: CodeBlock, cancellation: Cancellation) -> ApprovalDecision:
        """Wait for the person as long as it takes."""
        from super_agent.session.run_approver import (
            refused,  # with all that a run needs, which the first message does not
        )

        answer = self.question.answer(ToolCallUpdate(tool_call_id=self.pending()), RUN, cancellation)
        if answer not in CHOICES:
            return refused(block, "the editor gave no answer" if answer is None else f"it answered {answer!r}")
        return decided(CHOICES[answer], block)
