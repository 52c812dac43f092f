"""Stock Open Interpreter works on a task: `python -I open_interpreter.py URL MODEL TASK`, in the task's folder.

Its first line says that Open Interpreter is imported; every message follows in a line of its own.
"""

import argparse
import os
import sys

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("model")
parser.add_argument("task")
parser.add_argument("--folder", default=".")
parser.add_argument("--max-tokens", type=int, default=1500, help="of a reply")
asked = parser.parse_args()
os.chdir(asked.folder)

from interpreter import interpreter  # noqa: E402

print("imported", flush=True)
# As its documentation says for a server that speaks the OpenAI API; without telemetry and questions.
interpreter.offline = True
interpreter.disable_telemetry = True
interpreter.auto_run = True
interpreter.llm.model = f"openai/{asked.model}"
interpreter.llm.api_base = f"{asked.url}/v1"
interpreter.llm.api_key = "none"
interpreter.llm.context_window = 8192
interpreter.llm.max_tokens = asked.max_tokens
interpreter.llm.supports_functions = False
interpreter.llm.supports_vision = False
for message in interpreter.chat(asked.task, display=False):
    print(message, flush=True)
# Its kernel's threads would keep the process.
interpreter.computer.terminate()
sys.stdout.flush()
os._exit(0)
