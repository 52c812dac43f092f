"""The executor's words: its system prompt, a worked example, and how results are told to the model.

The head never changes, so its tokens are evaluated once; task text never goes into Open Interpreter's own templates.
"""

from super_agent.core.model.chat import Message

SYSTEM = """\
You carry out instructions by running code on the user's machine, {place} whose current folder is \
the workspace. To run code, write one fenced block per reply, ```python or ```shell. The result comes back as the next \
message. To write a file, head its block by language and path; it is written, not run. \
Python keeps its variables between blocks. Look at the result before you go on. There is no keyboard input. \
When the instruction is done, answer in one or two plain sentences without a code block."""

PLACES = {False: "in a sandbox without network", True: "in a process with network"}
"""Where code runs, by whether it has the network."""

EXAMPLE: tuple[Message, ...] = (
    Message("user", "How many lines does notes.txt have?"),
    Message("assistant", '```python\nprint(len(open("notes.txt").read().splitlines()))\n```'),
    Message("user", "Result of the python code (finished):\n12"),
    Message("assistant", "notes.txt has 12 lines."),
    Message("user", "Write greet.py with greet(name), which returns a greeting."),
    Message("assistant", '```python greet.py\ndef greet(name):\n    return f"Hello, {name}!"\n```'),
    Message("user", "Wrote greet.py."),
    Message("assistant", "greet.py has greet(name) now."),
)


def head(*, network: bool = False, tools: str = "") -> list[Message]:
    """The messages every conversation of the executor begins with; `network` is whether its code has one.

    `tools` describes what there is beside code.
    """
    system = SYSTEM.replace("{place}", PLACES[network]) + (f"\n\n{tools}" if tools else "")
    return [Message("system", system), *EXAMPLE]
