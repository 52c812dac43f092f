"""A stock AutoGen team works on a task: `python -I autogen_team.py KIND URL MODEL TASK`, in the task's folder."""

import asyncio
import sys

from autogen_agentchat.agents import AssistantAgent, CodeExecutorAgent
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_agentchat.teams import MagenticOneGroupChat, RoundRobinGroupChat
from autogen_ext.agents.magentic_one import MagenticOneCoderAgent
from autogen_ext.code_executors.local import LocalCommandLineCodeExecutor
from autogen_ext.models.openai import OpenAIChatCompletionClient

CODER = (
    "You are a coder. Write code in fenced blocks: ```python blocks are run as Python, ```sh blocks by the shell. A "
    "block whose first line is `# filename: NAME` is also saved under that name in the working folder. Look at files, "
    "write the whole content of each file that changes, and run the check."
)
CRITIC = "You are a critic. Say what is still wrong. When the check has passed, answer with the one word APPROVE."
MAX_MESSAGES = 100


async def main():
    """Run the team that the command line names."""
    kind, url, model, task = sys.argv[1:]
    client = OpenAIChatCompletionClient(
        model=model,
        base_url=f"{url}/v1",
        api_key="none",
        max_retries=0,
        timeout=900,
        model_info={
            "vision": False,
            "function_calling": False,
            "json_output": True,
            "structured_output": False,
            "family": "unknown",
        },
    )
    async with LocalCommandLineCodeExecutor(work_dir=".", timeout=60, cleanup_temp_files=False) as executor:
        if kind == "magentic_one":
            terminal = CodeExecutorAgent("ComputerTerminal", code_executor=executor)
            team = MagenticOneGroupChat([MagenticOneCoderAgent("Coder", client), terminal], model_client=client)
        else:
            coder = AssistantAgent("coder", model_client=client, system_message=CODER)
            critic = AssistantAgent("critic", model_client=client, system_message=CRITIC)
            runner = CodeExecutorAgent("executor", code_executor=executor)
            ends = TextMentionTermination("APPROVE", sources=["critic"]) | MaxMessageTermination(MAX_MESSAGES)
            team = RoundRobinGroupChat([coder, runner, critic], termination_condition=ends)
        result = await team.run(task=task)
    await client.close()
    print(f"ended: {result.stop_reason}", flush=True)


asyncio.run(main())
