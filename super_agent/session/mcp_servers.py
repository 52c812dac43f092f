"""The user's MCP servers in a run: started before the work, asked about, said to be outside the sandbox."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from interpreter.approval import ApprovalDecision, Approver
from interpreter.code_blocks import CodeBlock
from interpreter.tool_calls import ToolAccess
from super_agent.core.cancellation import Cancellation
from super_agent.core.events import Notice
from super_agent.core.settings import user_tools_file
from super_agent.session.run_approver import RunApprover
from super_agent.session.run_context import RunContext
from super_agent.session.run_options import ApprovalContext, Door
from super_agent.tools.listed import listed_servers

if TYPE_CHECKING:
    from super_agent.tools.toolbox import McpToolBox

REASONS = ("it is a tool of an MCP server, which the sandbox does not hold",)


@dataclass(slots=True)
class ToolApprover:
    """An `Approver` of calls: the user's list decides, then an earlier "always" for the same tool, then the person."""

    box: "McpToolBox"
    asked: RunApprover
    _always: set[str] = field(default_factory=set)

    def decide(self, block: CodeBlock, cancellation: Cancellation) -> ApprovalDecision:
        """A call that cannot be made is not asked about: its outcome says why."""
        name = self.box.needs_a_person(block.code)
        if not name or name in self._always:
            why = "the user said always for this tool" if name else "the user's list allows it"
            return ApprovalDecision("run", "earlier_answer", why, block)
        decision = self.asked.decide(block, cancellation)
        if decision.decision == "always":
            self._always.add(name)
            self.asked.forget()
        return decision


def open_tools(context: RunContext, door: Door, code_approver: RunApprover | None) -> RunApprover | None:
    """Start the servers that the settings name, for the executor to be built with; returns who waits for a person.

    Raises `SettingInvalid`, and `Interrupted` when cancelled meanwhile. They end with the context.
    """
    listed = listed_servers(context.settings.mcp, user_tools_file())
    if not listed:
        return None
    from super_agent.tools.servers import Servers
    from super_agent.tools.toolbox import McpToolBox

    names = ", ".join(server.name for server in listed)
    context.emit(Notice("warning", f"--mcp: the sandbox does not hold the MCP servers {names}: they run as you"))

    def tell(line: str) -> None:
        context.emit(Notice("warning", line))

    servers = Servers()
    context.stack.callback(servers.close)
    servers.start(listed, door.cancellation, tell)
    box = McpToolBox(servers, tell)
    asked = _asker(context, door, code_approver)
    context.tools = ToolAccess(box, ToolApprover(box, asked))
    return asked


def tools_line(context: RunContext) -> str:
    """What a team is told of the interpreter's tools, in a line; empty without any."""
    if context.tools is None or not (names := context.tools.box.names()):
        return ""
    return f"In a run block the interpreter can also be told to use these tools of the user: {', '.join(names)}."


def _asker(context: RunContext, door: Door, code_approver: RunApprover | None) -> RunApprover:
    made: Approver | str
    if code_approver is not None:
        made = code_approver.approver
    else:
        made = door.approver(ApprovalContext(REASONS, context.emit, context.session.outputs()))
    return RunApprover(REASONS, made, context.emit, door.cancellation.cancel)
