"""All contestants by the name that the command line takes."""

from collections.abc import Callable, Mapping

from evaluation.contestants import aider, autogen, mini_swe_agent, open_interpreter, ours, raw
from evaluation.contestants.arena import Contestant

ALL: Mapping[str, Callable[[], Contestant]] = {
    "team": lambda: ours.contestant("team"),
    "coder": lambda: ours.contestant("team, coder alone", "--members", "coder"),
    "solo": lambda: ours.contestant("solo", "--solo"),
    **{
        f"attempts-{number}": lambda number=number: ours.contestant(  # type: ignore[misc]
            f"team, {number} attempt{'s' if number > 1 else ''}", "--attempts", str(number)
        )
        for number in (1, 2, 4, 8)
    },
    **{f"raw-{number}": lambda number=number: raw.contestant(number) for number in (1, 2, 4, 8)},  # type: ignore[misc]
    "aider-whole": lambda: aider.contestant("whole"),
    "aider-diff": lambda: aider.contestant("diff"),
    "mini-swe-agent": mini_swe_agent.contestant,
    "open-interpreter": open_interpreter.contestant,
    "autogen-round-robin": lambda: autogen.contestant("round_robin"),
    "autogen-magentic-one": lambda: autogen.contestant("magentic_one"),
}
