"""`python -m benchmarks.compare.stock_team KIND URL MODEL FOLDER TURNS`: one stock team works on the task.

Prints one line when AutoGen is imported, and one when the team has ended, with the reason.
"""

import asyncio
import sys
from pathlib import Path

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.teams import (
    BaseGroupChat,
    DiGraphBuilder,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
)

from benchmarks.compare import story
from benchmarks.compare.stock_team.client import PlainClient
from benchmarks.compare.stock_team.members import Ended, WorkspaceMember, thinkers


def build(kind: str, client: PlainClient, folder: Path) -> BaseGroupChat:
    """A team of planner, coder, workspace and reviewer that ends when the check passes."""
    planner, coder, reviewer = thinkers(client)
    members: list[BaseChatAgent] = [planner, coder, WorkspaceMember(folder, story.CHECK), reviewer]
    ends = TextMentionTermination(story.PASSED, sources=["workspace"])
    if kind == "selector":
        return SelectorGroupChat(members, model_client=client, termination_condition=ends)
    if kind == "round_robin":
        return RoundRobinGroupChat(members, termination_condition=ends)
    if kind == "magentic":
        return MagenticOneGroupChat(members, model_client=client, max_turns=100)
    if kind == "graph_flow":
        return _graph(members, ends)
    raise ValueError(f"no such team: {kind}")


def _graph(members: list[BaseChatAgent], ends: TextMentionTermination) -> GraphFlow:
    planner, coder, workspace, reviewer = members
    builder = DiGraphBuilder()
    for member in members:
        builder.add_node(member)
    builder.set_entry_point(planner)
    builder.add_edge(planner, coder, activation_group="plan")
    builder.add_edge(coder, workspace)
    end = Ended()  # a graph must have a leaf
    builder.add_node(end)
    builder.add_edge(workspace, end, condition=lambda message: story.PASSED in message.to_text())
    builder.add_edge(workspace, reviewer, condition=lambda message: story.PASSED not in message.to_text())
    builder.add_edge(reviewer, coder, activation_group="again", condition=lambda message: "revise" in message.to_text())
    return GraphFlow([*members, end], graph=builder.build(), termination_condition=ends)


async def main() -> None:
    """Run the team that the command line names."""
    kind, url, model, folder, turns = sys.argv[1:]
    print("imported", flush=True)
    client = PlainClient(url, model)
    result = await build(kind, client, Path(folder)).run(task=story.task(int(turns)))
    await client.close()
    print(f"ended: {result.stop_reason}", flush=True)


asyncio.run(main())
